#include "follow.h"

#include <stdlib.h>

#include <pthread.h>

#include "render.h"

/* How often an event is read again when the store was read anew. */
#define ATTEMPTS 8

struct batfs_follow {
	struct bat_store *store;
	struct bat_buf entity; /* empty: all */
	pthread_mutex_t lock;  /* guards the rest */
	uint64_t next_seq;     /* lines below were rendered */
	struct bat_reading reading;
	struct bat_buf line; /* rendered and not wholly taken */
	size_t taken;
};

int
batfs_follow_new(struct bat_store *store, uint64_t from_seq,
    struct bat_slice entity, struct batfs_follow **out)
{
	struct batfs_follow *follow = calloc(1, sizeof *follow);

	if (follow == NULL)
		return BAT_WORLD_NO_MEMORY;
	follow->store = store;
	follow->next_seq = from_seq;
	follow->reading = BAT_READING_EMPTY;
	if (bat_bytes_append_slice(&follow->entity, entity) != BAT_OK) {
		free(follow);
		return BAT_WORLD_NO_MEMORY;
	}
	pthread_mutex_init(&follow->lock, NULL);
	*out = follow;
	return BAT_OK;
}

void
batfs_follow_free(struct batfs_follow *follow)
{
	if (follow == NULL)
		return;
	bat_reading_free(&follow->reading);
	bat_bytes_free(&follow->entity);
	bat_bytes_free(&follow->line);
	pthread_mutex_destroy(&follow->lock);
	free(follow);
}

/* ---- with the lock --------------------------------------------------------- */

/* The next event that is wanted; those that are not are passed over for good.
 * BAT_MAP_NONE: none yet. */
static uint32_t
find_next(struct batfs_follow *follow, struct bat_row *row)
{
	struct bat_slice entity = bat_bytes_of_buf(&follow->entity);

	for (;;) {
		uint32_t ordinal = bat_find_seq_from(follow->store,
		    follow->next_seq);

		if (ordinal == BAT_MAP_NONE ||
		    !bat_row(follow->store, ordinal, row) ||
		    row->seq < follow->next_seq)
			return BAT_MAP_NONE;
		if (entity.length == 0 ||
		    (row->entity != BAT_MAP_NONE &&
			bat_bytes_equal(bat_name(follow->store, row->entity),
			    entity)))
			return ordinal;
		follow->next_seq = row->seq + 1;
	}
}

/* Render the next line. BAT_END: there is none now. */
static int
next_line(struct batfs_follow *follow, struct bat_error *error)
{
	int code = BAT_DATA_DISAGREES;

	bat_bytes_clear(&follow->line);
	follow->taken = 0;
	/* An event that was hidden at this moment is none, either. */
	for (unsigned i = 0; i < ATTEMPTS &&
	     (code == BAT_DATA_DISAGREES || code == BAT_STATE_NOT_FOUND);
	     i++) {
		struct bat_row row;
		uint32_t ordinal = find_next(follow, &row);

		if (ordinal == BAT_MAP_NONE)
			return BAT_END;
		code = batfs_render_event(follow->store, ordinal,
		    &follow->reading, &follow->line, error);
		if (code == BAT_OK)
			follow->next_seq = follow->reading.row.seq + 1;
	}
	return code;
}

/* ---- the door ---------------------------------------------------------------- */

int
batfs_follow_take(struct batfs_follow *follow, size_t size, struct bat_buf *buf,
    struct bat_error *error)
{
	size_t before = buf->length;
	int code = BAT_OK;

	pthread_mutex_lock(&follow->lock);
	while (code == BAT_OK && buf->length - before < size) {
		size_t room = size - (buf->length - before);
		size_t part = follow->line.length - follow->taken;

		if (part == 0) {
			code = next_line(follow, error);
			continue;
		}
		if (part > room)
			part = room;
		code = bat_bytes_append(buf, follow->line.data + follow->taken,
		    part);
		if (code == BAT_OK)
			follow->taken += part;
	}
	pthread_mutex_unlock(&follow->lock);
	/* What was taken must reach its reader. */
	return buf->length > before ? BAT_OK : code;
}

bool
batfs_follow_is_ready(struct batfs_follow *follow)
{
	struct bat_row row;
	bool ready;

	pthread_mutex_lock(&follow->lock);
	ready = follow->taken < follow->line.length ||
	    find_next(follow, &row) != BAT_MAP_NONE;
	pthread_mutex_unlock(&follow->lock);
	return ready;
}
