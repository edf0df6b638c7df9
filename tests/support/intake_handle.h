/*
 * For tests of the intake: a handle at a place of the tree, over a store that
 * takes every event and numbers it. `settle` is the commit; a test feeds bytes
 * between.
 */
#ifndef INTAKE_HANDLE_H
#define INTAKE_HANDLE_H

#include "intake.h"

#include <check.h>
#include <string.h>

struct handle {
	struct batfs_intake *intake;
	uint64_t next_id; /* of the events that were "committed" */
	struct bat_receipt receipts[512];
	struct batfs_intake_reject reject;
	int code; /* of the last settle */
};

static inline int
only_scope(void *context, struct bat_slice entity, struct bat_slice *out)
{
	(void)context;
	if (!bat_bytes_equal(entity, bat_bytes_text("player:alice")))
		return BAT_USE_INVALID;
	*out = bat_bytes_text("room:one");
	return 0;
}

static inline bool
kind_alias(void *context, struct bat_slice name, uint16_t *out_kind)
{
	(void)context;
	*out_kind = 0x2abc;
	return bat_bytes_equal(name, bat_bytes_text("moved"));
}

static const struct batfs_intake_resolver resolver = {
	.only_scope = only_scope,
	.kind_alias = kind_alias,
};

static inline void
open_place(struct handle *handle, struct batfs_intake_place place)
{
	if (place.default_kind == 0)
		place.default_kind = BAT_KIND_DATA;
	memset(handle, 0, sizeof(*handle));
	ck_assert_int_eq(batfs_intake_new(&place, &resolver, &handle->intake),
	    0);
}

/* scopes/room:one/player:alice */
static inline void
open_member(struct handle *handle)
{
	open_place(handle,
	    (struct batfs_intake_place){
		.entity = bat_bytes_text("player:alice"),
		.scope = bat_bytes_text("room:one"),
	    });
}

/* entities/player:alice,WORDS */
static inline void
open_words(struct handle *handle, const char *words)
{
	open_place(handle,
	    (struct batfs_intake_place){
		.entity = bat_bytes_text("player:alice"),
		.words = bat_bytes_text(words),
	    });
}

static inline void
close_handle(struct handle *handle)
{
	batfs_intake_free(handle->intake);
}

static inline const struct bat_draft *
drafts_of(struct handle *handle, size_t *out_count)
{
	return batfs_intake_drafts(handle->intake, out_count);
}

/* Let the first `committed` drafts be written, the next refused with code. */
static inline size_t
settle(struct handle *handle, size_t committed, int code)
{
	struct bat_error error;

	bat_error_set(&error, code, "the store says no");
	for (size_t i = 0; i < committed; i++)
		handle->receipts[i].id = bat_id_from_number(++handle->next_id);
	return batfs_intake_settle(handle->intake, committed, code, &error,
	    handle->receipts, &handle->code, &handle->reject);
}

static inline size_t
settle_all(struct handle *handle)
{
	size_t count;

	drafts_of(handle, &count);
	ck_assert_uint_le(count, 512);
	return settle(handle, count, 0);
}

static inline size_t
write_text(struct handle *handle, const char *text)
{
	ck_assert_int_eq(
	    batfs_intake_feed(handle->intake, bat_bytes_text(text)), 0);
	return settle_all(handle);
}

/* The only draft of one line; not settled. */
static inline const struct bat_draft *
feed_one(struct handle *handle, const char *line)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	const struct bat_draft *drafts;
	size_t count;

	ck_assert_int_eq(bat_bytes_append_format(&buf, "%s\n", line), 0);
	ck_assert_int_eq(
	    batfs_intake_feed(handle->intake, bat_bytes_of_buf(&buf)), 0);
	/* What was fed may go away before the drafts are used. */
	memset(buf.data, '#', buf.length);
	bat_bytes_free(&buf);
	drafts = drafts_of(handle, &count);
	if (count == 0) {
		settle(handle, 0, 0);
		ck_abort_msg("%s: %s", line, handle->reject.error.text);
	}
	ck_assert_uint_eq(count, 1);
	return drafts;
}

/* Refused at once, with a sentence that holds `part`. */
static inline void
expect_refused(struct handle *handle, const char *line, int code,
    const char *part)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	ck_assert_int_eq(bat_bytes_append_format(&buf, "%s\n", line), 0);
	ck_assert_int_eq(
	    batfs_intake_feed(handle->intake, bat_bytes_of_buf(&buf)), 0);
	ck_assert_uint_eq(settle_all(handle), 0);
	ck_assert_msg(handle->code == code, "%s: %d %s", line, handle->code,
	    handle->reject.error.text);
	ck_assert(handle->reject.any);
	ck_assert_int_eq(handle->reject.code, code);
	ck_assert_int_eq(handle->reject.error.code, code);
	ck_assert_msg(strstr(handle->reject.error.text, part) != NULL, "%s: %s",
	    line, handle->reject.error.text);
	ck_assert_uint_eq(handle->reject.start_length,
	    buf.length - 1 < 80 ? buf.length - 1 : 80);
	ck_assert_int_eq(memcmp(handle->reject.start, buf.data,
			     handle->reject.start_length),
	    0);
	bat_bytes_free(&buf);
}

static inline bool
is(struct bat_slice slice, const char *text)
{
	return bat_bytes_equal(slice, bat_bytes_text(text));
}

#endif
