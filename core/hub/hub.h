/* hub: what one process shares: staged settings, the published snapshot, handles, the log. [any thread] */
#ifndef KOINE_CORE_HUB_HUB_H
#define KOINE_CORE_HUB_HUB_H

#include "core/base/settings.h"
#include "core/engine/attempt.h"
#include "core/hub/metrics.h"
#include "core/hub/notice.h"
#include "core/hub/snapshot.h"
#include "core/money/runs.h"
#include "core/wire/transport_curl.h"

#include <pthread.h>

/* The world as a test would have it: everything that a hub and its clients take from outside. */
struct koine__world {
    const struct koine__clock *clock; /* NULL: the system's */
    uint64_t seed;                    /* 0: from the system */
    int (*transport)(void *arg, struct koine__loop *loop, struct koine__transport **ret); /* NULL: curl */
    void *transport_arg;
    struct koine__bridge *bridge;                          /* NULL: direct */
    const struct koine__gate_stage *stages[KOINE__STAGES]; /* NULL: ours */
};
struct koine__handle; /* a koine_provider_handle in the hub's list */

struct koine_hub {
    pthread_mutex_t mutex; /* never held for long */
    struct koine__log log;
    struct koine__world world; /* set before the first client */
    struct koine__metrics *metrics;
    struct koine__notices notices; /* its witness is the engines' */
    /* What is staged, up to its mark below. Held while a snapshot is built, which may read files and run
     * commands; so whoever only wants the snapshot in force takes `mutex` alone. Taken before it. */
    pthread_mutex_t staging;
    struct koine__store *staged;
    struct koine__env *env;   /* NULL: the environment was not asked for */
    char run[24];             /* the run id of calls that name none */
    struct koine__runs *runs; /* what each of them spent */
    char *config_file;        /* loaded last; NULL: none */
    char *named_config; /* $KOINE_CONFIG as the process itself has it; NULL: not set, or not asked for */
    char *user_config;  /* where the user's would be, likewise */
    struct koine_error *stage_error; /* what koine_hub_set found wrong; told by apply */
    char *stage_error_path;          /* for which setting: a right value for it is the end of the error */
    /* The mark: below here `mutex` guards. */
    struct koine__snapshot *snapshot;
    struct koine__states *states;    /* of limiters, breakers and the like; has a lock of its own */
    struct koine__curl_share *share; /* made with the first client */
    struct koine__handle *handles;
    int references;      /* the application's own and one for each client */
    unsigned generation; /* of the process: see fork.h */
};
/* A reference to the snapshot in force; applies what is staged if nothing was applied yet. */
int koine__hub_snapshot(struct koine_hub *hub, struct koine__snapshot **ret, koine_error **ret_error);
struct koine_hub *koine__hub_ref(struct koine_hub *hub);
void koine__hub_set_world(struct koine_hub *hub, const struct koine__world *world);
/* KOINE_OK; KOINE_EFORK in a child of the process that made it; KOINE_EARGUMENT from inside the log's sink.
 */
int koine__hub_usable(const struct koine_hub *hub);
/* The share of all clients, made when first asked for. */
int koine__hub_share(struct koine_hub *hub, struct koine__curl_share **ret);

#endif
