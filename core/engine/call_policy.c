/* call_policy: what a call does to the state that all calls share, and what that says to it: latches, the
 * retry budget, hedging. */
#include "core/engine/call_internal.h"
#include "core/engine/standing.h"

static int64_t now_of(const struct koine_call *call)
{
    return koine__loop_now(call->calls->engine->loop);
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

bool koine__call_is_latched(const struct koine_call *call, size_t index, struct koine__fault *ret)
{
    return koine__route_is_latched(&call->route, index, now_of(call), ret);
}

bool koine__call_is_last_resort(const struct koine_call *call, size_t index)
{
    for (size_t i = 0; i < call->route.count; i++) {
        bool may_be_tried = i != index && call->route.targets[i].instance->provider;
        if (may_be_tried &&
            koine__target_latch(&call->route.targets[i], now_of(call)).class_number == KOINE_CLASS_NONE)
            return false;
    }
    return true;
}

/* ---- What is certain before there is an attempt ---- */

bool koine__call_is_refused(const struct koine_call *call, const struct koine__target *target,
                            struct koine__fault *ret)
{
    int64_t now = now_of(call);
    const struct koine__engine *engine = call->calls->engine;
    struct koine__ticket ticket = {
        .instance = target->instance->name,
        .model = target->model,
        .policies = &target->instance->policies,
        .witness = engine->witness,
        .inbox = engine->inbox,
        .deadline = koine__latest_start(call->deadline, call->spec.min_attempt, now, false),
        .ends_by = call->deadline,
        .patience = koine__route_patience(&call->route, &call->route_state, now, call->deadline),
        .key = koine__instance_key(target->instance),
        .ignores_latches = true, /* of latches it was asked before */
        .worst = -1,
        .stake = {.purse = call->purse},
        .wake_at = KOINE__NEVER,
    };
    if (!koine__gate_foresee(&engine->gate, &ticket, now, ret))
        return false;
    tell(call, KOINE__HAPPENED_REFUSED, target, ret, KOINE__NEVER);
    return true;
}

static void latch(const struct koine_call *call, const struct koine__attempt *attempt)
{
    const struct koine__target *target = attempt->spec.target;
    const struct koine__policies *policies = &target->instance->policies;
    int64_t now = now_of(call);
    if (policies->latches && policies->latch > 0 &&
        koine__latch_set(policies->latches, koine__instance_key(target->instance), target->model,
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
    if (call->spec.operation == KOINE__OP_GENERATE &&
        policies->latches && /* a list is to be had for nothing */
        koine__latch_clear(policies->latches, koine__instance_key(target->instance), target->model))
        tell(call, KOINE__HAPPENED_UNLATCHED, target, &koine__no_fault, KOINE__NEVER);
}

/* ---- The retry budget ---- */

bool koine__call_take_retry(struct koine_call *call, const struct koine__target *target,
                            const struct koine__fault *fault)
{
    const struct koine__policies *policies = &target->instance->policies;
    int64_t cost = policies->retry_capacity < 0 ? 0 : koine__retry_cost(fault);
    if (policies->retry_budget &&
        !koine__retry_budget_take(policies->retry_budget, policies->retry_capacity, cost)) {
        tell(call, KOINE__HAPPENED_NOT_RETRIED, target, fault, KOINE__NEVER);
        return false;
    }
    call->retry_cost = cost;
    call->retry_target = target;
    return true;
}

static void give_retry(const struct koine__target *target, int64_t cost)
{
    if (cost > 0 && target->instance->policies.retry_budget)
        koine__retry_budget_give(target->instance->policies.retry_budget, cost);
}

/* One that was not made, and a hedge that the other was quicker than: neither made an outage worse. */
static bool is_retry_unused(const struct koine_call *call, const struct koine__attempt *attempt)
{
    return !attempt->requested || (attempt->spec.may_not_wait && !call->cancelling &&
                                   attempt->fault->class_number == KOINE_CLASS_CANCELLED);
}

void koine__call_note(const struct koine_call *call, const struct koine__attempt *attempt)
{
    if (koine__attempt_answered(attempt))
        note_answer(call, attempt);
    else if (attempt->fault->class_number != KOINE_CLASS_CANCELLED)
        note_fault(call, attempt);
    if (is_retry_unused(call, attempt))
        give_retry(attempt->spec.target, attempt->spec.retry_cost);
}

void koine__call_return_retry(struct koine_call *call)
{
    if (call->retry_cost > 0)
        give_retry(call->retry_target, call->retry_cost);
    call->retry_cost = 0;
}

/* ---- Hedging ---- */

size_t koine__call_hedge_target(const struct koine_call *call)
{
    if (call->finished || call->cancelling || call->committed || call->has_hedged || call->step.step > 0 ||
        call->attempt_count != 1 ||
        koine__route_hedge_obstacle(&call->route, &call->route_state, now_of(call)))
        return call->route.count;
    return call->route_state.current + 1;
}

int64_t koine__call_hedge_delay(const struct koine_call *call, const struct koine__instance *instance)
{
    return koine__route_hedge_delay(&call->route, instance, call->spec.stream);
}
