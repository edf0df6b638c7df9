/* An event: what the index has of it, and what its frame has. */
#include "codec.h"
#include "segment_reader.h"
#include "store_internal.h"

bool
bat_row(struct bat_store *store, uint32_t ordinal, struct bat_row *out)
{
	const struct bat_index *index;
	bool there;

	do {
		index = enter(store);
		there = ordinal < index->count &&
		    !bat_index_is_hidden(index, ordinal);
		if (there)
			bat_index_row(index, ordinal, out);
	} while (!leave(store));
	return there;
}

struct bat_slice
bat_name(struct bat_store *store, uint32_t number)
{
	struct bat_slice name;

	do {
		const struct bat_index *index = enter(store);

		name = number < index->names.count ?
		    bat_intern_get(&index->names, number) :
		    BAT_SLICE_EMPTY;
	} while (!leave(store));
	return name;
}

/* ---- reading --------------------------------------------------------- */

/* What the frame has and the index does not. */
static void
fill_row(struct bat_row *row, const struct bat_event *event)
{
	row->corr = event->corr;
	row->cause = event->cause;
	row->prev = event->prev;
	row->hash = event->hash;
	row->lane = event->lane;
	row->depth = event->depth;
}

/* A damaged frame: what an index file or a footer knows of the event. If none
 * does, the row names nothing. */
static int
damaged_row(struct bat_segment_dir *dir, struct bat_reading *reading, int code)
{
	struct bat_row *row = &reading->row;

	if (code == BAT_DATA_CORRUPT && row->entity != BAT_INTERN_NONE &&
	    bat_recovery_find_row(dir, row) != BAT_OK)
		row->entity = row->scope = BAT_INTERN_NONE;
	if (row->entity == BAT_INTERN_NONE)
		reading->entity = reading->scope = BAT_SLICE_EMPTY;
	return code;
}

/* As the index has it; the rest comes with the frame. */
static void
start_row(struct bat_reading *reading, const struct store_event *event)
{
	static const struct bat_row empty;
	const struct bat_index_hot *hot = &event->hot;
	struct bat_row *row = &reading->row;

	*row = empty;
	row->id = hot->id;
	row->entity = hot->entity;
	row->scope = hot->scope;
	row->clock = hot->clock;
	row->length = hot->length;
	row->wall_ms = hot->wall_ms;
	row->segment = event->segment;
	row->offset = store_event_offset(event);
	row->seq = hot->seq;
	row->kind = hot->kind;
	row->extensions = (enum bat_row_extensions)hot->extensions;
	reading->entity = event->entity;
	reading->scope = event->scope;
}

/* What is known of an event: noted before, or looked up into *room. */
static const struct store_event *
find_event(struct bat_store *store, uint32_t ordinal,
    struct bat_reading *reading, struct store_event *room,
    uint64_t *out_generation, bool *out_ahead)
{
	const struct store_event *event = bat_store_ahead_take(reading, ordinal,
	    out_generation);

	*out_ahead = event != NULL;
	if (event != NULL)
		return event;
	do {
		(void)enter(store);
		*out_generation = store->generation;
		bat_store_look_up(store, ordinal, room);
	} while (!leave(store));
	return room;
}

static int
read_frame(struct bat_segment_dir *dir, struct bat_reading *reading, bool ahead,
    struct bat_error *error)
{
	const struct bat_row *row = &reading->row;
	/* Where the last one had room, this one has mostly. */
	struct bat_buf *room = reading->payload.data == NULL ?
	    NULL :
	    &reading->payload;
	struct bat_slice bytes;
	int code = BAT_OK;

	bat_bytes_clear(&reading->payload);
	if (!ahead || !bat_store_ahead_frame(reading, &bytes)) {
		code = bat_segment_reader_fetch(dir, row->segment, row->offset,
		    row->length, &reading->frame, error);
		code = bat_segment_reader_around(dir, row->segment, row->offset,
		    code, error);
		bytes = bat_bytes_of_buf(&reading->frame);
	}
	if (code == BAT_OK)
		code = bat_segment_reader_decode(row->segment, row->offset,
		    bytes, room, &reading->fields, error);
	/* A damaged place without a row: whole it may be, legal it is not. */
	if (code == BAT_OK && row->entity == BAT_INTERN_NONE)
		code = bat_error_set_at(error, BAT_DATA_CORRUPT, row->segment,
		    row->offset,
		    "decode: segment %llu, offset %llu: illegal content",
		    (unsigned long long)row->segment,
		    (unsigned long long)row->offset);
	return code;
}

/* Was it looked up before its segment became another one? */
static bool
has_moved(struct bat_store *store, uint32_t ordinal, uint64_t generation,
    const struct store_event *event)
{
	struct store_event now;
	bool moved;

	do {
		(void)enter(store);
		bat_store_look_up(store, ordinal, &now);
		moved = store->generation == generation && now.there &&
		    now.segment != event->segment;
	} while (!leave(store));
	return moved;
}

/* ---- damage, or a row that lies ---------------------------------------- */

/* So many rows are asked before one that cannot be read. */
#define DOUBTED_MAX 64

enum row_verdict { ROW_HOLDS, ROW_LIES, ROW_CANNOT_TELL };

static enum row_verdict
judge_row(const struct store_event *event)
{
	enum row_verdict verdict = ROW_CANNOT_TELL;
	struct bat_segment_reader reader;
	struct bat_segment_item item;

	if (bat_segment_reader_open(&reader, event->dir, event->segment,
		NULL) != BAT_OK)
		return ROW_CANNOT_TELL;
	bat_segment_reader_seek(&reader, store_event_offset(event), 0);
	if (bat_segment_reader_next(&reader, &item, NULL) == BAT_OK &&
	    item.state == BAT_FRAME_WHOLE && item.decoded)
		verdict = item.length == event->hot.length &&
			bat_recovery_agrees(&item.event, &event->hot,
			    event->entity, event->scope) ?
		    ROW_HOLDS :
		    ROW_LIES;
	bat_segment_reader_close(&reader);
	return verdict;
}

/*
 * No frame can be read where a row says. Behind a row that holds, that is
 * damage: there the next frame begins. If the rows before it lead to one at
 * whose place another whole frame stands, they are not this segment's (its
 * frames were moved, or the index is an old one), and nothing is damaged.
 */
static bool
row_lies(struct bat_store *store, uint32_t ordinal, uint64_t generation,
    uint64_t segment)
{
	enum row_verdict verdict = ROW_CANNOT_TELL;

	for (unsigned i = 0; i < DOUBTED_MAX && verdict == ROW_CANNOT_TELL;
	     i++) {
		struct store_event event;
		bool same;

		do {
			(void)enter(store);
			same = store->generation == generation;
			bat_store_look_up(store, ordinal, &event);
		} while (!leave(store));
		if (!same || (event.there && event.segment != segment))
			return false;
		/* A damaged place of which no row tells was seen as such. */
		if (event.there && event.hot.entity != BAT_INTERN_NONE)
			verdict = judge_row(&event);
		if (ordinal-- == 0)
			break;
	}
	return verdict == ROW_LIES && !BAT_PLANT(372);
}

int
bat_read(struct bat_store *store, uint32_t ordinal, struct bat_reading *reading,
    struct bat_error *error)
{
	const struct store_event *event;
	struct store_event room;
	uint64_t generation;
	bool ahead;
	int code;

	do {
		event = find_event(store, ordinal, reading, &room, &generation,
		    &ahead);
		if (!event->there)
			return bat_error_set(error, BAT_STATE_NOT_FOUND,
			    "there is no such event");
		start_row(reading, event);
		code = read_frame(event->dir, reading, ahead, error);
	} while (code != BAT_OK && !BAT_PLANT(258) &&
	    has_moved(store, ordinal, generation, event));
	if (code != BAT_OK)
		code = bat_store_doubt(store, generation, code);
	if (code == BAT_DATA_CORRUPT && event->hot.entity != BAT_INTERN_NONE &&
	    row_lies(store, ordinal, generation, event->segment))
		code = bat_store_rebuild(store, generation, error);
	if (code == BAT_DATA_DISAGREES)
		bat_store_ahead_forget(reading);
	if (code != BAT_OK)
		return damaged_row(event->dir, reading, code);
	if (!BAT_PLANT(68) &&
	    !bat_recovery_agrees(&reading->fields, &event->hot, event->entity,
		event->scope)) {
		bat_store_ahead_forget(reading);
		return bat_store_rebuild(store, generation, error);
	}
	fill_row(&reading->row, &reading->fields);
	code = bat_codec_payload(&reading->fields, &reading->payload);
	/* It is the caller's, who may do with it what he likes. */
	reading->fields.payload = BAT_SLICE_EMPTY;
	return code == BAT_OK ?
	    BAT_OK :
	    bat_error_set_at(error, code, reading->row.segment,
		reading->row.offset, "decode: the payload slot is broken");
}

void
bat_reading_free(struct bat_reading *reading)
{
	bat_bytes_free(&reading->frame);
	bat_bytes_free(&reading->payload);
	bat_store_ahead_free(reading);
}

struct bat_extension_walk
bat_extensions(const struct bat_reading *reading)
{
	return (struct bat_extension_walk){
		.at = BAT_PACK_READER(reading->fields.extension_map),
		.left = reading->fields.extension_count,
	};
}

int
bat_extensions_next(struct bat_extension_walk *walk, struct bat_slice *out_key,
    struct bat_buf *value)
{
	struct bat_slice slot;
	int code = bat_codec_next_extension(&walk->at, &walk->left, out_key,
	    &slot);

	if (code != BAT_OK)
		return code;
	bat_bytes_clear(value);
	return bat_pack_unpack_bytes(slot, value);
}
