/*
 * Random MessagePack values for tests: every type, every form (also longer
 * than needed), keys that look like tags, equal keys, text of every kind.
 */
#ifndef TEST_RANDOM_PACK_H
#define TEST_RANDOM_PACK_H

#include "bytes.h"

/* A small generator of our own: the same numbers everywhere for one seed. */
struct random {
	uint64_t state;
};

static inline uint64_t
random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint32_t
random_below(struct random *random, uint32_t limit)
{
	return (uint32_t)(random_next(random) % limit);
}

/* Append one value, nested at most depth deep. Memory is not checked. */
void random_pack_append(struct random *random, unsigned depth,
    struct bat_buf *buf);
/* A double with all exponents, or one as people write it. */
double random_double(struct random *random);
/* Text of UTF-8 with everything that has to be escaped. */
void random_text_append(struct random *random, struct bat_buf *buf);

#endif
