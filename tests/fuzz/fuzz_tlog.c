/*
 * A transparency log whose files were changed in any way, its checkpoint
 * signed again or not: it is read, continued and proved from. Where it loads
 * and takes more, it loads again afterwards.
 *
 * Runs: 800
 */
#include "fuzz.h"

#include <fcntl.h>

#include "memory.h"
#include "patch.h"
#include "tlog.h"

/* The first byte: how many records the log has; bit 7: signed again. */
enum { RECORDS_MAX = 0x7f, STEP = 9, MORE = 5 };

static struct bat_tlog_record
record_at(uint64_t seq)
{
	struct bat_tlog_record record = { .seq = seq };

	bat_bytes_put_le(record.id.bytes, seq + 1, 8);
	bat_bytes_put_le(record.frame.bytes, seq * 7, 8);
	return record;
}

static int
add(struct bat_tlog *tlog, uint64_t from, uint64_t count)
{
	int code = BAT_OK;

	for (uint64_t i = 0; code == BAT_OK && i < count; i++) {
		struct bat_tlog_record record = record_at(from + i);

		code = bat_tlog_add(tlog, &record, NULL);
	}
	return code == BAT_OK ? bat_tlog_publish(tlog, NULL) : code;
}

/* Whoever has the key can say anything. */
static void
sign_again(const struct bat_disk *door, int dir,
    const struct bat_note_signer *signer)
{
	struct bat_tlog tlog;
	struct bat_buf note = BAT_BUF_EMPTY, again = BAT_BUF_EMPTY;
	struct bat_slice text;

	bat_tlog_init(&tlog);
	if (bat_tlog_attach(&tlog, door, dir, NULL) == 0 &&
	    bat_tlog_read_file(&tlog, "checkpoint", &note, NULL) == 0 &&
	    bat_note_open(bat_bytes_of_buf(&note), NULL, &text, NULL) == 0 &&
	    bat_note_sign(signer, text, &again) == 0)
		(void)bat_file_put_whole(door, tlog.dir, "checkpoint",
		    bat_bytes_of_buf(&again), true, NULL);
	bat_bytes_free(&note);
	bat_bytes_free(&again);
	bat_tlog_detach(&tlog);
}

static void
prove(const struct bat_tlog *tlog)
{
	struct bat_tlog_tiles tiles = { .tlog = tlog, .size = tlog->published };
	struct bat_merkle_source source = bat_tlog_source(&tiles);
	uint64_t size = tlog->published;
	struct bat_merkle_proof proof;
	struct bat_merkle_hash root;

	if (size == 0 || bat_merkle_root(&source, size, &root) != 0)
		return;
	(void)bat_merkle_prove_inclusion(&source, size / 2, size, &proof);
	(void)bat_merkle_prove_consistency(&source, size / 3, size, &proof);
	bat_bytes_free(&tiles.buf);
}

static bool
loads(const struct bat_disk *door, int dir, struct bat_tlog *tlog)
{
	bat_tlog_init(tlog);
	return bat_tlog_attach(tlog, door, dir, NULL) == 0 &&
	    bat_tlog_load(tlog, NULL) == 0;
}

static void
look(const struct bat_disk *door, int dir, uint64_t bytes)
{
	struct bat_tlog tlog;
	bool good;

	fuzz_memory_start();
	good = loads(door, dir, &tlog);
	fuzz_memory_check(bytes);
	if (good) {
		prove(&tlog);
		good = tlog.has_signer && tlog.last.seq < UINT64_MAX / 2 &&
		    add(&tlog, tlog.last.seq + 1, MORE) == 0;
	}
	bat_tlog_detach(&tlog);
	if (!good)
		return;
	FUZZ_CHECK(loads(door, dir, &tlog));
	bat_tlog_detach(&tlog);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct memory_disk *disk;
	const struct bat_disk *door;
	struct bat_note_signer signer;
	struct bat_tlog tlog;
	int dir;

	if (length == 0)
		return 0;
	disk = memory_disk_new(MEMORY_DISK_STRICT, 1);
	door = memory_disk_door(disk);
	dir = door->open_dir(door->context, "/", false);
	bat_tlog_init(&tlog);
	FUZZ_CHECK(bat_tlog_create(&tlog, door, dir, NULL, 0, NULL) == 0);
	signer = tlog.signer;
	FUZZ_CHECK(add(&tlog, 0, (data[0] & RECORDS_MAX) * STEP) == 0);
	bat_tlog_detach(&tlog);
	fuzz_patch(door, dir, bat_bytes_slice(data + 1, length - 1));
	if ((data[0] & ~RECORDS_MAX) != 0)
		sign_again(door, dir, &signer);
	look(door, dir, memory_disk_used(disk));
	door->close(door->context, dir);
	memory_disk_free(disk);
	return 0;
}
