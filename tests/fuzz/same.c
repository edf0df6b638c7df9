/*
 * What would make two runs over the same inputs differ is replaced here, so
 * that a short run reaches the same code each time: the second thread, whose
 * counts of what was reached mix with those of the first, and the dice of the
 * process, by which a hash table chooses its slots. The other dice are those
 * of the disk in memory.
 *
 * Linked as an object of its own, ahead of the libraries: theirs are not taken.
 */
#include <sys/random.h>

#include <string.h>

#include "parallel.h"

/* As where no thread can be had. */
void
bat_parallel_run(void *(*run)(void *share), void *first, void *second)
{
	(void)run(first);
	(void)run(second);
}

ssize_t
getrandom(void *buffer, size_t length, unsigned flags)
{
	(void)flags;
	memset(buffer, 0x5a, length);
	return (ssize_t)length;
}
