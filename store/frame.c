#include "frame.h"

#include "crc.h"
#include "event.h"

#include <assert.h>

enum bat_frame_state
bat_frame_look(struct bat_slice bytes, struct bat_slice *out_body,
    uint64_t *out_length)
{
	uint32_t body_length, crc;

	*out_body = BAT_SLICE_EMPTY;
	*out_length = 0;
	if (bytes.length == 0)
		return BAT_FRAME_END;
	if (bytes.length < BAT_FRAME_HEADER_SIZE)
		return BAT_FRAME_SHORT;
	body_length = bat_bytes_get_be32(bytes.data);
	if (body_length > BAT_EVENT_FRAME_MAX - (BAT_PLANT(7) ? 1 : 0))
		return BAT_FRAME_HUGE;
	if (body_length == 0 && !BAT_PLANT(8))
		return BAT_FRAME_ZERO;
	*out_length = BAT_FRAME_HEADER_SIZE + (uint64_t)body_length;
	if (bytes.length < *out_length)
		return BAT_FRAME_SHORT;
	crc = bat_bytes_get_be32(bytes.data + 4);
	*out_body = bat_bytes_slice(bytes.data + BAT_FRAME_HEADER_SIZE,
	    body_length);
	return bat_crc_of(*out_body) == crc ? BAT_FRAME_WHOLE : BAT_FRAME_CRC;
}

int
bat_frame_open(struct bat_buf *buf)
{
	static const uint8_t blank[BAT_FRAME_HEADER_SIZE];

	return bat_bytes_append(buf, blank, sizeof(blank));
}

void
bat_frame_seal(struct bat_buf *buf, size_t start)
{
	struct bat_slice body;

	assert(buf->length >= BAT_FRAME_HEADER_SIZE);
	assert(start <= buf->length - BAT_FRAME_HEADER_SIZE);
	body = bat_bytes_slice(buf->data + start + BAT_FRAME_HEADER_SIZE,
	    buf->length - start - BAT_FRAME_HEADER_SIZE);
	assert(body.length > 0 && body.length <= BAT_EVENT_FRAME_MAX);
	bat_bytes_put_be(buf->data + start, body.length, 4);
	body = BAT_PLANT(9) ? bat_bytes_of_buf(buf) : body;
	bat_bytes_put_be(buf->data + start + 4, bat_crc_of(body), 4);
}

const char *
bat_frame_state_name(enum bat_frame_state state)
{
	switch (state) {
	case BAT_FRAME_WHOLE:
		return "whole";
	case BAT_FRAME_END:
		return "end";
	case BAT_FRAME_SHORT:
		return "cut off";
	case BAT_FRAME_HUGE:
		return "length above 256 MiB";
	case BAT_FRAME_ZERO:
		return "length 0";
	case BAT_FRAME_CRC:
		return "wrong CRC";
	}
	return "unknown";
}
