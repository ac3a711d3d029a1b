/* call_policy: what a call does to the state that all calls share, and what that says to it: latches, the
 * retry budget, hedging. */
#include "core/engine/call_internal.h"

#include <string.h>

static int64_t now_of(const struct koine_call *call)
{
    return koine__loop_now(call->calls->engine->loop);
}

static uint64_t key_of(const struct koine__instance *instance)
{
    return instance->secret ? koine__secret_fingerprint(instance->secret) : 0;
}

static void tell(const struct koine_call *call, enum koine__happening_kind kind,
                 const struct koine__target *target, const struct koine__fault *fault, int64_t until)
{
    koine__witness_tell(call->calls->engine->witness,
                        &(struct koine__happening){.kind = kind,
                                                   .instance = target->instance->name,
                                                   .model = target->model,
                                                   .class_number = fault->class_number,
                                                   .now = now_of(call),
                                                   .until = until,
                                                   .why = fault->message});
}

/* ---- Latches ---- */

static struct koine__latch latch_of(const struct koine_call *call, size_t index)
{
    const struct koine__target *target = &call->route.targets[index];
    const struct koine__policies *policies = &target->instance->policies;
    if (!policies->latches || policies->latch == 0)
        return (struct koine__latch){.class_number = KOINE_CLASS_NONE};
    return koine__latch_find(policies->latches, key_of(target->instance), target->model, now_of(call));
}

/* Where every target is latched one of them is tried all the same, lest a latch be the reason that nothing
 * works: the one that was left alone for the longest (part C7). */
static size_t find_last_resort(const struct koine_call *call)
{
    size_t oldest = call->route.count;
    int64_t since = KOINE__NEVER;
    for (size_t i = 0; i < call->route.count; i++) {
        struct koine__latch latch = latch_of(call, i);
        if (!call->route.targets[i].instance->provider)
            continue;
        if (latch.class_number == KOINE_CLASS_NONE)
            return call->route.count;
        if (latch.since < since) {
            since = latch.since;
            oldest = i;
        }
    }
    return oldest;
}

bool koine__call_is_last_resort(const struct koine_call *call, size_t index)
{
    for (size_t i = 0; i < call->route.count; i++) {
        bool may_be_tried = i != index && call->route.targets[i].instance->provider;
        if (may_be_tried && latch_of(call, i).class_number == KOINE_CLASS_NONE)
            return false;
    }
    return true;
}

bool koine__call_is_latched(const struct koine_call *call, size_t index, struct koine__fault *ret)
{
    struct koine__latch latch = latch_of(call, index);
    if (latch.class_number == KOINE_CLASS_NONE || find_last_resort(call) == index)
        return false;
    koine__latch_fault(&latch, now_of(call), ret);
    return true;
}

static void latch(const struct koine_call *call, const struct koine__attempt *attempt)
{
    const struct koine__target *target = attempt->spec.target;
    const struct koine__policies *policies = &target->instance->policies;
    int64_t now = now_of(call);
    if (policies->latches && policies->latch > 0 &&
        koine__latch_set(policies->latches, key_of(target->instance), target->model,
                         attempt->fault->class_number, now, policies->latch))
        tell(call, KOINE__HAPPENED_LATCHED, target, attempt->fault, koine__time_add(now, policies->latch));
}

static void note_fault(const struct koine_call *call, const struct koine__attempt *attempt)
{
    if (attempt->requested && attempt->head.status > 0)
        latch(call, attempt);
    if (!attempt->requested && attempt->fault->class_number == KOINE_CLASS_REFUSED)
        tell(call, KOINE__HAPPENED_REFUSED, attempt->spec.target, attempt->fault, KOINE__NEVER);
}

static void note_answer(const struct koine_call *call, const struct koine__attempt *attempt)
{
    const struct koine__target *target = attempt->spec.target;
    const struct koine__policies *policies = &target->instance->policies;
    if (policies->retry_budget)
        koine__retry_budget_give(policies->retry_budget,
                                 attempt->spec.retry_cost > 0 ? attempt->spec.retry_cost : 1);
    if (policies->latches && koine__latch_clear(policies->latches, key_of(target->instance), target->model))
        tell(call, KOINE__HAPPENED_UNLATCHED, target, &koine__no_fault, KOINE__NEVER);
}

void koine__call_note(const struct koine_call *call, const struct koine__attempt *attempt)
{
    if (koine__attempt_answered(attempt))
        note_answer(call, attempt);
    else if (attempt->fault->class_number != KOINE_CLASS_CANCELLED)
        note_fault(call, attempt);
}

/* ---- The retry budget ---- */

bool koine__call_take_retry(struct koine_call *call, const struct koine__target *target,
                            const struct koine__fault *fault)
{
    const struct koine__policies *policies = &target->instance->policies;
    int64_t cost = koine__retry_cost(fault);
    if (policies->retry_budget &&
        !koine__retry_budget_take(policies->retry_budget, policies->retry_capacity, cost)) {
        tell(call, KOINE__HAPPENED_NOT_RETRIED, target, fault, KOINE__NEVER);
        return false;
    }
    call->retry_cost = cost;
    return true;
}

void koine__call_give_retry(const struct koine__target *target, int64_t cost)
{
    if (cost > 0 && target->instance->policies.retry_budget)
        koine__retry_budget_give(target->instance->policies.retry_budget, cost);
}

/* ---- Hedging ---- */

static bool is_same_server(const struct koine__instance *a, const struct koine__instance *b)
{
    return strcmp(a->provider->id, b->provider->id) == 0 && strcmp(a->base_url, b->base_url) == 0;
}

static bool is_well(const struct koine_call *call, const struct koine__instance *instance)
{
    const struct koine__policies *policies = &instance->policies;
    int64_t until;
    return !policies->breaker || koine__breaker_look(policies->breaker, &policies->breaking, now_of(call),
                                                     &until) == KOINE__BREAKER_CLOSED;
}

size_t koine__call_hedge_target(const struct koine_call *call)
{
    size_t current = call->route_state.current, next = current + 1, none = call->route.count;
    struct koine__fault fault;
    if (call->finished || call->cancelling || call->committed || call->has_hedged || call->step.step > 0 ||
        call->attempt_count != 1 || next >= none)
        return none;
    const struct koine__instance *from = call->route.targets[current].instance;
    const struct koine__instance *to = call->route.targets[next].instance;
    unsigned kept = koine__route_untried(&call->route_state) - 1;
    if (!to->provider || call->route_state.attempts + kept >= call->route_state.max_attempts ||
        is_same_server(from, to) || !is_well(call, to) || koine__call_is_latched(call, next, &fault))
        return none;
    return next;
}

int64_t koine__call_hedge_delay(const struct koine_call *call, const struct koine__instance *instance)
{
    int64_t delay = call->route.hedge_after;
    int64_t usual =
        instance->policies.pace ? koine__pace_p95(&instance->policies.pace[call->spec.stream]) : -1;
    return usual > delay ? usual : delay;
}
