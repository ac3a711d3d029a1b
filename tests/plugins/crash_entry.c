/* crash_entry: its entry crashes. */
#include <koine/provider.h>

const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    (void)host;
    (void)index;
    __builtin_trap();
}
