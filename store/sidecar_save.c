/* Writing the sidecar: one pass over tables, rows and lists, into a temporary
 * file that is renamed when it is whole. */
#include "sidecar_parts.h"

#include <errno.h>
#include <stdlib.h>

#define SETTLED_NS INT64_C(2000000000)

static int
put_stamp(struct bat_buf *tables, const struct sidecar_stamp *stamp)
{
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < 4; i++)
		code = bat_bytes_append_le(tables, stamp->numbers[i], 8);
	return code;
}

static bool
is_young(const struct sidecar_stamp *stamp, int64_t now_ns)
{
	return (int64_t)stamp->numbers[3] > now_ns - SETTLED_NS &&
	    !BAT_PLANT(31);
}

/*
 * Rows say where a segment stands in the index's list, and who loads them makes
 * that list from the directory. They differ where a segment was unlinked, or
 * made and nothing written into it.
 */
static bool
are_those_of_index(const struct bat_segment_dir *dir,
    const struct bat_index *index)
{
	bool same = dir->count == index->segment_count;

	for (size_t i = 0; same && i < dir->count; i++)
		same = dir->segments[i].id == index->segments[i];
	return same;
}

/* What it is made from. BAT_END when one of the files is too young. */
static int
put_files(struct bat_segment_dir *dir, int64_t now_ns, struct bat_buf *tables,
    struct bat_error *error)
{
	const struct bat_disk *disk = dir->disk;
	struct sidecar_stamp stamp;
	struct bat_file_stat stat;
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < dir->count; i++) {
		code = disk->stat_at(disk->context, dir->dir,
		    dir->segments[i].name, &stat);
		if (code < 0)
			return bat_error_set_os(error, -code, "cannot stat %s",
			    dir->segments[i].name);
		stamp = bat_sidecar_stamp_of(&stat);
		if (is_young(&stamp, now_ns))
			return BAT_END;
		code = bat_bytes_append_le(tables, dir->segments[i].id, 8);
		if (code == BAT_OK)
			code = put_stamp(tables, &stamp);
	}
	for (size_t i = 0; code == BAT_OK && i < SIDECAR_BESIDE_COUNT; i++) {
		code = bat_sidecar_stamp(dir, bat_sidecar_beside[i], &stamp,
		    error);
		if (code == BAT_OK && is_young(&stamp, now_ns))
			return BAT_END;
		if (code == BAT_OK)
			code = put_stamp(tables, &stamp);
	}
	return code;
}

static int
put32(struct bat_buf *tables, uint32_t value)
{
	return bat_bytes_append_le(tables, value, 4);
}

static int
put_numbers(struct bat_buf *tables, const struct bat_index_list *list)
{
	int code = put32(tables, list->count);

	for (uint32_t i = 0; code == BAT_OK && i < list->count; i++)
		code = put32(tables, list->ordinals[i]);
	return code;
}

/* Where a list will stand among the stored ones. */
static int
put_stored(struct bat_buf *tables, uint32_t count, uint64_t *next)
{
	int code = put32(tables, count);

	if (code == BAT_OK)
		code = bat_bytes_append_le(tables, *next, 8);
	*next += count;
	return code;
}

static int
put_names(const struct bat_index *index, struct bat_buf *tables)
{
	int code = put32(tables, (uint32_t)index->names.count);

	for (uint32_t i = 0; code == BAT_OK && i < index->names.count; i++) {
		struct bat_slice name = bat_intern_get(&index->names, i);

		code = put32(tables, (uint32_t)name.length);
		if (code == BAT_OK)
			code = bat_bytes_append_slice(tables, name);
	}
	return code;
}

/* Members without events (prepared for an append that failed) are left out:
 * they have no place in the numbering, so there must be none. */
static bool
has_empty_member(const struct bat_index *index)
{
	for (uint32_t i = 0; i < index->member_count; i++)
		if (index->members[i].count == 0)
			return true;
	return false;
}

/* *out_ordinals: how many the lists have together. */
static int
put_tables(const struct bat_index *index, struct bat_buf *tables,
    uint64_t *out_ordinals)
{
	uint64_t next = 0;
	int code = put32(tables, index->member_count);

	for (uint32_t i = 0; code == BAT_OK && i < index->member_count; i++) {
		const struct bat_index_member *member = &index->members[i];

		code = put32(tables, member->scope);
		if (code == BAT_OK)
			code = put32(tables, member->entity);
		if (code == BAT_OK)
			code = put32(tables, member->count);
		if (code == BAT_OK)
			code = put32(tables, member->own);
		if (code == BAT_OK && member->own)
			code = put_stored(tables, member->count, &next);
	}
	if (code == BAT_OK)
		code = put_numbers(tables, &index->entities);
	for (uint32_t i = 0; code == BAT_OK && i < index->entities.count; i++)
		code = put_stored(tables,
		    index->by_name[index->entities.ordinals[i]].events.count,
		    &next);
	if (code == BAT_OK)
		code = put_numbers(tables, &index->scopes);
	for (uint32_t i = 0; code == BAT_OK && i < index->scopes.count; i++)
		code = put_numbers(tables,
		    &index->by_name[index->scopes.ordinals[i]].members);
	*out_ordinals = next;
	return code;
}

/* The next block's start. */
static uint64_t
align(uint64_t at)
{
	return (at + BAT_BLOCKFILE_CONTENT - 1) / BAT_BLOCKFILE_CONTENT *
	    BAT_BLOCKFILE_CONTENT;
}

static int
fill_up(struct bat_blockfile_writer *writer, struct bat_error *error)
{
	static const uint8_t zeros[BAT_BLOCKFILE_CONTENT];
	uint64_t at = bat_blockfile_at(writer);

	return bat_blockfile_append(writer, zeros, (size_t)(align(at) - at),
	    error);
}

/* Where the parts behind the tables start. */
struct layout {
	uint64_t rows_at, lists_at;
	uint64_t lengths_at; /* 0: none is known */
};

static struct layout
lay_out(const struct bat_index *index, size_t tables_length, uint64_t ordinals)
{
	struct layout layout;

	layout.rows_at = align(BAT_BLOCKFILE_CONTENT + tables_length);
	layout.lists_at = align(layout.rows_at +
	    (uint64_t)index->count * sizeof(struct bat_index_hot));
	layout.lengths_at = 0;
	if (index->lengths_format != 0 &&
	    (index->lengths_learned > 0 || index->base.lengths_at != 0))
		layout.lengths_at = align(
		    layout.lists_at + ordinals * sizeof(uint32_t));
	return layout;
}

static int
write_header(struct bat_blockfile_writer *writer, const struct bat_index *index,
    const struct bat_sidecar_state *state, size_t segments,
    size_t tables_length, const struct layout *layout, struct bat_error *error)
{
	const uint64_t head[HEAD_COUNT_OF_NUMBERS] = {
		[HEAD_MAGIC] = SIDECAR_MAGIC,
		[HEAD_FORMAT] = BAT_SIDECAR_FORMAT,
		[HEAD_ROW_SIZE] = sizeof(struct bat_index_hot),
		[HEAD_TABLES_LENGTH] = tables_length,
		[HEAD_ROWS_AT] = layout->rows_at,
		[HEAD_LISTS_AT] = layout->lists_at,
		[HEAD_LENGTHS_AT] = layout->lengths_at,
		[HEAD_LENGTHS_FORMAT] = index->lengths_format,
		[HEAD_COUNT] = index->count,
		[HEAD_VISIBLE] = index->visible_count,
		[HEAD_FIRST_VISIBLE] = index->first_visible,
		[HEAD_LAST_VISIBLE] = index->last_visible,
		[HEAD_MAX_WALL] = index->max_wall_ms,
		[HEAD_LAST_CLOSE] = index->last_close_wall_ms,
		[HEAD_ROWS_NEXT_SEQ] = index->next_seq,
		[HEAD_SOURCE] = state->source,
		[HEAD_SOURCE_VERSION] = state->source_version,
		[HEAD_HAS_INDEX] = state->has_index,
		[HEAD_NEXT_SEQ] = state->next_seq,
		[HEAD_WATERMARK_SEGMENT] = state->watermark_segment,
		[HEAD_WATERMARK_OFFSET] = state->watermark_offset,
		[HEAD_UNCOVERED] = state->uncovered_count,
		[HEAD_UNCOVERED_EXTENSIONS] =
		    (state->uncovered_extensions ? 1u : 0u) |
		    (state->uncovered_unknown ? 2u : 0u),
		[HEAD_SEGMENTS] = segments,
		[HEAD_FALLBACK_SYSTEM] = state->fallbacks.system,
		[HEAD_FALLBACK_EFFECT] = state->fallbacks.effect,
		[HEAD_SYSTEM_LENGTH] = state->fallbacks.system_histogram.length,
		[HEAD_EFFECT_LENGTH] = state->fallbacks.effect_histogram.length,
	};
	uint8_t block[BAT_BLOCKFILE_CONTENT] = { 0 };

	for (size_t i = 0; i < HEAD_COUNT_OF_NUMBERS; i++)
		bat_bytes_put_le(block + 8 * i, head[i], 8);
	memcpy(block + HEAD_ROWS_OFFSET, &index->first_row,
	    sizeof(index->first_row));
	memcpy(block + HEAD_ROWS_OFFSET + sizeof(index->first_row),
	    &index->last_row, sizeof(index->last_row));
	return bat_blockfile_append(writer, block, sizeof(block), error);
}

static int
write_rows(struct bat_blockfile_writer *writer, const struct bat_index *index,
    struct bat_error *error)
{
	int code = BAT_OK;

	for (uint32_t i = 0; code == BAT_OK && i < index->count;
	     i += BAT_INDEX_CHUNK_ROWS) {
		uint32_t left = index->count - i;

		code = bat_blockfile_append(writer, bat_index_hot_at(index, i),
		    (left < BAT_INDEX_CHUNK_ROWS ? left :
						   BAT_INDEX_CHUNK_ROWS) *
			sizeof(struct bat_index_hot),
		    error);
	}
	return code == BAT_OK ? fill_up(writer, error) : code;
}

static int
write_list(struct bat_blockfile_writer *writer,
    const struct bat_index_list *list, struct bat_error *error)
{
	return bat_blockfile_append(writer, list->ordinals,
	    list->count * sizeof(uint32_t), error);
}

static int
write_lists(struct bat_blockfile_writer *writer, const struct bat_index *index,
    struct bat_error *error)
{
	int code = BAT_OK;

	for (uint32_t i = 0; code == BAT_OK && i < index->member_count; i++)
		if (index->members[i].own)
			code = write_list(writer,
			    bat_index_member_list(index, i), error);
	for (uint32_t i = 0; code == BAT_OK && i < index->entities.count; i++)
		code = write_list(writer,
		    bat_index_entity_list(index, index->entities.ordinals[i]),
		    error);
	return code;
}

static int
write_lengths(struct bat_blockfile_writer *writer, struct bat_index *index,
    struct bat_error *error)
{
	uint32_t *lengths = malloc(BAT_INDEX_CHUNK_ROWS * sizeof(*lengths));
	int code = lengths == NULL ? BAT_WORLD_NO_MEMORY :
				     fill_up(writer, error);

	for (uint32_t i = 0; code == BAT_OK && i < index->count;
	     i += BAT_INDEX_CHUNK_ROWS) {
		uint32_t left = index->count - i;

		bat_index_chunk_lengths(index, i / BAT_INDEX_CHUNK_ROWS,
		    lengths);
		code = bat_blockfile_append(writer, lengths,
		    (left < BAT_INDEX_CHUNK_ROWS ? left :
						   BAT_INDEX_CHUNK_ROWS) *
			sizeof(*lengths),
		    error);
	}
	free(lengths);
	return code;
}

static int
write_all(struct bat_segment_dir *dir, int cache, struct bat_index *index,
    const struct bat_sidecar_state *state, const struct bat_buf *tables,
    const struct layout *layout, int64_t now_ns, struct bat_error *error)
{
	struct bat_blockfile_writer writer;
	int code = bat_blockfile_create(&writer, dir->disk, cache,
	    (uint64_t)now_ns, error);

	if (code != BAT_OK)
		return code;
	code = write_header(&writer, index, state, dir->count, tables->length,
	    layout, error);
	if (code == BAT_OK)
		code = bat_blockfile_append(&writer, tables->data,
		    tables->length, error);
	if (code == BAT_OK)
		code = fill_up(&writer, error);
	if (code == BAT_OK)
		code = write_rows(&writer, index, error);
	if (code == BAT_OK)
		code = write_lists(&writer, index, error);
	if (code == BAT_OK && layout->lengths_at != 0)
		code = write_lengths(&writer, index, error);
	/* What was read late and did not hold must not be written again. */
	if (code == BAT_OK && index->broken)
		code = BAT_DATA_CORRUPT;
	if (code == BAT_OK)
		code = bat_blockfile_publish(&writer, BAT_SIDECAR_FILE, error);
	if (code != BAT_OK)
		bat_blockfile_abandon(&writer);
	return code;
}

/* .batfs/cache, made when absent, with its CACHEDIR.TAG. */
static int
make_cache(struct bat_segment_dir *dir, int *out, struct bat_error *error)
{
	static const char tag[] =
	    "Signature: 8a477f597d28d172789f06886806bc55\n"
	    "# What batfs can make again from the segments beside .batfs.\n";
	const struct bat_disk *disk = dir->disk;
	struct bat_file_stat stat;
	int side, code;

	(void)disk->mkdir_at(disk->context, dir->dir, BAT_SIDECAR_DIR, 0700);
	side = disk->open_dir_at(disk->context, dir->dir, BAT_SIDECAR_DIR);
	if (side < 0)
		return bat_error_set_os(error, -side, "cannot open %s",
		    BAT_SIDECAR_DIR);
	(void)disk->mkdir_at(disk->context, side, BAT_SIDECAR_CACHE, 0700);
	*out = disk->open_dir_at(disk->context, side, BAT_SIDECAR_CACHE);
	bat_file_close(disk, side);
	if (*out < 0)
		return bat_error_set_os(error, -*out, "cannot open %s",
		    BAT_SIDECAR_CACHE);
	if (disk->stat_at(disk->context, *out, "CACHEDIR.TAG", &stat) == 0)
		return BAT_OK;
	code = bat_file_put_whole(disk, *out, "CACHEDIR.TAG",
	    bat_bytes_text(tag), true, error);
	if (code != BAT_OK)
		bat_file_close(disk, *out);
	return code;
}

int
bat_sidecar_save(struct bat_segment_dir *dir, struct bat_index *index,
    const struct bat_sidecar_state *state, int64_t now_ns,
    struct bat_error *error)
{
	struct bat_buf tables = BAT_BUF_EMPTY;
	struct layout layout;
	uint64_t ordinals = 0;
	int cache = -1;
	int code;

	if (index->count == 0 || has_empty_member(index) ||
	    !are_those_of_index(dir, index))
		return BAT_END;
	code = put_files(dir, now_ns, &tables, error);
	if (code == BAT_OK)
		code = bat_bytes_append_slice(&tables,
		    state->fallbacks.system_histogram);
	if (code == BAT_OK)
		code = bat_bytes_append_slice(&tables,
		    state->fallbacks.effect_histogram);
	if (code == BAT_OK)
		code = put_names(index, &tables);
	if (code == BAT_OK)
		code = put_tables(index, &tables, &ordinals);
	if (code == BAT_OK)
		code = make_cache(dir, &cache, error);
	if (code == BAT_OK) {
		layout = lay_out(index, tables.length, ordinals);
		code = write_all(dir, cache, index, state, &tables, &layout,
		    now_ns, error);
		bat_file_close(dir->disk, cache);
	}
	bat_bytes_free(&tables);
	return code;
}
