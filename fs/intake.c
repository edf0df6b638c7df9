#include "intake.h"

#include "intake_internal.h"

#include <stdlib.h>

/* ---- birth and death -------------------------------------------------- */

/* Copies of the place's slices, one after the other in names. */
static int
copy_place(struct batfs_intake *intake, const struct batfs_intake_place *place)
{
	struct batfs_intake_place *own = &intake->reader.place;
	struct bat_slice *slices[] = { &own->entity, &own->scope,
		&own->default_scope, &own->words };
	size_t at = 0;

	*own = *place;
	for (size_t i = 0; i < 4; i++) {
		if (bat_bytes_append_slice(&intake->names, *slices[i]) != 0)
			return BAT_WORLD_NO_MEMORY;
	}
	for (size_t i = 0; i < 4; i++) {
		if (slices[i]->length > 0)
			slices[i]->data = intake->names.data + at;
		at += slices[i]->length;
	}
	return 0;
}

/* The words of the name; what they say lives as long as we do. */
static int
read_name(struct batfs_intake *intake)
{
	struct batfs_intake_reader *reader = &intake->reader;
	struct batfs_intake_desk desk = {
		.place = &reader->place,
		.resolver = &reader->resolver,
		.memory = &reader->name_memory,
		.scratch = &reader->strings,
	};

	return batfs_intake_words_of_name(&reader->words, &desk, NULL);
}

int
batfs_intake_new(const struct batfs_intake_place *place,
    const struct batfs_intake_resolver *resolver, struct batfs_intake **out)
{
	struct batfs_intake *intake = calloc(1, sizeof(*intake));
	int code;

	if (intake == NULL)
		return BAT_WORLD_NO_MEMORY;
	intake->reader.resolver = *resolver;
	code = copy_place(intake, place);
	if (code == 0)
		code = read_name(intake);
	if (code == 0)
		code = batfs_intake_content_new(&intake->reader.content);
	if (code != 0) {
		batfs_intake_free(intake);
		return code;
	}
	*out = intake;
	return 0;
}

void
batfs_intake_free(struct batfs_intake *intake)
{
	if (intake == NULL)
		return;
	batfs_intake_memory_free(&intake->reader.memory);
	batfs_intake_content_free(intake->reader.content);
	batfs_intake_memory_free(&intake->reader.name_memory);
	bat_bytes_free(&intake->reader.writer);
	bat_bytes_free(&intake->reader.strings);
	bat_bytes_free(&intake->reader.value);
	bat_bytes_free(&intake->names);
	bat_bytes_free(&intake->tail);
	bat_bytes_free(&intake->rest);
	free(intake->drafts);
	free(intake->origins);
	free(intake);
}

int
batfs_intake_stamp(struct batfs_intake *intake, struct bat_slice writer)
{
	struct bat_buf *own = &intake->reader.writer;
	struct bat_buf copy = BAT_BUF_EMPTY;
	int code = bat_bytes_append_slice(&copy, writer);

	if (code != 0)
		return code;
	bat_bytes_free(own);
	*own = copy;
	return 0;
}

/* ---- taking lines in -------------------------------------------------- */

void
batfs_intake_take_back(struct batfs_intake *intake, size_t from)
{
	while (intake->count > from)
		batfs_intake_content_take_back(intake->reader.content,
		    intake->origins[--intake->count].content);
}

static void
start_feed(struct batfs_intake *intake, size_t write_length)
{
	batfs_intake_take_back(intake, 0);
	batfs_intake_memory_reset(&intake->reader.memory);
	intake->reader.only_scope = BAT_SLICE_EMPTY;
	intake->reader.good_scope = BAT_SLICE_EMPTY;
	bat_bytes_clear(&intake->rest);
	intake->write_length = write_length;
	intake->rest_start = 0;
	intake->newline = intake->finished = intake->kept = false;
	intake->refused = intake->flags_refused = false;
}

static int
reserve_draft(struct batfs_intake *intake)
{
	size_t capacity = intake->capacity == 0 ? 16 : 2 * intake->capacity;
	struct bat_draft *drafts;
	struct batfs_intake_origin *origins;

	if (intake->count < intake->capacity)
		return 0;
	drafts = reallocarray(intake->drafts, capacity, sizeof(*drafts));
	if (drafts == NULL)
		return BAT_WORLD_NO_MEMORY;
	intake->drafts = drafts;
	origins = reallocarray(intake->origins, capacity, sizeof(*origins));
	if (origins == NULL)
		return BAT_WORLD_NO_MEMORY;
	intake->origins = origins;
	intake->capacity = capacity;
	return 0;
}

static struct bat_slice
first_bytes(struct bat_slice line)
{
	const size_t max = sizeof(((struct batfs_intake_retry *)NULL)->first);

	return bat_bytes_slice(line.data,
	    line.length < max ? line.length : max);
}

void
batfs_intake_refuse(struct batfs_intake *intake,
    const struct batfs_intake_origin *origin)
{
	intake->refused = true;
	intake->bad = *origin;
	if (origin->first.length > 0)
		memcpy(intake->bad_first, origin->first.data,
		    origin->first.length);
	intake->bad.first = bat_bytes_slice(intake->bad_first,
	    origin->first.length);
}

bool
batfs_intake_is_retry(const struct batfs_intake *intake,
    const struct batfs_intake_origin *origin)
{
	const struct batfs_intake_retry *retry = &intake->retry;

	return retry->expected && !origin->early &&
	    retry->offset == origin->offset &&
	    retry->length == origin->length &&
	    bat_bytes_equal(bat_bytes_slice(retry->first, retry->first_length),
		origin->first);
}

/*
 * The format keeps flags only of an event that is alone in its batch. A line
 * that was refused for that is refused again when its writer, who was told
 * of a part only, sends it alone: so the writer learns of it.
 */
static void
check_flags(struct batfs_intake *intake,
    const struct batfs_intake_origin *origin)
{
	size_t last = intake->count - 1;
	size_t bad = last > 0 && intake->drafts[0].flags != 0 ? 0 : last;

	if (intake->drafts[bad].flags == 0 ||
	    (last == 0 &&
		!(intake->retry.flags &&
		    batfs_intake_is_retry(intake, origin))))
		return;
	batfs_intake_refuse(intake, &intake->origins[bad]);
	intake->flags_refused = true;
	batfs_intake_take_back(intake, bad);
	bat_error_set(&intake->error, BAT_USE_INVALID,
	    "flags are kept only of a line that is written alone; write it "
	    "with a newline and nothing else");
}

/* What was denied is not proposed again by a writer who was told of a part of
 * his lines only, and sends the rest: one denial is recorded once. */
static void
check_denied(struct batfs_intake *intake,
    const struct batfs_intake_origin *origin)
{
	size_t last = intake->count - 1;

	if (!intake->retry.denied || BAT_PLANT(234) ||
	    !batfs_intake_is_retry(intake, origin))
		return;
	batfs_intake_refuse(intake, &intake->origins[last]);
	intake->flags_refused = false;
	batfs_intake_take_back(intake, last);
	intake->error = intake->retry.denial;
}

/* 0 (taken, blank, or refused: intake->refused) or BAT_WORLD_NO_MEMORY. */
static int
take_line(struct batfs_intake *intake, struct bat_slice line,
    struct batfs_intake_origin origin)
{
	int code = reserve_draft(intake);

	if (code != 0)
		return code;
	origin.length = line.length;
	origin.first = first_bytes(line);
	intake->error = (struct bat_error){ .code = 0 };
	code = batfs_intake_line_read(&intake->reader, line, intake->count,
	    &intake->drafts[intake->count], &origin.content, &intake->error);
	if (code == BAT_WORLD_NO_MEMORY || code == BAT_END)
		return code == BAT_END ? 0 : code;
	if (code != 0) {
		intake->error.code = code;
		batfs_intake_refuse(intake, &origin);
		return 0;
	}
	if (!batfs_intake_memory_copy(&intake->reader.memory, origin.first,
		&origin.first)) {
		batfs_intake_content_take_back(intake->reader.content,
		    origin.content);
		return BAT_WORLD_NO_MEMORY;
	}
	intake->origins[intake->count++] = origin;
	check_denied(intake, &origin);
	if (!intake->refused)
		check_flags(intake, &origin);
	return 0;
}

/* The lines that end in this WRITE. */
static int
take_lines(struct batfs_intake *intake, struct bat_slice bytes)
{
	size_t at = 0;
	int code = 0;

	while (code == 0 && !intake->refused && at < bytes.length) {
		const uint8_t *from = bytes.data + at;
		const uint8_t *end = memchr(from, '\n', bytes.length - at);
		bool early = !intake->newline && intake->tail.length > 0;
		struct bat_slice line;

		if (end == NULL)
			break;
		line = bat_bytes_slice(from, (size_t)(end - from));
		if (early) {
			code = bat_bytes_append_slice(&intake->tail, line);
			line = bat_bytes_of_buf(&intake->tail);
		}
		if (code == 0)
			code = take_line(intake, line,
			    (struct batfs_intake_origin){
				.early = early,
				.start = at,
				.offset = early ? intake->tail_offset :
						  intake->accepted + at,
			    });
		intake->newline = true;
		at = (size_t)(end - bytes.data) + 1;
	}
	intake->rest_start = at;
	return code;
}

/* What stands behind the last newline joins the tail, or becomes it. */
static int
take_rest(struct batfs_intake *intake, struct bat_slice rest)
{
	bool early = !intake->newline && intake->tail.length > 0;
	struct bat_buf *to = intake->newline ? &intake->rest : &intake->tail;
	struct batfs_intake_origin origin = {
		.early = early,
		.start = intake->rest_start,
		.offset = early ? intake->tail_offset :
				  intake->accepted + intake->rest_start,
		.length = to->length + rest.length,
		.first = first_bytes(
		    early ? bat_bytes_of_buf(&intake->tail) : rest),
		.content = BATFS_INTAKE_CONTENT_NONE,
	};

	if (rest.length <= BATFS_INTAKE_TAIL_MAX - to->length)
		return bat_bytes_append_slice(to, rest);
	bat_error_set(&intake->error, BAT_USE_TOO_LARGE,
	    "a line of more than %u bytes; what was written is dropped, "
	    "close the file and write shorter lines",
	    BATFS_INTAKE_TAIL_MAX);
	batfs_intake_refuse(intake, &origin);
	return 0;
}

int
batfs_intake_feed(struct batfs_intake *intake, struct bat_slice bytes)
{
	size_t tail_length = intake->tail.length;
	int code;

	if (intake->poisoned)
		return BAT_USE_TOO_LARGE;
	start_feed(intake, bytes.length);
	code = take_lines(intake, bytes);
	if (code == 0 && !intake->refused && intake->rest_start < bytes.length)
		code = take_rest(intake,
		    bat_bytes_slice(bytes.data + intake->rest_start,
			bytes.length - intake->rest_start));
	if (code != 0) {
		intake->tail.length = tail_length;
		start_feed(intake, 0);
	}
	return code;
}

int
batfs_intake_finish(struct batfs_intake *intake, bool only_if_complete)
{
	int code;

	start_feed(intake, 0);
	intake->finished = true;
	if (intake->tail.length == 0)
		return 0;
	code = take_line(intake, bat_bytes_of_buf(&intake->tail),
	    (struct batfs_intake_origin){ .early = true,
		.offset = intake->tail_offset });
	if (code != 0 ||
	    (only_if_complete && intake->count == 0 && !BAT_PLANT(81))) {
		intake->refused = false;
		intake->kept = true;
	}
	return code;
}

const struct bat_draft *
batfs_intake_drafts(const struct batfs_intake *intake, size_t *out_count)
{
	*out_count = intake->count;
	return intake->drafts;
}

size_t
batfs_intake_pending(const struct batfs_intake *intake)
{
	return intake->tail.length;
}
