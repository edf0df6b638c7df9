/*
 * The secret key of a transparency log, in the file that the caller names.
 */
#include <stdio.h>

#include "store_internal.h"

#define KEY_FILE_MAX 4096

static int
open_key_folder(const struct bat_store *store, int *out, const char **name,
    struct bat_error *error)
{
	const char *path = store->options.tlog_key;
	const char *slash = strrchr(path, '/');
	char folder[4096] = ".";

	*name = slash == NULL ? path : slash + 1;
	if (slash != NULL &&
	    (size_t)snprintf(folder, sizeof(folder), "%.*s",
		(int)(slash == path ? 1 : slash - path),
		path) >= sizeof(folder))
		return bat_error_set(error, BAT_USE_INVALID,
		    "the path of the log's key is too long");
	return bat_file_open_dir(store->options.disk, folder, false, out,
	    error);
}

/* A secret that others can read is none. */
static int
check_key_mode(const struct bat_store *store, int dir, const char *name,
    struct bat_error *error)
{
	const struct bat_disk *disk = store->options.disk;
	struct bat_file_stat stat;
	int code = disk->stat_at(disk->context, dir, name, &stat);

	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat it");
	if ((stat.mode & 077) != 0)
		return bat_error_set(error, BAT_USE_INVALID,
		    "others may read it (mode %o): chmod 600", stat.mode);
	return BAT_OK;
}

static int
make_key_file(const struct bat_store *store, int dir, const char *name,
    struct bat_note_signer *out, struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	int code = bat_tlog_make_signer(store->options.disk, out, error);

	if (code == BAT_OK)
		code = bat_note_signer_put(out, &text);
	if (code == BAT_OK)
		code = bat_bytes_append_byte(&text, '\n');
	if (code == BAT_OK)
		code = bat_file_put_whole(store->options.disk, dir, name,
		    bat_bytes_of_buf(&text), true, error);
	bat_bytes_free(&text);
	return code;
}

int
bat_store_tlog_key(const struct bat_store *store, bool make,
    struct bat_note_signer *out, struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	const char *name;
	int dir = -1;
	int code = open_key_folder(store, &dir, &name, error);

	if (code == BAT_OK)
		code = bat_file_read_whole(store->options.disk, dir, name,
		    KEY_FILE_MAX, &text, error);
	if (code == BAT_OK)
		code = check_key_mode(store, dir, name, error);
	if (code == BAT_OK)
		code = bat_note_signer_parse(bat_bytes_of_buf(&text), out,
		    error);
	else if (code == BAT_WORLD_ABSENT && make && dir >= 0)
		code = make_key_file(store, dir, name, out, error);
	if (dir >= 0)
		bat_file_close(store->options.disk, dir);
	bat_bytes_free(&text);
	if (code == BAT_OK)
		return code;
	bat_error_prefix(error, "the log's key %.200s",
	    store->options.tlog_key);
	/* Whatever it is: this is not what was asked for. */
	return code == BAT_WORLD_NO_MEMORY ? code : BAT_USE_INVALID;
}
