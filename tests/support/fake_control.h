/* Part of fake_store.c: what is asked of a store as a whole: sync, compaction,
 * pins, status, the transparency log. */
#ifndef FAKE_CONTROL_H
#define FAKE_CONTROL_H

#ifndef FAKE_STORE
#error "include fake_store.c"
#endif

int
bat_checkpoint(struct bat_store *store, struct bat_error *error)
{
	store->checkpoint_count++;
	if (store->checkpoint_code != 0)
		return bat_error_set(error, store->checkpoint_code,
		    "the disk said no");
	return 0;
}

int
bat_compact(struct bat_store *store, bool only_look, struct bat_compacted *out,
    struct bat_error *error)
{
	*out = (struct bat_compacted){ .segments = 3, .bytes_before = 700 };
	if (only_look)
		return 0;
	store->compact_count++;
	if (store->compact_code != 0)
		return bat_error_set(error, store->compact_code,
		    "the disk said no");
	out->performed = true;
	out->events = store->count;
	out->bytes_after = 500;
	return 0;
}

int
bat_sync(struct bat_store *store, struct bat_error *error)
{
	(void)error;
	store->sync_count++;
	return 0;
}

/* A pin without files; what stands in one is for a real store to say. */
int
bat_take_pin(struct bat_store *store, struct bat_pin *previous,
    struct bat_pin **out, struct bat_error *error)
{
	struct bat_pin *pin = previous;

	(void)error;
	if (previous != NULL && previous->end.ordinals == store->count) {
		bat_pin_hold(pin);
		*out = pin;
		return 0;
	}
	pin = calloc(1, sizeof(*pin));
	assert(pin != NULL);
	atomic_init(&pin->holders, 1);
	pthread_mutex_init(&pin->mutex, NULL);
	pin->end.ordinals = store->count;
	for (uint32_t i = 0; i < store->count; i++) {
		if (store->events[i].hidden)
			continue;
		pin->visible_count++;
		pin->last_seq = store->events[i].seq;
		pin->last_id = store->events[i].id;
		pin->last_wall_ms = store->events[i].wall_ms;
	}
	*out = pin;
	return 0;
}

bool
bat_pinned_span(struct bat_store *store, const struct bat_pin *pin, size_t file,
    struct bat_row *first, struct bat_row *last)
{
	(void)store;
	(void)pin;
	(void)file;
	(void)first;
	(void)last;
	return false;
}

void
bat_status(struct bat_store *store, struct bat_status *out)
{
	*out = (struct bat_status){
		.source = BAT_SOURCE_CHECKPOINT,
		.source_version = 6,
		.restored_count = store->count,
		.open_ns = 1234567,
		.segment_count = 1,
	};
}

void
bat_frontier(struct bat_store *store, struct bat_frontier *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < BAT_FRONTIER_COUNT && store->count > 0; i++)
		out->points[i] = (struct bat_frontier_point){ true,
			store->events[store->count - 1].seq,
			store->events[store->count - 1].wall_ms,
			store->events[store->count - 1].id };
}

bool
bat_frontier_knows(struct bat_store *store, enum bat_frontier_which which)
{
	(void)store;
	(void)which;
	return true;
}

const char *
bat_source_name(enum bat_source source)
{
	(void)source;
	return "checkpoint";
}

int
bat_open_report(struct bat_store *store, struct bat_buf *buf)
{
	(void)store;
	return bat_bytes_append_text(buf, "opened a fake\n");
}

/* A transparency log is for a real store to keep. */
void
bat_attest_status(struct bat_store *store, struct bat_attest_status *out)
{
	(void)store;
	*out = (struct bat_attest_status){ .state = BAT_ATTEST_NONE };
}

int
bat_attest_update(struct bat_store *store, struct bat_error *error)
{
	(void)store;
	(void)error;
	return 0;
}

int
bat_attest_checkpoint(struct bat_store *store, struct bat_buf *buf,
    struct bat_error *error)
{
	(void)store;
	(void)buf;
	(void)error;
	return BAT_STATE_NOT_FOUND;
}

int
bat_attest_key(struct bat_store *store, struct bat_buf *buf,
    struct bat_error *error)
{
	return bat_attest_checkpoint(store, buf, error);
}

int
bat_attest_tile(struct bat_store *store, const struct bat_tlog_tile *tile,
    struct bat_buf *buf, struct bat_error *error)
{
	(void)tile;
	return bat_attest_checkpoint(store, buf, error);
}

#endif
