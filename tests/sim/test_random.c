/* Random scripts: whatever a network and an application do, the promises of a call hold. KOINE_TEST_SEED runs
 * one seed alone, KOINE_TEST_RUNS more or fewer of them. */
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS    500
#define ANSWERS 16
#define PIECES  8

static struct koine__random random_state;
static uint64_t seed;

static int64_t below(int64_t bound)
{
    return koine__random_below(&random_state, bound);
}

static bool once_in(int64_t n)
{
    return below(n) == 0;
}

static void expect(bool holds, const char *what, const struct world_call *call)
{
    char text[2048];
    if (holds)
        return;
    snprintf(text, sizeof(text), "seed %llu: %s: %.1500s", (unsigned long long)seed, what,
             call ? call->trace : "");
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

/* ---- A script ---- */

struct script {
    struct koine__replay_answer answers[ANSWERS];
    struct koine__replay_chunk chunks[ANSWERS][PIECES];
};

static const char *random_piece(void)
{
    static const char *const pieces[] = {ROLE("a"),
                                         TEXT("a", "Hel"),
                                         TEXT("a", "lo"),
                                         FINISH("a", "stop"),
                                         USAGE(3, 2),
                                         DONE,
                                         ": comment\n\n",
                                         "data: " ERROR("sorry") "\n\n",
                                         "data: {\"choices\":[\n\n",
                                         "<html>",
                                         "data: [DO",
                                         "event: ping\ndata: {}\n\n",
                                         CHUNK("a",
                                               "{\"tool_calls\":[{\"index\":0,\"id\":\"x\",\"function\":{"
                                               "\"name\":\"f\",\"arguments\":\"{}\"}}]}",
                                               "null"),
                                         WHOLE("a"),
                                         STREAM("a"),
                                         STREAM("b"),
                                         "{\"error\":{\"message\":\"m\",\"code\":\"insufficient_quota\"}}"};
    return pieces[below(sizeof(pieces) / sizeof(pieces[0]))];
}

static int64_t random_wait(void)
{
    static const int64_t waits[] = {0, 0, 0, 1, 20, 900, 5000, 40000, 61000};
    return WORLD_MS(waits[below(sizeof(waits) / sizeof(waits[0]))]);
}

static void random_body(struct koine__replay_answer *answer, struct koine__replay_chunk *chunks)
{
    answer->chunks = chunks;
    answer->chunk_count = (size_t)below(PIECES + 1);
    for (size_t i = 0; i < answer->chunk_count; i++)
        chunks[i] = (struct koine__replay_chunk){random_wait(), koine__str(random_piece())};
    if (once_in(2)) { /* a good one */
        answer->status = 200;
        answer->chunk_count = 1;
        chunks[0].bytes = koine__str(once_in(2) ? STREAM("a") : WHOLE("a"));
    }
}

static void random_answer(struct koine__replay_answer *answer, struct koine__replay_chunk *chunks)
{
    static const int statuses[] = {200, 200, 200, 200, 301, 400, 401, 403, 404, 413, 429, 500, 503};
    static const int faults[] = {KOINE_CLASS_NONE,    KOINE_CLASS_NONE,  KOINE_CLASS_NONE,
                                 KOINE_CLASS_CONNECT, KOINE_CLASS_RESET, KOINE_CLASS_PROTOCOL};
    static const struct koine__header advice[] = {HEADER("Retry-After", "3")};
    *answer = (struct koine__replay_answer){
        .connect_after = random_wait(),
        .head_after = random_wait(),
        .status = once_in(12) ? 0 : statuses[below(sizeof(statuses) / sizeof(statuses[0]))],
        .split = once_in(2) ? 0 : (size_t)below(70) + 1,
        .fault_class = faults[below(sizeof(faults) / sizeof(faults[0]))],
        .hang = once_in(6),
        .headers = advice,
        .header_count = once_in(4),
    };
    random_body(answer, chunks);
}

static void random_script(struct script *script)
{
    for (size_t i = 0; i < ANSWERS; i++)
        random_answer(&script->answers[i], script->chunks[i]);
}

/* ---- A run ---- */

static struct world *random_world(const struct script *script)
{
    struct world *world = world_new(script->answers, ANSWERS);
    koine__random_seed(&world->engine.random, seed);
    world->together.retry.jitter = world->openai.retry.jitter = below(KOINE__JITTER_PROPORTIONAL + 1);
    world->together.retry.max_retries = below(5);
    world->openai.retry.max_retries = below(5);
    world->together.free_of_charge = once_in(10);
    if (once_in(10))
        world->together.provider = NULL;
    if (once_in(3))
        world_slow(world, WORLD_MS(below(3000)));
    return world;
}

static struct world_ask random_ask(void)
{
    return (struct world_ask){
        .document = once_in(4) ? "{\"messages\":[],\"user\":\"u\",\"top_k\":3}" : NULL,
        .whole = once_in(2),
        .complete = once_in(2),
        .list = once_in(10),
        .targets = (size_t)below(3) + 1,
        .deadline = once_in(3) ? WORLD_MS(below(90000)) : 0,
        .max_attempts = below(8) + 1,
    };
}

/* What an application may do meanwhile. */
static void interfere(struct world *world, struct world_call *call)
{
    for (int64_t left = below(4); left > 0; left--) {
        world_until(world, world->now / KOINE__MS + below(20000));
        world->deaf = once_in(4);
        if (once_in(5))
            koine__call_cancel(call->call);
        else if (once_in(3))
            koine__call_hedge(call->call);
    }
    world->deaf = false;
}

static void check_rows(const struct world *world, const struct world_call *call, const struct world_ask *ask)
{
    const koine_response *response = world_response(call);
    int64_t sum = 0;
    bool unpriced = false;
    expect(koine_response_attempt_count(response) == world_send_count(world), "rows and requests differ",
           call);
    expect(world_send_count(world) <= (size_t)ask->max_attempts, "more attempts than allowed", call);
    for (size_t i = 0; i < koine_response_attempt_count(response); i++) {
        koine_cost cost = KOINE_COST_INIT;
        koine_response_attempt_cost(response, i, &cost);
        sum += cost.picodollars;
        unpriced |= cost.state == KOINE_UNPRICED;
    }
    koine_cost cost = KOINE_COST_INIT;
    koine_response_cost(response, &cost);
    expect((cost.state == KOINE_UNPRICED) == unpriced, "a price appeared or got lost", call);
    expect(unpriced || cost.picodollars == sum, "the costs do not add up", call);
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)); text += strlen(word))
        count++;
    return count;
}

static void check(const struct world *world, const struct world_call *call, const struct world_ask *ask)
{
    const char *start = strstr(call->trace, "start ");
    expect(call->terminals == 1, "not one terminal event", call);
    expect(world_response(call) != NULL, "no record of what there was", call);
    if (call->terminals != 1 || !world_response(call))
        return;
    check_rows(world, call, ask);
    expect(!call->has_content || call->sent_at_content == world_send_count(world), "a request after content",
           call);
    expect(count_of(call->trace, "start ") <= 1, "two answers in one", call);
    if (start) {
        expect(!strstr(start, "switch ") && !strstr(start, "retry "), "a move after the start", call);
        expect(!strstr(start, "fault ") || !ask->complete, "a held answer was delivered in part", call);
    }
    int64_t deadline = ask->deadline ? ask->deadline / KOINE__MS : 600000;
    expect(koine_response_ms(world_response(call)) <= deadline, "it ended after its deadline", call);
}

static void one_run(void)
{
    static struct script script;
    koine__random_seed(&random_state, seed);
    random_script(&script);
    struct world *world = random_world(&script);
    struct world_ask ask = random_ask();
    struct world_call *call = world_ask(world, &ask);
    interfere(world, call);
    world_run(world);
    check(world, call, &ask);
    world_free(world);
}

static void promises_hold(void)
{
    const char *only = getenv("KOINE_TEST_SEED"), *runs = getenv("KOINE_TEST_RUNS");
    uint64_t last = runs ? strtoull(runs, NULL, 10) : RUNS;
    seed = only ? strtoull(only, NULL, 10) : 1;
    for (last = only ? seed : last; seed <= last; seed++) {
        unsigned before = CU_get_number_of_failures();
        one_run();
        if (CU_get_number_of_failures() != before)
            printf("# KOINE_TEST_SEED=%llu\n", (unsigned long long)seed);
    }
}

SUITE_MAIN("sim random", {"the promises hold", promises_hold})
