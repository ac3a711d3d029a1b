/* What the calls of a hub share: latches, pauses, the retry budget, the breaker; and hedging and typed
 * fallback, which depend on them. */
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#include <string.h>

#define OK_TOGETHER ANSWER(TOGETHER, 200, STREAM("a"))
#define OK_OPENAI   ANSWER(OPENAI, 200, STREAM("b"))
#define EVER        .repeat = true
#define BIT(name)   (UINT32_C(1) << KOINE_CLASS_##name)

static const struct koine__limiter_config one_at_a_time = {.requests = -1,
                                                           .tokens = -1,
                                                           .concurrent = 1,
                                                           .queue = 256,
                                                           .window = WORLD_MS(60000),
                                                           .slack = 0,
                                                           .unused_grant = WORLD_MS(250)};

/* Lets everything happen that happens now. world_run would go on for a day. */
static void settle(struct world *world)
{
    world_until(world, world->now / KOINE__MS);
}

/* ---- Latches ---- */

static void wrong_key(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 401, ERROR("bad key"))}, {EVER, OK_OPENAI}, {EVER, OK_TOGETHER});
    world_police(world, NULL);
    ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_sends(world), "0 together | 0 openai");
    ASSERT_STR(world->happened, "latched together auth 300000");
    struct world_call *second = ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_sends(world), "0 together | 0 openai | 0 openai");
    ASSERT_STR(world_rows(second), "openai/b 200 ok 1650000");
    world_until(world, 299999);
    ASK(world, .targets = 2);
    settle(world);
    ASSERT_INT((long long)world_send_count(world), 4);
    world_until(world, 300000);
    ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_sends(world), "0 together | 0 openai | 0 openai | 299999 openai | 300000 together");
    world_free(world);
}

static void new_key(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 401, ERROR("bad key"))}, {OK_OPENAI}, {EVER, OK_TOGETHER});
    world_police(world, NULL);
    ASK(world, .targets = 2);
    settle(world);
    struct koine__secret *other = koine__secret_new("KEY-N", 5);
    koine__secret_unref(world->keys[0]);
    world->keys[0] = world->together.secret = other;
    world_police(world, NULL);
    ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_sends(world), "0 together | 0 openai | 0 together");
    world_free(world);
}

/* Scenario 7 of the specification. */
static void empty_account(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 429,
                      "{\"error\":{\"message\":\"pay\",\"type\":\"insufficient_quota\",\"param\":null,"
                      "\"code\":\"insufficient_quota\"}}")},
              {EVER, OK_OPENAI});
    world_police(world, NULL);
    struct world_call *call = ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_rows(call), "together/a 429 billing 0 | openai/b 200 ok 1650000");
    ASSERT_STR(world->happened, "latched together billing 300000");
    ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_sends(world), "0 together | 0 openai | 0 openai");
    world_free(world);
}

/* A list of models is to be had for nothing, and says nothing of an account. */
static void list_says_nothing_of_an_account(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 402, ERROR("pay"))}, {EVER, OK_OPENAI}, {EVER, ANSWER(TOGETHER, 200, "[]")});
    world_police(world, NULL);
    ASK(world, .targets = 2);
    settle(world);
    struct world_call *list = ASK(world, .targets = 1, .list = true);
    settle(world);
    CU_ASSERT_PTR_NULL(koine_call_error(list->call));
    CU_ASSERT_PTR_NULL(strstr(world->happened, "unlatched"));
    ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_sends(world), "0 together | 0 openai | 0 together | 0 openai");
    world_free(world);
}

static void all_are_latched(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 401, ERROR("bad key"))}, {ANSWER(OPENAI, 401, ERROR("bad key"))},
              {ANSWER(TOGETHER, 401, ERROR("bad key"))}, {OK_TOGETHER}, {OK_TOGETHER});
    world_police(world, NULL);
    ASK(world, .targets = 2);
    settle(world);
    world_until(world, 1000);
    struct world_call *second = ASK(world, .targets = 2); /* one of them, once */
    settle(world);
    ASSERT_STR(world_rows(second), "together/a 401 auth 0");
    struct world_call *third = ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_rows(third), "together/a 200 ok 700000");
    ASSERT_STR(world_sends(world), "0 together | 0 openai | 1000 together | 1000 together");
    CU_ASSERT_PTR_NOT_NULL(strstr(world->happened, "unlatched together"));
    ASK(world, .targets = 2);
    settle(world);
    ASSERT_INT((long long)world_send_count(world), 5);
    world_free(world);
}

static void model_that_is_gone(void)
{
    struct world *world =
        WORLD({ANSWER(OPENAI, 404, ERROR("no such model"))}, {EVER, ANSWER(OPENAI, 200, STREAM("c"))},
              {ANSWER(TOGETHER, 503, ERROR("busy"))}, {EVER, ANSWER(TOGETHER, 503, ERROR("busy"))});
    world_police(world, NULL);
    world->together.retry.max_retries = 0;
    ASK(world, .targets = 3);
    settle(world);
    struct world_call *second = ASK(world, .targets = 3);
    settle(world);
    ASSERT_STR(world_rows(second), "together/a 503 overloaded 0 | openai/c 200 ok 7000000");
    world_free(world);
}

/* ---- Pauses ---- */

/* Scenario 6: nobody waits a day, and nobody else runs into the same wall. */
static void paused_for_a_day(void)
{
    struct world *world = WORLD({.match = TOGETHER,
                                 .status = 429,
                                 HEADERS(HEADER("retry-after", "86400")),
                                 BODY(PIECE(0, ERROR("later")))},
                                {EVER, OK_OPENAI}, {EVER, OK_TOGETHER});
    world_police(world, NULL);
    ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_sends(world), "0 together | 0 openai");
    ASSERT_STR(world->happened, "paused together rate_limit 300000");
    ASK(world, .targets = 2);
    settle(world);
    world_until(world, 294000);
    ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_sends(world), "0 together | 0 openai | 0 openai | 294000 openai");
    ASK(world, .targets = 2);
    world_until(world, 296000); /* four seconds are worth waiting for */
    ASK(world, .targets = 2);
    world_until(world, 301000);
    CU_ASSERT_PTR_NOT_NULL(strstr(world_sends(world), "| 300000 together"));
    world_free(world);
}

static void pause_without_advice(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 429, ERROR("slow down"))}, {EVER, OK_TOGETHER});
    world_police(world, NULL);
    ASK(world, .targets = 1);
    world_until(world, 500);
    ASK(world, .targets = 1);
    world_until(world, 2000);
    ASSERT_STR(world_sends(world), "0 together | 1000 together | 1000 together");
    world_free(world);
}

/* Who would start with less than min_attempt left does not wait for it. */
static void too_late_to_start(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 429, ERROR("slow down"))}, {EVER, OK_TOGETHER});
    world_police(world, NULL);
    world->together.retry.max_retries = 0;
    ASK(world, .targets = 1); /* a pause of a second */
    world_until(world, 100);
    struct world_call *late = ASK(world, .targets = 1, .deadline = WORLD_MS(1800));
    struct world_call *early = ASK(world, .targets = 1, .deadline = WORLD_MS(2000));
    world_until(world, 100);
    ASSERT_STR(late->trace, "fault refused together/a");
    world_until(world, 1000);
    ASSERT_STR(early->trace, READ_STREAM("together/a", "a"));
    world_free(world);
}

#define IN_TWO_SECONDS                                                                                       \
    {                                                                                                        \
        .match = TOGETHER, .status = 429, HEADERS(HEADER("retry-after", "2")),                               \
        BODY(PIECE(0, ERROR("slow down")))                                                                   \
    }

/* Who waits for a connection was let through before there was a pause, and nobody is paused twice. */
static void pause_of_those_in_line(void)
{
    struct world *world = WORLD(IN_TWO_SECONDS, IN_TWO_SECONDS, {EVER, OK_TOGETHER}, {EVER, OK_OPENAI});
    world_police(world, NULL);
    koine__pool_set_limit(&world->pool, 2);
    for (int i = 0; i < 6; i++)
        ASK(world, .targets = 1);
    struct world_call *hurried = ASK(world, .targets = 2, .deadline = WORLD_MS(2500));
    world_until(world, 1999);
    ASSERT_STR(world_sends(world), "0 together | 0 together | 0 openai");
    ASSERT_STR(world->happened, "paused together rate_limit 2000 | refused together refused");
    ASSERT_INT(world->pool.used, 0);
    ASSERT_STR(hurried->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    world_until(world, 2000);
    ASSERT_INT((long long)world_send_count(world), 7);
    for (int i = 2; i < 6; i++)
        ASSERT_STR(world->asked[i].trace, READ_STREAM("together/a", "a"));
    world_run(world);
    ASSERT_INT((long long)world_send_count(world), 9);
    world_free(world);
}

/* They were let through before: a line that is full is no reason to refuse them. */
static void pause_of_more_than_may_wait(void)
{
    const struct koine__limiter_config limits = {.requests = -1,
                                                 .tokens = -1,
                                                 .concurrent = -1,
                                                 .queue = 1,
                                                 .window = WORLD_MS(60000),
                                                 .slack = 0,
                                                 .unused_grant = WORLD_MS(250)};
    struct world *world = WORLD(IN_TWO_SECONDS, {EVER, OK_TOGETHER});
    world_police(world, &limits);
    koine__pool_set_limit(&world->pool, 1);
    for (int i = 0; i < 5; i++)
        ASK(world, .targets = 1);
    settle(world);
    struct world_call *late = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(late->trace, "fault refused together/a");
    ASSERT_INT((long long)world_send_count(world), 6);
    world_free(world);
}

static void latch_of_those_in_line(void)
{
    struct world *world = WORLD({EVER, ANSWER(TOGETHER, 401, ERROR("bad key"))}, {EVER, OK_OPENAI});
    world_police(world, NULL);
    koine__pool_set_limit(&world->pool, 1);
    for (int i = 0; i < 3; i++)
        ASK(world, .targets = 2);
    ASK(world, .targets = 1); /* nothing else is left to it */
    world_run(world);
    ASSERT_STR(world_sends(world), "0 together | 0 together | 0 openai | 0 openai | 0 openai");
    CU_ASSERT_PTR_NOT_NULL(strstr(world->happened, "refused together"));
    for (int i = 0; i < 3; i++)
        ASSERT_STR(world->asked[i].trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(world->asked[3].trace, "fault auth 401 together/a");
    world_free(world);
}

/* Nobody waits in line for longer than leaves the other target its share of the time. */
static void moves_on_in_time(void)
{
    struct world *world =
        WORLD({.match = TOGETHER, .status = 200, BODY(PIECE(9000, STREAM("a")))}, {EVER, OK_OPENAI});
    world_police(world, &one_at_a_time);
    ASK(world, .targets = 1);
    world_until(world, 1);
    struct world_call *call = ASK(world, .targets = 2, .deadline = WORLD_MS(3000));
    world_run(world);
    ASSERT_STR(world_sends(world), "0 together | 1501 openai"); /* half of what is left */
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    world_free(world);
}

/* ---- The retry budget ---- */

/* Scenario 9: a total outage, and no breaker. */
static void outage(void)
{
    struct world *world = WORLD({EVER, ANSWER(TOGETHER, 500, ERROR("broken"))});
    world_police(world, NULL);
    world->together.policies.breaking.failures = -1;
    for (int i = 0; i < 20; i++)
        ASK(world, .targets = 1);
    world_run(world);
    ASSERT_INT((long long)world_send_count(world), 30); /* 20 first attempts, 10 retries */
    CU_ASSERT_PTR_NOT_NULL(strstr(world_message(&world->asked[19]), "the retry budget is empty"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world->happened, "not_retried together server"));
    world_free(world);
}

static void retries_that_succeed(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 500, ERROR("broken"))}, {EVER, OK_TOGETHER});
    world_police(world, NULL);
    ASK(world, .targets = 1);
    world_run(world);
    ASSERT_INT(koine__retry_budget_left(world->together.policies.retry_budget, 100), 100);
    world_free(world);
}

/* ---- The breaker ---- */

static void breaker_opens(void)
{
    struct world *world = WORLD({EVER, ANSWER(TOGETHER, 500, ERROR("broken"))}, {EVER, OK_OPENAI});
    world_police(world, NULL);
    for (int i = 0; i < 2; i++) {
        ASK(world, .targets = 2);
        world_until(world, 7000 + 1000 * i);
    }
    /* The second call's second attempt opened it: its next retry does not happen, and the call moves on. */
    ASSERT_STR(world_sends(world),
               "0 together | 1000 together | 3000 together | 7000 together | 7000 openai | 7000 "
               "together | 8000 openai");
    CU_ASSERT_PTR_NOT_NULL(strstr(world->happened, "opened together"));
    struct world_call *third = ASK(world, .targets = 2);
    settle(world);
    ASSERT_STR(world_rows(third), "openai/b 200 ok 1650000");
    struct world_call *alone = ASK(world, .targets = 1);
    settle(world);
    ASSERT_STR(alone->trace, "fault refused together/a");
    world_free(world);
}

/* Who is in line for the next minute need not stay there. */
static void breaker_opens_before_a_line(void)
{
    const struct koine__limiter_config limits = {.requests = 5,
                                                 .tokens = -1,
                                                 .concurrent = -1,
                                                 .queue = 256,
                                                 .window = WORLD_MS(2000),
                                                 .slack = 0,
                                                 .unused_grant = WORLD_MS(250)};
    struct world *world = WORLD({.repeat = true,
                                 .match = TOGETHER,
                                 .head_after = WORLD_MS(100),
                                 .status = 500,
                                 BODY(PIECE(0, ERROR("broken")))},
                                {EVER, OK_OPENAI});
    world_police(world, &limits);
    world->together.retry.max_retries = 0;
    for (int i = 0; i < 5; i++)
        ASK(world, .targets = 1);
    struct world_call *first = ASK(world, .targets = 2), *second = ASK(world, .targets = 2);
    world_until(world, 100);
    ASSERT_INT((long long)world_send_count(world), 7);
    ASSERT_STR(first->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(second->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world->happened, "opened together"));
    world_free(world);
}

/* ---- Hedging ---- */

#define SILENT .match = TOGETHER, .hang = true

static void hedge_after_silence(void)
{
    struct world *world = WORLD({SILENT}, {OK_OPENAI});
    world_police(world, NULL);
    struct world_call *call = ASK(world, .targets = 2, .hedge_after = WORLD_MS(2000));
    world_run(world);
    ASSERT_STR(world_sends(world), "0 together | 2000 openai");
    ASSERT_STR(call->trace, READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_rows(call), "together/a 0 cancelled ~2800000 | openai/b 200 ok 1650000");
    world_free(world);
}

static void first_one_is_in_time(void)
{
    struct world *world = WORLD({.match = TOGETHER, .status = 200, BODY(PIECE(3000, STREAM("a")))},
                                {.match = OPENAI, .hang = true});
    world_police(world, NULL);
    struct world_call *call = ASK(world, .targets = 2, .hedge_after = WORLD_MS(2000));
    world_run(world);
    ASSERT_STR(world_sends(world), "0 together | 2000 openai");
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world_rows(call), "openai/b 0 cancelled ~"));
    /* the loser made no outage worse: what it took is given back */
    ASSERT_INT(koine__retry_budget_left(world->openai.policies.retry_budget, 100), 100);
    world_free(world);
    world = WORLD(
        {.match = TOGETHER, .status = 200, BODY(PIECE(1900, TEXT("a", "Hel")), PIECE(3000, STREAM("a")))});
    world_police(world, NULL);
    ASK(world, .targets = 2, .hedge_after = WORLD_MS(2000), .complete = true); /* it has begun to answer */
    world_run(world);
    ASSERT_STR(world_sends(world), "0 together");
    world_free(world);
}

static void hedge_that_is_refused(void)
{
    struct world *world =
        WORLD({.match = OPENAI, .status = 200, BODY(PIECE(9000, STREAM("b")))},
              {.match = TOGETHER, .head_after = WORLD_MS(4000), .status = 503, BODY(PIECE(0, ERROR("busy")))},
              {OK_TOGETHER});
    world_police(world, &one_at_a_time);
    world->targets[1].instance = &world->openai;
    struct koine__target first = world->targets[0];
    world->targets[0] = world->targets[1];
    ASK(world, .targets = 1); /* takes openai's only place */
    world_until(world, 1);
    world->targets[0] = first;
    struct world_call *call = ASK(world, .targets = 2, .hedge_after = WORLD_MS(2000));
    world_run(world);
    ASSERT_STR(world_rows(call), "together/a 503 overloaded 0 | together/a 200 ok 700000");
    ASSERT_INT(koine__retry_budget_left(world->openai.policies.retry_budget, 100), 100);
    world_free(world);
}

static void no_hedge_where_it_is_ill(void)
{
    struct world *world = WORLD({EVER, ANSWER(OPENAI, 500, ERROR("broken"))}, {SILENT, EVER});
    world_police(world, NULL);
    world->openai.retry.max_retries = 0;
    for (int i = 0; i < 5; i++) {
        world->together.policies.breaking.failures = -1;
        ASK(world, .targets = 2, .hedge_after = WORLD_MS(100), .deadline = WORLD_MS(2000));
    }
    world_run(world);
    size_t sends = world_send_count(world);
    ASSERT_INT((long long)sends, 10);
    ASK(world, .targets = 2, .hedge_after = WORLD_MS(100), .deadline = WORLD_MS(2000));
    world_run(world);
    ASSERT_INT((long long)world_send_count(world), (long long)sends + 1);
    world_free(world);
}

static void fatal_ends_both(void)
{
    struct world *world =
        WORLD({SILENT},
              {.match = OPENAI, .head_after = WORLD_MS(500), .status = 400, BODY(PIECE(0, ERROR("bad")))});
    world_police(world, NULL);
    struct world_call *call = ASK(world, .targets = 2, .hedge_after = WORLD_MS(1000));
    world_run(world);
    ASSERT_STR(call->trace, "fault invalid 400 openai/b");
    ASSERT_INT(call->ended_ms, 1500);
    world_free(world);
    world =
        WORLD({.match = TOGETHER, .head_after = WORLD_MS(1500), .status = 400, BODY(PIECE(0, ERROR("bad")))},
              {.match = OPENAI, .hang = true});
    world_police(world, NULL);
    call = ASK(world, .targets = 2, .hedge_after = WORLD_MS(1000));
    world_run(world);
    ASSERT_STR(call->trace, "fault invalid 400 together/a");
    ASSERT_INT(call->ended_ms, 1500);
    world_free(world);
}

/* It waits for as long as answers usually take to begin, should that be longer. */
static void usual_pace(void)
{
    struct world *world =
        WORLD({.repeat = true, .match = TOGETHER, .status = 200, BODY(PIECE(3000, STREAM("a")))},
              {EVER, OK_OPENAI});
    world_police(world, NULL);
    for (int i = 0; i < KOINE__PACE_LEAST; i++)
        ASK(world, .targets = 1);
    world_run(world);
    size_t sends = world_send_count(world);
    ASK(world, .targets = 2, .hedge_after = WORLD_MS(2000));
    world_run(world);
    ASSERT_INT((long long)world_send_count(world), (long long)sends + 1);
    world_free(world);
}

/* A hedge that fails for good takes nothing from the other: that is asked again as if there had been none. */
static void lost_hedge_leaves_the_retries(void)
{
    struct world *world =
        WORLD({.match = TOGETHER, .head_after = WORLD_MS(3000), .status = 503, BODY(PIECE(0, ERROR("busy")))},
              {ANSWER(OPENAI, 404, ERROR("no such model"))}, {OK_TOGETHER});
    world_police(world, NULL);
    struct world_call *call = ASK(world, .targets = 2, .hedge_after = WORLD_MS(1000));
    world_until(world, 10000);
    ASSERT_STR(world_sends(world), "0 together | 1000 openai | 4000 together");
    ASSERT_STR(call->trace, "retry together/a 1000 | " READ_STREAM("together/a", "a"));
    world_free(world);
}

/* Nor does one that may not move on, by what the route says, end a target that is well. */
static void hedge_that_stays(void)
{
    struct world *world = WORLD({.match = TOGETHER, .status = 200, BODY(PIECE(4000, STREAM("a")))},
                                {ANSWER(OPENAI, 429, ERROR("slow"))});
    world_police(world, NULL);
    struct world_call *call =
        ASK(world, .targets = 2, .hedge_after = WORLD_MS(1000), .typed = {.stays = BIT(RATE_LIMIT)});
    world_until(world, 10000);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    ASSERT_INT(call->ended_ms, 4000);
    world_free(world);
}

/* A retry after a refused hedge starts from a state of its own size, whatever the other provider keeps. */
static void hedge_with_a_smaller_state(void)
{
    struct world *world =
        WORLD({.match = OPENAI, .status = 200, BODY(PIECE(9000, STREAM("b")))},
              {.match = TOGETHER, .head_after = WORLD_MS(4000), .status = 503, BODY(PIECE(0, ERROR("busy")))},
              {OK_TOGETHER});
    koine_exchange generate = *world->together.provider->generate;
    koine_provider large = *world->together.provider;
    generate.state_size = 4096;
    large.generate = &generate;
    world->together.provider = &large;
    world_police(world, &one_at_a_time);
    struct koine__target first = world->targets[0];
    world->targets[0] = world->targets[1];
    ASK(world, .targets = 1); /* takes openai's only place */
    world_until(world, 1);
    world->targets[0] = first;
    struct world_call *call = ASK(world, .targets = 2, .hedge_after = WORLD_MS(2000));
    world_run(world);
    ASSERT_STR(world_rows(call), "together/a 503 overloaded 0 | together/a 200 ok 700000");
    world_free(world);
}

/* What was taken for a retry that never came is given back. */
static void retries_that_never_come(void)
{
    struct world *world = WORLD({EVER, ANSWER(TOGETHER, 500, ERROR("broken"))});
    world_police(world, NULL);
    world->together.policies.breaking.failures = -1;
    for (int i = 0; i < 20; i++) {
        struct world_call *call = ASK(world, .targets = 1);
        settle(world);
        if (i % 2)
            koine__call_cancel(call->call);
        else
            world_drop(call);
        settle(world);
    }
    ASSERT_INT(koine__retry_budget_left(world->together.policies.retry_budget, 100), 100);
    ASSERT_INT((long long)world_send_count(world), 20);
    world_free(world);
}

/* A target that cannot be asked is no reason to give up on one that can. */
static void the_other_is_latched(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 401, ERROR("key"))}, {ANSWER(OPENAI, 401, ERROR("key"))},
                                {.match = TOGETHER,
                                 .status = 429,
                                 HEADERS(HEADER("retry-after", "10")),
                                 BODY(PIECE(0, ERROR("later")))},
                                {OK_TOGETHER});
    world_police(world, NULL);
    ASK(world, .targets = 2);
    settle(world); /* both are latched now, and the first one is tried all the same */
    struct world_call *call = ASK(world, .targets = 2);
    world_until(world, 20000);
    CU_ASSERT_PTR_NOT_NULL(strstr(call->trace, READ_STREAM("together/a", "a")));
    world_free(world);
}

/* A caller in a hurry says nothing about the provider. */
static void haste(void)
{
    struct world *world = WORLD(
        {EVER, .match = TOGETHER, .head_after = WORLD_MS(3000), .status = 200, BODY(PIECE(0, WHOLE("a")))},
        {EVER, ANSWER(OPENAI, 200, WHOLE("b"))});
    world_police(world, NULL);
    for (int i = 0; i < 6; i++)
        ASK(world, .targets = 2, .whole = true, .deadline = WORLD_MS(4000));
    world_until(world, 5000);
    CU_ASSERT_PTR_NULL(strstr(world->happened, "opened"));
    struct world_call *patient = ASK(world, .targets = 1, .whole = true);
    world_until(world, 10000);
    ASSERT_STR(patient->trace, READ_WHOLE("together/a", "a"));
    world_free(world);
}

/* ---- Typed fallback ---- */

static const char *rows_of(int status, const char *body, struct koine__typed_fallback typed)
{
    static char rows[512];
    const struct koine__replay_chunk chunk = {0, {body, strlen(body)}};
    const struct koine__replay_answer answers[] = {
        {.match = TOGETHER, .status = status, .chunks = &chunk, .chunk_count = 1}, {OK_OPENAI}};
    struct world *world = world_new(answers, 2);
    struct world_call *call = ASK(world, .targets = 2, .typed = typed);
    world->together.retry.max_retries = 0;
    world_run(world);
    snprintf(rows, sizeof(rows), "%s", world_rows(call));
    world_free(world);
    return rows;
}

#define FILTERED                                                                                             \
    "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"content_"   \
    "policy_violation\"}}"

static void typed(void)
{
    const struct koine__typed_fallback none = {0, 0};
    ASSERT_STR(rows_of(400, FILTERED, none), "together/a 400 content_policy 0");
    ASSERT_STR(rows_of(400, FILTERED, (struct koine__typed_fallback){.moves = BIT(CONTENT_POLICY)}),
               "together/a 400 content_policy 0 | openai/b 200 ok 1650000");
    ASSERT_STR(rows_of(401, ERROR("key"), none), "together/a 401 auth 0 | openai/b 200 ok 1650000");
    ASSERT_STR(rows_of(401, ERROR("key"), (struct koine__typed_fallback){.stays = BIT(AUTH)}),
               "together/a 401 auth 0");
    ASSERT_STR(rows_of(429, ERROR("slow"), (struct koine__typed_fallback){.stays = BIT(RATE_LIMIT)}),
               "together/a 429 rate_limit 0");
    ASSERT_STR(rows_of(400, ERROR("bad"), (struct koine__typed_fallback){.moves = BIT(INVALID)}),
               "together/a 400 invalid 0");
}

SUITE_MAIN("sim policies", {"latch: a wrong key", wrong_key}, {"latch: a new key", new_key},
           {"latch: an empty account", empty_account}, {"latch: a list", list_says_nothing_of_an_account},
           {"latch: all of them", all_are_latched}, {"latch: a model that is gone", model_that_is_gone},
           {"pause: for a day", paused_for_a_day}, {"pause: without advice", pause_without_advice},
           {"pause: too late to start", too_late_to_start},
           {"pause: of those in line", pause_of_those_in_line},
           {"pause: of more than may wait", pause_of_more_than_may_wait},
           {"latch: of those in line", latch_of_those_in_line}, {"line: moves on in time", moves_on_in_time},
           {"retry budget: an outage", outage}, {"retry budget: retries that succeed", retries_that_succeed},
           {"breaker: it opens", breaker_opens},
           {"breaker: it opens before a line", breaker_opens_before_a_line},
           {"hedge: after silence", hedge_after_silence},
           {"hedge: the first is in time", first_one_is_in_time}, {"hedge: refused", hedge_that_is_refused},
           {"hedge: not where it is ill", no_hedge_where_it_is_ill},
           {"hedge: what is fatal ends both", fatal_ends_both}, {"hedge: the usual pace", usual_pace},
           {"hedge: lost, and the retries stay", lost_hedge_leaves_the_retries},
           {"hedge: one that stays ends nothing", hedge_that_stays},
           {"hedge: a smaller state", hedge_with_a_smaller_state},
           {"retry budget: retries that never come", retries_that_never_come},
           {"the other target is latched", the_other_is_latched}, {"haste is no failure", haste},
           {"typed fallback", typed})
