/* The table of runs: one budget for each id, for as long as the hub. */
#include "core/money/runs.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>

#define MANY    5000
#define THREADS 8

static struct koine__runs *runs;

static void one_for_each_id(void)
{
    struct koine__budget_view view;
    runs = koine__runs_new();
    struct koine__budget *a = koine__runs_budget(runs, "a", 10), *b = koine__runs_budget(runs, "b", 20);
    CU_ASSERT_PTR_NOT_EQUAL(a, b);
    CU_ASSERT_PTR_EQUAL(koine__runs_budget(runs, "a", 30), a);
    koine__budget_look(a, &view);
    ASSERT_INT(view.limit, 30); /* what was configured last */
    ASSERT_STR(view.scope, "run");
    koine__budget_look(b, &view);
    ASSERT_INT(view.limit, 20);
    CU_ASSERT_PTR_EQUAL(koine__runs_budget(runs, "", 1), koine__runs_budget(runs, "", 1));
    ASSERT_INT((long long)koine__runs_count(runs), 3);
    koine__runs_free(runs);
    koine__runs_free(NULL);
}

static void many(void)
{
    static struct koine__budget *budgets[MANY];
    char id[32];
    runs = koine__runs_new();
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "run-%d", i);
        budgets[i] = koine__runs_budget(runs, id, i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(budgets[i]);
        budgets[i]->spent = i;
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "run-%d", i);
        if (koine__runs_budget(runs, id, i) != budgets[i] || budgets[i]->spent != i)
            CU_FAIL("a run was lost");
    }
    ASSERT_INT((long long)koine__runs_count(runs), MANY);
    koine__runs_free(runs);
}

/* Each takes the same runs and spends one of each. */
static void *take(void *arg)
{
    struct koine__budget_config config = {.call = -1, .run = MANY};
    struct koine__budget_view refused;
    (void)arg;
    for (int i = 0; i < MANY; i++) {
        char id[32];
        snprintf(id, sizeof(id), "%d", i % 500);
        struct koine__purse *purse = koine__purse_new(&config);
        koine__purse_add(purse, koine__runs_budget(runs, id, MANY));
        if (!koine__purse_reserve(purse, 1, &refused))
            abort();
        koine__purse_settle(purse, 1, 1);
        koine__purse_free(purse);
    }
    return NULL;
}

static void eight_threads(void)
{
    pthread_t threads[THREADS];
    runs = koine__runs_new();
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, take, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ASSERT_INT((long long)koine__runs_count(runs), 500);
    for (int i = 0; i < 500; i++) {
        char id[32];
        snprintf(id, sizeof(id), "%d", i);
        struct koine__budget_view view;
        koine__budget_look(koine__runs_budget(runs, id, MANY), &view);
        if (view.spent != THREADS * MANY / 500 || view.reserved != 0)
            CU_FAIL("a run does not hold what was spent");
    }
    koine__runs_free(runs);
}

static void without_memory(void)
{
    for (long n = 1;; n++) {
        failalloc_begin(n);
        runs = koine__runs_new();
        bool whole = runs != NULL;
        for (int i = 0; i < 40 && whole; i++) {
            char id[32];
            snprintf(id, sizeof(id), "%d", i);
            struct koine__budget *budget = koine__runs_budget(runs, id, 5);
            whole = budget != NULL;
            if (!budget) /* what is there stays, and it works again */
                CU_ASSERT_PTR_NOT_NULL(koine__runs_budget(runs, id, 5));
        }
        koine__runs_free(runs);
        bool failed = failalloc_end();
        CU_ASSERT(failed == !whole);
        if (!failed)
            break;
        CU_ASSERT_FATAL(n < 1000);
    }
}

SUITE_MAIN("runs", {"one for each id", one_for_each_id}, {"many", many}, {"eight threads", eight_threads},
           {"without memory", without_memory})
