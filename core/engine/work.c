/* work: see work.h. */
#include "core/engine/work.h"

/* What ran since it was last asked. */
static int64_t take(struct koine__work *work, int64_t now)
{
    int64_t ran = work->inside && now > work->since ? now - work->since : 0;
    work->since = now;
    return ran;
}

static void share_out(struct koine__work *work, int64_t now)
{
    int64_t ran = take(work, now);
    if (work->calls > 0)
        work->share += ran / work->calls;
}

void koine__work_enter(struct koine__work *work, int64_t now)
{
    work->inside = true;
    work->since = now;
}

void koine__work_leave(struct koine__work *work, int64_t now)
{
    share_out(work, now);
    work->inside = false;
}

int64_t koine__work_begin(struct koine__work *work, int64_t now)
{
    int64_t own = take(work, now);
    work->calls++;
    return work->share - own;
}

int64_t koine__work_end(struct koine__work *work, int64_t now, int64_t begun)
{
    share_out(work, now);
    work->calls--;
    return work->share - begun;
}
