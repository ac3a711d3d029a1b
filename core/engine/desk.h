/* desk: what one call into a provider works with: the host's tables, what is asked or read, and the memory
 * that is gone when the call returns.
 *
 * An attempt takes one when it has something for its provider and puts it back when the job is answered, so a
 * thousand streams that wait need none. The engine keeps one to be taken again: providers that answer at once
 * never need a second. [the client's thread]
 */
#ifndef KOINE_CORE_ENGINE_DESK_H
#define KOINE_CORE_ENGINE_DESK_H

#include "core/plugin/bridge.h"
#include "core/plugin/host.h"
#include "core/plugin/out.h"

struct koine__desk {
    struct koine__host host;
    struct koine__arena arena; /* of host->alloc, the frame's nodes, the request's headers */
    struct koine__job job;     /* at most one */
    void *owner;               /* who took it */
    koine_ask ask;
    struct koine__out out;
    koine_read read;
    koine_frame frame;
    koine_cost_query cost_query;
    koine_provider_usage cost_usage;
    koine_provider_cost cost_answer;
};
struct koine__desks {
    struct koine__desk *spare; /* NULL: none */
};
/* `env` without its arena, which is the desk's. NULL: no memory. */
struct koine__desk *koine__desk_take(struct koine__desks *desks, const struct koine__host_env *env,
                                     void *owner);
/* Everything on it ends. NULL is fine. */
void koine__desk_put_back(struct koine__desks *desks, struct koine__desk *desk);
void koine__desks_release(struct koine__desks *desks);

#endif
