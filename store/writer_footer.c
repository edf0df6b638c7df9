/*
 * The footer of the segment that this session wrote, made when it is sealed: the
 * index knows the rows, their frames the rest, and both have to say the same. A
 * session's events take 73 bytes each of memory so (the index), and took 249 when
 * their rows were kept for this; reading a frame back costs 0.2 us, once.
 *
 * A footer that misses rows loses events (DESIGN.md H22): where anything is
 * amiss there is none, and who opens the segment reads its frames.
 */
#include "writer_internal.h"

#include <stdlib.h>

#include "codec.h"
#include "segment.h"
#include "segment_reader.h"

struct footer {
	const struct bat_index *index;
	uint32_t next, end; /* ordinals of the segment */
	/* The footer's own numbers of names, from 1 on, by those of the index;
	 * 0: it has none yet. */
	uint32_t *numbers;
	struct bat_intern names; /* in their order */
	struct bat_buf *out;
};

/* ---- the table of names ------------------------------------------------- */

static int
use_name(struct footer *footer, uint32_t name)
{
	uint32_t number;
	int code;

	if (name >= footer->index->names.count)
		return BAT_DATA_DISAGREES; /* a damaged frame's row */
	if (footer->numbers[name] != 0)
		return BAT_OK;
	code = bat_intern_put(&footer->names,
	    bat_intern_get(&footer->index->names, name), &number);
	footer->numbers[name] = number + 1;
	return code;
}

static int
put_table(struct footer *footer)
{
	int code = BAT_OK;

	for (uint32_t i = footer->next; code == BAT_OK && i < footer->end;
	     i++) {
		const struct bat_index_hot *hot = bat_index_hot_at(
		    footer->index, i);

		code = use_name(footer, hot->entity);
		if (code == BAT_OK)
			code = use_name(footer, hot->scope);
	}
	return code == BAT_OK ?
	    bat_segment_encode_table(&footer->names, footer->out) :
	    code;
}

/* ---- the rows ----------------------------------------------------------- */

/* The row of a frame, if it is the one that the index has next. */
static int
put_row(struct footer *footer, const struct bat_segment_item *item)
{
	const struct bat_event *event = &item->event;
	uint8_t bytes[BAT_SEGMENT_ROW_SIZE];
	struct bat_row known, row = bat_event_row(event);

	if (footer->next == footer->end)
		return BAT_DATA_DISAGREES;
	bat_index_row(footer->index, footer->next, &known);
	if (known.offset != item->offset || known.length != item->length ||
	    !bat_id_equal(&known.id, &event->id))
		return BAT_DATA_DISAGREES;
	footer->next++;
	row.entity = footer->numbers[known.entity] - 1;
	row.scope = footer->numbers[known.scope] - 1;
	row.segment = known.segment;
	row.offset = known.offset;
	row.length = known.length;
	row.seq = known.seq;
	row.extensions = known.extensions;
	bat_segment_encode_row(&row, bytes);
	return bat_bytes_append(footer->out, bytes, sizeof(bytes));
}

static int
put_rows(struct footer *footer, struct bat_segment_reader *reader,
    uint64_t frames_end)
{
	struct bat_segment_item item;
	int code = BAT_OK;

	/* Whatever stands behind, or looks like a footer already. */
	reader->end = frames_end;
	while (code == BAT_OK && reader->at < frames_end) {
		code = bat_segment_reader_next(reader, &item, NULL);
		if (code == BAT_OK &&
		    (item.state != BAT_FRAME_WHOLE || !item.decoded))
			code = BAT_DATA_CORRUPT;
		if (code == BAT_OK && !bat_codec_is_marker(&item.event))
			code = put_row(footer, &item);
	}
	return code == BAT_OK && footer->next < footer->end ?
	    BAT_DATA_DISAGREES :
	    code;
}

/* A whole footer onto out; otherwise nothing of it counts. */
static int
make_footer(const struct bat_writer *writer, struct bat_buf *out)
{
	const struct bat_segment_writer *segment = &writer->segment;
	const struct bat_index *index = writer->index;
	struct footer footer = {
		.index = index,
		.next = bat_index_lower_place(index, index->count, segment->id,
		    0),
		.end = index->count,
		.numbers = calloc(index->names.count + 1,
		    sizeof(*footer.numbers)),
		.out = out,
	};
	uint32_t count = footer.end - footer.next;
	struct bat_segment_reader reader;
	int code = footer.numbers == NULL ?
	    BAT_WORLD_NO_MEMORY :
	    bat_segment_reader_open(&reader, segment->dir, segment->id, NULL);

	if (code != BAT_OK) {
		free(footer.numbers);
		return code;
	}
	bat_intern_init(&footer.names);
	code = put_table(&footer);
	if (code == BAT_OK)
		code = bat_bytes_reserve(out,
		    (size_t)count * BAT_SEGMENT_ROW_SIZE +
			BAT_SEGMENT_TRAILER_SIZE);
	if (code == BAT_OK)
		code = put_rows(&footer, &reader, segment->size);
	if (code == BAT_OK)
		code = bat_segment_encode_trailer(segment->size, count, out);
	bat_segment_reader_close(&reader);
	bat_intern_free(&footer.names);
	free(footer.numbers);
	return code;
}

int
bat_writer_seal_segment(struct bat_writer *writer, struct bat_error *error)
{
	struct bat_buf footer = BAT_BUF_EMPTY;
	int code = bat_segment_dir_confirm_owner(writer->dir, error);

	if (code != BAT_OK)
		return code;
	if (!writer->segment.sealed && !writer->segment.broken &&
	    make_footer(writer, &footer) != BAT_OK && !BAT_PLANT(341))
		bat_bytes_clear(&footer);
	code = bat_segment_writer_seal(&writer->segment,
	    bat_bytes_of_buf(&footer), error);
	bat_bytes_free(&footer);
	return code;
}
