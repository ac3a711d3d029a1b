/* plan: see plan.h. */
#include "core/engine/plan.h"

#include <string.h>

const char *koine__instance_option(const void *instance, const char *name)
{
    const struct koine__instance *self = instance;
    const char *const *pair = self ? self->options : NULL;
    for (; pair && pair[0]; pair += 2)
        if (strcmp(pair[0], name) == 0)
            return pair[1];
    return NULL;
}

bool koine__instance_needs_key(const struct koine__instance *instance)
{
    const koine_provider *provider = instance->provider;
    return provider->key_variable &&
           (!provider->base_url || strcmp(instance->base_url, provider->base_url) == 0);
}
