/* What a run asks of its transparency log: heard, held against the oracle. */
#include "workload_internal.h"

/* By its files; what a power cut left may have been kept by somebody. */
bool
story_log_still_holds(struct story_run *run, bool promise)
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
		story_note_error(run, &error);
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
bool
story_log_opened(struct story_run *run, enum story_moment moment)
{
	bool holds = true;

	if (!run->workload->tlog)
		return true;
	if (!hear_log(run) ||
	    !story_log_still_holds(run, moment == STORY_CRASHED))
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
int
story_update_log(struct story_run *run, struct bat_error *error)
{
	const struct story_oracle *oracle = &run->oracle;
	int code = bat_attest_update(run->store, error);
	struct bat_attest_status status;

	if (code == BAT_DATA_CORRUPT && oracle->log.unfit)
		return BAT_OK;
	if (code != BAT_OK || !run->workload->tlog || !hear_log(run) ||
	    !story_log_still_holds(run, false))
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
int
story_renew_log(struct story_run *run, struct bat_error *error)
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
		(void)story_log_still_holds(run, false);
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
		story_note_error(run, &error);
		return false;
	}
	run->poisoned = false;
	if (!story_log_opened(run, moment))
		return false;
	if (story_oracle_holds(&run->oracle, run->store, moment,
		moment != STORY_SALVAGED, run->why))
		return true;
	if (!run->oracle.unreadable) {
		run->wrong = true;
		return false;
	}
	bat_error_set(&error, BAT_WORLD_IO, "%s", run->why);
	story_note_error(run, &error);
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
		story_note_error(run, &error);
	else if (!run->read_only)
		story_oracle_synced(&run->oracle);
	(void)story_log_still_holds(run, false);
}
