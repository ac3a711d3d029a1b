/* ask: the request that the options of `koine chat` describe. */
#ifndef KOINE_APPS_ASK_H
#define KOINE_APPS_ASK_H

#include "apps/koine/args.h"

#include <koine/koine.h>

/* STATUS_DONE, or the problem is told. */
int ask_build(struct args *args, koine_request **ret);

#endif
