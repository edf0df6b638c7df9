#include "rig_store.h"

#include <stdio.h>

#include "lifecycle.h"
#include "verify.h"

/* ---- what it shows --------------------------------------------------- */

struct look {
	const struct rig_check *check;
	struct bat_store *store;
	struct bat_reading reading;
	uint64_t found;
	uint64_t most; /* so many are looked at */
	struct rig_event last;
};

/* One event: a session's own, or the next of the plan. */
static int
look_at(struct look *look, uint32_t ordinal)
{
	struct bat_error error;
	struct rig_event event = { 0, 0, 0 };
	const char *why;

	if (bat_read(look->store, ordinal, &look->reading, &error) != 0)
		return rig_wrong("event %lu cannot be read: %s", look->found,
		    error.text);
	if (bat_bytes_equal(bat_name(look->store, look->reading.row.entity),
		bat_bytes_text(BAT_LIFECYCLE_ENTITY)))
		return RIG_RIGHT;
	why = rig_plan_differs(look->check->seed, look->found, look->store,
	    &look->reading, &event);
	if (why != NULL)
		return rig_wrong("where event %lu should be is %s (number "
				 "%lu, seq %lu, segment %lu at %lu)",
		    look->found, why, event.number, look->reading.row.seq,
		    look->reading.row.segment, look->reading.row.offset);
	if (event.first != look->found &&
	    (event.first != look->last.first ||
		event.count != look->last.count))
		return rig_wrong("event %lu lacks the start of its batch",
		    look->found);
	look->last = event;
	look->found++;
	return RIG_RIGHT;
}

static int
look_at_all(struct look *look)
{
	const struct bat_list all = { .kind = BAT_LIST_ALL };
	uint32_t ordinals[64];
	uint64_t cursor = 0;
	size_t got;
	int status = RIG_RIGHT;

	do {
		got = bat_list_next(look->store, &all, &cursor, ordinals, 64);
		for (size_t i = 0;
		     i < got && status == RIG_RIGHT && look->found < look->most;
		     i++)
			status = look_at(look, ordinals[i]);
	} while (got > 0 && status == RIG_RIGHT);
	return status;
}

/* There are low to high events, and the last batch is whole. */
static int
compare(const struct rig_check *check, struct bat_store *store, uint64_t low,
    uint64_t high, uint64_t *out_found)
{
	struct look look = { .check = check,
		.store = store,
		.reading = BAT_READING_EMPTY,
		.most = UINT64_MAX };
	int status = look_at_all(&look);

	bat_reading_free(&look.reading);
	*out_found = look.found;
	if (status != RIG_RIGHT)
		return status;
	if (look.found < low)
		return rig_wrong("%lu events, %lu were acknowledged",
		    look.found, low);
	if (look.found > high)
		return rig_wrong("%lu events, only %lu were offered",
		    look.found, high);
	if (look.found > 0 && look.last.first + look.last.count != look.found)
		return rig_wrong("%lu events: the last batch, %lu from %lu on, "
				 "is not whole",
		    look.found, look.last.count, look.last.first);
	return RIG_RIGHT;
}

/* ---- going on -------------------------------------------------------- */

static int
open_it(const struct rig_check *check, bool read_only, struct bat_store **out)
{
	struct bat_options options = BAT_OPTIONS_DEFAULT;
	struct bat_error error;
	int code;

	options.read_only = read_only;
	options.segment_max_bytes = 16384;
	code = bat_open(check->path, &options, out, &error);
	if (code == BAT_DATA_CORRUPT && check->salvage && !read_only) {
		printf("refused: %s\n", error.text);
		return RIG_REFUSED;
	}
	if (code != 0)
		return rig_wrong("it does not open%s: %s",
		    read_only ? " for reading" : "", error.text);
	return RIG_RIGHT;
}

static int
append_one(const struct rig_check *check, struct bat_store *store,
    uint64_t number)
{
	const struct rig_event event = { number, number, 1 };
	struct bat_buf payload = BAT_BUF_EMPTY;
	struct bat_receipt receipt;
	struct bat_draft draft;
	struct bat_batch batch = { .drafts = &draft,
		.count = 1,
		.receipts = &receipt };
	int code;

	rig_plan_draft(check->seed, &event, &payload, &draft);
	code = bat_append(store, &batch);
	bat_bytes_free(&payload);
	return code == 0 ?
	    RIG_RIGHT :
	    rig_wrong("it does not append: %s", batch.error.text);
}

static int
close_it(struct bat_store *store, int status)
{
	struct bat_error error;

	if (bat_close(store, &error) != 0 && status == RIG_RIGHT)
		return rig_wrong("it does not close: %s", error.text);
	return status;
}

/* The first session after the crash. */
static int
first_session(const struct rig_check *check, const struct rig_notes *notes,
    uint64_t *out_found)
{
	struct bat_store *store;
	int status = open_it(check, false, &store);

	if (status != RIG_RIGHT)
		return status;
	status = compare(check, store, check->low, check->high, out_found);
	if (status == RIG_RIGHT) {
		rig_note(notes, "shown %lu", *out_found);
		rig_note(notes, "offer %lu", *out_found + 1);
		status = append_one(check, store, *out_found);
	}
	if (status == RIG_RIGHT)
		rig_note(notes, "ack %lu", *out_found + 1);
	return close_it(store, status);
}

/* What a reader finds of a store that is refused: at first what was
 * acknowledged. */
static int
salvage(const struct rig_check *check)
{
	struct look look = { .check = check,
		.reading = BAT_READING_EMPTY,
		.most = check->low };
	int status = open_it(check, true, &look.store);

	if (status != RIG_RIGHT)
		return status;
	status = look_at_all(&look);
	bat_reading_free(&look.reading);
	if (status == RIG_RIGHT && look.found < check->low)
		status = rig_wrong("refused, and a reader finds %lu events of "
				   "%lu",
		    look.found, check->low);
	status = close_it(look.store, status);
	return status == RIG_RIGHT ? RIG_REFUSED : status;
}

/* Those that follow must show the same. */
static int
later_session(const struct rig_check *check, bool read_only, uint64_t wanted)
{
	struct bat_store *store;
	uint64_t found;
	int status = open_it(check, read_only, &store);

	if (status != RIG_RIGHT)
		return status;
	return close_it(store, compare(check, store, wanted, wanted, &found));
}

static int
verify(const struct rig_check *check)
{
	struct bat_verify_counts counts;
	struct bat_error error;

	if (bat_verify_directory(bat_file_posix(), check->path, NULL, &counts,
		&error) != 0)
		return rig_wrong("verify: segment %lu at %lu: %s",
		    error.segment, error.offset, error.text);
	return RIG_RIGHT;
}

int
rig_check(const struct rig_check *check, const struct rig_notes *notes)
{
	uint64_t found = 0;
	int status = first_session(check, notes, &found);

	if (status == RIG_REFUSED)
		return salvage(check);
	if (status == RIG_RIGHT)
		status = later_session(check, true, found + 1);
	if (status == RIG_RIGHT)
		status = later_session(check, false, found + 1);
	if (status == RIG_RIGHT)
		status = verify(check);
	if (status == RIG_RIGHT)
		printf("found %lu\n", found);
	return status;
}
