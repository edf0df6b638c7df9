/*
 * What the rigs do with the library on a file system that is about to lose its
 * power: live on it, and look at what is left.
 *
 *	rig_store live DIR NOTES SEED STEPS [lie|slow]
 *	rig_store check DIR NOTES SEED LOW HIGH [salvage]
 *
 * NOTES is a file that takes a note with each write, or "-" for none. Status:
 * 0 all is right, 1 it is not (standard output says "wrong: ..."), 3 the disk
 * failed and the store held to its word, 4 the store is damaged and refuses to
 * be written, and a reader finds all that was acknowledged.
 */
#include "rig_store.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void
rig_note(const struct rig_notes *notes, const char *format, ...)
{
	char text[1024];
	va_list words;
	int length;

	if (notes->fd < 0)
		return;
	va_start(words, format);
	length = vsnprintf(text, sizeof(text), format, words);
	va_end(words);
	if (length >= (int)sizeof(text))
		length = (int)sizeof(text) - 1;
	/* Without a listener there is no test. */
	if (write(notes->fd, text, (size_t)length) != length)
		abort();
}

int
rig_wrong(const char *format, ...)
{
	va_list words;

	printf("wrong: ");
	va_start(words, format);
	vprintf(format, words);
	va_end(words);
	printf("\n");
	return RIG_WRONG;
}

static int
usage(void)
{
	fprintf(stderr,
	    "usage: rig_store live DIR NOTES SEED STEPS [lie|slow]\n"
	    "       rig_store check DIR NOTES SEED LOW HIGH [salvage]\n");
	return RIG_USAGE;
}

static uint64_t
number(const char *text)
{
	return strtoull(text, NULL, 10);
}

int
main(int count, char **words)
{
	struct rig_notes notes = { -1 };

	if (count < 6)
		return usage();
	if (strcmp(words[3], "-") != 0) {
		notes.fd = open(words[3], O_WRONLY | O_CLOEXEC);
		if (notes.fd < 0) {
			perror(words[3]);
			return RIG_USAGE;
		}
	}
	if (strcmp(words[1], "live") == 0) {
		const struct rig_life_plan plan = { words[2], number(words[4]),
			(unsigned)number(words[5]),
			count > 6 && strcmp(words[6], "lie") == 0,
			count > 6 && strcmp(words[6], "slow") == 0 };

		return rig_life(&plan, &notes);
	}
	if (strcmp(words[1], "check") == 0 && count >= 7) {
		const struct rig_check check = { words[2], number(words[4]),
			number(words[5]), number(words[6]),
			count > 7 && strcmp(words[7], "salvage") == 0 };

		return rig_check(&check, &notes);
	}
	return usage();
}
