/*
 * index.ckpt: entries of different lengths, so where the second half begins is
 * a guess. Happy path: in the middle of the file stands what only the start of
 * an entry looks like; its sequence number says which row it is, if there are
 * no gaps; the first thread arrives exactly there, with as many rows. If it
 * does not, what the second thread did is thrown away, and the first one reads
 * on.
 */
#include "loader_internal.h"

#include <stdlib.h>
#include <zlib.h>

#include "crc.h"
#include "kind.h"
#include "parallel.h"

#define FRONT_SIZE (1u << 20)	/* tried first */
#define BLOCK_SIZE (256u << 10) /* stays in the second-level cache */
/* An entry that does not decode from so many bytes is left to the plain
 * decoder. */
#define ENTRY_MAX (64u << 10)
#define PARALLEL_ROWS 8192u

/* The entries in the bytes [at, end) of the file, by one thread. */
struct share {
	struct loader_part part;
	struct bat_checkpoint_front *front;
	uint64_t at, end; /* what is still to be read */
	uint32_t rows_end;
	struct bat_buf window; /* of what was read */
	size_t used;	       /* of the window: decoded */
};

/* ---- one thread ------------------------------------------------------ */

static int
stop(struct share *share, int code, const char *text)
{
	share->part.code = code;
	return bat_error_set(&share->part.error, code, "%s", text);
}

/* What is not decoded to the start of the window, and a block behind it. */
static int
refill(struct share *share)
{
	const struct loader *loader = share->part.loader;
	struct bat_buf *window = &share->window;
	uint64_t left = share->end - share->at;
	size_t length = left < BLOCK_SIZE ? (size_t)left : BLOCK_SIZE, got;
	uint8_t *to;
	int code;

	window->length -= share->used;
	memmove(window->data, window->data + share->used, window->length);
	share->used = 0;
	to = window->data + window->length;
	code = bat_file_read(loader->disk, loader->fd, to, length, share->at,
	    &got, &share->part.error);
	if (code != BAT_OK)
		return share->part.code = code;
	if (got != length)
		return stop(share, BAT_DATA_CORRUPT,
		    "it became shorter meanwhile");
	share->part.crc = bat_crc_update(share->part.crc,
	    bat_bytes_slice(to, length));
	share->at += length;
	window->length += length;
	return BAT_OK;
}

/* Entries as long as the window surely has the next one whole. */
static int
decode_window(struct share *share)
{
	struct bat_pack_reader reader = { share->window.data + share->used,
		share->window.data + share->window.length };
	size_t enough = share->at < share->end ? ENTRY_MAX : 1;
	int code = BAT_OK;

	while (code == BAT_OK && share->part.next < share->rows_end &&
	    bat_pack_left(&reader) >= enough) {
		struct bat_row row;

		code = bat_checkpoint_read_row(share->front, &reader, &row);
		if (code != BAT_OK)
			return stop(share, code, "an entry does not decode");
		row.kind = bat_kind_mapped(row.kind);
		code = bat_loader_put(&share->part, &row);
		share->used = (size_t)(reader.at - share->window.data);
	}
	return share->part.code = code;
}

static void *
load_share(void *argument)
{
	struct share *share = argument;

	if (bat_bytes_reserve(&share->window, ENTRY_MAX + BLOCK_SIZE) !=
	    BAT_OK) {
		(void)stop(share, BAT_WORLD_NO_MEMORY, "no memory for a block");
		return NULL;
	}
	/* Behind the last entry: only for the CRC. */
	do {
		if (share->part.next == share->rows_end)
			share->used = share->window.length;
		if (share->at < share->end && refill(share) != BAT_OK)
			return NULL;
		if (decode_window(share) != BAT_OK)
			return NULL;
	} while (share->at < share->end);
	return NULL;
}

/* ---- where the second half begins ------------------------------------ */

/* The bytes of the file from offset on, as many as a window has. */
static int
look_at(const struct loader *loader, uint64_t offset, struct bat_buf *window,
    struct bat_error *error)
{
	if (bat_bytes_reserve(window, ENTRY_MAX) != BAT_OK)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory for a block");
	return bat_file_read(loader->disk, loader->fd, window->data, ENTRY_MAX,
	    offset, &window->length, error);
}

/* Sequence number of the entry at *at or of the first one behind it that is
 * spelled like batpak's; false if there is none in sight. */
static bool
find_entry(struct bat_checkpoint_front *front, const struct bat_buf *window,
    size_t *at, uint64_t *out_seq)
{
	const char *start = front->head.version < 6 ? "\xde\x00\x10\xa8"
						      "event_id\xc4\x10" :
						      "\xde\x00\x11\xa8"
						      "event_id\xc4\x10";

	for (size_t from = *at;;) {
		struct bat_pack_reader reader;
		const uint8_t *found;
		struct bat_row row;

		found = memmem(window->data + from, window->length - from,
		    start, 14);
		if (found == NULL)
			return false;
		reader = (struct bat_pack_reader){ found,
			window->data + window->length };
		if (bat_checkpoint_read_row(front, &reader, &row) == BAT_OK) {
			*at = (size_t)(found - window->data);
			*out_seq = row.seq;
			return true;
		}
		from = (size_t)(found - window->data) + 1;
	}
}

/* Make the second share what begins in the middle; false: one share it is. */
static bool
split(const struct loader *loader, struct share shares[2])
{
	struct bat_checkpoint_front *front = shares[0].front;
	uint64_t middle = shares[0].at + (shares[0].end - shares[0].at) / 2;
	struct bat_buf window = BAT_BUF_EMPTY;
	uint64_t first_seq = 0, seq = 0;
	size_t zero = 0, at = 0;
	bool found = shares[0].rows_end >= PARALLEL_ROWS &&
	    front->head.version >= 4 &&
	    look_at(loader, shares[0].at, &window, NULL) == BAT_OK &&
	    find_entry(front, &window, &zero, &first_seq) && zero == 0 &&
	    look_at(loader, middle, &window, NULL) == BAT_OK &&
	    find_entry(front, &window, &at, &seq);

	bat_bytes_free(&window);
	if (!found || seq <= first_seq || seq - first_seq >= shares[0].rows_end)
		return false;
	shares[1].end = shares[0].end;
	shares[1].rows_end = shares[0].rows_end;
	shares[0].end = shares[1].at = middle + at;
	shares[1].part.first = shares[1].part.next = (uint32_t)(seq -
	    first_seq);
	return true;
}

/* ---- the whole ------------------------------------------------------- */

/* Both shares, or the first one alone where the guess was wrong. */
static int
load_both(struct share shares[2], uint64_t end)
{
	uint32_t rows = shares[0].rows_end;

	bat_parallel_run(load_share, &shares[0], &shares[1]);
	if (shares[0].part.code == BAT_OK &&
	    shares[0].used == shares[0].window.length &&
	    (shares[0].part.next == shares[1].part.first || BAT_PLANT(89)))
		return shares[1].part.code;
	if (shares[0].part.code != BAT_OK && shares[0].at < shares[0].end)
		return shares[0].part.code;
	/* At its end it may have met half an entry. */
	shares[0].end = end;
	shares[0].rows_end = rows;
	shares[0].part.code = BAT_OK;
	shares[1].at = end;
	shares[1].part.crc = 0;
	shares[1].part.first = shares[1].part.next = rows;
	shares[1].part.ordered = true;
	shares[1].part.code = BAT_OK;
	(void)load_share(&shares[0]);
	return shares[0].part.code;
}

static int
load_all(const struct loader *loader, struct bat_checkpoint_front *front,
    uint64_t size, uint32_t front_crc, bool *out_ordered,
    struct bat_error *error)
{
	struct share shares[2] = {
		{ .front = front,
		    .at = front->entries_at,
		    .end = size,
		    .rows_end = (uint32_t)front->head.row_count },
		{ .front = front, .at = size, .end = size },
	};
	uint64_t middle;
	uint32_t crc;
	int code;

	for (size_t i = 0; i < 2; i++) {
		shares[i].part.loader = loader;
		shares[i].part.ordered = true;
	}
	if (split(loader, shares)) {
		code = load_both(shares, size);
	} else {
		(void)load_share(&shares[0]);
		code = shares[0].part.code;
	}
	if (code == BAT_OK &&
	    shares[0].part.next +
		    (shares[1].part.next - shares[1].part.first) !=
		front->head.row_count)
		code = BAT_DATA_CORRUPT;
	middle = shares[0].end;
	crc = (uint32_t)crc32_combine(front_crc, shares[0].part.crc,
	    (z_off_t)(middle - front->entries_at));
	crc = (uint32_t)crc32_combine(crc, shares[1].part.crc,
	    (z_off_t)(size - middle));
	*out_ordered = code == BAT_OK &&
	    bat_loader_is_ordered(&shares[0].part, &shares[1].part);
	if (error != NULL && code != BAT_OK)
		*error = shares[shares[0].part.code == BAT_OK].part.error;
	for (size_t i = 0; i < 2; i++)
		bat_bytes_free(&shares[i].window);
	return code == BAT_OK && crc != front->crc && !BAT_PLANT(90) ?
	    BAT_DATA_CORRUPT :
	    code;
}

/* Everything in front of the entries, in memory: how much that is shows when
 * it decodes. */
static int
read_front(const struct loader *loader, uint64_t size,
    struct bat_checkpoint_front *front, struct bat_buf *bytes,
    struct bat_error *error)
{
	int code = BAT_END;

	for (uint64_t want = FRONT_SIZE; code == BAT_END; want *= 4) {
		uint64_t length = want < size ? want : size;

		bat_checkpoint_free_strings(&front->strings);
		bat_bytes_clear(bytes);
		if (bat_bytes_reserve(bytes, (size_t)length) != BAT_OK)
			return bat_error_set(error, BAT_WORLD_NO_MEMORY,
			    "no memory for %llu bytes",
			    (unsigned long long)length);
		code = bat_file_read(loader->disk, loader->fd, bytes->data,
		    (size_t)length, 0, &bytes->length, error);
		if (code == BAT_OK)
			code = bat_checkpoint_read_front(
			    bat_bytes_of_buf(bytes), size, front);
		if (length == size)
			break;
	}
	return code;
}

int
bat_loader_checkpoint(const struct bat_disk *disk, int dir, uint64_t max_seq,
    struct bat_index *index, struct bat_loader_result *out,
    struct bat_error *error)
{
	struct loader loader = { .disk = disk,
		.max_seq = max_seq,
		.index = index };
	struct bat_checkpoint_front front = { .crc = 0 };
	struct bat_buf bytes = BAT_BUF_EMPTY;
	uint64_t size = 0;
	int code = bat_file_open_read(disk, dir, BAT_CHECKPOINT_FILE,
	    &loader.fd, error);

	if (code != BAT_OK)
		return code;
	code = bat_file_size(disk, loader.fd, &size, error);
	if (code == BAT_OK)
		code = read_front(&loader, size, &front, &bytes, error);
	if (code == BAT_OK)
		code = bat_loader_know_names(&loader, &front.strings);
	if (code == BAT_OK)
		code = bat_index_load_room(index,
		    (uint32_t)front.head.row_count);
	if (code == BAT_OK)
		code = load_all(&loader, &front, size,
		    bat_crc_of(bat_bytes_slice(bytes.data +
			    BAT_CHECKPOINT_CRC_START,
			(size_t)front.entries_at - BAT_CHECKPOINT_CRC_START)),
		    &out->ordered, error);
	if (code == BAT_OK)
		code = bat_loader_keep_head(&front.head, out);
	if (code == BAT_WORLD_NO_MEMORY || code == BAT_USE_TOO_LARGE)
		bat_error_set(error, code, "no room for %llu rows in memory",
		    (unsigned long long)front.head.row_count);
	free(loader.names);
	bat_checkpoint_free_strings(&front.strings);
	bat_bytes_free(&bytes);
	bat_file_close(disk, loader.fd);
	return code == BAT_DATA_CORRUPT ? BAT_END : code;
}
