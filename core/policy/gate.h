/* gate: what an attempt passes before it may start, in the one order (DESIGN section 2): budget,
 * breaker.peek, limiter, breaker.enter. Every stage may answer: go, wait, or refuse; a wait ends when the
 * stage wakes the ticket.
 *
 * The stages themselves come with their own files; an absent one lets everything through.
 */
#ifndef KOINE_CORE_POLICY_GATE_H
#define KOINE_CORE_POLICY_GATE_H

#include "core/base/clock.h"
#include "core/base/fault.h"

enum koine__stage {
    KOINE__STAGE_BUDGET,
    KOINE__STAGE_BREAKER_PEEK,
    KOINE__STAGE_LIMITER,
    KOINE__STAGE_BREAKER_ENTER,
    KOINE__STAGES
};
enum koine__pass {
    KOINE__PASS_GO,
    KOINE__PASS_WAIT,
    KOINE__PASS_REFUSE
};

struct koine__ticket {                                /* one attempt's way through the gate */
    const char *instance, *model, *plugin, *base_url; /* what state is kept by */
    uint64_t key;                                     /* fingerprint of the credential */
    int64_t deadline;
    unsigned at;     /* the stage that comes next; KOINE__STAGES: through */
    unsigned passed; /* bit per stage that said go and must be left */
    bool waits;      /* the stage at `at` has it in line */
    int64_t wake_at; /* of a wait: ask again no later than then; KOINE__NEVER: only when woken */
    void (*wake)(struct koine__ticket *ticket); /* the owner's; called by a stage from the loop's thread */
    void *stage_data[KOINE__STAGES];
};
struct koine__outcome { /* what became of an attempt that was let through */
    int class_number;   /* KOINE_CLASS_NONE: it answered */
    bool sent;          /* at least one byte may have reached the provider */
};
struct koine__gate_stage {
    enum koine__pass (*enter)(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault);
    void (*sent)(void *self, struct koine__ticket *ticket, int64_t now); /* first byte sent; may be NULL */
    /* Once for each stage that let it through, in reverse order; may be NULL. */
    void (*leave)(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome,
                  int64_t now);
    void (*forget)(void *self,
                   struct koine__ticket *ticket); /* of one that waits: it gives up; may be NULL */
    void *self;
};
struct koine__gate {
    const struct koine__gate_stage *stages[KOINE__STAGES]; /* NULL: absent */
};
/* Goes on from ticket->at. On a refusal the stages passed so far have been left again. */
enum koine__pass koine__gate_enter(const struct koine__gate *gate, struct koine__ticket *ticket, int64_t now,
                                   struct koine__fault *ret_fault);
void koine__gate_sent(const struct koine__gate *gate, struct koine__ticket *ticket, int64_t now);
void koine__gate_leave(const struct koine__gate *gate, struct koine__ticket *ticket,
                       const struct koine__outcome *outcome, int64_t now);

#endif
