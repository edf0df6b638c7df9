#include "forger.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "chain.h"
#include "codec.h"
#include "frame.h"
#include "segment_reader.h"

static void
must(int code)
{
	if (code != 0)
		abort();
}

/* ---- reading --------------------------------------------------------- */

static struct forger_event *
add(struct forger *forger)
{
	struct forger_event *larger = realloc(forger->events,
	    (forger->count + 1) * sizeof(*larger));

	if (larger == NULL)
		abort();
	forger->events = larger;
	larger[forger->count] = (struct forger_event){ .segment = 0 };
	return &larger[forger->count++];
}

static void
decode(struct forger_event *forged, struct bat_slice body)
{
	must(bat_bytes_append_slice(&forged->frame, body));
	must(bat_codec_decode(bat_bytes_of_buf(&forged->frame), &forged->event,
	    NULL));
	must(bat_codec_payload(&forged->event, &forged->payload));
	if (forged->event.extension_count > 0)
		abort();
}

static void
read_segment(struct forger *forger, struct bat_segment_dir *dir, uint64_t id)
{
	struct bat_segment_reader reader;
	struct bat_segment_item item;

	must(bat_segment_reader_open(&reader, dir, id, NULL));
	while (bat_segment_reader_next(&reader, &item, NULL) == 0 &&
	    item.state == BAT_FRAME_WHOLE && item.decoded) {
		struct forger_event *forged;

		if (bat_codec_is_marker(&item.event))
			abort();
		forged = add(forger);
		forged->segment = id;
		decode(forged, item.body);
	}
	bat_segment_reader_close(&reader);
}

void
forger_read(struct forger *forger, const char *path)
{
	struct bat_segment_dir dir;

	*forger = (struct forger){ NULL, 0 };
	must(bat_segment_dir_open(&dir, bat_file_posix(), path, false, NULL));
	must(bat_segment_dir_scan(&dir, NULL));
	for (size_t i = 0; i < dir.count; i++)
		read_segment(forger, &dir, dir.segments[i].id);
	bat_segment_dir_close(&dir);
}

/* ---- changing -------------------------------------------------------- */

void
forger_edit(struct forger *forger, size_t at)
{
	struct bat_buf *payload = &forger->events[at].payload;

	payload->data[payload->length - 1] ^= 1;
}

static void
free_event(struct forger_event *forged)
{
	bat_bytes_free(&forged->frame);
	bat_bytes_free(&forged->payload);
}

void
forger_drop(struct forger *forger, size_t at, size_t count)
{
	for (size_t i = at; i < at + count; i++)
		free_event(&forger->events[i]);
	forger->count -= count;
	memmove(&forger->events[at], &forger->events[at + count],
	    (forger->count - at) * sizeof(*forger->events));
}

void
forger_swap(struct forger *forger, size_t a, size_t b)
{
	struct forger_event event = forger->events[a];
	uint64_t segment = forger->events[b].segment;

	forger->events[a] = forger->events[b];
	forger->events[a].segment = event.segment;
	forger->events[b] = event;
	forger->events[b].segment = segment;
}

void
forger_insert(struct forger *forger, size_t at)
{
	struct forger_event copy;

	(void)add(forger);
	memmove(&forger->events[at + 1], &forger->events[at],
	    (forger->count - 1 - at) * sizeof(*forger->events));
	copy = (struct forger_event){
		.segment = forger->events[at + 1].segment,
	};
	decode(&copy, bat_bytes_of_buf(&forger->events[at + 1].frame));
	copy.event.id.bytes[15] ^= 0x55;
	forger->events[at] = copy;
}

/* ---- writing --------------------------------------------------------- */

static struct bat_chain_head
head_before(const struct forger *forger, size_t at)
{
	for (size_t i = at; i-- > 0;)
		if (bat_bytes_equal(forger->events[i].event.entity,
			forger->events[at].event.entity))
			return bat_chain_head_of(&forger->events[i].event);
	return (struct bat_chain_head){ .exists = false };
}

static void
put_frame(const struct forger *forger, size_t at, struct bat_buf *file)
{
	struct forger_event *forged = &forger->events[at];
	struct bat_chain_head head = head_before(forger, at);
	struct bat_slice payload = bat_bytes_of_buf(&forged->payload);
	size_t start = file->length;

	must(bat_chain_link(&head, payload, &forged->event, NULL));
	must(bat_frame_open(file));
	must(bat_codec_encode(&forged->event, payload, NULL, 0, file));
	bat_frame_seal(file, start);
}

static void
write_file(const char *path, uint64_t segment, const struct bat_buf *file)
{
	char name[BAT_SEGMENT_NAME_SIZE], whole[512];
	FILE *out;

	bat_segment_name(segment, name);
	snprintf(whole, sizeof(whole), "%s/%s", path, name);
	out = fopen(whole, "wb");
	if (out == NULL ||
	    fwrite(file->data, 1, file->length, out) != file->length ||
	    fclose(out) != 0)
		abort();
}

static void
remove_segments(const char *path)
{
	struct bat_segment_dir dir;
	char whole[512];

	must(bat_segment_dir_open(&dir, bat_file_posix(), path, false, NULL));
	must(bat_segment_dir_scan(&dir, NULL));
	for (size_t i = 0; i < dir.count; i++) {
		snprintf(whole, sizeof(whole), "%s/%s", path,
		    dir.segments[i].name);
		must(unlink(whole));
	}
	bat_segment_dir_close(&dir);
}

void
forger_write(const struct forger *forger, const char *path)
{
	static const char *const derived[] = { "index.ckpt", "index.fbati",
		".batfs/cache/index" };
	struct bat_buf file = BAT_BUF_EMPTY;
	char whole[512];

	remove_segments(path);
	for (size_t i = 0; i < sizeof(derived) / sizeof(derived[0]); i++) {
		snprintf(whole, sizeof(whole), "%s/%s", path, derived[i]);
		(void)unlink(whole);
	}
	for (size_t i = 0; i < forger->count; i++) {
		uint64_t segment = forger->events[i].segment;

		if (i == 0 || forger->events[i - 1].segment != segment) {
			bat_bytes_clear(&file);
			must(bat_segment_encode_header(segment,
			    1767225600000000000, &file));
		}
		put_frame(forger, i, &file);
		if (i + 1 == forger->count ||
		    forger->events[i + 1].segment != segment)
			write_file(path, segment, &file);
	}
	bat_bytes_free(&file);
}

void
forger_free(struct forger *forger)
{
	for (size_t i = 0; i < forger->count; i++)
		free_event(&forger->events[i]);
	free(forger->events);
}
