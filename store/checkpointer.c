#include "checkpointer.h"

#include "codec.h"
#include "segment_reader.h"

/* Rows of the index, one after the other, with their extension maps. */
struct row_source {
	const struct bat_checkpointer_input *input;
	uint32_t next;
	struct bat_buf frame;
	struct bat_error *error;
};

/* The frame has the last word on extensions (FORMAT.md 13.2 R13). */
static int
read_extensions(struct row_source *source, uint32_t ordinal,
    struct bat_row *row, struct bat_slice *out_map)
{
	struct bat_event event;
	int code;

	*out_map = BAT_SLICE_EMPTY;
	if (row->extensions == BAT_ROW_EXTENSIONS_NONE ||
	    row->entity == BAT_INTERN_NONE)
		return BAT_OK;
	code = bat_segment_reader_read(source->input->dir, row->segment,
	    row->offset, row->length, &source->frame, &event, source->error);
	/* A damaged frame: its row stays without, as it was. */
	if (code == BAT_DATA_CORRUPT &&
	    row->extensions == BAT_ROW_EXTENSIONS_UNKNOWN)
		return BAT_OK;
	if (code != BAT_OK)
		return code;
	row->extensions = event.extension_count > 0
	    ? BAT_ROW_EXTENSIONS_SOME
	    : BAT_ROW_EXTENSIONS_NONE;
	bat_index_set_extensions(source->input->index, ordinal,
	    row->extensions);
	/* It points into source->frame, which stands until the next read. */
	if (event.extension_count > 0)
		*out_map = event.extension_map;
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
	const struct bat_index *index = source->input->index;

	if (source->next == index->count)
		return BAT_END;
	bat_index_row(index, source->next, out);
	return read_extensions(source, source->next++, out, out_map);
}

int
bat_checkpointer_write(const struct bat_checkpointer_input *input,
    struct bat_error *error)
{
	struct row_source rows = {
		.input = input,
		.frame = BAT_BUF_EMPTY,
		.error = error,
	};
	const struct bat_checkpoint_source source = { &rows, source_rewind,
		source_next };
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
	int code = input->as_rowindex
	    ? bat_rowindex_encode(&content, &file, error)
	    : bat_checkpoint_encode(&content, BAT_CHECKPOINT_VERSION, &file,
		  error);

	if (code == BAT_OK)
		code = bat_file_put_whole(disk, input->dir->dir,
		    input->as_rowindex ? BAT_ROWINDEX_FILE
				       : BAT_CHECKPOINT_FILE,
		    bat_bytes_of_buf(&file), true, error);
	if (code == BAT_OK)
		code = bat_file_unlink(disk, input->dir->dir,
		    input->as_rowindex ? BAT_CHECKPOINT_FILE
				       : BAT_ROWINDEX_FILE,
		    error);
	if (code == BAT_OK)
		code = bat_file_sync(disk, input->dir->dir, error);
	bat_bytes_free(&rows.frame);
	bat_bytes_free(&file);
	return code;
}
