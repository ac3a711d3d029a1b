/* store: a plugin of another kind, which lies among the providers. */
#include <koine/store.h>

const koine_store_plugin *KOINE_STORE_ENTRY(void)
{
    return NULL;
}
