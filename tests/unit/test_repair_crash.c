/* A crash at any place of a repair loses nothing. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "bat.h"
#include "maker.h"
#include "memory_disk.h"
#include "repaired.h"
#include "stores.h"
#include "suite.h"

static unsigned crash_states;

static void
put_file(const struct bat_disk *door, int dir, const char *name)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	temp_dir_read(&temp, name, &file);
	ck_assert_int_eq(bat_file_put_whole(door, dir, name,
			     bat_bytes_of_buf(&file), true, NULL),
	    0);
	bat_bytes_free(&file);
}

/* What the next one finds is repaired to the same store. */
static void
assert_recovers(struct memory_disk *disk)
{
	const struct bat_options options = { .read_only = true,
		.disk = memory_disk_door(disk) };
	struct bat_repair_counts after;
	struct bat_buf now = BAT_BUF_EMPTY;
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	int code = bat_repair(options.disk, "/", true, NULL, &after, &error);

	ck_assert_msg(code == 0, "state %u: %s", crash_states, error.text);
	ck_assert_int_eq(bat_open("/", &options, &store, &error), 0);
	picture_of(store, PICTURE_NO_PLACE, &now);
	ck_assert_int_eq(bat_close(store, NULL), 0);
	assert_lost(&now, 2);
	bat_bytes_free(&now);
	crash_states++;
}

static void
cut_power(struct memory_disk *disk, enum memory_disk_fate_kind kind)
{
	size_t count = memory_disk_pending_count(disk);
	struct memory_disk_fate *fates = calloc(count + 1, sizeof(*fates));
	struct memory_disk *left;

	for (size_t i = 0; i < count; i++)
		fates[i].kind = kind;
	if (memory_disk_may_leave(disk, fates)) {
		left = memory_disk_crash(disk, fates);
		assert_recovers(left);
		memory_disk_free(left);
	}
	free(fates);
}

static void
crash_here(void *context, struct memory_disk *disk,
    const struct memory_disk_op *op)
{
	struct memory_disk *killed = memory_disk_copy(disk);

	(void)context;
	(void)op;
	assert_recovers(killed);
	memory_disk_free(killed);
	cut_power(disk, MEMORY_DISK_NOT);
	cut_power(disk, MEMORY_DISK_WHOLE);
}

/*
 * Numbers that only the index tells (a gap before the last segment), two
 * segments with holes, one without a footer that has to get one. The power goes,
 * or the process is killed, behind every operation.
 */
START_TEST(a_crash_at_any_place_loses_nothing)
{
	static const char *const names[] = { "000001.fbat", "000002.fbat",
		"000003.fbat", "index.ckpt" };
	struct memory_disk *disk = memory_disk_new(MEMORY_DISK_STRICT, 7);
	const struct bat_disk *door = memory_disk_door(disk);
	struct bat_buf index = BAT_BUF_EMPTY;
	struct maker maker;
	uint64_t bad[4];
	int dir;

	temp_dir_make(&temp);
	maker_init(&maker);
	for (uint64_t id = 1; id <= 3; id++) {
		maker.next_seq += 10;
		maker_segment(&maker, id);
		maker_event(&maker, "player:alice", "\xa1x");
		bad[id] = maker_event(&maker, "player:bob", "\xa1y");
		maker_event(&maker, "player:alice", "\xa1z");
		if (id == 1)
			maker_footer(&maker);
		maker_save(&maker, &temp);
	}
	maker_index(&maker, false, 6, &index);
	temp_dir_write(&temp, "index.ckpt", bat_bytes_of_buf(&index));
	stores_picture(&temp, PICTURE_NO_PLACE, &intact);
	flip("000001.fbat", bad[1] + 40);
	flip("000003.fbat", bad[3] + 40);
	dir = door->open_dir(door->context, "/", false);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put_file(door, dir, names[i]);
	door->close(door->context, dir);
	memory_disk_watch(disk, crash_here, NULL);
	repair(door, "/", true);
	memory_disk_watch(disk, NULL, NULL);
	ck_assert_uint_gt(crash_states, 60);
	assert_recovers(disk);
	memory_disk_free(disk);
	maker_free(&maker);
	bat_bytes_free(&index);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("repair_crash");
	TCase *crashes = tcase_create("crashes");

	tcase_add_checked_fixture(crashes, NULL, teardown);
	tcase_add_test(crashes, a_crash_at_any_place_loses_nothing);
	suite_add_tcase(suite, crashes);
	return suite_run(suite);
}
