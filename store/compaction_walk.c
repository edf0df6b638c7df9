/*
 * Frames beside their rows: what the disk has against what the index says.
 */
#include "compaction_internal.h"

#include <stdlib.h>

#include "recovery.h"

#define ROWS_AT_ONCE 256

/* The rows of a segment, copied a few at a time: events are added meanwhile. */
struct rows {
	struct bat_compaction *job;
	bool moved;	    /* they stand in the merged segment */
	size_t move;	    /* of the row asked for last */
	uint32_t next, end; /* ordinals that were not copied yet */
	size_t at, count;
	struct {
		struct bat_index_hot hot;
		uint64_t segment;
		struct bat_slice entity, scope;
	} copies[ROWS_AT_ONCE];
};

/* ---- rows -------------------------------------------------------------- */

static int
differ(struct bat_error *error, uint64_t segment, uint64_t offset,
    const char *text)
{
	return bat_error_set_at(error, BAT_DATA_DISAGREES, segment, offset,
	    "segment %llu at offset %llu: %s", (unsigned long long)segment,
	    (unsigned long long)offset, text);
}

/* Those of segments from `first` to `last`. */
static void
rows_of(struct rows *rows, uint64_t first, uint64_t last)
{
	const struct bat_index *index = rows->job->index;

	pthread_rwlock_rdlock(rows->job->index_lock);
	rows->next = bat_index_lower_place(index, index->count, first, 0);
	rows->end = bat_index_lower_place(index, index->count, last,
	    UINT64_MAX);
	pthread_rwlock_unlock(rows->job->index_lock);
	rows->at = rows->count = 0;
}

static void
copy_some(struct rows *rows)
{
	const struct bat_index *index = rows->job->index;

	rows->at = rows->count = 0;
	pthread_rwlock_rdlock(rows->job->index_lock);
	for (; rows->next < rows->end && rows->count < ROWS_AT_ONCE;
	     rows->next++, rows->count++) {
		const struct bat_index_hot *hot = bat_index_hot_at(index,
		    rows->next);
		size_t i = rows->count;

		rows->copies[i].hot = *hot;
		rows->copies[i].segment = bat_index_segment_of(index,
		    rows->next);
		rows->copies[i].entity = rows->copies[i].scope =
		    BAT_SLICE_EMPTY;
		if (hot->entity == BAT_INTERN_NONE)
			continue;
		rows->copies[i].entity = bat_intern_get(&index->names,
		    hot->entity);
		rows->copies[i].scope = bat_intern_get(&index->names,
		    hot->scope);
	}
	pthread_rwlock_unlock(rows->job->index_lock);
}

/* Where the frame of the next row has to stand. */
static uint64_t
offset_of(struct rows *rows)
{
	const struct bat_compaction *job = rows->job;
	uint64_t segment = rows->copies[rows->at].segment;
	uint64_t offset = rows->copies[rows->at].hot.place &
	    BAT_INDEX_OFFSET_MAX;
	const struct bat_index_move *move;

	if (!rows->moved)
		return offset;
	for (; rows->move < job->move_count; rows->move++) {
		move = &job->moves[rows->move];
		if (move->segment == segment && offset >= move->from &&
		    offset - move->from < move->length)
			return move->to + (offset - move->from);
	}
	return UINT64_MAX;
}

/* The row of the frame at a place, if that is the next one. */
static const struct bat_index_hot *
row_at(struct rows *rows, uint64_t offset)
{
	if (rows->at == rows->count)
		copy_some(rows);
	if (rows->at == rows->count || offset_of(rows) != offset)
		return NULL;
	return &rows->copies[rows->at].hot;
}

static bool
agrees(const struct rows *rows, const struct bat_event *event)
{
	const struct bat_index_hot *hot = &rows->copies[rows->at].hot;

	return hot->entity != BAT_INTERN_NONE &&
	    bat_recovery_agrees(event, hot, rows->copies[rows->at].entity,
		rows->copies[rows->at].scope);
}

static bool
is_end(struct rows *rows)
{
	if (rows->at == rows->count)
		copy_some(rows);
	return rows->at == rows->count;
}

/* ---- frames ------------------------------------------------------------ */

static int
say_damaged(const struct bat_segment_reader *reader,
    const struct bat_segment_item *item, struct bat_error *error)
{
	return bat_error_set_at(error, BAT_DATA_CORRUPT, reader->id,
	    item->offset,
	    "damaged in segment %llu at offset %llu (%s frame); nothing was "
	    "compacted. See `batctl repair`",
	    (unsigned long long)reader->id, (unsigned long long)item->offset,
	    bat_frame_state_name(item->state));
}

static int
visit_item(struct rows *rows, const struct bat_segment_reader *reader,
    const struct bat_segment_item *item,
    const struct compaction_visitor *visitor, struct bat_error *error)
{
	struct compaction_frame frame = {
		.segment = reader->id,
		.offset = item->offset,
		.bytes = bat_bytes_slice(item->body.data -
			BAT_FRAME_HEADER_SIZE,
		    item->body.length + BAT_FRAME_HEADER_SIZE),
		.event = &item->event,
		.is_marker = bat_codec_is_marker(&item->event),
	};
	int code;

	if (!frame.is_marker)
		frame.row = row_at(rows, item->offset);
	if (frame.row != NULL &&
	    (!agrees(rows, &item->event) || frame.row->length != item->length))
		return differ(error, reader->id, item->offset,
		    "a row is not that of its frame");
	code = visitor->frame(visitor->context, &frame, error);
	rows->at += frame.row != NULL;
	return code;
}

static int
visit_frames(struct rows *rows, struct bat_segment_reader *reader,
    const struct compaction_visitor *visitor, struct bat_error *error)
{
	struct bat_segment_item item;
	int code;

	bat_segment_reader_seek(reader, reader->header.length, 0);
	while (
	    (code = bat_segment_reader_next(reader, &item, error)) == BAT_OK) {
		if (item.state != BAT_FRAME_WHOLE || !item.decoded)
			return say_damaged(reader, &item, error);
		if (rows->job->stop != NULL && *rows->job->stop)
			return bat_error_set(error, BAT_STATE_CLOSED,
			    "the store is being closed");
		code = visit_item(rows, reader, &item, visitor, error);
		if (code != BAT_OK)
			return code;
	}
	if (code != BAT_END)
		return code;
	if (!is_end(rows))
		return differ(error, reader->id, reader->at,
		    "a row has no frame");
	return visitor->end(visitor->context, error);
}

static int
open_sealed(struct bat_segment_reader *reader, struct bat_segment_dir *dir,
    uint64_t id, struct bat_error *error)
{
	int code = bat_segment_reader_open(reader, dir, id, error);

	if (code == BAT_DATA_TORN)
		return bat_error_set_at(error, BAT_DATA_CORRUPT, id, 0,
		    "segment %llu is shorter than its header; nothing was "
		    "compacted",
		    (unsigned long long)id);
	if (code != BAT_OK || !reader->has_foreign_footer)
		return code;
	bat_segment_reader_close(reader);
	return bat_error_set_at(error, BAT_DATA_FUTURE, id, 0,
	    "segment %llu was written by another version of the store; nothing "
	    "was compacted",
	    (unsigned long long)id);
}

static int
walk_one(struct rows *rows, struct bat_segment_dir *dir, uint64_t id,
    const struct compaction_visitor *visitor, struct bat_error *error)
{
	struct bat_segment_reader reader;
	int code = open_sealed(&reader, dir, id, error);

	if (code != BAT_OK)
		return code;
	code = visit_frames(rows, &reader, visitor, error);
	bat_segment_reader_close(&reader);
	return code;
}

/* The segments of dir, whose rows are those of the sources. */
static int
walk(struct rows *rows, struct bat_segment_dir *dir,
    const struct compaction_visitor *visitor, struct bat_error *error)
{
	struct bat_compaction *job = rows->job;
	int code = BAT_OK;

	if (rows->moved) {
		rows_of(rows, job->ids[0], job->ids[job->count - 1]);
		return walk_one(rows, dir, job->merged, visitor, error);
	}
	for (size_t i = 0; code == BAT_OK && i < job->count; i++) {
		rows_of(rows, job->ids[i], job->ids[i]);
		code = walk_one(rows, dir, job->ids[i], visitor, error);
	}
	return code;
}

static int
walk_all(struct bat_compaction *job, struct bat_segment_dir *dir, bool moved,
    const struct compaction_visitor *visitor, struct bat_error *error)
{
	struct rows *rows = malloc(sizeof(*rows));
	int code;

	if (rows == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory for a compaction");
	rows->job = job;
	rows->moved = moved;
	rows->move = 0;
	code = walk(rows, dir, visitor, error);
	free(rows);
	/* What was read late did not hold: zeros were compared. */
	if (job->index->broken)
		code = bat_error_set(error, BAT_DATA_DISAGREES,
		    "the sidecar was damaged");
	return code;
}

int
bat_compaction_walk(struct bat_compaction *job,
    const struct compaction_visitor *visitor, struct bat_error *error)
{
	return walk_all(job, job->dir, false, visitor, error);
}

int
bat_compaction_walk_merged(struct bat_compaction *job,
    struct bat_segment_dir *own, const struct compaction_visitor *visitor,
    struct bat_error *error)
{
	return walk_all(job, own, true, visitor, error);
}
