/*
 * Frames of a segment, and what footer and index say of them: one pass, each
 * event looked at once. What is asked of an event is what the plain way asks;
 * that it is asked in the same words matters, so each question says where its
 * twin stands.
 */
#include "verify_swift.h"

#include <stdlib.h>

#include "coordinate.h"
#include "kind.h"

enum { BATCH_COUNT_MAX = 1000000 }; /* as verify_segment.c */

/* ---- growing --------------------------------------------------------- */

static bool
grow(void **items, size_t *capacity, size_t size)
{
	size_t more = *capacity == 0 ? 1024 : *capacity * 2;
	void *moved = realloc(*items, more * size);

	if (moved == NULL)
		return false;
	*items = moved;
	*capacity = more;
	return true;
}

static int
no_memory(struct verify_piece *piece)
{
	return bat_error_set(&piece->error, BAT_WORLD_NO_MEMORY,
	    "no memory to verify");
}

/* ---- payloads (verify_payload.c) ------------------------------------- */

static int
finish_payloads(struct verify_piece *piece)
{
	struct bat_hash hashes[BAT_HASH_LANES];
	unsigned count = piece->lanes.count;

	if (count == 0)
		return BAT_OK;
	bat_hash_lanes(&piece->lanes, hashes);
	piece->lanes.count = 0;
	for (unsigned i = 0; i < count; i++)
		if (!bat_hash_equal(&hashes[i], &piece->wanted[i]) &&
		    !BAT_PLANT(226))
			return BAT_END;
	piece->counts.payloads += count;
	return BAT_OK;
}

static int
take_long_payload(struct verify_piece *piece, const struct bat_event *event)
{
	struct bat_hash hash;
	int code;

	bat_bytes_clear(&piece->scratch);
	code = bat_pack_unpack_bytes(event->payload_slot, &piece->scratch);
	if (code == BAT_WORLD_NO_MEMORY)
		return no_memory(piece);
	hash = bat_hash_of(bat_bytes_of_buf(&piece->scratch));
	if (code != BAT_OK || piece->scratch.length != event->payload_size ||
	    !bat_hash_equal(&hash, &event->hash))
		return BAT_END;
	piece->counts.payloads++;
	return BAT_OK;
}

/* Where the next payload goes. */
static struct bat_buf
free_lane(struct verify_piece *piece)
{
	return (struct bat_buf){ piece->lanes.lanes[piece->lanes.count], 0,
		BAT_HASH_LANE_SIZE };
}

static int
take_payload(struct verify_piece *piece, const struct bat_event *event)
{
	unsigned lane = piece->lanes.count;
	struct bat_buf bytes = free_lane(piece);

	if (!bat_hash_equal(&event->content_hash, &event->hash) &&
	    !bat_hash_is_zero(&event->content_hash))
		return BAT_END;
	if (event->payload.data != NULL)
		bytes.length = event->payload.length;
	else if (!event->payload_is_bytes)
		return BAT_END;
	else if (bat_pack_unpacked_length(event->payload_slot) >
	    BAT_HASH_LANE_SIZE)
		return take_long_payload(piece, event);
	else if (bat_pack_unpack_bytes(event->payload_slot, &bytes) != BAT_OK)
		return BAT_END;
	if (bytes.length != event->payload_size)
		return BAT_END;
	piece->lanes.lengths[lane] = (uint32_t)bytes.length;
	piece->wanted[lane] = event->hash;
	piece->lanes.count++;
	return piece->lanes.count == BAT_HASH_LANES ? finish_payloads(piece) :
						      BAT_OK;
}

/* ---- names and chains (verify_event.c) ------------------------------- */

static int
reserve_heads(struct verify_piece *piece, uint32_t name)
{
	size_t count = name < 512 ? 1024 : (size_t)name * 2;
	struct verify_swift_head *heads;

	if (name < piece->head_count)
		return BAT_OK;
	if (count < piece->string_count)
		count = piece->string_count;
	heads = realloc(piece->heads, count * sizeof(*heads));
	if (heads == NULL)
		return no_memory(piece);
	memset(heads + piece->head_count, 0,
	    (count - piece->head_count) * sizeof(*heads));
	piece->heads = heads;
	piece->head_count = count;
	return BAT_OK;
}

/* A name may stand in a coordinate; each is looked at once. */
static int
check_name(struct verify_piece *piece, uint32_t name, struct bat_slice text)
{
	int code = reserve_heads(piece, name);

	if (code != BAT_OK || piece->heads[name].is_legal)
		return code;
	if (bat_coordinate_check(text, text, NULL) != BAT_OK)
		return BAT_END;
	piece->heads[name].is_legal = true;
	return BAT_OK;
}

static int
check_names(struct verify_piece *piece, const struct bat_event *event,
    struct verify_told *told)
{
	int code = BAT_OK;

	if (!piece->has_footer &&
	    (bat_intern_put(&piece->names, event->entity, &told->entity) !=
		    BAT_OK ||
		bat_intern_put(&piece->names, event->scope, &told->scope) !=
		    BAT_OK))
		code = no_memory(piece);
	if (code == BAT_OK)
		code = check_name(piece, told->entity, event->entity);
	if (code == BAT_OK)
		code = check_name(piece, told->scope, event->scope);
	return code;
}

/* The first event of an entity in a piece is remembered; others follow the one
 * before. */
static int
follow_chain(struct verify_piece *piece, const struct bat_event *event,
    uint32_t entity)
{
	struct verify_swift_head *head = &piece->heads[entity];

	if (head->exists) {
		if (event->clock == 0 || event->clock - 1 != head->clock ||
		    !bat_hash_equal(&event->prev, &head->hash))
			return BAT_END;
	} else {
		if (piece->first_count == piece->first_capacity &&
		    !grow((void **)&piece->firsts, &piece->first_capacity,
			sizeof(*piece->firsts)))
			return no_memory(piece);
		piece->firsts[piece->first_count++] =
		    (struct verify_swift_first){ entity, event->clock,
			    event->prev };
		head->exists = true;
	}
	head->clock = event->clock;
	head->hash = event->hash;
	return BAT_OK;
}

/* ---- one frame (verify_segment.c) ------------------------------------ */

static int
take_event(struct verify_piece *piece, const struct bat_segment_item *item)
{
	const struct bat_event *event = &item->event;
	struct verify_told told = { 0 };
	int code = BAT_OK;

	if (piece->in_batch && piece->remaining-- == 0)
		return BAT_END;
	if (bat_id_is_zero(&event->id) || event->timestamp_us < 0 ||
	    event->wall_ms > BAT_EVENT_WALL_MS_MAX)
		return BAT_END;
	if (piece->has_footer)
		code = bat_verify_meet_footer(piece, item, &told);
	if (code == BAT_OK && piece->index != NULL)
		code = bat_verify_meet_index(piece, item,
		    piece->has_footer ? &told.seq : NULL);
	if (code == BAT_OK)
		code = check_names(piece, event, &told);
	if (code == BAT_OK)
		code = follow_chain(piece, event, told.entity);
	if (code == BAT_OK)
		code = take_payload(piece, event);
	if (code == BAT_OK)
		code = bat_verify_keys_put(&piece->keys, &event->id);
	if (code == BAT_WORLD_NO_MEMORY)
		code = no_memory(piece);
	piece->counts.events++;
	return code;
}

static int
take_marker(struct verify_piece *piece, const struct bat_event *event)
{
	bool is_first = !piece->met_marker;

	piece->met_marker = true;
	if (event->kind == BAT_KIND_BATCH_BEGIN) {
		if (piece->in_batch || event->payload_size == 0 ||
		    event->payload_size > BATCH_COUNT_MAX)
			return BAT_END;
		piece->in_batch = true;
		piece->remaining = event->payload_size;
		piece->batch_id = event->id;
		return BAT_OK;
	}
	if (is_first) {
		if (piece->counts.events > UINT32_MAX)
			return BAT_END;
		piece->begins_within = true;
		piece->begun = (uint32_t)piece->counts.events;
		piece->begun_id = event->id;
		return BAT_OK;
	}
	if (!piece->in_batch || piece->remaining > 0 ||
	    !bat_id_equal(&piece->batch_id, &event->id))
		return BAT_END;
	piece->in_batch = false;
	piece->counts.batches++;
	return BAT_OK;
}

void *
bat_verify_piece(void *argument)
{
	struct verify_piece *piece = argument;
	struct bat_segment_item item;

	while (piece->code == BAT_OK) {
		piece->reader.room = free_lane(piece);
		piece->code = bat_segment_reader_next(&piece->reader, &item,
		    &piece->error);
		if (piece->code != BAT_OK)
			break;
		if (item.state != BAT_FRAME_WHOLE || !item.decoded)
			piece->code = BAT_END;
		else if (bat_codec_is_marker(&item.event))
			piece->code = take_marker(piece, &item.event);
		else
			piece->code = take_event(piece, &item);
		piece->counts.frames++;
		if (piece->code == BAT_END)
			return NULL;
	}
	/* Every frame was read. */
	if (piece->code == BAT_END)
		piece->code = finish_payloads(piece);
	return NULL;
}

void
bat_verify_piece_free(struct verify_piece *piece)
{
	bat_segment_reader_close(&piece->reader);
	bat_intern_free(&piece->names);
	bat_bytes_free(&piece->scratch);
	free(piece->footer_rows.block);
	free(piece->index_rows.block);
	bat_bytes_free(&piece->entries.window);
	free(piece->heads);
	free(piece->firsts);
	free(piece->keys.keys);
	free(piece);
}
