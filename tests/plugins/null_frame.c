/* null_frame: cannot read what it asks for. */
#include "tests/plugins/table.h"

static const koine_exchange half = {.size = sizeof(half), .request = write_nothing};
static const koine_provider null_frame = {.size = sizeof(null_frame),
                                          .id = "null_frame",
                                          .version = "1.0.0",
                                          .base_url = "https://127.0.0.1:1/v1",
                                          .generate = &half,
                                          .list_models = &exchange,
                                          .calculate_cost = cost_nothing};

ENTRY(null_frame)
