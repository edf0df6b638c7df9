/*
 * Any bytes as lines that are appended, at any place: however a writer cuts
 * them, the same drafts come of them, up to the same bad line.
 *
 * The first byte says which place it is, the second how the writer cuts; where
 * the name of the file has words, they stand up to the next newline.
 */
#include "fuzz.h"

#include <string.h>

#include "intake.h"

enum {
	HAS_SCOPE = 1,
	HAS_NO_ENTITY = 2,
	HAS_WORDS = 4,
	HAS_DEFAULT_SCOPE = 8,
	IS_TEXT = 16,
	IS_STAMPED = 32,
	TEXT_MAX = 4096, /* so at most half as many lines */
};

struct writer {
	struct batfs_intake *intake;
	struct bat_receipt receipts[TEXT_MAX];
	uint64_t events;
	struct bat_buf taken; /* of each draft all that it says */
	int code;
};

static int
only_scope(void *context, struct bat_slice entity, struct bat_slice *out)
{
	(void)context;
	if (entity.length % 2 == 1)
		return BAT_USE_INVALID;
	*out = bat_bytes_text("room:only");
	return 0;
}

static bool
kind_alias(void *context, struct bat_slice name, uint16_t *out_kind)
{
	(void)context;
	*out_kind = 0xf002;
	return bat_bytes_equal(name, bat_bytes_text("moved"));
}

static const struct batfs_intake_resolver resolver = { NULL, only_scope,
	kind_alias };

static void
note_bytes(struct writer *writer, struct bat_slice bytes)
{
	FUZZ_CHECK(
	    bat_bytes_append_format(&writer->taken, "%zu:", bytes.length) == 0);
	FUZZ_CHECK(bat_bytes_append_slice(&writer->taken, bytes) == 0);
}

static void
note_draft(struct writer *writer, const struct bat_draft *draft)
{
	enum bat_cause_kind cause = draft->cause;
	struct bat_id id = draft->cause_id;
	uint64_t number = draft->cause_number;

	/* The line before may be of the same write or of one before. */
	if (cause == BAT_CAUSE_ITEM) {
		id = writer->receipts[number].id;
		cause = BAT_CAUSE_ID;
		number = 0;
	}
	note_bytes(writer, draft->entity);
	note_bytes(writer, draft->scope);
	note_bytes(writer, draft->payload);
	note_bytes(writer, bat_bytes_slice(draft->key.bytes, 16));
	note_bytes(writer, bat_bytes_slice(draft->corr.bytes, 16));
	note_bytes(writer, bat_bytes_slice(id.bytes, 16));
	FUZZ_CHECK(bat_bytes_append_format(&writer->taken,
		       "%d %llu %d %u %u %u %x %x %zu;", (int)cause,
		       (unsigned long long)number, (int)draft->expect,
		       draft->expect_clock, draft->lane, draft->depth,
		       draft->kind, draft->flags, draft->extension_count) == 0);
	for (size_t i = 0; i < draft->extension_count; i++) {
		note_bytes(writer, draft->extensions[i].key);
		note_bytes(writer, draft->extensions[i].value);
	}
}

/* The store takes every draft. How many bytes of the write were answered. */
static size_t
settle(struct writer *writer)
{
	struct batfs_intake_reject reject;
	struct bat_error error = { .code = 0 };
	size_t count;
	const struct bat_draft *drafts = batfs_intake_drafts(writer->intake,
	    &count);

	FUZZ_CHECK(count < TEXT_MAX);
	for (size_t i = 0; i < count; i++)
		writer->receipts[i] = (struct bat_receipt){
			.id = bat_id_from_number(++writer->events),
		};
	for (size_t i = 0; i < count; i++) {
		(void)bat_event_check_draft(&drafts[i], count == 1, &error);
		FUZZ_CHECK(drafts[i].cause != BAT_CAUSE_ITEM ||
		    drafts[i].cause_number < i);
		note_draft(writer, &drafts[i]);
	}
	return batfs_intake_settle(writer->intake, count, 0, &error,
	    writer->receipts, &writer->code, &reject);
}

/* A writer as cat is one: pieces of `most` bytes and less, and what follows a
 * short answer again, until there is an error. */
static void
write_all(struct writer *writer, struct bat_slice text, size_t most)
{
	size_t at = 0, end = 0, taken;

	while (at < text.length && writer->code == 0) {
		if (at == end)
			end += 1 + (most > 1 ? (at * 31 + most) % most : 0);
		if (end > text.length || most >= text.length)
			end = text.length;
		FUZZ_CHECK(batfs_intake_feed(writer->intake,
			       bat_bytes_slice(text.data + at, end - at)) == 0);
		taken = settle(writer);
		FUZZ_CHECK(taken <= end - at);
		FUZZ_CHECK(taken > 0 || writer->code != 0);
		at += taken;
	}
	if (writer->code != 0)
		return;
	FUZZ_CHECK(batfs_intake_finish(writer->intake, false) == 0);
	(void)settle(writer);
	FUZZ_CHECK(batfs_intake_pending(writer->intake) == 0);
}

/* false: the words of the file's name are none. */
static bool
start(struct writer *writer, unsigned how, struct bat_slice words)
{
	const struct batfs_intake_place place = {
		.entity = bat_bytes_text(
		    how & HAS_NO_ENTITY ? "" : "player:alice"),
		.scope = bat_bytes_text(how & HAS_SCOPE ? "room:one" : ""),
		.default_scope = bat_bytes_text(
		    how & HAS_DEFAULT_SCOPE ? "room:all" : ""),
		.default_kind = BAT_KIND_DATA,
		.words = words,
		.text = (how & IS_TEXT) != 0,
	};

	writer->events = 0;
	writer->code = 0;
	memset(&writer->taken, 0, sizeof(writer->taken));
	if (batfs_intake_new(&place, &resolver, &writer->intake) != 0)
		return false;
	if (how & IS_STAMPED)
		FUZZ_CHECK(batfs_intake_stamp(writer->intake,
			       bat_bytes_text("{\"uid\":0}")) == 0);
	return true;
}

static void
end(struct writer *writer)
{
	batfs_intake_free(writer->intake);
	bat_bytes_free(&writer->taken);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct writer whole, pieces;
	struct bat_slice text, words = bat_bytes_slice(data, 0);
	unsigned how;
	size_t most;

	if (length < 2 || length > TEXT_MAX)
		return 0;
	how = data[0];
	most = 1 + data[1] % 64;
	text = bat_bytes_slice(data + 2, length - 2);
	if (how & HAS_WORDS) {
		const uint8_t *newline = memchr(text.data, '\n', text.length);
		size_t used = newline == NULL ? text.length :
						(size_t)(newline - text.data);

		words = bat_bytes_slice(text.data, used);
		used += newline != NULL;
		text = bat_bytes_slice(text.data + used, text.length - used);
	}
	if (!start(&whole, how, words))
		return 0;
	FUZZ_CHECK(start(&pieces, how, words));
	write_all(&whole, text, TEXT_MAX);
	write_all(&pieces, text, most);
	FUZZ_CHECK(whole.code == pieces.code);
	FUZZ_CHECK(bat_bytes_equal(bat_bytes_of_buf(&whole.taken),
	    bat_bytes_of_buf(&pieces.taken)));
	end(&whole);
	end(&pieces);
	return 0;
}
