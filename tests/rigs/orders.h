/*
 * What block_disk is told on its standard input, a line each. Every order is
 * answered with a line: "ok ..." or "no: why".
 *
 *	entries			a letter for each: w write, f flush, n note
 *	notes			how many, then a line each: its position, text
 *	cut POSITION KIND SEED	show this state; KIND: none all prefix subset
 *				torn sectors (write_log.h). Answers what
 *				struct rig_cut_told has
 *	push, pop		begin a life with what is shown; go back
 *	reset			as at first, and forget the log
 *	fail write|flush|drop AFTER COUNT
 *	mend			no more failing; answers how often it did
 *	save IMAGE LOG		this life: what was there at first, and the log
 *	load LOG		go on as if that had happened
 *	show IMAGE		what is shown, to a file
 */
#ifndef RIGS_ORDERS_H
#define RIGS_ORDERS_H

#include "disk.h"

/* Answers on standard output. */
void rig_orders_obey(struct rig_disk *disk, const char *order);

#endif
