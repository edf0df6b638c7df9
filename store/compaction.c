#include "compaction_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "marker.h"

/* ---- which ------------------------------------------------------------- */

static int
size_of(const struct bat_segment_dir *dir, uint64_t id, uint64_t *out,
    struct bat_error *error)
{
	struct bat_file_stat stat;
	char name[BAT_SEGMENT_NAME_SIZE];
	int code;

	bat_segment_name(id, name);
	code = dir->disk->stat_at(dir->disk->context, dir->dir, name, &stat);
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat %s", name);
	*out = stat.size;
	return BAT_OK;
}

/* Take the ids from `first` on. */
static void
keep_from(struct bat_compaction *job, size_t first)
{
	job->full = first;
	job->count -= first;
	memmove(job->ids, job->ids + first, job->count * sizeof(*job->ids));
}

int
bat_compaction_choose(struct bat_compaction *job, uint64_t limit,
    struct bat_error *error)
{
	bool leading = true;
	size_t full = 0;
	int code;

	free(job->ids);
	code = bat_segment_dir_ids(job->dir, &job->ids, &job->count);
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory");
	job->bytes_before = 0;
	for (size_t i = 0; i < job->count; i++) {
		uint64_t size = 0;

		code = size_of(job->dir, job->ids[i], &size, error);
		if (code != BAT_OK)
			return code;
		leading = leading && size >= limit;
		if (leading)
			full++;
		else
			job->bytes_before += size;
	}
	keep_from(job, full);
	return job->count < 2 ? BAT_END : BAT_OK;
}

/* ---- the marker -------------------------------------------------------- */

/* Is there a segment above M? Whoever opened the directory now without us would
 * make the next one; it must not be M. */
static int
has_higher(struct bat_compaction *job, bool *out_has, struct bat_error *error)
{
	uint64_t *ids;
	size_t count;
	int code = bat_segment_dir_ids(job->dir, &ids, &count);

	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory");
	*out_has = BAT_PLANT(255) ||
	    (count > 0 && ids[count - 1] > job->merged);
	free(ids);
	return BAT_OK;
}

static int
make_placeholder(struct bat_compaction *job, struct bat_error *error)
{
	struct bat_buf header = BAT_BUF_EMPTY;
	char name[BAT_SEGMENT_NAME_SIZE];
	int code = bat_segment_encode_header(job->merged + 1, 0, &header);

	bat_segment_name(job->merged + 1, name);
	if (code != BAT_OK)
		bat_error_set(error, code, "no memory for a segment header");
	else
		code = bat_file_put_whole(job->dir->disk, job->dir->dir, name,
		    bat_bytes_of_buf(&header), false, error);
	/* Also where its name may not be on disk: it is to go again. */
	if (code != BAT_STATE_EXISTS)
		job->placeholder = job->merged + 1;
	bat_bytes_free(&header);
	return code;
}

int
bat_compaction_mark(struct bat_compaction *job, struct bat_error *error)
{
	struct bat_buf text = BAT_BUF_EMPTY;
	bool higher = false;
	int code = has_higher(job, &higher, error);

	if (code == BAT_OK && !higher)
		code = make_placeholder(job, error);
	if (code != BAT_OK)
		return code;
	code = bat_marker_encode(job->merged, job->ids, job->count, &text);
	if (code != BAT_OK) {
		bat_error_set(error, code, "no memory for a marker");
	} else {
		job->marked = true;
		code = bat_file_put_whole(job->dir->disk, job->dir->dir,
		    BAT_SEGMENT_DIR_MARKER, bat_bytes_of_buf(&text), true,
		    error);
	}
	bat_bytes_free(&text);
	return code;
}

/* ---- the switch -------------------------------------------------------- */

static bool
is_gone(const struct bat_compaction *job, uint64_t id)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->ids[i] == id)
			return true;
	return job->placeholder != 0 && job->placeholder == id;
}

/* What is there, without what will be swept. */
static int
list_rest(struct bat_compaction *job, struct bat_segment_dir *found,
    struct bat_error *error)
{
	size_t kept = 0;
	int code = bat_segment_dir_list(job->dir, found, error);

	if (code != BAT_OK)
		return code;
	for (size_t i = 0; i < found->count; i++)
		if (!is_gone(job, found->segments[i].id))
			found->segments[kept++] = found->segments[i];
	found->count = kept;
	found->has_marker = false;
	return BAT_OK;
}

/* M goes again, and the sources are what they were. Returns what failed: code,
 * or a sync. */
static int
take_back(struct bat_compaction *job, int code, struct bat_error *error)
{
	const struct bat_disk *disk = job->dir->disk;
	char name[BAT_SEGMENT_NAME_SIZE];
	int synced;

	bat_segment_name(job->merged, name);
	if (bat_file_unlink(disk, job->dir->dir, name, NULL) != BAT_OK)
		return code;
	synced = bat_file_sync(disk, job->dir->dir, NULL);
	if (synced != BAT_OK) {
		if (error != NULL)
			error->code = synced;
		return synced;
	}
	job->installed = false;
	return code;
}

int
bat_compaction_install(struct bat_compaction *job,
    struct bat_segment_dir *found, struct bat_error *error)
{
	const struct bat_disk *disk = job->dir->disk;
	char name[BAT_SEGMENT_NAME_SIZE];
	int code;

	bat_segment_name(job->merged, name);
	code = disk->rename_at(disk->context, job->dir->dir,
	    BAT_SEGMENT_DIR_UNFINISHED, name, false);
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot make %s", name);
	job->has_file = false;
	job->installed = true;
	code = bat_file_sync(disk, job->dir->dir, error);
	if (code != BAT_OK)
		return code;
	code = list_rest(job, found, error);
	return code == BAT_OK ? BAT_OK : take_back(job, code, error);
}

int
bat_compaction_sweep(struct bat_compaction *job, struct bat_error *error)
{
	const struct bat_disk *disk = job->dir->disk;
	int dir = job->dir->dir;
	char name[BAT_SEGMENT_NAME_SIZE];
	int code = BAT_OK;

	for (size_t i = 0; code == BAT_OK && i < job->count; i++) {
		bat_segment_name(job->ids[i], name);
		code = bat_file_unlink(disk, dir, name, error);
	}
	if (code == BAT_OK && !BAT_PLANT(256))
		code = bat_file_sync(disk, dir, error);
	if (code == BAT_OK && job->placeholder != 0) {
		bat_segment_name(job->placeholder, name);
		code = bat_file_unlink(disk, dir, name, error);
	}
	if (code == BAT_OK)
		code = bat_file_unlink(disk, dir, BAT_SEGMENT_DIR_MARKER,
		    error);
	return code == BAT_OK ? bat_file_sync(disk, dir, error) : code;
}

/* ---- giving up --------------------------------------------------------- */

/* The marker goes before the segment above M: while it is there, nobody may
 * make M. What cannot be taken away is swept at the next open. */
static int
undo(struct bat_compaction *job, struct bat_error *error)
{
	const struct bat_disk *disk = job->dir->disk;
	int dir = job->dir->dir;
	char name[BAT_SEGMENT_NAME_SIZE];
	int code = BAT_OK;

	if (job->has_file)
		(void)bat_file_unlink(disk, dir, BAT_SEGMENT_DIR_UNFINISHED,
		    NULL);
	/* After a failed sync none is tried. */
	if (job->stopped)
		return BAT_OK;
	if (job->marked)
		code = bat_file_unlink(disk, dir, BAT_SEGMENT_DIR_MARKER,
		    error);
	if (code == BAT_OK && job->marked)
		code = bat_file_sync(disk, dir, error);
	if (code != BAT_OK || job->placeholder == 0)
		return code;
	bat_segment_name(job->placeholder, name);
	code = bat_file_unlink(disk, dir, name, error);
	return code == BAT_OK ? bat_file_sync(disk, dir, error) : code;
}

int
bat_compaction_free(struct bat_compaction *job, struct bat_error *error)
{
	int code = job->installed ? BAT_OK : undo(job, error);

	free(job->ids);
	free(job->moves);
	job->ids = NULL;
	job->moves = NULL;
	return code;
}
