/*
 * A directory for one test: made empty, filled by hand or with a copy of a
 * sample store, removed with all that is in it. Whatever fails here aborts:
 * it is the test's ground, not its subject.
 */
#ifndef TEST_TEMP_DIR_H
#define TEST_TEMP_DIR_H

#include "bytes.h"

struct temp_dir {
	char path[256];
};

void temp_dir_make(struct temp_dir *dir);
void temp_dir_remove(struct temp_dir *dir);
/* Copy the files and folders of from (e.g. a golden store) into dir. */
void temp_dir_fill(const struct temp_dir *dir, const char *from);

bool temp_dir_has(const struct temp_dir *dir, const char *name);
/* How many names stand in it. */
size_t temp_dir_count(const struct temp_dir *dir);
/* A whole file onto buf. */
void temp_dir_read(const struct temp_dir *dir, const char *name,
    struct bat_buf *buf);
/* Make or replace a file. */
void temp_dir_write(const struct temp_dir *dir, const char *name,
    struct bat_slice content);
void temp_dir_append(const struct temp_dir *dir, const char *name,
    struct bat_slice content);
void temp_dir_truncate(const struct temp_dir *dir, const char *name,
    uint64_t size);
/* Exclusive-or one byte with mask. */
void temp_dir_flip(const struct temp_dir *dir, const char *name,
    uint64_t offset, uint8_t mask);
void temp_dir_unlink(const struct temp_dir *dir, const char *name);

#endif
