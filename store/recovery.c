#include "recovery_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what the parts share -------------------------------------------- */

void
bat_recovery_say(struct bat_recovery *out, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	(void)bat_bytes_append_format(&out->report, "%s\n", line);
}

void
bat_recovery_damage(struct recovery_scan *scan, uint64_t segment,
    uint64_t offset, const char *format, ...)
{
	struct bat_recovery *out = scan->out;
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	out->damaged_count++;
	bat_recovery_say(out, "damage: segment %llu offset %llu: %s",
	    (unsigned long long)segment, (unsigned long long)offset, text);
	if (out->refuse)
		return;
	out->refuse = true;
	bat_error_set_at(&out->refusal, BAT_DATA_CORRUPT, segment, offset,
	    "damaged in segment %llu at offset %llu (%s); nothing was "
	    "changed. Mount with -o ro to read what is sound, or use "
	    "`batctl repair`",
	    (unsigned long long)segment, (unsigned long long)offset, text);
}

int
bat_recovery_push(struct recovery_scan *scan, const struct bat_row *row)
{
	struct bat_index *index = scan->index;
	struct bat_row mine = *row;
	uint64_t next = scan->least_seq;
	int code;

	if (index->count > 0)
		next = bat_index_seq(index, index->count - 1) + 1;
	if (mine.seq == RECOVERY_UNTOLD) {
		mine.seq = next > scan->floor_seq ? next : scan->floor_seq;
	} else if (mine.seq < next && !BAT_PLANT(34)) {
		mine.seq = next;
		scan->replaced++;
	}
	if (mine.seq >= UINT64_MAX - 1)
		return bat_error_set(scan->error, BAT_DATA_REFUSED,
		    "sequence numbers are used up");
	code = bat_index_load(index, &mine);
	return code == BAT_OK ?
	    BAT_OK :
	    bat_error_set(scan->error, code, "no room for %u events in memory",
		index->count);
}

int
bat_recovery_plan_cut(struct recovery_scan *scan, uint64_t segment,
    uint64_t offset, uint64_t size, const char *reason)
{
	struct bat_recovery *out = scan->out;
	struct bat_recovery_cut *larger;

	for (size_t i = 0; i < out->cut_count; i++)
		if (out->cuts[i].segment == segment)
			return BAT_OK;
	larger = realloc(out->cuts, (out->cut_count + 1) * sizeof(*larger));
	if (larger == NULL)
		return bat_error_set(scan->error, BAT_WORLD_NO_MEMORY,
		    "no memory for recovery's plan");
	out->cuts = larger;
	out->cuts[out->cut_count++] = (struct bat_recovery_cut){ segment,
		offset, size, reason };
	return BAT_OK;
}

/* ---- the steps ------------------------------------------------------- */

/* Files but no store: somebody else's directory. */
static int
check_is_store(const struct bat_segment_dir *dir, struct bat_error *error)
{
	if (dir->count > 0 || dir->has_compact_src || dir->has_marker ||
	    dir->has_checkpoint || dir->has_rowindex || dir->has_hidden)
		return BAT_OK;
	if (!dir->has_other)
		return BAT_OK;
	return bat_error_set(error, BAT_DATA_REFUSED,
	    "the directory holds files but no event store (no *.fbat "
	    "segment); name the store's directory, or an empty one for a new "
	    "store");
}

static int
load_hidden(struct recovery_scan *scan)
{
	struct bat_hidden hidden = { NULL, 0 };
	struct bat_buf file = BAT_BUF_EMPTY;
	int code = BAT_OK;

	if (!scan->dir->has_hidden)
		return BAT_OK;
	code = bat_file_read_whole(scan->dir->disk, scan->dir->dir,
	    BAT_HIDDEN_FILE, 64u << 20, &file, scan->error);
	if (code == BAT_OK)
		code = bat_hidden_decode(bat_bytes_of_buf(&file), &hidden,
		    scan->error);
	if (code == BAT_OK)
		bat_index_set_hidden(scan->index, &hidden);
	else
		bat_error_prefix(scan->error,
		    "%s (without it, withdrawn events would come back)",
		    BAT_HIDDEN_FILE);
	bat_hidden_free(&hidden);
	bat_bytes_free(&file);
	return code;
}

/* The sidecar, if it is believed: then no index file is read at all, what it
 * recorded of them still holds. */
static int
load_sidecar(struct recovery_scan *scan)
{
	struct bat_recovery *out = scan->out;
	struct bat_sidecar_state state;
	struct bat_error why = { .code = 0 };
	int code;

	if (scan->options->ignore_indexes || scan->options->ignore_sidecar ||
	    scan->dir->has_marker || scan->dir->has_compact_src)
		return BAT_OK;
	code = bat_sidecar_load(scan->dir, scan->index, &state, &why);
	if (code == BAT_END)
		return BAT_OK;
	if (code != BAT_OK)
		return bat_error_set(scan->error, code,
		    "no memory for the sidecar");
	out->from_sidecar = true;
	out->source = (enum bat_recovery_source)state.source;
	out->source_version = state.source_version;
	out->restored_count = scan->index->count;
	out->has_index = state.has_index;
	out->next_seq = state.next_seq;
	out->watermark_segment = state.watermark_segment;
	out->watermark_offset = state.watermark_offset;
	out->uncovered_count = state.uncovered_count;
	out->uncovered_extensions = state.uncovered_extensions;
	out->uncovered_unknown = state.uncovered_unknown;
	out->fallbacks = state.fallbacks;
	out->fallbacks_bytes = state.histograms;
	scan->floor_seq = state.next_seq;
	scan->covered_segment = state.covered_segment;
	return BAT_OK;
}

/* Believe an index file, or note that what is there goes. */
static int
load_index_file(struct recovery_scan *scan)
{
	struct bat_recovery *out = scan->out;
	bool believed = false;
	int code = BAT_OK;

	if (scan->options->ignore_indexes || out->heal_marker) {
		out->drop_rowindex = scan->dir->has_rowindex;
		out->drop_checkpoint = scan->dir->has_checkpoint;
		return BAT_OK;
	}
	if (scan->dir->has_rowindex) {
		code = bat_recovery_index_file(scan, true, &believed);
		out->drop_rowindex = !believed;
	}
	if (code == BAT_OK && scan->dir->has_checkpoint) {
		/* Never both: beside a row index that holds, the checkpoint
		 * is of an earlier session and goes (H21). */
		out->drop_checkpoint = believed && !BAT_PLANT(35);
		if (!believed) {
			code = bat_recovery_index_file(scan, false, &believed);
			out->drop_checkpoint = !believed;
		}
	}
	return code;
}

/* By what was believed, to its end; else *out_from: up to there. */
static bool
is_covered(const struct recovery_scan *scan,
    const struct bat_segment_info *info, uint64_t *out_from)
{
	const struct bat_recovery *out = scan->out;

	*out_from = 0;
	if (out->from_sidecar)
		return info->id <= scan->covered_segment;
	if (!out->has_index || info->id > out->watermark_segment)
		return false;
	if (info->id == out->watermark_segment)
		*out_from = out->watermark_offset;
	return info->id < out->watermark_segment ||
	    *out_from >= info->stat.size;
}

/* Segments at and behind the watermark; all of them without an index. */
static int
load_segments(struct recovery_scan *scan)
{
	struct bat_recovery *out = scan->out;
	uint32_t before = scan->index->count, position;
	int code = BAT_OK;

	scan->knows_legal = true;
	scan->legal_from = (uint32_t)scan->index->names.count;
	for (size_t i = 0; code == BAT_OK && i < scan->dir->count; i++) {
		const struct bat_segment_info *info = &scan->dir->segments[i];
		uint64_t from;

		/* Also one without events has its place in the index. */
		code = bat_index_segment(scan->index, info->id, &position);
		if (code != BAT_OK)
			return bat_error_set(scan->error, code,
			    "no memory for segment %llu",
			    (unsigned long long)info->id);
		if (is_covered(scan, info, &from))
			code = bat_recovery_covered(scan, info);
		else
			code = bat_recovery_segment(scan, info, from);
	}
	out->tail_count = scan->index->count - before;
	out->uncovered_count += out->tail_count;
	out->unknown_from = out->uncovered_unknown ? 0 : before;
	for (uint32_t i = before; i < scan->index->count; i++) {
		uint8_t known = bat_index_hot_at(scan->index, i)->extensions;

		if (known == BAT_ROW_EXTENSIONS_SOME)
			out->uncovered_extensions = true;
		else if (known == BAT_ROW_EXTENSIONS_UNKNOWN)
			out->uncovered_unknown = true;
	}
	if (!out->has_index && !out->from_sidecar &&
	    out->source != BAT_RECOVERY_NEW)
		out->source = scan->all_footers ? BAT_RECOVERY_FOOTERS :
						  BAT_RECOVERY_FRAMES;
	return code;
}

/* The tables, and what the next event is called. */
static int
finish(struct recovery_scan *scan)
{
	struct bat_recovery *out = scan->out;
	struct bat_index *index = scan->index;
	uint64_t next = 0;
	int code = bat_index_finish(index);

	if (code == BAT_DATA_DISAGREES)
		return bat_error_set(scan->error, code,
		    "the sidecar does not hold");
	if (code != BAT_OK)
		return bat_error_set(scan->error, code,
		    "no memory for the index of %u events", index->count);
	if (scan->replaced > 0)
		bat_recovery_say(out,
		    "%llu sequence numbers did not rise in log order and were "
		    "replaced",
		    (unsigned long long)scan->replaced);
	if (index->count > 0)
		next = index->next_seq;
	if (next > out->next_seq)
		out->next_seq = next;
	return BAT_OK;
}

/* A cut below the watermark: the index files go first. */
static void
check_cuts(struct recovery_scan *scan)
{
	struct bat_recovery *out = scan->out;

	for (size_t i = 0; i < out->cut_count; i++) {
		const struct bat_recovery_cut *cut = &out->cuts[i];

		bat_recovery_say(out,
		    "segment %llu: torn tail at offset %llu (%s), %llu bytes; "
		    "cut at the first append",
		    (unsigned long long)cut->segment,
		    (unsigned long long)cut->offset, cut->reason,
		    (unsigned long long)(cut->size - cut->offset));
		if (out->has_index && !BAT_PLANT(36) &&
		    (cut->segment < out->watermark_segment ||
			(cut->segment == out->watermark_segment &&
			    cut->offset < out->watermark_offset))) {
			out->drop_rowindex = scan->dir->has_rowindex;
			out->drop_checkpoint = scan->dir->has_checkpoint;
		}
	}
}

static void
check_hidden(struct recovery_scan *scan)
{
	const struct bat_hidden *hidden = &scan->index->hidden;
	struct bat_recovery *out = scan->out;

	if (hidden->count == 0 ||
	    hidden->ranges[hidden->count - 1].end <= out->next_seq)
		return;
	out->clip_hidden = true;
	bat_recovery_say(out,
	    "%s hides sequence numbers from %llu on, which no event has; they "
	    "are given free at the first append",
	    BAT_HIDDEN_FILE, (unsigned long long)out->next_seq);
}

static const char *
source_text(const struct bat_recovery *out)
{
	if (out->from_sidecar)
		return "the sidecar";
	switch (out->source) {
	case BAT_RECOVERY_NEW:
		return "new store";
	case BAT_RECOVERY_ROWINDEX:
		return "index.fbati";
	case BAT_RECOVERY_CHECKPOINT:
		return "index.ckpt";
	case BAT_RECOVERY_FOOTERS:
		return "segment footers";
	case BAT_RECOVERY_FRAMES:
		return "frames";
	}
	return "?";
}

static int
run_once(struct bat_segment_dir *dir,
    const struct bat_recovery_options *options, struct bat_index *index,
    struct bat_recovery *out, struct bat_error *error)
{
	struct recovery_scan scan = {
		.dir = dir,
		.options = options,
		.index = index,
		.out = out,
		.error = error,
		.all_footers = true,
	};
	int code;

	memset(out, 0, sizeof(*out));
	index->plain = options->plain;
	out->doubted = options->ignore_indexes;
	code = bat_segment_dir_scan(dir, error);
	if (code == BAT_OK)
		code = check_is_store(dir, error);
	if (code == BAT_OK && dir->has_marker)
		code = bat_recovery_marker(&scan);
	if (code == BAT_OK) {
		out->source = dir->count == 0 ? BAT_RECOVERY_NEW :
						BAT_RECOVERY_FRAMES;
		if (dir->count > 0)
			out->highest_segment = dir->segments[dir->count - 1].id;
		code = load_hidden(&scan);
	}
	if (code == BAT_OK)
		code = load_sidecar(&scan);
	if (code == BAT_OK && !out->from_sidecar)
		code = load_index_file(&scan);
	if (code == BAT_OK)
		code = load_segments(&scan);
	if (code == BAT_OK)
		code = finish(&scan);
	if (code == BAT_OK) {
		check_cuts(&scan);
		check_hidden(&scan);
		bat_recovery_say(out,
		    "restored %llu events from %s, %llu read behind it",
		    (unsigned long long)out->restored_count, source_text(out),
		    (unsigned long long)out->tail_count);
	}
	return code;
}

/* What of a sidecar is read late may not hold, and then nothing of it does. */
int
bat_recovery_run(struct bat_segment_dir *dir,
    const struct bat_recovery_options *options, struct bat_index *index,
    struct bat_recovery *out, struct bat_error *error)
{
	struct bat_recovery_options without = *options;
	int code = run_once(dir, options, index, out, error);

	if (code != BAT_DATA_DISAGREES)
		return code;
	bat_recovery_free(out);
	bat_index_free(index);
	bat_index_init(index);
	without.ignore_sidecar = true;
	return run_once(dir, &without, index, out, error);
}

void
bat_recovery_free(struct bat_recovery *recovery)
{
	free(recovery->cuts);
	free(recovery->heal_drop);
	free(recovery->heal_gone);
	bat_bytes_free(&recovery->fallbacks_bytes);
	bat_bytes_free(&recovery->report);
	memset(recovery, 0, sizeof(*recovery));
}
