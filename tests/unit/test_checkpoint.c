#include "checkpoint.h"

#include "crc.h"
#include "hex.h"
#include "repack.h"
#include "rows.h"
#include "sample.h"
#include "suite.h"

#define FIXTURE "/fixtures/checkpoint-v5/" BAT_CHECKPOINT_FILE
#define GOLDEN "/golden/ckpt-only/store/" BAT_CHECKPOINT_FILE

static int
decode(struct bat_slice file, struct rows *rows, struct bat_error *error)
{
	struct bat_checkpoint_sink sink = rows_sink(rows);

	return bat_checkpoint_decode(file, &sink, error);
}

static void
must_decode(struct bat_slice file, struct rows *rows)
{
	struct bat_error error;
	int code;

	rows_init(rows);
	code = decode(file, rows, &error);
	ck_assert_msg(code == 0, "%d: %s", code, error.text);
}

/* The code alone; nothing is kept. */
static int
try_decode(struct bat_slice file)
{
	struct rows rows;
	int code;

	rows_init(&rows);
	code = decode(file, &rows, NULL);
	rows_free(&rows);
	return code;
}

static struct bat_buf
encode(struct rows *rows, uint16_t version)
{
	struct bat_checkpoint_source source = rows_source(rows);
	struct bat_checkpoint_input input = rows_input(rows, &source);
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_checkpoint_encode(&input, version, &buf, NULL), 0);
	return buf;
}

static void
seal(struct bat_buf *file)
{
	struct bat_slice body = bat_bytes_slice(file->data + 12,
	    file->length - 12);

	bat_bytes_put_le(file->data + 8, bat_crc_of(body), 4);
}

/* A file of some version with this body. */
static struct bat_buf
file_of(uint16_t version, struct bat_slice body)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append_text(&file, "FBATCK"), 0);
	ck_assert_int_eq(bat_bytes_append_le(&file, version, 2), 0);
	ck_assert_int_eq(bat_bytes_append_le(&file, 0, 4), 0);
	ck_assert_int_eq(bat_bytes_append_slice(&file, body), 0);
	seal(&file);
	return file;
}

START_TEST(the_fixture_of_version_5_decodes)
{
	struct bat_buf file = sample_read(TEST_DATA FIXTURE);
	struct bat_id id = bat_id_from_number(0xad05);
	const struct bat_row *row;
	struct rows rows;
	char hex[65];

	must_decode(bat_bytes_of_buf(&file), &rows);
	ck_assert_uint_eq(rows.head.version, 5);
	ck_assert_uint_eq(rows.head.allocator, 3);
	ck_assert_uint_eq(rows.head.watermark_segment, 1);
	ck_assert_uint_eq(rows.head.watermark_offset, 2701);
	ck_assert_uint_eq(rows.head.string_count, 5);
	ck_assert_uint_eq(rows.count, 3);
	row = &rows.rows[1];
	ck_assert(bat_id_equal(&row->id, &id));
	ck_assert(bat_id_equal(&row->corr, &id));
	ck_assert(bat_id_is_zero(&row->cause));
	ck_assert(bat_bytes_equal(bat_intern_get(&rows.names, row->entity),
	    bat_bytes_text("entity:adr0009-checkpoint-v5")));
	ck_assert(bat_bytes_equal(bat_intern_get(&rows.names, row->scope),
	    bat_bytes_text("scope:fixture")));
	ck_assert_uint_eq(row->kind, 0x1000);
	ck_assert_uint_eq(row->wall_ms, 0x19e355b0969);
	ck_assert_uint_eq(row->clock, 0);
	ck_assert_uint_eq(row->lane, 5);
	ck_assert_uint_eq(row->depth, 3);
	ck_assert(bat_hash_is_zero(&row->prev));
	bat_hash_to_hex(&row->hash, hex);
	ck_assert_str_eq(hex,
	    "0a7ddac648f62a92dcb96fd21f89d27d"
	    "852a75222cc042af46285cfa50a658b1");
	ck_assert_uint_eq(row->segment, 1);
	ck_assert_uint_eq(row->offset, 1076);
	ck_assert_uint_eq(row->length, 521);
	ck_assert_uint_eq(row->seq, 1);
	ck_assert_int_eq(row->extensions, BAT_ROW_EXTENSIONS_UNKNOWN);
	ck_assert_uint_eq(rows.maps[1].length, 0);
	rows_free(&rows);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(the_fixture_encodes_to_its_own_bytes)
{
	struct bat_buf file = sample_read(TEST_DATA FIXTURE), again;
	struct rows rows;

	must_decode(bat_bytes_of_buf(&file), &rows);
	again = encode(&rows, 5);
	sample_assert_same(bat_bytes_of_buf(&again), bat_bytes_of_buf(&file),
	    "version 5");
	rows_free(&rows);
	bat_bytes_free(&file);
	bat_bytes_free(&again);
}
END_TEST

START_TEST(the_fixture_as_version_6_is_the_vector)
{
	static const uint8_t map[] = "\x81\xa9"
				     "app.audit\x92\x05\x03";
	struct bat_buf file = sample_read(TEST_DATA FIXTURE), again;
	struct bat_hash hash;
	struct rows rows;
	char hex[65];

	must_decode(bat_bytes_of_buf(&file), &rows);
	rows.maps[1] = bat_bytes_slice(map, sizeof(map) - 1);
	again = encode(&rows, 6);
	ck_assert_uint_eq(again.length, 1503);
	ck_assert(test_hex_equals(bat_bytes_slice(again.data, 12),
	    "46424154434b0600c6c793b3"));
	hash = bat_hash_of(bat_bytes_of_buf(&again));
	bat_hash_to_hex(&hash, hex);
	ck_assert_str_eq(hex,
	    "d0c044fecdac98be907b4ffd596655ab"
	    "1d91a2fbbcd441b6d0aa09549a56a8ca");
	rows_free(&rows);
	bat_bytes_free(&file);
	bat_bytes_free(&again);
}
END_TEST

static void
encode_again(const char *path, struct bat_slice file)
{
	struct bat_buf again;
	struct rows rows;

	must_decode(file, &rows);
	ck_assert_uint_eq(rows.head.version, 6);
	ck_assert_uint_gt(rows.count, 0);
	again = encode(&rows, 6);
	sample_assert_same(bat_bytes_of_buf(&again), file, path);
	rows_free(&rows);
	bat_bytes_free(&again);
}

START_TEST(golden_files_encode_to_their_own_bytes)
{
	sample_each("golden/*/store/" BAT_CHECKPOINT_FILE, encode_again);
}
END_TEST

START_TEST(every_version_reads_back)
{
	struct bat_buf file = sample_read(TEST_DATA GOLDEN);
	struct rows rows;

	must_decode(bat_bytes_of_buf(&file), &rows);
	for (uint16_t version = 2; version <= 6; version++) {
		struct bat_buf other = encode(&rows, version);
		struct rows back;

		must_decode(bat_bytes_of_buf(&other), &back);
		ck_assert_uint_eq(back.head.version, version);
		rows_assert_same(&rows, &back);
		for (size_t i = 0; i < rows.count; i++) {
			const struct bat_row *row = &back.rows[i];

			ck_assert_uint_eq(row->lane,
			    version < 4 ? 0 : rows.rows[i].lane);
			ck_assert_uint_eq(row->depth,
			    version < 4 ? 0 : rows.rows[i].depth);
			ck_assert_int_eq(row->extensions,
			    version < 6 ? BAT_ROW_EXTENSIONS_UNKNOWN :
					  rows.rows[i].extensions);
		}
		rows_free(&back);
		bat_bytes_free(&other);
	}
	rows_free(&rows);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(numbers_of_every_width_read_back)
{
	static const uint64_t numbers[] = { 0, 127, 128, 255, 256, 65535, 65536,
		UINT32_MAX, (uint64_t)UINT32_MAX + 1, INT64_MAX, UINT64_MAX };
	struct bat_buf file = sample_read(TEST_DATA GOLDEN);
	size_t count = sizeof(numbers) / sizeof(numbers[0]);
	struct bat_buf other;
	struct rows rows, back;

	must_decode(bat_bytes_of_buf(&file), &rows);
	ck_assert_uint_ge(rows.count, count);
	for (size_t i = 0; i < count; i++) {
		struct bat_row *row = &rows.rows[i];

		row->wall_ms = row->segment = row->offset = numbers[i];
		row->clock = row->lane = row->depth = (uint32_t)numbers[i];
		row->length = (uint32_t)numbers[i];
		row->kind = (uint16_t)numbers[i];
		row->cause = bat_id_from_number(numbers[i]);
		memset(row->hash.bytes, (int)(numbers[i] & 0xff), 32);
		memset(row->prev.bytes, (int)(~numbers[i] & 0xff), 16);
	}
	other = encode(&rows, 6);
	must_decode(bat_bytes_of_buf(&other), &back);
	rows_assert_same(&rows, &back);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(back.rows[i].lane, (uint32_t)numbers[i]);
		ck_assert_uint_eq(back.rows[i].depth, (uint32_t)numbers[i]);
	}
	rows_free(&rows);
	rows_free(&back);
	bat_bytes_free(&file);
	bat_bytes_free(&other);
}
END_TEST

START_TEST(every_spelling_that_batpak_accepts_decodes)
{
	static const unsigned spellings[] = { REPACK_REVERSED,
		REPACK_POSITIONAL, REPACK_UNKNOWN, REPACK_BIN, REPACK_WIDE,
		REPACK_ID_ARRAYS,
		REPACK_POSITIONAL | REPACK_BIN | REPACK_WIDE | REPACK_ID_ARRAYS,
		REPACK_REVERSED | REPACK_UNKNOWN | REPACK_BIN | REPACK_WIDE |
		    REPACK_ID_ARRAYS };
	struct bat_buf file = sample_read(TEST_DATA GOLDEN);
	struct rows rows;

	must_decode(bat_bytes_of_buf(&file), &rows);
	for (uint16_t version = 2; version <= 6; version++) {
		struct bat_buf plain = encode(&rows, version);

		for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]);
		     i++) {
			struct bat_buf body = BAT_BUF_EMPTY, other;
			struct rows back;

			repack(bat_bytes_slice(plain.data + 12,
				   plain.length - 12),
			    spellings[i], &body);
			other = file_of(version, bat_bytes_of_buf(&body));
			must_decode(bat_bytes_of_buf(&other), &back);
			rows_assert_same(&rows, &back);
			rows_free(&back);
			bat_bytes_free(&body);
			bat_bytes_free(&other);
		}
		bat_bytes_free(&plain);
	}
	rows_free(&rows);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(a_repeated_key_is_corrupt)
{
	struct bat_buf file = sample_read(TEST_DATA FIXTURE), other;
	struct bat_buf body = BAT_BUF_EMPTY;

	repack(bat_bytes_slice(file.data + 12, file.length - 12),
	    REPACK_REPEATED, &body);
	other = file_of(5, bat_bytes_of_buf(&body));
	ck_assert_int_eq(try_decode(bat_bytes_of_buf(&other)),
	    BAT_DATA_CORRUPT);
	bat_bytes_free(&file);
	bat_bytes_free(&body);
	bat_bytes_free(&other);
}
END_TEST

START_TEST(a_body_of_version_6_passes_under_version_5)
{
	struct bat_buf file = sample_read(TEST_DATA GOLDEN);
	struct rows rows;

	file.data[6] = 5;
	must_decode(bat_bytes_of_buf(&file), &rows);
	ck_assert_uint_gt(rows.count, 0);
	ck_assert_int_eq(rows.rows[0].extensions, BAT_ROW_EXTENSIONS_UNKNOWN);
	rows_free(&rows);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(other_versions_are_of_the_future)
{
	struct bat_buf file = sample_read(TEST_DATA FIXTURE);
	static const uint8_t versions[] = { 0, 1, 7, 255 };

	for (size_t i = 0; i < sizeof(versions); i++) {
		file.data[6] = versions[i];
		ck_assert_int_eq(try_decode(bat_bytes_of_buf(&file)),
		    BAT_DATA_FUTURE);
	}
	bat_bytes_free(&file);
}
END_TEST

/* Replace the one place where from stands, and make the CRC right. */
static int
decode_edited(const char *from, const char *to)
{
	struct bat_buf file = sample_read(TEST_DATA FIXTURE);
	struct bat_buf old = BAT_BUF_EMPTY, new = BAT_BUF_EMPTY;
	struct bat_buf body = BAT_BUF_EMPTY, other;
	uint8_t *at;
	int code;

	test_hex_append(&old, from);
	test_hex_append(&new, to);
	at = memmem(file.data, file.length, old.data, old.length);
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(bat_bytes_append(&body, file.data + 12,
			     (size_t)(at - file.data) - 12),
	    0);
	ck_assert_int_eq(bat_bytes_append_slice(&body, bat_bytes_of_buf(&new)),
	    0);
	at += old.length;
	ck_assert_int_eq(bat_bytes_append(&body, at,
			     (size_t)(file.data + file.length - at)),
	    0);
	other = file_of(5, bat_bytes_of_buf(&body));
	code = try_decode(bat_bytes_of_buf(&other));
	bat_bytes_free(&file);
	bat_bytes_free(&old);
	bat_bytes_free(&new);
	bat_bytes_free(&body);
	bat_bytes_free(&other);
	return code;
}

START_TEST(what_batpak_would_not_load_is_corrupt)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		/* entity_id and scope_id: the sentinel, beyond the list */
		{ "656e746974795f696403", "656e746974795f696400" },
		{ "656e746974795f696403", "656e746974795f696405" },
		{ "73636f70655f696402", "73636f70655f6964ccff" },
		/* "scope:" becomes "scop/:" */
		{ "ad73636f70653a66697874757265a7",
		    "ad73636f702f3a66697874757265a7" },
		/* a list of six strings; an endless list */
		{ "95a0ac62", "96a0ac62" },
		{ "95a0ac62", "ddffffffff62" },
		/* routing without chunks; an entity run without entity */
		{ "a66368756e6b73", "a66368756e6b58" },
		{ "a6656e74697479ac", "a6656e74695879ac" },
		/* a histogram that is a list; kinds above 16 bits */
		{ "72616d80b0", "72616d90b0" },
		{ "72616d80b0", "72616d81ce0001000000b0" },
		/* more entries than there are; no entries at all */
		{ "a7656e747269657393", "a7656e747269657394" },
		{ "a7656e747269657393", "a7656e7472696573ddffffffff" },
		{ "a7656e747269657393", "a7586e747269657393" },
		/* within an entry */
		{ "a46b696e64cd1000", "a46b696e64ce00010000" },
		{ "a8646167 5f6c616e6505", "a8646167 5f6c616e65ff" },
		{ "ac636175736174696f6e5f6964c0",
		    "ac586175736174696f6e5f6964c0" },
	};

	ck_assert_int_eq(decode_edited("95a0ac62", "95a0ac62"), 0);
	/* The sentinel's own text does not matter. */
	ck_assert_int_eq(decode_edited("95a0ac62", "95a178ac62"), 0);
	/* Nor what routing says. */
	ck_assert_int_eq(decode_edited("6e747279 5f636f756e7403",
			     "6e747279 5f636f756e7409"),
	    0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(decode_edited(cases[i].from, cases[i].to) ==
			BAT_DATA_CORRUPT,
		    "case %zu", i);
}
END_TEST

START_TEST(the_sinks_answer_ends_the_decoding)
{
	struct bat_buf file = sample_read(TEST_DATA FIXTURE);
	struct rows rows;

	rows_init(&rows);
	rows.stop_after = 1;
	rows.stop_code = BAT_WORLD_NO_MEMORY;
	ck_assert_int_eq(decode(bat_bytes_of_buf(&file), &rows, NULL),
	    BAT_WORLD_NO_MEMORY);
	ck_assert_uint_eq(rows.count, 1);
	rows_free(&rows);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(every_cut_and_every_changed_bit_is_noticed)
{
	struct bat_buf file = sample_read(TEST_DATA FIXTURE);

	for (size_t i = 0; i < file.length; i++) {
		uint8_t *copy = malloc(i + 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, file.data, i);
		ck_assert_int_eq(try_decode(bat_bytes_slice(copy, i)),
		    BAT_DATA_CORRUPT);
		free(copy);
	}
	for (size_t i = 0; i < 8 * file.length; i++) {
		/* The version stands outside the CRC. */
		if (i / 8 == 6 || i / 8 == 7)
			continue;
		file.data[i / 8] ^= (uint8_t)(1u << i % 8);
		ck_assert_int_eq(try_decode(bat_bytes_of_buf(&file)),
		    BAT_DATA_CORRUPT);
		file.data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	bat_bytes_free(&file);
}
END_TEST

/* Harm below a right CRC, at every step-th byte: any answer, but no step
 * outside the bytes. */
static void
harm(const char *path, size_t step)
{
	struct bat_buf file = sample_read(path);

	for (size_t i = 12; i < file.length; i += step) {
		size_t length = i;
		uint8_t *copy = malloc(length);
		struct bat_buf cut = { copy, length, length };

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, file.data, length);
		seal(&cut);
		ck_assert_int_eq(try_decode(bat_bytes_of_buf(&cut)),
		    BAT_DATA_CORRUPT);
		free(copy);
	}
	for (size_t i = 12; i < file.length; i += step) {
		static const uint8_t changes[] = { 0x01, 0x80, 0x0f, 0xff };

		for (size_t j = 0; j < sizeof(changes); j++) {
			file.data[i] ^= changes[j];
			seal(&file);
			try_decode(bat_bytes_of_buf(&file));
			file.data[i] ^= changes[j];
		}
	}
	bat_bytes_free(&file);
}

START_TEST(harm_under_a_right_crc_does_no_harm)
{
	harm(TEST_DATA FIXTURE, 1);
	harm(TEST_DATA "/golden/both-index/store/" BAT_CHECKPOINT_FILE, 7);
}
END_TEST

/* Two maps of one buffer; what is empty points nowhere. */
START_TEST(kept_statistics_stand_in_the_callers_bytes)
{
	for (unsigned which = 0; which < 4; which++) {
		const struct bat_slice system = which & 1 ?
		    bat_bytes_text("\x81\x01\x02") :
		    BAT_SLICE_EMPTY;
		const struct bat_slice effect = which & 2 ?
		    bat_bytes_text("\x80") :
		    BAT_SLICE_EMPTY;
		const struct bat_checkpoint_fallbacks from = { 3, 4, system,
			effect };
		struct bat_checkpoint_fallbacks kept;
		struct bat_buf bytes = BAT_BUF_EMPTY;

		ck_assert_int_eq(
		    bat_checkpoint_keep_fallbacks(&from, &bytes, &kept), 0);
		ck_assert(kept.system == 3 && kept.effect == 4);
		ck_assert(bat_bytes_equal(kept.system_histogram, system));
		ck_assert(bat_bytes_equal(kept.effect_histogram, effect));
		ck_assert((kept.system_histogram.data == NULL) ==
		    (system.length == 0));
		ck_assert((kept.effect_histogram.data == NULL) ==
		    (effect.length == 0));
		if (system.length > 0)
			ck_assert_ptr_eq(kept.system_histogram.data,
			    bytes.data);
		bat_bytes_free(&bytes);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("checkpoint");
	TCase *tcase = tcase_create("checkpoint");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, the_fixture_of_version_5_decodes);
	tcase_add_test(tcase, the_fixture_encodes_to_its_own_bytes);
	tcase_add_test(tcase, the_fixture_as_version_6_is_the_vector);
	tcase_add_test(tcase, golden_files_encode_to_their_own_bytes);
	tcase_add_test(tcase, every_version_reads_back);
	tcase_add_test(tcase, numbers_of_every_width_read_back);
	tcase_add_test(tcase, every_spelling_that_batpak_accepts_decodes);
	tcase_add_test(tcase, a_repeated_key_is_corrupt);
	tcase_add_test(tcase, a_body_of_version_6_passes_under_version_5);
	tcase_add_test(tcase, other_versions_are_of_the_future);
	tcase_add_test(tcase, what_batpak_would_not_load_is_corrupt);
	tcase_add_test(tcase, the_sinks_answer_ends_the_decoding);
	tcase_add_test(tcase, every_cut_and_every_changed_bit_is_noticed);
	tcase_add_test(tcase, harm_under_a_right_crc_does_no_harm);
	tcase_add_test(tcase, kept_statistics_stand_in_the_callers_bytes);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
