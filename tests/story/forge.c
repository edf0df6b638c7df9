/*
 * Tampers with a store as one who knows the format does (forger.h).
 *
 *	forge DIR edit|drop|swap|insert|rollback|nothing SEQ
 *
 * The sequences of DIR begin at 0 and have no gaps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forger.h"

int
main(int argc, char **argv)
{
	struct forger forger;
	const char *surgery;
	size_t at;

	if (argc != 4)
		return 2;
	surgery = argv[2];
	at = (size_t)strtoul(argv[3], NULL, 10);
	forger_read(&forger, argv[1]);
	if (at + 1 >= forger.count)
		return 2;
	if (strcmp(surgery, "edit") == 0)
		forger_edit(&forger, at);
	else if (strcmp(surgery, "drop") == 0)
		forger_drop(&forger, at, 1);
	else if (strcmp(surgery, "swap") == 0)
		forger_swap(&forger, at, at + 1);
	else if (strcmp(surgery, "insert") == 0)
		forger_insert(&forger, at);
	else if (strcmp(surgery, "rollback") == 0)
		forger_drop(&forger, at, forger.count - at);
	else if (strcmp(surgery, "nothing") != 0)
		return 2;
	forger_write(&forger, argv[1]);
	forger_free(&forger);
	return 0;
}
