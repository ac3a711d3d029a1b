/* dialect_traits: what a vendor says it does otherwise. */
#include "core/dialect/dialect.h"

void koine__dialect_traits(const koine_provider *self, const char *name, void *ret, uint32_t size)
{
    const void *told = NULL;
    uint32_t known = 0;
    if (KOINE_HAS(koine_provider, self, extension) && self->extension)
        told = self->extension(name);
    if (!told)
        return;
    memcpy(&known, told, sizeof(known));
    memcpy(ret, told, known < size ? known : size);
    memcpy(ret, &size, sizeof(size));
}

int32_t koine__dialect_cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    return query->host->price(query, ret);
}
