/* child: a stage in a process of its own, so that a crash, a loop and a full memory are findings. */
#ifndef KOINE_APPS_PLUGIN_CHECK_CHILD_H
#define KOINE_APPS_PLUGIN_CHECK_CHILD_H

#include "apps/plugin-check/inspection.h"

enum child_end {
    CHILD_DONE,
    CHILD_CRASHED,
    CHILD_LOOPED
};

/* Runs the stage for every provider of the plugin, and adds what it finds, its end included. Sets
 * in->tried[stage] where it came to its end. Aborts where there can be no child. */
enum child_end child_run(struct inspection *in, enum stage stage);

#endif
