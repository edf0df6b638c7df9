#include "workload.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec.h"
#include "frame.h"
#include "kind.h"
#include "segment.h"

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

static void
note_error(struct story_run *run, const struct bat_error *error)
{
	run->error_count++;
	run->last_error = *error;
}

/* ---- its transparency log -------------------------------------------- */

/* By its files; what a power cut left may have been kept by somebody. */
static bool
log_holds(struct story_run *run, bool promise)
{
	bool holds;

	if (!run->workload->tlog)
		return true;
	story_paused++;
	holds = story_log_holds(&run->oracle.log, memory_disk_door(run->disk),
	    promise, run->why);
	story_paused--;
	run->wrong = run->wrong || !holds;
	return holds;
}

/* What it shows is promised; that it is halted is an error like another. */
static bool
hear_log(struct story_run *run)
{
	struct bat_buf note = BAT_BUF_EMPTY;
	struct bat_attest_status status;
	struct bat_error error = { .code = 0 };
	bool holds = true;

	bat_attest_status(run->store, &status);
	if (status.state == BAT_ATTEST_HALTED && !run->oracle.log.unfit) {
		bat_error_set(&error, BAT_DATA_CORRUPT, "the log: %.200s",
		    status.why);
		note_error(run, &error);
	}
	story_paused++;
	if (bat_attest_checkpoint(run->store, &note, NULL) == BAT_OK)
		holds = story_log_hear(&run->oracle.log,
		    bat_bytes_of_buf(&note), !run->read_only, run->why);
	bat_bytes_free(&note);
	story_paused--;
	run->wrong = run->wrong || !holds;
	return holds;
}

/* It was opened, and nothing was written yet. */
static bool
log_is_open(struct story_run *run, enum story_moment moment)
{
	bool holds = true;

	if (!run->workload->tlog)
		return true;
	if (!hear_log(run) || !log_holds(run, moment == STORY_CRASHED))
		return false;
	if (moment != STORY_RUNNING) {
		story_paused++;
		holds = story_log_is_attested(&run->oracle.log, run->store,
		    run->why);
		story_paused--;
	}
	run->wrong = run->wrong || !holds;
	return holds;
}

/* Everything durable is in it, and shown. */
static int
update_log(struct story_run *run, struct bat_error *error)
{
	const struct story_oracle *oracle = &run->oracle;
	int code = bat_attest_update(run->store, error);
	struct bat_attest_status status;

	if (code == BAT_DATA_CORRUPT && oracle->log.unfit)
		return BAT_OK;
	if (code != BAT_OK || !run->workload->tlog || !hear_log(run) ||
	    !log_holds(run, false))
		return code;
	bat_attest_status(run->store, &status);
	for (size_t i = 0; i < oracle->count; i++)
		if (oracle->events[i].state == STORY_ACKED &&
		    oracle->events[i].receipt.seq >= status.first_seq &&
		    (status.size == 0 ||
			oracle->events[i].receipt.seq > status.last_seq))
			story_run_fail(run, "number %u is not in the log",
			    oracle->events[i].number);
	return code;
}

/* What is there is as good as before, whether it succeeds or not. */
static int
renew_log(struct story_run *run, struct bat_error *error)
{
	struct story_log *log = &run->oracle.log;
	char name[BAT_TLOG_ASIDE_SIZE];
	int code;

	log->renewing = true;
	run->log_at_work = true;
	code = bat_attest_renew(run->store, NULL, name, error);
	run->log_at_work = false;
	if (code == BAT_OK) {
		log->renewing = log->unfit = false;
		(void)hear_log(run);
	}
	if (!run->wrong)
		(void)log_holds(run, false);
	return code;
}

bool
story_run_open(struct story_run *run, enum story_moment moment)
{
	struct bat_error error = { .code = 0 };
	struct bat_options options = {
		.read_only = moment == STORY_SALVAGED,
		.durability = run->workload->durability,
		.index = run->workload->index,
		.segment_max_bytes = run->workload->segment_max,
		.runway_bytes = 3000,
		.tlog = run->workload->tlog,
		.disk = run->door != NULL ? run->door :
					    memory_disk_door(run->disk),
		.clock = &run->clock.clock,
	};
	int code;

	/* A copy of a run has a clock of its own. */
	run->clock.clock.context = &run->clock;
	run->store = NULL;
	run->read_only = options.read_only;
	/* A renewal that failed is gone on with. */
	run->log_at_work = run->oracle.log.renewing;
	code = bat_open("/", &options, &run->store, &error);
	run->log_at_work = false;
	if (code != BAT_OK) {
		note_error(run, &error);
		return false;
	}
	run->poisoned = false;
	if (!log_is_open(run, moment))
		return false;
	if (story_oracle_holds(&run->oracle, run->store, moment,
		moment != STORY_SALVAGED, run->why))
		return true;
	if (!run->oracle.unreadable) {
		run->wrong = true;
		return false;
	}
	bat_error_set(&error, BAT_WORLD_IO, "%s", run->why);
	note_error(run, &error);
	(void)bat_close(run->store, &error);
	run->store = NULL;
	return false;
}

void
story_run_close(struct story_run *run)
{
	struct bat_error error = { .code = 0 };
	struct bat_store *store = run->store;

	run->store = NULL;
	if (store == NULL)
		return;
	if (bat_close(store, &error) != BAT_OK)
		note_error(run, &error);
	else if (!run->read_only)
		story_oracle_synced(&run->oracle);
	(void)log_holds(run, false);
}

/* ---- appending ------------------------------------------------------- */

struct offer {
	struct bat_draft drafts[4];
	struct bat_batch batch;
	size_t first; /* event of the oracle */
	size_t count; /* of events that are offered in earnest */
};

static void
answer(struct story_run *run, const struct offer *offer)
{
	const struct bat_batch *batch = &offer->batch;
	bool later = run->workload->durability == BAT_DURABLE_FSYNC;
	enum story_state failed = batch->code == BAT_STATE_STOPPED ?
	    STORY_UNSURE :
	    STORY_REFUSED;

	if (run->poisoned && batch->committed > 0)
		story_run_fail(run, "acknowledged after a failed sync");
	for (size_t i = 0; i < offer->count; i++) {
		struct story_event *event =
		    &run->oracle.events[offer->first + i];

		if (i >= batch->committed) {
			/* What stands before it is whole without it. */
			event->state = failed;
			event->batch = run->oracle.next_batch++;
			continue;
		}
		event->state = later ? STORY_VISIBLE : STORY_ACKED;
		event->told = true;
		event->receipt = batch->receipts[i];
	}
	/* An index file lied, and was dropped: it wants to be asked again. */
	if (batch->code == BAT_DATA_DISAGREES && batch->committed == 0)
		run->again = true;
	else if (batch->committed < offer->count)
		note_error(run, &batch->error);
}

/* Make a batch of `count` events of this size; scratch and receipts from
 * `at` on are its own. */
static void
make_offer(struct story_run *run, struct offer *offer, size_t at, size_t count,
    uint32_t size)
{
	uint32_t number = run->oracle.next_batch++;

	*offer = (struct offer){ .first = run->oracle.count, .count = count };
	for (size_t i = 0; i < count; i++)
		story_oracle_draft(story_oracle_offer(&run->oracle, number,
				       size),
		    &run->scratch[at + i], &offer->drafts[i]);
	offer->batch.drafts = offer->drafts;
	offer->batch.count = count;
	offer->batch.receipts = &run->receipts[at];
}

static void
offer_alone(struct story_run *run, size_t count, uint32_t size)
{
	struct offer offer;

	make_offer(run, &offer, 0, count, size);
	(void)bat_append(run->store, &offer.batch);
	answer(run, &offer);
}

static void
offer_special(struct story_run *run, bool keyed)
{
	struct offer offer;
	struct story_event *event;

	make_offer(run, &offer, 0, 1, 60);
	event = &run->oracle.events[offer.first];
	event->keyed = keyed;
	event->extended = !keyed;
	story_oracle_draft(event, &run->scratch[0], &offer.drafts[0]);
	(void)bat_append(run->store, &offer.batch);
	answer(run, &offer);
}

static void
group_done(void *context, struct bat_batch *batch)
{
	unsigned *done = context;

	(void)batch;
	(*done)++;
}

/* Batches of these many events each, in one write. */
static void
offer_group(struct story_run *run, const size_t counts[], size_t batches,
    uint32_t size)
{
	struct offer offers[4];
	unsigned done = 0;
	size_t at = 0;

	for (size_t i = 0; i < batches; i++) {
		make_offer(run, &offers[i], at, counts[i], size);
		offers[i].batch.done = group_done;
		offers[i].batch.context = &done;
		at += counts[i];
	}
	for (size_t i = 0; i < batches; i++)
		bat_submit(run->store, &offers[i].batch);
	(void)bat_commit_run(run->store, false);
	if (done != batches)
		story_run_fail(run, "%u of %zu batches were answered", done,
		    batches);
	for (size_t i = 0; i < batches; i++)
		answer(run, &offers[i]);
}

/* A large batch of small events. */
static void
offer_many(struct story_run *run, size_t count)
{
	struct story_draft *scratch = memory_disk_realloc(NULL,
	    count * sizeof(*scratch));
	struct bat_draft *drafts = memory_disk_realloc(NULL,
	    count * sizeof(*drafts));
	struct bat_receipt *receipts = memory_disk_realloc(NULL,
	    count * sizeof(*receipts));
	uint32_t number = run->oracle.next_batch++;
	struct offer offer = { .first = run->oracle.count, .count = count };

	if (scratch == NULL || drafts == NULL || receipts == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		scratch[i].payload = BAT_BUF_EMPTY;
		story_oracle_draft(story_oracle_offer(&run->oracle, number, 9),
		    &scratch[i], &drafts[i]);
	}
	offer.batch.drafts = drafts;
	offer.batch.count = count;
	offer.batch.receipts = receipts;
	/* Each of its allocations would be more of the same. */
	story_paused++;
	(void)bat_append(run->store, &offer.batch);
	story_paused--;
	answer(run, &offer);
	for (size_t i = 0; i < count; i++)
		bat_bytes_free(&scratch[i].payload);
	free(scratch);
	free(drafts);
	free(receipts);
}

/* The last key again: it is answered with the event that has it. */
static void
offer_again(struct story_run *run)
{
	size_t i = run->oracle.count;
	struct bat_receipt receipt;
	struct bat_draft draft;
	struct bat_batch batch = { .drafts = &draft,
		.count = 1,
		.receipts = &receipt };

	while (i > 0 &&
	    !(run->oracle.events[i - 1].keyed &&
		run->oracle.events[i - 1].state <= STORY_ACKED))
		i--;
	if (i == 0)
		return;
	story_oracle_draft(&run->oracle.events[i - 1], &run->scratch[0],
	    &draft);
	if (bat_append(run->store, &batch) != BAT_OK)
		note_error(run, &batch.error);
	else if (!receipt.replayed ||
	    receipt.seq != run->oracle.events[i - 1].receipt.seq)
		story_run_fail(run, "a known key was not recognised");
}

/* Drafts of which number `bad` cannot be: those before it are stored. */
static void
offer_refused(struct story_run *run, size_t bad)
{
	struct offer offer;

	make_offer(run, &offer, 0, bad, 60);
	offer.drafts[bad] = (struct bat_draft){
		.entity = bat_bytes_text("player:alice"),
		.scope = bat_bytes_text("room:dungeon"),
		.kind = BAT_KIND_OPEN_COMPLETED,
	};
	offer.drafts[bad + 1] = offer.drafts[bad];
	offer.batch.count = bad + 2;
	if (bat_append(run->store, &offer.batch) == BAT_OK)
		story_run_fail(run, "a reserved kind was taken");
	answer(run, &offer);
}

/* ---- ends of a session ----------------------------------------------- */

/* The process is gone: its disk is left to it, and the next one gets what it
 * left. */
static void
kill_session(struct story_run *run)
{
	struct memory_disk *next = memory_disk_copy(run->disk);
	struct memory_disk *old = run->disk;
	struct bat_error error;

	if (run->disk_changes != NULL)
		run->disk_changes(run->context, run, next);
	memory_disk_watch(old, NULL, NULL);
	if (run->store != NULL)
		(void)bat_close(run->store, &error);
	run->store = NULL;
	memory_disk_free(old);
	run->disk = next;
	if (run->disk_changed != NULL)
		run->disk_changed(run->context, run);
}

static int
find_newest(void *context, const char *name)
{
	uint64_t *newest = context, id;

	if (bat_segment_id_of_name(name, &id) && id > *newest)
		*newest = id;
	return 0;
}

static void
put_tail(char step, struct bat_buf *out)
{
	int code = 0;

	switch (step) {
	case '0':
	case 'F':
		code = bat_bytes_reserve(out, 700);
		if (code == 0)
			memset(out->data, step == '0' ? 0 : 0xff, 700);
		out->length = 700;
		break;
	case 'T':
		/* A header that promises more, and the start of a body. */
		code = bat_bytes_append(out,
		    "\0\0\1\x86\x5e\x11\x22\x33\x82\xa5"
		    "event",
		    15);
		break;
	default:
		code = bat_frame_open(out);
		if (code == 0)
			code = bat_codec_encode_marker(BAT_KIND_BATCH_BEGIN,
			    900, 3, 1, out);
		if (code == 0)
			bat_frame_seal(out, 0);
		break;
	}
	if (code != 0)
		abort();
}

static void
put_behind(const struct bat_disk *door, int fd, char step, uint64_t size)
{
	struct bat_buf tail = BAT_BUF_EMPTY;

	put_tail(step, &tail);
	door->write_at(door->context, fd, tail.data, tail.length, size);
	door->sync(door->context, fd);
	bat_bytes_free(&tail);
}

/*
 * What another writer, or another file system, may have left; on disk. Only
 * where something was written since the last time, and nothing lost: nobody
 * leaves two such tails in a row.
 */
static void
spoil(struct story_run *run, char step)
{
	const struct bat_disk *door = memory_disk_door(run->disk);
	int dir = door->open_dir(door->context, "/", false);
	char name[BAT_SEGMENT_NAME_SIZE];
	struct bat_file_stat stat;
	uint64_t newest = 0;
	int fd;

	door->list(door->context, dir, find_newest, &newest);
	bat_segment_name(newest, name);
	if (run->poisoned ||
	    door->stat_at(door->context, dir, name, &stat) != 0 ||
	    (newest == run->spoiled && stat.size <= run->spoiled_size)) {
		door->close(door->context, dir);
		return;
	}
	if (step == 'H')
		bat_segment_name(++newest, name);
	fd = door->open_at(door->context, dir, name, O_RDWR | O_CREAT, 0600);
	if (step != 'H')
		put_behind(door, fd, step, stat.size);
	door->sync(door->context, dir);
	run->spoiled = newest;
	run->spoiled_size = 0;
	if (door->stat_fd(door->context, fd, &stat) == 0)
		run->spoiled_size = stat.size;
	door->close(door->context, fd);
	door->close(door->context, dir);
}

/* The log has an event that the store does not have; on disk, and shown. */
static void
outrun(struct story_run *run)
{
	const struct bat_disk *door = memory_disk_door(run->disk);
	int dir = door->open_dir(door->context, "/", false);
	struct bat_tlog tlog;

	run->oracle.log.unfit = true;
	bat_tlog_init(&tlog);
	if (!run->poisoned && bat_tlog_open(&tlog, door, dir, NULL) == BAT_OK) {
		const struct bat_tlog_record record = { .seq = tlog.first_seq +
			    1000 };

		if (bat_tlog_settle(&tlog, NULL) != BAT_OK ||
		    bat_tlog_add(&tlog, &record, NULL) != BAT_OK ||
		    bat_tlog_publish(&tlog, NULL) != BAT_OK)
			abort();
		if (!story_log_hear(&run->oracle.log,
			bat_bytes_of_buf(&tlog.checkpoint), true, run->why))
			run->wrong = true;
	}
	bat_tlog_detach(&tlog);
	door->close(door->context, dir);
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
		code = update_log(run, &error);
		break;
	case 'R':
		code = renew_log(run, &error);
		break;
	case 'z':
		story_run_close(run);
		(void)story_run_open(run, STORY_RUNNING);
		break;
	default:
		kill_session(run);
		story_paused++;
		if (step == 'L')
			outrun(run);
		else if (step != 'K')
			spoil(run, step);
		story_paused--;
		(void)story_run_open(run, STORY_RUNNING);
		break;
	}
	if (code != BAT_OK)
		note_error(run, &error);
}

static void
one_step(struct story_run *run, char step)
{
	static const size_t one_two_one[] = { 1, 2, 1 };
	static const size_t four_times_one[] = { 1, 1, 1, 1 };

	switch (step) {
	case 'a':
		offer_alone(run, 1, 60);
		break;
	case 'A':
		offer_alone(run, 1, 1500);
		break;
	case 'b':
		offer_alone(run, 3, 60);
		break;
	case 'B':
		offer_alone(run, 2, 900);
		break;
	case 'N':
		offer_many(run, 4200);
		break;
	case 'n':
		offer_many(run, 250);
		break;
	case 'g':
		offer_group(run, one_two_one, 3, 60);
		break;
	case 'G':
		offer_group(run, four_times_one, 4, 700);
		break;
	case 'k':
	case 'e':
		offer_special(run, step == 'k');
		break;
	case 'r':
		offer_again(run);
		break;
	case 'x':
	case 'X':
		offer_refused(run, step == 'x' ? 1 : 0);
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
