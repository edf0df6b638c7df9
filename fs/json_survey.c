#include "json_survey.h"

#include <stdlib.h>

static int
note_map(struct batfs_json_survey *survey, size_t *out_number)
{
	size_t number = survey->map_count++;

	if (number / 64 == survey->word_count) {
		size_t count = 4 * survey->word_count;
		uint64_t *bits = malloc(count * sizeof(*bits));

		if (bits == NULL)
			return BAT_WORLD_NO_MEMORY;
		memset(bits, 0, count * sizeof(*bits));
		memcpy(bits, survey->bits, survey->word_count * sizeof(*bits));
		if (survey->bits != survey->first_bits)
			free(survey->bits);
		survey->bits = bits;
		survey->word_count = count;
	}
	*out_number = number;
	return 0;
}

static void
note_object(struct batfs_json_survey *survey, size_t number)
{
	survey->bits[number / 64] |= UINT64_C(1) << number % 64;
}

bool
batfs_json_survey_is_object(const struct batfs_json_survey *survey,
    size_t number)
{
	return (survey->bits[number / 64] >> number % 64 & 1) != 0;
}

/* A container whose elements are still to come; a map counts two a pair. */
struct survey_level {
	uint64_t left;
	size_t map_number, first_key;
	bool map, object;
};

static void
close_map(struct batfs_json_survey *survey, const struct survey_level *level,
    const uint8_t *base)
{
	size_t place;

	if (level->object &&
	    batfs_json_parts_distinct(&survey->keys, level->first_key, base,
		&place))
		note_object(survey, level->map_number);
	survey->keys.count = level->first_key;
}

static int
survey_key(struct batfs_json_survey *survey, struct survey_level *level,
    const struct bat_pack_token *token, const uint8_t *base)
{
	struct batfs_json_key key;

	if (token->type != BAT_PACK_STR || !bat_bytes_is_utf8(token->bytes)) {
		level->object = false;
		survey->keys.count = level->first_key;
		return 0;
	}
	key = (struct batfs_json_key){
		.at = (uint32_t)(token->bytes.data - base),
		.length = (uint32_t)token->bytes.length,
	};
	return batfs_json_parts_push(&survey->keys, key);
}

/* 0, BAT_DATA_CORRUPT (nested too deep), BAT_WORLD_NO_MEMORY. */
static int
open_level(struct batfs_json_survey *survey, struct survey_level *levels,
    unsigned *depth, const struct bat_pack_token *token)
{
	struct survey_level level = { .map = token->type == BAT_PACK_MAP };

	level.left = level.map ? 2 * (uint64_t)token->count : token->count;
	if (level.map) {
		int code = note_map(survey, &level.map_number);

		if (code != 0)
			return code;
		level.object = true;
		level.first_key = survey->keys.count;
		if (level.left == 0)
			note_object(survey, level.map_number);
	}
	if (level.left == 0)
		return 0;
	if (*depth == BATFS_JSON_DEPTH_MAX - 1)
		return BAT_DATA_CORRUPT;
	levels[++*depth] = level;
	return 0;
}

int
batfs_json_survey_make(struct batfs_json_survey *survey,
    struct bat_slice payload)
{
	struct bat_pack_reader reader = BAT_PACK_READER(payload);
	struct survey_level levels[BATFS_JSON_DEPTH_MAX];
	unsigned depth = 0;

	*survey = (struct batfs_json_survey){ .exact = true };
	survey->bits = survey->first_bits;
	survey->word_count = sizeof(survey->first_bits) /
	    sizeof(*survey->first_bits);
	batfs_json_parts_init(&survey->keys);
	if (payload.length > UINT32_MAX)
		return BAT_DATA_CORRUPT;
	levels[0] = (struct survey_level){ .left = 1 };
	for (;;) {
		struct survey_level *level = &levels[depth];
		struct bat_pack_token token;
		int code;

		if (level->left == 0) {
			if (level->map)
				close_map(survey, level, payload.data);
			if (depth-- == 0)
				break;
			continue;
		}
		code = bat_pack_next(&reader, &token);
		if (code != 0)
			return code;
		survey->exact &= token.shortest;
		if (level->object && level->left % 2 == 0)
			code = survey_key(survey, level, &token, payload.data);
		level->left--;
		if (code == 0 &&
		    (token.type == BAT_PACK_ARRAY ||
			token.type == BAT_PACK_MAP))
			code = open_level(survey, levels, &depth, &token);
		if (code != 0)
			return code;
	}
	return bat_pack_left(&reader) == 0 ? 0 : BAT_DATA_CORRUPT;
}

void
batfs_json_survey_free(struct batfs_json_survey *survey)
{
	batfs_json_parts_free(&survey->keys);
	if (survey->bits != survey->first_bits)
		free(survey->bits);
}
