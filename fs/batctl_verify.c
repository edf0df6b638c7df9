/*
 * verify: is a data directory what it was? By itself (proof.h), and against a
 * checkpoint of its transparency log.
 *
 * The statuses: 0 intact, 1 broken, 2 it cannot be told. Broken wins: what is
 * broken stays so, whatever else could not be read.
 */
#include "batctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "proof.h"

#define FINDINGS_SHOWN 100
#define FILE_MAX (1u << 20)

struct request {
	const char *data_dir;
	const char *against; /* a file, "-" for standard input; NULL: none */
	const char *key;     /* a verifier key, or a file with one */
};

static bool
read_arguments(int argc, char **argv, struct request *out)
{
	*out = (struct request){ .data_dir = NULL };
	for (int i = 0; i < argc; i++) {
		bool against = strcmp(argv[i], "--against") == 0;
		const char **to = &out->data_dir;

		if (against || strcmp(argv[i], "--key") == 0) {
			to = against ? &out->against : &out->key;
			if (++i == argc)
				return false;
		} else if (argv[i][0] == '-') {
			return false;
		}
		if (*to != NULL)
			return false;
		*to = argv[i];
	}
	return out->data_dir != NULL &&
	    (out->key == NULL || out->against != NULL);
}

int
batfs_batctl_read_file(const char *path, struct bat_buf *out)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char block[4096];
	size_t got;
	int code = file == NULL ? BAT_WORLD_IO : BAT_OK;

	while (code == BAT_OK && out->length <= FILE_MAX &&
	    (got = fread(block, 1, sizeof block, file)) > 0)
		code = bat_bytes_append(out, block, got);
	if (code == BAT_OK && ferror(file))
		code = BAT_WORLD_IO;
	if (code != BAT_OK)
		fprintf(stderr, "batctl: %s: %s\n", path, strerror(errno));
	if (file != NULL && file != stdin)
		fclose(file);
	return code;
}

/* No path looks like a key, which has two plus signs and 44 digits of base64. */
int
batfs_batctl_read_key(const char *text, struct bat_buf *out)
{
	const char *plus = strchr(text, '+');

	if (plus != NULL && strlen(plus) == 1 + 8 + 1 + 44 && plus[9] == '+')
		return bat_bytes_append_text(out, text);
	return batfs_batctl_read_file(text, out);
}

/* ---- by itself ------------------------------------------------------------- */

/* Prints what was proved: also of what is broken, and then the log is not
 * needed to tell. */
static int
say_alone(const char *data_dir, int code, const struct bat_buf *report,
    const struct bat_error *error)
{
	(void)batfs_batctl_put(bat_bytes_of_buf(report), NULL);
	if (code == BAT_OK)
		return BATCTL_DONE;
	if (code == BAT_DATA_CORRUPT)
		return BATCTL_WRONG;
	return batfs_batctl_complain(data_dir, error);
}

/* ---- against a checkpoint ------------------------------------------------------ */

static int
print_finding(void *context, bool has_seq, uint64_t seq, const char *text)
{
	unsigned *shown = context;

	if (has_seq)
		printf("sequence %" PRIu64 ": %s\n", seq, text);
	else
		printf("log: %s\n", text);
	return ++*shown == FINDINGS_SHOWN;
}

static int
print_result(const struct bat_attest_result *result)
{
	static const char *const words[] = { "intact", "broken",
		"cannot tell" };
	static const int statuses[] = { BATCTL_DONE, BATCTL_WRONG,
		BATCTL_CANNOT };

	if (result->findings > FINDINGS_SHOWN)
		printf("... %" PRIu64 " findings\n", result->findings);
	if (result->has_range)
		printf("attested_from=%" PRIu64 "\n"
		       "attested_through=%" PRIu64 "\n",
		    result->from_seq, result->through_seq);
	printf("%s: %s\n", words[result->verdict], result->text);
	return statuses[result->verdict];
}

static int
check(struct bat_store *store, const struct bat_buf *checkpoint,
    const struct bat_buf *key)
{
	struct bat_attest_result result;
	unsigned shown = 0;
	const struct bat_attest_sink sink = { &shown, print_finding };

	bat_attest_check(store, bat_bytes_of_buf(checkpoint),
	    bat_bytes_of_buf(key), &sink, &result);
	return print_result(&result);
}

/* Its own log, when there is one that speaks of events. */
static bool
has_log(struct bat_store *store)
{
	struct bat_attest_status status;

	bat_attest_status(store, &status);
	return status.size > 0 || status.state == BAT_ATTEST_HALTED;
}

static int
verify_log(const struct request *request, struct bat_store *store)
{
	struct bat_buf checkpoint = BAT_BUF_EMPTY, key = BAT_BUF_EMPTY;
	int status = BATCTL_CANNOT;

	if (request->against != NULL &&
	    batfs_batctl_read_file(request->against, &checkpoint) != BAT_OK)
		goto free_texts;
	if (request->key != NULL &&
	    batfs_batctl_read_key(request->key, &key) != BAT_OK)
		goto free_texts;
	if (request->against == NULL && !has_log(store))
		status = BATCTL_DONE;
	else if (request->against != NULL && checkpoint.length == 0)
		fprintf(stderr, "batctl: %s is empty\n", request->against);
	else
		status = check(store, &checkpoint, &key);
free_texts:
	bat_bytes_free(&checkpoint);
	bat_bytes_free(&key);
	return status;
}

int
batfs_batctl_verify(int argc, char **argv)
{
	const struct bat_options how = { .read_only = true };
	struct bat_error broken = { .text = "" }, error = { .text = "" };
	struct bat_buf report = BAT_BUF_EMPTY;
	struct bat_store *store = NULL;
	int alone = BATCTL_DONE, log = BATCTL_CANNOT, proved, opened;
	struct request request;

	if (!read_arguments(argc, argv, &request))
		return BATCTL_USAGE;
	proved = batfs_proof_directory(request.data_dir, false, NULL, NULL,
	    &report, &broken);
	opened = bat_open(request.data_dir, &how, &store, &error);
	/* Nothing is not in order: a disk may not be mounted, a path wrong. */
	if (opened != BAT_WORLD_ABSENT)
		alone = say_alone(request.data_dir, proved, &report, &broken);
	if (opened == BAT_OK)
		log = verify_log(&request, store);
	else if (alone != BATCTL_CANNOT)
		log = batfs_batctl_complain(request.data_dir, &error);
	bat_close(store, NULL);
	bat_bytes_free(&report);
	if (alone == BATCTL_WRONG || log == BATCTL_WRONG)
		return BATCTL_WRONG;
	return alone > log ? alone : log;
}
