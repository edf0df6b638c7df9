#include "proof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* More than this many findings are counted and not told. */
#define FINDINGS_MAX 100u

/* Events of an entity that are proved at once: on a slow disk some seconds, in
 * which nobody can stop it. */
#define EVENTS_AT_ONCE 512u

/* How often a directory is read again when somebody wrote meanwhile. */
#define ATTEMPTS 3

/* ---- a directory ------------------------------------------------------------ */

struct findings {
	struct bat_buf *text;
	const atomic_bool *stop;
	const struct bat_disk *disk; /* the real one */
	size_t count;
};

static bool
is_stopped(const atomic_bool *stop)
{
	return stop != NULL && atomic_load(stop);
}

static int
note_finding(void *context, const struct bat_verify_finding *finding)
{
	struct findings *findings = context;
	bool broken = finding->severity == BAT_VERIFY_BROKEN;
	int code;

	if (findings->count++ >= FINDINGS_MAX)
		return BAT_OK;
	code = bat_bytes_append_format(findings->text, "%s %s",
	    broken ? "broken" : "noted", bat_verify_code_name(finding->code));
	if (code == BAT_OK && finding->segment != 0)
		code = bat_bytes_append_format(findings->text,
		    " segment %" PRIu64 " offset %" PRIu64, finding->segment,
		    finding->offset);
	if (code == BAT_OK)
		code = bat_bytes_append_format(findings->text, ": %s\n",
		    finding->text);
	return code;
}

/* The disk of a verification that may be told to stop. */
static ssize_t
read_unless_stopped(void *context, int fd, void *to, size_t length,
    uint64_t offset)
{
	const struct findings *findings = context;

	if (is_stopped(findings->stop))
		return -ECANCELED;
	return findings->disk->read_at(findings->disk->context, fd, to, length,
	    offset);
}

static int
verify_once(const char *path, struct findings *findings,
    struct bat_verify_counts *counts, struct bat_error *error)
{
	const struct bat_verify_sink sink = { findings, note_finding };
	struct bat_disk disk = *findings->disk;
	int code;

	disk.context = findings;
	disk.read_at = read_unless_stopped;
	findings->count = 0;
	code = bat_verify_directory(&disk, path, &sink, counts, error);
	return is_stopped(findings->stop) ? BAT_END : code;
}

static int
put_summary(const struct bat_verify_counts *counts, struct bat_buf *report)
{
	int code = bat_bytes_append_format(report,
	    "ok %" PRIu64 " payloads, %" PRIu64 " chains; headers: crc only\n",
	    counts->payloads, counts->chains);

	if (code == BAT_OK && counts->reencoded > 0)
		code = bat_bytes_append_format(report,
		    "noted %" PRIu64 " payloads that a compaction rewrote: "
		    "their hashes no longer fit\n",
		    counts->reencoded);
	return code;
}

/* The line of a break goes first, whatever was noted before it. */
static int
put_break(const struct bat_error *error, struct bat_buf *report)
{
	return bat_bytes_append_format(report, "broken: %s\n", error->text);
}

int
batfs_proof_directory(const char *path, bool live, const atomic_bool *stop,
    uint64_t *out_segments, struct bat_buf *report, struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	struct findings findings = {
		.text = &text,
		.stop = stop,
		.disk = bat_file_posix(),
	};
	struct bat_verify_counts counts;
	struct bat_error why = { .code = 0 };
	unsigned attempts = live ? ATTEMPTS : 1;
	int code = BAT_DATA_CORRUPT, put;

	/* Beside a writer what is read first may not fit to what is read last,
	 * and a compaction takes segments away; real damage stays where it
	 * is. */
	for (unsigned i = 0; i < attempts &&
	     (code == BAT_DATA_CORRUPT || code == BAT_WORLD_ABSENT);
	     i++) {
		bat_bytes_clear(&text);
		code = verify_once(path, &findings, &counts, &why);
	}
	if (code != BAT_OK && error != NULL)
		*error = why;
	if (code == BAT_OK || code == BAT_DATA_CORRUPT) {
		put = code == BAT_OK ? put_summary(&counts, report) :
				       put_break(&why, report);
		if (put == BAT_OK)
			put = bat_bytes_append_slice(report,
			    bat_bytes_of_buf(&text));
		if (put != BAT_OK)
			code = put;
	}
	if (code == BAT_OK && out_segments != NULL)
		*out_segments = counts.segments;
	bat_bytes_free(&text);
	return code;
}

/* ---- an entity --------------------------------------------------------------- */

struct chain {
	struct bat_buf hashes;	/* of all its events so far */
	struct bat_map by_hash; /* the first so many of them */
	uint32_t mapped;
	uint64_t payloads, starts, reencoded, gaps;
	uint32_t clock; /* of the last one */
};

static struct bat_slice
hash_at(const struct chain *chain, uint32_t place)
{
	return bat_bytes_slice(chain->hashes.data +
		(size_t)place * sizeof(struct bat_hash),
	    sizeof(struct bat_hash));
}

static bool
hash_same(const void *context, uint32_t place, struct bat_slice key)
{
	return bat_bytes_equal(hash_at(context, place), key);
}

static uint64_t
hash_hash(const void *context, uint32_t place)
{
	return bat_map_hash(hash_at(context, place));
}

static int
broken(struct bat_error *error, const struct bat_proof *proof, const char *what)
{
	return bat_error_set_at(error, BAT_DATA_CORRUPT, proof->segment,
	    proof->offset,
	    "event %" PRIu64 ", segment %" PRIu64 " offset %" PRIu64 ": %s",
	    proof->seq, proof->segment, proof->offset, what);
}

static int
check_payload(struct chain *chain, const struct bat_proof *proof,
    struct bat_error *error)
{
	if (proof->payload_holds) {
		chain->payloads++;
		return BAT_OK;
	}
	if (proof->payload_is_bytes)
		return broken(error, proof, "the payload has another hash");
	chain->reencoded++;
	return BAT_OK;
}

/* Is it the hash of an event before? Nearly always of the last one: the others
 * are looked through only where it is not. */
static int
find_hash(struct chain *chain, const struct bat_hash *prev, bool *out_found)
{
	uint32_t count = (uint32_t)(chain->hashes.length / sizeof(*prev));
	struct bat_slice key = bat_bytes_slice(prev, sizeof(*prev));
	int code = BAT_OK;

	*out_found = count > 0 &&
	    bat_bytes_equal(hash_at(chain, count - 1), key);
	if (*out_found)
		return BAT_OK;
	for (; code == BAT_OK && chain->mapped < count; chain->mapped++)
		code = bat_map_put(&chain->by_hash,
		    hash_at(chain, chain->mapped), chain->mapped);
	*out_found = bat_map_find(&chain->by_hash, key) != BAT_MAP_NONE;
	return code;
}

/*
 * An event names the hash of one that stands before it, or starts with zeros.
 * Where one is missing between (hidden, or dropped by a compaction) the clock
 * leaps.
 */
static int
check_link(struct chain *chain, const struct bat_proof *proof,
    struct bat_error *error)
{
	bool follows = chain->hashes.length == 0 ?
	    proof->clock == 0 :
	    proof->clock == chain->clock + 1;
	bool found;
	int code = BAT_OK;

	if (bat_hash_is_zero(&proof->prev)) {
		chain->starts++;
	} else {
		code = find_hash(chain, &proof->prev, &found);
		if (code == BAT_OK && !found && follows)
			return broken(error, proof,
			    "it follows an event that is none");
		chain->gaps += code == BAT_OK && !found;
	}
	chain->clock = proof->clock;
	return code == BAT_OK ? bat_bytes_append(&chain->hashes, &proof->hash,
				    sizeof(proof->hash)) :
				code;
}

/* Some events, and where they are proved. */
struct some {
	uint32_t ordinals[EVENTS_AT_ONCE];
	struct bat_proof proofs[EVENTS_AT_ONCE];
};

/* What could not be read counts when all before it was found right. */
static int
check_some(struct bat_store *store, struct some *some, size_t count,
    struct chain *chain, struct bat_error *error)
{
	struct bat_error unread = { .code = 0 };
	size_t proved;
	int read = bat_prove(store, some->ordinals, count, some->proofs,
	    &proved, &unread);
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < proved; i++) {
		code = check_payload(chain, &some->proofs[i], error);
		if (code == BAT_OK)
			code = check_link(chain, &some->proofs[i], error);
	}
	if (code == BAT_OK && read != BAT_OK) {
		*error = unread;
		code = read;
	}
	return code;
}

static int
check_events(struct bat_store *store, const struct bat_list *list,
    const atomic_bool *stop, struct chain *chain, struct bat_error *error)
{
	struct some *some = malloc(sizeof(*some));
	uint64_t cursor = 0;
	int code = some == NULL ? BAT_WORLD_NO_MEMORY : BAT_OK;

	while (code == BAT_OK) {
		size_t count = bat_list_next(store, list, &cursor,
		    some->ordinals, EVENTS_AT_ONCE);

		if (count == 0)
			break;
		code = is_stopped(stop) ?
		    BAT_END :
		    check_some(store, some, count, chain, error);
	}
	free(some);
	return code;
}

static int
put_chain(const struct chain *chain, struct bat_buf *report)
{
	int code = bat_bytes_append_format(report,
	    "ok %" PRIu64 " payloads, 1 chains; headers: crc only\n",
	    chain->payloads);

	if (code == BAT_OK && chain->reencoded > 0)
		code = bat_bytes_append_format(report,
		    "noted %" PRIu64 " payloads that a compaction rewrote: "
		    "their hashes no longer fit\n",
		    chain->reencoded);
	if (code == BAT_OK && chain->gaps > 0)
		code = bat_bytes_append_format(report,
		    "noted %" PRIu64 " events that follow one that is not "
		    "here\n",
		    chain->gaps);
	if (code == BAT_OK && chain->starts > 1)
		code = bat_bytes_append_format(report,
		    "noted %" PRIu64 " starts of the chain\n", chain->starts);
	return code;
}

int
batfs_proof_entity(struct bat_store *store, struct bat_slice entity,
    const atomic_bool *stop, struct bat_buf *report, struct bat_error *error)
{
	struct bat_list list = { .kind = BAT_LIST_ENTITY };
	struct bat_error why = { .code = 0 };
	int code = BAT_DATA_DISAGREES, put = BAT_OK;

	for (unsigned i = 0; i < ATTEMPTS && code == BAT_DATA_DISAGREES; i++) {
		struct chain chain = { .hashes = BAT_BUF_EMPTY };

		bat_map_init(&chain.by_hash, &chain, hash_same, hash_hash);
		list.entity = bat_find_entity(store, entity);
		if (list.entity == BAT_MAP_NONE)
			return bat_error_set(error, BAT_STATE_NOT_FOUND,
			    "the entity has no event");
		code = check_events(store, &list, stop, &chain, &why);
		if (code == BAT_OK)
			put = put_chain(&chain, report);
		bat_map_free(&chain.by_hash);
		bat_bytes_free(&chain.hashes);
	}
	if (code != BAT_OK && error != NULL)
		*error = why;
	if (code == BAT_DATA_CORRUPT)
		put = put_break(&why, report);
	return put != BAT_OK ? put : code;
}
