/* bridge: the one way into a provider. It may answer now or later: later is what a provider in a process of
 * its own does (bridge_isolated.h).
 *
 * The caller keeps what the job points at until it is answered or dropped.
 */
#ifndef KOINE_CORE_PLUGIN_BRIDGE_H
#define KOINE_CORE_PLUGIN_BRIDGE_H

#include <koine/provider.h>
#include <stdbool.h>

enum koine__job_kind {
    KOINE__JOB_REQUEST,
    KOINE__JOB_FRAME,
    KOINE__JOB_FAULT,
    KOINE__JOB_COST
};
enum {
    KOINE__ANSWERED = 0,
    KOINE__LATER = 1
};

struct koine__job {
    enum koine__job_kind kind;
    const koine_provider *provider;
    const koine_exchange *exchange; /* not of a fault */
    const koine_ask *ask;           /* of a request */
    koine_out *out;
    const koine_read *read; /* of a frame or a fault */
    koine_sink *sink;
    const koine_cost_query *query; /* of a cost */
    koine_provider_cost *cost;
    int64_t time_limit;  /* ns that an isolated provider may take */
    int32_t answer;      /* what the provider returned */
    const char *failure; /* why it could not answer, as "was killed by SIGSEGV"; NULL: it did;
                            valid inside done, or until the next job */
    void (*done)(struct koine__job *job); /* called from the loop after KOINE__LATER, once */
    void *owner;                          /* the caller's */
    void *private_data;                   /* the bridge's, while it is under way; else NULL */
    struct koine__job *next;              /* the bridge's, */
    bool was_asked;                       /* too */
};
struct koine__bridge {
    int (*call)(struct koine__bridge *bridge, struct koine__job *job); /* KOINE__ANSWERED or KOINE__LATER */
    void (*drop)(struct koine__bridge *bridge,
                 struct koine__job *job); /* a job under way is not wanted any more */
};
/* Calls the provider in this process and answers at once. */
extern struct koine__bridge koine__direct_bridge;

#endif
