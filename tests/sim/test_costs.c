/* What calls cost: told, estimated, unpriced, free; every expected figure worked out by hand. */
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#include <string.h>

#define WITH_USAGE(usage) "data: {\"choices\":[],\"usage\":{" usage "}}\n\n"

static const char *price_id(const struct world_call *call)
{
    static koine_cost cost;
    cost = (koine_cost)KOINE_COST_INIT;
    koine_response_cost(world_response(call), &cost);
    return cost.price_id;
}

static struct world_call *run(struct world *world)
{
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    return call;
}

static void by_the_row_of_the_day(void)
{
    struct world *world = WORLD({.repeat = true, ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *call = run(world);
    ASSERT_STR(world_cost(call), "700000"); /* 3 × 0.10 + 2 × 0.20 $/M */
    ASSERT_STR(price_id(call), "together/a@2025-01-01");
    world->now = -WORLD_MS(1000) * 86400; /* the day before */
    call = run(world);
    ASSERT_STR(world_cost(call), "940000"); /* 3 × 0.18 + 2 × 0.20 */
    ASSERT_STR(price_id(call), "together/a@2024-01-01");
    world_free(world);
}

static void by_the_model_that_answered(void)
{
    struct world *world =
        WORLD({.repeat = true, ANSWER(OPENAI, 200, STREAM("c"))}, {.match = TOGETHER, .status = 401});
    struct world_call *call = ASK(world, .targets = 2); /* b is asked, and c answers: 3 × 1 + 2 × 2 */
    world_run(world);
    ASSERT_STR(world_cost(call), "7000000");
    ASSERT_STR(price_id(call), "openai/c@2024-01-01");
    ASSERT_STR(koine_response_model(world_response(call)), "c");
    ASSERT_STR(koine_response_target(world_response(call)), "openai/b");
    world_free(world);
}

static void by_the_one_asked_if_the_other_is_unknown(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a-turbo-0125"))});
    struct world_call *call = run(world);
    ASSERT_STR(world_cost(call), "700000");
    ASSERT_STR(price_id(call), "together/a@2025-01-01");
    world_free(world);
}

static void by_the_service_tier(void)
{
    struct world *world = WORLD(
        {.repeat = true, .match = TOGETHER, .status = 401},
        {ANSWER(OPENAI, 200,
                "data: "
                "{\"id\":\"r\",\"model\":\"b\",\"service_tier\":\"flex\",\"choices\":[{\"index\":0,\"delta\":"
                "{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\n" USAGE(3, 2) DONE)},
        {ANSWER(
            OPENAI, 200,
            "data: "
            "{\"id\":\"r\",\"model\":\"b\",\"service_tier\":\"default\",\"choices\":[{\"index\":0,\"delta\":"
            "{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\n" USAGE(3, 2) DONE)});
    struct world_call *flex = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(world_cost(flex), "825000"); /* 3 × 0.075 + 2 × 0.30 */
    ASSERT_STR(price_id(flex), "openai/b@2024-01-01+flex");
    struct world_call *standard = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(world_cost(standard), "1650000");
    world_free(world);
}

static void unknown_is_never_zero(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 503, ERROR("busy"))}, {ANSWER(TOGETHER, 200, STREAM("z"))});
    world->targets[0].model = "z";
    world->targets[0].known = NULL;
    struct world_call *call = run(world);
    ASSERT_STR(world_cost(call), "unpriced");
    ASSERT_STR(world_rows(call), "together/a 503 overloaded 0 | together/a 200 ok unpriced");
    ASSERT_STR(price_id(call), "");
    CU_ASSERT_PTR_NOT_NULL(strstr(world->logged, " output_tokens=2 billing=unknown\n"));
    world_free(world);
}

static void one_unknown_makes_the_sum_unknown(void)
{
    struct world *world =
        WORLD({.match = TOGETHER, .status = 200, .fault_class = KOINE_CLASS_RESET, BODY(PIECE(0, ROLE("z")))},
              {ANSWER(OPENAI, 200, STREAM("b"))});
    world->targets[0].model = "z";
    world->together.retry.max_retries = 0;
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(world_rows(call), "together/a 200 reset ~unpriced | openai/b 200 ok 1650000");
    ASSERT_STR(world_cost(call), "~unpriced");
    world_free(world);
}

static void free_of_charge(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    world->together.free_of_charge = true;
    struct world_call *call = run(world);
    ASSERT_STR(world_cost(call), "free");
    ASSERT_STR(world_rows(call), "together/a 200 ok free");
    world_free(world);
}

static void the_vendors_own_figure(void)
{
    struct world *world = WORLD(
        {ANSWER(TOGETHER, 200,
                TEXT("a", "Hello") FINISH("a", "stop")
                    WITH_USAGE("\"prompt_tokens\":3,\"completion_tokens\":2,\"cost\":0.0000123") DONE)});
    struct world_call *call = run(world);
    ASSERT_STR(world_cost(call), "12300000");
    ASSERT_STR(price_id(call), "vendor");
    world_free(world);
}

static void usage_that_nobody_told(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, TEXT("a", "123456789") FINISH("a", "stop") DONE)});
    struct world_call *call = run(world);
    koine_usage usage = KOINE_USAGE_INIT;
    koine_response_usage(world_response(call), &usage);
    ASSERT_INT(usage.input, 28); /* 111 bytes */
    ASSERT_INT(usage.output, 3);
    ASSERT_INT(usage.cache_read, -1);
    ASSERT_INT(usage.estimated, KOINE_BUCKET_INPUT | KOINE_BUCKET_OUTPUT);
    ASSERT_STR(world_cost(call), "~3400000"); /* 28 × 0.10 + 3 × 0.20 */
    ASSERT_STR(call->trace, "start together/a a | text 123456789 | stop stop together/a");
    world_free(world);
}

static void half_of_it_told(void)
{
    struct world *world = WORLD({ANSWER(
        TOGETHER, 200, TEXT("a", "12345678") FINISH("a", "stop") WITH_USAGE("\"prompt_tokens\":5") DONE)});
    struct world_call *call = run(world);
    koine_usage usage = KOINE_USAGE_INIT;
    koine_response_usage(world_response(call), &usage);
    ASSERT_INT(usage.input, 5);
    ASSERT_INT(usage.output, 2);
    ASSERT_INT(usage.estimated, KOINE_BUCKET_OUTPUT);
    ASSERT_STR(world_cost(call), "~900000");
    world_free(world);
}

/* The last word holds, and it is absolute. */
static void usage_in_every_chunk(void)
{
    struct world *world = WORLD({ANSWER(
        TOGETHER, 200, TEXT("a", "1") USAGE(3, 1) TEXT("a", "2") USAGE(3, 2) FINISH("a", "stop") DONE)});
    struct world_call *call = run(world);
    ASSERT_STR(call->trace,
               "start together/a a | text 1 | usage 3/1 | text 2 | usage 3/2 | stop stop together/a");
    ASSERT_STR(world_cost(call), "700000");
    world_free(world);
}

static void buckets(void)
{
    struct world *world = WORLD({ANSWER(
        TOGETHER, 200,
        TEXT("a", "1") FINISH("a", "stop") WITH_USAGE(
            "\"prompt_tokens\":10,\"completion_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":4},"
            "\"completion_tokens_details\":{\"reasoning_tokens\":5}") DONE)});
    struct world_call *call = run(world);
    koine_usage usage = KOINE_USAGE_INIT;
    koine_response_usage(world_response(call), &usage);
    ASSERT_INT(usage.input, 6);
    ASSERT_INT(usage.cache_read, 4);
    ASSERT_INT(usage.output, 2);
    ASSERT_INT(usage.reasoning, 5);
    ASSERT_INT(usage.estimated, 0);
    ASSERT_STR(world_cost(call), "2400000"); /* no other rates: 10 × 0.10 + 7 × 0.20 */
    world_free(world);
}

static void a_retired_model(void)
{
    struct world *world = WORLD({.match = TOGETHER, .status = 401}, {.match = OPENAI, .status = 401},
                                {ANSWER(OPENAI, 200, STREAM("c"))});
    struct world_call *call = ASK(world, .targets = 3);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | switch openai/c | " READ_STREAM("openai/c", "c"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world->logged, "event=retired"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world->logged, "target=openai/c since=2024-12-01"));
    world_free(world);
}

SUITE_MAIN("sim costs", {"by the row of the day", by_the_row_of_the_day},
           {"by the model that answered", by_the_model_that_answered},
           {"by the one asked if the other is unknown", by_the_one_asked_if_the_other_is_unknown},
           {"by the service tier", by_the_service_tier}, {"unknown is never zero", unknown_is_never_zero},
           {"one unknown makes the sum unknown", one_unknown_makes_the_sum_unknown},
           {"free of charge", free_of_charge}, {"the vendor's own figure", the_vendors_own_figure},
           {"usage that nobody told", usage_that_nobody_told}, {"half of it told", half_of_it_told},
           {"usage in every chunk", usage_in_every_chunk}, {"buckets", buckets},
           {"a retired model", a_retired_model})
