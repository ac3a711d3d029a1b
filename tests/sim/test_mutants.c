/* The town with one wrong stage in it, or with a library that was told something else than its oracles: each
 * must be found out, in a run of some seeds, and for the right reason. So no oracle of a town is asleep. */
#include "tests/sim/town.h"
#include "tests/unit/suite.h"

#include <string.h>

#define SEEDS      6
#define MINUTES(n) ((n)*60 * KOINE__SEC)
#define BOTH       "routes.default.targets", "[together/" LLAMA ", openai/gpt-4o-mini]"
#define SETTINGS   static const char *const settings[] =

struct mutant {
    const char *const *settings;
    void (*make)(struct town *town);
    const char *found[3]; /* one of these must be said */
};

static bool is_expected(const struct mutant *mutant, const char *wrong)
{
    for (size_t i = 0; i < 3; i++) {
        if (mutant->found[i] && strcmp(mutant->found[i], wrong) == 0)
            return true;
    }
    return false;
}

static void must_be_found(const struct mutant *mutant)
{
    static struct town town;
    bool found = false;
    for (uint64_t seed = 1; seed <= SEEDS && !found; seed++) {
        if (!town_open(&town, seed, 3, mutant->settings))
            return;
        for (int i = 0; i < TOWN_SERVERS; i++)
            town.servers[i].per_mille[SERVER_FAILS] = 250;
        town_visit(&town, 200, MINUTES(2));
        mutant->make(&town);
        town_run(&town);
        town_judge(&town);
        found = town.wrong[0] != '\0';
        if (found && !is_expected(mutant, town.wrong))
            ASSERT_STR(town.wrong, mutant->found[0]);
        town_close(&town);
    }
    CU_ASSERT(found);
}

/* ---- The library lets through what it should not ---- */

static void no_limiter_at_all(struct town *town)
{
    town->spies[KOINE__STAGE_LIMITER].real = NULL;
}

static void no_limiter(void)
{
    SETTINGS{BOTH, "providers.together.limits.requests_per_minute", "20", NULL};
    must_be_found(
        &(struct mutant){settings,
                         no_limiter_at_all,
                         {"more requests than a window may hold", "more than the limit in one window"}});
}

static void one_request_more(struct town *town)
{
    town->seen[0].limiter.config.requests--;
    town->seen[0].sends.limit--;
}

static void a_limit_too_high_by_one(void)
{
    SETTINGS{BOTH, "providers.together.limits.requests_per_minute", "20", NULL};
    must_be_found(
        &(struct mutant){settings,
                         one_request_more,
                         {"more requests than a window may hold", "more than the limit in one window"}});
}

static void one_place_more(struct town *town)
{
    town->seen[0].limiter.config.concurrent--;
}

static void one_at_once_too_many(void)
{
    SETTINGS{BOTH, "providers.together.limits.concurrent", "4", NULL};
    must_be_found(&(struct mutant){
        settings,
        one_place_more,
        {"more under way than may be at once", "more requests under way at a server than allowed"}});
}

static void no_last_look_at_all(struct town *town)
{
    town->spies[KOINE__STAGE_LAST_LOOK].real = NULL;
    town->servers[0].per_mille[SERVER_LIMITS_FOR] = 300;
}

static void no_last_look(void)
{
    SETTINGS{"routes.default.targets",
             "[together/" LLAMA "]",
             "pool.connections",
             "1",
             "providers.together.limits.requests_per_minute",
             "off",
             "providers.together.breaker.failures",
             "off",
             NULL};
    must_be_found(
        &(struct mutant){settings,
                         no_last_look_at_all,
                         {"somebody in line for a connection was let through in spite of a pause"}});
}

static void no_breaker_at_all(struct town *town)
{
    town->spies[KOINE__STAGE_BREAKER_PEEK].real = NULL;
    town->spies[KOINE__STAGE_BREAKER_ENTER].real = NULL;
}

static void no_breaker(void)
{
    SETTINGS{BOTH, "providers.together.breaker.ratio", "0", NULL};
    must_be_found(&(struct mutant){settings, no_breaker_at_all, {"the breaker should have opened"}});
}

static void one_failure_less(struct town *town)
{
    town->seen[0].breaker.config.failures--;
}

static void a_breaker_that_opens_late(void)
{
    SETTINGS{BOTH, "providers.together.breaker.ratio", "0", NULL};
    must_be_found(&(struct mutant){settings, one_failure_less, {"the breaker should have opened"}});
}

static void one_probe_at_a_time(struct town *town)
{
    town->seen[0].breaker.config.probes = 1;
}

static void a_breaker_with_too_many_probes(void)
{
    SETTINGS{BOTH, "providers.together.breaker.ratio",    "0",  "providers.together.breaker.probes_in_flight",
             "8",  "providers.together.breaker.open_for", "1s", NULL};
    must_be_found(&(struct mutant){settings, one_probe_at_a_time, {"more probes at once than are allowed"}});
}

static void only_two_attempts(struct town *town)
{
    for (size_t i = 0; i < town->call_count; i++)
        town->calls[i]->oracle.max_attempts = 2;
}

static void too_many_attempts(void)
{
    SETTINGS{BOTH, NULL};
    must_be_found(&(struct mutant){settings, only_two_attempts, {"more attempts than max_attempts"}});
}

static void longer_waits(struct town *town)
{
    static struct koine__instance other;
    other = *town->seen[0].instance;
    other.retry.base_delay *= 3;
    town->seen[0].instance = &other;
}

static void waits_too_short(void)
{
    SETTINGS{BOTH, NULL};
    must_be_found(&(struct mutant){settings, longer_waits, {"a wait outside its bounds"}});
}

static void small_bucket(struct town *town)
{
    town->seen[0].bucket.capacity = 10;
}

static void too_many_retries(void)
{
    SETTINGS{BOTH, "providers.together.breaker.failures", "off", "providers.together.retry.budget", "1000",
             NULL};
    must_be_found(
        &(struct mutant){settings, small_bucket, {"more retries than the budget can have paid for"}});
}

static void no_budget_at_all(struct town *town)
{
    town->spies[KOINE__STAGE_BUDGET].real = NULL;
}

static void no_budget(void)
{
    SETTINGS{BOTH, "budgets.run", "0.001", NULL};
    must_be_found(&(struct mutant){settings,
                                   no_budget_at_all,
                                   {"a budget holds another sum than its attempts reserved",
                                    "a budget let through what it could not bear"}});
}

static void a_smaller_limit(struct town *town)
{
    town->money.limit -= INT64_C(200000000);
}

static void a_budget_that_is_overspent(void)
{
    SETTINGS{BOTH, "budgets.run", "0.001", NULL};
    must_be_found(
        &(struct mutant){settings, a_smaller_limit, {"a budget let through what it could not bear"}});
}

/* ---- The library forgets somebody ---- */

static const struct koine__gate_stage *kept;
static struct koine__gate_stage forgetful;
static unsigned lost;

static void keep_it(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome,
                    int64_t now)
{
    if (++lost % 16 != 0)
        kept->leave(self, ticket, outcome, now);
}

static void never_gives_back(struct town *town)
{
    kept = town->spies[KOINE__STAGE_LIMITER].real;
    forgetful = *kept;
    forgetful.leave = keep_it;
    town->spies[KOINE__STAGE_LIMITER].real = &forgetful;
}

static void places_that_get_lost(void)
{
    SETTINGS{BOTH, "providers.together.limits.concurrent", "3", NULL};
    must_be_found(&(struct mutant){settings, never_gives_back, {"somebody waits for what is free"}});
}

static void never_settles(struct town *town)
{
    kept = town->spies[KOINE__STAGE_BUDGET].real;
    forgetful = *kept;
    forgetful.leave = keep_it;
    town->spies[KOINE__STAGE_BUDGET].real = &forgetful;
}

static void money_that_stays_reserved(void)
{
    SETTINGS{BOTH, "budgets.run", "1", NULL};
    must_be_found(&(struct mutant){settings,
                                   never_settles,
                                   {"a budget has spent another sum than its attempts",
                                    "a budget holds another sum than its attempts reserved"}});
}

/* Whoever asks first goes first, and asks only once a second. */
static int64_t crowd;

static enum koine__pass push_in(void *self, struct koine__ticket *ticket, int64_t now,
                                struct koine__fault *ret_fault)
{
    (void)self;
    (void)ret_fault;
    if (crowd < 3) {
        crowd++;
        return KOINE__PASS_GO;
    }
    ticket->wake_at = now + KOINE__SEC;
    return KOINE__PASS_WAIT;
}

static void push_out(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome,
                     int64_t now)
{
    (void)self;
    (void)ticket;
    (void)outcome;
    (void)now;
    crowd--;
}

static void is_pushed(struct town *town)
{
    static const struct koine__gate_stage pushing = {.enter = push_in, .leave = push_out};
    crowd = 0;
    town->spies[KOINE__STAGE_LIMITER].real = &pushing;
}

static void a_line_without_order(void)
{
    SETTINGS{"routes.default.targets", "[together/" LLAMA "]", "providers.together.limits.concurrent", "3",
             NULL};
    must_be_found(&(struct mutant){
        settings, is_pushed, {"somebody waits for what is free", "somebody who came before still waits"}});
}

/* The turn of one who sleeps is kept for him. */
static void sleeps_often(struct town *town)
{
    town_sleeps(town, 40, MINUTES(2), 5 * KOINE__SEC);
}

static void a_grant_that_is_kept(void)
{
    SETTINGS{"routes.default.targets",
             "[together/" LLAMA "]",
             "providers.together.limits.concurrent",
             "1",
             "providers.together.limits.unused_grant",
             "10s",
             NULL};
    must_be_found(&(struct mutant){settings, sleeps_often, {"somebody waits for what is free"}});
}

SUITE_MAIN("mutants", {"no limiter", no_limiter}, {"a limit too high by one", a_limit_too_high_by_one},
           {"one at once too many", one_at_once_too_many}, {"no last look", no_last_look},
           {"no breaker", no_breaker}, {"a breaker that opens late", a_breaker_that_opens_late},
           {"a breaker with too many probes", a_breaker_with_too_many_probes},
           {"too many attempts", too_many_attempts}, {"waits too short", waits_too_short},
           {"too many retries", too_many_retries}, {"no budget", no_budget},
           {"a budget that is overspent", a_budget_that_is_overspent},
           {"money that stays reserved", money_that_stays_reserved},
           {"places that get lost", places_that_get_lost}, {"a line without order", a_line_without_order},
           {"a grant that is kept", a_grant_that_is_kept})
