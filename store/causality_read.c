/*
 * What frames say of causality: read in log order, block by block.
 */
#include "causality.h"

#include "segment_reader.h"

/* For each damaged frame whole index files are read: so many, and no more. */
#define DAMAGED_MAX 64

/* How many rows, from the first one on, are of one segment. */
static size_t
run_length(const struct bat_causality_row *rows, size_t count)
{
	size_t length = 1;

	while (length < count && rows[length].segment == rows[0].segment)
		length++;
	return length;
}

/* The frame of a row, whatever stands before it: markers, or what a batch that
 * was never finished left. *out_whole: it could be read. */
static int
find_frame(struct bat_segment_reader *reader,
    const struct bat_causality_row *row, struct bat_segment_item *item,
    bool *out_whole, struct bat_error *error)
{
	int code = BAT_OK;

	*out_whole = false;
	while (code == BAT_OK && reader->at < row->offset) {
		code = bat_segment_reader_next(reader, item, error);
		if (code == BAT_OK && item->state != BAT_FRAME_WHOLE)
			break;
	}
	if (code < 0)
		return code;
	/* Within a whole frame nothing begins: the row lies. */
	if (reader->at > row->offset && row->hot.entity != BAT_INTERN_NONE &&
	    !BAT_PLANT(375))
		return BAT_DATA_DISAGREES;
	if (reader->at != row->offset)
		bat_segment_reader_seek(reader, row->offset, reader->end);
	code = bat_segment_reader_next(reader, item, error);
	if (code < 0)
		return code;
	*out_whole = code == BAT_OK && item->state == BAT_FRAME_WHOLE &&
	    item->decoded;
	return BAT_OK;
}

static void
say_damaged(struct bat_segment_dir *dir, const struct bat_causality_row *row,
    unsigned *damaged, struct bat_causality_fact *fact)
{
	struct bat_row known = {
		.id = row->hot.id,
		.segment = row->segment,
		.offset = row->offset,
	};

	*fact = (struct bat_causality_fact){ .corr = row->hot.id };
	if (row->hot.entity == BAT_INTERN_NONE || (*damaged)++ >= DAMAGED_MAX ||
	    bat_recovery_find_row(dir, &known) != BAT_OK)
		return;
	fact->corr = known.corr;
	fact->cause = known.cause;
}

static int
read_run(struct bat_segment_reader *reader, struct bat_segment_dir *dir,
    const struct bat_causality_row *rows, size_t count,
    struct bat_causality_fact *facts, struct bat_error *error)
{
	unsigned damaged = 0;

	bat_segment_reader_seek(reader, rows[0].offset,
	    rows[count - 1].offset + rows[count - 1].hot.length);
	for (size_t i = 0; i < count; i++) {
		const struct bat_causality_row *row = &rows[i];
		struct bat_segment_item item;
		bool whole;
		int code = find_frame(reader, row, &item, &whole, error);

		if (code != BAT_OK)
			return code;
		if (!whole || row->hot.entity == BAT_INTERN_NONE) {
			say_damaged(dir, row, &damaged, &facts[i]);
			continue;
		}
		if (!bat_recovery_agrees(&item.event, &row->hot, row->entity,
			row->scope))
			return BAT_DATA_DISAGREES;
		facts[i].corr = item.event.corr;
		facts[i].cause = item.event.cause;
	}
	return BAT_OK;
}

/* Not even the header of their segment can be read. */
static void
say_all_damaged(struct bat_segment_dir *dir,
    const struct bat_causality_row *rows, size_t count,
    struct bat_causality_fact *facts)
{
	unsigned damaged = 0;

	for (size_t i = 0; i < count; i++)
		say_damaged(dir, &rows[i], &damaged, &facts[i]);
}

int
bat_causality_read(struct bat_segment_dir *dir,
    const struct bat_causality_row *rows, size_t count,
    struct bat_causality_fact *facts, struct bat_error *error)
{
	size_t length;

	for (; count > 0; rows += length, facts += length, count -= length) {
		struct bat_segment_reader reader;
		int code = bat_segment_reader_open(&reader, dir,
		    rows[0].segment, error);

		length = run_length(rows, count);
		if (code == BAT_OK) {
			code = read_run(&reader, dir, rows, length, facts,
			    error);
			bat_segment_reader_close(&reader);
		} else if (code == BAT_DATA_CORRUPT || code == BAT_DATA_TORN) {
			say_all_damaged(dir, rows, length, facts);
			code = BAT_OK;
		}
		if (code != BAT_OK)
			return code;
	}
	return BAT_OK;
}
