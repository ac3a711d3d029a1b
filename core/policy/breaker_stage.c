/* breaker_stage: the breaker at the gate, before the line and after it; see breaker.h. */
#include "core/policy/breaker.h"

#include "core/base/str.h"
#include "core/policy/happening.h"
#include "core/policy/policies.h"
#include <stdio.h>
#include <string.h>

static bool is_broken(const struct koine__ticket *ticket)
{
    const struct koine__policies *policies = ticket->policies;
    return policies && policies->breaker && policies->breaking.failures >= 0;
}

/* For people: up to a second in milliseconds, beyond it in seconds, and never too short. */
static void write_wait(int64_t ns, char *ret, size_t size)
{
    int64_t unit = ns < KOINE__SEC ? KOINE__MS : KOINE__SEC;
    int64_t rest = ns % unit;
    koine__write_duration(rest ? koine__time_add(ns, unit - rest) : ns, ret, size);
}

static void write_limit(const struct koine__breaker_config *config, char *ret, size_t size)
{
    char window[32];
    koine__write_duration(config->window, window, sizeof(window));
    snprintf(ret, size, "%lld failure%s in %s", (long long)config->failures, config->failures == 1 ? "" : "s",
             window);
}

static void explain_open(const struct koine__ticket *ticket, int64_t left, struct koine__fault *ret_fault)
{
    const struct koine__policies *policies = ticket->policies;
    char wait[32], limit[80] = "a probe failed";
    write_wait(left, wait, sizeof(wait));
    if (!koine__breaker_failed_again(policies->breaker))
        write_limit(&policies->breaking, limit, sizeof(limit));
    koine__fault_set(ret_fault, KOINE_CLASS_REFUSED, "", "%s: the breaker is open for another %s after %s",
                     ticket->instance, wait, limit);
    ret_fault->retry_after_ns = left;
}

static enum koine__pass refuse(const struct koine__ticket *ticket, enum koine__breaker_state state,
                               int64_t left, struct koine__fault *ret_fault)
{
    if (state == KOINE__BREAKER_OPEN)
        explain_open(ticket, left, ret_fault);
    else
        koine__fault_set(
            ret_fault, KOINE_CLASS_REFUSED, "", "%s: the breaker is half open, and %s", ticket->instance,
            ticket->may_not_wait ? "a hedge is no probe" : "as many probes are under way as may");
    memcpy(ret_fault->code, "breaker_open", sizeof("breaker_open"));
    return KOINE__PASS_REFUSE;
}

static void tell_change(const struct koine__ticket *ticket, const struct koine__breaker_change *change,
                        int class_number, int64_t now)
{
    static const enum koine__happening_kind kinds[] = {
        [KOINE__BREAKER_CLOSED] = KOINE__HAPPENED_BREAKER_CLOSED,
        [KOINE__BREAKER_OPEN] = KOINE__HAPPENED_BREAKER_OPENED,
        [KOINE__BREAKER_HALF_OPEN] = KOINE__HAPPENED_BREAKER_HALF_OPENED,
    };
    char why[80] = "a probe failed";
    if (change->to == KOINE__BREAKER_HALF_OPEN)
        snprintf(why, sizeof(why), "its time is over, and a probe is sent");
    else if (change->to == KOINE__BREAKER_CLOSED)
        snprintf(why, sizeof(why), "probes succeeded");
    else if (change->from == KOINE__BREAKER_CLOSED)
        write_limit(&ticket->policies->breaking, why, sizeof(why));
    struct koine__happening happening = {.kind = kinds[change->to],
                                         .instance = ticket->instance,
                                         .model = "",
                                         .class_number = class_number,
                                         .now = now,
                                         .until =
                                             change->to == KOINE__BREAKER_OPEN ? change->until : KOINE__NEVER,
                                         .why = why};
    ticket->witness->saw(ticket->witness, &happening);
}

static void tell(const struct koine__ticket *ticket, const struct koine__breaker_change *change,
                 int class_number, int64_t now)
{
    if (change->from != change->to && ticket->witness)
        tell_change(ticket, change, class_number, now);
}

bool koine__breaker_keeps_out(const struct koine__ticket *ticket, int64_t now)
{
    int64_t until;
    if (!is_broken(ticket))
        return false;
    koine__breaker_look(ticket->policies->breaker, &ticket->policies->breaking, now, &until);
    return until > now;
}

static enum koine__pass peek(void *self, struct koine__ticket *ticket, int64_t now,
                             struct koine__fault *ret_fault)
{
    int64_t until;
    (void)self;
    if (!is_broken(ticket))
        return KOINE__PASS_GO;
    enum koine__breaker_state state =
        koine__breaker_look(ticket->policies->breaker, &ticket->policies->breaking, now, &until);
    /* A hedge comes from here to enter without a stop, so it is asked about once. */
    bool hedges = ticket->may_not_wait && state != KOINE__BREAKER_CLOSED;
    return until > now || hedges ? refuse(ticket, state, until - now, ret_fault) : KOINE__PASS_GO;
}

static enum koine__pass enter(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault)
{
    struct koine__breaker_pass pass;
    struct koine__breaker_change change;
    int64_t until;
    (void)self;
    if (!is_broken(ticket))
        return KOINE__PASS_GO;
    bool passes =
        koine__breaker_enter(ticket->policies->breaker, &ticket->policies->breaking, now,
                             koine__time_add(ticket->ends_by, KOINE__BREAKER_GRACE), &pass, &until, &change);
    ticket->breaker_generation = pass.generation;
    ticket->breaker_probe = pass.probe;
    ticket->breaker_judged = false;
    tell(ticket, &change, KOINE_CLASS_NONE, now);
    if (passes)
        return KOINE__PASS_GO;
    enum koine__breaker_state state =
        koine__breaker_look(ticket->policies->breaker, &ticket->policies->breaking, now, &until);
    return refuse(ticket, state, until - now, ret_fault);
}

static void record(struct koine__ticket *ticket, enum koine__verdict verdict, int class_number, int64_t now)
{
    struct koine__breaker_pass pass = {ticket->breaker_generation, ticket->breaker_probe};
    struct koine__breaker_change change;
    koine__breaker_record(ticket->policies->breaker, &ticket->policies->breaking, now, &pass, verdict,
                          &change);
    ticket->breaker_generation = pass.generation;
    ticket->breaker_probe = pass.probe;
    tell(ticket, &change, class_number, now);
    if (change.from != change.to && change.to == KOINE__BREAKER_OPEN && ticket->policies->limiter)
        koine__limiter_stir(ticket->policies->limiter, now);
}

/* The end of a long answer need not be waited for to know that its server answers. */
static void answering(void *self, struct koine__ticket *ticket, int64_t now)
{
    (void)self;
    if (!is_broken(ticket) || !ticket->breaker_probe)
        return;
    ticket->breaker_judged = true;
    record(ticket, KOINE__VERDICT_SUCCESS, KOINE_CLASS_NONE, now);
}

static void leave(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome, int64_t now)
{
    enum koine__verdict verdict =
        outcome->is_ours ? KOINE__VERDICT_NONE : koine__verdict_of(outcome->class_number);
    (void)self;
    if (!is_broken(ticket) || (ticket->breaker_judged && verdict == KOINE__VERDICT_SUCCESS))
        return;
    record(ticket, verdict, outcome->class_number, now);
}

const struct koine__gate_stage koine__breaker_peek_stage = {.foresee = peek, .enter = peek};
const struct koine__gate_stage koine__breaker_enter_stage = {
    .enter = enter, .answering = answering, .leave = leave};
