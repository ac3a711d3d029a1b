/* exit_load: its constructor ends the process. */
#include "tests/plugins/table.h"

#include <unistd.h>

__attribute__((constructor)) static void leave(void)
{
    _exit(4);
}

static const koine_provider exit_load = {.size = sizeof(exit_load), .id = "exit_load", REST};

ENTRY(exit_load)
