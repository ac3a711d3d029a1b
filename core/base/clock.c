/* clock: the system's clock, and the generator for jitter. */
#include "core/base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts = {0};
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * KOINE__SEC + ts.tv_nsec;
}

static int64_t system_now(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_wall(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_REALTIME);
}

const struct koine__clock koine__system_clock = {.now = system_now, .wall = system_wall};

void koine__random_seed(struct koine__random *random, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        seed += UINT64_C(0x9E3779B97F4A7C15);
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        random->s[i] = z ^ (z >> 31);
    }
}

static uint64_t rotate(uint64_t x, unsigned by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t koine__random_next(struct koine__random *random)
{
    uint64_t *s = random->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

int64_t koine__random_below(struct koine__random *random, int64_t bound)
{
    if (bound <= 0)
        return 0;
    /* Numbers below 2^64 mod bound would make the small remainders likelier. */
    uint64_t range = (uint64_t)bound;
    uint64_t unfair = (UINT64_MAX - range + 1) % range;
    uint64_t x;
    do
        x = koine__random_next(random);
    while (x < unfair);
    return (int64_t)(x % range);
}
