/*
 * What binds pieces together: chains and batches that go on from one into the
 * next, sequences that rise.
 */
#include "verify_swift.h"

#include <stdlib.h>
#include <zlib.h>

static int
reserve_heads(struct verify_swift *swift)
{
	size_t count = swift->names.capacity;
	struct verify_swift_head *heads;

	if (swift->names.count <= swift->head_count)
		return BAT_OK;
	heads = realloc(swift->heads, count * sizeof(*heads));
	if (heads == NULL)
		return BAT_WORLD_NO_MEMORY;
	memset(heads + swift->head_count, 0,
	    (count - swift->head_count) * sizeof(*heads));
	swift->heads = heads;
	swift->head_count = count;
	return BAT_OK;
}

/* The chains of a piece go on from what was before. */
static int
join_chains(struct verify_swift *swift, const struct verify_piece *piece)
{
	for (size_t i = 0; i < piece->first_count; i++) {
		const struct verify_swift_first *first = &piece->firsts[i];
		uint32_t number = first->name;
		struct verify_swift_head *head;
		int code = BAT_OK;

		if (piece->has_footer)
			number = swift->numbers[first->name];
		else
			code = bat_intern_put(&swift->names,
			    bat_intern_get(&piece->names, first->name),
			    &number);
		if (code == BAT_OK)
			code = reserve_heads(swift);
		if (code != BAT_OK)
			return code;
		head = &swift->heads[number];
		if (head->exists) {
			if (first->clock == 0 ||
			    first->clock - 1 != head->clock ||
			    !bat_hash_equal(&first->prev, &head->hash))
				return BAT_END;
		} else {
			if (first->clock != 0 ||
			    !bat_hash_is_zero(&first->prev))
				return BAT_END;
			swift->counts.chains++;
		}
		*head = piece->heads[first->name];
	}
	return BAT_OK;
}

static bool
join_batch(struct verify_swift *swift, const struct verify_piece *piece)
{
	if (piece->begins_within != swift->in_batch)
		return false;
	if (swift->in_batch) {
		if (piece->begun != swift->remaining ||
		    !bat_id_equal(&piece->begun_id, &swift->batch_id))
			return false;
		swift->counts.batches++;
	}
	swift->in_batch = piece->in_batch;
	swift->remaining = piece->remaining;
	swift->batch_id = piece->batch_id;
	return true;
}

static bool
join_seqs(struct verify_swift_seqs *seqs, const struct verify_swift_seqs *next)
{
	if (!next->any)
		return true;
	if (seqs->any && next->first <= seqs->last)
		return false;
	*seqs = *next;
	return true;
}

/* The rows of the index that a piece met follow those before. */
static bool
join_index(struct verify_swift *swift, struct verify_piece *piece)
{
	const struct verify_rows *rows = &piece->index_rows;
	uint64_t next = rows->end, length = 0;
	uint32_t crc = rows->crc;

	if (swift->is_checkpoint) {
		if (piece->entries.start != swift->index_next)
			return false;
		next = bat_verify_entries_end(&piece->entries);
		length = next - swift->index_next;
		crc = piece->entries.crc;
	} else if (swift->has_index) {
		if (rows->next != rows->end)
			return false;
		length = (next - swift->index_next) * rows->size;
	}
	swift->index_crc = (uint32_t)crc32_combine(swift->index_crc, crc,
	    (z_off_t)length);
	swift->index_next = next;
	return true;
}

int
bat_verify_join(struct verify_swift *swift, struct verify_piece *piece)
{
	const struct bat_verify_counts *more = &piece->counts;
	struct bat_verify_counts *counts = &swift->counts;
	int code = join_chains(swift, piece);

	if (code == BAT_OK)
		code = bat_verify_keys_add(&swift->keys, &piece->keys);
	if (code != BAT_OK)
		return code;
	piece->keys.keys = NULL;
	if (!join_batch(swift, piece) ||
	    !join_seqs(&swift->footer_seqs, &piece->footer_seqs) ||
	    !join_seqs(&swift->index_seqs, &piece->index_seqs) ||
	    !join_index(swift, piece) ||
	    piece->footer_rows.next != piece->footer_rows.end)
		return BAT_END;
	counts->frames += more->frames;
	counts->events += more->events;
	counts->batches += more->batches;
	counts->payloads += more->payloads;
	counts->footer_rows += more->footer_rows;
	counts->index_rows += more->index_rows;
	return BAT_OK;
}
