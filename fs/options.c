#include "options_internal.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/* Take the next word off *list into `to`: up to an unescaped comma, with `\c`
 * for any c and `\ooo` (octal), as libfuse reads such lists. */
static void
next_word(const char **list, char *to)
{
	const char *at = *list;

	while (*at != '\0' && *at != ',') {
		if (*at != '\\' || at[1] == '\0') {
			*to++ = *at++;
		} else if (at[1] >= '0' && at[1] <= '3' && at[2] >= '0' &&
		    at[2] <= '7' && at[3] >= '0' && at[3] <= '7') {
			*to++ = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 +
			    (at[3] - '0'));
			at += 4;
		} else {
			*to++ = at[1];
			at += 2;
		}
	}
	*to = '\0';
	*list = *at == ',' ? at + 1 : at;
}

static int
take_list(struct batfs_options *options, const char *list,
    struct bat_error *error)
{
	char *word = malloc(strlen(list) + 1);
	int result = 0;

	if (word == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "-o %s", list);
	while (result == 0 && *list != '\0') {
		next_word(&list, word);
		result = batfs_options_take_word(options, word, error);
	}
	free(word);
	return result;
}

static int
take_flag(struct batfs_options *options, int flag, struct bat_error *error)
{
	switch (flag) {
	case 'f':
		options->foreground = true;
		return 0;
	case 'd':
		options->debug = true;
		options->foreground = true;
		return 0;
	case 's':
		options->single = true;
		return 0;
	case 'h':
		options->help = true;
		return 0;
	case 'V':
		options->version = true;
		return 0;
	case 'o':
		return take_list(options, optarg, error);
	default:
		return BAT_USE_INVALID;
	}
}

static int
take_paths(struct batfs_options *options, int count, char **paths,
    struct bat_error *error)
{
	if (options->help || options->version)
		return 0;
	if (count != 2)
		return bat_error_set(error, BAT_USE_INVALID,
		    count < 2 ? "two directories are needed: the data and "
				"where to show it" :
				"more than two directories were given");
	options->data_dir = paths[0];
	options->mountpoint = paths[1];
	if (options->allow_other && options->allow_root)
		return bat_error_set(error, BAT_USE_INVALID,
		    "-o allow_other and -o allow_root exclude each other");
	return 0;
}

int
batfs_options_parse(int argc, char **argv, struct batfs_options *out,
    struct bat_error *error)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};

	*out = BATFS_OPTIONS_DEFAULT;
	optind = 0; /* glibc: start anew */
	opterr = 0;
	for (;;) {
		int flag = getopt_long(argc, argv, ":fdshVo:", longs, NULL);
		int result;

		if (flag == -1)
			break;
		if (flag == ':')
			return bat_error_set(error, BAT_USE_INVALID,
			    "-%c needs a value", optopt);
		if (flag == '?' && optopt != 0)
			return bat_error_set(error, BAT_USE_INVALID,
			    "unknown option: -%c (batfs -h lists them)",
			    optopt);
		if (flag == '?')
			return bat_error_set(error, BAT_USE_INVALID,
			    "unknown option: %s (batfs -h lists them)",
			    argv[optind - 1]);
		result = take_flag(out, flag, error);
		if (result != 0)
			return result;
	}
	/* Whatever else was said: nothing is added to the past. */
	if (out->at != NULL)
		out->read_only = true;
	return take_paths(out, argc - optind, argv + optind, error);
}

void
batfs_options_free(struct batfs_options *options)
{
	free(options->at);
	free(options->only);
	free(options->default_scope);
	free(options->kinds);
	free(options->gates);
	free(options->tlog_key);
	free(options->fsname);
	free(options->subtype);
	*options = BATFS_OPTIONS_DEFAULT;
}
