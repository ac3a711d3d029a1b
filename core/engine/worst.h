/* worst: what a call could cost at most, before anybody is asked: along the dearest way through the attempts
 * that its route may make, each at its own worst case (core/money/estimate.h), and no more than its budgets
 * have left. The call asks it for its approval, koine_explain tells it. Only looks; no provider is asked.
 * [the document's thread]
 *
 * A way is bounded as the engine bounds it: a target is asked once and retried as often as it says, all of
 * them together make at most max_attempts, and one of these is kept for each target still untried. (With more
 * targets than max_attempts it may be a little more than any way costs.) Steps of one exchange after the
 * first (KOINE_MORE) are not in it: nobody knows their number.
 */
#ifndef KOINE_CORE_ENGINE_WORST_H
#define KOINE_CORE_ENGINE_WORST_H

#include "core/engine/document.h"
#include "core/money/budget.h"
#include "core/money/estimate.h"

/* Of one attempt there, for the document as that target gets it. `at`: seconds since 1970. NULL document:
 * what has no exchange with a price, such as list_models, which costs nothing. `count`: what is counted of
 * it; may be NULL. */
void koine__target_estimate(const struct koine__target *target, const koine_node *doc,
                            struct koine__count *count, int64_t at, bool typical,
                            struct koine__estimate *ret);

struct koine__worst_ask {
    const struct koine__route *route;
    struct koine__document *document; /* what its targets change is made in it */
    int64_t at;                       /* seconds since 1970: which prices hold */
    bool typical;
    struct koine__purse *purse; /* the budgets that bear it; NULL: none */
};
struct koine__worst {
    int64_t cost; /* picodollars, INT64_MAX where it is more; -1: nobody knows */
    /* The first target of which nobody knows what it costs, and why: static. NULL: there is none. */
    const struct koine__target *target;
    const char *unknown;
};
/* A target that its budgets refuse because nobody knows what it costs adds nothing. KOINE_EMEMORY. */
int koine__call_worst(const struct koine__worst_ask *ask, struct koine__worst *ret);

#endif
