/*
 * When an index file is believed (DESIGN.md, "Opening"), and nothing else: (a)
 * structure and CRC hold; (b) every segment that a row names is there, and
 * every segment below the watermark passes (c), also one without rows; (c) the
 * rows of each segment tile its frames, every gap parses as what has no row;
 * (d) sampled frames equal their rows.
 */
#include "recovery_internal.h"

#include <stdlib.h>

#include "kind.h"

/* ---- (c) tiling ------------------------------------------------------ */

static int
refuse_at(struct bat_error *why, uint64_t segment, uint64_t offset,
    const char *text)
{
	return bat_error_set_at(why, BAT_DATA_CORRUPT, segment, offset,
	    "%s in segment %llu at offset %llu", text,
	    (unsigned long long)segment, (unsigned long long)offset);
}

/* The batch rule over rows and gaps together; an event without a row that the
 * rule would keep is one that the index lacks. */
static bool
count_event(struct recovery_batch *batch, bool has_row)
{
	if (!batch->open)
		return has_row;
	if (batch->remaining == 0) {
		batch->open = false;
		return true;
	}
	batch->remaining--;
	batch->staged_gap = batch->staged_gap || !has_row;
	return true;
}

static bool
count_marker(struct recovery_batch *batch, const struct bat_event *marker)
{
	bool kept = batch->open && batch->remaining == 0 &&
	    marker->kind == BAT_KIND_BATCH_COMMIT;

	if (kept && batch->staged_gap)
		return false;
	batch->open = marker->kind == BAT_KIND_BATCH_BEGIN;
	batch->remaining = marker->payload_size;
	batch->staged_gap = false;
	return true;
}

/* A bad frame in a gap: fine only as the torn tail of an unfooted segment. */
static int
gap_tail(struct recovery_scan *scan, struct bat_segment_reader *reader,
    const struct bat_segment_item *item, const struct recovery_batch *batch,
    uint64_t end, struct bat_error *why)
{
	uint64_t found;
	int code;

	if (item->state == BAT_FRAME_WHOLE || reader->has_footer ||
	    end != reader->file_size)
		return refuse_at(why, reader->id, item->offset,
		    "bytes without a row that are no frame");
	code = bat_segment_reader_find_whole(reader, item->offset + 1, &found,
	    why);
	if (code < 0)
		return code;
	if (code == BAT_OK)
		return refuse_at(why, reader->id, item->offset,
		    "a bad frame before a whole one, without a row");
	return bat_recovery_plan_cut(scan, reader->id,
	    batch->open ? batch->begin_offset : item->offset,
	    reader->file_size, bat_frame_state_name(item->state));
}

/* Read the gap [at, end). */
static int
read_gap(struct recovery_scan *scan, struct bat_segment_reader *reader,
    struct recovery_batch *batch, uint64_t at, uint64_t end,
    struct bat_error *why)
{
	struct bat_segment_item item;
	int code;

	bat_segment_reader_seek(reader, at, end);
	while ((code = bat_segment_reader_next(reader, &item, why)) == BAT_OK) {
		bool fits;

		if (item.state != BAT_FRAME_WHOLE || !item.decoded)
			return gap_tail(scan, reader, &item, batch, end, why);
		if (bat_codec_is_marker(&item.event)) {
			batch->begin_offset = item.offset;
			fits = count_marker(batch, &item.event);
		} else {
			fits = count_event(batch, false);
		}
		if (!fits)
			return refuse_at(why, reader->id, item.offset,
			    "an event without a row");
	}
	return code == BAT_END ? BAT_OK : code;
}

int
bat_recovery_tiles(struct recovery_scan *scan,
    struct bat_segment_reader *reader, const struct bat_row *rows, size_t count,
    uint64_t end, struct bat_error *why)
{
	struct recovery_batch batch = { .open = false };
	uint64_t at = reader->header.length;
	int code;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].offset < at || rows[i].offset > end ||
		    rows[i].length <= BAT_FRAME_HEADER_SIZE ||
		    rows[i].length > end - rows[i].offset)
			return refuse_at(why, reader->id, rows[i].offset,
			    "a row that overlaps or leaves the frames");
		if (rows[i].offset > at) {
			code = read_gap(scan, reader, &batch, at,
			    rows[i].offset, why);
			if (code != BAT_OK)
				return code;
		}
		(void)count_event(&batch, true);
		at = rows[i].offset + rows[i].length;
	}
	return at < end ? read_gap(scan, reader, &batch, at, end, why) : BAT_OK;
}

/* ---- (d) samples ----------------------------------------------------- */

bool
bat_recovery_agrees(const struct bat_event *event, const struct bat_row *row,
    struct bat_slice entity, struct bat_slice scope)
{
	return bat_id_equal(&event->id, &row->id) &&
	    bat_id_equal(&event->corr, &row->corr) &&
	    bat_id_equal(&event->cause, &row->cause) &&
	    bat_kind_mapped(event->kind) == row->kind &&
	    event->wall_ms == row->wall_ms && event->clock == row->clock &&
	    event->lane == row->lane && event->depth == row->depth &&
	    bat_hash_equal(&event->prev, &row->prev) &&
	    bat_hash_equal(&event->hash, &row->hash) &&
	    bat_bytes_equal(event->entity, entity) &&
	    bat_bytes_equal(event->scope, scope);
}

/* The rows of a segment, ascending by offset, and what samples share. */
struct sampling {
	struct recovery_scan *scan;
	const struct bat_row *rows;
	size_t count;
	const struct bat_intern *names;
	struct bat_buf buf;
};

/* The row that starts at offset; NULL. */
static const struct bat_row *
row_at(const struct sampling *sampling, uint64_t offset)
{
	size_t low = 0, high = sampling->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sampling->rows[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == sampling->count || sampling->rows[low].offset != offset)
		return NULL;
	return &sampling->rows[low];
}

/*
 * What stands at a row's place is not whole. Is it damaged, or is the row not
 * a frame's? Frame after frame from the segment's start: a whole one says
 * where the next begins, of another its row does. 0: damaged.
 */
static int
walk_to(const struct sampling *sampling, struct bat_segment_reader *reader,
    const struct bat_row *suspect, struct bat_error *why)
{
	uint64_t at = reader->header.length;
	struct bat_segment_item item;
	int code;

	for (;;) {
		const struct bat_row *row = row_at(sampling, at);

		bat_segment_reader_seek(reader, at, 0);
		code = bat_segment_reader_next(reader, &item, why);
		if (code < 0)
			return code;
		if (code == BAT_END || at >= suspect->offset)
			break;
		if (item.state != BAT_FRAME_WHOLE && row == NULL)
			break;
		at += item.state == BAT_FRAME_WHOLE ? item.length
						    : row->length;
	}
	if (at == suspect->offset &&
	    (code == BAT_END || item.state != BAT_FRAME_WHOLE))
		return BAT_OK;
	return BAT_DATA_DISAGREES;
}

static int
confirm_damage(const struct sampling *sampling, const struct bat_row *suspect,
    struct bat_error *why)
{
	struct bat_segment_reader reader;
	struct bat_error local = { .code = 0 };
	int code = bat_segment_reader_open(&reader, sampling->scan->dir,
	    suspect->segment, &local);

	if (code == BAT_OK) {
		code = walk_to(sampling, &reader, suspect, &local);
		bat_segment_reader_close(&reader);
	}
	if (code == BAT_DATA_DISAGREES)
		return bat_error_set_at(why, code, suspect->segment,
		    suspect->offset,
		    "no frame of segment %llu is where the row of sequence "
		    "%llu says, at offset %llu",
		    (unsigned long long)suspect->segment,
		    (unsigned long long)suspect->seq,
		    (unsigned long long)suspect->offset);
	/* Else *why says what is wrong with the frame. */
	if (code != BAT_OK)
		*why = local;
	return code;
}

static int
sample_one(struct sampling *sampling, const struct bat_row *row,
    struct bat_error *why)
{
	struct recovery_scan *scan = sampling->scan;
	const struct bat_intern *names = sampling->names;
	struct bat_event event;
	int code = bat_segment_reader_read(scan->dir, row->segment, row->offset,
	    row->length, &sampling->buf, &event, why);

	if (code == BAT_DATA_CORRUPT) {
		code = confirm_damage(sampling, row, why);
		if (code != BAT_OK)
			return code;
		bat_recovery_damage(scan, row->segment, row->offset,
		    "the frame of sequence %llu: %s",
		    (unsigned long long)row->seq, why->text);
		return BAT_OK;
	}
	if (code != BAT_OK)
		return code;
	if (!bat_recovery_agrees(&event, row,
		bat_intern_get(names, row->entity),
		bat_intern_get(names, row->scope)))
		return bat_error_set_at(why, BAT_DATA_DISAGREES, row->segment,
		    row->offset,
		    "the row of sequence %llu is not its frame in segment "
		    "%llu at offset %llu",
		    (unsigned long long)row->seq,
		    (unsigned long long)row->segment,
		    (unsigned long long)row->offset);
	return BAT_OK;
}

int
bat_recovery_sample(struct recovery_scan *scan, const struct bat_row *rows,
    size_t count, const struct bat_intern *names, struct bat_error *why)
{
	const struct bat_disk *disk = scan->dir->disk;
	struct sampling sampling = { scan, rows, count, names, BAT_BUF_EMPTY };
	uint64_t random = 0;
	int code;

	if (count == 0)
		return BAT_OK;
	(void)disk->random(disk->context, &random, sizeof(random));
	code = sample_one(&sampling, &rows[0], why);
	if (code == BAT_OK && count > 1)
		code = sample_one(&sampling, &rows[count - 1], why);
	if (code == BAT_OK && count > 2)
		code = sample_one(&sampling, &rows[1 + random % (count - 2)],
		    why);
	bat_bytes_free(&sampling.buf);
	return code;
}

/* ---- one index file -------------------------------------------------- */

/* What the decoder's sink collects. */
struct candidate {
	struct recovery_scan *scan;
	struct bat_checkpoint_head head;
	uint32_t *names; /* of the file's strings -> index numbers */
	struct bat_buf histograms;
	size_t system_length;
};

static int
take_head(void *context, const struct bat_checkpoint_head *head)
{
	struct candidate *candidate = context;
	int code = BAT_OK;

	candidate->head = *head;
	candidate->names = calloc((size_t)head->string_count + 1,
	    sizeof(*candidate->names));
	if (candidate->names == NULL)
		return BAT_WORLD_NO_MEMORY;
	for (uint32_t i = 1; code == BAT_OK && i < head->string_count; i++)
		code = bat_intern_put(&candidate->scan->index->names,
		    head->strings[i], &candidate->names[i]);
	candidate->system_length = head->fallbacks.system_histogram.length;
	if (code == BAT_OK)
		code = bat_bytes_append_slice(&candidate->histograms,
		    head->fallbacks.system_histogram);
	if (code == BAT_OK)
		code = bat_bytes_append_slice(&candidate->histograms,
		    head->fallbacks.effect_histogram);
	return code;
}

static int
take_row(void *context, const struct bat_row *row,
    struct bat_slice extension_map)
{
	struct candidate *candidate = context;
	struct bat_row mine = *row;

	(void)extension_map;
	if (row->seq > RECOVERY_SEQ_MAX)
		return BAT_DATA_CORRUPT;
	mine.entity = candidate->names[row->entity];
	mine.scope = candidate->names[row->scope];
	mine.kind = bat_kind_mapped(row->kind);
	/* batpak's own files may have lost extensions (H5): "none" is not
	 * known until the frame was read. */
	if (mine.extensions == BAT_ROW_EXTENSIONS_NONE)
		mine.extensions = BAT_ROW_EXTENSIONS_UNKNOWN;
	return bat_recovery_push(candidate->scan, &mine);
}

static int
compare_places(const void *a, const void *b)
{
	const struct bat_row *left = a, *right = b;

	if (left->segment != right->segment)
		return left->segment < right->segment ? -1 : 1;
	return (left->offset > right->offset) - (left->offset < right->offset);
}

/* Index files are in sequence order, which mostly is log order. */
static void
sort_rows(struct bat_row *rows, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (compare_places(&rows[i - 1], &rows[i]) >= 0) {
			qsort(rows, count, sizeof(*rows), compare_places);
			return;
		}
}

/* (c) and (d) for one segment at or below the watermark. */
static int
check_segment(struct recovery_scan *scan, const struct bat_segment_info *info,
    const struct bat_checkpoint_head *head, const struct bat_row *rows,
    size_t count, struct bat_error *why)
{
	struct bat_segment_reader reader;
	uint64_t end;
	int code = bat_segment_reader_open(&reader, scan->dir, info->id, why);

	if (code != BAT_OK)
		return code;
	end = reader.end;
	if (info->id == head->watermark_segment && head->watermark_offset < end)
		end = head->watermark_offset;
	if (end < reader.header.length)
		end = reader.header.length;
	code = bat_recovery_tiles(scan, &reader, rows, count, end, why);
	if (code == BAT_OK)
		code = bat_recovery_sample(scan, rows, count,
		    &scan->index->names, why);
	bat_segment_reader_close(&reader);
	return code;
}

/* (b), (c), (d) over all segments; the rows are in log order. */
static int
check_rows(struct recovery_scan *scan, const struct bat_checkpoint_head *head,
    struct bat_error *why)
{
	size_t row = 0;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < scan->dir->count; i++) {
		const struct bat_segment_info *info = &scan->dir->segments[i];
		size_t first = row;

		if (info->id > head->watermark_segment)
			break;
		while (row < scan->count && scan->rows[row].segment == info->id)
			row++;
		code = check_segment(scan, info, head, scan->rows + first,
		    row - first, why);
	}
	if (code == BAT_OK && row < scan->count)
		return bat_error_set(why, BAT_DATA_CORRUPT,
		    "segment %llu, which it names, is not there",
		    (unsigned long long)scan->rows[row].segment);
	return code;
}

static int
check_watermark(struct recovery_scan *scan,
    const struct bat_checkpoint_head *head, struct bat_error *why)
{
	const struct bat_segment_info *info =
	    bat_segment_dir_find(scan->dir, head->watermark_segment);

	if (head->allocator > RECOVERY_SEQ_MAX)
		return bat_error_set(why, BAT_DATA_CORRUPT,
		    "its next sequence number is %llu",
		    (unsigned long long)head->allocator);
	if (info == NULL)
		return bat_error_set(why, BAT_DATA_CORRUPT,
		    "its watermark segment %llu is not there",
		    (unsigned long long)head->watermark_segment);
	if (info->stat.size < head->watermark_offset)
		return bat_error_set(why, BAT_DATA_CORRUPT,
		    "segment %llu is shorter than its watermark",
		    (unsigned long long)head->watermark_segment);
	return BAT_OK;
}

/* Keep what the candidate says beside its rows. */
static void
adopt(struct recovery_scan *scan, struct candidate *candidate, bool rowindex)
{
	struct bat_recovery *out = scan->out;
	struct bat_checkpoint_fallbacks *kept = &out->fallbacks;

	out->has_index = true;
	out->source = rowindex ? BAT_RECOVERY_ROWINDEX
			       : BAT_RECOVERY_CHECKPOINT;
	out->source_version = candidate->head.version;
	out->restored_count = scan->count;
	out->next_seq = candidate->head.allocator;
	out->watermark_segment = candidate->head.watermark_segment;
	out->watermark_offset = candidate->head.watermark_offset;
	bat_bytes_free(&out->fallbacks_bytes);
	out->fallbacks_bytes = candidate->histograms;
	candidate->histograms = BAT_BUF_EMPTY;
	*kept = candidate->head.fallbacks;
	kept->system_histogram = bat_bytes_slice(out->fallbacks_bytes.data,
	    candidate->system_length);
	kept->effect_histogram = bat_bytes_slice(
	    out->fallbacks_bytes.data + candidate->system_length,
	    out->fallbacks_bytes.length - candidate->system_length);
}

/* Is this the machine's fault, not the file's? */
static bool
is_fatal(int code)
{
	return code == BAT_WORLD_NO_MEMORY || code == BAT_WORLD_IO;
}

int
bat_recovery_index_file(struct recovery_scan *scan, bool rowindex,
    bool *out_believed)
{
	const char *name = rowindex ? BAT_ROWINDEX_FILE : BAT_CHECKPOINT_FILE;
	struct candidate candidate = { .scan = scan };
	const struct bat_checkpoint_sink sink = { &candidate, take_head,
		take_row };
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_error why = { .code = 0 };
	size_t cuts_before = scan->out->cut_count;
	int code = bat_file_read_whole(scan->dir->disk, scan->dir->dir, name,
	    UINT64_MAX / 2, &file, &why);

	*out_believed = false;
	scan->count = 0;
	if (code == BAT_OK)
		code = (rowindex ? bat_rowindex_decode
				 : bat_checkpoint_decode)(
		    bat_bytes_of_buf(&file), &sink, &why);
	bat_bytes_free(&file);
	if (code == BAT_OK)
		code = check_watermark(scan, &candidate.head, &why);
	if (code == BAT_OK) {
		sort_rows(scan->rows, scan->count);
		code = check_rows(scan, &candidate.head, &why);
	}
	if (code == BAT_OK) {
		adopt(scan, &candidate, rowindex);
		*out_believed = true;
	} else {
		scan->count = 0;
		scan->out->cut_count = cuts_before;
		/* Also its names, or they would stand in the next index. */
		bat_intern_free(&scan->index->names);
		bat_intern_init(&scan->index->names);
		bat_recovery_say(scan->out, "%s: dropped: %s", name,
		    why.text[0] != '\0' ? why.text : bat_error_name(code));
	}
	free(candidate.names);
	bat_bytes_free(&candidate.histograms);
	if (is_fatal(code)) {
		if (scan->error != NULL)
			*scan->error = why;
		return code;
	}
	return BAT_OK;
}
