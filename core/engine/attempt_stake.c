/* attempt_stake: what an attempt may cost before it, for budgets and limits of tokens, and what it did cost
 * after it. */
#include "core/engine/attempt_internal.h"

#include "core/engine/standing.h"
#include "core/engine/worst.h"

void koine__attempt_estimate(const struct koine__attempt_spec *spec, const struct koine__clock *clock,
                             bool typical, struct koine__estimate *ret)
{
    /* What has no exchange with a price, such as list_models, costs nothing. */
    koine__target_estimate(spec->target, spec->needs_stop ? spec->doc : NULL, spec->count,
                           clock->wall(clock->arg) / KOINE__SEC, typical, ret);
}

static void stake(const struct koine__attempt_spec *spec, const struct koine__clock *clock,
                  struct koine__ticket *ticket)
{
    struct koine__estimate estimate;
    koine__attempt_estimate(spec, clock, spec->purse->typical, &estimate);
    ticket->worst = estimate.cost;
    ticket->stake = (struct koine__stake){
        .purse = spec->purse,
        .unknown = estimate.unknown,
        .unpriced = estimate.unpriced,
        .prompt = estimate.prompt_cost,
        .rate = estimate.rate,
    };
}

void koine__attempt_ticket(const struct koine__attempt_spec *spec, const struct koine__clock *clock,
                           struct koine__ticket *ret)
{
    const struct koine__instance *instance = spec->target->instance;
    *ret = (struct koine__ticket){
        .instance = instance->name,
        .model = spec->target->model,
        .policies = &instance->policies,
        .deadline = spec->starts_by,
        .ends_by = spec->deadline,
        .patience = spec->patience,
        .may_not_wait = spec->may_not_wait,
        .key = koine__instance_key(instance),
        .ignores_latches = spec->ignores_latches,
        .worst = -1,
        .wake_at = KOINE__NEVER,
    };
    if (instance->limits.tokens >= 0)
        ret->tokens =
            koine__estimate_tokens(spec->needs_stop ? spec->doc : NULL, spec->count, spec->target->known);
    if (spec->purse)
        stake(spec, clock, ret);
}

/* Tokens that were told or estimated; -1: neither. */
static int64_t tokens_of(const koine_usage *usage)
{
    int64_t input = koine_usage_input_total(usage), output = koine_usage_output_total(usage);
    return input < 0 ? output : output < 0 ? input : input + output;
}

struct koine__outcome koine__attempt_outcome(const struct koine__attempt *attempt)
{
    struct koine__outcome outcome = {
        .class_number = attempt->fault->class_number,
        .is_ours = attempt->cut_short,
        .sent = attempt->sent,
        .tokens = attempt->billing == KOINE__BILLING_NONE ? 0 : tokens_of(&attempt->usage),
        .cost = attempt->cost.state == KOINE_UNPRICED ? -1 : attempt->cost.picodollars,
    };
    if (attempt->ticket.stake.holds && outcome.cost > attempt->ticket.stake.reserved)
        KOINE__LOG(attempt->engine->log, KOINE__LOG_WARNING, "overshoot",
                   koine__log_text("call", attempt->spec.call),
                   koine__log_text("target", attempt->spec.target->text),
                   koine__log_decimal("usd", outcome.cost, 12),
                   koine__log_decimal("reserved_usd", attempt->ticket.stake.reserved, 12));
    return outcome;
}
