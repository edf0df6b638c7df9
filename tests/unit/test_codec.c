#include "codec.h"

#include "chain.h"
#include "extension_list.h"
#include "hex.h"
#include "kind.h"
#include "sample.h"
#include "suite.h"

/* store/FORMAT.md 14.4: whole frames, so 8 bytes stand before the body. */
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
static const char begin_vector[] =
    "0000014155c26c1684a56576656e7483a668656164657289a86576656e745f69"
    "64c41000000000000000000000000000000005ae636f7272656c6174696f6e5f"
    "6964c41000000000000000000000000000000005ac636175736174696f6e5f69"
    "64c0ac74696d657374616d705f7573cf00060a24181e4000a8706f736974696f"
    "6e85a777616c6c5f6d73cf0000018bcfe56800a7636f756e74657200a5646570"
    "746800a46c616e6500a873657175656e636500ac7061796c6f61645f73697a65"
    "02aa6576656e745f6b696e6406a5666c61677300ac636f6e74656e745f686173"
    "68dc002000000000000000000000000000000000000000000000000000000000"
    "00000000a77061796c6f616490aa686173685f636861696ec0a6656e74697479"
    "a65f6261746368a573636f7065a75f73797374656db2726563656970745f6578"
    "74656e73696f6e7380";
static const int64_t vector_time = 1700000000000000;

static struct bat_slice
body_of(const struct bat_buf *frame)
{
	ck_assert_uint_eq(bat_bytes_get_be32(frame->data), frame->length - 8);
	return bat_bytes_slice(frame->data + 8, frame->length - 8);
}

START_TEST(an_event_is_encoded_as_batpak_does)
{
	struct bat_slice payload = bat_bytes_slice("\x81\xa1n\x01", 4);
	struct bat_chain_head none = { 0 };
	struct bat_event event = {
		.id = bat_id_from_number(1),
		.corr = bat_id_from_number(1),
		.timestamp_us = vector_time,
		.kind = BAT_KIND_DATA,
		.entity = bat_bytes_text("e:1"),
		.scope = bat_bytes_text("s:1"),
	};
	struct bat_buf wanted = BAT_BUF_EMPTY, got = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_chain_link(&none, payload, &event, NULL), 0);
	ck_assert_int_eq(bat_codec_encode(&event, payload, NULL, 0, &got), 0);
	test_hex_append(&wanted, event_vector);
	sample_assert_same(bat_bytes_of_buf(&got), body_of(&wanted), "event");
	bat_bytes_free(&wanted);
	bat_bytes_free(&got);
}
END_TEST

START_TEST(markers_are_encoded_as_batpak_does)
{
	struct bat_buf wanted = BAT_BUF_EMPTY, got = BAT_BUF_EMPTY;
	uint8_t *frame;
	struct bat_hash hash;
	char hex[65];

	test_hex_append(&wanted, begin_vector);
	ck_assert_int_eq(bat_codec_encode_marker(BAT_KIND_BATCH_BEGIN, 5, 2,
			     vector_time, &got),
	    0);
	sample_assert_same(bat_bytes_of_buf(&got), body_of(&wanted), "BEGIN");

	/* The document has the COMMIT frame as a hash: of header and body. */
	bat_bytes_clear(&got);
	ck_assert_int_eq(
	    bat_bytes_append(&got, "\0\0\1\x41\x6f\x7d\xb9\x72", 8), 0);
	ck_assert_int_eq(bat_codec_encode_marker(BAT_KIND_BATCH_COMMIT, 5, 0,
			     vector_time, &got),
	    0);
	frame = got.data;
	ck_assert_uint_eq(bat_crc_of(body_of(&got)),
	    bat_bytes_get_be32(frame + 4));
	hash = bat_hash_of(bat_bytes_of_buf(&got));
	bat_hash_to_hex(&hash, hex);
	ck_assert_str_eq(hex,
	    "ca797de8625efc0f2fe0aebab986b25d"
	    "3d0d20cd87a5eae087a70278b8ffdd69");
	bat_bytes_free(&wanted);
	bat_bytes_free(&got);
}
END_TEST

START_TEST(a_decoded_event_has_every_field)
{
	struct bat_buf wanted = BAT_BUF_EMPTY, payload = BAT_BUF_EMPTY;
	struct bat_id one = bat_id_from_number(1);
	struct bat_event event;

	test_hex_append(&wanted, event_vector);
	ck_assert_int_eq(bat_codec_decode(body_of(&wanted), &event, NULL), 0);
	ck_assert(bat_id_equal(&event.id, &one));
	ck_assert(bat_id_equal(&event.corr, &one));
	ck_assert(bat_id_is_zero(&event.cause));
	ck_assert_int_eq(event.timestamp_us, vector_time);
	ck_assert_uint_eq(event.wall_ms, 1700000000000);
	ck_assert_uint_eq(event.counter + event.depth + event.lane, 0);
	ck_assert_uint_eq(event.clock, 0);
	ck_assert_uint_eq(event.payload_size, 4);
	ck_assert_uint_eq(event.kind, 0x1000);
	ck_assert_uint_eq(event.flags, 0);
	ck_assert(event.has_chain);
	ck_assert(!bat_codec_is_marker(&event));
	ck_assert(bat_bytes_equal(event.entity, bat_bytes_text("e:1")));
	ck_assert(bat_bytes_equal(event.scope, bat_bytes_text("s:1")));
	ck_assert_uint_eq(event.extension_count, 0);
	ck_assert_int_eq(bat_codec_payload(&event, &payload), 0);
	ck_assert(test_hex_equals(bat_bytes_of_buf(&payload), "81a16e01"));
	ck_assert(
	    bat_chain_payload_matches(&event, bat_bytes_of_buf(&payload)));
	bat_bytes_free(&wanted);
	bat_bytes_free(&payload);
}
END_TEST

START_TEST(markers_decode_without_a_chain)
{
	struct bat_buf wanted = BAT_BUF_EMPTY;
	struct bat_event event;

	test_hex_append(&wanted, begin_vector);
	ck_assert_int_eq(bat_codec_decode(body_of(&wanted), &event, NULL), 0);
	ck_assert(bat_codec_is_marker(&event));
	ck_assert_uint_eq(event.payload_size, 2);
	/* With a chain it would be an event of that kind. */
	event.has_chain = true;
	ck_assert(!bat_codec_is_marker(&event));
	event.has_chain = false;
	event.kind = BAT_KIND_DATA;
	ck_assert(!bat_codec_is_marker(&event));
	bat_bytes_free(&wanted);
}
END_TEST

/* ---- golden stores ---------------------------------------------------- */

static size_t encoded_count, value_count, extension_count;

static void
encode_again(const struct bat_event *event, struct bat_slice payload,
    struct bat_slice body, const char *path)
{
	struct bat_extension *extensions = extensions_of(event);
	struct bat_buf got = BAT_BUF_EMPTY;
	struct bat_event plain = *event;
	int code;

	/* What the encoder has no business with. */
	plain.payload_slot = plain.extension_map = BAT_SLICE_EMPTY;
	if (bat_codec_is_marker(event))
		code = bat_codec_encode_marker(event->kind,
		    bat_bytes_get_be64(event->id.bytes + 8),
		    event->payload_size, event->timestamp_us, &got);
	else
		code = bat_codec_encode(&plain, payload, extensions,
		    event->extension_count, &got);
	ck_assert_int_eq(code, 0);
	sample_assert_same(bat_bytes_of_buf(&got), body, path);
	encoded_count++;
	extension_count += event->extension_count;
	free_extensions(extensions, event->extension_count);
	bat_bytes_free(&got);
}

/* Was the slot taken for a value, as a compaction leaves it? */
static bool
holds_a_value(const struct bat_event *event, size_t payload_length)
{
	return !event->payload_is_bytes ||
	    bat_pack_unpacked_length(event->payload_slot) != payload_length;
}

static void
check_frames(const char *path, struct bat_slice file)
{
	bool is_compacted = strstr(path, "compacted-retention") != NULL ||
	    strstr(path, "compacted-tombstone") != NULL;
	struct bat_buf payload = BAT_BUF_EMPTY;
	size_t offset = 0, start;
	struct bat_slice body;

	while (sample_next_frame(file, &offset, &start, &body)) {
		struct bat_event event;
		struct bat_error error;

		ck_assert_msg(bat_codec_decode(body, &event, &error) == 0,
		    "%s at %zu: %s", path, start, error.text);
		bat_bytes_clear(&payload);
		ck_assert_int_eq(bat_codec_payload(&event, &payload), 0);
		if (holds_a_value(&event, payload.length)) {
			ck_assert_msg(is_compacted, "%s at %zu: a value", path,
			    start);
			value_count++;
			continue;
		}
		if (!bat_codec_is_marker(&event))
			ck_assert_msg(bat_chain_payload_matches(&event,
					  bat_bytes_of_buf(&payload)),
			    "%s at %zu: another hash", path, start);
		encode_again(&event, bat_bytes_of_buf(&payload), body, path);
	}
	bat_bytes_free(&payload);
}

START_TEST(every_golden_frame_encodes_to_its_own_bytes)
{
	sample_each("golden/*/store/*.fbat*", check_frames);
	sample_each("fixtures/*/*.fbat", check_frames);
	/* That the samples still hold what this test is about. */
	ck_assert_uint_gt(encoded_count, 4000);
	ck_assert_uint_gt(extension_count, 100);
	ck_assert_uint_gt(value_count, 10);
}
END_TEST

START_TEST(extensions_encode_to_the_vector_and_back)
{
	struct bat_extension one = { bat_bytes_text("app.audit"),
		bat_bytes_text("\x07\x02") };
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_pack_reader reader;
	struct bat_slice map;
	uint32_t count;

	ck_assert_int_eq(bat_codec_encode_extensions(&one, 1, &buf), 0);
	ck_assert(test_hex_equals(bat_bytes_of_buf(&buf),
	    "81a96170702e6175646974920702"));
	reader = BAT_PACK_READER(bat_bytes_of_buf(&buf));
	ck_assert_int_eq(bat_codec_read_extensions(&reader, &map, &count), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert(bat_bytes_equal(map, bat_bytes_of_buf(&buf)));
	bat_bytes_clear(&buf);
	ck_assert_int_eq(bat_codec_encode_extensions(NULL, 0, &buf), 0);
	ck_assert(test_hex_equals(bat_bytes_of_buf(&buf), "80"));
	bat_bytes_free(&buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("codec");
	TCase *tcase = tcase_create("codec");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, an_event_is_encoded_as_batpak_does);
	tcase_add_test(tcase, markers_are_encoded_as_batpak_does);
	tcase_add_test(tcase, a_decoded_event_has_every_field);
	tcase_add_test(tcase, markers_decode_without_a_chain);
	tcase_add_test(tcase, every_golden_frame_encodes_to_its_own_bytes);
	tcase_add_test(tcase, extensions_encode_to_the_vector_and_back);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
