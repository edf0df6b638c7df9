#include "render_internal.h"

#include "json.h"
#include "json_number.h"

#include <inttypes.h>

/* Room for everything of a usual line but the payload. */
#define LINE_ROOM 640

/*
 * A line that grows. The first failure stays in code and makes the rest do
 * nothing; it is looked at once, at the end.
 */
struct line {
	struct bat_buf *buf;
	size_t start;
	int code;
};

static void
start_line(struct line *line, struct bat_buf *buf, size_t room)
{
	line->buf = buf;
	line->start = buf->length;
	line->code = bat_bytes_reserve(buf, room);
}

static int
finish_line(struct line *line)
{
	if (line->code == 0)
		line->code = bat_bytes_append_text(line->buf, "}\n");
	if (line->code != 0)
		line->buf->length = line->start;
	return line->code;
}

/* So many bytes more have room. */
static inline bool
has_room(struct line *line, size_t length)
{
	struct bat_buf *buf = line->buf;

	if (line->code == 0 && length > buf->capacity - buf->length)
		line->code = bat_bytes_reserve(buf, length);
	return line->code == 0;
}

/* What stands as it is: names, colons and commas. Inline, so that the lengths
 * of constants are constants. */
static inline void
put(struct line *line, const char *text)
{
	size_t length = strlen(text);

	if (!has_room(line, length))
		return;
	memcpy(line->buf->data + line->buf->length, text, length);
	line->buf->length += length;
}

static inline void
put_number(struct line *line, const char *before, uint64_t value)
{
	put(line, before);
	if (has_room(line, 20))
		line->buf->length += batfs_json_number_put(
		    (char *)line->buf->data + line->buf->length, value);
}

static inline void
put_string(struct line *line, const char *before, struct bat_slice text)
{
	put(line, before);
	if (line->code == 0)
		line->code = batfs_json_write_string(line->buf, text);
}

static inline void
put_hex(struct line *line, const char *before, const uint8_t *bytes,
    size_t length, const char *after)
{
	put(line, before);
	if (has_room(line, 2 * length)) {
		(void)bat_bytes_put_hex(line->buf->data + line->buf->length,
		    bytes, length);
		line->buf->length += 2 * length;
	}
	put(line, after);
}

static void
put_base64(struct line *line, const char *before, struct bat_slice bytes,
    const char *after)
{
	put(line, before);
	if (line->code == 0)
		line->code = bat_bytes_append_base64(line->buf, bytes.data,
		    bytes.length);
	put(line, after);
}

/* ---- members --------------------------------------------------------- */

static void
put_place(struct line *line, uint64_t seq, uint32_t clock)
{
	put_number(line, "{\"seq\":", seq);
	put_number(line, ",\"clock\":", clock);
	put(line, ",\"time\":\"");
}

static void
put_subject(struct line *line, struct bat_slice entity, struct bat_slice scope,
    uint16_t kind)
{
	char text[6];

	put_string(line, "\",\"entity\":", entity);
	put_string(line, ",\"scope\":", scope);
	put(line, ",\"kind\":\"");
	bat_kind_to_text(bat_kind_mapped(kind), text);
	put(line, text);
	put(line, "\"");
}

static void
put_links(struct line *line, const struct bat_id *id, const struct bat_id *corr,
    const struct bat_id *cause, const struct bat_hash *hash,
    const struct bat_hash *prev)
{
	put_hex(line, ",\"id\":\"", id->bytes, sizeof(id->bytes), "\"");
	put_hex(line, ",\"corr\":\"", corr->bytes, sizeof(corr->bytes), "\"");
	if (bat_id_is_zero(cause))
		put(line, ",\"cause\":null");
	else
		put_hex(line, ",\"cause\":\"", cause->bytes,
		    sizeof(cause->bytes), "\"");
	put_hex(line, ",\"hash\":\"", hash->bytes, sizeof(hash->bytes), "\"");
	put_hex(line, ",\"prev\":\"", prev->bytes, sizeof(prev->bytes), "\"");
}

static void
put_unless_zero(struct line *line, const char *before, uint64_t value)
{
	if (value != 0)
		put_number(line, before, value);
}

/* *out_exact: `raw` is not needed. */
static void
put_payload(struct line *line, struct bat_slice payload, bool *out_exact)
{
	size_t before = line->buf->length;
	int code;

	*out_exact = true;
	put(line, ",\"data\":");
	if (line->code != 0)
		return;
	code = batfs_json_of_pack(payload, line->buf, out_exact);
	if (code != BAT_DATA_CORRUPT) {
		line->code = code;
		return;
	}
	*out_exact = true;
	line->buf->length = before;
	put_base64(line, ",\"data_b64\":\"", payload, "\"");
}

/* Text that a terminal shows as it is; else it goes into a tag. */
static bool
is_printable(struct bat_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		uint8_t c = text.data[i];

		if (c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && i + 1 < text.length &&
			text.data[i + 1] < 0xa0))
			return false;
	}
	return bat_bytes_is_utf8(text);
}

static void
put_extensions(struct line *line, const struct bat_reading *reading)
{
	struct bat_extension_walk walk = bat_extensions(reading);
	struct bat_buf value = BAT_BUF_EMPTY;
	const char *before = ",\"ext\":{";
	struct bat_slice key;

	while (line->code == 0) {
		int code = bat_extensions_next(&walk, &key, &value);

		if (code == BAT_WORLD_NO_MEMORY)
			line->code = code;
		if (code != 0 || !bat_bytes_is_utf8(key))
			break;
		put_string(line, before, key);
		if (is_printable(bat_bytes_of_buf(&value)))
			put_string(line, ":", bat_bytes_of_buf(&value));
		else
			put_base64(line, ":{\"$bin\":\"",
			    bat_bytes_of_buf(&value), "\"}");
		before = ",";
	}
	if (before[1] == '\0')
		put(line, "}");
	bat_bytes_free(&value);
}

/* What stands behind `prev`, and only when it says something. */
static void
put_rest(struct line *line, const struct bat_reading *reading, bool exact)
{
	const struct bat_event *event = &reading->fields;
	int64_t time_ms = batfs_render_divide(event->timestamp_us, 1000);

	if (time_ms < 0 || (uint64_t)time_ms != event->wall_ms)
		put_number(line, ",\"wall\":", event->wall_ms);
	put_unless_zero(line, ",\"lane\":", event->lane);
	put_unless_zero(line, ",\"depth\":", event->depth);
	put_unless_zero(line, ",\"flags\":", event->flags);
	if (event->extension_count > 0)
		put_extensions(line, reading);
	if (!exact)
		put_base64(line, ",\"raw\":\"",
		    bat_bytes_of_buf(&reading->payload), "\"");
}

/* ---- lines ----------------------------------------------------------- */

int
batfs_render_line(const struct bat_reading *reading, struct bat_slice entity,
    struct bat_slice scope, struct bat_buf *buf)
{
	const struct bat_event *event = &reading->fields;
	struct line line;
	bool exact;

	start_line(&line, buf, LINE_ROOM + 2 * reading->payload.length);
	put_place(&line, reading->row.seq, event->clock);
	if (line.code == 0)
		line.code = batfs_render_time(event->timestamp_us, buf);
	put_subject(&line, entity, scope, event->kind);
	put_payload(&line, bat_bytes_of_buf(&reading->payload), &exact);
	put_links(&line, &event->id, &event->corr, &event->cause, &event->hash,
	    &event->prev);
	put_rest(&line, reading, exact);
	return finish_line(&line);
}

/* The first word of the error says what. */
int
batfs_render_damage(const struct bat_row *row, const struct bat_error *why,
    struct bat_buf *buf)
{
	bool placed = why != NULL && why->segment != 0;
	size_t length = 0;

	while (why != NULL && length < 32 && why->text[length] >= 'a' &&
	    why->text[length] <= 'z')
		length++;
	return bat_bytes_append_format(buf,
	    "%.*s segment %" PRIu64 " offset %" PRIu64,
	    length > 0 ? (int)length : (int)strlen("damaged"),
	    length > 0 ? why->text : "damaged",
	    placed ? why->segment : row->segment,
	    placed ? why->offset : row->offset);
}

static void
put_damage(struct line *line, const struct bat_row *row,
    const struct bat_error *why)
{
	put(line, ",\"damaged\":\"");
	if (line->code == 0)
		line->code = batfs_render_damage(row, why, line->buf);
	put(line, "\"");
}

int
batfs_render_damaged(const struct bat_row *row, struct bat_slice entity,
    struct bat_slice scope, const struct bat_error *why, struct bat_buf *buf)
{
	struct line line;

	start_line(&line, buf, LINE_ROOM);
	if (entity.length == 0) {
		/* No index tells what stood there. */
		put_number(&line, "{\"seq\":", row->seq);
		put_damage(&line, row, why);
		return finish_line(&line);
	}
	put_place(&line, row->seq, row->clock);
	/* In seconds, so that no wall_ms from a disk can overflow. */
	if (line.code == 0)
		line.code = batfs_render_seconds((int64_t)(row->wall_ms / 1000),
		    (unsigned)(row->wall_ms % 1000 * 1000), buf);
	put_subject(&line, entity, scope, row->kind);
	put_damage(&line, row, why);
	put_links(&line, &row->id, &row->corr, &row->cause, &row->hash,
	    &row->prev);
	put_unless_zero(&line, ",\"lane\":", row->lane);
	put_unless_zero(&line, ",\"depth\":", row->depth);
	return finish_line(&line);
}

int
batfs_render_time_of(const struct bat_reading *reading, bool damaged,
    struct bat_buf *buf)
{
	uint64_t wall_ms = reading->row.wall_ms;

	if (!damaged)
		return batfs_render_time(reading->fields.timestamp_us, buf);
	/* In seconds, so that no wall_ms from a disk can overflow. */
	return batfs_render_seconds((int64_t)(wall_ms / 1000),
	    (unsigned)(wall_ms % 1000 * 1000), buf);
}

int
batfs_render_receipt(const struct bat_reading *reading, bool damaged,
    struct bat_buf *buf)
{
	const struct bat_row *row = &reading->row;
	struct line line;

	start_line(&line, buf, LINE_ROOM);
	put_number(&line, "{\"seq\":", row->seq);
	put_hex(&line, ",\"id\":\"", row->id.bytes, sizeof(row->id.bytes),
	    "\"");
	put_hex(&line, ",\"hash\":\"", row->hash.bytes, sizeof(row->hash.bytes),
	    "\"");
	put_number(&line, ",\"clock\":", row->clock);
	put(&line, ",\"time\":\"");
	if (line.code == 0)
		line.code = batfs_render_time_of(reading, damaged, buf);
	put(&line, "\"");
	if (!damaged && reading->fields.extension_count > 0)
		put_extensions(&line, reading);
	return finish_line(&line);
}

int
batfs_render_event(struct bat_store *store, uint32_t ordinal,
    struct bat_reading *reading, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_error local;
	int code;

	if (error == NULL)
		error = &local;
	code = bat_read(store, ordinal, reading, error);
	if (code != 0 && code != BAT_DATA_CORRUPT)
		return code;
	if (code != 0)
		return batfs_render_damaged(&reading->row, reading->entity,
		    reading->scope, error, buf);
	return batfs_render_line(reading, reading->entity, reading->scope, buf);
}
