/*
 * For tests of what stands on a whole directory: copies of golden stores,
 * opening, appending and closing in a line each. What is not the test's
 * subject is asserted here.
 */
#ifndef TEST_STORES_H
#define TEST_STORES_H

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bat.h"
#include "picture.h"
#include "temp_dir.h"

/* A copy of tests/data/golden/<shape>/store. */
static inline void
stores_golden(struct temp_dir *dir, const char *shape)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/golden/%s/store", TEST_DATA, shape);
	temp_dir_make(dir);
	temp_dir_fill(dir, path);
}

static inline void
stores_expected(const char *shape, unsigned leave_out, struct bat_buf *out)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/golden/%s/expected.jsonl", TEST_DATA,
	    shape);
	picture_expected(path, leave_out, out);
}

/* The whole file, byte for byte. */
static inline void
stores_assert_file(const struct temp_dir *dir, const char *name,
    struct bat_slice wanted)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	temp_dir_read(dir, name, &file);
	ck_assert_msg(bat_bytes_equal(bat_bytes_of_buf(&file), wanted),
	    "%s: %zu bytes instead of %zu", name, file.length, wanted.length);
	bat_bytes_free(&file);
}

static inline void
stores_without_index(const struct temp_dir *dir)
{
	static const char *const names[] = { "index.fbati", "index.ckpt" };

	for (size_t i = 0; i < 2; i++)
		if (temp_dir_has(dir, names[i]))
			temp_dir_unlink(dir, names[i]);
}

static inline struct bat_store *
stores_open_with(const struct temp_dir *dir, const struct bat_options *options)
{
	struct bat_error error = { .text = "" };
	struct bat_store *store = NULL;
	int code = bat_open(dir->path, options, &store, &error);

	ck_assert_msg(code == 0, "bat_open: %s: %s", bat_error_name(code),
	    error.text);
	return store;
}

static inline struct bat_store *
stores_open(const struct temp_dir *dir, bool read_only)
{
	return stores_open_with(dir,
	    &(struct bat_options){ .read_only = read_only });
}

static inline void
stores_close(struct bat_store *store)
{
	struct bat_error error = { .text = "" };
	int code = bat_close(store, &error);

	ck_assert_msg(code == 0, "bat_close: %s: %s", bat_error_name(code),
	    error.text);
}

/* A draft with the kind f.001 and this payload, borrowed texts. */
static inline struct bat_draft
stores_draft(const char *entity, const char *scope, const char *payload)
{
	return (struct bat_draft){
		.entity = bat_bytes_text(entity),
		.scope = bat_bytes_text(scope),
		.payload = bat_bytes_text(payload),
		.kind = 0xf001,
	};
}

/* As many as a test's batch has. */
#define STORES_BATCH_MAX 64

/* Append drafts as one batch; returns its code, receipts if not NULL. */
static inline int
stores_append_batch(struct bat_store *store, const struct bat_draft *drafts,
    size_t count, struct bat_receipt *receipts, struct bat_batch *out)
{
	struct bat_receipt mine[STORES_BATCH_MAX];
	struct bat_batch batch = {
		.drafts = drafts,
		.count = count,
		.receipts = receipts == NULL ? mine : receipts,
	};
	int code = bat_append(store, &batch);

	ck_assert_uint_le(count, STORES_BATCH_MAX);
	ck_assert_int_eq(code, batch.code);
	batch.receipts = receipts;
	if (out != NULL)
		*out = batch;
	return code;
}

/* Append one event that must succeed. */
static inline struct bat_receipt
stores_append(struct bat_store *store, const char *entity, const char *payload)
{
	struct bat_draft draft = stores_draft(entity, "scope:test", payload);
	struct bat_receipt receipt;
	struct bat_batch batch;
	int code = stores_append_batch(store, &draft, 1, &receipt, &batch);

	ck_assert_msg(code == 0, "append: %s: %s", bat_error_name(code),
	    batch.error.text);
	ck_assert_uint_eq(batch.committed, 1);
	return receipt;
}

static inline void
stores_assert_same(const struct bat_buf *got, const struct bat_buf *wanted,
    const char *what)
{
	const char *difference = picture_difference(got, wanted);

	ck_assert_msg(difference == NULL, "%s: %s", what, difference);
}

/* The picture of what is there, opened read-only; lists are checked too. */
static inline void
stores_picture(const struct temp_dir *dir, unsigned leave_out,
    struct bat_buf *out)
{
	struct bat_store *store = stores_open(dir, true);
	const char *wrong;

	picture_of(store, leave_out, out);
	wrong = picture_check_lists(store);
	ck_assert_msg(wrong == NULL, "%s: %s", dir->path, wrong);
	stores_close(store);
}

static inline bool
stores_report_has(struct bat_store *store, const char *words)
{
	struct bat_buf report = BAT_BUF_EMPTY;
	bool has;

	ck_assert_int_eq(bat_open_report(store, &report), 0);
	ck_assert_int_eq(bat_bytes_append_byte(&report, 0), 0);
	has = strstr((const char *)report.data, words) != NULL;
	bat_bytes_free(&report);
	return has;
}

/* What a writer leaves in a directory if it does nothing there: an empty lock,
 * and our folder. */
static inline void
stores_visited(const struct temp_dir *dir)
{
	char path[600];

	temp_dir_write(dir, ".batpak.lock", BAT_SLICE_EMPTY);
	snprintf(path, sizeof(path), "%s/.batfs", dir->path);
	ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
}

/*
 * Everything that a directory holds, as text: a line for each name with its
 * inode, size, time of change in nanoseconds, and the BLAKE3 of its bytes. Of
 * our own folder not the time: a writer's record came there, and went.
 */
static inline void
stores_files(const struct temp_dir *dir, struct bat_buf *out)
{
	struct dirent **names;
	int count = scandir(dir->path, &names, NULL, alphasort);

	ck_assert_int_ge(count, 0);
	for (int i = 0; i < count; i++) {
		struct bat_buf bytes = BAT_BUF_EMPTY;
		struct stat stat;
		struct bat_hash hash;
		char path[600];

		snprintf(path, sizeof(path), "%s/%s", dir->path,
		    names[i]->d_name);
		ck_assert_int_eq(lstat(path, &stat), 0);
		if (S_ISREG(stat.st_mode))
			temp_dir_read(dir, names[i]->d_name, &bytes);
		hash = bat_hash_of(bat_bytes_of_buf(&bytes));
		if (strcmp(names[i]->d_name, ".batfs") == 0)
			stat.st_mtim = (struct timespec){ 0, 0 };
		if (strcmp(names[i]->d_name, "..") != 0)
			ck_assert_int_eq(
			    bat_bytes_append_format(out,
				"%s %lld %lld %lld.%09ld %llx\n",
				names[i]->d_name, (long long)stat.st_ino,
				(long long)stat.st_size,
				(long long)stat.st_mtim.tv_sec,
				stat.st_mtim.tv_nsec,
				(unsigned long long)bat_bytes_get_be64(
				    hash.bytes)),
			    0);
		bat_bytes_free(&bytes);
		free(names[i]);
	}
	free(names);
}

#endif
