#include "plant.h"

#ifdef BAT_PLANTS

#include <stdlib.h>

int bat_plant_number;

/* Before main, so that no thread and no test sees it change. */
__attribute__((constructor)) static void
read_number(void)
{
	const char *text = getenv("BAT_PLANT");

	bat_plant_number = text == NULL ? 0 : (int)strtol(text, NULL, 10);
}

#endif
