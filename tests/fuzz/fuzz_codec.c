/* Any bytes as the body of a frame: what decodes encodes, and decodes to the
 * same event. */
#include "fuzz.h"

#include "codec.h"

static bool
same(const struct bat_event *a, const struct bat_event *b)
{
	return memcmp(&a->id, &b->id, sizeof(a->id)) == 0 &&
	    memcmp(&a->corr, &b->corr, sizeof(a->corr)) == 0 &&
	    memcmp(&a->hash, &b->hash, sizeof(a->hash)) == 0 &&
	    memcmp(&a->prev, &b->prev, sizeof(a->prev)) == 0 &&
	    a->timestamp_us == b->timestamp_us && a->clock == b->clock &&
	    a->wall_ms == b->wall_ms && a->kind == b->kind &&
	    a->flags == b->flags && bat_bytes_equal(a->entity, b->entity) &&
	    bat_bytes_equal(a->scope, b->scope);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bat_buf payload = BAT_BUF_EMPTY, again = BAT_BUF_EMPTY;
	struct bat_buf body = BAT_BUF_EMPTY;
	struct bat_event event, twin;

	if (bat_codec_decode(bat_bytes_slice(data, length), &event, NULL) ==
		0 &&
	    !bat_codec_is_marker(&event) &&
	    bat_codec_payload(&event, &payload) == 0) {
		FUZZ_CHECK(bat_codec_encode(&event, bat_bytes_of_buf(&payload),
			       NULL, 0, &body) == 0);
		FUZZ_CHECK(bat_codec_decode(bat_bytes_of_buf(&body), &twin,
			       NULL) == 0);
		FUZZ_CHECK(same(&event, &twin));
		FUZZ_CHECK(bat_codec_payload(&twin, &again) == 0);
		FUZZ_CHECK(bat_bytes_equal(bat_bytes_of_buf(&payload),
		    bat_bytes_of_buf(&again)));
	}
	bat_bytes_free(&payload);
	bat_bytes_free(&again);
	bat_bytes_free(&body);
	return 0;
}
