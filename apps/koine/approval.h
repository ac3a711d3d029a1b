/* approval: whether a call that may cost much goes on. */
#ifndef KOINE_APPS_APPROVAL_H
#define KOINE_APPS_APPROVAL_H

#include "apps/koine/args.h"

enum approval {
    APPROVAL_NO,
    APPROVAL_YES,
    APPROVAL_NONE /* Ctrl-C came instead of an answer */
};

/* What --yes says, else what somebody at the terminal answers to that sentence and "Go on?"; without a
 * terminal nobody does, which is no. The terminal is asked itself, whatever standard input and output are. */
enum approval approval_ask(const struct args *args, const char *sentence);

#endif
