/* The footer of a segment: a table of strings, then rows of one size. */
#include "loader_internal.h"

#include <stdlib.h>

#include "coordinate.h"
#include "kind.h"
#include "segment.h"

/* What read_row needs. */
struct footer {
	const struct bat_segment_reader *reader;
	const uint32_t *names; /* NONE: no legal name */
	uint32_t count;
};

static int
read_row(const struct loader_rows *rows, const uint8_t *bytes, uint32_t number,
    struct bat_row *out, struct bat_error *error)
{
	const struct footer *footer = rows->context;

	(void)number;
	(void)error;
	bat_segment_decode_row(bytes, out);
	out->segment = footer->reader->id;
	out->kind = bat_kind_mapped(out->kind);
	return out->entity < footer->count && out->scope < footer->count &&
		footer->names[out->entity] != BAT_INTERN_NONE &&
		footer->names[out->scope] != BAT_INTERN_NONE &&
		bat_segment_reader_holds(footer->reader, out) ?
	    BAT_OK :
	    BAT_DATA_CORRUPT;
}

static int
know_names(struct loader *loader, const struct bat_slice *strings,
    uint32_t count)
{
	int code = BAT_OK;

	loader->names = calloc((size_t)count + 1, sizeof(*loader->names));
	if (loader->names == NULL)
		return BAT_WORLD_NO_MEMORY;
	for (uint32_t i = 0; code == BAT_OK && i < count; i++) {
		loader->names[i] = BAT_INTERN_NONE;
		if (bat_coordinate_check(strings[i], strings[i], NULL) ==
		    BAT_OK)
			code = bat_intern_put(&loader->index->names, strings[i],
			    &loader->names[i]);
	}
	return code;
}

static int
load_rows(const struct loader *loader, const struct footer *footer,
    struct bat_error *error)
{
	struct bat_index *index = loader->index;
	struct footer mine = *footer;
	const struct loader_rows rows = {
		.at = footer->reader->footer.rows_offset,
		.size = BAT_SEGMENT_ROW_SIZE,
		.first = index->count,
		.count = footer->reader->footer.row_count,
		.read = read_row,
		.context = &mine,
	};
	uint64_t next = rows.first == 0 ?
	    0 :
	    bat_index_seq(index, rows.first - 1) + 1;
	bool ordered = false;
	uint32_t crc = 0, position;
	int code = bat_index_segment(index, footer->reader->id, &position);

	if (code == BAT_OK)
		code = bat_index_load_room(index, rows.count);
	if (code != BAT_OK)
		return code;
	code = bat_loader_rows(loader, &rows, &crc, &ordered, error);
	if (code == BAT_OK &&
	    (!ordered ||
		(bat_index_seq(index, rows.first) < next && !BAT_PLANT(91))))
		code = BAT_END;
	if (code != BAT_OK)
		bat_index_unload(index, rows.first);
	return code;
}

int
bat_loader_footer(struct bat_segment_reader *reader, uint64_t max_seq,
    struct bat_index *index, struct bat_error *error)
{
	struct loader loader = { .disk = reader->dir->disk,
		.fd = reader->fd,
		.max_seq = max_seq,
		.index = index };
	struct footer footer = { .reader = reader };
	struct bat_buf table = BAT_BUF_EMPTY;
	struct bat_slice *strings = NULL;
	int code;

	if (reader->footer.row_count == 0)
		return BAT_OK;
	code = bat_segment_reader_table(reader, &table, &strings, &footer.count,
	    error);
	if (code == BAT_OK)
		code = know_names(&loader, strings, footer.count);
	footer.names = loader.names;
	if (code == BAT_OK)
		code = load_rows(&loader, &footer, error);
	if (code == BAT_WORLD_NO_MEMORY || code == BAT_USE_TOO_LARGE)
		bat_error_set(error, code, "no room for %u rows in memory",
		    reader->footer.row_count);
	free(loader.names);
	free(strings);
	bat_bytes_free(&table);
	return code == BAT_DATA_CORRUPT ? BAT_END : code;
}
