/* clock: time and randomness as values that a test can replace. Nothing else in the library reads either. */
#ifndef KOINE_CORE_BASE_CLOCK_H
#define KOINE_CORE_BASE_CLOCK_H

#include <stdint.h>

#define KOINE__MS    INT64_C(1000000)
#define KOINE__SEC   INT64_C(1000000000)
#define KOINE__NEVER INT64_MAX

struct koine__clock {
    int64_t (*now)(void *arg); /* monotonic nanoseconds */
    int64_t (*wall)(
        void *arg); /* nanoseconds since 1970: only for HTTP dates, the validity of prices, and the log */
    /* A virtual clock moves itself to `until` instead of letting the process wait; NULL: real time. */
    void (*advance)(void *arg, int64_t until);
    void *arg;
};
extern const struct koine__clock koine__system_clock;

static inline int64_t koine__now(const struct koine__clock *clock)
{
    return clock->now(clock->arg);
}

/* a + b without overflow: KOINE__NEVER swallows. */
static inline int64_t koine__time_add(int64_t a, int64_t b)
{
    return a > KOINE__NEVER - b ? KOINE__NEVER : a + b;
}

/* Randomness for jitter: xoshiro256** (Blackman and Vigna, 2018), seeded from the system or by a test. */
struct koine__random {
    uint64_t s[4];
};
void koine__random_seed(struct koine__random *random, uint64_t seed); /* SplitMix64 fills the state */
uint64_t koine__random_next(struct koine__random *random);
int64_t koine__random_below(struct koine__random *random,
                            int64_t bound); /* uniform in [0, bound), unbiased; bound ≤ 0 gives 0 */

#endif
