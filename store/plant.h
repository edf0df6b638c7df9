/*
 * Bugs planted on purpose (tests/plants.tsv), to see that a test finds them.
 *
 * A build with -DBATFS_PLANTS=ON has all of them, and none is at work but the
 * one whose number stands in the environment variable BAT_PLANT. In any other
 * build each condition is the constant 0 and leaves no trace.
 */
#ifndef BAT_PLANT_H
#define BAT_PLANT_H

/* Only in a build with plants: the one that is at work, 0 for none. */
extern int bat_plant_number;

#ifdef BAT_PLANTS
#define BAT_PLANT(number) (bat_plant_number == (number))
#else
#define BAT_PLANT(number) 0
#endif

#endif
