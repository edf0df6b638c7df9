#include "json_scalar.h"

#include <math.h>

static int
read_literal(struct batfs_json_scalar *scalar)
{
	static const struct {
		const char *name;
		uint8_t packed;
	} literals[] = { { "null", 0xc0 }, { "false", 0xc2 },
		{ "true", 0xc3 } };
	size_t left = (size_t)(scalar->text->end - scalar->text->at);

	for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++) {
		size_t length = strlen(literals[i].name);

		if (left >= length &&
		    memcmp(scalar->text->at, literals[i].name, length) == 0) {
			scalar->text->at += length;
			return bat_bytes_append_byte(scalar->out,
			    literals[i].packed);
		}
	}
	return batfs_json_text_fail(scalar->text, scalar->text->at,
	    left == 0 ? "a JSON value is missing at the end" :
			"no JSON value starts here; text needs double quotes, "
			"as in \"hello\"");
}

static int
read_number(struct batfs_json_scalar *scalar)
{
	struct batfs_json_number number;
	int code = batfs_json_text_number(scalar->text, &number);

	if (code != 0)
		return code;
	switch (number.type) {
	case BATFS_JSON_NUMBER_UINT:
		return bat_pack_write_uint(scalar->out, number.number);
	case BATFS_JSON_NUMBER_INT:
		return bat_pack_write_int(scalar->out, number.integer);
	case BATFS_JSON_NUMBER_REAL:
		break;
	}
	return bat_pack_write_float64(scalar->out, number.real);
}

int
batfs_json_scalar_read(struct batfs_json_scalar *scalar)
{
	uint8_t first = batfs_json_text_peek(scalar->text);
	struct bat_slice string;
	int code;

	if (first == '-' || (first >= '0' && first <= '9'))
		return read_number(scalar);
	if (first != '"')
		return read_literal(scalar);
	code = batfs_json_text_string(scalar->text, &string);
	return code == 0 ? bat_pack_write_str(scalar->out, string) : code;
}

/* ---- tags ------------------------------------------------------------ */

static const char tag_why[] =
    "this is no tag; it is one of {\"$bin\":\"<base64>\"}, "
    "{\"$str\":\"<base64>\"}, {\"$ext\":[type,\"<base64>\"]}, "
    "{\"$float\":\"nan\"}, {\"$map\":[[key,value]]}; a plain member of that "
    "name gets one more $";

/* "<base64>" into scalar->bytes. */
static int
read_base64(struct batfs_json_scalar *scalar)
{
	struct bat_slice digits;
	const uint8_t *at;
	int code;

	batfs_json_text_skip_space(scalar->text);
	at = scalar->text->at;
	code = batfs_json_text_string(scalar->text, &digits);
	if (code != 0)
		return code;
	bat_bytes_clear(scalar->scratch);
	code = bat_bytes_append_unbase64(scalar->scratch, digits);
	if (code == BAT_USE_INVALID)
		return batfs_json_text_fail(scalar->text, at,
		    "this is not base64 (RFC 4648, with padding)");
	return code;
}

static int
read_ext(struct batfs_json_scalar *scalar)
{
	struct batfs_json_number type;
	uint8_t next;
	int code = batfs_json_text_expect(scalar->text, '[', tag_why);

	if (code != 0)
		return code;
	next = batfs_json_text_peek(scalar->text);
	if (next != '-' && (next < '0' || next > '9'))
		return batfs_json_text_fail(scalar->text, scalar->text->at,
		    tag_why);
	code = batfs_json_text_number(scalar->text, &type);
	if (code != 0)
		return code;
	if (type.type == BATFS_JSON_NUMBER_REAL || type.number > 127 ||
	    type.integer < -128)
		return batfs_json_text_fail(scalar->text, scalar->text->at,
		    "the type of an $ext is an integer of -128 to 127");
	code = batfs_json_text_expect(scalar->text, ',', tag_why);
	if (code == 0)
		code = read_base64(scalar);
	if (code == 0)
		code = batfs_json_text_expect(scalar->text, ']', tag_why);
	if (code != 0)
		return code;
	if (type.type == BATFS_JSON_NUMBER_UINT)
		type.integer = (int64_t)type.number;
	return bat_pack_write_ext(scalar->out, (int8_t)type.integer,
	    bat_bytes_of_buf(scalar->scratch));
}

static int
read_float_tag(struct batfs_json_scalar *scalar)
{
	static const struct {
		const char *name;
		double value;
	} values[] = { { "nan", (double)NAN }, { "inf", HUGE_VAL },
		{ "-inf", -HUGE_VAL } };
	struct bat_slice name;
	const uint8_t *at;
	int code;

	batfs_json_text_skip_space(scalar->text);
	at = scalar->text->at;
	code = batfs_json_text_string(scalar->text, &name);
	if (code != 0)
		return code;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		if (bat_bytes_equal(name, bat_bytes_text(values[i].name)))
			return bat_pack_write_float64(scalar->out,
			    values[i].value);
	}
	return batfs_json_text_fail(scalar->text, at,
	    "a $float is \"nan\", \"inf\" or \"-inf\"; any other is a number");
}

int
batfs_json_scalar_read_tag(struct batfs_json_scalar *scalar,
    enum batfs_json_tag tag)
{
	int code;

	if (tag == BATFS_JSON_TAG_EXT) {
		code = read_ext(scalar);
	} else if (tag == BATFS_JSON_TAG_FLOAT) {
		code = read_float_tag(scalar);
	} else {
		code = read_base64(scalar);
		if (code == 0 && tag == BATFS_JSON_TAG_BIN)
			code = bat_pack_write_bin(scalar->out,
			    bat_bytes_of_buf(scalar->scratch));
		else if (code == 0)
			code = bat_pack_write_str(scalar->out,
			    bat_bytes_of_buf(scalar->scratch));
	}
	if (code != 0)
		return code;
	return batfs_json_text_expect(scalar->text, '}', tag_why);
}
