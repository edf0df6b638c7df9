/*
 * Test vectors: hex text to bytes. Aborts on text that is no hex.
 */
#ifndef TEST_HEX_H
#define TEST_HEX_H

#include "bytes.h"

/* Append the bytes that hex (lower or upper case, blanks ignored) spells. */
void test_hex_append(struct bat_buf *buf, const char *hex);
/* Is slice what hex spells? */
bool test_hex_equals(struct bat_slice slice, const char *hex);

#endif
