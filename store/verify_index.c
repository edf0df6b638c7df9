/* The index file of the swift way: what stands in front of its rows. */
#include "verify_swift.h"

#include "crc.h"

#define FRONT_SIZE (1u << 20) /* of index.ckpt, tried first */

/* So many bytes from its start. */
static int
read_start(struct verify_swift *swift, uint64_t length, struct bat_error *error)
{
	struct bat_buf *bytes = &swift->index_front;
	int code;

	bat_bytes_clear(bytes);
	code = bat_bytes_reserve(bytes, (size_t)length);
	if (code == BAT_OK)
		code = bat_file_read(swift->state->dir.disk, swift->index_fd,
		    bytes->data, (size_t)length, 0, &bytes->length, error);
	if (code == BAT_OK && bytes->length < length)
		code = BAT_DATA_CORRUPT;
	return code;
}

static int
open_rowindex(struct verify_swift *swift, struct bat_error *error)
{
	struct bat_rowindex_front *front = &swift->rowindex;
	uint64_t size = swift->index_size;
	int code = read_start(swift,
	    size < BAT_ROWINDEX_HEADER_SIZE ? size : BAT_ROWINDEX_HEADER_SIZE,
	    error);

	if (code == BAT_OK)
		code = bat_rowindex_read_header(
		    bat_bytes_of_buf(&swift->index_front), size, front, error);
	if (code == BAT_OK)
		code = read_start(swift, front->sections[3], error);
	if (code != BAT_OK)
		return code;
	front->front = bat_bytes_of_buf(&swift->index_front);
	code = bat_rowindex_read_front(front, error);
	swift->index = &front->head;
	return code;
}

/* How much stands in front of the entries shows when it decodes. */
static int
open_checkpoint(struct verify_swift *swift, struct bat_error *error)
{
	struct bat_checkpoint_front *front = &swift->checkpoint;
	uint64_t size = swift->index_size, length = 0;
	int code = BAT_END;

	for (uint64_t want = FRONT_SIZE; code == BAT_END && length < size;
	     want *= 4) {
		length = want < size ? want : size;
		bat_checkpoint_free_strings(&front->strings);
		code = read_start(swift, length, error);
		if (code == BAT_OK)
			code = bat_checkpoint_read_front(
			    bat_bytes_of_buf(&swift->index_front), size, front);
	}
	if (code != BAT_OK)
		return code;
	swift->index_front.length = (size_t)front->entries_at;
	swift->index_next = front->entries_at;
	swift->index = &front->head;
	return BAT_OK;
}

/* Its watermark is in the log (verify_claims.c). */
static bool
watermark_fits(struct verify_swift *swift)
{
	const struct bat_segment_info *info = bat_segment_dir_find(
	    &swift->state->dir, swift->index->watermark_segment);

	return info != NULL &&
	    info->stat.size >= swift->index->watermark_offset;
}

_Static_assert(BAT_ROWINDEX_CRC_START == BAT_CHECKPOINT_CRC_START,
    "both checksums begin at one place");

int
bat_verify_index_open(struct verify_swift *swift, struct bat_error *error)
{
	const struct bat_segment_dir *dir = &swift->state->dir;
	struct bat_checkpoint_strings *strings;
	int code;

	if (!dir->has_checkpoint && !dir->has_rowindex)
		return BAT_OK;
	if (dir->has_checkpoint && dir->has_rowindex)
		return BAT_END;
	swift->is_checkpoint = dir->has_checkpoint;
	code = bat_file_open_read(dir->disk, dir->dir,
	    swift->is_checkpoint ? BAT_CHECKPOINT_FILE : BAT_ROWINDEX_FILE,
	    &swift->index_fd, error);
	if (code != BAT_OK)
		return code;
	swift->has_index = true;
	swift->counts.index_files++;
	code = bat_file_size(dir->disk, swift->index_fd, &swift->index_size,
	    error);
	if (code == BAT_OK)
		code = swift->is_checkpoint ? open_checkpoint(swift, error) :
					      open_rowindex(swift, error);
	if (code != BAT_OK)
		return code;
	/* Names are looked at, so that threads only read what is known. */
	strings = swift->is_checkpoint ? &swift->checkpoint.strings :
					 &swift->rowindex.strings;
	for (uint32_t i = 1; i < strings->count; i++)
		(void)bat_checkpoint_is_coordinate(strings, i, i);
	swift->index_crc = bat_crc_of(
	    bat_bytes_slice(swift->index_front.data + BAT_ROWINDEX_CRC_START,
		swift->index_front.length - BAT_ROWINDEX_CRC_START));
	return watermark_fits(swift) ? BAT_OK : BAT_END;
}

void
bat_verify_index_share(struct verify_swift *swift, struct verify_piece *piece)
{
	const struct bat_disk *disk = swift->state->dir.disk;

	piece->index = swift->index;
	if (swift->is_checkpoint) {
		piece->entries = (struct verify_entries){ .disk = disk,
			.fd = swift->index_fd,
			.front = &swift->checkpoint,
			.start = swift->index_next,
			.at = swift->index_next,
			.size = swift->index_size };
		return;
	}
	piece->rowindex = &swift->rowindex;
	piece->index_rows = (struct verify_rows){ .disk = disk,
		.fd = swift->index_fd,
		.at = swift->rowindex.sections[3],
		.size = BAT_ROWINDEX_ROW_SIZE,
		.next = swift->index_next,
		.end = swift->index->row_count,
		.checked = true };
}

bool
bat_verify_index_is_over(const struct verify_swift *swift)
{
	uint64_t end = swift->is_checkpoint ? swift->index_size :
					      swift->index->row_count;
	uint32_t crc = swift->is_checkpoint ? swift->checkpoint.crc :
					      swift->rowindex.crc;

	return swift->index_next == end &&
	    swift->counts.index_rows == swift->index->row_count &&
	    (swift->index_crc == crc || BAT_PLANT(225));
}

void
bat_verify_index_close(struct verify_swift *swift)
{
	bat_checkpoint_free_strings(&swift->rowindex.strings);
	bat_checkpoint_free_strings(&swift->checkpoint.strings);
	bat_bytes_free(&swift->index_front);
	if (swift->has_index)
		bat_file_close(swift->state->dir.disk, swift->index_fd);
}
