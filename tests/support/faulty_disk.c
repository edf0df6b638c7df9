#include "faulty_disk.h"

#include <stdlib.h>

/*
 * Count a call. Returns 0 or the negative errno that a rule wants; lowers
 * *length (may be NULL) where a rule wants a short transfer.
 */
static int
enter(void *context, enum faulty_operation operation, size_t *length)
{
	struct faulty_disk *faulty = context;
	unsigned call = ++faulty->calls[operation];

	for (unsigned i = 0; i < faulty->rule_count; i++) {
		const struct faulty_rule *rule = &faulty->rules[i];

		if (rule->operation != operation)
			continue;
		if (rule->for_good ? call < rule->nth : call != rule->nth)
			continue;
		if (rule->os_errno != 0)
			return -rule->os_errno;
		if (length != NULL && *length > rule->transfer_max)
			*length = rule->transfer_max;
	}
	return 0;
}

static const struct bat_disk *
base_of(void *context)
{
	return ((struct faulty_disk *)context)->base;
}

static int
open_dir(void *context, const char *path, bool create)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_OPEN_DIR, NULL);

	return code != 0 ? code : base->open_dir(base->context, path, create);
}

static int
open_dir_at(void *context, int dir, const char *name)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_OPEN_DIR, NULL);

	return code != 0 ? code : base->open_dir_at(base->context, dir, name);
}

static int
open_at(void *context, int dir, const char *name, int flags, unsigned mode)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_OPEN, NULL);

	if (code != 0)
		return code;
	return base->open_at(base->context, dir, name, flags, mode);
}

/* Never fails: a descriptor that stays open would only hide the fault that
 * the test looks for. */
static int
close_fd(void *context, int fd)
{
	const struct bat_disk *base = base_of(context);

	return base->close(base->context, fd);
}

static ssize_t
read_at(void *context, int fd, void *to, size_t length, uint64_t offset)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_READ, &length);

	if (code != 0 || length == 0)
		return code;
	return base->read_at(base->context, fd, to, length, offset);
}

static ssize_t
write_at(void *context, int fd, const void *from, size_t length,
    uint64_t offset)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_WRITE, &length);

	if (code != 0 || length == 0)
		return code;
	return base->write_at(base->context, fd, from, length, offset);
}

static int
enter_sync(struct faulty_disk *faulty, enum faulty_operation operation, int fd)
{
	int code = enter(faulty, operation, NULL);

	if (code != 0 && faulty->sync_failed != NULL)
		faulty->sync_failed(faulty->sync_failed_context, fd);
	return code;
}

static int
sync_fd(void *context, int fd)
{
	const struct bat_disk *base = base_of(context);
	int code = enter_sync(context, FAULTY_SYNC, fd);

	return code != 0 ? code : base->sync(base->context, fd);
}

static int
sync_data(void *context, int fd)
{
	const struct bat_disk *base = base_of(context);
	int code = enter_sync(context, FAULTY_SYNC_DATA, fd);

	return code != 0 ? code : base->sync_data(base->context, fd);
}

static int
truncate_fd(void *context, int fd, uint64_t size)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_TRUNCATE, NULL);

	return code != 0 ? code : base->truncate(base->context, fd, size);
}

static int
rename_at(void *context, int dir, const char *from, const char *to,
    bool replace)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_RENAME, NULL);

	if (code != 0)
		return code;
	return base->rename_at(base->context, dir, from, to, replace);
}

static int
unlink_at(void *context, int dir, const char *name)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_UNLINK, NULL);

	return code != 0 ? code : base->unlink_at(base->context, dir, name);
}

static int
mkdir_at(void *context, int dir, const char *name, unsigned mode)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_MKDIR, NULL);

	if (code != 0)
		return code;
	return base->mkdir_at(base->context, dir, name, mode);
}

static int
list(void *context, int dir, bat_file_list_fn each, void *each_context)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_LIST, NULL);

	if (code != 0)
		return code;
	return base->list(base->context, dir, each, each_context);
}

static int
stat_at(void *context, int dir, const char *name, struct bat_file_stat *out)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_STAT, NULL);

	return code != 0 ? code : base->stat_at(base->context, dir, name, out);
}

static int
stat_fd(void *context, int fd, struct bat_file_stat *out)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_STAT, NULL);

	return code != 0 ? code : base->stat_fd(base->context, fd, out);
}

static int
inode_at(void *context, int dir, const char *name, uint64_t *out)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_STAT, NULL);

	return code != 0 ? code : base->inode_at(base->context, dir, name, out);
}

static int
lock(void *context, int fd)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_LOCK, NULL);

	return code != 0 ? code : base->lock(base->context, fd);
}

static int
place(void *context, int fd, struct bat_file_place *out)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_PLACE, NULL);

	return code != 0 ? code : base->place(base->context, fd, out);
}

static int
refresh(void *context, int dir)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_LIST, NULL);

	return code != 0 ? code : base->refresh(base->context, dir);
}

static int
take_name(void *context, const char *name)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_NAME, NULL);

	return code != 0 ? code : base->take_name(base->context, name);
}

static int
drop_cache(void *context, int fd)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_DROP_CACHE, NULL);

	return code != 0 ? code : base->drop_cache(base->context, fd);
}

static int
random_bytes(void *context, void *to, size_t length)
{
	const struct bat_disk *base = base_of(context);
	int code = enter(context, FAULTY_RANDOM, NULL);

	return code != 0 ? code : base->random(base->context, to, length);
}

void
faulty_disk_init(struct faulty_disk *faulty, const struct bat_disk *base)
{
	*faulty = (struct faulty_disk){ .base = base };
	faulty->disk = (struct bat_disk){
		.context = faulty,
		.open_dir = open_dir,
		.open_dir_at = open_dir_at,
		.open_at = open_at,
		.close = close_fd,
		.read_at = read_at,
		.write_at = write_at,
		.sync = sync_fd,
		.sync_data = sync_data,
		.truncate = truncate_fd,
		.rename_at = rename_at,
		.unlink_at = unlink_at,
		.mkdir_at = mkdir_at,
		.list = list,
		.stat_at = stat_at,
		.stat_fd = stat_fd,
		.inode_at = inode_at,
		.lock = lock,
		.place = place,
		.refresh = refresh,
		.take_name = take_name,
		.drop_cache = drop_cache,
		.random = random_bytes,
	};
}

void
faulty_disk_reset(struct faulty_disk *faulty)
{
	void (*sync_failed)(void *, int) = faulty->sync_failed;
	void *context = faulty->sync_failed_context;

	faulty_disk_init(faulty, faulty->base);
	faulty->sync_failed = sync_failed;
	faulty->sync_failed_context = context;
}

unsigned
faulty_disk_calls(const struct faulty_disk *faulty,
    enum faulty_operation operation)
{
	return faulty->calls[operation];
}

static void
add_rule(struct faulty_disk *faulty, const struct faulty_rule *rule)
{
	if (faulty->rule_count == FAULTY_RULES_MAX)
		abort();
	faulty->rules[faulty->rule_count] = *rule;
	faulty->rules[faulty->rule_count].nth += faulty->calls[rule->operation];
	faulty->rule_count++;
}

void
faulty_disk_fail(struct faulty_disk *faulty, enum faulty_operation operation,
    unsigned nth, int os_errno, bool for_good)
{
	add_rule(faulty,
	    &(struct faulty_rule){ operation, nth, for_good, os_errno, 0 });
}

void
faulty_disk_shorten(struct faulty_disk *faulty, enum faulty_operation operation,
    unsigned nth, size_t transfer_max)
{
	add_rule(faulty,
	    &(struct faulty_rule){ operation, nth, false, 0, transfer_max });
}
