/* What the parts of note share: lines of text. Not for others. */
#ifndef BAT_NOTE_INTERNAL_H
#define BAT_NOTE_INTERNAL_H

#include "note.h"

/* What stands before the first `mark`, and what behind it. False: there is
 * none. */
bool bat_note_cut(struct bat_slice *rest, char mark, struct bat_slice *out);
/* Then it is cut off. */
bool bat_note_starts_with(struct bat_slice *text, const char *start);
/* Base64 of exactly so many bytes, at most NOTE_DECODE_MAX. It takes no memory:
 * a key that could not be decoded for want of it would be taken for none. */
#define NOTE_DECODE_MAX (1 + BAT_NOTE_KEY_SIZE)
bool bat_note_decode(struct bat_slice text, uint8_t *out, size_t length);
/* Decimal digits without a zero in front. */
bool bat_note_parse_number(struct bat_slice text, uint64_t *out);

#endif
