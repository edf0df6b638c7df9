/*
 * For tests of compaction: running one and what must be so after it.
 */
#ifndef TEST_COMPACTIONS_H
#define TEST_COMPACTIONS_H

#include "segment.h"
#include "stores.h"
#include "verify.h"

static inline void
compactions_picture(struct bat_store *store, struct bat_buf *out)
{
	const char *wrong = picture_check_lists(store);

	ck_assert_msg(wrong == NULL, "%s", wrong);
	bat_bytes_clear(out);
	picture_of(store, PICTURE_NO_PLACE, out);
}

static inline void
compactions_run(struct bat_store *store, struct bat_compacted *out)
{
	struct bat_error error = { .text = "" };
	int code = bat_compact(store, false, out, &error);

	ck_assert_msg(code == BAT_OK, "bat_compact: %s", error.text);
}

/* Noted and broken findings; a compaction must add none. */
static inline uint64_t
compactions_broken(const struct temp_dir *dir)
{
	struct bat_verify_counts counts;
	struct bat_error error;

	(void)bat_verify_directory(bat_file_posix(), dir->path, NULL, &counts,
	    &error);
	return counts.broken;
}

/* What a handle shows that finds no index file and no sidecar. */
static inline void
compactions_picture_without_index(const struct temp_dir *dir,
    struct bat_buf *out)
{
	stores_without_index(dir);
	bat_bytes_clear(out);
	stores_picture(dir, PICTURE_NO_PLACE, out);
}

/* Without the index files and the sidecar, footers alone show what was shown
 * with them. */
static inline void
compactions_assert_footers_show(const struct temp_dir *dir,
    const struct bat_buf *before)
{
	struct bat_buf after = BAT_BUF_EMPTY;

	compactions_picture_without_index(dir, &after);
	stores_assert_same(&after, before, "by footers");
	bat_bytes_free(&after);
}

static inline unsigned
compactions_segments(const struct temp_dir *dir)
{
	char name[BAT_SEGMENT_NAME_SIZE];
	unsigned count = 0;

	for (uint64_t id = 0; id < 200; id++) {
		bat_segment_name(id, name);
		count += temp_dir_has(dir, name);
	}
	return count;
}

/* A store of so many sessions, of so many events each. */
static inline void
compactions_sessions(struct temp_dir *dir, unsigned sessions, unsigned events)
{
	temp_dir_make(dir);
	for (unsigned i = 0; i < sessions; i++) {
		struct bat_store *store = stores_open(dir, false);

		for (unsigned j = 0; j < events; j++)
			stores_append(store, "player:alice", "\xa1x");
		stores_close(store);
	}
}

#endif
