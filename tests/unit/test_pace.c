/* How long answers take to begin. */
#include "core/policy/pace.h"

#include "tests/unit/suite.h"

static struct koine__pace pace;

static void too_few(void)
{
    koine__pace_init(&pace);
    for (int64_t i = 1; i < KOINE__PACE_LEAST; i++)
        koine__pace_add(&pace, i);
    ASSERT_INT(koine__pace_p95(&pace), -1);
    koine__pace_add(&pace, 20);
    ASSERT_INT(koine__pace_p95(&pace), 19);
    koine__pace_release(&pace);
}

static void nearest_rank(void)
{
    koine__pace_init(&pace);
    for (int64_t i = 100; i > 0; i--)
        koine__pace_add(&pace, i);
    ASSERT_INT(koine__pace_p95(&pace), 95);
    koine__pace_release(&pace);
}

static void old_ones_are_forgotten(void)
{
    koine__pace_init(&pace);
    for (int64_t i = 0; i < 1000; i++)
        koine__pace_add(&pace, 1000000);
    for (int64_t i = 0; i < KOINE__PACE_KEPT; i++)
        koine__pace_add(&pace, 7);
    ASSERT_INT(koine__pace_p95(&pace), 7);
    koine__pace_release(&pace);
}

SUITE_MAIN("pace", {"too few", too_few}, {"nearest rank", nearest_rank},
           {"old ones are forgotten", old_ones_are_forgotten})
