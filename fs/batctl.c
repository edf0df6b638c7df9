/*
 * batctl: a data directory without a mount. Each command is a row of the table;
 * what a command does stands in batctl_<theme>.c.
 */
#include "batctl.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon.h"

int
batfs_batctl_put(struct bat_slice bytes, struct bat_error *error)
{
	if (bytes.length == 0 ||
	    fwrite(bytes.data, 1, bytes.length, stdout) == bytes.length)
		return BAT_OK;
	return bat_error_set_os(error, errno, "standard output");
}

int
batfs_batctl_complain(const char *path, const struct bat_error *error)
{
	const char *text = error->text[0] != '\0' ? error->text :
						    bat_error_name(error->code);

	if (strstr(text, path) != NULL)
		fprintf(stderr, "batctl: %s\n", text);
	else
		fprintf(stderr, "batctl: %s: %s\n", path, text);
	return BATCTL_CANNOT;
}

bool
batfs_batctl_is_inside(const char *path, const char *directory)
{
	char *above = realpath(directory, NULL);
	char *inner = realpath(path, NULL);
	bool inside = false;
	size_t length;

	/* Not there yet: where would it be made? */
	if (inner == NULL && above != NULL) {
		char *copy = strdup(path);

		inner = copy == NULL ? NULL : realpath(dirname(copy), NULL);
		free(copy);
	}
	if (inner != NULL && above != NULL) {
		length = strlen(above);
		inside = strncmp(inner, above, length) == 0 &&
		    (inner[length] == '\0' || inner[length] == '/' ||
			length == 1);
	}
	free(inner);
	free(above);
	return inside;
}

struct command {
	const char *name;
	const char *arguments;
	const char *what; /* for --help, one line */
	/* Without the command's own name; answers an exit status. */
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "ls", "DATADIR [PATH...]", "names, as in the mount",
	    batfs_batctl_ls },
	{ "cat", "DATADIR PATH...", "contents, as in the mount",
	    batfs_batctl_cat },
	{ "stat", "DATADIR [PATH...]", "mode, size, time, inode, name",
	    batfs_batctl_stat },
	{ "find", "DATADIR [PATH...]", "everything that is listed below",
	    batfs_batctl_find },
	{ "tar", "DATADIR [PATH...]", "an archive of it on standard output",
	    batfs_batctl_tar },
	{ "inspect", "DATADIR", "what lies there, and what is wrong with it",
	    batfs_batctl_inspect },
	{ "repair", "DATADIR [--yes]", "says what it would do; --yes: does it",
	    batfs_batctl_repair },
	{ "verify", "DATADIR [--against CHECKPOINT]",
	    "whether it is whole, and what was signed [--key VKEY]",
	    batfs_batctl_verify },
	{ "prove", "DATADIR SEQ|--check FILE",
	    "a proof that others can verify; verifies one",
	    batfs_batctl_prove },
	{ "salvage", "SRC DEST", "what is provable to DEST; gaps on stdout",
	    batfs_batctl_salvage },
	{ "append", "DATADIR PATH", "lines on stdin, receipts on stdout",
	    batfs_batctl_append },
	{ "checkpoint", "DATADIR [--index=ckpt|fbati]",
	    "writes the index file now", batfs_batctl_checkpoint },
	{ "compact", "DATADIR [--dry-run]", "many segments become one",
	    batfs_batctl_compact },
	{ "renew-log", "DATADIR [--key FILE]",
	    "begins another transparency log, keeps the old",
	    batfs_batctl_renew_log },
	{ "backup", "DATADIR DEST",
	    "a consistent copy: PIN, SHA256SUMS, store/", batfs_batctl_backup },
	{ "restore-check", "COPY", "whether a backup is what it was",
	    batfs_batctl_restore_check },
	{ "doctor", "[DATADIR [MOUNTPOINT]]",
	    "what hinders a mount, and remedies", batfs_batctl_doctor },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void
help(FILE *to)
{
	fputs("usage: batctl COMMAND ARGUMENTS\n\n", to);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(to, "  %-13s %-29s %s\n", commands[i].name,
		    commands[i].arguments, commands[i].what);
	fputs("\nls, cat, stat, find and tar take --kinds=FILE before "
	      "DATADIR: names of kinds, as\n-o kinds=FILE of batfs.\n",
	    to);
	fputs("\nappend asks no gates (-o gates=DIR of batfs): whoever may "
	      "write to DATADIR is not\nheld by them.\n",
	    to);
	fputs("\nExit status: 0 done, and nothing is wrong; 1 something is "
	      "wrong: damage, a path\nthat is not there, a line that is "
	      "refused; 2 it could not be done or asked: wrong\nusage, no "
	      "store, a lock that another process holds, a disk that fails.\n",
	    to);
}

static int
usage(const struct command *command)
{
	if (command == NULL)
		help(stderr);
	else
		fprintf(stderr, "usage: batctl %s %s\n", command->name,
		    command->arguments);
	return BATCTL_CANNOT;
}

static bool
asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int
run(const struct command *command, int argc, char **argv)
{
	int status;

	if (argc == 1 && asks_for_help(argv[0])) {
		printf("usage: batctl %s %s\n%s\n", command->name,
		    command->arguments, command->what);
		status = BATCTL_DONE;
	} else {
		status = command->run(argc, argv);
	}
	if (status == BATCTL_USAGE)
		return usage(command);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "batctl: standard output: %s\n", strerror(errno));
	return BATCTL_CANNOT;
}

int
main(int argc, char **argv)
{
	batfs_daemon_allow_files();
	batfs_daemon_survive_file_limit();
	if (argc < 2)
		return usage(NULL);
	if (asks_for_help(argv[1]) || strcmp(argv[1], "help") == 0) {
		help(stdout);
		return BATCTL_DONE;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return run(&commands[i], argc - 2, argv + 2);
	fprintf(stderr,
	    "batctl: there is no command `%s`; `batctl --help` "
	    "lists them\n",
	    argv[1]);
	return BATCTL_CANNOT;
}
