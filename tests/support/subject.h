/*
 * For tests: a golden store with the index file that is believed of it, whose
 * rows can be taken, changed and written again; and what must hold of an index
 * file that is not believed.
 */
#ifndef TEST_SUBJECT_H
#define TEST_SUBJECT_H

#include <check.h>
#include <stdlib.h>

#include "rowindex.h"
#include "rows.h"
#include "stores.h"

struct subject {
	struct temp_dir dir;
	const char *file; /* the index file that is believed */
	struct bat_buf bytes;
	struct rows rows;	  /* slices point into bytes */
	struct bat_buf unindexed; /* what the store shows without it */
};

static inline void
subject_decode(struct subject *subject)
{
	const struct bat_checkpoint_sink sink = rows_sink(&subject->rows);
	struct bat_slice file = bat_bytes_of_buf(&subject->bytes);
	int code = subject->file[6] == 'f' ?
	    bat_rowindex_decode(file, &sink, NULL) :
	    bat_checkpoint_decode(file, &sink, NULL);

	ck_assert_int_eq(code, 0);
}

/* dir is filled; only the believed index is kept. */
static inline void
subject_take(struct subject *subject)
{
	subject->file = temp_dir_has(&subject->dir, "index.fbati") ?
	    "index.fbati" :
	    "index.ckpt";
	temp_dir_read(&subject->dir, subject->file, &subject->bytes);
	rows_init(&subject->rows);
	subject_decode(subject);
	stores_without_index(&subject->dir);
	stores_picture(&subject->dir, PICTURE_WHOLE, &subject->unindexed);
}

static inline void
subject_golden(struct subject *subject, const char *shape)
{
	*subject = (struct subject){ .file = NULL };
	stores_golden(&subject->dir, shape);
	subject_take(subject);
}

static inline void
subject_free(struct subject *subject)
{
	temp_dir_remove(&subject->dir);
	rows_free(&subject->rows);
	bat_bytes_free(&subject->bytes);
	bat_bytes_free(&subject->unindexed);
}

/* The rows as they are now, under the name of the index. */
static inline void
subject_encode(struct subject *subject, struct bat_buf *out)
{
	const struct bat_checkpoint_source source = rows_source(&subject->rows);
	const struct bat_checkpoint_input input = rows_input(&subject->rows,
	    &source);

	bat_bytes_clear(out);
	ck_assert_int_eq(subject->file[6] == 'f' ?
		bat_rowindex_encode(&input, out, NULL) :
		bat_checkpoint_encode(&input, 6, out, NULL),
	    0);
}

static inline void
subject_write(struct subject *subject, struct bat_slice index)
{
	temp_dir_write(&subject->dir, subject->file, index);
}

static inline uint32_t
subject_events(const struct subject *subject)
{
	uint32_t count = 0;

	for (size_t i = 0; i < subject->unindexed.length; i++)
		count += subject->unindexed.data[i] == '\n';
	return count;
}

/* Shown is what there is without the index; dropped: and that is said. */
static inline void
assert_as_without(struct subject *subject, bool dropped, const char *what)
{
	struct bat_store *store = stores_open(&subject->dir, true);
	struct bat_buf got = BAT_BUF_EMPTY;
	struct bat_status status;

	picture_of(store, PICTURE_WHOLE, &got);
	stores_assert_same(&got, &subject->unindexed, what);
	bat_status(store, &status);
	if (dropped) {
		ck_assert_msg(stores_report_has(store, ": dropped: "),
		    "%s: not dropped", what);
		ck_assert_msg(status.source == BAT_SOURCE_FOOTERS ||
			status.source == BAT_SOURCE_FRAMES,
		    "%s: source %d", what, status.source);
	}
	stores_close(store);
	bat_bytes_free(&got);
}

/* The first append takes the file away; then there is a right one. */
static inline void
assert_replaced(struct subject *subject, const char *what)
{
	struct bat_store *store = stores_open(&subject->dir, false);
	struct bat_buf got = BAT_BUF_EMPTY;
	struct bat_status status;
	uint32_t count = subject_events(subject);

	ck_assert(temp_dir_has(&subject->dir, subject->file));
	stores_append(store, "player:new", "\xa1x");
	ck_assert_msg(!temp_dir_has(&subject->dir, subject->file),
	    "%s: left in place", what);
	stores_close(store);
	ck_assert(temp_dir_has(&subject->dir, subject->file));
	store = stores_open(&subject->dir, true);
	bat_status(store, &status);
	ck_assert_msg(status.source == BAT_SOURCE_ROWINDEX ||
		status.source == BAT_SOURCE_CHECKPOINT,
	    "%s: the new index is not believed", what);
	ck_assert_uint_eq(status.restored_count + status.tail_count -
		status.hidden_count,
	    count + 3);
	picture_of_some(store, PICTURE_WHOLE, 0, count, &got);
	stores_assert_same(&got, &subject->unindexed, what);
	stores_close(store);
	bat_bytes_free(&got);
}

#endif
