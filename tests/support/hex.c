#include "hex.h"

#include <stdlib.h>

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	abort();
}

void
test_hex_append(struct bat_buf *buf, const char *hex)
{
	while (*hex != '\0') {
		int byte;

		if (*hex == ' ' || *hex == '\n') {
			hex++;
			continue;
		}
		byte = digit(hex[0]) * 16 + digit(hex[1]);
		if (bat_bytes_append_byte(buf, (uint8_t)byte) != 0)
			abort();
		hex += 2;
	}
}

bool
test_hex_equals(struct bat_slice slice, const char *hex)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	bool equal;

	test_hex_append(&buf, hex);
	equal = bat_bytes_equal(slice, bat_bytes_of_buf(&buf));
	bat_bytes_free(&buf);
	return equal;
}
