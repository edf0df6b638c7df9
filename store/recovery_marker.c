/*
 * A compaction that did not end: compaction.pending.json names the merged id M
 * and the sources S (FORMAT.md 9.6).
 *
 * Ours: M is none of them, and a checksum says whose it is. M appears whole, in
 * one rename, so it is the finished merge if it is there (and what stands in it
 * holds, as long as the sources are there to be asked instead); else the
 * sources are what they are.
 *
 * batpak's: M is one of them. T is <M>.fbat.compact-src: what M was before the
 * merge. Sources are deleted, in any order, only when the merge is finished.
 *
 *	M there, a source or T gone
 *			M is the finished merge: what is left of the sources
 *			goes. Where T alone is gone, M may as well be the
 *			untouched first source: its content tells.
 *	T there, every other source too
 *			they hold the events; a file under the name of M is
 *			unfinished and goes.
 *	no T, no other source
 *			stale: only the marker goes.
 *	M gone		the sources are what they are.
 *
 * A source that is gone while no merge holds its events is damage.
 * Nothing is changed on disk here; the writer does it at the first append.
 */
#include "recovery_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "marker.h"

static bool
is_other_source(const struct bat_marker *marker, uint64_t id)
{
	for (size_t i = 0; i < marker->count; i++)
		if (marker->sources[i] == id)
			return id != marker->merged;
	return false;
}

/* The id of the last event in a segment without a footer. 0, BAT_END none (or
 * a footer: not made by a merge), negative. */
static int
last_event(struct recovery_scan *scan, uint64_t segment, struct bat_id *out)
{
	struct bat_segment_reader reader;
	struct bat_segment_item item;
	bool found = false;
	int code = bat_segment_reader_open(&reader, scan->dir, segment,
	    scan->error);

	if (code != BAT_OK)
		return code == BAT_DATA_TORN ? BAT_END : code;
	while (!reader.has_footer &&
	    (code = bat_segment_reader_next(&reader, &item, scan->error)) ==
		BAT_OK) {
		if (item.state != BAT_FRAME_WHOLE || !item.decoded)
			break;
		if (bat_codec_is_marker(&item.event))
			continue;
		*out = item.event.id;
		found = true;
	}
	bat_segment_reader_close(&reader);
	if (code < 0)
		return code;
	return found ? BAT_OK : BAT_END;
}

static int
holds_event(struct recovery_scan *scan, uint64_t segment,
    const struct bat_id *id, bool *out_holds)
{
	struct bat_segment_reader reader;
	struct bat_segment_item item;
	int code = bat_segment_reader_open(&reader, scan->dir, segment,
	    scan->error);

	*out_holds = false;
	if (code != BAT_OK)
		return code == BAT_DATA_TORN ? BAT_OK : code;
	while (!*out_holds &&
	    (code = bat_segment_reader_next(&reader, &item, scan->error)) ==
		BAT_OK) {
		if (item.state != BAT_FRAME_WHOLE || !item.decoded)
			break;
		*out_holds = bat_id_equal(&item.event.id, id);
	}
	bat_segment_reader_close(&reader);
	return code < 0 ? code : BAT_OK;
}

/* Is the file under the merged id the finished merge of the others? Then its
 * last event is one of theirs; a retention may have dropped any other. */
static int
is_finished(struct recovery_scan *scan, const struct bat_marker *marker,
    bool *out_finished)
{
	struct bat_id id;
	int code = last_event(scan, marker->merged, &id);

	*out_finished = false;
	if (code == BAT_END)
		return BAT_OK;
	for (size_t i = 0;
	     code == BAT_OK && !*out_finished && i < scan->dir->count; i++)
		if (is_other_source(marker, scan->dir->segments[i].id))
			code = holds_event(scan, scan->dir->segments[i].id, &id,
			    out_finished);
	return code;
}

/* Is every frame of a segment of ours whole, and its footer there? */
static int
is_whole(struct recovery_scan *scan, uint64_t segment, bool *out_whole)
{
	struct bat_segment_reader reader;
	struct bat_segment_item item;
	uint64_t events = 0;
	int code = bat_segment_reader_open(&reader, scan->dir, segment,
	    scan->error);

	*out_whole = false;
	if (code != BAT_OK)
		return code == BAT_DATA_TORN || code == BAT_DATA_CORRUPT ?
		    BAT_OK :
		    code;
	while ((code = bat_segment_reader_next(&reader, &item, scan->error)) ==
		BAT_OK &&
	    item.state == BAT_FRAME_WHOLE && item.decoded)
		events += !bat_codec_is_marker(&item.event);
	*out_whole = code == BAT_END && reader.has_footer &&
	    reader.footer.row_count == events;
	bat_segment_reader_close(&reader);
	return code < 0 ? code : BAT_OK;
}

static int
note_drop(struct bat_recovery *out, size_t count)
{
	out->heal_drop = calloc(count + 1, sizeof(*out->heal_drop));
	return out->heal_drop == NULL ? BAT_WORLD_NO_MEMORY : BAT_OK;
}

static int
drop_sources(struct recovery_scan *scan, const struct bat_marker *marker)
{
	struct bat_recovery *out = scan->out;

	if (note_drop(out, marker->count) != BAT_OK)
		return BAT_WORLD_NO_MEMORY;
	for (size_t i = scan->dir->count; i-- > 0;) {
		uint64_t id = scan->dir->segments[i].id;

		if (is_other_source(marker, id)) {
			out->heal_drop[out->heal_drop_count++] = id;
			bat_segment_dir_forget(scan->dir, id);
		}
	}
	bat_recovery_say(out,
	    "compaction marker: segment %llu is the finished merge; %zu "
	    "sources that it replaced are not read",
	    (unsigned long long)marker->merged, out->heal_drop_count);
	return BAT_OK;
}

/* T stands in for M: under M's id the .compact-src file is read. */
static int
use_source(struct recovery_scan *scan, const struct bat_marker *marker)
{
	struct bat_segment_dir *dir = scan->dir;
	struct bat_segment_info *info = bat_segment_dir_find(dir,
	    marker->merged);
	char name[BAT_SEGMENT_NAME_SIZE];
	int code;

	if (info == NULL)
		return bat_error_set(scan->error, BAT_DATA_CORRUPT,
		    "the source of a compaction into segment %llu is not "
		    "readable",
		    (unsigned long long)marker->merged);
	bat_segment_name(marker->merged, name);
	snprintf(info->name, sizeof(info->name), "%s.compact-src", name);
	code = dir->disk->stat_at(dir->disk->context, dir->dir, info->name,
	    &info->stat);
	if (code < 0)
		return bat_error_set_os(scan->error, -code, "cannot stat %s",
		    info->name);
	scan->out->heal_rename = true;
	bat_recovery_say(scan->out,
	    "compaction marker: the merge was not finished; %s is read as "
	    "segment %llu",
	    info->name, (unsigned long long)marker->merged);
	return BAT_OK;
}

/* What of the marker's files is there. */
struct stock {
	bool merged, source; /* M, T */
	size_t others, missing;
	uint64_t first_missing;
};

static struct stock
take_stock(struct recovery_scan *scan, const struct bat_marker *marker)
{
	struct bat_segment_dir *dir = scan->dir;
	const struct bat_segment_info *info = bat_segment_dir_find(dir,
	    marker->merged);
	char name[BAT_SEGMENT_NAME_SIZE];
	struct stock stock = { .source = dir->has_compact_src &&
		    dir->compact_src_id == marker->merged };

	/* Where M is gone, T stands in for it under its id. */
	bat_segment_name(marker->merged, name);
	stock.merged = info != NULL && strcmp(info->name, name) == 0;
	for (size_t i = 0; i < marker->count; i++) {
		if (marker->sources[i] == marker->merged)
			continue;
		if (bat_segment_dir_find(dir, marker->sources[i]) != NULL)
			stock.others++;
		else if (stock.missing++ == 0)
			stock.first_missing = marker->sources[i];
	}
	return stock;
}

/* M is there and does not hold what was written, but the sources do. */
static int
drop_merged(struct recovery_scan *scan, const struct bat_marker *marker)
{
	struct bat_recovery *out = scan->out;

	if (note_drop(out, 1) != BAT_OK)
		return BAT_WORLD_NO_MEMORY;
	out->heal_drop[out->heal_drop_count++] = marker->merged;
	bat_segment_dir_forget(scan->dir, marker->merged);
	bat_recovery_say(out,
	    "compaction marker: the merged segment %llu is damaged; the "
	    "segments that it was made from are read",
	    (unsigned long long)marker->merged);
	return BAT_OK;
}

/* The sources that are seen no more, while M is there. */
static int
note_gone(struct recovery_scan *scan, const struct bat_marker *marker)
{
	struct bat_recovery *out = scan->out;

	out->heal_gone = calloc(marker->count + 1, sizeof(*out->heal_gone));
	if (out->heal_gone == NULL && !BAT_PLANT(431))
		return BAT_WORLD_NO_MEMORY;
	for (size_t i = 0; i < marker->count; i++)
		if (bat_segment_dir_find(scan->dir, marker->sources[i]) == NULL)
			out->heal_gone[out->heal_gone_count++] =
			    marker->sources[i];
	return BAT_OK;
}

static int
decide_ours(struct recovery_scan *scan, const struct bat_marker *marker)
{
	const struct stock stock = take_stock(scan, marker);
	bool whole = true;
	int code = BAT_OK;

	if (!stock.merged && stock.missing > 0)
		bat_recovery_damage(scan, stock.first_missing, 0,
		    "a source of a compaction is not there");
	if (stock.merged)
		code = note_gone(scan, marker);
	if (code != BAT_OK)
		return code;
	if (!stock.merged || stock.others == 0) {
		bat_recovery_say(scan->out, "compaction marker: %s, ignored",
		    stock.merged ? "all is done" : "nothing was done yet");
		return BAT_OK;
	}
	if (stock.missing == 0)
		code = is_whole(scan, marker->merged, &whole);
	if (code != BAT_OK)
		return code;
	if (!whole)
		return drop_merged(scan, marker);
	scan->out->heal_settle = stock.missing == 0;
	return drop_sources(scan, marker);
}

static int
decide_batpaks(struct recovery_scan *scan, const struct bat_marker *marker)
{
	const struct stock stock = take_stock(scan, marker);
	bool finished = stock.merged && (stock.missing > 0 || BAT_PLANT(47));
	int code = BAT_OK;

	if (!finished && stock.missing > 0)
		bat_recovery_damage(scan, stock.first_missing, 0,
		    "a source of a compaction is not there");
	if (!finished && stock.source)
		return use_source(scan, marker);
	if ((stock.others == 0 && !stock.source) || !stock.merged) {
		bat_recovery_say(scan->out,
		    "compaction marker: stale, ignored");
		return BAT_OK;
	}
	if (!finished)
		code = is_finished(scan, marker, &finished);
	if (code < 0)
		return code;
	if (finished) {
		scan->out->heal_unlink = stock.source;
		return drop_sources(scan, marker);
	}
	bat_recovery_say(scan->out,
	    "compaction marker: the merge had not begun, all segments are "
	    "read");
	return BAT_OK;
}

/* The source that batpak put aside is that of the merged id. */
static bool
fits_directory(const struct bat_marker *marker,
    const struct bat_segment_dir *dir)
{
	return marker->ours || !dir->has_compact_src ||
	    dir->compact_src_id == marker->merged;
}

int
bat_recovery_marker(struct recovery_scan *scan)
{
	struct bat_marker marker;
	int code = bat_marker_read(scan->dir, &marker, scan->error);

	if (code != BAT_OK)
		return code;
	if (!fits_directory(&marker, scan->dir)) {
		bat_marker_free(&marker);
		return bat_error_set(scan->error, BAT_DATA_CORRUPT,
		    "%s is not about the segment that was put aside; the "
		    "directory was left as it is. `batctl repair` takes it "
		    "away",
		    BAT_SEGMENT_DIR_MARKER);
	}
	scan->out->heal_marker = true;
	scan->out->heal_segment = marker.merged;
	code = marker.ours ? decide_ours(scan, &marker) :
			     decide_batpaks(scan, &marker);
	bat_marker_free(&marker);
	return code;
}
