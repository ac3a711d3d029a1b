/* old: its table ends before `extension`, as if it had been built with an older header. */
#include "tests/plugins/table.h"

static const koine_provider old = {.size = offsetof(koine_provider, extension), .id = "old", REST};

ENTRY(old)
