/*
 * What a draft refers to: names, heads, keys, causes. Looks at what is staged
 * first, then at what is published (the index, which only the leader changes).
 */
#include "writer_internal.h"

#include <stdlib.h>

#include "segment_reader.h"

static struct bat_slice
key_of_entity(const uint32_t *entity)
{
	return bat_bytes_slice(entity, sizeof(*entity));
}

/* The number of a name, made if new (readers look at the table: locked). */
int
bat_writer_name_number(struct bat_writer *writer, struct bat_slice name,
    uint32_t *out)
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

/* What the index keeps of an event, and the rest from its frame. */
int
bat_writer_read_row(struct bat_writer *writer, uint32_t ordinal,
    struct bat_row *out, struct bat_error *error)
{
	struct bat_index *index = writer->index;
	struct bat_event event;
	int code;

	bat_index_row(index, ordinal, out);
	if (out->entity == BAT_INTERN_NONE)
		return bat_error_set_at(error, BAT_DATA_CORRUPT, out->segment,
		    out->offset, "the event is damaged");
	code = bat_segment_reader_read(writer->dir, out->segment, out->offset,
	    out->length, &writer->frame, &event, error);
	if (code != BAT_OK)
		return code;
	if (!bat_recovery_agrees(&event, bat_index_hot_at(index, ordinal),
		bat_intern_get(&index->names, out->entity),
		bat_intern_get(&index->names, out->scope))) {
		writer->disagreed = true;
		return bat_error_set_at(error, BAT_DATA_DISAGREES, out->segment,
		    out->offset,
		    "the index lied of an event and is made anew; try again");
	}
	out->corr = event.corr;
	out->cause = event.cause;
	out->prev = event.prev;
	out->hash = event.hash;
	out->lane = event.lane;
	out->depth = event.depth;
	return BAT_OK;
}

static struct bat_chain_head
head_of_row(const struct bat_row *row)
{
	return (struct bat_chain_head){
		.exists = true,
		.clock = row->clock,
		.wall_ms = row->wall_ms,
		.hash = row->hash,
		.id = row->id,
		.corr = row->corr,
	};
}

/* Staged, appended earlier in this session, or read from its frame. */
int
bat_writer_head(struct bat_writer *writer, uint32_t entity,
    struct bat_chain_head *out, struct bat_error *error)
{
	const struct bat_index_list *events = bat_index_entity_list(
	    writer->index, entity);
	struct bat_row row;
	uint32_t found;
	int code = bat_writer_staged_entity(&writer->stage, entity, &found);

	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory to find a head");
	if (found != BAT_MAP_NONE && !BAT_PLANT(63)) {
		*out = head_of_row(&writer->stage.rows[found]);
		return BAT_OK;
	}
	if (BAT_PLANT(62) && writer->index->hidden.count > 0)
		events = bat_index_entity_list(writer->index, UINT32_MAX);
	found = bat_map_find(&writer->heads.by_entity, key_of_entity(&entity));
	if (found != BAT_MAP_NONE) {
		*out = writer->heads.heads[found].head;
		return BAT_OK;
	}
	*out = (struct bat_chain_head){ .exists = false };
	if (events->count == 0 || BAT_PLANT(61))
		return BAT_OK;
	code = bat_writer_read_row(writer, events->ordinals[events->count - 1],
	    &row, error);
	if (code == BAT_OK)
		*out = head_of_row(&row);
	return code;
}

int
bat_writer_row_by_id(struct bat_writer *writer, const struct bat_id *id,
    struct bat_row *out, struct bat_error *error)
{
	uint32_t found;
	int code = bat_writer_staged_id(&writer->stage, id, &found);

	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory to find an id");
	if (found != BAT_MAP_NONE) {
		*out = writer->stage.rows[found];
		return BAT_OK;
	}
	found = bat_index_find_id(writer->index, id, &code);
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory to find an id");
	return found == BAT_INDEX_NOTHING ?
	    BAT_END :
	    bat_writer_read_row(writer, found, out, error);
}

static int
row_by_seq(struct bat_writer *writer, uint64_t seq, struct bat_row *out,
    struct bat_error *error)
{
	const struct bat_writer_stage *stage = &writer->stage;
	uint32_t ordinal;

	if (stage->row_count > 0 && seq >= stage->rows[0].seq) {
		if (seq - stage->rows[0].seq >= stage->row_count)
			return BAT_END;
		*out = stage->rows[seq - stage->rows[0].seq];
		return BAT_OK;
	}
	ordinal = bat_index_lower_seq(writer->index, seq);
	if (ordinal >= writer->index->count ||
	    bat_index_seq(writer->index, ordinal) != seq ||
	    (bat_index_is_hidden(writer->index, ordinal) && !BAT_PLANT(64)))
		return BAT_END;
	return bat_writer_read_row(writer, ordinal, out, error);
}

/* An earlier item of the batch: it is staged, and its receipt says where; or it
 * was there before, under its key. (660 instructions less than by its id.) */
static int
row_of_item(struct bat_writer *writer, const struct bat_receipt *receipt,
    struct bat_row *out, struct bat_error *error)
{
	const struct bat_writer_stage *stage = &writer->stage;

	if (stage->row_count > 0 && receipt->seq >= stage->rows[0].seq) {
		uint64_t place = receipt->seq - stage->rows[0].seq;

		if (place < stage->row_count &&
		    bat_id_equal(&stage->rows[place].id, &receipt->id)) {
			*out = stage->rows[place];
			return BAT_OK;
		}
	}
	return bat_writer_row_by_id(writer, &receipt->id, out, error);
}

/* Cause and, handed down from it unless given, correlation. */
int
bat_writer_resolve_cause(struct bat_writer *writer,
    const struct bat_batch *batch, const struct bat_draft *draft,
    const struct bat_chain_head *head, struct bat_event *event,
    struct bat_error *error)
{
	struct bat_row cause = { .seq = 0 };
	int code = BAT_END;

	event->cause = BAT_ID_ZERO;
	switch (draft->cause) {
	case BAT_CAUSE_NONE:
		event->corr = draft->corr;
		return BAT_OK;
	case BAT_CAUSE_ID:
		code = bat_writer_row_by_id(writer, &draft->cause_id, &cause,
		    error);
		break;
	case BAT_CAUSE_SEQ:
		code = row_by_seq(writer, draft->cause_number, &cause, error);
		break;
	case BAT_CAUSE_LAST:
		code = head->exists ? BAT_OK : BAT_END;
		cause.id = head->id;
		cause.corr = head->corr;
		break;
	case BAT_CAUSE_ITEM:
		if (draft->cause_number < batch->committed)
			code = row_of_item(writer,
			    &batch->receipts[draft->cause_number], &cause,
			    error);
		break;
	}
	code = BAT_PLANT(65) && code == BAT_END ? BAT_OK : code;
	if (code == BAT_END)
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "the cause is no event of this store; name one that "
		    "exists, or use @cause=-");
	if (code != BAT_OK)
		return code;
	event->cause = cause.id;
	event->corr = bat_id_is_zero(&draft->corr) ? cause.corr : draft->corr;
	return BAT_OK;
}

int
bat_writer_check_expectation(const struct bat_draft *draft,
    const struct bat_chain_head *head, struct bat_error *error)
{
	switch (BAT_PLANT(66) ? BAT_EXPECT_ANY : draft->expect) {
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
	return bat_error_set(error, BAT_STATE_STALE, "the entity's clock is %u",
	    head->clock);
}

int
bat_writer_fresh_id(struct bat_writer *writer, int64_t now_us,
    struct bat_id *out, struct bat_error *error)
{
	const struct bat_disk *disk = writer->dir->disk;

	if (writer->random_left == 0) {
		int code = disk->random(disk->context, writer->random,
		    sizeof(writer->random));

		if (code < 0)
			return bat_error_set_os(error, -code,
			    "no random bytes");
		writer->random_left = BAT_WRITER_RANDOM_IDS;
	}
	writer->random_left--;
	*out = bat_id_make_v7((uint64_t)now_us / 1000,
	    writer->random[writer->random_left]);
	return BAT_OK;
}

/* ---- heads of this session ------------------------------------------- */

static bool
head_same(const void *context, uint32_t position, struct bat_slice key)
{
	const struct bat_writer_heads *heads = context;

	return memcmp(&heads->heads[position].entity, key.data,
		   sizeof(uint32_t)) == 0;
}

static uint64_t
head_hash(const void *context, uint32_t position)
{
	const struct bat_writer_heads *heads = context;

	return bat_map_hash(key_of_entity(&heads->heads[position].entity));
}

void
bat_writer_heads_clear(struct bat_writer_heads *heads)
{
	bat_map_free(&heads->by_entity);
	free(heads->heads);
	memset(heads, 0, sizeof(*heads));
	bat_map_init(&heads->by_entity, heads, head_same, head_hash);
}

int
bat_writer_heads_prepare(struct bat_writer_heads *heads, size_t more)
{
	size_t need = heads->count + more;
	size_t wanted = heads->capacity * 2 > need ? heads->capacity * 2 : need;
	void *larger;

	if (need > heads->capacity) {
		larger = realloc(heads->heads, wanted * sizeof(*heads->heads));
		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		heads->heads = larger;
		heads->capacity = wanted;
	}
	return bat_map_reserve(&heads->by_entity, need);
}

void
bat_writer_heads_note(struct bat_writer_heads *heads, const struct bat_row *row)
{
	uint32_t found = bat_map_find(&heads->by_entity,
	    key_of_entity(&row->entity));

	if (found == BAT_MAP_NONE) {
		found = (uint32_t)heads->count++;
		heads->heads[found].entity = row->entity;
		/* The room was made. */
		(void)bat_map_put(&heads->by_entity,
		    key_of_entity(&row->entity), found);
	}
	heads->heads[found].head = head_of_row(row);
}
