/*
 * The second opinion: reads a data directory from the first byte to the last,
 * believes nothing, changes nothing. It shares the byte decoders with the rest
 * and nothing else: no index, no recovery, no writer.
 *
 * What is proved when there is no broken finding:
 * - every segment is under its own number, and its frames, whole and decodable,
 *   tile the space between its header and its footer (or its end);
 * - every event has a legal coordinate, an id, a possible time, and a payload
 *   of the stated size whose BLAKE3 is both of its hashes;
 * - batches are BEGIN, as many items as it says, COMMIT;
 * - per entity, each event names the hash of an event before it and counts on
 *   from there, or starts at zero (a second start is counted as a restart);
 * - footers and index files say of each event what its frame says, leave none
 *   out and add none, and their sequence numbers rise.
 *
 * Space that a writer laid ahead of its frames (runway.h), in the highest
 * segment, is neither broken nor noted.
 *
 * Not broken but noted: a torn tail or an unfinished batch at the end of the
 * highest segment, where a crash leaves them; and what batpak itself leaves
 * behind (see the codes). Neither header nor footer of a segment has a
 * checksum: created_ns is free, and in a store without an index file the
 * sequence numbers of footers are, as long as they rise.
 *
 * Where nothing is to be told, a segment is read by two threads and nothing is
 * kept but 16 bytes an event (verify_swift.h); else it is read again, plainly,
 * and that takes about 80 bytes an event, 240 for each row of an index file,
 * one segment's footer and one batch. No lock is taken: beside a writer, what
 * it is appending shows as a torn tail. Threads: any, no state; its own are
 * gone when it returns.
 */
#ifndef BAT_VERIFY_H
#define BAT_VERIFY_H

#include "error.h"
#include "file.h"

enum bat_verify_code {
	/* The directory. */
	BAT_VERIFY_NAME,    /* noted: looks like a segment and is none */
	BAT_VERIFY_PENDING, /* noted: a compaction was not finished */
	BAT_VERIFY_HIDDEN,  /* broken: visibility_ranges.fbv does not decode */

	/* A segment as a whole. */
	BAT_VERIFY_SHORT,  /* ends in its header; noted in the highest one */
	BAT_VERIFY_HEADER, /* broken: not FBAT, not a map, version not 1 */
	BAT_VERIFY_NUMBER, /* broken: the header says another id than the name */
	BAT_VERIFY_FLAGS,  /* noted: flags that nobody sets */

	/* Frames. */
	BAT_VERIFY_TORN,  /* noted: the end of the highest segment */
	BAT_VERIFY_FRAME, /* broken: not whole elsewhere, or below a watermark */
	BAT_VERIFY_DECODE, /* broken: CRC holds, and it is no event */
	BAT_VERIFY_BATCH,  /* broken: markers and items do not fit together */
	BAT_VERIFY_UNFINISHED, /* BEGIN without COMMIT; noted as for TORN */
	BAT_VERIFY_ABORTED,    /* noted: COMMIT with items missing, or alone */

	/* Events. */
	BAT_VERIFY_COORDINATE, /* broken */
	BAT_VERIFY_ID,	       /* broken: zero */
	BAT_VERIFY_TIME,      /* broken: before 1970 or beyond batpak's limit */
	BAT_VERIFY_PAYLOAD,   /* broken: size or hash */
	BAT_VERIFY_REENCODED, /* noted: a compaction rewrote the payload, so it
				* no longer has its hash; once a segment */
	BAT_VERIFY_CHAIN,     /* broken: no such previous event, or a clock that
				* does not follow it */
	BAT_VERIFY_PARENT,    /* noted: the same behind a compaction, which may
				* have dropped it */

	/* Footers. */
	BAT_VERIFY_FOOTER,   /* broken: does not hold or does not decode */
	BAT_VERIFY_ROW,	     /* broken: a row differs from its frame, has none,
			      * or an event has no row */
	BAT_VERIFY_SEQUENCE, /* numbers do not rise, or differ between footer
			      * and index; noted behind a segment without a
			      * footer, where batpak numbers anew */

	/* Index files. */
	BAT_VERIFY_INDEX,	/* broken: does not decode, or beyond the log */
	BAT_VERIFY_INDEX_OTHER, /* noted: a version that nobody reads */
	BAT_VERIFY_INDEX_ROW,	/* broken: as ROW */
	BAT_VERIFY_INDEX_TWIN,	/* noted: it has one of two events of one id */
	BAT_VERIFY_INDEX_NO_EXT, /* noted: it lost an event's extensions */
	BAT_VERIFY_CODE_COUNT,
};

enum bat_verify_severity { BAT_VERIFY_NOTED, BAT_VERIFY_BROKEN };

/* segment and offset are 0 where there is no such place; text is valid during
 * the call. */
struct bat_verify_finding {
	enum bat_verify_code code;
	enum bat_verify_severity severity;
	uint64_t segment, offset;
	const char *text;
};

/* A non-zero answer ends the work and is handed back. */
struct bat_verify_sink {
	void *context;
	int (*finding)(void *context, const struct bat_verify_finding *finding);
};

struct bat_verify_counts {
	uint64_t segments, frames; /* read; frames: whole and decodable */
	uint64_t events;	   /* that count: not of unfinished batches */
	uint64_t dropped;	   /* those of unfinished and aborted batches */
	uint64_t batches;	   /* complete ones */
	uint64_t payloads;	   /* whose size and hashes were proved */
	uint64_t reencoded;	   /* payloads that a compaction rewrote */
	uint64_t chains;	   /* entities */
	uint64_t restarts;	   /* of a chain, from zero */
	uint64_t passed_over; /* events that continue an older event than the
			       * entity's last: hidden ones are passed over */
	uint64_t twins;	      /* events whose id an earlier one has */
	uint64_t footers, footer_rows, index_files, index_rows; /* compared */
	uint64_t hidden_ranges;
	uint64_t noted, broken; /* findings */
};

/*
 * Verify the data directory at path. sink may be NULL.
 *
 * Returns 0 when nothing is broken; BAT_DATA_CORRUPT when something is, with
 * the first such finding in *error; BAT_WORLD_*, BAT_DATA_REFUSED when it
 * could not be read; or what the sink answered. *out_counts is filled in all
 * cases, with what was done until then.
 */
int bat_verify_directory(const struct bat_disk *disk, const char *path,
    const struct bat_verify_sink *sink, struct bat_verify_counts *out_counts,
    struct bat_error *error);

/*
 * The same, with a say in how it is done: for tests, which hold the ways
 * together. plain: no swift way, see verify_swift.h; split_bytes: two threads
 * read a segment that has twice as much.
 */
struct bat_verify_how {
	bool plain;
	uint64_t split_bytes;
};
int bat_verify_directory_as(const struct bat_verify_how *how,
    const struct bat_disk *disk, const char *path,
    const struct bat_verify_sink *sink, struct bat_verify_counts *out_counts,
    struct bat_error *error);

/* A short name, e.g. "torn"; never NULL. */
const char *bat_verify_code_name(enum bat_verify_code code);

#endif
