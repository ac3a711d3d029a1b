/* isolate_done: the answer to a job. */
#include "core/plugin/isolate.h"

#include <string.h>

void koine__isolate_pack_done(struct koine__buf *buf, int32_t answer, const koine_provider_cost *cost,
                              koine_str state)
{
    koine__isolate_pack_cost(buf, answer, cost);
    koine__pack_str(buf, state);
}

/* State that was given back is as long as what was lent, or there is none. */
static bool take_state(const struct koine__job *job, koine_str state)
{
    if (!state.ptr)
        return true;
    if (job->kind != KOINE__JOB_FRAME || !job->read->state || state.len != job->exchange->state_size)
        return false;
    memcpy(job->read->state, state.ptr, state.len);
    return true;
}

bool koine__isolate_unpack_done(struct koine__unpack *unpack, struct koine__job *job)
{
    koine_provider_cost cost = {.size = (uint32_t)sizeof(cost)};
    bool reads = job->kind == KOINE__JOB_FRAME || job->kind == KOINE__JOB_FAULT;
    int32_t answer = koine__isolate_unpack_cost(unpack, &cost);
    koine_str state = koine__unpack_str(unpack);
    if (unpack->bad || !take_state(job, state))
        return false;
    if (job->kind == KOINE__JOB_COST) {
        cost.size = job->cost->size;
        memcpy(job->cost, &cost, cost.size < sizeof(cost) ? cost.size : sizeof(cost));
    }
    job->answer = answer;
    bool writes = job->kind == KOINE__JOB_REQUEST;
    return koine__isolate_play(unpack, writes ? job->ask->host : NULL, writes ? job->out : NULL,
                               reads ? job->sink : NULL);
}
