/*
 * One crash state: recovery, the prefix rule, a first append, and all of it
 * cut off again; and the words for one that does not hold.
 */
#include <fcntl.h>
#include <stdio.h>

#include "explore.h"
#include "segment.h"
#include "verify.h"

/* One of so many states is cut off while it recovers. */
enum { NESTED_ONE_OF = 40 };

/* ---- failures -------------------------------------------------------- */

static void
print_path(const struct explore_level *level, struct bat_buf *out)
{
	if (level->up != NULL) {
		print_path(level->up, out);
		(void)bat_bytes_append_text(out, "/");
	}
	(void)bat_bytes_append_format(out, "%u:%llu", level->point,
	    (unsigned long long)level->k);
}

static void
print_levels(const struct explore_level *level, struct bat_buf *out)
{
	if (level->up != NULL)
		print_levels(level->up, out);
	(void)bat_bytes_append_slice(out, bat_bytes_of_buf(&level->before));
	memory_disk_print_log(level->run->disk, out);
	if (level->cut == NULL)
		return;
	(void)bat_bytes_append_text(out, "  power cut; pending were:\n");
	story_cut_print(level->run->disk, level->cut, out);
}

void
explore_fail(const struct explore_level *level, const char *why)
{
	struct explorer *explorer = level->explorer;
	const char *model = explorer->model == MEMORY_DISK_STRICT ? "strict" :
								    "ext4";
	struct bat_buf text = BAT_BUF_EMPTY;

	explorer->failed = true;
	(void)bat_bytes_append_format(&text,
	    "not ok - crash states: %s, %s: %s\n"
	    "# again: explore --workload %s --model %s --seed %llu --path ",
	    explorer->workload->name, model, why, explorer->workload->name,
	    model, (unsigned long long)explorer->seed);
	print_path(level, &text);
	(void)bat_bytes_append_format(&text, "\n# steps: %s\n",
	    explorer->workload->steps);
	print_levels(level, &text);
	(void)fwrite(text.data, 1, text.length, stdout);
	bat_bytes_free(&text);
}

/* ---- a state that is refused ----------------------------------------- */

/* What `repair` does: the rest of the segment goes. */
static bool
cut_at(struct memory_disk *disk, const struct bat_error *error)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = door->open_dir(door->context, "/", false);
	char name[BAT_SEGMENT_NAME_SIZE];
	int fd, code = -1;

	bat_segment_name(error->segment, name);
	fd = door->open_at(door->context, dir, name, O_RDWR, 0);
	if (fd >= 0) {
		code = door->truncate(door->context, fd, error->offset);
		door->sync(door->context, fd);
		door->close(door->context, fd);
	}
	door->close(door->context, dir);
	return code == 0;
}

/* Read-only it shows what was acknowledged; cut, it opens. */
static bool
refusal_is_right(struct story_run *run)
{
	struct bat_error refusal = run->last_error;

	if (refusal.code != BAT_DATA_CORRUPT || refusal.segment == 0)
		return false;
	if (!story_run_open(run, STORY_SALVAGED))
		return false;
	story_run_close(run);
	run->error_count = 0;
	return cut_at(run->disk, &refusal) &&
	    story_run_open(run, STORY_CRASHED);
}

/* ---- a state --------------------------------------------------------- */

static void
tally(const struct explore_level *level)
{
	uint64_t *counts = level->explorer->tally.counts;
	const struct story_cut *cut = level->cut;

	counts[EXPLORE_STATES]++;
	counts[EXPLORE_PREFIX] += cut->prefix;
	counts[EXPLORE_SUBSET] += !cut->prefix && !cut->torn && !cut->zeroed &&
	    !cut->sectors;
	counts[EXPLORE_TORN] += cut->torn;
	counts[EXPLORE_ZEROED] += cut->zeroed;
	counts[EXPLORE_SECTORS] += cut->sectors;
	counts[EXPLORE_SECOND] += level->depth > 0;
	counts[EXPLORE_THIRD] += level->depth > 1;
}

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

static bool
is_cut_off_again(const struct explore_level *level, uint64_t salt)
{
	if (level->depth + 1 >= EXPLORE_DEPTH_MAX)
		return false;
	if (level->explorer->path_length > 0)
		return level->depth + 1 < level->explorer->path_length;
	return salt % NESTED_ONE_OF == 0;
}

/* Who opens a directory that is refused leaves it as it was, but for who he is
 * (.batfs/owner): a crash in that moment does not mend it. */
static bool
may_be_refused(const struct explore_level *level)
{
	while (!level->cut->reordered) {
		if (level->is_open || level->up == NULL)
			return false;
		level = level->up;
	}
	return true;
}

/* Recovery and what follows it, as the first time; next is run's level. */
static bool
recovers(struct explore_level *level, struct explore_level *next, uint64_t salt)
{
	struct story_run *run = next->run;

	if (!story_run_open(run, STORY_CRASHED)) {
		if (run->wrong || !may_be_refused(level) ||
		    !refusal_is_right(run))
			return false;
		level->explorer->tally.counts[EXPLORE_REFUSED]++;
	}
	next->is_open = true;
	/* What it shows is promised from now on. */
	if (run->stepped != NULL)
		run->stepped(run->context, run);
	/* A log that was being renewed: the next try succeeds. */
	if (run->oracle.log.unfit ||
	    (run->oracle.log.renewing && salt % 2 == 0))
		story_run_step(run, 'R');
	story_run_step(run, salt % 3 == 0 ? 'b' : 'a');
	story_run_close(run);
	memory_disk_watch(run->disk, NULL, NULL);
	return !run->wrong && run->error_count == 0 &&
	    story_run_open(run, STORY_RUNNING);
}

static bool
verifies(struct story_run *run)
{
	struct bat_verify_counts counts;
	struct bat_error error = { .code = 0 };

	story_run_close(run);
	if (bat_verify_directory(memory_disk_door(run->disk), "/", NULL,
		&counts, &error) == BAT_OK)
		return run->error_count == 0;
	story_run_fail(run, "verify: %.200s", error.text);
	return false;
}

static void
export_some(struct explorer *explorer, const struct memory_disk *disk)
{
	uint64_t due = (uint64_t)explorer->export_max * explorer->entry /
	    explorer->entries;
	char path[512];

	if (explorer->export_to == NULL || explorer->exported >= due)
		return;
	snprintf(path, sizeof(path), "%s/%04u", explorer->export_to,
	    explorer->exported++);
	memory_disk_export(disk, path);
}

void
explore_state(struct explore_level *level, struct memory_disk *disk)
{
	struct explorer *explorer = level->explorer;
	struct story_run run;
	struct explore_level next = {
		.explorer = explorer,
		.up = level,
		.run = &run,
		.depth = level->depth + 1,
		.salt = (level->salt ^ level->point * 0xd6e8feb86659fd93) +
		    level->k * 0xff51afd7ed558ccd,
		.before = BAT_BUF_EMPTY,
	};
	uint64_t salt = next.salt;

	next.salt = story_random(&salt);
	explorer->at = level;
	tally(level);
	story_run_init(&run, explorer->workload, disk);
	story_oracle_copy(&level->run->oracle, &run.oracle);
	run.clock.wall_us = level->run->clock.wall_us;
	next.is_cut_off = is_cut_off_again(level, next.salt >> 8);
	memory_disk_watch(disk, at_operation, &next);
	run.stepped = at_step;
	run.context = &next;
	if (!recovers(level, &next, next.salt) || !verifies(&run)) {
		if (!explorer->failed)
			explore_fail(level,
			    run.wrong ? run.why : run.last_error.text);
	} else {
		export_some(explorer, run.disk);
	}
	memory_disk_watch(run.disk, NULL, NULL);
	story_run_free(&run);
	explorer->at = level->up;
}
