/*
 * Numbers as JSON spells them (LINE.md 2, 4). The locale plays no part.
 * Threads: any, no state.
 */
#ifndef BATFS_JSON_NUMBER_H
#define BATFS_JSON_NUMBER_H

#include "bat.h"

/* The powers of ten that a double holds exactly, from 1 on. */
#define BATFS_JSON_NUMBER_POWER_MAX 22
extern const double batfs_json_number_powers[BATFS_JSON_NUMBER_POWER_MAX + 1];

/* Writers append to buf: 0 or BAT_WORLD_NO_MEMORY. */
int batfs_json_number_write_uint(struct bat_buf *buf, uint64_t value);
int batfs_json_number_write_int(struct bat_buf *buf, int64_t value);
/* Its digits to memory that has room for 20; returns how many they are. */
size_t batfs_json_number_put(char *to, uint64_t value);
/* Finite. The shortest digits that read back equal, of these the closest. */
int batfs_json_number_write_double(struct bat_buf *buf, double value);

struct batfs_json_number {
	enum {
		BATFS_JSON_NUMBER_UINT, /* .number; 0 and up */
		BATFS_JSON_NUMBER_INT,	/* .integer; below 0 */
		BATFS_JSON_NUMBER_REAL, /* .real; it had a '.', 'e' or 'E' */
	} type;
	uint64_t number;
	int64_t integer;
	double real;
};

/*
 * Read the number at the start of text (which starts with '-' or a digit).
 * *out_used: how many bytes it took; on failure the byte that is wrong.
 * Returns 0; BAT_USE_INVALID with a sentence in *out_why (static).
 */
int batfs_json_number_read(struct bat_slice text, struct batfs_json_number *out,
    size_t *out_used, const char **out_why);

#endif
