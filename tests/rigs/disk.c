#include "disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
rig_disk_init(struct rig_disk *disk, const char *base)
{
	int code;

	*disk = (struct rig_disk){ .recording = true };
	disk->life = rig_allocate(1, sizeof(*disk->life));
	code = rig_image_load(base, &disk->life->base);
	if (code == 0)
		rig_image_copy(&disk->life->base, &disk->shown);
	return code;
}

static void
life_end(struct rig_disk *disk)
{
	struct rig_life *life = disk->life;

	disk->life = life->before;
	rig_image_free(&life->base);
	rig_log_free(&life->log);
	free(life);
	rig_image_free(&disk->durable);
	disk->durable_at = 0;
}

void
rig_disk_free(struct rig_disk *disk)
{
	while (disk->life != NULL)
		life_end(disk);
	rig_image_free(&disk->shown);
}

/* ---- what the kernel asks -------------------------------------------- */

static bool
is_within(const struct rig_disk *disk, uint64_t offset, size_t length)
{
	uint64_t size = rig_image_size(&disk->shown);

	return offset <= size && length <= size - offset;
}

/* Does this one fail? The first that does is noted. */
static bool
fails(struct rig_disk *disk, enum rig_fault fault)
{
	static const char *const notes[] = {
		[RIG_FAULT_WRITE] = "failed write",
		[RIG_FAULT_FLUSH] = "failed flush",
		[RIG_FAULT_DROP] = "dropped",
	};

	if (disk->fault != fault || disk->fault_left == 0)
		return false;
	if (disk->fault_after > 0) {
		disk->fault_after--;
		return false;
	}
	disk->fault_left--;
	if (disk->fault_hits++ == 0)
		rig_disk_note(disk, notes[fault], strlen(notes[fault]));
	return true;
}

int
rig_disk_read(const struct rig_disk *disk, uint64_t offset, void *to,
    size_t length)
{
	if (!is_within(disk, offset, length))
		return -EINVAL;
	rig_image_read(&disk->shown, offset, to, length);
	return 0;
}

int
rig_disk_write(struct rig_disk *disk, uint64_t offset, const void *from,
    size_t length)
{
	if (!is_within(disk, offset, length))
		return -ENOSPC;
	if (fails(disk, RIG_FAULT_WRITE))
		return -EIO;
	if (fails(disk, RIG_FAULT_DROP))
		return 0;
	rig_image_write(&disk->shown, offset, from, length);
	if (disk->recording)
		rig_log_add(&disk->life->log, RIG_WRITE, offset, from, length);
	return 0;
}

int
rig_disk_flush(struct rig_disk *disk)
{
	if (fails(disk, RIG_FAULT_FLUSH))
		return -EIO;
	if (disk->recording)
		rig_log_add(&disk->life->log, RIG_FLUSH, 0, NULL, 0);
	return 0;
}

void
rig_disk_note(struct rig_disk *disk, const void *text, size_t length)
{
	if (disk->recording)
		rig_log_add(&disk->life->log, RIG_NOTE, 0, text, length);
}

/* ---- what the rig asks ----------------------------------------------- */

void
rig_disk_fail(struct rig_disk *disk, enum rig_fault fault, uint64_t after,
    uint64_t count)
{
	disk->fault = fault;
	disk->fault_after = after;
	disk->fault_left = count;
	disk->fault_hits = 0;
}

/* Positions mostly rise: then only the writes in between are done. */
static void
bring_durable(struct rig_disk *disk, size_t at)
{
	if (disk->durable.count == 0 || disk->durable_at > at) {
		rig_image_copy(&disk->life->base, &disk->durable);
		disk->durable_at = 0;
	}
	rig_log_apply(&disk->life->log, disk->durable_at, at, &disk->durable);
	disk->durable_at = at;
}

void
rig_disk_cut(struct rig_disk *disk, const struct rig_cut *cut,
    struct rig_cut_told *told)
{
	bring_durable(disk, rig_log_durable(&disk->life->log, cut->position));
	rig_image_copy(&disk->durable, &disk->shown);
	rig_log_cut(&disk->life->log, cut, &disk->shown, told);
	disk->recording = false;
	disk->fault = RIG_FAULT_NONE;
}

void
rig_disk_push(struct rig_disk *disk)
{
	struct rig_life *life = rig_allocate(1, sizeof(*life));

	rig_image_copy(&disk->shown, &life->base);
	life->before = disk->life;
	disk->life = life;
	rig_image_free(&disk->durable);
	disk->durable_at = 0;
	disk->recording = true;
}

bool
rig_disk_pop(struct rig_disk *disk)
{
	if (disk->life->before == NULL)
		return false;
	life_end(disk);
	disk->recording = false;
	return true;
}

void
rig_disk_reset(struct rig_disk *disk)
{
	while (disk->life->before != NULL)
		life_end(disk);
	rig_log_free(&disk->life->log);
	rig_image_free(&disk->durable);
	disk->durable_at = 0;
	rig_image_copy(&disk->life->base, &disk->shown);
	disk->recording = true;
	disk->fault = RIG_FAULT_NONE;
}
