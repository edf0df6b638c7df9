/*
 * For tests of the index files: a sink that keeps what a decoder says, and a
 * source that says it to an encoder. Slices point into the decoded file.
 */
#ifndef ROWS_H
#define ROWS_H

#include <check.h>
#include <stdlib.h>

#include "checkpoint.h"

struct rows {
	struct bat_checkpoint_head head;
	struct bat_intern names; /* numbers are the file's less one */
	struct bat_row *rows;
	struct bat_slice *maps;
	size_t count;
	size_t next;	   /* of the source */
	size_t stop_after; /* the sink's answer to this row is stop_code */
	int stop_code;
};

static inline int
rows_take_head(void *context, const struct bat_checkpoint_head *head)
{
	struct rows *rows = context;

	rows->head = *head;
	rows->rows = calloc(head->row_count + 1, sizeof(*rows->rows));
	rows->maps = calloc(head->row_count + 1, sizeof(*rows->maps));
	ck_assert_ptr_nonnull(rows->rows);
	ck_assert_ptr_nonnull(rows->maps);
	for (uint32_t i = 1; i < head->string_count; i++) {
		uint32_t number;

		ck_assert_int_eq(
		    bat_intern_put(&rows->names, head->strings[i], &number), 0);
	}
	return 0;
}

static inline int
rows_take(void *context, const struct bat_row *row, struct bat_slice map)
{
	struct rows *rows = context;

	if (rows->count >= rows->head.row_count)
		ck_abort_msg("more rows than the head says");
	rows->rows[rows->count] = *row;
	rows->rows[rows->count].entity--;
	rows->rows[rows->count].scope--;
	rows->maps[rows->count] = map;
	if (rows->stop_code != 0 && rows->count == rows->stop_after)
		return rows->stop_code;
	rows->count++;
	return 0;
}

static inline void
rows_init(struct rows *rows)
{
	*rows = (struct rows){ 0 };
	bat_intern_init(&rows->names);
}

static inline void
rows_free(struct rows *rows)
{
	bat_intern_free(&rows->names);
	free(rows->rows);
	free(rows->maps);
	rows_init(rows);
}

static inline struct bat_checkpoint_sink
rows_sink(struct rows *rows)
{
	return (struct bat_checkpoint_sink){ rows, rows_take_head, rows_take };
}

static inline int
rows_rewind(void *context)
{
	struct rows *rows = context;

	rows->next = 0;
	return 0;
}

static inline int
rows_give(void *context, struct bat_row *out, struct bat_slice *out_map)
{
	struct rows *rows = context;

	if (rows->next == rows->count)
		return BAT_END;
	*out = rows->rows[rows->next];
	*out_map = rows->maps[rows->next++];
	return 0;
}

static inline struct bat_checkpoint_source
rows_source(struct rows *rows)
{
	return (
	    struct bat_checkpoint_source){ rows, rows_rewind, rows_give, NULL };
}

/* What the decoder said, as input for the encoder. */
static inline struct bat_checkpoint_input
rows_input(struct rows *rows, const struct bat_checkpoint_source *source)
{
	return (struct bat_checkpoint_input){
		.allocator = rows->head.allocator,
		.watermark_segment = rows->head.watermark_segment,
		.watermark_offset = rows->head.watermark_offset,
		.row_count = rows->count,
		.names = &rows->names,
		.fallbacks = rows->head.fallbacks,
		.source = source,
	};
}

/* Equal in everything that version 2 has; strings by their text. */
static inline void
rows_assert_same(const struct rows *a, const struct rows *b)
{
	ck_assert_uint_eq(a->head.allocator, b->head.allocator);
	ck_assert_uint_eq(a->head.watermark_segment, b->head.watermark_segment);
	ck_assert_uint_eq(a->head.watermark_offset, b->head.watermark_offset);
	ck_assert_uint_eq(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct bat_row *x = &a->rows[i], *y = &b->rows[i];

		ck_assert(bat_id_equal(&x->id, &y->id));
		ck_assert(bat_id_equal(&x->corr, &y->corr));
		ck_assert(bat_id_equal(&x->cause, &y->cause));
		ck_assert(bat_bytes_equal(bat_intern_get(&a->names, x->entity),
		    bat_intern_get(&b->names, y->entity)));
		ck_assert(bat_bytes_equal(bat_intern_get(&a->names, x->scope),
		    bat_intern_get(&b->names, y->scope)));
		ck_assert_uint_eq(x->kind, y->kind);
		ck_assert_uint_eq(x->wall_ms, y->wall_ms);
		ck_assert_uint_eq(x->clock, y->clock);
		ck_assert(bat_hash_equal(&x->prev, &y->prev));
		ck_assert(bat_hash_equal(&x->hash, &y->hash));
		ck_assert_uint_eq(x->segment, y->segment);
		ck_assert_uint_eq(x->offset, y->offset);
		ck_assert_uint_eq(x->length, y->length);
		ck_assert_uint_eq(x->seq, y->seq);
	}
}

#endif
