/* Rows of one size, as they come in the file. */
#include "verify_swift.h"

#include <stdlib.h>

#include "crc.h"

/* Two of these and a block of frames stay in the second-level cache. */
#define BLOCK_SIZE (128u << 10)

static int
read_block(struct verify_rows *rows, struct bat_error *error)
{
	uint64_t count = rows->end - rows->next;
	size_t length, got = 0;
	int code;

	if (rows->block == NULL)
		rows->block = malloc(BLOCK_SIZE);
	if (rows->block == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory for a block of rows");
	if (count > BLOCK_SIZE / rows->size)
		count = BLOCK_SIZE / rows->size;
	length = (size_t)count * rows->size;
	code = bat_file_read(rows->disk, rows->fd, rows->block, length,
	    rows->at + rows->next * rows->size, &got, error);
	if (code == BAT_OK && got < length)
		code = BAT_DATA_CORRUPT;
	if (code != BAT_OK)
		return code;
	if (rows->checked)
		rows->crc = bat_crc_update(rows->crc,
		    bat_bytes_slice(rows->block, length));
	rows->block_first = rows->next;
	rows->block_count = count;
	return BAT_OK;
}

int
bat_verify_rows_look(struct verify_rows *rows, const uint8_t **out,
    struct bat_error *error)
{
	uint64_t skip = rows->next - rows->block_first;

	if (rows->next >= rows->end)
		return BAT_END;
	if (rows->next < rows->block_first || skip >= rows->block_count) {
		int code = read_block(rows, error);

		if (code != BAT_OK)
			return code;
		skip = 0;
	}
	*out = rows->block + (size_t)skip * rows->size;
	return BAT_OK;
}

int
bat_verify_rows_find(const struct verify_rows *rows, uint64_t segment,
    uint64_t offset, uint64_t *out_number, struct bat_error *error)
{
	uint64_t low = rows->next, high = rows->end;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		uint8_t place[16];
		size_t got = 0;
		int code = bat_file_read(rows->disk, rows->fd, place,
		    sizeof(place), rows->at + middle * rows->size + 110, &got,
		    error);

		if (code == BAT_OK && got < sizeof(place))
			code = BAT_DATA_CORRUPT;
		if (code != BAT_OK)
			return code;
		if (bat_bytes_get_le64(place) < segment ||
		    (bat_bytes_get_le64(place) == segment &&
			bat_bytes_get_le64(place + 8) < offset))
			low = middle + 1;
		else
			high = middle;
	}
	*out_number = low;
	return BAT_OK;
}
