/*
 * A read-only store follows whoever writes: looks when it is asked, adds what
 * is new, and begins anew when what was shown is no longer there.
 *
 * Beginning anew reads the directory beside what is shown, with no lock that a
 * reader waits for, and swaps both at once. Then of the old view only names
 * stay, which were handed out.
 */
#include "store_internal.h"

/* How often a look may be asked for and is not made. */
#define LOOK_NS INT64_C(100000000)
/* How often a directory that does not stand still is read. */
#define ATTEMPTS 5

/* Its rows and descriptors go; nobody can ask it any more. (A pin may hold some
 * of the descriptors.) */
static void
retire(struct view *view)
{
	struct bat_intern names = view->index.names;

	bat_intern_init(&view->index.names);
	bat_index_free(&view->index);
	bat_index_init(&view->index);
	view->index.names = names;
}

bool
bat_store_index_stands(struct bat_store *store)
{
	return !store->options.read_only ||
	    bat_follower_index_stands(&store->follower);
}

void
bat_store_note_end(struct bat_store *store)
{
	struct bat_pin_point end;

	bat_follower_end(&store->follower, &end.segment, &end.offset);
	pthread_rwlock_wrlock(&store->lock);
	end.ordinals = store->view->index.count;
	store->writer.durable = end;
	pthread_rwlock_unlock(&store->lock);
}

/*
 * A view, and following it, of a directory that stood still meanwhile. patient:
 * BAT_END when it does not; else the last attempt is taken, and the next look
 * sees what it missed.
 */
static int
make(struct bat_store *store, bool ignore_indexes, bool patient,
    struct view **out, struct bat_follower *follower, struct bat_error *error)
{
	struct bat_follower_sight before;
	struct view *view = NULL;
	int code = BAT_END, made, same;

	for (unsigned i = 0; code == BAT_END && i < ATTEMPTS; i++) {
		code = bat_follower_see(&store->dir, &before, error);
		if (code != BAT_OK)
			return code;
		made = bat_store_view_make(store, ignore_indexes, &view, error);
		same = bat_follower_compare(&before, &store->dir,
		    made == BAT_OK ? error : NULL);
		code = same == BAT_OK || (i + 1 == ATTEMPTS && !patient) ?
		    made :
		    same;
		if (code == BAT_OK)
			code = bat_follower_start(follower, view->dir, &before,
			    &view->index, &view->recovery, &store->lock, error);
		if (code != BAT_OK) {
			bat_store_view_free(view);
			view = NULL;
		}
		bat_follower_sight_free(&before);
	}
	*out = view;
	return code;
}

int
bat_store_follow(struct bat_store *store, struct bat_error *error)
{
	return make(store, false, false, &store->view, &store->follower, error);
}

int
bat_store_anew(struct bat_store *store, bool ignore_indexes,
    struct bat_error *error)
{
	struct bat_follower follower;
	struct view *fresh, *old = store->view;
	int code = make(store, ignore_indexes, !ignore_indexes, &fresh,
	    &follower, error);

	if (code != BAT_OK)
		return code;
	pthread_rwlock_wrlock(&store->lock);
	fresh->older = old;
	store->view = fresh;
	store->generation++;
	bat_writer_adopt(&store->writer, &fresh->index, &fresh->recovery);
	pthread_rwlock_unlock(&store->lock);
	bat_follower_stop(&store->follower);
	store->follower = follower;
	retire(old);
	bat_store_note_end(store);
	return BAT_OK;
}

/* With the lead. */
static bool
look(struct bat_store *store)
{
	const struct bat_clock *clock = store->options.clock;
	struct bat_error error = { .code = 0 };
	int64_t wall_us = bat_clock_wall_us(clock);
	uint64_t generation = store->generation;
	bool grew = false;
	int code = bat_follower_look(&store->follower,
	    wall_us > INT64_MAX / 1000 ? INT64_MAX : wall_us * 1000,
	    bat_clock_monotonic_ns(clock), &grew, &error);

	if (code == BAT_DATA_DISAGREES) {
		error.text[0] = '\0';
		code = bat_store_anew(store,
		    store->view->index.broken ||
			(store->view->recovery.doubted && !BAT_PLANT(373)),
		    &error);
	} else if (grew) {
		bat_store_note_end(store);
	}
	/* It did not stand still; the next look may find it so. */
	if (code == BAT_END)
		code = BAT_OK;
	store->follow_code = code;
	store->follow_error = error;
	store->looked_ns = bat_clock_monotonic_ns(clock);
	return grew || store->generation != generation;
}

bool
bat_refresh(struct bat_store *store)
{
	int64_t now, last;
	bool changed;

	if (!store->options.read_only)
		return false;
	now = bat_clock_monotonic_ns(store->options.clock);
	last = store->looked_ns;
	if (last != 0 && now - last < LOOK_NS)
		return false;
	if (pthread_mutex_trylock(&store->writer.lead) != 0)
		return false;
	changed = look(store);
	pthread_mutex_unlock(&store->writer.lead);
	return changed;
}

int
bat_store_doubt(struct bat_store *store, uint64_t generation, int code)
{
	bool other;

	if (!store->options.read_only || code == BAT_WORLD_NO_MEMORY)
		return code;
	pthread_mutex_lock(&store->writer.lead);
	if (store->generation == generation)
		(void)look(store);
	other = store->generation != generation;
	pthread_mutex_unlock(&store->writer.lead);
	return other ? BAT_DATA_DISAGREES : code;
}
