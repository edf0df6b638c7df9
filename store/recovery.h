/*
 * From a directory to a ready index: pick what to believe, read the rest, and
 * decide (without doing it) what must be cut before anything is appended.
 *
 * The happy path: scan the directory; believe index.fbati or index.ckpt
 * (DESIGN.md, "Opening": (a) structure, (b) segments, (c) rows and gaps tile
 * the frames, (d) sampled frames equal their rows); read what lies behind the
 * watermark; number; fill the index; read the hidden ranges.
 *
 * The failures: an index that does not hold is dropped and said, the next
 * source is taken. A torn tail becomes a cut in the plan. Damage below what
 * was durable is named: `refuse` is set, and a writable open fails with it;
 * a read-only one shows what is sound.
 *
 * Recovery never writes. The writer carries out the plan at the first append.
 * Threads: one.
 */
#ifndef BAT_RECOVERY_H
#define BAT_RECOVERY_H

#include "index.h"
#include "rowindex.h"
#include "segment_dir.h"
#include "segment_reader.h"
#include "sidecar.h"

enum bat_recovery_source {
	BAT_RECOVERY_NEW,
	BAT_RECOVERY_ROWINDEX,
	BAT_RECOVERY_CHECKPOINT,
	BAT_RECOVERY_FOOTERS,
	BAT_RECOVERY_FRAMES,
};

/* Bytes [offset, size) of a segment go, after a copy was put aside. offset 0:
 * the whole file goes (shorter than its header). */
struct bat_recovery_cut {
	uint64_t segment;
	uint64_t offset;
	uint64_t size;
	const char *reason; /* static */
};

/* How far the frames were read. */
struct bat_recovery_place {
	uint64_t segment; /* 0: there is none */
	uint64_t offset; /* of the next frame; 0: its header is not there yet */
	bool sealed;	 /* its footer holds: nothing comes any more */
};

struct bat_recovery {
	enum bat_recovery_source source;
	uint16_t source_version;
	/* The first rows are those of the sidecar, which was made from it. */
	bool from_sidecar;
	uint64_t restored_count, tail_count;
	/* A row of these files was not its frame's: who reads on, or anew,
	 * compares every row that they tell, or a sample would believe them
	 * again. */
	bool doubted;
	/* What the next event gets. */
	uint64_t next_seq;
	uint64_t highest_segment; /* 0: none */
	struct bat_recovery_place end;
	struct bat_recovery_cut *cuts;
	size_t cut_count;
	/* Index files to unlink before anything is appended. */
	bool drop_rowindex, drop_checkpoint;
	/* The index file that was believed and stays right; watermark. */
	bool has_index;
	uint64_t watermark_segment, watermark_offset;
	uint64_t uncovered_count; /* rows behind the watermark */
	/* Some row behind the watermark carries extensions (H5); some may: it
	 * came from a footer, which does not tell. */
	bool uncovered_extensions, uncovered_unknown;
	uint32_t unknown_from; /* no row before this ordinal is such a one */
	/* Carried on into the next index file; own memory. */
	struct bat_checkpoint_fallbacks fallbacks;
	struct bat_buf fallbacks_bytes;
	/*
	 * compaction.pending.json is there and goes at the first append.
	 * heal_rename: <heal_segment>.fbat.compact-src becomes that segment's
	 * file again (a merge that was never finished goes); heal_unlink: it
	 * goes; heal_drop: the sources that a finished merge replaced go.
	 */
	bool heal_marker, heal_rename, heal_unlink;
	uint64_t heal_segment;
	uint64_t *heal_drop;
	size_t heal_drop_count;
	/*
	 * Of a compaction of ours that was cut off, it may be by a sync that
	 * failed: what is seen need not be on the disk. heal_settle: that
	 * heal_segment has its name; heal_gone: that these names are gone.
	 */
	bool heal_settle;
	uint64_t *heal_gone;
	size_t heal_gone_count;
	/*
	 * Hidden ranges reach numbers that no event has: those that were hidden
	 * never got to the disk. They are clipped before anything is appended,
	 * or what comes next would be hidden.
	 */
	bool clip_hidden;
	uint64_t damaged_count;
	/* A writable open must be refused with this. */
	bool refuse;
	struct bat_error refusal;
	struct bat_buf report; /* lines, each ends with \n */
};

/* What recovery may do. */
struct bat_recovery_options {
	bool ignore_indexes; /* rebuild after a row and its frame disagreed */
	bool ignore_sidecar;
	bool read_only;
	bool plain; /* take no fast way: for tests that compare */
};

/*
 * Read everything. index is initialised and empty; on failure the caller frees
 * both. Returns 0 (also when refuse is set), BAT_DATA_REFUSED, BAT_DATA_FUTURE,
 * BAT_DATA_CORRUPT (hidden ranges that do not hold), BAT_WORLD_*.
 */
int bat_recovery_run(struct bat_segment_dir *dir,
    const struct bat_recovery_options *options, struct bat_index *index,
    struct bat_recovery *out, struct bat_error *error);
void bat_recovery_free(struct bat_recovery *recovery);

/*
 * Reading on from a place, for who follows a writer that is at work.
 *
 * What the highest segment does not have whole yet is no damage: reading ends
 * there. Rows of a batch come with its COMMIT or not at all.
 */
struct bat_recovery_tail {
	struct bat_recovery_place from;
	/* Numbers begin here: of the segment's first row, and of the first one
	 * behind the place. */
	uint64_t segment_seq, next_seq;
	uint32_t row_limit; /* end at the first good place behind so many */
	bool doubted;	    /* as in struct bat_recovery */
	/* Filled: the segment of the place has got a footer, so its rows were
	 * read from its first one on, with the numbers that it tells; there is
	 * more to be read. */
	bool whole, more;
};

/*
 * dir is scanned; index is initialised and empty, and gets the rows; out gets
 * the report, the damage and the end. The caller frees both. Returns 0 or
 * BAT_WORLD_*.
 */
int bat_recovery_read_on(struct bat_segment_dir *dir,
    struct bat_recovery_tail *tail, struct bat_index *index,
    struct bat_recovery *out, struct bat_error *error);
/*
 * Does an event, as its frame holds it, equal its row? Kinds after the mapping
 * of FORMAT.md 5.3; what the row keeps as a fingerprint by that; extensions
 * are not compared (the frame's win).
 */
bool bat_recovery_agrees(const struct bat_event *event,
    const struct bat_index_hot *row, struct bat_slice entity,
    struct bat_slice scope);
/*
 * What an index file says of itself, as far as it can be read (version 0: not
 * that far), and whether a mount would believe it; dir is scanned. For who
 * looks on. 0; BAT_WORLD_NO_MEMORY, BAT_WORLD_IO.
 */
struct bat_recovery_claim {
	bool believed;
	struct bat_error why; /* not */
	uint16_t version;
	uint64_t rows, next_seq;
	uint64_t watermark_segment, watermark_offset;
};
int bat_recovery_judge_index(struct bat_segment_dir *dir, bool rowindex,
    struct bat_recovery_claim *out, struct bat_error *error);
/*
 * What an index file or a footer says of the event at row->segment and
 * row->offset: fills corr, cause, prev, hash, lane and depth. For damaged
 * frames only: it reads whole files. 0; BAT_STATE_NOT_FOUND; BAT_WORLD_*.
 * Threads: any.
 */
int bat_recovery_find_row(struct bat_segment_dir *dir, struct bat_row *row);

#endif
