/*
 * For tests of the codec: the extensions of a decoded event as a list.
 */
#ifndef EXTENSION_LIST_H
#define EXTENSION_LIST_H

#include <check.h>
#include <stdlib.h>

#include "codec.h"

/* All extensions of an event, values unpacked; the caller frees them. */
static inline struct bat_extension *
extensions_of(const struct bat_event *event)
{
	struct bat_pack_reader state = BAT_PACK_READER(event->extension_map);
	uint32_t left = event->extension_count;
	struct bat_extension *list = calloc(left + 1, sizeof(*list));
	struct bat_slice key, slot;
	size_t i = 0;

	ck_assert_ptr_nonnull(list);
	while (bat_codec_next_extension(&state, &left, &key, &slot) == 0) {
		struct bat_buf value = BAT_BUF_EMPTY;

		ck_assert_int_eq(bat_pack_unpack_bytes(slot, &value), 0);
		list[i].key = key;
		list[i++].value = bat_bytes_of_buf(&value);
	}
	ck_assert_uint_eq(i, event->extension_count);
	if (i > 0)
		ck_assert_uint_eq(bat_pack_left(&state), 0);
	return list;
}

static inline void
free_extensions(struct bat_extension *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		union {
			const uint8_t *borrowed;
			uint8_t *owned;
		} value = { list[i].value.data };

		free(value.owned);
	}
	free(list);
}

#endif
