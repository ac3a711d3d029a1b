/* fickle: says another version of itself each time it is loaded. */
#include "tests/plugins/table.h"

#include <stdio.h>
#include <time.h>

static char version[32];
static koine_provider fickle = {.size = sizeof(fickle), .id = "fickle", REST};

const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    struct timespec now;
    (void)host;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(version, sizeof(version), "%ld.%ld", (long)now.tv_sec, now.tv_nsec);
    fickle.version = version;
    return index == 0 ? &fickle : NULL;
}
