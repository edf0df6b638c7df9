/*
 * A disk that fails on order: every operation goes to another disk, but for
 * those that a rule names.
 *
 * Calling sequence: faulty_disk_init, give &faulty.disk to the code under
 * test, any number of faulty_disk_fail and faulty_disk_shorten, and again.
 * To walk through every failure of a piece of work: run it once and ask
 * faulty_disk_calls, then once for each N up to that.
 *
 * Calls are counted per operation from faulty_disk_init or _reset on, failed
 * ones too. Threads: one.
 */
#ifndef TEST_FAULTY_DISK_H
#define TEST_FAULTY_DISK_H

#include "file.h"

enum faulty_operation {
	FAULTY_OPEN_DIR, /* open_dir and open_dir_at */
	FAULTY_OPEN,
	FAULTY_READ,
	FAULTY_WRITE,
	FAULTY_SYNC,
	FAULTY_SYNC_DATA,
	FAULTY_TRUNCATE,
	FAULTY_RENAME,
	FAULTY_UNLINK,
	FAULTY_MKDIR,
	FAULTY_LIST, /* list and refresh */
	FAULTY_STAT, /* stat_at, stat_fd, inode_at */
	FAULTY_LOCK,
	FAULTY_PLACE,
	FAULTY_NAME,
	FAULTY_DROP_CACHE,
	FAULTY_RANDOM,
	FAULTY_OPERATION_COUNT,
};

enum { FAULTY_RULES_MAX = 8 };

struct faulty_rule {
	enum faulty_operation operation;
	unsigned nth; /* 1 is the next call of the operation */
	bool for_good;
	int os_errno;	     /* 0: no failure, but a short transfer */
	size_t transfer_max; /* bytes, when os_errno is 0 */
};

struct faulty_disk {
	struct bat_disk disk; /* what the code under test gets */
	/* Told of each sync that a rule makes fail; NULL: nobody. Stays over
	 * faulty_disk_reset. */
	void (*sync_failed)(void *context, int fd);
	void *sync_failed_context;
	const struct bat_disk *base;
	unsigned calls[FAULTY_OPERATION_COUNT];
	struct faulty_rule rules[FAULTY_RULES_MAX];
	unsigned rule_count;
};

/* base is usually bat_file_posix(). */
void faulty_disk_init(struct faulty_disk *faulty, const struct bat_disk *base);
/* Forget all rules and start counting anew. */
void faulty_disk_reset(struct faulty_disk *faulty);
unsigned faulty_disk_calls(const struct faulty_disk *faulty,
    enum faulty_operation operation);
/* The nth call from now on (1: the next) of operation fails with os_errno
 * and does nothing; for_good: that one and all that follow. */
void faulty_disk_fail(struct faulty_disk *faulty,
    enum faulty_operation operation, unsigned nth, int os_errno, bool for_good);
/* The nth read or write from now on moves at most this many bytes (0: none,
 * as at the end of a file) and says so. */
void faulty_disk_shorten(struct faulty_disk *faulty,
    enum faulty_operation operation, unsigned nth, size_t transfer_max);

#endif
