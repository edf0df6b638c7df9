/*
 * One life with one fault, and what must hold behind it.
 */
#include "faults.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "verify.h"

enum { CRASHES = 4, CRASH_MOMENTS = 2, FDS = 64 };

struct life {
	struct faulty_disk faulty; /* first: it is the door's context */
	const struct fault *fault;
	struct story_run run;
	struct bat_disk plain; /* the door before its syncs were watched */
	char *why;
	uint64_t seed;
	unsigned errors_before; /* of the steps that are over */
	unsigned failed_steps;
	unsigned crash_moments;
	bool stopped, wrong;
	/* The transparency log stops by itself: descriptors of its files, and
	 * whether a sync of one failed. */
	bool of_log[FDS], log_poisoned;
	int keeps_cut; /* a descriptor of .batfs, asked for the folder cut; -1 */
};

static void fails(struct life *life, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Only the first thing that does not hold is told. */
static void
fails(struct life *life, const char *format, ...)
{
	va_list arguments;

	if (life->wrong)
		return;
	life->wrong = true;
	va_start(arguments, format);
	vsnprintf(life->why, 512, format, arguments);
	va_end(arguments);
}

/* ---- syncs ----------------------------------------------------------- */

/* The folder that names the log's is counted to it. */
static bool
is_of_log(const struct life *life, int fd)
{
	return fd >= 0 && fd < FDS && life->of_log[fd];
}

/* Is the folder of the log's folder being made? */
static bool
is_log_begun(const struct memory_disk *disk)
{
	for (size_t i = 0; i < memory_disk_pending_count(disk); i++) {
		const struct memory_disk_op *op = memory_disk_pending(disk, i);

		if (op->kind == MEMORY_DISK_CREATE &&
		    strcmp(op->name, ".batfs") == 0)
			return true;
	}
	return false;
}

/* Pages of a file are clean and lost. Names in the log's folders wait for the
 * next sync that succeeds: a file system that cannot write a directory is
 * read-only from then on, so what is asked here is that the next handle does
 * sync them; it does not make folders anew. */
static void
sync_failed(void *context, int fd)
{
	struct life *life = context;
	struct memory_disk *disk = life->run.disk;
	const struct bat_disk *door = memory_disk_door(disk);
	struct bat_file_stat stat;
	bool of_log = is_of_log(life, fd) || is_log_begun(disk) ||
	    life->run.log_at_work;

	if (of_log)
		life->log_poisoned = true;
	else
		life->run.poisoned = true;
	if (!of_log || door->stat_fd(door->context, fd, &stat) != 0 ||
	    stat.type != BAT_FILE_DIRECTORY)
		memory_disk_lose(disk, fd);
}

/* Who keeps what is cut needs the folder beside the log's, and asks for it
 * himself: its name waits for a sync that succeeds, as all names do. */
static void
note_sync(struct life *life, int fd)
{
	bool of_log = is_of_log(life, fd) && fd != life->keeps_cut;

	life->keeps_cut = -1;
	if (life->run.poisoned || (life->log_poisoned && of_log))
		fails(life, "synced again after a failed sync");
}

static int
watched_sync(void *context, int fd)
{
	struct life *life = context;

	note_sync(life, fd);
	return life->plain.sync(context, fd);
}

static int
watched_sync_data(void *context, int fd)
{
	struct life *life = context;

	note_sync(life, fd);
	return life->plain.sync_data(context, fd);
}

static int
note_opened(struct life *life, int dir, const char *name, int fd)
{
	if (fd >= 0 && fd < FDS)
		life->of_log[fd] = is_of_log(life, dir) ?
		    strcmp(name, "cut") != 0 && strcmp(name, "cache") != 0 :
		    strcmp(name, ".batfs") == 0;
	return fd;
}

static int
watched_open_dir_at(void *context, int dir, const char *name)
{
	struct life *life = context;

	return note_opened(life, dir, name,
	    life->plain.open_dir_at(context, dir, name));
}

static int
watched_open(void *context, int dir, const char *name, int flags, unsigned mode)
{
	struct life *life = context;

	return note_opened(life, dir, name,
	    life->plain.open_at(context, dir, name, flags, mode));
}

static int
watched_mkdir(void *context, int dir, const char *name, mode_t mode)
{
	struct life *life = context;

	if (is_of_log(life, dir) && strcmp(name, "cut") == 0)
		life->keeps_cut = dir;
	return life->plain.mkdir_at(context, dir, name, mode);
}

/* Whoever opens the directory is a new session. */
static int
watched_open_dir(void *context, const char *path, bool create)
{
	struct life *life = context;

	int fd = life->plain.open_dir(context, path, create);

	life->run.poisoned = life->log_poisoned = false;
	life->keeps_cut = -1;
	return note_opened(life, -1, path, fd);
}

/* ---- what must hold afterwards --------------------------------------- */

/*
 * On this disk (taken over), without faults: it opens, all that must be there
 * is, a first append works, and the directory verifies.
 */
static void
must_recover(struct life *life, struct memory_disk *disk,
    enum story_moment moment)
{
	const char *when = moment == STORY_CRASHED ? "after a crash" :
						     "opened again";
	struct bat_verify_counts counts;
	struct bat_error error = { .code = 0 };
	struct story_run run;

	story_run_init(&run, life->run.workload, disk);
	story_oracle_copy(&life->run.oracle, &run.oracle);
	run.clock.wall_us = life->run.clock.wall_us;
	if (story_run_open(&run, moment)) {
		if (run.oracle.log.renewing || run.oracle.log.unfit)
			story_run_step(&run, 'R');
		story_run_step(&run, 'a');
		story_run_close(&run);
		if (run.error_count == 0 && !run.wrong)
			(void)story_run_open(&run, STORY_RUNNING);
		story_run_close(&run);
	}
	if (run.wrong)
		fails(life, "%s: %s", when, run.why);
	else if (run.error_count > 0)
		fails(life, "%s: %.300s", when, run.last_error.text);
	else if (bat_verify_directory(memory_disk_door(disk), "/", NULL,
		     &counts, &error) != BAT_OK)
		fails(life, "%s: verify: %.300s", when, error.text);
	if (memory_disk_open_count(disk) > 0)
		fails(life, "%s: %u descriptors were left open", when,
		    memory_disk_open_count(disk));
	story_run_free(&run);
}

static void
crash_here(struct life *life)
{
	struct memory_disk *disk = life->run.disk;
	struct story_cut cut;

	for (uint64_t i = 0; i < CRASHES && !life->wrong; i++) {
		/* None, all, and two at random. */
		uint64_t k = i == 0 ? 0 : story_cut_first(disk) + i;

		if (i == 1) {
			cut = (struct story_cut){
				.count = memory_disk_pending_count(disk)
			};
			for (size_t j = 0; j < cut.count; j++)
				cut.fates[j].kind = MEMORY_DISK_WHOLE;
		} else if (!story_cut_make(disk, k, life->seed + i, &cut)) {
			break;
		}
		if (cut.reordered)
			continue;
		must_recover(life, memory_disk_crash(disk, cut.fates),
		    STORY_CRASHED);
	}
}

static int
note_leftover(void *context, const char *name)
{
	bool *left = context;

	*left = *left || strncmp(name, ".tmp", 4) == 0;
	return 0;
}

/* What was begun and failed is taken away again, where that can be. */
static void
must_be_tidy(struct life *life)
{
	const struct bat_disk *door = memory_disk_door(life->run.disk);
	int dir = door->open_dir(door->context, "/", false);
	bool left = false;

	door->list(door->context, dir, note_leftover, &left);
	door->close(door->context, dir);
	if (left &&
	    !(life->fault->kind == FAULT_DISK &&
		life->fault->operation == FAULTY_UNLINK))
		fails(life, "a temporary file is left");
}

/* ---- the life -------------------------------------------------------- */

/* What fails once spoils one step, not the next; unless it is a sync, or what
 * was written cannot be taken back. */
static void
at_step(void *context, struct story_run *run)
{
	struct life *life = context;
	bool failed = run->error_count > life->errors_before;

	(void)failing_memory_disarm();
	life->errors_before = run->error_count;
	if (run->last_error.code == BAT_STATE_STOPPED || run->poisoned)
		life->stopped = true;
	if (failed && life->crash_moments++ < CRASH_MOMENTS)
		crash_here(life);
	life->failed_steps += failed;
	if (life->failed_steps > 1 && !life->fault->for_good && !life->stopped)
		fails(life, "it failed once, and then again: %.300s",
		    run->last_error.text);
	if (life->fault->kind == FAULT_MEMORY)
		failing_memory_resume();
}

static void
disk_changed(void *context, struct story_run *run)
{
	struct life *life = context;

	life->faulty.base = memory_disk_door(run->disk);
}

static void
set_fault(struct life *life)
{
	const struct fault *fault = life->fault;
	struct story_clock *clock = &life->run.clock;

	if (fault->nth == 0)
		return;
	switch (fault->kind) {
	case FAULT_DISK:
		faulty_disk_fail(&life->faulty, fault->operation, fault->nth,
		    fault->os_errno, fault->for_good);
		break;
	case FAULT_SHORT:
		faulty_disk_shorten(&life->faulty, fault->operation, fault->nth,
		    fault->bytes);
		if (fault->os_errno != 0)
			faulty_disk_fail(&life->faulty, fault->operation,
			    fault->nth + 1, fault->os_errno, fault->for_good);
		break;
	case FAULT_CLOCK:
		clock->broken_from = fault->nth;
		clock->broken_to = fault->for_good ? UINT32_MAX :
						     fault->nth + 1;
		clock->nonsense_us = fault->nonsense_us;
		break;
	case FAULT_MEMORY:
		break;
	}
}

static void
start(struct life *life, const struct story_workload *workload,
    enum memory_disk_model model)
{
	struct memory_disk *disk = memory_disk_new(model, life->seed);

	story_run_init(&life->run, workload, disk);
	faulty_disk_init(&life->faulty, memory_disk_door(disk));
	life->plain = life->faulty.disk;
	life->faulty.disk.mkdir_at = watched_mkdir;
	life->faulty.disk.sync = watched_sync;
	life->faulty.disk.sync_data = watched_sync_data;
	life->faulty.disk.open_dir = watched_open_dir;
	life->faulty.disk.open_dir_at = watched_open_dir_at;
	life->faulty.disk.open_at = watched_open;
	life->faulty.sync_failed = sync_failed;
	life->faulty.sync_failed_context = life;
	life->run.door = &life->faulty.disk;
	life->run.stepped = at_step;
	life->run.disk_changed = disk_changed;
	life->run.context = life;
	set_fault(life);
}

bool
fault_life(const struct story_workload *workload, enum memory_disk_model model,
    const struct fault *fault, uint64_t seed, struct fault_counts *counts,
    char why[512])
{
	struct life life = { .fault = fault, .why = why, .seed = seed };
	bool memory = fault->kind == FAULT_MEMORY;
	unsigned allocations;

	start(&life, workload, model);
	if (memory)
		failing_memory_arm(fault->nth, fault->for_good, &story_paused);
	story_run_all(&life.run);
	allocations = failing_memory_disarm();
	if (counts != NULL) {
		memcpy(counts->calls, life.faulty.calls, sizeof(counts->calls));
		counts->clock = life.run.clock.calls;
		counts->memory = allocations;
	}
	if (life.run.wrong)
		fails(&life, "%s", life.run.why);
	if (memory_disk_open_count(life.run.disk) > 0)
		fails(&life, "%u descriptors were left open",
		    memory_disk_open_count(life.run.disk));
	must_be_tidy(&life);
	if (fault->nth == 0 && life.run.error_count > 0)
		fails(&life, "it fails without a fault: %.300s",
		    life.run.last_error.text);
	if (!life.wrong)
		must_recover(&life, memory_disk_copy(life.run.disk),
		    STORY_RUNNING);
	if (!life.wrong)
		crash_here(&life);
	story_run_free(&life.run);
	return !life.wrong;
}
