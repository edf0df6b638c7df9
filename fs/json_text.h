/*
 * A JSON text under a cursor: spaces, expected characters, strings and the
 * errors that say at which byte (error->offset, counted from the start of the
 * text). The reader of json is built on it.
 *
 * All return 0, BAT_USE_INVALID with *error filled, or BAT_WORLD_NO_MEMORY.
 */
#ifndef BATFS_JSON_TEXT_H
#define BATFS_JSON_TEXT_H

#include "json_number.h"

struct batfs_json_text {
	const uint8_t *start, *at, *end;
	struct bat_buf *scratch; /* for strings with escapes */
	struct bat_error *error; /* may be NULL */
};

int batfs_json_text_fail(struct batfs_json_text *text, const uint8_t *at,
    const char *why);
void batfs_json_text_skip_space(struct batfs_json_text *text);
/* The next character that is no space; 0 at the end. */
uint8_t batfs_json_text_peek(struct batfs_json_text *text);
/* It has to be this one. */
int batfs_json_text_expect(struct batfs_json_text *text, char wanted,
    const char *why);
/* A string; *out points into the text or, until the next call, scratch. */
int batfs_json_text_string(struct batfs_json_text *text, struct bat_slice *out);
int batfs_json_text_number(struct batfs_json_text *text,
    struct batfs_json_number *out);

#endif
