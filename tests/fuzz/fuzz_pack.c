/* Any bytes as MessagePack: what is stepped over is one whole value, and its
 * tokens come to the same end. */
#include "fuzz.h"

#include "pack.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bat_slice input = bat_bytes_slice(data, length);
	struct bat_pack_reader skipper = BAT_PACK_READER(input);
	struct bat_pack_reader walker = BAT_PACK_READER(input);
	struct bat_pack_token token;
	uint64_t left = 1;

	if (bat_pack_skip(&skipper, 128) != 0)
		return 0;
	while (left > 0) {
		FUZZ_CHECK(bat_pack_next(&walker, &token) == 0);
		left--;
		if (token.type == BAT_PACK_ARRAY)
			left += token.count;
		else if (token.type == BAT_PACK_MAP)
			left += 2 * (uint64_t)token.count;
	}
	FUZZ_CHECK(bat_pack_left(&walker) == bat_pack_left(&skipper));
	return 0;
}
