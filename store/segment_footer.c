/*
 * Footers, written: all at once for rows in memory, or piece by piece for who
 * has too many of them.
 */
#include "segment.h"

#include <assert.h>
#include <stdlib.h>

#include "pack.h"

void
bat_segment_encode_row(const struct bat_row *row,
    uint8_t out[BAT_SEGMENT_ROW_SIZE])
{
	bat_id_to_le(&row->id, out);
	bat_bytes_put_le(out + 16, row->entity, 4);
	bat_bytes_put_le(out + 20, row->scope, 4);
	bat_bytes_put_le(out + 24, row->kind, 2);
	bat_bytes_put_le(out + 26, row->wall_ms, 8);
	bat_bytes_put_le(out + 34, row->clock, 4);
	bat_bytes_put_le(out + 38, row->lane, 4);
	bat_bytes_put_le(out + 42, row->depth, 4);
	memcpy(out + 46, row->prev.bytes, BAT_HASH_SIZE);
	memcpy(out + 78, row->hash.bytes, BAT_HASH_SIZE);
	bat_bytes_put_le(out + 110, row->offset, 8);
	bat_bytes_put_le(out + 118, row->length, 4);
	bat_bytes_put_le(out + 122, row->seq, 8);
	bat_id_to_le(&row->corr, out + 130);
	bat_id_to_le(&row->cause, out + 146);
}

/*
 * The numbers that a footer's own table gives: first-use order, from 0.
 * order[n] is the number in names of the table's nth string, numbers[i] the
 * table's number of names' ith string, plus 1; 0 while it has none.
 */
struct table {
	uint32_t *order;
	uint32_t *numbers;
	uint32_t count;
};

static void
table_use(struct table *table, uint32_t name)
{
	if (table->numbers[name] != 0)
		return;
	table->order[table->count] = name;
	table->count++;
	table->numbers[name] = table->count;
}

static int
encode_table(const struct table *table, const struct bat_intern *names,
    struct bat_buf *buf)
{
	int code = bat_pack_write_array(buf, table->count);

	for (uint32_t i = 0; code == 0 && i < table->count; i++)
		code = bat_pack_write_str(buf,
		    bat_intern_get(names, table->order[i]));
	return code;
}

static int
encode_rows(const struct bat_row *rows, size_t count, const struct table *table,
    struct bat_buf *buf)
{
	int code = bat_bytes_reserve(buf, count * BAT_SEGMENT_ROW_SIZE);

	for (size_t i = 0; code == 0 && i < count; i++) {
		uint8_t bytes[BAT_SEGMENT_ROW_SIZE];
		struct bat_row row = rows[i];

		row.entity = table->numbers[row.entity] - 1;
		row.scope = table->numbers[row.scope] - 1;
		bat_segment_encode_row(&row, bytes);
		code = bat_bytes_append(buf, bytes, sizeof(bytes));
	}
	return code;
}

int
bat_segment_encode_table(const struct bat_intern *names, struct bat_buf *buf)
{
	int code = names->count > UINT32_MAX ?
	    BAT_USE_TOO_LARGE :
	    bat_pack_write_array(buf, (uint32_t)names->count);

	for (uint32_t i = 0; code == 0 && i < names->count; i++)
		code = bat_pack_write_str(buf, bat_intern_get(names, i));
	return code;
}

int
bat_segment_encode_trailer(uint64_t frames_end, uint32_t count,
    struct bat_buf *buf)
{
	int code = bat_bytes_append_le(buf, frames_end, 8);

	if (code == 0)
		code = bat_bytes_append_le(buf, count, 4);
	return code == 0 ? bat_bytes_append_text(buf, "SDX2") : code;
}

int
bat_segment_encode_footer(const struct bat_row *rows, size_t count,
    const struct bat_intern *names, uint64_t frames_end, struct bat_buf *buf)
{
	struct table table = { NULL, NULL, 0 };
	size_t start = buf->length;
	int code = BAT_WORLD_NO_MEMORY;

	if (count > UINT32_MAX)
		return BAT_USE_TOO_LARGE;
	table.order = malloc((names->count + 1) * sizeof(*table.order));
	table.numbers = calloc(names->count + 1, sizeof(*table.numbers));
	if (table.order == NULL || table.numbers == NULL)
		goto done;
	for (size_t i = 0; i < count; i++) {
		assert(rows[i].entity < names->count);
		assert(rows[i].scope < names->count);
		table_use(&table, rows[i].entity);
		table_use(&table, rows[i].scope);
	}
	code = encode_table(&table, names, buf);
	if (code == 0)
		code = encode_rows(rows, count -= BAT_PLANT(23) && count > 1,
		    &table, buf);
	if (code == 0)
		code = bat_segment_encode_trailer(frames_end, (uint32_t)count,
		    buf);
done:
	if (code != 0)
		buf->length = start;
	free(table.order);
	free(table.numbers);
	return code;
}
