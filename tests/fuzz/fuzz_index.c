/* Any bytes as index.ckpt and as index.fbati. Their checksums are made right
 * first, or nothing would ever come past them. Whatever reaches the sink is
 * within the bytes and the strings that were announced. */
#include "fuzz.h"

#include "crc.h"
#include "rowindex.h"

struct seen {
	uint64_t rows, announced;
	uint32_t strings;
};

static int
take_head(void *context, const struct bat_checkpoint_head *head)
{
	struct seen *seen = context;

	seen->announced = head->row_count;
	seen->strings = head->string_count;
	for (uint32_t i = 0; i < head->string_count; i++)
		(void)bat_bytes_is_utf8(head->strings[i]);
	return 0;
}

static int
take_row(void *context, const struct bat_row *row, struct bat_slice extensions)
{
	struct seen *seen = context;

	FUZZ_CHECK(row->entity < seen->strings && row->scope < seen->strings);
	(void)bat_bytes_is_utf8(extensions);
	seen->rows++;
	return 0;
}

static void
look(int (*decode)(struct bat_slice file,
	 const struct bat_checkpoint_sink *sink, struct bat_error *error),
    struct bat_slice file)
{
	struct seen seen = { 0 };
	struct bat_checkpoint_sink sink = { &seen, take_head, take_row };

	if (decode(file, &sink, NULL) == 0)
		FUZZ_CHECK(seen.rows == seen.announced);
}

/* In both files the CRC stands at 8 and is of everything from 12 on. */
static void
put_crc(struct bat_buf *file)
{
	uint32_t crc;

	if (file->length < BAT_ROWINDEX_CRC_START)
		return;
	crc = bat_crc_of(bat_bytes_slice(file->data + BAT_ROWINDEX_CRC_START,
	    file->length - BAT_ROWINDEX_CRC_START));
	for (size_t i = 0; i < 4; i++)
		file->data[8 + i] = (uint8_t)(crc >> 8 * i);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct bat_buf file = BAT_BUF_EMPTY;

	look(bat_checkpoint_decode, bat_bytes_slice(data, length));
	look(bat_rowindex_decode, bat_bytes_slice(data, length));
	if (bat_bytes_append(&file, data, length) == 0) {
		put_crc(&file);
		look(bat_checkpoint_decode, bat_bytes_of_buf(&file));
		look(bat_rowindex_decode, bat_bytes_of_buf(&file));
	}
	bat_bytes_free(&file);
	return 0;
}
