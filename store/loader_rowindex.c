/* index.fbati: rows of one size, so each thread knows where its half is. */
#include "loader_internal.h"

#include <stdlib.h>
#include <zlib.h>

#include "crc.h"
#include "rowindex.h"

#define BLOCK_ROWS 1024u /* stays in the second-level cache */
#define BLOCK_BYTES ((size_t)BLOCK_ROWS * BAT_ROWINDEX_ROW_SIZE)
#define PARALLEL_ROWS 8192u

/* Rows [part.first, end) of the file, by one thread. */
struct share {
	struct loader_part part;
	struct bat_rowindex_front *front;
	uint32_t end;
};

static int
load_rows(struct share *share, const uint8_t *bytes, size_t rows)
{
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < rows; i++) {
		struct bat_slice map;
		struct bat_row row;

		code = bat_rowindex_read_row(share->front,
		    bytes + i * BAT_ROWINDEX_ROW_SIZE, share->part.next, &row,
		    &map, &share->part.error);
		if (code == BAT_OK)
			code = bat_loader_put(&share->part, &row);
	}
	return code;
}

static void *
load_share(void *argument)
{
	struct share *share = argument;
	struct loader_part *part = &share->part;
	const struct loader *loader = part->loader;
	uint8_t *block = malloc(BLOCK_BYTES);

	if (block == NULL)
		part->code = bat_error_set(&part->error, BAT_WORLD_NO_MEMORY,
		    "no memory for a block");
	while (part->code == BAT_OK && part->next < share->end) {
		uint32_t left = share->end - part->next;
		size_t rows = left < BLOCK_ROWS ? left : BLOCK_ROWS;
		size_t length = rows * BAT_ROWINDEX_ROW_SIZE, got;

		part->code = bat_file_read(loader->disk, loader->fd, block,
		    length,
		    share->front->sections[3] +
			(uint64_t)part->next * BAT_ROWINDEX_ROW_SIZE,
		    &got, &part->error);
		if (part->code == BAT_OK && got != length)
			part->code = bat_error_set(&part->error,
			    BAT_DATA_CORRUPT, "it became shorter meanwhile");
		if (part->code != BAT_OK)
			break;
		part->crc = bat_crc_update(part->crc,
		    bat_bytes_slice(block, length));
		part->code = load_rows(share, block, rows);
	}
	free(block);
	return NULL;
}

static int
load_all(const struct loader *loader, struct bat_rowindex_front *front,
    uint32_t front_crc, bool *out_ordered, struct bat_error *error)
{
	uint32_t rows = (uint32_t)front->head.row_count;
	uint32_t half = rows < PARALLEL_ROWS ? rows : rows / 2;
	struct share shares[2] = {
		{ .front = front, .end = half },
		{ .front = front, .end = rows },
	};
	uint32_t crc = front_crc;

	for (size_t i = 0; i < 2; i++) {
		shares[i].part.loader = loader;
		shares[i].part.ordered = true;
		shares[i].part.first = i == 0 ? 0 : half;
		shares[i].part.next = shares[i].part.first;
	}
	if (half < rows)
		bat_loader_run_both(load_share, &shares[0], &shares[1]);
	else
		(void)load_share(&shares[0]);
	for (size_t i = 0; i < 2; i++) {
		const struct loader_part *part = &shares[i].part;

		if (part->code != BAT_OK) {
			if (error != NULL)
				*error = part->error;
			return part->code;
		}
		crc = (uint32_t)crc32_combine(crc, part->crc,
		    (z_off_t)(part->next - part->first) *
			BAT_ROWINDEX_ROW_SIZE);
	}
	if (crc != front->crc && !(BAT_PLANT(27) && half < rows))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_ROWINDEX_FILE ": crc");
	*out_ordered = bat_loader_is_ordered(&shares[0].part, &shares[1].part);
	return BAT_OK;
}

/* Everything in front of the rows, in memory. */
static int
read_front(const struct loader *loader, struct bat_rowindex_front *front,
    struct bat_buf *bytes, struct bat_error *error)
{
	uint8_t header[BAT_ROWINDEX_HEADER_SIZE];
	uint64_t size = 0;
	size_t got = 0, length;
	int code = bat_file_size(loader->disk, loader->fd, &size, error);

	if (code == BAT_OK)
		code = bat_file_read(loader->disk, loader->fd, header,
		    sizeof(header), 0, &got, error);
	if (code == BAT_OK)
		code = bat_rowindex_read_header(bat_bytes_slice(header, got),
		    size, front, error);
	if (code != BAT_OK)
		return code;
	length = (size_t)front->sections[3];
	code = bat_bytes_reserve(bytes, length);
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory for %zu bytes",
		    length);
	code = bat_file_read(loader->disk, loader->fd, bytes->data, length, 0,
	    &got, error);
	if (code == BAT_OK && got != length)
		code = bat_error_set(error, BAT_DATA_CORRUPT,
		    "it became shorter meanwhile");
	if (code != BAT_OK)
		return code;
	bytes->length = length;
	front->front = bat_bytes_of_buf(bytes);
	return bat_rowindex_read_front(front, error);
}

int
bat_loader_rowindex(const struct bat_disk *disk, int dir, uint64_t max_seq,
    struct bat_index *index, struct bat_loader_result *out,
    struct bat_error *error)
{
	struct loader loader = { .disk = disk,
		.max_seq = max_seq,
		.index = index };
	struct bat_rowindex_front front = { .front = BAT_SLICE_EMPTY };
	struct bat_buf bytes = BAT_BUF_EMPTY;
	uint64_t rows;
	int code = bat_file_open_read(disk, dir, BAT_ROWINDEX_FILE, &loader.fd,
	    error);

	if (code != BAT_OK)
		return code;
	code = read_front(&loader, &front, &bytes, error);
	rows = front.head.row_count;
	if (code == BAT_OK)
		code = bat_loader_know_names(&loader, &front.strings);
	if (code == BAT_OK)
		code = rows > UINT32_MAX - 1 ?
		    BAT_USE_TOO_LARGE :
		    bat_index_load_room(index, (uint32_t)rows);
	if (code == BAT_OK)
		code = load_all(&loader, &front,
		    bat_crc_of(
			bat_bytes_slice(bytes.data + BAT_ROWINDEX_CRC_START,
			    bytes.length - BAT_ROWINDEX_CRC_START)),
		    &out->ordered, error);
	if (code == BAT_OK)
		code = bat_loader_keep_head(&front.head, out);
	if (code == BAT_WORLD_NO_MEMORY || code == BAT_USE_TOO_LARGE)
		bat_error_set(error, code, "no room for %llu rows in memory",
		    (unsigned long long)rows);
	free(loader.names);
	bat_checkpoint_free_strings(&front.strings);
	bat_bytes_free(&bytes);
	bat_file_close(disk, loader.fd);
	return code;
}
