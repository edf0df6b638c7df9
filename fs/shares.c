#include "shares.h"

#include <errno.h>
#include <stdlib.h>

#include "bat.h"

struct batfs_share {
	uint32_t uid;
	unsigned files;
	size_t bytes;
};

void
batfs_shares_init(struct batfs_shares *shares, uint32_t owner, uint32_t mounter)
{
	*shares = (struct batfs_shares){ .owner = owner, .mounter = mounter };
	pthread_mutex_init(&shares->lock, NULL);
}

void
batfs_shares_free(struct batfs_shares *shares)
{
	free(shares->users);
	pthread_mutex_destroy(&shares->lock);
}

static bool
is_counted(const struct batfs_shares *shares, uint32_t uid)
{
	return shares != NULL && uid != 0 && uid != shares->owner &&
	    uid != shares->mounter;
}

static struct batfs_share *
find(const struct batfs_shares *shares, uint32_t uid)
{
	for (size_t i = 0; i < shares->count; i++)
		if (shares->users[i].uid == uid)
			return &shares->users[i];
	return NULL;
}

/* NULL: no memory. */
static struct batfs_share *
find_or_add(struct batfs_shares *shares, uint32_t uid)
{
	struct batfs_share *share = find(shares, uid);

	if (share != NULL)
		return share;
	if (shares->count == shares->capacity) {
		size_t wanted = shares->capacity * 2 + 8;
		struct batfs_share *larger = reallocarray(shares->users, wanted,
		    sizeof *larger);

		if (larger == NULL)
			return NULL;
		shares->users = larger;
		shares->capacity = wanted;
	}
	share = &shares->users[shares->count++];
	*share = (struct batfs_share){ .uid = uid };
	return share;
}

static void
forget_if_empty(struct batfs_shares *shares, struct batfs_share *share)
{
	if (share->files == 0 && share->bytes == 0)
		*share = shares->users[--shares->count];
}

int
batfs_shares_open(struct batfs_shares *shares, uint32_t uid)
{
	struct batfs_share *share;
	int failed = 0;

	if (!is_counted(shares, uid))
		return 0;
	pthread_mutex_lock(&shares->lock);
	share = find_or_add(shares, uid);
	if (share == NULL)
		failed = ENOMEM;
	else if (share->files >= BATFS_SHARES_FILES && !BAT_PLANT(415))
		failed = EMFILE;
	else
		share->files++;
	pthread_mutex_unlock(&shares->lock);
	return failed;
}

void
batfs_shares_close(struct batfs_shares *shares, uint32_t uid)
{
	struct batfs_share *share;

	if (!is_counted(shares, uid))
		return;
	pthread_mutex_lock(&shares->lock);
	share = find(shares, uid);
	if (share != NULL && share->files > 0) {
		share->files--;
		forget_if_empty(shares, share);
	}
	pthread_mutex_unlock(&shares->lock);
}

bool
batfs_shares_keep(struct batfs_shares *shares, uint32_t uid, size_t from,
    size_t to)
{
	struct batfs_share *share;
	bool may = true;

	if (from == to || !is_counted(shares, uid))
		return true;
	pthread_mutex_lock(&shares->lock);
	share = find_or_add(shares, uid);
	if (share == NULL ||
	    (to > from && to - from > BATFS_SHARES_BYTES - share->bytes &&
		!BAT_PLANT(416)))
		may = to < from;
	else
		share->bytes = share->bytes - from + to;
	if (share != NULL)
		forget_if_empty(shares, share);
	pthread_mutex_unlock(&shares->lock);
	return may;
}
