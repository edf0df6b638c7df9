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
	const struct bat_index *index = enter(store);
	struct bat_slice name = BAT_SLICE_EMPTY;

	if (number < index->names.count)
		name = bat_intern_get(&index->names, number);
	(void)leave(store);
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
damaged_row(struct bat_store *store, struct bat_reading *reading, int code)
{
	struct bat_row *row = &reading->row;

	if (code == BAT_DATA_CORRUPT && row->entity != BAT_INTERN_NONE &&
	    bat_recovery_find_row(&store->dir, row) != BAT_OK)
		row->entity = row->scope = BAT_INTERN_NONE;
	return code;
}

/* The row of an event, as the index has it. */
static bool
find_row(struct bat_store *store, uint32_t ordinal, struct bat_row *row,
    struct bat_index_hot *hot, uint64_t *out_generation)
{
	const struct bat_index *index;
	bool there;

	do {
		index = enter(store);
		*out_generation = store->generation;
		there = ordinal < index->count &&
		    !bat_index_is_hidden(index, ordinal);
		if (there) {
			bat_index_row(index, ordinal, row);
			*hot = *bat_index_hot_at(index, ordinal);
		}
	} while (!leave(store));
	return there;
}

int
bat_read(struct bat_store *store, uint32_t ordinal, struct bat_reading *reading,
    struct bat_error *error)
{
	struct bat_index_hot hot;
	uint64_t generation;
	struct bat_row *row = &reading->row;
	int code;

	if (!find_row(store, ordinal, row, &hot, &generation))
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "there is no such event");
	code = bat_segment_reader_read(&store->dir, row->segment, row->offset,
	    row->length, &reading->frame, &reading->fields, error);
	/* A damaged place without a row: whole it may be, legal it is not. */
	if (code == BAT_OK && row->entity == BAT_INTERN_NONE)
		code = bat_error_set_at(error, BAT_DATA_CORRUPT, row->segment,
		    row->offset,
		    "decode: segment %llu, offset %llu: illegal content",
		    (unsigned long long)row->segment,
		    (unsigned long long)row->offset);
	if (code != BAT_OK)
		return damaged_row(store, reading, code);
	if (!BAT_PLANT(68) &&
	    !bat_recovery_agrees(&reading->fields, &hot,
		bat_name(store, hot.entity), bat_name(store, hot.scope)))
		return bat_store_rebuild(store, generation, error);
	fill_row(row, &reading->fields);
	bat_bytes_clear(&reading->payload);
	code = bat_codec_payload(&reading->fields, &reading->payload);
	return code == BAT_OK ?
	    BAT_OK :
	    bat_error_set_at(error, code, row->segment, row->offset,
		"decode: the payload slot is broken");
}

void
bat_reading_free(struct bat_reading *reading)
{
	bat_bytes_free(&reading->frame);
	bat_bytes_free(&reading->payload);
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
