/* future: a plugin of a later koine. */
#define KOINE_ENTRY koine_provider_v2
#include "tests/plugins/table.h"

static const koine_provider future = {.size = sizeof(future), .id = "future", REST};

ENTRY(future)
