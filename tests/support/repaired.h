/*
 * For tests of repair: golden stores that are damaged and repaired. What was not
 * hit is there, with the numbers that it had; what went is kept; the second
 * opinion finds nothing broken.
 */
#ifndef REPAIRED_H
#define REPAIRED_H

#include <check.h>
#include <glob.h>

#include "bat.h"
#include "segment.h"
#include "stores.h"
#include "survey.h"

static struct temp_dir temp;

static struct bat_buf intact; /* the picture of the store before */
static struct bat_repair_counts counts;

static inline void
teardown(void)
{
	bat_bytes_free(&intact);
	temp_dir_remove(&temp);
}

static inline void
start(const char *shape)
{
	stores_golden(&temp, shape);
	stores_picture(&temp, PICTURE_NO_PLACE, &intact);
}

static inline int
repair(const struct bat_disk *disk, const char *path, bool carry_out)
{
	struct bat_error error = { .text = "" };
	int code = bat_repair(disk, path, carry_out, NULL, &counts, &error);

	ck_assert_msg(code == 0, "bat_repair: %s: %s", bat_error_name(code),
	    error.text);
	return code;
}

/* The frame at or behind an offset of a segment that is sound still. */
static inline struct bat_survey_piece
event_behind(uint64_t segment, uint64_t offset)
{
	struct bat_survey_piece found = { .length = 0 };
	struct bat_segment_dir dir;
	struct bat_survey survey;

	ck_assert_int_eq(bat_segment_dir_open(&dir, bat_file_posix(), temp.path,
			     false, NULL),
	    0);
	ck_assert_int_eq(bat_segment_dir_scan(&dir, NULL), 0);
	ck_assert_int_eq(bat_survey_segment(&dir, segment, &survey, NULL), 0);
	for (size_t i = 0; found.length == 0 && i < survey.count; i++)
		if (survey.pieces[i].kind == BAT_SURVEY_EVENT &&
		    survey.pieces[i].offset >= offset)
			found = survey.pieces[i];
	bat_survey_free(&survey);
	bat_segment_dir_close(&dir);
	ck_assert_uint_gt(found.length, 0);
	return found;
}

static inline struct bat_slice
next_line(struct bat_slice *rest)
{
	const uint8_t *end = memchr(rest->data, '\n', rest->length);
	size_t length = end == NULL ? rest->length :
				      (size_t)(end - rest->data) + 1;
	struct bat_slice line = bat_bytes_slice(rest->data, length);

	*rest = bat_bytes_slice(rest->data + length, rest->length - length);
	return line;
}

/* Every line of now is one of before, in this order; so many are missing. */
static inline void
assert_lost(const struct bat_buf *now, unsigned lost)
{
	struct bat_slice before = bat_bytes_of_buf(&intact);
	struct bat_slice rest = bat_bytes_of_buf(now);
	unsigned missing = 0;

	while (rest.length > 0) {
		struct bat_slice line = next_line(&rest);

		for (;;) {
			ck_assert_msg(before.length > 0,
			    "not of this store, or out of order: %.*s",
			    (int)line.length, (const char *)line.data);
			if (bat_bytes_equal(next_line(&before), line))
				break;
			missing++;
		}
	}
	while (before.length > 0) {
		(void)next_line(&before);
		missing++;
	}
	ck_assert_uint_eq(missing, lost);
}

static inline uint64_t
kept_bytes(void)
{
	char pattern[400];
	uint64_t sum = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/.batfs/cut/[0-9]*", temp.path);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct stat stat;

		ck_assert_int_eq(lstat(found.gl_pathv[i], &stat), 0);
		sum += (uint64_t)stat.st_size;
	}
	globfree(&found);
	return sum;
}

/* Of the second opinion; what a hole leaves of a chain is no new damage. */
static inline int
only_links_are_missing(void *context, const struct bat_verify_finding *finding)
{
	(void)context;
	ck_assert_msg(finding->severity == BAT_VERIFY_NOTED ||
		finding->code == BAT_VERIFY_CHAIN,
	    "%s, segment %llu offset %llu: %s",
	    bat_verify_code_name(finding->code),
	    (unsigned long long)finding->segment,
	    (unsigned long long)finding->offset, finding->text);
	return 0;
}

static inline bool
opens_for_writing(void)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;

	if (bat_open(temp.path, &BAT_OPTIONS_DEFAULT, &store, &error) != 0)
		return false;
	stores_close(store);
	return true;
}

/*
 * A dry run changes nothing; a repair leaves all events but `lost`, keeps what
 * it takes, and a second one has nothing to do. Then appending works.
 */
static inline void
assert_repaired(unsigned lost)
{
	const struct bat_verify_sink sink = { NULL, only_links_are_missing };
	struct bat_buf before = BAT_BUF_EMPTY, after = BAT_BUF_EMPTY;
	struct bat_verify_counts verified;
	struct bat_store *store;

	stores_files(&temp, &before);
	repair(bat_file_posix(), temp.path, false);
	ck_assert_uint_gt(counts.acts, 0);
	ck_assert_uint_eq(counts.left, 0);
	stores_files(&temp, &after);
	stores_assert_same(&after, &before, "a dry run");

	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_gt(counts.acts, 0);
	ck_assert_uint_ge(kept_bytes(), counts.cut_bytes);
	bat_bytes_clear(&after);
	stores_picture(&temp, PICTURE_NO_PLACE, &after);
	assert_lost(&after, lost);
	(void)bat_verify_directory(bat_file_posix(), temp.path, &sink,
	    &verified, NULL);

	repair(bat_file_posix(), temp.path, true);
	ck_assert_uint_eq(counts.acts, 0);
	store = stores_open(&temp, false);
	stores_append(store, "player:new", "\xa1x");
	stores_close(store);
	bat_bytes_free(&before);
	bat_bytes_free(&after);
}

static inline void
flip(const char *name, uint64_t offset)
{
	temp_dir_flip(&temp, name, offset, 0x20);
}

#endif
