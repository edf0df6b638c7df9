/* Any bytes as the file of `-o kinds=`: what it names can be found, under one
 * kind, and has a legal spelling. */
#include "fuzz.h"

#include "kinds.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct batfs_kinds *kinds = NULL;
	struct bat_error error = { .code = 0 };
	struct bat_slice name;
	uint16_t kind, found;

	if (batfs_kinds_parse(bat_bytes_slice(data, length), "kinds", &kinds,
		&error) != 0) {
		FUZZ_CHECK(error.code != 0 && error.text[0] != '\0');
		return 0;
	}
	for (size_t i = 0; batfs_kinds_at(kinds, i, &name, &kind); i++) {
		FUZZ_CHECK(name.length >= 2 && name.length <= 64);
		FUZZ_CHECK(batfs_kinds_find(kinds, name, &found));
		FUZZ_CHECK(found == kind);
	}
	batfs_kinds_free(kinds);
	return 0;
}
