/* explain_cost: how often a call may ask each target, and what that could cost together. */
#include "core/hub/explain_internal.h"

static int64_t sum(int64_t a, int64_t b)
{
    int64_t result;
    return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

static int64_t times(int64_t cost, unsigned count)
{
    int64_t result;
    return __builtin_mul_overflow(cost, (int64_t)count, &result) ? INT64_MAX : result;
}

/* Attempts that a target may make when so many were made before it: a first one where the route may still
 * move to it, and retries as long as route and target allow them. */
static unsigned most_attempts(const struct koine__route *route, const struct koine__outlook *outlook,
                              unsigned before)
{
    struct koine__route_state state;
    unsigned count = 1;
    koine__route_start(&state, route->count, (unsigned)route->max_attempts);
    koine__route_move(&state, outlook->index);
    if (outlook->never || before >= state.max_attempts)
        return 0;
    for (;; count++) {
        state.attempts = before + count;
        if ((int64_t)count > outlook->retry.max_retries || koine__route_attempts_left(&state) == 0)
            return count;
    }
}

/* The dearest way through the route, from its end: `after[n]` is what the targets from here on could cost
 * when n attempts were made before them. A target that our own layers refuse makes none, so each may have
 * from none to all that it may make. */
static void walk_back(struct koine__looking *looking, int64_t *after)
{
    const struct koine__route *route = &looking->prepared.route;
    for (size_t i = route->count; i-- > 0;) {
        const struct koine__outlook *outlook = &looking->outlooks[i];
        int64_t cost = outlook->estimate.cost > 0 ? outlook->estimate.cost : 0;
        for (unsigned before = 0; before <= route->max_attempts; before++) {
            unsigned most = most_attempts(route, outlook, before);
            for (unsigned count = 1; count <= most; count++) {
                int64_t way = sum(times(cost, count), after[before + count]);
                if (way > after[before])
                    after[before] = way;
            }
        }
    }
    looking->most = after[0];
}

static void find_tightest(struct koine__looking *looking)
{
    for (size_t i = 0; looking->purse && i < looking->purse->count; i++) {
        struct koine__budget_view view;
        koine__budget_look(looking->purse->budgets[i], &view);
        if (!looking->tightest.scope || koine__budget_left(&view) < koine__budget_left(&looking->tightest))
            looking->tightest = view;
    }
}

/* What lies in the configuration and the document does not pass while a call runs. */
static bool is_for_good(const struct koine__outlook *outlook)
{
    static const enum koine__layer layers[] = {KOINE__LAYER_PLUGIN, KOINE__LAYER_REQUEST, KOINE__LAYER_KEY};
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        const struct koine__saying *saying = &outlook->sayings[layers[i]];
        if (saying->asked && saying->pass == KOINE__PASS_REFUSE)
            return true;
    }
    return false;
}

int koine__explain_cost(struct koine__looking *looking)
{
    const struct koine__route *route = &looking->prepared.route;
    for (size_t i = 0; i < route->count; i++) {
        struct koine__outlook *outlook = &looking->outlooks[i];
        outlook->never = is_for_good(outlook);
        outlook->attempts = most_attempts(route, outlook, 0);
        outlook->most = outlook->estimate.cost < 0 ? -1 : times(outlook->estimate.cost, outlook->attempts);
        if (outlook->attempts == 0)
            outlook->most = 0;
        looking->unknown += outlook->most < 0;
    }
    int64_t *after = koine__alloc_array((size_t)route->max_attempts + 1, sizeof(*after));
    if (!after)
        return KOINE_EMEMORY;
    walk_back(looking, after);
    koine__dealloc(after);
    find_tightest(looking);
    return KOINE_OK;
}
