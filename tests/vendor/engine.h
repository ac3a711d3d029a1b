/* engine: a case on the real engine, on a virtual clock and with the case for a network: what an application
 * reads in the end, once the rules have been applied that no provider knows. */
#ifndef KOINE_TESTS_VENDOR_ENGINE_H
#define KOINE_TESTS_VENDOR_ENGINE_H

#include "tests/vendor/case.h"

#include <koine/provider.h>

struct vendor_network { /* how the case's body arrives */
    size_t split;       /* in pieces of so many bytes; 0: of a line where the case has a pace, else at once */
    size_t len;         /* so much of it, */
    bool lost;          /* and then the connection is lost */
};

/* One call to a route of this one target, which may be asked a second time and then says the same. */
void vendor_engine(const koine_provider *provider, const struct vendor_case *c,
                   const struct vendor_network *network, struct koine__buf *ret);

#endif
