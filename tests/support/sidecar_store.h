/*
 * A store of several segments with a sidecar, for tests of what becomes of it;
 * and its answers with and without. Header only; each test uses some.
 */
#ifndef SIDECAR_STORE_H
#define SIDECAR_STORE_H

#include <stdlib.h>
#include <unistd.h>

#include "picture.h"
#include "stores.h"
#include "temp_dir.h"

enum { EVENTS = 4608, BATCH = 64, ENTITIES = 140 };

/* Ten seconds ahead: the files are quiet, as they are at a later unmount. */
static inline int64_t
later_us(void *context)
{
	(void)context;
	return bat_clock_wall_us(bat_clock_system()) + 10000000;
}

static inline int64_t
monotonic_ns(void *context)
{
	(void)context;
	return bat_clock_monotonic_ns(bat_clock_system());
}

static const struct bat_clock later = { later_us, monotonic_ns, NULL };

/* What all of it goes through; NULL: the system's files. */
static const struct bat_disk *store_disk;

static inline struct bat_store *
open_later(const struct temp_dir *dir)
{
	return stores_open_with(dir,
	    &(struct bat_options){ .clock = &later,
		.disk = store_disk,
		.segment_max_bytes = 400000 });
}

static inline void
append_some(struct bat_store *store, unsigned from, unsigned count)
{
	struct bat_draft drafts[BATCH];
	char entities[BATCH][32], payloads[BATCH][32];

	for (unsigned at = from; at < from + count; at += BATCH) {
		for (unsigned i = 0; i < BATCH; i++) {
			unsigned n = at + i;

			snprintf(entities[i], sizeof(entities[i]), "e:%u",
			    n % ENTITIES);
			snprintf(payloads[i], sizeof(payloads[i]), "\xaa%010u",
			    n);
			drafts[i] = stores_draft(entities[i],
			    n % 3 == 0 ? "s:one" : "s:two", payloads[i]);
		}
		ck_assert_int_eq(
		    stores_append_batch(store, drafts, BATCH, NULL, NULL), 0);
	}
}

/* A store of several segments and, with its last session, its sidecar. */
static inline void
make_store(struct temp_dir *dir)
{
	struct bat_store *store;

	temp_dir_make(dir);
	store = open_later(dir);
	append_some(store, 0, EVENTS);
	stores_close(store);
}

static inline void
path_of(const struct temp_dir *dir, const char *name, char path[512])
{
	snprintf(path, 512, "%s/%s", dir->path, name);
}

static inline bool
has_sidecar(const struct temp_dir *dir)
{
	return temp_dir_has(dir, ".batfs/cache/index");
}

static inline bool
uses_sidecar(const struct temp_dir *dir)
{
	struct bat_store *store = stores_open_with(dir,
	    &(struct bat_options){ .read_only = true, .disk = store_disk });
	struct bat_status status;

	bat_status(store, &status);
	stores_close(store);
	return status.source == BAT_SOURCE_SIDECAR;
}

/* The picture, or how opening failed. */
static inline void
answer(const struct temp_dir *dir, struct bat_buf *out)
{
	struct bat_options options = { .read_only = true, .disk = store_disk };
	struct bat_head before, after;
	struct bat_error error;
	struct bat_store *store;
	const char *wrong;
	int code = bat_open(dir->path, &options, &store, &error);

	if (code != 0) {
		ck_assert_int_eq(
		    bat_bytes_append_format(out, "code %d\n", code), 0);
		return;
	}
	do {
		/* Numbers hold for a generation: a block that does not hold
		 * ends it in the middle. */
		bat_head(store, &before);
		bat_bytes_clear(out);
		picture_of(store, 0, out);
		wrong = picture_check_lists(store);
		bat_head(store, &after);
	} while (after.generation != before.generation);
	ck_assert_msg(wrong == NULL, "%s", wrong);
	stores_close(store);
}

/* With the sidecar, then without it: the same. */
static inline void
assert_same_without(const struct temp_dir *dir, const char *what)
{
	struct bat_buf with = BAT_BUF_EMPTY, without = BAT_BUF_EMPTY;
	char path[512];

	answer(dir, &with);
	path_of(dir, ".batfs/cache/index", path);
	ck_assert_int_eq(unlink(path), 0);
	answer(dir, &without);
	stores_assert_same(&with, &without, what);
	bat_bytes_free(&with);
	bat_bytes_free(&without);
}

#endif
