/* observer: who wants to know what became of attempts and calls: the metrics. Called in the client's thread,
 * at the places where the ledger's rows are written and calls are logged; what it is given is borrowed. */
#ifndef KOINE_CORE_ENGINE_OBSERVER_H
#define KOINE_CORE_ENGINE_OBSERVER_H

#include <stdint.h>

struct koine_call;
struct koine__attempt;
struct koine__target;

struct koine__observer {
    /* Settled; also one that was never requested. */
    void (*attempt_ended)(const struct koine__observer *observer, const struct koine_call *call,
                          const struct koine__attempt *attempt);
    /* After a fault of `from` the call tries again, at the same target or at another. */
    void (*went_on)(const struct koine__observer *observer, const struct koine_call *call,
                    const struct koine__target *from, const struct koine__target *to, int class_number);
    /* At the target that answered, or was tried last; KOINE_CLASS_NONE: it is an answer. `own`: ns that the
     * library itself ran for it. */
    void (*call_ended)(const struct koine__observer *observer, const struct koine_call *call,
                       const struct koine__target *target, int class_number, int64_t own);
};

#endif
