/*
 * One segment: by its footer, or frame by frame; and what can be said of it
 * before it is read.
 */
#include "recovery_internal.h"

/* Who follows a writer looks again. */
static bool
is_growing(const struct recovery_scan *scan,
    const struct bat_segment_info *info)
{
	return scan->tail != NULL && info->id == scan->out->highest_segment;
}

/* The file is shorter than its header, or its header does not hold. */
static int
no_header(struct recovery_scan *scan, const struct bat_segment_info *info,
    int code, const struct bat_error *why)
{
	bool newest = info->id == scan->out->highest_segment;

	if (is_growing(scan, info) &&
	    (code == BAT_DATA_TORN || code == BAT_DATA_CORRUPT))
		return BAT_OK;
	if (code == BAT_DATA_TORN && (newest || BAT_PLANT(43))) {
		return bat_recovery_plan_cut(scan, info->id, 0, info->stat.size,
		    "shorter than its header");
	}
	if (code == BAT_DATA_TORN || code == BAT_DATA_CORRUPT) {
		bat_recovery_damage(scan, info->id, 0, "header: %s", why->text);
		scan->out->end.offset = info->stat.size;
		return BAT_OK;
	}
	if (scan->error != NULL)
		*scan->error = *why;
	return code;
}

/*
 * What an earlier session left in a segment is put on disk and read back from
 * there, so that nothing is shown that the disk does not have. (Its sync may
 * have failed: then the cache shows what is lost, and syncing again says that
 * all is well.)
 */
static int
settle(struct recovery_scan *scan, const struct bat_segment_info *info,
    struct bat_error *error)
{
	const struct bat_disk *disk = scan->dir->disk;
	int fd, code;

	/* Not when an index lied later: the segment may be our own by then, and
	 * its syncs are the writer's. */
	if (scan->options->read_only || scan->options->ignore_indexes ||
	    BAT_PLANT(45))
		return BAT_OK;
	code = bat_segment_dir_hold(scan->dir, info->id, &fd, error);
	if (code != BAT_OK)
		return code;
	code = bat_file_sync(disk, fd, error);
	if (code == BAT_OK)
		(void)disk->drop_cache(disk->context, fd);
	bat_segment_dir_release(scan->dir, info->id);
	/* Nothing is stopped yet. */
	if (code == BAT_STATE_STOPPED)
		code = error->code = BAT_WORLD_IO;
	return code;
}

/* The newest segment is settled, and every other one that nobody sealed. */
static int
open_settled(struct recovery_scan *scan, const struct bat_segment_info *info,
    struct bat_segment_reader *reader, struct bat_error *why)
{
	bool newest = info->id == scan->out->highest_segment;
	int code = newest ? settle(scan, info, why) : BAT_OK;

	if (code == BAT_OK)
		code = bat_segment_reader_open(reader, scan->dir, info->id,
		    why);
	if (code != BAT_OK || newest || reader->has_footer)
		return code;
	bat_segment_reader_close(reader);
	code = settle(scan, info, why);
	return code == BAT_OK ?
	    bat_segment_reader_open(reader, scan->dir, info->id, why) :
	    code;
}

/*
 * The frames in front of a footer that was not believed are read. It is what a
 * crash makes of a footer, and goes, where the segment is the newest one; but
 * not if frames follow it: then it is no footer's place.
 */
static int
drop_footer(struct recovery_scan *scan, struct bat_segment_reader *reader)
{
	uint64_t found;
	int code = bat_segment_reader_find_whole(reader,
	    reader->footer.table_offset, &found, scan->error);

	if (code < 0)
		return code;
	if (code == BAT_OK) {
		bat_recovery_damage(scan, reader->id,
		    reader->footer.table_offset,
		    "a broken footer; sound frames go on at offset %llu",
		    (unsigned long long)found);
		return BAT_OK;
	}
	if (reader->id != scan->out->highest_segment || BAT_PLANT(46))
		return BAT_OK;
	return bat_recovery_plan_cut(scan, reader->id,
	    reader->footer.table_offset, reader->file_size, "broken footer");
}

/* Whoever wrote it reads what we would write next no more than we read it. */
static void
refuse_generation(struct recovery_scan *scan, const struct bat_error *why)
{
	struct bat_recovery *out = scan->out;

	if (out->refuse)
		return;
	out->refuse = true;
	bat_error_set_at(&out->refusal, BAT_DATA_FUTURE, why->segment,
	    why->offset,
	    "segment %llu has %s, written by another version of the store "
	    "than 0.7.5 to 0.8.2; nothing was changed. Mount with -o ro to "
	    "read it",
	    (unsigned long long)why->segment, why->text);
}

/* BAT_END: read the frames. */
static int
by_footer(struct recovery_scan *scan, struct bat_segment_reader *reader,
    uint64_t from)
{
	struct bat_recovery_tail *tail = scan->tail;
	bool whole = tail != NULL && reader->id == tail->from.segment;
	int code;

	if (!reader->has_footer)
		return BAT_END;
	/* What was read of it frame by frame may have got other numbers. */
	if (whole)
		scan->least_seq = tail->segment_seq;
	code = bat_recovery_footer(scan, reader, whole ? 0 : from);
	if (code == BAT_OK) {
		scan->out->end.offset = reader->footer.table_offset;
		scan->out->end.sealed = true;
	}
	if (whole) {
		tail->whole = code == BAT_OK;
		if (code != BAT_OK)
			scan->least_seq = tail->next_seq;
	}
	return code;
}

static int
by_frames(struct recovery_scan *scan, struct bat_segment_reader *reader,
    uint64_t from)
{
	/* What looks like a footer may be a frame that is half there. */
	bool growing = scan->tail != NULL &&
	    reader->id == scan->out->highest_segment;
	int code;

	bat_segment_reader_seek(reader,
	    from > reader->header.length ? from : reader->header.length,
	    growing && reader->has_footer ? reader->file_size : 0);
	code = bat_recovery_frames(scan, reader);
	if (code == BAT_OK && reader->has_footer && !growing)
		code = drop_footer(scan, reader);
	return code;
}

/* Behind a header that does not hold, wherever a sound frame begins. */
static int
behind_header(struct recovery_scan *scan, const struct bat_segment_info *info)
{
	struct bat_segment_reader reader;
	struct bat_error header, footer;
	uint64_t found = 0;
	int code = bat_segment_reader_open_any(&reader, scan->dir, info->id,
	    &header, &footer, scan->error);

	if (code != BAT_OK)
		return code;
	code = bat_segment_reader_find_whole(&reader, 0, &found, scan->error);
	if (code == BAT_OK && found < reader.end && found <= UINT32_MAX &&
	    !BAT_PLANT(313)) {
		/* As if it were so long. */
		reader.header.length = (uint32_t)found;
		code = by_footer(scan, &reader, 0);
		if (code == BAT_END)
			code = by_frames(scan, &reader, 0);
	}
	bat_segment_reader_close(&reader);
	return code == BAT_END || code == BAT_DATA_CORRUPT ? BAT_OK : code;
}

int
bat_recovery_segment(struct recovery_scan *scan,
    const struct bat_segment_info *info, uint64_t from)
{
	struct bat_segment_reader reader;
	struct bat_error why = { .code = 0 };
	int code = open_settled(scan, info, &reader, &why);

	scan->out->end = (struct bat_recovery_place){ .segment = info->id };
	if (code != BAT_OK) {
		bool is_damage = code == BAT_DATA_CORRUPT &&
		    !is_growing(scan, info);

		code = no_header(scan, info, code, &why);
		return code == BAT_OK && is_damage ? behind_header(scan, info) :
						     code;
	}
	if (reader.has_foreign_footer)
		refuse_generation(scan, &why);
	if (!reader.has_footer && why.text[0] != '\0')
		bat_recovery_say(scan->out, "segment %llu: no footer (%s)",
		    (unsigned long long)info->id, why.text);
	code = by_footer(scan, &reader, from);
	if (code == BAT_END)
		code = by_frames(scan, &reader, from);
	bat_segment_reader_close(&reader);
	return code;
}

/* What stands in such a segment was held against its frames; only whether it
 * is over is not known. */
int
bat_recovery_covered(struct recovery_scan *scan,
    const struct bat_segment_info *info)
{
	struct bat_recovery_place *end = &scan->out->end;
	struct bat_segment_reader reader;
	struct bat_error why = { .code = 0 };
	int code;

	*end = (struct bat_recovery_place){ info->id, info->stat.size, false };
	/* Of the last one alone it is asked. */
	if (info->id != scan->out->highest_segment)
		return BAT_OK;
	code = bat_segment_reader_open(&reader, scan->dir, info->id, &why);
	if (code == BAT_DATA_TORN || code == BAT_DATA_CORRUPT ||
	    code == BAT_DATA_FUTURE)
		return BAT_OK;
	if (code != BAT_OK) {
		if (scan->error != NULL)
			*scan->error = why;
		return code;
	}
	if (reader.has_footer && reader.file_size == info->stat.size &&
	    !BAT_PLANT(240)) {
		end->offset = reader.footer.table_offset;
		end->sealed = true;
	}
	bat_segment_reader_close(&reader);
	return BAT_OK;
}
