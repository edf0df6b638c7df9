/*
 * The part of json that reads a text into MessagePack (LINE.md 4; tags: 3).
 */
#include "json.h"

#include "json_outline.h"
#include "json_scalar.h"
#include "json_swift.h"

/* One open array, object or map of pairs. */
struct level {
	enum { LEVEL_ARRAY, LEVEL_OBJECT, LEVEL_PAIRS } type;
	bool started;
	bool strip;    /* the key loses one '$' */
	uint64_t left; /* elements, members, keys and values of pairs */
	size_t first_key;
};

struct reader {
	struct batfs_json_text text;
	struct batfs_json_scalar scalar;
	struct batfs_json_outline outline;
	size_t next_item;
	struct batfs_json_keys keys;
	struct bat_buf scratch, bytes;
	struct bat_buf *out;
	size_t out_start;
	struct level levels[BATFS_JSON_DEPTH_MAX];
	unsigned depth;
};

static int
fail(struct reader *reader, const uint8_t *at, const char *why)
{
	return batfs_json_text_fail(&reader->text, at, why);
}

static const struct batfs_json_item *
take_item(struct reader *reader)
{
	if (reader->next_item == reader->outline.count)
		return NULL;
	return &reader->outline.items[reader->next_item++];
}

static int
fail_deep(struct reader *reader)
{
	return fail(reader, reader->text.at,
	    "values are nested deeper than 128; make it flatter");
}

static int
push(struct reader *reader, struct level level)
{
	if (reader->depth == BATFS_JSON_DEPTH_MAX)
		return fail_deep(reader);
	level.first_key = reader->keys.count;
	reader->levels[reader->depth++] = level;
	return 0;
}

/* Behind {"$map": */
static int
open_pairs(struct reader *reader)
{
	const struct batfs_json_item *item;
	int code = batfs_json_text_expect(&reader->text, '[',
	    "a $map holds pairs: [[key,value],...]");

	if (code != 0)
		return code;
	item = take_item(reader);
	if (item == NULL)
		return fail_deep(reader);
	code = bat_pack_write_map(reader->out, item->count);
	if (code != 0)
		return code;
	return push(reader,
	    (struct level){ .type = LEVEL_PAIRS,
		.left = 2 * (uint64_t)item->count });
}

/* A key and its colon; *out as batfs_json_text_string gives it. */
static int
read_key(struct reader *reader, struct bat_slice *out)
{
	int code;

	batfs_json_text_skip_space(&reader->text);
	code = batfs_json_text_string(&reader->text, out);
	if (code != 0)
		return code;
	return batfs_json_text_expect(&reader->text, ':',
	    "a ':' has to stand between a key and its value");
}

static int
open_object(struct reader *reader, bool *out_complete)
{
	const struct batfs_json_item *item = take_item(reader);
	struct level level = { .type = LEVEL_OBJECT };
	struct bat_slice key;
	int code;

	if (item == NULL)
		return fail_deep(reader);
	level.left = item->count;
	level.strip = item->tag == BATFS_JSON_TAG_ESCAPED;
	if (item->tag == BATFS_JSON_TAG_NONE || level.strip) {
		code = bat_pack_write_map(reader->out, item->count);
		return code == 0 ? push(reader, level) : code;
	}
	code = read_key(reader, &key);
	if (code != 0)
		return code;
	if (item->tag == BATFS_JSON_TAG_MAP)
		return open_pairs(reader);
	*out_complete = true;
	if (item->tag == BATFS_JSON_TAG_EXT)
		take_item(reader); /* its array, which is read at once */
	return batfs_json_scalar_read_tag(&reader->scalar, item->tag);
}

static int
open_array(struct reader *reader)
{
	const struct batfs_json_item *item = take_item(reader);
	int code;

	if (item == NULL)
		return fail_deep(reader);
	code = bat_pack_write_array(reader->out, item->count);
	if (code != 0)
		return code;
	return push(reader,
	    (struct level){ .type = LEVEL_ARRAY, .left = item->count });
}

static int
close_level(struct reader *reader)
{
	struct level *level = &reader->levels[reader->depth - 1];
	struct batfs_json_text *text = &reader->text;
	size_t place;
	int code = 0;

	if (level->type == LEVEL_PAIRS && level->started)
		code = batfs_json_text_expect(text, ']',
		    "a pair of a $map is [key,value] and ends here with ']'");
	if (code == 0 && level->type != LEVEL_OBJECT)
		code = batfs_json_text_expect(text, ']',
		    "a ',' or the ']' of an array has to stand here");
	if (code == 0 && level->type != LEVEL_ARRAY)
		code = batfs_json_text_expect(text, '}',
		    "a ',' or the '}' of an object has to stand here");
	if (code == 0 && level->type == LEVEL_OBJECT &&
	    !batfs_json_parts_distinct(&reader->keys, level->first_key,
		reader->out->data + reader->out_start, &place))
		code = fail(reader, text->start + place,
		    "this key stands in its object twice; keep one of them");
	reader->keys.count = level->first_key;
	reader->depth--;
	return code;
}

static int
next_member(struct reader *reader, const struct level *level)
{
	struct batfs_json_key place;
	struct bat_slice key;
	int code;

	batfs_json_text_skip_space(&reader->text);
	place.place = (uint32_t)(reader->text.at - reader->text.start);
	code = read_key(reader, &key);
	if (code != 0)
		return code;
	if (level->strip)
		key = bat_bytes_slice(key.data + 1, key.length - 1);
	code = bat_pack_write_str(reader->out, key);
	if (code != 0)
		return code;
	place.length = (uint32_t)key.length;
	place.at = (uint32_t)(reader->out->length - reader->out_start -
	    key.length);
	return batfs_json_parts_push(&reader->keys, place);
}

static int
next_of_pair(struct reader *reader, const struct level *level, bool started)
{
	static const char why[] = "a $map holds pairs: [[key,value],...]";
	const struct batfs_json_item *item;
	int code = 0;

	if (level->left % 2 != 0)
		return batfs_json_text_expect(&reader->text, ',', why);
	if (started) {
		code = batfs_json_text_expect(&reader->text, ']', why);
		if (code == 0)
			code = batfs_json_text_expect(&reader->text, ',', why);
	}
	if (code == 0)
		code = batfs_json_text_expect(&reader->text, '[', why);
	if (code != 0)
		return code;
	item = take_item(reader);
	if (item == NULL)
		return fail_deep(reader);
	return item->count == 2 ? 0 : fail(reader, reader->text.at, why);
}

/* What stands in front of the next value of the level on top. */
static int
next_element(struct reader *reader)
{
	struct level *level = &reader->levels[reader->depth - 1];
	bool started = level->started;
	int code = 0;

	level->started = true;
	if (started && level->type != LEVEL_PAIRS)
		code = batfs_json_text_expect(&reader->text, ',',
		    level->type == LEVEL_ARRAY ?
			"a ',' or the ']' of an array has to stand here" :
			"a ',' or the '}' of an object has to stand here");
	if (code == 0 && level->type == LEVEL_OBJECT)
		code = next_member(reader, level);
	else if (code == 0 && level->type == LEVEL_PAIRS)
		code = next_of_pair(reader, level, started);
	level->left--;
	return code;
}

/* *out_complete: false when it opened a level. */
static int
read_value(struct reader *reader, bool *out_complete)
{
	uint8_t first = batfs_json_text_peek(&reader->text);

	if (reader->depth == BATFS_JSON_DEPTH_MAX - (BAT_PLANT(75) ? 1 : 0))
		return fail_deep(reader);
	*out_complete = false;
	if (first == '{') {
		reader->text.at++;
		return open_object(reader, out_complete);
	}
	if (first == '[') {
		reader->text.at++;
		return open_array(reader);
	}
	*out_complete = true;
	return batfs_json_scalar_read(&reader->scalar);
}

static int
read_all(struct reader *reader)
{
	bool complete;
	int code = read_value(reader, &complete);

	while (code == 0) {
		while (reader->depth > 0 &&
		    reader->levels[reader->depth - 1].left == 0) {
			code = close_level(reader);
			if (code != 0)
				return code;
		}
		if (reader->depth == 0)
			return 0;
		code = next_element(reader);
		if (code == 0)
			code = read_value(reader, &complete);
	}
	return code;
}

int
batfs_json_read_any(struct bat_slice text, bool tagged, struct bat_buf *buf,
    size_t *out_used, struct bat_error *error)
{
	struct reader reader;
	size_t start = buf->length;
	int code;

	/* Far above any line; places in text and result fit into 32 bits. */
	if (text.length > BAT_EVENT_FRAME_MAX)
		return bat_error_set(error, BAT_USE_TOO_LARGE,
		    "a JSON text of more than %u bytes is not read",
		    BAT_EVENT_FRAME_MAX);
	if (text.length == 0)
		text.data = (const uint8_t *)"";
	reader.text = (struct batfs_json_text){
		.start = text.data,
		.at = text.data,
		.end = text.data + text.length,
		.scratch = &reader.scratch,
		.error = error,
	};
	reader.scalar = (struct batfs_json_scalar){
		.text = &reader.text,
		.scratch = &reader.bytes,
		.out = buf,
	};
	reader.next_item = 0;
	reader.scratch = reader.bytes = BAT_BUF_EMPTY;
	reader.out = buf;
	reader.out_start = start;
	reader.depth = 0;
	batfs_json_parts_init(&reader.keys);
	code = batfs_json_outline_make(&reader.outline, text, tagged);
	if (code == 0)
		code = read_all(&reader);
	*out_used = (size_t)(reader.text.at - text.data);
	if (code != 0)
		buf->length = start;
	batfs_json_outline_free(&reader.outline);
	batfs_json_parts_free(&reader.keys);
	bat_bytes_free(&reader.scratch);
	bat_bytes_free(&reader.bytes);
	return code;
}

int
batfs_json_to_pack(struct bat_slice text, bool tagged, struct bat_buf *buf,
    size_t *out_used, struct bat_error *error)
{
	int code = batfs_json_swift_read(text, buf, out_used);

	return code == BAT_END ?
	    batfs_json_read_any(text, tagged, buf, out_used, error) :
	    code;
}

int
batfs_json_read_string(struct bat_slice text, struct bat_buf *buf,
    size_t *out_used, struct bat_error *error)
{
	struct bat_buf scratch = BAT_BUF_EMPTY;
	struct batfs_json_text cursor = { text.data, text.data, text.data,
		&scratch, error };
	struct bat_slice string;
	int code;

	if (text.length > 0)
		cursor.end += text.length;
	code = batfs_json_text_string(&cursor, &string);
	if (code == 0)
		code = bat_bytes_append_slice(buf, string);
	*out_used = (size_t)(cursor.at - cursor.start);
	bat_bytes_free(&scratch);
	return code;
}
