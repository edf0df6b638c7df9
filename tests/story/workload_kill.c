/* Steps that end a session badly: SIGKILL, and what it leaves behind. */
#include "workload_internal.h"

#include <fcntl.h>
#include <stdlib.h>

#include "codec.h"
#include "frame.h"
#include "segment.h"

/* The process is gone: its disk is left to it, and the next one gets what it
 * left. */
void
story_kill(struct story_run *run)
{
	struct memory_disk *next = memory_disk_copy(run->disk);
	struct memory_disk *old = run->disk;
	struct bat_error error;

	if (run->disk_changes != NULL)
		run->disk_changes(run->context, run, next);
	memory_disk_watch(old, NULL, NULL);
	if (run->store != NULL)
		(void)bat_close(run->store, &error);
	run->store = NULL;
	memory_disk_free(old);
	run->disk = next;
	if (run->disk_changed != NULL)
		run->disk_changed(run->context, run);
}

static int
find_newest(void *context, const char *name)
{
	uint64_t *newest = context, id;

	if (bat_segment_id_of_name(name, &id) && id > *newest)
		*newest = id;
	return 0;
}

static void
put_tail(char step, struct bat_buf *out)
{
	int code = 0;

	switch (step) {
	case '0':
	case 'F':
		code = bat_bytes_reserve(out, 700);
		if (code == 0)
			memset(out->data, step == '0' ? 0 : 0xff, 700);
		out->length = 700;
		break;
	case 'T':
		/* A header that promises more, and the start of a body. */
		code = bat_bytes_append(out,
		    "\0\0\1\x86\x5e\x11\x22\x33\x82\xa5"
		    "event",
		    15);
		break;
	default:
		code = bat_frame_open(out);
		if (code == 0)
			code = bat_codec_encode_marker(BAT_KIND_BATCH_BEGIN,
			    900, 3, 1, out);
		if (code == 0)
			bat_frame_seal(out, 0);
		break;
	}
	if (code != 0)
		abort();
}

static void
put_behind(const struct bat_disk *door, int fd, char step, uint64_t size)
{
	struct bat_buf tail = BAT_BUF_EMPTY;

	put_tail(step, &tail);
	door->write_at(door->context, fd, tail.data, tail.length, size);
	door->sync(door->context, fd);
	bat_bytes_free(&tail);
}

/*
 * What another writer, or another file system, may have left; on disk. Only
 * where something was written since the last time, and nothing lost: nobody
 * leaves two such tails in a row.
 */
void
story_spoil(struct story_run *run, char step)
{
	const struct bat_disk *door = memory_disk_door(run->disk);
	int dir = door->open_dir(door->context, "/", false);
	char name[BAT_SEGMENT_NAME_SIZE];
	struct bat_file_stat stat;
	uint64_t newest = 0;
	int fd;

	door->list(door->context, dir, find_newest, &newest);
	bat_segment_name(newest, name);
	if (run->poisoned ||
	    door->stat_at(door->context, dir, name, &stat) != 0 ||
	    (newest == run->spoiled && stat.size <= run->spoiled_size)) {
		door->close(door->context, dir);
		return;
	}
	if (step == 'H')
		bat_segment_name(++newest, name);
	fd = door->open_at(door->context, dir, name, O_RDWR | O_CREAT, 0600);
	if (step != 'H')
		put_behind(door, fd, step, stat.size);
	door->sync(door->context, dir);
	run->spoiled = newest;
	run->spoiled_size = 0;
	if (door->stat_fd(door->context, fd, &stat) == 0)
		run->spoiled_size = stat.size;
	door->close(door->context, fd);
	door->close(door->context, dir);
}

/* The log has an event that the store does not have; on disk, and shown. */
void
story_outrun(struct story_run *run)
{
	const struct bat_disk *door = memory_disk_door(run->disk);
	int dir = door->open_dir(door->context, "/", false);
	struct bat_tlog tlog;

	run->oracle.log.unfit = true;
	bat_tlog_init(&tlog);
	if (!run->poisoned && bat_tlog_open(&tlog, door, dir, NULL) == BAT_OK) {
		const struct bat_tlog_record record = { .seq = tlog.first_seq +
			    1000 };

		if (bat_tlog_settle(&tlog, NULL) != BAT_OK ||
		    bat_tlog_add(&tlog, &record, NULL) != BAT_OK ||
		    bat_tlog_publish(&tlog, NULL) != BAT_OK)
			abort();
		if (!story_log_hear(&run->oracle.log,
			bat_bytes_of_buf(&tlog.checkpoint), true, run->why))
			run->wrong = true;
	}
	bat_tlog_detach(&tlog);
	door->close(door->context, dir);
}
