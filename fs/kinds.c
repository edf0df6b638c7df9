#include "kinds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_MIN 2
#define NAME_MAX_BYTES 64

struct item {
	struct bat_slice name; /* in text */
	uint16_t kind;
	size_t line;
};

struct batfs_kinds {
	struct bat_buf text;
	struct item *items;
	size_t count, capacity;
	struct bat_map by_name;
};

/* Where we are, for messages. */
struct place {
	const char *path;
	size_t line;
	struct bat_error *error;
};

static int
refuse(const struct place *place, const char *why)
{
	return bat_error_set(place->error, BAT_USE_INVALID, "%s line %zu: %s",
	    place->path, place->line, why);
}

static bool
item_same(const void *context, uint32_t number, struct bat_slice key)
{
	const struct batfs_kinds *kinds = context;

	return bat_bytes_equal(kinds->items[number].name, key);
}

static uint64_t
item_hash(const void *context, uint32_t number)
{
	const struct batfs_kinds *kinds = context;

	return bat_map_hash(kinds->items[number].name);
}

/* ---- a line ------------------------------------------------------------------ */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The next word of a line; empty: there is none. */
static struct bat_slice
take_word(struct bat_slice *line)
{
	size_t start = 0, end;
	struct bat_slice word;

	while (start < line->length && is_blank(line->data[start]))
		start++;
	end = start;
	while (end < line->length && !is_blank(line->data[end]))
		end++;
	word = bat_bytes_slice(line->data + start, end - start);
	*line = bat_bytes_slice(line->data + end, line->length - end);
	return word;
}

static int
check_name(struct bat_slice name, const struct place *place)
{
	uint16_t kind;

	if (name.length == 0)
		return refuse(place,
		    "a name is missing; write `f.001 moved`, a kind and a "
		    "name");
	if (name.length < NAME_MIN || name.length > NAME_MAX_BYTES)
		return refuse(place, "a name has 2 to 64 bytes; take another");
	if (!is_letter(name.data[0]))
		return refuse(place,
		    "a name starts with a letter; take another");
	for (size_t i = 0; i < name.length; i++) {
		uint8_t c = name.data[i];

		if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_' &&
		    c != '-' && c != '.')
			return refuse(place,
			    "a name is made of ASCII letters, digits, _ - and "
			    ".; take another");
	}
	if (bat_kind_from_text(name, &kind))
		return refuse(place, "the name reads as a kind; take another");
	return 0;
}

static int
check_kind(struct bat_slice word, uint16_t *out, const struct place *place)
{
	if (!bat_kind_from_text(word, out))
		return refuse(place,
		    "no kind stands at its start; write `f.001 moved` or "
		    "`0xf001 moved`, or # in front of what is not meant");
	if (bat_kind_mapped(*out) != *out)
		return refuse(place,
		    "no event is ever shown with this kind, which is one of "
		    "the store's own; take it out");
	return 0;
}

static int
add(struct batfs_kinds *kinds, const struct item *item,
    const struct place *place)
{
	uint32_t number = bat_map_find(&kinds->by_name, item->name);

	if (number != BAT_MAP_NONE)
		return bat_error_set(place->error, BAT_USE_INVALID,
		    "%s line %zu: the name stands in line %zu already; take "
		    "one of them out",
		    place->path, place->line, kinds->items[number].line);
	if (kinds->count == kinds->capacity) {
		size_t wanted = kinds->capacity == 0 ? 16 : kinds->capacity * 2;
		struct item *larger = reallocarray(kinds->items, wanted,
		    sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		kinds->items = larger;
		kinds->capacity = wanted;
	}
	kinds->items[kinds->count] = *item;
	if (bat_map_put(&kinds->by_name, item->name, (uint32_t)kinds->count) !=
	    0)
		return BAT_WORLD_NO_MEMORY;
	kinds->count++;
	return 0;
}

static int
take_line(struct batfs_kinds *kinds, struct bat_slice line,
    const struct place *place)
{
	struct bat_slice word = take_word(&line);
	struct item item = { .line = place->line };
	int code;

	if (word.length == 0 || word.data[0] == '#')
		return 0;
	code = check_kind(word, &item.kind, place);
	item.name = take_word(&line);
	if (code == 0)
		code = check_name(item.name, place);
	if (code == 0 && take_word(&line).length > 0)
		code = refuse(place,
		    "something stands behind the name; a line is a kind and a "
		    "name");
	return code == 0 ? add(kinds, &item, place) : code;
}

/* ---- the file ---------------------------------------------------------------- */

static int
take_lines(struct batfs_kinds *kinds, struct place *place)
{
	struct bat_slice rest = bat_bytes_of_buf(&kinds->text);
	int code = 0;

	while (code == 0 && rest.length > 0) {
		const uint8_t *end = memchr(rest.data, '\n', rest.length);
		size_t length = end == NULL ? rest.length :
					      (size_t)(end - rest.data);
		size_t used = end == NULL ? length : length + 1;

		place->line++;
		code = take_line(kinds, bat_bytes_slice(rest.data, length),
		    place);
		rest = bat_bytes_slice(rest.data + used, rest.length - used);
	}
	return code;
}

int
batfs_kinds_parse(struct bat_slice text, const char *path,
    struct batfs_kinds **out, struct bat_error *error)
{
	struct batfs_kinds *kinds = calloc(1, sizeof(*kinds));
	struct place place = { .path = path, .error = error };
	int code;

	if (kinds == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "%s", path);
	bat_map_init(&kinds->by_name, kinds, item_same, item_hash);
	code = bat_bytes_append_slice(&kinds->text, text);
	if (code == 0)
		code = take_lines(kinds, &place);
	if (code == BAT_WORLD_NO_MEMORY)
		bat_error_set(error, code, "%s", path);
	if (code == 0)
		*out = kinds;
	else
		batfs_kinds_free(kinds);
	return code;
}

static int
read_file(FILE *file, const char *path, struct bat_buf *text,
    struct bat_error *error)
{
	uint8_t bytes[4096];
	size_t count;

	while ((count = fread(bytes, 1, sizeof(bytes), file)) > 0) {
		if (text->length + count > BATFS_KINDS_FILE_MAX)
			return bat_error_set(error, BAT_USE_INVALID,
			    "%s: more than %u bytes; this is no list of kinds",
			    path, BATFS_KINDS_FILE_MAX);
		if (bat_bytes_append(text, bytes, count) != 0)
			return bat_error_set(error, BAT_WORLD_NO_MEMORY, "%s",
			    path);
	}
	return ferror(file) ? bat_error_set_os(error, errno, "%s", path) : 0;
}

int
batfs_kinds_read(const char *path, struct batfs_kinds **out,
    struct bat_error *error)
{
	FILE *file = fopen(path, "re");
	struct bat_buf text = BAT_BUF_EMPTY;
	int code;

	if (file == NULL)
		return bat_error_set_os(error, errno, "%s", path);
	code = read_file(file, path, &text, error);
	fclose(file);
	if (code == 0)
		code = batfs_kinds_parse(bat_bytes_of_buf(&text), path, out,
		    error);
	bat_bytes_free(&text);
	return code;
}

void
batfs_kinds_free(struct batfs_kinds *kinds)
{
	if (kinds == NULL)
		return;
	bat_bytes_free(&kinds->text);
	free(kinds->items);
	bat_map_free(&kinds->by_name);
	free(kinds);
}

bool
batfs_kinds_find(const struct batfs_kinds *kinds, struct bat_slice name,
    uint16_t *out)
{
	uint32_t number = kinds == NULL ? BAT_MAP_NONE :
					  bat_map_find(&kinds->by_name, name);

	if (number == BAT_MAP_NONE)
		return false;
	*out = kinds->items[number].kind;
	return true;
}

bool
batfs_kinds_at(const struct batfs_kinds *kinds, size_t position,
    struct bat_slice *out_name, uint16_t *out_kind)
{
	if (kinds == NULL || position >= kinds->count)
		return false;
	*out_name = kinds->items[position].name;
	*out_kind = kinds->items[position].kind;
	return true;
}
