/* two: a plugin of two providers. */
#include "tests/plugins/table.h"

static const koine_provider one = {.size = sizeof(one), .id = "one", REST};
static const koine_provider two = {.size = sizeof(two), .id = "two", REST};

const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    (void)host;
    return index == 0 ? &one : index == 1 ? &two : NULL;
}
