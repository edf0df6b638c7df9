/*
 * Causes and chains over stores that were made at random, twins, circles of ids
 * and hidden events among them, against a model that asks every event about
 * every other.
 */
#include <stdlib.h>

#include "hidden.h"
#include "maker.h"
#include "sample.h"
#include "segment.h"
#include "stores.h"
#include "suite.h"

#define EVENTS 60
#define NONE UINT32_MAX

/* What the model knows of an event. */
struct event {
	struct bat_id id, corr, cause;
	bool hidden;
	uint32_t by_cause;   /* an ordinal */
	struct bat_id chain; /* the name */
};

static struct event events[EVENTS + 8];
static uint32_t count;
static struct temp_dir dir;
static struct bat_store *store;

/* ---- the model ------------------------------------------------------------ */

static uint32_t
latest_before(const struct bat_id *id, uint32_t before)
{
	while (before-- > 0)
		if (!events[before].hidden &&
		    bat_id_equal(&events[before].id, id))
			return before;
	return NONE;
}

static void
model_add(struct event *event)
{
	uint32_t ordinal = (uint32_t)(event - events), found;
	const struct bat_id *reference = &event->id;

	event->by_cause = NONE;
	if (!bat_id_is_zero(&event->cause))
		event->by_cause = latest_before(&event->cause, ordinal);
	if (!bat_id_equal(&event->corr, &event->id))
		reference = &event->corr;
	else if (!bat_id_is_zero(&event->cause))
		reference = &event->cause;
	event->chain = *reference;
	found = latest_before(reference, ordinal);
	if (reference != &event->id && found != NONE)
		event->chain = events[found].chain;
}

static bool
in_chain(uint32_t a, uint32_t b)
{
	return !events[a].hidden && !events[b].hidden &&
	    bat_id_equal(&events[a].chain, &events[b].chain);
}

static bool
is_cause(uint32_t cause, uint32_t of)
{
	for (uint32_t at = of; !events[of].hidden && at != NONE;) {
		at = events[at].by_cause;
		if (at == cause)
			return true;
	}
	return false;
}

static bool
belongs(enum bat_list_kind kind, uint32_t event, uint32_t other)
{
	switch ((unsigned)kind) {
	case BAT_LIST_EFFECTS:
		return !events[other].hidden && events[other].by_cause == event;
	case BAT_LIST_CAUSES:
		return is_cause(other, event);
	case BAT_LIST_CONSEQUENCES:
		return is_cause(event, other);
	default:
		return in_chain(event, other);
	}
}

/* ---- stores ----------------------------------------------------------------- */

static struct bat_id
pick(unsigned choices)
{
	struct bat_id id = BAT_ID_ZERO;

	id.bytes[0] = 0x77;
	id.bytes[15] = (uint8_t)(1 + (unsigned)random() % choices);
	return id;
}

/* A store of events whose ids, if any, are among so many. */
static void
make_store(unsigned seed, unsigned choices)
{
	struct bat_hidden_range range = { 20, 25 };
	const struct bat_hidden hidden = { &range, 1 };
	struct bat_buf file = BAT_BUF_EMPTY;
	struct maker maker;

	srandom(seed);
	maker_init(&maker);
	maker_segment(&maker, 1);
	for (count = 0; count < EVENTS; count++) {
		struct event *event = &events[count];
		static const char *const entities[] = { "a:1", "b:2", "c:3" };

		if (count == EVENTS / 2) {
			maker_footer(&maker);
			maker_save(&maker, &dir);
			maker_segment(&maker, 2);
		}
		*event = (struct event){ .id = pick(choices) };
		event->corr = random() % 3 == 0 ? pick(choices) : event->id;
		if (random() % 2 == 0)
			event->cause = pick(choices);
		event->hidden = seed % 2 == 1 && count >= range.start &&
		    count < range.end;
		maker.id = event->id;
		maker.corr = event->corr;
		maker.cause = event->cause;
		maker_event(&maker, entities[random() % 3], "\xc0");
		model_add(event);
	}
	maker_footer(&maker);
	maker_save(&maker, &dir);
	if (seed % 2 == 1) {
		ck_assert_int_eq(bat_hidden_encode(&hidden, &file), 0);
		temp_dir_write(&dir, BAT_HIDDEN_FILE, bat_bytes_of_buf(&file));
	}
	bat_bytes_free(&file);
	maker_free(&maker);
}

static void
trace(void)
{
	struct bat_error error = { .text = "" };
	int code = bat_trace(store, &error);

	ck_assert_msg(code == 0, "%s: %s", bat_error_name(code), error.text);
}

/* ---- comparing ---------------------------------------------------------------- */

/* The events of a list, some at a time. */
static uint32_t
collect(const struct bat_list *list, uint32_t *ordinals)
{
	uint64_t cursor = 0;
	uint32_t got = 0, more;

	do {
		more = (uint32_t)bat_list_next(store, list, &cursor,
		    ordinals + got, 7);
		got += more;
		ck_assert_uint_le(got, EVENTS + 8);
	} while (more > 0);
	return got;
}

static void
check_list(enum bat_list_kind kind, uint32_t event, uint32_t before)
{
	const struct bat_list list = { .kind = kind,
		.event = event,
		.before = before };
	struct bat_list_stat stat;
	uint32_t got[EVENTS + 16], at = 0, length = collect(&list, got);
	uint32_t end = before == 0 || before > count ? count : before;

	for (uint32_t i = 0; i < end; i++) {
		if (!belongs(kind, event, i))
			continue;
		ck_assert_msg(at < length && got[at] == i,
		    "list %d of %u before %u: %u is missing", (int)kind, event,
		    before, i);
		at++;
	}
	ck_assert_uint_eq(at, length);
	ck_assert(bat_list_stat(store, &list, &stat) == (length > 0));
	ck_assert_uint_eq(stat.count, length);
	if (length > 0) {
		ck_assert_uint_eq(stat.first, got[0]);
		ck_assert_uint_eq(stat.last, got[length - 1]);
	}
}

/* The same events, each somewhere behind its cause, its whole branch before
 * the next sibling. */
static void
check_tree(uint32_t event, uint32_t before)
{
	const struct bat_list list = { .kind = BAT_LIST_CHAIN_TREE,
		.event = event,
		.before = before };
	uint32_t got[EVENTS + 16], length = collect(&list, got);
	uint32_t end = before > count ? count : before, members = 0;
	uint32_t path[EVENTS + 16], depth = 0;

	for (uint32_t i = 0; i < end; i++)
		members += in_chain(event, i);
	ck_assert_uint_eq(length, members);
	for (uint32_t i = 0; i < length; i++) {
		uint32_t cause = events[got[i]].by_cause;

		ck_assert(in_chain(event, got[i]) && got[i] < end);
		if (cause != NONE && !in_chain(cause, event))
			cause = NONE;
		while (depth > 0 && path[depth - 1] != cause) {
			/* Left for good: whoever comes now is younger. */
			depth--;
			ck_assert(path[depth] < got[i] ||
			    (depth > 0 && path[depth - 1] != cause));
		}
		ck_assert_uint_eq(depth == 0 ? NONE : path[depth - 1], cause);
		path[depth++] = got[i];
	}
}

static void
check_chain_of(uint32_t ordinal)
{
	struct bat_chain chain, found;
	uint32_t first = ordinal, second = NONE;

	if (events[ordinal].hidden) {
		ck_assert(!bat_chain_of(store, ordinal, &chain));
		return;
	}
	ck_assert(bat_chain_of(store, ordinal, &chain));
	for (uint32_t i = count; i-- > 0;)
		if (in_chain(i, ordinal)) {
			second = first == i ? second : first;
			first = i;
		}
	ck_assert(bat_id_equal(&chain.id, &events[ordinal].chain));
	ck_assert_uint_eq(chain.first, first);
	for (uint32_t i = first + 1; i < count; i++)
		if (in_chain(i, first)) {
			second = i;
			break;
		}
	ck_assert_uint_eq(chain.second, second);
	ck_assert(bat_chain_find(store, &chain.id, &found));
	ck_assert_uint_eq(found.first, first);
}

static void
check_causes(void)
{
	for (uint32_t i = 0; i < count; i++) {
		bool gone;
		uint32_t cause = bat_cause(store, i, &gone);

		if (events[i].hidden) {
			ck_assert(cause == NONE && !gone);
			continue;
		}
		ck_assert_uint_eq(cause, events[i].by_cause);
		ck_assert(gone ==
		    (cause == NONE && !bat_id_is_zero(&events[i].cause)));
	}
}

/* Each chain of several once, as they became that, and under its last byte. */
static void
check_chains(void)
{
	uint32_t wanted = 0, position = 0, by_byte = 0, last_second = 0;
	struct bat_chain chain;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t before = 0;

		for (uint32_t j = 0; j < i; j++)
			before += in_chain(i, j);
		wanted += before == 1;
	}
	for (; bat_chain_at(store, position, &chain); position++) {
		ck_assert(position == 0 || chain.second > last_second);
		last_second = chain.second;
	}
	ck_assert_uint_eq(position, wanted);
	for (unsigned byte = 0; byte < 256; byte++)
		for (position = 0; bat_chain_ending_at(store, (uint8_t)byte,
			 position, &chain);
		     position++) {
			ck_assert_uint_eq(chain.id.bytes[15], byte);
			by_byte++;
		}
	ck_assert_uint_eq(by_byte, wanted);
}

static void
check_everything(void)
{
	check_causes();
	check_chains();
	for (uint32_t i = 0; i < count; i++) {
		check_chain_of(i);
		for (uint32_t before = 0; before <= count + 1; before += 3) {
			check_list(BAT_LIST_CHAIN, i, before);
			check_list(BAT_LIST_EFFECTS, i, before);
			check_list(BAT_LIST_CAUSES, i, before);
			check_list(BAT_LIST_CONSEQUENCES, i, before);
			if (before > 0)
				check_tree(i, before);
		}
	}
}

static void
check_ids_before(unsigned choices)
{
	for (uint32_t before = 0; before <= count; before++)
		for (unsigned i = 0; i < choices; i++) {
			struct bat_id id = { { 0x77 } };

			id.bytes[15] = (uint8_t)(1 + i);
			ck_assert_uint_eq(bat_find_id_before(store, &id,
					      before),
			    latest_before(&id, before));
		}
}

START_TEST(chains_are_what_the_rule_says)
{
	static const unsigned choices[] = { 8, 40, 200 };
	unsigned seed = (unsigned)_i;

	temp_dir_make(&dir);
	make_store(seed, choices[seed % 3]);
	store = stores_open(&dir, true);
	trace();
	check_everything();
	check_ids_before(choices[seed % 3]);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(nothing_is_answered_before_a_trace)
{
	const struct bat_list list = { .kind = BAT_LIST_CHAIN };
	struct bat_list_stat stat;
	struct bat_chain chain;
	bool gone;

	temp_dir_make(&dir);
	make_store(3, 8);
	store = stores_open(&dir, true);
	ck_assert(!bat_chain_of(store, 1, &chain));
	ck_assert(!bat_chain_at(store, 0, &chain));
	ck_assert(!bat_list_stat(store, &list, &stat));
	ck_assert_uint_eq(bat_cause(store, 1, &gone), NONE);
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

/* Appended through the store, in a batch and alone. */
START_TEST(what_is_appended_joins_at_the_next_trace)
{
	struct bat_draft drafts[2] = { stores_draft("a:1", "s", "\xc0"),
		stores_draft("b:2", "s", "\xc0") };
	struct bat_chain chain, other;
	struct bat_receipt receipts[2], receipt;
	struct bat_head head;
	bool gone;

	temp_dir_make(&dir);
	store = stores_open(&dir, false);
	drafts[1].cause = BAT_CAUSE_ITEM;
	drafts[1].cause_number = 0;
	trace();
	ck_assert_int_eq(stores_append_batch(store, drafts, 2, receipts, NULL),
	    0);
	trace();
	ck_assert(bat_chain_find(store, &receipts[0].id, &chain));
	ck_assert(
	    bat_chain_of(store, bat_find_id(store, &receipts[1].id), &other));
	ck_assert_uint_eq(chain.first, other.first);
	drafts[0].cause = BAT_CAUSE_ID;
	drafts[0].cause_id = receipts[1].id;
	ck_assert_int_eq(stores_append_batch(store, drafts, 1, &receipt, NULL),
	    0);
	bat_head(store, &head);
	ck_assert(!bat_chain_of(store, head.last, &other));
	trace();
	ck_assert(bat_chain_of(store, head.last, &other));
	ck_assert_uint_eq(chain.first, other.first);
	ck_assert_uint_eq(bat_cause(store, head.last, &gone),
	    bat_find_id(store, &receipts[1].id));
	stores_close(store);
	temp_dir_remove(&dir);
}
END_TEST

START_TEST(a_few_digits_find_a_chain_if_they_mean_only_one)
{
	struct bat_id name = BAT_ID_ZERO, other = BAT_ID_ZERO;
	struct bat_chain chain;
	struct maker maker;

	temp_dir_make(&dir);
	maker_init(&maker);
	maker_segment(&maker, 1);
	name.bytes[0] = 0xab;
	name.bytes[1] = 0xcd;
	name.bytes[15] = 1;
	other = name;
	other.bytes[1] = 0xce;
	maker.corr = name; /* nobody's id */
	maker_event(&maker, "a:1", "\xc0");
	maker.id = other;
	maker_event(&maker, "a:1", "\xc0");
	maker_save(&maker, &dir);
	store = stores_open(&dir, true);
	trace();
	ck_assert(!bat_chain_prefix(store, &name, 2, 0, &chain));
	ck_assert(!bat_chain_prefix(store, &name, 3, 0, &chain));
	ck_assert(bat_chain_prefix(store, &name, 4, 0, &chain));
	ck_assert_uint_eq(chain.first, 0);
	ck_assert(bat_chain_prefix(store, &other, 4, 0, &chain));
	ck_assert_uint_eq(chain.first, 1);
	ck_assert(bat_chain_prefix(store, &other, 32, 0, &chain));
	ck_assert(!bat_chain_prefix(store, &other, 4, 1, &chain));
	ck_assert(!bat_chain_prefix(store, &other, 32, 1, &chain));
	ck_assert(bat_chain_prefix(store, &name, 3, 1, &chain));
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

/* What the footer still tells of it counts; and the others are as they were. */
START_TEST(a_damaged_event_keeps_its_chain)
{
	struct bat_chain chain, other;
	struct bat_buf file = BAT_BUF_EMPTY;
	char name[BAT_SEGMENT_NAME_SIZE];
	struct maker maker;
	uint64_t offset;
	bool gone;

	temp_dir_make(&dir);
	maker_init(&maker);
	maker_segment(&maker, 1);
	maker_event(&maker, "a:1", "\xc0");
	maker.cause = maker.rows[0].id;
	offset = maker_event(&maker, "a:1", "\xc0");
	maker.cause = maker.rows[1].id;
	maker_event(&maker, "b:1", "\xc0");
	maker_footer(&maker);
	maker_save(&maker, &dir);
	maker_segment(&maker, 2);
	maker_event(&maker, "b:1", "\xc0");
	maker_footer(&maker);
	maker_save(&maker, &dir);
	maker_index(&maker, true, 5, &file);
	temp_dir_write(&dir, "index.fbati", bat_bytes_of_buf(&file));
	bat_segment_name(1, name);
	bat_bytes_clear(&file);
	temp_dir_read(&dir, name, &file);
	file.data[offset + 20] ^= 1;
	temp_dir_write(&dir, name, bat_bytes_of_buf(&file));
	store = stores_open(&dir, true);
	trace();
	ck_assert_uint_eq(bat_cause(store, 1, &gone), 0);
	ck_assert_uint_eq(bat_cause(store, 2, &gone), 1);
	ck_assert(bat_chain_of(store, 0, &chain));
	ck_assert(bat_chain_of(store, 2, &other));
	ck_assert_uint_eq(other.first, chain.first);
	stores_close(store);
	bat_bytes_free(&file);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

/* Long ones in every shape: one after the other, and all of one. */
START_TEST(a_chain_of_many_thousands_is_no_trouble)
{
	enum { MANY = 20000 };
	struct bat_list list = { .kind = BAT_LIST_CHAIN_TREE, .before = MANY };
	struct bat_list_stat stat;
	struct bat_chain chain;
	struct maker maker;
	uint32_t ordinals[64], seen = 0;
	uint64_t cursor = 0;
	size_t more;

	temp_dir_make(&dir);
	maker_init(&maker);
	maker_segment(&maker, 1);
	maker.row_count = 0;
	for (uint32_t i = 0; i < MANY; i++) {
		char entity[16];

		snprintf(entity, sizeof(entity), "e:%u", i % 10);
		if (i > 0)
			maker.cause = maker.rows[_i == 0 ? i - 1 : 0].id;
		maker_event(&maker, entity, "\xc0");
	}
	maker_footer(&maker);
	maker_save(&maker, &dir);
	store = stores_open(&dir, true);
	trace();
	ck_assert(bat_chain_of(store, MANY - 1, &chain));
	ck_assert_uint_eq(chain.first, 0);
	while ((more = bat_list_next(store, &list, &cursor, ordinals, 64)) > 0)
		for (size_t i = 0; i < more; i++)
			ck_assert_uint_eq(ordinals[i], seen++);
	ck_assert_uint_eq(seen, MANY);
	list.kind = BAT_LIST_CONSEQUENCES;
	ck_assert(bat_list_stat(store, &list, &stat));
	ck_assert_uint_eq(stat.count, MANY - 1);
	list.kind = BAT_LIST_CAUSES;
	list.event = MANY - 1;
	ck_assert(bat_list_stat(store, &list, &stat));
	ck_assert_uint_eq(stat.count, _i == 0 ? MANY - 1 : 1);
	stores_close(store);
	maker_free(&maker);
	temp_dir_remove(&dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("causality");
	TCase *cases = tcase_create("causality");

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, chains_are_what_the_rule_says, 0, 12);
	tcase_add_test(cases, nothing_is_answered_before_a_trace);
	tcase_add_test(cases, what_is_appended_joins_at_the_next_trace);
	tcase_add_test(cases, a_few_digits_find_a_chain_if_they_mean_only_one);
	tcase_add_test(cases, a_damaged_event_keeps_its_chain);
	tcase_add_loop_test(cases, a_chain_of_many_thousands_is_no_trouble, 0,
	    2);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
