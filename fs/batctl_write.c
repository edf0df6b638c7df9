/*
 * append, checkpoint, compact: what a mount does to a store, without one. They
 * hold the lock while they work.
 */
#include "batctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "answers.h"
#include "intake.h"

/* As much as one write(2) of a mount: what it completes is one batch. */
#define CHUNK (128u << 10)

static int
fail(const char *what, const struct bat_error *error, int code)
{
	fprintf(stderr, "batctl: %s%s%s\n", what, what[0] != '\0' ? ": " : "",
	    error->text[0] != '\0' ? error->text : bat_error_name(code));
	return BATCTL_CANNOT;
}

/* ---- where ------------------------------------------------------------------- */

/* A path without its last name; the name is in *out_name. */
static char *
parent_of(const char *path, const char **out_name)
{
	char *copy = strdup(path), *slash;
	size_t length = strlen(path);

	while (copy != NULL && length > 1 && copy[length - 1] == '/')
		copy[--length] = '\0';
	slash = copy == NULL ? NULL : strrchr(copy, '/');
	*out_name = copy;
	if (slash == NULL) {
		free(copy);
		return NULL;
	}
	*slash = '\0';
	*out_name = slash + 1;
	return copy;
}

/* scopes/<S>/<E> or entities/<E> that is not there yet: as mkdir and a shell's
 * >> would make it. */
static int
create(struct batfs_batctl *ctl, const char *path, struct batfs_node *out,
    struct bat_error *error)
{
	const char *name, *folder;
	char *above = parent_of(path, &name), *top = NULL;
	struct batfs_node parent, grandparent;
	int code = BAT_STATE_NOT_FOUND;

	if (above == NULL)
		return bat_error_set(error, code, "there is no such name");
	code = batfs_batctl_resolve(ctl, above, true, &parent, error);
	if (code == BAT_STATE_NOT_FOUND)
		top = parent_of(above, &folder);
	if (top != NULL) {
		code = batfs_batctl_resolve(ctl, top, true, &grandparent,
		    error);
		if (code == BAT_OK)
			code = batfs_tree_mkdir(ctl->tree, &grandparent,
			    bat_bytes_text(folder), &parent, error);
	}
	if (code == BAT_OK)
		code = batfs_tree_create(ctl->tree, &parent,
		    bat_bytes_text(name), out, error);
	free(top);
	free(above);
	if (code == BAT_USE_RESERVED)
		bat_error_set(error, code, "nothing can be appended there");
	return code;
}

static int
open_place(struct batfs_batctl *ctl, const char *path,
    struct batfs_intake **out, struct bat_error *error)
{
	struct batfs_intake_resolver resolver;
	struct batfs_intake_place place;
	struct batfs_node node;
	int code = batfs_batctl_resolve(ctl, path, true, &node, error);

	if (code == BAT_STATE_NOT_FOUND)
		code = create(ctl, path, &node, error);
	if (code == BAT_OK) {
		code = batfs_tree_place(ctl->tree, &node, &place, &resolver);
		if (code == BAT_USE_INVALID)
			bat_error_set(error, code,
			    "nothing can be appended there");
	}
	return code == BAT_OK ? batfs_intake_new(&place, &resolver, out) : code;
}

/* ---- lines to events ----------------------------------------------------------- */

struct appending {
	struct batfs_batctl *ctl;
	struct batfs_intake *intake;
	struct batfs_answers answers;
	struct bat_receipt *receipts;
	size_t capacity;
	int status;
};

static int
put_receipts(struct appending *appending, size_t committed,
    struct bat_error *error)
{
	struct bat_buf lines = BAT_BUF_EMPTY;
	int code;

	batfs_answers_keep(&appending->answers, appending->receipts, committed);
	code = batfs_answers_read(&appending->answers, appending->ctl->store,
	    SIZE_MAX, &lines, error);
	if (code == BAT_OK)
		code = batfs_batctl_put(bat_bytes_of_buf(&lines), error);
	if (code == BAT_OK && fflush(stdout) != 0)
		code = bat_error_set_os(error, errno, "standard output");
	bat_bytes_free(&lines);
	return code;
}

static void
say_reject(const struct batfs_intake_reject *reject)
{
	fprintf(stderr, "batctl: byte %zu: %s: %.*s\n", reject->offset,
	    reject->error.text[0] != '\0' ? reject->error.text :
					    bat_error_name(reject->code),
	    (int)reject->start_length, (const char *)reject->start);
}

/* Commit what the last feed or finish made; a line that is refused ends it. */
static int
commit(struct appending *appending, struct bat_error *error)
{
	struct bat_batch batch = { .count = 0 };
	struct batfs_intake_reject reject = { .any = false };
	struct bat_receipt *larger;
	int refused;

	batch.drafts = batfs_intake_drafts(appending->intake, &batch.count);
	if (batch.count > appending->capacity) {
		larger = reallocarray(appending->receipts, batch.count,
		    sizeof *larger);
		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		appending->receipts = larger;
		appending->capacity = batch.count;
	}
	batch.receipts = appending->receipts;
	if (batch.count > 0)
		(void)bat_append(appending->ctl->store, &batch);
	(void)batfs_intake_settle(appending->intake, batch.committed,
	    batch.code, &batch.error, appending->receipts, &refused, &reject);
	if (reject.any) {
		say_reject(&reject);
		appending->status = BATCTL_WRONG;
	}
	/* The world's fault is not the line's. */
	if (batch.code != BAT_OK && !reject.any)
		*error = batch.error;
	if (batch.committed > 0) {
		int code = put_receipts(appending, batch.committed, error);

		if (code != BAT_OK)
			return code;
	}
	return reject.any ? BAT_OK : batch.code;
}

static int
append_input(struct appending *appending, struct bat_error *error)
{
	uint8_t *chunk = malloc(CHUNK);
	int code = chunk == NULL ? BAT_WORLD_NO_MEMORY : BAT_OK;

	while (code == BAT_OK && appending->status == BATCTL_DONE) {
		ssize_t got = read(STDIN_FILENO, chunk, CHUNK);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			code = bat_error_set_os(error, errno, "standard input");
		else if (got == 0)
			code = batfs_intake_finish(appending->intake, false);
		else
			code = batfs_intake_feed(appending->intake,
			    bat_bytes_slice(chunk, (size_t)got));
		if (code == BAT_OK)
			code = commit(appending, error);
		if (got == 0)
			break;
	}
	free(chunk);
	return code;
}

static int
append_to(struct batfs_batctl *ctl, const char *path)
{
	struct appending appending = { .ctl = ctl, .status = BATCTL_DONE };
	struct bat_error error = { .code = 0 };
	int code = open_place(ctl, path, &appending.intake, &error);

	if (code != BAT_OK) {
		(void)fail(path, &error, code);
		return BATCTL_WRONG;
	}
	batfs_answers_init(&appending.answers);
	code = append_input(&appending, &error);
	batfs_answers_free(&appending.answers);
	batfs_intake_free(appending.intake);
	free(appending.receipts);
	return code == BAT_OK ? appending.status : fail(path, &error, code);
}

int
batfs_batctl_append(int argc, char **argv)
{
	const struct bat_options how = { .no_create = true };
	struct batfs_batctl ctl = { .store = NULL };
	struct bat_error error = { .code = 0 };
	int status, code;

	if (argc != 2)
		return BATCTL_USAGE;
	code = batfs_batctl_open(&ctl, argv[0], &how, &error);
	status = code == BAT_OK ? append_to(&ctl, argv[1]) :
				  fail("", &error, code);
	batfs_tree_free(ctl.tree);
	code = bat_close(ctl.store, &error);
	return code == BAT_OK ? status : fail(argv[0], &error, code);
}

/* ---- on a store as a whole ----------------------------------------------------- */

/* One argument is the directory, the others are words of the command: take_word
 * says whether it knows one. */
static const char *
read_words(int argc, char **argv, struct bat_options *how,
    bool (*take_word)(const char *word, struct bat_options *how))
{
	const char *data_dir = NULL;

	for (int i = 0; i < argc; i++) {
		if (take_word(argv[i], how))
			continue;
		if (data_dir != NULL || argv[i][0] == '-')
			return NULL;
		data_dir = argv[i];
	}
	return data_dir;
}

/* Open, work, close; what fails first is told. */
static int
with_store(const char *data_dir, const struct bat_options *how,
    int (*work)(struct bat_store *store, const struct bat_options *how,
	struct bat_error *error))
{
	struct bat_error error = { .code = 0 };
	struct bat_store *store = NULL;
	int code = bat_open(data_dir, how, &store, &error), closed;

	if (code != BAT_OK)
		return fail("", &error, code);
	code = work(store, how, &error);
	closed = bat_close(store, code == BAT_OK ? &error : NULL);
	if (code == BAT_OK)
		code = closed;
	return code == BAT_OK ? BATCTL_DONE : fail(data_dir, &error, code);
}

static bool
take_index(const char *word, struct bat_options *how)
{
	if (strcmp(word, "--index=ckpt") == 0)
		how->index = BAT_INDEX_CKPT;
	else if (strcmp(word, "--index=fbati") == 0)
		how->index = BAT_INDEX_FBATI;
	else
		return false;
	return true;
}

static int
write_index(struct bat_store *store, const struct bat_options *how,
    struct bat_error *error)
{
	(void)how;
	return bat_checkpoint(store, error);
}

int
batfs_batctl_checkpoint(int argc, char **argv)
{
	struct bat_options how = { .no_create = true };
	const char *data_dir = read_words(argc, argv, &how, take_index);

	return data_dir == NULL ? BATCTL_USAGE :
				  with_store(data_dir, &how, write_index);
}

static void
say_compacted(const struct bat_compacted *done)
{
	if (done->segments == 0)
		printf("nothing to merge\n");
	else if (!done->performed)
		printf("would merge %llu segments of %llu bytes\n",
		    (unsigned long long)done->segments,
		    (unsigned long long)done->bytes_before);
	else
		printf("merged %llu segments of %llu bytes into %06llu.fbat: "
		       "%llu events, %llu bytes\n",
		    (unsigned long long)done->segments,
		    (unsigned long long)done->bytes_before,
		    (unsigned long long)done->merged,
		    (unsigned long long)done->events,
		    (unsigned long long)done->bytes_after);
}

static bool
take_dry_run(const char *word, struct bat_options *how)
{
	if (strcmp(word, "--dry-run") != 0)
		return false;
	how->read_only = true;
	return true;
}

static int
compact(struct bat_store *store, const struct bat_options *how,
    struct bat_error *error)
{
	struct bat_compacted done;
	int code = bat_compact(store, how->read_only, &done, error);

	if (code == BAT_OK)
		say_compacted(&done);
	return code;
}

int
batfs_batctl_compact(int argc, char **argv)
{
	struct bat_options how = { .no_create = true };
	const char *data_dir = read_words(argc, argv, &how, take_dry_run);

	return data_dir == NULL ? BATCTL_USAGE :
				  with_store(data_dir, &how, compact);
}

/* ---- another transparency log --------------------------------------------------- */

static int
renew_log(struct bat_store *store, const char *key, struct bat_error *error)
{
	struct bat_attest_status status;
	char old[BAT_TLOG_ASIDE_SIZE];
	int code = bat_attest_renew(store, key, old, error);

	if (old[0] != '\0')
		printf("the old log is kept in .batfs/%s\n", old);
	if (code != BAT_OK)
		return code;
	bat_attest_status(store, &status);
	printf("a new log begins with sequence %llu\n",
	    (unsigned long long)status.first_seq);
	return code;
}

int
batfs_batctl_renew_log(int argc, char **argv)
{
	const struct bat_options how = { .no_create = true };
	struct bat_error error = { .code = 0 };
	struct bat_store *store = NULL;
	const char *key = NULL;
	int code, closed;

	if ((argc != 1 && argc != 3) || argv[0][0] == '-' ||
	    (argc == 3 && strcmp(argv[1], "--key") != 0))
		return BATCTL_USAGE;
	if (argc == 3)
		key = argv[2];
	code = bat_open(argv[0], &how, &store, &error);
	if (code != BAT_OK)
		return fail("", &error, code);
	code = renew_log(store, key, &error);
	closed = bat_close(store, code == BAT_OK ? &error : NULL);
	if (code == BAT_OK)
		code = closed;
	return code == BAT_OK ? BATCTL_DONE : fail(argv[0], &error, code);
}
