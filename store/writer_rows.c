/*
 * The stage: what is encoded and not yet written, and finding it. Most batches
 * neither name a key nor a cause and go to one entity: so the newest row is
 * looked at first, and the tables are filled up to the newest row only when
 * somebody asks them (950 instructions an event to fill them at once).
 */
#include "writer_internal.h"

#include <stdlib.h>

static bool
id_same(const void *context, uint32_t position, struct bat_slice key)
{
	const struct bat_writer_stage *stage = context;

	return memcmp(&stage->rows[position].id, key.data,
		   sizeof(struct bat_id)) == 0;
}

static uint64_t
id_hash(const void *context, uint32_t position)
{
	const struct bat_writer_stage *stage = context;

	return bat_map_hash(
	    bat_bytes_slice(&stage->rows[position].id, sizeof(struct bat_id)));
}

static bool
entity_same(const void *context, uint32_t position, struct bat_slice key)
{
	const struct bat_writer_stage *stage = context;

	return memcmp(&stage->rows[position].entity, key.data,
		   sizeof(uint32_t)) == 0;
}

static uint64_t
entity_hash(const void *context, uint32_t position)
{
	const struct bat_writer_stage *stage = context;

	return bat_map_hash(
	    bat_bytes_slice(&stage->rows[position].entity, sizeof(uint32_t)));
}

void
bat_writer_stage_init(struct bat_writer_stage *stage)
{
	memset(stage, 0, sizeof(*stage));
	bat_map_init(&stage->by_id, stage, id_same, id_hash);
	bat_map_init(&stage->by_entity, stage, entity_same, entity_hash);
}

void
bat_writer_stage_clear(struct bat_writer_stage *stage)
{
	bat_bytes_clear(&stage->frames);
	stage->row_count = stage->ids_known = stage->entities_known = 0;
	stage->first = stage->last = NULL;
	bat_map_free(&stage->by_id);
	bat_map_free(&stage->by_entity);
	bat_map_init(&stage->by_id, stage, id_same, id_hash);
	bat_map_init(&stage->by_entity, stage, entity_same, entity_hash);
}

void
bat_writer_stage_free(struct bat_writer_stage *stage)
{
	bat_writer_stage_clear(stage);
	bat_map_free(&stage->by_id);
	bat_map_free(&stage->by_entity);
	bat_bytes_free(&stage->frames);
	free(stage->rows);
	stage->rows = NULL;
}

static struct bat_slice
key_of_id(const struct bat_id *id)
{
	return bat_bytes_slice(id, sizeof(*id));
}

static struct bat_slice
key_of_entity(const uint32_t *entity)
{
	return bat_bytes_slice(entity, sizeof(*entity));
}

int
bat_writer_stage_row(struct bat_writer_stage *stage, const struct bat_row *row)
{
	if (stage->row_count == stage->row_capacity) {
		size_t wanted = stage->row_capacity == 0 ?
		    64 :
		    stage->row_capacity * 2;
		struct bat_row *larger = realloc(stage->rows,
		    wanted * sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		stage->rows = larger;
		stage->row_capacity = wanted;
	}
	stage->rows[stage->row_count++] = *row;
	return BAT_OK;
}

int
bat_writer_staged_id(struct bat_writer_stage *stage, const struct bat_id *id,
    uint32_t *out_row)
{
	int code = bat_map_reserve(&stage->by_id, stage->row_count);

	for (; code == BAT_OK && stage->ids_known < stage->row_count;
	     stage->ids_known++)
		code = bat_map_put(&stage->by_id,
		    key_of_id(&stage->rows[stage->ids_known].id),
		    (uint32_t)stage->ids_known);
	*out_row = bat_map_find(&stage->by_id, key_of_id(id));
	return code;
}

int
bat_writer_staged_entity(struct bat_writer_stage *stage, uint32_t entity,
    uint32_t *out_row)
{
	int code = BAT_OK;

	*out_row = (uint32_t)stage->row_count - 1;
	if (stage->row_count > 0 && stage->rows[*out_row].entity == entity)
		return BAT_OK;
	for (; code == BAT_OK && stage->entities_known < stage->row_count;
	     stage->entities_known++)
		code = bat_map_put(&stage->by_entity,
		    key_of_entity(&stage->rows[stage->entities_known].entity),
		    (uint32_t)stage->entities_known);
	*out_row = bat_map_find(&stage->by_entity, key_of_entity(&entity));
	return code;
}
