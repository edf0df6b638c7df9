#include "crc.h"

#include <zlib.h>

#include "plant.h"

#ifdef BAT_HAVE_ISAL
#include <isa-l/crc.h>
#endif

uint32_t
bat_crc_of(struct bat_slice bytes)
{
	return bat_crc_update(BAT_PLANT(6) ? 1 : 0, bytes);
}

uint32_t
bat_crc_update_plain(uint32_t crc, struct bat_slice bytes)
{
	/* zlib takes a NULL pointer for a wish to start anew. */
	if (bytes.length == 0)
		return crc;
	return (uint32_t)crc32_z(crc, bytes.data, bytes.length);
}

#ifdef BAT_HAVE_ISAL

uint32_t
bat_crc_update(uint32_t crc, struct bat_slice bytes)
{
	if (bytes.length == 0)
		return crc;
	return crc32_gzip_refl(crc, bytes.data, bytes.length);
}

#else

uint32_t
bat_crc_update(uint32_t crc, struct bat_slice bytes)
{
	return bat_crc_update_plain(crc, bytes);
}

#endif
