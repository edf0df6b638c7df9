/* What the parts of inspect share. Not for others. */
#ifndef BAT_INSPECT_PARTS_H
#define BAT_INSPECT_PARTS_H

#include "inspect.h"
#include "survey.h"

struct inspection {
	struct bat_segment_dir dir;
	const struct bat_inspect_sink *sink;
	struct bat_error *error;
	int code;	 /* of the sink, or of what ends the work */
	char prefix[64]; /* of the keys that come */
	uint64_t torn, damage;
};

/* One line, unless the work has ended. */
void bat_inspect_say(struct inspection *inspection, const char *key,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Count it, unless the work has ended; the first one is the answer. */
void bat_inspect_damage(struct inspection *inspection, uint64_t segment,
    uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Did memory run out (code)? Then the work has ended: it is no damage. */
bool bat_inspect_ends(struct inspection *inspection, int code,
    const struct bat_error *why);

/* Every name of the directory that is no segment's, and those below .batfs. */
void bat_inspect_names(struct inspection *inspection);
void bat_inspect_segment(struct inspection *inspection, size_t position);

#endif
