/*
 * What the parts of verify share: verify.c (the directory, findings),
 * verify_segment.c (frames and batches), verify_event.c (chains),
 * verify_payload.c, verify_twins.c, and verify_claims.c and verify_compare.c
 * (rows of footers and index files). Nobody else includes it.
 */
#ifndef BAT_VERIFY_PARTS_H
#define BAT_VERIFY_PARTS_H

#include "intern.h"
#include "map.h"
#include "segment_reader.h"
#include "verify.h"

/* An event, as its frame or a row tells it; entity and scope are numbers of
 * state->names. extensions is a hash of the decoded map. */
struct bat_verify_record {
	struct bat_row row;
	uint32_t extension_count;
	bool has_extensions; /* false: the source does not say */
	struct bat_hash extensions;
};

/*
 * The rows that a footer or an index file claims to exist, sorted by place.
 * Events are held against them in log order, so one cursor is enough.
 */
struct bat_verify_claims {
	const char *name; /* of the file, or "footer" */
	bool is_index;
	struct bat_verify_record *rows;
	size_t count, capacity;
	size_t at; /* the first row that no event met yet */
	uint64_t last_seq;
	bool has_last_seq;
	/* Of index files. */
	uint64_t allocator, watermark_segment, watermark_offset;
	uint32_t *numbers;    /* while decoding: of state->names */
	struct bat_map by_id; /* made at the first event without a row */
	bool has_by_id;
};

/* What remains of each event: enough to find twins and parents. link is a
 * map's key, so it has no padding. */
struct bat_verify_link {
	uint32_t entity;
	uint32_t clock;
	struct bat_hash hash;
};
struct bat_verify_known {
	struct bat_id id;
	struct bat_verify_link link;
};

/* The entity's event that was met last. */
struct bat_verify_head {
	bool exists, restarted;
	struct bat_verify_link link;
};

/* A payload whose hash is still to come. */
struct bat_verify_payload {
	uint64_t offset;
	size_t length;
	uint32_t stated; /* its length, as the header says */
	struct bat_hash hash;
	bool is_value; /* not a byte vector: a compaction's work */
};

#define BAT_VERIFY_RECENT 256

struct bat_verify_state {
	const struct bat_verify_sink *sink;
	struct bat_verify_counts *counts;
	struct bat_error *error;
	struct bat_segment_dir dir;
	struct bat_intern names;
	struct bat_buf scratch; /* a payload or an extension */
	struct bat_hash_lanes lanes;
	struct bat_verify_payload kept[BAT_HASH_LANES]; /* those in lanes */

	struct bat_verify_known *known;
	size_t known_count, known_capacity;
	struct bat_map by_link; /* of the first linked_count of them */
	size_t linked_count;
	uint32_t recent[BAT_VERIFY_RECENT]; /* numbers of names, by text */
	struct bat_verify_head *heads;	    /* by number of names */
	size_t head_capacity;

	/* The batch that is open; it never leaves its segment. */
	bool in_batch;
	uint32_t remaining;
	struct bat_id batch_id;
	uint64_t batch_offset;
	struct bat_verify_record *staged;
	size_t staged_count, staged_capacity;

	struct bat_verify_claims footer; /* of this segment */
	bool has_footer;
	struct bat_verify_claims indexes[2];
	size_t index_count;

	uint64_t segment;
	bool is_highest;
	bool unfooted_before;	 /* some segment so far has no footer */
	bool compacted;		 /* some payload so far was rewritten */
	bool reencoded_reported; /* in this segment */
	bool has_hidden;
	bool footer_has_last_seq;
	uint64_t footer_last_seq;
};

/* Hand a finding on. 0 or what the sink answered. */
int bat_verify_report(struct bat_verify_state *state, enum bat_verify_code code,
    enum bat_verify_severity severity, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Every frame of a segment, its batches, and its footer. */
int bat_verify_segment(struct bat_verify_state *state, uint64_t id,
    bool is_highest);

/* An event for itself, whatever becomes of its batch. */
int bat_verify_event(struct bat_verify_state *state,
    const struct bat_event *event, uint64_t offset);
/* Its payload, or the start of that: what comes of its hash may be told later,
 * at the latest by bat_verify_finish_payloads. */
int bat_verify_payload_of(struct bat_verify_state *state,
    const struct bat_event *event, uint64_t offset);
int bat_verify_finish_payloads(struct bat_verify_state *state);
/* *out_record of an event. */
int bat_verify_record_of(struct bat_verify_state *state,
    const struct bat_segment_item *item, struct bat_verify_record *out_record);
/* An event that counts, in log order: its chain, its twins. */
int bat_verify_link(struct bat_verify_state *state,
    const struct bat_verify_record *record);

/* Those among all of them, into the counts. 0 or BAT_WORLD_NO_MEMORY. */
int bat_verify_count_twins(struct bat_verify_state *state);

/* Hash what a map str -> byte vector holds. 0, BAT_DATA_CORRUPT,
 * BAT_WORLD_NO_MEMORY. */
int bat_verify_hash_extensions(struct bat_verify_state *state,
    struct bat_slice map, uint32_t count, struct bat_hash *out_hash);

/* The rows of a segment's footer into state->footer. Findings of its own;
 * state->has_footer says whether there is something to compare with. */
int bat_verify_load_footer(struct bat_verify_state *state,
    struct bat_segment_reader *reader);
/* Both index files, where they are there, into state->indexes. */
int bat_verify_load_indexes(struct bat_verify_state *state);
/* Hold an event against the footer and the index files. */
int bat_verify_compare(struct bat_verify_state *state,
    const struct bat_verify_record *record);
/* What no event met. */
int bat_verify_finish_claims(struct bat_verify_state *state,
    struct bat_verify_claims *claims);
void bat_verify_free_claims(struct bat_verify_claims *claims);

#endif
