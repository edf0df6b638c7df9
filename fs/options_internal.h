/* Inside of options. Nobody else includes this. */
#ifndef BATFS_OPTIONS_INTERNAL_H
#define BATFS_OPTIONS_INTERNAL_H

#include "options.h"

/* One unescaped word of an -o list, "name" or "name=value", which is cut in two
 * in place. Returns 0, BAT_USE_INVALID (no such word, or no such value; error
 * names it) or BAT_WORLD_NO_MEMORY. */
int batfs_options_take_word(struct batfs_options *options, char *text,
    struct bat_error *error);

#endif
