/* setup: a hub as the files, the environment and the command line say. */
#ifndef KOINE_APPS_SETUP_H
#define KOINE_APPS_SETUP_H

#include "apps/koine/args.h"

#include <koine/koine.h>

/* STATUS_DONE, or what went wrong is reported. */
int setup_hub(struct args *args, koine_hub **ret);
int setup_client(struct args *args, koine_hub *hub, koine_client **ret);

/* Files and environment into the hub, applied; KOINE_OK, or nothing is reported yet. */
int setup_load(const struct args *args, koine_hub *hub, koine_error **ret_error);

/* The first folder of plugin_path from *index on that is not there, and its number; NULL: none. One that was
 * not made yet is rightly skipped, and so is a typing error. The last one is the installed one. */
const char *setup_missing_folder(koine_hub *hub, size_t *index);

/* Whether the instance exists; if not, the problem names those that do. */
int setup_check_instance(struct args *args, koine_hub *hub, const char *name, size_t length);

#endif
