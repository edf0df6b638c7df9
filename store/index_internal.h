/* The shape of a row in memory, shared by the parts of index. Not for others. */
#ifndef BAT_INDEX_INTERNAL_H
#define BAT_INDEX_INTERNAL_H

#include "index.h"

#define INDEX_CHUNK_ROWS 16384u

/* What lists, lookups and the tree need of a row. */
struct bat_index_hot {
	struct bat_id id;
	uint64_t seq;
	uint64_t wall_ms;
	uint64_t offset;
	uint32_t segment; /* position in index->segments */
	uint32_t length;
	uint32_t entity, scope;
	uint32_t clock;
	uint16_t kind;
	uint8_t hidden;
	/* enum bat_row_extensions; told later, while others read rows. */
	_Atomic uint8_t extensions;
};

/* The rest. */
struct bat_index_cold {
	struct bat_id corr, cause;
	struct bat_hash prev, hash;
	uint32_t lane, depth;
};

_Static_assert(sizeof(struct bat_index_hot) == 64, "hot rows are 64 bytes");
_Static_assert(sizeof(struct bat_index_cold) == 104, "cold rows: 104 bytes");

/* Key of the table of members. */
struct pair_key {
	uint32_t scope, entity;
};

static inline struct bat_index_hot *
hot_at(const struct bat_index *index, uint32_t ordinal)
{
	return &index->hot[ordinal / INDEX_CHUNK_ROWS][ordinal % INDEX_CHUNK_ROWS];
}

static inline struct bat_index_cold *
cold_at(const struct bat_index *index, uint32_t ordinal)
{
	return &index->cold[ordinal / INDEX_CHUNK_ROWS][ordinal % INDEX_CHUNK_ROWS];
}

#endif
