/*
 * What lies in a data directory, file by file, and what is wrong with it: for
 * people who stand before one that does not open. Nothing is opened as a store,
 * locked or written; whatever is broken is named and the rest goes on.
 *
 * Each line has a key and a value (FORMAT.md: what the files are):
 *
 *	lock present|absent		store yes|no
 *	segment.000001.size 4711	bytes; also for each segment:
 *		.header ok		or what is wrong with it
 *		.frames .events .batches .dropped
 *		.footer none|ok|wrong|foreign	and why
 *		.hole.<offset>, .tail.<offset>	length, and what stands there
 *		.ahead.<offset>		space laid ahead of the frames
 *		.unfinished <offset>	of a batch
 *	index.fbati.version 5		also rows, next_seq, watermark,
 *		.believed yes|no	and why not
 *	hidden.ranges, marker, compact_src, sidecar.believed
 *	other.<name>			what is none of these
 *	batfs.<path> 123		what lies in .batfs
 *	writable yes|no			and why a mount would refuse to write
 *	torn 0				tails that the first append cuts off
 *	damage 0			places that are wrong
 *
 * Beside a writer, what it is appending shows as a torn tail. Threads: any, no
 * state.
 */
#ifndef BAT_INSPECT_H
#define BAT_INSPECT_H

#include "error.h"
#include "file.h"

/* Texts are valid during the call; UTF-8 or not, they hold no control
 * characters. A non-zero answer ends the work and is handed back. */
struct bat_inspect_sink {
	void *context;
	int (*line)(void *context, const char *key, const char *value);
};

/*
 * 0: nothing is wrong; BAT_DATA_CORRUPT: something is, *error names the first;
 * BAT_WORLD_* when the directory cannot be read at all, or memory is out; or
 * what the sink answered.
 */
int bat_inspect(const struct bat_disk *disk, const char *path,
    const struct bat_inspect_sink *sink, struct bat_error *error);

#endif
