/* The log's records and the store's rows, one beside the other. */
#include <stdarg.h>
#include <stdio.h>

#include "store_attest.h"

__attribute__((format(printf, 4, 5))) void
bat_store_attest_fault(struct attest_check *check, bool has_seq, uint64_t seq,
    const char *format, ...)
{
	char text[512];
	va_list list;

	check->out->findings++;
	check->events_differ = check->events_differ || has_seq;
	if (check->sink == NULL || check->told_enough)
		return;
	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	check->told_enough = check->sink->finding(check->sink->context, has_seq,
				 seq, text) != 0;
}

/* ---- the store's rows ------------------------------------------------ */

void
bat_store_attest_seek(struct attest_check *check, uint64_t seq)
{
	check->row_count = check->row_at = 0;
	check->next_seq = seq;
}

/* The row at hand; NULL: there are no more. */
const struct bat_row *
bat_store_attest_row(struct attest_check *check)
{
	if (check->row_at == check->row_count) {
		check->row_count = bat_store_rows_from(check->store,
		    check->next_seq, UINT64_MAX, check->rows, ATTEST_ROWS);
		check->row_at = 0;
		if (check->row_count > 0)
			check->next_seq =
			    check->rows[check->row_count - 1].seq + 1;
	}
	return check->row_count == 0 ? NULL : &check->rows[check->row_at];
}

/* ---- the log's records ------------------------------------------------- */

typedef int record_fn(struct attest_check *check, const uint8_t *bytes);

static int
each_of_bundle(struct attest_check *check, const struct bat_buf *bundle,
    record_fn *each)
{
	int code = BAT_OK;

	for (size_t at = 0; code == BAT_OK && at < bundle->length;
	     at += BAT_TLOG_ENTRY_SIZE) {
		if (bat_bytes_get_be16(bundle->data + at) !=
		    BAT_TLOG_RECORD_SIZE)
			return BAT_DATA_CORRUPT;
		code = each(check, bundle->data + at + 2);
	}
	return code;
}

/* The first `against.size` records, in order. */
static int
each_record(struct attest_check *check, record_fn *each)
{
	const uint64_t size = check->against.size;
	struct bat_buf bundle = BAT_BUF_EMPTY;
	int code = BAT_OK;

	for (uint64_t i = 0; code == BAT_OK && i * BAT_TLOG_WIDTH < size; i++) {
		struct bat_tlog_tile tile = { BAT_TLOG_ENTRIES, i,
			bat_tlog_width(BAT_TLOG_ENTRIES, i, size) };

		bat_bytes_clear(&bundle);
		code = bat_tlog_read_tile(&check->tlog, &tile,
		    check->own_size > size ? check->own_size : size, &bundle,
		    NULL);
		if (code == BAT_OK)
			code = each_of_bundle(check, &bundle, each);
	}
	bat_bytes_free(&bundle);
	return code;
}

int
bat_store_attest_hash(struct attest_check *check, const uint8_t *bytes)
{
	struct bat_merkle_hash leaf = bat_merkle_leaf(
	    bat_bytes_slice(bytes, BAT_TLOG_RECORD_SIZE));

	if (check->tlog.edge.size == 0)
		check->out->from_seq = bat_bytes_get_be64(bytes);
	check->out->through_seq = bat_bytes_get_be64(bytes);
	bat_merkle_add(&check->tlog.edge, &leaf);
	return BAT_OK;
}

bool
bat_store_attest_gives_root(struct attest_check *check)
{
	struct bat_merkle_hash root = bat_merkle_edge_root(&check->tlog.edge);

	return check->tlog.edge.size == check->against.size &&
	    bat_merkle_equal(&root, &check->against.root);
}

void
bat_store_attest_empty(struct attest_check *check)
{
	check->tlog.edge = (struct bat_merkle_edge){ .size = 0 };
}

/* Are the log's records those that were signed? */
bool
bat_store_attest_records_signed(struct attest_check *check)
{
	int code;

	bat_store_attest_empty(check);
	code = each_record(check, bat_store_attest_hash);
	(void)bat_store_attest_unreadable(check, code);
	check->out->has_range = code == BAT_OK &&
	    bat_store_attest_gives_root(check);
	return check->out->has_range;
}

/* ---- one of them -------------------------------------------------------- */

int
bat_store_logged(struct bat_store *store, const struct bat_tlog_record *record,
    enum bat_logged *out, struct bat_error *error)
{
	struct bat_buf frame = BAT_BUF_EMPTY;
	struct bat_tlog_record now;
	struct bat_row row;
	int code;

	*out = BAT_LOGGED_GONE;
	if (bat_store_rows_from(store, record->seq, record->seq + 1, &row, 1) ==
	    0)
		return BAT_OK;
	code = bat_store_record(store, &row, &frame, &now, error);
	bat_bytes_free(&frame);
	if (code != BAT_OK || !bat_id_equal(&now.id, &record->id))
		return code;
	*out = bat_hash_equal(&now.frame, &record->frame) ? BAT_LOGGED_SAME :
							    BAT_LOGGED_CHANGED;
	return BAT_OK;
}

/* ---- record by record -------------------------------------------------- */

static void
tell_gone(struct attest_check *check, const struct bat_tlog_record *record)
{
	uint32_t ordinal = bat_find_id(check->store, &record->id);
	struct bat_row row;
	char id[33];

	bat_id_to_hex(&record->id, id);
	if (ordinal != BAT_MAP_NONE && bat_row(check->store, ordinal, &row))
		bat_store_attest_fault(check, true, record->seq,
		    "event %s has another sequence now: %llu", id,
		    (unsigned long long)row.seq);
	else
		bat_store_attest_fault(check, true, record->seq,
		    "event %s is gone", id);
}

static void
compare_frame(struct attest_check *check, const struct bat_row *row,
    const struct bat_tlog_record *record)
{
	struct bat_error error = { .text = "" };
	struct bat_tlog_record now;
	int code = bat_store_record(check->store, row, &check->frame, &now,
	    &error);

	if (code == BAT_DATA_CORRUPT || code == BAT_DATA_DISAGREES)
		bat_store_attest_fault(check, true, record->seq,
		    "its frame is damaged: %s", error.text);
	else if (code != BAT_OK)
		check->unreadable = true;
	else if (!bat_id_equal(&now.id, &record->id)) {
		char id[33];

		bat_id_to_hex(&now.id, id);
		bat_store_attest_fault(check, true, record->seq,
		    "another event stands here: %s", id);
		tell_gone(check, record);
	} else if (!bat_hash_equal(&now.frame, &record->frame))
		bat_store_attest_fault(check, true, record->seq,
		    "the bytes of its frame are not those that were logged");
}

static int
compare_record(struct attest_check *check, const uint8_t *bytes)
{
	struct bat_tlog_record record;
	const struct bat_row *row;

	bat_tlog_record_get(bytes, &record);
	for (; (row = bat_store_attest_row(check)) != NULL &&
	     row->seq < record.seq;
	     check->row_at++)
		bat_store_attest_fault(check, true, row->seq,
		    "an event that was never logged stands among those that "
		    "were");
	if (row == NULL || row->seq > record.seq) {
		tell_gone(check, &record);
		return BAT_OK;
	}
	compare_frame(check, row, &record);
	check->row_at++;
	return BAT_OK;
}

void
bat_store_attest_compare(struct attest_check *check)
{
	bat_store_attest_seek(check, check->out->from_seq);
	(void)each_record(check, compare_record);
}
