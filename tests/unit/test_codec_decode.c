/*
 * What bat_codec_decode takes and what it refuses; test_codec.c has the rest
 * of the module.
 */
#include "../../store/codec_internal.h"

#include "extension_list.h"
#include "hex.h"
#include "kind.h"
#include "repack.h"
#include "sample.h"
#include "suite.h"

/* store/FORMAT.md 14.4: a whole frame, so 8 bytes stand before the body. */
static const char event_vector[] =
    "000001bdf5bf689884a56576656e7483a668656164657289a86576656e745f69"
    "64c41000000000000000000000000000000001ae636f7272656c6174696f6e5f"
    "6964c41000000000000000000000000000000001ac636175736174696f6e5f69"
    "64c0ac74696d657374616d705f7573cf00060a24181e4000a8706f736974696f"
    "6e85a777616c6c5f6d73cf0000018bcfe56800a7636f756e74657200a5646570"
    "746800a46c616e6500a873657175656e636500ac7061796c6f61645f73697a65"
    "04aa6576656e745f6b696e64cd1000a5666c61677300ac636f6e74656e745f68"
    "617368dc00207bcce2ccf6ccba1acc9eccbb6454ccbacce81c36ccb2ccf3416e"
    "4fccfe75cc827066ccecccc0cc856478cca8ccc75a7fa77061796c6f616494cc"
    "81cca16e01aa686173685f636861696e82a9707265765f68617368dc00200000"
    "000000000000000000000000000000000000000000000000000000000000aa65"
    "76656e745f68617368dc00207bcce2ccf6ccba1acc9eccbb6454ccbacce81c36"
    "ccb2ccf3416e4fccfe75cc827066ccecccc0cc856478cca8ccc75a7fa6656e74"
    "697479a3653a31a573636f7065a3733a31b2726563656970745f657874656e73"
    "696f6e7380";

/* The body of the event vector. */
static struct bat_buf
event_body(void)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	test_hex_append(&buf, event_vector + 16);
	return buf;
}

static void
assert_same_event(const struct bat_event *a, const struct bat_event *b)
{
	struct bat_buf left = BAT_BUF_EMPTY, right = BAT_BUF_EMPTY;
	struct bat_extension *of_a = extensions_of(a);
	struct bat_extension *of_b = extensions_of(b);

	ck_assert(bat_id_equal(&a->id, &b->id));
	ck_assert(bat_id_equal(&a->corr, &b->corr));
	ck_assert(bat_id_equal(&a->cause, &b->cause));
	ck_assert_int_eq(a->timestamp_us, b->timestamp_us);
	ck_assert_uint_eq(a->wall_ms, b->wall_ms);
	ck_assert_uint_eq(a->counter, b->counter);
	ck_assert_uint_eq(a->depth, b->depth);
	ck_assert_uint_eq(a->lane, b->lane);
	ck_assert_uint_eq(a->clock, b->clock);
	ck_assert_uint_eq(a->payload_size, b->payload_size);
	ck_assert_uint_eq(a->kind, b->kind);
	ck_assert_uint_eq(a->flags, b->flags);
	ck_assert_int_eq(a->has_chain, b->has_chain);
	ck_assert(bat_hash_equal(&a->content_hash, &b->content_hash));
	ck_assert(bat_hash_equal(&a->prev, &b->prev));
	ck_assert(bat_hash_equal(&a->hash, &b->hash));
	ck_assert(bat_bytes_equal(a->entity, b->entity));
	ck_assert(bat_bytes_equal(a->scope, b->scope));
	ck_assert_int_eq(bat_codec_payload(a, &left), 0);
	ck_assert_int_eq(bat_codec_payload(b, &right), 0);
	ck_assert(
	    bat_bytes_equal(bat_bytes_of_buf(&left), bat_bytes_of_buf(&right)));
	ck_assert_uint_eq(a->extension_count, b->extension_count);
	for (uint32_t i = 0; i < a->extension_count; i++) {
		ck_assert(bat_bytes_equal(of_a[i].key, of_b[i].key));
		ck_assert(bat_bytes_equal(of_a[i].value, of_b[i].value));
	}
	free_extensions(of_a, a->extension_count);
	free_extensions(of_b, b->extension_count);
	bat_bytes_free(&left);
	bat_bytes_free(&right);
}

static void
check_other_spellings(const char *path, struct bat_slice file)
{
	static const unsigned spellings[] = { REPACK_SAME, REPACK_REVERSED,
		REPACK_POSITIONAL, REPACK_UNKNOWN, REPACK_BIN, REPACK_WIDE,
		REPACK_ID_ARRAYS,
		REPACK_POSITIONAL | REPACK_BIN | REPACK_WIDE | REPACK_ID_ARRAYS,
		REPACK_REVERSED | REPACK_UNKNOWN | REPACK_BIN | REPACK_WIDE |
		    REPACK_ID_ARRAYS };
	struct bat_buf other = BAT_BUF_EMPTY;
	size_t offset = 0, start;
	struct bat_slice body;

	while (sample_next_frame(file, &offset, &start, &body)) {
		struct bat_event plain, event;

		ck_assert_int_eq(bat_codec_decode(body, &plain, NULL), 0);
		for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]);
		     i++) {
			struct bat_error error;

			bat_bytes_clear(&other);
			repack(body, spellings[i], &other);
			ck_assert_msg(bat_codec_decode(bat_bytes_of_buf(&other),
					  &event, &error) == 0,
			    "%s at %zu, spelling %u: %s", path, start,
			    spellings[i], error.text);
			assert_same_event(&plain, &event);
		}
	}
	bat_bytes_free(&other);
}

/* Field by field: padding has no value. */
static bool
is_same(const struct bat_event *a, const struct bat_event *b)
{
	return bat_id_equal(&a->id, &b->id) &&
	    bat_id_equal(&a->corr, &b->corr) &&
	    bat_id_equal(&a->cause, &b->cause) &&
	    a->timestamp_us == b->timestamp_us && a->wall_ms == b->wall_ms &&
	    a->counter == b->counter && a->depth == b->depth &&
	    a->lane == b->lane && a->clock == b->clock &&
	    a->payload_size == b->payload_size && a->kind == b->kind &&
	    a->flags == b->flags && a->has_chain == b->has_chain &&
	    bat_hash_equal(&a->content_hash, &b->content_hash) &&
	    bat_hash_equal(&a->prev, &b->prev) &&
	    bat_hash_equal(&a->hash, &b->hash) &&
	    a->entity.data == b->entity.data &&
	    a->entity.length == b->entity.length &&
	    a->scope.data == b->scope.data &&
	    a->scope.length == b->scope.length &&
	    a->payload_slot.data == b->payload_slot.data &&
	    a->payload_slot.length == b->payload_slot.length &&
	    a->payload_is_bytes == b->payload_is_bytes &&
	    a->extension_map.data == b->extension_map.data &&
	    a->extension_map.length == b->extension_map.length &&
	    a->extension_count == b->extension_count;
}

/* Does the fast way know it? Then it says what the general way says. */
static bool
is_expected(struct bat_slice body, const char *what)
{
	/* Room for some payloads, and not for others. */
	uint8_t bytes[24];
	const struct bat_buf room = { bytes, 0, sizeof(bytes) };
	struct bat_buf payload = BAT_BUF_EMPTY;
	struct bat_event fast, slow;
	struct bat_error error = { .text = "" };

	memset(&fast, 0xa5, sizeof(fast));
	if (!bat_codec_decode_expected(body, NULL, &fast))
		return false;
	if (bat_codec_decode_any(body, &slow, &error) != 0)
		ck_abort_msg("%s: only the fast way takes it: %s", what,
		    error.text);
	if (!is_same(&fast, &slow))
		ck_abort_msg("%s: the two ways differ", what);
	memset(&fast, 0xa5, sizeof(fast));
	ck_assert(bat_codec_decode_expected(body, &room, &fast));
	if (!is_same(&fast, &slow))
		ck_abort_msg("%s: with room for the payload they differ", what);
	if (bat_pack_unpacked_length(slow.payload_slot) <= sizeof(bytes)) {
		ck_assert_int_eq(
		    bat_pack_unpack_bytes(slow.payload_slot, &payload), 0);
		ck_assert_ptr_eq(fast.payload.data, bytes);
		if (!bat_bytes_equal(fast.payload, bat_bytes_of_buf(&payload)))
			ck_abort_msg("%s: another payload", what);
		bat_bytes_free(&payload);
	} else {
		ck_assert_ptr_null(fast.payload.data);
	}
	return true;
}

static void
check_both_ways(const char *path, struct bat_slice file)
{
	size_t offset = 0, start, frames = 0, fast = 0;
	struct bat_slice body;

	while (sample_next_frame(file, &offset, &start, &body)) {
		frames++;
		fast += is_expected(body, path);
	}
	/* All but markers of batches and what compactions left. */
	if (strstr(path, "/quickstart/") != NULL)
		ck_assert_uint_eq(fast, frames);
}

START_TEST(the_fast_way_says_what_the_general_one_says)
{
	sample_each("fixtures/*/*.fbat", check_both_ways);
	sample_each("golden/*/store/*.fbat", check_both_ways);
}
END_TEST

/* Each byte of a body replaced, left out, doubled, and the body cut there. */
START_TEST(both_ways_see_every_change_alike)
{
	struct bat_buf body = event_body(), other = BAT_BUF_EMPTY;
	struct bat_slice whole = bat_bytes_of_buf(&body);

	ck_assert(is_expected(whole, "the vector"));
	for (size_t at = 0; at < whole.length; at++) {
		struct bat_slice head = bat_bytes_slice(whole.data, at);

		for (unsigned byte = 0; byte < 256; byte++) {
			uint8_t before = body.data[at];

			body.data[at] = (uint8_t)byte;
			(void)is_expected(whole, "changed");
			body.data[at] = before;
		}
		for (size_t skip = 0; skip < 2; skip++) {
			struct bat_slice tail = bat_bytes_slice(
			    whole.data + at + skip, whole.length - at - skip);

			bat_bytes_clear(&other);
			ck_assert_int_eq(bat_bytes_append_slice(&other, head),
			    0);
			if (skip == 0)
				ck_assert_int_eq(
				    bat_bytes_append_byte(&other, 0xcc), 0);
			ck_assert_int_eq(bat_bytes_append_slice(&other, tail),
			    0);
			(void)is_expected(bat_bytes_of_buf(&other), "moved");
		}
		ck_assert(!is_expected(head, "cut"));
	}
	bat_bytes_free(&body);
	bat_bytes_free(&other);
}
END_TEST

START_TEST(every_spelling_that_batpak_accepts_decodes)
{
	sample_each("fixtures/*/*.fbat", check_other_spellings);
	sample_each("golden/extensions/store/000001.fbat",
	    check_other_spellings);
}
END_TEST

START_TEST(bytes_behind_the_frame_are_ignored)
{
	struct bat_buf body = event_body();
	struct bat_event event;

	ck_assert_int_eq(bat_bytes_append(&body, "\xc1\xff", 2), 0);
	ck_assert_int_eq(
	    bat_codec_decode(bat_bytes_of_buf(&body), &event, NULL), 0);
	bat_bytes_free(&body);
}
END_TEST

/* The body of the event vector with one piece replaced. */
static struct bat_buf
edited(const char *from, const char *to)
{
	struct bat_buf body = event_body(), old = BAT_BUF_EMPTY;
	struct bat_buf new = BAT_BUF_EMPTY, out = BAT_BUF_EMPTY;
	uint8_t *at;

	test_hex_append(&old, from);
	test_hex_append(&new, to);
	at = memmem(body.data, body.length, old.data, old.length);
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(
	    bat_bytes_append(&out, body.data, (size_t)(at - body.data)), 0);
	ck_assert_int_eq(bat_bytes_append_slice(&out, bat_bytes_of_buf(&new)),
	    0);
	at += old.length;
	ck_assert_int_eq(bat_bytes_append(&out, at,
			     (size_t)(body.data + body.length - at)),
	    0);
	bat_bytes_free(&body);
	bat_bytes_free(&old);
	bat_bytes_free(&new);
	return out;
}

static int
decode_edited(const char *from, const char *to, struct bat_event *event,
    struct bat_error *error)
{
	struct bat_buf body = edited(from, to);
	int code = bat_codec_decode(bat_bytes_of_buf(&body), event, error);

	bat_bytes_free(&body);
	return code;
}

START_TEST(fields_that_may_be_missing_may_be_missing)
{
	struct bat_event event;

	/* receipt_extensions out of the frame, causation_id and content_hash
	 * out of the header: under names that nobody knows. */
	ck_assert_int_eq(decode_edited("b272656365697074", "b258656365697074",
			     &event, NULL),
	    0);
	ck_assert_uint_eq(event.extension_count, 0);
	ck_assert_int_eq(
	    decode_edited("ac63617573", "ac58617573", &event, NULL), 0);
	ck_assert(bat_id_is_zero(&event.cause));
	ck_assert_int_eq(
	    decode_edited("ac636f6e74", "ac586f6e74", &event, NULL), 0);
	ck_assert(bat_hash_is_zero(&event.content_hash));
	ck_assert(!bat_hash_is_zero(&event.hash));
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
	static const struct {
		const char *from, *to, *text;
	} cases[] = {
		{ "a77061796c6f6164", "a75861796c6f6164", "a key" },
		{ "a6656e74697479", "a6586e74697479", "a key" },
		/* hash_chain under another name; of an event: not allowed */
		{ "aa686173685f636861696e", "aa586173685f636861696e", "chain" },
		/* counter above 16, kind above 16, flags above 8 bits */
		{ "a7636f756e74657200", "a7636f756e746572ce00010000",
		    "counter" },
		{ "cd1000", "ce00010000", "event_kind" },
		{ "a5666c61677300", "a5666c616773cd0100", "flags" },
		{ "a46c616e6500", "a46c616e65ff", "lane" },
		{ "a46c616e6500", "a46c616e65cb0000000000000000", "lane" },
		{ "ac636175736174696f6e5f6964c0",
		    "ac636175736174696f6e5f6964c3", "causation_id" },
		{ "c410", "c40f", "event_id" },
		{ "a3653a31", "c403ffffff", "entity" },
		{ "74656e73696f6e7380", "74656e73696f6e7390",
		    "receipt_extensions" },
	};
	struct bat_event event;
	struct bat_error error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_msg(decode_edited(cases[i].from, cases[i].to, &event,
				  &error) == BAT_DATA_CORRUPT,
		    "case %zu was taken", i);
		ck_assert_msg(strstr(error.text, cases[i].text) != NULL,
		    "case %zu: %s", i, error.text);
	}
}
END_TEST

START_TEST(a_repeated_key_is_corrupt)
{
	struct bat_buf body = event_body(), other = BAT_BUF_EMPTY;
	struct bat_event event;

	repack(bat_bytes_of_buf(&body), REPACK_REPEATED, &other);
	ck_assert_int_eq(bat_codec_decode(bat_bytes_of_buf(&other), &event,
			     NULL),
	    BAT_DATA_CORRUPT);
	bat_bytes_free(&body);
	bat_bytes_free(&other);
}
END_TEST

/* ---- payload slots that hold a value (FORMAT.md 9.6) -------------------- */

/* in_room: it was expanded when it was decoded. */
static struct bat_buf
payload_in_slot(const char *slot, uint32_t payload_size,
    const struct bat_hash *hash, bool in_room)
{
	struct bat_buf bytes = BAT_BUF_EMPTY, payload = BAT_BUF_EMPTY;
	struct bat_pack_reader reader;
	struct bat_event event = { .payload_size = payload_size,
		.has_chain = true,
		.hash = *hash };

	test_hex_append(&bytes, slot);
	reader = BAT_PACK_READER(bat_bytes_of_buf(&bytes));
	if (in_room)
		ck_assert_int_eq(bat_bytes_reserve(&payload, 16), 0);
	event.payload_is_bytes = bat_pack_read_bytes_into(&reader,
				     &event.payload_slot,
				     in_room ? &payload : NULL,
				     &event.payload) == 0;
	ck_assert(
	    in_room == (event.payload.data != NULL) || !event.payload_is_bytes);
	ck_assert_int_eq(bat_codec_payload(&event, &payload), 0);
	bat_bytes_free(&bytes);
	return payload;
}

START_TEST(a_slot_holds_bytes_or_a_value)
{
	struct bat_hash of_bytes = bat_hash_of(bat_bytes_text("\x01\x02\x03"));
	struct bat_hash of_other = bat_hash_of(bat_bytes_text("other"));
	const struct {
		const char *slot;
		uint32_t payload_size;
		const struct bat_hash *hash;
		const char *wanted;
	} cases[] = {
		/* by length, by hash, and neither: then it is a value */
		{ "93010203", 3, &of_other, "010203" },
		{ "93010203", 9, &of_bytes, "010203" },
		{ "93010203", 4, &of_other, "93010203" },
		{ "90", 1, &of_other, "90" },
		{ "90", 0, &of_other, "" },
		/* bin is always bytes, anything else never */
		{ "c403010203", 9, &of_other, "010203" },
		{ "81a16101", 4, &of_other, "81a16101" },
		{ "92cd010001", 2, &of_other, "92cd010001" },
		{ "a161", 9, &of_other, "a161" },
		{ "c0", 0, &of_other, "c0" },
	};

	for (size_t n = 0; n < 2 * sizeof(cases) / sizeof(cases[0]); n++) {
		size_t i = n / 2;
		struct bat_buf got;

		got = payload_in_slot(cases[i].slot, cases[i].payload_size,
		    cases[i].hash, n % 2 == 1);
		ck_assert_msg(test_hex_equals(bat_bytes_of_buf(&got),
				  cases[i].wanted),
		    "case %zu", n);
		bat_bytes_free(&got);
	}
}
END_TEST

START_TEST(a_frame_with_a_value_for_payload_decodes)
{
	struct bat_buf payload = BAT_BUF_EMPTY;
	struct bat_event event;
	struct bat_buf body = edited("a77061796c6f6164 94cc81cca16e01",
	    "a77061796c6f6164 81a16ecb3ff8000000000000");

	ck_assert_int_eq(
	    bat_codec_decode(bat_bytes_of_buf(&body), &event, NULL), 0);
	ck_assert(!event.payload_is_bytes);
	ck_assert_int_eq(bat_codec_payload(&event, &payload), 0);
	ck_assert(test_hex_equals(bat_bytes_of_buf(&payload),
	    "81a16ecb3ff8000000000000"));
	bat_bytes_free(&payload);
	bat_bytes_free(&body);
}
END_TEST

/* ---- hostile bytes ------------------------------------------------------ */

/* Decode a copy of exactly these bytes, so that ASan sees a step outside. */
static int
decode_copy(struct bat_slice body)
{
	uint8_t *copy = malloc(body.length + 1);
	struct bat_buf payload = BAT_BUF_EMPTY;
	struct bat_event event;
	int code;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy + 1, body.data, body.length);
	code = bat_codec_decode(bat_bytes_slice(copy + 1, body.length), &event,
	    NULL);
	if (code == 0) {
		ck_assert_int_eq(bat_codec_payload(&event, &payload), 0);
		free_extensions(extensions_of(&event), event.extension_count);
	}
	bat_bytes_free(&payload);
	free(copy);
	return code;
}

static void
harm_frames(const char *path, struct bat_slice file)
{
	size_t offset = 0, start;
	struct bat_slice body;

	while (sample_next_frame(file, &offset, &start, &body)) {
		uint8_t *copy = malloc(body.length);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, body.data, body.length);
		for (size_t i = 0; i < body.length; i++)
			ck_assert_msg(decode_copy(bat_bytes_slice(body.data,
					  i)) == BAT_DATA_CORRUPT,
			    "%s at %zu cut to %zu bytes", path, start, i);
		for (size_t i = 0; i < body.length; i++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				copy[i] ^= (uint8_t)(1u << bit);
				decode_copy(bat_bytes_slice(copy, body.length));
				copy[i] ^= (uint8_t)(1u << bit);
			}
		}
		free(copy);
	}
}

START_TEST(cut_and_changed_frames_do_no_harm)
{
	sample_each("fixtures/mmap-v4/*.fbat", harm_frames);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("codec_decode");
	TCase *tcase = tcase_create("codec_decode");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, every_spelling_that_batpak_accepts_decodes);
	tcase_add_test(tcase, the_fast_way_says_what_the_general_one_says);
	tcase_add_test(tcase, both_ways_see_every_change_alike);
	tcase_add_test(tcase, bytes_behind_the_frame_are_ignored);
	tcase_add_test(tcase, fields_that_may_be_missing_may_be_missing);
	tcase_add_test(tcase, what_is_wrong_is_named);
	tcase_add_test(tcase, a_repeated_key_is_corrupt);
	tcase_add_test(tcase, a_slot_holds_bytes_or_a_value);
	tcase_add_test(tcase, a_frame_with_a_value_for_payload_decodes);
	tcase_add_test(tcase, cut_and_changed_frames_do_no_harm);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
