/*
 * The disk behind block_disk: it serves an image, logs what is done to it,
 * fails on order, and goes back to any state that a power cut could have left.
 * One thread.
 */
#ifndef RIGS_DISK_H
#define RIGS_DISK_H

#include "write_log.h"

enum rig_fault {
	RIG_FAULT_NONE,
	RIG_FAULT_WRITE, /* writes answer EIO and do nothing */
	RIG_FAULT_FLUSH, /* flushes do */
	RIG_FAULT_DROP,	 /* writes answer well and do nothing */
};

/* A disk's life: what it was at first, and what happened since. */
struct rig_life {
	struct rig_image base;
	struct rig_log log;
	struct rig_life *before; /* the life that a cut ended */
};

struct rig_disk {
	struct rig_image shown; /* what is read */
	struct rig_life *life;
	/* The base with the log's writes up to durable_at. */
	struct rig_image durable;
	size_t durable_at;
	bool recording;
	enum rig_fault fault;
	uint64_t fault_after; /* so many more succeed */
	uint64_t fault_left;  /* then so many fail */
	uint64_t fault_hits;
};

/* 0 or a negative errno. */
int rig_disk_init(struct rig_disk *disk, const char *base);
void rig_disk_free(struct rig_disk *disk);

/* What the kernel asks; the range may lie anywhere. 0 or a negative errno. */
int rig_disk_read(const struct rig_disk *disk, uint64_t offset, void *to,
    size_t length);
int rig_disk_write(struct rig_disk *disk, uint64_t offset, const void *from,
    size_t length);
int rig_disk_flush(struct rig_disk *disk);
void rig_disk_note(struct rig_disk *disk, const void *text, size_t length);

/* From now on, after `after` that go well, `count` fail. */
void rig_disk_fail(struct rig_disk *disk, enum rig_fault fault, uint64_t after,
    uint64_t count);
/* Show what the cut leaves; nothing is logged any more. */
void rig_disk_cut(struct rig_disk *disk, const struct rig_cut *cut,
    struct rig_cut_told *told);
/* What is shown begins a life of its own, logged; and back to the one before
 * it (false: there is none). */
void rig_disk_push(struct rig_disk *disk);
bool rig_disk_pop(struct rig_disk *disk);
/* As it was at first, with an empty log. */
void rig_disk_reset(struct rig_disk *disk);

#endif
