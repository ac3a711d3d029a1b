/* loop_load: its constructor never ends. */
#include "tests/plugins/table.h"

__attribute__((constructor)) static void loop(void)
{
    static volatile int turns;
    for (;;)
        turns++;
}

static const koine_provider loop_load = {.size = sizeof(loop_load), .id = "loop_load", REST};

ENTRY(loop_load)
