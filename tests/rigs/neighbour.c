#include "neighbour.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "plan.h"

struct rig_neighbour {
	pthread_t thread;
	atomic_bool ends;
	const char *store;
	uint64_t random;
	int fd;
};

static void
write_and_sync(struct rig_neighbour *neighbour)
{
	char bytes[1024];
	off_t at = (off_t)(rig_plan_random(&neighbour->random) % 65536);

	memset(bytes, 'n', sizeof(bytes));
	/* A disk that gives out is the other side's matter. */
	if (pwrite(neighbour->fd, bytes, sizeof(bytes), at) > 0)
		(void)!fsync(neighbour->fd);
}

/* Start the writing of what the newest segment has in the page cache. */
static void
push_newest(const struct rig_neighbour *neighbour)
{
	char newest[256] = "";
	DIR *dir = opendir(neighbour->store);
	const struct dirent *entry;
	int fd;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, ".fbat") != NULL &&
		    strcmp(entry->d_name, newest) > 0)
			snprintf(newest, sizeof(newest), "%s", entry->d_name);
	fd = newest[0] == '\0' ?
	    -1 :
	    openat(dirfd(dir), newest, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		close(fd);
	}
	closedir(dir);
}

static void *
live(void *context)
{
	struct rig_neighbour *neighbour = context;

	while (!atomic_load(&neighbour->ends)) {
		const struct timespec time = { 0,
			(long)rig_plan_between(&neighbour->random, 0, 1500) *
			    1000 };

		if (rig_plan_random(&neighbour->random) % 4 != 0)
			write_and_sync(neighbour);
		else
			push_newest(neighbour);
		nanosleep(&time, NULL);
	}
	return NULL;
}

struct rig_neighbour *
rig_neighbour_begin(const char *store, uint64_t seed)
{
	struct rig_neighbour *neighbour = calloc(1, sizeof(*neighbour));
	char path[4096];

	if (neighbour == NULL)
		abort();
	neighbour->store = store;
	neighbour->random = seed ^ 0x6e;
	snprintf(path, sizeof(path), "%s.neighbour", store);
	neighbour->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (neighbour->fd < 0) { /* the disk has given out already */
		free(neighbour);
		return NULL;
	}
	if (pthread_create(&neighbour->thread, NULL, live, neighbour) != 0)
		abort();
	return neighbour;
}

void
rig_neighbour_end(struct rig_neighbour *neighbour)
{
	if (neighbour == NULL)
		return;
	atomic_store(&neighbour->ends, true);
	pthread_join(neighbour->thread, NULL);
	close(neighbour->fd);
	free(neighbour);
}
