/*
 * What will be in the merged segment: every event that has a row, and the
 * markers of batches that are shown whole. Nothing is written.
 */
#include "compaction_internal.h"

#include <stdlib.h>

#include "kind.h"

/* The batch under way (FORMAT.md 4.2), and whether all its items have rows. */
struct batch {
	bool open, shown;
	uint64_t wanted, items;
	struct compaction_marker begin;
	uint64_t begin_length;
};

struct check {
	struct compaction_plan *plan;
	struct batch batch;
	/* The last frame that is copied is a COMMIT: its batch. */
	bool ends_in_commit;
	struct compaction_marker last_begin, last_commit;
	uint64_t last_markers_length;
};

static int
leave_out(struct check *check, const struct compaction_marker *marker,
    struct bat_error *error)
{
	struct compaction_plan *plan = check->plan;

	if (plan->left_count == plan->left_capacity) {
		size_t capacity = plan->left_capacity * 2 + 16;
		struct compaction_marker *larger = realloc(plan->left_out,
		    capacity * sizeof(*larger));

		if (larger == NULL)
			return bat_error_set(error, BAT_WORLD_NO_MEMORY,
			    "no memory for a compaction");
		plan->left_out = larger;
		plan->left_capacity = capacity;
	}
	plan->left_out[plan->left_count++] = *marker;
	return BAT_OK;
}

/* A batch that does not end as it should: its BEGIN says nothing. */
static int
give_up_batch(struct check *check, struct bat_error *error)
{
	if (!check->batch.open)
		return BAT_OK;
	check->batch.open = false;
	return leave_out(check, &check->batch.begin, error);
}

static int
on_begin(struct check *check, const struct compaction_frame *frame,
    struct bat_error *error)
{
	int code = give_up_batch(check, error);

	check->batch = (struct batch){
		.open = true,
		.shown = true,
		.wanted = frame->event->payload_size,
		.begin = { frame->segment, frame->offset, true },
		.begin_length = frame->bytes.length,
	};
	return code;
}

static int
on_commit(struct check *check, const struct compaction_frame *frame,
    struct bat_error *error)
{
	struct batch *batch = &check->batch;
	struct compaction_marker commit = { frame->segment, frame->offset,
		true };
	int code;

	if (batch->open && batch->shown && batch->items > 0 &&
	    batch->items == batch->wanted) {
		batch->open = false;
		check->ends_in_commit = true;
		check->last_begin = batch->begin;
		check->last_commit = commit;
		check->last_markers_length = batch->begin_length +
		    frame->bytes.length;
		check->plan->frames_length += check->last_markers_length;
		return BAT_OK;
	}
	code = give_up_batch(check, error);
	return code == BAT_OK ? leave_out(check, &commit, error) : code;
}

/* The batch rule; an event without a row that it keeps is one that the index
 * lacks. */
static int
follow_rule(struct check *check, const struct compaction_frame *frame,
    struct bat_error *error)
{
	struct batch *batch = &check->batch;

	if (!batch->open) {
		if (frame->row != NULL)
			return BAT_OK;
		return bat_error_set_at(error, BAT_DATA_DISAGREES,
		    frame->segment, frame->offset,
		    "segment %llu at offset %llu: an event without a row",
		    (unsigned long long)frame->segment,
		    (unsigned long long)frame->offset);
	}
	if (batch->items == batch->wanted)
		return give_up_batch(check, error);
	batch->items++;
	batch->shown = batch->shown && frame->row != NULL;
	return BAT_OK;
}

static int
on_event(struct check *check, const struct compaction_frame *frame,
    struct bat_error *error)
{
	struct compaction_plan *plan = check->plan;
	uint32_t number;
	int code = follow_rule(check, frame, error);

	if (code != BAT_OK || frame->row == NULL)
		return code;
	check->ends_in_commit = false;
	plan->frames_length += frame->bytes.length;
	plan->events++;
	code = bat_intern_put(&plan->names, frame->event->entity, &number);
	if (code == BAT_OK)
		code = bat_intern_put(&plan->names, frame->event->scope,
		    &number);
	return code == BAT_OK ?
	    BAT_OK :
	    bat_error_set(error, code, "no memory for the names of a footer");
}

static int
on_frame(void *context, const struct compaction_frame *frame,
    struct bat_error *error)
{
	if (!frame->is_marker)
		return on_event(context, frame, error);
	return frame->event->kind == BAT_KIND_BATCH_BEGIN ?
	    on_begin(context, frame, error) :
	    on_commit(context, frame, error);
}

static int
on_end(void *context, struct bat_error *error)
{
	return give_up_batch(context, error);
}

static int
compare_places(const void *a, const void *b)
{
	const struct compaction_marker *left = a, *right = b;

	if (left->segment != right->segment)
		return left->segment < right->segment ? -1 : 1;
	return (left->offset > right->offset) - (left->offset < right->offset);
}

/* A batch at the end needs no markers: the segment appears at once. */
static int
end_in_event(struct check *check, struct bat_error *error)
{
	int code;

	if (!check->ends_in_commit || BAT_PLANT(251))
		return BAT_OK;
	check->last_begin.kept = check->last_commit.kept = false;
	check->plan->frames_length -= check->last_markers_length;
	code = leave_out(check, &check->last_begin, error);
	return code == BAT_OK ? leave_out(check, &check->last_commit, error) :
				code;
}

/* The merged segment is as old as the first of the sources. */
static int
read_created(struct bat_compaction *job, int64_t *out_ns,
    struct bat_error *error)
{
	struct bat_segment_reader reader;
	int code = bat_segment_reader_open(&reader, job->dir, job->ids[0],
	    error);

	if (code != BAT_OK)
		return code;
	*out_ns = reader.header.created_ns;
	bat_segment_reader_close(&reader);
	return BAT_OK;
}

int
bat_compaction_check(struct bat_compaction *job, struct compaction_plan *plan,
    struct bat_error *error)
{
	struct check check = { .plan = plan };
	const struct compaction_visitor visitor = { &check, on_frame, on_end };
	int code;

	*plan = (struct compaction_plan){ .events = 0 };
	bat_intern_init(&plan->names);
	code = bat_compaction_walk(job, &visitor, error);
	if (code == BAT_OK)
		code = end_in_event(&check, error);
	if (code == BAT_OK)
		code = read_created(job, &plan->created_ns, error);
	if (code == BAT_OK && plan->left_count > 1)
		qsort(plan->left_out, plan->left_count, sizeof(*plan->left_out),
		    compare_places);
	if (code == BAT_OK &&
	    (plan->events > UINT32_MAX ||
		plan->frames_length >=
		    BAT_INDEX_OFFSET_MAX - BAT_SEGMENT_HEADER_MAX))
		code = bat_error_set(error, BAT_USE_TOO_LARGE,
		    "%llu events of %llu bytes are more than a segment holds",
		    (unsigned long long)plan->events,
		    (unsigned long long)plan->frames_length);
	return code;
}

void
bat_compaction_plan_free(struct compaction_plan *plan)
{
	bat_intern_free(&plan->names);
	free(plan->left_out);
}
