#include "mutate.h"

#include <stdlib.h>

#include "codec.h"
#include "frame.h"
#include "fuzz.h"
#include "hash.h"
#include "kind.h"
#include "reseal.h"
#include "segment.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

struct mutation {
	uint64_t random;
	struct fuzz_directory directory;
};

static uint64_t
below(struct mutation *mutation, uint64_t limit)
{
	uint64_t z = mutation->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return limit == 0 ? 0 : (z ^ z >> 31) % limit;
}

static void
must(int code)
{
	FUZZ_CHECK(code == 0);
}

static struct fuzz_file *
any_file(struct mutation *mutation)
{
	struct fuzz_directory *directory = &mutation->directory;

	return &directory->files[below(mutation, directory->count)];
}

/* A number where something may break. */
static uint64_t
number(struct mutation *mutation, uint64_t was)
{
	static const uint64_t numbers[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x100,
		0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000000,
		INT64_MAX, UINT64_C(1) << 63, UINT64_MAX };
	uint64_t choice = below(mutation, 20);

	if (choice < 16)
		return numbers[choice];
	return was + choice - 18 + (choice == 18 ? 256 : 0);
}

/* ---- an event ------------------------------------------------------------ */

/* The names that an event may get: legal, long, and not legal. */
static struct bat_slice
any_name(struct mutation *mutation)
{
	static const char *const names[] = { "player:alice", "room:dungeon",
		"a", "a:b:c", "", "..", "a/b", "a|b", "\xff", "x=y" };

	return bat_bytes_text(
	    names[below(mutation, sizeof(names) / sizeof(names[0]))]);
}

static void
change_field(struct mutation *mutation, struct bat_event *event)
{
	switch (below(mutation, 12)) {
	case 0:
		event->id.bytes[below(mutation, 16)] ^= 1;
		break;
	case 1:
		event->corr.bytes[below(mutation, 16)] ^= 1;
		break;
	case 2:
		event->cause = below(mutation, 2) == 0 ? event->id :
							 event->corr;
		break;
	case 3:
		event->timestamp_us = (int64_t)number(mutation,
		    (uint64_t)event->timestamp_us);
		break;
	case 4:
		event->wall_ms = number(mutation, event->wall_ms);
		break;
	case 5:
		event->clock = (uint32_t)number(mutation, event->clock);
		break;
	case 6:
		event->lane = (uint32_t)number(mutation, event->lane);
		break;
	case 7:
		event->kind = (uint16_t)number(mutation, event->kind);
		break;
	case 8:
		event->kind = (uint16_t)below(mutation, 16);
		break;
	case 9:
		event->prev.bytes[0] ^= 1;
		break;
	case 10:
		event->entity = any_name(mutation);
		break;
	default:
		event->scope = any_name(mutation);
		break;
	}
}

/* The payload, or a field, changed; its hashes are right again, or not. */
static void
edit_event(struct mutation *mutation, struct bat_slice body,
    struct bat_buf *out)
{
	struct bat_buf payload = BAT_BUF_EMPTY;
	struct bat_event event;

	if (bat_codec_decode(body, &event, NULL) != 0 ||
	    bat_codec_is_marker(&event) ||
	    bat_codec_payload(&event, &payload) != 0) {
		must(bat_bytes_append_slice(out, body));
		bat_bytes_free(&payload);
		return;
	}
	if (below(mutation, 3) == 0) {
		must(bat_bytes_reserve(&payload, 64));
		payload.length = LLVMFuzzerMutate(payload.data, payload.length,
		    payload.length + 64);
	} else {
		change_field(mutation, &event);
	}
	if (below(mutation, 8) != 0)
		event.hash = bat_hash_of(bat_bytes_of_buf(&payload));
	must(
	    bat_codec_encode(&event, bat_bytes_of_buf(&payload), NULL, 0, out));
	bat_bytes_free(&payload);
}

static void
edit_bytes(struct bat_slice body, struct bat_buf *out)
{
	must(bat_bytes_append_slice(out, body));
	must(bat_bytes_reserve(out, 32));
	out->length = LLVMFuzzerMutate(out->data, out->length,
	    out->length + 32);
}

static void
put_marker(struct mutation *mutation, struct bat_buf *out)
{
	bool begin = below(mutation, 2) == 0;

	must(bat_codec_encode_marker(begin ? BAT_KIND_BATCH_BEGIN :
					     BAT_KIND_BATCH_COMMIT,
	    below(mutation, 16),
	    begin ? (uint32_t)number(mutation, below(mutation, 4)) : 0, 1,
	    out));
}

/* ---- the frames of a segment --------------------------------------------- */

struct cut {
	size_t at, length;
};

static struct cut
any_frame(struct mutation *mutation, const struct fuzz_segment *segment)
{
	size_t i = (size_t)below(mutation, segment->count);

	return (struct cut){ segment->offsets[i], segment->lengths[i] };
}

/* What stands in front of a footer moved: its numbers move too. */
static void
move_footer(struct bat_buf *file, const struct fuzz_segment *before)
{
	size_t footer = before->footer_end - before->end;

	if (footer >= BAT_SEGMENT_TRAILER_SIZE)
		bat_bytes_put_le(file->data + file->length -
			BAT_SEGMENT_TRAILER_SIZE,
		    file->length - footer, 8);
}

static void
change_frames(struct mutation *mutation, struct bat_buf *file)
{
	struct bat_buf body = BAT_BUF_EMPTY, frame = BAT_BUF_EMPTY;
	struct fuzz_segment segment;
	struct bat_slice old;
	struct cut cut, other;

	fuzz_reseal_survey(file, &segment);
	if (segment.count == 0)
		return;
	cut = any_frame(mutation, &segment);
	other = any_frame(mutation, &segment);
	old = bat_bytes_slice(file->data + cut.at + BAT_FRAME_HEADER_SIZE,
	    cut.length - BAT_FRAME_HEADER_SIZE);
	switch (below(mutation, 8)) {
	case 0:
		edit_bytes(old, &body);
		break;
	case 1:
		put_marker(mutation, &body);
		cut.length = 0;
		break;
	case 2: /* twice */
		must(bat_bytes_append_slice(&body, old));
		cut = (struct cut){ other.at, 0 };
		break;
	case 3: /* not at all */
		break;
	case 4: /* in the place of another */
		must(bat_bytes_append_slice(&body, old));
		cut = other;
		break;
	default:
		edit_event(mutation, old, &body);
		break;
	}
	if (body.length > 0)
		fuzz_reseal_frame(bat_bytes_of_buf(&body), &frame);
	fuzz_reseal_splice(file, cut.at, cut.length, bat_bytes_of_buf(&frame));
	move_footer(file, &segment);
	bat_bytes_free(&body);
	bat_bytes_free(&frame);
}

/* ---- numbers and bytes anywhere --------------------------------------------- */

static void
change_number(struct mutation *mutation, struct bat_buf *file)
{
	static const size_t widths[] = { 1, 2, 4, 8 };
	size_t width = widths[below(mutation, 4)], at;

	if (file->length < width)
		return;
	/* Headers and trailers are where numbers rule. */
	at = (size_t)below(mutation, file->length - width + 1);
	if (below(mutation, 3) == 0 && file->length > 200)
		at = below(mutation, 2) == 0 ? at % 80 :
					       file->length - 80 + at % 70;
	if (below(mutation, 4) == 0)
		bat_bytes_put_be(file->data + at, number(mutation, width),
		    width);
	else
		bat_bytes_put_le(file->data + at,
		    number(mutation, file->data[at]), width);
}

static void
change_bytes(struct bat_buf *file)
{
	must(bat_bytes_reserve(file, 64));
	file->length = LLVMFuzzerMutate(file->data, file->length,
	    file->length + 64);
}

static void
change_end(struct mutation *mutation, struct bat_buf *file)
{
	size_t length = (size_t)below(mutation, 600);
	uint64_t how = below(mutation, 3);

	if (how == 0) {
		file->length -= (size_t)below(mutation, file->length);
		return;
	}
	must(bat_bytes_reserve(file, length));
	memset(file->data + file->length, how == 1 ? 0 : 0xff, length);
	file->length += length;
}

/* ---- whole files ---------------------------------------------------------- */

static void
change_files(struct mutation *mutation)
{
	struct fuzz_directory *directory = &mutation->directory;
	struct fuzz_file *file = any_file(mutation), *other;
	struct fuzz_file swap;

	switch (below(mutation, 4)) {
	case 0:
		bat_bytes_free(&file->bytes);
		*file = directory->files[--directory->count];
		break;
	case 1:
		file->name = (unsigned)below(mutation, FUZZ_NAMES);
		break;
	case 2:
		if (directory->count == FUZZ_NAMES)
			break;
		other = &directory->files[directory->count++];
		*other = (struct fuzz_file){ .name = (unsigned)below(mutation,
						 FUZZ_NAMES) };
		must(bat_bytes_append_slice(&other->bytes,
		    bat_bytes_of_buf(&file->bytes)));
		break;
	default:
		other = any_file(mutation);
		swap = *file;
		file->name = other->name;
		other->name = swap.name;
		break;
	}
}

/* ---- all of it ------------------------------------------------------------- */

static void
mutate_once(struct mutation *mutation)
{
	struct fuzz_file *file = any_file(mutation);
	uint64_t choice = below(mutation, 16);

	if (choice < 8 && file->name < FUZZ_SEGMENTS) {
		change_frames(mutation, &file->bytes);
	} else if (choice < 11) {
		change_number(mutation, &file->bytes);
		fuzz_reseal_checksum(file);
	} else if (choice < 13) {
		change_bytes(&file->bytes);
		fuzz_reseal_checksum(file);
	} else if (choice < 14) {
		change_end(mutation, &file->bytes);
	} else if (choice < 15) {
		change_files(mutation);
	} else {
		fuzz_reseal_indexes(&mutation->directory,
		    below(mutation, 2) * below(mutation, 100), true, true);
	}
}

size_t
fuzz_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct mutation mutation = { .random = seed };
	uint64_t count;
	size_t length = 0;

	fuzz_directory_parse(bat_bytes_slice(data, size), &mutation.directory);
	count = 1 + below(&mutation, 3);
	for (uint64_t i = 0; i < count && mutation.directory.count > 0; i++)
		mutate_once(&mutation);
	if (below(&mutation, 3) == 0)
		fuzz_reseal_indexes(&mutation.directory, 0,
		    below(&mutation, 2) == 0, below(&mutation, 2) == 0);
	if (mutation.directory.count > 0)
		length = fuzz_directory_print(&mutation.directory, data,
		    max_size);
	fuzz_directory_free(&mutation.directory);
	return length > 0 ? length : LLVMFuzzerMutate(data, size, max_size);
}
