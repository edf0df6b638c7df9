/*
 * What an event is: the row that an index keeps of it, the whole of it as a
 * frame holds it, and the draft that a caller offers. Limits and whether a
 * draft is acceptable. Plain data; Threads: any, no state.
 */
#ifndef BAT_EVENT_H
#define BAT_EVENT_H

#include "bytes.h"
#include "error.h"
#include "hash.h"
#include "id.h"

#define BAT_EVENT_PAYLOAD_MAX (16u << 20)      /* bytes; batpak's default */
#define BAT_EVENT_EXTENSION_KEY_MAX 256	       /* bytes */
#define BAT_EVENT_WALL_MS_MAX 9223372036854775 /* FORMAT.md 1.3 step 6 */
#define BAT_EVENT_FRAME_MAX (256u << 20)       /* bytes of a frame's body */

/* What is known of a row's receipt extensions without reading its frame. */
enum bat_row_extensions {
	BAT_ROW_EXTENSIONS_UNKNOWN, /* footers and old index files */
	BAT_ROW_EXTENSIONS_NONE,
	BAT_ROW_EXTENSIONS_SOME,
};

/*
 * A row: what footers, index.ckpt and index.fbati say of an event. entity and
 * scope are numbers of the string table beside the rows. cause is zero for
 * none. segment is a segment id, offset and length are bytes of the frame in
 * that file (length field and CRC included).
 */
struct bat_row {
	struct bat_id id, corr, cause;
	uint32_t entity, scope;
	uint32_t clock; /* of the entity; can fall */
	uint32_t lane, depth;
	uint32_t length;
	uint64_t wall_ms;
	uint64_t segment, offset;
	uint64_t seq; /* global sequence */
	struct bat_hash prev, hash;
	uint16_t kind;
	enum bat_row_extensions extensions;
};

/* One receipt extension, borrowed. */
struct bat_extension {
	struct bat_slice key;
	struct bat_slice value;
};

/*
 * An event as its frame holds it. All slices point into the bytes that it was
 * decoded from, but payload, which is expanded from the payload slot.
 */
struct bat_event {
	struct bat_id id, corr, cause; /* cause zero: none */
	int64_t timestamp_us;
	uint64_t wall_ms;
	uint32_t counter, depth, lane, clock;
	uint32_t payload_size; /* as the header says; items of a BEGIN marker */
	uint16_t kind;	       /* raw */
	uint8_t flags;
	bool has_chain; /* false only for batch markers */
	struct bat_hash content_hash, prev, hash;
	struct bat_slice entity, scope;
	/* The payload's place in the frame, header of the array included, and
	 * whether it is a byte vector; if not (FORMAT.md 9.6) the slot's own
	 * bytes are the payload. */
	struct bat_slice payload_slot;
	bool payload_is_bytes;
	/* Expanded, if that was asked for (bat_codec_decode_into); data is
	 * NULL where it was not done. */
	struct bat_slice payload;
	/* The extension map as it stands in the frame, its header included:
	 * MessagePack map str -> byte array. Empty slice: the frame has no
	 * such field. */
	struct bat_slice extension_map;
	uint32_t extension_count;
};

enum bat_cause_kind {
	BAT_CAUSE_NONE,
	BAT_CAUSE_ID,	/* .cause_id; must be visible, or an earlier item */
	BAT_CAUSE_SEQ,	/* .cause_number: a global sequence */
	BAT_CAUSE_LAST, /* latest of this entity */
	BAT_CAUSE_ITEM, /* .cause_number: earlier item of the same batch */
};

enum bat_expect_kind {
	BAT_EXPECT_ANY,
	BAT_EXPECT_CLOCK, /* .expect_clock is the latest of the entity */
	BAT_EXPECT_NONE,  /* the entity has no event yet */
	BAT_EXPECT_SOME,  /* it has one */
};

/* What a caller offers; everything borrowed until the batch is done. */
struct bat_draft {
	struct bat_slice entity, scope;
	struct bat_slice payload;
	struct bat_id key;  /* zero: none; else becomes the event's id */
	struct bat_id corr; /* zero: own id, or that of the cause */
	enum bat_cause_kind cause;
	struct bat_id cause_id;
	uint64_t cause_number;
	enum bat_expect_kind expect;
	uint32_t expect_clock;
	uint32_t lane, depth;
	uint16_t kind;
	uint8_t flags; /* only for a batch of one */
	/* Sorted by key, no key twice. */
	const struct bat_extension *extensions;
	size_t extension_count;
};

/* What a row says of an event but its names, its place and its number: those
 * are 0. */
static inline struct bat_row
bat_event_row(const struct bat_event *event)
{
	return (struct bat_row){
		.id = event->id,
		.corr = event->corr,
		.cause = event->cause,
		.clock = event->clock,
		.lane = event->lane,
		.depth = event->depth,
		.wall_ms = event->wall_ms,
		.prev = event->prev,
		.hash = event->hash,
		.kind = event->kind,
	};
}

/*
 * Is a draft acceptable by itself (names, kind, sizes, extension keys)?
 * alone: it is a batch of one. Returns 0, BAT_USE_INVALID, _NAME_LENGTH,
 * _TOO_LARGE, _RESERVED.
 */
int bat_event_check_draft(const struct bat_draft *draft, bool alone,
    struct bat_error *error);
/* All of that but the names, for who knows that these are. */
int bat_event_check_draft_but_names(const struct bat_draft *draft, bool alone,
    struct bat_error *error);
/* ASCII, 1 to 256 bytes, exactly one '.' with text on both sides, prefix not
 * "batpak" (FORMAT.md 3.5). */
bool bat_event_extension_key_is_legal(struct bat_slice key);

#endif
