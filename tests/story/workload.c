#include "workload.h"

#include <stdarg.h>
#include <stdio.h>

#include "workload_internal.h"

unsigned story_paused;

/* ---- the list -------------------------------------------------------- */

#define EACH BAT_DURABLE_EACH
#define LATER BAT_DURABLE_FSYNC
#define CKPT BAT_INDEX_CKPT
#define FBATI BAT_INDEX_FBATI
#define NONE BAT_INDEX_NONE
#define NO_LOG false
#define LOG true

static const struct story_workload workloads[] = {
	{ "append", "aaa", 0, CKPT, EACH, NO_LOG },
	{ "large", "aAaAa", 0, CKPT, EACH, NO_LOG },
	{ "batch", "bab", 0, CKPT, EACH, NO_LOG },
	{ "large-batch", "BaB", 0, CKPT, EACH, NO_LOG },
	{ "group", "gag", 0, CKPT, EACH, NO_LOG },
	{ "large-group", "GaG", 0, CKPT, EACH, NO_LOG },
	{ "rotate", "aaaa", 300, CKPT, EACH, NO_LOG },
	{ "rotate-group", "gAbg", 700, FBATI, EACH, NO_LOG },
	{ "ckpt", "acaaca", 0, CKPT, EACH, NO_LOG },
	{ "fbati", "acaaca", 0, FBATI, EACH, NO_LOG },
	{ "no-index", "abaza", 0, NONE, EACH, NO_LOG },
	{ "reopen", "azazbza", 0, CKPT, EACH, NO_LOG },
	{ "reopen-fbati", "azezaza", 0, FBATI, EACH, NO_LOG },
	{ "extensions", "eazeza", 0, CKPT, EACH, NO_LOG },
	{ "killed", "aKbKagK", 0, CKPT, EACH, NO_LOG },
	{ "torn", "aTaTb", 0, CKPT, EACH, NO_LOG },
	{ "torn-zeros", "bc0aFg", 0, FBATI, EACH, NO_LOG },
	{ "torn-batch", "aUaUb", 400, CKPT, EACH, NO_LOG },
	{ "headerless", "aHaHca", 0, CKPT, EACH, NO_LOG },
	{ "merge", "azbzma", 0, CKPT, EACH, NO_LOG },
	{ "merge-active", "azgmazem", 0, FBATI, EACH, NO_LOG },
	{ "merge-idle", "bzazmzma", 0, CKPT, EACH, NO_LOG },
	{ "merge-killed", "aKbKUmaKmK", 0, FBATI, EACH, NO_LOG },
	{ "merge-later", "azabmsam", 700, CKPT, LATER, NO_LOG },
	{ "merge-no-index", "bzezmzaz", 0, NONE, EACH, NO_LOG },
	{ "headerless-index", "aHcHza", 0, FBATI, EACH, NO_LOG },
	{ "keys", "krkrzra", 0, CKPT, EACH, NO_LOG },
	{ "refused", "XaxXxza", 0, CKPT, EACH, NO_LOG },
	{ "later", "aabsasga", 0, CKPT, LATER, NO_LOG },
	{ "later-rotate", "aabaab", 500, FBATI, LATER, NO_LOG },
	{ "later-killed", "aabKaKasaKb", 0, CKPT, LATER, NO_LOG },
	{ "everything", "abgzckXeTazrcK0bza", 900, CKPT, EACH, NO_LOG },
	{ "sidecar", "Nzazaz", 0, CKPT, EACH, NO_LOG },
	{ "ahead", "lalalbAlKla", 0, CKPT, EACH, NO_LOG },
	{ "ahead-rotate", "alaAlgcaKalaza", 4000, FBATI, EACH, NO_LOG },
	{ "ahead-torn", "alaTalbTalgz", 0, CKPT, EACH, NO_LOG },
	{ "ahead-later", "alasAlbKalca", 0, CKPT, LATER, NO_LOG },
	{ "log", "ataatbt", 0, CKPT, EACH, LOG },
	{ "log-reopen", "azbztazKat", 0, FBATI, EACH, LOG },
	{ "log-rotate", "gtAtKbatzg", 700, CKPT, EACH, LOG },
	{ "log-later", "atabtasKat", 0, CKPT, LATER, LOG },
	{ "log-merge", "atzbtmatKt", 0, CKPT, EACH, LOG },
	{ "log-tile", "ntbtbtztat", 0, NONE, EACH, LOG },
	{ "log-tiles", "nzntbKt", 4000, NONE, EACH, LOG },
	{ "log-torn", "atTbtUatHt", 0, CKPT, EACH, LOG },
	{ "log-renew", "atRat", 0, CKPT, EACH, LOG },
	{ "log-renew-unfit", "atLRbt", 0, CKPT, EACH, LOG },
	{ "log-renew-twice", "aRazRtKat", 0, FBATI, EACH, LOG },
};

/* Pairs are made of these. */
static const char *const parts[][2] = {
	{ "append", "a" },
	{ "batch", "b" },
	{ "group", "G" },
	{ "rotate", "AA" },
	{ "checkpoint", "ec" },
	{ "reopen", "az" },
	{ "kill", "aK" },
	{ "torn", "aT" },
	{ "keys", "kr" },
	{ "merge", "zam" },
};

enum {
	WORKLOADS = sizeof(workloads) / sizeof(workloads[0]),
	PARTS = sizeof(parts) / sizeof(parts[0]),
};

bool
story_workload_get(size_t i, struct story_workload *out)
{
	static char names[PARTS * PARTS][32], steps[PARTS * PARTS][16];
	size_t first, second;

	if (i < WORKLOADS) {
		*out = workloads[i];
		return true;
	}
	i -= WORKLOADS;
	if (i >= (size_t)PARTS * PARTS)
		return false;
	first = i / PARTS;
	second = i % PARTS;
	snprintf(names[i], sizeof(names[i]), "%s+%s", parts[first][0],
	    parts[second][0]);
	snprintf(steps[i], sizeof(steps[i]), "%s%sa", parts[first][1],
	    parts[second][1]);
	*out = (struct story_workload){
		.name = names[i],
		.steps = steps[i],
		.segment_max = 1000,
		.index = i % 2 == 0 ? CKPT : FBATI,
		.durability = i % 3 == 2 ? LATER : EACH,
	};
	return true;
}

/* ---- the clock ------------------------------------------------------- */

static int64_t
clock_wall_us(void *context)
{
	struct story_clock *clock = context;
	unsigned call = ++clock->calls;

	clock->wall_us += 1500;
	if (call >= clock->broken_from && call < clock->broken_to)
		return clock->nonsense_us;
	return clock->wall_us;
}

static int64_t
clock_monotonic_ns(void *context)
{
	struct story_clock *clock = context;

	return clock->wall_us * 1000;
}

/* ---- life ------------------------------------------------------------ */

void
story_run_fail(struct story_run *run, const char *format, ...)
{
	va_list arguments;

	run->wrong = true;
	va_start(arguments, format);
	vsnprintf(run->why, sizeof(run->why), format, arguments);
	va_end(arguments);
}

void
story_run_init(struct story_run *run, const struct story_workload *workload,
    struct memory_disk *disk)
{
	*run = (struct story_run){ .workload = workload, .disk = disk };
	run->clock.clock = (struct bat_clock){ clock_wall_us,
		clock_monotonic_ns, NULL };
	run->clock.wall_us = INT64_C(1767225600000000);
}

void
story_run_free(struct story_run *run)
{
	struct bat_error error;

	if (run->store != NULL)
		(void)bat_close(run->store, &error);
	story_oracle_free(&run->oracle);
	for (size_t i = 0; i < 4; i++)
		bat_bytes_free(&run->scratch[i].payload);
	memory_disk_free(run->disk);
}

void
story_note_error(struct story_run *run, const struct bat_error *error)
{
	run->error_count++;
	run->last_error = *error;
}

/* ---- steps ----------------------------------------------------------- */

/* What it shows does not change by it, whether it succeeds or not. */
static int
merge(struct story_run *run, struct bat_error *error)
{
	struct bat_compacted done;
	int code = bat_compact(run->store, false, &done, error);

	if (done.performed)
		story_oracle_synced(&run->oracle);
	if (!story_oracle_holds(&run->oracle, run->store, STORY_RUNNING, false,
		run->why) &&
	    !run->oracle.unreadable)
		run->wrong = true;
	return code;
}

static void
other_step(struct story_run *run, char step)
{
	struct bat_error error = { .code = 0 };
	int code = BAT_OK;

	switch (step) {
	case 'c':
		code = bat_checkpoint(run->store, &error);
		break;
	case 'l':
		(void)bat_lay_runway(run->store, false);
		break;
	case 's':
		code = bat_sync(run->store, &error);
		if (code == BAT_OK)
			story_oracle_synced(&run->oracle);
		break;
	case 'm':
		code = merge(run, &error);
		break;
	case 't':
		code = story_update_log(run, &error);
		break;
	case 'R':
		code = story_renew_log(run, &error);
		break;
	case 'z':
		story_run_close(run);
		(void)story_run_open(run, STORY_RUNNING);
		break;
	default:
		story_kill(run);
		story_paused++;
		if (step == 'L')
			story_outrun(run);
		else if (step != 'K')
			story_spoil(run, step);
		story_paused--;
		(void)story_run_open(run, STORY_RUNNING);
		break;
	}
	if (code != BAT_OK)
		story_note_error(run, &error);
}

static void
one_step(struct story_run *run, char step)
{
	static const size_t one_two_one[] = { 1, 2, 1 };
	static const size_t four_times_one[] = { 1, 1, 1, 1 };

	switch (step) {
	case 'a':
		story_offer_alone(run, 1, 60);
		break;
	case 'A':
		story_offer_alone(run, 1, 1500);
		break;
	case 'b':
		story_offer_alone(run, 3, 60);
		break;
	case 'B':
		story_offer_alone(run, 2, 900);
		break;
	case 'N':
		story_offer_many(run, 4200);
		break;
	case 'n':
		story_offer_many(run, 250);
		break;
	case 'g':
		story_offer_group(run, one_two_one, 3, 60);
		break;
	case 'G':
		story_offer_group(run, four_times_one, 4, 700);
		break;
	case 'k':
	case 'e':
		story_offer_special(run, step == 'k');
		break;
	case 'r':
		story_offer_again(run);
		break;
	case 'x':
	case 'X':
		story_offer_refused(run, step == 'x' ? 1 : 0);
		break;
	default:
		other_step(run, step);
		break;
	}
}

void
story_run_step(struct story_run *run, char step)
{
	run->again = false;
	one_step(run, step);
	if (run->again) {
		run->again = false;
		one_step(run, step);
	}
	if (run->again)
		story_run_fail(run, "an index file lied, and lies again");
	if (run->stepped != NULL)
		run->stepped(run->context, run);
}

void
story_run_all(struct story_run *run)
{
	bool open = story_run_open(run, STORY_RUNNING);

	for (const char *step = run->workload->steps;
	     open && *step != '\0' && !run->wrong; step++) {
		story_run_step(run, *step);
		open = run->store != NULL;
	}
	story_run_close(run);
	if (run->stepped != NULL)
		run->stepped(run->context, run);
}
