/* term: what we may assume of the terminal, asked once. */
#ifndef KOINE_APPS_TERM_H
#define KOINE_APPS_TERM_H

#include <stdbool.h>
#include <stddef.h>

bool term_is_input(void); /* standard input is a terminal */
bool term_is_output(void);
bool term_is_error(void);
bool term_colour(
    void); /* standard output is one that takes colours, and nobody said no (NO_COLOR, TERM=dumb) */
bool term_is_utf8(void); /* the locale's characters are UTF-8: LC_ALL, LC_CTYPE, LANG */
size_t term_width(void); /* columns of standard output; 0: no terminal, so no limit */

#define TERM_DIM    "\033[2m"
#define TERM_BOLD   "\033[1m"
#define TERM_RED    "\033[31m"
#define TERM_GREEN  "\033[32m"
#define TERM_YELLOW "\033[33m"

#endif
