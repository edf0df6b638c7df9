/*
 * What each user holds of a mount that several may use: open files, and bytes
 * that the daemon keeps for them (unfinished lines, contents read whole). One
 * who holds too much is refused; what others have and get is as before. Root,
 * the owner of the data directory and who mounted it are not counted.
 *
 * Calling sequence: batfs_shares_init; any of the others; batfs_shares_free
 * when nobody holds anything. A NULL shares counts nobody. Threads: any, a lock
 * inside that is held for a few steps.
 */
#ifndef BATFS_SHARES_H
#define BATFS_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

/* More than any tool has open at once; four lines of the greatest length. */
#define BATFS_SHARES_FILES 4096u
#define BATFS_SHARES_BYTES ((size_t)64 << 20)

struct batfs_share;

struct batfs_shares {
	pthread_mutex_t lock;
	uint32_t owner, mounter;
	struct batfs_share *users; /* who holds something; in no order */
	size_t count, capacity;
};

void batfs_shares_init(struct batfs_shares *shares, uint32_t owner,
    uint32_t mounter);
void batfs_shares_free(struct batfs_shares *shares);
/* One more file. 0, or a positive errno: EMFILE, ENOMEM. */
int batfs_shares_open(struct batfs_shares *shares, uint32_t uid);
void batfs_shares_close(struct batfs_shares *shares, uint32_t uid);
/* Of an open file: it kept `from` bytes and keeps `to` now. false: that is too
 * much, and `from` still counts; never when it is less. */
bool batfs_shares_keep(struct batfs_shares *shares, uint32_t uid, size_t from,
    size_t to);

#endif
