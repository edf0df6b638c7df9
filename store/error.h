/*
 * Error codes, and the object that says where and why.
 *
 * Every function of this project that can fail returns int: 0 done, negative
 * one of the codes below. Readers and cursors return 0 an item, 1 the end,
 * negative a code. The last parameter of functions that have something to say
 * is a struct bat_error, may be NULL; it is filled where the fault is seen.
 * Callers above may add a prefix (bat_error_prefix), never replace it.
 *
 * Threads: the object belongs to its caller; no function here has state.
 */
#ifndef BAT_ERROR_H
#define BAT_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "plant.h" /* for all: a bug can be planted anywhere */

/*
 * The family is part of the name: USE (the caller erred, nothing changed),
 * WORLD (the machine), DATA (bytes on disk), STATE (asked at a wrong moment or
 * for something that is not there).
 */
enum bat_code {
	BAT_OK = 0,
	BAT_END = 1,

	BAT_USE_INVALID = -2,	  /* malformed argument, word or value */
	BAT_USE_NAME_LENGTH = -3, /* entity or scope longer than 1024 bytes */
	BAT_USE_TOO_LARGE = -4,	  /* payload or batch above its cap */
	BAT_USE_RESERVED = -5,	  /* kind of category 0 or d */
	BAT_USE_READ_ONLY = -6,	  /* the store was opened read-only */

	BAT_WORLD_IO = -20,	   /* a system call failed; os_errno says how */
	BAT_WORLD_NO_SPACE = -21,  /* ENOSPC, EDQUOT, EFBIG: may go on later */
	BAT_WORLD_NO_MEMORY = -22, /* an allocation failed */
	BAT_WORLD_LOCKED = -23,	   /* another process holds the directory */
	BAT_WORLD_ABSENT = -24,	   /* ENOENT: no such file or directory */

	BAT_DATA_TORN = -40,	  /* an incomplete last write */
	BAT_DATA_CORRUPT = -41,	  /* anything else that does not check */
	BAT_DATA_FUTURE = -42,	  /* a version newer than this code */
	BAT_DATA_DISAGREES = -43, /* an index row and its frame differ */
	BAT_DATA_REFUSED = -44,	  /* the directory is not one that we open */

	BAT_STATE_NOT_FOUND = -60, /* no such event, entity or cause */
	BAT_STATE_EXISTS = -61,	   /* there already */
	BAT_STATE_STALE = -62,	   /* expected clock differs */
	BAT_STATE_STOPPED = -63,   /* the writer stopped after a failed sync */
	BAT_STATE_DENIED = -64,	   /* a policy or a gate said no */
	BAT_STATE_CLOSED = -65,	   /* the store is closing */
};

/* Text of at most 511 bytes, UTF-8; segment and offset are 0 where unknown. */
struct bat_error {
	int code;
	int os_errno;
	uint64_t segment;
	uint64_t offset;
	char text[512];
};

/* Short English name of a code, e.g. "no space"; never NULL. */
const char *bat_error_name(int code);

/*
 * Fill error (may be NULL) with code and a printf-style text; returns code,
 * so that `return bat_error_set(...)` is one statement.
 */
int bat_error_set(struct bat_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Same for a failed system call: os_errno (positive) decides the code
 * (ENOSPC, EDQUOT, EFBIG: NO_SPACE; ENOMEM: NO_MEMORY; ENOENT: ABSENT; else
 * IO) and its strerror text is appended.
 */
int bat_error_set_os(struct bat_error *error, int os_errno, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* Same as bat_error_set, with a place in a segment file. */
int bat_error_set_at(struct bat_error *error, int code, uint64_t segment,
    uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Put "text: " in front of what the error says. */
void bat_error_prefix(struct bat_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
