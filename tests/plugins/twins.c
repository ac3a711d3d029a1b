/* twins: two providers under one id. */
#include "tests/plugins/table.h"

static const koine_provider one = {.size = sizeof(one), .id = "twin", REST};
static const koine_provider two = {.size = sizeof(two), .id = "twin", REST};

const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    (void)host;
    return index == 0 ? &one : index == 1 ? &two : NULL;
}
