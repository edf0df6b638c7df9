#include "intake_line.h"

#include "json.h"

#define MEMBERS 12
#define PAYLOAD_MEMBER 6

static int
fail(struct bat_error *error, int code, size_t at, const char *why)
{
	return bat_error_set(error, code, "byte %zu of the line: %s", at, why);
}

static bool
is_blank_byte(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
is_blank(struct bat_slice line)
{
	size_t at = 0;

	while (at < line.length && is_blank_byte(line.data[at]))
		at++;
	return at == line.length;
}

/* ---- the payload ----------------------------------------------------- */

static bool
is_member(struct bat_slice key, size_t number)
{
	static const char *const names[MEMBERS] = { "seq", "clock", "time",
		"entity", "scope", "kind", "data", "id", "corr", "cause",
		"hash", "prev" };
	static const char *const others[] = { "data_b64", "sealed", "damaged" };

	if (bat_bytes_equal(key, bat_bytes_text(names[number])))
		return true;
	for (size_t i = 0; number == PAYLOAD_MEMBER && i < 3; i++) {
		if (bat_bytes_equal(key, bat_bytes_text(others[i])))
			return true;
	}
	return false;
}

/* A line that was copied from a view: its first twelve members tell. */
static bool
is_copied_line(struct bat_slice payload)
{
	struct bat_pack_reader reader = BAT_PACK_READER(payload);
	struct bat_pack_token token;

	if (bat_pack_next(&reader, &token) != 0 || token.type != BAT_PACK_MAP ||
	    token.count < MEMBERS)
		return false;
	for (size_t i = 0; i < MEMBERS; i++) {
		if (bat_pack_next(&reader, &token) != 0 ||
		    token.type != BAT_PACK_STR || !is_member(token.bytes, i) ||
		    bat_pack_skip(&reader, BATFS_JSON_DEPTH_MAX) != 0)
			return false;
	}
	return true;
}

/* The JSON value at line[at..], the only thing that is left. */
static int
read_json(struct batfs_intake_reader *reader, bool tagged,
    struct bat_slice line, size_t at, struct bat_error *error)
{
	struct bat_slice text = { line.data + at, line.length - at };
	size_t start = at, used;
	int code = batfs_json_to_pack(text, tagged, &reader->value, &used,
	    error);

	if (code == BAT_USE_INVALID)
		bat_error_prefix(error, "byte %zu of the line",
		    at + (size_t)error->offset);
	if (code != 0)
		return code;
	at += used;
	while (at < line.length && is_blank_byte(line.data[at]))
		at++;
	if (at < line.length)
		return fail(error, BAT_USE_INVALID, at,
		    "something stands behind the JSON value; a line holds "
		    "one value, and text needs double quotes");
	if (is_copied_line(bat_bytes_of_buf(&reader->value)))
		return fail(error, BAT_USE_INVALID, start,
		    "this is a line copied from a view; append what its data "
		    "holds, with words for the rest");
	return 0;
}

static int
read_raw(struct batfs_intake_reader *reader,
    const struct batfs_intake_words *words, struct bat_slice line, size_t at,
    struct bat_error *error)
{
	int code;

	if (at < line.length)
		return fail(error, BAT_USE_INVALID, at,
		    "behind @raw=<base64> stands no JSON; leave one of them "
		    "out");
	code = bat_bytes_append_unbase64(&reader->value, words->raw);
	if (code == BAT_USE_INVALID)
		return fail(error, code, words->places[BATFS_WORD_RAW],
		    "raw is not base64; it has to be RFC 4648 with padding");
	return code;
}

static int
read_payload(struct batfs_intake_reader *reader,
    const struct batfs_intake_words *words, struct bat_slice line, size_t at,
    struct bat_error *error)
{
	bool tagged = (words->seen >> BATFS_WORD_TAGGED & 1) != 0;

	if ((words->seen >> BATFS_WORD_RAW & 1) != 0)
		return read_raw(reader, words, line, at, error);
	if (at == line.length)
		return fail(error, BAT_USE_INVALID, at,
		    "a JSON value has to stand behind the words");
	return read_json(reader, tagged, line, at, error);
}

static int
read_text(struct batfs_intake_reader *reader, struct bat_slice line,
    struct bat_error *error)
{
	if (!bat_bytes_is_utf8(line))
		return fail(error, BAT_USE_INVALID, 0,
		    "the text is not UTF-8; other bytes go behind @raw= as "
		    "base64, without as=text");
	return bat_pack_write_str(&reader->value, line);
}

/* ---- entity, scope, cause -------------------------------------------- */

/* Under entities/: the one scope that the entity has, else -o scope=. */
static int
find_scope(struct batfs_intake_reader *reader, struct bat_draft *draft,
    struct bat_error *error)
{
	int code = 0;

	if (reader->only_scope.length == 0)
		code = reader->resolver.only_scope(reader->resolver.context,
		    draft->entity, &reader->only_scope);
	if (code == BAT_WORLD_NO_MEMORY)
		return code;
	if (code == 0)
		draft->scope = reader->only_scope;
	else if (reader->place.default_scope.length > 0)
		draft->scope = reader->place.default_scope;
	else
		return fail(error, BAT_USE_INVALID, 0,
		    "no scope is known: the entity is new or has several; "
		    "say @scope=, or write to scopes/SCOPE/ENTITY");
	return 0;
}

static int
find_subject(struct batfs_intake_reader *reader, struct bat_draft *draft,
    struct bat_error *error)
{
	const struct batfs_intake_place *place = &reader->place;
	bool root = place->entity.length == 0;

	if (root && draft->entity.length == 0)
		return fail(error, BAT_USE_INVALID, 0,
		    "the entity is missing; here each line needs @entity= "
		    "and @scope=");
	if (!root)
		draft->entity = place->entity;
	if (place->scope.length > 0)
		draft->scope = place->scope;
	if (draft->scope.length > 0)
		return 0;
	if (root)
		return fail(error, BAT_USE_INVALID, 0,
		    "the scope is missing; here each line needs @entity= and "
		    "@scope=");
	return find_scope(reader, draft, error);
}

static int
find_prev(const struct batfs_intake_reader *reader, size_t place, size_t item,
    struct bat_draft *draft, struct bat_error *error)
{
	if (item > 0) {
		draft->cause = BAT_CAUSE_ITEM;
		draft->cause_number = item - 1;
	} else if (reader->has_prev) {
		draft->cause = BAT_CAUSE_ID;
		draft->cause_id = reader->prev;
	} else {
		return fail(error, BAT_STATE_NOT_FOUND, place,
		    "cause=prev, and nothing was written before on this "
		    "handle; say - or an id");
	}
	return 0;
}

/*
 * Is the draft one that can be? Its names, when they are those of the place,
 * are the same for every line of a feed and are looked at once (600 of 2 000
 * instructions a line). Flags depend on the other lines: the intake looks at
 * them.
 */
static int
check_draft(struct batfs_intake_reader *reader, const struct bat_draft *draft,
    struct bat_error *error)
{
	const struct batfs_intake_place *place = &reader->place;
	struct bat_slice *good = &reader->good_scope;
	bool of_place = draft->entity.data == place->entity.data &&
	    (draft->scope.data == place->scope.data ||
		draft->scope.data == reader->only_scope.data ||
		draft->scope.data == place->default_scope.data);
	int code;

	if (of_place && good->length > 0 && good->data == draft->scope.data)
		return bat_event_check_draft_but_names(draft, true, error);
	code = bat_event_check_draft(draft, true, error);
	if (code == 0 && of_place)
		*good = draft->scope;
	return code;
}

/* What the draft lacks once its words are read. */
static int
complete(struct batfs_intake_reader *reader,
    const struct batfs_intake_words *words, size_t item,
    struct bat_draft *draft, uint32_t *out_number, struct bat_error *error)
{
	int code = find_subject(reader, draft, error);

	if (code == 0 && words->cause_prev)
		code = find_prev(reader, words->places[BATFS_WORD_CAUSE], item,
		    draft, error);
	if (code != 0)
		return code;
	code = check_draft(reader, draft, error);
	if (code != 0) {
		/* The sentence begins with the part that is wrong. */
		bool scope = strncmp(error->text, "the scope", 9) == 0;
		enum batfs_intake_word word = scope ? BATFS_WORD_SCOPE :
						      BATFS_WORD_ENTITY;

		bat_error_prefix(error, "byte %zu of the line",
		    words->places[word]);
		return code;
	}
	if (!batfs_intake_memory_copy(&reader->memory, draft->payload,
		&draft->payload))
		return BAT_WORLD_NO_MEMORY;
	if (words->content_key)
		return batfs_intake_content_key(reader->content, draft,
		    out_number);
	return 0;
}

int
batfs_intake_line_read(struct batfs_intake_reader *reader,
    struct bat_slice line, size_t item, struct bat_draft *out,
    uint32_t *out_number, struct bat_error *error)
{
	struct batfs_intake_desk desk = {
		.place = &reader->place,
		.resolver = &reader->resolver,
		.memory = &reader->memory,
		.scratch = &reader->strings,
	};
	struct batfs_intake_words words = reader->words;
	const uint8_t *nul;
	size_t at = 0;
	int code;

	*out_number = BATFS_INTAKE_CONTENT_NONE;
	if (is_blank(line))
		return BAT_END;
	nul = memchr(line.data, 0, line.length);
	if (nul != NULL && !BAT_PLANT(78))
		return fail(error, BAT_USE_INVALID, (size_t)(nul - line.data),
		    "a NUL byte; inside a string write \\u0000");
	bat_bytes_clear(&reader->value);
	if (words.text) {
		code = read_text(reader, line, error);
	} else {
		code = batfs_intake_words_of_line(&words, &desk, line, &at,
		    error);
		if (code == 0)
			code = read_payload(reader, &words, line, at, error);
	}
	if (code == 0 && reader->writer.length > 0)
		code = batfs_intake_words_stamp(&words, &desk,
		    bat_bytes_of_buf(&reader->writer));
	if (code != 0)
		return code;
	*out = words.draft;
	out->payload = bat_bytes_of_buf(&reader->value);
	return complete(reader, &words, item, out, out_number, error);
}
