/* clock: the system's clock runs forward; the generator gives its published numbers and fair ones below a
 * bound. */
#include "core/base/clock.h"

#include "tests/unit/suite.h"

static void test_system_clock(void)
{
    int64_t before = koine__now(&koine__system_clock);
    for (int i = 0; i < 1000; i++) {
        int64_t now = koine__now(&koine__system_clock);
        CU_ASSERT_TRUE_FATAL(now >= before);
        before = now;
    }
    CU_ASSERT_TRUE(koine__system_clock.wall(koine__system_clock.arg) > INT64_C(1700000000) * KOINE__SEC);
    CU_ASSERT_PTR_NULL(koine__system_clock.advance);
}

static void test_time_add(void)
{
    ASSERT_INT(koine__time_add(1, 2), 3);
    ASSERT_INT(koine__time_add(KOINE__NEVER, 0), KOINE__NEVER);
    ASSERT_INT(koine__time_add(KOINE__NEVER, 5), KOINE__NEVER);
    ASSERT_INT(koine__time_add(5, KOINE__NEVER), KOINE__NEVER);
    ASSERT_INT(koine__time_add(KOINE__NEVER - 5, 5), KOINE__NEVER);
    ASSERT_INT(koine__time_add(KOINE__NEVER - 6, 5), KOINE__NEVER - 1);
}

/* The first numbers of SplitMix64 from 0, and of xoshiro256** from the state 1, 2, 3, 4, as published. */
static void test_known_numbers(void)
{
    struct koine__random random;
    koine__random_seed(&random, 0);
    CU_ASSERT_EQUAL(random.s[0], UINT64_C(0xE220A8397B1DCDAF));
    CU_ASSERT_EQUAL(random.s[1], UINT64_C(0x6E789E6AA1B965F4));
    CU_ASSERT_EQUAL(random.s[2], UINT64_C(0x06C45D188009454F));
    CU_ASSERT_EQUAL(random.s[3], UINT64_C(0xF88BB8A8724C81EC));
    random = (struct koine__random){{1, 2, 3, 4}};
    CU_ASSERT_EQUAL(koine__random_next(&random), UINT64_C(11520));
    CU_ASSERT_EQUAL(koine__random_next(&random), UINT64_C(0));
    CU_ASSERT_EQUAL(koine__random_next(&random), UINT64_C(1509978240));
    CU_ASSERT_EQUAL(koine__random_next(&random), UINT64_C(1215971899390074240));
}

static void test_below(void)
{
    struct koine__random random;
    int counts[10] = {0};
    koine__random_seed(&random, 42);
    for (int i = 0; i < 100000; i++) {
        int64_t x = koine__random_below(&random, 10);
        CU_ASSERT_TRUE_FATAL(x >= 0 && x < 10);
        counts[x]++;
    }
    for (int i = 0; i < 10; i++)
        CU_ASSERT_TRUE(counts[i] > 9500 && counts[i] < 10500);
    ASSERT_INT(koine__random_below(&random, 1), 0);
    ASSERT_INT(koine__random_below(&random, 0), 0);
    ASSERT_INT(koine__random_below(&random, -3), 0);
}

/* For a bound of 2^62 + 1 nearly a quarter of all numbers would be unfair and is thrown away. */
static void test_below_rejects(void)
{
    struct koine__random random;
    koine__random_seed(&random, 7);
    int64_t bound = (INT64_C(1) << 62) + 1;
    int high = 0;
    for (int i = 0; i < 10000; i++) {
        int64_t x = koine__random_below(&random, bound);
        CU_ASSERT_TRUE_FATAL(x >= 0 && x < bound);
        high += x > bound / 2;
    }
    CU_ASSERT_TRUE(high > 4700 && high < 5300);
}

static void test_seeds_repeat(void)
{
    struct koine__random a, b, c;
    koine__random_seed(&a, 1);
    koine__random_seed(&b, 1);
    koine__random_seed(&c, 2);
    uint64_t first = koine__random_next(&a);
    CU_ASSERT_EQUAL(koine__random_next(&b), first);
    CU_ASSERT_NOT_EQUAL(koine__random_next(&c), first);
}

SUITE_MAIN("clock", {"system clock", test_system_clock}, {"time add", test_time_add},
           {"known numbers", test_known_numbers}, {"below", test_below},
           {"below rejects", test_below_rejects}, {"seeds repeat", test_seeds_repeat})
