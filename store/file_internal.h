/* What the parts of file share. Not for others. */
#ifndef BAT_FILE_INTERNAL_H
#define BAT_FILE_INTERNAL_H

#include "file.h"

int bat_file_posix_place(void *context, int fd, struct bat_file_place *out);
int bat_file_posix_refresh(void *context, int dir);
int bat_file_posix_take_name(void *context, const char *name);

#endif
