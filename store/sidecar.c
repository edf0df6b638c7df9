/* Reading it; sidecar_save.c writes it, sidecar_made_of.c says whether it is
 * believed. */
#include "sidecar_parts.h"

#include <stdlib.h>

_Static_assert(sizeof(struct bat_index_hot) == 64, "rows are 64 bytes");

static void
take_state(const uint64_t *head, struct bat_sidecar_state *state)
{
	state->source = (uint32_t)head[HEAD_SOURCE];
	state->source_version = (uint16_t)head[HEAD_SOURCE_VERSION];
	state->has_index = head[HEAD_HAS_INDEX] != 0;
	state->next_seq = head[HEAD_NEXT_SEQ];
	state->watermark_segment = head[HEAD_WATERMARK_SEGMENT];
	state->watermark_offset = head[HEAD_WATERMARK_OFFSET];
	state->uncovered_count = head[HEAD_UNCOVERED];
	state->uncovered_extensions = (head[HEAD_UNCOVERED_EXTENSIONS] & 1) !=
	    0;
	state->uncovered_unknown = (head[HEAD_UNCOVERED_EXTENSIONS] & 2) != 0;
	state->fallbacks.system = head[HEAD_FALLBACK_SYSTEM];
	state->fallbacks.effect = head[HEAD_FALLBACK_EFFECT];
}

static int
take_histograms(struct sidecar_tables *tables, const uint64_t *head,
    struct bat_sidecar_state *state)
{
	struct bat_checkpoint_fallbacks found = state->fallbacks;

	found.system_histogram = bat_sidecar_take(tables,
	    (size_t)head[HEAD_SYSTEM_LENGTH]);
	found.effect_histogram = bat_sidecar_take(tables,
	    (size_t)head[HEAD_EFFECT_LENGTH]);
	if (tables->cut)
		return BAT_DATA_CORRUPT;
	return bat_checkpoint_keep_fallbacks(&found, &state->histograms,
	    &state->fallbacks);
}

static int
read_header(struct bat_blockfile *file, uint8_t *block, uint64_t *head,
    struct bat_error *why)
{
	int code = bat_blockfile_read(file, 0, block, BAT_BLOCKFILE_CONTENT,
	    why);

	for (size_t i = 0; code == BAT_OK && i < HEAD_COUNT_OF_NUMBERS; i++)
		head[i] = bat_bytes_get_le64(block + 8 * i);
	if (code == BAT_OK &&
	    (head[HEAD_MAGIC] != SIDECAR_MAGIC ||
		head[HEAD_FORMAT] != BAT_SIDECAR_FORMAT ||
		head[HEAD_ROW_SIZE] != sizeof(struct bat_index_hot) ||
		head[HEAD_COUNT] > UINT32_MAX - 1 ||
		head[HEAD_NAMES] * BAT_INDEX_NAME_BYTES > file->size ||
		head[HEAD_MEMBERS] * BAT_INDEX_MEMBER_BYTES > file->size ||
		head[HEAD_NAMES] > UINT32_MAX - 1 ||
		head[HEAD_MEMBERS] > UINT32_MAX - 1 ||
		head[HEAD_ENTITIES] > head[HEAD_NAMES] ||
		head[HEAD_SCOPES] > head[HEAD_NAMES] ||
		head[HEAD_MADE_OF_LENGTH] > file->size))
		code = bat_error_set(why, BAT_DATA_CORRUPT,
		    "it has another format");
	return code;
}

static struct bat_index_list
stored_list(uint64_t count, uint64_t at)
{
	return (struct bat_index_list){ .count = (uint32_t)count,
		.stored = count > 0,
		.stored_at = at };
}

/* The base, and what is asked for all the time; on a failure the caller forgets
 * the index. */
static int
install(struct bat_segment_dir *dir, struct bat_index *index,
    const struct bat_index_base *base, const uint8_t *block,
    const uint64_t *head)
{
	uint32_t position;
	int code = bat_index_set_base(index, base);

	for (uint64_t i = 0; code == BAT_OK && i < head[HEAD_SEGMENTS]; i++)
		code = bat_index_segment(index, dir->segments[i].id, &position);
	if (code != BAT_OK)
		return code;
	index->entities = stored_list(head[HEAD_ENTITIES],
	    head[HEAD_ENTITIES_AT]);
	index->scopes = stored_list(head[HEAD_SCOPES], head[HEAD_SCOPES_AT]);
	index->visible_count = head[HEAD_VISIBLE];
	index->first_visible = (uint32_t)head[HEAD_FIRST_VISIBLE];
	index->last_visible = (uint32_t)head[HEAD_LAST_VISIBLE];
	index->max_wall_ms = head[HEAD_MAX_WALL];
	index->last_close_wall_ms = head[HEAD_LAST_CLOSE];
	index->next_seq = head[HEAD_ROWS_NEXT_SEQ];
	memcpy(&index->first_row, block + HEAD_ROWS_OFFSET,
	    sizeof(index->first_row));
	memcpy(&index->last_row,
	    block + HEAD_ROWS_OFFSET + sizeof(index->first_row),
	    sizeof(index->last_row));
	return index->last_row.place >> 40 < index->segment_count ||
		index->visible_count == 0 ?
	    BAT_OK :
	    BAT_DATA_CORRUPT;
}

static void
take_base(const uint64_t *head, struct bat_index_base *base)
{
	base->count = (uint32_t)head[HEAD_COUNT];
	base->names = (uint32_t)head[HEAD_NAMES];
	base->members = (uint32_t)head[HEAD_MEMBERS];
	base->ends_at = head[HEAD_ENDS_AT];
	base->text_at = head[HEAD_TEXT_AT];
	base->text_size = head[HEAD_TEXT_SIZE];
	base->sorted_at = head[HEAD_SORTED_AT];
	base->names_at = head[HEAD_NAMES_AT];
	base->members_at = head[HEAD_MEMBERS_AT];
	base->rows_at = head[HEAD_ROWS_AT];
	base->lists_at = head[HEAD_LISTS_AT];
	base->lengths_at = head[HEAD_LENGTHS_AT];
	base->lengths_format = (uint32_t)head[HEAD_LENGTHS_FORMAT];
}

/* Do so many of at least this size lie between a place and the file's end? */
static bool
fits(const struct bat_blockfile *file, uint64_t at, uint64_t count, size_t unit)
{
	return at <= file->size && count <= (file->size - at) / unit;
}

/* Whoever forged the checks too could name any count; read_header has judged
 * those of names and members. */
static bool
numbers_fit(const struct bat_blockfile *file, const uint64_t *head)
{
	uint64_t count = head[HEAD_COUNT], names = head[HEAD_NAMES];

	if (head[HEAD_VISIBLE] > count)
		return false;
	if (head[HEAD_VISIBLE] > 0 &&
	    (head[HEAD_FIRST_VISIBLE] >= count ||
		head[HEAD_LAST_VISIBLE] >= count))
		return false;
	return fits(file, 0, head[HEAD_MADE_OF_LENGTH], 1) &&
	    fits(file, head[HEAD_ENDS_AT], names, 4) &&
	    fits(file, head[HEAD_TEXT_AT], head[HEAD_TEXT_SIZE], 1) &&
	    fits(file, head[HEAD_SORTED_AT], names, 4) &&
	    fits(file, head[HEAD_NAMES_AT], names, 4) &&
	    fits(file, head[HEAD_MEMBERS_AT], head[HEAD_MEMBERS], 4) &&
	    fits(file, head[HEAD_LISTS_AT], 0, 4) &&
	    fits(file, head[HEAD_LENGTHS_AT], 0, 4) &&
	    fits(file, head[HEAD_ROWS_AT], count, sizeof(struct bat_index_hot));
}

static int
load_file(struct bat_segment_dir *dir, struct bat_index *index,
    struct bat_index_base *base, struct bat_sidecar_state *state,
    struct bat_error *why)
{
	uint8_t block[BAT_BLOCKFILE_CONTENT];
	uint64_t head[HEAD_COUNT_OF_NUMBERS] = { 0 };
	struct bat_buf bytes = BAT_BUF_EMPTY;
	struct sidecar_tables tables = { NULL, NULL, false };
	int code = read_header(&base->file, block, head, why);

	if (code == BAT_OK && !numbers_fit(&base->file, head) &&
	    !BAT_PLANT(273))
		code = bat_error_set(why, BAT_END,
		    "its header speaks of more than it holds");
	if (code == BAT_OK)
		code = bat_bytes_reserve(&bytes,
		    (size_t)head[HEAD_MADE_OF_LENGTH] + 1);
	if (code == BAT_OK)
		code = bat_blockfile_read(&base->file, BAT_BLOCKFILE_CONTENT,
		    bytes.data, (size_t)head[HEAD_MADE_OF_LENGTH], why);
	if (code == BAT_OK) {
		tables.at = bytes.data;
		tables.end = bytes.data + head[HEAD_MADE_OF_LENGTH];
		take_state(head, state);
		take_base(head, base);
		code = bat_sidecar_check_files(dir, &tables,
		    head[HEAD_SEGMENTS], base, state, why);
	}
	if (code == BAT_OK)
		code = take_histograms(&tables, head, state);
	if (code == BAT_OK)
		code = install(dir, index, base, block, head);
	bat_bytes_free(&bytes);
	return code;
}

/* Open .batfs/cache; absent is no fault. */
static int
open_cache(struct bat_segment_dir *dir, int *out)
{
	const struct bat_disk *disk = dir->disk;
	int side = disk->open_dir_at(disk->context, dir->dir, BAT_SIDECAR_DIR);

	if (side < 0)
		return BAT_END;
	*out = disk->open_dir_at(disk->context, side, BAT_SIDECAR_CACHE);
	bat_file_close(disk, side);
	return *out < 0 ? BAT_END : BAT_OK;
}

/* An index that was filled in part becomes empty again; hidden ranges stay. */
static void
forget(struct bat_index *index)
{
	struct bat_hidden hidden = index->hidden;

	index->hidden = (struct bat_hidden){ NULL, 0 };
	bat_index_free(index);
	bat_index_init(index);
	bat_index_set_hidden(index, &hidden);
}

int
bat_sidecar_load(struct bat_segment_dir *dir, struct bat_index *index,
    struct bat_sidecar_state *state, struct bat_error *why)
{
	struct bat_index_base base = { .count = 0 };
	int cache = -1;
	int code = open_cache(dir, &cache);

	memset(state, 0, sizeof(*state));
	if (code != BAT_OK)
		return bat_error_set(why, BAT_END, "there is none");
	code = bat_blockfile_open(&base.file, dir->disk, cache,
	    BAT_SIDECAR_FILE, why);
	bat_file_close(dir->disk, cache);
	if (code != BAT_OK)
		return code == BAT_WORLD_NO_MEMORY ? code : BAT_END;
	code = load_file(dir, index, &base, state, why);
	if (code == BAT_OK)
		return BAT_OK;
	bat_bytes_free(&state->histograms);
	if (!index->has_base) {
		bat_blockfile_close(&base.file);
		free(base.segment_rows);
	}
	forget(index);
	return code == BAT_WORLD_NO_MEMORY ? code : BAT_END;
}
