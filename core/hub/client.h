/* client: the body behind koine_client. [one thread at a time] */
#ifndef KOINE_CORE_HUB_CLIENT_H
#define KOINE_CORE_HUB_CLIENT_H

#include "core/engine/call.h"
#include "core/hub/hub.h"
#include "core/hub/webhook.h"
#include "core/plugin/bridge_isolated.h"
#include "core/policy/inbox.h"
#include "core/policy/pool.h"

struct koine_client {
    struct koine_hub *hub; /* a reference */
    unsigned generation;   /* of the process that made it */
    struct koine__loop *loop;
    struct koine__isolating isolating; /* the engine's bridge, unless a test has its own */
    struct koine__engine engine;
    struct koine__pool pool;
    struct koine__inbox inbox; /* of grants */
    struct koine__calls calls;
    struct koine__sender sender; /* of notices */
    struct koine_event *current; /* lent by koine_next */
};
struct koine__listing {     /* how list_models is to be called; zeroed: as the configuration says */
    bool once;              /* one attempt, no retry */
    int64_t deadline;       /* ns; 0: the default route's */
    struct koine__way *way; /* to be filled; NULL: nobody asks */
};
/* Runs list_models as a call and gives what was answered. */
int koine__client_list(struct koine_client *client, const char *instance, const struct koine__listing *how,
                       koine_response **ret, koine_error **ret_error);
/* Such an answer as a list, completed from the catalogue. Takes the answer. */
int koine__client_models(struct koine_client *client, const char *instance, koine_response *answer,
                         koine_models **ret, koine_error **ret_error);

#endif
