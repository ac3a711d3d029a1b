/* good: nothing is wrong with it. Counts how often its entry was asked for the first provider. */
#include "tests/plugins/table.h"

static int32_t entered;

static const void *extension(const char *id)
{
    (void)id;
    return &entered;
}

static const koine_provider good = {.size = sizeof(good), .id = "good", REST, .extension = extension};

const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    entered += index == 0;
    return host && index == 0 ? &good : NULL;
}
