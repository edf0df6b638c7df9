/*
 * For tests that hold a fast way of json against the general one: byte for
 * byte the same, or the fast one gives up and leaves no trace.
 */
#ifndef TEST_TWO_WAYS_H
#define TEST_TWO_WAYS_H

#include <check.h>
#include <stdlib.h>

#include "bytes.h"

/* Check notes each assertion that passes, which costs more than what is
 * tested here. */
#define REQUIRE(truth, ...)                                                    \
	do {                                                                   \
		if (!(truth))                                                  \
			ck_abort_msg(__VA_ARGS__);                             \
	} while (0)

/* Memory that ends where the bytes do, so that a sanitizer sees their end; the
 * caller frees it. */
static inline uint8_t *
two_ways_copy(struct bat_slice bytes)
{
	uint8_t *copy = malloc(bytes.length == 0 ? 1 : bytes.length);

	REQUIRE(copy != NULL, "no memory");
	if (bytes.length > 0)
		memcpy(copy, bytes.data, bytes.length);
	return copy;
}

/* The fast way writes behind this byte, which stays. */
static inline void
two_ways_begin(struct bat_buf *fast)
{
	REQUIRE(bat_bytes_append_text(fast, "x") == 0, "no memory");
}

static inline bool
two_ways_left_no_trace(const struct bat_buf *fast)
{
	return fast->length == 1 && fast->data[0] == 'x';
}

static inline bool
two_ways_agree(const struct bat_buf *fast, const struct bat_buf *slow)
{
	return fast->length == slow->length + 1 && fast->data[0] == 'x' &&
	    memcmp(fast->data + 1, slow->data, slow->length) == 0;
}

/* Each byte replaced by each other one, and the bytes cut at each place. */
static inline void
two_ways_change(struct bat_buf *bytes, bool (*compare)(struct bat_slice bytes))
{
	for (size_t at = 0; at < bytes->length; at++) {
		uint8_t before = bytes->data[at];

		for (unsigned byte = 0; byte < 256; byte++) {
			bytes->data[at] = (uint8_t)byte;
			(void)compare(bat_bytes_of_buf(bytes));
		}
		bytes->data[at] = before;
		(void)compare(bat_bytes_slice(bytes->data, at));
	}
}

#endif
