/*
 * For tests of streams: a store in memory whose lines are what a test wants them
 * to be, and streams of it; what a stream says is held against the plainest
 * means. One to a program: it is the renderer that is linked.
 */
#ifndef STREAM_VIEW_H
#define STREAM_VIEW_H

#include "../../fs/stream_internal.h"
#include "fake_store.c"
#include "render.h"
#include "sample.h"
#include "stream.h"

/*
 * Lines are what a test wants them to be: "<seq> <payload>\n", or "<seq>
 * damaged\n". render_count counts them; on_render lets something happen in
 * the middle of a call.
 */
static unsigned render_count;
static void (*on_render)(struct bat_store *store, uint32_t ordinal);
static int render_code;

int
batfs_render_event(struct bat_store *store, uint32_t ordinal,
    struct bat_reading *reading, struct bat_buf *buf, struct bat_error *error)
{
	const struct fake_event *event = &store->events[ordinal];
	int code;

	(void)reading;
	__atomic_fetch_add(&render_count, 1, __ATOMIC_RELAXED);
	if (on_render != NULL)
		on_render(store, ordinal);
	code = __atomic_load_n(&render_code, __ATOMIC_RELAXED);
	if (code != 0)
		return bat_error_set(error, code, "as ordered");
	if (event->hidden)
		return bat_error_set(error, BAT_STATE_NOT_FOUND, "hidden");
	if (event->damaged)
		bat_error_set(error, BAT_DATA_CORRUPT, "damaged");
	if (event->damaged)
		return bat_bytes_append_format(buf, "%llu damaged\n",
		    (unsigned long long)event->seq);
	return bat_bytes_append_format(buf, "%llu %.*s\n",
	    (unsigned long long)event->seq, (int)event->payload.length,
	    (const char *)event->payload.data);
}

static struct bat_store store;
static struct batfs_streams *streams;
static const struct batfs_stream_key everything = {
	.list = { .kind = BAT_LIST_ALL },
	.to_seq = UINT64_MAX,
};

static inline void
setup_with(const struct batfs_stream_ways *ways)
{
	render_count = 0;
	render_code = 0;
	on_render = NULL;
	ck_assert_int_eq(batfs_stream_new(&store, ways, &streams), 0);
	/* Also where there is one. */
	streams->two_processors = true;
}

static inline void
setup(void)
{
	setup_with(NULL);
}

#define TEXT_BYTES 60000

/* Text is kept for a while. */
static inline void
setup_text(void)
{
	setup_with(&(struct batfs_stream_ways){ .text_bytes = TEXT_BYTES });
}

/* The store keeps the lengths. */
static inline void
setup_kept(void)
{
	setup_with(&(struct batfs_stream_ways){ .kept = true });
}

static inline void
teardown(void)
{
	batfs_stream_free(streams);
	fake_free(&store);
}

static inline void
add(const char *scope, const char *entity, const char *text)
{
	fake_add_at(&store, store.next_seq, scope, entity,
	    bat_bytes_text(text));
}

/* Lines of many lengths, of three entities in two scopes; a gap here and
 * there. */
static inline void
add_many(unsigned count)
{
	static const char *const entities[] = { "alice", "bob", "carol" };
	char text[200];

	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < count; i++) {
		size_t length = i * 37 % 199;

		if (i % 11 == 0)
			store.next_seq += 3;
		fake_add_at(&store, store.next_seq, i % 2 ? "home" : "away",
		    entities[i % 3], bat_bytes_slice(text, length));
	}
}

/* The same lines by the plainest means. */
static inline struct bat_buf
plain(const struct batfs_stream_key *key)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_reading reading = BAT_READING_EMPTY;
	unsigned before = render_count;

	for (uint32_t i = 0; i < store.count; i++)
		if (fake_in_list(&store, &key->list, i) &&
		    store.events[i].seq >= key->from_seq &&
		    store.events[i].seq < key->to_seq)
			ck_assert_int_eq(batfs_render_event(&store, i, &reading,
					     &buf, NULL),
			    0);
	render_count = before;
	return buf;
}

static inline uint64_t
size_of(const struct batfs_stream_key *key)
{
	struct bat_error error = { .code = 0 };
	uint64_t size = 0;

	ck_assert_msg(batfs_stream_size(streams, key, &size, &error) == 0, "%s",
	    error.text);
	return size;
}

/* Read from the start in pieces, as `cat` does. */
static inline struct bat_buf
read_in_pieces(const struct batfs_stream_key *key, size_t piece)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	size_t before;

	do {
		before = buf.length;
		ck_assert_int_eq(batfs_stream_read(streams, key, before, piece,
				     &buf, NULL),
		    0);
		ck_assert_uint_le(buf.length - before, piece);
	} while (buf.length > before);
	return buf;
}

static inline void
assert_reads(const struct batfs_stream_key *key, size_t piece)
{
	struct bat_buf wanted = plain(key);
	struct bat_buf got = read_in_pieces(key, piece);

	sample_assert_same(bat_bytes_of_buf(&got), bat_bytes_of_buf(&wanted),
	    "stream");
	bat_bytes_free(&got);
	bat_bytes_free(&wanted);
}

#endif
