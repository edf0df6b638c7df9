/*
 * Sequence numbers: frames have none, so they are taken from whoever still
 * tells, and written down in footers where nobody would tell them any more.
 * Events are found again by id and clock, not by place: places change.
 */
#include "repair_parts.h"

#include <stdlib.h>

#include "checkpoint.h"
#include "rowindex.h"

/* As recovery has it: what tells of a greater one lies. */
#define SEQ_MAX INT64_MAX

/* ---- what index files tell ----------------------------------------------- */

static int
take_head(void *context, const struct bat_checkpoint_head *head)
{
	struct repair_numbers *numbers = context;

	numbers->allocator = head->allocator;
	numbers->watermark_segment = head->watermark_segment;
	numbers->watermark_offset = head->watermark_offset;
	return BAT_OK;
}

static int
take_row(void *context, const struct bat_row *row, struct bat_slice map)
{
	struct repair_numbers *numbers = context;

	(void)map;
	if (row->seq > SEQ_MAX)
		return BAT_DATA_CORRUPT;
	if (numbers->count == numbers->capacity) {
		size_t wanted = numbers->capacity == 0 ? 1024 :
							 numbers->capacity * 2;
		struct repair_told *larger = reallocarray(numbers->told, wanted,
		    sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		numbers->told = larger;
		numbers->capacity = wanted;
	}
	numbers->told[numbers->count++] = (struct repair_told){ .id = row->id,
		.clock = row->clock,
		.seq = row->seq,
		.segment = row->segment };
	return BAT_OK;
}

static int
compare_keys(const struct repair_told *left, const struct repair_told *right)
{
	int order = memcmp(left->id.bytes, right->id.bytes,
	    sizeof(left->id.bytes));

	if (order != 0)
		return order;
	return (left->clock > right->clock) - (left->clock < right->clock);
}

static int
compare_told(const void *a, const void *b)
{
	const struct repair_told *left = a, *right = b;
	int order = compare_keys(left, right);

	if (order != 0)
		return order;
	return (left->seq > right->seq) - (left->seq < right->seq);
}

/* 0: it told; BAT_DATA_CORRUPT, BAT_WORLD_ABSENT: it did not. */
static int
load_one(struct repair *repair, bool rowindex, bool aside)
{
	struct repair_numbers *numbers = &repair->numbers;
	const struct bat_checkpoint_sink sink = { numbers, take_head,
		take_row };
	const struct bat_segment_dir *dir = &repair->dir;
	const char *name = rowindex ? BAT_ROWINDEX_FILE : BAT_CHECKPOINT_FILE;
	struct bat_buf file = BAT_BUF_EMPTY;
	int code;

	code = aside ? bat_aside_read(dir, name, &file, NULL) :
		       bat_file_read_whole(dir->disk, dir->dir, name,
			   SIZE_MAX / 2, &file, NULL);
	if (code == BAT_OK)
		code = (rowindex ? bat_rowindex_decode : bat_checkpoint_decode)(
		    bat_bytes_of_buf(&file), &sink, NULL);
	bat_bytes_free(&file);
	if (code != BAT_OK)
		numbers->count = 0;
	return code;
}

int
bat_repair_load_numbers(struct repair *repair)
{
	/* One that is not believed may still know its events; what an
	 * interrupted repair put aside is asked last. */
	const struct {
		bool rowindex, aside, tried;
	} sources[] = {
		{ true, false, !repair->drop_rowindex },
		{ false, false, !repair->drop_checkpoint },
		{ true, false, true },
		{ false, false, true },
		{ true, true, true },
		{ false, true, true },
	};
	struct repair_numbers *numbers = &repair->numbers;
	int code = BAT_END;

	for (size_t i = 0;
	     code != BAT_OK && i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (sources[i].tried)
			code = load_one(repair, sources[i].rowindex,
			    sources[i].aside);
		if (code == BAT_WORLD_NO_MEMORY)
			return bat_error_set(repair->error, code,
			    "no memory for an index file");
	}
	if (numbers->count > 0)
		qsort(numbers->told, numbers->count, sizeof(*numbers->told),
		    compare_told);
	return BAT_OK;
}

void
bat_repair_free_numbers(struct repair_numbers *numbers)
{
	free(numbers->told);
	*numbers = (struct repair_numbers){ .told = NULL };
}

/* What is told of an event, with a number from least on: two events may have
 * one id. NULL. */
static struct repair_told *
find_told(const struct repair_numbers *numbers,
    const struct bat_survey_piece *piece, uint64_t least)
{
	const struct repair_told wanted = { .id = piece->id,
		.clock = piece->clock,
		.seq = least };
	size_t low = 0, high = numbers->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_told(&numbers->told[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == numbers->count ||
	    compare_keys(&numbers->told[low], &wanted) != 0)
		return NULL;
	return &numbers->told[low];
}

/* ---- numbering ----------------------------------------------------------- */

/* Behind an index's watermark numbers go on from its allocator. */
static uint64_t
floor_at(const struct repair_numbers *numbers, uint64_t segment,
    uint64_t offset)
{
	bool behind = segment > numbers->watermark_segment ||
	    (segment == numbers->watermark_segment &&
		offset >= numbers->watermark_offset);

	return numbers->met > 0 && behind ? numbers->allocator : 0;
}

/* The numbers that an event may have, by what stands in front of it. */
struct counted {
	uint64_t least; /* above all numbers so far */
	/* The same, where a hole counts as an event: a read-only mount shows it
	 * as one, and nobody who tells a number knows of that one. */
	uint64_t next;
	/* What recovery will count when the plan is carried out. */
	uint64_t after;
};

/* The number that its footer tells, if that can be; else the one counted. */
static uint64_t
number_without_index(const struct bat_survey_piece *piece, uint64_t counted)
{
	return piece->seq != BAT_SURVEY_UNTOLD && piece->seq >= counted &&
		piece->seq <= SEQ_MAX ?
	    piece->seq :
	    counted;
}

static void
number_event(struct repair *repair, struct repair_segment *segment,
    struct bat_survey_piece *piece, struct counted *so_far)
{
	struct repair_numbers *numbers = &repair->numbers;
	struct repair_told *told = find_told(numbers, piece,
	    BAT_PLANT(270) ? so_far->next : so_far->least);
	uint64_t floor = floor_at(numbers, segment->survey.segment,
	    piece->offset);
	uint64_t counted = number_without_index(piece, so_far->next);
	uint64_t later = number_without_index(piece, so_far->after);

	if (BAT_PLANT(448))
		later = counted;
	if (told != NULL && !BAT_PLANT(124)) {
		told->met = true;
		numbers->met++;
		piece->seq = told->seq;
	} else if (counted < floor && piece->seq == BAT_SURVEY_UNTOLD) {
		piece->seq = floor;
	} else {
		piece->seq = counted;
	}
	segment->renumbered = segment->renumbered || piece->seq != later;
	so_far->least = so_far->next = piece->seq + 1;
	if (bat_repair_keeps(segment, piece))
		so_far->after = so_far->next;
}

/* One that is rewritten loses its holes. */
static void
number_segment(struct repair *repair, struct repair_segment *segment,
    struct counted *so_far)
{
	const struct bat_survey *survey = &segment->survey;

	for (size_t i = 0; i < survey->count; i++) {
		struct bat_survey_piece *piece = &survey->pieces[i];

		if (piece->kind == BAT_SURVEY_EVENT) {
			number_event(repair, segment, piece, so_far);
		} else if (piece->kind == BAT_SURVEY_HOLE &&
		    piece->offset > 0) {
			so_far->next++;
			so_far->after += segment->fate != REPAIR_REWRITE;
		}
	}
}

void
bat_repair_number(struct repair *repair)
{
	struct counted so_far = { .next = 0 };

	for (size_t i = 0; i < repair->count; i++)
		if (repair->segments[i].fate != REPAIR_REMOVE)
			number_segment(repair, &repair->segments[i], &so_far);
}
