/* Shared by the parts of loader. Not for others. */
#ifndef BAT_LOADER_INTERNAL_H
#define BAT_LOADER_INTERNAL_H

#include "loader.h"

/* What the file's threads only read. */
struct loader {
	const struct bat_disk *disk;
	int fd;
	uint64_t max_seq;
	struct bat_index *index;
	uint32_t *names; /* of the file's strings -> index numbers */
};

/* One thread's share of the rows, one behind the other. */
struct loader_part {
	const struct loader *loader;
	uint32_t first, next; /* ordinals: where it began, and goes on */
	uint32_t crc;	      /* of the bytes of this share */
	bool ordered;
	uint32_t segment_hand;
	uint64_t last_place, last_seq;
	int code;
	struct bat_error error;
};

/* The next row of a share to its place in the index; room was made. 0, or
 * BAT_DATA_CORRUPT, which stands in part->error. */
int bat_loader_put(struct loader_part *part, const struct bat_row *row);
/* Do the rows of the second share rise behind those of the first? */
bool bat_loader_is_ordered(const struct loader_part *first,
    const struct loader_part *second);
/* Rows of one size, one behind the other in the file. */
struct loader_rows {
	uint64_t at;	       /* of the file: where they begin */
	size_t size;	       /* of one */
	uint32_t first, count; /* ordinals; room was made */
	/* One row, checked as far as it can be by itself. By several threads. */
	int (*read)(const struct loader_rows *rows, const uint8_t *bytes,
	    uint32_t number, struct bat_row *out, struct bat_error *error);
	void *context;
	bool checked; /* they have a checksum */
};

/* Load them, with two threads where there are many. *crc is continued. */
int bat_loader_rows(const struct loader *loader, const struct loader_rows *rows,
    uint32_t *crc, bool *out_ordered, struct bat_error *error);
/* Numbers of the index for the file's strings, and their verdicts, so that the
 * threads only read. Freed with load->names. */
int bat_loader_know_names(struct loader *loader,
    struct bat_checkpoint_strings *strings);
/* The head, and what it points to, for a caller who has no file any more. */
int bat_loader_keep_head(const struct bat_checkpoint_head *head,
    struct bat_loader_result *out);

#endif
