#include "coordinate.h"

/* What is wrong with a part's characters, in batpak's order; NULL: nothing. */
static const char *
fault_of(struct bat_slice part)
{
	const uint8_t *p = part.data;

	for (size_t i = 0; i < part.length; i++) {
		if (p[i] == 0)
			return "holds a NUL";
		if (p[i] < 0x20 || p[i] == 0x7f)
			return "holds a control character";
	}
	if (memchr(p, '/', part.length) != NULL)
		return "holds a '/'";
	for (size_t i = 1; i < part.length; i++) {
		if (p[i - 1] == '.' && p[i] == '.')
			return "holds \"..\"";
	}
	if (memchr(p, '|', part.length) != NULL)
		return "holds a '|'";
	if (memchr(p, '=', part.length) != NULL)
		return "holds a '='";
	if (!bat_bytes_is_utf8(part))
		return "is not UTF-8";
	return NULL;
}

int
bat_coordinate_check(struct bat_slice entity, struct bat_slice scope,
    struct bat_error *error)
{
	const struct {
		const char *name;
		struct bat_slice text;
	} parts[] = { { "entity", entity }, { "scope", scope } };

	for (size_t i = 0; i < 2; i++) {
		if (parts[i].text.length == 0)
			return bat_error_set(error, BAT_USE_INVALID,
			    "the %s is empty", parts[i].name);
	}
	for (size_t i = 0; i < 2; i++) {
		if (parts[i].text.length > BAT_COORDINATE_MAX)
			return bat_error_set(error, BAT_USE_NAME_LENGTH,
			    "the %s is %zu bytes long, the most is %d",
			    parts[i].name, parts[i].text.length,
			    BAT_COORDINATE_MAX);
	}
	for (size_t i = 0; i < 2; i++) {
		const char *fault = fault_of(parts[i].text);

		if (fault != NULL)
			return bat_error_set(error, BAT_USE_INVALID,
			    "the %s %s", parts[i].name, fault);
	}
	return 0;
}
