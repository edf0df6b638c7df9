/*
 * What a draft refers to: names, heads, keys, causes. Looks at what is staged
 * first, then at what is published (the index, which only the leader changes).
 */
#include "writer_internal.h"

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

/* The number of a name, made if new (readers look at the table: locked). */
int
bat_writer_name_number(struct bat_writer *writer, struct bat_slice name, uint32_t *out)
{
	struct bat_intern *names = &writer->index->names;
	int code = BAT_OK;

	*out = bat_intern_find(names, name);
	if (*out != BAT_INTERN_NONE)
		return BAT_OK;
	pthread_rwlock_wrlock(writer->index_lock);
	code = bat_intern_put(names, name, out);
	pthread_rwlock_unlock(writer->index_lock);
	return code;
}

/* The newest visible event of an entity, staged ones included. */
struct bat_chain_head
bat_writer_head(const struct bat_writer *writer, uint32_t entity)
{
	uint32_t staged = bat_map_find(&writer->stage.by_entity,
	    key_of_entity(&entity));
	const struct bat_row *row;

	if (staged == BAT_MAP_NONE)
		return bat_index_head(writer->index, entity);
	row = &writer->stage.rows[staged];
	return (struct bat_chain_head){
		.exists = true,
		.clock = row->clock,
		.wall_ms = row->wall_ms,
		.hash = row->hash,
		.id = row->id,
		.corr = row->corr,
	};
}

/* The row of a visible or staged event by its id. */
bool
bat_writer_row_by_id(const struct bat_writer *writer, const struct bat_id *id,
    struct bat_row *out)
{
	uint32_t found = bat_map_find(&writer->stage.by_id, key_of_id(id));

	if (found != BAT_MAP_NONE) {
		*out = writer->stage.rows[found];
		return true;
	}
	found = bat_index_find_id(writer->index, id);
	if (found == BAT_INDEX_NONE)
		return false;
	bat_index_row(writer->index, found, out);
	return true;
}

static bool
row_by_seq(const struct bat_writer *writer, uint64_t seq, struct bat_row *out)
{
	const struct bat_writer_stage *stage = &writer->stage;
	uint32_t ordinal;

	if (stage->row_count > 0 && seq >= stage->rows[0].seq) {
		if (seq - stage->rows[0].seq >= stage->row_count)
			return false;
		*out = stage->rows[seq - stage->rows[0].seq];
		return true;
	}
	ordinal = bat_index_lower_seq(writer->index, seq);
	if (ordinal >= writer->index->count ||
	    bat_index_seq(writer->index, ordinal) != seq ||
	    bat_index_is_hidden(writer->index, ordinal))
		return false;
	bat_index_row(writer->index, ordinal, out);
	return out->entity != BAT_INTERN_NONE;
}

/* Cause and, handed down from it unless given, correlation. */
int
bat_writer_resolve_cause(const struct bat_writer *writer, const struct bat_batch *batch,
    const struct bat_draft *draft, const struct bat_chain_head *head,
    struct bat_event *event, struct bat_error *error)
{
	struct bat_row cause;
	bool found = false;

	event->cause = BAT_ID_ZERO;
	switch (draft->cause) {
	case BAT_CAUSE_NONE:
		event->corr = draft->corr;
		return BAT_OK;
	case BAT_CAUSE_ID:
		found = bat_writer_row_by_id(writer, &draft->cause_id, &cause);
		break;
	case BAT_CAUSE_SEQ:
		found = row_by_seq(writer, draft->cause_number, &cause);
		break;
	case BAT_CAUSE_LAST:
		found = head->exists;
		cause.id = head->id;
		cause.corr = head->corr;
		break;
	case BAT_CAUSE_ITEM:
		found = draft->cause_number < batch->committed &&
		    bat_writer_row_by_id(writer,
			&batch->receipts[draft->cause_number].id, &cause);
		break;
	}
	if (!found)
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "the cause is no event of this store; name one that "
		    "exists, or use @cause=-");
	event->cause = cause.id;
	event->corr = bat_id_is_zero(&draft->corr) ? cause.corr : draft->corr;
	return BAT_OK;
}

int
bat_writer_check_expectation(const struct bat_draft *draft,
    const struct bat_chain_head *head, struct bat_error *error)
{
	switch (draft->expect) {
	case BAT_EXPECT_ANY:
		return BAT_OK;
	case BAT_EXPECT_CLOCK:
		if (head->exists && head->clock == draft->expect_clock)
			return BAT_OK;
		break;
	case BAT_EXPECT_NONE:
		if (!head->exists)
			return BAT_OK;
		break;
	case BAT_EXPECT_SOME:
		if (head->exists)
			return BAT_OK;
		break;
	}
	if (!head->exists)
		return bat_error_set(error, BAT_STATE_STALE,
		    "the entity has no event yet");
	return bat_error_set(error, BAT_STATE_STALE,
	    "the entity's clock is %u", head->clock);
}

int
bat_writer_fresh_id(const struct bat_writer *writer, struct bat_id *out,
    struct bat_error *error)
{
	const struct bat_disk *disk = writer->dir->disk;
	int64_t now_us = bat_clock_wall_us(writer->options->clock);
	uint8_t random[10];
	int code = disk->random(disk->context, random, sizeof(random));

	if (code < 0)
		return bat_error_set_os(error, -code, "no random bytes");
	*out = bat_id_make_v7((uint64_t)now_us / 1000, random);
	return BAT_OK;
}
