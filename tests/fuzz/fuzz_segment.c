/* Any bytes as a segment file: header, frames one behind the other, and the
 * footer. Nothing that the numbers in it say leads out of its bytes. */
#include "fuzz.h"

#include "frame.h"
#include "segment.h"

static void
walk_frames(struct bat_slice rest)
{
	struct bat_slice body;
	uint64_t length;

	for (;;) {
		enum bat_frame_state state = bat_frame_look(rest, &body,
		    &length);

		if (state != BAT_FRAME_WHOLE && state != BAT_FRAME_CRC)
			return;
		FUZZ_CHECK(length <= rest.length);
		FUZZ_CHECK(body.length + BAT_FRAME_HEADER_SIZE == length);
		rest = bat_bytes_slice(rest.data + length,
		    rest.length - (size_t)length);
	}
}

static void
read_footer(struct bat_slice file, uint64_t header_length)
{
	struct bat_segment_footer footer;
	struct bat_slice *strings;
	struct bat_row row = { 0 };
	uint32_t count;

	if (file.length < BAT_SEGMENT_TRAILER_SIZE ||
	    bat_segment_decode_trailer(file.data + file.length -
		    BAT_SEGMENT_TRAILER_SIZE,
		file.length, header_length, &footer) != 0)
		return;
	FUZZ_CHECK(footer.table_offset >= header_length);
	FUZZ_CHECK(footer.table_offset <= footer.rows_offset);
	FUZZ_CHECK(footer.rows_offset +
		(uint64_t)footer.row_count * BAT_SEGMENT_ROW_SIZE +
		BAT_SEGMENT_TRAILER_SIZE <=
	    file.length);
	for (uint32_t i = 0; i < footer.row_count; i++)
		bat_segment_decode_row(file.data + footer.rows_offset +
			(size_t)i * BAT_SEGMENT_ROW_SIZE,
		    &row);
	if (bat_segment_decode_table(
		bat_bytes_slice(file.data + footer.table_offset,
		    (size_t)(footer.rows_offset - footer.table_offset)),
		&strings, &count) == 0)
		free(strings);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bat_slice file = bat_bytes_slice(data, length);
	struct bat_segment_header header = { 0 };

	if (bat_segment_decode_header(file, &header, NULL) != 0) {
		walk_frames(file);
		return 0;
	}
	FUZZ_CHECK(header.length <= length);
	walk_frames(
	    bat_bytes_slice(data + header.length, length - header.length));
	read_footer(file, header.length);
	return 0;
}
