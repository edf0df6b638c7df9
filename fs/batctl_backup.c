/*
 * backup, restore-check: the view backup/ of the tree as files, and whether a
 * copy of it still is what it was.
 *
 * SHA256SUMS is written last: a backup that was interrupted has none.
 */
#include "batctl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* How much is copied at once. */
#define PIECE (1u << 20)
#define TEXT_MAX (64u << 20)

static int
fail(const char *what, const struct bat_error *error)
{
	return batfs_batctl_complain(what, error);
}

/* ---- backup ------------------------------------------------------------------- */

/* A file of the tree as a new file of a folder, on disk. */
static int
copy_file(struct batfs_batctl *ctl, const char *path, int folder,
    const char *name, struct bat_error *error)
{
	const struct bat_disk *disk = bat_file_posix();
	struct bat_buf piece = BAT_BUF_EMPTY;
	struct batfs_node node;
	uint64_t at = 0;
	int code = batfs_batctl_resolve(ctl, path, true, &node, error), fd;

	if (code != BAT_OK)
		return code;
	fd = disk->open_at(disk->context, folder, name,
	    O_WRONLY | O_CREAT | O_EXCL, 0666);
	if (fd < 0)
		return bat_error_set_os(error, -fd, "cannot make %s", name);
	do {
		bat_bytes_clear(&piece);
		code = batfs_tree_read(ctl->tree, &node, at, PIECE, &piece,
		    error);
		if (code == BAT_OK && piece.length > 0)
			code = bat_file_write(disk, fd, piece.data,
			    piece.length, at, error);
		at += piece.length;
	} while (code == BAT_OK && piece.length > 0);
	if (code == BAT_OK)
		code = bat_file_sync(disk, fd, error);
	bat_file_close(disk, fd);
	bat_bytes_free(&piece);
	return code;
}

static int
copy_store(struct batfs_batctl *ctl, int folder, struct bat_error *error)
{
	struct batfs_batctl_names names = { .count = 0 };
	struct batfs_node node;
	int code = batfs_batctl_resolve(ctl, "backup/store", true, &node,
	    error);

	if (code == BAT_OK)
		code = batfs_batctl_list(ctl, &node, &names, error);
	for (size_t i = 0; code == BAT_OK && i < names.count; i++) {
		const char *name = (const char *)names.names.data +
		    names.entries[i].name;
		char path[128];

		snprintf(path, sizeof path, "backup/store/%s", name);
		code = copy_file(ctl, path, folder, name, error);
	}
	batfs_batctl_names_free(&names);
	if (code == BAT_OK)
		code = bat_file_sync(bat_file_posix(), folder, error);
	return code;
}

static int
end_of_list(void *context, const char *name)
{
	(void)context;
	(void)name;
	return BAT_END;
}

static int
copy_all(struct batfs_batctl *ctl, const char *path, struct bat_error *error)
{
	const struct bat_disk *disk = bat_file_posix();
	int dir, folder = -1;
	int code = bat_file_open_dir(disk, path, true, &dir, error);

	if (code != BAT_OK)
		return code;
	if (disk->list(disk->context, dir, end_of_list, NULL) != 0)
		code = bat_error_set(error, BAT_DATA_REFUSED,
		    "it is not empty; name a directory that is, or that is not "
		    "there yet");
	if (code == BAT_OK)
		code = disk->mkdir_at(disk->context, dir, "store", 0777);
	if (code == BAT_OK) {
		folder = disk->open_dir_at(disk->context, dir, "store");
		code = folder < 0 ? folder : BAT_OK;
	}
	if (code != BAT_OK && error->code == 0)
		code = bat_error_set_os(error, -code, "cannot make store/");
	if (code == BAT_OK)
		code = copy_store(ctl, folder, error);
	if (code == BAT_OK)
		code = copy_file(ctl, "backup/PIN", dir, "PIN", error);
	if (code == BAT_OK)
		code = copy_file(ctl, "backup/SHA256SUMS", dir, "SHA256SUMS",
		    error);
	if (code == BAT_OK)
		code = bat_file_sync(disk, dir, error);
	if (folder >= 0)
		bat_file_close(disk, folder);
	bat_file_close(disk, dir);
	return code;
}

int
batfs_batctl_backup(int argc, char **argv)
{
	const struct bat_options how = { .read_only = true };
	struct batfs_batctl ctl = { .store = NULL };
	struct bat_error error = { .code = 0 };
	int status = BATCTL_DONE;

	if (argc != 2)
		return BATCTL_USAGE;
	if (batfs_batctl_is_inside(argv[1], argv[0])) {
		fprintf(stderr, "batctl: %s is inside %s\n", argv[1], argv[0]);
		return BATCTL_CANNOT;
	}
	if (batfs_batctl_open(&ctl, argv[0], &how, &error) != BAT_OK)
		status = fail(argv[0], &error);
	else if (copy_all(&ctl, argv[1], &error) != BAT_OK)
		status = fail(argv[1], &error);
	batfs_tree_free(ctl.tree);
	bat_close(ctl.store, NULL);
	return status;
}

/* ---- restore-check ------------------------------------------------------------- */

struct check {
	const char *path;
	int dir, store; /* descriptors */
	struct bat_buf sums, pin;
	unsigned files; /* of store/ that SHA256SUMS names */
	bool pin_named, wrong;
};

static int
say_wrong(struct check *check, const char *name, const char *what)
{
	check->wrong = true;
	return printf("%s: %s\n", name, what) < 0 ? BAT_WORLD_IO : BAT_OK;
}

static bool
take_line(struct bat_slice *rest, struct bat_slice *out)
{
	const uint8_t *end = memchr(rest->data, '\n', rest->length);
	size_t length;

	if (end == NULL)
		return false;
	length = (size_t)(end - rest->data);
	*out = bat_bytes_slice(rest->data, length);
	*rest = bat_bytes_slice(end + 1, rest->length - length - 1);
	return true;
}

/* One line of SHA256SUMS: 64 digits, two spaces, PIN or store/NAME. */
static int
check_sum(struct check *check, struct bat_slice line, struct bat_error *error)
{
	struct bat_buf file = BAT_BUF_EMPTY, hex = BAT_BUF_EMPTY;
	uint8_t sum[BAT_PIN_SHA256_SIZE];
	char name[80] = "";
	const char *file_name = name;
	int dir = check->dir, code;

	if (line.length <= 66 || line.length - 66 >= sizeof name)
		return say_wrong(check, "SHA256SUMS", "a line that is none");
	memcpy(name, line.data + 66, line.length - 66);
	if (strncmp(name, "store/", 6) == 0) {
		file_name = name + 6;
		dir = check->store;
		check->files++;
	} else {
		check->pin_named = check->pin_named || strcmp(name, "PIN") == 0;
	}
	if (strchr(file_name, '/') != NULL)
		return say_wrong(check, "SHA256SUMS", "a line that is none");
	code = bat_file_read_whole(bat_file_posix(), dir, file_name,
	    SIZE_MAX / 2, &file, error);
	if (code == BAT_WORLD_ABSENT) {
		code = say_wrong(check, name, "is not there");
	} else if (code == BAT_OK) {
		bat_pin_sha256_of(bat_bytes_of_buf(&file), sum);
		code = bat_bytes_append_hex(&hex, sum, sizeof sum);
		if (code == BAT_OK && memcmp(hex.data, line.data, 64) != 0)
			code = say_wrong(check, name, "has other bytes");
	}
	bat_bytes_free(&file);
	bat_bytes_free(&hex);
	return code;
}

/* What a mount of the copy may have made is no part of it. */
static int
count_file(void *context, const char *name)
{
	unsigned *count = context;

	*count += strcmp(name, ".batfs") != 0 &&
	    strcmp(name, ".batpak.lock") != 0;
	return 0;
}

static int
check_sums(struct check *check, struct bat_error *error)
{
	const struct bat_disk *disk = bat_file_posix();
	struct bat_slice rest = bat_bytes_of_buf(&check->sums), line;
	unsigned there = 0;
	int code = BAT_OK;

	while (code == BAT_OK && take_line(&rest, &line))
		code = check_sum(check, line, error);
	if (code == BAT_OK && (rest.length > 0 || !check->pin_named))
		code = say_wrong(check, "SHA256SUMS", "is cut off");
	if (code == BAT_OK)
		(void)disk->list(disk->context, check->store, count_file,
		    &there);
	if (code == BAT_OK && there > check->files)
		code = say_wrong(check, "store",
		    "holds files that SHA256SUMS does not name");
	return code;
}

/* The value of a key of PIN; 0 also where it has none. */
static uint64_t
pinned(const struct check *check, const char *key, struct bat_slice *out_text)
{
	struct bat_slice rest = bat_bytes_of_buf(&check->pin), line;
	size_t length = strlen(key);
	uint64_t value = 0;

	*out_text = BAT_SLICE_EMPTY;
	while (take_line(&rest, &line)) {
		if (line.length <= length + 1 ||
		    memcmp(line.data, key, length) != 0 ||
		    line.data[length] != ' ')
			continue;
		*out_text = bat_bytes_slice(line.data + length + 1,
		    line.length - length - 1);
		for (size_t i = 0; i < out_text->length; i++)
			value = value * 10 +
			    (uint64_t)(out_text->data[i] - '0');
	}
	return value;
}

/* Opened, it holds exactly the events of PIN. */
static int
check_events(struct check *check, struct bat_error *error)
{
	const struct bat_options how = { .read_only = true };
	struct bat_slice text;
	struct bat_store *store = NULL;
	struct bat_status status;
	struct bat_head head;
	struct bat_row row;
	char path[4096], id[33] = "";
	int code;

	snprintf(path, sizeof path, "%s/store", check->path);
	code = bat_open(path, &how, &store, error);
	/* A copy of nothing. */
	if (code == BAT_WORLD_ABSENT && check->files == 0)
		return BAT_OK;
	if (code != BAT_OK)
		return code == BAT_DATA_CORRUPT || code == BAT_DATA_REFUSED ?
		    say_wrong(check, "store", error->text) :
		    code;
	bat_head(store, &head);
	bat_status(store, &status);
	if (head.visible_count > 0 && bat_row(store, head.last, &row))
		bat_id_to_hex(&row.id, id);
	if (head.visible_count != pinned(check, "count", &text) ||
	    status.hidden_count != pinned(check, "hidden", &text))
		code = say_wrong(check, "store", "has more or fewer events");
	else if (head.visible_count > 0 &&
	    head.last_seq != pinned(check, "sequence", &text))
		code = say_wrong(check, "store", "ends at another sequence");
	(void)pinned(check, "event", &text);
	if (code == BAT_OK && !bat_bytes_equal(text, bat_bytes_text(id)))
		code = say_wrong(check, "store", "ends with another event");
	if (code == BAT_OK && status.damaged_count > 0)
		code = say_wrong(check, "store", "is damaged");
	if (code == BAT_OK && !check->wrong)
		printf("%" PRIu64 " events, %" PRIu64 " hidden, %u files: as "
		       "pinned\n",
		    head.visible_count, status.hidden_count, check->files);
	(void)bat_close(store, NULL);
	return code;
}

static int
check_copy(struct check *check, struct bat_error *error)
{
	const struct bat_disk *disk = bat_file_posix();
	int code = bat_file_open_dir(disk, check->path, false, &check->dir,
	    error);

	if (code != BAT_OK)
		return code;
	code = bat_file_read_whole(disk, check->dir, "SHA256SUMS", TEXT_MAX,
	    &check->sums, error);
	if (code == BAT_OK)
		code = bat_file_read_whole(disk, check->dir, "PIN", TEXT_MAX,
		    &check->pin, error);
	if (code != BAT_OK)
		return code;
	check->store = disk->open_dir_at(disk->context, check->dir, "store");
	if (check->store < 0)
		return bat_error_set_os(error, -check->store, "store");
	code = check_sums(check, error);
	return code == BAT_OK ? check_events(check, error) : code;
}

int
batfs_batctl_restore_check(int argc, char **argv)
{
	struct check check = { .dir = -1, .store = -1 };
	struct bat_error error = { .code = 0 };
	int code;

	if (argc != 1)
		return BATCTL_USAGE;
	check.path = argv[0];
	code = check_copy(&check, &error);
	if (check.store >= 0)
		bat_file_close(bat_file_posix(), check.store);
	if (check.dir >= 0)
		bat_file_close(bat_file_posix(), check.dir);
	bat_bytes_free(&check.sums);
	bat_bytes_free(&check.pin);
	if (check.wrong)
		return BATCTL_WRONG;
	return code == BAT_OK ? BATCTL_DONE : fail(argv[0], &error);
}
