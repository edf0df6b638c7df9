/*
 * What a store shows, as text: a line for each visible event, in order, with
 * every field that it has. Two ways of opening show the same if their pictures
 * are the same bytes. Also: the picture that expected.jsonl of a golden store
 * asks for.
 *
 * A damaged event has a line that starts with "damaged". Whatever fails here
 * aborts: it is the test's ground, not its subject.
 */
#ifndef TEST_PICTURE_H
#define TEST_PICTURE_H

#include "bat.h"

/* What may be left out. */
enum {
	PICTURE_WHOLE = 0,
	PICTURE_NO_SEQ = 1,
	PICTURE_NO_PLACE = 2, /* segment, offset, length */
	PICTURE_NO_FRAME = 4, /* what only the frame has: time, flags,
				 * payload */
	PICTURE_NO_EXTENSIONS = 8,
};

void picture_of(struct bat_store *store, unsigned leave_out,
    struct bat_buf *out);
void picture_expected(const char *path, unsigned leave_out,
    struct bat_buf *out);
/* The picture of the events [from, from + count) alone. */
void picture_of_some(struct bat_store *store, unsigned leave_out, uint32_t from,
    size_t count, struct bat_buf *out);
/* Is each line of part that tells of an event in whole, in their order? Lines
 * of damage do not count. */
bool picture_is_part(struct bat_slice part, struct bat_slice whole);
/*
 * Do all the lists and lookups of bat.h tell of the same events? Compares
 * each with a walk over all rows. NULL, or what is wrong (static).
 */
const char *picture_check_lists(struct bat_store *store);
/* Where two pictures differ, for a message (static; valid until the next
 * call); NULL when they are equal. */
const char *picture_difference(const struct bat_buf *a,
    const struct bat_buf *b);

#endif
