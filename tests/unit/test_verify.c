#include "suite.h"
#include "verify.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "bat.h"
#include "crc.h"
#include "faulty_disk.h"
#include "frame.h"
#include "maker.h"
#include "segment.h"
#include "temp_dir.h"

#define GOLDEN TEST_DATA "/golden/"
#define BIT(code) (UINT64_C(1) << BAT_VERIFY_##code)

/* What one run said: a bit for each code. */
struct verdict {
	int code;
	uint64_t noted, broken;
	struct bat_verify_counts counts;
	struct bat_error error;
};

static struct temp_dir temp;

static void
set_up(void)
{
	temp_dir_make(&temp);
}

static void
tear_down(void)
{
	temp_dir_remove(&temp);
}

static int
take_finding(void *context, const struct bat_verify_finding *finding)
{
	struct verdict *verdict = context;
	uint64_t bit = UINT64_C(1) << finding->code;

	ck_assert_str_ne(finding->text, "");
	ck_assert_str_ne(bat_verify_code_name(finding->code), "unknown");
	if (finding->severity == BAT_VERIFY_BROKEN)
		verdict->broken |= bit;
	else
		verdict->noted |= bit;
	return 0;
}

static struct verdict
verify_as(const struct bat_verify_how *how, const struct bat_disk *disk,
    const char *path)
{
	struct verdict verdict = { 0 };
	struct bat_verify_sink sink = { &verdict, take_finding };

	verdict.code = bat_verify_directory_as(how, disk, path, &sink,
	    &verdict.counts, &verdict.error);
	return verdict;
}

static struct verdict
verify_path(const struct bat_disk *disk, const char *path)
{
	struct verdict verdict = { 0 };
	struct bat_verify_sink sink = { &verdict, take_finding };

	verdict.code = bat_verify_directory(disk, path, &sink, &verdict.counts,
	    &verdict.error);
	return verdict;
}

/* Whatever there is: the ways say the same of it. */
static struct verdict
verify_each_way(const char *path)
{
	static const struct bat_verify_how plain = { .plain = true };
	static const struct bat_verify_how in_two = { .split_bytes = 1 };
	struct verdict told = verify_path(bat_file_posix(), path);
	struct verdict others[] = { verify_as(&plain, bat_file_posix(), path),
		verify_as(&in_two, bat_file_posix(), path) };

	for (size_t i = 0; i < 2; i++) {
		ck_assert_msg(others[i].code == told.code &&
			others[i].noted == told.noted &&
			others[i].broken == told.broken,
		    "way %zu: %d '%s' and %d '%s'", i, others[i].code,
		    others[i].error.text, told.code, told.error.text);
		ck_assert_str_eq(others[i].error.text, told.error.text);
		ck_assert_mem_eq(&others[i].counts, &told.counts,
		    sizeof(told.counts));
	}
	return told;
}

static struct verdict
verify(void)
{
	return verify_each_way(temp.path);
}

static void
fill(const char *golden)
{
	char path[512];

	snprintf(path, sizeof(path), GOLDEN "%s/store", golden);
	temp_dir_fill(&temp, path);
}

/* What each golden store has to say; one that is not here says nothing and
 * has all of its events proved. */
static const struct expectation {
	const char *store;
	uint64_t noted, broken;
	uint64_t events;
} expectations[] = {
	/* Torn tails at the end of a crashed segment: cut at the next append. */
	{ "bad-crc", BIT(TORN), 0, 8 },
	{ "torn-tail", BIT(TORN), 0, 12 },
	{ "zero-tail", BIT(TORN), 0, 9 },
	{ "batch-torn", BIT(UNFINISHED), 0, 6 },
	{ "empty-segment", BIT(SHORT), 0, 9 },
	{ "empty-segment-indexed", BIT(SHORT), 0, 9 },
	/* The same where another segment follows: batpak stumbles there. */
	{ "torn-not-last", 0, BIT(FRAME), 10 },
	{ "batch-torn-reopened", 0, BIT(UNFINISHED), 16 },
	/* What compaction does to payloads, chains and numbers. */
	{ "compacted-retention", BIT(REENCODED) | BIT(PARENT) | BIT(SEQUENCE),
	    0, 73 },
	{ "compacted-tombstone", BIT(REENCODED), 0, 101 },
	{ "compacted-merge", 0, 0, 101 },
	{ "compaction-pending", BIT(PENDING), 0, 41 },
	/* What the index loses. */
	{ "idempotent", BIT(INDEX_TWIN), 0, 13 },
	{ "mixed", BIT(INDEX_NO_EXT), 0, 605 },
	/* Nothing at all. */
	{ "batch", 0, 0, 75 },
	{ "batch-last", 0, 0, 10 },
	{ "both-index", 0, 0, 25 },
	{ "chains", 0, 0, 71 },
	{ "ckpt-only", 0, 0, 33 },
	{ "clock-back", 0, 0, 22 },
	{ "coordinates", 0, 0, 120 },
	{ "crashed-after-index", 0, 0, 29 },
	{ "crashed-open", 0, 0, 26 },
	{ "cursors", 0, 0, 17 },
	{ "denials", 0, 0, 8 },
	{ "dropped", 0, 0, 11 },
	{ "extensions", 0, 0, 24 },
	{ "fenced-crash", 0, 0, 10 },
	{ "group-commit", 0, 0, 28 },
	{ "header-only-segment", 0, 0, 9 },
	{ "hidden", 0, 0, 41 },
	{ "kinds", 0, 0, 58 },
	{ "many-segments", 0, 0, 2002 },
	{ "many-segments-noindex", 0, 0, 302 },
	{ "missing-footer", 0, 0, 83 },
	{ "no-index", 0, 0, 17 },
	{ "payloads", 0, 0, 87 },
	{ "projection-cache", 0, 0, 11 },
	{ "quickstart", 0, 0, 22 },
	{ "reopened", 0, 0, 35 },
	{ "signed", 0, 0, 7 },
	{ "snapshot", 0, 0, 35 },
};

enum { EXPECTATION_COUNT = sizeof(expectations) / sizeof(expectations[0]) };

START_TEST(every_golden_store_says_what_it_is)
{
	const struct expectation *expected = &expectations[_i];
	struct verdict verdict;
	char path[512];

	/* In place: verify changes nothing. */
	snprintf(path, sizeof(path), GOLDEN "%s/store", expected->store);
	verdict = verify_each_way(path);
	ck_assert_msg(verdict.noted == expected->noted,
	    "%s noted %llx, expected %llx", expected->store,
	    (unsigned long long)verdict.noted,
	    (unsigned long long)expected->noted);
	ck_assert_msg(verdict.broken == expected->broken, "%s: %s",
	    expected->store, verdict.error.text);
	ck_assert_int_eq(verdict.code,
	    expected->broken != 0 ? BAT_DATA_CORRUPT : 0);
	ck_assert_msg(verdict.counts.events == expected->events,
	    "%s: %llu events", expected->store,
	    (unsigned long long)verdict.counts.events);
	if ((expected->noted & BIT(REENCODED)) == 0)
		ck_assert_uint_eq(verdict.counts.payloads,
		    verdict.counts.events + verdict.counts.dropped);
}
END_TEST

START_TEST(no_golden_store_is_left_out)
{
	DIR *folder = opendir(GOLDEN);
	struct dirent *entry;
	int count = 0;

	ck_assert_ptr_nonnull(folder);
	while ((entry = readdir(folder)) != NULL)
		count += entry->d_type == DT_DIR && entry->d_name[0] != '.';
	closedir(folder);
	ck_assert_int_eq(count, EXPECTATION_COUNT);
}
END_TEST

START_TEST(everything_that_is_there_is_counted)
{
	struct verdict verdict;

	fill("hidden");
	verdict = verify();
	ck_assert_uint_eq(verdict.counts.segments, 1);
	ck_assert_uint_eq(verdict.counts.frames, 49);
	ck_assert_uint_eq(verdict.counts.batches, 4);
	ck_assert_uint_eq(verdict.counts.chains, 4);
	ck_assert_uint_eq(verdict.counts.restarts, 15);
	ck_assert_uint_eq(verdict.counts.footers, 1);
	ck_assert_uint_eq(verdict.counts.footer_rows, 41);
	ck_assert_uint_eq(verdict.counts.index_files, 1);
	ck_assert_uint_eq(verdict.counts.index_rows, 41);
	ck_assert_uint_eq(verdict.counts.hidden_ranges, 2);
	verdict = verify_path(bat_file_posix(), GOLDEN "idempotent/store");
	ck_assert_uint_eq(verdict.counts.twins, 1);
}
END_TEST

START_TEST(nothing_is_ever_changed)
{
	struct faulty_disk disk;
	struct verdict verdict;

	fill("mixed");
	faulty_disk_init(&disk, bat_file_posix());
	verdict = verify_path(&disk.disk, temp.path);
	ck_assert_int_eq(verdict.code, 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_WRITE), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_TRUNCATE), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_RENAME), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_UNLINK), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_MKDIR), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_SYNC), 0);
	ck_assert_uint_eq(faulty_disk_calls(&disk, FAULTY_LOCK), 0);
	ck_assert(!temp_dir_has(&temp, ".batpak.lock"));
}
END_TEST

START_TEST(what_cannot_be_read_is_no_verdict)
{
	/* The plain way, and the swift one with either index. */
	static const char *const stores[] = { "both-index", "quickstart",
		"ckpt-only" };
	struct faulty_disk disk;
	struct verdict verdict;
	unsigned reads;

	ck_assert_int_eq(verify_path(bat_file_posix(), "/nowhere/at/all").code,
	    BAT_WORLD_ABSENT);
	fill(stores[_i]);
	faulty_disk_init(&disk, bat_file_posix());
	ck_assert_int_eq(verify_path(&disk.disk, temp.path).code, 0);
	reads = faulty_disk_calls(&disk, FAULTY_READ);
	for (unsigned i = 1; i <= reads; i++) {
		faulty_disk_reset(&disk);
		faulty_disk_fail(&disk, FAULTY_READ, i, EIO, false);
		verdict = verify_path(&disk.disk, temp.path);
		ck_assert_int_eq(verdict.code, BAT_WORLD_IO);
		ck_assert_int_eq(verdict.error.code, BAT_WORLD_IO);
		ck_assert_uint_eq(verdict.broken, 0);
	}
}
END_TEST

static int
stop_at_once(void *context, const struct bat_verify_finding *finding)
{
	(void)finding;
	++*(int *)context;
	return 77;
}

START_TEST(the_sink_can_end_it)
{
	struct bat_verify_counts counts;
	int calls = 0;
	struct bat_verify_sink sink = { &calls, stop_at_once };

	ck_assert_int_eq(bat_verify_directory(bat_file_posix(),
			     GOLDEN "mixed/store", &sink, &counts, NULL),
	    77);
	ck_assert_int_eq(calls, 1);
	/* And there need not be one. */
	ck_assert_int_eq(bat_verify_directory(bat_file_posix(),
			     GOLDEN "torn-not-last/store", NULL, &counts, NULL),
	    BAT_DATA_CORRUPT);
	ck_assert_uint_eq(counts.broken, 1);
}
END_TEST

/* Bytes that can change without anybody being able to say so. */
struct free_range {
	uint64_t from, to;
	const char *why;
};

static bool
is_free(const struct free_range *ranges, uint64_t offset)
{
	for (; ranges->why != NULL; ranges++) {
		if (offset >= ranges->from && offset < ranges->to)
			return true;
	}
	return false;
}

/* Flip one bit of every step-th byte of a file, each time another bit. */
static void
flip_all(const char *golden, const char *name, size_t step,
    const struct free_range *ranges)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	fill(golden);
	temp_dir_read(&temp, name, &file);
	for (size_t offset = 0; offset < file.length; offset += step) {
		uint8_t mask = (uint8_t)(1u << (offset / step) % 8);
		struct verdict verdict;

		if (is_free(ranges, offset))
			continue;
		temp_dir_flip(&temp, name, offset, mask);
		verdict = verify();
		ck_assert_msg(verdict.code == BAT_DATA_CORRUPT,
		    "%s/%s: byte %zu with %02x: %d", golden, name, offset, mask,
		    verdict.code);
		ck_assert_int_eq(verdict.error.code, BAT_DATA_CORRUPT);
		temp_dir_flip(&temp, name, offset, mask);
	}
	ck_assert_int_eq(verify().code, 0);
	bat_bytes_free(&file);
}

static const struct free_range free_in_segment[] = {
	{ 24, 25, "flags: nobody sets or reads them (noted)" },
	{ 37, 45, "created_ns: nobody reads it" },
	{ 0, 0, NULL },
};
static const struct free_range free_in_index[] = {
	{ 6, 8, "another version counts as absent" },
	{ 0, 0, NULL },
};

START_TEST(every_flipped_byte_of_a_sealed_segment_is_found)
{
	flip_all("quickstart", "000001.fbat", 7, free_in_segment);
}
END_TEST

START_TEST(every_flipped_byte_of_a_segment_below_a_watermark_is_found)
{
	/* No footer, and it is the highest: the index alone knows its end. */
	flip_all("group-commit", "000002.fbat", 11, free_in_segment);
}
END_TEST

START_TEST(every_flipped_byte_of_a_segment_below_another_is_found)
{
	flip_all("missing-footer", "000003.fbat", 11, free_in_segment);
}
END_TEST

START_TEST(every_flipped_byte_of_a_footer_without_an_index_is_found)
{
	static const struct free_range ranges[] = {
		{ 24, 25, "flags" },
		{ 37, 45, "created_ns" },
		{ 7887, 7895, "the last row's sequence, as long as it rises" },
		{ 0, 0, NULL },
	};

	flip_all("dropped", "000001.fbat", 5, ranges);
}
END_TEST

START_TEST(the_end_of_a_crashed_segment_is_free)
{
	static const struct free_range ranges[] = {
		{ 24, 25, "flags" },
		{ 37, 45, "created_ns" },
		{ 13199, 13711, "the last frame: a torn tail looks like it" },
		{ 0, 0, NULL },
	};

	flip_all("crashed-open", "000001.fbat", 13, ranges);
	temp_dir_flip(&temp, "000001.fbat", 13300, 1);
	ck_assert_uint_eq(verify().noted, BIT(TORN));
}
END_TEST

START_TEST(space_ahead_of_the_frames_is_nothing_to_speak_of)
{
	uint8_t ahead[10000];

	memset(ahead, 0xff, sizeof(ahead));
	fill("crashed-open");
	temp_dir_append(&temp, "000001.fbat",
	    bat_bytes_slice(ahead, sizeof(ahead)));
	ck_assert_uint_eq(verify().noted, 0);
	ck_assert_uint_eq(verify().broken, 0);
	/* A frame that a crash tore in it is a torn tail. */
	temp_dir_append(&temp, "000001.fbat", bat_bytes_slice("\xfe", 1));
	ck_assert_uint_eq(verify().noted, BIT(TORN));
}
END_TEST

START_TEST(every_flipped_byte_of_the_other_files_is_found)
{
	flip_all("quickstart", "index.fbati", 7, free_in_index);
	temp_dir_unlink(&temp, "index.fbati");
	flip_all("ckpt-only", "index.ckpt", 13, free_in_index);
	temp_dir_unlink(&temp, "index.ckpt");
	flip_all("hidden", "visibility_ranges.fbv", 1, &free_in_index[1]);
}
END_TEST

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

/* Where and what, in the order in which it was told. */
struct told {
	struct bat_verify_finding findings[32];
	size_t count;
};

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

START_TEST(an_empty_directory_has_nothing_to_prove)
{
	struct verdict verdict = verify();

	ck_assert_int_eq(verdict.code, 0);
	ck_assert_uint_eq(verdict.counts.segments, 0);
	temp_dir_write(&temp, "1.fbat", bat_bytes_text("x"));
	ck_assert_uint_eq(verify().noted, BIT(NAME));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verify");
	TCase *tcase = tcase_create("verify");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, every_golden_store_says_what_it_is, 0,
	    EXPECTATION_COUNT);
	tcase_add_test(tcase, no_golden_store_is_left_out);
	tcase_add_test(tcase, everything_that_is_there_is_counted);
	tcase_add_test(tcase, nothing_is_ever_changed);
	tcase_add_loop_test(tcase, what_cannot_be_read_is_no_verdict, 0, 3);
	tcase_add_test(tcase, the_sink_can_end_it);
	tcase_add_test(tcase, every_flipped_byte_of_a_sealed_segment_is_found);
	tcase_add_test(tcase,
	    every_flipped_byte_of_a_segment_below_a_watermark_is_found);
	tcase_add_test(tcase,
	    every_flipped_byte_of_a_segment_below_another_is_found);
	tcase_add_test(tcase,
	    every_flipped_byte_of_a_footer_without_an_index_is_found);
	tcase_add_test(tcase, the_end_of_a_crashed_segment_is_free);
	tcase_add_test(tcase, space_ahead_of_the_frames_is_nothing_to_speak_of);
	tcase_add_test(tcase, every_flipped_byte_of_the_other_files_is_found);
	tcase_add_test(tcase, forged_frames_are_found);
	tcase_add_test(tcase, findings_come_in_the_order_of_events);
	tcase_add_test(tcase, twins_are_counted_wherever_they_stand);
	tcase_add_test(tcase, a_twin_in_a_sound_chain_is_counted);
	tcase_add_test(tcase, a_zero_id_and_a_time_before_1970_are_found);
	tcase_add_test(tcase, batches_must_be_what_they_announce);
	tcase_add_test(tcase,
	    frames_that_are_dropped_or_repeated_break_the_chain);
	tcase_add_test(tcase,
	    a_hole_in_the_middle_is_named_and_the_rest_is_read);
	tcase_add_test(tcase, a_segment_under_another_name_or_gone_is_found);
	tcase_add_test(tcase,
	    an_index_with_right_checks_and_wrong_rows_is_found);
	tcase_add_test(tcase, an_index_of_another_store_is_found);
	tcase_add_test(tcase, a_footer_without_rows_lacks_every_event);
	tcase_add_test(tcase, an_empty_directory_has_nothing_to_prove);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
