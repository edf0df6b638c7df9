/*
 * Every way to lose power, at every moment of small lives of a store.
 *
 *	explore [--states N | --seconds N] [--seed N] [--workload NAME]
 *	        [--model strict|ext4] [--path P:K/P:K...] [--export DIR N] [-v]
 *
 * After each operation of a workload crash states are made from what is
 * pending: all of them while they are few, then the telling ones, then random
 * ones. Each is opened for writing, must obey the prefix rule (oracle.h), is
 * appended to, closed, opened again and verified. Some of these recoveries
 * are cut off in their turn, and some of those again. Where there is a
 * transparency log, no checkpoint that somebody may have kept is taken back, and
 * no size is signed with two trees (log_oracle.h).
 *
 * A refusal is allowed in one case, which no reader of the format can tell
 * from damage: later sectors of a write are there and hold a whole frame, and
 * earlier ones are not. Then the directory must open read-only with all that
 * was acknowledged, and for writing once it was cut where the refusal says.
 *
 * A case that fails prints the command that does it again: --path names, from
 * the outside in, the moment of the run and the number of the cut.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"

static struct explorer explorer;

static const char *const model_names[] = { "strict", "ext4" };

static _Noreturn void
usage(void)
{
	fprintf(stderr,
	    "usage: explore [--states N | --seconds N] [--seed N] "
	    "[--workload NAME]\n"
	    "       [--model strict|ext4] [--path P:K/...] [--export DIR N] "
	    "[-v]\n");
	exit(2);
}

static uint64_t
number(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0')
		usage();
	return value;
}

static void
read_path(const char *text)
{
	while (*text != '\0' && explorer.path_length < EXPLORE_DEPTH_MAX) {
		struct explore_place *place =
		    &explorer.path[explorer.path_length++];
		char *end;

		place->point = (unsigned)strtoul(text, &end, 10);
		if (*end != ':')
			usage();
		place->cut = strtoull(end + 1, &end, 10);
		text = *end == '/' ? end + 1 : end;
	}
	if (*text != '\0')
		usage();
}

/* An assertion, or worse: say where, then go on dying. */
static void
on_death(int signal_number)
{
	signal(signal_number, SIG_DFL);
	if (explorer.at != NULL)
		explore_fail(explorer.at, "it died");
	fflush(stdout);
	raise(signal_number);
}

struct wanted {
	const char *workload, *model;
	uint64_t states, seconds;
	bool verbose;
};

static void
read_options(char **word, struct wanted *out)
{
	while (*++word != NULL) {
		const char *option = *word;

		if (strcmp(option, "-v") == 0) {
			out->verbose = true;
			continue;
		}
		if (*++word == NULL)
			usage();
		if (strcmp(option, "--seed") == 0)
			explorer.seed = number(*word);
		else if (strcmp(option, "--states") == 0)
			out->states = number(*word);
		else if (strcmp(option, "--seconds") == 0)
			out->seconds = number(*word);
		else if (strcmp(option, "--workload") == 0)
			out->workload = *word;
		else if (strcmp(option, "--model") == 0)
			out->model = *word;
		else if (strcmp(option, "--path") == 0)
			read_path(*word);
		else if (strcmp(option, "--export") == 0 && word[1] != NULL) {
			explorer.export_to = *word;
			explorer.export_max = (unsigned)number(*++word);
		} else
			usage();
	}
}

static bool
is_wanted(const struct wanted *wanted, const struct story_workload *workload,
    int model)
{
	return (wanted->workload == NULL ||
		   strcmp(wanted->workload, workload->name) == 0) &&
	    (wanted->model == NULL ||
		strcmp(wanted->model, model_names[model]) == 0);
}

static void
add(struct explore_tally *sum, const struct explore_tally *part)
{
	for (size_t i = 0; i < EXPLORE_TALLIES; i++)
		sum->counts[i] += part->counts[i];
}

static void
print_tally(const char *name, const char *model,
    const struct explore_tally *tally)
{
	printf("# %-20s %-6s", name, model);
	for (size_t i = 0; i < EXPLORE_TALLIES; i++)
		printf(" %8llu", (unsigned long long)tally->counts[i]);
	putchar('\n');
}

static void
print_heads(void)
{
	printf("# %-20s %-6s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n",
	    "workload", "model", "moments", "states", "prefix", "subset",
	    "torn", "zeroed", "sectors", "second", "third", "refused");
}

int
main(int argc, char **argv)
{
	struct wanted wanted = { .states = 0 };
	struct explore_tally sums[2] = { { { 0 } } };
	struct story_workload workload;
	size_t left = 0, failed = 0;
	double start;

	(void)argc;
	explorer.seed = 1;
	read_options(argv, &wanted);
	if (wanted.seconds == 0 && wanted.states == 0)
		wanted.seconds = 20;
	for (size_t i = 0; story_workload_get(i, &workload); i++)
		for (int model = 0; model < 2; model++)
			left += is_wanted(&wanted, &workload, model);
	if (left == 0)
		usage();
	explorer.entries = left;
	start = explore_now();
	signal(SIGABRT, on_death);
	if (wanted.verbose)
		print_heads();
	for (size_t i = 0; story_workload_get(i, &workload); i++) {
		for (int model = 0; model < 2; model++) {
			if (!is_wanted(&wanted, &workload, model))
				continue;
			explore_workload(&explorer, &workload,
			    (enum memory_disk_model)model, wanted.states / left,
			    wanted.seconds == 0 ?
				0 :
				(start + (double)wanted.seconds -
				    explore_now()) /
				    (double)left);
			wanted.states -= wanted.states / left;
			left--;
			add(&sums[model], &explorer.tally);
			failed += explorer.failed;
			if (wanted.verbose || explorer.failed)
				print_tally(workload.name, model_names[model],
				    &explorer.tally);
			fflush(stdout);
		}
	}
	print_heads();
	for (int model = 0; model < 2; model++)
		if (sums[model].counts[0] > 0)
			print_tally("all", model_names[model], &sums[model]);
	printf("# %.0f states a second, seed %llu\n",
	    (double)(sums[0].counts[EXPLORE_STATES] +
		sums[1].counts[EXPLORE_STATES]) /
		(explore_now() - start),
	    (unsigned long long)explorer.seed);
	explore_free(&explorer);
	printf(
	    "%sok - crash states: nothing acknowledged is lost, each opens\n",
	    failed == 0 ? "" : "not ");
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
