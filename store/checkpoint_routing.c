/*
 * The part of checkpoint that makes the routing summary (FORMAT.md 6.2), as
 * batpak does, from one pass over the rows.
 *
 * batpak sorts the rows by entity, time, clock and id and then describes each
 * entity's run. Of a run only its size and its first and last row are told,
 * so the least and the greatest row of each entity are enough, and memory is
 * by the number of names, not of rows.
 */
#include "checkpoint.h"
#include "checkpoint_shapes.h"

#include <stdlib.h>

#define CHUNK_ROWS 65536
#define CHUNKS_MAX 32

/* What decides the order of rows within a run, and the row's sequence. */
struct place {
	uint64_t wall_ms;
	uint32_t clock;
	struct bat_id id;
	uint64_t seq;
};

struct run {
	struct bat_slice entity;
	uint64_t count;
	struct place first, last;
};

struct chunk {
	uint64_t start, count;
	uint64_t first_seq, last_seq;
};

struct routing {
	struct run *runs; /* by name number; those without rows are there too */
	size_t run_count;
	struct chunk chunks[CHUNKS_MAX];
	size_t chunk_count;
};

static int
compare_places(const struct place *a, const struct place *b)
{
	if (a->wall_ms != b->wall_ms)
		return a->wall_ms < b->wall_ms ? -1 : 1;
	if (a->clock != b->clock)
		return a->clock < b->clock ? -1 : 1;
	return bat_id_compare(&a->id, &b->id);
}

static void
add_to_run(struct run *run, const struct bat_row *row)
{
	const struct place place = { row->wall_ms, row->clock, row->id,
		row->seq };

	if (run->count == 0 || compare_places(&place, &run->first) < 0)
		run->first = place;
	/* Of equal rows the later one is the last: the sort is stable. */
	if (run->count == 0 || compare_places(&place, &run->last) >= 0)
		run->last = place;
	run->count++;
}

/* Cut count rows into equal chunks, the first ones a row larger. */
static void
cut_chunks(struct routing *routing, uint64_t count)
{
	uint64_t chunks = count / CHUNK_ROWS + (count % CHUNK_ROWS != 0);
	uint64_t start = 0;

	if (chunks > CHUNKS_MAX)
		chunks = CHUNKS_MAX;
	routing->chunk_count = (size_t)chunks;
	for (uint64_t i = 0; i < chunks; i++) {
		struct chunk *chunk = &routing->chunks[i];

		chunk->start = start;
		chunk->count = count / chunks + (i < count % chunks);
		start += chunk->count;
	}
}

/* One pass over the rows. */
static int
collect(const struct bat_checkpoint_input *input, struct routing *routing,
    struct bat_error *error)
{
	const struct bat_checkpoint_source *source = input->source;
	struct chunk *chunk = routing->chunks;
	struct bat_slice ignored;
	struct bat_row row;
	uint64_t count = 0;
	int code = source->rewind(source->context);

	if (code != 0)
		return code;
	while ((code = source->peek != NULL ?
		       source->peek(source->context, &row) :
		       source->next(source->context, &row, &ignored)) == 0) {
		if (count == input->row_count ||
		    row.entity >= routing->run_count)
			return bat_error_set(error, BAT_USE_INVALID,
			    "row %llu is one too many or has no entity",
			    (unsigned long long)count);
		if (count == chunk->start + chunk->count)
			chunk++;
		if (count == chunk->start)
			chunk->first_seq = row.seq;
		chunk->last_seq = row.seq;
		add_to_run(&routing->runs[row.entity], &row);
		count++;
	}
	if (code == BAT_END && count != input->row_count)
		return bat_error_set(error, BAT_USE_INVALID,
		    "%llu rows, %llu were announced", (unsigned long long)count,
		    (unsigned long long)input->row_count);
	return code == BAT_END ? 0 : code;
}

static int
compare_entities(const void *a, const void *b)
{
	const struct run *left = a, *right = b;

	return bat_bytes_compare(left->entity, right->entity);
}

/* Give the runs their names, drop those without rows, sort. */
static void
sort_runs(struct routing *routing, const struct bat_intern *names)
{
	size_t kept = 0;

	for (size_t i = 0; i < routing->run_count; i++) {
		if (routing->runs[i].count == 0)
			continue;
		routing->runs[i].entity = bat_intern_get(names, (uint32_t)i);
		routing->runs[kept++] = routing->runs[i];
	}
	routing->run_count = kept;
	if (kept > 0)
		qsort(routing->runs, kept, sizeof(*routing->runs),
		    compare_entities);
}

static void
put_chunks(struct bat_fields_out *out, const struct routing *routing)
{
	const struct bat_fields_shape *shape = &bat_checkpoint_chunk_shape;

	if (out->code == 0)
		out->code = bat_pack_write_array(out->buf,
		    (uint32_t)routing->chunk_count);
	for (size_t i = 0; i < routing->chunk_count; i++) {
		const struct chunk *chunk = &routing->chunks[i];

		bat_fields_put_map(out, shape);
		bat_fields_put_uint(out, shape, CHUNK_START, chunk->start);
		bat_fields_put_uint(out, shape, CHUNK_LENGTH, chunk->count);
		bat_fields_put_uint(out, shape, CHUNK_FIRST, chunk->first_seq);
		bat_fields_put_uint(out, shape, CHUNK_LAST, chunk->last_seq);
	}
}

static void
put_runs(struct bat_fields_out *out, const struct routing *routing)
{
	const struct bat_fields_shape *shape = &bat_checkpoint_run_shape;
	uint64_t start = 0;

	if (out->code == 0)
		out->code = bat_pack_write_array(out->buf,
		    (uint32_t)routing->run_count);
	for (size_t i = 0; i < routing->run_count && out->code == 0; i++) {
		const struct run *run = &routing->runs[i];

		bat_fields_put_map(out, shape);
		bat_fields_put_str(out, shape, RUN_ENTITY, run->entity);
		bat_fields_put_uint(out, shape, RUN_START, start);
		bat_fields_put_uint(out, shape, RUN_LENGTH, run->count);
		bat_fields_put_uint(out, shape, RUN_FIRST, run->first.seq);
		bat_fields_put_uint(out, shape, RUN_LAST, run->last.seq);
		start += run->count;
	}
}

int
bat_checkpoint_encode_routing(const struct bat_checkpoint_input *input,
    struct bat_buf *buf, struct bat_error *error)
{
	const struct bat_fields_shape *shape = &bat_checkpoint_routing_shape;
	struct bat_fields_out out = { buf, 0 };
	struct routing routing = { .run_count = input->names->count };
	size_t start = buf->length;

	/* One more, so that no names are no special case. */
	routing.runs = calloc(routing.run_count + 1, sizeof(*routing.runs));
	if (routing.runs == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "the runs of %zu names", routing.run_count);
	cut_chunks(&routing, input->row_count);
	out.code = collect(input, &routing, error);
	if (out.code == 0)
		sort_runs(&routing, input->names);
	bat_fields_put_map(&out, shape);
	bat_fields_put_uint(&out, shape, ROUTING_ENTRY_COUNT, input->row_count);
	bat_fields_put_uint(&out, shape, ROUTING_CHUNK_COUNT,
	    routing.chunk_count);
	bat_fields_put_key(&out, shape, ROUTING_CHUNKS);
	put_chunks(&out, &routing);
	bat_fields_put_key(&out, shape, ROUTING_RUNS);
	put_runs(&out, &routing);
	if (out.code != 0)
		buf->length = start;
	free(routing.runs);
	return out.code;
}
