/* A limiter that only remembers its limits, for as long as the real one is not in the core. */
#include "core/base/mem.h"
#include "core/policy/limiter.h"

struct koine__limiter {
    struct koine__limiter_config config;
};

int koine__limiter_new(const struct koine__limiter_config *config, struct koine__limiter **ret)
{
    struct koine__limiter *limiter = koine__alloc(sizeof(*limiter));
    if (!limiter)
        return KOINE_EMEMORY;
    limiter->config = *config;
    *ret = limiter;
    return KOINE_OK;
}

void koine__limiter_free(struct koine__limiter *limiter)
{
    koine__dealloc(limiter);
}

void koine__limiter_configure(struct koine__limiter *limiter, const struct koine__limiter_config *config,
                              int64_t now)
{
    (void)now;
    limiter->config = *config;
}

void koine__limiter_look(struct koine__limiter *limiter, int64_t now, int64_t tokens,
                         struct koine__limiter_view *ret)
{
    (void)now, (void)tokens;
    *ret = (struct koine__limiter_view){.config = limiter->config};
}
