/* The index file and the segments, each read as one piece or two. */
#include "verify_swift.h"

#include <pthread.h>
#include <stdlib.h>

#include "crc.h"

void
bat_verify_run_both(void *(*run)(void *share), void *first, void *second)
{
	pthread_t helper = pthread_self();
	bool helped = pthread_create(&helper, NULL, run, second) == 0;

	(void)run(first);
	if (helped)
		pthread_join(helper, NULL);
	else
		(void)run(second);
}

/* ---- index.fbati ----------------------------------------------------- */

/* Everything in front of the rows, and names looked at, so that threads only
 * read what is known of them. */
static int
read_index_front(struct verify_swift *swift, struct bat_error *error)
{
	const struct bat_disk *disk = swift->state->dir.disk;
	struct bat_rowindex_front *front = &swift->index;
	struct bat_buf *bytes = &swift->index_front;
	uint8_t header[BAT_ROWINDEX_HEADER_SIZE];
	uint64_t size = 0;
	size_t got = 0;
	int code = bat_file_size(disk, swift->index_fd, &size, error);

	if (code == BAT_OK)
		code = bat_file_read(disk, swift->index_fd, header,
		    sizeof(header), 0, &got, error);
	if (code == BAT_OK)
		code = bat_rowindex_read_header(bat_bytes_slice(header, got),
		    size, front, error);
	if (code == BAT_OK)
		code = bat_bytes_reserve(bytes, (size_t)front->sections[3]);
	if (code == BAT_OK)
		code = bat_file_read(disk, swift->index_fd, bytes->data,
		    (size_t)front->sections[3], 0, &bytes->length, error);
	if (code == BAT_OK && bytes->length < front->sections[3])
		code = BAT_DATA_CORRUPT;
	if (code != BAT_OK)
		return code;
	front->front = bat_bytes_of_buf(bytes);
	code = bat_rowindex_read_front(front, error);
	for (uint32_t i = 1; code == BAT_OK && i < front->strings.count; i++)
		(void)bat_checkpoint_is_coordinate(&front->strings, i, i);
	return code;
}

/* Its watermark is in the log (verify_claims.c). */
static bool
watermark_fits(struct verify_swift *swift)
{
	const struct bat_checkpoint_head *head = &swift->index.head;
	const struct bat_segment_info *info = bat_segment_dir_find(
	    &swift->state->dir, head->watermark_segment);

	return info != NULL && info->stat.size >= head->watermark_offset;
}

static int
open_index(struct verify_swift *swift, struct bat_error *error)
{
	int code;

	if (swift->state->dir.has_checkpoint)
		return BAT_END;
	if (!swift->state->dir.has_rowindex)
		return BAT_OK;
	code = bat_file_open_read(swift->state->dir.disk, swift->state->dir.dir,
	    BAT_ROWINDEX_FILE, &swift->index_fd, error);
	if (code != BAT_OK)
		return code;
	swift->has_index = true;
	swift->counts.index_files++;
	code = read_index_front(swift, error);
	if (code != BAT_OK)
		return code;
	swift->index_crc = bat_crc_of(
	    bat_bytes_slice(swift->index_front.data + BAT_ROWINDEX_CRC_START,
		swift->index_front.length - BAT_ROWINDEX_CRC_START));
	return watermark_fits(swift) ? BAT_OK : BAT_END;
}

static struct verify_rows
rows_of_index(const struct verify_swift *swift)
{
	return (struct verify_rows){ .disk = swift->state->dir.disk,
		.fd = swift->index_fd,
		.at = swift->index.sections[3],
		.size = BAT_ROWINDEX_ROW_SIZE,
		.next = swift->index_next,
		.end = swift->index.head.row_count,
		.checked = true };
}

/* ---- what a segment's pieces share ----------------------------------- */

/* The footer's names; each is there once, so that no entity has two heads. */
static int
read_table(struct verify_swift *swift, struct bat_segment_reader *reader,
    struct bat_error *error)
{
	struct bat_pack_reader exact;
	int code = bat_segment_reader_table(reader, &swift->table,
	    &swift->strings, &swift->string_count, error);

	if (code != BAT_OK)
		return code;
	exact = BAT_PACK_READER(bat_bytes_of_buf(&swift->table));
	if (bat_pack_skip(&exact, BAT_PACK_DEPTH_MAX) != 0 ||
	    bat_pack_left(&exact) != 0)
		return BAT_END;
	swift->numbers = calloc((size_t)swift->string_count + 1,
	    sizeof(*swift->numbers));
	if (swift->numbers == NULL)
		return BAT_WORLD_NO_MEMORY;
	for (uint32_t i = 0; code == BAT_OK && i < swift->string_count; i++)
		code = bat_intern_put(&swift->names, swift->strings[i],
		    &swift->numbers[i]);
	return code;
}

static void
free_table(struct verify_swift *swift)
{
	bat_bytes_free(&swift->table);
	free(swift->strings);
	free(swift->numbers);
	swift->strings = NULL;
	swift->numbers = NULL;
	swift->string_count = 0;
}

/* ---- a segment ------------------------------------------------------- */

/* A piece of the whole segment. */
static int
make_piece(struct verify_swift *swift, uint64_t id, struct verify_piece **out,
    struct bat_error *error)
{
	struct verify_piece *piece = calloc(1, sizeof(*piece));
	int code;

	if (piece == NULL)
		return BAT_WORLD_NO_MEMORY;
	code = bat_segment_reader_open(&piece->reader, &swift->state->dir, id,
	    error);
	if (code != BAT_OK) {
		free(piece);
		return code;
	}
	bat_intern_init(&piece->names);
	if (swift->has_index) {
		piece->index = &swift->index;
		piece->index_rows = rows_of_index(swift);
	}
	piece->has_footer = piece->reader.has_footer;
	if (piece->has_footer)
		piece->footer_rows = (struct verify_rows){
			.disk = swift->state->dir.disk,
			.fd = piece->reader.fd,
			.at = piece->reader.footer.rows_offset,
			.size = BAT_SEGMENT_ROW_SIZE,
			.end = piece->reader.footer.row_count,
		};
	*out = piece;
	return BAT_OK;
}

/* The offset of a row's frame, as it says. */
static int
row_offset(const struct verify_rows *rows, uint64_t number, uint64_t in_row,
    uint64_t *out, struct bat_error *error)
{
	uint8_t bytes[8];
	size_t got = 0;
	int code = bat_file_read(rows->disk, rows->fd, bytes, sizeof(bytes),
	    rows->at + number * rows->size + in_row, &got, error);

	if (code == BAT_OK && got < sizeof(bytes))
		code = BAT_DATA_CORRUPT;
	*out = bat_bytes_get_le64(bytes);
	return code;
}

/*
 * Where the second piece begins: at a frame in the middle, as a row tells; if
 * it lies, the first piece does not end there. 0: there is too little, or no
 * row.
 */
static int
find_border(const struct verify_piece *piece, uint64_t split_bytes,
    uint64_t *out, struct bat_error *error)
{
	const struct verify_rows *rows = piece->has_footer ?
	    &piece->footer_rows :
	    &piece->index_rows;
	const struct bat_segment_reader *reader = &piece->reader;
	uint64_t count = rows->end - rows->next, border = 0;
	int code = BAT_OK;

	*out = 0;
	if (reader->end - reader->at < 2 * split_bytes || count < 2)
		return BAT_OK;
	code = row_offset(rows, rows->next + count / 2,
	    piece->has_footer ? 110 : 118, &border, error);
	if (code == BAT_OK && border > reader->at && border < reader->end)
		*out = border;
	return code;
}

/* Which rows of the index belong to a piece that ends here. */
static int
limit_index(struct verify_piece *piece, uint64_t segment, uint64_t offset,
    struct bat_error *error)
{
	if (piece->index == NULL)
		return BAT_OK;
	return bat_verify_rows_find(&piece->index_rows, segment, offset,
	    &piece->index_rows.end, error);
}

/* What is behind border becomes the second piece. */
static int
split(struct verify_piece *first, struct verify_piece *second, uint64_t border,
    struct bat_error *error)
{
	struct verify_rows *rows = &first->footer_rows;
	uint64_t end = first->reader.end;
	int code;

	bat_segment_reader_seek(&first->reader, first->reader.at, border);
	bat_segment_reader_seek(&second->reader, border, end);
	second->index_rows.end = first->index_rows.end;
	code = limit_index(first, first->reader.id, border, error);
	second->index_rows.next = first->index_rows.end;
	if (first->has_footer)
		second->footer_rows.next = rows->end = rows->end / 2;
	return code;
}

/* Both pieces, or the one that there is. */
static int
read_pieces(struct verify_swift *swift, struct verify_piece *pieces[2],
    struct bat_error *error)
{
	int code = BAT_OK;

	for (size_t i = 0; i < 2 && pieces[i] != NULL; i++) {
		pieces[i]->strings = swift->strings;
		pieces[i]->string_count = swift->string_count;
	}
	if (pieces[1] == NULL)
		(void)bat_verify_piece(pieces[0]);
	else
		bat_verify_run_both(bat_verify_piece, pieces[0], pieces[1]);
	for (size_t i = 0; code == BAT_OK && i < 2 && pieces[i] != NULL; i++) {
		code = pieces[i]->code;
		if (code < 0)
			*error = pieces[i]->error;
		if (code == BAT_OK)
			code = bat_verify_join(swift, pieces[i]);
	}
	return code;
}

static int
read_segment(struct verify_swift *swift, uint64_t id, uint64_t split_bytes,
    struct bat_error *error)
{
	struct verify_piece *pieces[2] = { NULL, NULL };
	struct bat_segment_reader *reader;
	uint64_t border = 0;
	int code = make_piece(swift, id, &pieces[0], error);

	if (code != BAT_OK)
		return code;
	reader = &pieces[0]->reader;
	if (reader->has_foreign_footer || reader->header.id != id ||
	    reader->header.flags != 0)
		code = BAT_END;
	if (code == BAT_OK && reader->has_footer)
		code = read_table(swift, reader, error);
	if (code == BAT_OK)
		code = limit_index(pieces[0], id + 1, 0, error);
	if (code == BAT_OK)
		code = find_border(pieces[0], split_bytes, &border, error);
	if (code == BAT_OK && border != 0)
		code = make_piece(swift, id, &pieces[1], error);
	if (code == BAT_OK && border != 0)
		code = split(pieces[0], pieces[1], border, error);
	if (code == BAT_OK)
		code = read_pieces(swift, pieces, error);
	/* No batch leaves its segment. */
	if (code == BAT_OK && swift->in_batch)
		code = BAT_END;
	swift->counts.segments++;
	swift->counts.footers += pieces[0]->has_footer;
	for (size_t i = 0; i < 2 && pieces[i] != NULL; i++)
		bat_verify_piece_free(pieces[i]);
	free_table(swift);
	return code;
}

/* ---- all ------------------------------------------------------------- */

static int
read_all(struct verify_swift *swift, uint64_t split_bytes,
    struct bat_error *error)
{
	const struct bat_segment_dir *dir = &swift->state->dir;
	int code = open_index(swift, error);

	for (size_t i = 0; code == BAT_OK && i < dir->count; i++)
		code = read_segment(swift, dir->segments[i].id, split_bytes,
		    error);
	if (code == BAT_OK && swift->has_index &&
	    (swift->index_next != swift->index.head.row_count ||
		swift->index_crc != swift->index.crc))
		code = BAT_END;
	return code == BAT_OK ? bat_verify_keys_differ(&swift->keys) : code;
}

int
bat_verify_swift(struct bat_verify_state *state, uint64_t split_bytes)
{
	struct verify_swift swift = { .state = state, .index_fd = -1 };
	struct bat_error error = { .code = BAT_OK };
	int code;

	swift.counts = *state->counts;
	bat_intern_init(&swift.names);
	code = read_all(&swift, split_bytes, &error);
	if (code == BAT_OK) {
		*state->counts = swift.counts;
	} else if (code == BAT_WORLD_NO_MEMORY || code == BAT_USE_TOO_LARGE) {
		code = bat_error_set(state->error, BAT_WORLD_NO_MEMORY,
		    "no memory to verify");
	} else if (code == BAT_WORLD_IO) {
		if (state->error != NULL)
			*state->error = error;
	} else {
		code = BAT_END;
	}
	bat_checkpoint_free_strings(&swift.index.strings);
	bat_bytes_free(&swift.index_front);
	if (swift.has_index)
		bat_file_close(state->dir.disk, swift.index_fd);
	bat_verify_keys_free(&swift.keys);
	bat_intern_free(&swift.names);
	free(swift.heads);
	return code;
}
