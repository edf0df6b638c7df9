/*
 * Reading one segment by its footer: (c) and (d) are asked of its rows as of
 * an index file's.
 */
#include "recovery_internal.h"

#include <stdlib.h>

#include "coordinate.h"
#include "kind.h"

static int
compare_offsets(const void *a, const void *b)
{
	const struct bat_row *left = a, *right = b;

	return (left->offset > right->offset) - (left->offset < right->offset);
}

/*
 * A number above its successor's, where those on both sides of it rise: it is
 * the one that is wrong (a footer has no checksum). If it stood, all that
 * follow would be counted from it, and what was hidden by its number seen.
 */
static void
drop_outliers(struct bat_row *rows, uint32_t count)
{
	for (uint32_t i = 0; i + 1 < count; i++)
		if (rows[i].seq > rows[i + 1].seq &&
		    (i == 0 || rows[i - 1].seq == RECOVERY_UNTOLD ||
			rows[i - 1].seq < rows[i + 1].seq))
			rows[i].seq = RECOVERY_UNTOLD;
}

/* Decode the footer's rows; their names become numbers of the index. */
static int
footer_rows(struct recovery_scan *scan, struct bat_segment_reader *reader,
    struct bat_row **out_rows, struct bat_error *why)
{
	struct bat_buf table = BAT_BUF_EMPTY, bytes = BAT_BUF_EMPTY;
	struct bat_slice *strings = NULL;
	struct bat_row *rows = NULL;
	uint32_t string_count = 0;
	uint32_t count = reader->footer.row_count;
	int code = bat_segment_reader_footer(reader, &table, &strings,
	    &string_count, &bytes, why);

	if (code == BAT_OK) {
		rows = calloc((size_t)count + 1, sizeof(*rows));
		if (rows == NULL)
			code = BAT_WORLD_NO_MEMORY;
	}
	for (uint32_t i = 0; code == BAT_OK && i < count; i++) {
		struct bat_row *row = &rows[i];
		struct bat_slice entity, scope;

		bat_segment_decode_row(
		    bytes.data + (size_t)i * BAT_SEGMENT_ROW_SIZE, row);
		row->segment = reader->id;
		row->kind = bat_kind_mapped(row->kind);
		row->extensions = BAT_ROW_EXTENSIONS_UNKNOWN;
		entity = strings[row->entity];
		scope = strings[row->scope];
		code = bat_coordinate_check(entity, scope, why);
		if (code == BAT_OK && row->seq > RECOVERY_SEQ_MAX)
			code = bat_error_set(why, BAT_DATA_CORRUPT,
			    "sequence number %llu",
			    (unsigned long long)row->seq);
		if (code != BAT_OK) {
			code = BAT_DATA_CORRUPT;
			break;
		}
		code = bat_intern_put(&scan->index->names, entity,
		    &row->entity);
		if (code == BAT_OK)
			code = bat_intern_put(&scan->index->names, scope,
			    &row->scope);
	}
	bat_bytes_free(&table);
	bat_bytes_free(&bytes);
	free(strings);
	if (code != BAT_OK) {
		free(rows);
		return code;
	}
	qsort(rows, count, sizeof(*rows), compare_offsets);
	drop_outliers(rows, count);
	*out_rows = rows;
	return BAT_OK;
}

/* The footer's rows behind those of the index; those of an offset below `from`
 * are left out. */
static int
push_footer(struct recovery_scan *scan, const struct bat_row *rows,
    uint32_t count, uint64_t from)
{
	int code = BAT_OK;

	for (uint32_t i = 0; code == BAT_OK && i < count; i++)
		if (rows[i].offset >= from)
			code = bat_recovery_push(scan, &rows[i]);
	return code;
}

/* (c) and (d) of the rows from `first` on. */
static int
check_footer(struct recovery_scan *scan, struct bat_segment_reader *reader,
    uint32_t first, struct bat_error *why)
{
	uint32_t count = scan->index->count - first;
	int code = bat_recovery_tiles(scan, reader, first, count,
	    reader->footer.table_offset, why);

	return code == BAT_OK ? bat_recovery_sample(scan, first, count, why) :
				code;
}

/* Row after row, in any order, with any numbers. */
static int
push_plain(struct recovery_scan *scan, struct bat_segment_reader *reader,
    uint64_t from, struct bat_error *why)
{
	struct bat_row *rows = NULL;
	uint32_t first = scan->index->count;
	uint32_t count = reader->footer.row_count;
	uint64_t replaced = scan->replaced;
	int code = footer_rows(scan, reader, &rows, why);

	if (code == BAT_OK)
		code = push_footer(scan, rows, count, 0);
	if (code == BAT_OK)
		code = check_footer(scan, reader, first, why);
	/* Of a segment that an index covers in part only the rest is new. */
	if (code != BAT_OK || from > reader->header.length) {
		bat_index_unload(scan->index, first);
		scan->replaced = replaced;
	}
	if (code == BAT_OK && from > reader->header.length)
		code = push_footer(scan, rows, count, from);
	free(rows);
	return code;
}

int
bat_recovery_footer(struct recovery_scan *scan,
    struct bat_segment_reader *reader, uint64_t from)
{
	struct bat_error why = { .code = 0 };
	uint32_t first = scan->index->count;
	/* Who reads on may know of greater numbers than the footer's first. */
	int code = scan->options->plain || scan->tail != NULL ||
		from > reader->header.length ?
	    BAT_END :
	    bat_loader_footer(reader, RECOVERY_SEQ_MAX, scan->index, &why);

	/* Rows that the disk does not give. */
	if (code == BAT_WORLD_IO && scan->dir->reads_around) {
		bat_index_unload(scan->index, first);
		code = BAT_END;
	}
	if (code == BAT_OK) {
		code = check_footer(scan, reader, first, &why);
		if (code != BAT_OK)
			bat_index_unload(scan->index, first);
	} else if (code == BAT_END) {
		why = (struct bat_error){ .code = 0 };
		code = push_plain(scan, reader, from, &why);
	}
	if (code == BAT_DATA_CORRUPT || code == BAT_DATA_DISAGREES) {
		scan->out->doubted = scan->out->doubted ||
		    code == BAT_DATA_DISAGREES;
		bat_recovery_say(scan->out,
		    "segment %llu: footer not believed (%s), frames are read",
		    (unsigned long long)reader->id, why.text);
		return BAT_END;
	}
	if (code < 0 && scan->error != NULL && why.code != 0)
		*scan->error = why;
	return code;
}
