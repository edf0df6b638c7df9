/*
 * Frames with right checks and wrong contents, and directories that somebody
 * rearranged, are found, and what is sound beside them is read.
 */
#include <check.h>
#include <string.h>

#include "bat.h"
#include "crc.h"
#include "maker.h"
#include "suite.h"
#include "temp_dir.h"
#include "verdict.h"

/* Where the nth (from 0) frame of a segment starts. */
static size_t
frame_at(const struct bat_buf *file, unsigned nth)
{
	size_t at = 8 + bat_bytes_get_be32(file->data + 4);

	for (; nth > 0; nth--)
		at += 8 + bat_bytes_get_be32(file->data + at);
	return at;
}

/* Change the byte `skip` behind a key of a frame, and its CRC with it: what
 * somebody does who knows the format. */
static void
forge(const char *name, unsigned nth, const char *key, ptrdiff_t skip,
    uint8_t byte)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_slice body;
	uint8_t *place;
	size_t at;

	temp_dir_read(&temp, name, &file);
	at = frame_at(&file, nth);
	body = bat_bytes_slice(file.data + at + 8,
	    bat_bytes_get_be32(file.data + at));
	place = memmem(file.data + at + 8, body.length, key, strlen(key));
	ck_assert_ptr_nonnull(place);
	place[(ptrdiff_t)strlen(key) + skip] = byte;
	bat_bytes_put_be(file.data + at + 4, bat_crc_of(body), 4);
	temp_dir_write(&temp, name, bat_bytes_of_buf(&file));
	bat_bytes_free(&file);
}

START_TEST(forged_frames_are_found)
{
	/* The fifth frame: 508 bytes or so of an event with a predecessor. */
	static const struct {
		const char *key;
		ptrdiff_t skip;
		uint8_t byte;
		uint64_t broken;
	} cases[] = {
		/* The payload's last byte stands before that key. */
		{ "\xaahash_chain", -12, 0x7f, BIT(PAYLOAD) },
		{ "payload_size", 0, 3, BIT(PAYLOAD) },
		{ "content_hash", 4, 0x01, BIT(PAYLOAD) },
		{ "sequence", 0, 0x55, BIT(CHAIN) },
		{ "prev_hash", 3, 0x55, BIT(CHAIN) },
		{ "\xa6"
		  "entity",
		    1, '/', BIT(COORDINATE) },
		{ "\xa5scope", 1, '=', BIT(COORDINATE) },
		{ "wall_ms", 1, 0xff, BIT(TIME) },
		{ "timestamp_us", 0, 0xd3, 0 },
		{ "hash_chain", 0, 0xc0, BIT(DECODE) },
		{ "\xa6header", 0, 0x88, BIT(DECODE) },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verdict verdict;

		fill("crashed-open");
		forge("000001.fbat", 4, cases[i].key, cases[i].skip,
		    cases[i].byte);
		verdict = verify();
		ck_assert_msg((verdict.broken & cases[i].broken) ==
			cases[i].broken,
		    "%s: %s", cases[i].key, verdict.error.text);
		ck_assert_msg(verdict.code ==
			(cases[i].broken != 0 ? BAT_DATA_CORRUPT : 0),
		    "%s: %s", cases[i].key, verdict.error.text);
	}
}
END_TEST

static int
note_finding(void *context, const struct bat_verify_finding *finding)
{
	struct told *told = context;

	ck_assert_uint_lt(told->count, 32);
	told->findings[told->count++] = *finding;
	return 0;
}

static struct told
verify_in_order(void)
{
	struct told told = { .count = 0 };
	struct bat_verify_sink sink = { &told, note_finding };
	struct bat_verify_counts counts;

	ck_assert_int_eq(bat_verify_directory(bat_file_posix(), temp.path,
			     &sink, &counts, NULL),
	    BAT_DATA_CORRUPT);
	return told;
}

/* Sixty events; every seventh payload is too long to be hashed with others. */
static void
make_sixty(void)
{
	const struct bat_options options = { .index = BAT_INDEX_NONE };
	struct bat_buf payload = BAT_BUF_EMPTY;
	struct bat_store *store;
	struct bat_receipt receipt;

	ck_assert_int_eq(bat_open(temp.path, &options, &store, NULL), 0);
	for (unsigned i = 0; i < 60; i++) {
		struct bat_draft draft = { .entity = bat_bytes_text("e:1"),
			.scope = bat_bytes_text("s:1"),
			.kind = 0xf001 };
		struct bat_batch batch = { .drafts = &draft,
			.count = 1,
			.receipts = &receipt };

		bat_bytes_clear(&payload);
		while (payload.length < (i % 7 == 6 ? 1100 : 10 + i))
			ck_assert_int_eq(bat_bytes_append_byte(&payload, 0x11),
			    0);
		draft.payload = bat_bytes_of_buf(&payload);
		ck_assert_int_eq(bat_append(store, &batch), 0);
	}
	ck_assert_int_eq(bat_close(store, NULL), 0);
	bat_bytes_free(&payload);
}

/* Payloads are hashed many at once; a finding tells of them in time. */
START_TEST(findings_come_in_the_order_of_events)
{
	static const unsigned changed[] = { 1, 2, 7, 17, 18, 33, 34, 50, 60 };
	enum { CHANGED = sizeof(changed) / sizeof(changed[0]) };
	struct bat_buf file = BAT_BUF_EMPTY;
	unsigned payloads = 0;
	uint64_t last = 0;
	struct told told;

	make_sixty();
	for (unsigned i = 0; i < CHANGED; i++)
		forge("000001.fbat", changed[i], "\xaahash_chain", -12, 0x12);
	/* A break of another kind between them: of frame 40, and of 18. */
	forge("000001.fbat", 40, "sequence", 0, 0x55);
	forge("000001.fbat", 18, "sequence", 0, 0x55);
	told = verify_in_order();
	temp_dir_read(&temp, "000001.fbat", &file);
	for (size_t i = 0; i < told.count; i++) {
		const struct bat_verify_finding *finding = &told.findings[i];

		ck_assert_uint_eq(finding->severity, BAT_VERIFY_BROKEN);
		/* Rows of the footer are another order's. */
		if (finding->code == BAT_VERIFY_ROW)
			continue;
		ck_assert_uint_ge(finding->offset, last);
		last = finding->offset;
		if (finding->code != BAT_VERIFY_PAYLOAD)
			continue;
		ck_assert_uint_lt(payloads, CHANGED);
		ck_assert_uint_eq(last, frame_at(&file, changed[payloads]));
		payloads++;
	}
	ck_assert_uint_eq(payloads, CHANGED);
	ck_assert_uint_ge(told.count, CHANGED + 2);
	bat_bytes_free(&file);
}
END_TEST

/* Copies of a frame: each has the id of the first. */
START_TEST(twins_are_counted_wherever_they_stand)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	uint64_t events;

	make_sixty();
	events = verify().counts.events;
	ck_assert_uint_eq(verify().counts.twins, 0);
	/* The footer goes, frames 3, 3 and 9 come again. */
	temp_dir_read(&temp, "000001.fbat", &file);
	file.length = frame_at(&file, 40);
	temp_dir_write(&temp, "000001.fbat", bat_bytes_of_buf(&file));
	for (unsigned i = 0; i < 3; i++) {
		size_t at = frame_at(&file, i < 2 ? 3 : 9);
		size_t length = 8 + bat_bytes_get_be32(file.data + at);

		temp_dir_append(&temp, "000001.fbat",
		    bat_bytes_slice(file.data + at, length));
	}
	ck_assert_uint_eq(verify().counts.events, 43);
	ck_assert_uint_gt(events, 60);
	ck_assert_uint_eq(verify().counts.twins, 3);
	bat_bytes_free(&file);
}
END_TEST

/* Nothing else is wrong: no hash is of an id. */
START_TEST(a_twin_in_a_sound_chain_is_counted)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct verdict verdict;
	const uint8_t *id;
	size_t at;

	make_sixty();
	temp_dir_read(&temp, "000001.fbat", &file);
	file.length = frame_at(&file, 40);
	temp_dir_write(&temp, "000001.fbat", bat_bytes_of_buf(&file));
	at = frame_at(&file, 9);
	id = memmem(file.data + at, 256, "event_id", 8);
	ck_assert_ptr_nonnull(id);
	for (ptrdiff_t i = 0; i < 16; i++)
		forge("000001.fbat", 33, "event_id", 2 + i, id[10 + i]);
	verdict = verify();
	ck_assert_int_eq(verdict.code, 0);
	ck_assert_uint_eq(verdict.noted, 0);
	ck_assert_uint_eq(verdict.counts.twins, 1);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(a_zero_id_and_a_time_before_1970_are_found)
{
	fill("crashed-open");
	for (ptrdiff_t i = 0; i < 16; i++)
		forge("000001.fbat", 4, "event_id", 2 + i, 0);
	ck_assert_uint_eq(verify().broken, BIT(ID));
	fill("crashed-open");
	forge("000001.fbat", 4, "timestamp_us", 0, 0xd3);
	forge("000001.fbat", 4, "timestamp_us", 1, 0xff);
	ck_assert_uint_eq(verify().broken, BIT(TIME));
}
END_TEST

START_TEST(batches_must_be_what_they_announce)
{
	/* Frames 7 to 11 of the store: BEGIN, three items, COMMIT. */
	struct verdict verdict;
	struct bat_buf file = BAT_BUF_EMPTY;
	unsigned begin = 0, items;

	fill("batch-last");
	temp_dir_read(&temp, "000001.fbat", &file);
	while (memmem(file.data + frame_at(&file, begin), 320, "_batch", 6) ==
	    NULL)
		begin++;
	items = 11 - begin - 1;
	bat_bytes_free(&file);

	forge("000001.fbat", begin, "payload_size", 0, (uint8_t)(items + 1));
	verdict = verify();
	ck_assert_int_eq(verdict.code, 0);
	ck_assert_uint_eq(verdict.noted, BIT(ABORTED));
	ck_assert_uint_eq(verdict.counts.dropped, items);

	forge("000001.fbat", begin, "payload_size", 0, (uint8_t)(items - 1));
	verdict = verify();
	ck_assert_uint_eq(verdict.broken, BIT(BATCH));
	ck_assert_uint_eq(verdict.noted, BIT(ABORTED));

	forge("000001.fbat", begin, "payload_size", 0, 0);
	ck_assert_uint_eq(verify().broken, BIT(BATCH));
	forge("000001.fbat", begin, "payload_size", 0, (uint8_t)items);
	ck_assert_int_eq(verify().code, 0);

	forge("000001.fbat", 11, "event_id", 17, 0x77);
	ck_assert_uint_eq(verify().broken, BIT(BATCH));
	/* COMMIT becomes a second BEGIN, which is never finished. */
	forge("000001.fbat", 11, "event_kind", 0, 6);
	forge("000001.fbat", 11, "payload_size", 0, 1);
	verdict = verify();
	ck_assert_uint_eq(verdict.broken, BIT(BATCH));
	ck_assert_uint_eq(verdict.noted, BIT(UNFINISHED));
}
END_TEST

/* Take `length` bytes at `from` out of a file, or put a copy of them at `to`. */
static void
move_bytes(const char *name, size_t from, size_t length, size_t to, bool copy)
{
	struct bat_buf file = BAT_BUF_EMPTY, out = BAT_BUF_EMPTY;
	int code;

	temp_dir_read(&temp, name, &file);
	code = bat_bytes_append(&out, file.data, copy ? to : from);
	if (copy && code == 0)
		code = bat_bytes_append(&out, file.data + from, length);
	from = copy ? to : from + length;
	if (code == 0)
		code = bat_bytes_append(&out, file.data + from,
		    file.length - from);
	ck_assert_int_eq(code, 0);
	temp_dir_write(&temp, name, bat_bytes_of_buf(&out));
	bat_bytes_free(&file);
	bat_bytes_free(&out);
}

START_TEST(frames_that_are_dropped_or_repeated_break_the_chain)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct verdict verdict;
	size_t a, b;

	fill("crashed-open");
	temp_dir_read(&temp, "000001.fbat", &file);
	a = frame_at(&file, 4);
	b = frame_at(&file, 5);
	move_bytes("000001.fbat", a, b - a, 0, false);
	ck_assert_uint_eq(verify().broken, BIT(CHAIN));

	fill("crashed-open");
	move_bytes("000001.fbat", a, b - a, file.length, true);
	verdict = verify();
	ck_assert_uint_eq(verdict.broken, BIT(CHAIN));
	ck_assert_uint_eq(verdict.counts.twins, 1);
	bat_bytes_free(&file);
}
END_TEST

START_TEST(a_hole_in_the_middle_is_named_and_the_rest_is_read)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct verdict verdict;

	fill("crashed-open");
	temp_dir_read(&temp, "000001.fbat", &file);
	temp_dir_flip(&temp, "000001.fbat", frame_at(&file, 4) + 1, 0xff);
	verdict = verify();
	ck_assert(verdict.broken & BIT(FRAME));
	ck_assert_uint_eq(verdict.counts.events, 25);
	ck_assert_uint_eq(verdict.error.segment, 1);
	ck_assert_uint_eq(verdict.error.offset, frame_at(&file, 4));
	bat_bytes_free(&file);
}
END_TEST

START_TEST(a_segment_under_another_name_or_gone_is_found)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct verdict verdict;

	fill("reopened");
	temp_dir_read(&temp, "000003.fbat", &file);
	temp_dir_unlink(&temp, "000003.fbat");
	verdict = verify();
	ck_assert(verdict.broken & BIT(INDEX_ROW));
	ck_assert(verdict.broken & BIT(CHAIN));
	temp_dir_write(&temp, "000009.fbat", bat_bytes_of_buf(&file));
	verdict = verify();
	ck_assert(verdict.broken & BIT(NUMBER));
	ck_assert(verdict.broken & BIT(SEQUENCE));
	bat_bytes_free(&file);
}
END_TEST

START_TEST(an_index_with_right_checks_and_wrong_rows_is_found)
{
	/* In a file of quickstart: header fields, then the last row's. */
	static const struct {
		size_t offset, before_end;
		uint64_t broken;
	} cases[] = {
		{ 20, 0, BIT(INDEX) },		  /* watermark offset: beyond */
		{ 28, 0, BIT(SEQUENCE) },	  /* allocator 22 -> 21 */
		{ 0, 218, BIT(INDEX_ROW) },	  /* id */
		{ 0, 218 - 24, BIT(INDEX_ROW) },  /* kind */
		{ 0, 218 - 118, BIT(INDEX_ROW) }, /* offset */
		{ 0, 218 - 130, BIT(SEQUENCE) },  /* sequence */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bat_buf file = BAT_BUF_EMPTY;
		struct verdict verdict;
		uint8_t *place;

		fill("quickstart");
		temp_dir_read(&temp, "index.fbati", &file);
		place = file.data + cases[i].offset;
		if (cases[i].before_end != 0)
			place = file.data + file.length - cases[i].before_end;
		*place = cases[i].offset == 28 ? 21 : *place ^ 2;
		bat_bytes_put_le(file.data + 8,
		    bat_crc_of(
			bat_bytes_slice(file.data + 12, file.length - 12)),
		    4);
		temp_dir_write(&temp, "index.fbati", bat_bytes_of_buf(&file));
		verdict = verify();
		ck_assert_msg(verdict.broken & cases[i].broken, "case %zu: %s",
		    i, verdict.error.text);
		bat_bytes_free(&file);
	}
}
END_TEST

START_TEST(an_index_of_another_store_is_found)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	fill("quickstart");
	temp_dir_read(&temp, "index.fbati", &file);
	fill("reopened");
	temp_dir_write(&temp, "index.fbati", bat_bytes_of_buf(&file));
	ck_assert(verify().broken & (BIT(INDEX_ROW) | BIT(INDEX)));
	bat_bytes_free(&file);
}
END_TEST

START_TEST(a_footer_without_rows_lacks_every_event)
{
	struct verdict verdict;
	struct maker maker;

	maker_init(&maker);
	maker_segment(&maker, 1);
	maker.unlisted = true;
	maker_event(&maker, "player:a", "\xa1x");
	maker_footer(&maker);
	maker_save(&maker, &temp);
	verdict = verify();
	ck_assert_uint_eq(verdict.counts.events, 1);
	ck_assert_uint_eq(verdict.counts.footer_rows, 0);
	ck_assert_uint_eq(verdict.broken, BIT(ROW));
	maker_free(&maker);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verify_forged");
	TCase *verify = tcase_create("verify");

	tcase_add_checked_fixture(verify, set_up, tear_down);
	tcase_set_timeout(verify, 300);
	tcase_add_test(verify, forged_frames_are_found);
	tcase_add_test(verify, findings_come_in_the_order_of_events);
	tcase_add_test(verify, twins_are_counted_wherever_they_stand);
	tcase_add_test(verify, a_twin_in_a_sound_chain_is_counted);
	tcase_add_test(verify, a_zero_id_and_a_time_before_1970_are_found);
	tcase_add_test(verify, batches_must_be_what_they_announce);
	tcase_add_test(verify,
	    frames_that_are_dropped_or_repeated_break_the_chain);
	tcase_add_test(verify,
	    a_hole_in_the_middle_is_named_and_the_rest_is_read);
	tcase_add_test(verify, a_segment_under_another_name_or_gone_is_found);
	tcase_add_test(verify,
	    an_index_with_right_checks_and_wrong_rows_is_found);
	tcase_add_test(verify, an_index_of_another_store_is_found);
	tcase_add_test(verify, a_footer_without_rows_lacks_every_event);
	suite_add_tcase(suite, verify);
	return suite_run(suite);
}
