/*
 * The disk of the rigs: what it says a power cut could leave must be just
 * that. A disk that kept too much would hide what it is there to find.
 */
#include "disk.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "temp_dir.h"

enum { PAGES = 4, SIZE = PAGES * RIG_PAGE, SEEDS = 300 };

static struct temp_dir dir;
static struct rig_disk disk;
static uint8_t bytes[SIZE];
static char path[512];

static void
set_up(void)
{
	struct rig_image empty = { rig_allocate(PAGES, sizeof(void *)), PAGES };

	temp_dir_make(&dir);
	snprintf(path, sizeof(path), "%s/image", dir.path);
	ck_assert_int_eq(rig_image_save(&empty, path), 0);
	ck_assert_int_eq(rig_disk_init(&disk, path), 0);
	rig_image_free(&empty);
}

static void
tear_down(void)
{
	rig_disk_free(&disk);
	temp_dir_remove(&dir);
}

/* A page of one letter. */
static void
write_page(size_t page, char letter)
{
	memset(bytes, letter, RIG_PAGE);
	ck_assert_int_eq(
	    rig_disk_write(&disk, page * RIG_PAGE, bytes, RIG_PAGE), 0);
}

/* The letter of each sector, '.' for zeros; a mixed one is wrong. */
static void
picture(char out[SIZE / RIG_SECTOR + 1])
{
	ck_assert_int_eq(rig_disk_read(&disk, 0, bytes, SIZE), 0);
	for (size_t i = 0; i < SIZE / RIG_SECTOR; i++) {
		const uint8_t *sector = bytes + i * RIG_SECTOR;

		ck_assert_mem_eq(sector, sector + 1, RIG_SECTOR - 1);
		out[i] = sector[0] == 0 ? '.' : (char)sector[0];
	}
	out[SIZE / RIG_SECTOR] = '\0';
}

static struct rig_cut_told
cut(size_t position, enum rig_cut_kind kind, uint64_t seed)
{
	const struct rig_cut order = { position, kind, seed };
	struct rig_cut_told told;

	rig_disk_cut(&disk, &order, &told);
	return told;
}

static void
shows(const char *wanted)
{
	char got[SIZE / RIG_SECTOR + 1];

	picture(got);
	ck_assert_str_eq(got, wanted);
}

/* a is flushed; then b over a, c beside it, and d over c. */
static void
write_story(void)
{
	write_page(0, 'a');
	ck_assert_int_eq(rig_disk_flush(&disk), 0);
	write_page(0, 'b');
	write_page(1, 'c');
	rig_disk_note(&disk, "here", 4);
	write_page(1, 'd');
}

#define ALL 6

START_TEST(nothing_pending_is_kept_or_all_of_it)
{
	struct rig_cut_told told;

	write_story();
	told = cut(ALL, RIG_CUT_NONE, 1);
	shows("aaaaaaaa........................");
	ck_assert_uint_eq(told.durable, 2);
	ck_assert_uint_eq(told.pending, 3);
	ck_assert_uint_eq(told.lost, 24);
	cut(ALL, RIG_CUT_ALL, 1);
	shows("bbbbbbbbdddddddd................");
	/* And back: places need not rise. */
	cut(1, RIG_CUT_NONE, 1);
	shows("................................");
	cut(1, RIG_CUT_ALL, 1);
	shows("aaaaaaaa........................");
}
END_TEST

START_TEST(a_prefix_is_the_first_writes_and_not_all)
{
	bool seen[3] = { false, false, false };

	write_story();
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		size_t kept = cut(ALL, RIG_CUT_PREFIX, seed).kept / 8;

		ck_assert_uint_le(kept, 2);
		seen[kept] = true;
		if (kept == 0)
			shows("aaaaaaaa........................");
		else if (kept == 1)
			shows("bbbbbbbb........................");
		else
			shows("bbbbbbbbcccccccc................");
	}
	ck_assert(seen[0] && seen[1] && seen[2]);
}
END_TEST

/* Sector by sector, one of those that may be there. */
static void
is_possible(const char *got)
{
	for (size_t i = 0; i < SIZE / RIG_SECTOR; i++)
		ck_assert_msg(strchr(i < 8   ? "ab" :
				      i < 16 ? ".cd" :
					       ".",
				  got[i]) != NULL,
		    "%s", got);
}

START_TEST(what_was_flushed_is_never_lost_and_sectors_are_whole)
{
	static const enum rig_cut_kind kinds[] = { RIG_CUT_SUBSET, RIG_CUT_TORN,
		RIG_CUT_SECTORS };
	char got[SIZE / RIG_SECTOR + 1];

	write_story();
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		for (size_t i = 0; i < 3; i++) {
			cut(ALL, kinds[i], seed);
			picture(got);
			is_possible(got);
		}
}
END_TEST

START_TEST(a_subset_keeps_pages_whole_and_all_subsets_come)
{
	/* b or not, and c, d or neither. */
	bool seen[2][3] = { { false } };
	char got[SIZE / RIG_SECTOR + 1];

	write_story();
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		cut(ALL, RIG_CUT_SUBSET, seed);
		picture(got);
		for (size_t i = 0; i < 16; i++)
			ck_assert_int_eq(got[i], got[i / 8 * 8]);
		seen[got[0] == 'b'][got[8] == '.' ? 0 :
			got[8] == 'c'		  ? 1 :
						    2] = true;
	}
	for (size_t i = 0; i < 6; i++)
		ck_assert(seen[i / 3][i % 3]);
}
END_TEST

START_TEST(a_torn_write_loses_its_start_its_end_or_a_hole)
{
	bool start = false, end = false, hole = false;
	char got[SIZE / RIG_SECTOR + 1];

	write_page(0, 'b');
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct rig_cut_told told = cut(1, RIG_CUT_TORN, seed);

		picture(got);
		ck_assert_uint_ge(told.lost, 1);
		start = start || (got[0] == '.' && got[7] == 'b');
		end = end || (got[0] == 'b' && got[7] == '.');
		hole = hole || (got[0] == 'b' && got[7] == 'b');
	}
	ck_assert(start && end && hole);
}
END_TEST

START_TEST(a_seed_means_the_same_state_each_time)
{
	write_story();
	for (uint64_t seed = 0; seed < 20; seed++) {
		char first[SIZE / RIG_SECTOR + 1], second[sizeof(first)];
		uint64_t hash = cut(ALL, RIG_CUT_SECTORS, seed).hash;

		picture(first);
		ck_assert_uint_ne(cut(ALL, RIG_CUT_NONE, seed).hash, hash);
		ck_assert_uint_eq(cut(ALL, RIG_CUT_SECTORS, seed).hash, hash);
		picture(second);
		ck_assert_str_eq(first, second);
	}
}
END_TEST

START_TEST(a_state_has_a_life_of_its_own_and_an_end)
{
	write_story();
	cut(ALL, RIG_CUT_NONE, 1);
	rig_disk_push(&disk);
	write_page(3, 'x');
	ck_assert_uint_eq(disk.life->log.count, 1);
	shows("aaaaaaaa................xxxxxxxx");
	cut(1, RIG_CUT_NONE, 1);
	shows("aaaaaaaa........................");
	ck_assert(rig_disk_pop(&disk));
	ck_assert(!rig_disk_pop(&disk));
	ck_assert_uint_eq(disk.life->log.count, ALL);
	/* What is done to a state that was shown is not in the log. */
	write_page(3, 'y');
	cut(ALL, RIG_CUT_ALL, 1);
	shows("bbbbbbbbdddddddd................");
	rig_disk_reset(&disk);
	shows("................................");
	ck_assert_uint_eq(disk.life->log.count, 0);
}
END_TEST

START_TEST(it_fails_as_often_as_it_was_told)
{
	rig_disk_fail(&disk, RIG_FAULT_WRITE, 1, 2);
	write_page(0, 'a');
	ck_assert_int_eq(rig_disk_write(&disk, 0, "b", 1), -EIO);
	ck_assert_int_eq(rig_disk_flush(&disk), 0);
	ck_assert_int_eq(rig_disk_write(&disk, 0, "b", 1), -EIO);
	write_page(1, 'c');
	shows("aaaaaaaacccccccc................");
	rig_disk_fail(&disk, RIG_FAULT_FLUSH, 0, 1);
	ck_assert_int_eq(rig_disk_flush(&disk), -EIO);
	ck_assert_int_eq(rig_disk_flush(&disk), 0);
	rig_disk_fail(&disk, RIG_FAULT_DROP, 0, 1);
	write_page(2, 'd');
	ck_assert_uint_eq(disk.fault_hits, 1);
	shows("aaaaaaaacccccccc................");
}
END_TEST

START_TEST(nothing_lies_behind_the_end)
{
	ck_assert_int_eq(rig_disk_write(&disk, SIZE - 1, "ab", 2), -ENOSPC);
	ck_assert_int_eq(rig_disk_read(&disk, SIZE, bytes, 1), -EINVAL);
	ck_assert_int_eq(rig_disk_read(&disk, UINT64_MAX, bytes, 2), -EINVAL);
}
END_TEST

START_TEST(a_saved_life_can_be_cut_again)
{
	struct rig_log loaded = RIG_LOG_EMPTY;

	snprintf(path, sizeof(path), "%s/log", dir.path);
	write_story();
	ck_assert_int_eq(rig_log_save(&disk.life->log, path), 0);
	ck_assert_int_eq(rig_log_load(path, &loaded), 0);
	ck_assert_uint_eq(loaded.count, ALL);
	ck_assert_mem_eq(loaded.entries[4].bytes, "here", 4);
	rig_disk_reset(&disk);
	rig_log_free(&disk.life->log);
	disk.life->log = loaded;
	cut(ALL, RIG_CUT_ALL, 1);
	shows("bbbbbbbbdddddddd................");
	/* Cut off in the middle of an entry. */
	ck_assert_int_eq(truncate(path, 100), 0);
	loaded = RIG_LOG_EMPTY;
	ck_assert_int_eq(rig_log_load(path, &loaded), -EIO);
	rig_log_free(&loaded);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rig_disk");
	TCase *tests = tcase_create("disk");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, nothing_pending_is_kept_or_all_of_it);
	tcase_add_test(tests, a_prefix_is_the_first_writes_and_not_all);
	tcase_add_test(tests,
	    what_was_flushed_is_never_lost_and_sectors_are_whole);
	tcase_add_test(tests, a_subset_keeps_pages_whole_and_all_subsets_come);
	tcase_add_test(tests, a_torn_write_loses_its_start_its_end_or_a_hole);
	tcase_add_test(tests, a_seed_means_the_same_state_each_time);
	tcase_add_test(tests, a_state_has_a_life_of_its_own_and_an_end);
	tcase_add_test(tests, it_fails_as_often_as_it_was_told);
	tcase_add_test(tests, nothing_lies_behind_the_end);
	tcase_add_test(tests, a_saved_life_can_be_cut_again);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
