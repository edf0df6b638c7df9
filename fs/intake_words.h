/*
 * Words: what stands in front of the value of a line as @key=value, or in a
 * file's name as ,key=value (LINE.md 5; DESIGN.md, "Names").
 *
 * All return 0; BAT_USE_INVALID or BAT_USE_RESERVED with a sentence;
 * BAT_WORLD_NO_MEMORY.
 */
#ifndef BATFS_INTAKE_WORDS_H
#define BATFS_INTAKE_WORDS_H

#include "intake.h"
#include "intake_memory.h"

enum batfs_intake_word {
	BATFS_WORD_ENTITY,
	BATFS_WORD_SCOPE,
	BATFS_WORD_KIND,
	BATFS_WORD_CAUSE,
	BATFS_WORD_CORR,
	BATFS_WORD_KEY,
	BATFS_WORD_EXPECT,
	BATFS_WORD_LANE,
	BATFS_WORD_DEPTH,
	BATFS_WORD_FLAGS,
	BATFS_WORD_TAGGED,
	BATFS_WORD_RAW,
	BATFS_WORD_AS, /* in names only */
	BATFS_WORD_COUNT
};

struct batfs_intake_words {
	uint32_t seen; /* 1 << word */
	/* The draft as far as words say it: entity, scope, kind, cause (but
	 * not prev), corr, key, expect, lane, depth, flags, extensions. */
	struct bat_draft draft;
	bool cause_prev, content_key, text;
	struct bat_slice raw; /* base64 */
	struct bat_extension *extensions;
	size_t extension_capacity;
	/* Where a line's word stands; 0 for those of a name. */
	size_t places[BATFS_WORD_COUNT];
};

/* What words are read with; all borrowed. */
struct batfs_intake_desk {
	const struct batfs_intake_place *place;
	const struct batfs_intake_resolver *resolver;
	struct batfs_intake_memory *memory; /* of slices that are kept */
	struct bat_buf *scratch;	    /* for strings */
};

/* The words of the place's file name. */
int batfs_intake_words_of_name(struct batfs_intake_words *words,
    const struct batfs_intake_desk *desk, struct bat_error *error);
/*
 * The words of a line, from *at on; *at moves behind them and the spaces that
 * follow. *words starts as those of the name.
 */
int batfs_intake_words_of_line(struct batfs_intake_words *words,
    const struct batfs_intake_desk *desk, struct bat_slice line, size_t *at,
    struct bat_error *error);

/* Who wrote the line, as the extension batfs.writer. */
int batfs_intake_words_stamp(struct batfs_intake_words *words,
    const struct batfs_intake_desk *desk, struct bat_slice writer);

/* Parts of the above: a word by its name (BATFS_WORD_COUNT: none) and back,
 * and what its value means. */
enum batfs_intake_word batfs_intake_words_find(struct bat_slice name);
const char *batfs_intake_words_name(enum batfs_intake_word word);
int batfs_intake_words_set(struct batfs_intake_words *words,
    enum batfs_intake_word word, const struct batfs_intake_resolver *resolver,
    struct bat_slice value, struct bat_error *error);

#endif
