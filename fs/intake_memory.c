#include "intake_memory.h"

#include <stdalign.h>
#include <stdlib.h>

/* One block does for the lines of most writes. */
#define BLOCK_SIZE ((size_t)64 << 10)

struct batfs_intake_block {
	struct batfs_intake_block *next;
	size_t size, used;
	alignas(max_align_t) uint8_t bytes[];
};

void *
batfs_intake_memory_take(struct batfs_intake_memory *memory, size_t size)
{
	const size_t unit = alignof(max_align_t);
	struct batfs_intake_block *block = memory->blocks;
	size_t room = BLOCK_SIZE;

	if (size > PTRDIFF_MAX / 2)
		return NULL;
	size = (size + unit - 1) / unit * unit;
	if (block == NULL || block->size - block->used < size) {
		if (room < size)
			room = size;
		block = malloc(sizeof(*block) + room);
		if (block == NULL)
			return NULL;
		block->next = memory->blocks;
		block->size = room;
		block->used = 0;
		memory->blocks = block;
	}
	block->used += size;
	return block->bytes + block->used - size;
}

bool
batfs_intake_memory_copy(struct batfs_intake_memory *memory,
    struct bat_slice bytes, struct bat_slice *out)
{
	uint8_t *to = batfs_intake_memory_take(memory, bytes.length);

	if (to == NULL)
		return false;
	if (bytes.length > 0)
		memcpy(to, bytes.data, bytes.length);
	*out = bat_bytes_slice(to, bytes.length);
	return true;
}

void
batfs_intake_memory_reset(struct batfs_intake_memory *memory)
{
	struct batfs_intake_block *kept = NULL, *block = memory->blocks;

	while (block != NULL) {
		struct batfs_intake_block *next = block->next;

		if (kept == NULL && block->size == BLOCK_SIZE) {
			kept = block;
			kept->next = NULL;
			kept->used = 0;
		} else {
			free(block);
		}
		block = next;
	}
	memory->blocks = kept;
}

void
batfs_intake_memory_free(struct batfs_intake_memory *memory)
{
	batfs_intake_memory_reset(memory);
	free(memory->blocks);
	memory->blocks = NULL;
}
