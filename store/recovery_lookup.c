/*
 * One row, from whatever file still tells of it: for the line of an event
 * whose frame is damaged.
 */
#include "recovery_internal.h"

#include <stdlib.h>

struct lookup {
	struct bat_row *row;
	bool found;
};

static void
take(struct lookup *lookup, const struct bat_row *found)
{
	struct bat_row *row = lookup->row;

	row->corr = found->corr;
	row->cause = found->cause;
	row->prev = found->prev;
	row->hash = found->hash;
	row->lane = found->lane;
	row->depth = found->depth;
	lookup->found = true;
}

static int
skip_head(void *context, const struct bat_checkpoint_head *head)
{
	(void)context;
	(void)head;
	return BAT_OK;
}

static int
look_at_row(void *context, const struct bat_row *row, struct bat_slice map)
{
	struct lookup *lookup = context;

	(void)map;
	if (row->segment == lookup->row->segment &&
	    row->offset == lookup->row->offset &&
	    bat_id_equal(&row->id, &lookup->row->id)) {
		take(lookup, row);
		return BAT_END;
	}
	return BAT_OK;
}

static void
look_in_index(struct bat_segment_dir *dir, bool rowindex, struct lookup *lookup)
{
	const struct bat_checkpoint_sink sink = { lookup, skip_head,
		look_at_row };
	struct bat_buf file = BAT_BUF_EMPTY;

	if (bat_file_read_whole(dir->disk, dir->dir,
		rowindex ? BAT_ROWINDEX_FILE : BAT_CHECKPOINT_FILE,
		UINT64_MAX / 2, &file, NULL) == BAT_OK)
		(void)(rowindex ? bat_rowindex_decode : bat_checkpoint_decode)(
		    bat_bytes_of_buf(&file), &sink, NULL);
	bat_bytes_free(&file);
}

static void
look_in_footer(struct bat_segment_dir *dir, struct lookup *lookup)
{
	struct bat_buf table = BAT_BUF_EMPTY, bytes = BAT_BUF_EMPTY;
	struct bat_segment_reader reader;
	struct bat_slice *strings = NULL;
	struct bat_row row;
	uint32_t count;

	if (bat_segment_reader_open(&reader, dir, lookup->row->segment, NULL) !=
	    BAT_OK)
		return;
	if (reader.has_footer &&
	    bat_segment_reader_footer(&reader, &table, &strings, &count, &bytes,
		NULL) == BAT_OK)
		for (uint32_t i = 0;
		     !lookup->found && i < reader.footer.row_count; i++) {
			bat_segment_decode_row(bytes.data +
				(size_t)i * BAT_SEGMENT_ROW_SIZE,
			    &row);
			if (row.offset == lookup->row->offset &&
			    bat_id_equal(&row.id, &lookup->row->id))
				take(lookup, &row);
		}
	free(strings);
	bat_bytes_free(&table);
	bat_bytes_free(&bytes);
	bat_segment_reader_close(&reader);
}

int
bat_recovery_find_row(struct bat_segment_dir *dir, struct bat_row *row)
{
	struct lookup lookup = { .row = row };

	look_in_footer(dir, &lookup);
	if (!lookup.found)
		look_in_index(dir, true, &lookup);
	if (!lookup.found)
		look_in_index(dir, false, &lookup);
	return lookup.found ? BAT_OK : BAT_STATE_NOT_FOUND;
}
