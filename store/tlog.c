/*
 * The life of a log: begun and added to. How it is read again: tlog_load.c; how
 * its files are named and read: tlog_files.c; how it makes room for another one:
 * tlog_aside.c.
 */
#include "tlog.h"

#include <errno.h>
#include <stdio.h>

#include "tlog_internal.h"

#define RANDOM_NAME 8 /* bytes of a key's name */

void
bat_tlog_record_put(const struct bat_tlog_record *record,
    uint8_t out[BAT_TLOG_RECORD_SIZE])
{
	bat_bytes_put_be(out, record->seq, 8);
	memcpy(out + 8, record->id.bytes, 16);
	memcpy(out + 24, record->frame.bytes, BAT_HASH_SIZE);
}

void
bat_tlog_record_get(const uint8_t bytes[BAT_TLOG_RECORD_SIZE],
    struct bat_tlog_record *out)
{
	out->seq = bat_bytes_get_be64(bytes);
	memcpy(out->id.bytes, bytes + 8, 16);
	memcpy(out->frame.bytes, bytes + 24, BAT_HASH_SIZE);
}

/* ---- attaching ------------------------------------------------------- */

void
bat_tlog_init(struct bat_tlog *tlog)
{
	*tlog = (struct bat_tlog){ .dir = -1 };
}

static int
attach(struct bat_tlog *tlog, const struct bat_disk *disk, int data_dir,
    bool create, struct bat_error *error)
{
	int side = -1;
	enum tlog_make make = create ? TLOG_MAKE_SURE : TLOG_FIND;
	int code = bat_tlog_open_folder(disk, data_dir, TLOG_SIDE_DIR, make,
	    &side, error);

	tlog->disk = disk;
	if (code == BAT_OK) {
		code = bat_tlog_open_folder(disk, side, TLOG_DIR, make,
		    &tlog->dir, error);
		bat_file_close(disk, side);
	}
	return code;
}

int
bat_tlog_attach(struct bat_tlog *tlog, const struct bat_disk *disk,
    int data_dir, struct bat_error *error)
{
	int code = attach(tlog, disk, data_dir, false, error);

	return code == BAT_WORLD_ABSENT ? BAT_END : code;
}

void
bat_tlog_detach(struct bat_tlog *tlog)
{
	if (tlog->dir >= 0)
		bat_file_close(tlog->disk, tlog->dir);
	bat_bytes_free(&tlog->checkpoint);
	for (unsigned i = 0; i <= BAT_TLOG_LEVELS; i++)
		bat_bytes_free(&tlog->rights[i]);
	bat_tlog_init(tlog);
}

/* ---- keys ------------------------------------------------------------ */

int
bat_tlog_make_signer(const struct bat_disk *disk, struct bat_note_signer *out,
    struct bat_error *error)
{
	uint8_t random[BAT_NOTE_KEY_SIZE + RANDOM_NAME];
	struct bat_buf name = BAT_BUF_EMPTY;
	int code = disk->random(disk->context, random, sizeof(random));

	if (code < 0)
		return bat_error_set_os(error, -code, "no random bytes");
	code = bat_bytes_append_text(&name, "batfs.local/");
	if (code == BAT_OK)
		code = bat_bytes_append_hex(&name, random + BAT_NOTE_KEY_SIZE,
		    RANDOM_NAME);
	if (code == BAT_OK)
		code = bat_note_signer_make(bat_bytes_of_buf(&name), random,
		    out, error);
	bat_bytes_free(&name);
	return code;
}

int
bat_tlog_set_signer(struct bat_tlog *tlog, const struct bat_note_signer *signer,
    struct bat_error *error)
{
	if (!bat_note_key_equal(&tlog->key, &signer->key))
		return bat_error_set(error, BAT_USE_INVALID,
		    "the transparency log is signed by %.200s, the key is "
		    "%.200s",
		    tlog->key.name, signer->key.name);
	tlog->signer = *signer;
	tlog->has_signer = true;
	return BAT_OK;
}

int
bat_tlog_settle(const struct bat_tlog *tlog, struct bat_error *error)
{
	bat_tlog_drop_leftovers(tlog);
	return bat_file_sync(tlog->disk, tlog->dir, error);
}

/* ---- beginning ------------------------------------------------------- */

static int
write_checkpoint(struct bat_tlog *tlog, struct bat_error *error)
{
	struct bat_note_checkpoint content = {
		.origin = bat_bytes_text(tlog->key.name),
		.size = tlog->size,
		.root = bat_merkle_edge_root(&tlog->edge),
	};
	struct bat_buf text = BAT_BUF_EMPTY;
	int code = bat_note_checkpoint_put(&content, &text);

	bat_bytes_clear(&tlog->checkpoint);
	if (code == BAT_OK)
		code = bat_note_sign(&tlog->signer, bat_bytes_of_buf(&text),
		    &tlog->checkpoint);
	bat_bytes_free(&text);
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory for a checkpoint");
	return bat_file_put_whole(tlog->disk, tlog->dir, TLOG_CHECKPOINT,
	    bat_bytes_of_buf(&tlog->checkpoint), true, error);
}

static int
put_line(const struct bat_tlog *tlog, const char *name, struct bat_buf *line,
    struct bat_error *error)
{
	int code = bat_bytes_append_byte(line, '\n');

	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory for the log");
	return bat_file_put_whole(tlog->disk, tlog->dir, name,
	    bat_bytes_of_buf(line), true, error);
}

/* The key that an earlier try left, or a new one. */
static int
own_signer(const struct bat_tlog *tlog, struct bat_note_signer *out,
    struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	int code = bat_tlog_read_file(tlog, TLOG_KEY, &text, error);

	if (code == BAT_OK) {
		code = bat_note_signer_parse(bat_bytes_of_buf(&text), out,
		    error);
	} else if (code == BAT_WORLD_ABSENT) {
		code = bat_tlog_make_signer(tlog->disk, out, error);
		if (code == BAT_OK)
			code = bat_note_signer_put(out, &text);
		if (code == BAT_OK)
			code = put_line(tlog, TLOG_KEY, &text, error);
	}
	bat_bytes_free(&text);
	return code;
}

static int
begin(struct bat_tlog *tlog, struct bat_error *error)
{
	struct bat_buf line = BAT_BUF_EMPTY;
	int code = bat_note_key_put(&tlog->key, &line);

	if (code == BAT_OK)
		code = put_line(tlog, TLOG_VKEY, &line, error);
	bat_bytes_clear(&line);
	if (code == BAT_OK)
		code = bat_bytes_append_format(&line, "%llu",
		    (unsigned long long)tlog->first_seq);
	if (code == BAT_OK)
		code = put_line(tlog, TLOG_FROM, &line, error);
	bat_bytes_free(&line);
	/* Last: from now on there is a log. */
	return code == BAT_OK ? write_checkpoint(tlog, error) : code;
}

int
bat_tlog_create(struct bat_tlog *tlog, const struct bat_disk *disk,
    int data_dir, const struct bat_note_signer *signer, uint64_t first_seq,
    struct bat_error *error)
{
	bool was_begun = false;
	int code = BAT_OK;

	bat_tlog_detach(tlog);
	if (signer != NULL)
		code = bat_tlog_check_unused(disk, data_dir, &signer->key,
		    error);
	if (code == BAT_OK)
		code = attach(tlog, disk, data_dir, true, error);
	if (code == BAT_OK)
		code = bat_tlog_was_begun(tlog, &was_begun, error);
	if (code != BAT_OK)
		return code;
	if (was_begun)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "the log in .batfs/tlog has lost its checkpoint; move it "
		    "away to begin another one");
	if (signer != NULL)
		tlog->signer = *signer;
	else
		code = own_signer(tlog, &tlog->signer, error);
	if (code != BAT_OK)
		return code;
	tlog->has_signer = true;
	tlog->key = tlog->signer.key;
	tlog->first_seq = first_seq;
	return begin(tlog, error);
}

/* ---- adding ---------------------------------------------------------- */

/* A tile or bundle of the right edge that is full goes to its file. */
static int
put_full(struct bat_tlog *tlog, unsigned level, struct bat_error *error)
{
	struct bat_buf *right = &tlog->rights[level];
	struct bat_tlog_tile tile = { level,
		bat_tlog_count(level, tlog->size) / BAT_TLOG_WIDTH - 1,
		BAT_TLOG_WIDTH };
	int code = bat_tlog_write_tile(tlog, &tile, bat_bytes_of_buf(right),
	    error);

	bat_bytes_clear(right);
	return code;
}

static bool
is_full(const struct bat_tlog *tlog, unsigned level)
{
	return tlog->rights[level].length ==
	    BAT_TLOG_WIDTH * bat_tlog_unit(level);
}

static int
add_hash(struct bat_tlog *tlog, unsigned level,
    const struct bat_merkle_hash *hash)
{
	return bat_bytes_append(&tlog->rights[level], hash->bytes,
	    BAT_MERKLE_HASH_SIZE);
}

int
bat_tlog_add(struct bat_tlog *tlog, const struct bat_tlog_record *record,
    struct bat_error *error)
{
	struct bat_buf *bundle = &tlog->rights[BAT_TLOG_ENTRIES];
	uint8_t bytes[BAT_TLOG_RECORD_SIZE];
	struct bat_merkle_hash hash;
	int code = bat_bytes_append_be(bundle, BAT_TLOG_RECORD_SIZE, 2);

	bat_tlog_record_put(record, bytes);
	hash = bat_merkle_leaf(bat_bytes_slice(bytes, sizeof(bytes)));
	if (code == BAT_OK)
		code = bat_bytes_append(bundle, bytes, sizeof(bytes));
	if (code == BAT_OK)
		code = add_hash(tlog, 0, &hash);
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory for the log");
	bat_merkle_add(&tlog->edge, &hash);
	tlog->size++;
	tlog->last = *record;
	if (is_full(tlog, BAT_TLOG_ENTRIES))
		code = put_full(tlog, BAT_TLOG_ENTRIES, error);
	for (unsigned i = 0;
	     code == BAT_OK && i + 1 < BAT_TLOG_LEVELS && is_full(tlog, i);
	     i++) {
		hash = bat_tlog_tile_root(&tlog->rights[i], 0, BAT_TLOG_WIDTH);
		code = put_full(tlog, i, error);
		if (code == BAT_OK)
			code = add_hash(tlog, i + 1, &hash);
	}
	return code;
}

/* ---- publishing ------------------------------------------------------ */

/* What this level has got since the last checkpoint is on disk after this. */
static int
settle_level(struct bat_tlog *tlog, unsigned level, struct bat_error *error)
{
	uint64_t before = bat_tlog_count(level, tlog->published);
	uint64_t count = bat_tlog_count(level, tlog->size);
	struct bat_tlog_tile tile = { level, count / BAT_TLOG_WIDTH,
		(unsigned)(count % BAT_TLOG_WIDTH) };
	int code = bat_tlog_sync_full(tlog, level, before / BAT_TLOG_WIDTH,
	    count / BAT_TLOG_WIDTH, error);

	if (code != BAT_OK || count == before || tile.width == 0)
		return code;
	code = bat_tlog_write_tile(tlog, &tile,
	    bat_bytes_of_buf(&tlog->rights[level]), error);
	return code == BAT_OK ? bat_tlog_sync_partial(tlog, &tile, error) :
				code;
}

/* The partial ones that the full tile stands for now. One that stays is no
 * harm. */
static void
drop_superseded(const struct bat_tlog *tlog, uint64_t before_size)
{
	for (unsigned i = 0; i <= BAT_TLOG_LEVELS; i++) {
		uint64_t before = bat_tlog_count(i, before_size);
		uint64_t count = bat_tlog_count(i, tlog->size);

		if (before % BAT_TLOG_WIDTH > 0 &&
		    before / BAT_TLOG_WIDTH < count / BAT_TLOG_WIDTH)
			(void)bat_tlog_drop_partials(tlog, i,
			    before / BAT_TLOG_WIDTH, NULL);
	}
}

int
bat_tlog_publish(struct bat_tlog *tlog, struct bat_error *error)
{
	uint64_t before = tlog->published;
	int code = BAT_OK;

	if (tlog->size == before)
		return BAT_OK;
	for (unsigned i = 0; code == BAT_OK && i <= BAT_TLOG_LEVELS; i++)
		code = settle_level(tlog, i, error);
	if (code == BAT_OK)
		code = write_checkpoint(tlog, error);
	if (code != BAT_OK)
		return code;
	tlog->published = tlog->size;
	drop_superseded(tlog, before);
	return BAT_OK;
}
