/* Entries of index.ckpt, which are of different lengths, as they come. */
#include "verify_swift.h"

#include "crc.h"

#define BLOCK_SIZE (128u << 10)
/* An entry that does not decode from so many bytes is left to the plain way. */
#define ENTRY_MAX (64u << 10)
/* Nearly all are shorter. Where more than this is left, the next one is tried
 * before what is left is moved to the front. */
#define ENTRY_USUAL (4u << 10)

/* What is not taken yet to the start of the window, and a block behind it. */
static int
refill(struct verify_entries *entries, struct bat_error *error)
{
	struct bat_buf *window = &entries->window;
	uint64_t left = entries->size - entries->at;
	size_t length = left < BLOCK_SIZE ? (size_t)left : BLOCK_SIZE, got = 0;
	int code = bat_bytes_reserve(window, ENTRY_MAX + BLOCK_SIZE);

	if (code != BAT_OK)
		return bat_error_set(error, code,
		    "no memory for a block of rows");
	entries->crc = bat_crc_update(entries->crc,
	    bat_bytes_slice(window->data, entries->used));
	window->length -= entries->used;
	memmove(window->data, window->data + entries->used, window->length);
	entries->used = 0;
	code = bat_file_read(entries->disk, entries->fd,
	    window->data + window->length, length, entries->at, &got, error);
	if (code == BAT_OK && got < length)
		code = BAT_DATA_CORRUPT;
	if (code != BAT_OK)
		return code;
	entries->at += length;
	window->length += length;
	return BAT_OK;
}

/* Are so many bytes there, or all that the file has? */
static bool
has(const struct verify_entries *entries, size_t length)
{
	return entries->window.length - entries->used >= length ||
	    entries->at >= entries->size;
}

/* The entry at the start of what is not taken yet. */
static int
decode(struct verify_entries *entries)
{
	const struct bat_buf *window = &entries->window;
	struct bat_pack_reader reader;
	int code;

	if (entries->used == window->length)
		return BAT_END;
	reader = (struct bat_pack_reader){ window->data + entries->used,
		window->data + window->length };
	code = bat_checkpoint_read_row_and_map(entries->front, &reader,
	    &entries->row, &entries->map);
	entries->row_end = (size_t)(reader.at - window->data);
	entries->has_row = code == BAT_OK;
	return code;
}

int
bat_verify_entries_look(struct verify_entries *entries, struct bat_error *error)
{
	int code = BAT_OK;

	if (entries->has_row)
		return BAT_OK;
	if (!has(entries, ENTRY_USUAL))
		code = refill(entries, error);
	if (code == BAT_OK)
		code = decode(entries);
	if (code != BAT_DATA_CORRUPT || has(entries, ENTRY_MAX))
		return code;
	code = refill(entries, error);
	return code == BAT_OK ? decode(entries) : code;
}

void
bat_verify_entries_take(struct verify_entries *entries)
{
	entries->used = entries->row_end;
	entries->has_row = false;
}

uint64_t
bat_verify_entries_end(struct verify_entries *entries)
{
	entries->crc = bat_crc_update(entries->crc,
	    bat_bytes_slice(entries->window.data, entries->used));
	return entries->at - (entries->window.length - entries->used);
}

/* As batpak spells the start of an entry. */
int
bat_verify_entries_find(struct verify_entries *entries, uint64_t offset,
    struct bat_error *error)
{
	const char *start = entries->front->head.version < 6 ?
	    "\xde\x00\x10\xa8"
	    "event_id\xc4\x10" :
	    "\xde\x00\x11\xa8"
	    "event_id\xc4\x10";
	struct bat_buf *window = &entries->window;
	const uint8_t *found;
	int code;

	entries->at = offset;
	code = refill(entries, error);
	if (code != BAT_OK)
		return code;
	found = window->length == 0 ?
	    NULL :
	    memmem(window->data, window->length, start, 14);
	if (found == NULL)
		return BAT_END;
	/* What is in front of it belongs to the other piece. */
	entries->start = offset + (uint64_t)(found - window->data);
	window->length -= (size_t)(found - window->data);
	memmove(window->data, found, window->length);
	code = bat_verify_entries_look(entries, error);
	return code == BAT_DATA_CORRUPT ? BAT_END : code;
}
