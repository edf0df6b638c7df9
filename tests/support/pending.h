/*
 * The directory of a batpak that was compacting when it was killed, in any of
 * its steps.
 *
 * Calling sequence: pending_make, pending_step, pending_free.
 */
#ifndef TEST_PENDING_H
#define TEST_PENDING_H

#include "maker.h"
#include "segment.h"
#include "stores.h"

#define MARKER "compaction.pending.json"
#define SOURCE "000001.fbat.compact-src"

/* Segments 1, 2 and 3 (with footers) are the sources, 4 was active. */
struct pending {
	struct temp_dir dir;
	struct bat_buf files[4];
	struct bat_buf merged;	/* 1, 2 and 3 in one, no footer */
	struct bat_buf picture; /* by ids: places and numbers may differ */
};

static inline void
pending_make(struct pending *pending)
{
	struct maker maker;

	*pending = (struct pending){ .merged = BAT_BUF_EMPTY };
	maker_init(&maker);
	temp_dir_make(&pending->dir);
	ck_assert_int_eq(bat_segment_encode_header(1, 1, &pending->merged), 0);
	for (uint64_t id = 1; id <= 4; id++) {
		struct bat_buf *file = &pending->files[id - 1];
		size_t header, frames;

		maker_segment(&maker, id);
		header = maker.file.length;
		maker_event(&maker, "player:alice",
		    "\xa1"
		    "a");
		maker_marker(&maker, 6, 1);
		maker_event(&maker, "player:bob",
		    "\xa1"
		    "b");
		maker_marker(&maker, 7, 0);
		maker_event(&maker, "player:alice",
		    "\xa1"
		    "c");
		frames = maker.file.length;
		if (id < 4)
			maker_footer(&maker);
		maker_save(&maker, &pending->dir);
		ck_assert_int_eq(bat_bytes_append_slice(file,
				     bat_bytes_of_buf(&maker.file)),
		    0);
		if (id < 4)
			ck_assert_int_eq(bat_bytes_append(&pending->merged,
					     maker.file.data + header,
					     frames - header),
			    0);
	}
	stores_picture(&pending->dir, PICTURE_NO_PLACE, &pending->picture);
	maker_free(&maker);
}

static inline void
pending_free(struct pending *pending)
{
	temp_dir_remove(&pending->dir);
	for (size_t i = 0; i < 4; i++)
		bat_bytes_free(&pending->files[i]);
	bat_bytes_free(&pending->merged);
	bat_bytes_free(&pending->picture);
}

static inline void
write_marker(struct pending *pending)
{
	temp_dir_write(&pending->dir, MARKER,
	    bat_bytes_text("{\"merged_id\":1,\"source_segment_ids\":[1,2,3]}"));
}

/* The steps of batpak's compaction, as a crash after each leaves them. */
enum step {
	STEP_MARKED,  /* the marker is there, nothing else has happened */
	STEP_RENAMED, /* 000001.fbat is 000001.fbat.compact-src */
	STEP_BEGUN,   /* a new, empty 000001.fbat */
	STEP_HEADER,  /* its header */
	STEP_HALF,    /* some frames, cut in one */
	STEP_FULL,    /* all of them */
	STEP_GONE_2,  /* sources are being deleted: 2 is */
	STEP_GONE_23,
	STEP_GONE_SRC, /* .compact-src is, the others are not */
	STEP_GONE_SRC_2,
	STEP_ALL_GONE, /* the marker is left */
	STEPS,
};

static inline void
pending_step(struct pending *pending, enum step step)
{
	const struct bat_slice merged = bat_bytes_of_buf(&pending->merged);
	const struct temp_dir *dir = &pending->dir;
	size_t length = merged.length;

	write_marker(pending);
	if (step == STEP_MARKED)
		return;
	temp_dir_unlink(dir, "000001.fbat");
	if (step < STEP_GONE_SRC)
		temp_dir_write(dir, SOURCE,
		    bat_bytes_of_buf(&pending->files[0]));
	if (step == STEP_RENAMED)
		return;
	if (step == STEP_BEGUN)
		length = 0;
	else if (step == STEP_HEADER)
		length = 57;
	else if (step == STEP_HALF)
		length = length / 2;
	temp_dir_write(dir, "000001.fbat",
	    bat_bytes_slice(merged.data, length));
	if (step == STEP_GONE_2 || step == STEP_GONE_23 ||
	    step == STEP_GONE_SRC_2 || step == STEP_ALL_GONE)
		temp_dir_unlink(dir, "000002.fbat");
	if (step == STEP_GONE_23 || step == STEP_ALL_GONE)
		temp_dir_unlink(dir, "000003.fbat");
}

#endif
