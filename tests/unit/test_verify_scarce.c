/*
 * The second opinion, and what looks at a directory, when memory or the disk
 * fails in the middle: they say so, and never that a store is sound or damaged
 * of which they did not see all.
 */
#include "inspect.h"
#include "scarce.h"
#include "stores.h"
#include "suite.h"
#include "verify.h"

static const struct {
	const char *shape;
	int verify, inspect;
} shapes[] = {
	{ "mixed", BAT_OK, BAT_OK },
	{ "both-index", BAT_OK, BAT_OK },
	{ "extensions", BAT_OK, BAT_OK },
	{ "hidden", BAT_OK, BAT_OK },
	{ "compacted-merge", BAT_OK, BAT_OK },
	{ "compaction-pending", BAT_OK, BAT_OK },
	{ "batch-torn-reopened", BAT_DATA_CORRUPT, BAT_OK },
	{ "bad-crc", BAT_OK, BAT_OK },
	{ "torn-not-last", BAT_DATA_CORRUPT, BAT_OK },
};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static struct memory_disk *
ground_of(const char *shape)
{
	struct memory_disk *disk;
	struct temp_dir dir;

	stores_golden(&dir, shape);
	disk = scarce_ground(&dir);
	temp_dir_remove(&dir);
	return disk;
}

static int
verify(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	struct bat_verify_counts counts;
	const struct bat_verify_how *how = context;

	return bat_verify_directory_as(how, disk, SCARCE_PATH, NULL, &counts,
	    error);
}

static void
verify_shape(int shape, bool plain)
{
	struct bat_verify_how how = { .plain = plain,
		.split_bytes = UINT64_MAX };
	struct memory_disk *ground = ground_of(shapes[shape].shape);
	struct bat_error error = { .text = "" };
	struct scarce_work work = { .name = shapes[shape].shape,
		.ground = ground,
		.run = verify,
		.context = &how,
		.only_reads = true,
		.usual = shapes[shape].verify };

	ck_assert_int_eq(verify(&how, memory_disk_door(ground), &error),
	    shapes[shape].verify);
	scarce_memory(&work);
	scarce_disk(&work);
	scarce_reads(&work);
	memory_disk_free(ground);
}

START_TEST(verify_without_memory_or_disk_says_so)
{
	verify_shape(_i, true);
}
END_TEST

START_TEST(the_swift_verify_without_memory_or_disk_says_so)
{
	verify_shape(_i, false);
}
END_TEST

static int
look_on(void *context, const char *key, const char *value)
{
	bool *out_said = context;

	*out_said = *out_said || strcmp(key, "writable") == 0;
	return value[0] == '\0';
}

static int
inspect(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	bool said = false;
	int code = bat_inspect(disk, SCARCE_PATH,
	    &(struct bat_inspect_sink){ &said, look_on }, error);

	(void)context;
	/* Nothing said, and all is well? */
	return code == BAT_OK && !said ? BAT_STATE_NOT_FOUND : code;
}

/* A file that the disk does not give is damage too, which it names. */
START_TEST(an_inspection_without_memory_or_disk_does_not_call_it_sound)
{
	struct memory_disk *ground = ground_of(shapes[_i].shape);
	struct bat_error error = { .text = "" };
	struct scarce_work work = { .name = shapes[_i].shape,
		.ground = ground,
		.run = inspect,
		.only_reads = true,
		.usual = shapes[_i].inspect };

	ck_assert_int_eq(inspect(NULL, memory_disk_door(ground), &error),
	    shapes[_i].inspect);
	scarce_memory(&work);
	memory_disk_free(ground);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verify_scarce");
	TCase *tcase = tcase_create("verify_scarce");

	tcase_set_timeout(tcase, 600);
	tcase_add_loop_test(tcase, verify_without_memory_or_disk_says_so, 0,
	    SHAPES);
	tcase_add_loop_test(tcase,
	    the_swift_verify_without_memory_or_disk_says_so, 0, SHAPES);
	tcase_add_loop_test(tcase,
	    an_inspection_without_memory_or_disk_does_not_call_it_sound, 0,
	    SHAPES);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
