/*
 * However a writer cuts its bytes: lines, tails, what a flush and a release do
 * with them, and the reply of each write.
 */
#include "intake_handle.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "random_pack.h"
#include "suite.h"

START_TEST(blank_lines_are_nothing)
{
	struct handle handle;
	size_t count;

	open_member(&handle);
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_text("\n\n \t\r\n1\n\r\n2\n\n")),
	    0);
	drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(settle_all(&handle), 13);
	close_handle(&handle);
}
END_TEST

START_TEST(lines_before_a_bad_one_are_written_and_counted)
{
	struct handle handle;

	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "1\n\n22\n\n\nbad\n333\n4"), 8);
	ck_assert_int_eq(handle.code, 0);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 8);
	ck_assert_uint_eq(handle.reject.start_length, 3);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	/* The writer tries the rest: the errno, and no second report. */
	ck_assert_uint_eq(write_text(&handle, "bad\n333\n4"), 0);
	ck_assert_int_eq(handle.code, BAT_USE_INVALID);
	ck_assert(!handle.reject.any);
	/* The same line once more is a new one. */
	ck_assert_uint_eq(write_text(&handle, "bad\n"), 0);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 8);
	close_handle(&handle);
}
END_TEST

START_TEST(a_line_that_the_store_refuses_ends_the_reply)
{
	struct handle handle;

	open_member(&handle);
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_text("1\n2\n3\nbad\n")),
	    0);
	ck_assert_uint_eq(settle(&handle, 1, BAT_STATE_STALE), 2);
	ck_assert(handle.reject.any);
	ck_assert_int_eq(handle.reject.code, BAT_STATE_STALE);
	ck_assert_str_eq(handle.reject.error.text, "the store says no");
	ck_assert_uint_eq(handle.reject.offset, 2);
	ck_assert_int_eq(memcmp(handle.reject.start, "2", 1), 0);
	/* This time it is taken; then the bad one is reported. */
	ck_assert_uint_eq(write_text(&handle, "2\n3\nbad\n"), 4);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 6);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("1\n")), 0);
	ck_assert_uint_eq(settle(&handle, 0, BAT_WORLD_NO_SPACE), 0);
	ck_assert_int_eq(handle.code, BAT_WORLD_NO_SPACE);
	close_handle(&handle);
}
END_TEST

START_TEST(a_tail_waits_for_its_newline)
{
	struct handle handle;
	const struct bat_draft *draft;
	size_t count;

	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "1\n{\"a\""), 6);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 4);
	ck_assert_uint_eq(write_text(&handle, ":[1,"), 4);
	ck_assert_uint_eq(write_text(&handle, ""), 0);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("2]}\n3\n4")), 0);
	draft = drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert(test_hex_equals(draft[0].payload, "81a161920102"));
	ck_assert(test_hex_equals(draft[1].payload, "03"));
	ck_assert_uint_eq(settle_all(&handle), 7);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 1);
	close_handle(&handle);
}
END_TEST

START_TEST(a_bad_line_is_gone_with_its_earlier_part)
{
	struct handle handle;

	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "1\n[1,"), 5);
	ck_assert_uint_eq(write_text(&handle, "x]\n2\n"), 0);
	ck_assert_int_eq(handle.code, BAT_USE_INVALID);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 2);
	ck_assert_uint_eq(handle.reject.start_length, 5);
	ck_assert_int_eq(memcmp(handle.reject.start, "[1,x]", 5), 0);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	/* A retry is a new line, with an offset behind what was accepted. */
	ck_assert_uint_eq(write_text(&handle, "x]\n2\n"), 0);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 5);
	/* The same when the store refuses it. */
	ck_assert_uint_eq(write_text(&handle, "[1,"), 3);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_text("2]\n3\n4")), 0);
	ck_assert_uint_eq(settle(&handle, 0, BAT_STATE_STALE), 0);
	ck_assert_uint_eq(handle.reject.offset, 5);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	ck_assert_uint_eq(write_text(&handle, "3\n"), 2);
	close_handle(&handle);
}
END_TEST

START_TEST(a_flush_takes_a_tail_that_is_one_whole_record)
{
	struct handle handle;
	const struct bat_draft *draft;
	size_t count;

	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "@kind=f.001 {\"a\":1"), 18);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, true), 0);
	drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert(!handle.reject.any);
	ck_assert_int_eq(handle.code, 0);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 18);

	ck_assert_uint_eq(write_text(&handle, "}"), 1);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, true), 0);
	draft = drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(draft->kind, 0xf001);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, 0);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);

	/* Refused by the store: it is gone, and the caller learns why. */
	ck_assert_uint_eq(write_text(&handle, "7"), 1);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, true), 0);
	ck_assert_uint_eq(settle(&handle, 0, BAT_STATE_STALE), 0);
	ck_assert_int_eq(handle.code, BAT_STATE_STALE);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	close_handle(&handle);
}
END_TEST

START_TEST(a_release_takes_the_tail_or_refuses_it)
{
	struct handle handle;

	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "1\n{\"a\":"), 7);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, false), 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, BAT_USE_INVALID);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 2);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	ck_assert_uint_eq(write_text(&handle, " \t"), 2);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, false), 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, 0);
	ck_assert(!handle.reject.any);
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 0);
	close_handle(&handle);
}
END_TEST

START_TEST(a_tail_above_the_cap_poisons_the_handle)
{
	const size_t piece = (size_t)1 << 20;
	char *bytes = malloc(piece);
	struct handle handle;

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'a', piece);
	open_member(&handle);
	ck_assert_uint_eq(write_text(&handle, "1\n\""), 3);
	for (int i = 0; i < 15; i++) {
		ck_assert_int_eq(batfs_intake_feed(handle.intake,
				     bat_bytes_slice(bytes, piece)),
		    0);
		ck_assert_uint_eq(settle_all(&handle), piece);
	}
	ck_assert_uint_eq(batfs_intake_pending(handle.intake), 15 * piece + 1);
	ck_assert_int_eq(
	    batfs_intake_feed(handle.intake, bat_bytes_slice(bytes, piece)), 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert_int_eq(handle.code, BAT_USE_TOO_LARGE);
	ck_assert(handle.reject.any);
	ck_assert_uint_eq(handle.reject.offset, 2);
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_text("1\n")),
	    BAT_USE_TOO_LARGE);
	ck_assert_int_eq(batfs_intake_finish(handle.intake, false), 0);
	ck_assert_uint_eq(settle_all(&handle), 0);
	ck_assert(!handle.reject.any);
	close_handle(&handle);
	free(bytes);
}
END_TEST

START_TEST(a_line_of_three_megabytes_may_come_in_small_pieces)
{
	const size_t length = (size_t)3 << 20;
	struct handle handle;
	char *line = malloc(length);
	const struct bat_draft *draft;
	size_t at = 0, count;

	ck_assert_ptr_nonnull(line);
	memset(line, 'a', length);
	line[0] = '"';
	line[length - 2] = '"';
	line[length - 1] = '\n';
	open_member(&handle);
	while (at + 512 < length) {
		ck_assert_int_eq(batfs_intake_feed(handle.intake,
				     bat_bytes_slice(line + at, 512)),
		    0);
		at += settle_all(&handle);
	}
	ck_assert_int_eq(batfs_intake_feed(handle.intake,
			     bat_bytes_slice(line + at, length - at)),
	    0);
	draft = drafts_of(&handle, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(draft->payload.length, length - 3 + 5);
	settle_all(&handle);
	close_handle(&handle);
	free(line);
}
END_TEST

/*
 * A writer as cat is one: sends pieces, goes on behind a short reply, stops
 * at an error. However it cuts, the same lines are written, once each, and
 * everything before the bad one.
 */
static void
write_in_pieces(struct random *random, struct bat_slice text,
    struct bat_buf *written, unsigned *out_reports, int *out_code)
{
	struct handle handle;
	size_t at = 0, end = 0;

	open_member(&handle);
	*out_reports = 0;
	*out_code = 0;
	while (at < text.length && *out_code == 0) {
		size_t count, committed;
		int refusal = 0;
		const struct bat_draft *drafts;

		/* Behind a short reply: the rest of the same piece. */
		if (at == end)
			end += 1 + random_below(random, 40);
		if (end > text.length)
			end = text.length;
		ck_assert_int_eq(batfs_intake_feed(handle.intake,
				     bat_bytes_slice(text.data + at, end - at)),
		    0);
		drafts = drafts_of(&handle, &count);
		committed = count;
		for (size_t i = 0; i < committed; i++) {
			/* The store takes no 13. */
			if (test_hex_equals(drafts[i].payload, "0d")) {
				refusal = BAT_STATE_STALE;
				committed = i;
			}
		}
		for (size_t i = 0; i < committed; i++)
			ck_assert_int_eq(bat_bytes_append_slice(written,
					     drafts[i].payload),
			    0);
		at += settle(&handle, committed, refusal);
		*out_reports += handle.reject.any;
		*out_code = handle.code;
	}
	close_handle(&handle);
}

START_TEST(what_words_of_the_name_say_holds_for_every_write)
{
	struct handle handle;
	size_t count;

	open_place(&handle,
	    (struct batfs_intake_place){
		.words = bat_bytes_text("entity=player:bob,scope=room:two"),
	    });
	for (int i = 0; i < 3; i++) {
		const struct bat_draft *draft;

		ck_assert_int_eq(batfs_intake_feed(handle.intake,
				     bat_bytes_text("@ext.app.a=b 8\n")),
		    0);
		draft = drafts_of(&handle, &count);
		ck_assert_uint_eq(count, 1);
		ck_assert(bat_bytes_equal(draft->entity,
		    bat_bytes_text("player:bob")));
		ck_assert(
		    bat_bytes_equal(draft->scope, bat_bytes_text("room:two")));
		settle_all(&handle);
	}
	close_handle(&handle);
}
END_TEST

START_TEST(however_a_writer_cuts_each_line_is_written_once)
{
	struct random random = { 31 };
	struct bat_buf text = BAT_BUF_EMPTY, expected = BAT_BUF_EMPTY;
	struct bat_buf written = BAT_BUF_EMPTY;

	for (int round = 0; round < 3000; round++) {
		uint32_t lines = random_below(&random, 12), bad = UINT32_MAX;
		unsigned reports;
		int code, bad_code = 0;

		bat_bytes_clear(&text);
		bat_bytes_clear(&expected);
		bat_bytes_clear(&written);
		if (random_below(&random, 2) == 0)
			bad = random_below(&random, 12);
		for (uint32_t i = 0; i < lines; i++) {
			uint32_t number = random_below(&random, 100);
			const char *blank = random_below(&random, 3) == 0 ?
			    "\n \r\n" :
			    "";

			if (i == bad)
				bad_code = round % 2 == 0 ? BAT_USE_INVALID :
							    BAT_STATE_STALE;
			else if (number == 13)
				number = 14;
			if (i == bad)
				ck_assert_int_eq(
				    bat_bytes_append_format(&text, "%s\n",
					round % 2 == 0 ? "[1,}" : "13"),
				    0);
			else
				ck_assert_int_eq(bat_bytes_append_format(&text,
						     "@lane=%u %u\n%s", i,
						     number, blank),
				    0);
			if (bad_code == 0)
				ck_assert_int_eq(
				    bat_bytes_append_byte(&expected,
					(uint8_t)number),
				    0);
		}
		write_in_pieces(&random, bat_bytes_of_buf(&text), &written,
		    &reports, &code);
		ck_assert(bat_bytes_equal(bat_bytes_of_buf(&written),
		    bat_bytes_of_buf(&expected)));
		ck_assert_int_eq(code, bad_code);
		ck_assert_uint_eq(reports, bad_code != 0);
	}
	bat_bytes_free(&text);
	bat_bytes_free(&expected);
	bat_bytes_free(&written);
}
END_TEST

/* Lines of random bytes are refused or taken, and nothing else happens. */
START_TEST(random_bytes_do_no_harm)
{
	static const char alphabet[] =
	    "@@entityscopekindcauseraw=\"\\ \t{}[],:0123f.$-\r\n\n";
	struct random random = { 32 };
	struct handle handle;
	unsigned taken = 0;

	open_place(&handle,
	    (struct batfs_intake_place){
		.entity = bat_bytes_text("player:alice") });
	for (int round = 0; round < 30000; round++) {
		char bytes[64];
		size_t size = random_below(&random, sizeof(bytes));

		for (size_t i = 0; i < size; i++)
			bytes[i] =
			    alphabet[random_below(&random, sizeof(alphabet))];
		ck_assert_int_eq(batfs_intake_feed(handle.intake,
				     bat_bytes_slice(bytes, size)),
		    0);
		taken += settle_all(&handle) > 0;
	}
	ck_assert_uint_gt(taken, 100);
	close_handle(&handle);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("intake_bytes");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_set_timeout(promises, 300);
	tcase_add_test(promises, blank_lines_are_nothing);
	tcase_add_test(promises,
	    lines_before_a_bad_one_are_written_and_counted);
	tcase_add_test(promises, a_line_that_the_store_refuses_ends_the_reply);
	tcase_add_test(promises, a_tail_waits_for_its_newline);
	tcase_add_test(promises, a_bad_line_is_gone_with_its_earlier_part);
	tcase_add_test(promises, a_flush_takes_a_tail_that_is_one_whole_record);
	tcase_add_test(promises, a_release_takes_the_tail_or_refuses_it);
	tcase_add_test(promises, a_tail_above_the_cap_poisons_the_handle);
	tcase_add_test(promises,
	    a_line_of_three_megabytes_may_come_in_small_pieces);
	tcase_add_test(promises,
	    what_words_of_the_name_say_holds_for_every_write);
	tcase_add_test(promises,
	    however_a_writer_cuts_each_line_is_written_once);
	tcase_add_test(promises, random_bytes_do_no_harm);
	return suite_run(suite);
}
