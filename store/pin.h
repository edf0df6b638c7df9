/*
 * A pin: the raw files of a store as they were at one durable moment, for a
 * backup that is a store itself. It holds open descriptors, so what comes
 * later (appends, rotation, compaction, another index file) changes nothing
 * of what it shows.
 *
 * What is in it, in this order: the segments up to that moment, the last one
 * cut behind its last whole frame or batch; the hidden ranges; the index file,
 * if it is believed and speaks of nothing later. No lock, no marker, nothing
 * of .batfs.
 *
 * Calling sequence: bat_take_pin (bat.h), any of the below, bat_pin_release.
 * Invariant: all but the checksums stands from the start and never changes.
 * Threads: any; a checksum is computed under the pin's mutex, once.
 */
#ifndef BAT_PIN_H
#define BAT_PIN_H

#include <stdatomic.h>

#include <pthread.h>

#include "bytes.h"
#include "error.h"
#include "id.h"

struct bat_recovery;
struct bat_segment_dir;

#define BAT_PIN_SHA256_SIZE 32
#define BAT_PIN_NAME_SIZE 40 /* enough for any name and its NUL */

enum bat_pin_kind {
	BAT_PIN_SEGMENT,
	BAT_PIN_HIDDEN,
	BAT_PIN_CHECKPOINT,
	BAT_PIN_ROWINDEX,
};

struct bat_pin_file {
	enum bat_pin_kind kind;
	uint64_t segment; /* of a BAT_PIN_SEGMENT, else 0 */
	char name[BAT_PIN_NAME_SIZE];
	uint64_t size;
	/* Of an index file: how far it speaks. */
	uint64_t watermark_segment, watermark_offset;
	int64_t mtime_ns;
	/* Its rows, as ordinals of the pin's generation; filled by the owner. */
	uint32_t first_row, end_row;
	/* Private. */
	uint64_t inode;
	int fd;
	bool hashed;
	uint8_t sha256[BAT_PIN_SHA256_SIZE];
};

/* How far the disk holds all that is visible: frames of `segment` up to
 * `offset`, and the first `ordinals` rows. segment 0: no segment. */
struct bat_pin_point {
	uint64_t segment, offset;
	uint32_t ordinals;
};

/* The index file that stands and is believed. changes counts its replacements,
 * so that who opened it by name can tell whether it is the one. */
struct bat_pin_index {
	bool there, rowindex;
	uint64_t segment, offset; /* its watermark */
	unsigned changes;
};

struct bat_pin {
	struct bat_pin_point end;
	/* Visible events in it, hidden ones; the last visible one. */
	uint64_t visible_count, hidden_count;
	uint64_t last_seq, last_wall_ms;
	struct bat_id last_id;
	struct bat_pin_file *files;
	size_t count;
	/* Private. */
	uint64_t generation; /* of the store */
	uint64_t merges;     /* of its index */
	struct bat_segment_dir *dir;
	atomic_uint holders;
	pthread_mutex_t mutex; /* of the checksums */
};

/* What a file of this kind is called, and the other way round (strictly). */
void bat_pin_name(enum bat_pin_kind kind, uint64_t segment,
    char out[BAT_PIN_NAME_SIZE]);
bool bat_pin_of_name(struct bat_slice name, enum bat_pin_kind *out_kind,
    uint64_t *out_segment);

/* The end of what recovery found, torn tails left out. */
struct bat_pin_point bat_pin_end(const struct bat_segment_dir *dir,
    const struct bat_recovery *recovery);
/* The index file that recovery believes, if it stays. */
struct bat_pin_index bat_pin_index_of(const struct bat_recovery *recovery);
/*
 * Open what belongs to a pin of that end; the counts are the caller's.
 * previous: a pin of before, whose checksums still hold for files that did not
 * change since; or NULL. index->there false: no index file. BAT_WORLD_ABSENT: a
 * segment went away meanwhile (a compaction); BAT_WORLD_*.
 */
int bat_pin_make(struct bat_segment_dir *dir,
    const struct bat_recovery *recovery, const struct bat_pin_point *end,
    const struct bat_pin_index *index, struct bat_pin *previous,
    struct bat_pin **out, struct bat_error *error);
/* Leave out the index file: it was replaced while it was opened. */
void bat_pin_drop_index(struct bat_pin *pin);

void bat_pin_hold(struct bat_pin *pin);
/* NULL: nothing is done. */
void bat_pin_release(struct bat_pin *pin);
/* Is it held by somebody else besides the caller? */
bool bat_pin_is_shared(const struct bat_pin *pin);

/* Bytes of a file from offset, onto buf; fewer only at its end. A file that
 * somebody cut since is BAT_DATA_CORRUPT. */
int bat_pin_read(const struct bat_pin *pin, size_t file, uint64_t offset,
    size_t size, struct bat_buf *buf, struct bat_error *error);
/* The SHA-256 of a file; the first time it is read from end to end. */
int bat_pin_sha256(struct bat_pin *pin, size_t file,
    uint8_t out[BAT_PIN_SHA256_SIZE], struct bat_error *error);
/* The same of bytes. */
void bat_pin_sha256_of(struct bat_slice bytes,
    uint8_t out[BAT_PIN_SHA256_SIZE]);

#endif
