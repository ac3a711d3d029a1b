/* input: texts from files and standard input. */
#ifndef KOINE_APPS_INPUT_H
#define KOINE_APPS_INPUT_H

#include "apps/koine/args.h"

/* The whole file, "-" for standard input; NUL-terminated, the caller frees it. */
int input_read(struct args *args, const char *file, char **ret, size_t *ret_length);
/* The prompt: the words, then what stands on standard input where that is no terminal. With `otherwise` the
 * words alone, or that where there are none. */
int input_prompt(struct args *args, const char *otherwise, char **ret);
/* That it is UTF-8 without NUL; `what` names it in the message. */
int input_check(struct args *args, const char *what, const char *text, size_t length);

#endif
