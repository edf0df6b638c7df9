/*
 * When an index file is believed (DESIGN.md, "Opening"), and nothing else: (a)
 * structure and CRC hold; (b) every segment that a row names is there, and
 * every segment below the watermark passes (c), also one without rows; (c) the
 * rows of each segment tile its frames, every gap parses as what has no row;
 * (d) sampled frames equal their rows.
 */
#include "recovery_internal.h"

#include <stdlib.h>

#include "kind.h"

/* ---- one index file -------------------------------------------------- */

/* What the decoder's sink collects. */
struct candidate {
	struct recovery_scan *scan;
	struct bat_checkpoint_head head;
	uint32_t *names; /* of the file's strings -> index numbers */
	struct bat_buf histograms;
};

static int
take_head(void *context, const struct bat_checkpoint_head *head)
{
	struct candidate *candidate = context;
	int code = BAT_OK;

	candidate->head = *head;
	candidate->names = calloc((size_t)head->string_count + 1,
	    sizeof(*candidate->names));
	if (candidate->names == NULL)
		return BAT_WORLD_NO_MEMORY;
	for (uint32_t i = 1; code == BAT_OK && i < head->string_count; i++)
		code = bat_intern_put(&candidate->scan->index->names,
		    head->strings[i], &candidate->names[i]);
	if (code == BAT_OK)
		code = bat_checkpoint_keep_fallbacks(&head->fallbacks,
		    &candidate->histograms, &candidate->head.fallbacks);
	return code;
}

/* As it stands in the file; numbers are looked at when all are there. Only
 * segments of this directory are known to the index by now. */
static int
load_row(struct recovery_scan *scan, const struct bat_row *row)
{
	const struct bat_index *index = scan->index;

	/* Rows come in runs of one segment. */
	if ((index->segment_count == 0 ||
		index->segments[index->segment_hand] != row->segment) &&
	    bat_segment_dir_find(scan->dir, row->segment) == NULL)
		return bat_error_set(scan->why, BAT_DATA_CORRUPT,
		    "segment %llu, which it names, is not there",
		    (unsigned long long)row->segment);
	if (row->offset > BAT_INDEX_OFFSET_MAX)
		return bat_error_set(scan->why, BAT_DATA_CORRUPT,
		    "a row points behind its segment");
	return bat_index_load(scan->index, row);
}

static int
take_row(void *context, const struct bat_row *row,
    struct bat_slice extension_map)
{
	struct candidate *candidate = context;
	struct bat_row mine = *row;

	(void)extension_map;
	if (row->seq > RECOVERY_SEQ_MAX)
		return BAT_DATA_CORRUPT;
	mine.entity = candidate->names[row->entity];
	mine.scope = candidate->names[row->scope];
	mine.kind = bat_kind_mapped(row->kind);
	/* batpak's own files may have lost extensions (H5): "none" is not
	 * known until the frame was read. */
	if (mine.extensions == BAT_ROW_EXTENSIONS_NONE)
		mine.extensions = BAT_ROW_EXTENSIONS_UNKNOWN;
	return load_row(candidate->scan, &mine);
}

/*
 * Index files are in sequence order, which mostly is log order; where it is
 * not (batpak's compaction renumbers), log order decides and the numbers are
 * made to rise.
 */
static int
order_rows(struct recovery_scan *scan)
{
	struct bat_index *index = scan->index;
	bool ordered = true;
	int code = BAT_OK;

	for (uint32_t i = 1; ordered && i < index->count; i++)
		ordered = bat_index_hot_at(index, i - 1)->place <
		    bat_index_hot_at(index, i)->place;
	if (!ordered)
		code = bat_index_sort(index);
	for (uint32_t i = 1; code == BAT_OK && i < index->count; i++) {
		uint64_t before = bat_index_seq(index, i - 1);
		struct bat_index_hot *row = bat_index_hot_at(index, i);

		if (row->seq > before)
			continue;
		row->seq = before + 1;
		scan->replaced++;
	}
	return code;
}

/* (c) and (d) for one segment at or below the watermark. */
static int
check_segment(struct recovery_scan *scan, const struct bat_segment_info *info,
    const struct bat_checkpoint_head *head, uint32_t first, uint32_t count,
    struct bat_error *why)
{
	struct bat_segment_reader reader;
	uint64_t end;
	int code = bat_segment_reader_open(&reader, scan->dir, info->id, why);

	if (code != BAT_OK)
		return code;
	end = reader.end;
	if (info->id == head->watermark_segment && head->watermark_offset < end)
		end = head->watermark_offset;
	if (end < reader.header.length)
		end = reader.header.length;
	code = bat_recovery_tiles(scan, &reader, first, count, end, why);
	if (code == BAT_OK)
		code = bat_recovery_sample(scan, first, count, why);
	bat_segment_reader_close(&reader);
	return code;
}

/* The first row from `low` on whose place is not below this. */
static uint32_t
first_from(const struct bat_index *index, uint32_t low, uint64_t place)
{
	uint32_t high = index->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (bat_index_hot_at(index, middle)->place < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* (b), (c), (d) over all segments; the rows are in log order. */
static int
check_rows(struct recovery_scan *scan, const struct bat_checkpoint_head *head,
    struct bat_error *why)
{
	const struct bat_index *index = scan->index;
	uint32_t row = 0;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < scan->dir->count; i++) {
		const struct bat_segment_info *info = &scan->dir->segments[i];
		uint32_t first = row;

		if (info->id > head->watermark_segment)
			break;
		/* Positions in the index are those in the directory. */
		row = first_from(index, row, (uint64_t)(i + 1) << 40);
		code = check_segment(scan, info, head, first, row - first, why);
	}
	if (code == BAT_OK && row < index->count)
		return bat_error_set(why, BAT_DATA_CORRUPT,
		    "a row lies behind its watermark");
	return code;
}

static int
check_watermark(struct recovery_scan *scan,
    const struct bat_checkpoint_head *head, struct bat_error *why)
{
	const struct bat_segment_info *info = bat_segment_dir_find(scan->dir,
	    head->watermark_segment);

	if (head->allocator > RECOVERY_SEQ_MAX)
		return bat_error_set(why, BAT_DATA_CORRUPT,
		    "its next sequence number is %llu",
		    (unsigned long long)head->allocator);
	if (info == NULL)
		return bat_error_set(why, BAT_DATA_CORRUPT,
		    "its watermark segment %llu is not there",
		    (unsigned long long)head->watermark_segment);
	if (info->stat.size < head->watermark_offset)
		return bat_error_set(why, BAT_DATA_CORRUPT,
		    "segment %llu is shorter than its watermark",
		    (unsigned long long)head->watermark_segment);
	return BAT_OK;
}

/* Keep what the candidate says beside its rows. */
static void
adopt(struct recovery_scan *scan, struct candidate *candidate, bool rowindex)
{
	struct bat_recovery *out = scan->out;

	out->has_index = true;
	out->source = rowindex ? BAT_RECOVERY_ROWINDEX :
				 BAT_RECOVERY_CHECKPOINT;
	out->source_version = candidate->head.version;
	out->restored_count = scan->index->count;
	scan->floor_seq = BAT_PLANT(37) ? 0 : candidate->head.allocator;
	out->next_seq = scan->floor_seq;
	out->watermark_segment = candidate->head.watermark_segment;
	out->watermark_offset = candidate->head.watermark_offset;
	bat_bytes_free(&out->fallbacks_bytes);
	out->fallbacks_bytes = candidate->histograms;
	candidate->histograms = BAT_BUF_EMPTY;
	out->fallbacks = candidate->head.fallbacks;
}

/* The index's positions of segments are those of the directory. */
static int
know_segments(struct recovery_scan *scan)
{
	uint32_t position;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < scan->dir->count; i++)
		code = bat_index_segment(scan->index, scan->dir->segments[i].id,
		    &position);
	return code;
}

/* Is this the machine's fault, not the file's? */
static bool
is_fatal(int code)
{
	return code == BAT_WORLD_NO_MEMORY || code == BAT_WORLD_IO;
}

/* The plain way: the whole file in memory, row after row. */
static int
read_checkpoint_plain(struct candidate *candidate, struct bat_error *why)
{
	const struct bat_checkpoint_sink sink = { candidate, take_head,
		take_row };
	const struct bat_segment_dir *dir = candidate->scan->dir;
	struct bat_buf file = BAT_BUF_EMPTY;
	int code = bat_file_read_whole(dir->disk, dir->dir, BAT_CHECKPOINT_FILE,
	    UINT64_MAX / 2, &file, why);

	if (code == BAT_OK)
		code = bat_checkpoint_decode(bat_bytes_of_buf(&file), &sink,
		    why);
	bat_bytes_free(&file);
	if (code == BAT_OK)
		code = order_rows(candidate->scan);
	return code;
}

/* What was loaded is not believed: also its names, or they would stand in the
 * next index. */
static void
unload(struct recovery_scan *scan)
{
	bat_index_unload(scan->index, 0);
	bat_intern_free(&scan->index->names);
	bat_intern_init(&scan->index->names);
}

/* What a loader answered. */
static int
take_loaded(struct candidate *candidate, int code,
    const struct bat_loader_result *result)
{
	candidate->head = result->head;
	candidate->histograms = result->histograms;
	return code == BAT_OK && !result->ordered ?
	    order_rows(candidate->scan) :
	    code;
}

static int
read_checkpoint(struct candidate *candidate, struct bat_error *why)
{
	struct recovery_scan *scan = candidate->scan;
	struct bat_loader_result result = { .histograms = BAT_BUF_EMPTY };
	int code = scan->options->plain ?
	    BAT_END :
	    bat_loader_checkpoint(scan->dir->disk, scan->dir->dir,
		RECOVERY_SEQ_MAX, scan->index, &result, why);

	if (code != BAT_END)
		return take_loaded(candidate, code, &result);
	bat_bytes_free(&result.histograms);
	unload(scan);
	return read_checkpoint_plain(candidate, why);
}

static int
read_rowindex(struct candidate *candidate, struct bat_error *why)
{
	struct recovery_scan *scan = candidate->scan;
	struct bat_loader_result result = { .histograms = BAT_BUF_EMPTY };
	int code = bat_loader_rowindex(scan->dir->disk, scan->dir->dir,
	    RECOVERY_SEQ_MAX, scan->index, &result, why);

	return take_loaded(candidate, code, &result);
}

/* Read it and hold it against the segments; 0 when it is believed. */
static int
try_file(struct candidate *candidate, bool rowindex, struct bat_error *why)
{
	struct recovery_scan *scan = candidate->scan;
	int code;

	scan->why = why;
	code = know_segments(scan);
	if (code == BAT_OK)
		code = (rowindex ? read_rowindex : read_checkpoint)(candidate,
		    why);
	if (code == BAT_OK)
		code = check_watermark(scan, &candidate->head, why);
	if (code == BAT_OK)
		code = check_rows(scan, &candidate->head, why);
	if (code != BAT_OK && why->text[0] == '\0')
		bat_error_set(why, code, "%s", bat_error_name(code));
	return code;
}

static void
free_candidate(struct candidate *candidate)
{
	free(candidate->names);
	bat_bytes_free(&candidate->histograms);
}

int
bat_recovery_index_file(struct recovery_scan *scan, bool rowindex,
    bool *out_believed)
{
	const char *name = rowindex ? BAT_ROWINDEX_FILE : BAT_CHECKPOINT_FILE;
	struct candidate candidate = { .scan = scan };
	struct bat_error why = { .code = 0 };
	size_t cuts_before = scan->out->cut_count;
	int code = try_file(&candidate, rowindex, &why);

	*out_believed = code == BAT_OK;
	if (code == BAT_OK) {
		adopt(scan, &candidate, rowindex);
	} else {
		unload(scan);
		scan->replaced = 0;
		scan->out->cut_count = cuts_before;
		bat_recovery_say(scan->out, "%s: dropped: %s", name, why.text);
	}
	free_candidate(&candidate);
	/* It can be done without. */
	if (code == BAT_WORLD_IO && scan->dir->reads_around)
		return BAT_OK;
	if (is_fatal(code)) {
		if (scan->error != NULL)
			*scan->error = why;
		return code;
	}
	return BAT_OK;
}

int
bat_recovery_judge_index(struct bat_segment_dir *dir, bool rowindex,
    struct bat_recovery_claim *out, struct bat_error *error)
{
	const struct bat_recovery_options options = { .read_only = true };
	struct bat_recovery found = { .damaged_count = 0 };
	struct bat_index index;
	struct recovery_scan scan = {
		.dir = dir,
		.options = &options,
		.index = &index,
		.out = &found,
		.error = error,
	};
	struct candidate candidate = { .scan = &scan };
	int code;

	*out = (struct bat_recovery_claim){ .believed = false };
	bat_index_init(&index);
	code = try_file(&candidate, rowindex, &out->why);
	out->believed = code == BAT_OK;
	out->version = candidate.head.version;
	out->rows = candidate.head.row_count;
	out->next_seq = candidate.head.allocator;
	out->watermark_segment = candidate.head.watermark_segment;
	out->watermark_offset = candidate.head.watermark_offset;
	free_candidate(&candidate);
	bat_recovery_free(&found);
	bat_index_free(&index);
	if (!is_fatal(code) || (code == BAT_WORLD_IO && dir->reads_around))
		return BAT_OK;
	if (error != NULL)
		*error = out->why;
	return code;
}
