/*
 * For tests of a read-only store that follows whoever writes: a directory in
 * memory that is changed under it, and what must show. A test program includes
 * it once; setup and teardown are the fixture of each case.
 */
#ifndef FOLLOWED_H
#define FOLLOWED_H

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>

#include "fake_clock.h"
#include "follower.h"
#include "maker.h"
#include "memory_disk.h"
#include "picture.h"
#include "stores.h"

#define LOOK_NS INT64_C(100000000)

static struct memory_disk *disk;
static struct fake_clock now;
static struct maker maker;

/* How many events show when a file has this size, and before the next mark. */
struct mark {
	size_t size;
	unsigned count;
};

struct marks {
	struct mark list[64];
	size_t count;
};

static inline void
setup(void)
{
	disk = memory_disk_new(MEMORY_DISK_STRICT, 7);
	/* Later than every file, so that the directory is known to stand still
	 * when its time does. */
	fake_clock_init(&now, FAKE_CLOCK_START_US + INT64_C(3600000000), 0);
	now.monotonic_ns = 1;
	maker_init(&maker);
}

static inline void
teardown(void)
{
	maker_free(&maker);
	memory_disk_free(disk);
}

/* ---- the disk -------------------------------------------------------- */

static inline int
root(void)
{
	const struct bat_disk *door = memory_disk_door(disk);

	return door->open_dir(door->context, "/", false);
}

/* Bytes [from, to) of a file, which is made when it is not there. */
static inline void
put(const char *name, const struct bat_buf *bytes, size_t from, size_t to)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = root();
	int fd = door->open_at(door->context, dir, name, O_RDWR | O_CREAT,
	    0600);

	ck_assert_int_ge(fd, 0);
	if (to > from)
		ck_assert_int_eq(door->write_at(door->context, fd,
				     bytes->data + from, to - from, from),
		    (ssize_t)(to - from));
	door->close(door->context, fd);
	door->close(door->context, dir);
}

static inline void
put_whole(const char *name, const struct bat_buf *bytes)
{
	put(name, bytes, 0, bytes->length);
}

static inline void
cut(const char *name, uint64_t size)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = root();
	int fd = door->open_at(door->context, dir, name, O_RDWR, 0);

	ck_assert_int_eq(door->truncate(door->context, fd, size), 0);
	door->close(door->context, fd);
	door->close(door->context, dir);
}

static inline void
unlink_it(const char *name)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = root();

	ck_assert_int_eq(door->unlink_at(door->context, dir, name), 0);
	door->close(door->context, dir);
}

static inline void
rename_it(const char *from, const char *to)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = root();

	ck_assert_int_eq(door->rename_at(door->context, dir, from, to, true),
	    0);
	door->close(door->context, dir);
}

static inline void
put_text(const char *name, const char *text)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append(&bytes, text, strlen(text)), 0);
	put_whole(name, &bytes);
	bat_bytes_free(&bytes);
}

static inline void
hide(uint64_t start, uint64_t end)
{
	struct bat_hidden_range range = { start, end };
	const struct bat_hidden hidden = { &range, 1 };
	struct bat_buf bytes = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_hidden_encode(&hidden, &bytes), 0);
	put_whole("new", &bytes);
	rename_it("new", BAT_HIDDEN_FILE);
	bat_bytes_free(&bytes);
}

/* ---- the store ------------------------------------------------------- */

static inline struct bat_store *
open_reader(void)
{
	const struct bat_options options = { .read_only = true,
		.disk = memory_disk_door(disk),
		.clock = &now.clock };
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	int code = bat_open("/", &options, &store, &error);

	ck_assert_msg(code == 0, "bat_open: %s", error.text);
	return store;
}

static inline bool
refresh(struct bat_store *store)
{
	struct bat_status status;
	bool changed;

	now.monotonic_ns += LOOK_NS;
	changed = bat_refresh(store);
	bat_status(store, &status);
	ck_assert_msg(status.follow_code == 0, "%s", status.follow_text);
	return changed;
}

static inline struct bat_head
head_of(struct bat_store *store)
{
	struct bat_head head;

	bat_head(store, &head);
	return head;
}

/* So many events show, each can be read, and nothing is called damaged. */
static inline void
assert_shows(struct bat_store *store, unsigned count, const char *where,
    size_t size)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_error error = { .text = "" };
	struct bat_status status;
	struct bat_head head = head_of(store);
	const char *wrong;

	ck_assert_msg(head.visible_count == count,
	    "%s at %zu: %llu events instead of %u", where, size,
	    (unsigned long long)head.visible_count, count);
	bat_status(store, &status);
	ck_assert_msg(status.damaged_count == 0, "%s at %zu: damage", where,
	    size);
	if (count > 0)
		ck_assert_msg(bat_read(store, head.last, &reading, &error) == 0,
		    "%s at %zu: %s", where, size, error.text);
	wrong = picture_check_lists(store);
	ck_assert_msg(wrong == NULL, "%s at %zu: %s", where, size, wrong);
	bat_reading_free(&reading);
}

/* ---- what is written ------------------------------------------------- */

static inline void
mark(struct marks *marks, unsigned count)
{
	marks->list[marks->count++] = (struct mark){ maker.file.length, count };
}

static inline unsigned
shown_at(const struct marks *marks, size_t size, unsigned before)
{
	for (size_t i = 0; i < marks->count; i++)
		if (marks->list[i].size <= size)
			before = marks->list[i].count;
	return before;
}

/* An event, a batch of three, one of another entity, a batch of one, and a
 * footer; *count goes on. */
static inline void
make_segment(uint64_t id, struct marks *marks, unsigned *count)
{
	marks->count = 0;
	maker_segment(&maker, id);
	maker_event(&maker, "player:alice", "\xa1x");
	mark(marks, *count += 1);
	maker_marker(&maker, 6, 3);
	maker_event(&maker, "player:alice", "\xa1y");
	maker_event(&maker, "player:bob", "\xa1y");
	maker_event(&maker, id == 1 ? "player:eve" : "player:zoe", "\xa1y");
	maker_marker(&maker, 7, 0);
	mark(marks, *count += 3);
	maker_event(&maker, "player:bob", "\xa1z");
	mark(marks, *count += 1);
	maker_marker(&maker, 6, 1);
	maker_event(&maker, "player:alice", "\xa1z");
	maker_marker(&maker, 7, 0);
	mark(marks, *count += 1);
	maker_footer(&maker);
}

#endif
