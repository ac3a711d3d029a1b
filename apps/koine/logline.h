/* logline: reads a line of the library's log, whichever format it has. */
#ifndef KOINE_APPS_LOGLINE_H
#define KOINE_APPS_LOGLINE_H

#include <stdbool.h>
#include <stddef.h>

bool logline_is_json(const char *line);
/* The value of a field into `ret`, cut where it is too long. False, and "": the line has none of that name.
 */
bool logline_field(const char *line, const char *name, char *ret, size_t size);
bool logline_is(const char *line, const char *event);
/* What a line of logfmt tells behind its time and level, which a person knows. */
const char *logline_words(const char *line);

#endif
