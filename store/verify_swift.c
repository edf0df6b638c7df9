/* The index file and the segments, each read as one piece or two. */
#include "verify_swift.h"

#include <stdlib.h>

#include "parallel.h"

/* ---- what a segment's pieces share ----------------------------------- */

/* Each name of the footer is there once, so that no entity has two heads. */
static int
check_table(const struct verify_swift *swift)
{
	uint8_t *seen = calloc(swift->names.count + 1, 1);
	int code = seen == NULL ? BAT_WORLD_NO_MEMORY : BAT_OK;

	for (uint32_t i = 0; code == BAT_OK && i < swift->string_count; i++) {
		uint8_t *mark = &seen[swift->numbers[i]];

		code = *mark != 0 ? BAT_END : BAT_OK;
		*mark = 1;
	}
	free(seen);
	return code;
}

/* The footer's names, and their numbers among all. */
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
	return code == BAT_OK ? check_table(swift) : code;
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
	if (swift->has_index)
		bat_verify_index_share(swift, piece);
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

/* The first row of the footer that is not before this offset. */
static int
find_in_footer(const struct verify_rows *rows, uint64_t offset, uint64_t *out,
    struct bat_error *error)
{
	uint64_t low = rows->next, high = rows->end;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2, at;
		int code = row_offset(rows, middle, 110, &at, error);

		if (code != BAT_OK)
			return code;
		if (at < offset)
			low = middle + 1;
		else
			high = middle;
	}
	*out = low;
	return BAT_OK;
}

/* In index.ckpt nobody knows where an entry starts. What looks like one about
 * in the middle tells where the second piece begins, and is its first. */
static int
find_border_entry(struct verify_swift *swift, const struct verify_piece *first,
    struct verify_piece *second, uint64_t *out, struct bat_error *error)
{
	struct verify_entries *entries = &second->entries;
	uint64_t rows = first->footer_rows.end / 2;
	uint64_t left = swift->index->row_count - swift->counts.index_rows;
	double share = left == 0 ? 1 : (double)rows / (double)left;
	uint64_t bytes = swift->index_size - swift->index_next;
	int code;

	if (!first->has_footer || share >= 1)
		return BAT_OK;
	code = bat_verify_entries_find(entries,
	    swift->index_next + (uint64_t)(share * (double)bytes), error);
	if (code == BAT_END)
		return BAT_OK;
	if (code == BAT_OK && entries->row.segment == first->reader.id)
		*out = entries->row.offset;
	return code;
}

/*
 * Where the second piece begins: at a frame in the middle, as a row tells; if
 * it lies, the first piece does not end there. 0: there is too little, or no
 * row.
 */
static int
find_border(struct verify_swift *swift, const struct verify_piece *first,
    struct verify_piece *second, uint64_t *out, struct bat_error *error)
{
	const struct verify_rows *rows = first->has_footer ?
	    &first->footer_rows :
	    &first->index_rows;
	uint64_t count = rows->end - rows->next;
	int code = BAT_OK;

	*out = 0;
	if (swift->is_checkpoint)
		code = find_border_entry(swift, first, second, out, error);
	else if (count >= 2)
		code = row_offset(rows, rows->next + count / 2,
		    first->has_footer ? 110 : 118, out, error);
	if (*out <= first->reader.at || *out >= first->reader.end)
		*out = 0;
	return code;
}

/* Which rows of index.fbati belong to a piece that ends here. */
static int
limit_index(struct verify_piece *piece, uint64_t segment, uint64_t offset,
    struct bat_error *error)
{
	if (piece->rowindex == NULL)
		return BAT_OK;
	return bat_verify_rows_find(&piece->index_rows, segment, offset,
	    &piece->index_rows.end, error);
}

/* What is behind border becomes the second piece. */
static int
split(struct verify_piece *first, struct verify_piece *second, uint64_t border,
    struct bat_error *error)
{
	uint64_t end = first->reader.end;
	int code;

	bat_segment_reader_seek(&first->reader, first->reader.at, border);
	bat_segment_reader_seek(&second->reader, border, end);
	second->index_rows.end = first->index_rows.end;
	code = limit_index(first, first->reader.id, border, error);
	second->index_rows.next = first->index_rows.end;
	if (code == BAT_OK && first->has_footer)
		code = find_in_footer(&first->footer_rows, border,
		    &first->footer_rows.end, error);
	second->footer_rows.next = first->footer_rows.end;
	return code;
}

/* Two pieces, if there is enough for two and a place to part them. */
static int
part(struct verify_swift *swift, uint64_t split_bytes,
    struct verify_piece *pieces[2], struct bat_error *error)
{
	const struct bat_segment_reader *reader = &pieces[0]->reader;
	uint64_t border = 0;
	int code;

	if (reader->end - reader->at < 2 * split_bytes)
		return BAT_OK;
	code = make_piece(swift, reader->id, &pieces[1], error);
	if (code == BAT_OK)
		code = find_border(swift, pieces[0], pieces[1], &border, error);
	if (code == BAT_OK && border != 0)
		return split(pieces[0], pieces[1], border, error);
	if (pieces[1] != NULL)
		bat_verify_piece_free(pieces[1]);
	pieces[1] = NULL;
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
		bat_parallel_run(bat_verify_piece, pieces[0], pieces[1]);
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
		code = part(swift, split_bytes, pieces, error);
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
	int code = bat_verify_index_open(swift, error);

	for (size_t i = 0; code == BAT_OK && i < dir->count; i++)
		code = read_segment(swift, dir->segments[i].id, split_bytes,
		    error);
	if (code == BAT_OK && swift->has_index &&
	    !bat_verify_index_is_over(swift))
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
	bat_verify_index_close(&swift);
	bat_verify_keys_free(&swift.keys);
	bat_intern_free(&swift.names);
	free(swift.heads);
	return code;
}
