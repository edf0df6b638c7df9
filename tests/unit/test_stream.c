#include "stream.h"

#include <pthread.h>

#include "../../fs/stream_internal.h"
#include "../support/fake_store.c"
#include "render.h"
#include "sample.h"
#include "suite.h"

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

static void
setup_with(const struct batfs_stream_ways *ways)
{
	render_count = 0;
	render_code = 0;
	on_render = NULL;
	ck_assert_int_eq(batfs_stream_new(&store, ways, &streams), 0);
	/* Also where there is one. */
	streams->two_processors = true;
}

static void
setup(void)
{
	setup_with(NULL);
}

#define TEXT_BYTES 60000

/* Text is kept for a while. */
static void
setup_text(void)
{
	setup_with(&(struct batfs_stream_ways){ .text_bytes = TEXT_BYTES });
}

/* The store keeps the lengths. */
static void
setup_kept(void)
{
	setup_with(&(struct batfs_stream_ways){ .kept = true });
}

static void
teardown(void)
{
	batfs_stream_free(streams);
	fake_free(&store);
}

static void
add(const char *scope, const char *entity, const char *text)
{
	fake_add_at(&store, store.next_seq, scope, entity,
	    bat_bytes_text(text));
}

/* Lines of many lengths, of three entities in two scopes; a gap here and
 * there. */
static void
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
static struct bat_buf
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

static uint64_t
size_of(const struct batfs_stream_key *key)
{
	struct bat_error error = { .code = 0 };
	uint64_t size = 0;

	ck_assert_msg(batfs_stream_size(streams, key, &size, &error) == 0, "%s",
	    error.text);
	return size;
}

/* Read from the start in pieces, as `cat` does. */
static struct bat_buf
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

static void
assert_reads(const struct batfs_stream_key *key, size_t piece)
{
	struct bat_buf wanted = plain(key);
	struct bat_buf got = read_in_pieces(key, piece);

	sample_assert_same(bat_bytes_of_buf(&got), bat_bytes_of_buf(&wanted),
	    "stream");
	bat_bytes_free(&got);
	bat_bytes_free(&wanted);
}

START_TEST(an_empty_stream_has_no_bytes)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_uint_eq(size_of(&everything), 0);
	ck_assert_int_eq(
	    batfs_stream_read(streams, &everything, 0, 100, &buf, NULL), 0);
	ck_assert_int_eq(
	    batfs_stream_read(streams, &everything, 7, 100, &buf, NULL), 0);
	ck_assert_uint_eq(buf.length, 0);
}
END_TEST

START_TEST(size_is_the_sum_of_the_lines_of_each_list)
{
	struct batfs_stream_key key = everything;
	struct bat_buf wanted;

	add_many(500);
	for (int kind = 0; kind < 3; kind++)
		for (uint32_t entity = 0; entity < 5; entity++)
			for (uint32_t scope = 0; scope < 5; scope++) {
				key.list = (struct bat_list){
					.kind = (enum bat_list_kind)kind,
					.entity = entity,
					.scope = scope,
				};
				wanted = plain(&key);
				ck_assert_uint_eq(size_of(&key), wanted.length);
				bat_bytes_free(&wanted);
			}
}
END_TEST

/* Few lines whose lengths are known are added up without a table; one line
 * more each time, of which nobody has asked before. */
START_TEST(a_short_stream_is_as_long_as_its_lines_known_or_not)
{
	struct batfs_stream_key key = everything;

	add("home", "alice", "x");
	add("home", "bob", "some more");
	for (unsigned count = 1; count < 40; count++) {
		for (key.list.kind = BAT_LIST_ENTITY;
		     key.list.kind <= BAT_LIST_MEMBER; key.list.kind++) {
			struct bat_buf wanted;

			key.list.entity = fake_name(&store, "alice");
			key.list.scope = fake_name(&store, "home");
			wanted = plain(&key);
			ck_assert_uint_eq(size_of(&key), wanted.length);
			render_count = 0;
			ck_assert_uint_eq(size_of(&key), wanted.length);
			ck_assert_uint_eq(render_count, 0);
			bat_bytes_free(&wanted);
		}
		add(count % 2 ? "home" : "away", "alice", "\x92\x01\x02");
	}
}
END_TEST

START_TEST(a_range_has_the_sequences_from_the_first_up_to_before_the_last)
{
	static const uint64_t bounds[] = { 0, 1, 3, 64, 100, 101, 400, 100000,
		UINT64_MAX };
	const size_t count = sizeof(bounds) / sizeof(bounds[0]);
	struct batfs_stream_key key = everything;
	struct bat_buf wanted;

	add_many(300);
	for (size_t i = 0; i < count; i++)
		for (size_t j = i; j < count; j++) {
			key.from_seq = bounds[i];
			key.to_seq = bounds[j];
			wanted = plain(&key);
			ck_assert_uint_eq(size_of(&key), wanted.length);
			bat_bytes_free(&wanted);
			assert_reads(&key, 1000);
		}
}
END_TEST

START_TEST(bytes_at_any_offset_are_those_of_the_whole)
{
	static const size_t sizes[] = { 1, 2, 63, 64, 200, 5000 };
	struct bat_buf wanted, got = BAT_BUF_EMPTY;

	add_many(200);
	wanted = plain(&everything);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t at = 0; at <= wanted.length + 3; at += 71) {
			size_t left = at < wanted.length ? wanted.length - at :
							   0;

			bat_bytes_clear(&got);
			ck_assert_int_eq(batfs_stream_read(streams, &everything,
					     at, sizes[i], &got, NULL),
			    0);
			sample_assert_same(bat_bytes_of_buf(&got),
			    bat_bytes_slice(left ? wanted.data + at : NULL,
				left < sizes[i] ? left : sizes[i]),
			    "piece");
		}
	bat_bytes_free(&got);
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(a_read_far_inside_needs_no_size_before)
{
	struct bat_buf wanted, got = BAT_BUF_EMPTY;

	add_many(500);
	wanted = plain(&everything);
	ck_assert_int_eq(batfs_stream_read(streams, &everything,
			     wanted.length - 50, SIZE_MAX, &got, NULL),
	    0);
	sample_assert_same(bat_bytes_of_buf(&got),
	    bat_bytes_slice(wanted.data + wanted.length - 50, 50), "end");
	bat_bytes_free(&got);
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(sizing_renders_a_line_once_whatever_the_streams)
{
	struct batfs_stream_key key = everything;
	uint32_t length;

	add_many(500);
	size_of(&everything);
	ck_assert_uint_eq(render_count, 500);
	for (uint32_t entity = 0; entity < 5; entity++) {
		key.list = (struct bat_list){ .kind = BAT_LIST_ENTITY,
			.entity = entity };
		size_of(&key);
	}
	size_of(&everything);
	ck_assert_int_eq(batfs_stream_line_length(streams, 17, &length, NULL),
	    0);
	ck_assert_uint_eq(render_count, 500);
}
END_TEST

START_TEST(reading_through_renders_a_line_once_sized_before_or_not)
{
	static const size_t pieces[] = { 61, 4096, 100000, 1 << 20 };
	struct bat_buf buf;

	add_many(1000);
	for (size_t i = 0; i < 2 * sizeof(pieces) / sizeof(pieces[0]); i++) {
		batfs_stream_free(streams);
		setup();
		if (i % 2 == 0)
			size_of(&everything);
		render_count = 0;
		buf = read_in_pieces(&everything, pieces[i / 2]);
		bat_bytes_free(&buf);
		ck_assert_uint_eq(render_count, 1000);
	}
}
END_TEST

START_TEST(a_long_line_is_rendered_once_for_all_its_pieces)
{
	char *text = malloc(1 << 20);

	ck_assert_ptr_nonnull(text);
	memset(text, 'y', 1 << 20);
	text[(1 << 20) - 1] = '\0';
	for (int i = 0; i < 3; i++)
		add("home", "alice", text);
	free(text);
	size_of(&everything);
	assert_reads(&everything, 4096);
	ck_assert_uint_eq(render_count, 6);
}
END_TEST

START_TEST(a_stream_grows_behind_what_was_read)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	uint64_t size;

	for (int i = 0; i < 200; i++) {
		add("home", "alice", "moved");
		size = size_of(&everything);
		add("home", "alice", "again");
		bat_bytes_clear(&buf);
		ck_assert_int_eq(batfs_stream_read(streams, &everything, size,
				     100, &buf, NULL),
		    0);
		ck_assert_uint_eq(buf.length, size_of(&everything) - size);
		ck_assert_msg(memmem(buf.data, buf.length, " again\n", 7),
		    "the new line is not there");
	}
	assert_reads(&everything, 333);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(line_length_is_that_of_the_line)
{
	uint32_t length = 0;

	add("home", "alice", "hello");
	ck_assert_int_eq(batfs_stream_line_length(streams, 0, &length, NULL),
	    0);
	ck_assert_uint_eq(length, strlen("0 hello\n"));
	ck_assert_uint_eq(size_of(&everything), length);
	ck_assert_uint_eq(render_count, 1);
}
END_TEST

START_TEST(a_new_generation_forgets_everything)
{
	add_many(300);
	assert_reads(&everything, 700);
	store.events[5].hidden = true;
	store.events[200].hidden = true;
	store.generation++;
	assert_reads(&everything, 700);
	assert_reads(&everything, 4096);
}
END_TEST

static void
hide_one_in_a_new_generation(struct bat_store *in, uint32_t ordinal)
{
	if (ordinal != 150 || in->events[3].hidden)
		return;
	in->events[3].hidden = true;
	in->generation++;
}

START_TEST(a_generation_that_changes_meanwhile_is_for_the_caller)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	uint64_t size = 77;

	add_many(300);
	on_render = hide_one_in_a_new_generation;
	ck_assert_int_eq(bat_bytes_append_text(&buf, "before"), 0);
	ck_assert_int_eq(batfs_stream_read(streams, &everything, 0, SIZE_MAX,
			     &buf, NULL),
	    BAT_DATA_DISAGREES);
	ck_assert_uint_eq(buf.length, 6);
	store.events[3].hidden = false;
	store.generation++;
	ck_assert_int_eq(batfs_stream_size(streams, &everything, &size, NULL),
	    BAT_DATA_DISAGREES);
	ck_assert_uint_eq(size, 77);
	assert_reads(&everything, 1000);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_line_that_changed_its_length_is_measured_anew)
{
	struct batfs_stream_key alice = everything;

	add_many(300);
	alice.list = (struct bat_list){ .kind = BAT_LIST_ENTITY,
		.entity = store.events[150].entity };
	size_of(&everything);
	size_of(&alice);
	store.events[150].damaged = true;
	assert_reads(&everything, 100);
	assert_reads(&alice, 1 << 20);
	store.events[150].damaged = false;
	assert_reads(&alice, 100);
	assert_reads(&everything, 100);
}
END_TEST

static void
flip(struct bat_store *in, uint32_t ordinal)
{
	in->events[ordinal].damaged = !in->events[ordinal].damaged;
}

START_TEST(a_line_that_never_holds_still_is_an_error_not_a_loop)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_error error;

	add("home", "alice", "hello");
	size_of(&everything);
	on_render = flip;
	ck_assert_int_eq(batfs_stream_read(streams, &everything, 0, 100, &buf,
			     &error),
	    BAT_DATA_DISAGREES);
	ck_assert_uint_eq(buf.length, 0);
	ck_assert_uint_lt(render_count, 100);
	bat_bytes_free(&buf);
}
END_TEST

/* ---- text that is kept for a while ---------------------------------------- */

START_TEST(what_was_measured_is_not_rendered_again_to_be_read)
{
	add_many(300);
	size_of(&everything);
	render_count = 0;
	assert_reads(&everything, 1000);
	assert_reads(&everything, 100000);
	/* But for the last lines, which are no whole block. */
	ck_assert_uint_eq(render_count, 2 * (300 % BATFS_STREAM_BLOCK_LINES));
}
END_TEST

/* Its lengths may be those of another mount. */
START_TEST(what_was_read_whole_is_not_rendered_again)
{
	add_many(300);
	size_of(&everything);
	pthread_mutex_lock(&streams->mutex);
	batfs_stream_drop_text(streams);
	pthread_mutex_unlock(&streams->mutex);
	assert_reads(&everything, 100000);
	render_count = 0;
	assert_reads(&everything, 777);
	ck_assert_uint_eq(render_count, 300 % BATFS_STREAM_BLOCK_LINES);
}
END_TEST

START_TEST(a_stream_that_does_not_fit_keeps_its_beginning)
{
	add_many(1000);
	ck_assert_uint_gt(size_of(&everything), TEXT_BYTES);
	ck_assert_uint_le(streams->text.used, TEXT_BYTES);
	ck_assert_uint_gt(streams->text.used, TEXT_BYTES / 2);
	render_count = 0;
	assert_reads(&everything, 100000);
	ck_assert_uint_lt(render_count, 700);
	ck_assert_uint_gt(render_count, 300);
}
END_TEST

START_TEST(the_next_stream_displaces_the_one_before)
{
	struct batfs_stream_key key = everything;

	add_many(1000);
	size_of(&everything);
	key.from_seq = store.events[500].seq;
	size_of(&key);
	/* Its lengths were known. */
	assert_reads(&key, 1000000);
	ck_assert_uint_le(streams->text.used, TEXT_BYTES);
	assert_reads(&everything, 1000000);
	assert_reads(&key, 1000);
}
END_TEST

/* It may be whole the next time that somebody looks. */
START_TEST(of_a_damaged_event_no_text_is_kept)
{
	add_many(300);
	store.events[70].damaged = true;
	size_of(&everything);
	assert_reads(&everything, 100000);
	store.events[70].damaged = false;
	assert_reads(&everything, 100000);
}
END_TEST

START_TEST(a_new_generation_leaves_no_text)
{
	add_many(300);
	size_of(&everything);
	store.events[70].payload.length /= 2;
	store.generation++;
	size_of(&everything);
	assert_reads(&everything, 100000);
}
END_TEST

START_TEST(text_of_no_use_is_given_up_and_kept_again_later)
{
	add_many(300);
	for (int i = 0; i < 2; i++) {
		size_of(&everything);
		assert_reads(&everything, 100000);
		pthread_mutex_lock(&streams->mutex);
		ck_assert_ptr_nonnull(streams->text.bytes);
		streams->text.hurry = true;
		pthread_cond_broadcast(&streams->text.wake);
		pthread_mutex_unlock(&streams->mutex);
		pthread_join(streams->text.thread, NULL);
		ck_assert_ptr_null(streams->text.bytes);
		streams->text.has_thread = false;
		streams->text.hurry = false;
	}
}
END_TEST

/* ---- lengths that the store kept ---------------------------------------- */

START_TEST(what_was_measured_before_costs_no_rendering_in_another_mount)
{
	add_many(300);
	size_of(&everything);
	batfs_stream_free(streams);
	setup_kept();
	ck_assert_uint_gt(size_of(&everything), 0);
	ck_assert_uint_eq(render_count, 0);
	assert_reads(&everything, 100);
}
END_TEST

/* Lines of every place in a block, too short and too long; whatever is asked
 * first. No byte is handed out that is not that of the right line. */
START_TEST(a_wrong_one_cuts_and_pads_nothing)
{
	static const unsigned places[] = { 0, 1, 63, 64, 150, 299 };
	unsigned place = places[_i / 2];
	struct bat_buf wanted, buf = BAT_BUF_EMPTY;
	struct bat_error error;
	uint64_t before;
	int code;

	add_many(300);
	wanted = plain(&everything);
	size_of(&everything);
	if (_i % 2 == 0)
		store.events[place].length += 7;
	else
		store.events[place].length = 1;
	batfs_stream_free(streams);
	setup_kept();
	before = store.generation;
	/* Who reads on from what was told is told to ask again. */
	do {
		size_t had = buf.length;

		code = batfs_stream_read(streams, &everything, buf.length, 100,
		    &buf, &error);
		if (code == 0 && buf.length == had)
			break;
	} while (code == 0);
	ck_assert_int_eq(code, BAT_DATA_DISAGREES);
	ck_assert_uint_eq(store.generation, before + 1);
	ck_assert_uint_le(buf.length, wanted.length);
	ck_assert_mem_eq(buf.data, wanted.data, buf.length);
	ck_assert_uint_eq(size_of(&everything), wanted.length);
	assert_reads(&everything, 100);
	bat_bytes_free(&buf);
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(a_line_alone_is_held_against_its_length_too)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_error error;
	uint32_t length;

	add("home", "alice", "hello");
	ck_assert_int_eq(batfs_stream_line_length(streams, 0, &length, &error),
	    0);
	store.events[0].length = 3;
	ck_assert_int_eq(batfs_stream_line(streams, 0, &buf, &error),
	    BAT_DATA_DISAGREES);
	ck_assert_uint_eq(buf.length, 0);
	ck_assert_int_eq(batfs_stream_line(streams, 0, &buf, &error), 0);
	ck_assert_uint_eq(buf.length, length);
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(a_failed_read_changes_nothing_and_can_be_repeated)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_error error;
	uint64_t size;

	add_many(100);
	render_code = BAT_WORLD_IO;
	ck_assert_int_eq(batfs_stream_read(streams, &everything, 0, SIZE_MAX,
			     &buf, &error),
	    BAT_WORLD_IO);
	ck_assert_str_eq(error.text, "as ordered");
	ck_assert_uint_eq(buf.length, 0);
	ck_assert_int_eq(batfs_stream_size(streams, &everything, &size, &error),
	    BAT_WORLD_IO);
	render_code = 0;
	assert_reads(&everything, 100);
}
END_TEST

START_TEST(tables_stay_within_their_memory)
{
	struct batfs_stream_key key = everything;
	struct bat_buf one = BAT_BUF_EMPTY;

	add("home", "alice", "hello");
	streams->table_bytes_max = 1 << 20;
	for (unsigned i = 0; i < 20000; i++) {
		key.to_seq = i + 1;
		size_of(&key);
		ck_assert_uint_le(streams->table_bytes, 1 << 20);
	}
	ck_assert_uint_lt(streams->table_count, 20000);
	ck_assert_uint_gt(streams->table_count, 1000);
	ck_assert_uint_eq(render_count, 1);
	/* The first one is gone, and answers as before. */
	key.to_seq = 1;
	ck_assert_uint_eq(size_of(&key), strlen("0 hello\n"));
	ck_assert_int_eq(batfs_stream_read(streams, &key, 2, 5, &one, NULL), 0);
	sample_assert_same(bat_bytes_of_buf(&one), bat_bytes_text("hello"),
	    "line");
	bat_bytes_free(&one);
}
END_TEST

START_TEST(lines_at_the_end_need_no_memory_for_those_before)
{
	struct batfs_stream_key end = everything;
	size_t chunks = 0;

	/* No line is rendered by two at once. */
	streams->two_processors = false;
	add_many(4 * BATFS_STREAM_LENGTHS);
	end.from_seq = store.events[store.count - 10].seq;
	assert_reads(&end, 100);
	for (size_t i = 0; i < streams->length_chunks; i++)
		chunks += streams->lengths[i] != NULL;
	ck_assert_uint_eq(chunks, 1);
	ck_assert_uint_eq(render_count, 10);
	/* What stands between is measured as ever, and nothing again. */
	ck_assert_uint_gt(size_of(&everything), 0);
	ck_assert_uint_eq(render_count, store.count);
	assert_reads(&everything, 4000);
}
END_TEST

/* wanted: what plain says; it must not be called by two threads. */
static void *
read_all(void *wanted)
{
	for (size_t piece = 500; piece < 5000; piece += 1500) {
		struct bat_buf got = read_in_pieces(&everything, piece);

		sample_assert_same(bat_bytes_of_buf(&got),
		    bat_bytes_of_buf(wanted), "stream");
		bat_bytes_free(&got);
	}
	return NULL;
}

static void *
size_all(void *unused)
{
	(void)unused;
	size_of(&everything);
	return NULL;
}

/* Few lines, and long ones. */
static void
add_long(unsigned count)
{
	static char text[3000];

	memset(text, 'y', sizeof(text));
	for (unsigned i = 0; i < count; i++)
		fake_add_at(&store, store.next_seq, "home", "alice",
		    bat_bytes_slice(text, 700 + i * 37 % 2300));
}

/* Long enough for two threads; what is appended meanwhile comes behind. */
START_TEST(a_long_read_is_the_same_by_two)
{
	static const size_t offsets[] = { 0, 1, 77, 300000, 699999 };
	struct bat_buf wanted;
	uint64_t size;

	add_long(500);
	wanted = plain(&everything);
	ck_assert_uint_gt(wanted.length, 800000);
	ck_assert_int_eq(batfs_stream_size(streams, &everything, &size, NULL),
	    0);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct bat_buf buf = BAT_BUF_EMPTY;
		size_t left = wanted.length - offsets[i];

		for (size_t ask = 262144; ask < 2000000; ask = ask * 2 + 7) {
			size_t some = ask < left ? ask : left;

			bat_bytes_clear(&buf);
			render_count = 0;
			ck_assert_int_eq(batfs_stream_read(streams, &everything,
					     offsets[i], ask, &buf, NULL),
			    0);
			ck_assert_uint_eq(buf.length, some);
			ck_assert_mem_eq(buf.data, wanted.data + offsets[i],
			    some);
			/* No line by both. */
			ck_assert_uint_le(render_count, store.count);
		}
		bat_bytes_free(&buf);
	}
	bat_bytes_free(&wanted);
}
END_TEST

/* An append between measuring and reading: both in one answer. */
START_TEST(a_long_read_goes_on_behind_what_was_measured)
{
	struct bat_buf wanted, buf = BAT_BUF_EMPTY;
	uint64_t size;

	add_long(400);
	ck_assert_int_eq(batfs_stream_size(streams, &everything, &size, NULL),
	    0);
	add_long(50);
	wanted = plain(&everything);
	ck_assert_int_eq(
	    batfs_stream_read(streams, &everything, 0, 2000000, &buf, NULL), 0);
	ck_assert_uint_eq(buf.length, wanted.length);
	ck_assert_mem_eq(buf.data, wanted.data, wanted.length);
	bat_bytes_free(&wanted);
	bat_bytes_free(&buf);
}
END_TEST

/* Long enough for a helper that goes ahead. */
#define VERY_MANY (3 * BATFS_STREAM_AHEAD_LINES + 77)

/* Whether a helper came in time or not. */
START_TEST(a_stream_of_very_many_lines_is_measured_as_it_is)
{
	struct batfs_stream_key home = { .list = { .kind = BAT_LIST_ENTITY,
					     .entity = 0 },
		.to_seq = UINT64_MAX };
	struct bat_buf wanted;

	add_many(VERY_MANY);
	home.list.entity = store.events[0].entity;
	wanted = plain(&everything);
	ck_assert_uint_eq(size_of(&everything), wanted.length);
	/* A line that both came to at once is rendered twice. */
	ck_assert_uint_ge(render_count, VERY_MANY);
	ck_assert_uint_lt(render_count, 2 * VERY_MANY);
	read_all(&wanted);
	bat_bytes_free(&wanted);
	wanted = plain(&home);
	ck_assert_uint_eq(size_of(&home), wanted.length);
	bat_bytes_free(&wanted);
}
END_TEST

static void
fail_late(struct bat_store *of, uint32_t ordinal)
{
	(void)of;
	if (ordinal >= 2 * BATFS_STREAM_AHEAD_LINES)
		__atomic_store_n(&render_code, BAT_WORLD_NO_MEMORY,
		    __ATOMIC_RELAXED);
}

START_TEST(a_failure_in_the_midst_of_very_many_is_told)
{
	struct bat_error error = { .code = 0 };
	struct bat_buf wanted;
	uint64_t size;

	add_many(VERY_MANY);
	wanted = plain(&everything);
	on_render = fail_late;
	ck_assert_int_eq(batfs_stream_size(streams, &everything, &size, &error),
	    BAT_WORLD_NO_MEMORY);
	on_render = NULL;
	render_code = 0;
	ck_assert_uint_eq(size_of(&everything), wanted.length);
	read_all(&wanted);
	bat_bytes_free(&wanted);
}
END_TEST

START_TEST(threads_measure_a_stream_together)
{
	pthread_t threads[4];
	struct bat_buf wanted;

	add_many(1000);
	wanted = plain(&everything);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, size_all, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(render_count, 1000);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, read_all, &wanted), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	bat_bytes_free(&wanted);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stream");
	TCase *sizes = tcase_create("sizes"), *reads = tcase_create("reads");
	TCase *changes = tcase_create("changes"), *kept = tcase_create("kept");
	TCase *text = tcase_create("text");

	tcase_add_checked_fixture(sizes, setup, teardown);
	tcase_add_test(sizes, an_empty_stream_has_no_bytes);
	tcase_add_test(sizes, size_is_the_sum_of_the_lines_of_each_list);
	tcase_add_test(sizes,
	    a_range_has_the_sequences_from_the_first_up_to_before_the_last);
	tcase_add_test(sizes, sizing_renders_a_line_once_whatever_the_streams);
	tcase_add_test(sizes, line_length_is_that_of_the_line);
	tcase_add_test(sizes, lines_at_the_end_need_no_memory_for_those_before);
	tcase_add_test(sizes, tables_stay_within_their_memory);
	tcase_set_timeout(sizes, 60);
	suite_add_tcase(suite, sizes);

	tcase_add_checked_fixture(reads, setup, teardown);
	tcase_add_test(reads, bytes_at_any_offset_are_those_of_the_whole);
	tcase_add_test(reads, a_read_far_inside_needs_no_size_before);
	tcase_add_test(reads,
	    reading_through_renders_a_line_once_sized_before_or_not);
	tcase_add_test(reads, a_long_line_is_rendered_once_for_all_its_pieces);
	tcase_add_test(reads, threads_measure_a_stream_together);
	tcase_add_test(reads, a_stream_of_very_many_lines_is_measured_as_it_is);
	tcase_add_test(reads, a_failure_in_the_midst_of_very_many_is_told);
	tcase_add_test(reads, a_long_read_is_the_same_by_two);
	tcase_add_test(reads, a_long_read_goes_on_behind_what_was_measured);
	tcase_set_timeout(reads, 60);
	suite_add_tcase(suite, reads);

	tcase_add_checked_fixture(changes, setup, teardown);
	tcase_add_test(changes, a_stream_grows_behind_what_was_read);
	tcase_add_test(changes, a_new_generation_forgets_everything);
	tcase_add_test(changes,
	    a_generation_that_changes_meanwhile_is_for_the_caller);
	tcase_add_test(changes,
	    a_line_that_changed_its_length_is_measured_anew);
	tcase_add_test(changes,
	    a_line_that_never_holds_still_is_an_error_not_a_loop);
	tcase_add_test(changes,
	    a_failed_read_changes_nothing_and_can_be_repeated);
	suite_add_tcase(suite, changes);

	tcase_add_checked_fixture(text, setup_text, teardown);
	tcase_add_test(text, bytes_at_any_offset_are_those_of_the_whole);
	tcase_add_test(text, sizing_renders_a_line_once_whatever_the_streams);
	tcase_add_test(text, a_stream_grows_behind_what_was_read);
	tcase_add_test(text, a_new_generation_forgets_everything);
	tcase_add_test(text,
	    a_generation_that_changes_meanwhile_is_for_the_caller);
	tcase_add_test(text, a_stream_of_very_many_lines_is_measured_as_it_is);
	tcase_add_test(text, a_failure_in_the_midst_of_very_many_is_told);
	tcase_add_test(text,
	    what_was_measured_is_not_rendered_again_to_be_read);
	tcase_add_test(text, what_was_read_whole_is_not_rendered_again);
	tcase_add_test(text, a_stream_that_does_not_fit_keeps_its_beginning);
	tcase_add_test(text, the_next_stream_displaces_the_one_before);
	tcase_add_test(text, of_a_damaged_event_no_text_is_kept);
	tcase_add_test(text, a_new_generation_leaves_no_text);
	tcase_add_test(text, text_of_no_use_is_given_up_and_kept_again_later);
	tcase_set_timeout(text, 60);
	suite_add_tcase(suite, text);

	tcase_add_checked_fixture(kept, setup_kept, teardown);
	tcase_add_test(kept, size_is_the_sum_of_the_lines_of_each_list);
	tcase_add_test(kept,
	    a_short_stream_is_as_long_as_its_lines_known_or_not);
	tcase_add_test(kept, sizing_renders_a_line_once_whatever_the_streams);
	tcase_add_test(kept, bytes_at_any_offset_are_those_of_the_whole);
	tcase_add_test(kept,
	    reading_through_renders_a_line_once_sized_before_or_not);
	tcase_add_test(kept, a_stream_grows_behind_what_was_read);
	tcase_add_test(kept, a_new_generation_forgets_everything);
	tcase_add_test(kept, threads_measure_a_stream_together);
	tcase_add_test(kept, a_stream_of_very_many_lines_is_measured_as_it_is);
	tcase_add_test(kept, a_failure_in_the_midst_of_very_many_is_told);
	tcase_add_test(kept, a_long_read_is_the_same_by_two);
	tcase_add_test(kept,
	    what_was_measured_before_costs_no_rendering_in_another_mount);
	tcase_add_loop_test(kept, a_wrong_one_cuts_and_pads_nothing, 0, 12);
	tcase_add_test(kept, a_line_alone_is_held_against_its_length_too);
	tcase_set_timeout(kept, 60);
	suite_add_tcase(suite, kept);
	return suite_run(suite);
}
