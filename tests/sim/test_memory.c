/* Every allocation of a run fails once: the run ends all the same, with the same answer or with class memory.
 */
#include "tests/sim/world.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scenario {
    const struct koine__replay_answer *answers;
    size_t count;
    struct world_ask ask;
    void (*prepare)(struct world *world);
};

/* What must not change: the answer from its start on, the ledger and the cost. Which retries and moves came
 * before it may go untold. */
static void describe(struct world_call *call, char *ret, size_t size)
{
    const char *start = strstr(call->trace, "start "), *end = strrchr(call->trace, '|');
    const char *told = start ? start : end ? end + 2 : call->trace;
    snprintf(ret, size, "%.4000s # ", told);
    size_t used = strlen(ret);
    snprintf(ret + used, size - used, "%.2000s # ", world_rows(call));
    used = strlen(ret);
    snprintf(ret + used, size - used, "%.100s # %.2000s", world_cost(call), world_text(call));
}

static void expect_memory(const struct world_call *call, long n, const char *described, const char *expected)
{
    char text[9000];
    if (strstr(call->trace, "fault memory"))
        return;
    snprintf(text, sizeof(text), "allocation %ld: %.4000s, not %.4000s", n, described, expected);
    CU_assertImplementation(strcmp(described, expected) == 0, __LINE__, text, __FILE__, "", CU_FALSE);
}

static void run(const struct scenario *scenario, long n, char *expected, size_t size)
{
    char described[8192];
    struct world *world = world_new(scenario->answers, scenario->count);
    if (!world)
        return;
    if (scenario->prepare)
        scenario->prepare(world);
    struct world_call *call = world_ask(world, &scenario->ask);
    if (call) {
        world_run(world);
        CU_ASSERT(call->terminals == 1);
        describe(call, n ? described : expected, n ? sizeof(described) : size);
        if (n)
            expect_memory(call, n, described, expected);
    }
    world_free(world);
}

static void torture(const struct scenario *scenario)
{
    char expected[8192] = "";
    long n = 0;
    run(scenario, 0, expected, sizeof(expected));
    CU_ASSERT_PTR_NULL(strstr(expected, "fault memory"));
    do {
        failalloc_begin(++n);
        run(scenario, n, expected, sizeof(expected));
    } while (failalloc_end());
    CU_ASSERT(n > 40);
}

#define TORTURE(prepare_, ask_, ...)                                                                         \
    do {                                                                                                     \
        const struct koine__replay_answer answers[] = {__VA_ARGS__};                                         \
        torture(&(struct scenario){answers, sizeof(answers) / sizeof(answers[0]), ask_, prepare_});          \
    } while (0)
#define ASKED(...)                                                                                           \
    (struct world_ask)                                                                                       \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

static void whole(void)
{
    TORTURE(NULL, ASKED(.whole = true, .complete = true),
            {.repeat = true, ANSWER(TOGETHER, 200, WHOLE("a"))});
}

static void streamed(void)
{
    TORTURE(NULL, ASKED(.targets = 1),
            {.split = 7, ANSWER(TOGETHER, 200, STREAM("a")), HEADERS(HEADER("x-request-id", "q"))});
}

static void fallback(void)
{
    TORTURE(NULL, ASKED(.targets = 2), {.repeat = true, ANSWER(TOGETHER, 503, ERROR("busy"))},
            {ANSWER(OPENAI, 200, STREAM("b"))});
}

static void moves_in_the_middle(void)
{
    TORTURE(NULL, ASKED(.complete = true),
            {.repeat = true,
             .match = TOGETHER,
             .status = 200,
             .fault_class = KOINE_CLASS_RESET,
             BODY(PIECE(5, ROLE("a") TEXT("a", "Hel")))},
            {ANSWER(OPENAI, 200, STREAM("b"))});
}

static void fails_in_the_end(void)
{
    TORTURE(NULL, ASKED(.targets = 2), {ANSWER(TOGETHER, 401, ERROR("wrong key"))},
            {ANSWER(OPENAI, 400, ERROR("bad"))});
}

static void breaks_after_text(void)
{
    TORTURE(NULL, ASKED(.targets = 2),
            {.match = TOGETHER,
             .status = 200,
             .fault_class = KOINE_CLASS_RESET,
             BODY(PIECE(5, ROLE("a") TEXT("a", "Hel")))});
}

static void change_document(struct world *world)
{
    static const struct koine__member members[] = {{"temperature", "0.1"}, {"top_p", NULL}};
    for (size_t i = 0; i < 2; i++) {
        world->targets[i].members = members;
        world->targets[i].member_count = 2;
    }
}

static void notices_and_changes(void)
{
    TORTURE(change_document, ASKED(.document = "{\"messages\":[],\"user\":\"u\",\"stop\":\"#\",\"top_p\":1}"),
            {ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("retry-after", "90"))},
            {ANSWER(OPENAI, 200, STREAM("b"))});
}

static void tools_and_extras(void)
{
    TORTURE(
        NULL, ASKED(.targets = 1),
        {ANSWER(
            TOGETHER, 200,
            CHUNK("a",
                  "{\"reasoning\":\"hm\",\"tool_calls\":[{\"index\":0,\"id\":\"x\",\"function\":{\"name\":"
                  "\"f\",\"arguments\":\"{\\\"n\"}}]},\"logprobs\":{\"x\":1}",
                  "null")
                CHUNK("a",
                      "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\":1}\"}},{\"index\":1,"
                      "\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]},\"logprobs\":{\"x\":2}",
                      "null") FINISH("a", "stop") USAGE(3, 2) DONE)});
}

static void models(void)
{
    TORTURE(NULL, ASKED(.list = true, .complete = true, .targets = 1),
            {ANSWER(TOGETHER, 200,
                    "[{\"id\":\"x\",\"display_name\":\"X\",\"organization\":\"o\"},{\"id\":\"y\"}]")});
}

static void make_slow(struct world *world)
{
    world_slow(world, WORLD_MS(10));
    koine__pool_set_limit(&world->pool, 1);
}

static void slow_providers(void)
{
    TORTURE(make_slow, ASKED(.targets = 2), {ANSWER(TOGETHER, 500, ERROR("x"))},
            {.split = 9, ANSWER(TOGETHER, 200, STREAM("a"))});
}

/* Two calls and one connection: a waiter without memory holds nobody up. */
static void waiting_in_line(void)
{
    const struct koine__replay_answer answers[] = {
        {.repeat = true, .match = TOGETHER, .status = 200, BODY(PIECE(1000, STREAM("a")))}};
    long n = 0;
    do {
        failalloc_begin(++n);
        struct world *world = world_new(answers, 1);
        if (world) {
            koine__pool_set_limit(&world->pool, 1);
            struct world_call *calls[3];
            for (size_t i = 0; i < 3; i++)
                calls[i] = ASK(world, .targets = 1);
            world_run(world);
            for (size_t i = 0; i < 3; i++)
                CU_ASSERT(!calls[i] || strstr(calls[i]->trace, "stop stop") ||
                          strstr(calls[i]->trace, "fault memory"));
            world_free(world);
        }
    } while (failalloc_end());
}

static void with_a_canceller(void)
{
    const struct koine__replay_answer answers[] = {{.match = TOGETHER, .hang = true}};
    long n = 0;
    do {
        koine_canceller *canceller = NULL;
        failalloc_begin(++n);
        struct world *world = world_new(answers, 1);
        int rc = world ? koine_canceller_new(&canceller) : KOINE_EMEMORY;
        struct world_call *call = rc == KOINE_OK ? ASK(world, .targets = 1, .canceller = canceller) : NULL;
        if (call) {
            world_until(world, 100);
            koine_cancel(canceller);
            world_run(world);
            CU_ASSERT(strstr(call->trace, "fault cancelled") || strstr(call->trace, "fault memory"));
        }
        koine_canceller_free(canceller);
        if (world)
            world_free(world);
    } while (failalloc_end());
}

static void hedged(void)
{
    const struct koine__replay_answer answers[] = {{.match = TOGETHER, .hang = true},
                                                   {ANSWER(OPENAI, 200, STREAM("b"))}};
    long n = 0;
    do {
        failalloc_begin(++n);
        struct world *world = world_new(answers, 2);
        struct world_call *call = world ? ASK(world, .targets = 2) : NULL;
        if (call) {
            world_until(world, 100);
            int rc = koine__call_hedge(call->call);
            CU_ASSERT(rc == KOINE_OK || rc == KOINE_EMEMORY || rc == KOINE_ENOTFOUND);
            if (rc != KOINE_OK)
                koine__call_cancel(call->call);
            world_run(world);
            CU_ASSERT(rc != KOINE_OK || strstr(call->trace, "stop stop openai/b") ||
                      strstr(call->trace, "fault memory"));
        }
        if (world)
            world_free(world);
    } while (failalloc_end());
}

SUITE_MAIN("sim memory", {"whole", whole}, {"streamed", streamed}, {"fallback", fallback},
           {"moves in the middle", moves_in_the_middle}, {"fails in the end", fails_in_the_end},
           {"breaks after text", breaks_after_text}, {"notices and changes", notices_and_changes},
           {"tools and extras", tools_and_extras}, {"models", models}, {"slow providers", slow_providers},
           {"waiting in line", waiting_in_line}, {"with a canceller", with_a_canceller}, {"hedged", hedged})
