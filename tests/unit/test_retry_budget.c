/* How many retries a server is asked for. */
#include "core/policy/retry_budget.h"

#include "core/base/clock.h"
#include "tests/unit/suite.h"
#include <pthread.h>
#include <stdio.h>

static struct koine__retry_budget budget;

static void begin(void)
{
    atomic_store(&budget.taken, 0);
}

static int64_t left(void)
{
    return koine__retry_budget_left(&budget, 100);
}

static void costs(void)
{
    struct koine__fault fault = {.class_number = KOINE_CLASS_OVERLOADED, .retry_after_ns = -1};
    ASSERT_INT(koine__retry_cost(&fault), 10);
    fault.retry_after_ns = 7 * KOINE__SEC;
    ASSERT_INT(koine__retry_cost(&fault), 5);
}

static void take_and_give(void)
{
    begin();
    ASSERT_INT(left(), 100);
    CU_ASSERT(koine__retry_budget_take(&budget, 100, 95));
    CU_ASSERT_FALSE(koine__retry_budget_take(&budget, 100, 10));
    ASSERT_INT(left(), 5);
    CU_ASSERT(koine__retry_budget_take(&budget, 100, 5));
    CU_ASSERT_FALSE(koine__retry_budget_take(&budget, 100, 1));
    ASSERT_INT(left(), 0);
    koine__retry_budget_give(&budget, 1);
    ASSERT_INT(left(), 1);
    koine__retry_budget_give(&budget, 1000); /* never more than there was */
    ASSERT_INT(left(), 100);
    koine__retry_budget_give(&budget, 1);
    ASSERT_INT(left(), 100);
}

static void without_one(void)
{
    begin();
    for (int i = 0; i < 1000; i++)
        CU_ASSERT(koine__retry_budget_take(&budget, -1, 10));
    ASSERT_INT(koine__retry_budget_left(&budget, -1), -1);
    ASSERT_INT(left(), 100);
    CU_ASSERT_FALSE(koine__retry_budget_take(&budget, 0, 10));
}

/* Settings change, or differ between those who share it. */
static void another_capacity(void)
{
    begin();
    for (int i = 0; i < 10; i++)
        CU_ASSERT(koine__retry_budget_take(&budget, 100, 10));
    ASSERT_INT(koine__retry_budget_left(&budget, 50), 0);
    CU_ASSERT_FALSE(koine__retry_budget_take(&budget, 50, 5));
    ASSERT_INT(koine__retry_budget_left(&budget, 500), 400);
    CU_ASSERT(koine__retry_budget_take(&budget, 500, 10));
    koine__retry_budget_give(&budget, 70);
    CU_ASSERT(koine__retry_budget_take(&budget, 50, 10));
}

/* Part D, scenario 9: a total outage with the breaker off: 10 retries, then first attempts only. */
static void total_outage(void)
{
    int retries = 0, in_call[8] = {0};
    begin();
    for (int call = 0; call < 8; call++)
        for (int retry = 0; retry < 3 && koine__retry_budget_take(&budget, 100, 10); retry++) {
            retries++;
            in_call[call]++;
        }
    ASSERT_INT(retries, 10);
    ASSERT_INT(in_call[2], 3);
    ASSERT_INT(in_call[3], 1);
    ASSERT_INT(in_call[4], 0);
    for (int success = 0; success < 9; success++)
        koine__retry_budget_give(&budget, 1);
    CU_ASSERT_FALSE(koine__retry_budget_take(&budget, 100, 10));
    koine__retry_budget_give(&budget, 1);
    CU_ASSERT(koine__retry_budget_take(&budget, 100, 10));
}

/* Of `calls` whose first attempt fails each `every`-th time and whose retry fails too: how many were retried.
 */
static int retried(int calls, int every)
{
    int count = 0;
    begin();
    for (int i = 1; i <= calls; i++) {
        if (i % every != 0)
            koine__retry_budget_give(&budget, 1);
        else if (koine__retry_budget_take(&budget, 100, 10))
            count++;
    }
    return count;
}

static void in_the_long_run(void)
{
    ASSERT_INT(retried(11000, 11), 1000); /* ten successes pay for each: never refused */
    ASSERT_INT(retried(10000, 10), 909);  /* of eleven that fail ten, once what it began with is used up */
    ASSERT_INT(retried(10000, 2), 509);   /* 100 and 5000 successes, the first of which finds it full */
    ASSERT_INT(retried(10000, 1), 10);
}

/* Random takes and gives against the rule itself. */
static void any_order(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct koine__random random;
        int64_t model = 100, taken = 0, given = 0;
        int wrong = -1;
        koine__random_seed(&random, seed);
        begin();
        for (int step = 0; step < 5000 && wrong < 0; step++) {
            int64_t cost = (int64_t[]){1, 5, 10, 14}[koine__random_below(&random, 4)];
            if (koine__random_below(&random, 3) == 0) {
                koine__retry_budget_give(&budget, cost);
                given += cost;
                model = model + cost < 100 ? model + cost : 100;
            } else {
                bool enough = model >= cost;
                model -= enough ? cost : 0;
                taken += enough ? cost : 0;
                wrong = koine__retry_budget_take(&budget, 100, cost) == enough ? -1 : step;
            }
            if (left() != model || taken > 100 + given)
                wrong = step;
        }
        if (wrong >= 0)
            printf("# seed %llu, step %d\n", (unsigned long long)seed, wrong);
        ASSERT_INT(wrong, -1);
    }
}

#define THREADS 4
#define ROUNDS  20000

static _Atomic int64_t all_taken, all_given, outside;

static void *use_it(void *arg)
{
    struct koine__random random;
    koine__random_seed(&random, (uint64_t)(uintptr_t)arg);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t cost = 1 + koine__random_below(&random, 10);
        if (koine__random_below(&random, 2)) {
            atomic_fetch_add(&all_given, cost); /* first, so that the sum is an upper bound at all times */
            koine__retry_budget_give(&budget, cost);
        } else if (koine__retry_budget_take(&budget, 100, cost)) {
            int64_t taken = atomic_fetch_add(&all_taken, cost) + cost;
            outside += taken > 100 + atomic_load(&all_given);
        }
        outside += left() < 0 || left() > 100 || atomic_load(&budget.taken) < 0;
    }
    return NULL;
}

static void of_many_threads(void)
{
    pthread_t threads[THREADS];
    begin();
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, use_it, (void *)(uintptr_t)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ASSERT_INT(outside, 0);
    CU_ASSERT(all_taken > 0);
}

/* Without gives the capacity is handed out to the last bit, and no more. */
static void *take_all(void *arg)
{
    int64_t *taken = arg;
    while (koine__retry_budget_take(&budget, 100000, 10))
        *taken += 10;
    return NULL;
}

static void nothing_is_lost(void)
{
    pthread_t threads[THREADS];
    int64_t taken[THREADS] = {0}, sum = 0;
    begin();
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, take_all, &taken[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += taken[i];
    }
    ASSERT_INT(sum, 100000);
    ASSERT_INT(koine__retry_budget_left(&budget, 100000), 0);
}

SUITE_MAIN("retry_budget", {"costs", costs}, {"take and give", take_and_give}, {"without one", without_one},
           {"another capacity", another_capacity}, {"total outage", total_outage},
           {"in the long run", in_the_long_run}, {"any order", any_order},
           {"of many threads", of_many_threads}, {"nothing is lost", nothing_is_lost})
