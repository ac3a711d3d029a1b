/* Retries and moves along a route, on the virtual clock. */
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#define BUSY(where) {ANSWER(where, 503, ERROR("busy"))}

static void second_retry_answers(void)
{
    struct world *world = WORLD(BUSY(TOGETHER), BUSY(TOGETHER), {ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "retry together/a 1000 | retry together/a 2000 | " READ_STREAM("together/a", "a"));
    ASSERT_STR(world_sends(world), "0 together | 1000 together | 3000 together");
    ASSERT_STR(world_rows(call), "together/a 503 overloaded 0 | together/a 503 overloaded 0 | together/a 200 ok 700000");
    ASSERT_STR(world_cost(call), "700000"); /* 3 × 100000 + 2 × 200000 */
    world_free(world);
}

SUITE_MAIN("retry_sim", {"the second retry answers", second_retry_answers})
