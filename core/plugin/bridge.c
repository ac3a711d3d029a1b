/* bridge: the direct one calls the provider where it stands and has its answer at once. */
#include "core/plugin/bridge.h"

static int32_t ask_fault(const struct koine__job *job)
{
    if (!job->provider->fault) /* the status alone classifies the answer */
        return KOINE_DONE;
    return job->provider->fault(job->read, job->sink);
}

static int direct_call(struct koine__bridge *bridge, struct koine__job *job)
{
    (void)bridge;
    job->failure = NULL;
    switch (job->kind) {
    case KOINE__JOB_REQUEST:
        job->answer = job->exchange->request(job->ask, job->out);
        break;
    case KOINE__JOB_FRAME:
        job->answer = job->exchange->frame(job->read, job->sink);
        break;
    case KOINE__JOB_FAULT:
        job->answer = ask_fault(job);
        break;
    case KOINE__JOB_COST:
        job->answer = job->provider->calculate_cost(job->query, job->cost);
        break;
    }
    return KOINE__ANSWERED;
}

/* No job is ever under way. */
static void direct_drop(struct koine__bridge *bridge, struct koine__job *job)
{
    (void)bridge;
    (void)job;
}

struct koine__bridge koine__direct_bridge = {.call = direct_call, .drop = direct_drop};
