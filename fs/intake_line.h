/*
 * One line to one draft (LINE.md 4, 5).
 */
#ifndef BATFS_INTAKE_LINE_H
#define BATFS_INTAKE_LINE_H

#include "intake_content.h"
#include "intake_words.h"

/* What lines of a handle are read with. */
struct batfs_intake_reader {
	struct batfs_intake_place place; /* its slices are the intake's own */
	struct batfs_intake_resolver resolver;
	struct batfs_intake_words words; /* those of the file's name */
	struct batfs_intake_memory memory;
	struct batfs_intake_content *content;
	struct batfs_intake_memory name_memory; /* what words point into */
	struct bat_buf writer;	       /* who writes; empty: nobody is named */
	struct bat_buf strings, value; /* scratch */
	/* What `prev` means: the item before in this batch, else the event
	 * that the handle wrote last, else nothing. */
	bool has_prev;
	struct bat_id prev;
	/* The one scope of the place's entity, once asked in this feed. */
	struct bat_slice only_scope;
	/* The scope with which the place's entity was found good in this feed,
	 * when no line said it. */
	struct bat_slice good_scope;
};

/*
 * error must not be NULL. item: how many drafts of the batch stand before this
 * one. *out_number: for batfs_intake_content_take_back.
 *
 * Returns 0; BAT_END: the line is blank; BAT_USE_*, BAT_STATE_NOT_FOUND (prev
 * and nothing was written yet) with a sentence; BAT_WORLD_NO_MEMORY.
 */
int batfs_intake_line_read(struct batfs_intake_reader *reader,
    struct bat_slice line, size_t item, struct bat_draft *out,
    uint32_t *out_number, struct bat_error *error);

#endif
