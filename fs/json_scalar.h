/*
 * JSON values that hold no others, as MessagePack: literals, numbers, strings,
 * and the tags that stand for one value (LINE.md 3).
 *
 * All return 0, BAT_USE_INVALID with the error of the text filled, or
 * BAT_WORLD_NO_MEMORY.
 */
#ifndef BATFS_JSON_SCALAR_H
#define BATFS_JSON_SCALAR_H

#include "json_parts.h"
#include "json_text.h"

struct batfs_json_scalar {
	struct batfs_json_text *text;
	struct bat_buf *scratch; /* not the text's own */
	struct bat_buf *out;
};

int batfs_json_scalar_read(struct batfs_json_scalar *scalar);
/* The rest of {"$bin":..}, $ext, $float or $str behind its colon, with '}'. */
int batfs_json_scalar_read_tag(struct batfs_json_scalar *scalar,
    enum batfs_json_tag tag);

#endif
