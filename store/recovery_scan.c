/*
 * Reading a segment frame by frame.
 *
 * Happy path: every frame is whole; events become rows, those of a batch only
 * with its COMMIT, or when it was damaged. Failures, at the first bad frame:
 * - a whole frame stands somewhere behind it: damage. It is named, a writable
 *   mount is refused, reading goes on at that frame.
 * - nothing whole follows and the segment has no footer: a torn tail, cut at
 *   the first append (at the BEGIN of a batch that it interrupts).
 * - nothing follows, but a footer says that frames should be there: damage.
 */
#include "recovery_internal.h"

#include "coordinate.h"
#include "kind.h"

static int
row_of_event(struct recovery_scan *scan, const struct bat_event *event,
    const struct recovery_names *names, uint64_t segment, uint64_t offset,
    uint64_t length, struct bat_row *out)
{
	int code = BAT_OK;

	*out = bat_event_row(event);
	out->entity = names->entity;
	out->scope = names->scope;
	out->length = (uint32_t)length;
	out->segment = segment;
	out->offset = offset;
	out->seq = RECOVERY_UNTOLD;
	out->kind = bat_kind_mapped(event->kind);
	out->extensions = event->extension_count > 0 ? BAT_ROW_EXTENSIONS_SOME :
						       BAT_ROW_EXTENSIONS_NONE;
	if (out->entity == BAT_INTERN_NONE)
		code = bat_intern_put(&scan->index->names, event->entity,
		    &out->entity);
	if (code == BAT_OK && out->scope == BAT_INTERN_NONE)
		code = bat_intern_put(&scan->index->names, event->scope,
		    &out->scope);
	return code;
}

/* What a bad item is, in a word or two. */
static const char *
item_fault(const struct bat_segment_item *item)
{
	if (item->state != BAT_FRAME_WHOLE)
		return bat_frame_state_name(item->state);
	return item->decoded ? "illegal content" : "undecodable";
}

/* Where it stands among the recent ones: by its ends, where names differ. */
static uint32_t
place_of(struct bat_slice name)
{
	uint64_t first = 0, last = 0;

	/* Whole words: of one that was put together from bytes the load waits
	 * for all of them, 20 ns an event. */
	if (name.length >= 8) {
		first = bat_bytes_get_le64(name.data);
		last = bat_bytes_get_le64(name.data + name.length - 8);
	} else {
		for (size_t i = 0; i < name.length; i++)
			first = first << 8 | name.data[i];
	}
	first = (first * 31 ^ last ^ name.length) * 0x9e3779b97f4a7c15u;
	/* Only the topmost bits depend on all of them. */
	return (uint32_t)(first >> (64 - RECOVERY_RECENT_BITS));
}

/* The number of a name that was judged when it was first seen; else NONE. It
 * is often that of the event before. */
static uint32_t
find_legal(struct recovery_scan *scan, struct bat_slice name, uint32_t before)
{
	const struct bat_intern *names = &scan->index->names;
	uint32_t number, *recent;

	if (!scan->knows_legal)
		return BAT_INTERN_NONE;
	if (before != BAT_INTERN_NONE &&
	    bat_bytes_equal(bat_intern_get(names, before), name))
		return before;
	recent = &scan->recent[place_of(name)];
	number = *recent - 1;
	if (number < names->count && !scan->options->plain &&
	    (BAT_PLANT(242) ||
		bat_bytes_equal(bat_intern_get(names, number), name)))
		return number;
	number = bat_intern_find(names, name);
	if (number < scan->legal_from)
		return BAT_INTERN_NONE;
	*recent = number + 1;
	return number;
}

bool
bat_recovery_is_sound(struct recovery_scan *scan,
    const struct bat_segment_item *item, struct recovery_names *names)
{
	const struct bat_event *event = &item->event;

	if (item->state != BAT_FRAME_WHOLE || !item->decoded)
		return false;
	if (bat_codec_is_marker(event))
		return event->kind != BAT_KIND_BATCH_BEGIN ||
		    (event->payload_size >= 1 &&
			event->payload_size <= RECOVERY_BATCH_MAX);
	names->entity = find_legal(scan, event->entity, names->entity);
	names->scope = find_legal(scan, event->scope, names->scope);
	return (names->entity != BAT_INTERN_NONE &&
		   names->scope != BAT_INTERN_NONE) ||
	    bat_coordinate_check(event->entity, event->scope, NULL) == BAT_OK;
}

static int
scan_marker(struct recovery_scan *scan, struct recovery_batch *batch,
    const struct bat_segment_item *item)
{
	bool complete = item->event.kind == BAT_KIND_BATCH_COMMIT &&
	    (batch->remaining == 0 || BAT_PLANT(40));

	if (batch->open && !complete && !(batch->damaged && !BAT_PLANT(311)))
		bat_index_unload(scan->index, batch->first_row);
	if (item->event.kind == BAT_KIND_BATCH_COMMIT) {
		batch->open = false;
		return BAT_OK;
	}
	batch->open = true;
	batch->damaged = false;
	batch->remaining = item->event.payload_size;
	batch->begin_offset = item->offset;
	batch->first_row = scan->index->count;
	return BAT_OK;
}

static int
scan_event(struct recovery_scan *scan, struct recovery_batch *batch,
    const struct bat_segment_item *item, const struct recovery_names *names,
    uint64_t segment)
{
	struct bat_row row;
	int code;

	if (batch->open && batch->remaining == 0 && !batch->damaged) {
		bat_index_unload(scan->index, batch->first_row);
		batch->open = false;
		return BAT_OK;
	}
	if (batch->open && batch->remaining > 0)
		batch->remaining--;
	code = row_of_event(scan, &item->event, names, segment, item->offset,
	    item->length, &row);
	if (BAT_PLANT(44) && scan->index->count == 1)
		return code;
	return code == BAT_OK ? bat_recovery_push(scan, &row) : code;
}

int
bat_recovery_take(struct recovery_scan *scan, struct recovery_batch *batch,
    struct recovery_proof *proof, const struct bat_segment_item *item,
    const struct recovery_names *names, uint64_t segment)
{
	int code;

	if (bat_codec_is_marker(&item->event))
		return scan_marker(scan, batch, item);
	code = bat_recovery_prove(proof, &item->event, item->offset);
	if (code != BAT_OK)
		return bat_error_set(scan->error, code,
		    "no memory for a payload");
	return scan_event(scan, batch, item, names, segment);
}

/* A damaged frame of which nothing is known: a line in the log, no more. */
static int
push_damaged(struct recovery_scan *scan, uint64_t segment,
    const struct bat_segment_item *item, uint64_t next)
{
	uint64_t length = next - item->offset;
	struct bat_row row = {
		.entity = BAT_INTERN_NONE,
		.scope = BAT_INTERN_NONE,
		.segment = segment,
		.offset = item->offset,
		.length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length,
		.seq = RECOVERY_UNTOLD,
		.extensions = BAT_ROW_EXTENSIONS_NONE,
	};

	return bat_recovery_push(scan, &row);
}

/*
 * Damage within a batch: its COMMIT may be what is damaged, so what was staged
 * stays, and so does what comes, until a marker ends it: items, or events of
 * their own, nobody can tell. Where all items were there already, the damaged
 * frame is the COMMIT.
 */
static void
damage_batch(struct recovery_batch *batch)
{
	if (batch->open && batch->remaining == 0)
		batch->open = false;
	batch->damaged = true;
}

static bool
is_sealed(const struct bat_segment_reader *reader)
{
	return reader->has_footer || reader->has_foreign_footer;
}

/* Somebody is writing it; what is not whole may be so a moment later. */
static bool
is_growing(const struct recovery_scan *scan,
    const struct bat_segment_reader *reader)
{
	return scan->tail != NULL && reader->id == scan->out->highest_segment &&
	    !BAT_PLANT(193);
}

/* Behind the last thing that is whole. */
static uint64_t
good_end(const struct recovery_batch *batch,
    const struct bat_segment_item *item)
{
	return batch->open && !batch->damaged ? batch->begin_offset :
						item->offset;
}

/* Enough rows for once, and no batch is under way. */
static bool
is_enough(const struct recovery_scan *scan, const struct recovery_batch *batch)
{
	return scan->tail != NULL && !batch->open &&
	    scan->index->count >= scan->tail->row_limit;
}

/*
 * The scan met something that is no sound frame. *out_next: where to go on, 0
 * to stop.
 */
static int
scan_bad(struct recovery_scan *scan, struct bat_segment_reader *reader,
    struct recovery_batch *batch, const struct bat_segment_item *item,
    uint64_t *out_next)
{
	uint64_t found = 0;
	bool ahead, lost;
	int code;

	*out_next = 0;
	if (is_growing(scan, reader)) {
		scan->out->end.offset = good_end(batch, item);
		return BAT_OK;
	}
	code = bat_segment_reader_find_whole(reader, item->offset + 1, &found,
	    scan->error);
	/* Too many look-alikes to tell: taken for one of them, but which? */
	if (code == BAT_DATA_CORRUPT) {
		bat_recovery_damage(scan, reader->id, item->offset,
		    "%s frame before what looks like frames", item_fault(item));
		return push_damaged(scan, reader->id, item, reader->end);
	}
	if (code < 0)
		return code;
	if (code == BAT_OK && found < reader->end && !BAT_PLANT(42)) {
		bat_recovery_damage(scan, reader->id, item->offset,
		    "%s frame in the middle; sound frames go on at offset %llu",
		    item_fault(item), (unsigned long long)found);
		damage_batch(batch);
		*out_next = found;
		return push_damaged(scan, reader->id, item, found);
	}
	if (item->state == BAT_FRAME_WHOLE || is_sealed(reader)) {
		bat_recovery_damage(scan, reader->id, item->offset,
		    "%s frame at the end, not a torn write", item_fault(item));
		return push_damaged(scan, reader->id, item, reader->end);
	}
	code = bat_segment_reader_is_lost(reader, item->offset, reader->end,
	    &lost, scan->error);
	if (code != BAT_OK)
		return code;
	if (lost) {
		bat_recovery_damage(scan, reader->id, item->offset,
		    "the disk does not give the end of the segment");
		damage_batch(batch);
		return push_damaged(scan, reader->id, item, reader->end);
	}
	scan->out->end.offset = good_end(batch, item);
	code = bat_segment_reader_is_ahead(reader, scan->out->end.offset,
	    &ahead, scan->error);
	if (code != BAT_OK)
		return code;
	return bat_recovery_plan_cut(scan, reader->id, scan->out->end.offset,
	    reader->file_size,
	    ahead ? "space laid ahead of the frames" : item_fault(item));
}

/* Frames from reader->at on, into rows. */
static int
scan_frames(struct recovery_scan *scan, struct bat_segment_reader *reader,
    struct recovery_proof *proof)
{
	struct recovery_batch batch = { .open = false };
	struct recovery_names names = RECOVERY_NO_NAMES;
	struct bat_segment_item item;
	uint64_t next;
	bool torn = false;
	int code;

	scan->all_footers = false;
	scan->out->end.offset = reader->end;
	code = bat_recovery_halves(scan, reader, &batch, proof);
	while (code == BAT_OK) {
		if (is_enough(scan, &batch)) {
			scan->tail->more = true;
			scan->out->end.offset = reader->at;
			return BAT_OK;
		}
		reader->room = bat_recovery_prove_room(proof);
		code = bat_segment_reader_next(reader, &item, scan->error);
		if (code != BAT_OK)
			break;
		if (!bat_recovery_is_sound(scan, &item, &names)) {
			torn = true;
			code = scan_bad(scan, reader, &batch, &item, &next);
			if (code != BAT_OK || next == 0)
				break;
			torn = false;
			bat_segment_reader_seek(reader, next, 0);
			continue;
		}
		code = bat_recovery_take(scan, &batch, proof, &item, &names,
		    reader->id);
	}
	if (code < 0)
		return code;
	if (batch.open && !batch.damaged) {
		if (!BAT_PLANT(41))
			bat_index_unload(scan->index, batch.first_row);
		if (!torn && !is_sealed(reader))
			scan->out->end.offset = batch.begin_offset;
		if (!torn && !is_sealed(reader) && !is_growing(scan, reader))
			return bat_recovery_plan_cut(scan, reader->id,
			    batch.begin_offset, reader->file_size,
			    "unfinished batch");
	}
	return BAT_OK;
}

int
bat_recovery_frames(struct recovery_scan *scan,
    struct bat_segment_reader *reader)
{
	struct recovery_proof proof = { .wrong_count = 0 };
	int code = scan_frames(scan, reader, &proof);

	if (code == BAT_OK) {
		bat_recovery_prove_end(&proof);
		bat_recovery_prove_say(&proof, reader->id, scan->out);
	}
	return code;
}
