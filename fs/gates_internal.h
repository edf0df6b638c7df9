/*
 * Inside of gates. Nobody else includes this.
 *
 *	gates.c		what the daemon does: start, stop, list
 *	gates_folder.c	which programs there are, and whether to trust them
 *	gates_keeper.c	the process that has them for children
 *	gates_talk.c	one question and its answer, on time
 *	gates_line.c	what stands in both
 */
#ifndef BATFS_GATES_INTERNAL_H
#define BATFS_GATES_INTERNAL_H

#include "gates.h"

#include <pthread.h>
#include <sys/types.h>

struct gate {
	struct batfs_gates *all;
	char *path;
	const char *name; /* within path */
	/* Our ends of its stdin and stdout; -1: it is defective. */
	int to, from;
	/* Its own ends, until it has them. */
	int its_stdin, its_stdout;
	pthread_mutex_t mutex; /* guards what follows, to and from */
	struct bat_buf question, answer;
	char defect[256]; /* why; empty: it is not */
};

struct batfs_gates {
	struct gate gates[BATFS_GATES_MAX];
	struct bat_gate list[BATFS_GATES_MAX];
	size_t count;
	unsigned limit_s;
	int keeper; /* our end of the socket to it */
};

/* Paths and names, in the order of names. As batfs_gates_start. */
int batfs_gates_find(struct batfs_gates *gates, const char *dir,
    struct bat_error *error);

/* Start all; on success gates->keeper is open and nothing of a gate's own ends
 * is left here. */
int batfs_gates_keep(struct batfs_gates *gates, bool quiet,
    struct bat_error *error);
/* Kill one. Any thread. */
void batfs_gates_kill(const struct batfs_gates *gates, const struct gate *gate);
/* End all, and wait for it. */
void batfs_gates_release(struct batfs_gates *gates);

/* The callback of bat_gate, with a struct gate. */
int batfs_gates_ask(void *context, const struct bat_proposal *proposal,
    struct bat_denial *denial, struct bat_error *error);

/* A proposal as a line, newline included. 0 or BAT_WORLD_NO_MEMORY. */
int batfs_gates_question(const struct bat_proposal *proposal,
    struct bat_buf *buf);
/* What a line says, without its newline. 0: permit; BAT_STATE_DENIED;
 * BAT_USE_INVALID: it is no answer, error says why; BAT_WORLD_NO_MEMORY. */
int batfs_gates_answer(struct bat_slice line, struct bat_denial *denial,
    struct bat_error *error);

#endif
