/*
 * An event for people: seq, time, kind, cause and data, a tab between them. The
 * data is the JSON of the line, where a tab is written \t, so that columns stay
 * columns.
 */
#include "render.h"

#include <inttypes.h>

#include "json.h"

/* A number where the cause is an event here, else its id. A cause stands before
 * its effect, so that later events change nothing. */
static int
put_cause(struct bat_store *store, uint32_t own, const struct bat_id *cause,
    struct bat_buf *buf)
{
	uint32_t ordinal;
	struct bat_row row;
	bool gone;

	if (bat_id_is_zero(cause))
		return bat_bytes_append_byte(buf, '-');
	ordinal = bat_find_id(store, cause);
	if (ordinal != BAT_MAP_NONE && ordinal >= own) {
		/* Another one with this id may stand before it. */
		int code = bat_trace(store, NULL);

		if (code != 0)
			return code;
		ordinal = bat_cause(store, own, &gone);
	}
	if (ordinal != BAT_MAP_NONE && bat_row(store, ordinal, &row))
		return bat_bytes_append_format(buf, "%" PRIu64, row.seq);
	return bat_bytes_append_hex(buf, cause->bytes, sizeof(cause->bytes));
}

int
batfs_render_data(const struct bat_reading *reading,
    const struct bat_error *damage, struct bat_buf *buf)
{
	struct bat_slice payload = bat_bytes_of_buf(&reading->payload);
	bool exact;
	int code;

	if (damage != NULL) {
		code = bat_bytes_append_text(buf, "damaged ");
		return code == 0 ?
		    batfs_render_damage(&reading->row, damage, buf) :
		    code;
	}
	code = batfs_json_of_pack(payload, buf, &exact);
	if (code != BAT_DATA_CORRUPT)
		return code;
	code = bat_bytes_append_text(buf, "base64:");
	if (code == 0)
		code = bat_bytes_append_base64(buf, payload.data,
		    payload.length);
	return code;
}

static int
put_columns(struct bat_store *store, uint32_t ordinal,
    const struct bat_reading *reading, const struct bat_error *damage,
    struct bat_buf *buf)
{
	const struct bat_row *row = &reading->row;
	char kind[6];
	int code = bat_bytes_append_format(buf, "%" PRIu64 "\t", row->seq);

	bat_kind_to_text(bat_kind_mapped(row->kind), kind);
	if (code == 0)
		code = batfs_render_time_of(reading, damage != NULL, buf);
	if (code == 0)
		code = bat_bytes_append_format(buf, "\t%s\t", kind);
	if (code == 0)
		code = put_cause(store, ordinal, &row->cause, buf);
	if (code == 0)
		code = bat_bytes_append_byte(buf, '\t');
	if (code == 0)
		code = batfs_render_data(reading, damage, buf);
	return code == 0 ? bat_bytes_append_byte(buf, '\n') : code;
}

int
batfs_render_brief(struct bat_store *store, uint32_t ordinal,
    struct bat_reading *reading, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_error local;
	size_t before = buf->length;
	int code;

	if (error == NULL)
		error = &local;
	code = bat_read(store, ordinal, reading, error);
	if (code != 0 && code != BAT_DATA_CORRUPT)
		return code;
	code = put_columns(store, ordinal, reading, code == 0 ? NULL : error,
	    buf);
	if (code != 0)
		buf->length = before;
	return code;
}
