/* Shared by the parts of render. Not for others. */
#ifndef BATFS_RENDER_INTERNAL_H
#define BATFS_RENDER_INTERNAL_H

#include "render.h"

/* Seconds since 1970, rounded down, and what is above them: 0 to 999999. */
int batfs_render_seconds(int64_t seconds, unsigned micros, struct bat_buf *buf);
/* Rounded down, unlike C's division. */
int64_t batfs_render_divide(int64_t a, int64_t b);

#endif
