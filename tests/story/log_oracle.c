#include "log_oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory_disk.h"
#include "tlog_internal.h"

struct story_tree {
	struct bat_hash origin; /* of the key's name */
	uint64_t size;
	struct bat_merkle_hash root;
	bool promised;
};

static bool fails(char why[256], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool
fails(char why[256], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, 256, format, arguments);
	va_end(arguments);
	return false;
}

/* Not the allocator of the code under test, which may be made to fail. */
static void *
grow(void *old, size_t size)
{
	void *larger = memory_disk_realloc(old, size);

	if (larger == NULL)
		abort();
	return larger;
}

/* ---- what was said --------------------------------------------------- */

void
story_log_free(struct story_log *log)
{
	free(log->trees);
	free(log->note);
	*log = (struct story_log){ .trees = NULL };
}

static void
keep_note(struct story_log *log, const void *bytes, size_t length)
{
	log->note = grow(log->note, length + 1);
	memcpy(log->note, bytes, length);
	log->note_length = length;
}

void
story_log_copy(const struct story_log *from, struct story_log *to)
{
	*to = *from;
	to->capacity = from->count + 1;
	to->note = NULL;
	to->note_length = 0;
	to->trees = grow(NULL, to->capacity * sizeof(*to->trees));
	if (from->count > 0)
		memcpy(to->trees, from->trees,
		    from->count * sizeof(*to->trees));
	if (from->note_length > 0)
		keep_note(to, from->note, from->note_length);
}

static uint64_t
promised_size(const struct story_log *log, const struct bat_hash *origin)
{
	uint64_t size = 0;

	for (size_t i = 0; i < log->count; i++)
		if (log->trees[i].promised && log->trees[i].size > size &&
		    bat_hash_equal(&log->trees[i].origin, origin))
			size = log->trees[i].size;
	return size;
}

uint64_t
story_log_hash(const struct story_log *log)
{
	uint64_t hash = log->renewing + 2u * log->unfit;

	for (size_t i = 0; i < log->count; i++)
		if (log->trees[i].promised)
			hash = hash * 0x100000001b3 + log->trees[i].size +
			    bat_bytes_get_be64(log->trees[i].origin.bytes);
	return hash;
}

static bool
is_any_promised(const struct story_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		if (log->trees[i].promised)
			return true;
	return false;
}

static struct story_tree *
find(struct story_log *log, const struct bat_hash *origin, uint64_t size)
{
	for (size_t i = 0; i < log->count; i++)
		if (log->trees[i].size == size &&
		    bat_hash_equal(&log->trees[i].origin, origin))
			return &log->trees[i];
	if (log->count == log->capacity) {
		log->capacity = log->capacity * 2 + 8;
		log->trees = grow(log->trees,
		    log->capacity * sizeof(*log->trees));
	}
	log->trees[log->count] = (struct story_tree){ .origin = *origin,
		.size = size };
	return &log->trees[log->count];
}

static bool
read_note(struct bat_slice bytes, struct bat_note_checkpoint *out,
    struct bat_hash *origin)
{
	struct bat_slice text;

	if (bat_note_open(bytes, NULL, &text, NULL) != BAT_OK ||
	    bat_note_checkpoint_parse(text, out, NULL) != BAT_OK)
		return false;
	*origin = bat_hash_of(out->origin);
	return true;
}

bool
story_log_hear(struct story_log *log, struct bat_slice bytes, bool promised,
    char why[256])
{
	struct bat_note_checkpoint said;
	struct story_tree *tree;
	struct bat_hash origin;

	if (!read_note(bytes, &said, &origin))
		return true;
	if (promised && said.size >= promised_size(log, &origin)) {
		keep_note(log, bytes.data, bytes.length);
		log->note_origin = origin;
	}
	tree = find(log, &origin, said.size);
	if (tree == &log->trees[log->count]) {
		log->count++;
		tree->root = said.root;
	}
	tree->promised = tree->promised || promised;
	if (bat_merkle_equal(&tree->root, &said.root))
		return true;
	return fails(why, "two trees of %llu records were signed",
	    (unsigned long long)said.size);
}

/* ---- the log on disk ------------------------------------------------- */

/* Of each signed tree that is no larger: do the entries give its root? */
static bool
entries_hold(const struct story_log *log, const struct bat_tlog *tlog,
    const struct bat_hash *origin, char why[256])
{
	struct bat_merkle_edge edge = { .size = 0 };
	struct bat_buf bundle = BAT_BUF_EMPTY;
	struct bat_error error = { .text = "" };
	bool holds = true;

	for (uint64_t i = 0; holds && i <= tlog->size; i++) {
		uint64_t place = i % BAT_TLOG_WIDTH;
		struct bat_merkle_hash root = bat_merkle_edge_root(&edge), leaf;

		for (size_t t = 0; holds && t < log->count; t++)
			if (log->trees[t].size == i &&
			    bat_hash_equal(&log->trees[t].origin, origin) &&
			    !bat_merkle_equal(&log->trees[t].root, &root))
				holds = fails(why,
				    "the tree of %llu records is another one",
				    (unsigned long long)i);
		if (i == tlog->size || !holds)
			break;
		if (place == 0) {
			const struct bat_tlog_tile tile = { BAT_TLOG_ENTRIES,
				i / BAT_TLOG_WIDTH,
				bat_tlog_width(BAT_TLOG_ENTRIES,
				    i / BAT_TLOG_WIDTH, tlog->size) };

			bat_bytes_clear(&bundle);
			if (bat_tlog_read_tile(tlog, &tile, tlog->size, &bundle,
				&error) != BAT_OK)
				holds = fails(why, "its entries: %.180s",
				    error.text);
		}
		if (!holds)
			break;
		leaf = bat_merkle_leaf(bat_bytes_slice(bundle.data +
			place * BAT_TLOG_ENTRY_SIZE + 2,
		    BAT_TLOG_RECORD_SIZE));
		bat_merkle_add(&edge, &leaf);
	}
	bat_bytes_free(&bundle);
	return holds;
}

/* Out of its tiles: it continues that tree. */
static bool
tiles_hold(const struct story_tree *tree, const struct bat_tlog *tlog,
    char why[256])
{
	struct bat_error error = { .text = "" };
	struct bat_tlog_tiles tiles = { .tlog = tlog,
		.size = tlog->size,
		.error = &error };
	const struct bat_merkle_source source = bat_tlog_source(&tiles);
	struct bat_merkle_hash root = bat_merkle_edge_root(&tlog->edge);
	struct bat_merkle_proof proof;
	bool holds = true;

	if (bat_merkle_prove_consistency(&source, tree->size, tlog->size,
		&proof) != BAT_OK)
		holds = fails(why, "no consistency proof from %llu: %.150s",
		    (unsigned long long)tree->size, error.text);
	else if (!bat_merkle_verify_consistency(tree->size, &tree->root,
		     tlog->size, &root, &proof))
		holds = fails(why, "the proof that it continues %llu is wrong",
		    (unsigned long long)tree->size);
	bat_bytes_free(&tiles.buf);
	return holds;
}

/* What stands below .batfs, and what was seen there. */
enum { LOGS_MAX = 16 };
struct places {
	char names[LOGS_MAX][MEMORY_DISK_NAME_SIZE];
	struct bat_hash origins[LOGS_MAX];
	size_t count, seen;
	bool has_current;
};

static int
note_place(void *context, const char *name)
{
	struct places *places = context;

	if (strncmp(name, TLOG_DIR, 4) == 0 && places->count < LOGS_MAX)
		snprintf(places->names[places->count++], MEMORY_DISK_NAME_SIZE,
		    "%s", name);
	return 0;
}

static bool
is_seen(const struct places *places, const struct bat_hash *origin)
{
	for (size_t i = 0; i < places->seen; i++)
		if (bat_hash_equal(&places->origins[i], origin))
			return true;
	return false;
}

/* A log that was loaded. */
static bool
trees_hold(const struct story_log *log, const struct bat_tlog *tlog,
    const struct bat_hash *origin, char why[256])
{
	uint64_t promised = promised_size(log, origin);

	if (tlog->size < promised)
		return fails(why, "the log has %llu records, %llu were shown",
		    (unsigned long long)tlog->size,
		    (unsigned long long)promised);
	if (!entries_hold(log, tlog, origin, why))
		return false;
	for (size_t i = 0; i < log->count; i++)
		if (log->trees[i].size <= tlog->size &&
		    bat_hash_equal(&log->trees[i].origin, origin) &&
		    !tiles_hold(&log->trees[i], tlog, why))
			return false;
	return true;
}

static bool
log_holds(struct story_log *log, struct bat_tlog *tlog, const char *name,
    struct places *places, bool promise, char why[256])
{
	bool is_current = strcmp(name, TLOG_DIR) == 0;
	struct bat_error error = { .text = "" };
	struct bat_note_checkpoint said;
	struct bat_hash *origin = &places->origins[places->seen];
	int code = bat_tlog_load(tlog, &error);

	/* It is not begun yet. */
	if (code == BAT_END && is_current)
		return true;
	if (code != BAT_OK)
		return fails(why, "the log in %.40s: %.180s", name, error.text);
	if (!read_note(bat_bytes_of_buf(&tlog->checkpoint), &said, origin))
		return fails(why, "the log in %.40s has no note", name);
	if (is_seen(places, origin))
		return fails(why, "two logs are signed with one key");
	places->seen++;
	places->has_current = places->has_current || is_current;
	return story_log_hear(log, bat_bytes_of_buf(&tlog->checkpoint),
		   promise && is_current, why) &&
	    trees_hold(log, tlog, origin, why);
}

static bool
place_holds(struct story_log *log, const struct bat_disk *disk, int side,
    const char *name, struct places *places, bool promise, char why[256])
{
	struct bat_tlog tlog;
	bool holds;

	bat_tlog_init(&tlog);
	tlog.disk = disk;
	tlog.dir = disk->open_dir_at(disk->context, side, name);
	holds = tlog.dir < 0 ?
	    fails(why, "the log in %.40s does not open", name) :
	    log_holds(log, &tlog, name, places, promise, why);
	bat_tlog_detach(&tlog);
	return holds;
}

bool
story_log_holds(struct story_log *log, const struct bat_disk *disk,
    bool promise, char why[256])
{
	struct places places = { .count = 0 };
	int dir = disk->open_dir(disk->context, "/", false);
	int side = disk->open_dir_at(disk->context, dir, TLOG_SIDE_DIR);
	bool holds = true;

	if (side >= 0) {
		disk->list(disk->context, side, note_place, &places);
		for (size_t i = 0; holds && i < places.count; i++)
			holds = place_holds(log, disk, side, places.names[i],
			    &places, promise, why);
		disk->close(disk->context, side);
	}
	disk->close(disk->context, dir);
	for (size_t i = 0; holds && i < log->count; i++)
		if (log->trees[i].promised &&
		    !is_seen(&places, &log->trees[i].origin))
			holds = fails(why, "a log that was shown is gone");
	if (holds && !places.has_current && !log->renewing &&
	    is_any_promised(log))
		holds = fails(why, "the log is gone, or its checkpoint");
	return holds;
}

/* ---- the store ------------------------------------------------------- */

static int
hear_finding(void *context, bool has_seq, uint64_t seq, const char *text)
{
	char *why = context;

	if (has_seq)
		(void)fails(why, "attested seq %llu: %.180s",
		    (unsigned long long)seq, text);
	else
		(void)fails(why, "attested: %.200s", text);
	return 1;
}

/* Is what was promised last of the log that the store shows? */
static bool
is_of_this_log(const struct story_log *log, struct bat_store *store)
{
	struct bat_buf note = BAT_BUF_EMPTY;
	struct bat_note_checkpoint said;
	struct bat_hash origin;
	bool is = bat_attest_checkpoint(store, &note, NULL) == BAT_OK &&
	    read_note(bat_bytes_of_buf(&note), &said, &origin) &&
	    bat_hash_equal(&origin, &log->note_origin);

	bat_bytes_free(&note);
	return is;
}

bool
story_log_is_attested(const struct story_log *log, struct bat_store *store,
    char why[256])
{
	const struct bat_attest_sink sink = { why, hear_finding };
	struct bat_attest_result result;

	if (promised_size(log, &log->note_origin) == 0 || log->unfit ||
	    (log->renewing && !is_of_this_log(log, store)))
		return true;
	bat_attest_check(store,
	    bat_bytes_slice((const uint8_t *)log->note, log->note_length),
	    BAT_SLICE_EMPTY, &sink, &result);
	if (result.verdict == BAT_ATTEST_INTACT)
		return true;
	return result.findings > 0 ?
	    false :
	    fails(why, "attested: %.200s", result.text);
}
