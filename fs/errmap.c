#include "errmap.h"

#include <errno.h>

int
batfs_errmap_errno(int code, const struct bat_error *error)
{
	if (code >= 0)
		return 0;
	switch ((enum bat_code)code) {
	case BAT_USE_INVALID:
		return EINVAL;
	case BAT_USE_NAME_LENGTH:
		return ENAMETOOLONG;
	case BAT_USE_TOO_LARGE:
		return EFBIG;
	case BAT_USE_RESERVED:
	case BAT_STATE_DENIED:
		return EACCES;
	case BAT_USE_READ_ONLY:
		return EROFS;
	case BAT_WORLD_IO:
		/* A disk that went read-only under us is worth its own name;
		 * what else a system call says is about our files, not about
		 * the one that the caller has open. */
		return error != NULL && error->os_errno == EROFS ? EROFS : EIO;
	case BAT_WORLD_NO_SPACE:
		return BAT_PLANT(69) ? EIO : ENOSPC;
	case BAT_WORLD_NO_MEMORY:
		return ENOMEM;
	case BAT_WORLD_LOCKED:
		return EBUSY;
	case BAT_WORLD_ABSENT:
		/* A file of the store is gone: no answer to whether the name
		 * that was asked for is there. */
		return EIO;
	case BAT_STATE_NOT_FOUND:
		return ENOENT;
	case BAT_DATA_TORN:
	case BAT_DATA_CORRUPT:
	case BAT_DATA_DISAGREES:
		return EBADMSG;
	case BAT_DATA_FUTURE:
	case BAT_DATA_REFUSED:
		return EOPNOTSUPP;
	case BAT_STATE_EXISTS:
		return EEXIST;
	case BAT_STATE_STALE:
		return ESTALE;
	case BAT_STATE_STOPPED:
	case BAT_STATE_CLOSED:
		return EIO;
	case BAT_OK:
	case BAT_END:
		break;
	}
	return EIO;
}
