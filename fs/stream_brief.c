/*
 * The size of a stream of few lines whose lengths are all known: their sum. A
 * listing asks for those of a hundred thousand, and a table for each, with its
 * place in the order of use, took longer than all the rest.
 */
#include "stream_internal.h"

#define LINES_MAX 16

/* Of a whole list of the store's. */
static bool
is_plain(const struct batfs_streams *streams,
    const struct batfs_stream_key *key)
{
	return streams->ways.kept && key->choice == 0 && key->from_seq == 0 &&
	    key->to_seq == UINT64_MAX &&
	    (key->list.kind == BAT_LIST_ENTITY ||
		key->list.kind == BAT_LIST_MEMBER);
}

bool
batfs_stream_brief_size(struct batfs_streams *streams,
    const struct batfs_stream_key *key, uint64_t *out_size)
{
	uint64_t generation = batfs_stream_store_generation(streams);
	uint32_t ordinals[LINES_MAX + 1], lengths[LINES_MAX + 1];
	uint64_t cursor = 0, size = 0;
	size_t count;

	if (!is_plain(streams, key))
		return false;
	count = bat_list_next(streams->store, &key->list, &cursor, ordinals,
	    LINES_MAX + 1);
	if (count > LINES_MAX ||
	    !bat_lengths(streams->store, generation, ordinals, count, lengths))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (lengths[i] == 0 && !BAT_PLANT(377))
			return false;
		size += lengths[i];
	}
	*out_size = size;
	return true;
}
