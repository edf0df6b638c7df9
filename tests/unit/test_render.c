#include "render.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hex.h"
#include "random_pack.h"
#include "suite.h"

static const uint64_t seed = 7071;

static const struct {
	int64_t us;
	const char *text;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000000Z" },
	{ 1, "1970-01-01T00:00:00.000001Z" },
	{ -1, "1969-12-31T23:59:59.999999Z" },
	{ 1795342272345678, "2026-11-22T10:11:12.345678Z" },
	{ 951782399999999, "2000-02-28T23:59:59.999999Z" },
	{ 951782400000000, "2000-02-29T00:00:00.000000Z" },
	{ 951868800000000, "2000-03-01T00:00:00.000000Z" },
	{ 4107542399000000, "2100-02-28T23:59:59.000000Z" },
	{ 4107542400000000, "2100-03-01T00:00:00.000000Z" },
	{ 253402300799999999, "9999-12-31T23:59:59.999999Z" },
	{ 253402300800000000, "+10000-01-01T00:00:00.000000Z" },
	{ -62167219200000000, "0000-01-01T00:00:00.000000Z" },
	{ -62167219200000001, "-0001-12-31T23:59:59.999999Z" },
	{ INT64_MAX, "+294247-01-10T04:00:54.775807Z" },
	{ INT64_MIN, "-290308-12-21T19:59:05.224192Z" },
};

START_TEST(times_are_rfc_3339_with_six_decimals)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(batfs_render_time(times[_i].us, &buf), 0);
	ck_assert_msg(bat_bytes_equal(bat_bytes_of_buf(&buf),
			  bat_bytes_text(times[_i].text)),
	    "%.*s instead of %s", (int)buf.length, (char *)buf.data,
	    times[_i].text);
	bat_bytes_free(&buf);
}
END_TEST

/* An event as LINE.md shows one; the payload is given as hex. */
static struct bat_reading
make_reading(const char *payload)
{
	struct bat_reading reading = BAT_READING_EMPTY;

	test_hex_append(&reading.payload, payload);
	reading.row.seq = 42;
	reading.fields = (struct bat_event){
		.clock = 7,
		.timestamp_us = 1795342272345678,
		.wall_ms = 1795342272345,
		.kind = 0xf001,
		.has_chain = true,
	};
	memset(reading.fields.id.bytes, 0x1a, 16);
	memset(reading.fields.corr.bytes, 0x2b, 16);
	memset(reading.fields.hash.bytes, 0x3c, 32);
	return reading;
}

static void
expect_line(struct bat_reading *reading, const char *expected)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(batfs_render_line(reading,
			     bat_bytes_text("player:alice"),
			     bat_bytes_text("room:dungeon"), &buf),
	    0);
	ck_assert_msg(bat_bytes_equal(bat_bytes_of_buf(&buf),
			  bat_bytes_text(expected)),
	    "%.*s", (int)buf.length, (char *)buf.data);
	bat_bytes_free(&buf);
	bat_reading_free(reading);
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define HASH "3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c"
#define BEFORE                                                                 \
	"{\"seq\":42,\"clock\":7,\"time\":\"2026-11-22T10:11:12.345678Z\","    \
	"\"entity\":\"player:alice\",\"scope\":\"room:dungeon\","              \
	"\"kind\":\"f.001\","
#define IDS                                                                    \
	"\"id\":\"1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a\","                         \
	"\"corr\":\"2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b\","
#define BEHIND IDS "\"cause\":null,\"hash\":\"" HASH "\",\"prev\":\"" ZEROS "\""

START_TEST(a_line_is_that_of_the_contract)
{
	struct bat_reading reading = make_reading("81a1780a");

	expect_line(&reading, BEFORE "\"data\":{\"x\":10}," BEHIND "}\n");
}
END_TEST

START_TEST(raw_stands_beside_data_that_would_be_encoded_otherwise)
{
	struct bat_reading reading = make_reading("cc05");

	expect_line(&reading,
	    BEFORE "\"data\":5," BEHIND ",\"raw\":\"zAU=\"}\n");
}
END_TEST

START_TEST(what_is_no_value_is_shown_in_base64)
{
	struct bat_reading reading = make_reading("0101");

	expect_line(&reading, BEFORE "\"data_b64\":\"AQE=\"," BEHIND "}\n");
	reading = make_reading("");
	expect_line(&reading, BEFORE "\"data_b64\":\"\"," BEHIND "}\n");
	/* Nothing of a value that breaks off in its middle stays. */
	reading = make_reading("9201c1");
	expect_line(&reading, BEFORE "\"data_b64\":\"kgHB\"," BEHIND "}\n");
}
END_TEST

START_TEST(members_that_say_nothing_are_left_out_and_others_are_not)
{
	struct bat_reading reading = make_reading("c0");

	reading.fields.wall_ms = 5;
	reading.fields.lane = 3;
	reading.fields.depth = 9;
	reading.fields.flags = 255;
	memset(reading.fields.cause.bytes, 0xab, 16);
	memset(reading.fields.prev.bytes, 0x3c, 32);
	expect_line(&reading,
	    BEFORE "\"data\":null," IDS
		   "\"cause\":\"abababababababababababababababab\",\"hash\":"
		   "\"" HASH "\",\"prev\":\"" HASH "\",\"wall\":5,\"lane\":3,"
		   "\"depth\":9,\"flags\":255}\n");
}
END_TEST

START_TEST(a_time_before_1970_differs_from_any_wall)
{
	struct bat_reading reading = make_reading("c0");
	struct bat_buf buf = BAT_BUF_EMPTY;

	reading.fields.timestamp_us = -1;
	reading.fields.wall_ms = UINT64_MAX;
	ck_assert_int_eq(batfs_render_line(&reading, bat_bytes_text("e"),
			     bat_bytes_text("s"), &buf),
	    0);
	ck_assert_int_eq(bat_bytes_append_byte(&buf, 0), 0);
	ck_assert_ptr_nonnull(
	    strstr((char *)buf.data, "\"wall\":18446744073709551615}"));
	bat_bytes_free(&buf);
	bat_reading_free(&reading);
}
END_TEST

START_TEST(reserved_kinds_are_shown_as_indexes_hold_them)
{
	static const struct {
		uint16_t kind;
		const char *text;
	} kinds[] = { { 0x0008, "\"0.008\"" }, { 0x0123, "\"1.000\"" },
		{ 0xd003, "\"d.001\"" }, { 0xffff, "\"f.fff\"" } };

	for (size_t i = 0; i < 4; i++) {
		struct bat_reading reading = make_reading("c0");
		struct bat_buf buf = BAT_BUF_EMPTY;

		reading.fields.kind = kinds[i].kind;
		ck_assert_int_eq(batfs_render_line(&reading,
				     bat_bytes_text("e"), bat_bytes_text("s"),
				     &buf),
		    0);
		ck_assert_int_eq(bat_bytes_append_byte(&buf, 0), 0);
		ck_assert_ptr_nonnull(strstr((char *)buf.data, kinds[i].text));
		bat_bytes_free(&buf);
		bat_reading_free(&reading);
	}
}
END_TEST

/* {"b.x": "caf\xc3\xa9", "a.y": "\x01", "a.z": "\xff", "a.c": "\xc2\x85"} with
 * values as arrays of integers, in an order that is not sorted. */
static const char extensions[] = "84"
				 "a3622e78 95 63 61 66 ccc3 cca9"
				 "a3612e79 91 01"
				 "a3612e7a 91 ccff"
				 "a3612e63 92 ccc2 cc85";

START_TEST(extensions_stand_in_their_order_as_text_or_base64)
{
	struct bat_reading reading = make_reading("c0");

	test_hex_append(&reading.frame, extensions);
	reading.fields.extension_map = bat_bytes_of_buf(&reading.frame);
	reading.fields.extension_count = 4;
	expect_line(&reading,
	    BEFORE "\"data\":null," BEHIND ",\"ext\":{\"b.x\":\"caf\xc3\xa9\","
		   "\"a.y\":{\"$bin\":\"AQ==\"},\"a.z\":{\"$bin\":\"/w==\"},"
		   "\"a.c\":{\"$bin\":\"woU=\"}}}\n");
}
END_TEST

static struct bat_row
make_row(void)
{
	struct bat_row row = {
		.seq = 42,
		.clock = 7,
		.wall_ms = 1795342272345,
		.kind = 0xf001,
		.segment = 3,
		.offset = 99,
		.depth = 2,
	};

	memset(row.id.bytes, 0x1a, 16);
	memset(row.corr.bytes, 0x2b, 16);
	memset(row.hash.bytes, 0x3c, 32);
	return row;
}

START_TEST(a_damaged_event_keeps_its_line)
{
	struct bat_row row = make_row();
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct bat_error error;

	bat_error_set_at(&error, BAT_DATA_CORRUPT, 1, 6174,
	    "crc: 1 instead of 2");
	ck_assert_int_eq(batfs_render_damaged(&row,
			     bat_bytes_text("player:alice"),
			     bat_bytes_text("room:dungeon"), &error, &buf),
	    0);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&buf),
	    bat_bytes_text(
		"{\"seq\":42,\"clock\":7,\"time\":\"2026-11-22T10:11:12."
		"345000Z\",\"entity\":\"player:alice\",\"scope\":"
		"\"room:dungeon\",\"kind\":\"f.001\",\"damaged\":"
		"\"crc segment 1 offset 6174\"," BEHIND ",\"depth\":2}\n")));
	bat_bytes_free(&buf);
}
END_TEST

START_TEST(damage_that_no_row_knows_is_a_short_line)
{
	struct bat_row row = make_row();
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(batfs_render_damaged(&row, BAT_SLICE_EMPTY,
			     BAT_SLICE_EMPTY, NULL, &buf),
	    0);
	ck_assert(bat_bytes_equal(bat_bytes_of_buf(&buf),
	    bat_bytes_text("{\"seq\":42,\"damaged\":"
			   "\"damaged segment 3 offset 99\"}\n")));
	bat_bytes_free(&buf);
}
END_TEST

/* ---- the second opinion ----------------------------------------------- */

static void
fill_random(struct random *random, uint8_t *to, size_t length)
{
	for (size_t i = 0; i < length; i++)
		to[i] = (uint8_t)random_next(random);
}

/* One extension of one of four kinds of value. */
static void
random_extensions(struct random *random, struct bat_reading *reading)
{
	static const char *const values[] = { "81a3612e62 90",
		"81a3612e62 92 68 69", "81a3612e62 91 0a",
		"82a3612e62 91 ccff a5782e796f75 92 ccc3 cca9" };
	uint32_t pick = random_below(random, 4);

	test_hex_append(&reading->frame, values[pick]);
	reading->fields.extension_map = bat_bytes_of_buf(&reading->frame);
	reading->fields.extension_count = pick == 3 ? 2 : 1;
}

static void
make_random(struct random *random, struct bat_reading *reading)
{
	struct bat_event *event = &reading->fields;

	bat_bytes_clear(&reading->frame);
	bat_bytes_clear(&reading->payload);
	*event = (struct bat_event){ .has_chain = true };
	event->clock = random_below(random, 1000);
	event->timestamp_us = (int64_t)(random_next(random) >>
	    random_below(random, 64));
	event->wall_ms = (uint64_t)event->timestamp_us / 1000;
	if (random_below(random, 4) == 0) {
		event->timestamp_us = -event->timestamp_us;
		event->wall_ms = random_next(random);
		event->lane = random_below(random, 3);
		event->depth = random_below(random, 3);
		event->flags = (uint8_t)random_below(random, 3);
	}
	if (event->timestamp_us < 0)
		event->wall_ms = 0;
	event->kind = (uint16_t)random_next(random);
	fill_random(random, event->id.bytes, 16);
	fill_random(random, event->corr.bytes, 16);
	if (random_below(random, 2) == 0)
		fill_random(random, event->cause.bytes, 16);
	fill_random(random, event->hash.bytes, 32);
	random_pack_append(random, 6, &reading->payload);
	if (random_below(random, 30) == 0)
		ck_assert_int_eq(bat_bytes_append_byte(&reading->payload, 0xc1),
		    0);
	if (random_below(random, 5) == 0)
		random_extensions(random, reading);
}

static struct bat_slice
random_name(struct random *random, struct bat_buf *name)
{
	bat_bytes_clear(name);
	ck_assert_int_eq(bat_bytes_append_text(name, "e:"), 0);
	random_text_append(random, name);
	return bat_bytes_of_buf(name);
}

/* Write lines to one file and what the checker has to answer to another. */
static void
write_events(FILE *lines, FILE *expected)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_buf buf = BAT_BUF_EMPTY, name = BAT_BUF_EMPTY;
	struct random random = { seed };

	for (uint64_t i = 0; i < 3000; i++) {
		reading.row.seq = i;
		make_random(&random, &reading);
		bat_bytes_clear(&buf);
		ck_assert_int_eq(batfs_render_line(&reading,
				     random_name(&random, &name),
				     bat_bytes_text("s"), &buf),
		    0);
		ck_assert_uint_eq(fwrite(buf.data, 1, buf.length, lines),
		    buf.length);
		bat_bytes_clear(&buf);
		ck_assert_int_eq(bat_bytes_append_base64(&buf,
				     reading.payload.data,
				     reading.payload.length),
		    0);
		fprintf(expected,
		    "{\"seq\":%" PRIu64 ",\"payload_b64\":\"%.*s"
		    "\"}\n",
		    i, (int)buf.length, (char *)buf.data);
	}
	bat_bytes_free(&buf);
	bat_bytes_free(&name);
	bat_reading_free(&reading);
}

START_TEST(an_independent_reader_gets_the_same_payloads)
{
	char directory[] = "/tmp/test_render.XXXXXX", lines[64], wanted[64];
	char command[512];
	FILE *a, *b;
	int status;

	if (system("python3 -c '' 2>/dev/null") != 0) {
		printf("no python3: the second opinion was not asked\n");
		return;
	}
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(lines, sizeof(lines), "%s/lines", directory);
	snprintf(wanted, sizeof(wanted), "%s/wanted", directory);
	a = fopen(lines, "w");
	b = fopen(wanted, "w");
	ck_assert(a != NULL && b != NULL);
	printf("random events: seed %lu\n", (unsigned long)seed);
	write_events(a, b);
	ck_assert_int_eq(fclose(a), 0);
	ck_assert_int_eq(fclose(b), 0);
	snprintf(command, sizeof(command),
	    "python3 %s/../support/line_check.py <%s | cmp - %s", TEST_DATA,
	    lines, wanted);
	status = system(command);
	unlink(lines);
	unlink(wanted);
	rmdir(directory);
	ck_assert_int_eq(status, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("render");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_set_timeout(promises, 300);
	tcase_add_loop_test(promises, times_are_rfc_3339_with_six_decimals, 0,
	    (int)(sizeof(times) / sizeof(*times)));
	tcase_add_test(promises, a_line_is_that_of_the_contract);
	tcase_add_test(promises,
	    raw_stands_beside_data_that_would_be_encoded_otherwise);
	tcase_add_test(promises, what_is_no_value_is_shown_in_base64);
	tcase_add_test(promises,
	    members_that_say_nothing_are_left_out_and_others_are_not);
	tcase_add_test(promises, a_time_before_1970_differs_from_any_wall);
	tcase_add_test(promises, reserved_kinds_are_shown_as_indexes_hold_them);
	tcase_add_test(promises,
	    extensions_stand_in_their_order_as_text_or_base64);
	tcase_add_test(promises, a_damaged_event_keeps_its_line);
	tcase_add_test(promises, damage_that_no_row_knows_is_a_short_line);
	tcase_add_test(promises, an_independent_reader_gets_the_same_payloads);
	return suite_run(suite);
}
