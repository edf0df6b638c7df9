/*
 * One workload in one model: its moments, and how many states each gets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "explore.h"

/* So many cuts in a row that lead to known states end a moment. */
enum { KNOWN_MAX = 40, NESTED_CUTS = 2 };

double
explore_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- what was seen --------------------------------------------------- */

static void
grow(struct explore_seen *seen)
{
	struct explore_seen larger = { .capacity = seen->capacity * 2 + 4096 };

	larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
	if (larger.slots == NULL)
		abort();
	for (size_t i = 0; i < seen->capacity; i++) {
		size_t at = (size_t)(seen->slots[i] % larger.capacity);

		if (seen->slots[i] == 0)
			continue;
		while (larger.slots[at] != 0)
			at = (at + 1) % larger.capacity;
		larger.slots[at] = seen->slots[i];
	}
	larger.count = seen->count;
	free(seen->slots);
	*seen = larger;
}

bool
explore_note(struct explorer *explorer, uint64_t hash)
{
	struct explore_seen *seen = &explorer->seen;
	size_t at;

	hash += hash == 0;
	if (seen->count * 2 >= seen->capacity)
		grow(seen);
	at = (size_t)(hash % seen->capacity);
	while (seen->slots[at] != 0 && seen->slots[at] != hash)
		at = (at + 1) % seen->capacity;
	if (seen->slots[at] == hash)
		return false;
	seen->slots[at] = hash;
	seen->count++;
	return true;
}

void
explore_free(struct explorer *explorer)
{
	free(explorer->seen.slots);
	explorer->seen = (struct explore_seen){ NULL, 0, 0 };
}

/* ---- a moment -------------------------------------------------------- */

/* What is left is shared by the moments that are left. */
struct share {
	uint64_t states;
	double deadline;
};

static struct share
share_of(const struct explore_level *level)
{
	const struct explorer *explorer = level->explorer;
	uint64_t done = explorer->tally.counts[EXPLORE_STATES];
	unsigned left = explorer->points >= level->point ?
	    explorer->points - level->point + 1 :
	    1;
	double now;

	if (explorer->quota > 0)
		return (struct share){ explorer->quota > done ?
			    (explorer->quota - done) / left + 1 :
			    1,
			0 };
	now = explore_now();
	return (struct share){ UINT64_MAX,
		now + (explorer->deadline - now) / left };
}

/* One cut. False: there are no more. *known counts those in a row that led
 * nowhere new. */
static bool
try_cut(struct explore_level *level, uint64_t k, bool always, unsigned *known)
{
	const struct memory_disk *disk = level->run->disk;
	struct story_cut cut;
	struct memory_disk *crash;
	uint64_t hash;

	(*known)++;
	if (!story_cut_make(disk, k, level->salt ^ level->point, &cut))
		return false;
	if (!cut.possible)
		return true;
	crash = memory_disk_crash(disk, cut.fates);
	hash = memory_disk_hash(crash) ^
	    story_oracle_hash(&level->run->oracle) * 0x9e3779b97f4a7c15;
	if (!explore_note(level->explorer, hash) && !always) {
		memory_disk_free(crash);
		return true;
	}
	*known = 0;
	level->k = k;
	level->cut = &cut;
	explore_state(level, crash);
	level->cut = NULL;
	return true;
}

static void
follow_path(struct explore_level *level)
{
	const struct explorer *explorer = level->explorer;
	const struct explore_place *place = &explorer->path[level->depth];
	unsigned known = 0;

	if (level->depth < explorer->path_length &&
	    place->point == level->point)
		(void)try_cut(level, place->cut, true, &known);
}

void
explore_hear(struct explore_level *level, const struct memory_disk_op *op)
{
	struct story_run *run = level->run;

	if (run->workload->tlog && op->kind == MEMORY_DISK_WRITE &&
	    !story_log_hear(&run->oracle.log,
		bat_bytes_slice(op->bytes, (size_t)op->length), false,
		run->why))
		run->wrong = true;
}

void
explore_moment(struct explore_level *level)
{
	struct explorer *explorer = level->explorer;
	uint64_t first, before, random = level->salt + level->point;
	struct share share;
	unsigned known = 0;

	if (!level->is_cut_off)
		return;
	level->point++;
	if (explorer->failed || explorer->points == 0)
		return;
	if (explorer->path_length > 0) {
		follow_path(level);
		return;
	}
	if (level->depth > 0) {
		/* Few, but anywhere: the next recovery gets others. */
		first = story_cut_first(level->run->disk);
		for (int i = 0; i < NESTED_CUTS && !explorer->failed; i++)
			(void)try_cut(level,
			    story_random(&random) % (first + first / 2 + 1),
			    false, &known);
		return;
	}
	share = share_of(level);
	/* The time is up: what is left of it belongs to other workloads. */
	if (share.deadline > 0 && explore_now() > explorer->deadline)
		return;
	explorer->tally.counts[EXPLORE_MOMENTS]++;
	before = explorer->tally.counts[EXPLORE_STATES];
	for (uint64_t k = 0; !explorer->failed && known < KNOWN_MAX; k++) {
		if (!try_cut(level, k, false, &known))
			break;
		if (explorer->tally.counts[EXPLORE_STATES] - before >=
		    share.states)
			break;
		if (share.deadline > 0 && explore_now() > share.deadline)
			break;
	}
}

/* ---- a workload ------------------------------------------------------ */

static void
at_operation(void *context, struct memory_disk *disk,
    const struct memory_disk_op *op)
{
	(void)disk;
	explore_hear(context, op);
	explore_moment(context);
}

static void
at_step(void *context, struct story_run *run)
{
	(void)run;
	explore_moment(context);
}

static void
at_new_disk(void *context, struct story_run *run, struct memory_disk *next)
{
	struct explore_level *level = context;

	memory_disk_print_log(run->disk, &level->before);
	if (bat_bytes_append_text(&level->before, "  killed\n") != 0)
		abort();
	memory_disk_watch(next, at_operation, level);
}

static unsigned
run_once(struct explorer *explorer, unsigned points)
{
	struct memory_disk *disk = memory_disk_new(explorer->model,
	    explorer->seed);
	struct story_run run;
	struct explore_level level = {
		.explorer = explorer,
		.run = &run,
		.is_cut_off = true,
		.salt = explorer->seed * 0x9e3779b97f4a7c15,
		.before = BAT_BUF_EMPTY,
	};

	explorer->points = points;
	story_run_init(&run, explorer->workload, disk);
	run.stepped = at_step;
	run.disk_changes = at_new_disk;
	run.context = &level;
	memory_disk_watch(disk, at_operation, &level);
	story_run_all(&run);
	if (!run.wrong && run.error_count > 0)
		story_run_fail(&run, "%.200s", run.last_error.text);
	if (run.wrong && !explorer->failed)
		explore_fail(&level, run.why);
	/* A store that is still open goes without being watched. */
	memory_disk_watch(run.disk, NULL, NULL);
	story_run_free(&run);
	bat_bytes_free(&level.before);
	return level.point;
}

void
explore_workload(struct explorer *explorer,
    const struct story_workload *workload, enum memory_disk_model model,
    uint64_t states, double seconds)
{
	unsigned points;

	explorer->workload = workload;
	explorer->model = model;
	explorer->tally = (struct explore_tally){ { 0 } };
	explorer->failed = false;
	explorer->entry++;
	explore_free(explorer);
	points = run_once(explorer, 0);
	if (explorer->failed)
		return;
	explorer->quota = states;
	explorer->deadline = explore_now() + seconds;
	(void)run_once(explorer, points);
}
