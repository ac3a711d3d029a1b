/* out: what goes to standard output and standard error, and whether that worked.
 *
 * Standard output is for results, standard error for people. The first failure to write a result is
 * remembered: callers need not check each write, out_finish() turns it into the exit status.
 */
#ifndef KOINE_APPS_OUT_H
#define KOINE_APPS_OUT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum { /* what the command ends with */
    STATUS_DONE = 0,
    STATUS_FAULT = 1,
    STATUS_USAGE = 2,  /* usage or configuration */
    STATUS_POLICY = 3, /* a fault of origin policy */
    STATUS_INTERRUPTED = 130
};

/* Bytes of a result, as they are. */
void out_text(const char *text, size_t length);
void out_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Text of a model on a terminal: control characters are shown, not obeyed. `style` is an SGR sequence or
 * NULL. */
void out_shown(const char *text, size_t length, const char *style);
/* Ends the line that text was written to last, if it is not ended. */
void out_end_line(void);
/* 0, or the errno of the first write that failed. */
int out_flush(void);
/* The exit status after everything: a reader who went away is no failure, a full disk is one. */
int out_finish(int status);

/* One line to standard error, cleaned of control characters; never in the middle of a line of text. */
void out_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says so and ends the program. */
_Noreturn void out_no_memory(void);

#endif
