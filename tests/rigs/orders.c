#include "orders.h"

#include <errno.h>
#include <string.h>

enum { PATH_SIZE = 4096 };

static void
answer_code(int code)
{
	if (code == 0)
		printf("ok\n");
	else
		printf("no: %s\n", strerror(-code));
}

static void
order_entries(struct rig_disk *disk, const char *rest)
{
	const struct rig_log *log = &disk->life->log;

	(void)rest;
	printf("ok ");
	for (size_t i = 0; i < log->count; i++)
		putchar((int)log->entries[i].kind);
	putchar('\n');
}

static void
order_notes(struct rig_disk *disk, const char *rest)
{
	const struct rig_log *log = &disk->life->log;
	size_t count = 0;

	(void)rest;
	for (size_t i = 0; i < log->count; i++)
		count += log->entries[i].kind == RIG_NOTE;
	printf("ok %zu\n", count);
	for (size_t i = 0; i < log->count; i++) {
		const struct rig_entry *entry = &log->entries[i];

		if (entry->kind == RIG_NOTE)
			printf("%zu %.*s\n", i, (int)entry->length,
			    (const char *)entry->bytes);
	}
}

static void
order_cut(struct rig_disk *disk, const char *rest)
{
	struct rig_cut cut;
	struct rig_cut_told told;
	char kind[16];

	if (sscanf(rest, "%zu %15s %lu", &cut.position, kind, &cut.seed) != 3 ||
	    !rig_cut_kind_from_text(kind, &cut.kind) ||
	    cut.position > disk->life->log.count) {
		printf("no: cut POSITION KIND SEED\n");
		return;
	}
	rig_disk_cut(disk, &cut, &told);
	printf("ok %zu %zu %zu %zu %016lx\n", told.durable, told.pending,
	    told.kept, told.lost, told.hash);
}

static void
order_fail(struct rig_disk *disk, const char *rest)
{
	char what[16];
	uint64_t after, count;
	enum rig_fault fault;

	if (sscanf(rest, "%15s %lu %lu", what, &after, &count) != 3) {
		printf("no: fail write|flush|drop AFTER COUNT\n");
		return;
	}
	if (strcmp(what, "write") == 0)
		fault = RIG_FAULT_WRITE;
	else if (strcmp(what, "flush") == 0)
		fault = RIG_FAULT_FLUSH;
	else
		fault = RIG_FAULT_DROP;
	rig_disk_fail(disk, fault, after, count);
	printf("ok\n");
}

static void
order_mend(struct rig_disk *disk, const char *rest)
{
	(void)rest;
	printf("ok %lu\n", disk->fault_hits);
	rig_disk_fail(disk, RIG_FAULT_NONE, 0, 0);
}

static void
order_save(struct rig_disk *disk, const char *rest)
{
	char image[PATH_SIZE], log[PATH_SIZE];
	int code = -EINVAL;

	if (sscanf(rest, "%4095s %4095s", image, log) == 2) {
		code = rig_image_save(&disk->life->base, image);
		if (code == 0)
			code = rig_log_save(&disk->life->log, log);
	}
	answer_code(code);
}

static void
order_load(struct rig_disk *disk, const char *rest)
{
	rig_disk_reset(disk);
	answer_code(rig_log_load(rest, &disk->life->log));
}

static void
order_push(struct rig_disk *disk, const char *rest)
{
	(void)rest;
	rig_disk_push(disk);
	answer_code(0);
}

static void
order_pop(struct rig_disk *disk, const char *rest)
{
	(void)rest;
	answer_code(rig_disk_pop(disk) ? 0 : -ENOENT);
}

static void
order_reset(struct rig_disk *disk, const char *rest)
{
	(void)rest;
	rig_disk_reset(disk);
	answer_code(0);
}

static void
order_show(struct rig_disk *disk, const char *rest)
{
	answer_code(rig_image_save(&disk->shown, rest));
}

static const struct {
	const char *word;
	void (*obey)(struct rig_disk *disk, const char *rest);
} orders[] = {
	{ "entries", order_entries },
	{ "notes", order_notes },
	{ "cut", order_cut },
	{ "push", order_push },
	{ "pop", order_pop },
	{ "reset", order_reset },
	{ "fail", order_fail },
	{ "mend", order_mend },
	{ "save", order_save },
	{ "load", order_load },
	{ "show", order_show },
};

void
rig_orders_obey(struct rig_disk *disk, const char *order)
{
	size_t length = strcspn(order, " ");
	const char *rest = order + length + (order[length] == ' ');

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		if (strlen(orders[i].word) == length &&
		    memcmp(orders[i].word, order, length) == 0) {
			orders[i].obey(disk, rest);
			fflush(stdout);
			return;
		}
	printf("no: there is no order %.*s\n", (int)length, order);
	fflush(stdout);
}
