/* Budgets around real calls: no retry, no fallback and no number of calls at once leads beyond a limit, but
 * for what a provider bills above its bound; and nothing stays reserved. KOINE_TEST_SEED runs one seed of the
 * random test alone. */
#include "tests/sim/world.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CENT    INT64_C(10000000000)
#define CALLS   16
#define SEEDS   200
#define ANSWERS 12

/* The world's models have a window of 1000 tokens, and so has their longest answer. */
#define WORST_A (INT64_C(301) * 100000 + INT64_C(1000) * 200000) /* of "Hi" at together/a: $0.0002301 */
#define COST_A  INT64_C(700000)                                  /* of what STREAM("a") tells */
#define COST_B  INT64_C(1650000)

static struct koine__budget run;

static struct koine__purse *purse_of(int64_t call, struct koine__budget *budget)
{
    struct koine__budget_config config = {.call = call, .run = -1};
    struct koine__purse *purse = koine__purse_new(&config);
    if (purse && budget)
        koine__purse_add(purse, budget);
    return purse;
}

static void is(struct koine__budget *budget, int64_t spent, int64_t reserved)
{
    struct koine__budget_view view;
    koine__budget_look(budget, &view);
    ASSERT_INT(view.spent, spent);
    ASSERT_INT(view.reserved, reserved);
}

/* A model of which one answer of 1000 tokens costs ten cents, and a prompt nothing. */
static const struct koine__price_row ten_cents = {.input = 0,
                                                  .output = CENT / 100,
                                                  .cache_read = -1,
                                                  .cache_write = -1,
                                                  .reasoning = -1,
                                                  .service_tier = ""};
static const struct koine__model dear = {.provider = "together",
                                         .id = "a",
                                         .retired = "",
                                         .context = 1000,
                                         .max_input = -1,
                                         .max_output = 1000,
                                         .rows = &ten_cents,
                                         .row_count = 1};

/* Part D, scenario 8. */
static void ten_of_sixteen(void)
{
    struct world *world =
        WORLD({.repeat = true, .head_after = WORLD_MS(500), ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *calls[CALLS];
    int answered = 0, refused = 0;
    world->targets[0].known = &dear;
    koine__budget_init(&run, "run", 100 * CENT);
    for (int i = 0; i < CALLS; i++)
        calls[i] = ASK(world, .targets = 1, .purse = purse_of(-1, &run));
    world_until(world, 400);
    is(&run, 0, 100 * CENT);
    ASSERT_INT((long long)world_send_count(world), 10);
    world_run(world);
    for (int i = 0; i < CALLS; i++) {
        ASSERT_INT(calls[i]->terminals, 1);
        answered += strcmp(calls[i]->trace, READ_STREAM("together/a", "a")) == 0;
        refused += strcmp(calls[i]->trace, "fault budget together/a") == 0;
    }
    ASSERT_INT(answered, 10);
    ASSERT_INT(refused, 6);
    ASSERT_STR(
        world_message(calls[15]),
        "the run's budget of $1.00 would be overspent: $0.00 is spent, $1.00 reserved, $0.00 left, and "
        "together/a could cost $0.10; no max_tokens is small enough");
    const koine_error *error = koine_call_error(calls[15]->call);
    ASSERT_STR(koine_error_code(error), "run");
    ASSERT_INT(koine_error_origin(error), KOINE_ORIGIN_POLICY);
    ASSERT_INT((long long)world_send_count(world), 10);
    ASSERT_STR(world_rows(calls[15]), "");
    is(&run, 10 * COST_A, 0);
    world_free(world);
    koine__budget_release(&run);
}

/* Each attempt is cut after it said something: it may be billed, and counts. */
static void retries_stay_within(void)
{
    struct world *world = WORLD({.repeat = true,
                                 .match = TOGETHER,
                                 .status = 200,
                                 .fault_class = KOINE_CLASS_RESET,
                                 BODY(PIECE(0, ROLE("a")))});
    /* An attempt settles at 28 tokens of prompt, by bytes of the body: 2,800,000. */
    struct koine__purse *purse = purse_of(WORST_A + 2800000, NULL);
    struct world_call *call = ASK(world, .targets = 1, .complete = true, .purse = purse);
    world_run(world);
    ASSERT_STR(world_sends(world), "0 together | 1000 together");
    CU_ASSERT_PTR_NOT_NULL(strstr(call->trace, "fault budget together/a"));
    ASSERT_STR(koine_error_code(koine_call_error(call->call)), "call");
    ASSERT_STR(world_rows(call), "together/a 200 reset ~2800000 | together/a 200 reset ~2800000");
    ASSERT_STR(world_cost(call), "~5600000");
    is(&purse->call, 5600000, 0);
    world_free(world);
}

static void fallbacks_stay_within(void)
{
    struct world *world =
        WORLD({.match = TOGETHER, .status = 200, .fault_class = KOINE_CLASS_RESET, BODY(PIECE(0, ROLE("a")))},
              {ANSWER(OPENAI, 200, STREAM("b"))});
    world->together.retry.max_retries = 0;
    struct koine__purse *purse = purse_of(WORST_A + 10, NULL); /* b could cost 301 × 0.15 + 1000 × 0.60 $/M */
    struct world_call *call = ASK(world, .targets = 2, .purse = purse);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | fault budget openai/b");
    ASSERT_STR(
        world_message(call),
        "the call's budget of $0.00023010001 would be overspent: $0.0000028 is spent, $0.00 reserved, "
        "$0.00022730001 left, and openai/b could cost $0.00064515; with max_tokens of 303 it would fit");
    is(&purse->call, 2800000, 0);
    /* And so it does: 301 × 0.15 + 303 × 0.60 is 226,950,000, with some bytes more of the document. */
    struct world *again =
        WORLD({.match = TOGETHER, .status = 200, .fault_class = KOINE_CLASS_RESET, BODY(PIECE(0, ROLE("a")))},
              {ANSWER(OPENAI, 200, STREAM("b"))});
    again->together.retry.max_retries = 0;
    purse = purse_of(WORST_A + 10, NULL);
    call = ASK(again, .targets = 2, .purse = purse,
               .document = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":298}");
    world_run(again);
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    world_free(again);
    world_free(world);
}

static void what_costs_nothing_is_not_counted(void)
{
    struct world *world = WORLD({.match = TOGETHER, .fault_class = KOINE_CLASS_CONNECT},
                                {ANSWER(TOGETHER, 503, ERROR("busy"))}, {ANSWER(TOGETHER, 200, STREAM("a"))});
    struct koine__purse *purse = purse_of(WORST_A, NULL);
    struct world_call *call = ASK(world, .targets = 1, .purse = purse);
    world_run(world);
    ASSERT_STR(world_rows(call),
               "together/a 0 connect 0 | together/a 503 overloaded 0 | together/a 200 ok 700000");
    is(&purse->call, COST_A, 0);
    world_free(world);
}

static void a_provider_that_bills_too_much(void)
{
    struct world *world = WORLD(
        {.repeat = true, ANSWER(TOGETHER, 200, TEXT("a", "Hi") FINISH("a", "stop") USAGE(5000, 2000) DONE)});
    struct koine__budget_view view;
    koine__budget_init(&run, "run", WORST_A);
    struct world_call *first = ASK(world, .targets = 1, .purse = purse_of(-1, &run));
    world_run(world);
    ASSERT_STR(world_cost(first), "900000000"); /* 5000 × 0.10 + 2000 × 0.20 */
    koine__budget_look(&run, &view);
    ASSERT_INT(view.spent, 900000000);
    ASSERT_INT(view.overshot, 900000000 - WORST_A);
    ASSERT_INT(view.reserved, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(world->logged, "target=together/a usd=0.0009 "));
    struct world_call *second = ASK(world, .targets = 1, .purse = purse_of(-1, &run));
    world_run(world);
    ASSERT_STR(second->trace, "fault budget together/a");
    world_free(world);
    koine__budget_release(&run);
}

static void cancelled_settles_by_estimate(void)
{
    struct world *world = WORLD(
        {.match = TOGETHER, .status = 200, .hang = true, BODY(PIECE(10, ROLE("a") TEXT("a", "12345678")))});
    struct koine__purse *purse = purse_of(WORST_A, NULL);
    struct world_call *call = ASK(world, .targets = 1, .purse = purse);
    world_until(world, 100);
    is(&purse->call, 0, WORST_A);
    koine__call_cancel(call->call);
    world_run(world);
    ASSERT_STR(world_cost(call), "~3200000"); /* 28 × 0.10 + 2 × 0.20 */
    is(&purse->call, 3200000, 0);
    world_free(world);
}

/* Freed in the midst of it: it may have to be paid for all the same, and is settled by estimate. */
static void dropped(void)
{
    struct world *world = WORLD({.match = TOGETHER, .hang = true});
    koine__budget_init(&run, "run", CENT);
    struct world_call *call = ASK(world, .targets = 1, .purse = purse_of(-1, &run));
    world_until(world, 100);
    is(&run, 0, WORST_A);
    world_drop(call);
    is(&run, 2800000, 0);                                         /* 28 × 0.10 */
    call = ASK(world, .targets = 1, .purse = purse_of(-1, &run)); /* and before it began */
    world_drop(call);
    is(&run, 2800000, 0); /* 28 × 0.10 */
    world_free(world);
    koine__budget_release(&run);
}

static void unpriced(void)
{
    struct world *world = WORLD({.repeat = true, ANSWER(TOGETHER, 200, STREAM("z"))});
    world->targets[0].model = "z";
    world->targets[0].known = NULL;
    struct world_call *call = ASK(world, .targets = 1, .purse = purse_of(CENT, NULL));
    world_run(world);
    ASSERT_STR(call->trace, "fault budget together/a");
    ASSERT_STR(koine_error_code(koine_call_error(call->call)), "unpriced");
    ASSERT_STR(
        world_message(call),
        "there is a budget, and nobody knows what together/z could cost: its price is not known; add it "
        "to a catalogue, or set price: free or budgets.unpriced: allow");
    struct koine__purse *allowing = purse_of(CENT, NULL);
    allowing->allow_unpriced = true;
    call = ASK(world, .targets = 1, .purse = allowing);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "z"));
    is(&allowing->call, 0, 0);
    world->together.free_of_charge = true;
    struct koine__purse *nothing = purse_of(0, NULL);
    call = ASK(world, .targets = 1, .purse = nothing);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "z"));
    ASSERT_STR(world_cost(call), "free");
    is(&nothing->call, 0, 0);
    world_free(world);
}

static void listing_models_costs_nothing(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, "[{\"id\":\"m\"}]")});
    struct koine__purse *purse = purse_of(0, NULL);
    struct world_call *call = ASK(world, .targets = 1, .list = true, .purse = purse);
    world_run(world);
    CU_ASSERT_PTR_NULL(strstr(call->trace, "fault"));
    is(&purse->call, 0, 0);
    world_free(world);
}

static void a_hedge_is_reserved_too(void)
{
    struct world *world = WORLD({.match = TOGETHER, .hang = true}, {ANSWER(OPENAI, 200, STREAM("b"))});
    struct koine__purse *purse = purse_of(CENT, NULL);
    struct world_call *call = ASK(world, .targets = 2, .purse = purse);
    world_until(world, 10);
    is(&purse->call, 0, WORST_A);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_OK);
    world_run(world);
    ASSERT_STR(world_rows(call), "together/a 0 cancelled ~2800000 | openai/b 200 ok 1650000");
    is(&purse->call, 2800000 + COST_B, 0);
    world_free(world);
}

/* ---- random ---- */

static struct koine__random dice;
static uint64_t seed;

static int64_t below(int64_t bound)
{
    return koine__random_below(&dice, bound);
}

static void expect(bool holds, const char *what)
{
    char text[200];
    if (holds)
        return;
    snprintf(text, sizeof(text), "seed %llu: %s", (unsigned long long)seed, what);
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

static const struct koine__replay_answer script_parts[] = {
    {ANSWER(OPENAI, 200, STREAM("b"))},
    {ANSWER(TOGETHER, 200, STREAM("a"))},
    {ANSWER(TOGETHER, 503, ERROR("busy"))},
    {.match = TOGETHER, .fault_class = KOINE_CLASS_CONNECT},
    {.match = TOGETHER, .status = 200, .fault_class = KOINE_CLASS_RESET, BODY(PIECE(0, ROLE("a")))},
    {.match = TOGETHER, .status = 200, .hang = true, BODY(PIECE(20, TEXT("a", "12345678")))},
    {ANSWER(TOGETHER, 200, TEXT("a", "Hi") FINISH("a", "stop") USAGE(5000, 2000) DONE)},
    {ANSWER(TOGETHER, 200, TEXT("a", "Hi") FINISH("a", "stop") DONE)},
};

static struct koine__replay_answer random_answer(void)
{
    struct koine__replay_answer answer = script_parts[below(sizeof(script_parts) / sizeof(script_parts[0]))];
    answer.head_after = WORLD_MS(below(3000));
    answer.repeat = true;
    answer.match = NULL;
    return answer;
}

static void look(void)
{
    struct koine__budget_view view;
    koine__budget_look(&run, &view);
    expect(view.spent + view.reserved <= view.limit + view.overshot, "more is taken than there is");
    expect(view.reserved >= 0, "less than nothing is reserved");
}

/* What every call says it cost, the parts of faults too. */
static int64_t sum_of_costs(struct world *world)
{
    int64_t sum = 0;
    for (size_t i = 0; i < world->asked_count; i++) {
        koine_cost cost = KOINE_COST_INIT;
        koine_response_cost(world_response(&world->asked[i]), &cost);
        expect(world->asked[i].terminals == 1, "a call did not end once");
        expect(cost.state != KOINE_UNPRICED, "a cost is unknown");
        sum += cost.picodollars;
    }
    return sum;
}

static void random_run(void)
{
    struct koine__replay_answer answers[ANSWERS];
    koine__random_seed(&dice, seed);
    for (size_t i = 0; i < ANSWERS; i++)
        answers[i] = random_answer();
    struct world *world = world_new(answers, (size_t)(1 + below(ANSWERS)));
    koine__budget_init(&run, "run", below(20) * WORST_A);
    for (int64_t ms = 0; ms < 4000; ms += 100) {
        if (world->asked_count < 40 && below(2))
            ASK(world, .targets = (size_t)(1 + below(2)), .complete = below(2), .whole = below(2),
                .deadline = WORLD_MS(2000 + below(20000)),
                .purse = purse_of(below(2) ? -1 : below(4) * WORST_A, &run));
        if (world->asked_count > 0 && below(5) == 0)
            koine__call_cancel(world->asked[below((int64_t)world->asked_count)].call);
        world_until(world, ms);
        look();
    }
    world_run(world);
    look();
    struct koine__budget_view view;
    koine__budget_look(&run, &view);
    expect(view.reserved == 0, "something stays reserved");
    expect(view.spent == sum_of_costs(world), "what is spent is not the sum of the calls' costs");
    world_free(world);
    koine__budget_release(&run);
}

static void whatever_happens(void)
{
    const char *one = getenv("KOINE_TEST_SEED");
    for (seed = one ? strtoull(one, NULL, 10) : 1; seed <= SEEDS || one; seed++) {
        random_run();
        if (one)
            break;
    }
}

static void without_memory(void)
{
    const struct koine__replay_answer answers[] = {{ANSWER(TOGETHER, 503, ERROR("busy"))},
                                                   {ANSWER(TOGETHER, 200, STREAM("a"))}};
    for (long n = 1;; n++) {
        koine__budget_init(&run, "run", CENT);
        failalloc_begin(n);
        struct koine__purse *purse = purse_of(CENT, &run);
        struct world *world = purse ? world_new(answers, 2) : NULL;
        struct world_call *call = world ? ASK(world, .targets = 1, .purse = purse) : NULL;
        if (!world)
            koine__purse_free(purse);
        if (call)
            world_run(world);
        if (world)
            world_free(world);
        bool failed = failalloc_end();
        struct koine__budget_view view;
        koine__budget_look(&run, &view);
        ASSERT_INT(view.reserved, 0);
        CU_ASSERT(view.spent <= WORST_A);
        koine__budget_release(&run);
        if (!failed)
            break;
        CU_ASSERT_FATAL(n < 10000);
    }
}

SUITE_MAIN("sim budgets", {"ten of sixteen", ten_of_sixteen}, {"retries stay within", retries_stay_within},
           {"fallbacks stay within", fallbacks_stay_within},
           {"what costs nothing is not counted", what_costs_nothing_is_not_counted},
           {"a provider that bills too much", a_provider_that_bills_too_much},
           {"cancelled settles by estimate", cancelled_settles_by_estimate}, {"dropped", dropped},
           {"unpriced", unpriced}, {"listing models costs nothing", listing_models_costs_nothing},
           {"a hedge is reserved too", a_hedge_is_reserved_too}, {"whatever happens", whatever_happens},
           {"without memory", without_memory})
