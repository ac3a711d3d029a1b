/* ask: the request that the options of `koine chat` and `koine explain` describe. */
#ifndef KOINE_APPS_ASK_H
#define KOINE_APPS_ASK_H

#include "apps/koine/args.h"

#include <koine/koine.h>

/* STATUS_DONE, or the problem is told. `otherwise`: the prompt where there are no words, and then standard
 * input is left alone; NULL: it stands there. */
int ask_build(struct args *args, const char *otherwise, koine_request **ret);

#endif
