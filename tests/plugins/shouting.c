/* shouting: an id that is none. */
#include "tests/plugins/table.h"

static const koine_provider shouting = {.size = sizeof(shouting), .id = "SHOUTING", REST};

ENTRY(shouting)
