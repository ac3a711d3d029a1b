/* endless: does not look at the index, so its providers have no end, and each but the first a new id. */
#include "tests/plugins/table.h"

static char ids[128][8];
static koine_provider providers[128];

const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    (void)host;
    uint32_t at = index % 128;
    ids[at][0] = 'e';
    ids[at][1] = (char)('a' + at / 26);
    ids[at][2] = (char)('a' + at % 26);
    providers[at] = (koine_provider){.size = sizeof(koine_provider), .id = ids[at], REST};
    return &providers[at];
}
