/*
 * The part of pack that writes, always the shortest form. msgpack-c chooses
 * it, but for arrays of bytes, which would cost it a call per byte.
 */
#include "pack.h"

#include <msgpack.h>

static int
append(void *buf, const char *data, size_t length)
{
	return bat_bytes_append(buf, data, length);
}

static msgpack_packer
packer_onto(struct bat_buf *buf)
{
	return (msgpack_packer){ .data = buf, .callback = append };
}

/*
 * Make room for a header of at most six bytes and its body, so that nothing
 * is half written when memory ends.
 */
static int
reserve_whole(struct bat_buf *buf, size_t length)
{
	if (length > UINT32_MAX)
		return BAT_USE_TOO_LARGE;
	return bat_bytes_reserve(buf, 6 + length);
}

int
bat_pack_write_nil(struct bat_buf *buf)
{
	msgpack_packer packer = packer_onto(buf);

	return msgpack_pack_nil(&packer);
}

int
bat_pack_write_bool(struct bat_buf *buf, bool value)
{
	msgpack_packer packer = packer_onto(buf);

	return value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer);
}

int
bat_pack_write_uint(struct bat_buf *buf, uint64_t value)
{
	msgpack_packer packer = packer_onto(buf);

	return msgpack_pack_uint64(&packer, value);
}

int
bat_pack_write_int(struct bat_buf *buf, int64_t value)
{
	msgpack_packer packer = packer_onto(buf);

	return msgpack_pack_int64(&packer, value);
}

int
bat_pack_write_float64(struct bat_buf *buf, double value)
{
	const uint64_t canonical_nan = 0x7ff8000000000000;
	msgpack_packer packer = packer_onto(buf);

	if (value != value)
		memcpy(&value, &canonical_nan, sizeof(value));
	return msgpack_pack_double(&packer, value);
}

int
bat_pack_write_str(struct bat_buf *buf, struct bat_slice value)
{
	msgpack_packer packer = packer_onto(buf);
	int code = reserve_whole(buf, value.length);

	if (code != 0)
		return code;
	code = msgpack_pack_str(&packer, value.length);
	return code != 0 ? code : bat_bytes_append_slice(buf, value);
}

int
bat_pack_write_text(struct bat_buf *buf, const char *value)
{
	return bat_pack_write_str(buf, bat_bytes_text(value));
}

int
bat_pack_write_bin(struct bat_buf *buf, struct bat_slice value)
{
	msgpack_packer packer = packer_onto(buf);
	int code = reserve_whole(buf, value.length);

	if (code != 0)
		return code;
	code = msgpack_pack_bin(&packer, value.length);
	return code != 0 ? code : bat_bytes_append_slice(buf, value);
}

int
bat_pack_write_ext(struct bat_buf *buf, int8_t type, struct bat_slice value)
{
	msgpack_packer packer = packer_onto(buf);
	int code = reserve_whole(buf, value.length);

	if (code != 0)
		return code;
	code = msgpack_pack_ext(&packer, value.length, type);
	return code != 0 ? code : bat_bytes_append_slice(buf, value);
}

int
bat_pack_write_array(struct bat_buf *buf, uint32_t count)
{
	msgpack_packer packer = packer_onto(buf);

	return msgpack_pack_array(&packer, count);
}

int
bat_pack_write_map(struct bat_buf *buf, uint32_t count)
{
	msgpack_packer packer = packer_onto(buf);

	return msgpack_pack_map(&packer, count);
}

int
bat_pack_write_id(struct bat_buf *buf, const struct bat_id *id)
{
	return bat_pack_write_bin(buf,
	    bat_bytes_slice(id->bytes, sizeof(id->bytes)));
}

int
bat_pack_write_id_or_nil(struct bat_buf *buf, const struct bat_id *id)
{
	return bat_id_is_zero(id) ? bat_pack_write_nil(buf) :
				    bat_pack_write_id(buf, id);
}

static const uint64_t top_bits = 0x8080808080808080;

/* How many of the bytes are 0x80 or above, and so take two places. */
static size_t
count_high(struct bat_slice bytes)
{
	size_t high = 0, i = 0;

	for (; i + 8 <= bytes.length; i += 8) {
		uint64_t word;

		memcpy(&word, bytes.data + i, 8);
		high += ((word & top_bits) >> 7) * 0x0101010101010101 >> 56;
	}
	for (; i < bytes.length; i++)
		high += bytes.data[i] >> 7;
	return high;
}

/*
 * One byte, without a branch: the marker first, then the byte on top of it or
 * behind it.
 */
static inline uint8_t *
put_element(uint8_t *to, uint8_t byte)
{
	size_t is_high = byte >> 7;

	to[0] = 0xcc;
	to[is_high] = byte;
	return to + 1 + is_high;
}

static uint8_t *
put_elements(uint8_t *to, struct bat_slice bytes)
{
	size_t i = 0;

	for (; i + 8 <= bytes.length; i += 8) {
		uint64_t word;

		memcpy(&word, bytes.data + i, 8);
		if ((word & top_bits) == 0) {
			memcpy(to, &word, 8);
			to += 8;
			continue;
		}
		for (size_t j = 0; j < 8; j++)
			to = put_element(to, bytes.data[i + j]);
	}
	for (; i < bytes.length; i++)
		to = put_element(to, bytes.data[i]);
	return to;
}

int
bat_pack_write_byte_array(struct bat_buf *buf, struct bat_slice bytes)
{
	size_t length;
	uint8_t *behind;
	int code;

	if (bytes.length > UINT32_MAX)
		return BAT_USE_TOO_LARGE;
	length = bytes.length + count_high(bytes);
	code = bat_bytes_reserve(buf, 5 + length);
	if (code != 0)
		return code;
	code = bat_pack_write_array(buf, (uint32_t)bytes.length);
	if (code != 0)
		return code;
	behind = put_elements(buf->data + buf->length, bytes);
	buf->length = (size_t)(behind - buf->data);
	return 0;
}

int
bat_pack_write_hash(struct bat_buf *buf, const struct bat_hash *hash)
{
	return bat_pack_write_byte_array(buf,
	    bat_bytes_slice(hash->bytes, sizeof(hash->bytes)));
}
