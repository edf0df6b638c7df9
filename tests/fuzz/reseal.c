#include "reseal.h"

#include <stdlib.h>

#include "codec.h"
#include "crc.h"
#include "frame.h"
#include "rowindex.h"
#include "segment.h"

static void
must(int code)
{
	if (code != 0)
		abort();
}

/* ---- one segment ------------------------------------------------------- */

static void
find_region(const struct bat_buf *file, struct fuzz_segment *out)
{
	struct bat_segment_header header;
	struct bat_segment_footer footer;

	out->end = out->footer_end = file->length;
	if (bat_segment_decode_header(bat_bytes_of_buf(file), &header, NULL) !=
	    0) {
		out->start = file->length;
		return;
	}
	out->start = header.length;
	if (file->length >= header.length + BAT_SEGMENT_TRAILER_SIZE &&
	    bat_segment_decode_trailer(file->data + file->length -
		    BAT_SEGMENT_TRAILER_SIZE,
		file->length, header.length, &footer) == 0)
		out->end = (size_t)footer.table_offset;
}

void
fuzz_reseal_survey(const struct bat_buf *file, struct fuzz_segment *out)
{
	size_t at;

	*out = (struct fuzz_segment){ .count = 0 };
	find_region(file, out);
	at = out->start;
	while (out->count < FUZZ_FRAMES_MAX &&
	    out->end - at >= BAT_FRAME_HEADER_SIZE) {
		size_t length = bat_bytes_get_be32(file->data + at);

		if (length == 0 ||
		    length > out->end - at - BAT_FRAME_HEADER_SIZE)
			return;
		out->offsets[out->count] = at;
		out->lengths[out->count++] = length + BAT_FRAME_HEADER_SIZE;
		at += length + BAT_FRAME_HEADER_SIZE;
	}
}

void
fuzz_reseal_splice(struct bat_buf *file, size_t at, size_t length,
    struct bat_slice bytes)
{
	struct bat_buf out = BAT_BUF_EMPTY;

	must(bat_bytes_append(&out, file->data, at));
	must(bat_bytes_append_slice(&out, bytes));
	must(bat_bytes_append(&out, file->data + at + length,
	    file->length - at - length));
	bat_bytes_free(file);
	*file = out;
}

void
fuzz_reseal_frame(struct bat_slice body, struct bat_buf *out)
{
	size_t start = out->length;

	must(bat_frame_open(out));
	must(bat_bytes_append_slice(out, body));
	bat_frame_seal(out, start);
}

/* In each of these files it stands at 8, and is of everything from 12 on. */
void
fuzz_reseal_checksum(struct fuzz_file *file)
{
	struct bat_buf *bytes = &file->bytes;

	if (file->name < FUZZ_CHECKPOINT || file->name > FUZZ_HIDDEN ||
	    bytes->length < 12)
		return;
	bat_bytes_put_le(bytes->data + 8,
	    bat_crc_of(bat_bytes_slice(bytes->data + 12, bytes->length - 12)),
	    4);
}

/* ---- footers and index files ------------------------------------------- */

struct rows {
	struct bat_row *list;
	struct bat_slice *maps;
	size_t count, capacity, next;
	struct bat_intern names;
};

static void
add_row(struct rows *rows, const struct bat_event *event, uint64_t segment,
    size_t offset, size_t length, uint64_t seq)
{
	struct bat_row *row;

	if (rows->count == rows->capacity) {
		rows->capacity = rows->capacity * 2 + 64;
		rows->list = realloc(rows->list,
		    rows->capacity * sizeof(*rows->list));
		rows->maps = realloc(rows->maps,
		    rows->capacity * sizeof(*rows->maps));
		if (rows->list == NULL || rows->maps == NULL)
			abort();
	}
	row = &rows->list[rows->count];
	*row = bat_event_row(event);
	row->length = (uint32_t)length;
	row->segment = segment;
	row->offset = offset;
	row->seq = seq;
	must(bat_intern_put(&rows->names, event->entity, &row->entity));
	must(bat_intern_put(&rows->names, event->scope, &row->scope));
	rows->maps[rows->count++] = event->extension_map;
}

/* Of one segment; *seq moves on. */
static void
collect(struct rows *rows, const struct fuzz_file *file,
    const struct fuzz_segment *segment, uint64_t *seq)
{
	for (size_t i = 0; i < segment->count; i++) {
		struct bat_slice body = bat_bytes_slice(file->bytes.data +
			segment->offsets[i] + BAT_FRAME_HEADER_SIZE,
		    segment->lengths[i] - BAT_FRAME_HEADER_SIZE);
		struct bat_event event;

		if (bat_codec_decode(body, &event, NULL) == 0 &&
		    !bat_codec_is_marker(&event))
			add_row(rows, &event, file->name, segment->offsets[i],
			    segment->lengths[i], (*seq)++);
	}
}

static void
free_rows(struct rows *rows)
{
	bat_intern_free(&rows->names);
	free(rows->list);
	free(rows->maps);
}

static void
put_footer(struct fuzz_file *file, uint64_t seq)
{
	struct fuzz_segment segment;
	struct rows rows = { .count = 0 };
	struct bat_buf footer = BAT_BUF_EMPTY;

	fuzz_reseal_survey(&file->bytes, &segment);
	if (segment.end == segment.footer_end)
		return;
	bat_intern_init(&rows.names);
	collect(&rows, file, &segment, &seq);
	must(bat_segment_encode_footer(rows.list, rows.count, &rows.names,
	    segment.end, &footer));
	file->bytes.length = segment.end;
	must(bat_bytes_append_slice(&file->bytes, bat_bytes_of_buf(&footer)));
	bat_bytes_free(&footer);
	free_rows(&rows);
}

static int
rewind_rows(void *context)
{
	((struct rows *)context)->next = 0;
	return 0;
}

static int
next_row(void *context, struct bat_row *out, struct bat_slice *out_map)
{
	struct rows *rows = context;

	if (rows->next == rows->count)
		return BAT_END;
	*out = rows->list[rows->next];
	*out_map = rows->maps[rows->next++];
	return 0;
}

static struct fuzz_file *
file_of(struct fuzz_directory *directory, unsigned name)
{
	for (size_t i = 0; i < directory->count; i++)
		if (directory->files[i].name == name)
			return &directory->files[i];
	return NULL;
}

/* A checkpoint of the version that it has; of 6, where it says none. */
static int
encode_index(const struct bat_checkpoint_input *input, struct fuzz_file *index)
{
	unsigned version = index->bytes.length < 8 ?
	    0 :
	    bat_bytes_get_le16(index->bytes.data + 6);

	bat_bytes_clear(&index->bytes);
	if (index->name == FUZZ_ROWINDEX)
		return bat_rowindex_encode(input, &index->bytes, NULL);
	if (version < BAT_CHECKPOINT_VERSION_MIN ||
	    version > BAT_CHECKPOINT_VERSION)
		version = BAT_CHECKPOINT_VERSION;
	return bat_checkpoint_encode(input, (uint16_t)version, &index->bytes,
	    NULL);
}

static void
put_index(struct fuzz_directory *directory, struct fuzz_file *index,
    uint64_t seq)
{
	struct rows rows = { .count = 0 };
	struct bat_checkpoint_source source = { &rows, rewind_rows, next_row,
		NULL };
	struct bat_checkpoint_input input = { .names = &rows.names,
		.source = &source };

	bat_intern_init(&rows.names);
	for (unsigned name = 0; name < FUZZ_SEGMENTS; name++) {
		struct fuzz_file *file = file_of(directory, name);
		struct fuzz_segment segment;

		if (file == NULL)
			continue;
		fuzz_reseal_survey(&file->bytes, &segment);
		collect(&rows, file, &segment, &seq);
		input.watermark_segment = name;
		input.watermark_offset = segment.end;
	}
	input.allocator = seq;
	input.row_count = rows.count;
	/* Where it cannot be said in such a file there is none. */
	if (encode_index(&input, index) != 0)
		bat_bytes_clear(&index->bytes);
	free_rows(&rows);
}

void
fuzz_reseal_indexes(struct fuzz_directory *directory, uint64_t first,
    bool footers, bool indexes)
{
	static const unsigned names[] = { FUZZ_CHECKPOINT, FUZZ_ROWINDEX };
	uint64_t seq = first;

	for (unsigned name = 0; footers && name < FUZZ_SEGMENTS; name++) {
		struct fuzz_file *file = file_of(directory, name);

		if (file != NULL)
			put_footer(file, seq);
		seq += file != NULL ? 1000 : 0;
	}
	for (size_t i = 0; indexes && i < 2; i++) {
		struct fuzz_file *index = file_of(directory, names[i]);

		if (index != NULL)
			put_index(directory, index, first);
	}
}
