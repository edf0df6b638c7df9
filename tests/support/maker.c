#include "maker.h"

#include <stdlib.h>

#include "chain.h"
#include "codec.h"
#include "frame.h"
#include "kind.h"
#include "rowindex.h"
#include "segment.h"

static void
must(int code)
{
	if (code != 0)
		abort();
}

void
maker_init(struct maker *maker)
{
	*maker = (struct maker){ .wall_ms = 1767225600000 };
	bat_intern_init(&maker->names);
}

void
maker_free(struct maker *maker)
{
	bat_bytes_free(&maker->file);
	bat_intern_free(&maker->names);
	free(maker->rows);
}

void
maker_segment(struct maker *maker, uint64_t id)
{
	maker->segment = id;
	maker->first_row = maker->row_count;
	bat_bytes_clear(&maker->file);
	must(bat_segment_encode_header(id, 1767225600000000000, &maker->file));
}

/* The newest row of an entity is what the next links to. */
static struct bat_chain_head
head_of(const struct maker *maker, uint32_t entity)
{
	for (size_t i = maker->row_count; i-- > 0;) {
		const struct bat_row *row = &maker->rows[i];

		if (row->entity == entity)
			return (struct bat_chain_head){ true, row->clock,
				row->wall_ms, row->hash, row->id, row->corr };
	}
	return (struct bat_chain_head){ .exists = false };
}

static void
keep_row(struct maker *maker, const struct bat_row *row)
{
	size_t count = maker->row_count;

	/* Twice as much at each power of two. */
	if ((count & (count - 1)) == 0) {
		struct bat_row *larger = realloc(maker->rows,
		    (count == 0 ? 1 : 2 * count) * sizeof(*larger));

		if (larger == NULL)
			abort();
		maker->rows = larger;
	}
	maker->rows[maker->row_count++] = *row;
}

static struct bat_id
next_id(struct maker *maker)
{
	uint8_t random[10] = { 0x77 };

	bat_bytes_put_be(random + 6, ++maker->ids_given, 4);
	return bat_id_make_v7(maker->wall_ms, random);
}

uint64_t
maker_event(struct maker *maker, const char *entity, const char *payload)
{
	const struct bat_slice bytes = bat_bytes_text(payload);
	size_t start = maker->file.length;
	struct bat_event event = {
		.id = bat_id_is_zero(&maker->id) ? next_id(maker) : maker->id,
		.timestamp_us = (int64_t)(maker->wall_ms++ * 1000),
		.kind = maker->kind == 0 ? 0xf001 : maker->kind,
		.entity = bat_bytes_text(entity),
		.scope = bat_bytes_text("scope:made"),
	};
	struct bat_row row = { .segment = maker->segment, .offset = start };
	struct bat_chain_head head;

	must(bat_intern_put(&maker->names, event.entity, &row.entity));
	must(bat_intern_put(&maker->names, event.scope, &row.scope));
	event.corr = event.id;
	head = head_of(maker, row.entity);
	must(bat_chain_link(&head, bytes, &event, NULL));
	event.cause = maker->cause;
	if (!bat_id_is_zero(&maker->corr))
		event.corr = maker->corr;
	must(bat_frame_open(&maker->file));
	must(bat_codec_encode(&event, bytes, NULL, 0, &maker->file));
	bat_frame_seal(&maker->file, start);
	row.id = event.id;
	row.corr = event.corr;
	row.cause = event.cause;
	row.clock = event.clock;
	row.wall_ms = event.wall_ms;
	row.length = (uint32_t)(maker->file.length - start);
	row.prev = event.prev;
	row.hash = event.hash;
	row.kind = event.kind;
	row.extensions = BAT_ROW_EXTENSIONS_NONE;
	if (!maker->unlisted) {
		row.seq = maker->next_seq++;
		keep_row(maker, &row);
	}
	maker->kind = 0;
	maker->id = maker->corr = maker->cause = BAT_ID_ZERO;
	maker->unlisted = false;
	return start;
}

uint64_t
maker_marker(struct maker *maker, uint16_t kind, uint32_t count)
{
	size_t start = maker->file.length;

	must(bat_frame_open(&maker->file));
	must(bat_codec_encode_marker(kind, maker->next_seq, count,
	    (int64_t)(maker->wall_ms * 1000), &maker->file));
	bat_frame_seal(&maker->file, start);
	return start;
}

void
maker_bytes(struct maker *maker, const void *bytes, size_t length)
{
	must(bat_bytes_append(&maker->file, bytes, length));
}

void
maker_footer(struct maker *maker)
{
	size_t count = maker->row_count - maker->first_row;

	must(bat_segment_encode_footer(
	    count == 0 ? NULL : maker->rows + maker->first_row, count,
	    &maker->names, maker->file.length, &maker->file));
}

void
maker_save(const struct maker *maker, const struct temp_dir *dir)
{
	char name[BAT_SEGMENT_NAME_SIZE];

	bat_segment_name(maker->segment, name);
	temp_dir_write(dir, name, bat_bytes_of_buf(&maker->file));
}

static int
source_rewind(void *context)
{
	struct maker *maker = context;

	maker->given = 0;
	return 0;
}

static int
source_next(void *context, struct bat_row *out, struct bat_slice *out_map)
{
	struct maker *maker = context;

	if (maker->given == maker->row_count)
		return BAT_END;
	*out = maker->rows[maker->given++];
	*out_map = BAT_SLICE_EMPTY;
	return 0;
}

void
maker_index(struct maker *maker, bool rowindex, uint16_t version,
    struct bat_buf *out)
{
	const struct bat_checkpoint_source source = { maker, source_rewind,
		source_next, NULL };
	const struct bat_checkpoint_input input = {
		.allocator = maker->next_seq,
		.watermark_segment = maker->segment,
		.watermark_offset = maker->file.length,
		.row_count = maker->row_count,
		.names = &maker->names,
		.source = &source,
	};

	bat_bytes_clear(out);
	must(rowindex ? bat_rowindex_encode(&input, out, NULL) :
			bat_checkpoint_encode(&input, version, out, NULL));
}
