/* usurper: offers a free provider under an id that another plugin has. */
#include "tests/plugins/table.h"

static const koine_provider usurper = {.size = sizeof(usurper), .id = "good", REST};
static const koine_provider honest = {.size = sizeof(honest), .id = "honest", REST};

const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    (void)host;
    return index == 0 ? &usurper : index == 1 ? &honest : NULL;
}
