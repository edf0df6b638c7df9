#include "json_outline.h"

#include "json.h"

#include <stdlib.h>

/* A level of MessagePack takes at most three of JSON ({"$map":[[). Beyond, the
 * reader gives up before it asks for more. */
#define NESTED_MAX (3 * BATFS_JSON_DEPTH_MAX + 3)

/* An array or object that is open. */
struct open_item {
	size_t number;
	bool started; /* something stands in it */
	enum batfs_json_tag tag;
};

struct walk {
	const uint8_t *at, *end;
	struct batfs_json_outline *outline;
	struct bat_buf scratch;
	bool tagged;
	struct open_item open[NESTED_MAX];
	unsigned depth;
};

/* At a quote: the text behind it up to the next quote that is not escaped. */
static struct bat_slice
take_string(struct walk *walk, bool *out_escaped)
{
	const uint8_t *start = ++walk->at, *p = start, *quote = start;

	*out_escaped = false;
	while (p < walk->end) {
		const uint8_t *slash;

		if (quote <= p) {
			quote = memchr(p, '"', (size_t)(walk->end - p));
			if (quote == NULL)
				quote = walk->end;
		}
		slash = memchr(p, '\\', (size_t)(quote - p));
		if (slash == NULL)
			break;
		*out_escaped = true;
		if (walk->end - slash < 2) {
			quote = walk->end;
			break;
		}
		p = slash + 2;
	}
	if (p == walk->end)
		quote = walk->end;
	walk->at = quote < walk->end ? quote + 1 : quote;
	return bat_bytes_slice(start, (size_t)(quote - start));
}

/* The tag of a key as it stands in the text. 0 or BAT_WORLD_NO_MEMORY. */
static int
find_tag(struct walk *walk, struct bat_slice raw, bool escaped,
    enum batfs_json_tag *out_tag)
{
	/* With its quotes, as a reader of strings wants it. */
	struct bat_slice quoted = bat_bytes_slice(raw.data - 1, raw.length + 2);
	size_t used;
	int code;

	*out_tag = BATFS_JSON_TAG_NONE;
	if (!escaped) {
		*out_tag = batfs_json_parts_tag(raw);
		return 0;
	}
	if (raw.data + raw.length == walk->end)
		return 0;
	bat_bytes_clear(&walk->scratch);
	code = batfs_json_read_string(quoted, &walk->scratch, &used, NULL);
	if (code == 0)
		*out_tag = batfs_json_parts_tag(
		    bat_bytes_of_buf(&walk->scratch));
	return code == BAT_USE_INVALID ? 0 : code;
}

static int
walk_string(struct walk *walk)
{
	struct open_item *top = walk->depth == 0 ? NULL :
						   &walk->open[walk->depth - 1];
	bool escaped;
	struct bat_slice raw = take_string(walk, &escaped);

	if (top == NULL || top->started)
		return 0;
	top->started = true;
	if (!walk->tagged)
		return 0;
	return find_tag(walk, raw, escaped, &top->tag);
}

static int
add_item(struct batfs_json_outline *outline)
{
	if (outline->count == outline->capacity) {
		size_t capacity = 4 * outline->capacity;
		struct batfs_json_item *items;
		bool first = outline->items == outline->first_items;

		items = realloc(first ? NULL : outline->items,
		    capacity * sizeof(*items));
		if (items == NULL)
			return BAT_WORLD_NO_MEMORY;
		if (first)
			memcpy(items, outline->first_items,
			    sizeof(outline->first_items));
		outline->items = items;
		outline->capacity = capacity;
	}
	outline->items[outline->count++] =
	    (struct batfs_json_item){ .count = 0 };
	return 0;
}

static int
open_bracket(struct walk *walk)
{
	int code = add_item(walk->outline);

	if (code != 0)
		return code;
	if (walk->depth > 0)
		walk->open[walk->depth - 1].started = true;
	walk->open[walk->depth++] = (struct open_item){
		.number = walk->outline->count - 1,
		.started = false,
		.tag = BATFS_JSON_TAG_NONE,
	};
	return 0;
}

/* At a bracket, or at the end of a text that lacks it. */
static void
close_item(struct walk *walk, bool object)
{
	const struct open_item *top = &walk->open[--walk->depth];
	struct batfs_json_item *item = &walk->outline->items[top->number];

	/* So far it has counted commas. */
	if (top->started)
		item->count++;
	if (item->count == 1 && object)
		item->tag = top->tag;
}

static int
walk_text(struct walk *walk)
{
	while (walk->at < walk->end) {
		struct open_item *top = walk->depth == 0 ?
		    NULL :
		    &walk->open[walk->depth - 1];
		int code = 0;

		switch (*walk->at) {
		case '"':
			code = walk_string(walk);
			break;
		case '[':
		case '{':
			if (walk->depth == NESTED_MAX)
				return 0;
			code = open_bracket(walk);
			walk->at++;
			break;
		case ']':
		case '}':
			if (top == NULL)
				return 0;
			close_item(walk, *walk->at == '}');
			walk->at++;
			break;
		case ' ':
		case '\t':
		case '\r':
		case '\n':
			walk->at++;
			continue;
		default:
			/* "[," has two members, and both are missing. */
			if (top != NULL && *walk->at == ',')
				walk->outline->items[top->number].count++;
			if (top != NULL)
				top->started = true;
			walk->at++;
		}
		if (code != 0)
			return code;
		if (walk->depth == 0)
			return 0;
	}
	return 0;
}

int
batfs_json_outline_make(struct batfs_json_outline *outline,
    struct bat_slice text, bool tagged)
{
	struct walk walk;
	int code;

	outline->items = outline->first_items;
	outline->count = 0;
	outline->capacity = sizeof(outline->first_items) /
	    sizeof(*outline->first_items);
	if (text.length == 0)
		return 0;
	walk.at = text.data;
	walk.end = text.data + text.length;
	walk.outline = outline;
	walk.scratch = BAT_BUF_EMPTY;
	walk.tagged = tagged;
	walk.depth = 0;
	code = walk_text(&walk);
	while (walk.depth > 0)
		close_item(&walk, false);
	bat_bytes_free(&walk.scratch);
	return code;
}

void
batfs_json_outline_free(struct batfs_json_outline *outline)
{
	if (outline->items != outline->first_items)
		free(outline->items);
	outline->items = NULL;
}
