/* attempt_stake: what an attempt may cost before it, for budgets and limits of tokens, and what it did cost
 * after it. */
#include "core/engine/attempt_internal.h"

#include "core/engine/worst.h"

void koine__attempt_stake(struct koine__attempt *attempt, bool counts_tokens)
{
    const struct koine__attempt_spec *spec = &attempt->spec;
    const struct koine__clock *clock = koine__loop_clock(attempt->engine->loop);
    struct koine__ticket *ticket = &attempt->ticket;
    /* What has no exchange with a price, such as list_models, costs nothing. */
    const koine_node *doc = spec->needs_stop ? spec->doc : NULL;
    if (counts_tokens)
        ticket->tokens = koine__estimate_tokens(doc, spec->target->known);
    if (!spec->purse)
        return;
    struct koine__estimate estimate;
    koine__target_estimate(spec->target, doc, clock->wall(clock->arg) / KOINE__SEC, spec->purse->typical,
                           &estimate);
    ticket->worst = estimate.cost;
    ticket->stake = (struct koine__stake){
        .purse = spec->purse,
        .unknown = estimate.unknown,
        .unpriced = estimate.unpriced,
        .prompt = estimate.prompt_cost,
        .rate = estimate.rate,
    };
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
