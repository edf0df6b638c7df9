#include "intake_words.h"

#include "json.h"
#include "name.h"

/* A word must be there once, and not where the place says it already. */
static int
note_word(struct batfs_intake_words *words, enum batfs_intake_word word,
    const struct batfs_intake_place *place, size_t at, struct bat_error *error)
{
	if ((words->seen >> word & 1) != 0)
		return bat_error_set(error, BAT_USE_INVALID,
		    "the word %s is there twice, here or in the file's name; "
		    "keep one of them",
		    batfs_intake_words_name(word));
	if ((word == BATFS_WORD_ENTITY && place->entity.length > 0) ||
	    (word == BATFS_WORD_SCOPE && place->scope.length > 0))
		return bat_error_set(error, BAT_USE_INVALID,
		    "the file says the %s already; leave the word out, or "
		    "write to append at the root",
		    batfs_intake_words_name(word));
	words->seen |= 1u << word;
	words->places[word] = at;
	return 0;
}

/* ---- extensions ------------------------------------------------------ */

static int
grow_extensions(struct batfs_intake_words *words,
    struct batfs_intake_memory *memory)
{
	size_t capacity = words->extension_capacity == 0 ?
	    4 :
	    2 * words->extension_capacity;
	struct bat_extension *extensions = batfs_intake_memory_take(memory,
	    capacity * sizeof(*extensions));

	if (extensions == NULL)
		return BAT_WORLD_NO_MEMORY;
	if (words->draft.extension_count > 0)
		memcpy(extensions, words->extensions,
		    words->draft.extension_count * sizeof(*extensions));
	words->extensions = extensions;
	words->draft.extensions = extensions;
	words->extension_capacity = capacity;
	return 0;
}

/* Kept sorted by key, as a draft wants them. */
static int
insert_extension(struct batfs_intake_words *words,
    struct batfs_intake_memory *memory, struct bat_extension extension,
    struct bat_error *error)
{
	size_t at = words->draft.extension_count;

	if (at == words->extension_capacity &&
	    grow_extensions(words, memory) != 0)
		return BAT_WORLD_NO_MEMORY;
	while (at > 0) {
		int order = bat_bytes_compare(words->extensions[at - 1].key,
		    extension.key);

		if (order == 0)
			return bat_error_set(error, BAT_USE_INVALID,
			    "this extension is there twice; keep one of them");
		if (order < 0)
			break;
		words->extensions[at] = words->extensions[at - 1];
		at--;
	}
	words->extensions[at] = extension;
	words->draft.extension_count++;
	return 0;
}

/* What a line says of itself. */
static int
add_extension(struct batfs_intake_words *words,
    struct batfs_intake_memory *memory, struct bat_extension extension,
    struct bat_error *error)
{
	static const char own[] = "batfs.";

	if (!bat_event_extension_key_is_legal(extension.key))
		return bat_error_set(error, BAT_USE_INVALID,
		    "an extension is ext.SPACE.NAME in ASCII, at most %d "
		    "bytes, SPACE not batpak",
		    BAT_EVENT_EXTENSION_KEY_MAX);
	/* Else a stamp would prove nothing, with -o stamp or without. */
	if (extension.key.length >= sizeof(own) - 1 &&
	    memcmp(extension.key.data, own, sizeof(own) - 1) == 0 &&
	    !BAT_PLANT(132))
		return bat_error_set(error, BAT_USE_RESERVED,
		    "extensions of the space batfs are written by the mount "
		    "alone; take another space");
	return insert_extension(words, memory, extension, error);
}

int
batfs_intake_words_stamp(struct batfs_intake_words *words,
    const struct batfs_intake_desk *desk, struct bat_slice writer)
{
	return insert_extension(words, desk->memory,
	    (struct bat_extension){
		.key = bat_bytes_text(BATFS_INTAKE_WRITER_KEY),
		.value = writer,
	    },
	    NULL);
}

/* ---- in a name ------------------------------------------------------- */

/* An entity or scope stands in a name as the tree spells it. */
static int
decode_name(struct bat_slice *value, struct batfs_intake_memory *memory,
    struct bat_error *error)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	int code = batfs_name_decode(*value, &buf);

	if (code == 0 &&
	    !batfs_intake_memory_copy(memory, bat_bytes_of_buf(&buf), value))
		code = BAT_WORLD_NO_MEMORY;
	bat_bytes_free(&buf);
	if (code == BAT_STATE_NOT_FOUND)
		return bat_error_set(error, BAT_USE_INVALID,
		    "the scope in the file's name is not spelled as in the "
		    "tree");
	return code;
}

int
batfs_intake_words_of_name(struct batfs_intake_words *words,
    const struct batfs_intake_desk *desk, struct bat_error *error)
{
	struct bat_slice rest = desk->place->words, name, value;
	int code;

	*words = (struct batfs_intake_words){
		.draft = { .kind = desk->place->default_kind },
		.text = desk->place->text,
	};
	for (;;) {
		enum batfs_intake_word word;

		code = batfs_name_next_word(&rest, &name, &value);
		if (code == BAT_END)
			return 0;
		word = code == 0 ? batfs_intake_words_find(name) :
				   BATFS_WORD_COUNT;
		if (word == BATFS_WORD_COUNT || word == BATFS_WORD_RAW ||
		    word == BATFS_WORD_TAGGED)
			return bat_error_set(error, BAT_USE_INVALID,
			    "the file's name holds a word that does not go "
			    "with an append");
		code = note_word(words, word, desk->place, 0, error);
		if (code == 0 &&
		    (word == BATFS_WORD_ENTITY || word == BATFS_WORD_SCOPE))
			code = decode_name(&value, desk->memory, error);
		if (code == 0)
			code = batfs_intake_words_set(words, word,
			    desk->resolver, value, error);
		if (code != 0)
			return code;
	}
}

/* ---- in a line ------------------------------------------------------- */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct bat_slice
cut(struct bat_slice line, size_t from, size_t to)
{
	return bat_bytes_slice(line.data + from, to - from);
}

/*
 * The value behind '=': bare up to a blank, or a JSON string. A bare one is
 * of the line, which does not outlive the feed: both are copied.
 */
static int
read_value(const struct batfs_intake_desk *desk, struct bat_slice line,
    size_t *at, struct bat_slice *out, struct bat_error *error)
{
	size_t start = *at, end = start, used;
	struct bat_slice value;
	int code;

	if (start < line.length && line.data[start] == '"') {
		bat_bytes_clear(desk->scratch);
		code = batfs_json_read_string(cut(line, start, line.length),
		    desk->scratch, &used, error);
		if (code != 0)
			return code;
		end = start + used;
		if (end < line.length && !is_blank(line.data[end]))
			return bat_error_set(error, BAT_USE_INVALID,
			    "a space has to stand behind the word's string");
		value = bat_bytes_of_buf(desk->scratch);
	} else {
		while (end < line.length && !is_blank(line.data[end]))
			end++;
		value = cut(line, start, end);
	}
	*at = end;
	return batfs_intake_memory_copy(desk->memory, value, out) ?
	    0 :
	    BAT_WORLD_NO_MEMORY;
}

static int
refuse_unknown(struct bat_error *error)
{
	return bat_error_set(error, BAT_USE_INVALID,
	    "there is no such word; the words are entity, scope, kind, cause, "
	    "corr, key, expect, lane, depth, flags, ext.SPACE.NAME, tagged "
	    "and raw");
}

/* At an '@': one word with its value. */
static int
read_word(struct batfs_intake_words *words,
    const struct batfs_intake_desk *desk, struct bat_slice line, size_t *at,
    struct bat_error *error)
{
	size_t start = *at, end = start + 1;
	struct bat_slice name, value = BAT_SLICE_EMPTY;
	enum batfs_intake_word word;
	bool valued, extension;
	int code;

	while (end < line.length && line.data[end] != '=' &&
	    !is_blank(line.data[end]))
		end++;
	name = cut(line, start + 1, end);
	valued = end < line.length && line.data[end] == '=';
	extension = name.length > 4 && memcmp(name.data, "ext.", 4) == 0;
	word = batfs_intake_words_find(name);
	if (!extension && (word == BATFS_WORD_COUNT || word == BATFS_WORD_AS))
		return refuse_unknown(error);
	if (valued != (word != BATFS_WORD_TAGGED))
		return bat_error_set(error, BAT_USE_INVALID,
		    valued ? "tagged takes no value" :
			     "the word takes a value: @word=value");
	code = extension ? 0 :
			   note_word(words, word, desk->place, start, error);
	*at = end + valued;
	if (code == 0 && valued)
		code = read_value(desk, line, at, &value, error);
	if (code == 0 && !extension)
		code = batfs_intake_words_set(words, word, desk->resolver,
		    value, error);
	if (code == 0 && extension &&
	    !batfs_intake_memory_copy(desk->memory, cut(name, 4, name.length),
		&name))
		code = BAT_WORLD_NO_MEMORY;
	if (code == 0 && extension)
		code = add_extension(words, desk->memory,
		    (struct bat_extension){ name, value }, error);
	return code;
}

int
batfs_intake_words_of_line(struct batfs_intake_words *words,
    const struct batfs_intake_desk *desk, struct bat_slice line, size_t *at,
    struct bat_error *error)
{
	for (;;) {
		size_t start;
		int code;

		while (*at < line.length && is_blank(line.data[*at]))
			(*at)++;
		if (*at == line.length || line.data[*at] != '@')
			return 0;
		start = *at;
		code = read_word(words, desk, line, at, error);
		if (code != 0 && code != BAT_WORLD_NO_MEMORY)
			bat_error_prefix(error, "byte %zu of the line", start);
		if (code != 0)
			return code;
	}
}
