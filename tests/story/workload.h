/*
 * Small lives of a store on a memory disk: what is done, step by step, and an
 * oracle that notes what was answered.
 *
 * A workload is a string of steps:
 *
 *	a  an event		A  a large one (1.5 KB)
 *	b  a batch of three	B  a batch of two large ones
 *	g  a group: an event, a batch of two, an event, in one write
 *	G  a group of four events of 700 bytes
 *	N  a batch of 4200, so that there is a sidecar
 *	n  a batch of 250: the first tile of a log is nearly full
 *	t  bring the transparency log up to date, and show its checkpoint
 *	R  another transparency log in the place of this one
 *	L  SIGKILL, the log has one event more than the store, open again: it
 *	   cannot go on
 *	k  an event with a key	r  that key again
 *	e  an event with an extension
 *	x  a batch whose second draft is refused
 *	X  a draft that is refused
 *	c  an index file now	s  bat_sync
 *	l  lay space ahead, in steps of 3000 bytes
 *	m  a compaction
 *	z  close and open again
 *	K  SIGKILL and open again
 *	T  SIGKILL, a torn frame behind the newest segment, open again (no
 *	   tail where nothing was written since the last one)
 *	0, F  the same with zeros, with 0xff; U: a batch that only begins
 *	H  SIGKILL, an empty file as the newest segment, open again
 *
 * At its end the store is closed.
 */
#ifndef STORY_WORKLOAD_H
#define STORY_WORKLOAD_H

#include "memory_disk.h"
#include "oracle.h"

struct story_workload {
	const char *name;
	const char *steps;
	uint64_t segment_max;
	enum bat_index_choice index;
	enum bat_durability durability;
	bool tlog; /* a transparency log is kept */
};

/* The i-th one: the list, then all pairs of its parts; false behind the
 * last. */
bool story_workload_get(size_t i, struct story_workload *out);

/* Time moves by itself: 1.5 ms each time it is asked. */
struct story_clock {
	struct bat_clock clock;
	int64_t wall_us;
	unsigned calls;
	unsigned broken_from, broken_to; /* calls that answer nonsense */
	int64_t nonsense_us;
};

struct story_run {
	const struct story_workload *workload;
	struct memory_disk *disk;
	const struct bat_disk *door; /* NULL: that of disk */
	struct story_clock clock;
	struct story_oracle oracle;
	struct bat_store *store; /* NULL: closed, or it could not be opened */
	bool read_only;
	struct story_draft scratch[4];
	struct bat_receipt receipts[4];
	/* A call of the store failed: what and why. */
	unsigned error_count;
	struct bat_error last_error;
	/* Everything that does not hold ends here. */
	bool wrong;
	char why[256];
	/* The segment that was last given a tail, and its size then. */
	uint64_t spoiled, spoiled_size;
	bool again; /* the step was refused because an index file lied */
	/* A sync failed: nothing may be acknowledged until it is opened
	 * again. */
	bool poisoned;
	/* What is synced now is the log's, also names in the data directory. */
	bool log_at_work;
	/* Called after each step; where the disk is about to be replaced; and
	 * when it was. May be NULL. */
	void (*stepped)(void *context, struct story_run *run);
	void (*disk_changes)(void *context, struct story_run *run,
	    struct memory_disk *next);
	void (*disk_changed)(void *context, struct story_run *run);
	void *context;
};

/* Takes over disk. */
void story_run_init(struct story_run *run,
    const struct story_workload *workload, struct memory_disk *disk);
void story_run_free(struct story_run *run);
/* Open and compare, and adopt what is there. false: it could not be opened,
 * or (run->wrong) does not hold. */
bool story_run_open(struct story_run *run, enum story_moment moment);
void story_run_close(struct story_run *run);
void story_run_step(struct story_run *run, char step);
/* From the first step to the last, or until something is wrong or it cannot be
 * opened. */
void story_run_all(struct story_run *run);
/* Above 0 while the test itself works with functions of the store. */
extern unsigned story_paused;
void story_run_fail(struct story_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
