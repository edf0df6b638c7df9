/*
 * Written bytes to drafts: the mirror of render. Pure: knows no FUSE and no
 * thread; what it must know of the store it asks through a resolver.
 *
 * One intake belongs to one open handle. It keeps the unterminated tail
 * between writes.
 *
 * Calling sequence of a write:
 *	batfs_intake_feed(intake, bytes)       splits and parses
 *	  -> intake->drafts[0 .. draft_count)  the good lines, ready to commit
 *	(commit them as one batch)
 *	batfs_intake_settle(intake, committed, ...)  how many bytes to reply
 * A flush or release: batfs_intake_finish instead of feed, then settle.
 *
 * Rules (LINE.md 4, 5; DESIGN.md, "Appending"): newline ends a record; blank
 * lines are nothing (spaces, tabs, \r only); NUL is EINVAL; a pending tail
 * above the cap poisons the handle (EFBIG until closed). A bad line is gone
 * whole, also what came of it in earlier writes; the lines before it stand.
 *
 * Threads: the handle's owner locks.
 */
#ifndef BATFS_INTAKE_H
#define BATFS_INTAKE_H

#include "bat.h"

/* Words that the place fixes: file name, directory or mount options. */
struct batfs_intake_place {
	/* Stored names; scope empty: not fixed by the place. */
	struct bat_slice entity, scope;
	/* -o scope=, used when neither place nor line says one; may be empty */
	struct bat_slice default_scope;
	uint16_t default_kind;
	/* The comma words of the file's name ("kind=f.001,cause=last"), or
	 * empty; as if they stood in front of each line. */
	struct bat_slice words;
	bool text; /* -o text: the whole line is a string payload */
};

struct batfs_intake_resolver {
	void *context;
	/* The one scope in which the entity has events. 0, or
	 * BAT_USE_INVALID when it has none or several. The slice stays valid. */
	int (*only_scope)(void *context, struct bat_slice entity,
	    struct bat_slice *out_scope);
	/* -o kinds= aliases; false: unknown. May be NULL. */
	bool (*kind_alias)(void *context, struct bat_slice name,
	    uint16_t *out_kind);
};

/* Why a line was refused, for rejects.jsonl. */
struct batfs_intake_reject {
	bool any;
	int code; /* enum bat_code */
	struct bat_error error;
	size_t offset;	   /* of the line in everything written so far */
	uint8_t start[80]; /* its first bytes */
	size_t start_length;
};

struct batfs_intake; /* opaque */

int batfs_intake_new(const struct batfs_intake_place *place,
    const struct batfs_intake_resolver *resolver, struct batfs_intake **out);
void batfs_intake_free(struct batfs_intake *intake);

#define BATFS_INTAKE_WRITER_KEY "batfs.writer"

/*
 * Who writes from now on: each line that ends from here gets this text as the
 * extension batfs.writer, which lines themselves cannot say. Copied. 0 or
 * BAT_WORLD_NO_MEMORY (then it is as before).
 */
int batfs_intake_stamp(struct batfs_intake *intake, struct bat_slice writer);

/*
 * Take in the bytes of one WRITE. Parsing stops at the first bad line.
 * Returns 0 (look at drafts, then settle), BAT_WORLD_NO_MEMORY (nothing was
 * taken), BAT_USE_TOO_LARGE (poisoned before).
 */
int batfs_intake_feed(struct batfs_intake *intake, struct bat_slice bytes);
/* Treat the tail as a record. only_if_complete: leave it where it is when it
 * is not one whole good record (FLUSH); else it is gone with a reject. */
int batfs_intake_finish(struct batfs_intake *intake, bool only_if_complete);

/* The drafts of the last feed or finish; valid until settle. */
const struct bat_draft *batfs_intake_drafts(const struct batfs_intake *intake,
    size_t *out_count);
/*
 * The batch is done: `committed` drafts were, the next was refused by the
 * store with code (0: none was). receipts: of the committed ones (their ids
 * are what `cause=prev` names next).
 *
 * Returns how many bytes of the WRITE to answer (all of them when nothing was
 * refused); when that is 0 and something was refused, *out_code is why and the
 * caller answers an error. *reject (if .any) is to be recorded; each refused
 * line is reported once, also when its writer tries it again at once.
 */
size_t batfs_intake_settle(struct batfs_intake *intake, size_t committed,
    int code, const struct bat_error *error, const struct bat_receipt *receipts,
    int *out_code, struct batfs_intake_reject *reject);
/* Bytes of the unterminated tail. */
size_t batfs_intake_pending(const struct batfs_intake *intake);

#endif
