/*
 * The transparency log beside a store: DATADIR/.batfs/tlog in the layout of
 * C2SP tlog-tiles (FORMAT.md 9.10). A record says of an event its sequence, its
 * id and the BLAKE3 of its whole frame; the log is the Merkle tree over all
 * records (merkle.h), and a checkpoint is its size and root, signed (note.h).
 *
 * This module knows files and records; who appends, and when, stands in
 * store_tlog.c.
 *
 * What holds at every moment, also after a crash:
 * (1) all that the checkpoint on disk speaks of is on disk: tiles and bundles
 *     are synced before it is replaced;
 * (2) a file that a checkpoint speaks of is never written again. What stands
 *     behind the checkpoint is nobody's and may be torn;
 * (3) so a later checkpoint always continues an earlier one.
 *
 * Calling sequence: bat_tlog_open (or bat_tlog_attach and bat_tlog_load), or
 * bat_tlog_create; bat_tlog_settle, bat_tlog_add ..., bat_tlog_publish;
 * bat_tlog_detach. After a failure of add or publish only detach; after
 * BAT_STATE_STOPPED, a sync that failed, nobody goes on but another process,
 * which finds what is on disk. Threads: one at a time, but bat_tlog_read_tile,
 * any.
 */
#ifndef BAT_TLOG_H
#define BAT_TLOG_H

#include "error.h"
#include "file.h"
#include "hash.h"
#include "id.h"
#include "merkle.h"
#include "note.h"

#define BAT_TLOG_RECORD_SIZE 56
#define BAT_TLOG_ENTRY_SIZE (2 + BAT_TLOG_RECORD_SIZE) /* in a bundle */
#define BAT_TLOG_WIDTH 256u
#define BAT_TLOG_LEVELS 8 /* of tiles: 256^8 records */

struct bat_tlog_record {
	uint64_t seq;
	struct bat_id id;
	struct bat_hash frame; /* BLAKE3 of length, CRC and body */
};

void bat_tlog_record_put(const struct bat_tlog_record *record,
    uint8_t out[BAT_TLOG_RECORD_SIZE]);
void bat_tlog_record_get(const uint8_t bytes[BAT_TLOG_RECORD_SIZE],
    struct bat_tlog_record *out);

/* A tile of hashes, or a bundle of entries; width 1 to 256. */
#define BAT_TLOG_ENTRIES BAT_TLOG_LEVELS /* as a level */
struct bat_tlog_tile {
	unsigned level;
	uint64_t index;
	unsigned width;
};
/* How many hashes (or entries) a tree of size has in all tiles of a level, and
 * how wide one of these is; 0: it is not there. */
uint64_t bat_tlog_count(unsigned level, uint64_t size);
unsigned bat_tlog_width(unsigned level, uint64_t index, uint64_t size);
/* Bytes of one hash or entry. */
size_t bat_tlog_unit(unsigned level);

struct bat_tlog {
	const struct bat_disk *disk;
	int dir; /* .batfs/tlog; -1: not attached */
	struct bat_note_key key;
	bool has_signer;
	struct bat_note_signer signer;
	uint64_t first_seq; /* events below it are none of the log's */
	/* Of the last record; when size > 0. */
	struct bat_tlog_record last;
	uint64_t size, published; /* records; those of the checkpoint */
	struct bat_buf checkpoint;
	struct bat_merkle_edge edge;
	/* The right edge, by level: what stands in tiles that are not full. */
	struct bat_buf rights[BAT_TLOG_LEVELS + 1];
	/* By level: the folders whose names are known to be on disk, as the
	 * index of a tile in them, more one; full, and partial ones. */
	uint64_t sure[BAT_TLOG_LEVELS + 1], sure_partial[BAT_TLOG_LEVELS + 1];
};

/* Not attached. */
void bat_tlog_init(struct bat_tlog *tlog);
/* Open the folder, below an open data directory. BAT_END: there is none. */
int bat_tlog_attach(struct bat_tlog *tlog, const struct bat_disk *disk,
    int data_dir, struct bat_error *error);
void bat_tlog_detach(struct bat_tlog *tlog);

/*
 * Read key, checkpoint and right edge, and hold them against each other. Also
 * the secret key, if it lies in the folder.
 * 0; BAT_END (no checkpoint: the log was never begun); BAT_DATA_CORRUPT;
 * BAT_WORLD_*.
 */
int bat_tlog_load(struct bat_tlog *tlog, struct bat_error *error);
/* Both; BAT_END also where there is no folder. */
int bat_tlog_open(struct bat_tlog *tlog, const struct bat_disk *disk,
    int data_dir, struct bat_error *error);
/*
 * Begin a log: events from first_seq on are its own. signer NULL: with a key
 * of its own in the folder, made if it is not there. The folder is made, too.
 * Afterwards it is loaded. BAT_DATA_CORRUPT: there was a log; BAT_USE_INVALID:
 * as bat_tlog_check_unused.
 */
int bat_tlog_create(struct bat_tlog *tlog, const struct bat_disk *disk,
    int data_dir, const struct bat_note_signer *signer, uint64_t first_seq,
    struct bat_error *error);
/* Is there what a log leaves behind, a checkpoint or tiles? Else nothing was
 * ever signed in this folder but, at most, that there is nothing. */
int bat_tlog_was_begun(const struct bat_tlog *tlog, bool *out,
    struct bat_error *error);
/* The folder of a log gets another name, tlog-<n>, the first that is free; no log
 * is there after this. out_name is empty if it has kept its name. */
#define BAT_TLOG_ASIDE_SIZE 16
int bat_tlog_put_aside(const struct bat_disk *disk, int data_dir,
    char out_name[BAT_TLOG_ASIDE_SIZE], struct bat_error *error);
/* BAT_USE_INVALID: a log that is there, or was put aside, is signed with this
 * key, and another one would have other trees of the same sizes. */
int bat_tlog_check_unused(const struct bat_disk *disk, int data_dir,
    const struct bat_note_key *key, struct bat_error *error);
/* BAT_USE_INVALID: it is not the key of this log. */
int bat_tlog_set_signer(struct bat_tlog *tlog,
    const struct bat_note_signer *signer, struct bat_error *error);
/* Who will add to it, and show what was loaded: is that on disk, too? Whoever
 * wrote it may have been killed before the last sync. What it had not renamed
 * yet is unlinked. */
int bat_tlog_settle(const struct bat_tlog *tlog, struct bat_error *error);
/* A fresh key with a name of its own. */
int bat_tlog_make_signer(const struct bat_disk *disk,
    struct bat_note_signer *out, struct bat_error *error);

/* seq above that of the last record. Nothing of it counts before publish. */
int bat_tlog_add(struct bat_tlog *tlog, const struct bat_tlog_record *record,
    struct bat_error *error);
/* Everything on disk, then the checkpoint; then partial tiles that have become
 * full go. Without records since the last one nothing is done. */
int bat_tlog_publish(struct bat_tlog *tlog, struct bat_error *error);

/*
 * The bytes of a tile onto buf, from whatever file has them in a log of size
 * records: the full one, or a partial one that is as wide or wider.
 * BAT_STATE_NOT_FOUND: the log is not that large; BAT_DATA_CORRUPT: the file
 * is short; BAT_WORLD_ABSENT.
 */
int bat_tlog_read_tile(const struct bat_tlog *tlog,
    const struct bat_tlog_tile *tile, uint64_t size, struct bat_buf *buf,
    struct bat_error *error);
/* A file that is no tile: "checkpoint", "vkey", "from". */
int bat_tlog_read_file(const struct bat_tlog *tlog, const char *name,
    struct bat_buf *buf, struct bat_error *error);
/* The number in "from". */
int bat_tlog_read_first_seq(const struct bat_tlog *tlog, uint64_t *out,
    struct bat_error *error);

/* Hashes out of the tiles of a log of size records, for proofs. */
struct bat_tlog_tiles {
	const struct bat_tlog *tlog;
	uint64_t size;
	struct bat_tlog_tile at; /* the tile in buf; width 0: none */
	struct bat_buf buf;
	struct bat_error *error;
};
struct bat_merkle_source bat_tlog_source(struct bat_tlog_tiles *tiles);

#endif
