/* pool: how many attempts of a client may hold a connection at once. Waiting happens here, before the attempt
 * and its timers start, and never inside the HTTP library. Strictly first come, first served. A stage of the
 * gate. */
#ifndef KOINE_CORE_POLICY_POOL_H
#define KOINE_CORE_POLICY_POOL_H

#include "core/policy/gate.h"

struct koine__pool_waiter;
struct koine__pool {
    struct koine__gate_stage stage; /* put it at KOINE__STAGE_POOL */
    int64_t limit, used;
    size_t waiting; /* those in line, and those whose turn has come but who have not taken it */
    struct koine__pool_waiter *first, **last;
};
void koine__pool_init(struct koine__pool *pool, int64_t limit);
void koine__pool_set_limit(struct koine__pool *pool, int64_t limit);

#endif
