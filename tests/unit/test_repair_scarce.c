/*
 * Repair and salvage when memory or the disk fails in the middle: nothing is
 * lost by it, and a second repair comes to the end that the first would have
 * come to.
 */
#include "scarce.h"
#include "stores.h"
#include "suite.h"

static struct temp_dir temp;

static void
move(const char *from, const char *to, bool keep)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	temp_dir_read(&temp, from, &file);
	temp_dir_write(&temp, to, bat_bytes_of_buf(&file));
	if (!keep)
		temp_dir_unlink(&temp, from);
	bat_bytes_free(&file);
}

static void
holes_and_a_header(void)
{
	stores_golden(&temp, "missing-footer");
	temp_dir_flip(&temp, "000001.fbat", 6, 1);
	temp_dir_flip(&temp, "000002.fbat", 5000, 1);
	temp_dir_truncate(&temp, "000003.fbat", 8000);
}

static void
other_names(void)
{
	stores_golden(&temp, "missing-footer");
	move("000003.fbat", "000011.fbat", true);
	move("000004.fbat", "000033.fbat", false);
}

static void
an_index_that_is_wrong(void)
{
	stores_golden(&temp, "both-index");
	temp_dir_flip(&temp, "000001.fbat", 4000, 1);
	temp_dir_flip(&temp, "index.ckpt", 900, 1);
}

static void
hidden_events(void)
{
	stores_golden(&temp, "hidden");
	temp_dir_flip(&temp, "000001.fbat", 9000, 1);
}

static void
a_compaction(void)
{
	stores_golden(&temp, "compaction-pending");
}

static void
a_marker_of_nobody(void)
{
	stores_golden(&temp, "compaction-pending");
	temp_dir_write(&temp, "compaction.pending.json",
	    bat_bytes_text("rubbish"));
}

static void
torn_ends(void)
{
	stores_golden(&temp, "torn-not-last");
}

static const struct {
	const char *name;
	void (*make)(void);
} damages[] = {
	{ "holes and a header", holes_and_a_header },
	{ "other names", other_names },
	{ "an index that is wrong", an_index_that_is_wrong },
	{ "hidden events", hidden_events },
	{ "a compaction", a_compaction },
	{ "a marker of nobody", a_marker_of_nobody },
	{ "torn ends", torn_ends },
};
enum { DAMAGES = sizeof(damages) / sizeof(damages[0]) };

static struct memory_disk *
damaged(int i)
{
	struct memory_disk *disk;

	damages[i].make();
	disk = scarce_ground(&temp);
	temp_dir_remove(&temp);
	return disk;
}

/* ---- repair ----------------------------------------------------------- */

static int
repair(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	struct bat_repair_counts counts;

	(void)context;
	return bat_repair(disk, SCARCE_PATH, true, NULL, &counts, error);
}

static void
picture_at(struct memory_disk *disk, const char *path, struct bat_buf *out)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	int code = bat_open(path,
	    &(struct bat_options){ .read_only = true,
		.disk = memory_disk_door(disk) },
	    &store, &error);

	ck_assert_msg(code == 0, "%s", error.text);
	picture_of(store, PICTURE_NO_PLACE, out);
	stores_close(store);
}

/* context is the picture of a repair that nothing disturbed. */
static void
a_second_repair_ends_it(void *context, struct memory_disk *disk, int code,
    const char *label)
{
	struct bat_error error = { .text = "" };
	struct bat_buf picture = BAT_BUF_EMPTY;
	const char *difference;

	(void)code;
	ck_assert_int_eq(repair(NULL, memory_disk_door(disk), &error), 0);
	picture_at(disk, SCARCE_PATH, &picture);
	difference = picture_difference(context, &picture);
	ck_assert_msg(difference == NULL, "%s: %.99s", label, difference);
	bat_bytes_free(&picture);
}

START_TEST(a_repair_that_could_not_end_is_ended_by_the_next)
{
	struct memory_disk *ground = damaged(_i);
	struct memory_disk *undisturbed = memory_disk_copy(ground);
	struct bat_error error = { .text = "" };
	struct bat_buf wanted = BAT_BUF_EMPTY;
	struct scarce_work work = { .name = damages[_i].name,
		.ground = ground,
		.run = repair,
		.context = &wanted,
		.holds = a_second_repair_ends_it };

	ck_assert_int_eq(repair(NULL, memory_disk_door(undisturbed), &error),
	    0);
	picture_at(undisturbed, SCARCE_PATH, &wanted);
	scarce_memory(&work);
	scarce_disk(&work);
	memory_disk_free(undisturbed);
	memory_disk_free(ground);
	bat_bytes_free(&wanted);
}
END_TEST

/* ---- salvage ---------------------------------------------------------- */

struct salvage {
	struct bat_buf wanted;
	struct bat_salvage_counts counts, wanted_counts;
};

static int
salvage(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	struct salvage *it = context;

	return bat_repair_salvage(disk, SCARCE_PATH, "/saved", NULL,
	    &it->counts, error);
}

/* What says that it is done has all, or names a gap. */
static void
it_does_not_hide_a_loss(void *context, struct memory_disk *disk, int code,
    const char *label)
{
	const struct salvage *it = context;
	struct bat_buf picture = BAT_BUF_EMPTY;

	if (code != BAT_OK)
		return;
	picture_at(disk, "/saved", &picture);
	ck_assert_msg(picture_difference(&it->wanted, &picture) == NULL ||
		it->counts.gaps > it->wanted_counts.gaps ||
		it->counts.gap_bytes > it->wanted_counts.gap_bytes,
	    "%s: %s", label, picture_difference(&it->wanted, &picture));
	bat_bytes_free(&picture);
}

START_TEST(a_salvage_that_says_it_is_done_hides_no_loss)
{
	struct memory_disk *ground = damaged(_i);
	struct memory_disk *undisturbed = memory_disk_copy(ground);
	struct bat_error error = { .text = "" };
	struct salvage it = { .wanted = BAT_BUF_EMPTY };
	struct scarce_work work = { .name = damages[_i].name,
		.ground = ground,
		.run = salvage,
		.context = &it,
		.holds = it_does_not_hide_a_loss };

	ck_assert_int_eq(salvage(&it, memory_disk_door(undisturbed), &error),
	    0);
	it.wanted_counts = it.counts;
	picture_at(undisturbed, "/saved", &it.wanted);
	scarce_memory(&work);
	scarce_disk(&work);
	memory_disk_free(undisturbed);
	memory_disk_free(ground);
	bat_bytes_free(&it.wanted);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("repair_scarce");
	TCase *tcase = tcase_create("repair_scarce");

	tcase_set_timeout(tcase, 600);
	tcase_add_loop_test(tcase,
	    a_repair_that_could_not_end_is_ended_by_the_next, 0, DAMAGES);
	tcase_add_loop_test(tcase, a_salvage_that_says_it_is_done_hides_no_loss,
	    0, DAMAGES);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
