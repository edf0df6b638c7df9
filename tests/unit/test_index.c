/*
 * The index against a plain model of it: the same rows, loaded at once or
 * added one group after the other, are in the same lists.
 */
#include <check.h>
#include <stdlib.h>

#include "index.h"
#include "suite.h"

/* ---- a model ------------------------------------------------------------ */

enum { ROWS = 200, NAMES = 12, HIDDEN_FROM = 50, HIDDEN_TO = 60 };

struct model {
	struct bat_row rows[ROWS];
	uint32_t count;
	uint32_t seed;
};

static uint32_t
draw(struct model *model, uint32_t below)
{
	model->seed = model->seed * 1664525u + 1013904223u;
	return (model->seed >> 8) % below;
}

/* Few entities and scopes, some ids twice, now and then a row of which
 * nothing is known. */
static void
model_make(struct model *model, uint32_t seed)
{
	uint64_t seq = 0, offset = 57, segment = 1;

	*model = (struct model){ .seed = seed, .count = ROWS };
	for (uint32_t i = 0; i < ROWS; i++) {
		struct bat_row *row = &model->rows[i];
		bool damaged = draw(model, 40) == 0;

		seq += draw(model, 10) == 0 ? 4 : 1;
		if (draw(model, 60) == 0) {
			segment += 1 + draw(model, 3);
			offset = 57;
		}
		*row = (struct bat_row){
			.id = bat_id_from_number(1 + draw(model, 150)),
			.entity = damaged ? BAT_INTERN_NONE :
					    draw(model, NAMES),
			.scope = damaged ? BAT_INTERN_NONE :
					   draw(model, NAMES / 3),
			.segment = segment,
			.offset = offset,
			.length = 100 + draw(model, 50),
			.seq = seq,
			.wall_ms = 1000 + draw(model, 1000),
			.clock = i,
			.kind = (uint16_t)(0x1000 + draw(model, 5)),
		};
		offset += row->length;
	}
}

static bool
model_hides(const struct bat_row *row)
{
	return row->seq >= HIDDEN_FROM && row->seq < HIDDEN_TO;
}

static void
index_start(struct bat_index *index)
{
	struct bat_hidden hidden = { malloc(sizeof(*hidden.ranges)), 1 };
	uint32_t number;

	ck_assert_ptr_nonnull(hidden.ranges);
	hidden.ranges[0] = (struct bat_hidden_range){ HIDDEN_FROM, HIDDEN_TO };
	bat_index_init(index);
	bat_index_set_hidden(index, &hidden);
	for (uint32_t i = 0; i < NAMES; i++) {
		const char name[] = { (char)('a' + (char)i), '\0' };

		ck_assert_int_eq(bat_intern_put(&index->names,
				     bat_bytes_text(name), &number),
		    0);
	}
}

/* `loaded` rows before finish, the rest in groups of `group`. */
static void
index_fill(struct bat_index *index, const struct model *model, uint32_t loaded,
    uint32_t group)
{
	index_start(index);
	for (uint32_t i = 0; i < loaded; i++)
		ck_assert_int_eq(bat_index_load(index, &model->rows[i]), 0);
	ck_assert_int_eq(bat_index_finish(index), 0);
	for (uint32_t i = loaded; i < model->count; i += group) {
		uint32_t count = model->count - i < group ? model->count - i :
							    group;

		ck_assert_int_eq(
		    bat_index_prepare(index, &model->rows[i], count), 0);
		for (uint32_t j = 0; j < count; j++)
			bat_index_insert(index, &model->rows[i + j]);
	}
}

/* ---- comparing ---------------------------------------------------------- */

static void
assert_list(const struct bat_index_list *list, const struct model *model,
    uint32_t entity, uint32_t scope)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < model->count; i++) {
		const struct bat_row *row = &model->rows[i];

		if (model_hides(row) || row->entity != entity ||
		    (scope != UINT32_MAX && row->scope != scope))
			continue;
		ck_assert_uint_lt(at, list->count);
		ck_assert_uint_eq(list->ordinals[at++], i);
	}
	ck_assert_uint_eq(at, list->count);
}

/* Entities and scopes stand in first-seen order. */
static void
assert_names(const struct bat_index *index, const struct model *model)
{
	bool entity[NAMES] = { false }, scope[NAMES] = { false };
	uint32_t entities = 0, scopes = 0;

	for (uint32_t i = 0; i < model->count; i++) {
		const struct bat_row *row = &model->rows[i];

		if (model_hides(row) || row->entity == BAT_INTERN_NONE)
			continue;
		if (!entity[row->entity])
			ck_assert_uint_eq(index->entities.ordinals[entities++],
			    row->entity);
		if (!scope[row->scope])
			ck_assert_uint_eq(index->scopes.ordinals[scopes++],
			    row->scope);
		entity[row->entity] = scope[row->scope] = true;
	}
	ck_assert_uint_eq(index->entities.count, entities);
	ck_assert_uint_eq(index->scopes.count, scopes);
}

static void
assert_row(struct bat_index *index, const struct model *model, uint32_t i)
{
	const struct bat_row *row = &model->rows[i];
	uint32_t newest = BAT_INDEX_NOTHING;
	struct bat_row got;
	int code;

	bat_index_row(index, i, &got);
	ck_assert(bat_id_equal(&got.id, &row->id));
	ck_assert_uint_eq(got.entity, row->entity);
	ck_assert_uint_eq(got.scope, row->scope);
	ck_assert_uint_eq(got.seq, row->seq);
	ck_assert_uint_eq(got.segment, row->segment);
	ck_assert_uint_eq(got.offset, row->offset);
	ck_assert_uint_eq(got.length, row->length);
	ck_assert_uint_eq(got.clock, row->clock);
	ck_assert_uint_eq(got.kind, row->kind);
	ck_assert_uint_eq(bat_index_seq(index, i), row->seq);
	ck_assert_uint_eq(bat_index_wall_ms(index, i), row->wall_ms);
	ck_assert_uint_eq(bat_index_lower_seq(index, row->seq), i);
	ck_assert_uint_eq(bat_index_lower_seq(index, row->seq + 1), i + 1);
	ck_assert(bat_index_is_hidden(index, i) == model_hides(row));
	for (uint32_t j = 0; j < model->count; j++)
		if (bat_id_equal(&model->rows[j].id, &row->id) &&
		    !model_hides(&model->rows[j]) &&
		    model->rows[j].entity != BAT_INTERN_NONE)
			newest = j;
	ck_assert_uint_eq(bat_index_find_id(index, &row->id, &code), newest);
	ck_assert_int_eq(code, 0);
}

static void
assert_same(struct bat_index *index, const struct model *model)
{
	uint64_t visible = 0;

	ck_assert_uint_eq(index->count, model->count);
	for (uint32_t i = 0; i < model->count; i++) {
		assert_row(index, model, i);
		visible += !model_hides(&model->rows[i]);
	}
	ck_assert_uint_eq(index->visible_count, visible);
	assert_names(index, model);
	for (uint32_t e = 0; e < NAMES; e++) {
		assert_list(bat_index_entity_list(index, e), model, e,
		    UINT32_MAX);
		for (uint32_t s = 0; s < NAMES; s++) {
			static const struct bat_index_list nothing;
			uint32_t member = bat_index_find_member(index, s, e);

			assert_list(member == BAT_INDEX_NOTHING ?
				&nothing :
				bat_index_member_list(index, member),
			    model, e, s);
		}
	}
}

START_TEST(loaded_or_added_rows_are_in_the_same_lists)
{
	static const uint32_t loaded[] = { 0, 1, 45, 120, ROWS };
	static const uint32_t groups[] = { 1, 2, 7, 100 };
	struct bat_index index;
	struct model model;

	model_make(&model, (uint32_t)_i + 1);
	for (size_t i = 0; i < sizeof(loaded) / sizeof(loaded[0]); i++)
		for (size_t j = 0; j < sizeof(groups) / sizeof(groups[0]);
		     j++) {
			index_fill(&index, &model, loaded[i], groups[j]);
			assert_same(&index, &model);
			bat_index_free(&index);
		}
}
END_TEST

/* ---- taking back -------------------------------------------------------- */

START_TEST(what_was_prepared_and_cancelled_is_as_if_it_never_was)
{
	struct model model, other;
	struct bat_index index;

	model_make(&model, (uint32_t)_i + 20);
	model_make(&other, (uint32_t)_i + 40);
	index_start(&index);
	ck_assert_int_eq(bat_index_finish(&index), 0);
	for (uint32_t i = 0; i < model.count; i += 10) {
		struct bat_row strange[10];

		/* Other rows, behind the same ones, do not come to be. */
		for (uint32_t j = 0; j < 10; j++) {
			strange[j] = other.rows[i + j];
			strange[j].seq = model.rows[i + j].seq;
			strange[j].segment = model.rows[i + j].segment;
			strange[j].offset = model.rows[i + j].offset;
		}
		ck_assert_int_eq(bat_index_prepare(&index, strange, 10), 0);
		bat_index_cancel(&index, strange, 10);
		ck_assert_int_eq(bat_index_prepare(&index, &model.rows[i], 10),
		    0);
		for (uint32_t j = 0; j < 10; j++)
			bat_index_insert(&index, &model.rows[i + j]);
	}
	assert_same(&index, &model);
	bat_index_free(&index);
}
END_TEST

START_TEST(what_was_unloaded_is_as_if_it_never_was)
{
	struct bat_index index;
	struct model model;

	model_make(&model, 60);
	index_start(&index);
	for (uint32_t i = 0; i < model.count; i++) {
		ck_assert_int_eq(bat_index_load(&index, &model.rows[i]), 0);
		if (i % 10 == 9) {
			bat_index_unload(&index, i - 4);
			for (uint32_t j = i - 4; j <= i; j++)
				ck_assert_int_eq(
				    bat_index_load(&index, &model.rows[j]), 0);
		}
	}
	ck_assert_int_eq(bat_index_finish(&index), 0);
	assert_same(&index, &model);
	bat_index_free(&index);
}
END_TEST

START_TEST(rows_in_another_order_are_sorted_by_place)
{
	struct bat_index index;
	struct model model;
	uint32_t segment;

	model_make(&model, 70);
	index_start(&index);
	/* Segments are made known in their order first. */
	for (uint32_t i = 0; i < model.count; i++)
		ck_assert_int_eq(bat_index_segment(&index,
				     model.rows[i].segment, &segment),
		    0);
	for (uint32_t i = 0; i < model.count; i++) {
		struct bat_row row = model.rows[(i * 7) % model.count];

		ck_assert_int_eq(bat_index_load(&index, &row), 0);
	}
	ck_assert_int_eq(bat_index_sort(&index), 0);
	ck_assert_int_eq(bat_index_finish(&index), 0);
	assert_same(&index, &model);
	bat_index_free(&index);
}
END_TEST

/* ---- limits ------------------------------------------------------------- */

START_TEST(a_place_that_does_not_fit_is_too_large)
{
	struct bat_row row = { .segment = 1, .seq = 1, .length = 100 };
	struct bat_index index;

	index_start(&index);
	row.offset = BAT_INDEX_OFFSET_MAX + 1;
	ck_assert_int_eq(bat_index_load(&index, &row), BAT_USE_TOO_LARGE);
	row.offset = BAT_INDEX_OFFSET_MAX;
	ck_assert_int_eq(bat_index_load(&index, &row), 0);
	ck_assert_uint_eq(bat_index_offset_of(&index, 0), BAT_INDEX_OFFSET_MAX);
	ck_assert_uint_eq(bat_index_segment_of(&index, 0), 1);
	bat_index_free(&index);
}
END_TEST

START_TEST(an_empty_index_has_nothing)
{
	const struct bat_id id = bat_id_from_number(1);
	struct bat_index index;
	int code;

	bat_index_init(&index);
	ck_assert_int_eq(bat_index_finish(&index), 0);
	ck_assert_uint_eq(index.count, 0);
	ck_assert_uint_eq(bat_index_lower_seq(&index, 0), 0);
	ck_assert_uint_eq(bat_index_find_id(&index, &id, &code),
	    BAT_INDEX_NOTHING);
	ck_assert_int_eq(code, 0);
	ck_assert_uint_eq(bat_index_entity_list(&index, 3)->count, 0);
	ck_assert_uint_eq(bat_index_find_member(&index, 0, 0),
	    BAT_INDEX_NOTHING);
	bat_index_free(&index);
}
END_TEST

START_TEST(a_fingerprint_tells_each_field_apart)
{
	const struct bat_id zero = BAT_ID_ZERO, one = bat_id_from_number(1);
	const struct bat_hash none = { { 0 } }, some = { { 1 } };
	const uint32_t prints[] = {
		bat_index_fingerprint(&zero, &zero, &none, &none, 0, 0),
		bat_index_fingerprint(&one, &zero, &none, &none, 0, 0),
		bat_index_fingerprint(&zero, &one, &none, &none, 0, 0),
		bat_index_fingerprint(&zero, &zero, &some, &none, 0, 0),
		bat_index_fingerprint(&zero, &zero, &none, &some, 0, 0),
		bat_index_fingerprint(&zero, &zero, &none, &none, 1, 0),
		bat_index_fingerprint(&zero, &zero, &none, &none, 0, 1),
	};

	for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(prints[i], prints[j]);
}
END_TEST

/* More rows than one chunk of them holds. */
START_TEST(rows_go_on_over_the_end_of_a_chunk)
{
	struct bat_index index;
	uint32_t rows = BAT_INDEX_CHUNK_ROWS * 2 + 10;
	struct bat_row row = { .segment = 1, .length = 10, .kind = 1 };

	index_start(&index);
	for (uint32_t i = 0; i < rows; i++) {
		if (i == BAT_INDEX_CHUNK_ROWS + 5)
			ck_assert_int_eq(bat_index_finish(&index), 0);
		row.seq = 100 + (uint64_t)i * 2;
		row.offset = (uint64_t)i * 10;
		row.id = bat_id_from_number(i + 1);
		row.entity = i % 3;
		row.scope = 3;
		if (i < BAT_INDEX_CHUNK_ROWS + 5) {
			ck_assert_int_eq(bat_index_load(&index, &row), 0);
			continue;
		}
		ck_assert_int_eq(bat_index_prepare(&index, &row, 1), 0);
		bat_index_insert(&index, &row);
	}
	for (uint32_t i = 0; i < rows; i += 97) {
		const struct bat_id id = bat_id_from_number(i + 1);
		int code;

		ck_assert_uint_eq(bat_index_seq(&index, i), 100 + i * 2);
		ck_assert_uint_eq(bat_index_find_id(&index, &id, &code), i);
		ck_assert_uint_eq(bat_index_lower_seq(&index, 99 + i * 2), i);
	}
	ck_assert_uint_eq(bat_index_entity_list(&index, 0)->count,
	    (rows + 2) / 3);
	bat_index_free(&index);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("index");
	TCase *tcase = tcase_create("index");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, loaded_or_added_rows_are_in_the_same_lists,
	    0, 3);
	tcase_add_loop_test(tcase,
	    what_was_prepared_and_cancelled_is_as_if_it_never_was, 0, 3);
	tcase_add_test(tcase, what_was_unloaded_is_as_if_it_never_was);
	tcase_add_test(tcase, rows_in_another_order_are_sorted_by_place);
	tcase_add_test(tcase, a_place_that_does_not_fit_is_too_large);
	tcase_add_test(tcase, an_empty_index_has_nothing);
	tcase_add_test(tcase, a_fingerprint_tells_each_field_apart);
	tcase_add_test(tcase, rows_go_on_over_the_end_of_a_chunk);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
