/*
 * A compaction that is cut off anywhere: batpak and batfs find each event once,
 * and what was left behind is cleared away.
 */
#include "compactions.h"
#include "marker.h"
#include "memory_disk.h"
#include "segment_reader.h"
#include "suite.h"

/* What lies in a directory, and which segments batpak reads of it: those of the
 * marker's sources count while the merged one is not there. */
struct sight {
	uint64_t ids[16], read[16];
	size_t count, read_count;
	uint64_t merged, highest;
	bool marked, has_index;
};

static int
see_name(void *context, const char *name)
{
	struct sight *sight = context;
	uint64_t id;

	if (strncmp(name, "index.", 6) == 0)
		sight->has_index = true;
	if (!bat_segment_id_of_name(name, &id))
		return 0;
	ck_assert_uint_lt(sight->count, 16);
	sight->ids[sight->count++] = id;
	if (id > sight->highest)
		sight->highest = id;
	return 0;
}

static bool
has_id(const uint64_t *ids, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static size_t
sources_of(const char *text, uint64_t sources[16])
{
	const char *at = strchr(text, '[');
	size_t count = 0;
	char *end;

	for (; at != NULL && *at != ']' && count < 16; at = end)
		sources[count++] = strtoull(at + 1, &end, 10);
	return count;
}

static void
look_as_batpak(const struct bat_disk *door, struct sight *out)
{
	int dir = door->open_dir(door->context, "/", false);
	struct bat_buf text = BAT_BUF_EMPTY;
	uint64_t sources[16];
	size_t count = 0;
	bool merged;

	*out = (struct sight){ .count = 0 };
	door->list(door->context, dir, see_name, out);
	if (bat_file_read_whole(door, dir, BAT_SEGMENT_DIR_MARKER, 4096, &text,
		NULL) == BAT_OK) {
		ck_assert_int_eq(bat_bytes_append_byte(&text, 0), 0);
		out->marked = true;
		out->merged = strtoull(strchr((char *)text.data, ':') + 1, NULL,
		    10);
		count = sources_of((char *)text.data, sources);
	}
	bat_bytes_free(&text);
	door->close(door->context, dir);
	merged = has_id(out->ids, out->count, out->merged);
	for (size_t i = 0; i < out->count; i++)
		if (!out->marked || !merged ||
		    !has_id(sources, count, out->ids[i]))
			out->read[out->read_count++] = out->ids[i];
	/* Else the open fails. */
	for (size_t i = 0; out->marked && !merged && i < count; i++)
		ck_assert(has_id(out->ids, out->count, sources[i]));
	/* What speaks of the sources' places may not outlive them. */
	if (out->marked && merged)
		ck_assert(!out->has_index);
	/* batpak's next segment must not be taken for the merged one. */
	if (out->marked && !merged)
		ck_assert_uint_gt(out->highest, out->merged);
}

static unsigned
events_read(const struct bat_disk *door, const struct sight *sight)
{
	struct bat_segment_dir segments;
	struct bat_segment_reader reader;
	struct bat_segment_item item;
	unsigned events = 0;

	ck_assert_int_eq(
	    bat_segment_dir_open(&segments, door, "/", false, NULL), 0);
	ck_assert_int_eq(bat_segment_dir_scan(&segments, NULL), 0);
	for (size_t i = 0; i < sight->read_count; i++) {
		ck_assert_int_eq(bat_segment_reader_open(&reader, &segments,
				     sight->read[i], NULL),
		    0);
		while (
		    bat_segment_reader_next(&reader, &item, NULL) == BAT_OK) {
			ck_assert_int_eq(item.state, BAT_FRAME_WHOLE);
			events += !bat_codec_is_marker(&item.event);
		}
		bat_segment_reader_close(&reader);
	}
	bat_segment_dir_close(&segments);
	return events;
}

struct watch {
	struct bat_buf before;
	unsigned events, states;
};

/* Somebody opens it after a crash here: batpak, then we. */
static void
open_there(struct watch *watch, struct memory_disk *crash)
{
	const struct bat_disk *door = memory_disk_door(crash);
	const struct bat_options options = { .disk = door };
	struct bat_buf after = BAT_BUF_EMPTY;
	struct bat_store *store = NULL;
	struct bat_error error;
	struct sight sight;

	look_as_batpak(door, &sight);
	ck_assert_uint_eq(events_read(door, &sight), watch->events);
	ck_assert_msg(bat_open("/", &options, &store, &error) == 0, "%s",
	    error.text);
	compactions_picture(store, &after);
	stores_assert_same(&after, &watch->before, "after a crash");
	stores_append(store, "player:alice", "\xa1z");
	stores_close(store);
	look_as_batpak(door, &sight);
	ck_assert(!sight.marked);
	bat_bytes_free(&after);
	memory_disk_free(crash);
	watch->states++;
}

static void
at_operation(void *context, struct memory_disk *disk,
    const struct memory_disk_op *op)
{
	struct memory_disk_fate fates[64] = { { .kind = MEMORY_DISK_NOT } };
	size_t pending = memory_disk_pending_count(disk);

	(void)op;
	open_there(context, memory_disk_copy(disk));
	ck_assert_uint_le(pending, 64);
	open_there(context, memory_disk_crash(disk, fates));
	/* The last thing alone. */
	if (pending == 0)
		return;
	fates[pending - 1].kind = MEMORY_DISK_WHOLE;
	if (memory_disk_may_leave(disk, fates))
		open_there(context, memory_disk_crash(disk, fates));
}

START_TEST(at_every_step_batpak_and_batfs_find_each_event_once)
{
	struct memory_disk *disk = memory_disk_new(MEMORY_DISK_STRICT, 5);
	const struct bat_options options = { .disk = memory_disk_door(disk) };
	struct watch watch = { .before = BAT_BUF_EMPTY };
	struct bat_compacted done;
	struct bat_store *store = NULL;
	struct bat_error error;
	struct sight sight;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(bat_open("/", &options, &store, &error), 0);
		stores_append(store, "player:alice", "\xa1x");
		stores_append(store, "player:bob", "\xa1y");
		/* Idle, or with a segment that is being written. */
		if (i < 2 || _i == 0)
			stores_close(store);
	}
	if (_i == 0)
		ck_assert_int_eq(bat_open("/", &options, &store, &error), 0);
	compactions_picture(store, &watch.before);
	look_as_batpak(options.disk, &sight);
	watch.events = events_read(options.disk, &sight);
	memory_disk_watch(disk, at_operation, &watch);
	compactions_run(store, &done);
	memory_disk_watch(disk, NULL, NULL);
	ck_assert(done.performed);
	ck_assert_uint_gt(watch.states, 40);
	look_as_batpak(options.disk, &sight);
	ck_assert_uint_eq(sight.count, 1);
	stores_close(store);
	bat_bytes_free(&watch.before);
	memory_disk_free(disk);
}
END_TEST

/* A directory as a crash behind the rename leaves it: the merged segment 5, its
 * sources 1 to 3, and the marker. */
static void
make_unswept(struct temp_dir *dir, struct bat_buf *before)
{
	struct bat_buf files[3] = { BAT_BUF_EMPTY, BAT_BUF_EMPTY,
		BAT_BUF_EMPTY };
	struct bat_buf text = BAT_BUF_EMPTY;
	const uint64_t ids[] = { 1, 2, 3 };
	struct bat_compacted done;
	struct bat_store *store;
	char name[BAT_SEGMENT_NAME_SIZE];

	compactions_sessions(dir, 3, 3);
	stores_without_index(dir);
	store = stores_open(dir, false);
	compactions_picture(store, before);
	for (uint64_t id = 1; id <= 3; id++) {
		bat_segment_name(id, name);
		temp_dir_read(dir, name, &files[id - 1]);
	}
	compactions_run(store, &done);
	stores_close(store);
	stores_without_index(dir);
	for (uint64_t id = 1; id <= 3; id++) {
		bat_segment_name(id, name);
		temp_dir_write(dir, name, bat_bytes_of_buf(&files[id - 1]));
		bat_bytes_free(&files[id - 1]);
	}
	ck_assert_uint_eq(done.merged, 4);
	ck_assert_int_eq(bat_marker_encode(4, ids, 3, &text), 0);
	temp_dir_write(dir, BAT_SEGMENT_DIR_MARKER, bat_bytes_of_buf(&text));
	bat_bytes_free(&text);
}

static void
assert_heals(const struct temp_dir *dir, const struct bat_buf *before,
    unsigned segments)
{
	struct bat_buf after = BAT_BUF_EMPTY;
	struct bat_store *store = stores_open(dir, false);

	compactions_picture(store, &after);
	stores_assert_same(&after, before, "opened");
	stores_append(store, "player:alice", "\xa1z");
	stores_close(store);
	ck_assert(!temp_dir_has(dir, BAT_SEGMENT_DIR_MARKER));
	ck_assert_uint_eq(compactions_segments(dir), segments);
	ck_assert_uint_eq(compactions_broken(dir), 0);
	bat_bytes_clear(&after);
	stores_picture(dir, PICTURE_NO_PLACE, &after);
	after.length = before->length;
	stores_assert_same(&after, before, "healed");
	bat_bytes_free(&after);
}

START_TEST(the_marker_is_that_of_the_format)
{
	static const char wanted[] =
	    "{\"merged_id\":4,\"source_segment_ids\":[1,2,3],"
	    "\"batfs_crc32\":2013149520}";
	const uint64_t ids[] = { 1, 2, 3 };
	struct bat_buf text = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_marker_encode(4, ids, 3, &text), 0);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&text), bat_bytes_text(wanted)));
	bat_bytes_free(&text);
}
END_TEST

START_TEST(sources_of_a_finished_merge_go)
{
	struct bat_buf before = BAT_BUF_EMPTY;
	struct temp_dir dir;

	make_unswept(&dir, &before);
	/* The second opinion does not take them for events of their own. */
	ck_assert_uint_eq(compactions_broken(&dir), 0);
	temp_dir_unlink(&dir, "000002.fbat");
	ck_assert_uint_eq(compactions_broken(&dir), 0);
	assert_heals(&dir, &before, 2);
	bat_bytes_free(&before);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_merged_segment_that_is_damaged_gives_way_to_its_sources)
{
	struct bat_buf before = BAT_BUF_EMPTY;
	struct temp_dir dir;

	make_unswept(&dir, &before);
	temp_dir_flip(&dir, "000004.fbat", 1400, 0x10);
	assert_heals(&dir, &before, 4);
	bat_bytes_free(&before);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_marker_of_ours_that_was_changed_is_not_believed)
{
	struct bat_buf before = BAT_BUF_EMPTY, files = BAT_BUF_EMPTY;
	struct bat_buf after = BAT_BUF_EMPTY;
	const struct bat_options options = { .read_only = false };
	struct bat_store *store = NULL;
	struct bat_error error;
	struct temp_dir dir;

	make_unswept(&dir, &before);
	/* Other ids: what is healed by them would be lost. */
	temp_dir_flip(&dir, BAT_SEGMENT_DIR_MARKER, strlen("{\"merged_id\":"),
	    1);
	stores_files(&dir, &files);
	ck_assert_int_eq(bat_open(dir.path, &options, &store, &error),
	    BAT_DATA_CORRUPT);
	ck_assert_ptr_nonnull(strstr(error.text, "batctl repair"));
	stores_files(&dir, &after);
	stores_assert_same(&after, &files, "the directory");
	bat_bytes_free(&before);
	bat_bytes_free(&files);
	bat_bytes_free(&after);
	temp_dir_remove(&dir);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("compaction_crash");
	TCase *tcase = tcase_create("crashes");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase,
	    at_every_step_batpak_and_batfs_find_each_event_once, 0, 2);
	tcase_add_test(tcase, the_marker_is_that_of_the_format);
	tcase_add_test(tcase, sources_of_a_finished_merge_go);
	tcase_add_test(tcase,
	    a_merged_segment_that_is_damaged_gives_way_to_its_sources);
	tcase_add_test(tcase,
	    a_marker_of_ours_that_was_changed_is_not_believed);
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	return suite_run(make_suite());
}
