#include "event.h"

#include "coordinate.h"
#include "kind.h"

bool
bat_event_extension_key_is_legal(struct bat_slice key)
{
	static const char reserved[] = "batpak";
	size_t dot = 0, dots = 0;

	if (key.length == 0 || key.length > BAT_EVENT_EXTENSION_KEY_MAX)
		return false;
	for (size_t i = 0; i < key.length; i++) {
		if (key.data[i] >= 0x80)
			return false;
		if (key.data[i] == '.') {
			dot = i;
			dots++;
		}
	}
	if (dots != 1 || dot == 0 || dot == key.length - 1)
		return false;
	return !bat_bytes_equal(bat_bytes_slice(key.data, dot),
	    bat_bytes_text(reserved));
}

/* Bytes of a MessagePack array or map header. */
static uint64_t
header_size(uint64_t count)
{
	if (count < 16)
		return 1;
	return count <= UINT16_MAX ? 3 : 5;
}

/*
 * How long the extension map becomes in the frame: batpak counts that against
 * the payload's cap, but not when the map is empty.
 */
static uint64_t
extensions_size(const struct bat_draft *draft)
{
	uint64_t size = header_size(draft->extension_count);

	if (draft->extension_count == 0)
		return 0;
	for (size_t i = 0; i < draft->extension_count; i++) {
		const struct bat_extension *extension = &draft->extensions[i];

		/* A key of at most 256 bytes: marker, 0 to 2 of length. */
		size += extension->key.length +
		    (extension->key.length < 32		? 1 :
			    extension->key.length < 256 ? 2 :
							  3);
		size += header_size(extension->value.length) +
		    extension->value.length;
		/* Bytes from 80 on take two. */
		for (size_t j = 0; j < extension->value.length; j++)
			size += extension->value.data[j] >> 7;
		if (size > BAT_EVENT_PAYLOAD_MAX)
			break;
	}
	return size;
}

static int
check_extensions(const struct bat_draft *draft, struct bat_error *error)
{
	for (size_t i = 0; i < draft->extension_count; i++) {
		struct bat_slice key = draft->extensions[i].key;

		if (!bat_event_extension_key_is_legal(key))
			return bat_error_set(error, BAT_USE_INVALID,
			    "an extension key must be ASCII of the form "
			    "space.name, at most %d bytes, and not in "
			    "batpak's own space",
			    BAT_EVENT_EXTENSION_KEY_MAX);
		if (i > 0 &&
		    bat_bytes_compare(draft->extensions[i - 1].key, key) >= 0)
			return bat_error_set(error, BAT_USE_INVALID,
			    "extension keys are not sorted, or one is there "
			    "twice");
	}
	return 0;
}

static int
check_size(const struct bat_draft *draft, struct bat_error *error)
{
	/* Compared one by one, so that no sum can wrap. */
	if (draft->payload.length <= BAT_EVENT_PAYLOAD_MAX &&
	    draft->payload.length + extensions_size(draft) <=
		BAT_EVENT_PAYLOAD_MAX)
		return 0;
	return bat_error_set(error, BAT_USE_TOO_LARGE,
	    "payload and extensions are above %u bytes", BAT_EVENT_PAYLOAD_MAX);
}

int
bat_event_check_draft(const struct bat_draft *draft, bool alone,
    struct bat_error *error)
{
	int code = bat_coordinate_check(draft->entity, draft->scope, error);

	return code != 0 ? code :
			   bat_event_check_draft_but_names(draft, alone, error);
}

int
bat_event_check_draft_but_names(const struct bat_draft *draft, bool alone,
    struct bat_error *error)
{
	int code;

	if (bat_kind_is_reserved(draft->kind) && !BAT_PLANT(13)) {
		char kind[6];

		bat_kind_to_text(draft->kind, kind);
		return bat_error_set(error, BAT_USE_RESERVED,
		    "kind %s is of a category that batpak keeps for itself",
		    kind);
	}
	if (!alone && draft->flags != 0)
		return bat_error_set(error, BAT_USE_INVALID,
		    "flags are kept only for an event that is alone in its "
		    "batch");
	if (draft->cause == BAT_CAUSE_ID && bat_id_is_zero(&draft->cause_id))
		return bat_error_set(error, BAT_USE_INVALID,
		    "the id of the cause is zero");
	code = check_extensions(draft, error);
	if (code != 0)
		return code;
	return check_size(draft, error);
}
