/* unresolved: needs a function that nobody has. */
#include "tests/plugins/table.h"

int32_t a_function_that_nobody_has(void);

static int32_t request(const koine_ask *ask, koine_out *out)
{
    (void)ask;
    (void)out;
    return a_function_that_nobody_has();
}

static const koine_exchange generate = {.size = sizeof(generate), .request = request, .frame = read_nothing};
static const koine_provider unresolved = {.size = sizeof(unresolved),
                                          .id = "unresolved",
                                          .version = "1.0.0",
                                          .base_url = "https://127.0.0.1:1/v1",
                                          .generate = &generate,
                                          .list_models = &exchange,
                                          .calculate_cost = cost_nothing};

ENTRY(unresolved)
