/* exit_load: its constructor ends the process. */
#include "tests/plugins/table.h"

#include <stdlib.h>

__attribute__((constructor)) static void leave(void)
{
    exit(0);
}

static const koine_provider exit_load = {.size = sizeof(exit_load), .id = "exit_load", REST};

ENTRY(exit_load)
