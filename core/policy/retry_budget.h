/* retry_budget: how many retries all calls to one server may make, so that an outage is not made worse (part
 * C4 of the specification; after the AWS SDKs' standard mode). A count without a clock: it starts full; a
 * retry costs 10, or 5 where the provider itself said when to come back; a first attempt that succeeds gives
 * 1 back, a retry that succeeds what it cost. In the long run a tenth of the attempts may be retries. One for
 * each plugin and base URL. [any thread, no lock]
 */
#ifndef KOINE_CORE_POLICY_RETRY_BUDGET_H
#define KOINE_CORE_POLICY_RETRY_BUDGET_H

#include "core/base/fault.h"

#include <stdatomic.h>

struct koine__retry_budget {
    _Atomic int64_t taken; /* of the capacity; 0: full */
};
int64_t koine__retry_cost(const struct koine__fault *fault);
/* capacity -1: there is no budget. False: there is not enough left, and nothing is taken. */
bool koine__retry_budget_take(struct koine__retry_budget *budget, int64_t capacity, int64_t cost);
void koine__retry_budget_give(struct koine__retry_budget *budget, int64_t cost);
int64_t koine__retry_budget_left(const struct koine__retry_budget *budget, int64_t capacity);

#endif
