/*
 * A frame: body length N (u32 big endian), CRC-32 of the body (u32 big
 * endian), N bytes of body (FORMAT.md 3.2).
 *
 * A frame is whole if and only if (1) its 8 header bytes are there, (2) N is
 * 1 to 268435456, (3) N bytes follow, (4) their CRC is the stored one.
 * Threads: any, no state.
 */
#ifndef BAT_FRAME_H
#define BAT_FRAME_H

#include "bytes.h"

#define BAT_FRAME_HEADER_SIZE 8

enum bat_frame_state {
	BAT_FRAME_WHOLE,
	BAT_FRAME_END,	 /* no bytes at all */
	BAT_FRAME_SHORT, /* header or body is cut by the end of the bytes */
	BAT_FRAME_HUGE,	 /* N above 256 MiB */
	BAT_FRAME_ZERO,	 /* N is 0 */
	BAT_FRAME_CRC,	 /* complete, and its CRC is wrong */
};

/*
 * What stands at the start of bytes? On WHOLE and CRC *out_body is the body
 * and *out_length = 8 + N; on SHORT with a readable header *out_length is
 * what the frame would need.
 */
enum bat_frame_state bat_frame_look(struct bat_slice bytes,
    struct bat_slice *out_body, uint64_t *out_length);
/* Begin a frame at the end of buf: 8 bytes to be filled by bat_frame_seal,
 * which is given the length that buf had before. */
int bat_frame_open(struct bat_buf *buf);
void bat_frame_seal(struct bat_buf *buf, size_t start);
const char *bat_frame_state_name(enum bat_frame_state state);

#endif
