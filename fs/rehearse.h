/*
 * What an append would say, without appending: the checks that the store's
 * writer makes of a batch, in its order, from what is visible now, and what its
 * gates say. Pure: nothing is stored, reserved or remembered.
 *
 * What only doing it can tell is left out: a full disk, and what others append
 * between this and the real thing.
 */
#ifndef BATFS_REHEARSE_H
#define BATFS_REHEARSE_H

#include "bat.h"

/*
 * Fills what bat_submit would before it calls done: committed, code, error,
 * receipts. An item that is no event has a made-up id in its receipt, which
 * later batches may name as their cause.
 */
void batfs_rehearse(struct bat_store *store, struct bat_batch *batch);

#endif
