#include "segment_writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

static int
stat_name(struct bat_segment_dir *dir, const char *name,
    struct bat_file_stat *out)
{
	return dir->disk->stat_at(dir->disk->context, dir->dir, name, out);
}

/*
 * The file under its final name, durable, or nothing. A failure behind the
 * rename (the directory's fsync) leaves a file that is ours alone: the lock is
 * held and the name was free before.
 */
static int
put_header(struct bat_segment_dir *dir, const char *name,
    struct bat_slice header, struct bat_error *error)
{
	struct bat_file_stat stat;
	int code = stat_name(dir, name, &stat);

	if (code == 0)
		return bat_error_set(error, BAT_STATE_EXISTS,
		    "%s is there already", name);
	if (code != -ENOENT)
		return bat_error_set_os(error, -code, "cannot stat %s", name);
	code = bat_file_put_whole(dir->disk, dir->dir, name, header, false,
	    error);
	if (code != 0 && code != BAT_STATE_EXISTS &&
	    stat_name(dir, name, &stat) == 0 && stat.size == header.length)
		(void)bat_file_unlink(dir->disk, dir->dir, name, NULL);
	return code;
}

static int
open_for_writing(struct bat_segment_dir *dir, const char *name, int *out_fd,
    struct bat_error *error)
{
	int fd = dir->disk->open_at(dir->disk->context, dir->dir, name, O_RDWR,
	    0);

	if (fd < 0)
		return bat_error_set_os(error, -fd, "cannot open %s", name);
	*out_fd = fd;
	return 0;
}

int
bat_segment_writer_create(struct bat_segment_writer *writer,
    struct bat_segment_dir *dir, uint64_t id, int64_t created_ns,
    struct bat_error *error)
{
	char name[BAT_SEGMENT_NAME_SIZE];
	struct bat_buf header = BAT_BUF_EMPTY;
	int code;

	*writer = (struct bat_segment_writer){ .dir = dir, .id = id, .fd = -1 };
	bat_segment_name(id, name);
	code = bat_segment_encode_header(id, created_ns, &header);
	if (code != 0) {
		bat_error_set(error, code, "no memory for a segment header");
		goto free_header;
	}
	code = put_header(dir, name, bat_bytes_of_buf(&header), error);
	if (code != 0)
		goto free_header;
	code = open_for_writing(dir, name, &writer->fd, error);
	if (code == 0)
		code = bat_segment_dir_add(dir, id, error);
	if (code != 0)
		goto unlink_file;
	writer->size = header.length;
	writer->synced = header.length;
	bat_bytes_free(&header);
	return 0;

unlink_file:
	(void)bat_file_unlink(dir->disk, dir->dir, name, NULL);
	bat_segment_writer_close(writer);
free_header:
	bat_bytes_free(&header);
	return code;
}

void
bat_segment_writer_use_runway(struct bat_segment_writer *writer,
    struct bat_runway *runway, uint64_t limit)
{
	writer->runway = runway;
	bat_runway_begin(runway, writer->fd, writer->size, limit);
}

/* True: there may be something behind the frames. */
static bool
end_runway(struct bat_segment_writer *writer)
{
	return writer->runway != NULL && bat_runway_end(writer->runway);
}

/* 0, or why nothing may be written any more. */
static int
check_usable(const struct bat_segment_writer *writer, struct bat_error *error)
{
	if (writer->broken && !BAT_PLANT(19))
		return bat_error_set_at(error, BAT_STATE_STOPPED, writer->id,
		    writer->size,
		    "segment %" PRIu64 " failed before and is not written",
		    writer->id);
	if (writer->sealed)
		return bat_error_set_at(error, BAT_STATE_CLOSED, writer->id,
		    writer->size, "segment %" PRIu64 " is sealed", writer->id);
	return 0;
}

/* Break the writer for good; what happened stands behind the text. */
static int
break_off(struct bat_segment_writer *writer, int os_errno, const char *what,
    struct bat_error *error)
{
	writer->broken = true;
	bat_error_set_os(error, os_errno, "segment %" PRIu64 ": cannot %s",
	    writer->id, what);
	if (error != NULL) {
		/* ENOSPC of a sync is no invitation to try again. */
		error->code = BAT_STATE_STOPPED;
		error->segment = writer->id;
		error->offset = writer->size;
	}
	return BAT_STATE_STOPPED;
}

/* Cut the file to size. Without space for that (Btrfs asks for some, and says
 * EDQUOT) nothing is written behind what is left until it could be cut off;
 * after any other failure, never. */
static int
cut_to(struct bat_segment_writer *writer, uint64_t size,
    struct bat_error *error)
{
	const struct bat_disk *disk = writer->dir->disk;
	int code;

	(void)end_runway(writer);
	do
		code = disk->truncate(disk->context, writer->fd, size);
	while (code == -EINTR);
	writer->uncut = code == -ENOSPC || code == -EDQUOT;
	if (writer->uncut)
		return bat_error_set_os(error, -code,
		    "segment %" PRIu64 ": no space to cut it", writer->id);
	if (code < 0)
		return break_off(writer, -code,
		    "cut off what stands behind its last whole frame", error);
	return 0;
}

int
bat_segment_writer_append(struct bat_segment_writer *writer,
    struct bat_slice frames, struct bat_error *error)
{
	int code = check_usable(writer, error);

	if (code != 0 || frames.length == 0)
		return code;
	if (writer->uncut && !BAT_PLANT(401))
		code = cut_to(writer, writer->size, error);
	if (code != 0)
		return code;
	if (writer->runway != NULL)
		bat_runway_claim(writer->runway, writer->size + frames.length);
	code = bat_file_write(writer->dir->disk, writer->fd, frames.data,
	    frames.length, writer->size, error);
	if (code != 0) {
		int cut = BAT_PLANT(20) ? 0 :
					  cut_to(writer, writer->size, error);

		return cut != 0 ? cut : code;
	}
	writer->size += frames.length;
	return 0;
}

int
bat_segment_writer_cut_back(struct bat_segment_writer *writer,
    uint64_t size_before, struct bat_error *error)
{
	int code = check_usable(writer, error);

	if (code != 0)
		return code;
	assert(size_before >= writer->synced && size_before <= writer->size);
	if (size_before == writer->size)
		return 0;
	code = cut_to(writer, size_before, error);
	if (code != 0)
		return code;
	writer->size = size_before;
	return 0;
}

int
bat_segment_writer_sync(struct bat_segment_writer *writer,
    struct bat_error *error)
{
	const struct bat_disk *disk = writer->dir->disk;
	int code = check_usable(writer, error);

	if (code != 0 || writer->synced == writer->size)
		return code;
	do
		code = disk->sync_data(disk->context, writer->fd);
	while (code == -EINTR || (BAT_PLANT(18) && code < 0));
	if (code < 0)
		return break_off(writer, -code, "sync it", error);
	writer->synced = writer->size;
	return 0;
}

/*
 * Write the footer; *out_length is 0 where it has to be left out. Only a failure
 * that leaves the file's end unknown is one.
 */
static int
write_footer(struct bat_segment_writer *writer, struct bat_slice footer,
    uint64_t *out_length, struct bat_error *error)
{
	int code, cut;

	*out_length = 0;
	if (footer.length == 0)
		return 0;
	code = bat_file_write(writer->dir->disk, writer->fd, footer.data,
	    footer.length, writer->size, error);
	if (code == 0) {
		*out_length = footer.length;
		return 0;
	}
	cut = cut_to(writer, writer->size, error);
	if (cut != 0)
		return cut;
	return code == BAT_WORLD_NO_SPACE ? 0 : code;
}

int
bat_segment_writer_seal(struct bat_segment_writer *writer,
    struct bat_slice footer, struct bat_error *error)
{
	const struct bat_disk *disk = writer->dir->disk;
	uint64_t footer_length = 0;
	/* Frames first: who finds a footer may rely on what is before it. */
	int code = BAT_PLANT(21) ? 0 : bat_segment_writer_sync(writer, error);
	bool longer = code == 0 && end_runway(writer);

	longer = longer || writer->uncut;
	if (code == 0)
		code = write_footer(writer, footer, &footer_length, error);
	if (code == 0 && longer && !BAT_PLANT(221))
		code = cut_to(writer, writer->size + footer_length, error);
	if (code != 0)
		return code;
	do
		code = BAT_PLANT(22) ? 0 :
				       disk->sync(disk->context, writer->fd);
	while (code == -EINTR);
	if (code < 0)
		return break_off(writer, -code, "sync it", error);
	writer->sealed = true;
	writer->synced = writer->size + footer_length;
	return 0;
}

void
bat_segment_writer_close(struct bat_segment_writer *writer)
{
	(void)end_runway(writer);
	if (writer->fd >= 0)
		bat_file_close(writer->dir->disk, writer->fd);
	writer->fd = -1;
}
