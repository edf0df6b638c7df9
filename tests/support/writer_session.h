/*
 * For tests of the writer: a session on a directory of its own, with a disk that
 * fails on demand and a clock that stands, and what it left.
 */
#ifndef WRITER_SESSION_H
#define WRITER_SESSION_H

#include <check.h>

#include "fake_clock.h"
#include "faulty_disk.h"
#include "kind.h"
#include "segment_reader.h"
#include "stores.h"

struct session {
	struct temp_dir dir;
	struct faulty_disk disk;
	struct fake_clock clock;
	struct bat_options options;
	struct bat_store *store;
};

static inline void
session_open(struct session *session)
{
	session->store = stores_open_with(&session->dir, &session->options);
}

static inline void
session_start(struct session *session)
{
	*session = (struct session){ .store = NULL };
	temp_dir_make(&session->dir);
	faulty_disk_init(&session->disk, bat_file_posix());
	fake_clock_init(&session->clock, FAKE_CLOCK_START_US, 1000);
	session->options.disk = &session->disk.disk;
	session->options.clock = &session->clock.clock;
	session_open(session);
}

static inline void
session_again(struct session *session)
{
	stores_close(session->store);
	session_open(session);
}

static inline void
session_end(struct session *session)
{
	stores_close(session->store);
	temp_dir_remove(&session->dir);
}

static inline uint64_t
count_of(struct bat_store *store)
{
	struct bat_head head;

	bat_head(store, &head);
	return head.visible_count;
}

/* What stands in a segment: o OPEN, c CLOSE, e event, B and C markers, F the
 * footer, ! anything else. */
static inline void
frames_of(const struct temp_dir *dir, uint64_t id, char out[256])
{
	struct bat_segment_dir files;
	struct bat_segment_reader reader;
	struct bat_segment_item item;
	size_t count = 0;
	int code;

	ck_assert_int_eq(bat_segment_dir_open(&files, bat_file_posix(),
			     dir->path, false, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_scan(&files, NULL), 0);
	ck_assert_int_eq(bat_segment_reader_open(&reader, &files, id, NULL), 0);
	while ((code = bat_segment_reader_next(&reader, &item, NULL)) == 0) {
		uint16_t kind = item.event.kind;

		ck_assert_uint_lt(count, 250);
		if (item.state != BAT_FRAME_WHOLE || !item.decoded) {
			out[count++] = '!';
			break;
		}
		out[count++] = bat_codec_is_marker(&item.event) ?
		    (kind == BAT_KIND_BATCH_BEGIN ? 'B' : 'C') :
		    kind == BAT_KIND_OPEN_COMPLETED  ? 'o' :
		    kind == BAT_KIND_CLOSE_COMPLETED ? 'c' :
						       'e';
	}
	if (reader.has_footer)
		out[count++] = 'F';
	out[count] = '\0';
	bat_segment_reader_close(&reader);
	bat_segment_dir_close(&files);
}

static inline void
assert_frames(const struct temp_dir *dir, uint64_t id, const char *wanted)
{
	char got[256];

	frames_of(dir, id, got);
	ck_assert_str_eq(got, wanted);
}

#endif
