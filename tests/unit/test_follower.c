/*
 * A read-only store follows whoever writes: directories that grow and are cut
 * under it, byte by byte.
 */
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
#define MARKER "compaction.pending.json"

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

static void
setup(void)
{
	disk = memory_disk_new(MEMORY_DISK_STRICT, 7);
	/* Later than every file, so that the directory is known to stand still
	 * when its time does. */
	fake_clock_init(&now, FAKE_CLOCK_START_US + INT64_C(3600000000), 0);
	now.monotonic_ns = 1;
	maker_init(&maker);
}

static void
teardown(void)
{
	maker_free(&maker);
	memory_disk_free(disk);
}

/* ---- the disk -------------------------------------------------------- */

static int
root(void)
{
	const struct bat_disk *door = memory_disk_door(disk);

	return door->open_dir(door->context, "/", false);
}

/* Bytes [from, to) of a file, which is made when it is not there. */
static void
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

static void
put_whole(const char *name, const struct bat_buf *bytes)
{
	put(name, bytes, 0, bytes->length);
}

static void
cut(const char *name, uint64_t size)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = root();
	int fd = door->open_at(door->context, dir, name, O_RDWR, 0);

	ck_assert_int_eq(door->truncate(door->context, fd, size), 0);
	door->close(door->context, fd);
	door->close(door->context, dir);
}

static void
unlink_it(const char *name)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = root();

	ck_assert_int_eq(door->unlink_at(door->context, dir, name), 0);
	door->close(door->context, dir);
}

static void
rename_it(const char *from, const char *to)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = root();

	ck_assert_int_eq(door->rename_at(door->context, dir, from, to, true),
	    0);
	door->close(door->context, dir);
}

static void
put_text(const char *name, const char *text)
{
	struct bat_buf bytes = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append(&bytes, text, strlen(text)), 0);
	put_whole(name, &bytes);
	bat_bytes_free(&bytes);
}

static void
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

static struct bat_store *
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

static bool
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

static struct bat_head
head_of(struct bat_store *store)
{
	struct bat_head head;

	bat_head(store, &head);
	return head;
}

/* So many events show, each can be read, and nothing is called damaged. */
static void
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

static void
mark(struct marks *marks, unsigned count)
{
	marks->list[marks->count++] = (struct mark){ maker.file.length, count };
}

static unsigned
shown_at(const struct marks *marks, size_t size, unsigned before)
{
	for (size_t i = 0; i < marks->count; i++)
		if (marks->list[i].size <= size)
			before = marks->list[i].count;
	return before;
}

/* An event, a batch of three, one of another entity, a batch of one, and a
 * footer; *count goes on. */
static void
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

START_TEST(a_store_that_grows_by_bytes_shows_what_is_whole)
{
	static const char *const names[] = { "000001.fbat", "000002.fbat" };
	struct bat_store *store = NULL;
	struct marks marks;
	unsigned count = 0, before = 0;

	for (uint64_t id = 1; id <= 2; id++) {
		make_segment(id, &marks, &count);
		for (size_t size = 0; size <= maker.file.length; size++) {
			put(names[id - 1], &maker.file,
			    size == 0 ? 0 : size - 1, size);
			if (store == NULL)
				store = open_reader();
			(void)refresh(store);
			assert_shows(store, shown_at(&marks, size, before),
			    names[id - 1], size);
		}
		before = count;
	}
	ck_assert_uint_eq(head_of(store).generation, 1);
	ck_assert_uint_eq(head_of(store).next_seq, count);
	stores_close(store);
}
END_TEST

/* Opened at every size, as if the mount had come just then. */
START_TEST(whoever_comes_in_the_middle_of_a_write_goes_on_from_there)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	for (size_t size = 0; size < maker.file.length; size++) {
		put("000001.fbat", &maker.file, size == 0 ? 0 : size - 1, size);
		store = open_reader();
		assert_shows(store, shown_at(&marks, size, 0), "opened", size);
		put("000001.fbat", &maker.file, size, maker.file.length);
		(void)refresh(store);
		assert_shows(store, count, "whole after", size);
		ck_assert_uint_eq(head_of(store).generation, 1);
		stores_close(store);
		cut("000001.fbat", size);
	}
}
END_TEST

START_TEST(what_is_cut_off_goes_under_a_new_generation)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;
	uint64_t header;

	make_segment(1, &marks, &count);
	put_whole("000001.fbat", &maker.file);
	store = open_reader();
	(void)refresh(store);
	header = maker.rows[0].offset;
	/* The footer goes, then frames, then the header. */
	for (size_t size = maker.file.length; size-- > 0;) {
		unsigned had = (unsigned)head_of(store).visible_count;
		unsigned left = shown_at(&marks, size, 0);
		uint64_t generation = head_of(store).generation;

		cut("000001.fbat", size);
		(void)refresh(store);
		assert_shows(store, left, "cut", size);
		if (left != had)
			ck_assert_uint_gt(head_of(store).generation,
			    generation);
		else if (size > header && size + 1 < marks.list[3].size)
			ck_assert_uint_eq(head_of(store).generation,
			    generation);
	}
	stores_close(store);
}
END_TEST

START_TEST(what_is_written_over_is_seen)
{
	struct bat_store *store;
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_buf first = BAT_BUF_EMPTY;
	struct bat_error error;
	size_t header;

	maker_segment(&maker, 1);
	header = maker.file.length;
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	ck_assert_int_eq(
	    bat_bytes_append_slice(&first, bat_bytes_of_buf(&maker.file)), 0);
	put_whole("000001.fbat", &first);
	store = open_reader();
	assert_shows(store, 1, "before", 0);

	/* The writer could not sync it, cut it off, and goes on with more. */
	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "b");
	maker_event(&maker, "player:bob",
	    "\xa1"
	    "c");
	cut("000001.fbat", header);
	put("000001.fbat", &maker.file, header, maker.file.length);
	ck_assert(refresh(store));
	assert_shows(store, 2, "after", 0);
	ck_assert_uint_eq(head_of(store).generation, 2);
	ck_assert_int_eq(bat_read(store, 0, &reading, &error), 0);
	ck_assert_int_eq(reading.payload.data[1], 'b');
	bat_reading_free(&reading);
	bat_bytes_free(&first);
	stores_close(store);
}
END_TEST

START_TEST(a_segment_of_which_nothing_was_shown_may_go_and_come_back)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	put_whole("000001.fbat", &maker.file);
	store = open_reader();
	make_segment(2, &marks, &count);
	put("000002.fbat", &maker.file, 0, 5);
	(void)refresh(store);
	assert_shows(store, 6, "five bytes", 5);
	unlink_it("000002.fbat");
	(void)refresh(store);
	put_whole("000002.fbat", &maker.file);
	(void)refresh(store);
	assert_shows(store, count, "back", 0);
	ck_assert_uint_eq(head_of(store).generation, 1);
	stores_close(store);
}
END_TEST

START_TEST(a_segment_that_nobody_sealed_is_read_to_its_end)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	put("000001.fbat", &maker.file, 0, marks.list[0].size);
	store = open_reader();
	/* The rest, half a batch at its end, and a session after the crash, all
	 * between two looks. */
	put("000001.fbat", &maker.file, marks.list[0].size,
	    marks.list[3].size - 1);
	count = marks.list[2].count;
	make_segment(2, &marks, &count);
	put_whole("000002.fbat", &maker.file);
	ck_assert(refresh(store));
	assert_shows(store, count, "both", 0);
	ck_assert_uint_eq(head_of(store).generation, 1);
	stores_close(store);
}
END_TEST

START_TEST(damage_is_named_only_below_a_higher_segment)
{
	struct bat_store *store;
	struct bat_status status;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	maker.file.data[marks.list[0].size + 20] ^= 1;
	put("000001.fbat", &maker.file, 0, marks.list[0].size);
	store = open_reader();
	put("000001.fbat", &maker.file, marks.list[0].size, marks.list[3].size);
	(void)refresh(store);
	assert_shows(store, 1, "growing", 0);
	make_segment(2, &marks, &count);
	put_whole("000002.fbat", &maker.file);
	(void)refresh(store);
	bat_status(store, &status);
	ck_assert_uint_eq(status.damaged_count, 1);
	ck_assert(stores_report_has(store, "damage: segment 1"));
	/* BEGIN is gone, so its items count one by one; and the line of what
	 * is damaged. */
	ck_assert_uint_eq(head_of(store).visible_count, 1 + 1 + 5 + 6);
	stores_close(store);
}
END_TEST

START_TEST(a_footer_that_knows_other_numbers_is_believed)
{
	struct bat_store *store;
	size_t frames;

	maker_segment(&maker, 1);
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "a");
	maker.next_seq += 5;
	maker_event(&maker, "player:alice",
	    "\xa1"
	    "b");
	frames = maker.file.length;
	maker_footer(&maker);
	put("000001.fbat", &maker.file, 0, frames);
	store = open_reader();
	ck_assert_uint_eq(head_of(store).last_seq, 1);
	put("000001.fbat", &maker.file, frames, maker.file.length);
	ck_assert(refresh(store));
	ck_assert_uint_eq(head_of(store).last_seq, 6);
	ck_assert_uint_eq(head_of(store).generation, 2);
	assert_shows(store, 2, "sealed", 0);
	stores_close(store);
}
END_TEST

/* Read every event once; how often it was begun anew. */
static unsigned
read_all(struct bat_store *store)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	unsigned anew = 0;

	for (uint32_t i = 0; anew < 100 && i < head_of(store).ordinals; i++)
		if (bat_read(store, i, &reading, NULL) == BAT_DATA_DISAGREES) {
			anew++;
			i = UINT32_MAX;
		}
	bat_reading_free(&reading);
	return anew;
}

/* Three rows of it are compared, any three; the next look takes others. */
START_TEST(a_footer_that_was_found_to_lie_is_not_believed_again)
{
	struct bat_segment_footer footer;
	struct bat_store *store;
	uint64_t generation;

	maker_segment(&maker, 1);
	for (unsigned i = 0; i < 60; i++)
		maker_event(&maker, "player:alice", "\xa1x");
	maker_footer(&maker);
	ck_assert_int_eq(bat_segment_decode_trailer(maker.file.data +
				 maker.file.length - BAT_SEGMENT_TRAILER_SIZE,
			     maker.file.length, 8, &footer),
	    0);
	/* A byte of an id. */
	maker.file.data[footer.rows_offset + 30 * BAT_SEGMENT_ROW_SIZE] ^= 1;
	put_whole("000001.fbat", &maker.file);
	store = open_reader();
	ck_assert_uint_le(read_all(store), 1);
	generation = head_of(store).generation;
	for (unsigned i = 0; i < 20; i++)
		ck_assert(!refresh(store));
	ck_assert_uint_eq(read_all(store), 0);
	ck_assert_uint_eq(head_of(store).generation, generation);
	assert_shows(store, 60, "a footer that lies", 0);
	stores_close(store);
}
END_TEST

START_TEST(what_is_hidden_later_goes_and_may_come_back)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	put_whole("000001.fbat", &maker.file);
	store = open_reader();
	(void)refresh(store);
	hide(1, 3);
	ck_assert(refresh(store));
	assert_shows(store, 4, "hidden", 0);
	ck_assert_uint_eq(bat_find_seq(store, 1), BAT_MAP_NONE);
	ck_assert_uint_eq(head_of(store).generation, 2);
	unlink_it(BAT_HIDDEN_FILE);
	ck_assert(refresh(store));
	assert_shows(store, 6, "back", 0);
	ck_assert_uint_eq(head_of(store).generation, 3);
	/* And nothing moves when nothing does. */
	ck_assert(!refresh(store));
	ck_assert_uint_eq(head_of(store).generation, 3);
	stores_close(store);
}
END_TEST

/* ---- compaction ------------------------------------------------------ */

struct compaction {
	struct bat_buf merged; /* all but the first event of segment 1 */
	struct bat_store *store;
};

/* Segments 1 to 3, which show; and what a retention makes of 1 and 2. */
static void
compaction_make(struct compaction *compaction)
{
	struct marks marks;
	unsigned count = 0;

	*compaction = (struct compaction){ .merged = BAT_BUF_EMPTY };
	for (uint64_t id = 1; id <= 3; id++) {
		char name[BAT_SEGMENT_NAME_SIZE];

		make_segment(id, &marks, &count);
		bat_segment_name(id, name);
		put(name, &maker.file, 0,
		    id == 3 ? marks.list[0].size : maker.file.length);
		if (id == 1)
			ck_assert_int_eq(bat_bytes_append(&compaction->merged,
					     maker.file.data,
					     (size_t)maker.rows[0].offset),
			    0);
		if (id <= 2)
			ck_assert_int_eq(
			    bat_bytes_append(&compaction->merged,
				maker.file.data +
				    (id == 1 ? marks.list[0].size :
					       maker.rows[6].offset),
				marks.list[3].size -
				    (id == 1 ? marks.list[0].size :
					       maker.rows[6].offset)),
			    0);
	}
	compaction->store = open_reader();
	(void)refresh(compaction->store);
	assert_shows(compaction->store, 13, "before", 0);
}

static void
compaction_begin(void)
{
	put_text(MARKER, "{\"merged_id\":1,\"source_segment_ids\":[1,2]}");
	rename_it("000001.fbat", "000001.fbat.compact-src");
}

static void
compaction_free(struct compaction *compaction)
{
	bat_bytes_free(&compaction->merged);
	stores_close(compaction->store);
}

/* Every event of the view as it was can be read. */
static void
assert_reads_all(struct bat_store *store, uint32_t count)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_error error = { .text = "" };

	for (uint32_t i = 0; i < count; i++)
		ck_assert_msg(bat_read(store, i, &reading, &error) == 0,
		    "event %u: %s", i, error.text);
	bat_reading_free(&reading);
}

START_TEST(a_compaction_is_not_seen_before_it_is_over)
{
	struct compaction compaction;
	struct bat_store *store;
	struct bat_slice name;

	compaction_make(&compaction);
	store = compaction.store;
	name = bat_name(store, bat_entity_at(store, 0));
	compaction_begin();
	for (size_t size = 0; size < compaction.merged.length; size += 40) {
		put("000001.fbat", &compaction.merged, 0, size);
		ck_assert(!refresh(store));
		assert_shows(store, 13, "merging", size);
	}
	put_whole("000001.fbat", &compaction.merged);
	unlink_it("000002.fbat");
	unlink_it("000001.fbat.compact-src");
	ck_assert(!refresh(store));
	assert_shows(store, 13, "sources gone", 0);
	assert_reads_all(store, 13);
	ck_assert_uint_eq(head_of(store).generation, 1);
	unlink_it(MARKER);
	ck_assert(refresh(store));
	assert_shows(store, 12, "over", 0);
	assert_reads_all(store, 12);
	ck_assert_uint_eq(head_of(store).generation, 2);
	/* A name that was handed out stays what it is. */
	ck_assert(bat_bytes_equal(name, bat_bytes_text("player:alice")));
	/* What comes is followed in the new view. */
	put("000003.fbat", &maker.file, 0, maker.file.length);
	ck_assert(refresh(store));
	assert_shows(store, 17, "goes on", 0);
	compaction_free(&compaction);
}
END_TEST

/* Between two looks, all of it: nobody saw a marker. */
START_TEST(a_compaction_that_nobody_saw_is_seen_by_its_files)
{
	struct compaction compaction;

	compaction_make(&compaction);
	compaction_begin();
	put_whole("000001.fbat", &compaction.merged);
	unlink_it("000002.fbat");
	unlink_it("000001.fbat.compact-src");
	unlink_it(MARKER);
	ck_assert(refresh(compaction.store));
	assert_shows(compaction.store, 12, "over", 0);
	ck_assert_uint_eq(head_of(compaction.store).generation, 2);
	compaction_free(&compaction);
}
END_TEST

/* Who reads between the look and the end of a compaction is not told of
 * damage, nor of a file that is not there. */
START_TEST(a_read_of_what_was_replaced_asks_to_be_asked_again)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct compaction compaction;
	struct bat_error error;

	compaction_make(&compaction);
	/* Rewritten in place, which nobody does: the row is of no use. */
	cut("000003.fbat", 60);
	ck_assert_int_eq(bat_read(compaction.store, 12, &reading, &error),
	    BAT_DATA_DISAGREES);
	ck_assert_uint_eq(head_of(compaction.store).generation, 2);
	assert_shows(compaction.store, 12, "cut", 60);
	bat_reading_free(&reading);
	compaction_free(&compaction);
}
END_TEST

START_TEST(a_compaction_that_died_is_sorted_out_after_five_seconds)
{
	struct compaction compaction;
	struct bat_store *store;

	compaction_make(&compaction);
	store = compaction.store;
	compaction_begin();
	put("000001.fbat", &compaction.merged, 0, 100);
	ck_assert(!refresh(store));
	now.monotonic_ns += INT64_C(4800000000);
	ck_assert(!refresh(store));
	ck_assert_uint_eq(head_of(store).generation, 1);
	now.monotonic_ns += LOOK_NS;
	ck_assert(refresh(store));
	ck_assert_uint_eq(head_of(store).generation, 2);
	assert_shows(store, 13, "by content", 0);
	/* Once, and what comes shows although the marker stays. */
	put("000003.fbat", &maker.file, 0, maker.file.length);
	now.monotonic_ns += INT64_C(9000000000);
	ck_assert(refresh(store));
	assert_shows(store, 18, "goes on", 0);
	ck_assert_uint_eq(head_of(store).generation, 2);
	compaction_free(&compaction);
}
END_TEST

/* ---- the rest -------------------------------------------------------- */

START_TEST(a_look_is_made_every_tenth_of_a_second_and_not_more_often)
{
	struct bat_store *store;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	put("000001.fbat", &maker.file, 0, marks.list[0].size);
	store = open_reader();
	(void)refresh(store);
	put("000001.fbat", &maker.file, 0, marks.list[1].size);
	now.monotonic_ns += LOOK_NS - 100000;
	ck_assert(!bat_refresh(store));
	now.monotonic_ns += 100000;
	ck_assert(bat_refresh(store));
	assert_shows(store, marks.list[1].count, "later", 0);
	stores_close(store);
}
END_TEST

START_TEST(following_changes_nothing_and_leaves_nothing_open)
{
	struct compaction compaction;
	struct bat_buf log = BAT_BUF_EMPTY;
	uint64_t hash;
	unsigned open;

	compaction_make(&compaction);
	compaction_begin();
	put_whole("000001.fbat", &compaction.merged);
	unlink_it("000002.fbat");
	unlink_it("000001.fbat.compact-src");
	unlink_it(MARKER);
	memory_disk_print_log(disk, &log);
	hash = memory_disk_hash(disk);
	open = memory_disk_open_count(disk);
	ck_assert(refresh(compaction.store));
	/* What was held of the old files is given back. */
	ck_assert_uint_le(memory_disk_open_count(disk), open - 1);
	ck_assert_uint_eq(memory_disk_hash(disk), hash);
	compaction_free(&compaction);
	ck_assert_uint_eq(memory_disk_open_count(disk), 0);
	bat_bytes_free(&log);
}
END_TEST

/* A writer of ours on the same disk, through rotations and a restart. */
START_TEST(a_writer_at_work_is_followed_event_by_event)
{
	const struct bat_options writes = { .disk = memory_disk_door(disk),
		.segment_max_bytes = 1500 };
	struct bat_store *reader = NULL, *writer;
	struct bat_error error;
	struct bat_buf wanted = BAT_BUF_EMPTY, got = BAT_BUF_EMPTY;

	for (unsigned session = 0; session < 3; session++) {
		ck_assert_int_eq(bat_open("/", &writes, &writer, &error), 0);
		for (unsigned i = 0; i < 12; i++) {
			stores_append(writer, i % 3 == 0 ? "a:b" : "c:d",
			    "\xa1x");
			if (reader == NULL)
				reader = open_reader();
			(void)refresh(reader);
			ck_assert_uint_eq(head_of(reader).visible_count,
			    head_of(writer).visible_count);
			ck_assert_uint_eq(head_of(reader).next_seq,
			    head_of(writer).next_seq);
		}
		stores_close(writer);
		(void)refresh(reader);
	}
	picture_of(reader, 0, &got);
	ck_assert_uint_eq(head_of(reader).generation, 1);
	stores_close(reader);
	reader = open_reader();
	picture_of(reader, 0, &wanted);
	stores_assert_same(&got, &wanted, "followed, and opened anew");
	stores_close(reader);
	bat_bytes_free(&got);
	bat_bytes_free(&wanted);
}
END_TEST

/* The time of every file stands still. */
static const struct bat_disk *still_base;

static int
still_stat_at(void *context, int dir, const char *name,
    struct bat_file_stat *out)
{
	int code = still_base->stat_at(context, dir, name, out);

	out->mtime_ns = out->ctime_ns = now.wall_us * 1000;
	return code;
}

static int
still_stat_fd(void *context, int fd, struct bat_file_stat *out)
{
	int code = still_base->stat_fd(context, fd, out);

	out->mtime_ns = out->ctime_ns = now.wall_us * 1000;
	return code;
}

/* A writer lays space ahead and writes over it: neither size nor time says
 * that there is more. */
START_TEST(what_is_written_within_a_tick_over_space_ahead_is_seen)
{
	struct bat_disk still;
	struct bat_options options = { .read_only = true,
		.disk = &still,
		.clock = &now.clock };
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	struct marks marks;
	unsigned count = 0;
	struct bat_buf ahead = BAT_BUF_EMPTY;

	still_base = memory_disk_door(disk);
	still = *still_base;
	still.stat_at = still_stat_at;
	still.stat_fd = still_stat_fd;
	make_segment(1, &marks, &count);
	ck_assert_int_eq(bat_bytes_reserve(&ahead, 100000), 0);
	memset(ahead.data, 0xff, 100000);
	ahead.length = 100000;
	put_whole("000001.fbat", &ahead);
	put("000001.fbat", &maker.file, 0, marks.list[0].size);
	ck_assert_int_eq(bat_open("/", &options, &store, &error), 0);
	assert_shows(store, marks.list[0].count, "opened", 0);
	(void)refresh(store);
	for (size_t i = 1; i < marks.count; i++) {
		put("000001.fbat", &maker.file, marks.list[i - 1].size,
		    marks.list[i].size);
		(void)refresh(store);
		assert_shows(store, marks.list[i].count, "written over", i);
	}
	/* And then it is sealed, and shorter. */
	put_whole("000001.fbat", &maker.file);
	cut("000001.fbat", maker.file.length);
	(void)refresh(store);
	assert_shows(store, count, "sealed", 0);
	ck_assert_uint_eq(head_of(store).generation, 1);
	stores_close(store);
	bat_bytes_free(&ahead);
}
END_TEST

START_TEST(a_pin_of_what_grows_ends_where_something_whole_does)
{
	struct bat_store *store;
	struct bat_pin *first = NULL, *second = NULL;
	struct bat_error error;
	struct marks marks;
	unsigned count = 0;

	make_segment(1, &marks, &count);
	put("000001.fbat", &maker.file, 0, marks.list[0].size + 100);
	store = open_reader();
	ck_assert_int_eq(bat_take_pin(store, NULL, &first, &error), 0);
	ck_assert_uint_eq(first->count, 1);
	ck_assert_uint_eq(first->files[0].size, marks.list[0].size);
	put("000001.fbat", &maker.file, 0, marks.list[1].size + 100);
	ck_assert(refresh(store));
	ck_assert_int_eq(bat_take_pin(store, first, &second, &error), 0);
	ck_assert_uint_eq(second->files[0].size, marks.list[1].size);
	ck_assert_uint_eq(second->visible_count, 4);
	/* What was pinned before has not moved. */
	ck_assert_uint_eq(first->files[0].size, marks.list[0].size);
	bat_pin_release(first);
	bat_pin_release(second);
	/* Sealed: with its footer. */
	put_whole("000001.fbat", &maker.file);
	ck_assert(refresh(store));
	ck_assert_int_eq(bat_take_pin(store, NULL, &first, &error), 0);
	ck_assert_uint_eq(first->files[0].size, maker.file.length);
	bat_pin_release(first);
	stores_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("follower");
	TCase *tcase = tcase_create("core");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_store_that_grows_by_bytes_shows_what_is_whole);
	tcase_add_test(tcase,
	    whoever_comes_in_the_middle_of_a_write_goes_on_from_there);
	tcase_add_test(tcase, what_is_cut_off_goes_under_a_new_generation);
	tcase_add_test(tcase, what_is_written_over_is_seen);
	tcase_add_test(tcase,
	    what_is_written_within_a_tick_over_space_ahead_is_seen);
	tcase_add_test(tcase,
	    a_segment_of_which_nothing_was_shown_may_go_and_come_back);
	tcase_add_test(tcase, a_segment_that_nobody_sealed_is_read_to_its_end);
	tcase_add_test(tcase, damage_is_named_only_below_a_higher_segment);
	tcase_add_test(tcase, a_footer_that_knows_other_numbers_is_believed);
	tcase_add_test(tcase,
	    a_footer_that_was_found_to_lie_is_not_believed_again);
	tcase_add_test(tcase, what_is_hidden_later_goes_and_may_come_back);
	tcase_add_test(tcase, a_compaction_is_not_seen_before_it_is_over);
	tcase_add_test(tcase,
	    a_compaction_that_nobody_saw_is_seen_by_its_files);
	tcase_add_test(tcase,
	    a_read_of_what_was_replaced_asks_to_be_asked_again);
	tcase_add_test(tcase,
	    a_compaction_that_died_is_sorted_out_after_five_seconds);
	tcase_add_test(tcase,
	    a_look_is_made_every_tenth_of_a_second_and_not_more_often);
	tcase_add_test(tcase,
	    following_changes_nothing_and_leaves_nothing_open);
	tcase_add_test(tcase, a_writer_at_work_is_followed_event_by_event);
	tcase_add_test(tcase,
	    a_pin_of_what_grows_ends_where_something_whole_does);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
