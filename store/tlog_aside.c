/*
 * A log makes room for another one: it is put aside, and its key signs none of
 * those that follow.
 */
#include "tlog.h"

#include <errno.h>
#include <stdio.h>

#include "tlog_internal.h"

#define NUMBERS 10000

int
bat_tlog_was_begun(const struct bat_tlog *tlog, bool *out,
    struct bat_error *error)
{
	static const char *const remains[] = { TLOG_CHECKPOINT, TLOG_TILE };
	const struct bat_disk *disk = tlog->disk;
	struct bat_file_stat stat;
	int code = -ENOENT;

	for (size_t i = 0; code == -ENOENT && i < 2; i++)
		code = disk->stat_at(disk->context, tlog->dir, remains[i],
		    &stat);
	*out = code == 0;
	return code == 0 || code == -ENOENT ?
	    BAT_OK :
	    bat_error_set_os(error, -code, "cannot stat a file of the log");
}

/* ---- putting aside --------------------------------------------------- */

static int
free_name(const struct bat_disk *disk, int side, char out[BAT_TLOG_ASIDE_SIZE])
{
	struct bat_file_stat stat;
	int code = 0;

	for (unsigned i = 1; code == 0 && i < NUMBERS; i++) {
		snprintf(out, BAT_TLOG_ASIDE_SIZE, TLOG_DIR "-%u", i);
		code = disk->stat_at(disk->context, side, out, &stat);
	}
	return code == 0 ? -EEXIST : code == -ENOENT ? 0 : code;
}

int
bat_tlog_put_aside(const struct bat_disk *disk, int data_dir,
    char out_name[BAT_TLOG_ASIDE_SIZE], struct bat_error *error)
{
	int side = -1;
	int code = bat_tlog_open_folder(disk, data_dir, TLOG_SIDE_DIR,
	    TLOG_FIND, &side, error);

	out_name[0] = '\0';
	if (code != BAT_OK)
		return code;
	code = free_name(disk, side, out_name);
	/* Not every file system renames a folder and replaces none; what could
	 * be replaced here is an empty one. */
	if (code == 0)
		code = disk->rename_at(disk->context, side, TLOG_DIR, out_name,
		    true);
	if (code < 0) {
		code = bat_error_set_os(error, -code,
		    "cannot put the old log aside as %s", out_name);
		/* It stands where it was. */
		out_name[0] = '\0';
	} else {
		code = bat_file_sync(disk, side, error);
	}
	bat_file_close(disk, side);
	return code;
}

/* ---- one key, one log ------------------------------------------------ */

static int
note_log(void *context, const char *name)
{
	const size_t length = sizeof(TLOG_DIR) - 1;
	struct bat_buf *names = context;

	if (strncmp(name, TLOG_DIR, length) != 0 ||
	    (name[length] != '\0' && (name[length] != '-' || BAT_PLANT(306))))
		return 0;
	return bat_bytes_append(names, name, strlen(name) + 1) == BAT_OK ?
	    0 :
	    -ENOMEM;
}

/* A file of a log that may be damaged: what is not there says nothing. */
static int
read_said(const struct bat_tlog *log, const char *name, struct bat_buf *out,
    struct bat_error *error)
{
	int code;

	bat_bytes_clear(out);
	code = bat_tlog_read_file(log, name, out, error);
	return code == BAT_WORLD_ABSENT || code == BAT_USE_TOO_LARGE ||
		code == BAT_DATA_REFUSED ?
	    BAT_OK :
	    code;
}

/* By its public key, or else by the first line of its checkpoint. */
static int
is_signed_by(const struct bat_tlog *log, const struct bat_note_key *key,
    bool *out, struct bat_error *error)
{
	const struct bat_slice name = bat_bytes_text(key->name);
	struct bat_buf text = BAT_BUF_EMPTY;
	struct bat_note_key other;
	int code = read_said(log, TLOG_VKEY, &text, error);

	*out = code == BAT_OK &&
	    bat_note_key_parse(bat_bytes_of_buf(&text), &other, NULL) ==
		BAT_OK &&
	    bat_note_key_equal(&other, key);
	if (code == BAT_OK && !*out)
		code = read_said(log, TLOG_CHECKPOINT, &text, error);
	if (code == BAT_OK && !*out)
		*out = text.length > name.length &&
		    memcmp(text.data, name.data, name.length) == 0 &&
		    text.data[name.length] == '\n';
	bat_bytes_free(&text);
	return code;
}

static int
check_log(const struct bat_disk *disk, int side, const char *name,
    const struct bat_note_key *key, struct bat_error *error)
{
	struct bat_tlog log;
	bool is_used = false;
	int code;

	bat_tlog_init(&log);
	log.disk = disk;
	code = bat_tlog_open_folder(disk, side, name, TLOG_FIND, &log.dir,
	    error);
	if (code == BAT_OK)
		code = bat_tlog_was_begun(&log, &is_used, error);
	if (code == BAT_OK && is_used)
		code = is_signed_by(&log, key, &is_used, error);
	bat_tlog_detach(&log);
	if (code == BAT_OK && is_used && !BAT_PLANT(304))
		code = bat_error_set(error, BAT_USE_INVALID,
		    "that key signed the old log in .batfs/%s; name a file "
		    "that is not there, and a new one is made",
		    name);
	return code;
}

int
bat_tlog_check_unused(const struct bat_disk *disk, int data_dir,
    const struct bat_note_key *key, struct bat_error *error)
{
	struct bat_buf names = BAT_BUF_EMPTY;
	int side = -1;
	int code = bat_tlog_open_folder(disk, data_dir, TLOG_SIDE_DIR,
	    TLOG_FIND, &side, error);

	if (code == BAT_WORLD_ABSENT)
		return BAT_OK;
	if (code != BAT_OK)
		return code;
	code = disk->list(disk->context, side, note_log, &names);
	if (code < 0)
		code = bat_error_set_os(error, -code, "cannot list .batfs");
	for (size_t at = 0; code == BAT_OK && at < names.length;
	     at += strlen((const char *)names.data + at) + 1)
		code = check_log(disk, side, (const char *)names.data + at, key,
		    error);
	bat_bytes_free(&names);
	bat_file_close(disk, side);
	return code;
}
