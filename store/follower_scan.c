/*
 * New frames into the index: recovery reads them into an index of their own,
 * and all its rows are added at once.
 */
#include "follower_internal.h"

#include <stdlib.h>

/* Rows that are added at once; a batch may be more. */
#define ROWS_AT_ONCE 65536u

/* ---- what was shown -------------------------------------------------- */

static int
read_start(struct bat_follower *follower, uint64_t offset, uint8_t bytes[8],
    size_t *out_got, struct bat_error *error)
{
	uint64_t id = follower->place.segment;
	int fd;
	int code = bat_segment_dir_hold(follower->dir, id, &fd, error);

	if (code != BAT_OK)
		return code;
	code = bat_file_read(follower->dir->disk, fd, bytes, 8, offset, out_got,
	    error);
	bat_segment_dir_release(follower->dir, id);
	return code;
}

int
bat_follower_note_last(struct bat_follower *follower, struct bat_error *error)
{
	const struct bat_index *index = follower->index;
	size_t got;
	int code;

	follower->has_last = false;
	if (index->count == 0 ||
	    bat_index_segment_of(index, index->count - 1) !=
		follower->place.segment)
		return BAT_OK;
	follower->last_offset = bat_index_offset_of(index, index->count - 1);
	code = read_start(follower, follower->last_offset, follower->last_bytes,
	    &got, error);
	follower->has_last = code == BAT_OK && got == 8;
	return code;
}

int
bat_follower_check_shown(struct bat_follower *follower,
    const struct bat_follower_stamp *now, struct bat_error *error)
{
	uint8_t bytes[8];
	size_t got;
	int code;

	if (now->size < follower->place.offset)
		return bat_error_set_at(error, BAT_DATA_DISAGREES,
		    follower->place.segment, now->size,
		    "what was shown of segment %llu was cut off",
		    (unsigned long long)follower->place.segment);
	if (!follower->has_last)
		return BAT_OK;
	code = read_start(follower, follower->last_offset, bytes, &got, error);
	if (code != BAT_OK)
		return code;
	if ((got == 8 && memcmp(bytes, follower->last_bytes, 8) == 0) ||
	    BAT_PLANT(192))
		return BAT_OK;
	return bat_error_set_at(error, BAT_DATA_DISAGREES,
	    follower->place.segment, follower->last_offset,
	    "what was shown of segment %llu was written over",
	    (unsigned long long)follower->place.segment);
}

/* ---- adding ---------------------------------------------------------- */

/* The first row of the place's segment; the count if it has none. */
static uint32_t
first_of_segment(const struct bat_follower *follower)
{
	const struct bat_index *index = follower->index;
	uint32_t first, end;

	bat_index_segment_rows(index, follower->place.segment, index->count,
	    &first, &end);
	return first;
}

/* How many of the rows that were read anew are there already; a footer may
 * know better. */
static int
count_shown(const struct bat_follower *follower, const struct bat_index *fresh,
    uint32_t first, uint32_t *out_count, struct bat_error *error)
{
	const struct bat_index *index = follower->index;
	uint32_t count = index->count - first;
	bool same = count <= fresh->count;

	for (uint32_t i = 0; same && i < count; i++)
		same = bat_index_seq(index, first + i) ==
			bat_index_seq(fresh, i) &&
		    bat_index_offset_of(index, first + i) ==
			bat_index_offset_of(fresh, i);
	*out_count = count;
	return same ?
	    BAT_OK :
	    bat_error_set(error, BAT_DATA_DISAGREES,
		"the footer of segment %llu knows its events otherwise",
		(unsigned long long)follower->place.segment);
}

/* The index's number of a name of the other index; with the lock. */
static int
name_of(struct bat_index *index, const struct bat_index *fresh, uint32_t number,
    uint32_t *out)
{
	*out = BAT_INTERN_NONE;
	if (number == BAT_INTERN_NONE)
		return BAT_OK;
	return bat_intern_put(&index->names,
	    bat_intern_get(&fresh->names, number), out);
}

/* With the lock: rows [from, fresh->count), all or none. */
static int
add_rows(struct bat_index *index, const struct bat_index *fresh, uint32_t from,
    struct bat_row *rows)
{
	uint32_t count = fresh->count - from;
	int code = BAT_OK;

	for (uint32_t i = 0; code == BAT_OK && i < count; i++) {
		bat_index_row(fresh, from + i, &rows[i]);
		code = name_of(index, fresh, rows[i].entity, &rows[i].entity);
		if (code == BAT_OK)
			code = name_of(index, fresh, rows[i].scope,
			    &rows[i].scope);
	}
	if (code != BAT_OK)
		return code;
	code = bat_index_prepare(index, rows, count);
	if (code != BAT_OK) {
		bat_index_cancel(index, rows, count);
		return code;
	}
	for (uint32_t i = 0; i < count; i++) {
		bat_index_insert(index, &rows[i]);
		/* Of what only the frame has, and the row came without. */
		bat_index_hot_at(index, index->count - 1)->fingerprint =
		    bat_index_hot_at(fresh, from + i)->fingerprint;
	}
	return BAT_OK;
}

/* Torn tails of segments that are over: a copy of them leaves these out. */
static int
keep_cuts(struct bat_recovery *recovery, const struct bat_recovery *news)
{
	size_t count = recovery->cut_count + news->cut_count;
	struct bat_recovery_cut *cuts;

	if (news->cut_count == 0)
		return BAT_OK;
	cuts = realloc(recovery->cuts, count * sizeof(*cuts));
	if (cuts == NULL)
		return BAT_WORLD_NO_MEMORY;
	memcpy(cuts + recovery->cut_count, news->cuts,
	    news->cut_count * sizeof(*cuts));
	recovery->cuts = cuts;
	recovery->cut_count = count;
	return BAT_OK;
}

static int
add(struct bat_follower *follower, const struct bat_index *fresh, uint32_t from,
    const struct bat_recovery *news, struct bat_error *error)
{
	struct bat_recovery *recovery = follower->recovery;
	uint32_t count = fresh->count - from;
	struct bat_row *rows = malloc(((size_t)count + 1) * sizeof(*rows));
	int code = BAT_WORLD_NO_MEMORY;

	if (rows != NULL) {
		pthread_rwlock_wrlock(follower->index_lock);
		code = keep_cuts(recovery, news);
		if (code == BAT_OK)
			code = add_rows(follower->index, fresh, from, rows);
		if (code == BAT_OK) {
			recovery->tail_count += count;
			recovery->damaged_count += news->damaged_count;
			/* A report is for people: as much as there is room. */
			(void)bat_bytes_append_slice(&recovery->report,
			    bat_bytes_of_buf(&news->report));
		}
		pthread_rwlock_unlock(follower->index_lock);
		free(rows);
	}
	if (code == BAT_OK || code == BAT_DATA_DISAGREES)
		return code;
	return bat_error_set(error, code, "no memory for %u new events", count);
}

/* ---- reading --------------------------------------------------------- */

static int
scan_once(struct bat_follower *follower, struct bat_recovery_tail *tail,
    bool *out_grew, struct bat_error *error)
{
	struct bat_recovery news;
	struct bat_index fresh;
	uint32_t first = first_of_segment(follower), shown = 0;
	uint64_t before = follower->recovery->next_seq;
	int code;

	*tail = (struct bat_recovery_tail){
		.from = follower->place,
		.segment_seq = first == 0 ?
		    0 :
		    bat_index_seq(follower->index, first - 1) + 1,
		.next_seq = before > follower->index->next_seq ?
		    before :
		    follower->index->next_seq,
		.row_limit = ROWS_AT_ONCE,
		.doubted = follower->recovery->doubted && !BAT_PLANT(374),
	};
	bat_index_init(&fresh);
	code = bat_recovery_read_on(follower->dir, tail, &fresh, &news, error);
	if (code == BAT_OK && tail->whole)
		code = count_shown(follower, &fresh, first, &shown, error);
	if (code == BAT_OK)
		code = add(follower, &fresh, shown, &news, error);
	if (code == BAT_OK) {
		*out_grew = *out_grew || fresh.count > shown;
		follower->place = news.end;
	}
	bat_recovery_free(&news);
	bat_index_free(&fresh);
	return code;
}

int
bat_follower_scan(struct bat_follower *follower, bool *out_grew,
    struct bat_error *error)
{
	struct bat_recovery_tail tail;
	int code, second;

	do
		code = scan_once(follower, &tail, out_grew, error);
	while (code == BAT_OK && tail.more);
	second = bat_follower_note_last(follower, error);
	return code == BAT_OK ? second : code;
}
