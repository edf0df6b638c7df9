#include "loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

#include "crc.h"
#include "kind.h"
#include "rowindex.h"

#define BLOCK_ROWS 4096u
#define BLOCK_BYTES ((size_t)BLOCK_ROWS * BAT_ROWINDEX_ROW_SIZE)
#define PARALLEL_ROWS 32768u

struct load {
	const struct bat_disk *disk;
	int fd;
	uint64_t max_seq;
	struct bat_index *index;
	struct bat_rowindex_front front;
	uint32_t *names; /* of the file's strings -> index numbers */
};

/* Rows [first, first + count) of the file, by one thread. */
struct part {
	struct load *load;
	uint64_t first, count;
	uint32_t crc;
	bool ordered;
	uint32_t segment_hand;
	uint64_t last_place, last_seq;
	int code;
	struct bat_error error;
};

/* ---- one row --------------------------------------------------------- */

/* The index's table of segments does not change meanwhile: each thread looks
 * by itself. */
static bool
find_segment(struct part *part, uint64_t segment, uint32_t *out)
{
	const struct bat_index *index = part->load->index;
	uint32_t low = 0, high = index->segment_count;

	*out = part->segment_hand;
	if (*out < high && index->segments[*out] == segment)
		return true;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (index->segments[middle] < segment)
			low = middle + 1;
		else
			high = middle;
	}
	*out = part->segment_hand = low;
	return low < index->segment_count && index->segments[low] == segment;
}

static int
load_row(struct part *part, const uint8_t *bytes, uint64_t number)
{
	struct load *load = part->load;
	struct bat_slice map;
	struct bat_row row;
	uint32_t position;
	uint64_t place;
	int code = bat_rowindex_read_row(&load->front, bytes, number, &row,
	    &map, &part->error);

	if (code != BAT_OK)
		return code;
	if (!find_segment(part, row.segment, &position))
		return bat_error_set(&part->error, BAT_DATA_CORRUPT,
		    "segment %llu, which it names, is not there",
		    (unsigned long long)row.segment);
	if (row.offset > BAT_INDEX_OFFSET_MAX || row.seq > load->max_seq)
		return bat_error_set(&part->error, BAT_DATA_CORRUPT,
		    "row %llu: offset %llu, sequence %llu",
		    (unsigned long long)number, (unsigned long long)row.offset,
		    (unsigned long long)row.seq);
	place = (uint64_t)position << 40 | row.offset;
	if (number > part->first &&
	    (place <= part->last_place || row.seq <= part->last_seq))
		part->ordered = false;
	part->last_place = place;
	part->last_seq = row.seq;
	*bat_index_hot_at(load->index,
	    (uint32_t)number) = (struct bat_index_hot){
		.id = row.id,
		.seq = row.seq,
		.wall_ms = row.wall_ms,
		.place = place,
		.length = row.length,
		.entity = load->names[row.entity],
		.scope = load->names[row.scope],
		.clock = row.clock,
		.fingerprint = bat_index_fingerprint(&row.corr, &row.cause,
		    &row.prev, &row.hash, row.lane, row.depth),
		.kind = row.kind,
		/* batpak's files may have lost some (H5). */
		.extensions = row.extensions == BAT_ROW_EXTENSIONS_SOME ?
		    BAT_ROW_EXTENSIONS_SOME :
		    BAT_ROW_EXTENSIONS_UNKNOWN,
	};
	return BAT_OK;
}

/* ---- one thread ------------------------------------------------------ */

static void *
load_part(void *argument)
{
	struct part *part = argument;
	struct load *load = part->load;
	uint64_t base = load->front.sections[3];
	uint8_t *block = malloc(BLOCK_BYTES);

	if (block == NULL)
		part->code = bat_error_set(&part->error, BAT_WORLD_NO_MEMORY,
		    "no memory for a block");
	for (uint64_t done = 0; part->code == BAT_OK && done < part->count;) {
		uint64_t left = part->count - done;
		size_t rows = left < BLOCK_ROWS ? (size_t)left : BLOCK_ROWS;
		size_t length = rows * BAT_ROWINDEX_ROW_SIZE, got;

		part->code = bat_file_read(load->disk, load->fd, block, length,
		    base + (part->first + done) * BAT_ROWINDEX_ROW_SIZE, &got,
		    &part->error);
		if (part->code == BAT_OK && got != length)
			part->code = bat_error_set(&part->error,
			    BAT_DATA_CORRUPT, "it became shorter meanwhile");
		if (part->code != BAT_OK)
			break;
		part->crc = bat_crc_update(part->crc,
		    bat_bytes_slice(block, length));
		for (size_t i = 0; part->code == BAT_OK && i < rows; i++)
			part->code = load_row(part,
			    block + i * BAT_ROWINDEX_ROW_SIZE,
			    part->first + done + i);
		done += rows;
	}
	free(block);
	return NULL;
}

/* ---- the whole ------------------------------------------------------- */

static int
load_rows(struct load *load, uint32_t front_crc, bool *out_ordered,
    struct bat_error *error)
{
	uint64_t rows = load->front.head.row_count;
	uint64_t half = rows < PARALLEL_ROWS ? rows : rows / 2;
	struct part parts[2] = {
		{ .load = load, .first = 0, .count = half, .ordered = true },
		{ .load = load,
		    .first = half,
		    .count = rows - half,
		    .ordered = true },
	};
	pthread_t helper = pthread_self();
	bool helped = parts[1].count > 0 &&
	    pthread_create(&helper, NULL, load_part, &parts[1]) == 0;
	uint32_t crc;

	load_part(&parts[0]);
	if (helped)
		pthread_join(helper, NULL);
	else
		load_part(&parts[1]);
	for (size_t i = 0; i < 2; i++)
		if (parts[i].code != BAT_OK) {
			if (error != NULL)
				*error = parts[i].error;
			return parts[i].code;
		}
	crc = front_crc;
	for (size_t i = 0; i < 2; i++)
		crc = (uint32_t)crc32_combine(crc, parts[i].crc,
		    (z_off_t)(parts[i].count * BAT_ROWINDEX_ROW_SIZE));
	if (crc != load->front.crc && !(BAT_PLANT(27) && helped))
		return bat_error_set(error, BAT_DATA_CORRUPT,
		    BAT_ROWINDEX_FILE ": crc");
	*out_ordered = parts[0].ordered &&
	    (parts[1].ordered || BAT_PLANT(28)) &&
	    (parts[1].count == 0 ||
		(bat_index_hot_at(load->index, (uint32_t)half - 1)->place <
			bat_index_hot_at(load->index, (uint32_t)half)->place &&
		    bat_index_hot_at(load->index, (uint32_t)half - 1)->seq <
			bat_index_hot_at(load->index, (uint32_t)half)->seq));
	return BAT_OK;
}

/* Numbers of the index for the file's strings, and their verdicts, so that the
 * threads only read. */
static int
know_names(struct load *load)
{
	struct bat_checkpoint_strings *strings = &load->front.strings;
	int code = BAT_OK;

	load->names = calloc((size_t)strings->count + 1, sizeof(*load->names));
	if (load->names == NULL)
		return BAT_WORLD_NO_MEMORY;
	for (uint32_t i = 1; code == BAT_OK && i < strings->count; i++) {
		(void)bat_checkpoint_is_coordinate(strings, i, i);
		code = bat_intern_put(&load->index->names, strings->list[i],
		    &load->names[i]);
	}
	return code;
}

static int
keep_head(const struct bat_rowindex_front *front, struct bat_loader_result *out)
{
	struct bat_checkpoint_fallbacks *kept = &out->head.fallbacks;
	size_t system = front->head.fallbacks.system_histogram.length;
	int code = bat_bytes_append_slice(&out->histograms,
	    front->head.fallbacks.system_histogram);

	if (code == BAT_OK)
		code = bat_bytes_append_slice(&out->histograms,
		    front->head.fallbacks.effect_histogram);
	out->head = front->head;
	out->head.strings = NULL;
	kept->system_histogram = bat_bytes_slice(out->histograms.data, system);
	kept->effect_histogram = system < out->histograms.length ?
	    bat_bytes_slice(out->histograms.data + system,
		out->histograms.length - system) :
	    BAT_SLICE_EMPTY;
	return code;
}

/* Everything in front of the rows, in memory. */
static int
read_front(struct load *load, uint64_t file_size, struct bat_buf *front,
    struct bat_error *error)
{
	uint8_t header[BAT_ROWINDEX_HEADER_SIZE];
	size_t got, length;
	int code = bat_file_read(load->disk, load->fd, header, sizeof(header),
	    0, &got, error);

	if (code == BAT_OK)
		code = bat_rowindex_read_header(bat_bytes_slice(header, got),
		    file_size, &load->front, error);
	if (code != BAT_OK)
		return code;
	length = (size_t)load->front.sections[3];
	code = bat_bytes_reserve(front, length);
	if (code != BAT_OK)
		return bat_error_set(error, code, "no memory for %zu bytes",
		    length);
	code = bat_file_read(load->disk, load->fd, front->data, length, 0, &got,
	    error);
	if (code == BAT_OK && got != length)
		code = bat_error_set(error, BAT_DATA_CORRUPT,
		    "it became shorter meanwhile");
	if (code != BAT_OK)
		return code;
	front->length = length;
	load->front.front = bat_bytes_of_buf(front);
	return bat_rowindex_read_front(&load->front, error);
}

int
bat_loader_rowindex(const struct bat_disk *disk, int dir, uint64_t max_seq,
    struct bat_index *index, struct bat_loader_result *out,
    struct bat_error *error)
{
	struct load load = { .disk = disk, .max_seq = max_seq, .index = index };
	struct bat_buf front = BAT_BUF_EMPTY;
	uint64_t size = 0, rows;
	int code = bat_file_open_read(disk, dir, BAT_ROWINDEX_FILE, &load.fd,
	    error);

	if (code != BAT_OK)
		return code;
	code = bat_file_size(disk, load.fd, &size, error);
	if (code == BAT_OK)
		code = read_front(&load, size, &front, error);
	rows = load.front.head.row_count;
	if (code == BAT_OK)
		code = know_names(&load);
	if (code == BAT_OK)
		code = rows > UINT32_MAX - 1 ?
		    BAT_USE_TOO_LARGE :
		    bat_index_load_room(index, (uint32_t)rows);
	if (code == BAT_OK)
		code = load_rows(&load,
		    bat_crc_of(
			bat_bytes_slice(front.data + BAT_ROWINDEX_CRC_START,
			    front.length - BAT_ROWINDEX_CRC_START)),
		    &out->ordered, error);
	if (code == BAT_OK)
		code = keep_head(&load.front, out);
	if (code == BAT_WORLD_NO_MEMORY || code == BAT_USE_TOO_LARGE)
		bat_error_set(error, code, "no room for %llu rows in memory",
		    (unsigned long long)rows);
	free(load.names);
	bat_checkpoint_free_strings(&load.front.strings);
	bat_bytes_free(&front);
	bat_file_close(disk, load.fd);
	return code;
}
