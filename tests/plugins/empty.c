/* empty: an entry, and no provider behind it. */
#include <koine/provider.h>

const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    (void)host;
    (void)index;
    return NULL;
}
