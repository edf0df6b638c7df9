/*
 * Names and members of a base: late, like its rows. Opening makes room for all
 * and reads none; a page of them is read when one is first asked for. Names are
 * found by halving over their numbers in the order of their bytes: a table by
 * hash in a file would be one that hostile names can be made for.
 *
 * Measured: a base of 100 000 names opened in some 80 ms of CPU time when its
 * tables were read and built, and in one since.
 */
#include "index_internal.h"

#include <stdlib.h>

/* Records of a page that the base has. */
static size_t
page_count(uint32_t page, uint32_t all)
{
	uint32_t left = all - page * INDEX_PAGE;

	return left < INDEX_PAGE ? left : INDEX_PAGE;
}

static void
put32(uint8_t *at, uint32_t value)
{
	bat_bytes_put_le(at, value, 4);
}

/* ---- records ----------------------------------------------------------- */

void
bat_index_put_name(const struct bat_index_name *name, uint64_t events_at,
    uint64_t members_at, uint8_t record[BAT_INDEX_NAME_BYTES])
{
	put32(record, name->events.count);
	put32(record + 4, name->members.count);
	put32(record + 8, name->member_count);
	put32(record + 12, name->first_member);
	put32(record + 16, name->last_member);
	put32(record + 20, 0);
	bat_bytes_put_le(record + 24, events_at, 8);
	bat_bytes_put_le(record + 32, members_at, 8);
}

void
bat_index_put_member(const struct bat_index_member *member, uint64_t events_at,
    uint8_t record[BAT_INDEX_MEMBER_BYTES])
{
	put32(record, member->scope);
	put32(record + 4, member->entity);
	put32(record + 8, member->count);
	put32(record + 12, member->own);
	put32(record + 16, member->next_of_entity);
	put32(record + 20, 0);
	bat_bytes_put_le(record + 24, events_at, 8);
}

static struct bat_index_list
stored_list(uint32_t count, uint64_t at)
{
	return (struct bat_index_list){ .count = count,
		.stored = count > 0,
		.stored_at = at };
}

static bool
get_name(const struct bat_index_base *base, const uint8_t *record,
    struct bat_index_name *out)
{
	uint32_t events = bat_bytes_get_le32(record);
	uint32_t members = bat_bytes_get_le32(record + 4);

	*out = (struct bat_index_name){
		.events = stored_list(events, bat_bytes_get_le64(record + 24)),
		.members = stored_list(members,
		    bat_bytes_get_le64(record + 32)),
		.member_count = bat_bytes_get_le32(record + 8),
		.first_member = bat_bytes_get_le32(record + 12),
		.last_member = bat_bytes_get_le32(record + 16),
	};
	if (events > base->count || members > base->members)
		return false;
	if (out->first_member == BAT_INDEX_NOTHING)
		return out->last_member == BAT_INDEX_NOTHING;
	return out->first_member <= out->last_member &&
	    out->last_member < base->members;
}

/* The members of an entity follow each other upwards, so a walk ends. */
static bool
get_member(const struct bat_index_base *base, const uint8_t *record,
    uint32_t number, struct bat_index_member *out)
{
	*out = (struct bat_index_member){
		.scope = bat_bytes_get_le32(record),
		.entity = bat_bytes_get_le32(record + 4),
		.count = bat_bytes_get_le32(record + 8),
		.own = bat_bytes_get_le32(record + 12) != 0,
		.next_of_entity = bat_bytes_get_le32(record + 16),
	};
	if (out->own)
		out->list = stored_list(out->count,
		    bat_bytes_get_le64(record + 24));
	return out->scope < base->names && out->entity < base->names &&
	    out->count > 0 && out->count <= base->count &&
	    (out->next_of_entity == BAT_INDEX_NOTHING ||
		(out->next_of_entity > number &&
		    out->next_of_entity < base->members));
}

/* ---- pages; under late_mutex ------------------------------------------- */

static bool
read_name_page(struct bat_index *index, uint32_t page)
{
	uint8_t records[INDEX_PAGE * BAT_INDEX_NAME_BYTES];
	uint32_t first = page * INDEX_PAGE;
	size_t count = page_count(page, index->base.names);
	bool good = bat_blockfile_read(&index->base.file,
			index->base.names_at +
			    (uint64_t)first * BAT_INDEX_NAME_BYTES,
			records, count * BAT_INDEX_NAME_BYTES, NULL) == BAT_OK;

	for (size_t i = 0; good && i < count; i++)
		good = get_name(&index->base,
		    records + i * BAT_INDEX_NAME_BYTES,
		    &index->by_name[first + i]);
	for (size_t i = 0; !good && i < count; i++)
		index->by_name[first + i] = (struct bat_index_name){
			.first_member = BAT_INDEX_NOTHING,
			.last_member = BAT_INDEX_NOTHING,
		};
	return good;
}

static bool
read_member_page(struct bat_index *index, uint32_t page)
{
	uint8_t records[INDEX_PAGE * BAT_INDEX_MEMBER_BYTES];
	uint32_t first = page * INDEX_PAGE;
	size_t count = page_count(page, index->base.members);
	bool good = bat_blockfile_read(&index->base.file,
			index->base.members_at +
			    (uint64_t)first * BAT_INDEX_MEMBER_BYTES,
			records, count * BAT_INDEX_MEMBER_BYTES,
			NULL) == BAT_OK;

	for (size_t i = 0; good && i < count; i++)
		good = get_member(&index->base,
		    records + i * BAT_INDEX_MEMBER_BYTES, first + (uint32_t)i,
		    &index->members[first + i]);
	for (size_t i = 0; !good && i < count; i++)
		index->members[first + i] = (struct bat_index_member){
			.next_of_entity = BAT_INDEX_NOTHING,
		};
	return good;
}

static void
fetch_page(struct bat_index *index, uint8_t *pages, uint32_t page,
    bool (*read_page)(struct bat_index *index, uint32_t page))
{
	pthread_mutex_lock(&index->late_mutex);
	if (!pages[page]) {
		/* Nobody above can be told here. */
		if (!read_page(index, page) && !BAT_PLANT(212))
			index->broken = true;
		__atomic_store_n(&pages[page], 1, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&index->late_mutex);
}

void
bat_index_fetch_name_page(struct bat_index *index, uint32_t page)
{
	fetch_page(index, index->name_pages, page, read_name_page);
}

void
bat_index_fetch_member_page(struct bat_index *index, uint32_t page)
{
	fetch_page(index, index->member_pages, page, read_member_page);
}

/* ---- the bytes of names ------------------------------------------------ */

/* Where they end, from the file: u64 each, after one for the first's start.
 * As ends within the page; false when they do not rise. */
static bool
read_ends(const struct bat_index *index, uint32_t first, size_t count,
    uint64_t *out_start, uint32_t *ends)
{
	uint8_t bytes[(INDEX_PAGE + 1) * 8];
	uint64_t before, at;

	if (bat_blockfile_read(&index->base.file,
		index->base.ends_at + (uint64_t)first * 8, bytes,
		(count + 1) * 8, NULL) != BAT_OK)
		return false;
	*out_start = before = bat_bytes_get_le64(bytes);
	for (size_t i = 0; i < count; i++, before = at) {
		at = bat_bytes_get_le64(bytes + 8 * (i + 1));
		if (at < before || at > index->base.text_size ||
		    at - *out_start > UINT32_MAX)
			return false;
		ends[i] = (uint32_t)(at - *out_start);
	}
	return true;
}

static bool
read_text_page(struct bat_index *index, uint32_t first, size_t count)
{
	uint32_t ends[INDEX_PAGE];
	uint64_t start;
	uint8_t *text;
	bool good;

	if (!read_ends(index, first, count, &start, ends))
		return false;
	text = malloc((size_t)ends[count - 1] + 1);
	good = text != NULL &&
	    bat_blockfile_read(&index->base.file, index->base.text_at + start,
		text, ends[count - 1], NULL) == BAT_OK &&
	    bat_intern_fill(&index->names, first, count, ends, text) == BAT_OK;
	free(text);
	return good;
}

static void
fetch_text(void *context, uint32_t number)
{
	struct bat_index *index = context;
	uint32_t page = number / INDEX_PAGE, first = page * INDEX_PAGE;
	size_t count = page_count(page, index->base.names);

	pthread_mutex_lock(&index->late_mutex);
	if (index->names.strings[number].data == NULL &&
	    !read_text_page(index, first, count)) {
		index->broken = true;
		bat_intern_fill_empty(&index->names, first, count);
	}
	pthread_mutex_unlock(&index->late_mutex);
}

/* All of them, when a name is first looked for. */
static const uint32_t *
sorted_names(struct bat_index *index)
{
	uint32_t names = index->base.names;

	pthread_mutex_lock(&index->late_mutex);
	if (index->sorted_names == NULL && !index->broken) {
		uint32_t *sorted = malloc((size_t)names * sizeof(*sorted) + 1);
		bool good = sorted != NULL &&
		    bat_blockfile_read(&index->base.file, index->base.sorted_at,
			sorted, (size_t)names * sizeof(*sorted),
			NULL) == BAT_OK;

		for (uint32_t i = 0; good && i < names; i++)
			good = sorted[i] < names;
		if (good) {
			index->sorted_names = sorted;
		} else {
			free(sorted);
			index->broken = true;
		}
	}
	pthread_mutex_unlock(&index->late_mutex);
	return index->sorted_names;
}

static uint32_t
find_text(void *context, struct bat_slice text)
{
	struct bat_index *index = context;
	const uint32_t *sorted = sorted_names(index);
	uint32_t low = 0, high = index->base.names;

	if (sorted == NULL)
		return BAT_INTERN_NONE;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = bat_bytes_compare(
		    bat_intern_get(&index->names, sorted[middle]), text);

		if (order == 0)
			return sorted[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return BAT_INTERN_NONE;
}

/* ---- opening ------------------------------------------------------------ */

static uint8_t *
make_pages(uint32_t count)
{
	return calloc(count / INDEX_PAGE + 1, 1);
}

/* Zeros that nobody touches cost no memory. */
int
bat_index_make_tables(struct bat_index *index,
    const struct bat_index_base *base)
{
	const struct bat_intern_source source = { index, fetch_text,
		find_text };

	index->by_name = calloc((size_t)base->names + 1,
	    sizeof(*index->by_name));
	index->members = calloc((size_t)base->members + 1,
	    sizeof(*index->members));
	index->name_pages = make_pages(base->names);
	index->member_pages = make_pages(base->members);
	if (index->by_name == NULL || index->members == NULL ||
	    index->name_pages == NULL || index->member_pages == NULL)
		return BAT_WORLD_NO_MEMORY;
	index->by_name_capacity = base->names;
	index->member_count = base->members;
	index->member_capacity = base->members + 1;
	return bat_intern_start_late(&index->names, base->names, &source);
}
