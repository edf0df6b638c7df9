/* What stands in the files of a pin. */
#include "pin.h"

#include <sodium.h>

#include "segment_dir.h"

/* What is hashed at once. */
#define PIECE (1u << 20)

int
bat_pin_read(const struct bat_pin *pin, size_t file, uint64_t offset,
    size_t size, struct bat_buf *buf, struct bat_error *error)
{
	const struct bat_pin_file *from = &pin->files[file];
	size_t got;
	int code;

	if (offset >= from->size)
		return BAT_OK;
	if (size > from->size - offset)
		size = (size_t)(from->size - offset);
	code = bat_bytes_reserve(buf, size);
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory");
	code = bat_file_read(pin->dir->disk, from->fd, buf->data + buf->length,
	    size, offset, &got, error);
	if (code != BAT_OK)
		return code;
	if (got < size)
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    "%s is shorter than it was", from->name);
	buf->length += size;
	return BAT_OK;
}

void
bat_pin_sha256_of(struct bat_slice bytes, uint8_t out[BAT_PIN_SHA256_SIZE])
{
	crypto_hash_sha256(out, bytes.data, bytes.length);
}

static int
hash_file(const struct bat_pin *pin, size_t file, uint8_t *out,
    struct bat_error *error)
{
	struct bat_buf piece = BAT_BUF_EMPTY;
	crypto_hash_sha256_state state;
	int code = BAT_OK;

	crypto_hash_sha256_init(&state);
	for (uint64_t at = 0; code == BAT_OK && at < pin->files[file].size;
	     at += piece.length) {
		bat_bytes_clear(&piece);
		code = bat_pin_read(pin, file, at, PIECE, &piece, error);
		crypto_hash_sha256_update(&state, piece.data, piece.length);
	}
	crypto_hash_sha256_final(&state, out);
	bat_bytes_free(&piece);
	return code;
}

int
bat_pin_sha256(struct bat_pin *pin, size_t file,
    uint8_t out[BAT_PIN_SHA256_SIZE], struct bat_error *error)
{
	struct bat_pin_file *of = &pin->files[file];
	int code = BAT_OK;

	pthread_mutex_lock(&pin->mutex);
	if (!of->hashed)
		code = hash_file(pin, file, of->sha256, error);
	of->hashed = of->hashed || code == BAT_OK;
	if (code == BAT_OK)
		memcpy(out, of->sha256, sizeof(of->sha256));
	pthread_mutex_unlock(&pin->mutex);
	return code;
}
