#include "rejects.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct batfs_intake_reject
make_reject(const char *start, size_t offset)
{
	struct batfs_intake_reject reject = { .any = true, .offset = offset };

	reject.code = bat_error_set(&reject.error, BAT_USE_INVALID,
	    "byte 0 of the line: \"no\" value");
	reject.start_length = strlen(start);
	memcpy(reject.start, start, reject.start_length);
	return reject;
}

static void
add(struct batfs_rejects *rejects, const char *path, const char *start,
    size_t offset)
{
	struct batfs_intake_reject reject = make_reject(start, offset);

	batfs_rejects_add(rejects, 1795342272345678, 4711, 1000, path, EINVAL,
	    &reject);
}

static void
expect(struct batfs_rejects *rejects, const char *expected)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(batfs_rejects_render(rejects, &buf), 0);
	ck_assert_int_eq(bat_bytes_append_byte(&buf, 0), 0);
	ck_assert_str_eq((char *)buf.data, expected);
	bat_bytes_free(&buf);
}

#define BEFORE                                                                 \
	"{\"time\":\"2026-11-22T10:11:12.345678Z\",\"pid\":4711,\"uid\":1000,"
#define REASON                                                                 \
	",\"errno\":\"EINVAL\",\"reason\":"                                    \
	"\"byte 0 of the line: \\\"no\\\" value\",\"offset\":7,"

START_TEST(a_refused_line_is_told_with_all_that_is_known)
{
	struct batfs_rejects *rejects;

	ck_assert_int_eq(batfs_rejects_new(&rejects), 0);
	expect(rejects, "");
	add(rejects, "entities/player:alice", "hel\"lo", 7);
	add(rejects, "append", "\xff\x01", 7);
	expect(rejects,
	    BEFORE "\"path\":\"entities/player:alice\"" REASON
		   "\"start\":\"hel\\\"lo\"}\n" BEFORE
		   "\"path\":\"append\"" REASON
		   "\"start\":{\"$bin\":\"/wE=\"}}\n");
	batfs_rejects_free(rejects);
}
END_TEST

START_TEST(a_start_that_ends_within_a_character_is_still_text)
{
	static const char ten[] = "0123456789";
	char start[81] = "caf\xc3\xa9 ", expected[512];
	struct batfs_rejects *rejects;

	while (strlen(start) < 77)
		strncat(start, ten, 77 - strlen(start));
	snprintf(expected, sizeof(expected),
	    BEFORE "\"path\":{\"$bin\":\"Yf8=\"}" REASON "\"start\":\"%s\"}\n",
	    start);
	strcat(start, "\xf0\x9f\xa6");
	ck_assert_int_eq(batfs_rejects_new(&rejects), 0);
	add(rejects, "a\xff", start, 7);
	expect(rejects, expected);
	batfs_rejects_free(rejects);
}
END_TEST

START_TEST(the_last_thousand_are_kept_oldest_first)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct batfs_rejects *rejects;
	unsigned offset = 234;
	const char *at;

	ck_assert_int_eq(batfs_rejects_new(&rejects), 0);
	for (size_t i = 0; i < 1234; i++)
		add(rejects, "p", "x", i);
	ck_assert_int_eq(bat_bytes_append_text(&buf, "kept"), 0);
	ck_assert_int_eq(batfs_rejects_render(rejects, &buf), 0);
	ck_assert_int_eq(bat_bytes_append_byte(&buf, 0), 0);
	ck_assert_int_eq(memcmp(buf.data, "kept{", 5), 0);
	at = strstr((char *)buf.data, "\"offset\":");
	while (at != NULL) {
		ck_assert_uint_eq(strtoul(at + 9, NULL, 10), offset);
		offset++;
		at = strstr(at + 1, "\"offset\":");
	}
	ck_assert_uint_eq(offset, 1234);
	bat_bytes_free(&buf);
	batfs_rejects_free(rejects);
}
END_TEST

static void *
add_many(void *context)
{
	for (size_t i = 0; i < 500; i++)
		add(context, "p", "x", i);
	return NULL;
}

START_TEST(threads_may_add_and_render_at_once)
{
	struct batfs_rejects *rejects;
	struct bat_buf buf = BAT_BUF_EMPTY;
	pthread_t threads[2];
	size_t lines = 0;

	ck_assert_int_eq(batfs_rejects_new(&rejects), 0);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, add_many, rejects), 0);
	for (int i = 0; i < 20; i++) {
		bat_bytes_clear(&buf);
		ck_assert_int_eq(batfs_rejects_render(rejects, &buf), 0);
	}
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	bat_bytes_clear(&buf);
	ck_assert_int_eq(batfs_rejects_render(rejects, &buf), 0);
	for (size_t i = 0; i < buf.length; i++)
		lines += buf.data[i] == '\n';
	ck_assert_uint_eq(lines, 1000);
	bat_bytes_free(&buf);
	batfs_rejects_free(rejects);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rejects");
	TCase *promises = tcase_create("promises");

	suite_add_tcase(suite, promises);
	tcase_add_test(promises, a_refused_line_is_told_with_all_that_is_known);
	tcase_add_test(promises,
	    a_start_that_ends_within_a_character_is_still_text);
	tcase_add_test(promises, the_last_thousand_are_kept_oldest_first);
	tcase_add_test(promises, threads_may_add_and_render_at_once);
	return suite_run(suite);
}
