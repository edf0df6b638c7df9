/*
 * The hashes of a batch's payloads, 16 side by side: with AVX-512 a payload of
 * 100 bytes costs 32 ns of 220 (hash.h). A lone payload is hashed as ever, and
 * so is one above a lane, when it is asked for.
 */
#include "writer_internal.h"

#include <stdlib.h>

/* With fewer the lanes gain nothing. */
#define LANES_MIN 3

void
bat_writer_hashes_begin(struct bat_writer_hashes *hashes)
{
	hashes->first = hashes->count = 0;
	hashes->known = 0;
}

void
bat_writer_hashes_free(struct bat_writer_hashes *hashes)
{
	free(hashes->lanes);
	hashes->lanes = NULL;
}

/* Those of the window that fit into a lane: copied there, in order. */
static uint32_t
fill_lanes(struct bat_hash_lanes *lanes, const struct bat_draft *drafts,
    size_t count)
{
	uint32_t taken = 0;

	lanes->count = 0;
	for (size_t i = 0; i < count; i++)
		if (bat_hash_lanes_take(lanes, drafts[i].payload))
			taken |= 1u << i;
	return taken;
}

/* Without memory for lanes each is hashed by itself. */
static void
hash_window(struct bat_writer_hashes *hashes, const struct bat_batch *batch,
    size_t first)
{
	size_t left = batch->count - first, next = 0;
	struct bat_hash out[BAT_HASH_LANES];

	hashes->first = first;
	hashes->count = left < BAT_HASH_LANES ? left : BAT_HASH_LANES;
	hashes->known = 0;
	if (hashes->count < LANES_MIN)
		return;
	if (hashes->lanes == NULL)
		hashes->lanes = malloc(sizeof(*hashes->lanes));
	if (hashes->lanes == NULL)
		return;
	hashes->known = fill_lanes(hashes->lanes, batch->drafts + first,
	    hashes->count);
	bat_hash_lanes(hashes->lanes, out);
	for (size_t i = 0; i < hashes->count; i++)
		if ((hashes->known >> i & 1) != 0)
			hashes->hashes[i] =
			    out[(next++ + BAT_PLANT(340)) % BAT_HASH_LANES];
}

const struct bat_hash *
bat_writer_payload_hash(struct bat_writer_hashes *hashes,
    const struct bat_batch *batch, size_t number)
{
	size_t place;

	if (number < hashes->first || number - hashes->first >= hashes->count)
		hash_window(hashes, batch, number);
	place = number - hashes->first;
	if ((hashes->known >> place & 1) == 0)
		hashes->hashes[place] = bat_hash_of(
		    batch->drafts[number].payload);
	return &hashes->hashes[place];
}
