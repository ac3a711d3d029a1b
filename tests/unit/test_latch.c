/* What is left alone until somebody mends it. */
#include "core/policy/latch.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <pthread.h>
#include <stdio.h>

#define MIN (60 * KOINE__SEC)

static struct koine__latches *latches;

static void begin(void)
{
    latches = koine__latches_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(latches);
}

static void end(void)
{
    koine__latches_free(latches);
}

static int holds(uint64_t key, const char *model, int64_t now)
{
    return koine__latch_find(latches, key, model, now).class_number;
}

static void of_a_key(void)
{
    begin();
    ASSERT_INT(holds(1, "a", 0), KOINE_CLASS_NONE);
    CU_ASSERT(koine__latch_set(latches, 1, "a", KOINE_CLASS_AUTH, 10, 5 * MIN));
    ASSERT_INT(holds(1, "a", 10), KOINE_CLASS_AUTH);
    ASSERT_INT(holds(1, "another", 10), KOINE_CLASS_AUTH);
    ASSERT_INT(holds(1, NULL, 10), KOINE_CLASS_AUTH);
    ASSERT_INT(holds(2, "a", 10), KOINE_CLASS_NONE); /* a new key is free at once */
    ASSERT_INT(holds(1, "a", 10 + 5 * MIN - 1), KOINE_CLASS_AUTH);
    ASSERT_INT(holds(1, "a", 10 + 5 * MIN), KOINE_CLASS_NONE);
    end();
}

static void of_a_model(void)
{
    begin();
    CU_ASSERT(koine__latch_set(latches, 1, "old", KOINE_CLASS_MODEL_GONE, 0, MIN));
    ASSERT_INT(holds(1, "old", 0), KOINE_CLASS_MODEL_GONE);
    ASSERT_INT(holds(2, "old", 0), KOINE_CLASS_MODEL_GONE); /* whoever asks */
    ASSERT_INT(holds(1, "older", 0), KOINE_CLASS_NONE);
    ASSERT_INT(holds(0, NULL, 0), KOINE_CLASS_NONE);
    CU_ASSERT(koine__latch_set(latches, 0, NULL, KOINE_CLASS_MODEL_GONE, 0, MIN));
    ASSERT_INT(holds(9, "", 0), KOINE_CLASS_MODEL_GONE);
    end();
}

static void of_no_other_class(void)
{
    begin();
    for (int class_number = 0; class_number <= KOINE_CLASS_MEMORY + 1; class_number++) {
        bool latched = class_number == KOINE_CLASS_BILLING || class_number == KOINE_CLASS_AUTH ||
                       class_number == KOINE_CLASS_MODEL_GONE;
        ASSERT_INT(koine__latch_set(latches, (uint64_t)class_number, "m", class_number, 0, MIN), latched);
    }
    CU_ASSERT_FALSE(koine__latch_set(latches, 77, "m2", KOINE_CLASS_AUTH, 0, 0)); /* latch: off */
    CU_ASSERT_FALSE(koine__latch_set(latches, 77, "m2", KOINE_CLASS_AUTH, 0, -1));
    ASSERT_INT(holds(77, "m2", 0), KOINE_CLASS_NONE);
    end();
}

static void again(void)
{
    begin();
    CU_ASSERT(koine__latch_set(latches, 1, "m", KOINE_CLASS_BILLING, 0, 10));
    CU_ASSERT_FALSE(koine__latch_set(latches, 1, "m", KOINE_CLASS_BILLING, 5, 10)); /* nothing new */
    struct koine__latch latch = koine__latch_find(latches, 1, "m", 14);
    ASSERT_INT(latch.class_number, KOINE_CLASS_BILLING);
    ASSERT_INT(latch.since, 0);
    ASSERT_INT(latch.until, 15);
    CU_ASSERT_FALSE(koine__latch_set(latches, 1, "m", KOINE_CLASS_BILLING, 6, 1)); /* not shortened */
    ASSERT_INT(koine__latch_find(latches, 1, "m", 6).until, 15);
    CU_ASSERT(koine__latch_set(latches, 1, "m", KOINE_CLASS_BILLING, 15, 10)); /* it was over */
    latch = koine__latch_find(latches, 1, "m", 15);
    ASSERT_INT(latch.since, 15);
    ASSERT_INT(latch.until, 25);
    CU_ASSERT(koine__latch_set(latches, 2, "m", KOINE_CLASS_AUTH, 0, INT64_MAX));
    ASSERT_INT(koine__latch_find(latches, 2, "m", 1).until, KOINE__NEVER);
    end();
}

static void the_longest_is_told(void)
{
    begin();
    koine__latch_set(latches, 1, "m", KOINE_CLASS_AUTH, 0, 10);
    koine__latch_set(latches, 1, "m", KOINE_CLASS_MODEL_GONE, 1, 30);
    koine__latch_set(latches, 1, "m", KOINE_CLASS_BILLING, 2, 20);
    ASSERT_INT(holds(1, "m", 5), KOINE_CLASS_MODEL_GONE);
    ASSERT_INT(holds(1, "n", 5), KOINE_CLASS_BILLING);
    ASSERT_INT(holds(2, "m", 5), KOINE_CLASS_MODEL_GONE);
    end();
}

static void cleared_by_an_answer(void)
{
    begin();
    CU_ASSERT_FALSE(koine__latch_clear(latches, 1, "m"));
    koine__latch_set(latches, 1, "m", KOINE_CLASS_AUTH, 0, 10);
    koine__latch_set(latches, 1, "m", KOINE_CLASS_BILLING, 0, 10);
    koine__latch_set(latches, 1, "m", KOINE_CLASS_MODEL_GONE, 0, 10);
    koine__latch_set(latches, 1, "n", KOINE_CLASS_MODEL_GONE, 0, 10);
    koine__latch_set(latches, 2, "m", KOINE_CLASS_AUTH, 0, 10);
    CU_ASSERT_FALSE(koine__latch_clear(latches, 3, "x"));
    CU_ASSERT(koine__latch_clear(latches, 1, "m"));
    CU_ASSERT_FALSE(koine__latch_clear(latches, 1, "m"));
    ASSERT_INT(holds(1, "m", 1), KOINE_CLASS_NONE);
    ASSERT_INT(holds(1, "n", 1), KOINE_CLASS_MODEL_GONE); /* of that nothing was heard */
    ASSERT_INT(holds(2, "m", 1), KOINE_CLASS_AUTH);
    CU_ASSERT(koine__latch_clear(latches, 2, "x")); /* long over: but only now it is known to be mended */
    CU_ASSERT(koine__latch_clear(latches, 9, "n"));
    CU_ASSERT_FALSE(koine__latch_clear(latches, 9, "n"));
    end();
}

static void the_first_gives_way(void)
{
    char model[16];
    begin();
    koine__latch_set(latches, 1, "", KOINE_CLASS_AUTH, 5, MIN);
    for (int i = 0; i < 255; i++) {
        snprintf(model, sizeof(model), "m%d", i);
        CU_ASSERT(koine__latch_set(latches, 1, model, KOINE_CLASS_MODEL_GONE, 6 + i, MIN));
    }
    ASSERT_INT(holds(1, "x", 300), KOINE_CLASS_AUTH);
    CU_ASSERT(koine__latch_set(latches, 1, "one more", KOINE_CLASS_MODEL_GONE, 300, MIN));
    ASSERT_INT(holds(1, "x", 300), KOINE_CLASS_NONE);
    ASSERT_INT(holds(1, "m0", 300), KOINE_CLASS_MODEL_GONE);
    CU_ASSERT(koine__latch_set(latches, 1, "and one more", KOINE_CLASS_MODEL_GONE, 301, MIN));
    ASSERT_INT(holds(1, "m0", 301), KOINE_CLASS_NONE);
    ASSERT_INT(holds(1, "m1", 301), KOINE_CLASS_MODEL_GONE);
    ASSERT_INT(holds(1, "m254", 301), KOINE_CLASS_MODEL_GONE);
    ASSERT_INT(holds(1, "one more", 301), KOINE_CLASS_MODEL_GONE);
    end();
}

static void without_memory(void)
{
    for (long n = 1; n <= 4; n++) {
        failalloc_begin(n);
        latches = koine__latches_new();
        bool model = latches && koine__latch_set(latches, 1, "m", KOINE_CLASS_MODEL_GONE, 0, MIN);
        bool key = latches && koine__latch_set(latches, 1, "m", KOINE_CLASS_AUTH, 0, MIN);
        ASSERT_INT(latches != NULL, n > 1);
        ASSERT_INT(model, n > 3);
        ASSERT_INT(key, n > 1); /* the second array is there */
        if (latches && !model)
            ASSERT_INT(holds(2, "m", 1), KOINE_CLASS_NONE);
        if (latches)
            ASSERT_INT(holds(1, "x", 1), KOINE_CLASS_AUTH);
        koine__latches_free(latches);
        ASSERT_INT(failalloc_held(), 0);
        ASSERT_INT(failalloc_end(), n <= 3);
    }
    koine__latches_free(NULL);
}

#define THREADS 4

static void *use_it(void *arg)
{
    uint64_t own = (uint64_t)(uintptr_t)arg;
    char model[16];
    long wrong = 0;
    snprintf(model, sizeof(model), "m%d", (int)own);
    for (int64_t now = 0; now < 2000; now++) {
        koine__latch_set(latches, own, model, KOINE_CLASS_MODEL_GONE, now, 10);
        koine__latch_set(latches, own, model, KOINE_CLASS_AUTH, now, 10);
        wrong += koine__latch_find(latches, own, model, now).class_number == KOINE_CLASS_NONE;
        wrong += !koine__latch_clear(latches, own, model);
        wrong += koine__latch_find(latches, own, model, now).class_number != KOINE_CLASS_NONE;
    }
    return (void *)(uintptr_t)wrong;
}

static void of_many_threads(void)
{
    pthread_t threads[THREADS];
    begin();
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, use_it, (void *)(uintptr_t)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        ASSERT_INT((long long)(uintptr_t)wrong, 0);
    }
    end();
}

SUITE_MAIN("latch", {"of a key", of_a_key}, {"of a model", of_a_model},
           {"of no other class", of_no_other_class}, {"again", again},
           {"the longest is told", the_longest_is_told}, {"cleared by an answer", cleared_by_an_answer},
           {"the first gives way", the_first_gives_way}, {"without memory", without_memory},
           {"of many threads", of_many_threads})
