/*
 * A piece of work, done again and again, each time with one more thing that
 * fails: each allocation, each call of the disk. What must hold each time is
 * asserted here, with libcheck.
 *
 * Whatever fails, the work returns; what it returns is the usual (it went on
 * without) or the code of what failed; no descriptor is left open; and work that only
 * reads leaves the disk as it was. What it leaks the address sanitizer tells.
 *
 * Link scarce, as tests named _scarce do.
 */
#ifndef TEST_SCARCE_H
#define TEST_SCARCE_H

#include "memory_disk.h"
#include "temp_dir.h"

/* Where a store lies on a memory disk. */
#define SCARCE_PATH "/"

struct scarce_work {
	const char *name;
	const struct memory_disk *ground; /* each time it gets a copy */
	/* Of the store at SCARCE_PATH: 0, or the code of what failed. It asserts
	 * nothing itself: libcheck wants memory too. */
	int (*run)(void *context, const struct bat_disk *disk,
	    struct bat_error *error);
	void *context;
	bool only_reads;
	/* What it returns without any fault: 0, or what it says of a damaged
	 * store. */
	int usual;
	/* Asserts what holds of the disk behind it, whatever it returned; NULL:
	 * nothing more. label: what failed, for messages. */
	void (*holds)(void *context, struct memory_disk *disk, int code,
	    const char *label);
};

/* A disk with the files of a directory of the real one in SCARCE_PATH. */
struct memory_disk *scarce_ground(const struct temp_dir *dir);
/* Every allocation fails, one each time. */
void scarce_memory(const struct scarce_work *work);
/* Every call of the disk fails, one each time, with an I/O error. */
void scarce_disk(const struct scarce_work *work);
/* Every read ends early, as of a file that was cut meanwhile. */
void scarce_reads(const struct scarce_work *work);

#endif
