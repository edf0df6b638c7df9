/*
 * The outline of a JSON text: how many members each array and object has, and
 * which objects are tags, in the order in which they start. MessagePack wants
 * a count before the first member; with the outline the reader writes each
 * byte once, at its place.
 *
 * It only counts brackets, commas and quotes. Of a text that is not JSON it
 * says something, and the reader, which checks all, finds what is wrong.
 *
 * Calling sequence: make, items[0 .. count), free (also when make failed).
 */
#ifndef BATFS_JSON_OUTLINE_H
#define BATFS_JSON_OUTLINE_H

#include "json_parts.h"

struct batfs_json_item {
	uint32_t count; /* members */
	/* Of an object of one member, when tags are read. */
	enum batfs_json_tag tag;
};

struct batfs_json_outline {
	struct batfs_json_item *items;
	size_t count, capacity;
	struct batfs_json_item first_items[32];
};

/* Of the value at the start of text; tagged: look for tags. 0 or
 * BAT_WORLD_NO_MEMORY. */
int batfs_json_outline_make(struct batfs_json_outline *outline,
    struct bat_slice text, bool tagged);
void batfs_json_outline_free(struct batfs_json_outline *outline);

#endif
