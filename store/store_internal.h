/*
 * Inside of store: what its parts share. Not for others.
 *
 * Locks: causality_mutex first, then the writer's lead, then `lock` (guards the
 * index pointer, the index and its generation). The disk is not touched with
 * `lock` held, but for two: a rebuild reads the directory with it, so that
 * nobody goes on with what lied; and what a sidecar holds is read when it is
 * first asked for.
 */
#ifndef BAT_STORE_INTERNAL_H
#define BAT_STORE_INTERNAL_H

#include "bat.h"
#include "causality.h"
#include "follower.h"
#include "index.h"
#include "recovery.h"
#include "writer.h"

/*
 * An index and what came with it; replaced as a whole by a rebuild. Replaced
 * ones stay until close, so that names handed out stay valid; of a read-only
 * store, which may begin anew often, only the names.
 */
struct view {
	struct bat_index index;
	struct bat_recovery recovery;
	/* Where rows are read. A read-only store has a list and descriptors for
	 * each view: an id may be another file's in the next. */
	struct bat_segment_dir *dir, own_dir;
	struct view *older;
};

struct bat_store {
	struct bat_options options;
	struct bat_segment_dir dir;
	pthread_rwlock_t lock;
	struct view *view;   /* guarded by lock */
	uint64_t generation; /* guarded by lock */
	struct bat_writer writer;
	pthread_mutex_t causality_mutex;
	struct bat_causality causality; /* guarded by it */
	uint64_t causality_generation;	/* likewise */
	int64_t open_ns;
	/* The transparency log. One update at a time: taken before all other
	 * locks, and held while frames are read and files synced. */
	pthread_mutex_t tlog_mutex;
	struct bat_tlog tlog; /* guarded by it, as the next ones */
	bool tlog_stopped;    /* a sync of it failed: not in this handle */
	bool has_named_key;   /* from the file that the caller named */
	struct bat_note_signer named_key;
	/* What is shown of it; a leaf. */
	pthread_mutex_t attest_mutex;
	struct bat_attest_status attest; /* guarded by it, as the next ones */
	struct bat_buf attest_checkpoint;
	struct bat_tlog attest_reader; /* only for reading tiles */
	/* Of a read-only store, guarded by the writer's lead. */
	struct bat_follower follower;
	int follow_code; /* of the last look */
	struct bat_error follow_error;
	_Atomic int64_t looked_ns; /* monotonic; 0: never */
};

/* ---- store.c ---- */

/* Read the directory into a view of its own. */
int bat_store_view_make(struct bat_store *store, bool ignore_indexes,
    struct view **out, struct bat_error *error);
/* With all that are older; NULL is nothing. */
void bat_store_view_free(struct view *view);

/* Read the directory again without index files, unless somebody did since that
 * generation. BAT_DATA_DISAGREES: ask again; BAT_WORLD_*. */
int bat_store_rebuild(struct bat_store *store, uint64_t seen_generation,
    struct bat_error *error);

/* Does the store still have what a log ends with (store_tlog_end.c)? If not,
 * what the log would say next contradicts it: BAT_DATA_CORRUPT, with the
 * reason. */
int bat_store_tlog_check_end(struct bat_store *store,
    const struct bat_tlog *tlog, struct bat_error *error);
#define BAT_STORE_TLOG_REMEDY                                                  \
	"`batctl verify` tells more, `batctl renew-log` begins another log "   \
	"and keeps this one"
/* The transparency log (store_tlog.c). open fails only with what the caller
 * asked for in vain: BAT_USE_INVALID. close brings it up to date. */
int bat_store_tlog_open(struct bat_store *store, struct bat_error *error);
void bat_store_tlog_close(struct bat_store *store);
/* Load it, or make it where it is wanted; tlog_mutex is held. BAT_END: there is
 * none; anything else is shown, too. */
int bat_store_tlog_begin(struct bat_store *store, struct bat_error *error);
/* The key in the file that the caller names; with make, a new one if there is
 * none. BAT_USE_INVALID: whatever is wrong with it. */
int bat_store_tlog_key(const struct bat_store *store, bool make,
    struct bat_note_signer *out, struct bat_error *error);
/* Rows with sequences in [from, limit), hidden ones too, at most max. */
size_t bat_store_rows_from(struct bat_store *store, uint64_t from,
    uint64_t limit, struct bat_row *rows, size_t max);
/* The record of a row's event: its frame is read. BAT_DATA_DISAGREES: the row
 * is not its frame's. */
int bat_store_record(struct bat_store *store, const struct bat_row *row,
    struct bat_buf *frame, struct bat_tlog_record *out,
    struct bat_error *error);
/* The event that was logged under this sequence: its frame is read again
 * (store_attest_records.c). GONE: there is none, or another one. */
enum bat_logged { BAT_LOGGED_SAME, BAT_LOGGED_GONE, BAT_LOGGED_CHANGED };
int bat_store_logged(struct bat_store *store,
    const struct bat_tlog_record *record, enum bat_logged *out,
    struct bat_error *error);

/* ---- store_follow.c: of a read-only store ---- */

/* The first view, and following it. */
int bat_store_follow(struct bat_store *store, struct bat_error *error);
/* Another view in the place of the one that is shown, unless the directory does
 * not stand still: BAT_END, but with ignore_indexes, since then what is shown
 * is wrong. The lead is held. */
int bat_store_anew(struct bat_store *store, bool ignore_indexes,
    struct bat_error *error);
/* Of a writable store always: are the index files those that were there when
 * the view was made? The lead is held. */
bool bat_store_index_stands(struct bat_store *store);
/* How far the shown view goes, for pins. The lead is held. */
void bat_store_note_end(struct bat_store *store);
/*
 * Something that was shown in this generation could not be read: code says why.
 * Returns it; BAT_DATA_DISAGREES when other things are shown by now, so that the
 * caller asks again. No lock is held.
 */
int bat_store_doubt(struct bat_store *store, uint64_t generation, int code);

/* ---- other parts ---- */

/* The visible events below an ordinal, UINT32_MAX: all. */
void bat_store_stat_log(const struct bat_index *index, uint32_t end,
    struct bat_list_stat *out);

/* What the index knows of an event at one moment: a copy. */
struct store_event {
	uint32_t ordinal;
	bool there; /* an event, and not hidden */
	struct bat_index_hot hot;
	uint64_t segment;
	struct bat_segment_dir *dir;	/* where that is */
	struct bat_slice entity, scope; /* empty: it has none */
};

/* With the lock held for reading (enter). */
void bat_store_look_up(const struct bat_store *store, uint32_t ordinal,
    struct store_event *out);
/* The place of an event in its segment. */
static inline uint64_t
store_event_offset(const struct store_event *event)
{
	return event->hot.place & BAT_INDEX_OFFSET_MAX;
}

/* What bat_read_ahead noted of an event, NULL if nothing; later ones only are
 * found after it. *out_generation is that of the moment. */
const struct store_event *bat_store_ahead_take(struct bat_reading *reading,
    uint32_t ordinal, uint64_t *out_generation);
/* The bytes of the frame of the event taken last. False: read it alone. */
bool bat_store_ahead_frame(struct bat_reading *reading,
    struct bat_slice *out_bytes);
void bat_store_ahead_forget(struct bat_reading *reading);
void bat_store_ahead_free(struct bat_reading *reading);

/* Lists of causality, for bat_list_stat and bat_list_next; causality_mutex is
 * not held. */
bool bat_store_is_causal(const struct bat_list *list);
void bat_store_causal_stat(struct bat_store *store, const struct bat_list *list,
    struct bat_list_stat *out);
size_t bat_store_causal_next(struct bat_store *store,
    const struct bat_list *list, uint64_t *cursor, uint32_t *ordinals,
    size_t max);

/* The index, for reading; leave gives it back. */
static inline struct bat_index *
enter(struct bat_store *store)
{
	pthread_rwlock_rdlock(&store->lock);
	return &store->view->index;
}

/*
 * False: what was answered meanwhile is void, because the base of the index
 * did not hold when it was read; there is another index now, ask again.
 */
static inline bool
leave(struct bat_store *store)
{
	bool broken = store->view->index.broken;
	uint64_t generation = store->generation;

	pthread_rwlock_unlock(&store->lock);
	return !broken ||
	    bat_store_rebuild(store, generation, NULL) != BAT_DATA_DISAGREES;
}

#endif
