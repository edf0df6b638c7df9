/*
 * A directory that a mount will not write to, made one that batfs and batpak
 * open, with everything that is provable in it.
 *
 * Every segment is surveyed (survey.h). What is no sound frame is cut out, and
 * so are the markers of a batch with a hole: its other items stay, each proved
 * by itself. A header that does not hold is written anew, a footer that does
 * not hold or that is needed to keep sequence numbers too. A segment without
 * anything sound goes; one that is a second copy of another, or whose events
 * are all in another, goes; one under another's number gets its name back.
 * Index files that do not hold go, and all of them before any segment changes.
 * A left-over compaction is carried through. Events keep their numbers, as
 * index files and footers tell them, and where nobody tells, those that a
 * read-only mount showed.
 *
 * Before anything is taken away its bytes are in .batfs/cut/, on disk
 * (aside.h). A segment is replaced at once: a whole new file, synced, takes its
 * name. So a crash at any place leaves a directory that a second repair brings
 * to the same end; and a repair of what is whole does nothing.
 *
 * Where the disk does not give all of a segment, nothing is changed.
 *
 * What it cannot decide it leaves, and says what to do: hidden ranges that do
 * not hold (without them withdrawn events come back), segments of another
 * version, segments that are no regular files, and the source of a merge beside
 * a segment of its name.
 *
 * Threads: one; with carry_out the lock of the directory is held.
 */
#ifndef BAT_REPAIR_H
#define BAT_REPAIR_H

#include "error.h"
#include "file.h"

enum bat_repair_kind {
	BAT_REPAIR_CUT,	   /* bytes of a segment go */
	BAT_REPAIR_HEADER, /* a segment gets a new header */
	BAT_REPAIR_FOOTER, /* a segment gets a new footer */
	BAT_REPAIR_REMOVE, /* a segment file goes */
	BAT_REPAIR_RENAME, /* a segment file gets its name back */
	BAT_REPAIR_INDEX,  /* an index file goes */
	BAT_REPAIR_MARKER, /* a left-over compaction */
	BAT_REPAIR_LEFT,   /* not repaired: the text says what to do */
};

/* segment, offset and length are 0 where there is no such place; text is valid
 * during the call, UTF-8 without control characters. */
struct bat_repair_act {
	enum bat_repair_kind kind;
	uint64_t segment, offset, length;
	const char *text;
};

/* A non-zero answer ends the work and is handed back. */
struct bat_repair_sink {
	void *context;
	int (*act)(void *context, const struct bat_repair_act *act);
};

struct bat_repair_counts {
	uint64_t acts, left; /* left are not counted as acts */
	uint64_t events;     /* that are there, or will be */
	uint64_t cut_bytes;
};

/*
 * Say what is to be done; carry_out: and do it. All is said before the first
 * byte changes, but for what a left-over compaction had hidden.
 *
 * Returns 0, with counts->left telling whether it is whole now; BAT_WORLD_*
 * (LOCKED: somebody holds it), BAT_STATE_STOPPED; BAT_STATE_NOT_FOUND: it
 * holds no store; or what the sink answered.
 */
int bat_repair(const struct bat_disk *disk, const char *path, bool carry_out,
    const struct bat_repair_sink *sink, struct bat_repair_counts *out_counts,
    struct bat_error *error);

/* A short name, e.g. "cut"; never NULL. */
const char *bat_repair_kind_name(enum bat_repair_kind kind);

/*
 * The same without touching what is damaged: everything that is provable in the
 * directory source goes into the directory destination, which is absent or
 * empty before. source is only read; no lock is taken. Segments keep their
 * numbers, events theirs and their bytes; hidden ranges come along, index files
 * do not (any can be made from the footers that are written). Also what another
 * version of the store wrote is tried.
 *
 * What the disk does not give is read around, block by block: the events that
 * such a block touches are lost, and no others. Each gap is named: bytes that
 * were left out, and events that an index file names and nobody has (segment,
 * no offset; length 0).
 */
struct bat_salvage_gap {
	uint64_t segment, offset, length;
	uint64_t events;    /* known to be lost; 0: nobody knows */
	const char *reason; /* valid during the call */
};
struct bat_salvage_sink {
	void *context;
	int (*gap)(void *context, const struct bat_salvage_gap *gap);
};
struct bat_salvage_counts {
	uint64_t segments, events, gaps, gap_bytes;
};

/*
 * Returns 0, also when there are gaps; BAT_DATA_REFUSED (destination holds
 * something); BAT_STATE_NOT_FOUND (source holds no segment); BAT_WORLD_*,
 * BAT_STATE_STOPPED; or what the sink answered. After a failure what was
 * written until then is in destination.
 */
int bat_repair_salvage(const struct bat_disk *disk, const char *source,
    const char *destination, const struct bat_salvage_sink *sink,
    struct bat_salvage_counts *out_counts, struct bat_error *error);

#endif
