/* Any bytes as a line's JSON, and as a payload to be shown: what was shown
 * reads back as the same payload where the line says that it is exact. */
#include "fuzz.h"

#include "json.h"

/* payload to text to payload. */
static void
show_and_read(struct bat_slice payload)
{
	struct bat_buf text = BAT_BUF_EMPTY, again = BAT_BUF_EMPTY;
	bool exact = false;
	size_t used;

	if (batfs_json_of_pack(payload, &text, &exact) == 0 && exact) {
		FUZZ_CHECK(batfs_json_to_pack(bat_bytes_of_buf(&text), true,
			       &again, &used, NULL) == 0);
		FUZZ_CHECK(used == text.length);
		FUZZ_CHECK(bat_bytes_equal(bat_bytes_of_buf(&again), payload));
	}
	bat_bytes_free(&text);
	bat_bytes_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bat_slice input = bat_bytes_slice(data, length);
	struct bat_buf payload = BAT_BUF_EMPTY;
	size_t used;

	for (int tagged = 0; tagged < 2; tagged++) {
		bat_bytes_clear(&payload);
		if (batfs_json_to_pack(input, tagged == 1, &payload, &used,
			NULL) == 0) {
			FUZZ_CHECK(used <= length);
			show_and_read(bat_bytes_of_buf(&payload));
		}
	}
	show_and_read(input);
	bat_bytes_free(&payload);
	return 0;
}
