/*
 * inspect: what lies in a data directory. What is said is the store's;
 * here it becomes lines and an exit status.
 */
#include "batctl.h"

#include <errno.h>
#include <stdio.h>

static int
put_line(void *context, const char *key, const char *value)
{
	struct bat_error *error = context;

	if (printf("%s %s\n", key, value) >= 0)
		return BAT_OK;
	return bat_error_set_os(error, errno, "standard output");
}

int
batfs_batctl_inspect(int argc, char **argv)
{
	struct bat_error error = { .code = 0 };
	const struct bat_inspect_sink sink = { &error, put_line };
	int code;

	if (argc != 1)
		return BATCTL_USAGE;
	code = bat_inspect(bat_file_posix(), argv[0], &sink, &error);
	if (code == BAT_OK)
		return BATCTL_DONE;
	if (code == BAT_DATA_CORRUPT)
		return BATCTL_WRONG;
	fprintf(stderr, "batctl: %s: %s\n", argv[0],
	    error.text[0] != '\0' ? error.text : bat_error_name(code));
	return BATCTL_CANNOT;
}
