/* old: its table ends before `extension`, as no v1 table does. */
#include "tests/plugins/table.h"

static const koine_provider old = {.size = offsetof(koine_provider, extension), .id = "old", REST};

ENTRY(old)
