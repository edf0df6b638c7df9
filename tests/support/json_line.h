/*
 * For tests: fields of one line of expected.jsonl. No JSON reader: it knows
 * objects, strings and nesting just well enough to find a key of the
 * outermost object; the files are ours.
 */
#ifndef TEST_JSON_LINE_H
#define TEST_JSON_LINE_H

#include "bytes.h"

/* The raw value of a key ({..., "key": value, ...}); empty if absent. */
struct bat_slice json_line_find(struct bat_slice object, const char *key);
/* Step through the members: false at the end. *at starts as 0. */
bool json_line_next(struct bat_slice object, size_t *at,
    struct bat_slice *out_key, struct bat_slice *out_value);
/* A string's text onto buf, without its quotes; nothing for null or "". */
void json_line_text(struct bat_slice value, struct bat_buf *buf);
uint64_t json_line_number(struct bat_slice value);
/* The next line of a file, without its newline; false at the end. */
bool json_line_of(struct bat_slice *file, struct bat_slice *out);

#endif
