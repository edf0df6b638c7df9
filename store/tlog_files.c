/*
 * Where tiles stand: tile/<level>/<index>, and partial ones below
 * tile/<level>/<index>.p/. An index is written in groups of three digits, all
 * but the last with an x in front and folders: 1234067 is x001/x234/067.
 */
#include "tlog_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define NAME_SIZE 32

uint64_t
bat_tlog_count(unsigned level, uint64_t size)
{
	if (level > BAT_TLOG_LEVELS)
		return 0;
	return level == BAT_TLOG_ENTRIES ? size : size >> 8 * level;
}

unsigned
bat_tlog_width(unsigned level, uint64_t index, uint64_t size)
{
	uint64_t count = bat_tlog_count(level, size);

	if (index > count / BAT_TLOG_WIDTH)
		return 0;
	count -= index * BAT_TLOG_WIDTH;
	return count < BAT_TLOG_WIDTH ? (unsigned)count : BAT_TLOG_WIDTH;
}

size_t
bat_tlog_unit(unsigned level)
{
	return level == BAT_TLOG_ENTRIES ? BAT_TLOG_ENTRY_SIZE :
					   BAT_MERKLE_HASH_SIZE;
}

/* ---- folders --------------------------------------------------------- */

int
bat_tlog_open_folder(const struct bat_disk *disk, int dir, const char *name,
    enum tlog_make make, int *out, struct bat_error *error)
{
	int code = make == TLOG_FIND ?
	    -EEXIST :
	    disk->mkdir_at(disk->context, dir, name, 0700);

	if (code < 0 && code != -EEXIST)
		return bat_error_set_os(error, -code, "cannot make %s", name);
	if (code == 0 || (make == TLOG_MAKE_SURE && !BAT_PLANT(300))) {
		code = bat_file_sync(disk, dir, error);
		if (code != BAT_OK)
			return code;
	}
	*out = disk->open_dir_at(disk->context, dir, name);
	if (*out < 0)
		return bat_error_set_os(error, -*out, "cannot open %s", name);
	return BAT_OK;
}

/* From *dir on to a folder below it; *dir is closed. */
static int
step(const struct bat_disk *disk, int *dir, const char *name,
    enum tlog_make make, struct bat_error *error)
{
	int next = -1;
	int code = bat_tlog_open_folder(disk, *dir, name, make, &next, error);

	bat_file_close(disk, *dir);
	*dir = next;
	return code;
}

/* The folder in which tiles of this index stand: *out, to be closed. */
static int
open_tile_folder(const struct bat_tlog *tlog, unsigned level, uint64_t index,
    enum tlog_make make, int *out, struct bat_error *error)
{
	uint64_t scale = 1000;
	char name[NAME_SIZE] = "entries";
	int code = bat_tlog_open_folder(tlog->disk, tlog->dir, TLOG_TILE, make,
	    out, error);

	if (level != BAT_TLOG_ENTRIES)
		snprintf(name, sizeof(name), "%u", level);
	if (code == BAT_OK)
		code = step(tlog->disk, out, name, make, error);
	while (index / scale >= 1000)
		scale *= 1000;
	for (; code == BAT_OK && scale > 1; scale /= 1000) {
		if (index < scale)
			break;
		snprintf(name, sizeof(name), "x%03u",
		    (unsigned)(index / scale % 1000));
		code = step(tlog->disk, out, name, make, error);
	}
	return code;
}

static void
name_tile(const struct bat_tlog_tile *tile, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%03u%s", (unsigned)(tile->index % 1000),
	    tile->width < BAT_TLOG_WIDTH ? ".p" : "");
}

/* The folder and the name of a tile's own file. */
static int
find_tile(const struct bat_tlog *tlog, const struct bat_tlog_tile *tile,
    int *out_dir, char name[NAME_SIZE], struct bat_error *error)
{
	int code = open_tile_folder(tlog, tile->level, tile->index, TLOG_FIND,
	    out_dir, error);

	name_tile(tile, name);
	if (code != BAT_OK || tile->width == BAT_TLOG_WIDTH)
		return code;
	code = step(tlog->disk, out_dir, name, TLOG_FIND, error);
	snprintf(name, NAME_SIZE, "%u", tile->width);
	return code;
}

/* The same; what is not there is made, and what is there is on disk. */
static int
make_tile_folder(struct bat_tlog *tlog, const struct bat_tlog_tile *tile,
    int *out_dir, char name[NAME_SIZE], struct bat_error *error)
{
	uint64_t *sure = &tlog->sure[tile->level];
	uint64_t *partial = &tlog->sure_partial[tile->level];
	bool known = *sure > 0 && (*sure - 1) / 1000 == tile->index / 1000;
	int code = open_tile_folder(tlog, tile->level, tile->index,
	    known ? TLOG_MAKE : TLOG_MAKE_SURE, out_dir, error);

	if (code == BAT_OK)
		*sure = tile->index + 1;
	name_tile(tile, name);
	if (code != BAT_OK || tile->width == BAT_TLOG_WIDTH)
		return code;
	known = *partial == tile->index + 1;
	code = step(tlog->disk, out_dir, name,
	    known ? TLOG_MAKE : TLOG_MAKE_SURE, error);
	if (code == BAT_OK)
		*partial = tile->index + 1;
	snprintf(name, NAME_SIZE, "%u", tile->width);
	return code;
}

static void
close_folder(const struct bat_tlog *tlog, int dir)
{
	if (dir >= 0)
		bat_file_close(tlog->disk, dir);
}

/* ---- writing --------------------------------------------------------- */

/* A file of that name is what somebody left who got no further. It goes, so
 * that the name is a new one: whether the old one ever got to the disk nobody
 * knows. */
static int
create_tile(const struct bat_disk *disk, int dir, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL;
	int fd = disk->open_at(disk->context, dir, name, flags, 0600);

	if (fd != -EEXIST)
		return fd;
	(void)bat_file_unlink(disk, dir, name, NULL);
	return disk->open_at(disk->context, dir, name, flags, 0600);
}

int
bat_tlog_write_tile(struct bat_tlog *tlog, const struct bat_tlog_tile *tile,
    struct bat_slice bytes, struct bat_error *error)
{
	const struct bat_disk *disk = tlog->disk;
	char name[NAME_SIZE];
	int dir = -1, fd;
	int code = make_tile_folder(tlog, tile, &dir, name, error);

	if (code != BAT_OK)
		goto close_dir;
	fd = create_tile(disk, dir, name);
	if (fd < 0) {
		code = bat_error_set_os(error, -fd, "cannot make tile %s",
		    name);
		goto close_dir;
	}
	code = bat_file_write(disk, fd, bytes.data, bytes.length, 0, error);
	bat_file_close(disk, fd);
close_dir:
	close_folder(tlog, dir);
	return code;
}

static int
sync_file(const struct bat_tlog *tlog, int dir, const char *name,
    struct bat_error *error)
{
	int fd;
	int code = bat_file_open_read(tlog->disk, dir, name, &fd, error);

	if (code != BAT_OK)
		return code;
	code = BAT_PLANT(140) ? BAT_OK : bat_file_sync(tlog->disk, fd, error);
	bat_file_close(tlog->disk, fd);
	return code;
}

int
bat_tlog_sync_full(const struct bat_tlog *tlog, unsigned level, uint64_t from,
    uint64_t to, struct bat_error *error)
{
	int code = BAT_OK;

	while (code == BAT_OK && from < to) {
		uint64_t end = from - from % 1000 + 1000;
		int dir = -1;

		code = open_tile_folder(tlog, level, from, TLOG_FIND, &dir,
		    error);
		for (; code == BAT_OK && from < to && from < end; from++) {
			char name[NAME_SIZE];

			snprintf(name, sizeof(name), "%03u",
			    (unsigned)(from % 1000));
			code = sync_file(tlog, dir, name, error);
		}
		if (code == BAT_OK)
			code = bat_file_sync(tlog->disk, dir, error);
		close_folder(tlog, dir);
	}
	return code;
}

int
bat_tlog_sync_partial(const struct bat_tlog *tlog,
    const struct bat_tlog_tile *tile, struct bat_error *error)
{
	char name[NAME_SIZE];
	int dir = -1;
	int code = find_tile(tlog, tile, &dir, name, error);

	if (code == BAT_OK)
		code = sync_file(tlog, dir, name, error);
	if (code == BAT_OK)
		code = bat_file_sync(tlog->disk, dir, error);
	close_folder(tlog, dir);
	return code;
}

struct names {
	bool widths[BAT_TLOG_WIDTH];
};

static int
note_name(void *context, const char *name)
{
	struct names *names = context;
	unsigned width = 0;

	for (; *name >= '0' && *name <= '9' && width < BAT_TLOG_WIDTH; name++)
		width = width * 10 + (unsigned)(*name - '0');
	if (*name == '\0' && width > 0 && width < BAT_TLOG_WIDTH)
		names->widths[width] = true;
	return 0;
}

/* The widths of the partial tiles of an index; none is no error. */
static int
list_partials(const struct bat_tlog *tlog, int dir, struct names *out,
    struct bat_error *error)
{
	int code = tlog->disk->list(tlog->disk->context, dir, note_name, out);

	return code < 0 ?
	    bat_error_set_os(error, -code, "cannot list partial tiles") :
	    BAT_OK;
}

int
bat_tlog_drop_partials(const struct bat_tlog *tlog, unsigned level,
    uint64_t index, struct bat_error *error)
{
	struct bat_tlog_tile tile = { level, index, 1 };
	struct names names = { { false } };
	char name[NAME_SIZE];
	int dir = -1;
	int code = find_tile(tlog, &tile, &dir, name, NULL);

	if (code == BAT_WORLD_ABSENT) {
		code = BAT_OK;
		goto close_dir;
	}
	if (code == BAT_OK)
		code = list_partials(tlog, dir, &names, error);
	for (unsigned i = 1; code == BAT_OK && i < BAT_TLOG_WIDTH; i++) {
		if (!names.widths[i])
			continue;
		snprintf(name, sizeof(name), "%u", i);
		code = bat_file_unlink(tlog->disk, dir, name, error);
	}
close_dir:
	close_folder(tlog, dir);
	return code;
}

/* ---- reading --------------------------------------------------------- */

/* The first length bytes of a file. */
static int
read_start(const struct bat_tlog *tlog, const struct bat_tlog_tile *tile,
    size_t length, struct bat_buf *buf, struct bat_error *error)
{
	char name[NAME_SIZE];
	size_t got = 0;
	int dir = -1, fd = -1;
	int code = find_tile(tlog, tile, &dir, name, error);

	if (code == BAT_OK)
		code = bat_file_open_read(tlog->disk, dir, name, &fd, error);
	if (code == BAT_OK)
		code = bat_bytes_reserve(buf, length) == BAT_OK ?
		    bat_file_read(tlog->disk, fd, buf->data + buf->length,
			length, 0, &got, error) :
		    bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	if (code == BAT_OK && got < length)
		code = bat_error_set(error, BAT_DATA_CORRUPT,
		    "tile %s of level %u is short", name, tile->level);
	if (code == BAT_OK)
		buf->length += length;
	if (fd >= 0)
		bat_file_close(tlog->disk, fd);
	close_folder(tlog, dir);
	return code;
}

int
bat_tlog_read_tile(const struct bat_tlog *tlog,
    const struct bat_tlog_tile *tile, uint64_t size, struct bat_buf *buf,
    struct bat_error *error)
{
	size_t length = tile->width * bat_tlog_unit(tile->level);
	unsigned there = bat_tlog_width(tile->level, tile->index, size);
	struct bat_tlog_tile file = { tile->level, tile->index, there };
	int code;

	if (tile->width == 0 || there < tile->width)
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "the log has no such tile");
	code = read_start(tlog, &file, length, buf, error);
	if (code != BAT_WORLD_ABSENT)
		return code;
	/* It has grown since, or only the one that was asked for is there. */
	file.width = BAT_TLOG_WIDTH;
	code = read_start(tlog, &file, length, buf, error);
	if (code != BAT_WORLD_ABSENT || there == tile->width)
		return code;
	return read_start(tlog, tile, length, buf, error);
}

int
bat_tlog_read_file(const struct bat_tlog *tlog, const char *name,
    struct bat_buf *buf, struct bat_error *error)
{
	return bat_file_read_whole(tlog->disk, tlog->dir, name, TLOG_FILE_MAX,
	    buf, error);
}

struct bat_merkle_hash
bat_tlog_tile_root(const struct bat_buf *tile, size_t from, size_t count)
{
	struct bat_merkle_edge edge = { .size = 0 };
	struct bat_merkle_hash hash;

	for (size_t i = from; i < from + count; i++) {
		memcpy(hash.bytes, tile->data + i * BAT_MERKLE_HASH_SIZE,
		    BAT_MERKLE_HASH_SIZE);
		bat_merkle_add(&edge, &hash);
	}
	return bat_merkle_edge_root(&edge);
}

/* ---- hashes for proofs ------------------------------------------------- */

static int
fetch(struct bat_tlog_tiles *tiles, unsigned level, uint64_t index)
{
	unsigned width = bat_tlog_width(level, index, tiles->size);
	int code;

	if (tiles->at.width == width && tiles->at.level == level &&
	    tiles->at.index == index && width > 0)
		return BAT_OK;
	bat_bytes_clear(&tiles->buf);
	tiles->at = (struct bat_tlog_tile){ level, index, width };
	code = bat_tlog_read_tile(tiles->tlog, &tiles->at, tiles->size,
	    &tiles->buf, tiles->error);
	if (code != BAT_OK)
		tiles->at.width = 0;
	return code;
}

/* A subtree of level 8 l + k is made of 1 << k hashes of a tile of level l. */
static int
subtree(void *context, unsigned level, uint64_t index,
    struct bat_merkle_hash *out)
{
	struct bat_tlog_tiles *tiles = context;
	unsigned above = level % 8;
	uint64_t first = index << above;
	int code = fetch(tiles, level / 8, first / BAT_TLOG_WIDTH);

	if (code != BAT_OK)
		return code;
	first %= BAT_TLOG_WIDTH;
	if (first + (1u << above) > tiles->at.width)
		return bat_error_set(tiles->error, BAT_STATE_NOT_FOUND,
		    "the log has no such hash");
	*out = bat_tlog_tile_root(&tiles->buf, (size_t)first,
	    (size_t)1 << above);
	return BAT_OK;
}

struct bat_merkle_source
bat_tlog_source(struct bat_tlog_tiles *tiles)
{
	return (struct bat_merkle_source){ tiles, subtree };
}
