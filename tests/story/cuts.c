#include "cuts.h"

#include <stdlib.h>

/* Up to here all combinations are tried. */
enum { ALL_MAX = 400, TEAR_MAX = 12 };

uint64_t
story_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* ---- one operation --------------------------------------------------- */

/* Where a write is torn: in a frame's header, behind it, at its end, at the
 * borders of sectors. */
static size_t
tears_of(const struct memory_disk_op *op, uint64_t tears[TEAR_MAX])
{
	const uint64_t wanted[] = { 1, 4, 8, 9, op->length / 2,
		op->length - 1 };
	uint64_t border = MEMORY_DISK_SECTOR - op->offset % MEMORY_DISK_SECTOR;
	size_t count = 0;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (wanted[i] > 0 && wanted[i] < op->length)
			tears[count++] = wanted[i];
	for (; border < op->length && count < TEAR_MAX;
	     border += MEMORY_DISK_SECTOR)
		tears[count++] = border;
	return count;
}

static unsigned
sectors_of(const struct memory_disk_op *op)
{
	return (unsigned)((op->offset + op->length - 1) / MEMORY_DISK_SECTOR -
		   op->offset / MEMORY_DISK_SECTOR) +
	    1;
}

/* NOT, WHOLE, each tear torn and zeroed, zeros from the start. */
static uint64_t
fates_of(const struct memory_disk_op *op)
{
	uint64_t tears[TEAR_MAX];

	if (op->kind != MEMORY_DISK_WRITE || op->length == 0)
		return 2;
	return 3 + 2 * tears_of(op, tears);
}

static struct memory_disk_fate
fate_number(const struct memory_disk_op *op, uint64_t i)
{
	struct memory_disk_fate fate = { .kind = MEMORY_DISK_NOT };
	uint64_t tears[TEAR_MAX];

	if (i == 0)
		return fate;
	if (i == 1) {
		fate.kind = MEMORY_DISK_WHOLE;
		return fate;
	}
	fate.kind = i % 2 == 0 ? MEMORY_DISK_ZEROED : MEMORY_DISK_TORN;
	if (i > 2) {
		(void)tears_of(op, tears);
		fate.bytes = tears[(i - 3) / 2];
	}
	return fate;
}

/* Any fate; whole and not at all are as likely as the others together. */
static struct memory_disk_fate
random_fate(const struct memory_disk_op *op, uint64_t *random)
{
	static const enum memory_disk_fate_kind kinds[8] = { MEMORY_DISK_NOT,
		MEMORY_DISK_NOT, MEMORY_DISK_WHOLE, MEMORY_DISK_WHOLE,
		MEMORY_DISK_TORN, MEMORY_DISK_TORN, MEMORY_DISK_ZEROED,
		MEMORY_DISK_SECTORS };
	struct memory_disk_fate fate = {
		.kind = kinds[story_random(random) % 8]
	};

	if (fate.kind <= MEMORY_DISK_WHOLE)
		return fate;
	if (op->kind != MEMORY_DISK_WRITE || op->length == 0) {
		fate.kind = MEMORY_DISK_WHOLE;
		return fate;
	}
	fate.bytes = story_random(random) % (op->length + 1);
	fate.sectors = story_random(random);
	if (fate.kind == MEMORY_DISK_SECTORS && sectors_of(op) == 1)
		fate.kind = MEMORY_DISK_ZEROED;
	return fate;
}

/* ---- all of them ----------------------------------------------------- */

static uint64_t
combinations(const struct memory_disk *disk)
{
	size_t count = memory_disk_pending_count(disk);
	uint64_t all = 1;

	for (size_t i = 0; i < count && all <= ALL_MAX; i++)
		all *= fates_of(memory_disk_pending(disk, i));
	return all;
}

/* None, all, each front part, all but one, one alone, each fate of each write
 * with everything before it and nothing behind, and with everything else. */
static uint64_t
telling_count(const struct memory_disk *disk)
{
	size_t count = memory_disk_pending_count(disk);
	uint64_t all = 1 + 3 * (uint64_t)count;

	for (size_t i = 0; i < count; i++)
		all += 2 * (fates_of(memory_disk_pending(disk, i)) - 2);
	return all;
}

static void
fill(struct story_cut *cut, size_t from, size_t to,
    enum memory_disk_fate_kind kind)
{
	for (size_t i = from; i < to; i++)
		cut->fates[i] = (struct memory_disk_fate){ .kind = kind };
}

static void
telling(const struct memory_disk *disk, uint64_t k, struct story_cut *cut)
{
	size_t count = cut->count;

	if (k <= count) {
		fill(cut, 0, (size_t)k, MEMORY_DISK_WHOLE);
		return;
	}
	k -= count + 1;
	if (k < 2 * count) {
		enum memory_disk_fate_kind one = k < count ? MEMORY_DISK_NOT :
							     MEMORY_DISK_WHOLE;

		fill(cut, 0, count,
		    k < count ? MEMORY_DISK_WHOLE : MEMORY_DISK_NOT);
		fill(cut, (size_t)k % count, (size_t)k % count + 1, one);
		return;
	}
	k -= 2 * count;
	for (size_t i = 0; i < count; i++) {
		const struct memory_disk_op *op = memory_disk_pending(disk, i);
		uint64_t here = 2 * (fates_of(op) - 2);

		if (k < here) {
			fill(cut, 0, i, MEMORY_DISK_WHOLE);
			fill(cut, i + 1, count,
			    k % 2 == 0 ? MEMORY_DISK_NOT : MEMORY_DISK_WHOLE);
			cut->fates[i] = fate_number(op, 2 + k / 2);
			return;
		}
		k -= here;
	}
}

static bool
is_of_names(const struct memory_disk_op *op)
{
	return op->kind != MEMORY_DISK_WRITE &&
	    op->kind != MEMORY_DISK_TRUNCATE;
}

/* On ext4 names, and the bytes of each file, go front to back: what comes
 * behind the first that is not whole is not there. */
static void
put_in_order(const struct memory_disk *disk, struct story_cut *cut)
{
	if (memory_disk_may_leave(disk, cut->fates))
		return;
	for (size_t i = 0; i < cut->count; i++) {
		const struct memory_disk_op *op = memory_disk_pending(disk, i);

		if (cut->fates[i].kind == MEMORY_DISK_SECTORS)
			cut->fates[i].kind = MEMORY_DISK_ZEROED;
		for (size_t j = 0; j < i; j++) {
			const struct memory_disk_op *before =
			    memory_disk_pending(disk, j);
			bool together = is_of_names(op) ?
			    is_of_names(before) :
			    before->inode == op->inode;

			if (together && cut->fates[j].kind != MEMORY_DISK_WHOLE)
				cut->fates[i].kind = MEMORY_DISK_NOT;
		}
	}
}

uint64_t
story_cut_first(const struct memory_disk *disk)
{
	uint64_t all = combinations(disk);

	return all <= ALL_MAX ? all : telling_count(disk);
}

static void
choose(const struct memory_disk *disk, uint64_t k, uint64_t seed,
    struct story_cut *out)
{
	uint64_t all = combinations(disk), first = story_cut_first(disk);
	uint64_t random = seed ^ k * 0xd6e8feb86659fd93, left = k;

	if (k < first && all > ALL_MAX) {
		telling(disk, k, out);
		return;
	}
	for (size_t i = 0; i < out->count; i++) {
		const struct memory_disk_op *op = memory_disk_pending(disk, i);

		if (k >= first) {
			out->fates[i] = random_fate(op, &random);
			continue;
		}
		out->fates[i] = fate_number(op, left % fates_of(op));
		left /= fates_of(op);
	}
	if (k >= first)
		put_in_order(disk, out);
}

/* ---- what it is ------------------------------------------------------ */

/* Is something of a file there although something before it is not? */
static bool
is_reordered(const struct memory_disk *disk, const struct story_cut *cut)
{
	for (size_t i = 0; i < cut->count; i++) {
		const struct memory_disk_op *op = memory_disk_pending(disk, i);

		if (op->kind != MEMORY_DISK_WRITE)
			continue;
		if (cut->fates[i].kind == MEMORY_DISK_SECTORS)
			return true;
		for (size_t j = i + 1; j < cut->count; j++)
			if (cut->fates[i].kind != MEMORY_DISK_WHOLE &&
			    memory_disk_pending(disk, j)->inode == op->inode &&
			    cut->fates[j].kind != MEMORY_DISK_NOT)
				return true;
	}
	return false;
}

static void
classify(const struct memory_disk *disk, struct story_cut *cut)
{
	bool ended = false;

	cut->prefix = true;
	for (size_t i = 0; i < cut->count; i++) {
		switch (cut->fates[i].kind) {
		case MEMORY_DISK_NOT:
			ended = true;
			break;
		case MEMORY_DISK_WHOLE:
			cut->prefix = cut->prefix && !ended;
			break;
		case MEMORY_DISK_TORN:
			cut->torn = true;
			break;
		case MEMORY_DISK_ZEROED:
			cut->zeroed = true;
			break;
		case MEMORY_DISK_SECTORS:
			cut->sectors = true;
			break;
		}
	}
	cut->prefix = cut->prefix && !cut->torn && !cut->zeroed &&
	    !cut->sectors;
	cut->reordered = is_reordered(disk, cut);
	cut->possible = memory_disk_may_leave(disk, cut->fates);
}

bool
story_cut_make(const struct memory_disk *disk, uint64_t k, uint64_t seed,
    struct story_cut *out)
{
	bool writes = false;

	*out = (struct story_cut){ .count = memory_disk_pending_count(disk) };
	if (out->count > STORY_CUT_MAX)
		abort();
	for (size_t i = 0; i < out->count; i++)
		writes = writes ||
		    memory_disk_pending(disk, i)->kind == MEMORY_DISK_WRITE;
	if (k >= story_cut_first(disk) && !writes &&
	    combinations(disk) <= ALL_MAX)
		return false;
	choose(disk, k, seed, out);
	classify(disk, out);
	return true;
}

void
story_cut_print(const struct memory_disk *disk, const struct story_cut *cut,
    struct bat_buf *out)
{
	static const char *const words[] = { "not", "whole", "torn", "zeroed",
		"sectors" };
	int code = 0;

	for (size_t i = 0; code == 0 && i < cut->count; i++) {
		const struct memory_disk_fate *fate = &cut->fates[i];

		code = bat_bytes_append_format(out, "      %-7s ",
		    words[fate->kind]);
		memory_disk_print_op(memory_disk_pending(disk, i), out);
		if (code == 0 && fate->kind >= MEMORY_DISK_TORN)
			code = bat_bytes_append_format(out,
			    " (%llu bytes, sectors %llx)",
			    (unsigned long long)fate->bytes,
			    (unsigned long long)fate->sectors);
		if (code == 0)
			code = bat_bytes_append_byte(out, '\n');
	}
	if (code != 0)
		abort();
}
