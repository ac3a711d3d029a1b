/* homeless: knows no server that is everybody's. */
#include "tests/plugins/table.h"

static const koine_provider homeless = {.size = sizeof(homeless),
                                        .id = "homeless",
                                        .version = "1.0.0",
                                        .base_url = NULL,
                                        .key_variable = "TEST_API_KEY",
                                        .generate = &exchange,
                                        .list_models = &exchange,
                                        .calculate_cost = cost_nothing};
ENTRY(homeless)
