/*
 * The fast ways of recovery and the plain ones: of every directory they make
 * the same rows, the same report and the same plan.
 */
#include <check.h>

#include "maker.h"
#include "recovery.h"
#include "sample.h"
#include "suite.h"
#include "temp_dir.h"

/* More than two threads want at least, in frames of some 400 bytes. */
#define EVENTS 12000u
#define SEGMENT "000001.fbat"

struct way {
	struct bat_segment_dir dir;
	struct bat_index index;
	struct bat_recovery recovery;
	struct bat_error error;
	int code;
};

static void
go(struct way *way, const struct temp_dir *from, bool plain)
{
	const struct bat_recovery_options options = { .read_only = true,
		.plain = plain };

	*way = (struct way){ .code = 0 };
	ck_assert_int_eq(bat_segment_dir_open(&way->dir, bat_file_posix(),
			     from->path, true, NULL),
	    0);
	bat_index_init(&way->index);
	way->code = bat_recovery_run(&way->dir, &options, &way->index,
	    &way->recovery, &way->error);
}

static void
leave(struct way *way)
{
	bat_recovery_free(&way->recovery);
	bat_index_free(&way->index);
	bat_segment_dir_close(&way->dir);
}

static bool
same_name(const struct way *a, uint32_t x, const struct way *b, uint32_t y)
{
	if (x == BAT_INTERN_NONE || y == BAT_INTERN_NONE)
		return x == y;
	return bat_bytes_equal(bat_intern_get(&a->index.names, x),
	    bat_intern_get(&b->index.names, y));
}

static bool
same_row(const struct way *a, const struct way *b, uint32_t ordinal)
{
	struct bat_index_hot x = *bat_index_hot_at(&a->index, ordinal);
	struct bat_index_hot y = *bat_index_hot_at(&b->index, ordinal);
	bool same = same_name(a, x.entity, b, y.entity) &&
	    same_name(a, x.scope, b, y.scope) &&
	    bat_index_segment_of(&a->index, ordinal) ==
		bat_index_segment_of(&b->index, ordinal) &&
	    bat_index_offset_of(&a->index, ordinal) ==
		bat_index_offset_of(&b->index, ordinal);

	x.entity = x.scope = y.entity = y.scope = 0;
	x.place = y.place = 0;
	return same && memcmp(&x, &y, sizeof(x)) == 0;
}

static void
assert_same_plan(const struct bat_recovery *fast,
    const struct bat_recovery *plain)
{
	ck_assert_int_eq(fast->source, plain->source);
	ck_assert_uint_eq(fast->source_version, plain->source_version);
	ck_assert_uint_eq(fast->restored_count, plain->restored_count);
	ck_assert_uint_eq(fast->tail_count, plain->tail_count);
	ck_assert_uint_eq(fast->next_seq, plain->next_seq);
	ck_assert_uint_eq(fast->damaged_count, plain->damaged_count);
	ck_assert_int_eq(fast->refuse, plain->refuse);
	ck_assert_int_eq(fast->drop_rowindex, plain->drop_rowindex);
	ck_assert_int_eq(fast->drop_checkpoint, plain->drop_checkpoint);
	ck_assert_int_eq(fast->uncovered_extensions,
	    plain->uncovered_extensions);
	ck_assert_int_eq(fast->uncovered_unknown, plain->uncovered_unknown);
	ck_assert_uint_eq(fast->cut_count, plain->cut_count);
	for (size_t i = 0; i < fast->cut_count; i++) {
		ck_assert_uint_eq(fast->cuts[i].segment,
		    plain->cuts[i].segment);
		ck_assert_uint_eq(fast->cuts[i].offset, plain->cuts[i].offset);
		ck_assert_str_eq(fast->cuts[i].reason, plain->cuts[i].reason);
	}
}

/* How many rows there are. */
static uint32_t
assert_same_ways(const struct temp_dir *from, const char *what)
{
	struct way fast, plain;
	uint32_t count, i = 0;

	go(&fast, from, false);
	go(&plain, from, true);
	ck_assert_int_eq(fast.code, plain.code);
	sample_assert_same(bat_bytes_of_buf(&fast.recovery.report),
	    bat_bytes_of_buf(&plain.recovery.report), what);
	assert_same_plan(&fast.recovery, &plain.recovery);
	ck_assert_uint_eq(fast.index.count, plain.index.count);
	ck_assert_uint_eq(fast.index.visible_count, plain.index.visible_count);
	count = fast.index.count;
	while (i < count && same_row(&fast, &plain, i))
		i++;
	ck_assert_msg(i == count, "%s: row %u is another one", what, i);
	leave(&fast);
	leave(&plain);
	return count;
}

/* ---- stores of batpak's --------------------------------------------------- */

START_TEST(every_golden_store_is_the_same_both_ways)
{
	static const char *const without[] = { NULL, "index.fbati",
		"index.ckpt" };
	glob_t found;

	ck_assert_int_eq(glob(TEST_DATA "/golden/*/store", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct temp_dir dir;

		temp_dir_make(&dir);
		temp_dir_fill(&dir, found.gl_pathv[i]);
		for (size_t j = 0; j < 3; j++) {
			if (without[j] != NULL &&
			    temp_dir_has(&dir, without[j]))
				temp_dir_unlink(&dir, without[j]);
			(void)assert_same_ways(&dir, found.gl_pathv[i]);
		}
		temp_dir_remove(&dir);
	}
	globfree(&found);
}
END_TEST

/* Who follows reads on from there: a footer that it does not know is read once
 * more, with all rows of the segment. */
START_TEST(a_golden_store_ends_in_one_place_whatever_tells_of_it)
{
	glob_t found;
	unsigned sealed = 0;

	ck_assert_int_eq(glob(TEST_DATA "/golden/*/store", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct temp_dir dir;
		struct way by_index, by_segments;

		temp_dir_make(&dir);
		temp_dir_fill(&dir, found.gl_pathv[i]);
		go(&by_index, &dir, false);
		for (size_t j = 0; j < 2; j++) {
			static const char *const names[] = { "index.fbati",
				"index.ckpt" };

			if (temp_dir_has(&dir, names[j]))
				temp_dir_unlink(&dir, names[j]);
		}
		go(&by_segments, &dir, false);
		ck_assert_uint_eq(by_index.recovery.end.segment,
		    by_segments.recovery.end.segment);
		ck_assert_uint_eq(by_index.recovery.end.offset,
		    by_segments.recovery.end.offset);
		ck_assert_int_eq(by_index.recovery.end.sealed,
		    by_segments.recovery.end.sealed);
		if (by_index.recovery.has_index &&
		    by_index.recovery.tail_count == 0)
			sealed += by_index.recovery.end.sealed;
		leave(&by_index);
		leave(&by_segments);
		temp_dir_remove(&dir);
	}
	ck_assert_uint_gt(sealed, 2);
	globfree(&found);
}
END_TEST

static bool
report_has(const struct bat_recovery *recovery, const char *text)
{
	const struct bat_buf *report = &recovery->report;

	return report->length > 0 &&
	    memmem(report->data, report->length, text, strlen(text)) != NULL;
}

/* Also what a compaction of batpak's left: its frames are read when a footer
 * is not whole. */
START_TEST(payloads_of_golden_stores_are_those_that_were_hashed)
{
	glob_t found;

	ck_assert_int_eq(glob(TEST_DATA "/golden/*/store", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct temp_dir dir;
		struct way fast;
		char name[32];

		temp_dir_make(&dir);
		temp_dir_fill(&dir, found.gl_pathv[i]);
		for (uint64_t id = 1; id < 20; id++) {
			struct bat_buf file = BAT_BUF_EMPTY;

			bat_segment_name(id, name);
			if (!temp_dir_has(&dir, name))
				continue;
			temp_dir_read(&dir, name, &file);
			if (file.length > 100)
				temp_dir_truncate(&dir, name, file.length - 1);
			bat_bytes_free(&file);
		}
		for (unsigned j = 0; j < 2; j++) {
			const char *index = j == 0 ? "index.fbati" :
						     "index.ckpt";

			if (temp_dir_has(&dir, index))
				temp_dir_unlink(&dir, index);
		}
		(void)assert_same_ways(&dir, found.gl_pathv[i]);
		go(&fast, &dir, false);
		ck_assert_msg(!report_has(&fast.recovery, "whose hash"), "%s",
		    found.gl_pathv[i]);
		leave(&fast);
		temp_dir_remove(&dir);
	}
	globfree(&found);
}
END_TEST

/* ---- segments that are long enough for two threads ------------------------ */

static struct temp_dir temp;
static struct maker maker;

static void
set_up(void)
{
	temp_dir_make(&temp);
	maker_init(&maker);
	maker_segment(&maker, 1);
}

static void
tear_down(void)
{
	maker_free(&maker);
	temp_dir_remove(&temp);
}

static void
add_events(unsigned count)
{
	static const char *const entities[] = { "player:alice", "player:bob",
		"room:hall" };

	for (unsigned i = 0; i < count; i++)
		maker_event(&maker, entities[i % 3],
		    "\xa5"
		    "hello");
}

/* Batches of so many, the last one is complete. */
static void
add_batches(unsigned count, unsigned size)
{
	for (unsigned i = 0; i < count; i += size) {
		maker_marker(&maker, 6, size);
		add_events(size);
		maker_marker(&maker, 7, 0);
	}
}

START_TEST(single_events_are_the_same_both_ways)
{
	add_events(EVENTS);
	maker_save(&maker, &temp);
	ck_assert_uint_eq(assert_same_ways(&temp, "single events"), EVENTS);
	maker_segment(&maker, 2);
	add_events(100);
	maker_save(&maker, &temp);
	ck_assert_uint_eq(assert_same_ways(&temp, "two segments"),
	    EVENTS + 100);
}
END_TEST

/* Small ones, some in a window, and one that covers the middle. */
START_TEST(batches_are_the_same_both_ways)
{
	static const unsigned sizes[] = { 1, 7, 3000, EVENTS };
	unsigned size = sizes[_i];
	unsigned count = (EVENTS + size - 1) / size * size;

	add_batches(EVENTS, size);
	maker_save(&maker, &temp);
	ck_assert_uint_eq(assert_same_ways(&temp, "batches"), count);
}
END_TEST

/* A batch that was never completed, and what comes behind it. */
START_TEST(broken_batches_are_the_same_both_ways)
{
	unsigned half = EVENTS / 2;
	uint32_t wanted = EVENTS;

	switch (_i) {
	case 0: /* it covers the middle, then a BEGIN interrupts it */
		add_events(4000);
		maker_marker(&maker, 6, 4000);
		add_events(3000);
		add_batches(5000, 10);
		wanted = 4000 + 5000;
		break;
	case 1: /* events go on behind all of its items: they are dropped */
		add_events(half - 1000);
		maker_marker(&maker, 6, 1000);
		add_events(half + 1000);
		wanted = half - 1000 + half - 1;
		break;
	case 2: /* at the end */
		add_events(EVENTS);
		maker_marker(&maker, 6, 10);
		add_events(3);
		break;
	default: /* a COMMIT too many */
		add_events(half);
		maker_marker(&maker, 7, 0);
		add_events(half);
		break;
	}
	maker_save(&maker, &temp);
	ck_assert_uint_eq(assert_same_ways(&temp, "broken batches"), wanted);
}
END_TEST

START_TEST(names_that_only_the_second_half_has_are_there)
{
	struct way fast;

	add_events(EVENTS);
	maker_event(&maker, "late:one", "\xa1x");
	maker_event(&maker, "player:bob", "\xa1x");
	maker_save(&maker, &temp);
	ck_assert_uint_eq(assert_same_ways(&temp, "late names"), EVENTS + 2);
	go(&fast, &temp, false);
	ck_assert_uint_eq(fast.index.entities.count, 4);
	leave(&fast);
}
END_TEST

/* Some differ only in their middle, which a place among the recent ones is not
 * made of; some are shorter than what it is made of. */
static void
name_in_turn(unsigned i, char name[64])
{
	if (i % 3 == 0)
		snprintf(name, 64, "a:%u", i % 40);
	else if (i % 3 == 1)
		snprintf(name, 64, "the-first:%08x:the-last", i % 40);
	else
		snprintf(name, 64, "player:%08x", i % 40);
}

START_TEST(names_that_take_turns_are_told_apart)
{
	struct way fast;
	char name[64];
	uint32_t wrong = 0;

	for (unsigned i = 0; i < EVENTS; i++) {
		name_in_turn(i, name);
		maker_event(&maker, name, "\xa1x");
	}
	maker_save(&maker, &temp);
	ck_assert_uint_eq(assert_same_ways(&temp, "turns"), EVENTS);
	go(&fast, &temp, false);
	for (unsigned i = 0; i < EVENTS; i++) {
		name_in_turn(i, name);
		wrong += !bat_bytes_equal(bat_bytes_text(name),
		    bat_intern_get(&fast.index.names,
			bat_index_hot_at(&fast.index, i)->entity));
	}
	ck_assert_uint_eq(wrong, 0);
	leave(&fast);
}
END_TEST

/* An event whose hash is of something else; the payload is so long. */
static void
add_forged(size_t length)
{
	static const uint8_t zeros[3000];
	const struct bat_event event = {
		.id = bat_id_from_number(12345),
		.corr = bat_id_from_number(12345),
		.kind = 0xf001,
		.hash = bat_hash_of(bat_bytes_text("something else")),
		.entity = bat_bytes_text("player:bob"),
		.scope = bat_bytes_text("s"),
	};
	size_t start = maker.file.length;

	ck_assert_int_eq(bat_frame_open(&maker.file), 0);
	ck_assert_int_eq(bat_codec_encode(&event,
			     bat_bytes_slice(zeros, length), NULL, 0,
			     &maker.file),
	    0);
	bat_frame_seal(&maker.file, start);
}

START_TEST(payloads_that_were_not_hashed_are_told_in_either_half)
{
	struct way fast;
	char text[64];
	size_t first, last;

	add_events(100);
	first = maker.file.length;
	add_forged(5);
	add_events(EVENTS);
	for (unsigned i = 0; i < 15; i++)
		add_forged(i == 7 ? 3000 : 0);
	last = maker.file.length;
	add_forged(1024);
	add_events(1);
	maker_save(&maker, &temp);
	ck_assert_uint_eq(assert_same_ways(&temp, "forged"), EVENTS + 118);
	go(&fast, &temp, false);
	ck_assert(!fast.recovery.refuse);
	snprintf(text, sizeof(text), "segment 1 offset %zu: the payload",
	    first);
	ck_assert(report_has(&fast.recovery, text));
	snprintf(text, sizeof(text), "segment 1 offset %zu: the payload", last);
	ck_assert(!report_has(&fast.recovery, text));
	ck_assert(report_has(&fast.recovery, "segment 1: 1 more such"));
	leave(&fast);
}
END_TEST

START_TEST(damage_and_cuts_are_the_same_both_ways)
{
	uint32_t state = (uint32_t)_i + 1;

	add_batches(EVENTS, 50);
	maker_footer(&maker);
	maker_save(&maker, &temp);
	for (unsigned i = 0; i < 6; i++) {
		size_t at;
		struct bat_slice file = bat_bytes_of_buf(&maker.file);

		state = state * 1664525 + 1013904223;
		at = (size_t)(((uint64_t)state * file.length) >> 32);
		if (i % 3 == 0) {
			file.length = at;
			temp_dir_write(&temp, SEGMENT, file);
			(void)assert_same_ways(&temp, "a cut");
			temp_dir_write(&temp, SEGMENT,
			    bat_bytes_of_buf(&maker.file));
		} else {
			/* Damage, and then damage without a footer. */
			temp_dir_flip(&temp, SEGMENT, at, 0x21);
			(void)assert_same_ways(&temp, "damage");
			temp_dir_truncate(&temp, SEGMENT, file.length - 1);
			(void)assert_same_ways(&temp, "damage, no footer");
			temp_dir_write(&temp, SEGMENT, file);
		}
	}
}
END_TEST

/* Whole frames within the payload of one: in the middle, where the second
 * thread looks for its first. */
START_TEST(frames_within_a_payload_do_not_mislead)
{
	struct bat_buf inner = BAT_BUF_EMPTY, body = BAT_BUF_EMPTY;
	const struct bat_event event = {
		.id = bat_id_from_number(99),
		.corr = bat_id_from_number(99),
		.kind = 0xf001,
		.has_chain = true,
		.entity = bat_bytes_text("forged:one"),
		.scope = bat_bytes_text("forged"),
	};
	uint8_t *slot;
	size_t start;

	for (unsigned i = 0; i < 4000; i++) {
		start = inner.length;
		ck_assert_int_eq(bat_frame_open(&inner), 0);
		ck_assert_int_eq(bat_codec_encode(&event,
				     bat_bytes_text("\xa1x"), NULL, 0, &inner),
		    0);
		bat_frame_seal(&inner, start);
	}
	add_events(EVENTS / 4);
	/* An event with an empty payload, made one of bin. */
	ck_assert_int_eq(
	    bat_codec_encode(&event, BAT_SLICE_EMPTY, NULL, 0, &body), 0);
	slot = memmem(body.data, body.length, "\xa7payload\x90", 9);
	ck_assert_ptr_nonnull(slot);
	slot += 8;
	start = maker.file.length;
	ck_assert_int_eq(bat_frame_open(&maker.file), 0);
	maker_bytes(&maker, body.data, (size_t)(slot - body.data));
	maker_bytes(&maker, "\xc6", 1);
	ck_assert_int_eq(bat_bytes_append_be(&maker.file, inner.length, 4), 0);
	maker_bytes(&maker, inner.data, inner.length);
	maker_bytes(&maker, slot + 1,
	    body.length - (size_t)(slot + 1 - body.data));
	bat_frame_seal(&maker.file, start);
	add_events(EVENTS / 4);
	maker_save(&maker, &temp);
	ck_assert_uint_gt(inner.length, 1u << 20);
	ck_assert_uint_eq(assert_same_ways(&temp, "frames in a payload"),
	    EVENTS / 4 * 2 + 1);
	bat_bytes_free(&inner);
	bat_bytes_free(&body);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recovery_ways");
	TCase *golden = tcase_create("golden");
	TCase *large = tcase_create("large");

	tcase_add_test(golden, every_golden_store_is_the_same_both_ways);
	tcase_add_test(golden,
	    a_golden_store_ends_in_one_place_whatever_tells_of_it);
	tcase_add_test(golden,
	    payloads_of_golden_stores_are_those_that_were_hashed);
	suite_add_tcase(suite, golden);
	tcase_set_timeout(large, 60);
	tcase_add_checked_fixture(large, set_up, tear_down);
	tcase_add_test(large, single_events_are_the_same_both_ways);
	tcase_add_loop_test(large, batches_are_the_same_both_ways, 0, 4);
	tcase_add_loop_test(large, broken_batches_are_the_same_both_ways, 0, 4);
	tcase_add_test(large, names_that_only_the_second_half_has_are_there);
	tcase_add_test(large, names_that_take_turns_are_told_apart);
	tcase_add_test(large,
	    payloads_that_were_not_hashed_are_told_in_either_half);
	tcase_add_loop_test(large, damage_and_cuts_are_the_same_both_ways, 0,
	    2);
	tcase_add_test(large, frames_within_a_payload_do_not_mislead);
	suite_add_tcase(suite, large);
	return suite_run(suite);
}
