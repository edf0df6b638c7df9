#include "answers.h"

#include <stdlib.h>

#include "render.h"

#define CAPACITY_MIN 16u
#define CAPACITY_MAX (1u << 20)

void
batfs_answers_init(struct batfs_answers *answers)
{
	*answers = (struct batfs_answers){ .line = BAT_BUF_EMPTY };
	pthread_mutex_init(&answers->lock, NULL);
}

void
batfs_answers_free(struct batfs_answers *answers)
{
	free(answers->seqs);
	bat_bytes_free(&answers->line);
	pthread_mutex_destroy(&answers->lock);
}

/* Twice the room; without memory it stays as it is. */
static void
grow(struct batfs_answers *answers)
{
	size_t wanted = answers->capacity == 0 ? CAPACITY_MIN :
						 answers->capacity * 2;
	uint64_t *larger = reallocarray(NULL, wanted, sizeof(*larger));

	if (larger == NULL)
		return;
	for (size_t i = 0; i < answers->count; i++)
		larger[i] =
		    answers->seqs[(answers->first + i) % answers->capacity];
	free(answers->seqs);
	answers->seqs = larger;
	answers->first = 0;
	answers->capacity = wanted;
}

static void
drop_first(struct batfs_answers *answers)
{
	answers->first = (answers->first + 1) % answers->capacity;
	answers->count--;
}

void
batfs_answers_keep(struct batfs_answers *answers,
    const struct bat_receipt *receipts, size_t count)
{
	pthread_mutex_lock(&answers->lock);
	for (size_t i = 0; i < count; i++) {
		if (answers->count == answers->capacity &&
		    answers->capacity < CAPACITY_MAX)
			grow(answers);
		if (answers->capacity == 0)
			break;
		if (answers->count == answers->capacity)
			drop_first(answers);
		answers->seqs[(answers->first + answers->count++) %
		    answers->capacity] = receipts[i].seq;
	}
	pthread_mutex_unlock(&answers->lock);
}

/* The next receipt becomes the line. */
static int
take_line(struct batfs_answers *answers, struct bat_store *store,
    struct bat_error *error)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	uint32_t ordinal = bat_find_seq(store, answers->seqs[answers->first]);
	int code = bat_read(store, ordinal, &reading, error);

	if (code == BAT_OK || code == BAT_DATA_CORRUPT)
		code = batfs_render_receipt(&reading, code != BAT_OK,
		    &answers->line);
	if (code == BAT_OK)
		drop_first(answers);
	bat_reading_free(&reading);
	return code;
}

int
batfs_answers_read(struct batfs_answers *answers, struct bat_store *store,
    size_t size, struct bat_buf *buf, struct bat_error *error)
{
	struct bat_buf *line = &answers->line;
	size_t before = buf->length;
	int code = BAT_OK;

	pthread_mutex_lock(&answers->lock);
	while (code == BAT_OK && size > 0 &&
	    (line->length > 0 || answers->count > 0)) {
		size_t part = line->length < size ? line->length : size;

		if (part == 0) {
			code = take_line(answers, store, error);
			continue;
		}
		code = bat_bytes_append(buf, line->data, part);
		if (code != BAT_OK)
			break;
		size -= part;
		line->length -= part;
		memmove(line->data, line->data + part, line->length);
	}
	pthread_mutex_unlock(&answers->lock);
	/* What was taken must reach its reader. */
	return buf->length > before ? BAT_OK : code;
}
