/*
 * Payloads against their hashes, where frames are read one by one: there is no
 * index file or footer that a frame could be compared with. Those that fit in a
 * lane are hashed 16 at a time.
 *
 * A payload that is another than its hash says is told in the open report and
 * is no reason to refuse anything: its CRC holds, so it is what was written,
 * and batpak shows it too. What a compaction of batpak's left as a value
 * (FORMAT.md 9.6) has no bytes that the hash could be of.
 */
#include "recovery_internal.h"

static void
note(struct recovery_proof *proof, uint64_t offset)
{
	if (proof->wrong_count < RECOVERY_WRONG_MAX)
		proof->wrong[proof->wrong_count] = offset;
	proof->wrong_count++;
}

static void
flush(struct recovery_proof *proof)
{
	struct bat_hash hashes[BAT_HASH_LANES];

	bat_hash_lanes(&proof->lanes, hashes);
	for (unsigned i = 0; i < proof->lanes.count; i++)
		if (!bat_hash_equal(&hashes[i], &proof->wanted[i]) &&
		    !BAT_PLANT(95))
			note(proof, proof->offsets[i]);
	proof->lanes.count = 0;
}

struct bat_buf
bat_recovery_prove_room(struct recovery_proof *proof)
{
	return (struct bat_buf){ proof->lanes.lanes[proof->lanes.count], 0,
		BAT_HASH_LANE_SIZE };
}

/* Into a lane, where it may be already; false: it is long, or not of the kind
 * that surely is bytes. */
static bool
add(struct recovery_proof *proof, const struct bat_event *event,
    uint64_t offset)
{
	unsigned lane = proof->lanes.count;
	struct bat_buf bytes = bat_recovery_prove_room(proof);

	if (event->payload.data == bytes.data)
		bytes.length = event->payload.length;
	else if (!event->payload_is_bytes ||
	    event->payload_size > BAT_HASH_LANE_SIZE ||
	    bat_pack_unpacked_length(event->payload_slot) !=
		event->payload_size ||
	    bat_pack_unpack_bytes(event->payload_slot, &bytes) != BAT_OK)
		return false;
	if (bytes.length != event->payload_size)
		return false;
	proof->lanes.lengths[lane] = (uint32_t)bytes.length;
	proof->wanted[lane] = event->hash;
	proof->offsets[lane] = offset;
	if (++proof->lanes.count == BAT_HASH_LANES)
		flush(proof);
	return true;
}

/* Any payload, by itself. */
static int
prove(struct recovery_proof *proof, const struct bat_event *event,
    uint64_t offset)
{
	struct bat_buf payload = BAT_BUF_EMPTY;
	struct bat_hash hash;
	int code = bat_codec_payload(event, &payload);

	if (code == BAT_OK &&
	    !bat_bytes_equal(bat_bytes_of_buf(&payload), event->payload_slot)) {
		hash = bat_hash_of(bat_bytes_of_buf(&payload));
		if (!bat_hash_equal(&hash, &event->hash))
			note(proof, offset);
	}
	bat_bytes_free(&payload);
	return code == BAT_WORLD_NO_MEMORY ? code : BAT_OK;
}

int
bat_recovery_prove(struct recovery_proof *proof, const struct bat_event *event,
    uint64_t offset)
{
	if (!event->has_chain || add(proof, event, offset))
		return BAT_OK;
	return prove(proof, event, offset);
}

void
bat_recovery_prove_end(struct recovery_proof *proof)
{
	if (proof->lanes.count > 0)
		flush(proof);
}

void
bat_recovery_prove_join(struct recovery_proof *proof,
    const struct recovery_proof *next)
{
	for (uint64_t i = 0; i < next->wrong_count; i++)
		note(proof, i < RECOVERY_WRONG_MAX ? next->wrong[i] : 0);
}

void
bat_recovery_prove_say(const struct recovery_proof *proof, uint64_t segment,
    struct bat_recovery *out)
{
	uint64_t count = proof->wrong_count;

	for (uint64_t i = 0; i < count && i < RECOVERY_WRONG_MAX; i++)
		bat_recovery_say(out,
		    "segment %llu offset %llu: the payload is not the one "
		    "whose hash the event has",
		    (unsigned long long)segment,
		    (unsigned long long)proof->wrong[i]);
	if (count > RECOVERY_WRONG_MAX)
		bat_recovery_say(out, "segment %llu: %llu more such payloads",
		    (unsigned long long)segment,
		    (unsigned long long)(count - RECOVERY_WRONG_MAX));
}
