/*
 * The events that a session writes of itself have batpak's payloads: the keys
 * of its own, in their order, and what they say is so.
 */
#include <check.h>
#include <stdlib.h>

#include "fake_clock.h"
#include "lifecycle.h"
#include "pack.h"
#include "stores.h"
#include "suite.h"

/* The keys of a map, one a line; for texts and numbers "key=value". */
static void
list_map(struct bat_slice map, bool values, struct bat_buf *out)
{
	struct bat_pack_reader reader = BAT_PACK_READER(map);
	uint32_t count;

	ck_assert_int_eq(bat_pack_read_map(&reader, &count), 0);
	for (uint32_t i = 0; i < count; i++) {
		struct bat_pack_token token;
		struct bat_pack_reader value;
		struct bat_slice key;

		ck_assert_int_eq(bat_pack_read_str(&reader, &key), 0);
		ck_assert_int_eq(bat_bytes_append_slice(out, key), 0);
		value = reader;
		ck_assert_int_eq(bat_pack_skip(&reader, BAT_PACK_DEPTH_MAX), 0);
		ck_assert_int_eq(bat_pack_next(&value, &token), 0);
		if (values && token.type == BAT_PACK_STR)
			ck_assert_int_eq(bat_bytes_append_format(out, "=%.*s",
					     (int)token.bytes.length,
					     (const char *)token.bytes.data),
			    0);
		else if (values && token.type == BAT_PACK_UINT)
			ck_assert_int_eq(bat_bytes_append_format(out, "=%llu",
					     (unsigned long long)token.number),
			    0);
		ck_assert_int_eq(bat_bytes_append_byte(out, '\n'), 0);
	}
	ck_assert_uint_eq(bat_pack_left(&reader), 0);
}

static bool
has(const struct bat_buf *text, const char *line)
{
	return memmem(text->data, text->length, line, strlen(line)) != NULL;
}

/* The keys and values of the payload of an event. */
static void
list_payload(struct bat_store *store, uint32_t ordinal, bool values,
    struct bat_buf *out)
{
	struct bat_reading reading = BAT_READING_EMPTY;

	ck_assert_int_eq(bat_read(store, ordinal, &reading, NULL), 0);
	list_map(bat_bytes_of_buf(&reading.payload), values, out);
	bat_reading_free(&reading);
}

START_TEST(open_and_close_have_the_keys_of_batpaks_own)
{
	struct bat_buf theirs = BAT_BUF_EMPTY, ours = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_head head;
	struct temp_dir dir;

	stores_golden(&dir, "quickstart");
	store = stores_open(&dir, false);
	stores_append(store, "player:new", "\xa1x");
	stores_close(store);
	store = stores_open(&dir, true);
	bat_head(store, &head);
	/* batpak's OPEN is the first event, its CLOSE the 22nd. */
	list_payload(store, 0, false, &theirs);
	list_payload(store, 21, false, &theirs);
	list_payload(store, 22, false, &ours);
	list_payload(store, head.last, false, &ours);
	stores_assert_same(&ours, &theirs, "keys");
	stores_close(store);
	bat_bytes_free(&theirs);
	bat_bytes_free(&ours);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(open_says_where_the_rows_came_from)
{
	static const struct {
		const char *shape;
		const char *path, *rowindex, *checkpoint;
		int break_it;
	} cases[] = {
		{ "quickstart", "path=Mmap\n", "mmap_load_status=Loaded\n",
		    "checkpoint_load_status=NotTried\n", 0 },
		{ "ckpt-only", "path=Checkpoint\n",
		    "mmap_load_status=Missing\n",
		    "checkpoint_load_status=Loaded\n", 0 },
		{ "no-index", "path=Rebuild\n", "mmap_load_status=Missing\n",
		    "checkpoint_load_status=Missing\n", 0 },
		{ "quickstart", "path=Rebuild\n", "mmap_load_status=Invalid\n",
		    "checkpoint_load_status=Missing\n", 1 },
	};
	struct bat_buf said = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_status status;
	struct bat_head head;
	struct temp_dir dir;
	char line[64];

	stores_golden(&dir, cases[_i].shape);
	if (cases[_i].break_it)
		temp_dir_flip(&dir, "index.fbati", 90, 1);
	store = stores_open(&dir, false);
	bat_status(store, &status);
	bat_head(store, &head);
	stores_append(store, "player:new", "\xa1x");
	list_payload(store, head.ordinals, true, &said);
	ck_assert(has(&said, cases[_i].path));
	ck_assert(has(&said, cases[_i].rowindex));
	ck_assert(has(&said, cases[_i].checkpoint));
	snprintf(line, sizeof(line), "restored_entries=%llu\ntail_entries=%llu",
	    (unsigned long long)status.restored_count,
	    (unsigned long long)status.tail_count);
	ck_assert(has(&said, line));
	/* Reasons hold paths of the machine; we never write any. */
	ck_assert(!has(&said, "reason"));
	ck_assert(!has(&said, dir.path));
	stores_close(store);
	bat_bytes_free(&said);
	temp_dir_remove(&dir);
}
END_TEST

/* Of several events of one millisecond it is the last. */
START_TEST(close_says_the_highest_point_of_the_session)
{
	struct fake_clock clock;
	struct bat_options options = { .clock = &clock.clock };
	struct bat_buf said = BAT_BUF_EMPTY;
	struct bat_receipt receipt;
	struct bat_store *store;
	struct bat_head head;
	struct temp_dir dir;
	char wanted[80];

	/* Later than all that the store has, and standing still. */
	fake_clock_init(&clock, 2 * FAKE_CLOCK_START_US, 0);
	stores_golden(&dir, "quickstart");
	store = stores_open_with(&dir, &options);
	stores_append(store, "player:new", "\xa1x");
	receipt = stores_append(store, "player:new", "\xa1y");
	stores_close(store);
	store = stores_open(&dir, true);
	bat_head(store, &head);
	list_payload(store, head.last, true, &said);
	snprintf(wanted, sizeof(wanted), "wall_ms=%llu\nglobal_sequence=%llu\n",
	    (unsigned long long)receipt.wall_ms,
	    (unsigned long long)receipt.seq);
	ck_assert(has(&said, wanted));
	stores_close(store);
	bat_bytes_free(&said);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(counted_kinds_are_carried_on)
{
	struct bat_buf payload = BAT_BUF_EMPTY, said = BAT_BUF_EMPTY;
	const struct bat_recovery recovery = {
		.source = BAT_RECOVERY_CHECKPOINT,
		.restored_count = 7,
		.fallbacks = {
			.system = 3,
			.effect = 4,
			.system_histogram =
			    bat_bytes_slice("\x81\xcd\x02\x00\x03", 5),
		},
	};

	ck_assert_int_eq(bat_lifecycle_open_payload(&recovery, 12, &payload),
	    0);
	list_map(bat_bytes_of_buf(&payload), true, &said);
	ck_assert(has(&said, "\nelapsed_us=12\n"));
	ck_assert(has(&said,
	    "cumulative_unknown_reserved_system_kind_fallbacks=3\n"));
	ck_assert(has(&said,
	    "cumulative_unknown_reserved_effect_kind_fallbacks=4\n"));
	ck_assert(has(&said, "\nunknown_reserved_system_kind_fallbacks=0\n"));
	ck_assert_ptr_nonnull(memmem(payload.data, payload.length,
	    "histogram\x81\xcd\x02\x00\x03", 14));
	bat_bytes_free(&payload);
	bat_bytes_free(&said);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lifecycle");
	TCase *tcase = tcase_create("lifecycle");

	tcase_add_test(tcase, open_and_close_have_the_keys_of_batpaks_own);
	tcase_add_loop_test(tcase, open_says_where_the_rows_came_from, 0, 4);
	tcase_add_test(tcase, close_says_the_highest_point_of_the_session);
	tcase_add_test(tcase, counted_kinds_are_carried_on);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
