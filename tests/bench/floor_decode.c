#include "floor_decode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <checkpoint.h>
#include <codec.h>
#include <crc.h>
#include <frame.h>
#include <rowindex.h>
#include <segment.h>

#include "bench.h"

#define BLOCK (256u << 10)
#define ITEM_MAX (64u << 10) /* a longer one is none of ours */
#define HUGE_PAGE (2u << 20)

struct row {
	struct bat_id id;
	uint64_t seq, wall_ms, segment, offset;
	uint32_t length, clock, entity;
	uint16_t kind, lane;
};

struct file {
	const char *path;
	int fd;
	uint64_t from, end;  /* of what is to be read */
	size_t fixed;	     /* bytes of an item; 0: they differ */
	const char *pattern; /* how an item begins, behind `lead` bytes */
	size_t pattern_length, lead;
	bool has_crc; /* of all bytes, not one of each item */
	struct bat_checkpoint_front front;
	/* The item that begins at `at`; its length, 0: it is not whole there. */
	size_t (
	    *decode)(struct file *file, struct bat_slice at, struct row *out);
};

struct share {
	struct row *rows;
	uint64_t count, room;
};

struct work {
	struct file *files;
	int count;
	unsigned threads;
	struct share shares[BENCH_THREADS_MAX];
};

/* ---- items ------------------------------------------------------------ */

static void
keep(const struct bat_row *from, struct row *out)
{
	*out = (struct row){ .id = from->id,
		.seq = from->seq,
		.wall_ms = from->wall_ms,
		.segment = from->segment,
		.offset = from->offset,
		.length = from->length,
		.clock = from->clock,
		.entity = from->entity,
		.kind = from->kind,
		.lane = (uint16_t)from->lane };
}

static size_t
decode_indexed(struct file *file, struct bat_slice at, struct row *out)
{
	const uint8_t *p = at.data;

	if (at.length < BAT_ROWINDEX_ROW_SIZE)
		return 0;
	(void)file;
	*out = (struct row){ .id = bat_id_from_le(p),
		.entity = bat_bytes_get_le32(p + 16),
		.kind = bat_bytes_get_le16(p + 24),
		.wall_ms = bat_bytes_get_le64(p + 26),
		.clock = bat_bytes_get_le32(p + 34),
		.segment = bat_bytes_get_le64(p + 110),
		.offset = bat_bytes_get_le64(p + 118),
		.length = bat_bytes_get_le32(p + 126),
		.seq = bat_bytes_get_le64(p + 130) };
	return BAT_ROWINDEX_ROW_SIZE;
}

static size_t
decode_entry(struct file *file, struct bat_slice at, struct row *out)
{
	struct bat_pack_reader reader = BAT_PACK_READER(at);
	struct bat_row row;

	if (bat_checkpoint_read_row(&file->front, &reader, &row) != BAT_OK)
		return 0;
	keep(&row, out);
	return (size_t)(reader.at - at.data);
}

static size_t
decode_footed(struct file *file, struct bat_slice at, struct row *out)
{
	struct bat_row row = { .segment = 0 };

	(void)file;
	if (at.length < BAT_SEGMENT_ROW_SIZE)
		return 0;
	bat_segment_decode_row(at.data, &row);
	keep(&row, out);
	return BAT_SEGMENT_ROW_SIZE;
}

static size_t
decode_frame(struct file *file, struct bat_slice at, struct row *out)
{
	struct bat_slice body;
	struct bat_event event;
	uint64_t length;

	(void)file;
	if (bat_frame_look(at, &body, &length) != BAT_FRAME_WHOLE ||
	    bat_codec_decode(body, &event, NULL) != BAT_OK)
		return 0;
	*out = (struct row){ .id = event.id,
		.wall_ms = event.wall_ms,
		.length = (uint32_t)length,
		.clock = event.clock,
		.kind = event.kind,
		.lane = (uint16_t)event.lane };
	return (size_t)length;
}

/* ---- files ------------------------------------------------------------ */

static size_t
read_at(const struct file *file, void *to, size_t length, uint64_t at)
{
	ssize_t got = pread(file->fd, to, length, (off_t)at);

	if (got <= 0)
		bench_fail("%s: %s", file->path,
		    got < 0 ? strerror(errno) : "it ends early");
	return (size_t)got;
}

static void
open_checkpoint(struct file *file)
{
	uint8_t *start = NULL;
	size_t got = 0;
	int code = BAT_END;

	for (size_t room = 1 << 20; code == BAT_END && got < file->end;
	     room *= 4) {
		free(start);
		start = malloc(room);
		if (start == NULL)
			bench_fail("out of memory");
		got = read_at(file, start, room, 0);
		bat_checkpoint_free_strings(&file->front.strings);
		code = bat_checkpoint_read_front(bat_bytes_slice(start, got),
		    file->end, &file->front);
	}
	if (code != BAT_OK)
		bench_fail("%s: it does not decode", file->path);
	/* What is legal is known before the threads ask. */
	for (uint32_t i = 1; i < file->front.strings.count; i++)
		(void)bat_checkpoint_is_coordinate(&file->front.strings, i, i);
	free(start);
	file->from = file->front.entries_at;
	file->pattern = "\xde\x00\x11\xa8"
			"event_id\xc4\x10";
	file->pattern_length = 14;
	file->has_crc = true;
	file->decode = decode_entry;
}

static void
open_rows(struct file *file)
{
	struct bat_rowindex_front front = { .front = BAT_SLICE_EMPTY };
	uint8_t header[BAT_ROWINDEX_HEADER_SIZE];
	size_t got = read_at(file, header, sizeof(header), 0);

	if (bat_rowindex_read_header(bat_bytes_slice(header, got), file->end,
		&front, NULL) != BAT_OK)
		bench_fail("%s: it does not decode", file->path);
	file->from = front.sections[3];
	file->fixed = BAT_ROWINDEX_ROW_SIZE;
	file->has_crc = true;
	file->decode = decode_indexed;
}

static void
open_segment(struct file *file)
{
	uint8_t bytes[BAT_SEGMENT_HEADER_MAX];
	struct bat_segment_header header;
	struct bat_segment_footer footer;

	if (bat_segment_decode_header(
		bat_bytes_slice(bytes, read_at(file, bytes, sizeof(bytes), 0)),
		&header, NULL) != BAT_OK)
		bench_fail("%s: no segment", file->path);
	(void)read_at(file, bytes, BAT_SEGMENT_TRAILER_SIZE,
	    file->end - BAT_SEGMENT_TRAILER_SIZE);
	if (bat_segment_decode_trailer(bytes, file->end, header.length,
		&footer) != BAT_OK) {
		footer.table_offset = file->end;
		footer.rows_offset = 0;
	}
	if (file->from == 0) {
		file->from = header.length;
		file->end = footer.table_offset;
		file->pattern = "\x84\xa5"
				"event\x83\xa6"
				"header";
		file->pattern_length = 15;
		file->lead = BAT_FRAME_HEADER_SIZE;
		file->decode = decode_frame;
		return;
	}
	if (footer.rows_offset == 0)
		bench_fail("%s: no footer", file->path);
	file->from = footer.rows_offset;
	file->end -= BAT_SEGMENT_TRAILER_SIZE;
	file->fixed = BAT_SEGMENT_ROW_SIZE;
	file->decode = decode_footed;
}

static void
open_file(struct file *file, const char *path, const char *offset)
{
	char magic[6];
	struct stat status;

	*file = (struct file){ .path = path,
		.fd = open(path, O_RDONLY | O_CLOEXEC) };
	if (file->fd < 0 || fstat(file->fd, &status) != 0)
		bench_fail("%s: %s", path, strerror(errno));
	file->end = (uint64_t)status.st_size;
	file->from = bench_number(offset, file->end);
	(void)read_at(file, magic, sizeof(magic), 0);
	if (memcmp(magic, "FBATCK", 6) == 0)
		open_checkpoint(file);
	else if (memcmp(magic, "FBATIX", 6) == 0)
		open_rows(file);
	else
		open_segment(file);
}

/* ---- shares ----------------------------------------------------------- */

/* Where the share of thread `number` begins: at an item. With few of them there
 * may be none for the last threads. */
static uint64_t
border(const struct file *file, unsigned number, unsigned threads)
{
	uint64_t length = file->end - file->from, at;
	uint8_t *window, *found;
	size_t got;

	if (number == 0 || number == threads)
		return number == 0 ? file->from : file->end;
	at = length * number / threads;
	if (file->fixed > 0)
		return file->from + at / file->fixed * file->fixed;
	window = bench_allocate(1, ITEM_MAX);
	got = read_at(file, window, ITEM_MAX, file->from + at);
	found = memmem(window, got, file->pattern, file->pattern_length);
	at = found == NULL ?
	    file->end :
	    file->from + at + (uint64_t)(found - window) - file->lead;
	free(window);
	return at;
}

static void
add_row(struct share *share, const struct row *row)
{
	if (share->count == share->room)
		bench_fail("more rows than there is room for");
	share->rows[share->count++] = *row;
}

static void
decode_share(struct file *file, struct share *share, uint64_t at, uint64_t end)
{
	uint8_t *block = bench_allocate(1, ITEM_MAX + BLOCK);
	size_t length = 0, used;
	volatile uint32_t kept = 0;
	struct row row;

	while (at < end) {
		size_t some = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
		size_t step = read_at(file, block + length, some, at);

		if (file->has_crc)
			kept = bat_crc_update(kept,
			    bat_bytes_slice(block + length, step));
		length += step;
		at += step;
		for (used = 0; used < length; used += step) {
			step = length - used < ITEM_MAX && at < end &&
				file->fixed == 0 ?
			    0 :
			    file->decode(file,
				bat_bytes_slice(block + used, length - used),
				&row);
			if (step == 0)
				break;
			add_row(share, &row);
		}
		length -= used;
		if (length > ITEM_MAX || (at == end && length > 0))
			bench_fail("%s: an item that does not decode",
			    file->path);
		memmove(block, block + used, length);
	}
	free(block);
}

static void
decode_files(void *context, unsigned number)
{
	struct work *work = context;

	for (int i = 0; i < work->count; i++) {
		struct file *file = &work->files[i];

		decode_share(file, &work->shares[number],
		    border(file, number, work->threads),
		    border(file, number + 1, work->threads));
	}
}

/* No item is shorter than this, and memory that is not touched costs nothing. */
static void
make_room(struct share *share, uint64_t bytes)
{
	size_t size;

	share->room = bytes / 100 + 1;
	size = (size_t)(share->room * sizeof(struct row) + HUGE_PAGE) /
	    HUGE_PAGE * HUGE_PAGE;
	share->rows = aligned_alloc(HUGE_PAGE, size);
	if (share->rows == NULL)
		bench_fail("out of memory");
	(void)madvise(share->rows, size, MADV_HUGEPAGE);
}

struct floor_rows
floor_decode(int pairs, char **path_and_offset, unsigned threads)
{
	struct work work = { .count = pairs, .threads = threads };
	struct floor_rows result = { 0, 0 };

	work.files = bench_allocate((size_t)pairs, sizeof(*work.files));
	for (int i = 0; i < pairs; i++) {
		open_file(&work.files[i], path_and_offset[2 * i],
		    path_and_offset[2 * i + 1]);
		result.bytes += work.files[i].end - work.files[i].from;
	}
	for (unsigned i = 0; i < threads; i++)
		make_room(&work.shares[i], result.bytes);
	(void)bench_run_threads(threads, decode_files, &work);
	for (unsigned i = 0; i < threads; i++) {
		result.rows += work.shares[i].count;
		free(work.shares[i].rows);
	}
	for (int i = 0; i < pairs; i++) {
		bat_checkpoint_free_strings(&work.files[i].front.strings);
		close(work.files[i].fd);
	}
	free(work.files);
	return result;
}
