#include "write_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
rig_log_free(struct rig_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		free(log->entries[i].bytes);
	free(log->entries);
	*log = RIG_LOG_EMPTY;
}

void
rig_log_add(struct rig_log *log, enum rig_entry_kind kind, uint64_t offset,
    const void *bytes, size_t length)
{
	struct rig_entry *entry;

	if (log->count == log->capacity) {
		log->capacity = log->capacity * 2 + 256;
		log->entries = realloc(log->entries,
		    log->capacity * sizeof(*log->entries));
		if (log->entries == NULL)
			abort();
	}
	entry = &log->entries[log->count++];
	*entry = (struct rig_entry){ .kind = kind,
		.offset = offset,
		.length = (uint32_t)length,
		.bytes = rig_allocate(length, 1) };
	if (length > 0)
		memcpy(entry->bytes, bytes, length);
}

size_t
rig_log_durable(const struct rig_log *log, size_t position)
{
	while (position > 0 && log->entries[position - 1].kind != RIG_FLUSH)
		position--;
	return position;
}

void
rig_log_apply(const struct rig_log *log, size_t from, size_t to,
    struct rig_image *image)
{
	for (; from < to; from++) {
		const struct rig_entry *entry = &log->entries[from];

		if (entry->kind == RIG_WRITE)
			rig_image_write(image, entry->offset, entry->bytes,
			    entry->length);
	}
}

/* ---- cuts ------------------------------------------------------------ */

static const char *const kind_names[] = {
	[RIG_CUT_NONE] = "none",
	[RIG_CUT_ALL] = "all",
	[RIG_CUT_PREFIX] = "prefix",
	[RIG_CUT_SUBSET] = "subset",
	[RIG_CUT_TORN] = "torn",
	[RIG_CUT_SECTORS] = "sectors",
};

bool
rig_cut_kind_from_text(const char *text, enum rig_cut_kind *out)
{
	for (size_t i = 0; i < sizeof(kind_names) / sizeof(*kind_names); i++)
		if (strcmp(text, kind_names[i]) == 0) {
			*out = (enum rig_cut_kind)i;
			return true;
		}
	return false;
}

/* splitmix64: also good with seeds that follow each other. */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* What a cut decided at its start, and on its way. */
struct cutter {
	enum rig_cut_kind kind;
	uint64_t random;
	unsigned keep_of_8; /* the coin: so many of eight are kept */
	size_t special;	    /* the pending write where something changes */
	size_t torn_from, torn_to; /* of its sectors these are lost */
	size_t number;		   /* of the pending write */
	bool coin;		   /* of the 4 KiB under way */
};

static void
cutter_init(struct cutter *cutter, const struct rig_cut *cut, size_t pending)
{
	static const unsigned coins[] = { 1, 4, 4, 7 };
	uint64_t random = cut->seed;

	draw(&random);
	*cutter = (struct cutter){ .kind = cut->kind };
	cutter->keep_of_8 = coins[draw(&random) % 4];
	if (pending > 0)
		cutter->special = (size_t)(draw(&random) % pending);
	cutter->random = random;
}

static void
cutter_begin_write(struct cutter *cutter, size_t sectors)
{
	uint64_t how;

	if (cutter->kind != RIG_CUT_TORN || cutter->number != cutter->special)
		return;
	/* Half of them lose their end, some their start, some a hole. */
	how = draw(&cutter->random) % 4;
	cutter->torn_from = (size_t)(draw(&cutter->random) % sectors);
	cutter->torn_to = sectors;
	if (how == 2)
		cutter->torn_from = 0;
	if (how >= 2)
		cutter->torn_to = cutter->torn_from + 1 +
		    (size_t)(draw(&cutter->random) %
			(sectors - cutter->torn_from));
}

static bool
toss(struct cutter *cutter)
{
	return draw(&cutter->random) % 8 < cutter->keep_of_8;
}

/* Is this sector, the i-th of the write, kept? */
static bool
cutter_keeps(struct cutter *cutter, size_t i, uint64_t offset)
{
	switch (cutter->kind) {
	case RIG_CUT_NONE:
		return false;
	case RIG_CUT_ALL:
		return true;
	case RIG_CUT_PREFIX:
		return cutter->number < cutter->special;
	case RIG_CUT_SUBSET:
		if (i == 0 || offset % RIG_PAGE == 0)
			cutter->coin = toss(cutter);
		return cutter->coin;
	case RIG_CUT_TORN:
		if (cutter->number == cutter->special)
			return i < cutter->torn_from || i >= cutter->torn_to;
		if (i == 0)
			cutter->coin = toss(cutter);
		return cutter->number < cutter->special || cutter->coin;
	case RIG_CUT_SECTORS:
		return toss(cutter);
	}
	abort();
}

static void
cut_write(struct cutter *cutter, const struct rig_log *log, size_t number,
    struct rig_image *image, struct rig_cut_told *told)
{
	const struct rig_entry *entry = &log->entries[number];
	size_t sectors = (entry->length + RIG_SECTOR - 1) / RIG_SECTOR;

	cutter_begin_write(cutter, sectors);
	for (size_t i = 0; i < sectors; i++) {
		size_t at = i * RIG_SECTOR;
		size_t left = entry->length - at;
		bool kept = cutter_keeps(cutter, i, entry->offset + at);

		if (!kept) {
			told->lost++;
			continue;
		}
		told->kept++;
		told->hash = (told->hash ^ (number << 16 | i)) * 0x100000001b3;
		rig_image_write(image, entry->offset + at, entry->bytes + at,
		    left < RIG_SECTOR ? left : RIG_SECTOR);
	}
}

void
rig_log_cut(const struct rig_log *log, const struct rig_cut *cut,
    struct rig_image *image, struct rig_cut_told *told)
{
	struct cutter cutter;

	*told = (struct rig_cut_told){ .durable = rig_log_durable(log,
					   cut->position) };
	for (size_t i = told->durable; i < cut->position; i++)
		told->pending += log->entries[i].kind == RIG_WRITE;
	told->hash = 0xcbf29ce484222325 ^ told->durable;
	cutter_init(&cutter, cut, told->pending);
	for (size_t i = told->durable; i < cut->position; i++) {
		if (log->entries[i].kind != RIG_WRITE)
			continue;
		cut_write(&cutter, log, i, image, told);
		cutter.number++;
	}
}

/* ---- files ----------------------------------------------------------- */

/* As it stands in a saved log, its bytes behind it. */
struct saved_entry {
	uint64_t offset;
	uint32_t kind, length;
};

int
rig_log_save(const struct rig_log *log, const char *path)
{
	FILE *file = fopen(path, "wbe");

	if (file == NULL)
		return -errno;
	for (size_t i = 0; i < log->count; i++) {
		const struct rig_entry *entry = &log->entries[i];
		const struct saved_entry saved = { entry->offset,
			(uint32_t)entry->kind, entry->length };

		fwrite(&saved, sizeof(saved), 1, file);
		fwrite(entry->bytes, 1, entry->length, file);
	}
	if (ferror(file)) {
		fclose(file);
		return -EIO;
	}
	return fclose(file) == 0 ? 0 : -errno;
}

int
rig_log_load(const char *path, struct rig_log *out)
{
	FILE *file = fopen(path, "rbe");
	struct saved_entry saved;
	int code = 0;

	if (file == NULL)
		return -errno;
	rig_log_free(out);
	while (code == 0 && fread(&saved, sizeof(saved), 1, file) == 1) {
		uint8_t *bytes = rig_allocate(saved.length, 1);

		if (fread(bytes, 1, saved.length, file) == saved.length)
			rig_log_add(out, (enum rig_entry_kind)saved.kind,
			    saved.offset, bytes, saved.length);
		else
			code = -EIO;
		free(bytes);
	}
	fclose(file);
	return code;
}
