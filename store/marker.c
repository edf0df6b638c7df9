#include "marker.h"

#include <stdlib.h>

#include "crc.h"
#include "file.h"
#include "segment_dir.h"

#define MARKER_LIMIT (16u << 20)

static const char checksum_key[] = ",\"batfs_crc32\":";

/* ---- writing it ------------------------------------------------------ */

int
bat_marker_encode(uint64_t merged, const uint64_t *sources, size_t count,
    struct bat_buf *buf)
{
	size_t start = buf->length;
	int code = bat_bytes_append_format(buf,
	    "{\"merged_id\":%llu,\"source_segment_ids\":[",
	    (unsigned long long)merged);

	for (size_t i = 0; code == BAT_OK && i < count; i++)
		code = bat_bytes_append_format(buf, "%s%llu", i == 0 ? "" : ",",
		    (unsigned long long)sources[i]);
	if (code == BAT_OK)
		code = bat_bytes_append_byte(buf, ']');
	if (code == BAT_OK)
		code = bat_bytes_append_format(buf, "%s%lu}", checksum_key,
		    (unsigned long)bat_crc_of(bat_bytes_slice(buf->data + start,
			buf->length - start)));
	return code;
}

/* ---- reading it ------------------------------------------------------ */

/* A bounded look at compact JSON that serde wrote: digits after a key. */
static bool
digits(const char **at, uint64_t *out)
{
	uint64_t value = 0;
	const char *start = *at;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		if (!bat_bytes_multiply(value, 10, &value) ||
		    !bat_bytes_add(value, (uint64_t)(**at - '0'), &value))
			return false;
	*out = value;
	return *at > start;
}

static void
spaces(const char **at)
{
	while (**at == ' ' || **at == '\t' || **at == '\n' || **at == '\r')
		(*at)++;
}

static bool
literal(const char **at, char c)
{
	spaces(at);
	if (**at != c)
		return false;
	(*at)++;
	spaces(at);
	return true;
}

/* "merged_id":N or "source_segment_ids":[N,...], in either order. out->sources
 * has room for as many as such a text can name. */
static bool
parse_marker(const char *text, struct bat_marker *out)
{
	const char *merged = strstr(text, "\"merged_id\"");
	const char *list = strstr(text, "\"source_segment_ids\"");

	if (merged == NULL || list == NULL)
		return false;
	merged += strlen("\"merged_id\"");
	list += strlen("\"source_segment_ids\"");
	if (!literal(&merged, ':') || !digits(&merged, &out->merged) ||
	    !literal(&list, ':') || !literal(&list, '['))
		return false;
	if (literal(&list, ']'))
		return true;
	do {
		if (!digits(&list, &out->sources[out->count++]))
			return false;
	} while (literal(&list, ','));
	return literal(&list, ']');
}

/* A checksum is ours; one that does not hold makes the marker one of nobody. */
static bool
check_sum(const char *text, struct bat_marker *out)
{
	const char *key = strstr(text, checksum_key), *at;
	uint64_t sum;

	if (key == NULL)
		return true;
	at = key + sizeof(checksum_key) - 1;
	out->ours = true;
	return BAT_PLANT(260) ||
	    (digits(&at, &sum) && strcmp(at, "}") == 0 &&
		sum == bat_crc_of(bat_bytes_slice(text, (size_t)(key - text))));
}

static bool
is_sensible(const struct bat_marker *marker)
{
	return marker->ours ?
	    !bat_marker_has(marker, marker->merged) :
	    marker->count == 0 || bat_marker_has(marker, marker->merged);
}

bool
bat_marker_has(const struct bat_marker *marker, uint64_t id)
{
	for (size_t i = 0; i < marker->count; i++)
		if (marker->sources[i] == id)
			return true;
	return false;
}

int
bat_marker_read(const struct bat_segment_dir *dir, struct bat_marker *out,
    struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	int code = bat_file_read_whole(dir->disk, dir->dir,
	    BAT_SEGMENT_DIR_MARKER, MARKER_LIMIT, &text, error);

	*out = (struct bat_marker){ .merged = 0 };
	if (code == BAT_OK)
		code = bat_bytes_append_byte(&text, 0);
	if (code == BAT_OK) {
		out->sources = calloc(text.length / 2 + 1,
		    sizeof(*out->sources));
		if (out->sources == NULL)
			code = bat_error_set(error, BAT_WORLD_NO_MEMORY,
			    "no memory for %s", BAT_SEGMENT_DIR_MARKER);
	}
	if (code == BAT_OK &&
	    (!parse_marker((const char *)text.data, out) ||
		!check_sum((const char *)text.data, out) ||
		!is_sensible(out))) {
		bat_marker_free(out);
		code = bat_error_set(error, BAT_DATA_CORRUPT,
		    "%s is not what batpak or batfs writes; the directory was "
		    "left as it is. `batctl repair` takes it away",
		    BAT_SEGMENT_DIR_MARKER);
	}
	bat_bytes_free(&text);
	return code;
}

void
bat_marker_free(struct bat_marker *marker)
{
	free(marker->sources);
	*marker = (struct bat_marker){ .merged = 0 };
}
