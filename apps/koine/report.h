/* report: how a call went, for people, on standard error. */
#ifndef KOINE_APPS_REPORT_H
#define KOINE_APPS_REPORT_H

#include "apps/koine/args.h"

#include <koine/koine.h>

/* The log as lines: a koine_log_sink whose `user` is the args. Wants level 2, and 3 where -v is given twice:
 * without -v it tells warnings and, on a terminal, each attempt that failed. */
void report_log(void *user, int level, const char *line);

/* Of two plugins with one id the first holds, and whoever puts one first knows that. */
bool report_is_shadowed(const char *reason);
/* One plugin or instance of the list, which was refused: which, and why; nothing of one that only
 * waits. */
void report_refused(const koine_providers *list, size_t index);
void report_notes(
    const koine_response *response); /* members that were dropped or changed, and an early end */
void report_summary(const koine_response *response); /* target, tokens, cost, time, attempts: one line */
void report_trail(const koine_response *response);   /* one line for each attempt */

/* What went wrong: the one line, with advice. */
void report_fault(const koine_error *error);
int report_status(const koine_error *error); /* the exit status it deserves */

/* Both of the above, or the JSON object; frees the error and gives the exit status. `number` is what failed,
 * for the case that there is no record. */
int report_error(const struct args *args, int number, koine_error *error);
/* For functions without a record: what failed, in a few words. */
int report_number(const struct args *args, int number, const char *what);

#endif
