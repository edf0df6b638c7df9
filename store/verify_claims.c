#include "verify.h"
#include "verify_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "checkpoint.h"
#include "rowindex.h"

static int
no_memory(struct bat_verify_state *state, const char *name)
{
	return bat_error_set(state->error, BAT_WORLD_NO_MEMORY,
	    "no memory for the rows of %s", name);
}

static int
add_row(struct bat_verify_claims *claims,
    const struct bat_verify_record *record)
{
	if (claims->count == claims->capacity) {
		size_t capacity = claims->capacity == 0 ? 256 :
							  claims->capacity * 2;
		struct bat_verify_record *rows = realloc(claims->rows,
		    capacity * sizeof(*rows));

		if (rows == NULL)
			return BAT_WORLD_NO_MEMORY;
		claims->rows = rows;
		claims->capacity = capacity;
	}
	claims->rows[claims->count] = *record;
	claims->count++;
	return 0;
}

static int
compare_places(const void *a, const void *b)
{
	const struct bat_row *left =
	    &((const struct bat_verify_record *)a)->row;
	const struct bat_row *right =
	    &((const struct bat_verify_record *)b)->row;

	if (left->segment != right->segment)
		return left->segment < right->segment ? -1 : 1;
	return (left->offset > right->offset) - (left->offset < right->offset);
}

/* Most files have them in order already. */
static void
sort_rows(struct bat_verify_claims *claims)
{
	size_t i = 1;

	while (i < claims->count &&
	    compare_places(&claims->rows[i - 1], &claims->rows[i]) <= 0)
		i++;
	if (i < claims->count)
		qsort(claims->rows, claims->count, sizeof(*claims->rows),
		    compare_places);
}

void
bat_verify_free_claims(struct bat_verify_claims *claims)
{
	free(claims->rows);
	free(claims->numbers);
	if (claims->has_by_id)
		bat_map_free(&claims->by_id);
	*claims = (struct bat_verify_claims){ .name = claims->name };
}

/* Numbers of state->names for a table of strings; malloc'ed. */
static int
intern_all(struct bat_verify_state *state, const struct bat_slice *strings,
    uint32_t count, uint32_t **out_numbers)
{
	uint32_t *numbers = malloc(((size_t)count + 1) * sizeof(*numbers));
	int code = numbers == NULL ? BAT_WORLD_NO_MEMORY : 0;

	for (uint32_t i = 0; code == 0 && i < count; i++)
		code = bat_intern_put(&state->names, strings[i], &numbers[i]);
	if (code != 0) {
		free(numbers);
		return code;
	}
	*out_numbers = numbers;
	return 0;
}

static int
decode_rows(struct bat_verify_claims *claims, struct bat_slice rows,
    const uint32_t *numbers, uint64_t segment)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < rows.length / BAT_SEGMENT_ROW_SIZE;
	     i++) {
		struct bat_verify_record record = { .has_extensions = false };

		bat_segment_decode_row(rows.data + i * BAT_SEGMENT_ROW_SIZE,
		    &record.row);
		record.row.segment = segment;
		record.row.entity = numbers[record.row.entity];
		record.row.scope = numbers[record.row.scope];
		code = add_row(claims, &record);
	}
	return code;
}

/* Bytes between the table and the rows, which nobody would ever read. */
static bool
table_is_exact(struct bat_slice table)
{
	struct bat_pack_reader reader = BAT_PACK_READER(table);

	return bat_pack_skip(&reader, BAT_PACK_DEPTH_MAX) == 0 &&
	    bat_pack_left(&reader) == 0;
}

int
bat_verify_load_footer(struct bat_verify_state *state,
    struct bat_segment_reader *reader)
{
	struct bat_buf table = BAT_BUF_EMPTY, rows = BAT_BUF_EMPTY;
	struct bat_error why = { 0 };
	struct bat_slice *strings = NULL;
	uint32_t *numbers = NULL, count = 0;
	int code;

	state->footer = (struct bat_verify_claims){ .name = "footer" };
	code = bat_segment_reader_footer(reader, &table, &strings, &count,
	    &rows, &why);
	if (code == BAT_DATA_CORRUPT)
		return bat_verify_report(state, BAT_VERIFY_FOOTER,
		    BAT_VERIFY_BROKEN, reader->footer.table_offset, "%s",
		    why.text);
	if (code != 0) {
		if (state->error != NULL)
			*state->error = why;
		return code;
	}
	if (!table_is_exact(bat_bytes_of_buf(&table)))
		code = bat_verify_report(state, BAT_VERIFY_FOOTER,
		    BAT_VERIFY_BROKEN, reader->footer.table_offset,
		    "bytes behind the footer's string table");
	if (code == 0 &&
	    (intern_all(state, strings, count, &numbers) != 0 ||
		decode_rows(&state->footer, bat_bytes_of_buf(&rows), numbers,
		    reader->id) != 0))
		code = no_memory(state, "a footer");
	if (code == 0) {
		sort_rows(&state->footer);
		state->has_footer = true;
		state->counts->footers++;
	}
	free(numbers);
	free(strings);
	bat_bytes_free(&table);
	bat_bytes_free(&rows);
	return code;
}

/* Decoding an index file. */
struct load {
	struct bat_verify_state *state;
	struct bat_verify_claims *claims;
};

static int
take_head(void *context, const struct bat_checkpoint_head *head)
{
	struct load *load = context;

	load->claims->allocator = head->allocator;
	load->claims->watermark_segment = head->watermark_segment;
	load->claims->watermark_offset = head->watermark_offset;
	return intern_all(load->state, head->strings, head->string_count,
	    &load->claims->numbers);
}

static int
take_row(void *context, const struct bat_row *row, struct bat_slice map)
{
	struct load *load = context;
	struct bat_verify_record record = { .row = *row };
	int code = 0;

	record.row.entity = load->claims->numbers[row->entity];
	record.row.scope = load->claims->numbers[row->scope];
	record.has_extensions = row->extensions != BAT_ROW_EXTENSIONS_UNKNOWN;
	if (row->extensions == BAT_ROW_EXTENSIONS_SOME) {
		struct bat_pack_reader reader = BAT_PACK_READER(map);

		code = bat_pack_read_map(&reader, &record.extension_count);
		if (code == 0)
			code = bat_verify_hash_extensions(load->state, map,
			    record.extension_count, &record.extensions);
	}
	return code != 0 ? code : add_row(load->claims, &record);
}

/* The watermark must be in the log. */
static int
check_watermark(struct bat_verify_state *state,
    const struct bat_verify_claims *claims)
{
	const struct bat_segment_info *info = bat_segment_dir_find(&state->dir,
	    claims->watermark_segment);

	if (info != NULL && info->stat.size >= claims->watermark_offset)
		return 0;
	state->segment = claims->watermark_segment;
	return bat_verify_report(state, BAT_VERIFY_INDEX, BAT_VERIFY_BROKEN,
	    claims->watermark_offset, "%s: its watermark is beyond the log",
	    claims->name);
}

static int
load_index(struct bat_verify_state *state, const char *name,
    int (*decode)(struct bat_slice file, const struct bat_checkpoint_sink *sink,
	struct bat_error *error))
{
	struct bat_verify_claims *claims = &state->indexes[state->index_count];
	struct load load = { state, claims };
	struct bat_checkpoint_sink sink = { &load, take_head, take_row };
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_error why = { 0 };
	int code;

	*claims = (struct bat_verify_claims){ .name = name, .is_index = true };
	code = bat_file_read_whole(state->dir.disk, state->dir.dir, name,
	    SIZE_MAX / 2, &file, state->error);
	if (code != 0) {
		bat_bytes_free(&file);
		return code;
	}
	code = decode(bat_bytes_of_buf(&file), &sink, &why);
	bat_bytes_free(&file);
	state->segment = 0;
	if (code == 0) {
		state->index_count++;
		state->counts->index_files++;
		sort_rows(claims);
		return check_watermark(state, claims);
	}
	bat_verify_free_claims(claims);
	if (code == BAT_DATA_FUTURE)
		return bat_verify_report(state, BAT_VERIFY_INDEX_OTHER,
		    BAT_VERIFY_NOTED, 0, "%s", why.text);
	if (code == BAT_WORLD_NO_MEMORY)
		return no_memory(state, name);
	return bat_verify_report(state, BAT_VERIFY_INDEX, BAT_VERIFY_BROKEN, 0,
	    "%s does not decode: %s", name, why.text);
}

int
bat_verify_load_indexes(struct bat_verify_state *state)
{
	int code = 0;

	if (state->dir.has_rowindex)
		code = load_index(state, BAT_ROWINDEX_FILE,
		    bat_rowindex_decode);
	if (code == 0 && state->dir.has_checkpoint)
		code = load_index(state, BAT_CHECKPOINT_FILE,
		    bat_checkpoint_decode);
	return code;
}
