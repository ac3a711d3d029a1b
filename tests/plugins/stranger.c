/* stranger: a shared object that is no plugin. */
#include <koine/provider.h>

KOINE_EXPORT int32_t stranger(void);

int32_t stranger(void)
{
    return 42;
}
