/* explanation: what koine_explain tells, for people. */
#ifndef KOINE_APPS_EXPLANATION_H
#define KOINE_APPS_EXPLANATION_H

#include <koine/json.h>
#include <stdbool.h>

/* On standard output, as wide as the terminal. `assumed`: what was taken for granted, or NULL. */
void explanation_print(const koine_json *explanation, const char *assumed);
bool explanation_asks(const koine_json *explanation); /* somebody would be asked */

#endif
