/* standing: see standing.h. */
#include "core/engine/standing.h"

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/wire/credential.h"

#include <string.h>

uint64_t koine__instance_key(const struct koine__instance *instance)
{
    return instance->secret ? koine__secret_fingerprint(instance->secret) : 0;
}

struct koine__retry_config koine__target_retry(const struct koine__target *target)
{
    struct koine__retry_config config = target->instance->retry;
    if (target->max_retries >= 0)
        config.max_retries = target->max_retries;
    return config;
}

int64_t koine__route_window(const void *route, size_t index)
{
    const struct koine__model *known = ((const struct koine__route *)route)->targets[index].known;
    return known ? known->context : -1;
}

/* ---- Latches ---- */

struct koine__latch koine__target_latch(const struct koine__target *target, int64_t now)
{
    const struct koine__policies *policies = &target->instance->policies;
    if (!policies->latches || policies->latch == 0)
        return (struct koine__latch){.class_number = KOINE_CLASS_NONE};
    return koine__latch_find(policies->latches, koine__instance_key(target->instance), target->model, now);
}

/* Where every target is latched one of them is tried all the same, lest a latch be the reason that nothing
 * works: the one that was left alone for the longest (part C7). */
static size_t find_last_resort(const struct koine__route *route, int64_t now)
{
    size_t oldest = route->count;
    int64_t since = KOINE__NEVER;
    for (size_t i = 0; i < route->count; i++) {
        struct koine__latch latch = koine__target_latch(&route->targets[i], now);
        if (!route->targets[i].instance->provider)
            continue;
        if (latch.class_number == KOINE_CLASS_NONE)
            return route->count;
        if (latch.since < since) {
            since = latch.since;
            oldest = i;
        }
    }
    return oldest;
}

bool koine__route_is_latched(const struct koine__route *route, size_t index, int64_t now,
                             struct koine__fault *ret)
{
    struct koine__latch latch = koine__target_latch(&route->targets[index], now);
    if (latch.class_number == KOINE_CLASS_NONE || find_last_resort(route, now) == index)
        return false;
    koine__latch_fault(&latch, now, ret);
    return true;
}

/* ---- Lines ---- */

static bool is_askable(const struct koine__route *route, size_t index, int64_t now)
{
    const struct koine__instance *instance = route->targets[index].instance;
    const struct koine__policies *policies = &instance->policies;
    int64_t until;
    if (!instance->provider ||
        koine__target_latch(&route->targets[index], now).class_number != KOINE_CLASS_NONE)
        return false;
    return !policies->breaker ||
           koine__breaker_look(policies->breaker, &policies->breaking, now, &until) != KOINE__BREAKER_OPEN;
}

bool koine__route_has_other(const struct koine__route *route, size_t from, int64_t now)
{
    for (size_t i = from; i < route->count; i++)
        if (is_askable(route, i, now))
            return true;
    return false;
}

int64_t koine__route_patience(const struct koine__route *route, const struct koine__route_state *state,
                              int64_t now, int64_t deadline)
{
    unsigned untried = koine__route_untried(state);
    if (untried == 0 || !koine__route_has_other(route, state->current + 1, now))
        return KOINE__NEVER;
    int64_t most = route->targets[state->current].instance->retry.move_on_after;
    int64_t share = koine__route_share(untried, now, deadline);
    return koine__time_add(now, share < most ? share : most);
}

int64_t koine__latest_start(int64_t deadline, int64_t min_attempt, int64_t now, bool is_hedge)
{
    int64_t latest = deadline - min_attempt;
    return latest > now || is_hedge ? latest : deadline;
}

/* ---- Hedging ---- */

static bool is_same_server(const struct koine__instance *a, const struct koine__instance *b)
{
    return strcmp(a->provider->id, b->provider->id) == 0 && strcmp(a->base_url, b->base_url) == 0;
}

static bool is_well(const struct koine__instance *instance, int64_t now)
{
    const struct koine__policies *policies = &instance->policies;
    int64_t until;
    return !policies->breaker ||
           koine__breaker_look(policies->breaker, &policies->breaking, now, &until) == KOINE__BREAKER_CLOSED;
}

const char *koine__route_hedge_obstacle(const struct koine__route *route,
                                        const struct koine__route_state *state, int64_t now)
{
    size_t next = state->current + 1;
    struct koine__fault fault;
    if (next >= route->count)
        return "there is no target after it";
    const struct koine__instance *from = route->targets[state->current].instance;
    const struct koine__instance *to = route->targets[next].instance;
    unsigned kept = koine__route_untried(state) - 1;
    if (!to->provider)
        return "the next target's plugin was refused";
    if (state->attempts + kept >= state->max_attempts)
        return "max_attempts leaves no attempt for it";
    if (is_same_server(from, to))
        return "the next target is at the same server";
    if (!is_well(to, now))
        return "the next target's breaker is not closed";
    return koine__route_is_latched(route, next, now, &fault) ? "the next target is left alone" : NULL;
}

int64_t koine__route_hedge_delay(const struct koine__route *route, const struct koine__instance *instance,
                                 bool stream)
{
    int64_t delay = route->hedge_after;
    int64_t usual = instance->policies.pace ? koine__pace_p95(&instance->policies.pace[stream]) : -1;
    return usual > delay ? usual : delay;
}
