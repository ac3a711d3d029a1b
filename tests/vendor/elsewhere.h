/* elsewhere: where the runner's providers are: linked in, or the built plugins in processes of their own. */
#ifndef KOINE_TESTS_VENDOR_ELSEWHERE_H
#define KOINE_TESTS_VENDOR_ELSEWHERE_H

#include <koine/provider.h>

#ifdef VENDOR_ISOLATED
#define VENDOR_ELSEWHERE(provider) vendor_elsewhere((provider)->id)
#define VENDOR_LEAVE()             vendor_leave()
#else
#define VENDOR_ELSEWHERE(provider) (provider)
#define VENDOR_LEAVE()             ((void)0)
#endif

/* The plugin of that name in $KOINE_TEST_BUILD, isolated; NULL: none is built. From then on vendor_bridge
 * carries the jobs. */
const koine_provider *vendor_elsewhere(const char *id);
void vendor_leave(void);

#endif
