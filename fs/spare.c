#include "spare.h"

struct bat_buf
batfs_spare_take(struct batfs_spares *spares)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	pthread_mutex_lock(&spares->lock);
	/* The one that was given last: it is still in the caches. */
	if (spares->count > 0)
		buf = spares->kept[--spares->count];
	pthread_mutex_unlock(&spares->lock);
	bat_bytes_clear(&buf);
	return buf;
}

void
batfs_spare_give(struct batfs_spares *spares, struct bat_buf *buf)
{
	struct bat_buf mine = *buf;

	*buf = BAT_BUF_EMPTY;
	if (mine.capacity > 0 && mine.capacity <= BATFS_SPARE_BYTES) {
		pthread_mutex_lock(&spares->lock);
		if (spares->count < BATFS_SPARE_COUNT) {
			spares->kept[spares->count++] = mine;
			mine = BAT_BUF_EMPTY;
		}
		pthread_mutex_unlock(&spares->lock);
	}
	bat_bytes_free(&mine);
}

void
batfs_spare_free(struct batfs_spares *spares)
{
	while (spares->count > 0)
		bat_bytes_free(&spares->kept[--spares->count]);
}
