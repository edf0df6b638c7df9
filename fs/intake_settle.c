/*
 * The part of intake that learns what became of the drafts.
 */
#include "intake_internal.h"

/* Buffers above this are given back once they are empty. */
#define KEPT_MAX ((size_t)1 << 20)

static void
empty(struct bat_buf *buf)
{
	bat_bytes_clear(buf);
	if (buf->capacity > KEPT_MAX)
		bat_bytes_free(buf);
}

/* Everything was taken: what is left of the WRITE waits for more. */
static size_t
settle_all(struct batfs_intake *intake)
{
	struct bat_buf used = intake->tail;
	bool grew = !intake->newline &&
	    intake->tail.length > intake->write_length;

	if (intake->kept)
		return 0;
	if (intake->finished || intake->newline) {
		intake->tail = intake->rest;
		intake->rest = used;
		empty(&intake->rest);
	}
	/* A tail that only grew begins where it began. */
	if (!grew)
		intake->tail_offset = intake->accepted + intake->rest_start;
	intake->accepted += intake->write_length;
	intake->retry.expected = false;
	return intake->write_length;
}

static void
report(struct batfs_intake *intake, struct batfs_intake_reject *reject)
{
	const struct batfs_intake_origin *bad = &intake->bad;

	*reject = (struct batfs_intake_reject){
		.any = !batfs_intake_is_retry(intake, bad),
		.code = intake->error.code,
		.error = intake->error,
		.offset = (size_t)bad->offset,
		.start_length = bad->first.length,
	};
	if (bad->first.length > 0)
		memcpy(reject->start, bad->first.data, bad->first.length);
}

/*
 * A line was refused. What stands before it counts as written; the line is
 * gone whole. When nothing was written before it the writer gets the error
 * itself, else when it tries the rest.
 */
static size_t
settle_refused(struct batfs_intake *intake, size_t committed)
{
	const struct batfs_intake_origin *bad = &intake->bad;
	struct batfs_intake_retry *retry = &intake->retry;
	size_t taken = committed == 0 || BAT_PLANT(79) ? 0 : bad->start;

	empty(BAT_PLANT(80) ? &intake->rest : &intake->tail);
	empty(&intake->rest);
	intake->accepted += taken;
	retry->expected = taken > 0;
	retry->flags = intake->flags_refused;
	retry->denied = intake->error.code == BAT_STATE_DENIED;
	if (retry->denied)
		retry->denial = intake->error;
	retry->offset = bad->offset;
	retry->length = bad->length;
	retry->first_length = bad->first.length;
	if (bad->first.length > 0)
		memcpy(retry->first, bad->first.data, bad->first.length);
	return taken;
}

size_t
batfs_intake_settle(struct batfs_intake *intake, size_t committed, int code,
    const struct bat_error *error, const struct bat_receipt *receipts,
    int *out_code, struct batfs_intake_reject *reject)
{
	size_t taken;

	*out_code = 0;
	reject->any = false;
	if (committed > 0) {
		intake->reader.has_prev = true;
		intake->reader.prev = receipts[committed - 1].id;
	}
	if (code != 0 && committed < intake->count) {
		batfs_intake_refuse(intake, &intake->origins[committed]);
		intake->flags_refused = false;
		intake->error = error != NULL ? *error :
						(struct bat_error){ .code = 0 };
		intake->error.code = code;
	}
	batfs_intake_take_back(intake, committed);
	/* What was written is no longer ours to take back. */
	intake->count = 0;
	if (intake->refused) {
		report(intake, reject);
		taken = settle_refused(intake, committed);
		if (taken == 0)
			*out_code = intake->error.code;
		intake->poisoned |= intake->error.code == BAT_USE_TOO_LARGE &&
		    intake->bad.length > BATFS_INTAKE_TAIL_MAX;
	} else {
		taken = settle_all(intake);
	}
	intake->refused = false;
	intake->finished = intake->newline = false;
	intake->kept = true;
	intake->write_length = 0;
	batfs_intake_memory_reset(&intake->reader.memory);
	empty(&intake->reader.value);
	empty(&intake->reader.strings);
	return taken;
}
