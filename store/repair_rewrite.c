/*
 * A segment written anew: what stays of it, byte for byte, behind a header that
 * holds and before a footer that tells its events' numbers. The new file is
 * whole and synced before it takes the old one's name, and what it leaves out
 * is kept aside before that.
 */
#include "repair_parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

/* What is written at once. */
#define PIECE_SIZE (1u << 20)

struct rewrite {
	struct repair *repair;
	const struct repair_segment *segment;
	struct bat_segment_reader reader;
	char temporary[BAT_FILE_TEMPORARY_SIZE];
	int folder, fd;
	uint64_t written; /* bytes of the new file, without what is in out */
	struct bat_buf out;
	struct bat_intern names;
	struct bat_row *rows;
	size_t row_count;
};

/* ---- what goes ----------------------------------------------------------- */

static int
keep_range(struct rewrite *rewrite, uint64_t from, uint64_t to)
{
	struct repair *repair = rewrite->repair;
	struct bat_buf bytes = BAT_BUF_EMPTY;
	char name[64];
	size_t got = 0;
	int code = bat_bytes_reserve(&bytes, (size_t)(to - from));

	if (code != BAT_OK)
		return bat_error_set(repair->error, code,
		    "no memory for %llu bytes that go",
		    (unsigned long long)(to - from));
	code = bat_file_read(repair->dir.disk, rewrite->reader.fd, bytes.data,
	    (size_t)(to - from), from, &got, repair->error);
	bytes.length = got;
	snprintf(name, sizeof(name), "%06llu-%llu",
	    (unsigned long long)rewrite->segment->survey.segment,
	    (unsigned long long)from);
	if (code == BAT_OK && got > 0 && !BAT_PLANT(122))
		code = bat_aside_keep(&repair->dir, name,
		    bat_bytes_of_buf(&bytes), repair->error);
	bat_bytes_free(&bytes);
	return code;
}

/* Does a piece stand in the new file, be it written anew, or has it nothing to
 * be kept? */
static bool
comes_again(const struct rewrite *rewrite, const struct bat_survey_piece *piece)
{
	return bat_repair_keeps(rewrite->segment, piece) ||
	    piece->kind == BAT_SURVEY_AHEAD ||
	    (piece->kind == BAT_SURVEY_HEADER && !rewrite->segment->new_header);
}

/* What goes and stands together is kept together. */
static int
keep_what_goes(struct rewrite *rewrite)
{
	const struct bat_survey *survey = &rewrite->segment->survey;
	uint64_t from = 0;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < survey->count; i++) {
		const struct bat_survey_piece *piece = &survey->pieces[i];

		if (!comes_again(rewrite, piece))
			continue;
		if (from < piece->offset)
			code = keep_range(rewrite, from, piece->offset);
		from = piece->offset + piece->length;
	}
	if (code == BAT_OK && from < survey->size)
		code = keep_range(rewrite, from, survey->size);
	return code;
}

/* ---- the new file -------------------------------------------------------- */

static int
flush(struct rewrite *rewrite)
{
	struct repair *repair = rewrite->repair;
	int code = bat_file_write(repair->dir.disk, rewrite->fd,
	    rewrite->out.data, rewrite->out.length, rewrite->written,
	    repair->error);

	rewrite->written += rewrite->out.length;
	bat_bytes_clear(&rewrite->out);
	return code;
}

static int
put(struct rewrite *rewrite, struct bat_slice bytes)
{
	int code = bat_bytes_append_slice(&rewrite->out, bytes);

	if (code != BAT_OK)
		return bat_error_set(rewrite->repair->error, code,
		    "no memory to write segment %llu",
		    (unsigned long long)rewrite->segment->survey.segment);
	return rewrite->out.length < PIECE_SIZE ? BAT_OK : flush(rewrite);
}

/* Where no header says when it was made: when its first event was. */
static int
first_time(struct rewrite *rewrite, int64_t *out_ns)
{
	const struct bat_survey *survey = &rewrite->segment->survey;
	struct bat_segment_item item;
	int code = BAT_OK;

	*out_ns = survey->header.created_ns;
	for (size_t i = 0; *out_ns == 0 && i < survey->count; i++) {
		if (survey->pieces[i].kind != BAT_SURVEY_EVENT)
			continue;
		bat_segment_reader_seek(&rewrite->reader,
		    survey->pieces[i].offset, survey->size);
		code = bat_segment_reader_next(&rewrite->reader, &item,
		    rewrite->repair->error);
		if (code == BAT_OK && item.decoded &&
		    item.event.wall_ms <= BAT_EVENT_WALL_MS_MAX / 1000)
			*out_ns = (int64_t)item.event.wall_ms * 1000000;
		break;
	}
	return code < 0 ? code : BAT_OK;
}

static int
put_header(struct rewrite *rewrite)
{
	const struct bat_survey *survey = &rewrite->segment->survey;
	struct bat_error *error = rewrite->repair->error;
	uint8_t bytes[BAT_SEGMENT_HEADER_MAX];
	struct bat_buf header = BAT_BUF_EMPTY;
	int64_t created_ns;
	size_t got;
	int code;

	if (!rewrite->segment->new_header) {
		code = bat_file_read(rewrite->repair->dir.disk,
		    rewrite->reader.fd, bytes, survey->header.length, 0, &got,
		    error);
		return code == BAT_OK ?
		    put(rewrite, bat_bytes_slice(bytes, got)) :
		    code;
	}
	code = first_time(rewrite, &created_ns);
	if (code == BAT_OK)
		code = bat_segment_encode_header(
		    bat_repair_target(rewrite->segment), created_ns, &header);
	if (code == BAT_OK)
		code = put(rewrite, bat_bytes_of_buf(&header));
	bat_bytes_free(&header);
	return code;
}

static int
note_row(struct rewrite *rewrite, const struct bat_segment_item *item,
    uint64_t seq)
{
	const struct bat_event *event = &item->event;
	struct bat_row *row = &rewrite->rows[rewrite->row_count];
	int code;

	*row = bat_event_row(event);
	row->length = (uint32_t)item->length;
	row->segment = bat_repair_target(rewrite->segment);
	row->offset = rewrite->written + rewrite->out.length;
	row->seq = seq;
	code = bat_intern_put(&rewrite->names, event->entity, &row->entity);
	if (code == BAT_OK)
		code = bat_intern_put(&rewrite->names, event->scope,
		    &row->scope);
	if (code != BAT_OK)
		return bat_error_set(rewrite->repair->error, code,
		    "no memory for a footer");
	rewrite->row_count++;
	return BAT_OK;
}

/* One frame, as it is. */
static int
put_frame(struct rewrite *rewrite, const struct bat_survey_piece *piece)
{
	struct bat_error *error = rewrite->repair->error;
	struct bat_segment_item item;
	int code;

	if (rewrite->reader.at != piece->offset)
		bat_segment_reader_seek(&rewrite->reader, piece->offset,
		    rewrite->segment->survey.size);
	code = bat_segment_reader_next(&rewrite->reader, &item, error);
	if (code < 0)
		return code;
	if (code == BAT_END || item.state != BAT_FRAME_WHOLE || !item.decoded ||
	    item.length != piece->length)
		return bat_error_set_at(error, BAT_WORLD_IO,
		    rewrite->segment->survey.segment, piece->offset,
		    "segment %llu reads differently a second time, at offset "
		    "%llu: copy it to another disk first",
		    (unsigned long long)rewrite->segment->survey.segment,
		    (unsigned long long)piece->offset);
	if (piece->kind == BAT_SURVEY_EVENT) {
		code = note_row(rewrite, &item, piece->seq);
		if (code != BAT_OK)
			return code;
	}
	return put(rewrite,
	    bat_bytes_slice(item.body.data - BAT_FRAME_HEADER_SIZE,
		item.body.length + BAT_FRAME_HEADER_SIZE));
}

static int
put_footer(struct rewrite *rewrite)
{
	struct bat_buf footer = BAT_BUF_EMPTY;
	int code = bat_segment_encode_footer(rewrite->rows, rewrite->row_count,
	    &rewrite->names, rewrite->written + rewrite->out.length, &footer);

	if (code != BAT_OK)
		bat_error_set(rewrite->repair->error, code,
		    "no memory for a footer");
	else
		code = put(rewrite, bat_bytes_of_buf(&footer));
	bat_bytes_free(&footer);
	return code;
}

static int
put_all(struct rewrite *rewrite)
{
	const struct repair_segment *segment = rewrite->segment;
	const struct bat_survey *survey = &segment->survey;
	int code = put_header(rewrite);

	bat_segment_reader_seek(&rewrite->reader, survey->size, survey->size);
	for (size_t i = 0; code == BAT_OK && i < survey->count; i++)
		if (bat_repair_keeps(segment, &survey->pieces[i]))
			code = put_frame(rewrite, &survey->pieces[i]);
	/* A footer without rows is as good as none. */
	if (code == BAT_OK && rewrite->row_count > 0)
		code = put_footer(rewrite);
	if (code == BAT_OK)
		code = flush(rewrite);
	return code == BAT_OK ? bat_file_sync(rewrite->repair->dir.disk,
				    rewrite->fd, rewrite->repair->error) :
				code;
}

/* A file of somebody else's would not be his any more. */
static int
check_owner(struct rewrite *rewrite, const struct bat_file_stat *old)
{
	const struct bat_disk *disk = rewrite->repair->dir.disk;
	struct bat_file_stat fresh;
	int code = disk->stat_fd(disk->context, rewrite->fd, &fresh);

	if (code < 0)
		return bat_error_set_os(rewrite->repair->error, -code,
		    "cannot stat a new file");
	if (fresh.uid == old->uid)
		return BAT_OK;
	return bat_error_set(rewrite->repair->error, BAT_USE_INVALID,
	    "the segments belong to user %u: repair as that user", old->uid);
}

static int
replace(struct rewrite *rewrite)
{
	const struct bat_disk *disk = rewrite->repair->dir.disk;
	struct bat_error *error = rewrite->repair->error;
	char name[BAT_SEGMENT_NAME_SIZE];
	int code;

	bat_segment_name(bat_repair_target(rewrite->segment), name);
	code = disk->rename_at(disk->context, rewrite->folder,
	    rewrite->temporary, name, true);
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot make %s", name);
	return bat_file_sync(disk, rewrite->folder, error);
}

static int
write_file(struct rewrite *rewrite)
{
	struct repair *repair = rewrite->repair;
	const struct bat_disk *disk = repair->dir.disk;
	bool elsewhere = repair->destination >= 0;
	const struct bat_segment_info *info = bat_segment_dir_find(&repair->dir,
	    rewrite->segment->survey.segment);
	int code;

	rewrite->folder = elsewhere ? repair->destination : repair->dir.dir;
	code = bat_file_create_temporary(disk, rewrite->folder,
	    elsewhere ? 0666 : info->stat.mode, rewrite->temporary,
	    &rewrite->fd, repair->error);
	if (code != BAT_OK)
		return code;
	if (!elsewhere)
		code = check_owner(rewrite, &info->stat);
	if (code == BAT_OK)
		code = put_all(rewrite);
	bat_file_close(disk, rewrite->fd);
	if (code == BAT_OK && !elsewhere)
		code = keep_what_goes(rewrite);
	if (code == BAT_OK)
		code = replace(rewrite);
	if (code != BAT_OK)
		(void)bat_file_unlink(disk, rewrite->folder, rewrite->temporary,
		    NULL);
	return code;
}

int
bat_repair_rewrite(struct repair *repair, struct repair_segment *segment)
{
	struct rewrite rewrite = { .repair = repair, .segment = segment };
	struct bat_error header, footer;
	int code = bat_segment_reader_open_any(&rewrite.reader, &repair->dir,
	    segment->survey.segment, &header, &footer, repair->error);

	if (code != BAT_OK)
		return code;
	bat_intern_init(&rewrite.names);
	rewrite.rows = calloc((size_t)segment->survey.events + 1,
	    sizeof(*rewrite.rows));
	code = rewrite.rows == NULL ?
	    bat_error_set(repair->error, BAT_WORLD_NO_MEMORY,
		"no memory for a footer") :
	    write_file(&rewrite);
	free(rewrite.rows);
	bat_intern_free(&rewrite.names);
	bat_bytes_free(&rewrite.out);
	bat_segment_reader_close(&rewrite.reader);
	return code;
}
