/*
 * index.ckpt: versions 2 to 6 to rows, and rows to version 6 (FORMAT.md 6).
 * And the shape that both index files share: a head, strings, rows.
 *
 * Decoding calls the sink: head once, then each row in the file's order. A
 * sink's non-zero answer ends the decoding and is handed back. Row numbers
 * entity and scope are positions in the file's string list (0 is the empty
 * sentinel). Every length is checked against the bytes that are left before
 * anything is allocated. Threads: any, no state.
 */
#ifndef BAT_CHECKPOINT_H
#define BAT_CHECKPOINT_H

#include "bytes.h"
#include "error.h"
#include "event.h"
#include "intern.h"
#include "pack.h"

#define BAT_CHECKPOINT_FILE "index.ckpt"
#define BAT_CHECKPOINT_VERSION_MIN 2
#define BAT_CHECKPOINT_VERSION 6

/* Reserved-kind statistics (FORMAT.md 2.5), as they stand in the file; both
 * histograms are kept as raw MessagePack maps u16 -> u64. */
struct bat_checkpoint_fallbacks {
	uint64_t system, effect;
	struct bat_slice system_histogram, effect_histogram;
};

struct bat_checkpoint_head {
	uint16_t version;
	uint64_t allocator; /* next sequence to assign */
	uint64_t watermark_segment, watermark_offset;
	uint64_t row_count;
	const struct bat_slice *strings; /* valid until the decoder returns */
	uint32_t string_count;		 /* sentinel included */
	struct bat_checkpoint_fallbacks fallbacks;
};

struct bat_checkpoint_sink {
	void *context;
	int (*head)(void *context, const struct bat_checkpoint_head *head);
	/* extension_map: MessagePack map str -> byte array, empty slice where
	 * the version has none. */
	int (*row)(void *context, const struct bat_row *row,
	    struct bat_slice extension_map);
};

/*
 * Decode a whole file (magic, version, CRC and structure are checked). Every
 * entity and scope number is inside the string list, coordinates are legal.
 * Returns 0; BAT_DATA_CORRUPT; BAT_DATA_FUTURE (version not 2 to 6);
 * BAT_WORLD_NO_MEMORY; or what the sink answered.
 */
int bat_checkpoint_decode(struct bat_slice file,
    const struct bat_checkpoint_sink *sink, struct bat_error *error);

/* A string list that was read; slices point into the file. */
struct bat_checkpoint_strings {
	struct bat_slice *list; /* [0] is empty, whatever the file says */
	uint8_t *verdicts;	/* which may stand in a coordinate: checked
				 * once each, when first asked for */
	uint32_t count;
};

/*
 * A file up to its first entry, for a reader that takes the rest in blocks.
 */
#define BAT_CHECKPOINT_CRC_START 12

struct bat_checkpoint_front {
	uint32_t crc; /* of everything from CRC_START on */
	struct bat_checkpoint_head head;
	struct bat_checkpoint_strings strings;
	uint64_t entries_at; /* offset of the first entry */
};

/*
 * start: the first bytes of a file of file_size. 0; BAT_WORLD_NO_MEMORY;
 * BAT_END when start ends before the entries, they are not the last field, or
 * bat_checkpoint_decode would refuse it. The caller frees strings with
 * bat_checkpoint_free_strings, also after a failure.
 */
int bat_checkpoint_read_front(struct bat_slice start, uint64_t file_size,
    struct bat_checkpoint_front *out);
/* The next entry, checked like those of bat_checkpoint_decode. 0, or
 * BAT_DATA_CORRUPT: also where the bytes end within it. */
int bat_checkpoint_read_row(struct bat_checkpoint_front *front,
    struct bat_pack_reader *reader, struct bat_row *out);
/* The same, with its extensions as in struct bat_checkpoint_sink. */
int bat_checkpoint_read_row_and_map(struct bat_checkpoint_front *front,
    struct bat_pack_reader *reader, struct bat_row *out,
    struct bat_slice *out_map);

/*
 * Rows for an encoder, one at a time, in ascending sequence; entity and scope
 * are numbers of `names`. 0 an item, BAT_END, negative an error.
 * extension_map as above (empty or `80` for none).
 */
struct bat_checkpoint_source {
	void *context;
	int (*rewind)(void *context);
	int (*next)(void *context, struct bat_row *out,
	    struct bat_slice *out_extension_map);
	/* The same rows, but only id, entity, wall_ms, clock and seq need be
	 * there. NULL: use next. */
	int (*peek)(void *context, struct bat_row *out);
};

struct bat_checkpoint_input {
	uint64_t allocator;
	uint64_t watermark_segment, watermark_offset;
	uint64_t row_count;
	const struct bat_intern *names;
	struct bat_checkpoint_fallbacks fallbacks; /* empty histograms: `80` */
	const struct bat_checkpoint_source *source;
};

/* A whole index.ckpt of the given version (2 to 6; 6 in service, the others
 * for tests). Routing is computed as batpak does (FORMAT.md 6.2). */
int bat_checkpoint_encode(const struct bat_checkpoint_input *input,
    uint16_t version, struct bat_buf *buf, struct bat_error *error);

/* The parts that index.fbati has too. */

/* The routing summary of rows in ascending sequence, as MessagePack. */
int bat_checkpoint_encode_routing(const struct bat_checkpoint_input *input,
    struct bat_buf *buf, struct bat_error *error);
int bat_checkpoint_encode_fallbacks(
    const struct bat_checkpoint_fallbacks *fallbacks, struct bat_buf *buf);
/* The string list: the sentinel, then names in number order. */
int bat_checkpoint_encode_strings(const struct bat_intern *names,
    struct bat_buf *buf);

/* 0, BAT_DATA_CORRUPT, BAT_WORLD_NO_MEMORY. */
int bat_checkpoint_read_strings(struct bat_pack_reader *reader,
    struct bat_checkpoint_strings *out);
void bat_checkpoint_free_strings(struct bat_checkpoint_strings *strings);
/* Are both numbers in the list, and is this a legal coordinate? */
bool bat_checkpoint_is_coordinate(struct bat_checkpoint_strings *strings,
    uint32_t entity, uint32_t scope);
/* Step over a routing summary (a hint that is not used; its shape must be
 * right). 0 or BAT_DATA_CORRUPT. */
int bat_checkpoint_skip_routing(struct bat_pack_reader *reader);
int bat_checkpoint_read_fallbacks(struct bat_pack_reader *reader,
    struct bat_checkpoint_fallbacks *out);
/* Copy both histograms into `bytes` (empty before) and let *out's stand there:
 * valid as long as its bytes, whoever owns them by then. 0 or
 * BAT_WORLD_NO_MEMORY. */
int bat_checkpoint_keep_fallbacks(const struct bat_checkpoint_fallbacks *from,
    struct bat_buf *bytes, struct bat_checkpoint_fallbacks *out);

#endif
