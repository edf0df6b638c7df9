/*
 * The part of pack that writes, always the shortest form. msgpack-c chooses
 * it, but for arrays of bytes, which would cost it a call per byte.
 */
#include "pack.h"

#include "pack_put.h"

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

int
bat_pack_write_byte_array(struct bat_buf *buf, struct bat_slice bytes)
{
	int code;

	if (bytes.length > UINT32_MAX)
		return BAT_USE_TOO_LARGE;
	code = bat_bytes_reserve(buf,
	    BAT_PACK_PUT_ROOM + BAT_PACK_SPREAD_ROOM(bytes.length));
	if (code != 0)
		return code;
	buf->length = (size_t)(bat_pack_put_byte_array(buf->data + buf->length,
				   bytes) -
	    buf->data);
	return 0;
}

int
bat_pack_write_hash(struct bat_buf *buf, const struct bat_hash *hash)
{
	return bat_pack_write_byte_array(buf,
	    bat_bytes_slice(hash->bytes, sizeof(hash->bytes)));
}
