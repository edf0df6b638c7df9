#include "json_line.h"

#include <stdlib.h>

static void
must(bool good)
{
	if (!good)
		abort();
}

/* The end of the value that starts at from. */
static size_t
end_of_value(struct bat_slice text, size_t from)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = from; i < text.length; i++) {
		uint8_t c = text.data[i];

		if (in_string && c == '\\') {
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (in_string) {
			continue;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
			return i;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return text.length;
}

bool
json_line_next(struct bat_slice object, size_t *at, struct bat_slice *out_key,
    struct bat_slice *out_value)
{
	size_t start, end;

	must(object.length >= 2 && object.data[0] == '{');
	start = *at == 0 ? 1 : *at;
	if (start >= object.length || object.data[start] == '}')
		return false;
	must(object.data[start] == '"');
	for (end = start + 1; object.data[end] != '"'; end++)
		must(object.data[end] != '\\' && end + 2 < object.length);
	*out_key = bat_bytes_slice(object.data + start + 1, end - start - 1);
	must(object.data[end + 1] == ':');
	start = end + 2;
	end = end_of_value(object, start);
	*out_value = bat_bytes_slice(object.data + start, end - start);
	*at = end < object.length && object.data[end] == ',' ? end + 1 : end;
	return true;
}

struct bat_slice
json_line_find(struct bat_slice object, const char *key)
{
	struct bat_slice name, value;
	size_t at = 0;

	while (json_line_next(object, &at, &name, &value))
		if (bat_bytes_equal(name, bat_bytes_text(key)))
			return value;
	return BAT_SLICE_EMPTY;
}

static uint32_t
hex4(const uint8_t *at)
{
	char digits[5] = { 0 };
	char *end;
	unsigned long value;

	memcpy(digits, at, 4);
	value = strtoul(digits, &end, 16);
	must(end == digits + 4);
	return (uint32_t)value;
}

static void
put(struct bat_buf *buf, uint32_t byte)
{
	must(bat_bytes_append_byte(buf, (uint8_t)byte) == 0);
}

/* Below U+10000 only: the samples escape nothing above. */
static void
put_code_point(struct bat_buf *buf, uint32_t c)
{
	if (c < 0x80) {
		put(buf, c);
	} else if (c < 0x800) {
		put(buf, 0xc0 | c >> 6);
		put(buf, 0x80 | (c & 0x3f));
	} else {
		put(buf, 0xe0 | c >> 12);
		put(buf, 0x80 | (c >> 6 & 0x3f));
		put(buf, 0x80 | (c & 0x3f));
	}
}

void
json_line_text(struct bat_slice value, struct bat_buf *buf)
{
	static const char escaped[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";

	if (value.length < 2 || value.data[0] != '"')
		return;
	for (size_t i = 1; i + 1 < value.length; i++) {
		const char *found;

		if (value.data[i] != '\\') {
			put(buf, value.data[i]);
			continue;
		}
		i++;
		if (value.data[i] == 'u') {
			put_code_point(buf, hex4(value.data + i + 1));
			i += 4;
			continue;
		}
		found = strchr(escaped, value.data[i]);
		must(found != NULL);
		put(buf, (uint8_t)meant[found - escaped]);
	}
}

uint64_t
json_line_number(struct bat_slice value)
{
	uint64_t number = 0;

	must(value.length > 0);
	for (size_t i = 0; i < value.length; i++) {
		must(value.data[i] >= '0' && value.data[i] <= '9');
		number = number * 10 + (uint64_t)(value.data[i] - '0');
	}
	return number;
}

bool
json_line_of(struct bat_slice *file, struct bat_slice *out)
{
	const uint8_t *end;

	if (file->length == 0)
		return false;
	end = memchr(file->data, '\n', file->length);
	out->data = file->data;
	out->length = end == NULL ? file->length : (size_t)(end - file->data);
	file->data += out->length + (end != NULL);
	file->length -= out->length + (end != NULL);
	return true;
}
