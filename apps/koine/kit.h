/* kit: the templates of a new plugin, copied under its name. */
#ifndef KOINE_APPS_KIT_H
#define KOINE_APPS_KIT_H

#include <stdbool.h>

bool kit_is_name(const char *name); /* a letter, then letters, digits, _ and -: all small, at most 64 */

/* Writes the folder `name` below the current one, which must not exist: the templates of `kind` ("chat",
 * "own") and those that all share. Prints each file's name. A status; what went wrong is reported, and files
 * already written stay. */
int kit_write(const char *kind, const char *name);

#endif
