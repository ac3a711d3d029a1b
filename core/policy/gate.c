/* gate: see gate.h. */
#include "core/policy/gate.h"

/* Those before `stage`, back to `first`. */
static void leave_between(const struct koine__gate *gate, struct koine__ticket *ticket, unsigned first,
                          unsigned stage, const struct koine__outcome *outcome, int64_t now)
{
    while (stage-- > first) {
        const struct koine__gate_stage *it = gate->stages[stage];
        if (!(ticket->passed & (1u << stage)))
            continue;
        ticket->passed &= ~(1u << stage);
        if (it && it->leave)
            it->leave(it->self, ticket, outcome, now);
    }
}

/* Who stands behind a stage that cannot tell is not asked: the first that refuses is the one that is told. */
bool koine__gate_foresee(const struct koine__gate *gate, struct koine__ticket *ticket, int64_t now,
                         struct koine__fault *ret_fault)
{
    enum koine__pass pass = KOINE__PASS_GO;
    for (unsigned i = 0; i < KOINE__STAGES && pass == KOINE__PASS_GO; i++) {
        const struct koine__gate_stage *stage = gate->stages[i];
        if (stage)
            pass = stage->foresee ? stage->foresee(stage->self, ticket, now, ret_fault) : KOINE__PASS_WAIT;
    }
    return pass == KOINE__PASS_REFUSE;
}

static void leave_unused(const struct koine__gate *gate, struct koine__ticket *ticket, unsigned first,
                         int class_number, int64_t now)
{
    struct koine__outcome unused = {.class_number = class_number, .tokens = -1, .cost = -1};
    leave_between(gate, ticket, first, ticket->at, &unused, now);
}

enum koine__pass koine__gate_enter(const struct koine__gate *gate, struct koine__ticket *ticket, int64_t now,
                                   struct koine__fault *ret_fault)
{
    while (ticket->at < KOINE__STAGES) {
        const struct koine__gate_stage *stage = gate->stages[ticket->at];
        if (!stage) {
            ticket->at++;
            continue;
        }
        ticket->wake_at = KOINE__NEVER;
        enum koine__pass pass = stage->enter(stage->self, ticket, now, ret_fault);
        ticket->waits = pass == KOINE__PASS_WAIT;
        if (pass == KOINE__PASS_WAIT)
            return pass;
        if (pass == KOINE__PASS_REFUSE) {
            leave_unused(gate, ticket, 0, ret_fault->class_number, now);
            return pass;
        }
        if (pass == KOINE__PASS_BACK) {
            leave_unused(gate, ticket, ticket->back_to, KOINE_CLASS_REFUSED, now);
            ticket->at = ticket->back_to;
            ticket->was_sent_back = true;
            continue;
        }
        ticket->passed |= 1u << ticket->at;
        ticket->at++;
    }
    return KOINE__PASS_GO;
}

void koine__gate_sent(const struct koine__gate *gate, struct koine__ticket *ticket, int64_t now)
{
    for (unsigned i = 0; i < KOINE__STAGES; i++) {
        if ((ticket->passed & (1u << i)) && gate->stages[i]->sent)
            gate->stages[i]->sent(gate->stages[i]->self, ticket, now);
    }
}

void koine__gate_answering(const struct koine__gate *gate, struct koine__ticket *ticket, int64_t now)
{
    for (unsigned i = 0; i < KOINE__STAGES; i++) {
        if ((ticket->passed & (1u << i)) && gate->stages[i]->answering)
            gate->stages[i]->answering(gate->stages[i]->self, ticket, now);
    }
}

void koine__gate_leave(const struct koine__gate *gate, struct koine__ticket *ticket,
                       const struct koine__outcome *outcome, int64_t now)
{
    const struct koine__gate_stage *waiting = ticket->waits ? gate->stages[ticket->at] : NULL;
    ticket->waits = false;
    if (waiting && waiting->forget)
        waiting->forget(waiting->self, ticket, now);
    leave_between(gate, ticket, 0, KOINE__STAGES, outcome, now);
}
