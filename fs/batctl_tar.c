/*
 * tar: the tree as an archive on standard output, in the pax format, with the
 * names, types, modes, sizes and times of the mount. libarchive writes it.
 */
#include "batctl.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

/* Of a file that grows: how much is rendered at once. */
#define PIECE (1u << 20)

static int
of_archive(struct archive *archive, struct bat_error *error)
{
	return bat_error_set(error, BAT_WORLD_IO, "the archive: %s",
	    archive_error_string(archive));
}

/* As many bytes as its header says, neither more nor fewer. */
static int
put_content(struct batfs_batctl *ctl, struct archive *archive,
    const struct batfs_node *node, uint64_t size, struct bat_error *error)
{
	const bool whole = batfs_tree_is_whole(node);
	struct bat_buf piece = BAT_BUF_EMPTY;
	uint64_t done = 0;
	int code = BAT_OK;

	while (code == BAT_OK && done < size) {
		bat_bytes_clear(&piece);
		code = batfs_tree_read(ctl->tree, node, done,
		    whole ? SIZE_MAX : PIECE, &piece, error);
		if (code != BAT_OK)
			break;
		if (piece.length == 0 || piece.length > size - done)
			code = bat_error_set(error, BAT_DATA_DISAGREES,
			    "its size changed; try again");
		else if (archive_write_data(archive, piece.data,
			     piece.length) != (la_ssize_t)piece.length)
			code = of_archive(archive, error);
		done += piece.length;
	}
	bat_bytes_free(&piece);
	return code;
}

static int
set_target(struct batfs_batctl *ctl, struct archive_entry *entry,
    const struct batfs_node *node, struct bat_error *error)
{
	struct bat_buf target = BAT_BUF_EMPTY;
	int code = batfs_tree_read(ctl->tree, node, 0, SIZE_MAX, &target,
	    error);

	if (code == BAT_OK)
		code = bat_bytes_append_byte(&target, '\0');
	if (code == BAT_OK)
		archive_entry_set_symlink(entry, (const char *)target.data);
	bat_bytes_free(&target);
	return code;
}

static int
put_entry(struct batfs_batctl *ctl, struct archive *archive,
    struct archive_entry *entry, const struct batfs_node *node,
    struct bat_error *error)
{
	static const unsigned types[] = {
		[BATFS_FILE] = AE_IFREG,
		[BATFS_DIRECTORY] = AE_IFDIR,
		[BATFS_SYMLINK] = AE_IFLNK,
	};
	struct batfs_attributes attributes;
	bool file;
	int code = batfs_tree_attributes(ctl->tree, node, true, &attributes,
	    error);

	if (code != BAT_OK)
		return code;
	file = attributes.type == BATFS_FILE;
	archive_entry_set_filetype(entry, types[attributes.type]);
	archive_entry_set_perm(entry, (mode_t)attributes.mode);
	archive_entry_set_uid(entry, ctl->uid);
	archive_entry_set_gid(entry, ctl->gid);
	archive_entry_set_size(entry, file ? (la_int64_t)attributes.size : 0);
	archive_entry_set_mtime(entry, attributes.mtime_ms / 1000,
	    (long)(attributes.mtime_ms % 1000 * 1000000 +
		attributes.mtime_rest_ns));
	if (attributes.type == BATFS_SYMLINK)
		code = set_target(ctl, entry, node, error);
	if (code == BAT_OK &&
	    archive_write_header(archive, entry) != ARCHIVE_OK)
		code = of_archive(archive, error);
	return code == BAT_OK && file ?
	    put_content(ctl, archive, node, attributes.size, error) :
	    code;
}

static int
visit(struct batfs_batctl *ctl, void *context, const char *path,
    const struct batfs_node *node, struct bat_error *error)
{
	struct archive_entry *entry = archive_entry_new();
	int code;

	if (entry == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	archive_entry_set_pathname(entry, path);
	code = put_entry(ctl, context, entry, node, error);
	archive_entry_free(entry);
	if (code != BAT_OK)
		bat_error_prefix(error, "%s", path);
	return code;
}

static int
put_paths(struct batfs_batctl *ctl, struct archive *archive, int count,
    char **paths, struct bat_error *error)
{
	static const char root[] = ".";
	int code = BAT_OK;

	for (int i = 0; code == BAT_OK && i < (count > 0 ? count : 1); i++) {
		const char *path = count > 0 ? paths[i] : root;
		struct batfs_node node;

		code = batfs_batctl_resolve(ctl, path, false, &node, error);
		if (code == BAT_OK)
			code = batfs_batctl_walk(ctl, path, &node, visit,
			    archive, error);
		else
			bat_error_prefix(error, "%s", path);
	}
	return code;
}

/* What libarchive has to write; after a failure nothing more, so that nobody
 * takes what broke off for whole. */
static la_ssize_t
put_block(struct archive *archive, void *context, const void *bytes,
    size_t length)
{
	const int *failed = context;
	struct bat_error error;

	if (*failed == BAT_OK &&
	    batfs_batctl_put(bat_bytes_slice(bytes, length), &error) !=
		BAT_OK) {
		archive_set_error(archive, error.os_errno, "%s", error.text);
		return -1;
	}
	return (la_ssize_t)length;
}

/* The first trouble ends it. */
static int
write_archive(struct batfs_batctl *ctl, int count, char **paths,
    struct bat_error *error)
{
	struct archive *archive = archive_write_new();
	int code = BAT_OK;

	/* Names are UTF-8, whatever the terminal speaks. */
	setlocale(LC_CTYPE, "C.UTF-8");
	if (archive == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	if (archive_write_set_format_pax(archive) != ARCHIVE_OK ||
	    archive_write_open(archive, &code, NULL, put_block, NULL) !=
		ARCHIVE_OK)
		code = of_archive(archive, error);
	if (code == BAT_OK)
		code = put_paths(ctl, archive, count, paths, error);
	if (archive_write_close(archive) != ARCHIVE_OK && code == BAT_OK)
		code = of_archive(archive, error);
	archive_write_free(archive);
	return code;
}

int
batfs_batctl_tar(int argc, char **argv)
{
	struct batfs_batctl ctl = { .store = NULL };
	const struct bat_options how = { .read_only = true };
	struct bat_error error = { .code = 0 };
	int status = BATCTL_DONE;

	if (argc > 0 && batfs_batctl_take_kinds(&ctl, argv[0], &error)) {
		argc--;
		argv++;
	}
	if (argc < 1)
		return BATCTL_USAGE;
	if (error.code != 0 ||
	    batfs_batctl_open(&ctl, argv[0], &how, &error) != BAT_OK)
		status = BATCTL_CANNOT;
	else if (write_archive(&ctl, argc - 1, argv + 1, &error) != BAT_OK)
		status = error.code == BAT_WORLD_IO ? BATCTL_CANNOT :
						      BATCTL_WRONG;
	if (status != BATCTL_DONE)
		fprintf(stderr, "batctl: %s\n", error.text);
	batfs_batctl_close(&ctl);
	return status;
}
