/*
 * Before the first append: recovery's plan, step by step. A crash between any
 * two steps leaves a directory from which recovery makes the rest of the plan
 * again.
 *
 * Order: index files that would lie go first (the directory is synced: left in
 * place they would poison batpak); then each torn tail is copied to
 * .batfs/cut, synced, cut off, synced; then a compaction marker is healed, and
 * what a compaction was writing goes; then hidden ranges are clipped to the
 * numbers that are taken.
 */
#include "writer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "aside.h"
#include "mend.h"

static int
sync_dir(struct bat_writer *writer, struct bat_error *error)
{
	return bat_file_sync(writer->dir->disk, writer->dir->dir, error);
}

static int
drop_indexes(struct bat_writer *writer, struct bat_error *error)
{
	const struct bat_recovery *recovery = writer->recovery;
	const struct bat_disk *disk = writer->dir->disk;
	int code = BAT_OK;

	if ((!recovery->drop_rowindex && !recovery->drop_checkpoint) ||
	    BAT_PLANT(53))
		return BAT_OK;
	if (recovery->drop_rowindex)
		code = bat_file_unlink(disk, writer->dir->dir,
		    BAT_ROWINDEX_FILE, error);
	if (code == BAT_OK && recovery->drop_checkpoint)
		code = bat_file_unlink(disk, writer->dir->dir,
		    BAT_CHECKPOINT_FILE, error);
	if (code != BAT_OK)
		return code;
	if (recovery->source == BAT_RECOVERY_ROWINDEX)
		writer->has_index = !recovery->drop_rowindex;
	else
		writer->has_index = writer->has_index &&
		    !recovery->drop_checkpoint;
	return sync_dir(writer, error);
}

/* Put the bytes that go into .batfs/cut/<segment>-<offset>, on disk. */
static int
save_cut(struct bat_writer *writer, const struct bat_recovery_cut *cut,
    struct bat_slice bytes, struct bat_error *error)
{
	char name[64];

	snprintf(name, sizeof(name), "%06llu-%llu",
	    (unsigned long long)cut->segment, (unsigned long long)cut->offset);
	return bat_aside_keep(writer->dir, name, bytes, error);
}

/* How much of a tail is kept: all of it, but for 0xFF from where its last whole
 * frame ends to the end of the file. That is space that was laid ahead of the
 * frames (runway.h); the same bytes in a torn frame are its own. */
static size_t
length_to_keep(struct bat_slice tail)
{
	struct bat_slice rest = tail, body;
	uint64_t length;
	size_t end;

	while (bat_frame_look(rest, &body, &length) == BAT_FRAME_WHOLE)
		rest = bat_bytes_slice(rest.data + length,
		    rest.length - (size_t)length);
	end = tail.length - rest.length;
	for (size_t i = 0; i < rest.length; i++)
		if (rest.data[i] != 0xff && !BAT_PLANT(310))
			return tail.length;
	return end;
}

/* Read what is to be kept of [offset, end of file) of a segment that is open
 * for writing. */
static int
read_tail(struct bat_writer *writer, int fd, uint64_t offset,
    struct bat_buf *bytes, struct bat_error *error)
{
	uint64_t end;
	size_t got;
	int code = bat_file_size(writer->dir->disk, fd, &end, error);

	if (code != BAT_OK || end <= offset)
		return code;
	code = bat_bytes_reserve(bytes, (size_t)(end - offset));
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory for a torn tail");
	code = bat_file_read(writer->dir->disk, fd, bytes->data,
	    (size_t)(end - offset), offset, &got, error);
	if (code != BAT_OK)
		return code;
	bytes->length = got;
	/* A file without a header has no frames. */
	if (offset > 0)
		bytes->length = length_to_keep(bat_bytes_of_buf(bytes));
	return BAT_OK;
}

/* As it was read: the source of a merge that was not finished still has the
 * name that batpak gave it, and what stands under its own is not what was
 * read. */
static void
name_of_cut(const struct bat_writer *writer, const struct bat_recovery_cut *cut,
    char out[BAT_SEGMENT_NAME_SIZE + 16])
{
	const struct bat_segment_info *info = bat_segment_dir_find(writer->dir,
	    cut->segment);

	if (info != NULL)
		snprintf(out, BAT_SEGMENT_NAME_SIZE + 16, "%s", info->name);
	else
		bat_segment_name(cut->segment, out);
}

static int
carry_out_cut(struct bat_writer *writer, const struct bat_recovery_cut *cut,
    struct bat_error *error)
{
	const struct bat_disk *disk = writer->dir->disk;
	struct bat_buf bytes = BAT_BUF_EMPTY;
	char name[BAT_SEGMENT_NAME_SIZE + 16];
	int fd, code;

	name_of_cut(writer, cut, name);
	fd = disk->open_at(disk->context, writer->dir->dir, name, O_RDWR, 0);
	if (fd == -ENOENT && cut->offset == 0)
		return BAT_OK; /* an earlier try got as far as here */
	if (fd < 0)
		return bat_error_set_os(error, -fd, "cannot open %s", name);
	code = read_tail(writer, fd, cut->offset, &bytes, error);
	if (code == BAT_OK && bytes.length > 0 && !BAT_PLANT(52))
		code = save_cut(writer, cut, bat_bytes_of_buf(&bytes), error);
	if (code == BAT_OK && cut->offset == 0) {
		code = bat_file_unlink(disk, writer->dir->dir, name, error);
		if (code == BAT_OK)
			code = sync_dir(writer, error);
	} else if (code == BAT_OK) {
		int result = disk->truncate(disk->context, fd,
		    cut->offset - (BAT_PLANT(51) ? 1 : 0));

		code = result < 0 ?
		    bat_error_set_os(error, -result, "cannot cut %s", name) :
		    bat_file_sync(disk, fd, error);
	}
	bat_file_close(disk, fd);
	bat_bytes_free(&bytes);
	return code;
}

/* No number that the next events get may be hidden. */
static int
clip_hidden(struct bat_writer *writer, struct bat_error *error)
{
	const struct bat_disk *disk = writer->dir->disk;
	struct bat_hidden *hidden = &writer->index->hidden;
	struct bat_buf file = BAT_BUF_EMPTY;
	int code;

	if (!writer->recovery->clip_hidden || BAT_PLANT(54))
		return BAT_OK;
	pthread_rwlock_wrlock(writer->index_lock);
	bat_hidden_clip(hidden, writer->recovery->next_seq);
	pthread_rwlock_unlock(writer->index_lock);
	if (hidden->count == 0) {
		code = bat_file_unlink(disk, writer->dir->dir, BAT_HIDDEN_FILE,
		    error);
		return code == BAT_OK ? sync_dir(writer, error) : code;
	}
	code = bat_hidden_encode(hidden, &file);
	if (code == BAT_OK)
		code = bat_file_put_whole(disk, writer->dir->dir,
		    BAT_HIDDEN_FILE, bat_bytes_of_buf(&file), true, error);
	else
		bat_error_set(error, code, "no memory for hidden ranges");
	bat_bytes_free(&file);
	return code;
}

/* What a compaction was writing when it was cut off: as large as the store, and
 * of no use. */
static int
drop_unfinished(struct bat_writer *writer, struct bat_error *error)
{
	return writer->dir->has_unfinished ?
	    bat_file_unlink(writer->dir->disk, writer->dir->dir,
		BAT_SEGMENT_DIR_UNFINISHED, error) :
	    BAT_OK;
}

int
bat_writer_confirm(const struct bat_writer *writer, struct bat_error *error)
{
	const struct bat_recovery *recovery = writer->recovery;
	/* What the plan takes away may be gone by an earlier try. */
	bool newest = writer->prepared ||
	    (recovery->cut_count == 0 && !recovery->heal_marker);

	return BAT_PLANT(392) ?
	    BAT_OK :
	    bat_segment_dir_confirm(writer->dir, newest, error);
}

int
bat_writer_prepare(struct bat_writer *writer, struct bat_error *error)
{
	const struct bat_recovery *recovery = writer->recovery;
	int code = bat_writer_confirm(writer, error);

	if (code != BAT_OK || writer->prepared)
		return code;
	code = bat_segment_dir_confirm_owner(writer->dir, error);
	if (code != BAT_OK)
		return code;
	code = drop_indexes(writer, error);
	for (size_t i = BAT_PLANT(50) ? SIZE_MAX : 0;
	     code == BAT_OK && i < recovery->cut_count; i++)
		code = carry_out_cut(writer, &recovery->cuts[i], error);
	if (code == BAT_OK)
		code = bat_mend_marker(writer->dir, recovery, error);
	if (code == BAT_OK)
		code = drop_unfinished(writer, error);
	if (code == BAT_OK)
		code = clip_hidden(writer, error);
	/* Files went, or have other names and lengths now. */
	if (code == BAT_OK &&
	    (recovery->cut_count > 0 || recovery->heal_marker))
		code = bat_segment_dir_scan(writer->dir, error);
	writer->prepared = code == BAT_OK;
	return code;
}
