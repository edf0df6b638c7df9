/*
 * What a memory disk is made of: shared contents, names, inodes, operations.
 */
#include <stdio.h>
#include <stdlib.h>

#include "memory_disk_parts.h"

void *(*memory_disk_realloc)(void *old, size_t size) = realloc;

void *
memory_disk_grow(void *old, size_t size)
{
	void *larger = memory_disk_realloc(old, size);

	if (larger == NULL)
		abort();
	return larger;
}

/* ---- contents -------------------------------------------------------- */

void
memory_content_drop(struct memory_content *content)
{
	if (content != NULL && --content->refs == 0)
		free(content);
}

struct memory_content *
memory_content_share(struct memory_content *content)
{
	if (content != NULL)
		content->refs++;
	return content;
}

size_t
memory_content_size(const struct memory_content *content)
{
	return content == NULL ? 0 : content->size;
}

/* One that belongs to its holder alone and has room for size bytes. */
static struct memory_content *
own(struct memory_content *content, size_t size)
{
	size_t had = memory_content_size(content), capacity = 256;
	struct memory_content *mine;

	if (content != NULL && content->refs == 1 && content->capacity >= size)
		return content;
	while (capacity < size || capacity < had)
		capacity *= 2;
	mine = memory_disk_grow(NULL, sizeof(*mine) + capacity);
	*mine = (struct memory_content){ .refs = 1,
		.size = had,
		.capacity = capacity };
	if (had > 0)
		memcpy(mine->bytes, content->bytes, had);
	memory_content_drop(content);
	return mine;
}

void
memory_content_resize(struct memory_content **content, uint64_t size)
{
	size_t had = memory_content_size(*content);
	struct memory_content *mine;

	if (had == size)
		return;
	mine = own(*content, (size_t)size);
	if (size > had)
		memset(mine->bytes + had, 0, (size_t)size - had);
	mine->size = (size_t)size;
	mine->hashed = false;
	*content = mine;
}

void
memory_content_write(struct memory_content **content, uint64_t offset,
    const uint8_t *bytes, size_t length)
{
	size_t end = (size_t)offset + length;
	size_t had = memory_content_size(*content);
	struct memory_content *mine;

	if (length == 0)
		return;
	mine = own(*content, end > had ? end : had);
	if (end > had) {
		memset(mine->bytes + had, 0, end - had);
		mine->size = end;
	}
	memcpy(mine->bytes + offset, bytes, length);
	mine->hashed = false;
	*content = mine;
}

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t
hash_bytes(const uint8_t *bytes, size_t length)
{
	uint64_t hash = 0x9e3779b97f4a7c15 + length, word;

	for (; length >= 8; length -= 8, bytes += 8) {
		memcpy(&word, bytes, 8);
		hash = (hash ^ word) * 0xd6e8feb86659fd93;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, bytes, length);
	return mix(hash ^ word);
}

uint64_t
memory_content_hash(struct memory_content *content)
{
	if (content == NULL)
		return 1;
	if (!content->hashed)
		content->hash = hash_bytes(content->bytes, content->size);
	content->hashed = true;
	return content->hash;
}

/* ---- names ----------------------------------------------------------- */

static size_t
names_place(const struct memory_names *names, const char *name)
{
	size_t i = 0;

	while (i < names->count && strcmp(names->list[i].name, name) != 0)
		i++;
	return i;
}

unsigned
memory_names_find(const struct memory_names *names, const char *name)
{
	size_t i = names_place(names, name);

	return i == names->count ? MEMORY_NO_INODE : names->list[i].inode;
}

static void
copy_name(char to[MEMORY_DISK_NAME_SIZE], const char *name)
{
	if (strlen(name) >= MEMORY_DISK_NAME_SIZE)
		abort();
	snprintf(to, MEMORY_DISK_NAME_SIZE, "%s", name);
}

void
memory_names_set(struct memory_names *names, const char *name, unsigned inode)
{
	size_t i = names_place(names, name);

	if (i == names->count && names->count == names->capacity) {
		names->capacity = names->capacity == 0 ? 8 :
							 names->capacity * 2;
		names->list = memory_disk_grow(names->list,
		    names->capacity * sizeof(*names->list));
	}
	if (i == names->count)
		names->count++;
	copy_name(names->list[i].name, name);
	names->list[i].inode = inode;
}

void
memory_names_unset(struct memory_names *names, const char *name)
{
	size_t i = names_place(names, name);

	if (i == names->count)
		return;
	names->count--;
	memmove(&names->list[i], &names->list[i + 1],
	    (names->count - i) * sizeof(*names->list));
}

void
memory_names_copy(const struct memory_names *from, struct memory_names *to)
{
	free(to->list);
	*to = (struct memory_names){ NULL, from->count, from->count };
	if (from->count == 0)
		return;
	to->list = memory_disk_grow(NULL, from->count * sizeof(*to->list));
	memcpy(to->list, from->list, from->count * sizeof(*to->list));
}

/* ---- inodes ---------------------------------------------------------- */

unsigned
memory_disk_make_inode(struct memory_disk *disk, enum bat_file_type type,
    uint32_t mode)
{
	if (disk->inode_count == disk->inode_capacity) {
		disk->inode_capacity = disk->inode_capacity * 2 + 16;
		disk->inodes = memory_disk_grow(disk->inodes,
		    disk->inode_capacity * sizeof(*disk->inodes));
	}
	disk->inodes[disk->inode_count] = (struct memory_inode){ .type = type,
		.mode = mode,
		.changed_ns = disk->now_ns };
	return (unsigned)disk->inode_count++;
}

/* ---- operations ------------------------------------------------------ */

void
memory_disk_drop_op(struct memory_disk_op *op)
{
	if (--op->refs == 0)
		free(op);
}

static void
push(struct memory_disk_op ***list, size_t *count, size_t *capacity,
    struct memory_disk_op *op)
{
	if (*count == *capacity) {
		*capacity = *capacity * 2 + 16;
		*list = memory_disk_grow(*list, *capacity * sizeof(**list));
	}
	(*list)[(*count)++] = op;
	op->refs++;
}

struct memory_disk_op *
memory_disk_note(struct memory_disk *disk, const struct memory_disk_op *op)
{
	size_t length = op->bytes == NULL ? 0 : (size_t)op->length;
	struct memory_disk_op *mine = memory_disk_grow(NULL,
	    sizeof(*mine) + length);
	uint8_t *bytes = (uint8_t *)(mine + 1);

	*mine = *op;
	mine->refs = 0;
	if (length > 0) {
		memcpy(bytes, op->bytes, length);
		mine->bytes = bytes;
	}
	disk->now_ns += 1000;
	if (op->kind < MEMORY_DISK_SYNC) {
		disk->inodes[op->inode].changed_ns = disk->now_ns;
		push(&disk->pending, &disk->pending_count,
		    &disk->pending_capacity, mine);
	}
	push(&disk->log, &disk->log_count, &disk->log_capacity, mine);
	return mine;
}

void
memory_disk_print_op(const struct memory_disk_op *op, struct bat_buf *out)
{
	unsigned long long offset = op->offset, length = op->length;
	int code = 0;

	switch (op->kind) {
	case MEMORY_DISK_WRITE:
		code = bat_bytes_append_format(out, "write %s [%llu, +%llu)",
		    op->name, offset, length);
		break;
	case MEMORY_DISK_TRUNCATE:
		code = bat_bytes_append_format(out, "truncate %s to %llu",
		    op->name, offset);
		break;
	case MEMORY_DISK_CREATE:
		code = bat_bytes_append_format(out, "create %s", op->name);
		break;
	case MEMORY_DISK_RENAME:
		code = bat_bytes_append_format(out, "rename %s to %s", op->from,
		    op->name);
		break;
	case MEMORY_DISK_UNLINK:
		code = bat_bytes_append_format(out, "unlink %s", op->name);
		break;
	case MEMORY_DISK_SYNC:
		code = bat_bytes_append_format(out, "sync %s", op->name);
		break;
	case MEMORY_DISK_LOST_SYNC:
		code = bat_bytes_append_format(out, "sync %s fails", op->name);
		break;
	}
	if (code != 0)
		abort();
}

void
memory_disk_print_log(const struct memory_disk *disk, struct bat_buf *out)
{
	for (size_t i = 0; i < disk->log_count; i++) {
		if (bat_bytes_append_format(out, "  %3zu ", i + 1) != 0)
			abort();
		memory_disk_print_op(disk->log[i], out);
		if (bat_bytes_append_byte(out, '\n') != 0)
			abort();
	}
}
