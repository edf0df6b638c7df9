/* Any bytes as index.ckpt and as index.fbati, loaded the fast way: what it
 * loads the plain decoder decodes, row for row. */
#include "fuzz.h"

#include "crc.h"
#include "kind.h"
#include "loader.h"
#include "rowindex.h"

#define SEGMENTS 16u

/* ---- a disk that has one file ------------------------------------------ */

static int
open_file(void *context, int dir, const char *name, int flags, unsigned mode)
{
	(void)context;
	(void)dir;
	(void)name;
	(void)flags;
	(void)mode;
	return 3;
}

static int
close_file(void *context, int fd)
{
	(void)context;
	(void)fd;
	return 0;
}

static ssize_t
read_file(void *context, int fd, void *to, size_t length, uint64_t offset)
{
	const struct bat_slice *file = context;

	(void)fd;
	if (offset >= file->length)
		return 0;
	if (length > file->length - offset)
		length = file->length - (size_t)offset;
	memcpy(to, file->data + offset, length);
	return (ssize_t)length;
}

static int
stat_file(void *context, int fd, struct bat_file_stat *out)
{
	const struct bat_slice *file = context;

	(void)fd;
	*out = (struct bat_file_stat){ .type = BAT_FILE_REGULAR,
		.size = file->length };
	return 0;
}

/* ---- the plain decoder beside what was loaded -------------------------- */

struct beside {
	const struct bat_index *index;
	uint32_t row;
};

static int
take_head(void *context, const struct bat_checkpoint_head *head)
{
	const struct beside *beside = context;

	FUZZ_CHECK(head->row_count == beside->index->count);
	return 0;
}

static int
take_row(void *context, const struct bat_row *row, struct bat_slice extensions)
{
	struct beside *beside = context;
	const struct bat_index *index = beside->index;
	const struct bat_index_hot *hot;

	(void)extensions;
	FUZZ_CHECK(beside->row < index->count);
	hot = bat_index_hot_at(index, beside->row);
	FUZZ_CHECK(bat_id_equal(&hot->id, &row->id));
	FUZZ_CHECK(hot->seq == row->seq && hot->wall_ms == row->wall_ms);
	FUZZ_CHECK(hot->length == row->length && hot->clock == row->clock);
	FUZZ_CHECK(hot->kind == bat_kind_mapped(row->kind));
	FUZZ_CHECK(index->segments[hot->place >> 40] == row->segment);
	FUZZ_CHECK((hot->place & BAT_INDEX_OFFSET_MAX) == row->offset);
	FUZZ_CHECK(hot->fingerprint ==
	    bat_index_fingerprint(&row->corr, &row->cause, &row->prev,
		&row->hash, row->lane, row->depth));
	beside->row++;
	return 0;
}

static void
compare(int (*load)(const struct bat_disk *disk, int dir, uint64_t max_seq,
	    struct bat_index *index, struct bat_loader_result *out,
	    struct bat_error *error),
    int (*decode)(struct bat_slice file, const struct bat_checkpoint_sink *sink,
	struct bat_error *error),
    struct bat_slice file)
{
	const struct bat_disk disk = { .context = &file,
		.open_at = open_file,
		.close = close_file,
		.read_at = read_file,
		.stat_fd = stat_file };
	struct bat_loader_result result = { .histograms = BAT_BUF_EMPTY };
	struct bat_index index;
	uint32_t position;

	bat_index_init(&index);
	for (uint64_t id = 0; id < SEGMENTS; id++)
		FUZZ_CHECK(bat_index_segment(&index, id, &position) == 0);
	if (load(&disk, 0, INT64_MAX, &index, &result, NULL) == 0) {
		struct beside beside = { &index, 0 };
		const struct bat_checkpoint_sink sink = { &beside, take_head,
			take_row };

		FUZZ_CHECK(decode(file, &sink, NULL) == 0);
		FUZZ_CHECK(beside.row == index.count);
	}
	bat_bytes_free(&result.histograms);
	bat_index_free(&index);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	if (length >= BAT_ROWINDEX_CRC_START &&
	    bat_bytes_append(&file, data, length) == 0) {
		/* In both files the CRC stands at 8, of everything from 12. */
		bat_bytes_put_le(file.data + 8,
		    bat_crc_of(bat_bytes_slice(file.data + 12, length - 12)),
		    4);
		compare(bat_loader_checkpoint, bat_checkpoint_decode,
		    bat_bytes_of_buf(&file));
		compare(bat_loader_rowindex, bat_rowindex_decode,
		    bat_bytes_of_buf(&file));
	}
	bat_bytes_free(&file);
	return 0;
}
