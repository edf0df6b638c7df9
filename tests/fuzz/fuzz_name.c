/* Any bytes as a stored name and as a name of the tree: there and back is the
 * same, and only one spelling comes back at all. */
#include "fuzz.h"

#include "name.h"

static void
from_stored(struct bat_slice stored)
{
	struct bat_buf tree = BAT_BUF_EMPTY, back = BAT_BUF_EMPTY;

	if (!bat_bytes_is_utf8(stored) || stored.length == 0)
		return;
	FUZZ_CHECK(batfs_name_encode(stored, &tree) == 0);
	FUZZ_CHECK(tree.length <= BATFS_NAME_MAX);
	if (!batfs_name_is_long(stored)) {
		FUZZ_CHECK(
		    batfs_name_decode(bat_bytes_of_buf(&tree), &back) == 0);
		FUZZ_CHECK(bat_bytes_equal(bat_bytes_of_buf(&back), stored));
	}
	bat_bytes_free(&tree);
	bat_bytes_free(&back);
}

static void
from_tree(struct bat_slice typed)
{
	struct bat_buf stored = BAT_BUF_EMPTY, again = BAT_BUF_EMPTY;

	if (batfs_name_decode(typed, &stored) == 0) {
		FUZZ_CHECK(
		    batfs_name_encode(bat_bytes_of_buf(&stored), &again) == 0);
		FUZZ_CHECK(bat_bytes_equal(bat_bytes_of_buf(&again), typed));
	}
	bat_bytes_free(&stored);
	bat_bytes_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bat_slice stem, words, key, value;

	from_stored(bat_bytes_slice(data, length));
	from_tree(bat_bytes_slice(data, length));
	batfs_name_split_words(bat_bytes_slice(data, length), &stem, &words);
	FUZZ_CHECK(stem.length + words.length <= length);
	while (batfs_name_next_word(&words, &key, &value) == 0)
		FUZZ_CHECK(key.length + value.length <= length);
	return 0;
}
