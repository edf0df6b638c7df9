/*
 * For tests: sample files in memory, and the frames of a segment file found by
 * length fields alone, so that no module under test is needed to find them.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "bytes.h"
#include "crc.h"

/* A whole file; bat_bytes_free it. */
static inline struct bat_buf
sample_read(const char *path)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	FILE *file = fopen(path, "rb");
	size_t length;

	ck_assert_msg(file != NULL, "cannot open %s", path);
	do {
		ck_assert_int_eq(bat_bytes_reserve(&buf, 65536), 0);
		length = fread(buf.data + buf.length, 1, 65536, file);
		buf.length += length;
	} while (length > 0);
	fclose(file);
	return buf;
}

static inline void
sample_assert_same(struct bat_slice got, struct bat_slice wanted,
    const char *what)
{
	size_t i = 0;

	while (i < got.length && i < wanted.length &&
	    got.data[i] == wanted.data[i])
		i++;
	ck_assert_msg(bat_bytes_equal(got, wanted),
	    "%s: %zu bytes instead of %zu, the first difference at %zu", what,
	    got.length, wanted.length, i);
}

/* Call each with every file under TEST_DATA that matches pattern; at least
 * one must. */
static inline void
sample_each(const char *pattern,
    void (*each)(const char *path, struct bat_slice file))
{
	char full[512];
	glob_t found;

	snprintf(full, sizeof(full), "%s/%s", TEST_DATA, pattern);
	ck_assert_msg(glob(full, 0, NULL, &found) == 0, "no %s", full);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct bat_buf file = sample_read(found.gl_pathv[i]);

		each(found.gl_pathv[i], bat_bytes_of_buf(&file));
		bat_bytes_free(&file);
	}
	globfree(&found);
}

/*
 * The next whole frame body of a segment file, from *offset on (0 for the
 * first); false at the end of the frames. *out_start is where the frame
 * stands in the file.
 */
static inline bool
sample_next_frame(struct bat_slice file, size_t *offset, size_t *out_start,
    struct bat_slice *out_body)
{
	size_t end = file.length;

	if (file.length < 16)
		return false;
	if (memcmp(file.data + file.length - 4, "SDX2", 4) == 0)
		end = (size_t)bat_bytes_get_le64(file.data + file.length - 16);
	if (*offset == 0)
		*offset = 8 + bat_bytes_get_be32(file.data + 4);
	while (*offset + 8 <= end) {
		size_t length = bat_bytes_get_be32(file.data + *offset);
		uint32_t crc = bat_bytes_get_be32(file.data + *offset + 4);

		if (length == 0 || length > end - *offset - 8)
			return false;
		*out_start = *offset;
		*out_body = bat_bytes_slice(file.data + *offset + 8, length);
		*offset += 8 + length;
		if (crc == bat_crc_of(*out_body))
			return true;
	}
	return false;
}

#endif
