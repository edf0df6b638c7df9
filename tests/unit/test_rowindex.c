#include "rowindex.h"

#include "crc.h"
#include "hex.h"
#include "kind.h"
#include "rows.h"
#include "sample.h"
#include "suite.h"

#define GOLDEN "/golden/both-index/store/" BAT_ROWINDEX_FILE
#define WITH_EXTENSIONS "/golden/extensions/store/" BAT_ROWINDEX_FILE

static int
decode(struct bat_slice file, struct rows *rows, struct bat_error *error)
{
	struct bat_checkpoint_sink sink = rows_sink(rows);

	return bat_rowindex_decode(file, &sink, error);
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
encode(struct rows *rows)
{
	struct bat_checkpoint_source source = rows_source(rows);
	struct bat_checkpoint_input input = rows_input(rows, &source);
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_rowindex_encode(&input, &buf, NULL), 0);
	return buf;
}

static void
seal(struct bat_buf *file)
{
	struct bat_slice checked = bat_bytes_slice(file->data + 12,
	    file->length - 12);

	bat_bytes_put_le(file->data + 8, bat_crc_of(checked), 4);
}

/* Where the rows of a file start. */
static size_t
rows_offset(const struct bat_buf *file)
{
	return file->length -
	    (size_t)bat_bytes_get_le64(file->data + 40) * BAT_ROWINDEX_ROW_SIZE;
}

/*
 * The rows of the mmap-v4 fixture, taken from its own bytes: version 4 has
 * the same columns up to 170.
 */
static struct bat_buf
fixture_as_version_5(void)
{
	struct bat_buf old = sample_read(
	    TEST_DATA "/fixtures/mmap-v4/" BAT_ROWINDEX_FILE);
	struct bat_buf new = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append(&new, old.data, 64), 0);
	ck_assert_int_eq(bat_bytes_append_le(&new, 14, 8), 0);
	ck_assert_int_eq(bat_bytes_append(&new, old.data + 64, 449 - 64), 0);
	test_hex_append(&new, "81a96170702e6175646974920702");
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(
		    bat_bytes_append(&new, old.data + 449 + 170 * i, 170), 0);
		if (i == 1)
			test_hex_append(&new,
			    "0000000000000000 0e00000000000000"
			    "b69fd9b76b0f6ae98564750cd9fe795b"
			    "2f677bacdf669531d090c1bd11bfe018");
		else
			for (size_t j = 0; j < 6; j++)
				ck_assert_int_eq(
				    bat_bytes_append_le(&new, 0, 8), 0);
	}
	new.data[6] = 5;
	seal(&new);
	bat_bytes_free(&old);
	return new;
}

START_TEST(the_vector_of_version_5_decodes_and_encodes)
{
	struct bat_buf file = fixture_as_version_5(), again;
	struct bat_hash hash = bat_hash_of(bat_bytes_of_buf(&file));
	struct bat_id id = bat_id_from_number(0xad07);
	const struct bat_row *row;
	struct rows rows;
	char hex[65];

	bat_hash_to_hex(&hash, hex);
	ck_assert_str_eq(hex,
	    "be6010f1394e4cc031a5409be4ba66fa"
	    "b7c907bb629fa2bf69a8b081c2e7f4cd");
	must_decode(bat_bytes_of_buf(&file), &rows);
	ck_assert_uint_eq(rows.head.version, 5);
	ck_assert_uint_eq(rows.head.watermark_segment, 1);
	ck_assert_uint_eq(rows.head.watermark_offset, 2675);
	ck_assert_uint_eq(rows.head.allocator, 3);
	ck_assert_uint_eq(rows.count, 3);
	row = &rows.rows[1];
	ck_assert(bat_id_equal(&row->id, &id));
	ck_assert(bat_id_equal(&row->corr, &id));
	ck_assert(bat_id_is_zero(&row->cause));
	ck_assert(bat_bytes_equal(bat_intern_get(&rows.names, row->entity),
	    bat_bytes_text("entity:adr0009-mmap-v4")));
	ck_assert(bat_bytes_equal(bat_intern_get(&rows.names, row->scope),
	    bat_bytes_text("scope:fixture")));
	ck_assert_uint_eq(row->kind, 0x1000);
	ck_assert_uint_eq(row->wall_ms, 1779011619193);
	ck_assert_uint_eq(row->clock, 0);
	ck_assert_uint_eq(row->lane, 7);
	ck_assert_uint_eq(row->depth, 2);
	ck_assert(bat_hash_is_zero(&row->prev));
	ck_assert_uint_eq(row->hash.bytes[0], 0x16);
	ck_assert_uint_eq(row->segment, 1);
	ck_assert_uint_eq(row->offset, 1077);
	ck_assert_uint_eq(row->length, 507);
	ck_assert_uint_eq(row->seq, 1);
	ck_assert_int_eq(row->extensions, BAT_ROW_EXTENSIONS_SOME);
	ck_assert(
	    test_hex_equals(rows.maps[1], "81a96170702e6175646974920702"));
	ck_assert_int_eq(rows.rows[0].extensions, BAT_ROW_EXTENSIONS_NONE);
	again = encode(&rows);
	sample_assert_same(bat_bytes_of_buf(&again), bat_bytes_of_buf(&file),
	    "vector");
	rows_free(&rows);
	bat_bytes_free(&file);
	bat_bytes_free(&again);
}
END_TEST

static size_t file_count, extension_count, raw_kind_count;

static void
encode_again(const char *path, struct bat_slice file)
{
	const uint8_t *row;
	struct bat_buf again;
	struct rows rows;

	must_decode(file, &rows);
	row = file.data + file.length - rows.count * BAT_ROWINDEX_ROW_SIZE;
	for (size_t i = 0; i < rows.count; i++) {
		uint16_t kind = bat_bytes_get_le16(row + 24);

		/* batpak writes the raw kinds of the session that closes. */
		ck_assert_uint_eq(rows.rows[i].kind, bat_kind_mapped(kind));
		raw_kind_count += rows.rows[i].kind != kind;
		rows.rows[i].kind = kind;
		extension_count += rows.maps[i].length > 0;
		row += BAT_ROWINDEX_ROW_SIZE;
	}
	again = encode(&rows);
	sample_assert_same(bat_bytes_of_buf(&again), file, path);
	file_count++;
	rows_free(&rows);
	bat_bytes_free(&again);
}

START_TEST(golden_files_encode_to_their_own_bytes)
{
	sample_each("golden/*/store/" BAT_ROWINDEX_FILE, encode_again);
	/* That the samples still hold what this test is about. */
	ck_assert_uint_ge(file_count, 25);
	ck_assert_uint_ge(extension_count, 50);
	ck_assert_uint_ge(raw_kind_count, 1);
}
END_TEST

START_TEST(no_rows_and_no_names_read_back)
{
	struct rows rows, back;
	struct bat_buf file;

	rows_init(&rows);
	rows.head.allocator = 7;
	file = encode(&rows);
	must_decode(bat_bytes_of_buf(&file), &back);
	ck_assert_uint_eq(back.head.allocator, 7);
	ck_assert_uint_eq(back.head.string_count, 1);
	ck_assert_uint_eq(back.count, 0);
	rows_free(&rows);
	rows_free(&back);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(other_versions_count_as_absent)
{
	struct bat_buf file = sample_read(
	    TEST_DATA "/fixtures/mmap-v4/" BAT_ROWINDEX_FILE);

	ck_assert_int_eq(try_decode(bat_bytes_of_buf(&file)), BAT_DATA_FUTURE);
	file.data[6] = 6;
	ck_assert_int_eq(try_decode(bat_bytes_of_buf(&file)), BAT_DATA_FUTURE);
	bat_bytes_free(&file);
}
END_TEST

/* One changed number under a right CRC; offset is in the file. */
static int
decode_changed(size_t offset, uint64_t value, size_t width)
{
	struct bat_buf file = fixture_as_version_5();
	int code;

	ck_assert_uint_le(offset + width, file.length);
	bat_bytes_put_le(file.data + offset, value, width);
	seal(&file);
	code = try_decode(bat_bytes_of_buf(&file));
	bat_bytes_free(&file);
	return code;
}

START_TEST(what_batpak_would_not_load_is_corrupt)
{
	static const struct {
		size_t offset;
		uint64_t value;
		size_t width;
	} cases[] = {
		/* numbers of strings and rows, lengths of the sections */
		{ 36, 4, 4 },
		{ 36, UINT32_MAX, 4 },
		{ 40, 2, 8 },
		{ 40, 4, 8 },
		{ 40, UINT64_MAX, 8 },
		/* 218 times this wraps to 654, which is the right length */
		{ 40, 3 + (UINT64_C(1) << 63), 8 },
		{ 48, 68, 8 },
		{ 48, UINT64_MAX, 8 },
		{ 56, 317, 8 },
		{ 56, UINT64_MAX - 400, 8 },
		{ 64, 0, 8 },
		{ 64, UINT64_MAX, 8 },
		/* the strings: an endless list; the summary: no map */
		{ 72, 0xdd, 1 },
		{ 141, 0x01, 1 },
		/* row 1: entity and scope: the sentinel, beyond the list */
		{ 471 + 218 + 16, 0, 4 },
		{ 471 + 218 + 16, 5, 4 },
		{ 471 + 218 + 20, UINT32_MAX, 4 },
		/* its extensions: outside the blob, another digest, nothing
		 * that decodes */
		{ 471 + 218 + 170, 1, 8 },
		{ 471 + 218 + 170, UINT64_MAX, 8 },
		{ 471 + 218 + 178, 15, 8 },
		{ 471 + 218 + 178, UINT64_MAX, 8 },
		{ 471 + 218 + 186, 0, 1 },
		{ 457, 0x91, 1 },
	};

	/* Nothing changed; extensions of length 0, whatever else it says. */
	ck_assert_int_eq(decode_changed(36, 5, 4), 0);
	ck_assert_int_eq(decode_changed(471 + 218 + 178, 0, 8), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(decode_changed(cases[i].offset, cases[i].value,
				  cases[i].width) == BAT_DATA_CORRUPT,
		    "case %zu", i);
}
END_TEST

START_TEST(an_illegal_name_is_corrupt_where_a_row_uses_it)
{
	struct bat_buf file = fixture_as_version_5();
	uint8_t *at = memmem(file.data, file.length, "scope:fixture", 13);

	ck_assert_ptr_nonnull(at);
	at[5] = '/';
	seal(&file);
	ck_assert_int_eq(try_decode(bat_bytes_of_buf(&file)), BAT_DATA_CORRUPT);
	/* The only row with that scope gets another. */
	bat_bytes_put_le(file.data + 471 + 218 + 20, 2, 4);
	seal(&file);
	ck_assert_int_eq(try_decode(bat_bytes_of_buf(&file)), 0);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(the_sinks_answer_ends_the_decoding)
{
	struct bat_buf file = fixture_as_version_5();
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
	struct bat_buf file = fixture_as_version_5();

	for (size_t i = 0; i < file.length; i++) {
		uint8_t *copy = malloc(i + 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, file.data, i);
		ck_assert_int_eq(try_decode(bat_bytes_slice(copy, i)),
		    BAT_DATA_CORRUPT);
		free(copy);
	}
	for (size_t i = 0; i < 8 * file.length; i++) {
		file.data[i / 8] ^= (uint8_t)(1u << i % 8);
		ck_assert_int_ne(try_decode(bat_bytes_of_buf(&file)), 0);
		file.data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	bat_bytes_free(&file);
}
END_TEST

START_TEST(harm_under_a_right_crc_does_no_harm)
{
	static const struct {
		const char *path;
		size_t step;
	} files[] = { { TEST_DATA GOLDEN, 1 },
		{ TEST_DATA WITH_EXTENSIONS, 13 } };

	for (size_t p = 0; p < 2; p++) {
		struct bat_buf file = sample_read(files[p].path);
		size_t end = rows_offset(&file) + 3 * BAT_ROWINDEX_ROW_SIZE;

		for (size_t i = 12; i < end; i += files[p].step) {
			uint8_t old = file.data[i];

			file.data[i] = (uint8_t)(old + 1);
			seal(&file);
			try_decode(bat_bytes_of_buf(&file));
			file.data[i] = (uint8_t)(old ^ 0x80);
			seal(&file);
			try_decode(bat_bytes_of_buf(&file));
			file.data[i] = old;
		}
		seal(&file);
		ck_assert_int_eq(try_decode(bat_bytes_of_buf(&file)), 0);
		bat_bytes_free(&file);
	}
}
END_TEST

START_TEST(a_source_that_does_not_keep_its_word_is_refused)
{
	struct bat_buf file = fixture_as_version_5(), buf = BAT_BUF_EMPTY;
	struct bat_checkpoint_source source;
	struct bat_checkpoint_input input;
	struct rows rows;

	must_decode(bat_bytes_of_buf(&file), &rows);
	source = rows_source(&rows);
	input = rows_input(&rows, &source);
	ck_assert_int_eq(bat_bytes_append_text(&buf, "before"), 0);
	input.row_count = 4;
	ck_assert_int_eq(bat_rowindex_encode(&input, &buf, NULL),
	    BAT_USE_INVALID);
	input.row_count = 2;
	ck_assert_int_eq(bat_rowindex_encode(&input, &buf, NULL),
	    BAT_USE_INVALID);
	input.row_count = 3;
	rows.rows[2].scope = 4;
	ck_assert_int_eq(bat_rowindex_encode(&input, &buf, NULL),
	    BAT_USE_INVALID);
	sample_assert_same(bat_bytes_of_buf(&buf), bat_bytes_text("before"),
	    "a failed encoder");
	/* And a good one appends. */
	rows.rows[2].scope = 1;
	ck_assert_int_eq(bat_rowindex_encode(&input, &buf, NULL), 0);
	ck_assert_int_eq(
	    try_decode(bat_bytes_slice(buf.data + 6, buf.length - 6)), 0);
	rows_free(&rows);
	bat_bytes_free(&file);
	bat_bytes_free(&buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rowindex");
	TCase *tcase = tcase_create("rowindex");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, the_vector_of_version_5_decodes_and_encodes);
	tcase_add_test(tcase, golden_files_encode_to_their_own_bytes);
	tcase_add_test(tcase, no_rows_and_no_names_read_back);
	tcase_add_test(tcase, other_versions_count_as_absent);
	tcase_add_test(tcase, what_batpak_would_not_load_is_corrupt);
	tcase_add_test(tcase, an_illegal_name_is_corrupt_where_a_row_uses_it);
	tcase_add_test(tcase, the_sinks_answer_ends_the_decoding);
	tcase_add_test(tcase, every_cut_and_every_changed_bit_is_noticed);
	tcase_add_test(tcase, harm_under_a_right_crc_does_no_harm);
	tcase_add_test(tcase, a_source_that_does_not_keep_its_word_is_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
