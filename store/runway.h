/*
 * Space ahead of the frames of the segment that is being written: bytes 0xFF,
 * laid in steps by whoever has the time. A commit then overwrites what the file
 * already has, and its sync need not wait for the file's length and blocks: a
 * sync of 604 bytes takes 80 us then, and 120 us where the file grows.
 *
 * Why 0xFF and not zeros, and no fallocate: what a crash leaves is a torn tail.
 * To batpak a length of 0xFFFFFFFF in the highest segment is the end of it, and
 * zeros are a frame that is damaged.
 *
 * Calling sequence: bat_runway_init; for each segment bat_runway_begin,
 * bat_runway_claim in front of each write, bat_runway_end in front of whatever
 * cuts or seals the file; bat_runway_free. Meanwhile, on another thread,
 * bat_runway_lay again and again.
 *
 * Invariants: (1) 0xFF is written only behind all that was ever claimed, so
 * never over a frame; (2) between end and begin the file is not touched; (3) a
 * failure (no space) takes back the piece that failed and ends the laying in
 * this segment, nothing else: frames are then appended to a growing file as
 * ever. It never syncs: an error of the disk is told to the one sync that
 * speaks for the frames.
 *
 * Threads: lay and wake any; the others the one that appends.
 */
#ifndef BAT_RUNWAY_H
#define BAT_RUNWAY_H

#include <stdatomic.h>

#include <pthread.h>

#include "file.h"

struct bat_runway {
	const struct bat_disk *disk;
	uint64_t step;	 /* bytes; 0: none is laid */
	uint8_t *filler; /* a piece of it */
	pthread_mutex_t mutex;
	pthread_cond_t due;
	/* Changed with the mutex held. */
	int fd;		/* -1: no segment, or its runway is over */
	uint64_t limit; /* none is laid beyond */
	bool laid;	/* the file may be longer than what was claimed */
	bool woken;
	/* Up to here the file has bytes, frames or 0xFF; with the mutex. */
	_Atomic uint64_t end;
	/* Up to here they are frames, or will be; by the one who appends. */
	_Atomic uint64_t claimed;
};

/* 0 or BAT_WORLD_NO_MEMORY. */
int bat_runway_init(struct bat_runway *runway, const struct bat_disk *disk,
    uint64_t step);
void bat_runway_free(struct bat_runway *runway);
/* fd, of that size, is the segment now; it stays open until end. */
void bat_runway_begin(struct bat_runway *runway, int fd, uint64_t size,
    uint64_t limit);
/* Bytes below `end` are about to be written: none of these is laid over. */
void bat_runway_claim(struct bat_runway *runway, uint64_t end);
/* Nothing is laid any more; waits for what is under way. True: the file may be
 * longer than what was claimed, and is the caller's to cut. */
bool bat_runway_end(struct bat_runway *runway);
/*
 * Lay until at least half a step lies ahead, in steps. wait: block until that
 * is due, or bat_runway_wake. Returns how many bytes were laid.
 */
uint64_t bat_runway_lay(struct bat_runway *runway, bool wait);
/* Let a waiting bat_runway_lay return. */
void bat_runway_wake(struct bat_runway *runway);

#endif
