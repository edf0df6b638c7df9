#include "checkpointer.h"

#include "recovery.h"
#include "segment_reader.h"

/*
 * Rows of the index, one after the other. What the index does not keep comes
 * from the frames, which are read in log order.
 */
struct row_source {
	const struct bat_checkpointer_input *input;
	uint32_t next;
	bool is_open;
	struct bat_segment_reader reader;
	struct bat_error *error;
};

static void
close_reader(struct row_source *source)
{
	if (source->is_open)
		bat_segment_reader_close(&source->reader);
	source->is_open = false;
}

/* The frame of a row. */
static int
read_frame(struct row_source *source, const struct bat_row *row,
    struct bat_segment_item *item)
{
	int code = BAT_OK;

	if (!source->is_open || source->reader.id != row->segment) {
		close_reader(source);
		code = bat_segment_reader_open(&source->reader,
		    source->input->dir, row->segment, source->error);
		source->is_open = code == BAT_OK;
	}
	if (code != BAT_OK)
		return code;
	if (source->reader.at != row->offset)
		bat_segment_reader_seek(&source->reader, row->offset, 0);
	code = bat_segment_reader_next(&source->reader, item, source->error);
	if (code != BAT_OK)
		return code == BAT_END ? BAT_DATA_CORRUPT : code;
	if (item->state == BAT_FRAME_WHOLE && item->decoded)
		return BAT_OK;
	return bat_error_set_at(source->error, BAT_DATA_CORRUPT, row->segment,
	    row->offset,
	    "the frame at segment %llu offset %llu is damaged (%s); the index "
	    "file was left as it is",
	    (unsigned long long)row->segment, (unsigned long long)row->offset,
	    bat_frame_state_name(item->state));
}

/* The frame has the last word on extensions (FORMAT.md 13.2 R13). */
static int
complete_row(struct row_source *source, uint32_t ordinal, struct bat_row *row,
    struct bat_slice *out_map)
{
	struct bat_index *index = source->input->index;
	struct bat_segment_item item;
	int code = read_frame(source, row, &item);

	if (code != BAT_OK)
		return code;
	if (!bat_recovery_agrees(&item.event, bat_index_hot_at(index, ordinal),
		bat_intern_get(&index->names, row->entity),
		bat_intern_get(&index->names, row->scope)))
		return bat_error_set_at(source->error, BAT_DATA_DISAGREES,
		    row->segment, row->offset,
		    "an index row is not its frame at segment %llu offset "
		    "%llu; no index file was written",
		    (unsigned long long)row->segment,
		    (unsigned long long)row->offset);
	row->corr = item.event.corr;
	row->cause = item.event.cause;
	row->prev = item.event.prev;
	row->hash = item.event.hash;
	row->lane = item.event.lane;
	row->depth = item.event.depth;
	row->extensions = BAT_ROW_EXTENSIONS_NONE;
	*out_map = BAT_SLICE_EMPTY;
	if (item.event.extension_count > 0 && !BAT_PLANT(48)) {
		row->extensions = BAT_ROW_EXTENSIONS_SOME;
		*out_map = item.event.extension_map;
	}
	return BAT_OK;
}

static int
source_rewind(void *context)
{
	struct row_source *source = context;

	source->next = 0;
	return BAT_OK;
}

static int
source_next(void *context, struct bat_row *out, struct bat_slice *out_map)
{
	struct row_source *source = context;

	if (source->next == source->input->index->count)
		return BAT_END;
	bat_index_row(source->input->index, source->next, out);
	return complete_row(source, source->next++, out, out_map);
}

/* For who only asks for places and sequences: no disk. */
static int
source_peek(void *context, struct bat_row *out)
{
	struct row_source *source = context;

	if (source->next == source->input->index->count)
		return BAT_END;
	bat_index_row(source->input->index, source->next++, out);
	return BAT_OK;
}

int
bat_checkpointer_write(const struct bat_checkpointer_input *input,
    struct bat_error *error)
{
	struct row_source rows = {
		.input = input,
		.error = error,
	};
	const struct bat_checkpoint_source source = { &rows, source_rewind,
		source_next, source_peek };
	const struct bat_checkpoint_input content = {
		.allocator = input->allocator,
		.watermark_segment = input->watermark_segment,
		.watermark_offset = input->watermark_offset,
		.row_count = input->index->count,
		.names = &input->index->names,
		.fallbacks = input->fallbacks,
		.source = &source,
	};
	const struct bat_disk *disk = input->dir->disk;
	struct bat_buf file = BAT_BUF_EMPTY;
	int code = input->as_rowindex ?
	    bat_rowindex_encode(&content, &file, error) :
	    bat_checkpoint_encode(&content, BAT_CHECKPOINT_VERSION, &file,
		error);

	if (code == BAT_OK)
		code = bat_file_put_whole(disk, input->dir->dir,
		    input->as_rowindex ? BAT_ROWINDEX_FILE :
					 BAT_CHECKPOINT_FILE,
		    bat_bytes_of_buf(&file), true, error);
	if (code == BAT_OK && !BAT_PLANT(49))
		code = bat_file_unlink(disk, input->dir->dir,
		    input->as_rowindex ? BAT_CHECKPOINT_FILE :
					 BAT_ROWINDEX_FILE,
		    error);
	if (code == BAT_OK)
		code = bat_file_sync(disk, input->dir->dir, error);
	close_reader(&rows);
	bat_bytes_free(&file);
	return code;
}
