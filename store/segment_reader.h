/*
 * Reading segments: a cursor over the frames of one file, and single reads.
 *
 * The cursor reads blocks with pread into a buffer that it reuses; nothing is
 * mapped. Its slices are valid until the next call. It knows no policy: it
 * says what stands at each offset, recovery and verify decide.
 *
 * In a directory that reads around (segment_dir.h) zeros stand for the blocks of
 * a segment that the disk does not give: they are no frame, and what stands
 * behind them is read. A header or footer that is touched does not hold.
 *
 * Calling sequence: bat_segment_reader_open, bat_segment_reader_next until it
 * does not answer 0, bat_segment_reader_close. Threads: a reader belongs to
 * its caller.
 */
#ifndef BAT_SEGMENT_READER_H
#define BAT_SEGMENT_READER_H

#include "codec.h"
#include "frame.h"
#include "segment_dir.h"

struct bat_segment_reader {
	struct bat_segment_dir *dir;
	uint64_t id;
	int fd;
	uint64_t file_size;
	struct bat_segment_header header;
	bool has_footer;
	bool has_foreign_footer; /* of another generation; not readable */
	struct bat_segment_footer footer;
	uint64_t at;  /* offset of the next frame */
	uint64_t end; /* of the frames: table offset, or file size */
	struct bat_buf block;
	uint64_t block_offset;
	/* The caller's, to be set before each call of next that may use it:
	 * where the payload is expanded (bat_codec_decode_into), or data NULL.
	 * Only its capacity counts. It is for that one call, which forgets it. */
	struct bat_buf room;
	/* Behind the last block so far that the disk did not give; 0: it gave
	 * all. */
	uint64_t lost_end;
};

/* One item of the cursor. */
struct bat_segment_item {
	enum bat_frame_state state;
	uint64_t offset;	/* of the frame */
	uint64_t length;	/* 8 + N where known, else 0 */
	struct bat_slice body;	/* on WHOLE and CRC */
	struct bat_event event; /* on WHOLE, when decoded */
	/* WHOLE and body decodes as a frame; if not, *error says why. */
	bool decoded;
};

/*
 * Open segment id, read its header and footer trailer. A footer that does not
 * hold (FORMAT.md 13.2 R12) counts as absent, and the text of *error says why
 * while 0 is returned with has_footer false.
 * Returns 0; BAT_DATA_TORN (shorter than its header); BAT_DATA_CORRUPT;
 * BAT_DATA_FUTURE; BAT_WORLD_*.
 */
int bat_segment_reader_open(struct bat_segment_reader *reader,
    struct bat_segment_dir *dir, uint64_t id, struct bat_error *error);
/*
 * The same for who looks at a file in whatever state: one whose header does not
 * hold is opened too, with header.length 0, and *why_header says why (code 0:
 * it holds), *why_footer why there is none. Both are filled. 0; BAT_WORLD_*.
 */
int bat_segment_reader_open_any(struct bat_segment_reader *reader,
    struct bat_segment_dir *dir, uint64_t id, struct bat_error *why_header,
    struct bat_error *why_footer, struct bat_error *error);
void bat_segment_reader_close(struct bat_segment_reader *reader);
/* Continue at this offset, with frames up to end (end 0: the region's). */
void bat_segment_reader_seek(struct bat_segment_reader *reader, uint64_t offset,
    uint64_t end);
/*
 * The next frame. 0 an item (look at its state: only WHOLE moves on by
 * itself); BAT_END when offset is exactly at the end; negative: the disk
 * failed. After another state than WHOLE the cursor stays where it is.
 */
int bat_segment_reader_next(struct bat_segment_reader *reader,
    struct bat_segment_item *out, struct bat_error *error);
/*
 * Is there a whole frame (CRC holds and it decodes) at any offset at or after
 * from? Searches byte by byte to the end of the file. *out_offset is its
 * place. 0 found, BAT_END none, negative error; BAT_DATA_CORRUPT when so much
 * there looks like frames that the search was given up (only a file made on
 * purpose does: treat it as found).
 */
int bat_segment_reader_find_whole(struct bat_segment_reader *reader,
    uint64_t from, uint64_t *out_offset, struct bat_error *error);
/*
 * Is all from there to the file's end 0xFF, and something there: space that a
 * writer laid ahead of its frames (runway.h)? Where a frame ends, nothing else
 * that a writer does looks like that: no length of a frame begins with 0xFF.
 */
int bat_segment_reader_is_ahead(struct bat_segment_reader *reader,
    uint64_t from, bool *out_is_ahead, struct bat_error *error);
/* Did the disk not give some block of [from, to)? 0 or BAT_WORLD_*. */
int bat_segment_reader_is_lost(struct bat_segment_reader *reader, uint64_t from,
    uint64_t to, bool *out_is_lost, struct bat_error *error);
/*
 * The footer's string table onto *out_table (owns the bytes), out_strings
 * (malloc'ed slices into it). The caller frees both. BAT_DATA_CORRUPT when it
 * does not decode.
 */
int bat_segment_reader_table(struct bat_segment_reader *reader,
    struct bat_buf *out_table, struct bat_slice **out_strings,
    uint32_t *out_string_count, struct bat_error *error);
/* Does the frame of a footer's row lie among the frames? */
bool bat_segment_reader_holds(const struct bat_segment_reader *reader,
    const struct bat_row *row);
/*
 * The table, and the rows: they are decoded with bat_segment_decode_row from
 * *out_rows. The caller frees all three. BAT_DATA_CORRUPT when the table or a
 * row's numbers do not hold.
 */
int bat_segment_reader_footer(struct bat_segment_reader *reader,
    struct bat_buf *out_table, struct bat_slice **out_strings,
    uint32_t *out_string_count, struct bat_buf *out_rows,
    struct bat_error *error);

/*
 * One frame by its place, into buf (cleared first): CRC checked, decoded; the
 * slices of *out point into buf. Returns 0; BAT_DATA_CORRUPT with segment and
 * offset in the error, also where the directory reads around what the disk does
 * not give; BAT_WORLD_*. Threads: any.
 */
int bat_segment_reader_read(struct bat_segment_dir *dir, uint64_t id,
    uint64_t offset, uint32_t length, struct bat_buf *buf,
    struct bat_event *out, struct bat_error *error);
/*
 * The same in two steps: the bytes of a frame into buf (cleared first), fewer
 * where the file ends before; and what stands in those of one frame. room, may
 * be NULL: where the payload is expanded, see bat_codec_decode_into. Threads:
 * any.
 */
int bat_segment_reader_fetch(struct bat_segment_dir *dir, uint64_t id,
    uint64_t offset, uint32_t length, struct bat_buf *buf,
    struct bat_error *error);
/*
 * code, of a fetch; but BAT_DATA_CORRUPT, with segment and offset, where the
 * disk did not give it and the directory reads around that. So who shows an
 * event says that it is damaged, and who judges can tell what he could not see
 * from what is wrong.
 */
int bat_segment_reader_around(const struct bat_segment_dir *dir, uint64_t id,
    uint64_t offset, int code, struct bat_error *error);
int bat_segment_reader_decode(uint64_t id, uint64_t offset,
    struct bat_slice bytes, const struct bat_buf *room, struct bat_event *out,
    struct bat_error *error);
/* For frames that lie side by side: bytes [offset, offset + length), whatever
 * they are; otherwise as fetch. */
int bat_segment_reader_span(struct bat_segment_dir *dir, uint64_t id,
    uint64_t offset, size_t length, struct bat_buf *buf,
    struct bat_error *error);

#endif
