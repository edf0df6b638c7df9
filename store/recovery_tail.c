/*
 * Reading on, for who follows a writer: the segments from a place on, with the
 * means of recovery.
 */
#include "recovery_internal.h"

int
bat_recovery_read_on(struct bat_segment_dir *dir,
    struct bat_recovery_tail *tail, struct bat_index *index,
    struct bat_recovery *out, struct bat_error *error)
{
	const struct bat_recovery_options options = { .read_only = true,
		.ignore_indexes = tail->doubted,
		.plain = true };
	struct recovery_scan scan = {
		.dir = dir,
		.options = &options,
		.index = index,
		.out = out,
		.error = error,
		.tail = tail,
		.least_seq = tail->next_seq,
		.knows_legal = true,
	};
	int code = BAT_OK;

	memset(out, 0, sizeof(*out));
	out->end = tail->from;
	out->doubted = tail->doubted;
	tail->whole = tail->more = false;
	if (dir->count > 0)
		out->highest_segment = dir->segments[dir->count - 1].id;
	for (size_t i = 0; code == BAT_OK && !tail->more && i < dir->count;
	     i++) {
		const struct bat_segment_info *info = &dir->segments[i];
		bool first = info->id == tail->from.segment;

		if (info->id < tail->from.segment ||
		    (first && tail->from.sealed))
			continue;
		if (index->count >= tail->row_limit)
			tail->more = true;
		else
			code = bat_recovery_segment(&scan, info,
			    first ? tail->from.offset : 0);
	}
	return code;
}
