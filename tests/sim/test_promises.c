/* The table of safety and liveness of the specification, part D: a test for each component, in a town that is
 * made for it, and with the pure parts by themselves. The oracles of the town judge every step. */
#include "core/policy/policies.h"
#include "tests/sim/town.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

#define SEEDS      4
#define MINUTES(n) ((n)*60 * KOINE__SEC)
#define FIRST      "routes.default.targets", "[together/" LLAMA "]"
#define BOTH       "routes.default.targets", "[together/" LLAMA ", openai/gpt-4o-mini]"
#define SETTINGS   static const char *const settings[] =

struct shape {
    const char *const *settings;
    size_t clients;
    unsigned calls;
    int64_t within;
    void (*form)(struct town *town);  /* its servers, and who comes */
    void (*judge)(struct town *town); /* beyond what always holds; may be NULL */
};

static bool run_shape(const struct shape *shape, uint64_t seed)
{
    static struct town town;
    if (!town_open(&town, seed, shape->clients, shape->settings))
        return false;
    town.late = 50;
    town_visit(&town, shape->calls, shape->within);
    shape->form(&town);
    town_run(&town);
    town_judge(&town);
    if (shape->judge && !town.wrong[0])
        shape->judge(&town);
    town_recover(&town);
    town_report(&town, "tests/sim/test_promises");
    town_close(&town);
    return true;
}

static void run_shapes(const struct shape *shape)
{
    for (uint64_t seed = 1; seed <= SEEDS && run_shape(shape, seed); seed++)
        ;
}

/* Nobody cancels, everybody has time. */
static void be_patient(struct town *town)
{
    size_t kept = 0;
    for (size_t i = 0; i < town->agenda_count; i++) {
        if (town->agenda[i].kind == TOWN_CALL)
            town->agenda[kept++] = town->agenda[i];
    }
    town->agenda_count = kept;
    for (size_t i = 0; i < town->call_count; i++)
        town->calls[i]->timeout = MINUTES(60);
}

static void use_the_route(struct town *town)
{
    for (size_t i = 0; i < town->call_count; i++)
        town->calls[i]->single = false;
}

/* ---- retry ---- */

static void fails_in_all_ways(struct town *town)
{
    for (int way = SERVER_REFUSES; way < SERVER_WAYS; way++)
        town->servers[0].per_mille[way] = 60;
    town->servers[1].per_mille[SERVER_CUTS] = 300;
}

static void retry_safety(void)
{
    SETTINGS{BOTH,  "providers.together.retry.jitter", "full", "providers.together.breaker.failures",
             "off", "providers.together.latch",        "off",  NULL};
    run_shapes(&(struct shape){settings, 2, 120, MINUTES(1), fails_in_all_ways, NULL});
}

static void fails_always(struct town *town)
{
    town->servers[0].per_mille[SERVER_FAILS] = 1000;
    be_patient(town);
}

static void judge_four_attempts(struct town *town)
{
    for (size_t i = 0; i < town->call_count; i++)
        ASSERT_INT(town->calls[i]->oracle.starts, 4);
    ASSERT_INT(town_count(town, KOINE_CLASS_SERVER), town->call_count);
}

static void retry_liveness(void)
{
    SETTINGS{FIRST, "providers.together.retry.budget", "off", "providers.together.breaker.failures", "off",
             NULL};
    run_shapes(&(struct shape){settings, 2, 40, MINUTES(1), fails_always, judge_four_attempts});
}

static void delays_keep_their_bounds(void)
{
    struct koine__random random;
    struct koine__fault fault = koine__no_fault;
    koine__random_seed(&random, 1);
    fault.class_number = KOINE_CLASS_SERVER;
    for (int draw = 0; draw < 1000000; draw++) {
        struct koine__retry_config config = {.max_retries = 20,
                                             .base_delay = koine__random_below(&random, 3 * KOINE__SEC) + 1,
                                             .max_delay = 20 * KOINE__SEC,
                                             .multiplier = 1000000 + koine__random_below(&random, 3000000),
                                             .jitter = draw % 5,
                                             .retry_after_cap = 60 * KOINE__SEC,
                                             .move_on_after = 60 * KOINE__SEC};
        struct koine__retry_state state = {.retries = (unsigned)koine__random_below(&random, 6)};
        struct koine__retry_ask ask = {.fault = &fault, .deadline = KOINE__NEVER, .attempts_left = 1};
        unsigned i = state.retries;
        fault.retry_after_ns = draw % 4 ? -1 : koine__random_below(&random, 60 * KOINE__SEC);
        struct koine__retry_verdict verdict = koine__retry_decide(&config, &state, &ask, &random);
        const char *wrong =
            verdict.again ? oracle_delay(&config, i, fault.retry_after_ns, verdict.at) : "not retried";
        if (wrong) {
            ASSERT_STR(wrong, NULL);
            return;
        }
    }
}

/* ---- retry budget ---- */

static void fails_often(struct town *town)
{
    town->servers[0].per_mille[SERVER_FAILS] = 400;
    town->servers[0].per_mille[SERVER_IS_OVERLOADED] = 200;
}

static void retry_budget_safety(void)
{
    SETTINGS{BOTH, "providers.together.retry.budget", "50", "providers.together.breaker.failures", "off",
             NULL};
    run_shapes(&(struct shape){settings, 3, 150, MINUTES(1), fails_often, NULL});
}

static void retry_budget_liveness(void)
{
    struct koine__retry_budget budget = {0};
    int taken = 0;
    while (koine__retry_budget_take(&budget, 100, 10))
        taken++;
    ASSERT_INT(taken, 10);
    ASSERT_INT(koine__retry_budget_left(&budget, 100), 0);
    for (int successes = 0; successes < 99; successes++)
        koine__retry_budget_give(&budget, 1);
    ASSERT_INT(koine__retry_budget_left(&budget, 100), 99);
    for (int successes = 0; successes < 9; successes++)
        koine__retry_budget_give(&budget, 1);
    ASSERT_INT(koine__retry_budget_left(&budget, 100), 100); /* and never beyond */
    CU_ASSERT(koine__retry_budget_take(&budget, 100, 10));
    ASSERT_INT(koine__retry_budget_left(&budget, 100), 90);
}

/* ---- limiter ---- */

static void answers_well(struct town *town)
{
    be_patient(town);
    town_sleeps(town, 10, MINUTES(2), 3 * KOINE__SEC);
}

static void judge_all_answered(struct town *town)
{
    ASSERT_INT(town_count(town, KOINE_CLASS_NONE), town->call_count);
    CU_ASSERT(town->seen[0].limiter.most_held <= 3);
}

static void limiter_liveness(void)
{
    SETTINGS{FIRST,  "providers.together.limits.requests_per_minute",
             "20",   "providers.together.limits.concurrent",
             "3",    "providers.together.limits.queue",
             "1000", NULL};
    run_shapes(&(struct shape){settings, 4, 100, MINUTES(2), answers_well, judge_all_answered});
}

static void is_mixed(struct town *town)
{
    fails_in_all_ways(town);
    town_sleeps(town, 20, MINUTES(3), 5 * KOINE__SEC);
}

static void limiter_safety(void)
{
    SETTINGS{BOTH,   "providers.together.limits.requests_per_minute",
             "30",   "providers.together.limits.tokens_per_minute",
             "4000", "providers.together.limits.concurrent",
             "5",    "providers.openai.limits.concurrent",
             "2",    NULL};
    run_shapes(&(struct shape){settings, 4, 150, MINUTES(3), is_mixed, NULL});
}

/* ---- breaker: against the brute-force one, over random traces ---- */

struct guests { /* who was let through and has not ended */
    struct koine__breaker_pass passes[8];
    bool inside[8];
    bool answered[8]; /* a probe's answer began, and was judged for it */
};
static struct koine__breaker *real;
static struct oracle_breaker oracle;
static struct guests guests;

static const char *come(int64_t now, size_t i, const struct koine__breaker_config *config, int64_t ends_by)
{
    struct koine__breaker_change change;
    int64_t until;
    bool refused = !koine__breaker_enter(real, config, now, koine__time_add(ends_by, KOINE__BREAKER_GRACE),
                                         &guests.passes[i], &until, &change);
    guests.inside[i] = !refused;
    guests.answered[i] = false;
    return oracle_breaker_enter(&oracle, &guests.passes[i], now, ends_by, false, refused);
}

static const char *answer(int64_t now, size_t i, const struct koine__breaker_config *config)
{
    struct koine__breaker_change change;
    int64_t until;
    if (guests.passes[i].probe) {
        guests.answered[i] = true;
        koine__breaker_record(real, config, now, &guests.passes[i], KOINE__VERDICT_SUCCESS, &change);
    }
    return oracle_breaker_answers(&oracle, &guests.passes[i], now,
                                  koine__breaker_look(real, config, now, &until));
}

static const char *go(int64_t now, size_t i, const struct koine__breaker_config *config, int class_number)
{
    struct koine__breaker_change change;
    int64_t until;
    enum koine__verdict verdict = koine__verdict_of(class_number);
    if (!guests.answered[i] || verdict != KOINE__VERDICT_SUCCESS)
        koine__breaker_record(real, config, now, &guests.passes[i], verdict, &change);
    guests.inside[i] = false;
    return oracle_breaker_leaves(&oracle, &guests.passes[i], now, class_number,
                                 koine__breaker_look(real, config, now, &until));
}

static const char *visit(struct koine__random *random, const struct koine__breaker_config *config,
                         int64_t now)
{
    static const int classes[] = {KOINE_CLASS_NONE,   KOINE_CLASS_NONE,      KOINE_CLASS_SERVER,
                                  KOINE_CLASS_RESET,  KOINE_CLASS_CANCELLED, KOINE_CLASS_RATE_LIMIT,
                                  KOINE_CLASS_TIMEOUT};
    size_t i = (size_t)koine__random_below(random, 8);
    if (!guests.inside[i])
        return come(now, i, config, now + koine__random_below(random, 60 * KOINE__SEC));
    if (koine__random_below(random, 3) == 0)
        return answer(now, i, config);
    return go(now, i, config, classes[koine__random_below(random, 7)]);
}

static struct koine__breaker_config random_breaker(struct koine__random *random)
{
    return (struct koine__breaker_config){
        .failures = 1 + koine__random_below(random, 6),
        .window = (1 + koine__random_below(random, 60)) * KOINE__SEC,
        .min_calls = koine__random_below(random, 8),
        .ratio = koine__random_below(random, 5) * 200000,
        .open_for = koine__random_below(random, 30 * KOINE__SEC) + 1,
        .probes = 1 + koine__random_below(random, 3),
        .successes_to_close = 1 + koine__random_below(random, 3),
    };
}

static void breaker_safety(void)
{
    struct koine__random random;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        koine__random_seed(&random, seed);
        struct koine__breaker_config config = random_breaker(&random);
        const char *wrong = NULL;
        int64_t now = 0;
        real = koine__breaker_new();
        oracle_breaker_init(&oracle, &config);
        memset(&guests, 0, sizeof(guests));
        for (int steps = 0; steps < 500 && !wrong; steps++) {
            now += koine__random_below(&random, 4) ? koine__random_below(&random, KOINE__SEC)
                                                   : koine__random_below(&random, 20 * KOINE__SEC);
            wrong = visit(&random, &config, now);
        }
        if (wrong)
            printf("# seed %llu\n", (unsigned long long)seed);
        ASSERT_STR(wrong, NULL);
        oracle_breaker_release(&oracle);
        koine__breaker_free(real);
    }
}

static void is_out_for_a_while(struct town *town)
{
    town->servers[0].outages[0].begin = 20 * KOINE__SEC;
    town->servers[0].outages[0].end = 80 * KOINE__SEC;
    town->servers[0].outages[0].way = SERVER_FAILS;
    be_patient(town);
    use_the_route(town);
}

/* Everybody is answered: by the second one as long as the first is out, by the first again at the end. */
static void judge_rescued(struct town *town)
{
    ASSERT_INT(town_count(town, KOINE_CLASS_NONE), town->call_count);
    CU_ASSERT(town->seen[1].requests > 20);
    CU_ASSERT(town->seen[0].requests > 100);
}

static void breaker_liveness(void)
{
    SETTINGS{BOTH, "providers.together.breaker.open_for", "10s", NULL};
    run_shapes(&(struct shape){settings, 3, 300, MINUTES(3), is_out_for_a_while, judge_rescued});
}

/* ---- fallback and stream ---- */

static void both_break(struct town *town)
{
    for (int i = 0; i < TOWN_SERVERS; i++) {
        town->servers[i].per_mille[SERVER_CUTS] = 200;
        town->servers[i].per_mille[SERVER_STALLS] = 100;
        town->servers[i].per_mille[SERVER_BABBLES] = 100;
        town->servers[i].per_mille[SERVER_RESETS] = 100;
        town->servers[i].per_mille[SERVER_FAILS] = 100;
    }
}

static void fallback_and_stream(void)
{
    SETTINGS{BOTH, "routes.default.max_attempts",    "4",  "providers.together.timeouts.idle",
             "2s", "providers.openai.timeouts.idle", "2s", NULL};
    run_shapes(&(struct shape){settings, 3, 150, MINUTES(2), both_break, NULL});
}

/* ---- budget ---- */

static void costs_more_than_told(struct town *town)
{
    fails_often(town);
    town->servers[0].dear = 300;
    town->servers[1].dear = 300;
}

/* It was spent, and no more than what nobody could know beforehand beyond it. */
static void judge_spent(struct town *town)
{
    CU_ASSERT(town->money.overshot > 0);
    CU_ASSERT(town->money.spent > town->money.limit / 2);
    CU_ASSERT(town->money.spent <= town->money.limit + town->money.overshot);
    ASSERT_INT(town->money.reserved, 0);
    CU_ASSERT(town_count(town, KOINE_CLASS_BUDGET) > 10);
    CU_ASSERT(town_count(town, KOINE_CLASS_NONE) > 10);
}

static void budget(void)
{
    SETTINGS{BOTH, "budgets.run", "0.002", "budgets.call", "0.0003", NULL};
    run_shapes(&(struct shape){settings, 3, 150, MINUTES(2), costs_more_than_told, judge_spent});
}

/* ---- hedge ---- */

static void is_slow(struct town *town)
{
    town->servers[0].head = 4 * KOINE__SEC;
    town->servers[0].per_mille[SERVER_FAILS] = 100;
    town->servers[1].per_mille[SERVER_CUTS] = 100;
    use_the_route(town);
}

static void judge_hedged(struct town *town)
{
    size_t hedged = 0;
    for (size_t i = 0; i < town->call_count; i++)
        hedged += town->calls[i]->hedged;
    CU_ASSERT(hedged > 20);
    CU_ASSERT(town_count(town, KOINE_CLASS_NONE) > 60);
}

static void hedge(void)
{
    SETTINGS{BOTH, "routes.default.hedge_after", "2s", NULL};
    run_shapes(&(struct shape){settings, 3, 120, MINUTES(2), is_slow, judge_hedged});
}

SUITE_MAIN("promises", {"retry: safety", retry_safety}, {"retry: liveness", retry_liveness},
           {"retry: delays keep their bounds", delays_keep_their_bounds},
           {"retry budget: safety", retry_budget_safety}, {"retry budget: liveness", retry_budget_liveness},
           {"limiter: safety", limiter_safety}, {"limiter: liveness", limiter_liveness},
           {"breaker: safety", breaker_safety}, {"breaker: liveness", breaker_liveness},
           {"fallback and stream", fallback_and_stream}, {"budget", budget}, {"hedge", hedge})
