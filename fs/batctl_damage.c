/*
 * inspect, repair, salvage: a data directory that may not open. What is said and done is
 * the store's; here it becomes lines and an exit status.
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
	return batfs_batctl_complain(argv[0], &error);
}

/* ---- repair ------------------------------------------------------------------ */

static int
put_act(void *context, const struct bat_repair_act *act)
{
	struct bat_error *error = context;
	const char *prefix = act->kind == BAT_REPAIR_LEFT ? "left: " : "";

	if (printf("%s%s\n", prefix, act->text) >= 0)
		return BAT_OK;
	return bat_error_set_os(error, errno, "standard output");
}

/* The proof that it helped: a store that may be written, with an index file of
 * its own, if only to keep batpak from reading footers (DESIGN.md, H5). */
static int
open_repaired(const char *data_dir)
{
	const struct bat_options how = { .no_create = true };
	struct bat_error error = { .code = 0 };
	struct bat_store *store = NULL;
	int code = bat_open(data_dir, &how, &store, &error);

	if (code == BAT_OK)
		code = bat_checkpoint(store, &error);
	if (code != BAT_OK)
		fprintf(stderr, "batctl: the result: %s\n", error.text);
	if (bat_close(store, &error) != BAT_OK && code == BAT_OK) {
		fprintf(stderr, "batctl: the result: %s\n", error.text);
		code = error.code;
	}
	return code;
}

/* What follows from what was said and done. */
static int
conclude(const char *data_dir, bool yes, const struct bat_repair_counts *counts)
{
	if (counts->acts == 0 && counts->left == 0) {
		printf("nothing to repair: %llu events\n",
		    (unsigned long long)counts->events);
		return BATCTL_DONE;
	}
	if (!yes) {
		printf("%llu events stay, %llu bytes go; nothing was changed: "
		       "`batctl repair %s --yes` does it\n",
		    (unsigned long long)counts->events,
		    (unsigned long long)counts->cut_bytes, data_dir);
		return BATCTL_WRONG;
	}
	printf("%llu events stay, %llu bytes went; what was taken out is in "
	       "%s/.batfs/cut\n",
	    (unsigned long long)counts->events,
	    (unsigned long long)counts->cut_bytes, data_dir);
	if (counts->left > 0)
		return BATCTL_WRONG;
	/* Without any segment it is an empty directory: a new store. */
	return counts->events == 0 || open_repaired(data_dir) == BAT_OK ?
	    BATCTL_DONE :
	    BATCTL_WRONG;
}

int
batfs_batctl_repair(int argc, char **argv)
{
	struct bat_error error = { .code = 0 };
	const struct bat_repair_sink sink = { &error, put_act };
	struct bat_repair_counts counts;
	const char *data_dir = NULL;
	bool yes = false;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--yes") == 0)
			yes = true;
		else if (data_dir == NULL && argv[i][0] != '-')
			data_dir = argv[i];
		else
			return BATCTL_USAGE;
	}
	if (data_dir == NULL)
		return BATCTL_USAGE;
	if (bat_repair(bat_file_posix(), data_dir, yes, &sink, &counts,
		&error) == BAT_OK)
		return conclude(data_dir, yes, &counts);
	return batfs_batctl_complain(data_dir, &error);
}

/* ---- salvage ------------------------------------------------------------------- */

struct gap_table {
	struct bat_error *error;
	bool headed;
};

/* Before the first gap, or at the end of a salvage without gaps. */
static void
put_heading(struct gap_table *table)
{
	if (!table->headed)
		puts("# segment\toffset\tlength\tevents\treason");
	table->headed = true;
}

static int
put_gap(void *context, const struct bat_salvage_gap *gap)
{
	struct gap_table *table = context;

	put_heading(table);
	if (printf("%llu\t%llu\t%llu\t%llu\t%s\n",
		(unsigned long long)gap->segment,
		(unsigned long long)gap->offset,
		(unsigned long long)gap->length,
		(unsigned long long)gap->events, gap->reason) >= 0)
		return BAT_OK;
	return bat_error_set_os(table->error, errno, "standard output");
}

int
batfs_batctl_salvage(int argc, char **argv)
{
	struct bat_error error = { .code = 0 };
	struct gap_table table = { .error = &error };
	const struct bat_salvage_sink sink = { &table, put_gap };
	struct bat_salvage_counts counts;

	if (argc != 2)
		return BATCTL_USAGE;
	if (batfs_batctl_is_inside(argv[1], argv[0])) {
		fprintf(stderr,
		    "batctl: %s is inside %s, which is not to be "
		    "touched\n",
		    argv[1], argv[0]);
		return BATCTL_CANNOT;
	}
	if (bat_repair_salvage(bat_file_posix(), argv[0], argv[1], &sink,
		&counts, &error) != BAT_OK) {
		fprintf(stderr, "batctl: %s\n", error.text);
		return BATCTL_CANNOT;
	}
	put_heading(&table);
	fprintf(stderr, "%llu events in %llu segments, %llu gaps\n",
	    (unsigned long long)counts.events,
	    (unsigned long long)counts.segments,
	    (unsigned long long)counts.gaps);
	if (counts.segments > 0 && open_repaired(argv[1]) != BAT_OK)
		return BATCTL_CANNOT;
	return counts.gaps == 0 ? BATCTL_DONE : BATCTL_WRONG;
}
