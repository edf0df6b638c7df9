/*
 * The merged segment, read back from the disk before anything that it stands
 * for goes.
 */
#include "compaction_internal.h"

#include <stdio.h>
#include <stdlib.h>

static int
count_frame(void *context, const struct compaction_frame *frame,
    struct bat_error *error)
{
	uint64_t *events = context;

	(void)error;
	*events += !frame->is_marker && frame->row != NULL;
	return BAT_OK;
}

static int
at_end(void *context, struct bat_error *error)
{
	(void)context;
	(void)error;
	return BAT_OK;
}

/* As a directory in which it is the only segment. */
static int
see_alone(const struct bat_compaction *job, struct bat_segment_dir *own,
    struct bat_error *error)
{
	struct bat_segment_info *info = calloc(1, sizeof(*info));
	int code;

	if (info == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory for a compaction");
	*info = (struct bat_segment_info){ .id = job->merged, .fd = -1 };
	snprintf(info->name, sizeof(info->name), "%s",
	    BAT_SEGMENT_DIR_UNFINISHED);
	own->segments = info;
	own->count = own->capacity = 1;
	code = own->disk->stat_at(own->disk->context, own->dir, info->name,
	    &info->stat);
	return code < 0 ?
	    bat_error_set_os(error, -code, "cannot stat %s", info->name) :
	    BAT_OK;
}

/* The sources go soon: is everything in it, on the disk? */
int
bat_compaction_prove(struct bat_compaction *job, struct bat_error *error)
{
	struct bat_segment_dir own;
	uint64_t events = 0;
	const struct compaction_visitor visitor = { &events, count_frame,
		at_end };
	int code = bat_segment_dir_share(&own, job->dir, error);

	if (code != BAT_OK)
		return code;
	code = see_alone(job, &own, error);
	if (code == BAT_OK)
		code = bat_compaction_walk_merged(job, &own, &visitor, error);
	bat_segment_dir_close(&own);
	if (job->index->broken)
		return code;
	if (code == BAT_DATA_CORRUPT || code == BAT_DATA_DISAGREES ||
	    (code == BAT_OK && events != job->events))
		code = bat_error_set(error, BAT_WORLD_IO,
		    "the merged segment reads differently than it was "
		    "written; nothing was compacted");
	return code;
}
