/*
 * Everything that is provable, into another directory.
 */
#include "repair_parts.h"

#include <stdlib.h>

#include "hidden.h"

struct salvage {
	struct repair repair;
	const struct bat_salvage_sink *sink;
	struct bat_salvage_counts *counts;
};

/* ---- gaps ---------------------------------------------------------------- */

static int
say_gap(struct salvage *salvage, const struct bat_salvage_gap *gap)
{
	salvage->counts->gaps++;
	salvage->counts->gap_bytes += gap->length;
	return salvage->sink == NULL ?
	    BAT_OK :
	    salvage->sink->gap(salvage->sink->context, gap);
}

static int
say_segment_gaps(struct salvage *salvage, const struct repair_segment *segment)
{
	const struct bat_survey *survey = &segment->survey;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < survey->count; i++) {
		const struct bat_survey_piece *piece = &survey->pieces[i];
		const char *reason = bat_repair_reason(segment, piece);

		/* Nothing is lost with a marker. */
		if (reason != NULL && !piece->loose)
			code = say_gap(salvage,
			    &(struct bat_salvage_gap){
				.segment = survey->segment,
				.offset = piece->offset,
				.length = piece->length,
				.reason = reason,
			    });
	}
	return code;
}

static int
compare_segments(const void *a, const void *b)
{
	const struct repair_told *left = a, *right = b;

	return (left->segment > right->segment) -
	    (left->segment < right->segment);
}

/* Events that an index file names and nobody has, by segment. */
static int
say_missing(struct salvage *salvage)
{
	struct repair_numbers *numbers = &salvage->repair.numbers;
	uint64_t missing = 0;
	int code = BAT_OK;

	/* Told of another store, it says nothing of this one. */
	if (numbers->met == 0)
		return BAT_OK;
	qsort(numbers->told, numbers->count, sizeof(*numbers->told),
	    compare_segments);
	for (size_t i = 0; code == BAT_OK && i < numbers->count; i++) {
		uint64_t segment = numbers->told[i].segment;

		missing += !numbers->told[i].met;
		if (i + 1 < numbers->count &&
		    numbers->told[i + 1].segment == segment)
			continue;
		if (missing > 0)
			code = say_gap(salvage,
			    &(struct bat_salvage_gap){
				.segment = segment,
				.events = missing,
				.reason = "events that an index file names",
			    });
		missing = 0;
	}
	return code;
}

/* ---- what comes along ---------------------------------------------------- */

static int
copy_hidden(struct salvage *salvage)
{
	struct bat_segment_dir *dir = &salvage->repair.dir;
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_hidden hidden;
	struct bat_error why = { .code = 0 };
	int code;

	if (!dir->has_hidden)
		return BAT_OK;
	code = bat_hidden_read(dir->disk, dir->dir, &hidden, &file, &why);
	bat_hidden_free(&hidden);
	if (code == BAT_OK)
		code = bat_file_put_whole(dir->disk,
		    salvage->repair.destination, BAT_HIDDEN_FILE,
		    bat_bytes_of_buf(&file), true, salvage->repair.error);
	else if (code != BAT_WORLD_NO_MEMORY)
		code = say_gap(salvage,
		    &(struct bat_salvage_gap){ .reason = BAT_HIDDEN_FILE
			": does not hold; events that "
			"were withdrawn are visible" });
	else
		bat_error_set(salvage->repair.error, code, "%s", why.text);
	bat_bytes_free(&file);
	return code;
}

static int
salvage_segment(struct salvage *salvage, struct repair_segment *segment)
{
	const struct bat_survey *survey = &segment->survey;
	int code;

	if (segment->unreadable)
		return say_gap(salvage,
		    &(struct bat_salvage_gap){ .segment = survey->segment,
			.length = survey->size,
			.reason = segment->why_removed });
	if (segment->fate != REPAIR_REMOVE) {
		segment->new_header = survey->header_error.code != BAT_OK ||
		    segment->new_header;
		code = bat_repair_rewrite(&salvage->repair, segment);
		if (code != BAT_OK)
			return code;
		salvage->counts->segments++;
		salvage->counts->events += survey->events;
	}
	/* A second copy holds nothing that is not there. */
	return segment->fate == REPAIR_REMOVE && survey->events > 0 ?
	    BAT_OK :
	    say_segment_gaps(salvage, segment);
}

static int
salvage_all(struct salvage *salvage)
{
	struct repair *repair = &salvage->repair;
	struct bat_repair_counts ignored = { 0 };
	int code;

	repair->counts = &ignored;
	code = bat_repair_compaction(repair);
	if (code == BAT_OK)
		code = bat_repair_plan(repair);
	if (code == BAT_OK)
		code = copy_hidden(salvage);
	for (size_t i = 0; code == BAT_OK && i < repair->count; i++)
		code = salvage_segment(salvage, &repair->segments[i]);
	if (code == BAT_OK)
		code = say_missing(salvage);
	bat_repair_forget(repair);
	return code;
}

/* ---- the two directories ------------------------------------------------- */

static int
end_of_list(void *context, const char *name)
{
	(void)context;
	(void)name;
	return BAT_END;
}

static int
open_destination(const struct bat_disk *disk, const char *path, int *out,
    struct bat_error *error)
{
	int code = bat_file_open_dir(disk, path, true, out, error);

	if (code != BAT_OK)
		return code;
	code = disk->list(disk->context, *out, end_of_list, NULL);
	if (code == BAT_OK)
		return BAT_OK;
	bat_file_close(disk, *out);
	*out = -1;
	return code == BAT_END ?
	    bat_error_set(error, BAT_DATA_REFUSED,
		"%s is not empty; name a directory that is, or that is not "
		"there yet",
		path) :
	    bat_error_set_os(error, -code, "cannot list %s", path);
}

int
bat_repair_salvage(const struct bat_disk *disk, const char *source,
    const char *destination, const struct bat_salvage_sink *sink,
    struct bat_salvage_counts *out_counts, struct bat_error *error)
{
	struct salvage salvage = {
		.repair = { .error = error, .destination = -1 },
		.sink = sink,
		.counts = out_counts,
	};
	struct repair *repair = &salvage.repair;
	int code = bat_segment_dir_open(&repair->dir, disk, source, false,
	    error);

	*out_counts = (struct bat_salvage_counts){ 0 };
	if (code != BAT_OK)
		return code;
	repair->dir.tolerant = repair->dir.reads_around = true;
	code = bat_segment_dir_scan(&repair->dir, error);
	if (code == BAT_OK && repair->dir.count == 0)
		code = bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "%s holds no segment (*.fbat)", source);
	if (code == BAT_OK)
		code = open_destination(disk, destination, &repair->destination,
		    error);
	if (code == BAT_OK)
		code = salvage_all(&salvage);
	if (repair->destination >= 0)
		bat_file_close(disk, repair->destination);
	bat_segment_dir_close(&repair->dir);
	return code;
}
