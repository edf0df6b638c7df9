/*
 * The door: bat.h. Owns the directory, the index and its lock, and the
 * writer; everything else is somebody else's work. (Its part about causality:
 * store_chains.c.)
 */
#include "bat.h"

#include <stdio.h>
#include <stdlib.h>

#include "codec.h"
#include "segment_reader.h"
#include "store_internal.h"

/* ---- opening --------------------------------------------------------- */

static void
view_free(struct view *view)
{
	while (view != NULL) {
		struct view *older = view->older;

		bat_index_free(&view->index);
		bat_recovery_free(&view->recovery);
		free(view);
		view = older;
	}
}

static int
view_make(struct bat_store *store, bool ignore_indexes, struct view **out,
    struct bat_error *error)
{
	const struct bat_recovery_options options = {
		.ignore_indexes = ignore_indexes,
		.read_only = store->options.read_only,
	};
	struct view *view = calloc(1, sizeof(*view));
	int code;

	if (view == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	bat_index_init(&view->index);
	code = bat_recovery_run(&store->dir, &options, &view->index,
	    &view->recovery, error);
	if (code == BAT_OK && view->recovery.refuse &&
	    !store->options.read_only) {
		code = view->recovery.refusal.code;
		if (error != NULL)
			*error = view->recovery.refusal;
	}
	if (code != BAT_OK) {
		view_free(view);
		return code;
	}
	*out = view;
	return BAT_OK;
}

/* Whose directory is it? Asked before anything, the lock too, is made. */
static int
claim(struct bat_store *store, const char *path, struct bat_error *error)
{
	bool create = !store->options.read_only && !store->options.no_create;
	const struct bat_segment_dir *dir = &store->dir;
	int code = bat_segment_dir_open(&store->dir, store->options.disk, path,
	    create, error);
	bool empty;

	if (code != BAT_OK)
		return code;
	code = bat_segment_dir_scan(&store->dir, error);
	if (code != BAT_OK)
		return code;
	empty = dir->count == 0 && !dir->has_compact_src && !dir->has_marker &&
	    !dir->has_checkpoint && !dir->has_rowindex && !dir->has_hidden;
	if (empty && dir->has_other)
		return bat_error_set(error, BAT_DATA_REFUSED,
		    "the directory holds files but no event store (no *.fbat "
		    "segment); name the store's directory, or an empty one "
		    "for a new store");
	if (empty && !create)
		return bat_error_set(error, BAT_WORLD_ABSENT,
		    "the directory holds no event store");
	if (store->options.read_only)
		return BAT_OK;
	return bat_segment_dir_lock(&store->dir, error);
}

int
bat_open(const char *path, const struct bat_options *options,
    struct bat_store **out, struct bat_error *error)
{
	struct bat_store *store = calloc(1, sizeof(*store));
	int64_t start;
	int code;

	if (store == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	store->options = options == NULL ? BAT_OPTIONS_DEFAULT : *options;
	if (store->options.disk == NULL)
		store->options.disk = bat_file_posix();
	if (store->options.clock == NULL)
		store->options.clock = bat_clock_system();
	store->generation = 1;
	store->dir.dir = -1;
	bat_causality_init(&store->causality);
	start = bat_clock_monotonic_ns(store->options.clock);
	code = claim(store, path, error);
	if (code == BAT_OK)
		code = view_make(store, false, &store->view, error);
	if (code == BAT_OK &&
	    (pthread_rwlock_init(&store->lock, NULL) != 0 ||
		pthread_mutex_init(&store->causality_mutex, NULL) != 0))
		code = bat_error_set(error, BAT_WORLD_NO_MEMORY, "no memory");
	if (code != BAT_OK)
		goto close_dir;
	code = bat_writer_init(&store->writer, &store->dir, &store->view->index,
	    &store->view->recovery, &store->lock, &store->options);
	if (code != BAT_OK)
		goto close_dir;
	store->open_ns = bat_clock_monotonic_ns(store->options.clock) - start;
	store->writer.open_elapsed_us = (uint64_t)store->open_ns / 1000;
	*out = store;
	return BAT_OK;

close_dir:
	bat_error_prefix(error, "%s", path);
	view_free(store->view);
	bat_segment_dir_close(&store->dir);
	free(store);
	return code;
}

int
bat_close(struct bat_store *store, struct bat_error *error)
{
	int code = BAT_OK;

	if (store == NULL)
		return BAT_OK;
	if (!store->options.read_only) {
		code = bat_writer_close(&store->writer, error);
		bat_writer_save_sidecar(&store->writer);
	}
	bat_writer_free(&store->writer);
	bat_causality_free(&store->causality);
	view_free(store->view);
	bat_segment_dir_close(&store->dir);
	pthread_mutex_destroy(&store->causality_mutex);
	pthread_rwlock_destroy(&store->lock);
	free(store);
	return code;
}

/* ---- what is there --------------------------------------------------- */

/*
 * A row and its frame disagree: the index lied. Read the directory again
 * without index files, show the result under a new generation, and let the
 * first append unlink them.
 */
int
bat_store_rebuild(struct bat_store *store, uint64_t seen_generation,
    struct bat_error *error)
{
	struct view *fresh = NULL;
	struct bat_error why = { .code = 0 };
	int code = BAT_OK;

	pthread_mutex_lock(&store->writer.lead);
	pthread_rwlock_wrlock(&store->lock);
	if (store->generation == seen_generation)
		code = view_make(store, true, &fresh, &why);
	if (code == BAT_OK && fresh != NULL) {
		fresh->older = store->view;
		store->view = fresh;
		store->generation++;
		bat_writer_adopt(&store->writer, &fresh->index,
		    &fresh->recovery);
	}
	pthread_rwlock_unlock(&store->lock);
	pthread_mutex_unlock(&store->writer.lead);
	if (code != BAT_OK && error != NULL)
		*error = why;
	return code == BAT_OK ? BAT_DATA_DISAGREES : code;
}

void
bat_head(struct bat_store *store, struct bat_head *out)
{
	const struct bat_index *index = enter(store);
	uint64_t synced = store->writer.synced_seq;

	*out = (struct bat_head){
		.generation = store->generation,
		.ordinals = index->count,
		.visible_count = index->visible_count,
		.next_seq = store->view->recovery.next_seq,
		.entity_count = index->entities.count,
		.scope_count = index->scopes.count,
	};
	if (out->next_seq < index->next_seq)
		out->next_seq = index->next_seq;
	if (index->visible_count > 0) {
		out->first = index->first_visible;
		out->last = index->last_visible;
		out->first_seq = index->first_row.seq;
		out->last_seq = index->last_row.seq;
		out->first_wall_ms = index->first_row.wall_ms;
		out->last_wall_ms = index->last_row.wall_ms;
		out->durable_seq = out->last_seq;
	}
	if (store->options.durability == BAT_DURABLE_FSYNC && synced > 0 &&
	    out->durable_seq >= synced)
		out->durable_seq = synced - 1;
	(void)leave(store);
}

bool
bat_row(struct bat_store *store, uint32_t ordinal, struct bat_row *out)
{
	const struct bat_index *index;
	bool there;

	do {
		index = enter(store);
		there = ordinal < index->count &&
		    !bat_index_is_hidden(index, ordinal);
		if (there)
			bat_index_row(index, ordinal, out);
	} while (!leave(store));
	return there;
}

struct bat_slice
bat_name(struct bat_store *store, uint32_t number)
{
	const struct bat_index *index = enter(store);
	struct bat_slice name = BAT_SLICE_EMPTY;

	if (number < index->names.count)
		name = bat_intern_get(&index->names, number);
	(void)leave(store);
	return name;
}

/* ---- reading --------------------------------------------------------- */

/* What the frame has and the index does not. */
static void
fill_row(struct bat_row *row, const struct bat_event *event)
{
	row->corr = event->corr;
	row->cause = event->cause;
	row->prev = event->prev;
	row->hash = event->hash;
	row->lane = event->lane;
	row->depth = event->depth;
}

/* A damaged frame: what an index file or a footer knows of the event. If none
 * does, the row names nothing. */
static int
damaged_row(struct bat_store *store, struct bat_reading *reading, int code)
{
	struct bat_row *row = &reading->row;

	if (code == BAT_DATA_CORRUPT && row->entity != BAT_INTERN_NONE &&
	    bat_recovery_find_row(&store->dir, row) != BAT_OK)
		row->entity = row->scope = BAT_INTERN_NONE;
	return code;
}

/* The row of an event, as the index has it. */
static bool
find_row(struct bat_store *store, uint32_t ordinal, struct bat_row *row,
    struct bat_index_hot *hot, uint64_t *out_generation)
{
	const struct bat_index *index;
	bool there;

	do {
		index = enter(store);
		*out_generation = store->generation;
		there = ordinal < index->count &&
		    !bat_index_is_hidden(index, ordinal);
		if (there) {
			bat_index_row(index, ordinal, row);
			*hot = *bat_index_hot_at(index, ordinal);
		}
	} while (!leave(store));
	return there;
}

int
bat_read(struct bat_store *store, uint32_t ordinal, struct bat_reading *reading,
    struct bat_error *error)
{
	struct bat_index_hot hot;
	uint64_t generation;
	struct bat_row *row = &reading->row;
	int code;

	if (!find_row(store, ordinal, row, &hot, &generation))
		return bat_error_set(error, BAT_STATE_NOT_FOUND,
		    "there is no such event");
	code = bat_segment_reader_read(&store->dir, row->segment, row->offset,
	    row->length, &reading->frame, &reading->fields, error);
	/* A damaged place without a row: whole it may be, legal it is not. */
	if (code == BAT_OK && row->entity == BAT_INTERN_NONE)
		code = bat_error_set_at(error, BAT_DATA_CORRUPT, row->segment,
		    row->offset,
		    "decode: segment %llu, offset %llu: illegal content",
		    (unsigned long long)row->segment,
		    (unsigned long long)row->offset);
	if (code != BAT_OK)
		return damaged_row(store, reading, code);
	if (!BAT_PLANT(68) &&
	    !bat_recovery_agrees(&reading->fields, &hot,
		bat_name(store, hot.entity), bat_name(store, hot.scope)))
		return bat_store_rebuild(store, generation, error);
	fill_row(row, &reading->fields);
	bat_bytes_clear(&reading->payload);
	code = bat_codec_payload(&reading->fields, &reading->payload);
	return code == BAT_OK ?
	    BAT_OK :
	    bat_error_set_at(error, code, row->segment, row->offset,
		"decode: the payload slot is broken");
}

void
bat_reading_free(struct bat_reading *reading)
{
	bat_bytes_free(&reading->frame);
	bat_bytes_free(&reading->payload);
}

struct bat_extension_walk
bat_extensions(const struct bat_reading *reading)
{
	return (struct bat_extension_walk){
		.at = BAT_PACK_READER(reading->fields.extension_map),
		.left = reading->fields.extension_count,
	};
}

int
bat_extensions_next(struct bat_extension_walk *walk, struct bat_slice *out_key,
    struct bat_buf *value)
{
	struct bat_slice slot;
	int code = bat_codec_next_extension(&walk->at, &walk->left, out_key,
	    &slot);

	if (code != BAT_OK)
		return code;
	bat_bytes_clear(value);
	return bat_pack_unpack_bytes(slot, value);
}

/* ---- finding --------------------------------------------------------- */

uint32_t
bat_find_seq_from(struct bat_store *store, uint64_t seq)
{
	const struct bat_index *index;
	uint32_t ordinal;

	do {
		index = enter(store);
		ordinal = bat_index_lower_seq(index, seq);
		while (ordinal < index->count &&
		    bat_index_is_hidden(index, ordinal))
			ordinal++;
		if (ordinal == index->count)
			ordinal = BAT_MAP_NONE;
	} while (!leave(store));
	return ordinal;
}

uint32_t
bat_find_seq(struct bat_store *store, uint64_t seq)
{
	const struct bat_index *index;
	uint32_t ordinal;

	do {
		index = enter(store);
		ordinal = bat_index_lower_seq(index, seq);
		if (ordinal == index->count ||
		    bat_index_seq(index, ordinal) != seq ||
		    bat_index_is_hidden(index, ordinal))
			ordinal = BAT_MAP_NONE;
	} while (!leave(store));
	return ordinal;
}

uint32_t
bat_find_id(struct bat_store *store, const struct bat_id *id)
{
	uint32_t ordinal;
	int code;

	do {
		(void)enter(store);
		ordinal = bat_index_find_id(&store->view->index, id, &code);
	} while (!leave(store));
	return ordinal;
}

uint32_t
bat_find_entity(struct bat_store *store, struct bat_slice name)
{
	const struct bat_index *index = enter(store);
	uint32_t number = bat_intern_find(&index->names, name);

	if (number != BAT_INTERN_NONE &&
	    bat_index_entity_list(index, number)->count == 0)
		number = BAT_INTERN_NONE;
	(void)leave(store);
	return number;
}

/* A name may be known and, no event prepared for it, have no place yet. */
static const struct bat_index_name *
name_entry(const struct bat_index *index, uint32_t number)
{
	return number < index->by_name_capacity ? &index->by_name[number] :
						  NULL;
}

uint32_t
bat_find_scope(struct bat_store *store, struct bat_slice name)
{
	const struct bat_index *index = enter(store);
	uint32_t number = bat_intern_find(&index->names, name);
	const struct bat_index_name *entry = name_entry(index, number);

	if (entry == NULL || entry->members.count == 0)
		number = BAT_INTERN_NONE;
	(void)leave(store);
	return number;
}

/* ---- lists ----------------------------------------------------------- */

/* NULL for the whole log. */
static const struct bat_index_list *
ordinals_of(const struct bat_index *index, const struct bat_list *list)
{
	static const struct bat_index_list nothing;
	uint32_t member;

	if (list->kind == BAT_LIST_ALL)
		return NULL;
	if (list->kind == BAT_LIST_ENTITY)
		return bat_index_entity_list(index, list->entity);
	member = bat_index_find_member(index, list->scope, list->entity);
	return member == BAT_INDEX_NOTHING ?
	    &nothing :
	    bat_index_member_list(index, member);
}

static uint32_t
end_of(const struct bat_list *list)
{
	return list->before == 0 ? UINT32_MAX : list->before;
}

/* How many of a list stand below an ordinal. */
static uint32_t
count_below(const struct bat_index_list *list, uint32_t end)
{
	uint32_t low = 0, high = list->count;

	if (high == 0 || list->ordinals[high - 1] < end)
		return high;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->ordinals[middle] < end)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The whole log below an ordinal. */
static void
stat_log(const struct bat_index *index, uint32_t end, struct bat_list_stat *out)
{
	uint32_t hidden = 0, last = end;

	out->count = index->visible_count;
	out->first = index->first_visible;
	out->last = index->last_visible;
	if (out->count > 0 && end <= out->last) {
		for (uint32_t i = 0; i < end && out->count < index->count; i++)
			hidden += bat_index_is_hidden(index, i);
		out->count = end - hidden;
		while (out->count > 0 && bat_index_is_hidden(index, --last))
			;
		out->last = last;
	}
	if (out->count == 0)
		return;
	out->first_wall_ms = index->first_row.wall_ms;
	out->last_wall_ms = bat_index_wall_ms(index, out->last);
}

static void
stat_list(const struct bat_index *index, const struct bat_list *list,
    struct bat_list_stat *out)
{
	const struct bat_index_list *ordinals = ordinals_of(index, list);

	memset(out, 0, sizeof(*out));
	if (ordinals == NULL) {
		stat_log(index, end_of(list), out);
		return;
	}
	out->count = count_below(ordinals, end_of(list));
	if (out->count == 0)
		return;
	out->first = ordinals->ordinals[0];
	out->last = ordinals->ordinals[out->count - 1];
	out->first_wall_ms = bat_index_wall_ms(index, out->first);
	out->last_wall_ms = bat_index_wall_ms(index, out->last);
}

/* ---- the head of a moment in the past ----------------------------------- */

static uint32_t
first_of_entity(const struct bat_index *index, uint32_t entity)
{
	const struct bat_index_list *list = bat_index_entity_list(index,
	    entity);

	return list->count > 0 ? list->ordinals[0] : UINT32_MAX;
}

/* Its first member is the one that made it. */
static uint32_t
first_of_scope(const struct bat_index *index, uint32_t scope)
{
	const struct bat_index_list *members = &index->by_name[scope].members;
	const struct bat_index_list *list;

	if (members->count == 0)
		return UINT32_MAX;
	list = bat_index_member_list(index, members->ordinals[0]);
	return list->count > 0 ? list->ordinals[0] : UINT32_MAX;
}

/* How many entities or scopes began below an ordinal. */
static uint32_t
count_begun(const struct bat_index *index, const struct bat_index_list *names,
    uint32_t (*first_of)(const struct bat_index *index, uint32_t name),
    uint32_t before)
{
	uint32_t low = 0, high = names->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (first_of(index, names->ordinals[middle]) < before)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
head_of_past(const struct bat_index *index, uint32_t before,
    struct bat_head *out)
{
	struct bat_list_stat stat = { .count = 0 };

	stat_log(index, before, &stat);
	*out = (struct bat_head){
		.ordinals = before < index->count ? before : index->count,
		.visible_count = stat.count,
		.entity_count = count_begun(index, &index->entities,
		    first_of_entity, before),
		.scope_count = count_begun(index, &index->scopes,
		    first_of_scope, before),
	};
	if (out->ordinals > 0)
		out->next_seq = bat_index_seq(index, out->ordinals - 1) + 1;
	if (stat.count == 0)
		return;
	out->first = stat.first;
	out->last = stat.last;
	out->first_seq = bat_index_seq(index, stat.first);
	out->last_seq = out->durable_seq = bat_index_seq(index, stat.last);
	out->first_wall_ms = stat.first_wall_ms;
	out->last_wall_ms = stat.last_wall_ms;
}

void
bat_head_before(struct bat_store *store, uint32_t before, struct bat_head *out)
{
	if (before == 0) {
		bat_head(store, out);
		return;
	}
	do {
		head_of_past(enter(store), before, out);
		out->generation = store->generation;
	} while (!leave(store));
}

bool
bat_list_stat(struct bat_store *store, const struct bat_list *list,
    struct bat_list_stat *out)
{
	if (bat_store_is_causal(list)) {
		bat_store_causal_stat(store, list, out);
		return out->count > 0;
	}
	do {
		stat_list(enter(store), list, out);
	} while (!leave(store));
	return out->count > 0;
}

static size_t
next_of_list(const struct bat_index *index, const struct bat_list *list,
    uint64_t *cursor, uint32_t *ordinals, size_t max)
{
	const struct bat_index_list *from = ordinals_of(index, list);
	uint32_t end = end_of(list);
	size_t count = 0;

	if (from == NULL) {
		if (end > index->count)
			end = index->count;
		for (; *cursor < end && count < max; (*cursor)++)
			if (!bat_index_is_hidden(index, (uint32_t)*cursor))
				ordinals[count++] = (uint32_t)*cursor;
	} else {
		for (; *cursor < from->count && count < max &&
		     from->ordinals[*cursor] < end;
		     (*cursor)++)
			ordinals[count++] = from->ordinals[*cursor];
	}
	return count;
}

size_t
bat_list_next(struct bat_store *store, const struct bat_list *list,
    uint64_t *cursor, uint32_t *ordinals, size_t max)
{
	uint64_t start = *cursor;
	size_t count;

	if (bat_store_is_causal(list))
		return bat_store_causal_next(store, list, cursor, ordinals,
		    max);
	do {
		*cursor = start;
		count = next_of_list(enter(store), list, cursor, ordinals, max);
	} while (!leave(store));
	return count;
}

static uint32_t
at(const struct bat_index_list *list, uint32_t position)
{
	return position < list->count ? list->ordinals[position] :
					BAT_INDEX_NOTHING;
}

uint32_t
bat_entity_at(struct bat_store *store, uint32_t position)
{
	uint32_t number = at(&enter(store)->entities, position);

	(void)leave(store);
	return number;
}

uint32_t
bat_scope_at(struct bat_store *store, uint32_t position)
{
	uint32_t number = at(&enter(store)->scopes, position);

	(void)leave(store);
	return number;
}

uint32_t
bat_scope_size(struct bat_store *store, uint32_t scope)
{
	const struct bat_index_name *entry = name_entry(enter(store), scope);
	uint32_t count = entry == NULL ? 0 : entry->members.count;

	(void)leave(store);
	return count;
}

uint32_t
bat_scope_entity_at(struct bat_store *store, uint32_t scope, uint32_t position)
{
	const struct bat_index *index = enter(store);
	const struct bat_index_name *entry = name_entry(index, scope);
	uint32_t member = entry == NULL ? BAT_INDEX_NOTHING :
					  at(&entry->members, position);
	uint32_t entity = member == BAT_INDEX_NOTHING ?
	    BAT_INDEX_NOTHING :
	    index->members[member].entity;

	(void)leave(store);
	return entity;
}

bool
bat_scope_has(struct bat_store *store, uint32_t scope, uint32_t entity)
{
	const struct bat_index *index = enter(store);
	uint32_t member = bat_index_find_member(index, scope, entity);
	bool has = member != BAT_INDEX_NOTHING &&
	    index->members[member].count > 0;

	(void)leave(store);
	return has;
}

uint32_t
bat_entity_scopes(struct bat_store *store, uint32_t entity, uint32_t *out_scope)
{
	const struct bat_index *index = enter(store);
	const struct bat_index_name *entry = name_entry(index, entity);
	uint32_t count = entry == NULL ? 0 : entry->member_count;
	uint32_t member = entry == NULL ? BAT_INDEX_NOTHING :
					  entry->first_member;

	while (member != BAT_INDEX_NOTHING && index->members[member].count == 0)
		member = index->members[member].next_of_entity;
	if (count > 0 && member != BAT_INDEX_NOTHING)
		*out_scope = index->members[member].scope;
	(void)leave(store);
	return count;
}

/* ---- appending ------------------------------------------------------- */

static void
refuse_batch(struct bat_batch *batch)
{
	batch->committed = 0;
	batch->code = bat_error_set(&batch->error, BAT_USE_READ_ONLY,
	    "the store is open read-only");
	batch->done(batch->context, batch);
}

void
bat_submit(struct bat_store *store, struct bat_batch *batch)
{
	if (store->options.read_only)
		refuse_batch(batch);
	else
		bat_writer_submit(&store->writer, batch);
}

/* An append met a row that lied, or a part of the sidecar that does not hold,
 * and was refused: tried again it meets an index that was made anew. */
static void
heal(struct bat_store *store)
{
	uint64_t generation;
	bool lied;

	pthread_mutex_lock(&store->writer.lead);
	lied = store->writer.disagreed;
	pthread_mutex_unlock(&store->writer.lead);
	(void)enter(store);
	generation = store->generation;
	if (leave(store) && lied)
		(void)bat_store_rebuild(store, generation, NULL);
}

size_t
bat_commit_run(struct bat_store *store, bool wait)
{
	size_t count = bat_writer_run(&store->writer, wait);

	heal(store);
	return count;
}

void
bat_wake(struct bat_store *store)
{
	bat_writer_wake(&store->writer);
}

/* For bat_append: its own done. */
struct append_wait {
	struct bat_writer *writer;
	bool done; /* guarded by the writer's queue_mutex */
};

static void
append_done(void *context, struct bat_batch *batch)
{
	struct append_wait *wait = context;

	(void)batch;
	pthread_mutex_lock(&wait->writer->queue_mutex);
	wait->done = true;
	pthread_mutex_unlock(&wait->writer->queue_mutex);
}

int
bat_append(struct bat_store *store, struct bat_batch *batch)
{
	struct append_wait wait = { &store->writer, false };

	batch->done = append_done;
	batch->context = &wait;
	bat_submit(store, batch);
	bat_writer_wait(&store->writer, &wait.done);
	if (batch->code == BAT_DATA_DISAGREES)
		heal(store);
	return batch->code;
}

int
bat_sync(struct bat_store *store, struct bat_error *error)
{
	if (store->options.read_only)
		return BAT_OK;
	return bat_writer_sync(&store->writer, error);
}

int
bat_checkpoint(struct bat_store *store, struct bat_error *error)
{
	if (store->options.read_only)
		return bat_error_set(error, BAT_USE_READ_ONLY,
		    "the store is open read-only");
	return bat_writer_checkpoint(&store->writer, true, error);
}

/* ---- saying what happened -------------------------------------------- */

static enum bat_source
source_of(enum bat_recovery_source source)
{
	switch (source) {
	case BAT_RECOVERY_NEW:
		return BAT_SOURCE_NEW;
	case BAT_RECOVERY_ROWINDEX:
		return BAT_SOURCE_ROWINDEX;
	case BAT_RECOVERY_CHECKPOINT:
		return BAT_SOURCE_CHECKPOINT;
	case BAT_RECOVERY_FOOTERS:
		return BAT_SOURCE_FOOTERS;
	case BAT_RECOVERY_FRAMES:
		break;
	}
	return BAT_SOURCE_FRAMES;
}

const char *
bat_source_name(enum bat_source source)
{
	switch (source) {
	case BAT_SOURCE_NEW:
		return "new";
	case BAT_SOURCE_ROWINDEX:
		return "index.fbati";
	case BAT_SOURCE_CHECKPOINT:
		return "index.ckpt";
	case BAT_SOURCE_FOOTERS:
		return "footers";
	case BAT_SOURCE_SIDECAR:
		return "sidecar";
	case BAT_SOURCE_FRAMES:
		break;
	}
	return "frames";
}

static void
writer_status(struct bat_store *store, struct bat_status *out)
{
	struct bat_writer *writer = &store->writer;

	pthread_mutex_lock(&writer->lead);
	out->appended = writer->opened;
	out->stopped = writer->stopped;
	out->writer_code = writer->last_code;
	if (writer->last_code != BAT_OK)
		snprintf(out->writer_text, sizeof(out->writer_text), "%s",
		    writer->last_error.text);
	out->durable_seq_plus_1 = writer->synced_seq;
	out->uncovered_count = writer->uncovered_count;
	for (size_t i = 0; i < store->dir.count; i++)
		if (!writer->active ||
		    store->dir.segments[i].id != writer->segment.id)
			out->segment_bytes += store->dir.segments[i].stat.size;
	out->segment_bytes += writer->active ? writer->segment.size : 0;
	out->segment_count = store->dir.count;
	pthread_mutex_unlock(&writer->lead);
}

void
bat_status(struct bat_store *store, struct bat_status *out)
{
	const struct bat_recovery *recovery;
	struct bat_head head;

	memset(out, 0, sizeof(*out));
	writer_status(store, out);
	bat_head(store, &head);
	pthread_rwlock_rdlock(&store->lock);
	recovery = &store->view->recovery;
	out->source = recovery->from_sidecar ? BAT_SOURCE_SIDECAR :
					       source_of(recovery->source);
	out->source_version = recovery->source_version;
	out->restored_count = recovery->restored_count;
	out->tail_count = recovery->tail_count;
	out->damaged_count = recovery->damaged_count;
	out->hidden_count = store->view->index.count -
	    store->view->index.visible_count;
	pthread_rwlock_unlock(&store->lock);
	out->open_ns = store->open_ns;
	out->read_only = store->options.read_only;
	out->visible_seq_plus_1 = head.next_seq;
}

int
bat_open_report(struct bat_store *store, struct bat_buf *buf)
{
	int code;

	pthread_rwlock_rdlock(&store->lock);
	code = bat_bytes_append_slice(buf,
	    bat_bytes_of_buf(&store->view->recovery.report));
	pthread_rwlock_unlock(&store->lock);
	return code;
}

int
bat_directory_stat(struct bat_store *store, struct bat_file_stat *out)
{
	const struct bat_disk *disk = store->options.disk;
	int code = disk->stat_fd(disk->context, store->dir.dir, out);

	return code < 0 ? bat_error_set_os(NULL, -code, "cannot stat") : BAT_OK;
}
