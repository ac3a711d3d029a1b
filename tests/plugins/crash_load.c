/* crash_load: its constructor crashes, so that nothing of it can be asked. */
#include "tests/plugins/table.h"

__attribute__((constructor)) static void crash(void)
{
    __builtin_trap();
}

static const koine_provider crash_load = {.size = sizeof(crash_load), .id = "crash_load", REST};

ENTRY(crash_load)
