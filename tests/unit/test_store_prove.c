/*
 * Events that are proved together are proved as each by itself: read, compared
 * with its row, hashed.
 */
#include <check.h>
#include <glob.h>

#include "crc.h"
#include "frame.h"
#include "stores.h"
#include "suite.h"

#define EVENTS_MAX 4096

/* The plain way: one event, one hash. */
static int
prove_alone(struct bat_store *store, uint32_t ordinal, struct bat_proof *out)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	int code = bat_read(store, ordinal, &reading, NULL);
	struct bat_hash hash;

	if (code == BAT_OK) {
		hash = bat_hash_of(bat_bytes_of_buf(&reading.payload));
		*out = (struct bat_proof){
			.seq = reading.row.seq,
			.segment = reading.row.segment,
			.offset = reading.row.offset,
			.clock = reading.fields.clock,
			.payload_is_bytes = reading.fields.payload_is_bytes,
			.payload_holds = bat_hash_equal(&hash,
					     &reading.fields.hash) &&
			    bat_hash_equal(&hash, &reading.fields.content_hash),
			.prev = reading.fields.prev,
			.hash = reading.fields.hash,
		};
	}
	bat_reading_free(&reading);
	return code;
}

static void
assert_proof(const struct bat_proof *got, const struct bat_proof *wanted)
{
	ck_assert_uint_eq(got->seq, wanted->seq);
	ck_assert_uint_eq(got->segment, wanted->segment);
	ck_assert_uint_eq(got->offset, wanted->offset);
	ck_assert_uint_eq(got->clock, wanted->clock);
	ck_assert(got->payload_is_bytes == wanted->payload_is_bytes);
	ck_assert(got->payload_holds == wanted->payload_holds);
	ck_assert(bat_hash_equal(&got->prev, &wanted->prev));
	ck_assert(bat_hash_equal(&got->hash, &wanted->hash));
}

/*
 * All visible events from each start on, `step` apart; behind one that cannot
 * be read it goes on. Returns how many could not be, and how many payloads do
 * not hold.
 */
static unsigned
compare(struct bat_store *store, uint32_t step, unsigned *out_unread)
{
	static uint32_t ordinals[EVENTS_MAX];
	static struct bat_proof proofs[EVENTS_MAX];
	struct bat_error error = { .text = "" };
	size_t count = 0, proved;
	struct bat_proof alone;
	struct bat_head head;
	struct bat_row row;
	unsigned wrong = 0;

	*out_unread = 0;
	bat_head(store, &head);
	for (uint32_t i = 0; i < head.ordinals && count < EVENTS_MAX; i += step)
		if (bat_row(store, i, &row))
			ordinals[count++] = i;
	for (size_t from = 0; from < count; from += proved + 1) {
		int code = bat_prove(store, ordinals + from, count - from,
		    proofs, &proved, &error);

		ck_assert_uint_le(proved, count - from);
		for (size_t i = 0; i < proved; i++) {
			ck_assert_int_eq(prove_alone(store, ordinals[from + i],
					     &alone),
			    BAT_OK);
			assert_proof(&proofs[i], &alone);
			wrong += !proofs[i].payload_holds;
		}
		if (code == BAT_OK) {
			ck_assert_uint_eq(proved, count - from);
			break;
		}
		ck_assert_int_eq(
		    prove_alone(store, ordinals[from + proved], &alone), code);
		ck_assert_int_eq(error.code, code);
		(*out_unread)++;
	}
	return wrong;
}

START_TEST(of_every_golden_store_it_proves_what_one_by_one_does)
{
	unsigned opened = 0, unread;
	glob_t found;

	ck_assert_int_eq(glob(TEST_DATA "/golden/*/store", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const struct bat_options options = { .read_only = true };
		struct bat_store *store = NULL;

		if (bat_open(found.gl_pathv[i], &options, &store, NULL) != 0)
			continue;
		opened++;
		for (uint32_t step = 1; step < 4; step++)
			(void)compare(store, step, &unread);
		stores_close(store);
	}
	globfree(&found);
	ck_assert_uint_gt(opened, 20);
}
END_TEST

/* So many events of one entity, some too long for a lane. */
static void
make_events(struct temp_dir *dir, unsigned count)
{
	static char texts[STORES_BATCH_MAX][2048];
	struct bat_draft drafts[STORES_BATCH_MAX];
	struct bat_store *store;

	temp_dir_make(dir);
	store = stores_open(dir, false);
	for (unsigned i = 0; i < count; i += STORES_BATCH_MAX) {
		for (unsigned j = 0; j < STORES_BATCH_MAX; j++) {
			size_t length = j == 17 ? 1500 : 3 + (i + j) % 200;

			memset(texts[j], 'a' + (int)(j % 26), length);
			texts[j][length] = '\0';
			drafts[j] = stores_draft("player:alice", "scope:test",
			    texts[j]);
		}
		ck_assert_int_eq(stores_append_batch(store, drafts,
				     STORES_BATCH_MAX, NULL, NULL),
		    0);
	}
	stores_close(store);
}

/* A letter of a payload becomes another one: b, and there the frame's checksum
 * is made to fit. */
static void
change(const struct temp_dir *dir, const struct bat_row *row, bool reseal)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	uint8_t *frame;
	size_t at = 0;

	temp_dir_read(dir, "000001.fbat", &file);
	frame = file.data + row->offset;
	for (size_t i = 0; i + 3 < row->length; i++)
		if (memcmp(frame + i, "ccc", 3) == 0)
			at = i;
	ck_assert_uint_ne(at, 0);
	frame[at] = 'b';
	if (reseal)
		bat_bytes_put_be(frame + 4,
		    bat_crc_of(bat_bytes_slice(frame + BAT_FRAME_HEADER_SIZE,
			row->length - BAT_FRAME_HEADER_SIZE)),
		    4);
	temp_dir_write(dir, "000001.fbat", bat_bytes_of_buf(&file));
	bat_bytes_free(&file);
}

/* Changed under an open store, in both halves. Each 26th text is of c's,
 * and the first event is OPEN. */
START_TEST(what_was_changed_is_found_wherever_it_stands)
{
	static const uint32_t places[] = { 3, 29, 67, 323, 579, 605 };
	struct bat_store *store;
	struct temp_dir dir;
	struct bat_row row;
	unsigned unread;

	for (size_t i = 0; i < 6; i++) {
		make_events(&dir, 640);
		store = stores_open(&dir, true);
		ck_assert_uint_eq(compare(store, 1, &unread), 0);
		ck_assert_uint_eq(unread, 0);
		ck_assert(bat_row(store, places[i], &row));
		change(&dir, &row, true);
		ck_assert_uint_eq(compare(store, 1, &unread), 1);
		ck_assert_uint_eq(unread, 0);
		ck_assert(bat_row(store, places[5 - i], &row));
		change(&dir, &row, false);
		ck_assert_uint_eq(compare(store, 1, &unread), 1);
		ck_assert_uint_eq(unread, 1);
		stores_close(store);
		temp_dir_remove(&dir);
	}
}
END_TEST

START_TEST(of_what_cannot_be_read_the_first_in_order_is_told)
{
	static uint32_t ordinals[640];
	static struct bat_proof proofs[640];
	struct bat_error error = { .text = "" };
	struct bat_store *store;
	struct bat_row rows[3];
	struct temp_dir dir;
	size_t proved;

	make_events(&dir, 640);
	store = stores_open(&dir, true);
	for (uint32_t i = 0; i < 640; i++)
		ordinals[i] = i;
	for (uint32_t i = 0; i < 3; i++) {
		static const uint32_t places[] = { 605, 323, 29 };

		ck_assert(bat_row(store, places[i], &rows[i]));
		change(&dir, &rows[i], false);
		ck_assert_int_eq(bat_prove(store, ordinals, 640, proofs,
				     &proved, &error),
		    BAT_DATA_CORRUPT);
		ck_assert_uint_eq(proved, places[i]);
		ck_assert_uint_eq(error.offset, rows[i].offset);
	}
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_prove");
	TCase *tests = tcase_create("prove");

	suite_add_tcase(suite, tests);
	tcase_add_test(tests,
	    of_every_golden_store_it_proves_what_one_by_one_does);
	tcase_add_test(tests, what_was_changed_is_found_wherever_it_stands);
	tcase_add_test(tests,
	    of_what_cannot_be_read_the_first_in_order_is_told);
	return suite_run(suite);
}
