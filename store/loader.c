/* What the parts of loader share: rows to their places, by two threads. */
#include "loader_internal.h"

#include <stdlib.h>

/* The index's table of segments does not change meanwhile: each thread looks
 * by itself. */
static bool
find_segment(struct loader_part *part, uint64_t segment, uint32_t *out)
{
	const struct bat_index *index = part->loader->index;
	uint32_t low = 0, high = index->segment_count;

	*out = part->segment_hand;
	if (*out < high && index->segments[*out] == segment)
		return true;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (index->segments[middle] < segment)
			low = middle + 1;
		else
			high = middle;
	}
	*out = part->segment_hand = low;
	return low < index->segment_count && index->segments[low] == segment;
}

int
bat_loader_put(struct loader_part *part, const struct bat_row *row)
{
	const struct loader *loader = part->loader;
	uint32_t position;
	uint64_t place;

	if (!find_segment(part, row->segment, &position))
		return bat_error_set(&part->error, BAT_DATA_CORRUPT,
		    "segment %llu, which it names, is not there",
		    (unsigned long long)row->segment);
	if (row->offset > BAT_INDEX_OFFSET_MAX || row->seq > loader->max_seq)
		return bat_error_set(&part->error, BAT_DATA_CORRUPT,
		    "row %u: offset %llu, sequence %llu", part->next,
		    (unsigned long long)row->offset,
		    (unsigned long long)row->seq);
	place = (uint64_t)position << 40 | row->offset;
	if (part->next > part->first &&
	    (place <= part->last_place || row->seq <= part->last_seq))
		part->ordered = false;
	part->last_place = place;
	part->last_seq = row->seq;
	*bat_index_hot_at(loader->index, part->next++) = (struct bat_index_hot){
		.id = row->id,
		.seq = row->seq,
		.wall_ms = row->wall_ms,
		.place = place,
		.length = row->length,
		.entity = loader->names[row->entity],
		.scope = loader->names[row->scope],
		.clock = row->clock,
		.fingerprint = bat_index_fingerprint(&row->corr, &row->cause,
		    &row->prev, &row->hash, row->lane, row->depth),
		.kind = row->kind,
		/* batpak's files may have lost some (H5). */
		.extensions = row->extensions == BAT_ROW_EXTENSIONS_SOME ?
		    BAT_ROW_EXTENSIONS_SOME :
		    BAT_ROW_EXTENSIONS_UNKNOWN,
	};
	return BAT_OK;
}

bool
bat_loader_is_ordered(const struct loader_part *first,
    const struct loader_part *second)
{
	const struct bat_index_hot *row;

	if (!first->ordered || (!second->ordered && !BAT_PLANT(28)))
		return false;
	if (first->next == first->first || second->next == second->first)
		return true;
	row = bat_index_hot_at(first->loader->index, second->first);
	return first->last_place < row->place && first->last_seq < row->seq;
}

int
bat_loader_know_names(struct loader *loader,
    struct bat_checkpoint_strings *strings)
{
	int code = BAT_OK;

	loader->names = calloc((size_t)strings->count + 1,
	    sizeof(*loader->names));
	if (loader->names == NULL)
		return BAT_WORLD_NO_MEMORY;
	code = bat_map_reserve(&loader->index->names.numbers, strings->count);
	for (uint32_t i = 1; code == BAT_OK && i < strings->count; i++) {
		(void)bat_checkpoint_is_coordinate(strings, i, i);
		code = bat_intern_put(&loader->index->names, strings->list[i],
		    &loader->names[i]);
	}
	return code;
}

int
bat_loader_keep_head(const struct bat_checkpoint_head *head,
    struct bat_loader_result *out)
{
	out->head = *head;
	out->head.strings = NULL;
	return bat_checkpoint_keep_fallbacks(&head->fallbacks, &out->histograms,
	    &out->head.fallbacks);
}
