/* last_look: see last_look.h. */
#include "core/policy/last_look.h"

#include "core/policy/policies.h"

static struct koine__latch latch_of(const struct koine__ticket *ticket, int64_t now)
{
    const struct koine__policies *policies = ticket->policies;
    if (ticket->ignores_latches || !policies->latches || policies->latch <= 0)
        return (struct koine__latch){.class_number = KOINE_CLASS_NONE};
    return koine__latch_find(policies->latches, ticket->key, ticket->model, now);
}

static enum koine__pass enter(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault)
{
    (void)self;
    if (!ticket->policies)
        return KOINE__PASS_GO;
    struct koine__latch latch = latch_of(ticket, now);
    if (latch.class_number != KOINE_CLASS_NONE) {
        koine__latch_fault(&latch, now, ret_fault);
        return KOINE__PASS_REFUSE;
    }
    if (!ticket->policies->limiter || !koine__limiter_is_paused(ticket->policies->limiter, now))
        return KOINE__PASS_GO;
    ticket->back_to = KOINE__STAGE_LIMITER;
    return KOINE__PASS_BACK;
}

const struct koine__gate_stage koine__last_look_stage = {.enter = enter};
