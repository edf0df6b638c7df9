/* Writing the sidecar: one pass over tables, rows and lists, into a temporary
 * file that is renamed when it is whole. */
#include "sidecar_parts.h"

#include <stdlib.h>

/* A store with fewer events is read as fast as a sidecar of its own. */
#define LEAST_ROWS 4096u
#define LEAST_BEHIND 1024u

bool
bat_sidecar_is_due(const struct bat_index *index, uint32_t rows)
{
	uint32_t threshold = rows / 32 > LEAST_BEHIND ? rows / 32 :
							LEAST_BEHIND;

	if (rows < LEAST_ROWS || rows < index->base.count)
		return false;
	return !index->has_base || rows - index->base.count > threshold ||
	    index->lengths_learned > threshold;
}

/* The next block's start. */
static uint64_t
align(uint64_t at)
{
	return (at + BAT_BLOCKFILE_CONTENT - 1) / BAT_BLOCKFILE_CONTENT *
	    BAT_BLOCKFILE_CONTENT;
}

/* Where the parts start, and how many numbers the lists have. */
struct layout {
	uint64_t ends_at, text_at, text_size, sorted_at, names_at, members_at;
	uint64_t rows_at, lists_at;
	uint64_t names_lists_at, entities_at, scopes_at; /* among the lists */
	uint64_t lengths_at;				 /* 0: none is known */
};

/* Lists in the order in which they are written: of members that have their own,
 * of names as entities and as scopes, of all entities, of all scopes. */
static void
lay_out_lists(const struct bat_index *index,
    const struct sidecar_extent *extent, struct layout *layout,
    uint64_t *out_count)
{
	uint64_t next = 0;

	for (uint32_t i = 0; i < extent->members; i++)
		if (bat_index_member(index, i)->own)
			next += bat_sidecar_member_events(index, extent, i);
	layout->names_lists_at = next;
	for (uint32_t i = 0; i < index->names.count; i++) {
		layout->text_size += bat_intern_get(&index->names, i).length;
		next += (uint64_t)bat_sidecar_events(index, extent, i) +
		    bat_sidecar_scope_members(index, extent, i);
	}
	layout->entities_at = next;
	layout->scopes_at = next + extent->entities;
	*out_count = layout->scopes_at + extent->scopes;
}

static struct layout
lay_out(const struct bat_index *index, const struct sidecar_extent *extent,
    size_t made_of_length)
{
	uint64_t names = index->names.count, numbers;
	struct layout layout = { .lengths_at = 0 };

	lay_out_lists(index, extent, &layout, &numbers);
	layout.ends_at = align(BAT_BLOCKFILE_CONTENT + made_of_length);
	layout.text_at = align(layout.ends_at + (names + 1) * 8);
	layout.sorted_at = align(layout.text_at + layout.text_size);
	layout.names_at = align(layout.sorted_at + names * sizeof(uint32_t));
	layout.members_at = align(
	    layout.names_at + names * BAT_INDEX_NAME_BYTES);
	layout.rows_at = align(layout.members_at +
	    (uint64_t)extent->members * BAT_INDEX_MEMBER_BYTES);
	layout.lists_at = align(layout.rows_at +
	    (uint64_t)extent->rows * sizeof(struct bat_index_hot));
	if (index->lengths_format != 0 &&
	    (index->lengths_learned > 0 || index->base.lengths_at != 0))
		layout.lengths_at = align(
		    layout.lists_at + numbers * sizeof(uint32_t));
	return layout;
}

static void
write_header(struct bat_blockfile_writer *writer, const struct bat_index *index,
    const struct sidecar_extent *extent, const struct bat_sidecar_state *state,
    size_t made_of_length, const struct layout *layout)
{
	const uint64_t head[HEAD_COUNT_OF_NUMBERS] = {
		[HEAD_MAGIC] = SIDECAR_MAGIC,
		[HEAD_FORMAT] = BAT_SIDECAR_FORMAT,
		[HEAD_ROW_SIZE] = sizeof(struct bat_index_hot),
		[HEAD_MADE_OF_LENGTH] = made_of_length,
		[HEAD_NAMES] = index->names.count,
		[HEAD_ENDS_AT] = layout->ends_at,
		[HEAD_TEXT_AT] = layout->text_at,
		[HEAD_TEXT_SIZE] = layout->text_size,
		[HEAD_SORTED_AT] = layout->sorted_at,
		[HEAD_NAMES_AT] = layout->names_at,
		[HEAD_MEMBERS] = extent->members,
		[HEAD_MEMBERS_AT] = layout->members_at,
		[HEAD_ENTITIES] = extent->entities,
		[HEAD_ENTITIES_AT] = layout->entities_at,
		[HEAD_SCOPES] = extent->scopes,
		[HEAD_SCOPES_AT] = layout->scopes_at,
		[HEAD_ROWS_AT] = layout->rows_at,
		[HEAD_LISTS_AT] = layout->lists_at,
		[HEAD_LENGTHS_AT] = layout->lengths_at,
		[HEAD_LENGTHS_FORMAT] = index->lengths_format,
		[HEAD_COUNT] = extent->rows,
		[HEAD_VISIBLE] = extent->visible_count,
		[HEAD_FIRST_VISIBLE] = extent->first_visible,
		[HEAD_LAST_VISIBLE] = extent->last_visible,
		[HEAD_MAX_WALL] = extent->max_wall_ms,
		[HEAD_LAST_CLOSE] = extent->last_close_wall_ms,
		[HEAD_ROWS_NEXT_SEQ] = extent->next_seq,
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
		[HEAD_SEGMENTS] = extent->segments,
		[HEAD_FALLBACK_SYSTEM] = state->fallbacks.system,
		[HEAD_FALLBACK_EFFECT] = state->fallbacks.effect,
		[HEAD_SYSTEM_LENGTH] = state->fallbacks.system_histogram.length,
		[HEAD_EFFECT_LENGTH] = state->fallbacks.effect_histogram.length,
	};
	uint8_t block[BAT_BLOCKFILE_CONTENT] = { 0 };

	for (size_t i = 0; i < HEAD_COUNT_OF_NUMBERS; i++)
		bat_bytes_put_le(block + 8 * i, head[i], 8);
	memcpy(block + HEAD_ROWS_OFFSET, &extent->first_row,
	    sizeof(extent->first_row));
	memcpy(block + HEAD_ROWS_OFFSET + sizeof(extent->first_row),
	    &extent->last_row, sizeof(extent->last_row));
	bat_blockfile_append(writer, block, sizeof(block));
}

/* ---- names ------------------------------------------------------------- */

static void
write_texts(struct bat_blockfile_writer *writer, const struct bat_index *index)
{
	uint8_t end[8] = { 0 };
	uint64_t at = 0;

	bat_blockfile_append(writer, end, sizeof(end));
	for (uint32_t i = 0; i < index->names.count; i++) {
		at += bat_intern_get(&index->names, i).length;
		bat_bytes_put_le(end, at, 8);
		bat_blockfile_append(writer, end, sizeof(end));
	}
	bat_blockfile_fill_up(writer);
	for (uint32_t i = 0; i < index->names.count; i++) {
		struct bat_slice name = bat_intern_get(&index->names, i);

		bat_blockfile_append(writer, name.data, name.length);
	}
	bat_blockfile_fill_up(writer);
}

struct named {
	struct bat_slice text;
	uint32_t number;
};

static int
by_text(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return bat_bytes_compare(x->text, y->text);
}

static void
write_sorted(struct bat_blockfile_writer *writer, const struct bat_index *index)
{
	size_t count = index->names.count;
	struct named *all = malloc((count + 1) * sizeof(*all));

	if (all == NULL) {
		bat_blockfile_fail(writer, BAT_WORLD_NO_MEMORY);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		all[i] = (struct named){ bat_intern_get(&index->names, i), i };
	qsort(all, count, sizeof(*all), by_text);
	for (size_t i = 0; i < count; i++)
		bat_blockfile_append(writer, &all[i].number,
		    sizeof(all[i].number));
	free(all);
	bat_blockfile_fill_up(writer);
}

/* Records of members and names; their lists follow each other in this order,
 * but those of names stand behind those of members. */
static void
write_records(struct bat_blockfile_writer *writer,
    const struct bat_index *index, const struct sidecar_extent *extent,
    uint64_t of_names)
{
	uint8_t record[BAT_INDEX_NAME_BYTES];
	uint64_t of_members = 0;

	for (uint32_t i = 0; i < index->names.count; i++) {
		const struct bat_index_name name = bat_sidecar_name(index,
		    extent, i);

		bat_index_put_name(&name, of_names,
		    of_names + name.events.count, record);
		of_names += (uint64_t)name.events.count + name.members.count;
		bat_blockfile_append(writer, record, BAT_INDEX_NAME_BYTES);
	}
	bat_blockfile_fill_up(writer);
	for (uint32_t i = 0; i < extent->members; i++) {
		const struct bat_index_member member = bat_sidecar_member(index,
		    extent, i);

		bat_index_put_member(&member, of_members, record);
		of_members += member.own ? member.count : 0;
		bat_blockfile_append(writer, record, BAT_INDEX_MEMBER_BYTES);
	}
	bat_blockfile_fill_up(writer);
}

/* ---- rows and lists ----------------------------------------------------- */

static void
write_rows(struct bat_blockfile_writer *writer, const struct bat_index *index,
    uint32_t rows)
{
	for (uint32_t i = 0; i < rows; i++)
		bat_blockfile_append(writer, bat_index_hot_at(index, i),
		    sizeof(struct bat_index_hot));
	bat_blockfile_fill_up(writer);
}

static void
write_list(struct bat_blockfile_writer *writer,
    const struct bat_index_list *list, uint32_t count)
{
	/* One that could not be read is empty: the index is broken. */
	if (count > list->count)
		bat_blockfile_fail(writer, BAT_DATA_CORRUPT);
	else
		bat_blockfile_append(writer, list->ordinals,
		    count * sizeof(uint32_t));
}

static void
write_lists(struct bat_blockfile_writer *writer, const struct bat_index *index,
    const struct sidecar_extent *extent)
{
	for (uint32_t i = 0; i < extent->members; i++)
		if (bat_index_member(index, i)->own)
			write_list(writer, bat_index_member_list(index, i),
			    bat_sidecar_member_events(index, extent, i));
	for (uint32_t i = 0; i < index->names.count; i++) {
		write_list(writer, bat_index_entity_list(index, i),
		    bat_sidecar_events(index, extent, i));
		write_list(writer, bat_index_scope_members(index, i),
		    bat_sidecar_scope_members(index, extent, i));
	}
	write_list(writer, bat_index_entities(index), extent->entities);
	write_list(writer, bat_index_scopes(index), extent->scopes);
}

static void
write_lengths(struct bat_blockfile_writer *writer, struct bat_index *index,
    uint32_t rows)
{
	uint32_t *lengths = malloc(BAT_INDEX_CHUNK_LENGTHS * sizeof(*lengths));

	if (lengths == NULL) {
		bat_blockfile_fail(writer, BAT_WORLD_NO_MEMORY);
		return;
	}
	bat_blockfile_fill_up(writer);
	for (uint32_t i = 0; i < rows; i += BAT_INDEX_CHUNK_LENGTHS) {
		uint32_t left = rows - i;

		bat_index_chunk_lengths(index, i / BAT_INDEX_CHUNK_LENGTHS,
		    lengths);
		bat_blockfile_append(writer, lengths,
		    (left < BAT_INDEX_CHUNK_LENGTHS ? left :
						      BAT_INDEX_CHUNK_LENGTHS) *
			sizeof(*lengths));
	}
	free(lengths);
}

static int
write_all(struct bat_segment_dir *dir, int cache, struct bat_index *index,
    const struct sidecar_extent *extent, const struct bat_sidecar_state *state,
    const struct bat_buf *made_of, int64_t now_ns, struct bat_error *error)
{
	const struct layout layout = lay_out(index, extent, made_of->length);
	struct bat_blockfile_writer writer;
	int code = bat_blockfile_create(&writer, dir->disk, cache,
	    (uint64_t)now_ns, error);

	if (code != BAT_OK)
		return code;
	write_header(&writer, index, extent, state, made_of->length, &layout);
	bat_blockfile_append(&writer, made_of->data, made_of->length);
	bat_blockfile_fill_up(&writer);
	write_texts(&writer, index);
	write_sorted(&writer, index);
	write_records(&writer, index, extent, layout.names_lists_at);
	write_rows(&writer, index, extent->rows);
	write_lists(&writer, index, extent);
	if (layout.lengths_at != 0)
		write_lengths(&writer, index, extent->rows);
	/* What was read late and did not hold must not be written again. */
	if (index->broken)
		bat_blockfile_fail(&writer, BAT_DATA_CORRUPT);
	code = bat_blockfile_publish(&writer, BAT_SIDECAR_FILE);
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

/* As it was when the rows behind were not there: 0; BAT_END when an index file
 * speaks of some of them. */
static int
state_before(const struct bat_index *index, const struct sidecar_extent *extent,
    const struct bat_sidecar_state *state, struct bat_sidecar_state *out)
{
	uint32_t behind = index->count - extent->rows;

	*out = *state;
	if (extent->whole)
		return BAT_OK;
	if (state->uncovered_count < behind ||
	    (state->has_index &&
		state->watermark_segment >
		    index->segments[extent->segments - 1]))
		return BAT_END;
	out->uncovered_count -= behind;
	/* The first of them has the number that was next then. */
	out->next_seq = bat_index_seq(index, extent->rows);
	return BAT_OK;
}

static int
save_extent(struct bat_segment_dir *dir, struct bat_index *index,
    const struct sidecar_extent *extent, const struct bat_sidecar_state *state,
    struct bat_buf *made_of, int64_t now_ns, struct bat_error *error)
{
	struct bat_sidecar_state then;
	int cache = -1;
	int code = state_before(index, extent, state, &then);

	if (code == BAT_OK)
		code = bat_bytes_append_slice(made_of,
		    then.fallbacks.system_histogram);
	if (code == BAT_OK)
		code = bat_bytes_append_slice(made_of,
		    then.fallbacks.effect_histogram);
	if (code == BAT_OK)
		code = make_cache(dir, &cache, error);
	if (code != BAT_OK)
		return code;
	code = write_all(dir, cache, index, extent, &then, made_of, now_ns,
	    error);
	bat_file_close(dir->disk, cache);
	return code;
}

int
bat_sidecar_save(struct bat_segment_dir *dir, struct bat_index *index,
    const struct bat_sidecar_state *state, int64_t now_ns,
    struct bat_error *error)
{
	struct bat_buf made_of = BAT_BUF_EMPTY;
	struct sidecar_extent extent;
	uint32_t segments = 0;
	int code = bat_sidecar_put_files(dir, index, state->found_segment,
	    now_ns, &made_of, &segments, error);

	if (code == BAT_OK)
		code = segments == 0 ?
		    BAT_END :
		    bat_sidecar_measure(index, segments, &extent);
	if (code == BAT_OK)
		code = save_extent(dir, index, &extent, state, &made_of, now_ns,
		    error);
	bat_bytes_free(&made_of);
	return code;
}
