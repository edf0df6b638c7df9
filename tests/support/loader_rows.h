/*
 * For tests of the loaders: rows of ours, and what an index holds of them.
 */
#ifndef LOADER_ROWS_H
#define LOADER_ROWS_H

#include "index.h"
#include "kind.h"
#include "rows.h"

/* So many that two threads read them: half of them each. */
#define LOADER_ROWS_MANY 10000u
/* Segments below it are known. */
#define LOADER_ROWS_UNKNOWN_SEGMENT 1000

static inline struct bat_hash
loader_rows_hash(size_t number)
{
	uint8_t bytes[8];

	bat_bytes_put_le(bytes, number, sizeof(bytes));
	return bat_hash_of(bat_bytes_slice(bytes, sizeof(bytes)));
}

/* step: how far apart sequence numbers are. */
static inline void
loader_rows_make(struct rows *rows, uint64_t step)
{
	uint32_t entity, scope;

	rows_init(rows);
	rows->rows = calloc(LOADER_ROWS_MANY, sizeof(*rows->rows));
	rows->maps = calloc(LOADER_ROWS_MANY, sizeof(*rows->maps));
	ck_assert(rows->rows != NULL && rows->maps != NULL);
	ck_assert_int_eq(
	    bat_intern_put(&rows->names, bat_bytes_text("a:b"), &entity), 0);
	ck_assert_int_eq(
	    bat_intern_put(&rows->names, bat_bytes_text("s"), &scope), 0);
	for (size_t i = 0; i < LOADER_ROWS_MANY; i++)
		rows->rows[i] = (struct bat_row){
			.id = bat_id_from_number(i + 1),
			.corr = bat_id_from_number(i + 1),
			.entity = entity,
			.scope = scope,
			.clock = (uint32_t)i,
			.length = 100,
			.wall_ms = 1000 + i,
			.segment = 1 + i / 1250,
			.offset = 32 + i % 1250 * 100,
			.seq = step * i,
			.prev = loader_rows_hash(i),
			.hash = loader_rows_hash(i + 1),
			.kind = 0xf001,
		};
	rows->count = LOADER_ROWS_MANY;
	rows->head = (struct bat_checkpoint_head){
		.allocator = step * LOADER_ROWS_MANY,
		.watermark_segment = 8,
		.watermark_offset = 600000,
		.row_count = LOADER_ROWS_MANY,
	};
}

static inline bool
loader_rows_is_row(const struct bat_index *index, uint32_t ordinal,
    const struct rows *rows)
{
	const struct bat_row *row = &rows->rows[ordinal];
	const struct bat_index_hot *hot = bat_index_hot_at(index, ordinal);

	return bat_id_equal(&hot->id, &row->id) && hot->seq == row->seq &&
	    hot->wall_ms == row->wall_ms && hot->clock == row->clock &&
	    hot->length == row->length &&
	    hot->kind == bat_kind_mapped(row->kind) &&
	    bat_index_segment_of(index, ordinal) == row->segment &&
	    bat_index_offset_of(index, ordinal) == row->offset &&
	    hot->fingerprint ==
	    bat_index_fingerprint(&row->corr, &row->cause, &row->prev,
		&row->hash, row->lane, row->depth) &&
	    bat_bytes_equal(bat_intern_get(&index->names, hot->entity),
		bat_intern_get(&rows->names, row->entity)) &&
	    bat_bytes_equal(bat_intern_get(&index->names, hot->scope),
		bat_intern_get(&rows->names, row->scope)) &&
	    (hot->extensions == BAT_ROW_EXTENSIONS_SOME) ==
	    (row->extensions == BAT_ROW_EXTENSIONS_SOME);
}

/* One assertion for all rows: each takes its time. */
static inline void
loader_rows_assert_loaded(const struct bat_index *index,
    const struct rows *rows)
{
	uint32_t i = 0;

	ck_assert_uint_eq(index->count, rows->count);
	while (i < index->count && loader_rows_is_row(index, i, rows))
		i++;
	ck_assert_msg(i == index->count, "row %u is another one", i);
}

/* An empty index that knows the segments below UNKNOWN_SEGMENT. */
static inline void
loader_rows_index(struct bat_index *index)
{
	uint32_t position;

	bat_index_init(index);
	for (uint64_t id = 1; id < LOADER_ROWS_UNKNOWN_SEGMENT; id++)
		ck_assert_int_eq(bat_index_segment(index, id, &position), 0);
}

static inline void
loader_rows_exchange(struct bat_row *a, struct bat_row *b)
{
	struct bat_row kept = *a;

	*a = *b;
	*b = kept;
}

#endif
