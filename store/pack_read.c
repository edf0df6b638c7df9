/*
 * The part of pack that reads a value of a wanted type. The forms that the
 * writer makes are met first, by hand; everything else that batpak's decoder
 * accepts (FORMAT.md 2.2) goes through bat_pack_next.
 */
#include "pack.h"

/* A token, or the reader put back to where it was. */
static int
reject(struct bat_pack_reader *reader, const uint8_t *at)
{
	reader->at = at;
	return BAT_DATA_CORRUPT;
}

int
bat_pack_read_map(struct bat_pack_reader *reader, uint32_t *out_count)
{
	const uint8_t *at = reader->at;
	struct bat_pack_token token;
	int code = bat_pack_next(reader, &token);

	if (code != 0)
		return code;
	if (token.type != BAT_PACK_MAP)
		return reject(reader, at);
	*out_count = token.count;
	return 0;
}

int
bat_pack_read_array(struct bat_pack_reader *reader, uint32_t *out_count)
{
	const uint8_t *at = reader->at;
	struct bat_pack_token token;
	int code = bat_pack_next(reader, &token);

	if (code != 0)
		return code;
	if (token.type != BAT_PACK_ARRAY)
		return reject(reader, at);
	*out_count = token.count;
	return 0;
}

int
bat_pack_read_uint(struct bat_pack_reader *reader, uint64_t max, uint64_t *out)
{
	const uint8_t *at = reader->at;
	struct bat_pack_token token;
	int code;

	if (at < reader->end && *at < 0x80 && *at <= max) {
		*out = *at;
		reader->at++;
		return 0;
	}
	code = bat_pack_next(reader, &token);
	if (code != 0)
		return code;
	if (token.type != BAT_PACK_UINT || token.number > max)
		return reject(reader, at);
	*out = token.number;
	return 0;
}

int
bat_pack_read_int(struct bat_pack_reader *reader, int64_t *out)
{
	const uint8_t *at = reader->at;
	struct bat_pack_token token;
	int code = bat_pack_next(reader, &token);

	if (code != 0)
		return code;
	if (token.type == BAT_PACK_INT)
		*out = token.integer;
	else if (token.type == BAT_PACK_UINT && token.number <= INT64_MAX)
		*out = (int64_t)token.number;
	else
		return reject(reader, at);
	return 0;
}

int
bat_pack_read_bool(struct bat_pack_reader *reader, bool *out)
{
	if (bat_pack_left(reader) == 0 || (*reader->at & 0xfe) != 0xc2)
		return BAT_DATA_CORRUPT;
	*out = *reader->at == 0xc3;
	reader->at++;
	return 0;
}

int
bat_pack_read_str(struct bat_pack_reader *reader, struct bat_slice *out)
{
	const uint8_t *at = reader->at;
	size_t left = bat_pack_left(reader);
	struct bat_slice text;

	if (left > 0 && (*at & 0xe0) == 0xa0 && (*at & 0x1fu) < left) {
		text = bat_bytes_slice(at + 1, *at & 0x1f);
		reader->at += 1 + text.length;
	} else {
		struct bat_pack_token token;
		int code = bat_pack_next(reader, &token);

		if (code != 0)
			return code;
		if (token.type != BAT_PACK_STR && token.type != BAT_PACK_BIN)
			return reject(reader, at);
		text = token.bytes;
	}
	if (!bat_bytes_is_utf8(text))
		return reject(reader, at);
	*out = text;
	return 0;
}

/* Sixteen elements, each an integer of any width. */
static int
read_id_elements(struct bat_pack_reader *reader, struct bat_id *out)
{
	struct bat_id id = BAT_ID_ZERO;

	for (size_t i = 0; i < sizeof(id.bytes); i++) {
		uint64_t byte;
		int code = bat_pack_read_uint(reader, UINT8_MAX, &byte);

		if (code != 0)
			return code;
		id.bytes[i] = (uint8_t)byte;
	}
	*out = id;
	return 0;
}

int
bat_pack_read_id(struct bat_pack_reader *reader, struct bat_id *out)
{
	const uint8_t *at = reader->at;
	struct bat_pack_token token;
	int code = bat_pack_next(reader, &token);

	if (code != 0)
		return code;
	if (token.type == BAT_PACK_ARRAY && token.count == sizeof(out->bytes))
		return read_id_elements(reader, out);
	if (token.type != BAT_PACK_BIN ||
	    token.bytes.length != sizeof(out->bytes))
		return reject(reader, at);
	memcpy(out->bytes, token.bytes.data, sizeof(out->bytes));
	return 0;
}

int
bat_pack_read_id_or_nil(struct bat_pack_reader *reader, struct bat_id *out)
{
	if (!bat_pack_is_nil(reader))
		return bat_pack_read_id(reader, out);
	reader->at++;
	*out = BAT_ID_ZERO;
	return 0;
}
