#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void *
rig_allocate(size_t count, size_t size)
{
	void *got = calloc(count == 0 ? 1 : count, size);

	if (got == NULL)
		abort();
	return got;
}

static void
page_leave(struct rig_page *page)
{
	if (page != NULL && --page->users == 0)
		free(page);
}

void
rig_image_free(struct rig_image *image)
{
	for (size_t i = 0; i < image->count; i++)
		page_leave(image->pages[i]);
	free(image->pages);
	*image = RIG_IMAGE_EMPTY;
}

void
rig_image_copy(const struct rig_image *from, struct rig_image *to)
{
	rig_image_free(to);
	to->count = from->count;
	to->pages = rig_allocate(from->count, sizeof(struct rig_page *));
	for (size_t i = 0; i < from->count; i++) {
		to->pages[i] = from->pages[i];
		if (to->pages[i] != NULL)
			to->pages[i]->users++;
	}
}

uint64_t
rig_image_size(const struct rig_image *image)
{
	return (uint64_t)image->count * RIG_PAGE;
}

/* How much of the range lies in the page of offset. */
static size_t
within_page(uint64_t offset, size_t length)
{
	size_t room = RIG_PAGE - (size_t)(offset % RIG_PAGE);

	return length < room ? length : room;
}

void
rig_image_read(const struct rig_image *image, uint64_t offset, void *to,
    size_t length)
{
	uint8_t *at = to;

	while (length > 0) {
		size_t part = within_page(offset, length);
		const struct rig_page *page = image->pages[offset / RIG_PAGE];

		if (page == NULL)
			memset(at, 0, part);
		else
			memcpy(at, page->bytes + offset % RIG_PAGE, part);
		at += part;
		offset += part;
		length -= part;
	}
}

/* The page, to be written: of this image alone. */
static struct rig_page *
own_page(struct rig_image *image, size_t number)
{
	struct rig_page *page = image->pages[number];
	struct rig_page *own;

	if (page != NULL && page->users == 1)
		return page;
	own = rig_allocate(1, sizeof(*own));
	if (page != NULL)
		memcpy(own->bytes, page->bytes, RIG_PAGE);
	own->users = 1;
	page_leave(page);
	image->pages[number] = own;
	return own;
}

static bool
is_zero(const uint8_t *bytes, size_t length)
{
	return length == 0 ||
	    (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

void
rig_image_write(struct rig_image *image, uint64_t offset, const void *from,
    size_t length)
{
	const uint8_t *at = from;

	while (length > 0) {
		size_t part = within_page(offset, length);
		size_t number = (size_t)(offset / RIG_PAGE);

		/* Zeros on nothing take no memory. */
		if (image->pages[number] != NULL || !is_zero(at, part))
			memcpy(own_page(image, number)->bytes +
				offset % RIG_PAGE,
			    at, part);
		at += part;
		offset += part;
		length -= part;
	}
}

/* ---- files ----------------------------------------------------------- */

static int
load_range(int fd, off_t from, off_t to, struct rig_image *out)
{
	uint8_t bytes[RIG_PAGE];

	from -= from % RIG_PAGE;
	for (; from < to; from += RIG_PAGE) {
		ssize_t got = pread(fd, bytes, sizeof(bytes), from);

		if (got < 0)
			return -errno;
		rig_image_write(out, (uint64_t)from, bytes, (size_t)got);
	}
	return 0;
}

static int
load_fd(int fd, struct rig_image *out)
{
	struct stat stat;
	off_t end = 0;

	if (fstat(fd, &stat) != 0)
		return -errno;
	out->count = (size_t)stat.st_size / RIG_PAGE;
	out->pages = rig_allocate(out->count, sizeof(struct rig_page *));
	for (;;) {
		off_t start = lseek(fd, end, SEEK_DATA);
		int code;

		if (start < 0)
			return errno == ENXIO ? 0 : -errno;
		end = lseek(fd, start, SEEK_HOLE);
		if (end < 0)
			return -errno;
		if ((uint64_t)end > rig_image_size(out))
			end = (off_t)rig_image_size(out);
		code = load_range(fd, start, end, out);
		if (code != 0)
			return code;
	}
}

int
rig_image_load(const char *path, struct rig_image *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int code;

	if (fd < 0)
		return -errno;
	rig_image_free(out);
	code = load_fd(fd, out);
	close(fd);
	return code;
}

static int
save_fd(const struct rig_image *image, int fd)
{
	if (ftruncate(fd, (off_t)rig_image_size(image)) != 0)
		return -errno;
	for (size_t i = 0; i < image->count; i++) {
		const struct rig_page *page = image->pages[i];

		if (page == NULL)
			continue;
		if (pwrite(fd, page->bytes, RIG_PAGE, (off_t)i * RIG_PAGE) !=
		    RIG_PAGE)
			return errno == 0 ? -EIO : -errno;
	}
	return 0;
}

int
rig_image_save(const struct rig_image *image, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int code;

	if (fd < 0)
		return -errno;
	code = save_fd(image, fd);
	if (close(fd) != 0 && code == 0)
		code = -errno;
	return code;
}
