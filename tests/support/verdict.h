/*
 * For tests of verify: what it says of a directory, a bit for each code, and
 * whether it says the same by every way to read one.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <check.h>
#include <stdio.h>

#include "bat.h"
#include "temp_dir.h"
#include "verify.h"

#define GOLDEN TEST_DATA "/golden/"
#define BIT(code) (UINT64_C(1) << BAT_VERIFY_##code)

/* What one run said: a bit for each code. */
struct verdict {
	int code;
	uint64_t noted, broken;
	struct bat_verify_counts counts;
	struct bat_error error;
};

static struct temp_dir temp;

static inline void
set_up(void)
{
	temp_dir_make(&temp);
}

static inline void
tear_down(void)
{
	temp_dir_remove(&temp);
}

static inline int
take_finding(void *context, const struct bat_verify_finding *finding)
{
	struct verdict *verdict = context;
	uint64_t bit = UINT64_C(1) << finding->code;

	ck_assert_str_ne(finding->text, "");
	ck_assert_str_ne(bat_verify_code_name(finding->code), "unknown");
	if (finding->severity == BAT_VERIFY_BROKEN)
		verdict->broken |= bit;
	else
		verdict->noted |= bit;
	return 0;
}

static inline struct verdict
verify_as(const struct bat_verify_how *how, const struct bat_disk *disk,
    const char *path)
{
	struct verdict verdict = { 0 };
	struct bat_verify_sink sink = { &verdict, take_finding };

	verdict.code = bat_verify_directory_as(how, disk, path, &sink,
	    &verdict.counts, &verdict.error);
	return verdict;
}

static inline struct verdict
verify_path(const struct bat_disk *disk, const char *path)
{
	struct verdict verdict = { 0 };
	struct bat_verify_sink sink = { &verdict, take_finding };

	verdict.code = bat_verify_directory(disk, path, &sink, &verdict.counts,
	    &verdict.error);
	return verdict;
}

/* Whatever there is: the ways say the same of it. */
static inline struct verdict
verify_each_way(const char *path)
{
	static const struct bat_verify_how plain = { .plain = true };
	static const struct bat_verify_how in_two = { .split_bytes = 1 };
	struct verdict told = verify_path(bat_file_posix(), path);
	struct verdict others[] = { verify_as(&plain, bat_file_posix(), path),
		verify_as(&in_two, bat_file_posix(), path) };

	for (size_t i = 0; i < 2; i++) {
		ck_assert_msg(others[i].code == told.code &&
			others[i].noted == told.noted &&
			others[i].broken == told.broken,
		    "way %zu: %d '%s' and %d '%s'", i, others[i].code,
		    others[i].error.text, told.code, told.error.text);
		ck_assert_str_eq(others[i].error.text, told.error.text);
		ck_assert_mem_eq(&others[i].counts, &told.counts,
		    sizeof(told.counts));
	}
	return told;
}

static inline struct verdict
verify(void)
{
	return verify_each_way(temp.path);
}

static inline void
fill(const char *golden)
{
	char path[512];

	snprintf(path, sizeof(path), GOLDEN "%s/store", golden);
	temp_dir_fill(&temp, path);
}

/* Where and what, in the order in which it was told. */
struct told {
	struct bat_verify_finding findings[32];
	size_t count;
};

#endif
