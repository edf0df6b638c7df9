#include "picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "json_line.h"

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
text(struct bat_buf *out, const char *what)
{
	must(bat_bytes_append_text(out, what) == 0);
}

static void
hex(struct bat_buf *out, const void *data, size_t length)
{
	must(bat_bytes_append_hex(out, data, length) == 0);
}

static void
put_id(struct bat_buf *out, const char *name, const struct bat_id *id)
{
	char digits[33];

	bat_id_to_hex(id, digits);
	must(bat_bytes_append_format(out, "\t%s=%s", name,
		 bat_id_is_zero(id) ? "-" : digits) == 0);
}

/* ---- of a store ------------------------------------------------------- */

static void
put_row(struct bat_store *store, const struct bat_row *row, unsigned leave_out,
    struct bat_buf *out)
{
	struct bat_slice entity = bat_name(store, row->entity);
	struct bat_slice scope = bat_name(store, row->scope);

	if ((leave_out & PICTURE_NO_SEQ) == 0)
		must(bat_bytes_append_format(out, "\tseq=%" PRIu64, row->seq) ==
		    0);
	put_id(out, "id", &row->id);
	put_id(out, "corr", &row->corr);
	put_id(out, "cause", &row->cause);
	text(out, "\tentity=");
	must(bat_bytes_append_slice(out, entity) == 0);
	text(out, "\tscope=");
	must(bat_bytes_append_slice(out, scope) == 0);
	must(bat_bytes_append_format(out,
		 "\tkind=%x.%03x\tclock=%u\twall_ms=%" PRIu64
		 "\tlane=%u\tdepth=%u\tprev=",
		 row->kind >> 12, row->kind & 0xfffu, row->clock, row->wall_ms,
		 row->lane, row->depth) == 0);
	hex(out, &row->prev, sizeof(row->prev));
	text(out, "\thash=");
	hex(out, &row->hash, sizeof(row->hash));
	if ((leave_out & PICTURE_NO_PLACE) == 0)
		must(bat_bytes_append_format(out,
			 "\tsegment=%" PRIu64 "\toffset=%" PRIu64 "\tlength=%u",
			 row->segment, row->offset, row->length) == 0);
}

static void
put_extensions(const struct bat_reading *reading, struct bat_buf *out)
{
	struct bat_extension_walk walk = bat_extensions(reading);
	struct bat_buf value = BAT_BUF_EMPTY;
	struct bat_slice key;

	while (bat_extensions_next(&walk, &key, &value) == 0) {
		text(out, "\text ");
		must(bat_bytes_append_slice(out, key) == 0);
		text(out, "=");
		must(bat_bytes_append_base64(out, value.data, value.length) ==
		    0);
	}
	bat_bytes_free(&value);
}

static void
put_frame(const struct bat_reading *reading, unsigned leave_out,
    struct bat_buf *out)
{
	const struct bat_event *event = &reading->fields;

	must(bat_bytes_append_format(out,
		 "\tframe_kind=%x.%03x\tus=%" PRId64 "\tflags=%u\tsize=%u"
		 "\tpayload=",
		 event->kind >> 12, event->kind & 0xfffu, event->timestamp_us,
		 event->flags, event->payload_size) == 0);
	must(bat_bytes_append_base64(out, reading->payload.data,
		 reading->payload.length) == 0);
	if ((leave_out & PICTURE_NO_EXTENSIONS) == 0)
		put_extensions(reading, out);
}

static int
put_event(struct bat_store *store, uint32_t ordinal, unsigned leave_out,
    struct bat_reading *reading, struct bat_buf *out)
{
	struct bat_error error;
	int code = bat_read(store, ordinal, reading, &error);

	if (code == BAT_DATA_DISAGREES)
		return code;
	must(code == 0 || code == BAT_DATA_CORRUPT);
	text(out, code == 0 ? "event" : "damaged");
	if (code == 0 || reading->row.entity != BAT_MAP_NONE)
		put_row(store, &reading->row, leave_out, out);
	if (code == 0 && (leave_out & PICTURE_NO_FRAME) == 0)
		put_frame(reading, leave_out, out);
	text(out, "\n");
	return 0;
}

void
picture_of_some(struct bat_store *store, unsigned leave_out, uint32_t from,
    size_t count, struct bat_buf *out)
{
	const struct bat_list all = { .kind = BAT_LIST_ALL };
	struct bat_reading reading = BAT_READING_EMPTY;
	uint64_t cursor = 0;
	uint32_t ordinal, position = 0;

	while (bat_list_next(store, &all, &cursor, &ordinal, 1) == 1) {
		if (position >= from && position - from < count)
			must(put_event(store, ordinal, leave_out, &reading,
				 out) == 0);
		position++;
	}
	bat_reading_free(&reading);
}

void
picture_of(struct bat_store *store, unsigned leave_out, struct bat_buf *out)
{
	const struct bat_list all = { .kind = BAT_LIST_ALL };
	struct bat_reading reading = BAT_READING_EMPTY;
	size_t before = out->length;
	uint64_t cursor = 0;
	uint32_t ordinal;
	unsigned rebuilds = 0;

	while (bat_list_next(store, &all, &cursor, &ordinal, 1) == 1) {
		if (put_event(store, ordinal, leave_out, &reading, out) == 0)
			continue;
		/* The index lied and was rebuilt: once more from the start. */
		must(rebuilds++ < 2);
		out->length = before;
		cursor = 0;
	}
	bat_reading_free(&reading);
}

/* ---- of expected.jsonl ------------------------------------------------ */

static void
copy_text(struct bat_slice line, const char *key, const char *name,
    struct bat_buf *out)
{
	struct bat_slice value = json_line_find(line, key);

	must(bat_bytes_append_format(out, "\t%s=", name) == 0);
	if (value.length == 0 || value.data[0] == 'n')
		text(out, "-");
	else if (value.data[0] == '"')
		json_line_text(value, out);
	else
		must(bat_bytes_append_slice(out, value) == 0);
}

static void
expected_frame(struct bat_slice line, unsigned leave_out, struct bat_buf *out)
{
	struct bat_slice extensions = json_line_find(line, "ext");
	struct bat_slice key, value;
	size_t at = 0;

	copy_text(line,
	    json_line_find(line, "frame_kind").length > 0 ? "frame_kind" :
							    "kind",
	    "frame_kind", out);
	copy_text(line, "timestamp_us", "us", out);
	copy_text(line, "flags", "flags", out);
	copy_text(line, "payload_size", "size", out);
	copy_text(line, "payload_b64", "payload", out);
	if ((leave_out & PICTURE_NO_EXTENSIONS) != 0)
		return;
	while (json_line_next(extensions, &at, &key, &value)) {
		text(out, "\text ");
		must(bat_bytes_append_slice(out, key) == 0);
		text(out, "=");
		json_line_text(value, out);
	}
}

static void
expected_line(struct bat_slice line, unsigned leave_out, struct bat_buf *out)
{
	static const char *const fields[] = { "id", "corr", "cause", "entity",
		"scope", "kind", "clock", "wall_ms", "lane", "depth", "prev",
		"hash" };
	static const char *const place[] = { "segment", "offset", "length" };

	text(out, "event");
	if ((leave_out & PICTURE_NO_SEQ) == 0)
		copy_text(line, "seq", "seq", out);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		copy_text(line, fields[i], fields[i], out);
	for (size_t i = 0; i < sizeof(place) / sizeof(place[0]); i++)
		if ((leave_out & PICTURE_NO_PLACE) == 0)
			copy_text(line, place[i], place[i], out);
	if ((leave_out & PICTURE_NO_FRAME) == 0)
		expected_frame(line, leave_out, out);
	text(out, "\n");
}

void
picture_expected(const char *path, unsigned leave_out, struct bat_buf *out)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	struct bat_slice rest, line;
	FILE *stream = fopen(path, "rb");
	size_t got;

	must(stream != NULL);
	do {
		must(bat_bytes_reserve(&file, 1u << 20) == 0);
		got = fread(file.data + file.length, 1, 1u << 20, stream);
		file.length += got;
	} while (got > 0);
	fclose(stream);
	rest = bat_bytes_of_buf(&file);
	while (json_line_of(&rest, &line))
		expected_line(line, leave_out, out);
	bat_bytes_free(&file);
}

/* ---- lists ------------------------------------------------------------ */

/* Is this list the rows that match, in order? */
static bool
list_is(struct bat_store *store, const struct bat_list *list, uint32_t ordinals)
{
	uint32_t given[7];
	size_t have = 0, at = 0;
	/* Asked before anything is read for it. */
	uint64_t told = bat_list_count(store, list), cursor = 0, count = 0;
	struct bat_list_stat stat;
	struct bat_row row, first = { 0 }, last = { 0 };

	for (uint32_t i = 0; i < ordinals; i++) {
		if (!bat_row(store, i, &row) ||
		    (list->kind != BAT_LIST_ALL &&
			row.entity != list->entity) ||
		    (list->kind == BAT_LIST_MEMBER && row.scope != list->scope))
			continue;
		if (at == have) {
			have = bat_list_next(store, list, &cursor, given, 7);
			at = 0;
		}
		if (have == 0 || given[at++] != i)
			return false;
		if (count++ == 0)
			first = row;
		last = row;
	}
	if (at != have || bat_list_next(store, list, &cursor, given, 7) != 0)
		return false;
	if (bat_list_stat(store, list, &stat) != (count > 0))
		return false;
	return stat.count == count && told == count &&
	    (count == 0 ||
		(stat.first_wall_ms == first.wall_ms &&
		    stat.last_wall_ms == last.wall_ms));
}

static const char *
check_entity(struct bat_store *store, uint32_t entity, uint32_t ordinals)
{
	const struct bat_list list = { .kind = BAT_LIST_ENTITY,
		.entity = entity };
	uint32_t scope, count;

	if (entity == BAT_MAP_NONE ||
	    bat_find_entity(store, bat_name(store, entity)) != entity)
		return "an entity in the list is not found by its name";
	if (!list_is(store, &list, ordinals))
		return "an entity's list is not its events";
	count = bat_entity_scopes(store, entity, &scope);
	if (count == 0 || !bat_scope_has(store, scope, entity))
		return "an entity's first scope does not have it";
	return NULL;
}

static const char *
check_scope(struct bat_store *store, uint32_t scope, uint32_t ordinals)
{
	if (scope == BAT_MAP_NONE ||
	    bat_find_scope(store, bat_name(store, scope)) != scope)
		return "a scope in the list is not found by its name";
	for (uint32_t i = 0; i < bat_scope_size(store, scope); i++) {
		const struct bat_list list = { .kind = BAT_LIST_MEMBER,
			.entity = bat_scope_entity_at(store, scope, i),
			.scope = scope };

		if (!list_is(store, &list, ordinals))
			return "a member's list is not its events";
	}
	if (bat_scope_entity_at(store, scope, bat_scope_size(store, scope)) !=
	    BAT_MAP_NONE)
		return "a scope has more entities than it says";
	return NULL;
}

static const char *
check_row(struct bat_store *store, uint32_t ordinal, const struct bat_row *row)
{
	struct bat_row other;
	uint32_t found;

	if (bat_find_seq(store, row->seq) != ordinal ||
	    bat_find_seq_from(store, row->seq) != ordinal)
		return "an event is not found by its sequence";
	if (row->entity == BAT_MAP_NONE)
		return NULL;
	found = bat_find_id(store, &row->id);
	if (found == BAT_MAP_NONE || found < ordinal ||
	    !bat_row(store, found, &other) ||
	    !bat_id_equal(&other.id, &row->id))
		return "an event is not found by its id";
	if (!bat_scope_has(store, row->scope, row->entity))
		return "an event's scope does not have its entity";
	return NULL;
}

const char *
picture_check_lists(struct bat_store *store)
{
	const struct bat_list all = { .kind = BAT_LIST_ALL };
	const char *wrong = NULL;
	struct bat_head head;
	struct bat_row row;
	uint64_t visible = 0;

	bat_head(store, &head);
	for (uint32_t i = 0; wrong == NULL && i < head.ordinals; i++)
		if (bat_row(store, i, &row)) {
			visible++;
			wrong = check_row(store, i, &row);
		}
	if (wrong == NULL && visible != head.visible_count)
		wrong = "the head counts other events than there are";
	if (wrong == NULL && !list_is(store, &all, head.ordinals))
		wrong = "the list of all is not all";
	for (uint32_t i = 0; wrong == NULL && i < head.entity_count; i++)
		wrong = check_entity(store, bat_entity_at(store, i),
		    head.ordinals);
	for (uint32_t i = 0; wrong == NULL && i < head.scope_count; i++)
		wrong = check_scope(store, bat_scope_at(store, i),
		    head.ordinals);
	if (wrong == NULL &&
	    (bat_entity_at(store, head.entity_count) != BAT_MAP_NONE ||
		bat_scope_at(store, head.scope_count) != BAT_MAP_NONE))
		wrong = "more names than the head says";
	return wrong;
}

/* ---- differences ------------------------------------------------------ */

static struct bat_slice
line_at(const struct bat_buf *buf, size_t start)
{
	const uint8_t *end = NULL;

	if (start < buf->length)
		end = memchr(buf->data + start, '\n', buf->length - start);
	return end == NULL ? BAT_SLICE_EMPTY :
			     bat_bytes_slice(buf->data + start,
				 (size_t)(end - buf->data) - start);
}

const char *
picture_difference(const struct bat_buf *a, const struct bat_buf *b)
{
	static char said[2048];
	size_t i = 0, start = 0;
	unsigned line = 0;
	struct bat_slice left, right;

	while (i < a->length && i < b->length && a->data[i] == b->data[i]) {
		if (a->data[i++] == '\n') {
			start = i;
			line++;
		}
	}
	if (i == a->length && i == b->length)
		return NULL;
	left = line_at(a, start);
	right = line_at(b, start);
	snprintf(said, sizeof(said), "event %u, byte %zu:\n%.*s\n%.*s", line,
	    i - start, left.length > 900 ? 900 : (int)left.length,
	    left.length == 0 ? "" : (const char *)left.data,
	    right.length > 900 ? 900 : (int)right.length,
	    right.length == 0 ? "" : (const char *)right.data);
	return said;
}

bool
picture_is_part(struct bat_slice part, struct bat_slice whole)
{
	while (part.length > 0) {
		const uint8_t *end = memchr(part.data, '\n', part.length);
		size_t length = (size_t)(end - part.data) + 1;
		const uint8_t *found;

		if (memcmp(part.data, "damaged", 7) != 0) {
			/* of nothing there is no address */
			found = whole.length == 0 ?
			    NULL :
			    memmem(whole.data, whole.length, part.data, length);
			if (found == NULL)
				return false;
			whole.length -= (size_t)(found - whole.data) + length;
			whole.data = found + length;
		}
		part.data += length;
		part.length -= length;
	}
	return true;
}
