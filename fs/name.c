#include "name.h"

/* What a shortened name keeps of the encoded one, and its length. */
#define SHORT_KEPT_MAX 183
#define SHORT_DIGITS 16

static const char tag_name[] = "CACHEDIR.TAG";

/*
 * The length of the well-formed UTF-8 character at the start of p, 0 when
 * there is none. The store lets none but UTF-8 in; a name that got past it
 * must still not break a directory listing.
 */
static size_t
character_length(const uint8_t *p, size_t left)
{
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (length > left || !bat_bytes_is_utf8(bat_bytes_slice(p, length)))
		return 0;
	return length;
}

/* "~" and 16 lower hex digits at the end: where the '~' stands, else the
 * name's length. */
static size_t
find_short_end(struct bat_slice name)
{
	size_t at;

	if (name.length < 1 + SHORT_DIGITS)
		return name.length;
	at = name.length - SHORT_DIGITS - 1;
	if (name.data[at] != '~')
		return name.length;
	for (size_t i = at + 1; i < name.length; i++) {
		uint8_t c = name.data[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return name.length;
	}
	return at;
}

/* Characters that are encoded wherever they stand: what the rules say, and
 * what the store refuses anyhow ('/' would break a listing, '=' our words). */
static bool
is_special(const uint8_t *p, size_t length)
{
	switch (length) {
	case 0:
		return true;
	case 1:
		return *p == '%' || *p == '/' || *p == '=' || *p < 0x20 ||
		    *p == 0x7f;
	case 2:
		return p[0] == 0xc2 && p[1] < 0xa0;
	default:
		return false;
	}
}

static bool
is_encoded_at(struct bat_slice stored, size_t at, size_t length,
    size_t short_end)
{
	const uint8_t *p = stored.data + at;

	if (is_special(p, length) || at == short_end)
		return true;
	if (at != 0)
		return false;
	return (*p == '.' && !BAT_PLANT(70)) || *p == '-' ||
	    bat_bytes_equal(stored, bat_bytes_text(tag_name));
}

static int
append_encoded(struct bat_buf *buf, const uint8_t *p, size_t length)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < length; i++) {
		char hex[3] = { '%', digits[p[i] >> 4], digits[p[i] & 15] };
		int code = bat_bytes_append(buf, hex, sizeof(hex));

		if (code != 0)
			return code;
	}
	return 0;
}

/*
 * Append the whole encoded name. *out_kept is how much of it a shortened name
 * would keep: whole characters, as many as fit.
 */
static int
encode_whole(struct bat_slice stored, struct bat_buf *buf, size_t *out_kept)
{
	size_t start = buf->length, at = 0;
	size_t short_end = find_short_end(stored);

	*out_kept = 0;
	while (at < stored.length) {
		const uint8_t *p = stored.data + at;
		size_t length = character_length(p, stored.length - at);
		bool encoded = is_encoded_at(stored, at, length, short_end);
		int code;

		if (length == 0)
			length = 1;
		code = encoded ? append_encoded(buf, p, length) :
				 bat_bytes_append(buf, p, length);
		if (code != 0)
			return code;
		if (buf->length - start <= SHORT_KEPT_MAX)
			*out_kept = buf->length - start;
		at += length;
	}
	return 0;
}

/*
 * Most names are short and of characters that never are encoded: these are
 * taken over as they are, at a tenth of the price.
 */
static bool
is_plain(struct bat_slice stored)
{
	if (stored.length == 0 || stored.length > SHORT_KEPT_MAX ||
	    stored.data[0] == '.' || stored.data[0] == '-' ||
	    stored.data[0] == 'C')
		return false;
	for (size_t i = 0; i < stored.length; i++) {
		uint8_t c = stored.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= ':') &&
		    !(c >= 'A' && c <= 'Z') && c != '.' && c != '-' && c != '_')
			return false;
	}
	return true;
}

int
batfs_name_encode(struct bat_slice stored, struct bat_buf *buf)
{
	size_t start = buf->length, kept;
	struct bat_hash hash;
	int code;

	if (is_plain(stored))
		return bat_bytes_append_slice(buf, stored);
	code = encode_whole(stored, buf, &kept);
	if (code == 0 && buf->length - start > BATFS_NAME_MAX) {
		buf->length = start + kept;
		stored.length /= BAT_PLANT(71) ? 2 : 1;
		hash = bat_hash_of(stored);
		code = bat_bytes_append_byte(buf, '~');
		if (code == 0)
			code = bat_bytes_append_hex(buf, hash.bytes,
			    SHORT_DIGITS / 2);
	}
	if (code != 0)
		buf->length = start;
	return code;
}

bool
batfs_name_is_long(struct bat_slice stored)
{
	size_t short_end = find_short_end(stored);
	size_t total = 0, at = 0;

	/* No byte becomes more than three. */
	if (stored.length <= BATFS_NAME_MAX / 3)
		return false;
	while (at < stored.length && total <= BATFS_NAME_MAX) {
		size_t length = character_length(stored.data + at,
		    stored.length - at);
		bool encoded = is_encoded_at(stored, at, length, short_end);

		if (length == 0)
			length = 1;
		total += encoded ? 3 * length : length;
		at += length;
	}
	return total > BATFS_NAME_MAX;
}

bool
batfs_name_looks_shortened(struct bat_slice tree_name)
{
	return find_short_end(tree_name) != tree_name.length;
}

/* The value of an upper hex digit, -1 for anything else. */
static int
digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Undo %XX, whoever wrote it. 0, BAT_STATE_NOT_FOUND, BAT_WORLD_NO_MEMORY. */
static int
unescape(struct bat_slice tree_name, struct bat_buf *buf)
{
	size_t at = 0;

	while (at < tree_name.length) {
		const uint8_t *p = tree_name.data + at;
		uint8_t byte = *p;
		int code;

		at++;
		if (byte == '%') {
			int high, low;

			if (tree_name.length - at < 2)
				return BAT_STATE_NOT_FOUND;
			high = digit_of(p[1]);
			low = digit_of(p[2]);
			if (high < 0 || low < 0)
				return BAT_STATE_NOT_FOUND;
			byte = (uint8_t)(high << 4 | low);
			at += 2;
		}
		code = bat_bytes_append_byte(buf, byte);
		if (code != 0)
			return code;
	}
	return 0;
}

int
batfs_name_decode(struct bat_slice tree_name, struct bat_buf *buf)
{
	struct bat_buf again = BAT_BUF_EMPTY;
	size_t start = buf->length;
	int code;

	if (tree_name.length == 0 || tree_name.length > BATFS_NAME_MAX ||
	    batfs_name_looks_shortened(tree_name))
		return BAT_STATE_NOT_FOUND;
	/* Only one spelling is right: the one that comes back. */
	code = unescape(tree_name, buf);
	if (code == 0)
		code = batfs_name_encode(bat_bytes_slice(buf->data + start,
					     buf->length - start),
		    &again);
	if (code == 0 && !bat_bytes_equal(bat_bytes_of_buf(&again), tree_name))
		code = BAT_STATE_NOT_FOUND;
	bat_bytes_free(&again);
	if (code != 0)
		buf->length = start;
	return code;
}

/* The length of "word=" (letters, then '=') at the start of text, '='
 * included; 0 when there is none. */
static size_t
word_length(struct bat_slice text)
{
	size_t i = 0;

	while (i < text.length && text.data[i] >= 'a' && text.data[i] <= 'z')
		i++;
	return i > 0 && i < text.length && text.data[i] == '=' ? i + 1 : 0;
}

static struct bat_slice
skip_bytes(struct bat_slice text, size_t count)
{
	return bat_bytes_slice(text.length == 0 ? text.data : text.data + count,
	    text.length - count);
}

/* Where the next ",word=" starts (at its comma), or the text's length. */
static size_t
find_word(struct bat_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == ',' &&
		    word_length(skip_bytes(text, i + 1)) > 0)
			return i;
	}
	return text.length;
}

void
batfs_name_split_words(struct bat_slice typed, struct bat_slice *out_stem,
    struct bat_slice *out_words)
{
	size_t at = find_word(typed);

	*out_stem = bat_bytes_slice(typed.data, at);
	*out_words = at == typed.length ? BAT_SLICE_EMPTY :
					  skip_bytes(typed, at + 1);
}

int
batfs_name_next_word(struct bat_slice *rest, struct bat_slice *out_key,
    struct bat_slice *out_value)
{
	size_t key_length, end;
	struct bat_slice value;

	if (rest->length == 0)
		return BAT_END;
	key_length = word_length(*rest);
	if (key_length == 0)
		return BAT_USE_INVALID;
	*out_key = bat_bytes_slice(rest->data, key_length - 1);
	value = skip_bytes(*rest, key_length);
	end = find_word(value);
	*out_value = bat_bytes_slice(value.data, end);
	*rest = end == value.length ? BAT_SLICE_EMPTY :
				      skip_bytes(value, end + 1);
	return 0;
}

static bool
parse_digits(struct bat_slice text, uint64_t *out)
{
	uint64_t value = 0;

	if (text.length == 0)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		if (!bat_bytes_multiply(value, 10, &value) ||
		    !bat_bytes_add(value, (uint64_t)(text.data[i] - '0'),
			&value))
			return false;
	}
	*out = value;
	return true;
}

bool
batfs_name_number(struct bat_slice text, uint64_t *out)
{
	if (text.length > 1 && text.data[0] == '0')
		return false;
	return parse_digits(text, out);
}

bool
batfs_name_padded(struct bat_slice text, unsigned digits, uint64_t *out)
{
	if (text.length < digits ||
	    (text.length > digits && text.data[0] == '0'))
		return false;
	return parse_digits(text, out);
}
