/*
 * A look over a MessagePack value before the first byte of JSON is written:
 * is it one whole value that is not nested too deep, which of its maps are
 * objects (distinct keys that are strings of UTF-8: LINE.md 3), and are all of
 * its forms the shortest ones. One pass, no recursion.
 *
 * Calling sequence: make, is_object, free (also when make failed).
 */
#ifndef BATFS_JSON_SURVEY_H
#define BATFS_JSON_SURVEY_H

#include "json.h"
#include "json_parts.h"

struct batfs_json_survey {
	uint64_t *bits; /* one a map, in the order in which they start */
	size_t word_count, map_count;
	uint64_t first_bits[4];
	struct batfs_json_keys keys; /* of the maps that are open */
	bool exact; /* encoding what is shown gives the same bytes */
};

/* 0; BAT_DATA_CORRUPT: no bytes, more than a value, cut, 0xc1, deeper than
 * BATFS_JSON_DEPTH_MAX; BAT_WORLD_NO_MEMORY. */
int batfs_json_survey_make(struct batfs_json_survey *survey,
    struct bat_slice payload);
bool batfs_json_survey_is_object(const struct batfs_json_survey *survey,
    size_t number);
void batfs_json_survey_free(struct batfs_json_survey *survey);

#endif
