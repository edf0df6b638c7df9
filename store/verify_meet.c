/*
 * An event and what footer and index file say of it: the next row, or there is
 * none. The twin of verify_compare.c.
 */
#include "verify_swift.h"

#include "kind.h"

static inline uint64_t
differ_word(const uint8_t *a, const uint8_t *b)
{
	uint64_t in_a, in_b;

	memcpy(&in_a, a, sizeof(in_a));
	memcpy(&in_b, b, sizeof(in_b));
	return in_a ^ in_b;
}

/* 0: the same bytes. No calls: 10 ns of an event are at stake. */
static inline uint64_t
differ_id(const struct bat_id *a, const struct bat_id *b)
{
	return differ_word(a->bytes, b->bytes) |
	    differ_word(a->bytes + 8, b->bytes + 8);
}

static inline uint64_t
differ_hash(const struct bat_hash *a, const struct bat_hash *b)
{
	return differ_word(a->bytes, b->bytes) |
	    differ_word(a->bytes + 8, b->bytes + 8) |
	    differ_word(a->bytes + 16, b->bytes + 16) |
	    (BAT_PLANT(450) ? 0 : differ_word(a->bytes + 24, b->bytes + 24));
}

/* Does a row say of an event what its frame says? Names apart; kind as the row
 * has it or as batpak maps it. */
__attribute__((always_inline)) static inline bool
is_row_of(const struct bat_row *row, const struct bat_segment_item *item,
    uint16_t kind)
{
	const struct bat_event *event = &item->event;

	return ((row->offset ^ item->offset) | (row->length ^ item->length) |
		   differ_id(&row->id, &event->id) |
		   differ_id(&row->corr, &event->corr) |
		   differ_id(&row->cause, &event->cause) |
		   (row->clock ^ event->clock) | (row->lane ^ event->lane) |
		   (row->depth ^ event->depth) |
		   (row->wall_ms ^ event->wall_ms) |
		   differ_hash(&row->prev, &event->prev) |
		   differ_hash(&row->hash, &event->hash) |
		   (uint64_t)(row->kind ^ kind)) == 0;
}

static bool
rises(struct verify_swift_seqs *seqs, uint64_t seq)
{
	bool rises = !seqs->any || seq > seqs->last;

	if (!seqs->any)
		seqs->first = seq;
	seqs->any = true;
	seqs->last = seq;
	return rises;
}

/* The footer's row of an event: the next one. Its names are numbers that are
 * good for more. */
int
bat_verify_meet_footer(struct verify_piece *piece,
    const struct bat_segment_item *item, struct verify_told *out)
{
	const uint8_t *bytes;
	struct bat_row row;
	int code = bat_verify_rows_look(&piece->footer_rows, &bytes,
	    &piece->error);

	if (code != BAT_OK)
		return code;
	bat_segment_decode_row(bytes, &row);
	if (row.entity >= piece->string_count ||
	    row.scope >= piece->string_count ||
	    !is_row_of(&row, item, item->event.kind) ||
	    !bat_bytes_equal(piece->strings[row.entity], item->event.entity) ||
	    !bat_bytes_equal(piece->strings[row.scope], item->event.scope) ||
	    !rises(&piece->footer_seqs, row.seq))
		return BAT_END;
	*out = (struct verify_told){ row.entity, row.scope, row.seq };
	piece->footer_rows.next++;
	piece->counts.footer_rows++;
	return BAT_OK;
}

/* Those of an event that an index file tells of: none of another. */
static bool
same_extensions(const struct bat_row *row, struct bat_slice map,
    const struct bat_event *event)
{
	if (row->extensions == BAT_ROW_EXTENSIONS_UNKNOWN)
		return true;
	return event->extension_count > 0 ?
	    bat_bytes_equal(map, event->extension_map) :
	    row->extensions == BAT_ROW_EXTENSIONS_NONE;
}

/* The next row of the index: entries->row, where one of index.fbati is decoded
 * to as well. */
static int
next_index_row(struct verify_piece *piece)
{
	struct verify_entries *entries = &piece->entries;
	const uint8_t *bytes;
	int code;

	if (piece->rowindex == NULL)
		return bat_verify_entries_look(entries, &piece->error);
	code = bat_verify_rows_look(&piece->index_rows, &bytes, &piece->error);
	return code != BAT_OK ? code :
				bat_rowindex_read_row(piece->rowindex, bytes, 0,
				    &entries->row, &entries->map, NULL);
}

static void
step_index(struct verify_piece *piece)
{
	if (piece->rowindex == NULL)
		bat_verify_entries_take(&piece->entries);
	else
		piece->index_rows.next++;
	piece->counts.index_rows++;
}

/* The index's row of an event; behind its watermark there may be none. */
int
bat_verify_meet_index(struct verify_piece *piece,
    const struct bat_segment_item *item, const uint64_t *footer_seq)
{
	const struct bat_checkpoint_head *head = piece->index;
	const struct bat_event *event = &item->event;
	uint64_t segment = piece->reader.id;
	const struct bat_row *row = &piece->entries.row;
	int code = next_index_row(piece);

	if (code == BAT_END)
		return segment < head->watermark_segment ||
			(segment == head->watermark_segment &&
			    item->offset < head->watermark_offset) ?
		    BAT_END :
		    BAT_OK;
	if (code != BAT_OK)
		return code;
	if (row->segment != segment ||
	    !same_extensions(row, piece->entries.map, event) ||
	    !is_row_of(row, item,
		row->kind == event->kind ? event->kind :
					   bat_kind_mapped(event->kind)) ||
	    !bat_bytes_equal(head->strings[row->entity], event->entity) ||
	    !bat_bytes_equal(head->strings[row->scope], event->scope) ||
	    (row->seq >= head->allocator && !BAT_PLANT(227)) ||
	    !rises(&piece->index_seqs, row->seq) ||
	    (footer_seq != NULL && *footer_seq != row->seq))
		return BAT_END;
	step_index(piece);
	return BAT_OK;
}
