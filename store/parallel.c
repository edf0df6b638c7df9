#include "parallel.h"

#include <pthread.h>
#include <stdbool.h>

void
bat_parallel_run(void *(*run)(void *share), void *first, void *second)
{
	pthread_t helper = pthread_self();
	bool helped = pthread_create(&helper, NULL, run, second) == 0;

	(void)run(first);
	if (helped)
		pthread_join(helper, NULL);
	else
		(void)run(second);
}
