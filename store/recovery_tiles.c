/*
 * Rows against frames, for index files and for footers: do the rows of a
 * segment tile it, and do sampled frames equal their rows?
 */
#include "recovery_internal.h"

#include "kind.h"

/* ---- the rows of a segment -------------------------------------------- */

/* Ascending by offset; and what samples share. */
struct row_set {
	struct recovery_scan *scan;
	uint32_t first, count;
	bool all; /* not only some of them */
	struct bat_buf buf;
};

/* The row that starts at offset; NULL. */
static const struct bat_index_hot *
row_at(const struct row_set *rows, uint64_t offset)
{
	const struct bat_index *index = rows->scan->index;
	uint32_t low = rows->first;
	uint32_t high = rows->first + rows->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (bat_index_offset_of(index, middle) < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == rows->first + rows->count ||
	    bat_index_offset_of(index, low) != offset)
		return NULL;
	return bat_index_hot_at(index, low);
}

/*
 * What stands at a row's place is not whole. Is it damaged, or is the row not
 * a frame's? Frame after frame from the segment's start: a whole one says
 * where the next begins, of another its row does. 0: damaged.
 */
static int
walk_to(const struct row_set *rows, struct bat_segment_reader *reader,
    uint64_t suspect, struct bat_error *why)
{
	uint64_t at = reader->header.length;
	struct bat_segment_item item;
	int code;

	for (;;) {
		const struct bat_index_hot *row = row_at(rows, at);

		bat_segment_reader_seek(reader, at, 0);
		code = bat_segment_reader_next(reader, &item, why);
		if (code < 0)
			return code;
		if (code == BAT_END || at >= suspect)
			break;
		if (item.state != BAT_FRAME_WHOLE && row == NULL)
			break;
		at += item.state == BAT_FRAME_WHOLE ? item.length : row->length;
	}
	if (at == suspect && (code == BAT_END || item.state != BAT_FRAME_WHOLE))
		return BAT_OK;
	return BAT_DATA_DISAGREES;
}

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
		return has_row || BAT_PLANT(38);
	if (batch->remaining == 0) {
		batch->open = false;
		return true;
	}
	batch->remaining--;
	batch->staged_gap = batch->staged_gap || !has_row;
	batch->staged_row = batch->staged_row || has_row;
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
	batch->staged_gap = batch->staged_row = false;
	return true;
}

/* Where the gap goes on behind a bad frame: at the next whole one, or at its
 * end. */
static int
behind_bad(struct bat_segment_reader *reader,
    const struct bat_segment_item *item, uint64_t end, uint64_t *out,
    struct bat_error *why)
{
	int code = bat_segment_reader_find_whole(reader, item->offset + 1, out,
	    why);

	if (code == BAT_END || (code == BAT_OK && *out > end))
		*out = end;
	return code == BAT_END ? BAT_OK : code;
}

/*
 * A bad frame in a gap. At the end of an unfooted segment it is a torn tail,
 * unless the batch that it leaves open has rows: these were acknowledged, and
 * a cut would take them. Elsewhere it is what was a batch marker, and damaged:
 * that is named, and the rows around it stay. Read from the frames alone it
 * would count as an event, and every later number would be another's. A whole
 * frame that means nothing is no damage but a lie. *out_next: where the gap
 * goes on.
 */
static int
gap_bad(const struct row_set *rows, struct bat_segment_reader *reader,
    const struct bat_segment_item *item, struct recovery_batch *batch,
    uint64_t end, uint64_t *out_next, struct bat_error *why)
{
	struct recovery_scan *scan = rows->scan;
	bool tail = row_at(rows, end) == NULL && !reader->has_footer &&
	    (!(batch->open && batch->staged_row) || BAT_PLANT(271));
	int code = item->state == BAT_FRAME_WHOLE ||
		(tail && end != reader->file_size) ?
	    BAT_DATA_DISAGREES :
	    walk_to(rows, reader, item->offset, why);

	if (code == BAT_DATA_DISAGREES)
		return refuse_at(why, reader->id, item->offset,
		    "bytes without a row that are no frame");
	if (code == BAT_OK)
		code = behind_bad(reader, item, end, out_next, why);
	if (code == BAT_DATA_CORRUPT ||
	    (code == BAT_OK && tail && *out_next < end))
		return refuse_at(why, reader->id, item->offset,
		    "a bad frame before a whole one, without a row");
	if (code != BAT_OK)
		return code;
	if (tail)
		return bat_recovery_plan_cut(scan, reader->id,
		    batch->open ? batch->begin_offset : item->offset,
		    reader->file_size, bat_frame_state_name(item->state));
	bat_recovery_damage(scan, reader->id, item->offset,
	    "%s frame where a batch begins or ends",
	    bat_frame_state_name(item->state));
	/* Where all items were there already, it was the COMMIT. */
	batch->open = batch->open && batch->remaining > 0;
	return BAT_OK;
}

/* Read the gap [at, end). */
static int
read_gap(const struct row_set *rows, struct bat_segment_reader *reader,
    struct recovery_batch *batch, uint64_t at, uint64_t end,
    struct bat_error *why)
{
	struct bat_segment_item item;
	int code;

	bat_segment_reader_seek(reader, at, end);
	while ((code = bat_segment_reader_next(reader, &item, why)) == BAT_OK) {
		bool fits;

		if (item.state != BAT_FRAME_WHOLE || !item.decoded) {
			code = gap_bad(rows, reader, &item, batch, end, &at,
			    why);
			if (code != BAT_OK || at == end)
				return code;
			bat_segment_reader_seek(reader, at, end);
			continue;
		}
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
    struct bat_segment_reader *reader, uint32_t first, uint32_t count,
    uint64_t end, struct bat_error *why)
{
	const struct row_set rows = { .scan = scan,
		.first = first,
		.count = count };
	struct recovery_batch batch = { .open = false };
	uint64_t at = reader->header.length;
	int code;

	for (uint32_t i = first; i < first + count; i++) {
		const struct bat_index_hot *row = bat_index_hot_at(scan->index,
		    i);
		uint64_t offset = row->place & BAT_INDEX_OFFSET_MAX;

		if (offset < at || offset > end ||
		    row->length <= BAT_FRAME_HEADER_SIZE ||
		    row->length > end - offset)
			return refuse_at(why, reader->id, offset,
			    "a row that overlaps or leaves the frames");
		if (offset > at) {
			code = read_gap(&rows, reader, &batch, at, offset, why);
			if (code != BAT_OK)
				return code;
		}
		(void)count_event(&batch, true);
		at = offset + row->length;
	}
	return at < end ? read_gap(&rows, reader, &batch, at, end, why) :
			  BAT_OK;
}

/* ---- (d) samples ----------------------------------------------------- */

bool
bat_recovery_agrees(const struct bat_event *event,
    const struct bat_index_hot *row, struct bat_slice entity,
    struct bat_slice scope)
{
	return bat_id_equal(&event->id, &row->id) &&
	    bat_kind_mapped(event->kind) == row->kind &&
	    event->wall_ms == row->wall_ms && event->clock == row->clock &&
	    bat_index_fingerprint(&event->corr, &event->cause, &event->prev,
		&event->hash, event->lane, event->depth) == row->fingerprint &&
	    bat_bytes_equal(event->entity, entity) &&
	    bat_bytes_equal(event->scope, scope);
}

static int
confirm_damage(const struct row_set *rows, const struct bat_row *suspect,
    struct bat_error *why)
{
	struct bat_segment_reader reader;
	struct bat_error local = { .code = 0 };
	int code = bat_segment_reader_open(&reader, rows->scan->dir,
	    suspect->segment, &local);

	if (code == BAT_OK) {
		code = walk_to(rows, &reader, suspect->offset, &local);
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
sample_one(struct row_set *rows, uint32_t ordinal, struct bat_error *why)
{
	struct recovery_scan *scan = rows->scan;
	const struct bat_index *index = scan->index;
	struct bat_event event;
	struct bat_row row;
	int code;

	bat_index_row(index, ordinal, &row);
	code = bat_segment_reader_read(scan->dir, row.segment, row.offset,
	    row.length, &rows->buf, &event, why);
	if (code == BAT_DATA_CORRUPT) {
		code = confirm_damage(rows, &row, why);
		/* Of all of them: who reads it is told. */
		if (code != BAT_OK || rows->all)
			return code;
		bat_recovery_damage(scan, row.segment, row.offset,
		    "the frame of sequence %llu: %s",
		    (unsigned long long)row.seq, why->text);
		return BAT_OK;
	}
	if (code != BAT_OK)
		return code;
	if (!BAT_PLANT(39) &&
	    !bat_recovery_agrees(&event, bat_index_hot_at(index, ordinal),
		bat_intern_get(&index->names, row.entity),
		bat_intern_get(&index->names, row.scope)))
		return bat_error_set_at(why, BAT_DATA_DISAGREES, row.segment,
		    row.offset,
		    "the row of sequence %llu is not its frame in segment "
		    "%llu at offset %llu",
		    (unsigned long long)row.seq,
		    (unsigned long long)row.segment,
		    (unsigned long long)row.offset);
	return BAT_OK;
}

/*
 * A row was a lie that no sample had met, and the directory is read anew. What
 * a footer says is not believed by samples again: it has no checksum.
 */
static int
sample_all(struct row_set *rows, struct bat_error *why)
{
	int code = BAT_OK;

	rows->all = true;
	for (uint32_t i = 0; code == BAT_OK && i < rows->count; i++)
		code = sample_one(rows, rows->first + i, why);
	return code;
}

int
bat_recovery_sample(struct recovery_scan *scan, uint32_t first, uint32_t count,
    struct bat_error *why)
{
	const struct bat_disk *disk = scan->dir->disk;
	struct row_set rows = { scan, first, count, false, BAT_BUF_EMPTY };
	uint32_t random = 0;
	int code;

	if (count == 0)
		return BAT_OK;
	(void)disk->random(disk->context, &random, sizeof(random));
	code = sample_one(&rows, first, why);
	if (code == BAT_OK && count > 1)
		code = sample_one(&rows, first + count - 1, why);
	if (code == BAT_OK && count > 2)
		code = sample_one(&rows, first + 1 + random % (count - 2), why);
	if (code == BAT_OK && scan->options->ignore_indexes)
		code = sample_all(&rows, why);
	bat_bytes_free(&rows.buf);
	return code;
}
