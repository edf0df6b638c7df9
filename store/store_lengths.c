/* The lengths of lines, which the index keeps for the caller. */
#include "store_internal.h"

bool
bat_lengths(struct bat_store *store, uint64_t generation,
    const uint32_t *ordinals, size_t count, uint32_t *lengths)
{
	struct bat_index *index = enter(store);
	bool same = store->generation == generation;

	if (same)
		bat_index_lengths(index, ordinals, count, lengths);
	return leave(store) && same;
}

int
bat_keep_lengths(struct bat_store *store, uint64_t generation,
    const uint32_t *ordinals, const uint32_t *lengths, size_t count)
{
	struct bat_index *index = enter(store);
	int code = store->generation != generation ?
	    BAT_DATA_DISAGREES :
	    bat_index_keep_lengths(index, ordinals, lengths, count);

	return leave(store) ? code : BAT_DATA_DISAGREES;
}

void
bat_doubt_lengths(struct bat_store *store, uint64_t generation)
{
	pthread_rwlock_wrlock(&store->lock);
	if (store->generation == generation) {
		bat_index_forget_lengths(&store->view->index);
		store->generation++;
	}
	pthread_rwlock_unlock(&store->lock);
}
