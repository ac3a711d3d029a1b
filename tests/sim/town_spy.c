/* town_spy: what passes the gate, told to the oracles. */
#include "tests/sim/town_internal.h"

#include "core/engine/attempt_internal.h"

#include <string.h>

int town_server_of(const char *name)
{
    return strcmp(name, "together") == 0 ? 0 : strcmp(name, "openai") == 0 ? 1 : -1;
}

static struct town_server *seen_of(struct town_spy *spy, const struct koine__ticket *ticket)
{
    int server = town_server_of(ticket->instance);
    return server < 0 ? NULL : &spy->town->seen[server];
}

/* A ticket is its attempt's, which is its call's. */
static struct town_call *call_of(const struct koine__ticket *ticket)
{
    const struct koine__attempt *attempt = KOINE__CONTAINER(ticket, struct koine__attempt, ticket);
    return koine_call_user(attempt->owner);
}

static enum koine__breaker_state actual_of(const struct koine__ticket *ticket, int64_t now)
{
    const struct koine__policies *policies = ticket->policies;
    int64_t until;
    return policies && policies->breaker
               ? koine__breaker_look(policies->breaker, &policies->breaking, now, &until)
               : KOINE__BREAKER_CLOSED;
}

static const char *tell_limiter(struct town_spy *spy, struct town_server *seen, struct koine__ticket *ticket,
                                enum koine__pass pass, int64_t now)
{
    struct town *town = spy->town;
    unsigned owner = town->running ? town->running->number : 0;
    switch (pass) {
    case KOINE__PASS_GO:
        if (now < seen->paused_until)
            return "somebody was let through in spite of a pause";
        return oracle_limiter_passes(&seen->limiter, ticket, owner, ticket->tokens, now,
                                     town_attentive(town));
    case KOINE__PASS_WAIT:
        if (!oracle_limiter_waits(&seen->limiter, ticket, owner, ticket->tokens))
            return NULL;
        town->tally.waited++;
        town_note(town, "client %u: call %u waits in line for %s", owner, call_of(ticket)->number,
                  ticket->instance);
        return NULL;
    default:
        oracle_limiter_forgets(&seen->limiter, ticket);
        return NULL;
    }
}

/* Whether the budgets say the same as the sums of what was reserved and settled. */
static const char *compare_money(struct town *town, const struct koine__ticket *ticket)
{
    const struct koine__purse *purse = ticket->stake.purse;
    const char *wrong = NULL;
    for (size_t i = 0; !wrong && i < purse->count; i++) {
        struct koine__budget_view view;
        koine__budget_look(purse->budgets[i], &view);
        const struct oracle_money *money =
            strcmp(view.scope, "run") == 0 ? &town->money : &call_of(ticket)->money;
        wrong = oracle_money_agrees(money, view.spent, view.reserved);
    }
    return wrong;
}

static const char *tell_budget(struct town *town, struct koine__ticket *ticket, const char *refused_by)
{
    struct oracle_money *call = &call_of(ticket)->money;
    int64_t worst = ticket->worst;
    if (!ticket->stake.purse)
        return NULL;
    town->tally.unpaid += refused_by != NULL;
    const char *wrong = NULL;
    if (!refused_by || strcmp(refused_by, "call") == 0)
        wrong = oracle_money_reserves(call, ticket, worst, refused_by != NULL);
    if (!wrong && (!refused_by || strcmp(refused_by, "run") == 0))
        wrong = oracle_money_reserves(&town->money, ticket, worst, refused_by != NULL);
    return wrong ? wrong : compare_money(town, ticket);
}

static const char *tell_settled(struct town *town, const struct koine__ticket *ticket,
                                const struct koine__outcome *outcome)
{
    if (!ticket->stake.purse)
        return NULL;
    const char *wrong = oracle_money_settles(&call_of(ticket)->money, ticket, outcome->sent, outcome->cost);
    const char *other = oracle_money_settles(&town->money, ticket, outcome->sent, outcome->cost);
    wrong = wrong ? wrong : other;
    return wrong ? wrong : compare_money(town, ticket);
}

static const char *tell(struct town_spy *spy, struct koine__ticket *ticket, enum koine__pass pass,
                        const char *code, int64_t now)
{
    struct town_server *seen = seen_of(spy, ticket);
    bool refused = pass == KOINE__PASS_REFUSE;
    if (!seen)
        return NULL;
    switch (spy->where) {
    case KOINE__STAGE_BUDGET:
        return tell_budget(spy->town, ticket, refused ? code : NULL);
    case KOINE__STAGE_BREAKER_PEEK:
        return oracle_breaker_peek(&seen->breaker, now, ticket->may_not_wait, refused);
    case KOINE__STAGE_LIMITER:
        return tell_limiter(spy, seen, ticket, pass, now);
    case KOINE__STAGE_LAST_LOOK:
        return pass == KOINE__PASS_GO && now < seen->paused_until
                   ? "somebody in line for a connection was let through in spite of a pause"
                   : NULL;
    case KOINE__STAGE_BREAKER_ENTER:
        return oracle_breaker_enter(&seen->breaker, ticket, now, ticket->ends_by, ticket->may_not_wait,
                                    refused);
    default:
        return NULL;
    }
}

static enum koine__pass enter(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault)
{
    struct town_spy *spy = self;
    enum koine__pass pass =
        spy->real ? spy->real->enter(spy->real->self, ticket, now, ret_fault) : KOINE__PASS_GO;
    spy->town->tally.refused += pass == KOINE__PASS_REFUSE;
    if (pass == KOINE__PASS_REFUSE)
        town_note(spy->town, "client %u: call %u is refused: %.90s", spy->town->running->number,
                  call_of(ticket)->number, ret_fault->message);
    town_hear(spy->town, tell(spy, ticket, pass, ret_fault->code, now));
    return pass;
}

static void sent(void *self, struct koine__ticket *ticket, int64_t now)
{
    struct town_spy *spy = self;
    struct town_server *seen = seen_of(spy, ticket);
    if (spy->real && spy->real->sent)
        spy->real->sent(spy->real->self, ticket, now);
    if (seen && spy->where == KOINE__STAGE_LIMITER) {
        town_hear(spy->town, oracle_limiter_sent(&seen->limiter, ticket, now));
        town_hear(spy->town, town_retry_is_sent(call_of(ticket), &seen->bucket, ticket->may_not_wait));
    }
}

static void answering(void *self, struct koine__ticket *ticket, int64_t now)
{
    struct town_spy *spy = self;
    struct town_server *seen = seen_of(spy, ticket);
    if (spy->real && spy->real->answering)
        spy->real->answering(spy->real->self, ticket, now);
    if (seen && spy->where == KOINE__STAGE_BREAKER_ENTER)
        town_hear(spy->town, oracle_breaker_answers(&seen->breaker, ticket, now, actual_of(ticket, now)));
}

static void leave(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome, int64_t now)
{
    struct town_spy *spy = self;
    struct town_server *seen = seen_of(spy, ticket);
    if (spy->real && spy->real->leave)
        spy->real->leave(spy->real->self, ticket, outcome, now);
    if (!seen)
        return;
    if (spy->where == KOINE__STAGE_BUDGET)
        town_hear(spy->town, tell_settled(spy->town, ticket, outcome));
    if (spy->where == KOINE__STAGE_LIMITER)
        town_hear(spy->town,
                  oracle_limiter_left(&seen->limiter, ticket, outcome->sent, outcome->tokens, now));
    if (spy->where == KOINE__STAGE_BREAKER_ENTER)
        town_hear(spy->town,
                  oracle_breaker_leaves(&seen->breaker, ticket, now,
                                        /* what its caller had no time for says nothing */
                                        outcome->is_ours ? KOINE_CLASS_CANCELLED : outcome->class_number,
                                        actual_of(ticket, now)));
}

static void forget(void *self, struct koine__ticket *ticket, int64_t now)
{
    struct town_spy *spy = self;
    struct town_server *seen = seen_of(spy, ticket);
    if (spy->real && spy->real->forget)
        spy->real->forget(spy->real->self, ticket, now);
    if (seen && spy->where == KOINE__STAGE_LIMITER)
        oracle_limiter_forgets(&seen->limiter, ticket);
}

void town_spy_init(struct town_spy *spy, struct town *town, enum koine__stage where,
                   const struct koine__gate_stage *real)
{
    *spy = (struct town_spy){
        .stage = {.enter = enter, .sent = sent, .answering = answering, .leave = leave, .forget = forget},
        .real = real,
        .town = town,
        .where = where,
    };
    spy->stage.self = spy;
}
