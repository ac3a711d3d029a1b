/* snapshot: one checked configuration, built whole, then immutable and reference-counted: plugins loaded,
 * catalogue read, keys found, routes resolved. Calls under way keep theirs. */
#ifndef KOINE_CORE_HUB_SNAPSHOT_H
#define KOINE_CORE_HUB_SNAPSHOT_H

#include "core/base/mem.h"
#include "core/engine/plan.h"
#include "core/hub/env.h"
#include "core/money/budget.h"
#include "core/plugin/registry.h"

struct koine__webhook { /* where notices go */
    const char *url;    /* NULL: nowhere */
    struct koine__secret *secret;
    uint32_t kinds; /* bit per KOINE_NOTICE_… */
    int64_t timeout;
    struct koine__retry_config retry;
};
struct koine__store_config { /* of the store plugin */
    bool is_wanted;
    const char *plugin, *path;
    bool threadless, refuses;
    int64_t busy;
    size_t queue;
};
struct koine__snapshot {
    struct koine__states *states; /* a reference; NULL: no policy keeps anything */
    struct koine__store *store;
    struct koine__registry registry;
    struct koine__catalogue *catalogue;
    struct koine__arena arena; /* instances, routes and their texts */
    struct koine__instance
        *instances; /* configured ones in order, then every plugin found that has none of its name */
    size_t instance_count;
    struct koine__route *routes;
    size_t route_count;
    const struct koine__route *default_route; /* NULL: none */
    struct koine__route
        single; /* what a route of one target takes from the default one; without its target */
    int64_t pool_connections, pool_idle, min_attempt;
    struct koine__budget_config budgets;
    struct koine__approval approval; /* as the settings say; nothing is answered beforehand */
    const char *ca_file,
        *proxy; /* proxy NULL: as the environment says; "": none, for nobody asked to read that */
    struct koine__webhook webhook;
    struct koine__store_config keeping;
    int references; /* changed atomically */
};
/* `store` is copied. Opens plugins, reads catalogues, files with keys, and runs api_key_command. A plugin
 * that is refused is no error unless a configured instance or target needs it, and an isolated one that
 * crashed is none even then: its instance has no provider. KOINE_ECONFIG, KOINE_EMEMORY.
 */
struct koine__surroundings { /* what a snapshot is built in; each may be NULL */
    const struct koine__env *env;
    struct koine__log *log;
    struct koine__states *states;
};
int koine__snapshot_build(const struct koine__store *store, const struct koine__surroundings *around,
                          struct koine__snapshot **ret, koine_error **ret_error);
/* Its limits hold from now on, also for those who wait in line already: when it is published. */
void koine__snapshot_enforce(const struct koine__snapshot *snapshot, int64_t now);
struct koine__snapshot *koine__snapshot_ref(struct koine__snapshot *snapshot);
void koine__snapshot_unref(struct koine__snapshot *snapshot); /* NULL is fine */
const struct koine__instance *koine__snapshot_instance(const struct koine__snapshot *snapshot,
                                                       const char *name);
const struct koine__route *koine__snapshot_route(const struct koine__snapshot *snapshot, const char *name);

#endif
