/* Rows of one size: each thread knows where its half is. */
#include "loader_internal.h"

#include <stdlib.h>
#include <zlib.h>

#include "crc.h"
#include "parallel.h"

#define BLOCK_SIZE (256u << 10) /* stays in the second-level cache */
#define PARALLEL_ROWS 8192u

/* Rows up to `end`, by one thread. */
struct share {
	struct loader_part part;
	const struct loader_rows *rows;
	uint32_t end;
};

static int
load_block(struct share *share, const uint8_t *bytes, size_t count)
{
	const struct loader_rows *rows = share->rows;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < count; i++) {
		struct bat_row row;

		code = rows->read(rows, bytes + i * rows->size,
		    share->part.next - rows->first, &row, &share->part.error);
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
	const struct loader_rows *rows = share->rows;
	uint32_t block_rows = (uint32_t)(BLOCK_SIZE / rows->size);
	uint8_t *block = malloc(BLOCK_SIZE);

	if (block == NULL)
		part->code = bat_error_set(&part->error, BAT_WORLD_NO_MEMORY,
		    "no memory for a block");
	while (part->code == BAT_OK && part->next < share->end) {
		uint32_t left = share->end - part->next;
		uint32_t count = left < block_rows ? left : block_rows;
		size_t length = count * rows->size, got;

		part->code = bat_file_read(part->loader->disk, part->loader->fd,
		    block, length,
		    rows->at +
			(uint64_t)(part->next - rows->first) * rows->size,
		    &got, &part->error);
		if (part->code == BAT_OK && got != length)
			part->code = bat_error_set(&part->error,
			    BAT_DATA_CORRUPT, "it became shorter meanwhile");
		if (part->code != BAT_OK)
			break;
		if (rows->checked)
			part->crc = bat_crc_update(part->crc,
			    bat_bytes_slice(block, length));
		part->code = load_block(share, block, count);
	}
	free(block);
	return NULL;
}

int
bat_loader_rows(const struct loader *loader, const struct loader_rows *rows,
    uint32_t *crc, bool *out_ordered, struct bat_error *error)
{
	uint32_t end = rows->first + rows->count;
	uint32_t half = rows->count < PARALLEL_ROWS ?
	    end :
	    rows->first + rows->count / 2;
	struct share shares[2] = {
		{ .rows = rows, .end = half },
		{ .rows = rows, .end = end },
	};

	for (size_t i = 0; i < 2; i++) {
		shares[i].part.loader = loader;
		shares[i].part.ordered = true;
		shares[i].part.first = i == 0 ? rows->first : half;
		shares[i].part.next = shares[i].part.first;
	}
	if (half < end)
		bat_parallel_run(load_share, &shares[0], &shares[1]);
	else
		(void)load_share(&shares[0]);
	for (size_t i = 0; i < 2; i++) {
		const struct loader_part *part = &shares[i].part;

		if (part->code != BAT_OK) {
			if (error != NULL)
				*error = part->error;
			return part->code;
		}
		*crc = (uint32_t)crc32_combine(*crc, part->crc,
		    (z_off_t)((part->next - part->first) * rows->size));
	}
	*out_ordered = bat_loader_is_ordered(&shares[0].part, &shares[1].part);
	return BAT_OK;
}
