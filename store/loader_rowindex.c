/* index.fbati: strings and a summary, then rows of one size. */
#include "loader_internal.h"

#include <stdlib.h>

#include "crc.h"
#include "rowindex.h"

static int
read_row(const struct loader_rows *rows, const uint8_t *bytes, uint32_t number,
    struct bat_row *out, struct bat_error *error)
{
	struct bat_slice map;

	return bat_rowindex_read_row(rows->context, bytes, number, out, &map,
	    error);
}

static int
load_all(const struct loader *loader, struct bat_rowindex_front *front,
    uint32_t crc, bool *out_ordered, struct bat_error *error)
{
	const struct loader_rows rows = {
		.at = front->sections[3],
		.size = BAT_ROWINDEX_ROW_SIZE,
		.count = (uint32_t)front->head.row_count,
		.read = read_row,
		.context = front,
		.checked = true,
	};
	int code = bat_loader_rows(loader, &rows, &crc, out_ordered, error);

	if (code != BAT_OK)
		return code;
	return crc == front->crc || BAT_PLANT(27) ?
	    BAT_OK :
	    bat_error_set(error, BAT_DATA_CORRUPT, BAT_ROWINDEX_FILE ": crc");
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
