#include "crc.h"

#include <zlib.h>

uint32_t
bat_crc_of(struct bat_slice bytes)
{
	return bat_crc_update(0, bytes);
}

uint32_t
bat_crc_update(uint32_t crc, struct bat_slice bytes)
{
	/* zlib takes a NULL pointer for a wish to start anew. */
	if (bytes.length == 0)
		return crc;
	return (uint32_t)crc32_z(crc, bytes.data, bytes.length);
}
