/*
 * An event as a part of its chain: a line of tree.txt, and its node and edge of
 * graph.dot. Both say the same whatever else is in the chain.
 */
#include "render.h"

#include <inttypes.h>

#define INDENT 2
/* Deeper is not drawn: lines stay short, and cost the same. */
#define DEPTH_MAX 32

/* Of causes in the same chain. */
static unsigned
depth_of(struct bat_store *store, uint32_t ordinal)
{
	struct bat_chain own, chain;
	unsigned depth = 0;
	bool gone;

	if (!bat_chain_of(store, ordinal, &own))
		return 0;
	for (; depth < DEPTH_MAX; depth++) {
		ordinal = bat_cause(store, ordinal, &gone);
		if (ordinal == BAT_MAP_NONE ||
		    !bat_chain_of(store, ordinal, &chain) ||
		    chain.first != own.first)
			break;
	}
	return depth;
}

static int
put_branch(struct bat_store *store, uint32_t ordinal,
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
		code = bat_bytes_append_format(buf, "\t%s\t%*s", kind,
		    (int)(INDENT * depth_of(store, ordinal)), "");
	if (code == 0)
		code = bat_bytes_append_slice(buf,
		    bat_name(store, row->entity));
	if (code == 0)
		code = bat_bytes_append_byte(buf, '\t');
	if (code == 0)
		code = batfs_render_data(reading, damage, buf);
	return code == 0 ? bat_bytes_append_byte(buf, '\n') : code;
}

int
batfs_render_branch(struct bat_store *store, uint32_t ordinal,
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
	code = put_branch(store, ordinal, reading, code == 0 ? NULL : error,
	    buf);
	if (code != 0)
		buf->length = before;
	return code;
}

/* Within double quotes. */
static int
put_quoted(struct bat_buf *buf, struct bat_slice text)
{
	int code = 0;

	for (size_t i = 0; i < text.length && code == 0; i++) {
		uint8_t c = text.data[i];

		if (c == '"' || c == '\\')
			code = bat_bytes_append_byte(buf, '\\');
		if (code == 0)
			code = bat_bytes_append_byte(buf, c);
	}
	return code;
}

static int
put_edge(struct bat_store *store, uint32_t ordinal, uint64_t seq,
    struct bat_buf *buf)
{
	struct bat_chain own, chain;
	struct bat_row row;
	bool gone;
	uint32_t cause = bat_cause(store, ordinal, &gone);

	if (cause == BAT_MAP_NONE || !bat_row(store, cause, &row))
		return 0;
	gone = bat_chain_of(store, ordinal, &own) &&
	    bat_chain_of(store, cause, &chain) && chain.first != own.first;
	return bat_bytes_append_format(buf,
	    "\t\"%" PRIu64 "\" -> \"%" PRIu64 "\"%s;\n", row.seq, seq,
	    gone ? " [style=dashed]" : "");
}

int
batfs_render_dot(struct bat_store *store, uint32_t ordinal,
    struct bat_reading *reading, struct bat_buf *buf, struct bat_error *error)
{
	size_t before = buf->length;
	struct bat_row row;
	char kind[6];
	int code;

	(void)reading;
	if (!bat_row(store, ordinal, &row))
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "there is no such event");
	bat_kind_to_text(bat_kind_mapped(row.kind), kind);
	code = bat_bytes_append_format(buf,
	    "\t\"%" PRIu64 "\" [label=\"%" PRIu64 " %s\\n", row.seq, row.seq,
	    kind);
	if (code == 0)
		code = put_quoted(buf, bat_name(store, row.entity));
	if (code == 0)
		code = bat_bytes_append_text(buf, "\"];\n");
	if (code == 0)
		code = put_edge(store, ordinal, row.seq, buf);
	if (code != 0)
		buf->length = before;
	return code;
}
