/*
 * What the parts of the explorer share.
 */
#ifndef STORY_EXPLORE_H
#define STORY_EXPLORE_H

#include "cuts.h"
#include "workload.h"

enum {
	EXPLORE_DEPTH_MAX = 3,

	/* Tallies. */
	EXPLORE_MOMENTS = 0,
	EXPLORE_STATES,
	EXPLORE_PREFIX,
	EXPLORE_SUBSET,
	EXPLORE_TORN,
	EXPLORE_ZEROED,
	EXPLORE_SECTORS,
	EXPLORE_SECOND, /* crashes during recovery, all depths */
	EXPLORE_THIRD,
	EXPLORE_REFUSED,
	EXPLORE_TALLIES,
};

struct explore_tally {
	uint64_t counts[EXPLORE_TALLIES];
};

struct explore_place {
	unsigned point; /* moment of a run, from 1 */
	uint64_t cut;
};

/* Hashes of states that were looked at; open addressing, 0 is free. */
struct explore_seen {
	uint64_t *slots;
	size_t count, capacity;
};

struct explore_level;

struct explorer {
	uint64_t seed;
	struct explore_place path[EXPLORE_DEPTH_MAX]; /* the only one wanted */
	size_t path_length;
	const char *export_to;
	unsigned export_max, exported;
	size_t entries, entry; /* workloads times models */
	/* Of one workload in one model. */
	const struct story_workload *workload;
	enum memory_disk_model model;
	struct explore_tally tally;
	struct explore_seen seen;
	uint64_t quota; /* states; 0: time decides */
	double deadline;
	unsigned points; /* how many moments there will be */
	bool failed;
	/* Where it is, for one who dies there. */
	const struct explore_level *at;
};

/* A run that is being cut off, and in which crash it began. */
struct explore_level {
	struct explorer *explorer;
	const struct explore_level *up;
	struct story_run *run;
	unsigned depth;	       /* crashes before this run */
	bool is_cut_off;       /* else it is only watched */
	bool is_open;	       /* since the crash it was opened for writing */
	unsigned point;	       /* moments so far */
	uint64_t salt;	       /* decides everything random */
	struct bat_buf before; /* log of what the run's earlier disks did */
	/* The cut that is being looked at. */
	uint64_t k;
	const struct story_cut *cut;
};

void explore_workload(struct explorer *explorer,
    const struct story_workload *workload, enum memory_disk_model model,
    uint64_t states, double seconds);
void explore_free(struct explorer *explorer);
double explore_now(void);

/* What is written may be a signed tree. */
void explore_hear(struct explore_level *level, const struct memory_disk_op *op);
/* The run reached another moment: cut it off there in all wanted ways. */
void explore_moment(struct explore_level *level);
/* One crash state; takes over disk. */
void explore_state(struct explore_level *level, struct memory_disk *disk);
/* Something does not hold at this crash of level (at no crash: cut NULL). */
void explore_fail(const struct explore_level *level, const char *why);
/* True when it was not there yet. */
bool explore_note(struct explorer *explorer, uint64_t hash);

#endif
