/*
 * One event to the bytes of a frame body and back (FORMAT.md 2.5, 3.3, 4.1).
 *
 * Encoding gives batpak's bytes exactly. Decoding accepts what batpak's
 * decoder accepts (FORMAT.md 2.2, 2.3): any key order, unknown keys skipped,
 * positional arrays, non-minimal integers, bin for hashes. It tries batpak's
 * own key order first and falls back at the first difference.
 *
 * Threads: any, no state.
 */
#ifndef BAT_CODEC_H
#define BAT_CODEC_H

#include "event.h"
#include "pack.h"

/*
 * Decode one frame body. Slices of *out point into body. Does not check
 * hashes, coordinates or payload_size against the payload.
 *
 * Returns 0; BAT_DATA_CORRUPT with what is wrong (an event without a hash
 * chain is one, unless its kind is 6 or 7).
 */
int bat_codec_decode(struct bat_slice body, struct bat_event *out,
    struct bat_error *error);
/* The same, and a payload in its usual form, if it is not longer than the
 * capacity of *room, is expanded there while its end is looked for, which it
 * has to be anyway: out->payload. room may be NULL. */
int bat_codec_decode_into(struct bat_slice body, const struct bat_buf *room,
    struct bat_event *out, struct bat_error *error);
/* A batch marker: kind 6 or 7 and no hash chain (a frame of these kinds with
 * a chain is an event: FORMAT.md 3.6). */
bool bat_codec_is_marker(const struct bat_event *event);
/*
 * The payload's bytes onto buf: the expanded byte vector (nothing is copied where
 * buf was the room for it, and is empty), or, where the slot
 * holds a value (FORMAT.md 9.6, LINE.md 3): an array of 0..255 is bytes if its
 * BLAKE3 is the event hash or its length is payload_size, else the slot's own
 * bytes. 0, BAT_WORLD_NO_MEMORY, BAT_DATA_CORRUPT.
 */
int bat_codec_payload(const struct bat_event *event, struct bat_buf *buf);
/* Walk the extension map: 0 an item, BAT_END, BAT_DATA_CORRUPT. *state starts
 * as BAT_PACK_READER(event->extension_map) with *left = extension_count (the
 * map's header is stepped over). The value is still packed:
 * bat_pack_unpack_bytes. */
int bat_codec_next_extension(struct bat_pack_reader *state, uint32_t *left,
    struct bat_slice *out_key, struct bat_slice *out_slot);

/* Step over a map str -> byte vector, as frames and index files hold it:
 * *out_map is the whole of it. 0 or BAT_DATA_CORRUPT. */
int bat_codec_read_extensions(struct bat_pack_reader *reader,
    struct bat_slice *out_map, uint32_t *out_count);

/*
 * Append the body of an event. payload is the unexpanded payload; slot, chain
 * flag and extension_map of *event are ignored: extensions are given plain.
 * payload_size, content_hash are written from payload and event->hash.
 */
int bat_codec_encode(const struct bat_event *event, struct bat_slice payload,
    const struct bat_extension *extensions, size_t extension_count,
    struct bat_buf *buf);
/* BEGIN (count items) or COMMIT (count 0) marker of batch first_seq. */
int bat_codec_encode_marker(uint16_t kind, uint64_t first_seq, uint32_t count,
    int64_t timestamp_us, struct bat_buf *buf);
/* The extension map alone, as indexes hold it: map str -> byte array. */
int bat_codec_encode_extensions(const struct bat_extension *extensions,
    size_t count, struct bat_buf *buf);

#endif
