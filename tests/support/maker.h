/*
 * Makes segment files and index files by hand, with the encoders alone: frames
 * and markers where a test wants them, also where no store would put them.
 *
 * Calling sequence: maker_init; maker_segment, then any of maker_event,
 * maker_marker, maker_bytes, maker_footer, then maker_save; the same again for
 * the next segment; maker_index; maker_free. Events of an entity are chained
 * across segments; each has the next number. Aborts on failure.
 */
#ifndef TEST_MAKER_H
#define TEST_MAKER_H

#include "checkpoint.h"
#include "temp_dir.h"

struct maker {
	uint64_t segment;
	struct bat_buf file;
	struct bat_intern names;
	/* Of all segments; those of the current one start at first_row. */
	struct bat_row *rows;
	size_t row_count, first_row;
	uint64_t next_seq;
	uint32_t ids_given;
	uint64_t wall_ms;
	/* For the next event alone, then forgotten. */
	uint16_t kind;
	struct bat_id id;
	struct bat_id corr, cause; /* zero: the id's own, none */
	bool unlisted;		   /* its frame gets no row */
	size_t given;		   /* of the source of maker_index */
};

void maker_init(struct maker *maker);
void maker_free(struct maker *maker);
void maker_segment(struct maker *maker, uint64_t id);
/* Returns the offset of the frame. */
uint64_t maker_event(struct maker *maker, const char *entity,
    const char *payload);
/* BEGIN (6) with count items, COMMIT (7) with 0. */
uint64_t maker_marker(struct maker *maker, uint16_t kind, uint32_t count);
void maker_bytes(struct maker *maker, const void *bytes, size_t length);
void maker_footer(struct maker *maker);
void maker_save(const struct maker *maker, const struct temp_dir *dir);
/*
 * An index of all rows, watermark at the end of the current file: version 5 of
 * index.fbati when rowindex, else index.ckpt of that version.
 */
void maker_index(struct maker *maker, bool rowindex, uint16_t version,
    struct bat_buf *out);

#endif
