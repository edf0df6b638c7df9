#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *
bat_error_name(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{ BAT_OK, "ok" },
		{ BAT_END, "end" },
		{ BAT_USE_INVALID, "invalid" },
		{ BAT_USE_NAME_LENGTH, "name too long" },
		{ BAT_USE_TOO_LARGE, "too large" },
		{ BAT_USE_RESERVED, "reserved kind" },
		{ BAT_USE_READ_ONLY, "read-only" },
		{ BAT_WORLD_IO, "input/output error" },
		{ BAT_WORLD_NO_SPACE, "no space" },
		{ BAT_WORLD_NO_MEMORY, "no memory" },
		{ BAT_WORLD_LOCKED, "locked" },
		{ BAT_WORLD_ABSENT, "absent" },
		{ BAT_DATA_TORN, "torn" },
		{ BAT_DATA_CORRUPT, "corrupt" },
		{ BAT_DATA_FUTURE, "newer version" },
		{ BAT_DATA_DISAGREES, "index disagrees" },
		{ BAT_DATA_REFUSED, "refused" },
		{ BAT_STATE_NOT_FOUND, "not found" },
		{ BAT_STATE_EXISTS, "exists" },
		{ BAT_STATE_STALE, "stale" },
		{ BAT_STATE_STOPPED, "stopped" },
		{ BAT_STATE_DENIED, "denied" },
		{ BAT_STATE_CLOSED, "closed" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].code == code)
			return names[i].name;
	}
	return "unknown error";
}

/*
 * Cut a text that filled its room back to whole UTF-8 characters: vsnprintf
 * counts bytes, and names in messages may hold any character.
 */
static void
cut_to_characters(char *text, size_t length)
{
	size_t start = length;

	while (start > 0 && length - start < 3 &&
	    ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return;

	unsigned char lead = (unsigned char)text[start - 1];
	size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

	if (lead >= 0xc0 && length - (start - 1) < wanted)
		text[start - 1] = '\0';
}

/* printf into text[size]; returns the length that is there afterwards. */
__attribute__((format(printf, 3, 0))) static size_t
print_text(char *text, size_t size, const char *format, va_list arguments)
{
	int printed = vsnprintf(text, size, format, arguments);

	if (printed < 0) {
		text[0] = '\0';
		return 0;
	}
	if ((size_t)printed >= size)
		cut_to_characters(text, size - 1);
	return strlen(text);
}

__attribute__((format(printf, 6, 0))) static void
fill(struct bat_error *error, int code, int os_errno, uint64_t segment,
    uint64_t offset, const char *format, va_list arguments)
{
	error->code = code;
	error->os_errno = os_errno;
	error->segment = segment;
	error->offset = offset;
	print_text(error->text, sizeof(error->text), format, arguments);
}

int
bat_error_set(struct bat_error *error, int code, const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return code;
	va_start(arguments, format);
	fill(error, code, 0, 0, 0, format, arguments);
	va_end(arguments);
	return code;
}

static int
code_of_os(int os_errno)
{
	switch (os_errno) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return BAT_WORLD_NO_SPACE;
	case ENOMEM:
		return BAT_WORLD_NO_MEMORY;
	case ENOENT:
		return BAT_WORLD_ABSENT;
	default:
		return BAT_WORLD_IO;
	}
}

/* Put ": reason" behind what the error says, as far as there is room. */
static void
append_reason(struct bat_error *error, const char *reason)
{
	size_t length = strlen(error->text);
	size_t room = sizeof(error->text) - length;

	if ((size_t)snprintf(error->text + length, room, ": %s", reason) >=
	    room)
		cut_to_characters(error->text, sizeof(error->text) - 1);
}

int
bat_error_set_os(struct bat_error *error, int os_errno, const char *format, ...)
{
	int code = code_of_os(os_errno);
	char reason[128];
	va_list arguments;

	if (error == NULL)
		return code;
	va_start(arguments, format);
	fill(error, code, os_errno, 0, 0, format, arguments);
	va_end(arguments);
	append_reason(error, strerror_r(os_errno, reason, sizeof(reason)));
	return code;
}

int
bat_error_set_at(struct bat_error *error, int code, uint64_t segment,
    uint64_t offset, const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return code;
	va_start(arguments, format);
	fill(error, code, 0, segment, offset, format, arguments);
	va_end(arguments);
	return code;
}

void
bat_error_prefix(struct bat_error *error, const char *format, ...)
{
	char said[sizeof(error->text)];
	va_list arguments;

	if (error == NULL)
		return;
	memcpy(said, error->text, sizeof(said));
	va_start(arguments, format);
	print_text(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	append_reason(error, said);
}
