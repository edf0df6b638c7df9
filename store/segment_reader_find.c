/*
 * Single frames: one whose place is known, and the place of one that may be
 * there. Of the latter: the answer decides between a torn tail, which may be
 * cut, and damage, which may not; so it is never "none" for want of trying.
 */
#include "segment_reader_internal.h"

#include <inttypes.h>

enum {
	/* What is read at once, and what is believed without a look at the
	 * file's size. */
	BLOCK_SIZE = 1 << 20,
	/* No body that decodes is shorter: positional arrays throughout, no
	 * hash chain, empty names. */
	BODY_MIN = 48,
	/* Bytes that tell whether a look-alike is worth a closer look. */
	PEEK_SIZE = BAT_FRAME_HEADER_SIZE + 12,
	/* Look-alikes may cost this many times the bytes searched, and a
	 * longest frame: a file made on purpose could cost the square. */
	WORK_FACTOR = 256,
};

/*
 * Does this start like a body: a struct (map with string keys, or array) whose
 * first member is the struct "event", or any member in another order?
 */
static bool
starts_like_body(const uint8_t *at)
{
	bool is_map = (at[0] & 0xf0) == 0x80 || at[0] == 0xde || at[0] == 0xdf;
	bool is_array = (at[0] & 0xf0) == 0x90 || at[0] == 0xdc ||
	    at[0] == 0xdd;
	size_t header = at[0] == 0xde || at[0] == 0xdc ? 3 :
	    at[0] == 0xdf || at[0] == 0xdd	       ? 5 :
							 1;
	uint8_t next = at[header];

	/* A key is a str or bin, the event a map or array. */
	if (is_map)
		return (next & 0xe0) == 0xa0 ||
		    (next >= 0xd9 && next <= 0xdb) ||
		    (next >= 0xc4 && next <= 0xc6);
	return is_array &&
	    ((next & 0xe0) == 0x80 || (next >= 0xdc && next <= 0xdf));
}

/* The first offset of bytes, before `count`, where a frame may start: its
 * length fits and its body starts like one. Returns count when there is none. */
static size_t
next_candidate(struct bat_slice bytes, size_t from, size_t count, uint64_t left)
{
	for (size_t i = from; i < count; i++) {
		uint32_t length = bat_bytes_get_be32(bytes.data + i);

		if (length >= BODY_MIN && length <= BAT_EVENT_FRAME_MAX &&
		    length <= left - i - BAT_FRAME_HEADER_SIZE &&
		    starts_like_body(bytes.data + i + BAT_FRAME_HEADER_SIZE))
			return i;
	}
	return count;
}

/* 0: a whole frame stands at offset; BAT_END: none does. */
static int
is_whole(struct bat_segment_reader *reader, uint64_t offset, uint32_t length,
    struct bat_error *error)
{
	struct bat_segment_item item;
	int code;

	bat_segment_reader_seek(reader, offset,
	    offset + BAT_FRAME_HEADER_SIZE + length);
	code = bat_segment_reader_next(reader, &item, error);
	if (code != 0)
		return code;
	return item.decoded ? 0 : BAT_END;
}

/* Search bytes, which stand at offset; BAT_END when nothing starts at any of
 * the first count of them. */
static int
search_block(struct bat_segment_reader *reader, struct bat_slice bytes,
    size_t count, uint64_t offset, uint64_t *work, uint64_t *out_offset,
    struct bat_error *error)
{
	uint64_t left = reader->file_size - offset;

	for (size_t i = 0; i < count; i++) {
		uint32_t length;
		int code;

		i = next_candidate(bytes, i, count, left);
		if (i == count)
			break;
		length = bat_bytes_get_be32(bytes.data + i);
		if (length > *work)
			return bat_error_set_at(error, BAT_DATA_CORRUPT,
			    reader->id, offset + i,
			    "too many look-alikes of frames");
		*work -= length;
		code = is_whole(reader, offset + i, length, error);
		if (code == 0)
			*out_offset = offset + i;
		if (code != BAT_END)
			return code;
	}
	return BAT_END;
}

static int
search(struct bat_segment_reader *reader, uint64_t from, struct bat_buf *buf,
    uint64_t *out_offset, struct bat_error *error)
{
	uint64_t work = BAT_EVENT_FRAME_MAX;
	bool lost;
	int code = BAT_END;

	while (code == BAT_END && from < reader->file_size &&
	    reader->file_size - from >= BAT_FRAME_HEADER_SIZE + BODY_MIN) {
		uint64_t left = reader->file_size - from;
		size_t ask = left < BLOCK_SIZE ? (size_t)left : BLOCK_SIZE;

		code = bat_segment_reader_part(reader, from, buf->data, ask,
		    &buf->length, &lost, error);
		if (code != 0)
			return code;
		/* Frames start early enough to be peeked at. */
		if (buf->length < PEEK_SIZE)
			return BAT_END;
		ask = buf->length - (BAT_PLANT(16) ? 0 : PEEK_SIZE - 1);
		work += (uint64_t)ask * WORK_FACTOR;
		code = search_block(reader, bat_bytes_of_buf(buf), ask, from,
		    &work, out_offset, error);
		from += ask;
	}
	return code;
}

int
bat_segment_reader_find_whole(struct bat_segment_reader *reader, uint64_t from,
    uint64_t *out_offset, struct bat_error *error)
{
	uint64_t at = reader->at, end = reader->end;
	struct bat_buf buf = BAT_BUF_EMPTY;
	int code = BAT_WORLD_NO_MEMORY;

	if (bat_bytes_reserve(&buf, BLOCK_SIZE) == 0)
		code = search(reader, from, &buf, out_offset, error);
	else
		bat_error_set(error, code, "no memory to search a segment");
	bat_bytes_free(&buf);
	bat_segment_reader_seek(reader, at, end);
	return code;
}

int
bat_segment_reader_is_ahead(struct bat_segment_reader *reader, uint64_t from,
    bool *out_is_ahead, struct bat_error *error)
{
	uint8_t block[4096];

	*out_is_ahead = from < reader->file_size;
	while (*out_is_ahead && from < reader->file_size) {
		uint64_t left = reader->file_size - from;
		size_t got;
		bool lost;
		int code = bat_segment_reader_part(reader, from, block,
		    left < sizeof(block) ? (size_t)left : sizeof(block), &got,
		    &lost, error);

		if (code != 0)
			return code;
		for (size_t i = 0; i < got; i++)
			*out_is_ahead = *out_is_ahead && block[i] == 0xff;
		/* It became shorter meanwhile. */
		if (got == 0)
			break;
		from += got;
	}
	return 0;
}

/* A frame longer than a block is asked for only where the file can hold it:
 * the number comes from an index. */
static int
check_length(struct bat_segment_dir *dir, int fd, uint64_t id, uint64_t offset,
    uint32_t length, struct bat_error *error)
{
	uint64_t size;
	int code;

	if (length <= BAT_FRAME_HEADER_SIZE ||
	    length - BAT_FRAME_HEADER_SIZE > BAT_EVENT_FRAME_MAX)
		return bat_error_set_at(error, BAT_DATA_CORRUPT, id, offset,
		    "no frame has a length of %" PRIu32, length);
	if (length <= BLOCK_SIZE)
		return 0;
	code = bat_file_size(dir->disk, fd, &size, error);
	if (code != 0)
		return code;
	if (offset > size || length > size - offset)
		return bat_error_set_at(error, BAT_DATA_CORRUPT, id, offset,
		    "a frame of %" PRIu32 " bytes is not in the file", length);
	return 0;
}

/* What is wrong with a single frame, in a word: it stands first in the error's
 * text, where those who show the damage look for it. */
static const char *
fault_word(enum bat_frame_state state)
{
	if (state == BAT_FRAME_CRC)
		return "crc";
	if (state == BAT_FRAME_SHORT || state == BAT_FRAME_END)
		return "short";
	return "length";
}

int
bat_segment_reader_decode(uint64_t id, uint64_t offset, struct bat_slice bytes,
    const struct bat_buf *room, struct bat_event *out, struct bat_error *error)
{
	struct bat_slice body;
	uint64_t length;
	enum bat_frame_state state = bat_frame_look(bytes, &body, &length);
	int code;

	if (state != BAT_FRAME_WHOLE || length != bytes.length)
		return bat_error_set_at(error, BAT_DATA_CORRUPT, id, offset,
		    "%s: segment %" PRIu64 ", offset %" PRIu64 ": frame is %s",
		    fault_word(state), id, offset,
		    state == BAT_FRAME_WHOLE ? "of another length" :
					       bat_frame_state_name(state));
	code = bat_codec_decode_into(body, room, out, error);
	if (code != 0) {
		bat_error_prefix(error,
		    "decode: segment %" PRIu64 ", offset %" PRIu64, id, offset);
		if (error != NULL) {
			error->segment = id;
			error->offset = offset;
		}
	}
	return code;
}

int
bat_segment_reader_span(struct bat_segment_dir *dir, uint64_t id,
    uint64_t offset, size_t length, struct bat_buf *buf,
    struct bat_error *error)
{
	int fd, code;

	bat_bytes_clear(buf);
	if (bat_bytes_reserve(buf, length) != 0)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory to read %zu bytes", length);
	code = bat_segment_dir_hold(dir, id, &fd, error);
	if (code != 0)
		return code;
	code = bat_file_read(dir->disk, fd, buf->data, length, offset,
	    &buf->length, error);
	bat_segment_dir_release(dir, id);
	return code;
}

int
bat_segment_reader_fetch(struct bat_segment_dir *dir, uint64_t id,
    uint64_t offset, uint32_t length, struct bat_buf *buf,
    struct bat_error *error)
{
	size_t got = 0;
	int fd, code;

	bat_bytes_clear(buf);
	code = bat_segment_dir_hold(dir, id, &fd, error);
	if (code != 0)
		return code;
	code = check_length(dir, fd, id, offset, length, error);
	if (code == 0 && bat_bytes_reserve(buf, length) != 0)
		code = bat_error_set(error, BAT_WORLD_NO_MEMORY,
		    "no memory for a frame of %" PRIu32 " bytes", length);
	if (code == 0)
		code = bat_file_read(dir->disk, fd, buf->data, length, offset,
		    &got, error);
	bat_segment_dir_release(dir, id);
	if (code == 0)
		buf->length = got;
	return code;
}

int
bat_segment_reader_around(const struct bat_segment_dir *dir, uint64_t id,
    uint64_t offset, int code, struct bat_error *error)
{
	if (code != BAT_WORLD_IO || !dir->reads_around)
		return code;
	return bat_error_set_at(error, BAT_DATA_CORRUPT, id, offset,
	    "unreadable: segment %" PRIu64 ", offset %" PRIu64
	    ": the disk does not give it",
	    id, offset);
}

int
bat_segment_reader_read(struct bat_segment_dir *dir, uint64_t id,
    uint64_t offset, uint32_t length, struct bat_buf *buf,
    struct bat_event *out, struct bat_error *error)
{
	int code = bat_segment_reader_fetch(dir, id, offset, length, buf,
	    error);

	if (code != 0)
		return bat_segment_reader_around(dir, id, offset, code, error);
	return bat_segment_reader_decode(id, offset, bat_bytes_of_buf(buf),
	    NULL, out, error);
}
