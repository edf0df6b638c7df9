/* What the parts of store_attest share. Not for others. */
#ifndef BAT_STORE_ATTEST_H
#define BAT_STORE_ATTEST_H

#include "store_internal.h"

#define ATTEST_ROWS 64

struct attest_check {
	struct bat_store *store;
	struct bat_attest_result *out;
	const struct bat_attest_sink *sink;
	bool told_enough;
	bool events_differ;   /* not only the log */
	struct bat_tlog tlog; /* attached, and loaded if it is sound */
	uint64_t own_size;    /* of the log; 0: it is not sound */
	bool unreadable;      /* the disk failed: nothing is known for sure */
	struct bat_note_checkpoint against;
	struct bat_buf frame;
	/* Rows of the store, one after the other. */
	struct bat_row rows[ATTEST_ROWS];
	size_t row_count, row_at;
	uint64_t next_seq; /* behind those */
};

/* Count it, and tell it: of a sequence, or of the log as a whole. */
void bat_store_attest_fault(struct attest_check *check, bool has_seq,
    uint64_t seq, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Did memory or the disk fail (code)? Then it is no fault, and nothing is known
 * for sure. */
bool bat_store_attest_unreadable(struct attest_check *check, int code);

/* The store's rows from seq on; the one at hand, NULL: there are no more.
 * check->row_at++ goes to the next one. */
void bat_store_attest_seek(struct attest_check *check, uint64_t seq);
const struct bat_row *bat_store_attest_row(struct attest_check *check);

/* The tree that is made here: emptied, a record more, is it the signed one? */
void bat_store_attest_empty(struct attest_check *check);
int bat_store_attest_hash(struct attest_check *check, const uint8_t *record);
bool bat_store_attest_gives_root(struct attest_check *check);

/* Are the log's records those that were signed? */
bool bat_store_attest_records_signed(struct attest_check *check);
/* Each of these against the store. */
void bat_store_attest_compare(struct attest_check *check);

#endif
