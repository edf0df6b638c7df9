/*
 * A log as it is found: its key, its checkpoint, and the right edge of its
 * tiles, which must give the checkpoint's root.
 */
#include "tlog.h"

#include <errno.h>

#include "tlog_internal.h"

int
bat_tlog_read_first_seq(const struct bat_tlog *tlog, uint64_t *out,
    struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	int code = bat_tlog_read_file(tlog, TLOG_FROM, &text, error);
	bool good = text.length > 1 && text.data[text.length - 1] == '\n';

	*out = 0;
	for (size_t i = 0; good && i + 1 < text.length; i++) {
		uint8_t digit = (uint8_t)(text.data[i] - '0');

		good = digit <= 9 && bat_bytes_multiply(*out, 10, out) &&
		    bat_bytes_add(*out, digit, out);
	}
	bat_bytes_free(&text);
	if (code == BAT_OK && !good)
		code = bat_error_set(error, BAT_DATA_CORRUPT,
		    "the log's file `from` holds no number");
	return code;
}

/* It may be kept elsewhere, or be none that we may read, or of another log. That
 * the disk fails is another thing: then it is not known. */
static int
load_secret(struct bat_tlog *tlog, struct bat_buf *text,
    struct bat_error *error)
{
	struct bat_error why = { .os_errno = 0 };
	struct bat_note_signer signer;
	int code = bat_tlog_read_file(tlog, TLOG_KEY, text, &why);

	if (code == BAT_OK &&
	    bat_note_signer_parse(bat_bytes_of_buf(text), &signer, NULL) ==
		BAT_OK)
		(void)bat_tlog_set_signer(tlog, &signer, NULL);
	if (code != BAT_WORLD_NO_MEMORY && code != BAT_WORLD_NO_SPACE &&
	    (code != BAT_WORLD_IO || why.os_errno == EACCES ||
		why.os_errno == EPERM))
		return BAT_OK;
	if (error != NULL)
		*error = why;
	return code;
}

/* The public key, and the secret one if it lies here and belongs to it. */
static int
load_keys(struct bat_tlog *tlog, struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	int code = bat_tlog_read_file(tlog, TLOG_VKEY, &text, error);

	if (code == BAT_OK)
		code = bat_note_key_parse(bat_bytes_of_buf(&text), &tlog->key,
		    error);
	if (code != BAT_OK)
		goto free_text;
	bat_bytes_clear(&text);
	code = load_secret(tlog, &text, error);
free_text:
	bat_bytes_free(&text);
	return code == BAT_USE_INVALID || code == BAT_USE_TOO_LARGE ||
		code == BAT_WORLD_ABSENT ?
	    BAT_DATA_CORRUPT :
	    code;
}

static int
load_checkpoint(struct bat_tlog *tlog, struct bat_note_checkpoint *out,
    struct bat_error *error)
{
	struct bat_slice text = BAT_SLICE_EMPTY;
	int code = bat_tlog_read_file(tlog, TLOG_CHECKPOINT, &tlog->checkpoint,
	    error);

	if (code == BAT_WORLD_ABSENT)
		return BAT_END;
	if (code == BAT_OK)
		code = load_keys(tlog, error);
	if (code == BAT_OK)
		code = bat_note_open(bat_bytes_of_buf(&tlog->checkpoint),
		    &tlog->key, &text, error);
	if (code == BAT_OK)
		code = bat_note_checkpoint_parse(text, out, error);
	if (code == BAT_STATE_NOT_FOUND || code == BAT_USE_TOO_LARGE)
		code = BAT_DATA_CORRUPT;
	if (code == BAT_OK &&
	    !bat_bytes_equal(out->origin, bat_bytes_text(tlog->key.name)))
		code = bat_error_set(error, BAT_DATA_CORRUPT,
		    "the checkpoint's origin is not the name of its key");
	return code;
}

/* The peaks of the edge out of the tiles that are not full. */
static void
fill_edge(struct bat_tlog *tlog)
{
	tlog->edge.size = tlog->size;
	for (unsigned level = 0; level < BAT_TLOG_LEVELS; level++) {
		const struct bat_buf *tile = &tlog->rights[level];
		size_t width = tile->length / BAT_MERKLE_HASH_SIZE, at = 0;

		for (unsigned bit = 8; bit-- > 0;) {
			if ((width >> bit & 1) == 0)
				continue;
			tlog->edge.peaks[8 * level + bit] = bat_tlog_tile_root(
			    tile, at, (size_t)1 << bit);
			at += (size_t)1 << bit;
		}
	}
}

static int
load_last(struct bat_tlog *tlog, struct bat_error *error)
{
	struct bat_tlog_tile tile = { BAT_TLOG_ENTRIES,
		(tlog->size - 1) / BAT_TLOG_WIDTH,
		(unsigned)((tlog->size - 1) % BAT_TLOG_WIDTH + 1) };
	struct bat_buf bundle = BAT_BUF_EMPTY;
	int code = bat_tlog_read_tile(tlog, &tile, tlog->size, &bundle, error);

	if (code == BAT_OK)
		bat_tlog_record_get(bundle.data + bundle.length -
			BAT_TLOG_RECORD_SIZE,
		    &tlog->last);
	bat_bytes_free(&bundle);
	return code;
}

static int
load_edge(struct bat_tlog *tlog, struct bat_error *error)
{
	int code = BAT_OK;

	for (unsigned i = 0; code == BAT_OK && i <= BAT_TLOG_LEVELS; i++) {
		uint64_t count = bat_tlog_count(i, tlog->size);
		struct bat_tlog_tile tile = { i, count / BAT_TLOG_WIDTH,
			(unsigned)(count % BAT_TLOG_WIDTH) };

		if (tile.width > 0)
			code = bat_tlog_read_tile(tlog, &tile, tlog->size,
			    &tlog->rights[i], error);
	}
	if (code == BAT_OK && tlog->size > 0)
		code = load_last(tlog, error);
	if (code == BAT_OK)
		fill_edge(tlog);
	return code == BAT_WORLD_ABSENT || code == BAT_STATE_NOT_FOUND ?
	    BAT_DATA_CORRUPT :
	    code;
}

int
bat_tlog_load(struct bat_tlog *tlog, struct bat_error *error)
{
	struct bat_note_checkpoint checkpoint;
	struct bat_merkle_hash root;
	int code = load_checkpoint(tlog, &checkpoint, error);

	if (code != BAT_OK)
		return code;
	tlog->size = tlog->published = checkpoint.size;
	code = bat_tlog_read_first_seq(tlog, &tlog->first_seq, error);
	if (code == BAT_OK)
		code = load_edge(tlog, error);
	if (code != BAT_OK)
		return code == BAT_WORLD_ABSENT ? BAT_DATA_CORRUPT : code;
	root = bat_merkle_edge_root(&tlog->edge);
	if (!bat_merkle_equal(&root, &checkpoint.root))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "the log's tiles do not give the root of its checkpoint");
	return BAT_OK;
}

int
bat_tlog_open(struct bat_tlog *tlog, const struct bat_disk *disk, int data_dir,
    struct bat_error *error)
{
	int code = bat_tlog_attach(tlog, disk, data_dir, error);

	return code == BAT_OK ? bat_tlog_load(tlog, error) : code;
}
