/*
 * What a disk holds, as a table of pages. A copy costs a table: pages are
 * shared until one is written. A page that was never written reads as zeros.
 *
 * Running out of memory ends the program: this is a test's tool.
 */
#ifndef RIGS_IMAGE_H
#define RIGS_IMAGE_H

#include <stddef.h>
#include <stdint.h>

enum { RIG_PAGE = 4096, RIG_SECTOR = 512 };

struct rig_page {
	uint32_t users;
	uint8_t bytes[RIG_PAGE];
};

struct rig_image {
	struct rig_page **pages;
	size_t count;
};

#define RIG_IMAGE_EMPTY ((struct rig_image){ .pages = NULL })

void *rig_allocate(size_t count, size_t size);

void rig_image_free(struct rig_image *image);
/* to is given up first. */
void rig_image_copy(const struct rig_image *from, struct rig_image *to);
/* The range lies within the image. */
void rig_image_read(const struct rig_image *image, uint64_t offset, void *to,
    size_t length);
void rig_image_write(struct rig_image *image, uint64_t offset, const void *from,
    size_t length);
uint64_t rig_image_size(const struct rig_image *image);
/* From and to a file, holes stay holes. 0 or a negative errno. */
int rig_image_load(const char *path, struct rig_image *out);
int rig_image_save(const struct rig_image *image, const char *path);

#endif
