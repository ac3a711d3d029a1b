/* worst: see worst.h. */
#include "core/engine/worst.h"

#include "core/base/mem.h"
#include "core/engine/standing.h"

#include <string.h>

void koine__target_estimate(const struct koine__target *target, const koine_node *doc,
                            struct koine__count *count, int64_t at, bool typical, struct koine__estimate *ret)
{
    const struct koine__instance *instance = target->instance;
    struct koine__estimate_ask ask = {
        .doc = doc,
        .count = count,
        .known = target->known,
        .at = at,
        .typical = typical,
        .free = instance->free_of_charge || strcmp(instance->base_url, KOINE_LOCAL) == 0,
    };
    koine__estimate(&ask, ret);
}

/* ---- the dearest way ---- */

struct leg { /* of the way: one target */
    int64_t cost;
    int64_t most, taken; /* attempts */
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t attempts_of(const struct koine__target *target)
{
    return koine__target_retry(target).max_retries + 1;
}

/* How many attempts the targets up to that one may make together. One is kept for each that comes after it,
 * but none is denied its first while max_attempts is not used up: where there are more targets than that,
 * this bounds the way from above only. */
static int64_t most_up_to(size_t index, size_t count, int64_t max_attempts)
{
    int64_t after = (int64_t)(count - index - 1);
    return smaller(max_attempts, larger(max_attempts - after, (int64_t)index + 1));
}

/* How many more the target of that index may make, whatever others have taken. */
static int64_t room_of(const struct leg *legs, size_t index, size_t count, int64_t max_attempts)
{
    int64_t room = legs[index].most, taken = 0;
    for (size_t i = 0; i < count; i++) {
        taken += legs[i].taken;
        if (i >= index)
            room = smaller(room, most_up_to(i, count, max_attempts) - taken);
    }
    return room;
}

static int64_t add_product(int64_t total, int64_t cost, int64_t count)
{
    int64_t result;
    return __builtin_mul_overflow(cost, count, &result) || __builtin_add_overflow(total, result, &result)
               ? INT64_MAX
               : result;
}

/* The dearest target takes all it may, then the next one. That is the best there is, since the limits are
 * nested. */
static int64_t dearest_way(struct leg *legs, size_t count, int64_t max_attempts)
{
    int64_t total = 0;
    for (;;) {
        size_t dearest = count;
        for (size_t i = 0; i < count; i++) {
            if (legs[i].cost > 0 && (dearest == count || legs[i].cost > legs[dearest].cost))
                dearest = i;
        }
        if (dearest == count)
            return total;
        legs[dearest].taken = room_of(legs, dearest, count, max_attempts);
        total = add_product(total, legs[dearest].cost, legs[dearest].taken);
        legs[dearest].cost = 0;
    }
}

/* ---- all of it ---- */

static bool is_refused(const struct koine__worst_ask *ask, const struct koine__estimate *estimate)
{
    return ask->purse && koine__purse_refuses_unknown(ask->purse, estimate->unpriced);
}

static int weigh(const struct koine__worst_ask *ask, size_t index, struct leg *leg, struct koine__worst *ret)
{
    const struct koine__target *target = &ask->route->targets[index];
    struct koine__estimate estimate;
    struct koine__version *version;
    if (!target->instance->provider)
        return KOINE_OK;
    int rc = koine__document_for(ask->document, target, index, &version);
    if (rc != KOINE_OK)
        return rc;
    koine__target_estimate(target, version ? version->root : NULL, version ? &version->count : NULL, ask->at,
                           ask->typical, &estimate);
    leg->most = attempts_of(target);
    leg->cost = larger(estimate.cost, 0);
    if (estimate.cost < 0 && !ret->target && !is_refused(ask, &estimate)) {
        ret->target = target;
        ret->unknown = estimate.unknown;
    }
    return KOINE_OK;
}

int koine__call_worst(const struct koine__worst_ask *ask, struct koine__worst *ret)
{
    size_t count = ask->route->count;
    struct leg *legs = koine__alloc_array(count, sizeof(*legs));
    int rc = legs ? KOINE_OK : KOINE_EMEMORY;
    *ret = (struct koine__worst){0};
    for (size_t i = 0; rc == KOINE_OK && i < count; i++)
        rc = weigh(ask, i, &legs[i], ret);
    if (rc == KOINE_OK && ret->target)
        ret->cost = -1;
    else if (rc == KOINE_OK)
        ret->cost = dearest_way(legs, count, ask->route->max_attempts);
    if (rc == KOINE_OK && ask->purse)
        ret->cost = smaller(ret->cost, koine__purse_left(ask->purse));
    koine__dealloc(legs);
    return rc;
}
