/*
 * Every bit of a store's files, flipped alone: what is shown then is what was
 * shown before, or what is missing was named.
 *
 *	flips [--seconds N] [--seed N] [--writable] STORE...
 *
 * All bits of a directory have an order that the seed decides; the first ones
 * are tried until the time is over, so that a longer run tries more and never
 * one twice. The directory is copied onto a disk in memory. A line for each
 * directory, and one for all:
 *
 *	same     the answer is that without the flip
 *	refused  the open fails and says why
 *	named    less is shown, as damage or as a tail that a crash left
 *	numbered a footer tells other numbers, which no checksum covers, and so the
 *		 hidden ranges hide other events; without them nothing differs
 *	silent   less or something else is shown and nobody said so: a failure
 *
 * --writable opens for writing, appends, and opens again: what the session
 * showed is still there, and the new event.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hidden.h"
#include "memory_disk.h"
#include "picture.h"

enum verdict { SAME, REFUSED, NAMED, NUMBERED, SILENT, VERDICTS };

enum { FILES_MAX = 64, PICTURE = PICTURE_NO_SEQ | PICTURE_NO_PLACE };

struct victim {
	char name[MEMORY_DISK_NAME_SIZE];
	uint64_t size;
};

struct flips {
	const char *store;
	struct memory_disk *disk;
	struct victim files[FILES_MAX];
	size_t file_count;
	uint64_t bits;
	struct bat_buf wanted;	 /* the picture without a flip */
	struct bat_buf unhidden; /* and without what hides events */
	bool opens;		 /* without a flip */
	bool damaged;		 /* and something is named then */
	bool writable;
	uint64_t counts[VERDICTS];
};

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static _Noreturn void
give_up(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- the ground ------------------------------------------------------- */

static void
copy_file(struct flips *flips, const char *name)
{
	const struct bat_disk *door = memory_disk_door(flips->disk);
	struct victim *file = &flips->files[flips->file_count++];
	char path[4096];
	uint8_t block[65536];
	ssize_t got;
	int from, dir, to;

	if (flips->file_count == FILES_MAX ||
	    strlen(name) >= sizeof(file->name))
		give_up(name);
	snprintf(file->name, sizeof(file->name), "%s", name);
	snprintf(path, sizeof(path), "%s/%s", flips->store, name);
	from = open(path, O_RDONLY | O_CLOEXEC);
	dir = door->open_dir(door->context, "/", false);
	to = door->open_at(door->context, dir, name, O_RDWR | O_CREAT, 0644);
	if (from < 0 || dir < 0 || to < 0)
		give_up(path);
	while ((got = read(from, block, sizeof(block))) > 0) {
		if (door->write_at(door->context, to, block, (size_t)got,
			file->size) != got)
			give_up(path);
		file->size += (uint64_t)got;
	}
	close(from);
	door->sync(door->context, to);
	door->sync(door->context, dir);
	door->close(door->context, to);
	door->close(door->context, dir);
	flips->bits += file->size * 8;
}

/* Files alone: folders hold what belongs to others. */
static void
copy_store(struct flips *flips)
{
	DIR *list = opendir(flips->store);
	const struct dirent *entry;
	struct stat status;

	if (list == NULL)
		give_up(flips->store);
	while ((entry = readdir(list)) != NULL)
		if (fstatat(dirfd(list), entry->d_name, &status,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(status.st_mode))
			copy_file(flips, entry->d_name);
	closedir(list);
}

/* ---- one flip ---------------------------------------------------------- */

static const struct victim *
victim_of(const struct flips *flips, uint64_t bit, uint64_t *out_offset)
{
	const struct victim *file = flips->files;

	for (*out_offset = bit / 8; *out_offset >= file->size; file++)
		*out_offset -= file->size;
	return file;
}

static void
flip(struct memory_disk *disk, const char *name, uint64_t offset, uint8_t mask)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = door->open_dir(door->context, "/", false);
	int fd = door->open_at(door->context, dir, name, O_RDWR, 0);
	uint8_t byte;

	if (fd < 0 || door->read_at(door->context, fd, &byte, 1, offset) != 1)
		give_up(name);
	byte ^= mask;
	if (door->write_at(door->context, fd, &byte, 1, offset) != 1)
		give_up(name);
	door->sync(door->context, fd);
	door->close(door->context, fd);
	door->close(door->context, dir);
}

static struct bat_store *
open_store(struct memory_disk *disk, bool writable)
{
	const struct bat_options options = {
		.read_only = !writable,
		.no_create = true,
		.disk = memory_disk_door(disk),
	};
	struct bat_store *store = NULL;
	struct bat_error error = { .code = 0 };

	if (bat_open("/", &options, &store, &error) == BAT_OK)
		return store;
	/* Who refuses has to say why. */
	if (error.code == 0 || error.text[0] == '\0')
		abort();
	return NULL;
}

static bool
has_damage(struct bat_slice picture)
{
	return (picture.length >= 7 &&
		   memcmp(picture.data, "damaged", 7) == 0) ||
	    (picture.length > 0 &&
		memmem(picture.data, picture.length, "\ndamaged", 8) != NULL);
}

static bool
is_named(struct bat_store *store, const struct bat_buf *picture)
{
	struct bat_buf report = BAT_BUF_EMPTY;
	struct bat_status status;
	bool named;

	bat_status(store, &status);
	if (bat_open_report(store, &report) != BAT_OK)
		abort();
	/* What an index vouches for is met when its frame is read. */
	named = status.damaged_count > 0 ||
	    has_damage(bat_bytes_of_buf(picture)) ||
	    (report.length > 0 &&
		memmem(report.data, report.length, "torn tail", 9) != NULL);
	bat_bytes_free(&report);
	return named;
}

static enum verdict
judge(const struct flips *flips, struct bat_store *store, struct bat_buf *got)
{
	struct bat_slice before = bat_bytes_of_buf(&flips->wanted), after;
	bool named;

	picture_of(store, PICTURE, got);
	after = bat_bytes_of_buf(got);
	named = is_named(store, got);
	if (!flips->opens)
		return named ? NAMED : SILENT;
	if (picture_difference(got, &flips->wanted) == NULL)
		return SAME;
	/* It may have been the damaged bit; and without its BEGIN nobody can
	 * say that a frame was of a batch that was never finished. */
	if (picture_is_part(before, after) &&
	    (named || flips->damaged || has_damage(before)))
		return NAMED;
	return named && picture_is_part(after, before) ? NAMED : SILENT;
}

/* Takes away what hides events: what is shown then, if it opens. */
static void
unhide(struct memory_disk *disk, struct bat_buf *out)
{
	const struct bat_disk *door = memory_disk_door(disk);
	int dir = door->open_dir(door->context, "/", false);
	struct bat_error error = { .code = 0 };
	struct bat_store *store;

	(void)door->unlink_at(door->context, dir, BAT_HIDDEN_FILE);
	door->close(door->context, dir);
	store = open_store(disk, false);
	if (store == NULL)
		return;
	picture_of(store, PICTURE, out);
	bat_close(store, &error);
}

/* The disk is used up by it. */
static bool
differs_in_numbers(const struct flips *flips, struct memory_disk *disk)
{
	struct bat_buf shown = BAT_BUF_EMPTY;
	bool so;

	unhide(disk, &shown);
	so = shown.length > 0 &&
	    picture_difference(&shown, &flips->unhidden) == NULL;
	bat_bytes_free(&shown);
	return so;
}

/* One more event; what was shown before is still shown, and the new one. */
static bool
goes_on(struct memory_disk *disk, struct bat_store *store,
    const struct bat_buf *shown)
{
	struct bat_draft draft = {
		.entity = bat_bytes_text("flips:after"),
		.scope = bat_bytes_text("flips"),
		.kind = BAT_KIND_DATA,
		.payload = bat_bytes_text("\xa1x"),
	};
	struct bat_batch batch = { .drafts = &draft, .count = 1 };
	struct bat_error error = { .code = 0 };
	struct bat_buf after = BAT_BUF_EMPTY;
	bool good = bat_append(store, &batch) == BAT_OK;
	int code = bat_close(store, &error);

	/* No index file is made of what is damaged; that is no loss. */
	good = good && (code == BAT_OK || code == BAT_DATA_CORRUPT);
	store = good ? open_store(disk, false) : NULL;
	if (store == NULL)
		return false;
	picture_of(store, PICTURE, &after);
	good = after.length > shown->length &&
	    (shown->length == 0 ||
		memcmp(after.data, shown->data, shown->length) == 0) &&
	    memmem(after.data, after.length, "flips:after", 11) != NULL;
	bat_close(store, &error);
	bat_bytes_free(&after);
	return good;
}

static enum verdict
try_bit(struct flips *flips, uint64_t bit)
{
	struct memory_disk *disk = memory_disk_copy(flips->disk), *before;
	struct bat_buf got = BAT_BUF_EMPTY;
	struct bat_error error = { .code = 0 };
	enum verdict verdict = REFUSED;
	struct bat_store *store;
	uint64_t offset;
	const struct victim *file = victim_of(flips, bit, &offset);

	flip(disk, file->name, offset, (uint8_t)(1u << bit % 8));
	before = memory_disk_copy(disk);
	store = open_store(disk, flips->writable);
	if (store != NULL) {
		verdict = judge(flips, store, &got);
		if (verdict == SILENT &&
		    strcmp(file->name, BAT_HIDDEN_FILE) != 0 &&
		    differs_in_numbers(flips, before))
			verdict = NUMBERED;
		if (!flips->writable)
			bat_close(store, &error);
		else if (!goes_on(disk, store, &got))
			verdict = SILENT;
	}
	if (verdict == SILENT)
		printf("not ok - flips: %s/%s: bit %u of byte %" PRIu64 "%s\n",
		    flips->store, file->name, (unsigned)(bit % 8), offset,
		    flips->writable ? ", writable" : "");
	bat_bytes_free(&got);
	memory_disk_free(before);
	memory_disk_free(disk);
	return verdict;
}

/* ---- all of them ------------------------------------------------------- */

/* A step that shares no factor with the count meets each number once. */
static uint64_t
step_for(uint64_t count, uint64_t seed)
{
	uint64_t step = (seed * UINT64_C(0x9e3779b97f4a7c15)) % count;

	for (;; step++) {
		uint64_t a = count, b = step;

		while (b != 0) {
			uint64_t rest = a % b;

			a = b;
			b = rest;
		}
		if (a == 1)
			return step;
	}
}

static void
run(struct flips *flips, double seconds, uint64_t seed)
{
	double end = now() + seconds;
	struct bat_error error = { .code = 0 };
	struct memory_disk *copy;
	struct bat_store *store;
	uint64_t step, bit = seed, tried = 0;

	flips->disk = memory_disk_new(MEMORY_DISK_STRICT, seed);
	copy_store(flips);
	store = open_store(flips->disk, false);
	flips->opens = store != NULL;
	if (flips->opens) {
		picture_of(store, PICTURE, &flips->wanted);
		flips->damaged = is_named(store, &flips->wanted);
		bat_close(store, &error);
	}
	copy = memory_disk_copy(flips->disk);
	unhide(copy, &flips->unhidden);
	memory_disk_free(copy);
	step = step_for(flips->bits, seed);
	for (; tried < flips->bits && (tried == 0 || now() < end); tried++) {
		bit = (bit + step) % flips->bits;
		flips->counts[try_bit(flips, bit)]++;
	}
	printf("# %s: %" PRIu64 " of %" PRIu64 " bits\n", flips->store, tried,
	    flips->bits);
	bat_bytes_free(&flips->wanted);
	bat_bytes_free(&flips->unhidden);
	memory_disk_free(flips->disk);
}

static _Noreturn void
usage(void)
{
	fputs("usage: flips [--seconds N] [--seed N] [--writable] STORE...\n",
	    stderr);
	exit(2);
}

int
main(int argc, char **argv)
{
	uint64_t counts[VERDICTS] = { 0 }, seed = 1, tried = 0;
	double seconds = 10, end;
	bool writable = false;
	int i = 1;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++)
		if (strcmp(argv[i], "--writable") == 0)
			writable = true;
		else if (i + 1 < argc && strcmp(argv[i], "--seconds") == 0)
			seconds = strtod(argv[++i], NULL);
		else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
			seed = strtoull(argv[++i], NULL, 10);
		else
			usage();
	if (i == argc)
		usage();
	end = now() + seconds;
	for (; i < argc; i++) {
		struct flips flips = { .store = argv[i], .writable = writable };

		run(&flips, (end - now()) / (argc - i), seed);
		for (int verdict = 0; verdict < VERDICTS; verdict++)
			counts[verdict] += flips.counts[verdict];
	}
	for (int verdict = 0; verdict < VERDICTS; verdict++)
		tried += counts[verdict];
	printf("# flipped %" PRIu64 ": same %" PRIu64 ", refused %" PRIu64
	       ", named %" PRIu64 ", numbered %" PRIu64 ", silent %" PRIu64
	       "; seed %" PRIu64 "\n",
	    tried, counts[SAME], counts[REFUSED], counts[NAMED],
	    counts[NUMBERED], counts[SILENT], seed);
	if (counts[SILENT] == 0)
		printf("ok - flips%s: each is harmless, refused or named\n",
		    writable ? ", writable" : "");
	return counts[SILENT] != 0;
}
