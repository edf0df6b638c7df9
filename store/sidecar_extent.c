/* What of an index stands in its first segments: counted, and cut off there. */
#include "sidecar_parts.h"

#include "kind.h"

/* Ordinals below the extent's end; they rise. */
static uint32_t
count_below(const struct bat_index_list *list, uint32_t end)
{
	uint32_t low = 0, high = list->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->ordinals[middle] < end)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The list is read only where some of it is left out: who lays out a file wants
 * counts. */
uint32_t
bat_sidecar_events(const struct bat_index *index,
    const struct sidecar_extent *extent, uint32_t number)
{
	const struct bat_index_name *name = bat_index_name(index, number);

	if (name == NULL)
		return 0;
	return extent->whole ?
	    name->events.count :
	    count_below(bat_index_entity_list(index, number), extent->rows);
}

uint32_t
bat_sidecar_member_events(const struct bat_index *index,
    const struct sidecar_extent *extent, uint32_t number)
{
	const struct bat_index_member *member = bat_index_member(index, number);

	return extent->whole ?
	    member->count :
	    count_below(bat_index_member_list(index, number), extent->rows);
}

uint32_t
bat_sidecar_scope_members(const struct bat_index *index,
    const struct sidecar_extent *extent, uint32_t number)
{
	const struct bat_index_name *name = bat_index_name(index, number);
	const struct bat_index_list *list;
	uint32_t count;

	if (name == NULL || extent->whole)
		return name == NULL ? 0 : name->members.count;
	list = bat_index_scope_members(index, number);
	for (count = list->count; count > 0; count--)
		if (bat_sidecar_member_events(index, extent,
			list->ordinals[count - 1]) > 0)
			break;
	return count;
}

struct bat_index_name
bat_sidecar_name(const struct bat_index *index,
    const struct sidecar_extent *extent, uint32_t number)
{
	const struct bat_index_name *name = bat_index_name(index, number);
	struct bat_index_name cut = {
		.first_member = BAT_INDEX_NOTHING,
		.last_member = BAT_INDEX_NOTHING,
	};

	if (name == NULL || extent->whole)
		return name == NULL ? cut : *name;
	cut.events.count = bat_sidecar_events(index, extent, number);
	cut.members.count = bat_sidecar_scope_members(index, extent, number);
	for (uint32_t i = name->first_member;
	     i != BAT_INDEX_NOTHING && i < extent->members;
	     i = bat_index_member(index, i)->next_of_entity) {
		if (cut.first_member == BAT_INDEX_NOTHING)
			cut.first_member = i;
		cut.last_member = i;
		cut.member_count++;
	}
	return cut;
}

struct bat_index_member
bat_sidecar_member(const struct bat_index *index,
    const struct sidecar_extent *extent, uint32_t number)
{
	struct bat_index_member cut = *bat_index_member(index, number);

	cut.count = bat_sidecar_member_events(index, extent, number);
	if (cut.next_of_entity >= extent->members)
		cut.next_of_entity = BAT_INDEX_NOTHING;
	return cut;
}

/* ---- measuring ----------------------------------------------------------- */

/* Members with events among the rows are the first ones. One without any was
 * prepared for an append that failed, or for one that came late: it has no
 * place in the numbering, and may have none before one that has. */
static int
measure_members(const struct bat_index *index, struct sidecar_extent *extent)
{
	for (uint32_t i = 0; i < index->member_count; i++) {
		if (bat_index_member(index, i)->count == 0)
			return BAT_END;
		if (bat_sidecar_member_events(index, extent, i) == 0)
			continue;
		if (extent->members < i)
			return BAT_END;
		extent->members = i + 1;
	}
	return BAT_OK;
}

/* Names of a list are in the order of their first events. */
static uint32_t
count_names(const struct bat_index *index, const struct sidecar_extent *extent,
    const struct bat_index_list *names,
    uint32_t (*count)(const struct bat_index *index,
	const struct sidecar_extent *extent, uint32_t name))
{
	uint32_t low = 0, high = names->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (count(index, extent, names->ordinals[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
measure_rows(const struct bat_index *index, struct sidecar_extent *extent)
{
	for (uint32_t i = 0; i < extent->rows; i++) {
		const struct bat_index_hot *row = bat_index_hot_at(index, i);

		if (row->wall_ms > extent->max_wall_ms)
			extent->max_wall_ms = row->wall_ms;
		if (row->kind == BAT_KIND_CLOSE_COMPLETED)
			extent->last_close_wall_ms = row->wall_ms;
		extent->next_seq = row->seq + 1;
		if (row->hidden)
			continue;
		if (extent->visible_count++ == 0) {
			extent->first_visible = i;
			extent->first_row = *row;
		}
		extent->last_visible = i;
		extent->last_row = *row;
	}
}

static void
take_whole(const struct bat_index *index, struct sidecar_extent *extent)
{
	extent->entities = index->entities.count;
	extent->scopes = index->scopes.count;
	extent->visible_count = index->visible_count;
	extent->max_wall_ms = index->max_wall_ms;
	extent->last_close_wall_ms = index->last_close_wall_ms;
	extent->next_seq = index->next_seq;
	extent->first_visible = index->first_visible;
	extent->last_visible = index->last_visible;
	extent->first_row = index->first_row;
	extent->last_row = index->last_row;
}

int
bat_sidecar_measure(const struct bat_index *index, uint32_t segments,
    struct sidecar_extent *extent)
{
	int code;

	memset(extent, 0, sizeof(*extent));
	extent->segments = segments;
	extent->rows = segments == index->segment_count ?
	    index->count :
	    bat_index_lower_place(index, index->count,
		index->segments[segments], 0);
	extent->whole = extent->rows == index->count || BAT_PLANT(390);
	/* Of a list that nobody has read all ordinals are of the base. */
	if (extent->rows < index->base.count ||
	    !bat_sidecar_is_due(index, extent->rows))
		return BAT_END;
	code = measure_members(index, extent);
	if (code != BAT_OK)
		return code;
	if (extent->whole) {
		take_whole(index, extent);
		return BAT_OK;
	}
	extent->entities = count_names(index, extent, bat_index_entities(index),
	    bat_sidecar_events);
	extent->scopes = count_names(index, extent, bat_index_scopes(index),
	    bat_sidecar_scope_members);
	measure_rows(index, extent);
	return BAT_OK;
}
