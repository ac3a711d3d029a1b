/* retry: whether the same target is tried again, and when. Pure: configuration, what happened, now → verdict.
 *
 * max_retries counts retries after the first attempt. Delays grow by base × multiplier^i up to max_delay
 * (part C3 of the specification; jitter as named by AWS, "Exponential backoff and jitter", 2015). An advised
 * wait is a floor: jitter only adds to it.
 */
#ifndef KOINE_CORE_POLICY_RETRY_H
#define KOINE_CORE_POLICY_RETRY_H

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/str.h"

enum koine__jitter { /* in the order of the settings table's choices */
    KOINE__JITTER_NONE,
    KOINE__JITTER_EQUAL,
    KOINE__JITTER_FULL,
    KOINE__JITTER_DECORRELATED,
    KOINE__JITTER_PROPORTIONAL
};
struct koine__retry_config {
    int64_t max_retries;
    int64_t base_delay, max_delay; /* ns */
    int64_t multiplier;            /* × 10^6 */
    int64_t jitter;                /* enum koine__jitter */
    int64_t retry_after_cap;       /* ns: a longer advised wait is not waited for here */
    int64_t move_on_after;         /* ns: a longer one goes to the next target, if there is one */
};
struct koine__retry_state { /* of one target within a call; zeroed at its start */
    unsigned retries;       /* made so far */
    int64_t delay;          /* the last one, before any advice; decorrelated jitter grows from it */
};
struct koine__retry_ask {
    const struct koine__fault *fault;
    int64_t now, deadline;  /* of the call */
    int64_t min_attempt;    /* an attempt needs at least that much time */
    bool another_target;    /* the route has one that may be tried */
    unsigned attempts_left; /* that this target may still use of the call's max_attempts */
};
struct koine__retry_verdict {
    bool again;
    int64_t at;            /* when, if again */
    bool deadline_limited; /* the only reason against it was time */
};
struct koine__retry_verdict koine__retry_decide(const struct koine__retry_config *config,
                                                struct koine__retry_state *state,
                                                const struct koine__retry_ask *ask,
                                                struct koine__random *random);
/* base × multiplier^i up to max, saturating; i from 0. */
int64_t koine__retry_delay(const struct koine__retry_config *config, unsigned i);

/* The advised wait of an answer's headers in ns: retry-after-ms, x-ms-retry-after-ms, retry-after in seconds
 * (a decimal), then as an HTTP date measured against the answer's own Date where there is one, else against
 * `wall` (ns since 1970). -1: none, or none that makes sense. `find` looks a header up without case. */
int64_t koine__retry_after(koine_str (*find)(const void *arg, const char *name), const void *arg,
                           int64_t wall);

#endif
