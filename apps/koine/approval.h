/* approval: whether a call that may cost much goes on. */
#ifndef KOINE_APPS_APPROVAL_H
#define KOINE_APPS_APPROVAL_H

#include "apps/koine/args.h"

#include <koine/koine.h>

enum approval {
    APPROVAL_NO,
    APPROVAL_YES,
    APPROVAL_NONE /* the call ended instead: Ctrl-C */
};

/* What --yes says, else what somebody at the terminal answers to that sentence and "Go on?"; without a
 * terminal nobody does, which is no. The terminal is asked itself, whatever standard input and output are. */
enum approval approval_ask(const struct args *args, koine_client *client, const koine_call *call,
                           const char *sentence);

#endif
