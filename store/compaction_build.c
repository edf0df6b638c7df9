/*
 * The merged segment, written into a file that nobody reads: frames as they
 * are, and row by row a footer behind them; then read back.
 */
#include "compaction_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "aside.h"

/* What is written at once. */
#define PIECE_SIZE (1u << 20)

/* Bytes on their way to a place in the file. */
struct stream {
	struct bat_buf bytes;
	uint64_t at; /* where they go */
};

struct build {
	struct bat_compaction *job;
	const struct compaction_plan *plan;
	int fd;
	struct stream frames, rows;
	size_t move_capacity;
	size_t left_at; /* markers left out up to here */
	uint64_t events;
	/* What stands together and is not copied. */
	struct bat_buf dropped;
	uint64_t dropped_segment, dropped_offset;
};

static int
no_memory(struct bat_error *error)
{
	return bat_error_set(error, BAT_WORLD_NO_MEMORY,
	    "no memory for a compaction");
}

/* ---- streams ----------------------------------------------------------- */

static int
flush(struct build *build, struct stream *stream, struct bat_error *error)
{
	int code = bat_file_write(build->job->dir->disk, build->fd,
	    stream->bytes.data, stream->bytes.length, stream->at, error);

	if (code != BAT_OK)
		bat_error_prefix(error, "the merged segment");
	stream->at += stream->bytes.length;
	bat_bytes_clear(&stream->bytes);
	return code;
}

static int
put(struct build *build, struct stream *stream, struct bat_slice bytes,
    struct bat_error *error)
{
	if (bat_bytes_append_slice(&stream->bytes, bytes) != BAT_OK)
		return no_memory(error);
	return stream->bytes.length < PIECE_SIZE ? BAT_OK :
						   flush(build, stream, error);
}

static uint64_t
end_of(const struct stream *stream)
{
	return stream->at + stream->bytes.length;
}

/* ---- what is not copied ------------------------------------------------ */

static int
keep_dropped(struct build *build, struct bat_error *error)
{
	char name[64];
	int code;

	if (build->dropped.length == 0)
		return BAT_OK;
	snprintf(name, sizeof(name), "%06llu-%llu",
	    (unsigned long long)build->dropped_segment,
	    (unsigned long long)build->dropped_offset);
	code = BAT_PLANT(252) ? BAT_OK :
				bat_aside_keep(build->job->dir, name,
				    bat_bytes_of_buf(&build->dropped), error);
	bat_bytes_clear(&build->dropped);
	return code;
}

static int
drop(struct build *build, const struct compaction_frame *frame,
    struct bat_error *error)
{
	if (build->dropped.length == 0) {
		build->dropped_segment = frame->segment;
		build->dropped_offset = frame->offset;
	}
	if (bat_bytes_append_slice(&build->dropped, frame->bytes) != BAT_OK)
		return no_memory(error);
	return build->dropped.length < PIECE_SIZE ? BAT_OK :
						    keep_dropped(build, error);
}

/* ---- what is ----------------------------------------------------------- */

static int
note_move(struct build *build, const struct compaction_frame *frame,
    struct bat_error *error)
{
	struct bat_compaction *job = build->job;
	uint64_t to = end_of(&build->frames);
	struct bat_index_move *last = NULL;

	if (job->move_count > 0)
		last = &job->moves[job->move_count - 1];
	if (last != NULL && last->segment == frame->segment &&
	    last->from + last->length == frame->offset) {
		last->length += frame->bytes.length;
		return BAT_OK;
	}
	if (job->move_count == build->move_capacity) {
		size_t capacity = build->move_capacity * 2 + 16;
		struct bat_index_move *larger = realloc(job->moves,
		    capacity * sizeof(*larger));

		if (larger == NULL)
			return no_memory(error);
		job->moves = larger;
		build->move_capacity = capacity;
	}
	job->moves[job->move_count++] = (struct bat_index_move){ frame->segment,
		frame->offset, frame->bytes.length, to };
	return BAT_OK;
}

static int
put_row(struct build *build, const struct compaction_frame *frame,
    struct bat_error *error)
{
	const struct bat_event *event = frame->event;
	struct bat_row row = bat_event_row(event);
	uint8_t bytes[BAT_SEGMENT_ROW_SIZE];

	row.entity = bat_intern_find(&build->plan->names, event->entity);
	row.scope = bat_intern_find(&build->plan->names, event->scope);
	row.length = (uint32_t)frame->bytes.length;
	row.offset = end_of(&build->frames);
	row.seq = BAT_PLANT(253) ? build->events : frame->row->seq;
	build->events++;
	bat_segment_encode_row(&row, bytes);
	return put(build, &build->rows, bat_bytes_slice(bytes, sizeof(bytes)),
	    error);
}

static bool
is_left_out(struct build *build, const struct compaction_frame *frame,
    bool *out_kept)
{
	const struct compaction_plan *plan = build->plan;
	const struct compaction_marker *marker;

	if (build->left_at == plan->left_count)
		return false;
	marker = &plan->left_out[build->left_at];
	if (marker->segment != frame->segment ||
	    marker->offset != frame->offset)
		return false;
	build->left_at++;
	*out_kept = marker->kept;
	return true;
}

static int
on_frame(void *context, const struct compaction_frame *frame,
    struct bat_error *error)
{
	struct build *build = context;
	bool kept = true;
	int code;

	if (frame->is_marker ? is_left_out(build, frame, &kept) :
			       frame->row == NULL)
		return kept ? drop(build, frame, error) : BAT_OK;
	code = keep_dropped(build, error);
	if (code == BAT_OK)
		code = note_move(build, frame, error);
	if (code == BAT_OK && !frame->is_marker)
		code = put_row(build, frame, error);
	return code == BAT_OK ?
	    put(build, &build->frames, frame->bytes, error) :
	    code;
}

static int
on_end(void *context, struct bat_error *error)
{
	return keep_dropped(context, error);
}

/* ---- the file ---------------------------------------------------------- */

/* Where what goes is known before it is written. */
static int
put_table(struct build *build, uint64_t header_length, struct bat_error *error)
{
	struct stream table = { BAT_BUF_EMPTY,
		header_length + build->plan->frames_length };
	int code = bat_segment_encode_table(&build->plan->names, &table.bytes);

	code = code == BAT_OK ? flush(build, &table, error) : no_memory(error);
	build->rows.at = table.at;
	bat_bytes_free(&table.bytes);
	return code;
}

static int
put_trailer(struct build *build, uint64_t header_length,
    struct bat_error *error)
{
	struct bat_compaction *job = build->job;
	uint64_t frames_end = header_length + build->plan->frames_length;

	/* Read twice, it has to say the same twice. */
	if (build->frames.at != frames_end ||
	    build->events != build->plan->events ||
	    build->left_at != build->plan->left_count)
		return bat_error_set(error, BAT_WORLD_IO,
		    "the segments read differently a second time: copy the "
		    "store to another disk first");
	if (bat_segment_encode_trailer(frames_end, (uint32_t)build->events,
		&build->rows.bytes) != BAT_OK)
		return no_memory(error);
	job->events = build->events;
	job->bytes_after = end_of(&build->rows);
	return flush(build, &build->rows, error);
}

static int
put_all(struct build *build, struct bat_error *error)
{
	const struct compaction_visitor visitor = { build, on_frame, on_end };
	uint64_t header_length;
	int code = bat_segment_encode_header(build->job->merged,
	    build->plan->created_ns, &build->frames.bytes);

	if (code != BAT_OK)
		return no_memory(error);
	header_length = build->frames.bytes.length;
	code = put_table(build, header_length, error);
	if (code == BAT_OK)
		code = bat_compaction_walk(build->job, &visitor, error);
	if (code == BAT_OK)
		code = flush(build, &build->frames, error);
	if (code == BAT_OK)
		code = put_trailer(build, header_length, error);
	return code;
}

/* Of the owner and the mode of the first source: who reads that reads this. */
static int
create(struct build *build, struct bat_error *error)
{
	struct bat_compaction *job = build->job;
	const struct bat_disk *disk = job->dir->disk;
	struct bat_file_stat old, fresh;
	char name[BAT_SEGMENT_NAME_SIZE];
	int code;

	bat_segment_name(job->ids[0], name);
	code = disk->stat_at(disk->context, job->dir->dir, name, &old);
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat %s", name);
	code = bat_file_unlink(disk, job->dir->dir, BAT_SEGMENT_DIR_UNFINISHED,
	    error);
	if (code != BAT_OK)
		return code;
	build->fd = disk->open_at(disk->context, job->dir->dir,
	    BAT_SEGMENT_DIR_UNFINISHED, O_RDWR | O_CREAT | O_EXCL, old.mode);
	if (build->fd < 0)
		return bat_error_set_os(error, -build->fd, "cannot make %s",
		    BAT_SEGMENT_DIR_UNFINISHED);
	job->has_file = true;
	code = disk->stat_fd(disk->context, build->fd, &fresh);
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat %s",
		    BAT_SEGMENT_DIR_UNFINISHED);
	if (fresh.uid == old.uid)
		return BAT_OK;
	return bat_error_set(error, BAT_USE_INVALID,
	    "the segments belong to user %u: compact as that user", old.uid);
}

static int
write_file(struct build *build, struct bat_error *error)
{
	const struct bat_disk *disk = build->job->dir->disk;
	int code = create(build, error);

	if (code == BAT_OK)
		code = put_all(build, error);
	if (code == BAT_OK && !BAT_PLANT(254))
		code = bat_file_sync(disk, build->fd, error);
	if (code == BAT_OK)
		(void)disk->drop_cache(disk->context, build->fd);
	if (build->fd >= 0)
		bat_file_close(disk, build->fd);
	return code;
}

int
bat_compaction_build(struct bat_compaction *job, struct bat_error *error)
{
	struct compaction_plan plan;
	struct build build = { .job = job, .plan = &plan, .fd = -1 };
	int code = bat_compaction_check(job, &plan, error);

	if (code == BAT_OK)
		code = write_file(&build, error);
	if (code == BAT_OK)
		code = bat_compaction_prove(job, error);
	bat_bytes_free(&build.frames.bytes);
	bat_bytes_free(&build.rows.bytes);
	bat_bytes_free(&build.dropped);
	bat_compaction_plan_free(&plan);
	return code;
}
