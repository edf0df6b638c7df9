/*
 * Gates that are programs (-o gates=DIR; GATES.md): each executable in a
 * directory is a co-process that reads a line for each proposal and answers it
 * with one. To the store they are callbacks (gate.h).
 *
 * The daemon is sandboxed (sandbox.h) and can start nothing, so they are started
 * before that, by a small process of their own, the keeper, which is also their
 * parent: it ends them with the daemon, however that ends, and leaves no zombie.
 * It is forked before the store is opened, so that neither it nor a gate holds
 * lock or store, and closes whatever it inherited; a gate has 0, 1 and 2.
 *
 * A gate that dies, hangs past the limit, or answers anything but one line that
 * is an answer is defective: it is killed, and every proposal from then on is
 * denied with GATE_DEFECT until the next mount.
 *
 * Calling sequence:
 *	batfs_gates_start  before any thread, lock or store
 *	batfs_gates_list   for bat_open; proposals' `about` is NULL or a
 *			   struct batfs_stamp_writer
 *	batfs_gates_stop   after bat_close; NULL: nothing is done
 *
 * Threads: gates are asked on any thread, each of them one thing at a time.
 * start ignores SIGPIPE for the process: a gate that dies is no reason to.
 */
#ifndef BATFS_GATES_H
#define BATFS_GATES_H

#include "bat.h"

#define BATFS_GATES_MAX 64
/* An answer that is longer is none. */
#define BATFS_GATES_ANSWER_MAX (64u << 10)

struct batfs_gates;

struct batfs_gates_options {
	const char *dir;
	unsigned limit_s; /* for one answer, from when it was asked */
	bool quiet;	  /* what gates say on stderr is for nobody */
};

/*
 * All of them run when this returns 0. BAT_USE_INVALID: there is no such
 * directory, nothing to start in it, or somebody else could change what is
 * started; BAT_WORLD_*: what could not be started, in error.
 */
int batfs_gates_start(const struct batfs_gates_options *options,
    struct batfs_gates **out, struct bat_error *error);
/* NULL: none. Valid until stop. */
struct bat_gates batfs_gates_list(const struct batfs_gates *gates);
/* They have a second to end by themselves. */
void batfs_gates_stop(struct batfs_gates *gates);

#endif
