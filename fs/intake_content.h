/*
 * key=content (LINE.md 5): an id made of what a line says and of how many
 * equal lines the handle wrote before it, so that the same file written again
 * gives the same ids and nothing twice.
 *
 * 28 bytes of memory for each different line of a handle. Threads: the
 * owner's.
 */
#ifndef BATFS_INTAKE_CONTENT_H
#define BATFS_INTAKE_CONTENT_H

#include "bat.h"

#define BATFS_INTAKE_CONTENT_NONE UINT32_MAX

struct batfs_intake_content;

int batfs_intake_content_new(struct batfs_intake_content **out);
void batfs_intake_content_free(struct batfs_intake_content *content);
/*
 * The key of a draft (entity, scope, kind, payload) onto draft->key; counts
 * it as written. *out_number is what takes that back. 0 or
 * BAT_WORLD_NO_MEMORY (then nothing is counted).
 */
int batfs_intake_content_key(struct batfs_intake_content *content,
    struct bat_draft *draft, uint32_t *out_number);
/* The newest line of this number was not written after all. */
void batfs_intake_content_take_back(struct batfs_intake_content *content,
    uint32_t number);

#endif
