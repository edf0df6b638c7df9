/*
 * The record is text, one field a line, in this order (FORMAT.md 9.11):
 *
 *   batfs owner 1
 *   token 32 hex digits
 *   pid decimal
 *   boot text
 *   machine text
 *   network decimal
 *   lock device:inode, decimal, and " numbered" or " unnumbered"
 */
#include "owner.h"

#include <stdlib.h>

int
bat_owner_encode(const struct bat_owner_record *record, struct bat_buf *buf)
{
	const struct bat_file_place *place = &record->place;

	return bat_bytes_append_format(buf,
	    "batfs owner 1\ntoken %s\npid %llu\nboot %s\nmachine %s\n"
	    "network %llu\nlock %llu:%llu %s\n",
	    record->token, (unsigned long long)place->pid, place->boot,
	    place->machine, (unsigned long long)place->network,
	    (unsigned long long)place->device, (unsigned long long)place->inode,
	    place->numbered ? "numbered" : "unnumbered");
}

/* What stands behind word in *text, up to the character end, which is eaten.
 * false: *text does not begin so, or out is too small. */
static bool
take_field(const char **text, const char *word, char end, char *out,
    size_t size)
{
	size_t length = strlen(word);
	const char *from = *text + length, *stop;

	if (strncmp(*text, word, length) != 0)
		return false;
	stop = strchr(from, end);
	if (stop == NULL || (size_t)(stop - from) >= size)
		return false;
	memcpy(out, from, (size_t)(stop - from));
	out[stop - from] = '\0';
	*text = stop + 1;
	return true;
}

/* Signs, spaces and what does not fit show when it is printed again. */
static bool
take_number(const char **text, const char *word, char end, uint64_t *out)
{
	char digits[21];

	if (!take_field(text, word, end, digits, sizeof(digits)))
		return false;
	*out = strtoull(digits, NULL, 10);
	return true;
}

static bool
decode_fields(const char *text, struct bat_owner_record *out)
{
	struct bat_file_place *place = &out->place;
	char how[16];

	if (!take_field(&text, "batfs owner 1\ntoken ", '\n', out->token,
		sizeof(out->token)) ||
	    !take_number(&text, "pid ", '\n', &place->pid) ||
	    !take_field(&text, "boot ", '\n', place->boot,
		sizeof(place->boot)) ||
	    !take_field(&text, "machine ", '\n', place->machine,
		sizeof(place->machine)) ||
	    !take_number(&text, "network ", '\n', &place->network) ||
	    !take_number(&text, "lock ", ':', &place->device) ||
	    !take_number(&text, "", ' ', &place->inode) ||
	    !take_field(&text, "", '\n', how, sizeof(how)))
		return false;
	place->numbered = strcmp(how, "numbered") == 0;
	return strspn(out->token, "0123456789abcdef") ==
	    BAT_OWNER_TOKEN_SIZE - 1;
}

int
bat_owner_decode(struct bat_slice file, struct bat_owner_record *out)
{
	struct bat_owner_record record = { .token = "" };
	struct bat_buf again = BAT_BUF_EMPTY;
	char text[BAT_OWNER_RECORD_MAX + 1];
	int code;

	if (file.length > BAT_OWNER_RECORD_MAX || file.length == 0)
		return BAT_DATA_CORRUPT;
	memcpy(text, file.data, file.length);
	text[file.length] = '\0';
	if (!decode_fields(text, &record))
		return BAT_DATA_CORRUPT;
	code = bat_owner_encode(&record, &again);
	if (code == BAT_OK && !bat_bytes_equal(bat_bytes_of_buf(&again), file))
		code = BAT_DATA_CORRUPT;
	bat_bytes_free(&again);
	*out = record;
	return code;
}
