/*
 * A compaction that did not end, read while memory or the disk fails: who opens
 * the store is told so or shown every event, and nothing is changed.
 */
#include "marker.h"
#include "pending.h"
#include "scarce.h"
#include "suite.h"

/* What the store says without any fault. By ids: whoever only reads counts
 * numbers anew where the disk does not give a footer. */
struct answer {
	uint64_t visible, sum;
};

static int
ask(struct bat_store *store, struct answer *out, struct bat_error *error)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_head head;
	int code = BAT_OK;

	bat_head(store, &head);
	*out = (struct answer){ .visible = head.visible_count };
	for (uint32_t i = 0; code == BAT_OK && i < head.ordinals; i++) {
		code = bat_read(store, i, &reading, error);
		if (code == BAT_OK)
			out->sum = out->sum * 31 +
			    bat_bytes_get_le64(reading.row.id.bytes + 8);
	}
	bat_reading_free(&reading);
	/* What the disk does not give is damage of that event. */
	return code == BAT_DATA_CORRUPT ?
	    bat_error_set(error, BAT_WORLD_IO, "an event is not readable") :
	    code;
}

static int
open_and_ask(const struct bat_disk *disk, struct answer *out,
    struct bat_error *error)
{
	struct bat_store *store;
	int code = bat_open(SCARCE_PATH,
	    &(struct bat_options){ .read_only = true, .disk = disk }, &store,
	    error);

	if (code != BAT_OK)
		return code;
	code = ask(store, out, error);
	(void)bat_close(store, NULL);
	return code;
}

static int
read_it(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	const struct answer *wanted = context;
	struct answer got;
	int code = open_and_ask(disk, &got, error);

	/* No code of a failure: scarce refuses it. */
	if (code == BAT_OK &&
	    (got.visible != wanted->visible || got.sum != wanted->sum))
		return 1;
	return code;
}

static void
under_faults(const struct temp_dir *dir, const char *name, uint64_t visible)
{
	struct bat_error error = { .text = "" };
	struct memory_disk *ground = scarce_ground(dir);
	struct answer wanted;
	struct scarce_work work = { .name = name,
		.ground = ground,
		.run = read_it,
		.context = &wanted,
		.only_reads = true };
	int code = open_and_ask(memory_disk_door(ground), &wanted, &error);

	ck_assert_msg(code == 0, "%s: %s", name, error.text);
	ck_assert_msg(wanted.visible == visible, "%s: %llu events", name,
	    (unsigned long long)wanted.visible);
	scarce_memory(&work);
	scarce_disk(&work);
	memory_disk_free(ground);
}

START_TEST(batpaks_in_any_step_is_shown_whole_or_not_at_all)
{
	struct pending pending;
	char name[32];

	snprintf(name, sizeof(name), "step %d", _i);
	pending_make(&pending);
	pending_step(&pending, (enum step)_i);
	under_faults(&pending.dir, name, 12);
	pending_free(&pending);
}
END_TEST

static const struct {
	const char *name;
	uint64_t merged;
	uint64_t sources[3];
	size_t count;
	unsigned gone;	  /* so many of the sources, the first ones */
	uint64_t visible; /* segments 1 to 4 have three events each */
} ours[] = {
	{ "nothing was done yet", 5, { 1, 2, 3 }, 3, 0, 12 },
	{ "a source is gone", 5, { 1, 2, 3 }, 3, 1, 9 },
	{ "the merge is whole", 3, { 1, 2 }, 2, 0, 6 },
	{ "the merge has no footer", 4, { 1, 2, 3 }, 3, 0, 9 },
	{ "one source is left", 3, { 1, 2 }, 2, 1, 6 },
	{ "all is done", 3, { 1, 2 }, 2, 2, 6 },
};
enum { OURS = sizeof(ours) / sizeof(ours[0]) };

START_TEST(ours_in_any_step_is_shown_whole_or_not_at_all)
{
	static const char *const files[] = { "000001.fbat", "000002.fbat" };
	struct bat_buf text = BAT_BUF_EMPTY;
	struct pending pending;

	pending_make(&pending);
	ck_assert_int_eq(bat_marker_encode(ours[_i].merged, ours[_i].sources,
			     ours[_i].count, &text),
	    0);
	temp_dir_write(&pending.dir, MARKER, bat_bytes_of_buf(&text));
	for (unsigned i = 0; i < ours[_i].gone; i++)
		temp_dir_unlink(&pending.dir, files[i]);
	under_faults(&pending.dir, ours[_i].name, ours[_i].visible);
	bat_bytes_free(&text);
	pending_free(&pending);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recovery_marker_scarce");
	TCase *tcase = tcase_create("recovery_marker_scarce");

	tcase_set_timeout(tcase, 600);
	tcase_add_loop_test(tcase,
	    batpaks_in_any_step_is_shown_whole_or_not_at_all, 0, STEPS);
	tcase_add_loop_test(tcase,
	    ours_in_any_step_is_shown_whole_or_not_at_all, 0, OURS);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
