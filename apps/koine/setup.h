/* setup: a hub as the files, the environment and the command line say. */
#ifndef KOINE_APPS_SETUP_H
#define KOINE_APPS_SETUP_H

#include "apps/koine/args.h"

#include <koine/koine.h>

/* STATUS_DONE, or what went wrong is reported. */
int setup_hub(struct args *args, koine_hub **ret);
int setup_client(struct args *args, koine_hub *hub, koine_client **ret);

/* Whether the instance exists; if not, the problem names those that do. */
int setup_check_instance(struct args *args, koine_hub *hub, const char *name, size_t length);

#endif
