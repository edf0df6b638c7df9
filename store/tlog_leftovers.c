/*
 * What a process that was killed leaves in the folder of the log: the temporary
 * file of what it was replacing, which may be the secret key.
 */
#include <string.h>

#include "plant.h"
#include "tlog_internal.h"

static int
note_temporary(void *context, const char *name)
{
	struct bat_buf *names = context;

	if (!bat_file_is_temporary(name) && !BAT_PLANT(420))
		return 0;
	return bat_bytes_append(names, name, strlen(name) + 1);
}

void
bat_tlog_drop_leftovers(const struct bat_tlog *tlog)
{
	struct bat_buf names = BAT_BUF_EMPTY;

	(void)tlog->disk->list(tlog->disk->context, tlog->dir, note_temporary,
	    &names);
	for (size_t at = 0; at < names.length && !BAT_PLANT(421);
	     at += strlen((const char *)names.data + at) + 1)
		(void)bat_file_unlink(tlog->disk, tlog->dir,
		    (const char *)names.data + at, NULL);
	bat_bytes_free(&names);
}
