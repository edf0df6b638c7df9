/*
 * The part of json that shows a MessagePack value (LINE.md 3).
 */
#include "json.h"

#include "json_number.h"
#include "json_parts.h"
#include "json_plain.h"
#include "json_survey.h"

#include <math.h>

static inline int
put_byte(struct bat_buf *buf, char byte)
{
	if (buf->length == buf->capacity)
		return bat_bytes_append_byte(buf, (uint8_t)byte);
	buf->data[buf->length++] = (uint8_t)byte;
	return 0;
}

int
batfs_json_write_base64(struct bat_buf *buf, const char *before,
    struct bat_slice bytes, const char *after)
{
	int code = bat_bytes_append_text(buf, before);

	if (code == 0)
		code = bat_bytes_append_base64(buf, bytes.data, bytes.length);
	return code == 0 ? bat_bytes_append_text(buf, after) : code;
}

static int
put_float(struct bat_buf *buf, double value)
{
	if (isnan(value))
		return bat_bytes_append_text(buf, "{\"$float\":\"nan\"}");
	if (isinf(value))
		return bat_bytes_append_text(buf,
		    value > 0 ? "{\"$float\":\"inf\"}" :
				"{\"$float\":\"-inf\"}");
	return batfs_json_number_write_double(buf, value);
}

static int
put_ext(struct bat_buf *buf, const struct bat_pack_token *token)
{
	int code = bat_bytes_append_text(buf, "{\"$ext\":[");

	if (code == 0)
		code = batfs_json_number_write_int(buf, token->ext_type);
	return code == 0 ?
	    batfs_json_write_base64(buf, ",\"", token->bytes, "\"]}") :
	    code;
}

/* Everything but the elements of arrays and maps. */
static int
put_scalar(struct bat_buf *buf, const struct bat_pack_token *token)
{
	switch (token->type) {
	case BAT_PACK_NIL:
		return bat_bytes_append_text(buf, "null");
	case BAT_PACK_BOOL:
		return bat_bytes_append_text(buf,
		    token->boolean ? "true" : "false");
	case BAT_PACK_UINT:
		return batfs_json_number_write_uint(buf, token->number);
	case BAT_PACK_INT:
		return batfs_json_number_write_int(buf, token->integer);
	case BAT_PACK_FLOAT32:
	case BAT_PACK_FLOAT64:
		return put_float(buf, token->real);
	case BAT_PACK_STR:
		if (bat_bytes_is_utf8(token->bytes))
			return batfs_json_write_string(buf, token->bytes);
		return batfs_json_write_base64(buf, "{\"$str\":\"",
		    token->bytes, "\"}");
	case BAT_PACK_BIN:
		return batfs_json_write_base64(buf, "{\"$bin\":\"",
		    token->bytes, "\"}");
	case BAT_PACK_EXT:
		return put_ext(buf, token);
	case BAT_PACK_ARRAY:
	case BAT_PACK_MAP:
		break;
	}
	return 0;
}

enum level_type { LEVEL_TOP, LEVEL_ARRAY, LEVEL_OBJECT, LEVEL_PAIRS };

struct level {
	enum level_type type;
	bool started;
	bool single; /* an object of one member */
	uint64_t left;
};

/* What stands between the elements of a level. */
static int
put_separator(struct bat_buf *buf, struct level *level)
{
	bool key = level->left % 2 == 0, started = level->started;

	level->started = true;
	switch (level->type) {
	case LEVEL_TOP:
		break;
	case LEVEL_ARRAY:
		return started ? put_byte(buf, ',') : 0;
	case LEVEL_OBJECT:
		if (!key)
			return put_byte(buf, ':');
		return started ? put_byte(buf, ',') : 0;
	case LEVEL_PAIRS:
		if (!key)
			return put_byte(buf, ',');
		return bat_bytes_append_text(buf, started ? "],[" : "[");
	}
	return 0;
}

static int
put_end(struct bat_buf *buf, const struct level *level)
{
	switch (level->type) {
	case LEVEL_TOP:
		break;
	case LEVEL_ARRAY:
		return put_byte(buf, ']');
	case LEVEL_OBJECT:
		return put_byte(buf, '}');
	case LEVEL_PAIRS:
		return bat_bytes_append_text(buf, "]]}");
	}
	return 0;
}

static int
put_start(struct bat_buf *buf, const struct bat_pack_token *token, bool object,
    struct level *out)
{
	*out = (struct level){ .type = LEVEL_ARRAY, .left = token->count };
	if (token->type == BAT_PACK_ARRAY)
		return put_byte(buf, '[');
	out->left *= 2;
	out->single = token->count == 1;
	out->type = object ? LEVEL_OBJECT : LEVEL_PAIRS;
	return object ? put_byte(buf, '{') :
			bat_bytes_append_text(buf, "{\"$map\":[");
}

/* A key that would read as a tag gets one more '$'. */
static int
put_key(struct bat_buf *buf, const struct level *level, struct bat_slice key)
{
	int code;

	if (!level->single || batfs_json_parts_tag(key) == BATFS_JSON_TAG_NONE)
		return batfs_json_write_string(buf, key);
	code = bat_bytes_append_text(buf, "\"$");
	if (code == 0)
		code = bat_bytes_append_slice(buf, key);
	return code == 0 ? put_byte(buf, '"') : code;
}

/* The payload was surveyed: it is whole and not too deep. */
static int
put_value(struct bat_buf *buf, const struct batfs_json_survey *survey,
    struct bat_slice payload)
{
	struct bat_pack_reader reader = BAT_PACK_READER(payload);
	struct level levels[BATFS_JSON_DEPTH_MAX + 1];
	unsigned depth = 0;
	size_t map_number = 0;

	levels[0] = (struct level){ .type = LEVEL_TOP, .left = 1 };
	for (;;) {
		struct level *level = &levels[depth];
		struct bat_pack_token token;
		bool key;
		int code;

		if (level->left == 0) {
			code = put_end(buf, level);
			if (code != 0 || depth-- == 0)
				return code;
			continue;
		}
		code = bat_pack_next(&reader, &token);
		if (code == 0)
			code = put_separator(buf, level);
		if (code != 0)
			return code;
		key = level->type == LEVEL_OBJECT && level->left % 2 == 0;
		level->left--;
		if (token.type == BAT_PACK_ARRAY)
			code = put_start(buf, &token, false, &levels[++depth]);
		else if (token.type == BAT_PACK_MAP)
			code = put_start(buf, &token,
			    batfs_json_survey_is_object(survey, map_number++),
			    &levels[++depth]);
		else if (key)
			code = put_key(buf, level, token.bytes);
		else
			code = put_scalar(buf, &token);
		if (code != 0)
			return code;
	}
}

int
batfs_json_of_any_pack(struct bat_slice payload, struct bat_buf *buf,
    bool *out_exact)
{
	struct batfs_json_survey survey;
	size_t start = buf->length;
	int code = batfs_json_survey_make(&survey, payload);

	if (code == 0)
		code = put_value(buf, &survey, payload);
	if (code != 0)
		buf->length = start;
	*out_exact = code == 0 && survey.exact;
	batfs_json_survey_free(&survey);
	return code;
}

int
batfs_json_of_pack(struct bat_slice payload, struct bat_buf *buf,
    bool *out_exact)
{
	int code = batfs_json_plain_write(payload, buf);

	*out_exact = true;
	return code == BAT_END ?
	    batfs_json_of_any_pack(payload, buf, out_exact) :
	    code;
}
