/* State that outlives configurations. */
#include "core/policy/policies.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const struct koine__limiter_config limits = {.requests = 100,
                                                    .tokens = -1,
                                                    .concurrent = 64,
                                                    .queue = 256,
                                                    .window = 60 * KOINE__SEC,
                                                    .slack = 500 * KOINE__MS,
                                                    .unused_grant = 250 * KOINE__MS};
static const struct koine__states_key together = {"together", "together", "https://a.example/v1", 7};
static struct koine__states *states;

static void begin(void)
{
    states = koine__states_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(states);
}

static void end(void)
{
    koine__states_unref(states);
}

static struct koine__policies hold(struct koine__states_key key)
{
    struct koine__policies policies = {.latch = 42, .retry_capacity = 100};
    ASSERT_INT(koine__states_hold(states, &key, &limits, &policies), KOINE_OK);
    ASSERT_INT(policies.latch, 42);
    ASSERT_INT(policies.retry_capacity, 100);
    CU_ASSERT(policies.limiter && policies.breaker && policies.retry_budget && policies.latches);
    return policies;
}

static void drop(struct koine__policies *policies)
{
    koine__states_drop(states, policies);
    CU_ASSERT(!policies->limiter && !policies->breaker && !policies->retry_budget && !policies->latches);
}

/* What two instances share: a letter for each that is the same; l: limiter, b: breaker, r: retry budget, a:
 * latches. */
static const char *shared(const struct koine__policies *a, const struct koine__policies *b)
{
    static char text[8];
    snprintf(text, sizeof(text), "%s%s%s%s", a->limiter == b->limiter ? "l" : "",
             a->breaker == b->breaker ? "b" : "", a->retry_budget == b->retry_budget ? "r" : "",
             a->latches == b->latches ? "a" : "");
    return text;
}

static void expect_shared(struct koine__states_key key, const char *expected)
{
    struct koine__policies a = hold(together), b = hold(key);
    ASSERT_STR(shared(&a, &b), expected);
    drop(&b);
    drop(&a);
}

static void what_is_shared(void)
{
    begin();
    struct koine__policies one = hold(together);
    expect_shared(together, "lbra");
    expect_shared((struct koine__states_key){"together", "together", "https://a.example/v1", 8}, "bra");
    expect_shared((struct koine__states_key){"another", "together", "https://a.example/v1", 7}, "br");
    expect_shared((struct koine__states_key){"together", "together", "https://b.example/v1", 7}, "l");
    expect_shared((struct koine__states_key){"together", "openai", "https://a.example/v1", 7}, "l");
    expect_shared((struct koine__states_key){"lab", "openai", "http://127.0.0.1:8000/v1", 0}, "");
    /* texts that only look alike when they are put together */
    expect_shared((struct koine__states_key){"together", "togetherh", "ttps://a.example/v1", 7}, "l");
    expect_shared((struct koine__states_key){NULL, NULL, NULL, 0}, "");
    drop(&one);
    end();
}

static void texts_are_copied(void)
{
    char instance[] = "together", plugin[] = "together", base_url[] = "https://a.example/v1";
    begin();
    struct koine__policies a = hold((struct koine__states_key){instance, plugin, base_url, 7});
    memset(instance, 'x', 3);
    memset(plugin, 'x', 3);
    memset(base_url, 'x', 3);
    struct koine__policies b = hold(together);
    ASSERT_STR(shared(&a, &b), "lbra");
    drop(&a);
    drop(&b);
    end();
}

/* A configuration is applied while the one before still holds: nothing is forgotten. */
static void outlives_a_configuration(void)
{
    begin();
    struct koine__policies old = hold(together);
    koine__latch_set(old.latches, 7, "m", KOINE_CLASS_AUTH, 0, KOINE__SEC);
    CU_ASSERT(koine__retry_budget_take(old.retry_budget, 100, 10));
    struct koine__policies new = hold(together);
    drop(&old);
    ASSERT_INT(koine__latch_find(new.latches, 7, "m", 0).class_number, KOINE_CLASS_AUTH);
    ASSERT_INT(koine__retry_budget_left(new.retry_budget, 100), 90);
    drop(&new);
    new = hold(together); /* nobody held it: it is new */
    ASSERT_INT(koine__latch_find(new.latches, 7, "m", 0).class_number, KOINE_CLASS_NONE);
    ASSERT_INT(koine__retry_budget_left(new.retry_budget, 100), 100);
    drop(&new);
    drop(&new); /* fine */
    end();
}

/* What was wrong was the address: it is mended, and the key free. */
static void another_address_is_free(void)
{
    struct koine__states_key mended = together;
    mended.base_url = "https://a.example/v2";
    begin();
    struct koine__policies old = hold(together);
    koine__latch_set(old.latches, 7, "m", KOINE_CLASS_AUTH, 0, KOINE__SEC);
    struct koine__policies new = hold(mended);
    ASSERT_INT(koine__latch_find(new.latches, 7, "m", 0).class_number, KOINE_CLASS_NONE);
    drop(&old);
    drop(&new);
    end();
}

static void limits_stay(void)
{
    struct koine__limiter_config other = limits;
    struct koine__limiter_view view;
    begin();
    struct koine__policies a = hold(together), b = {0};
    koine__limiter_look(a.limiter, 0, 0, &view);
    ASSERT_INT(view.config.requests, 100);
    other.requests = 5;
    ASSERT_INT(koine__states_hold(states, &together, &other, &b), KOINE_OK);
    koine__limiter_look(a.limiter, 0, 0, &view); /* what is only being built changes nothing */
    ASSERT_INT(view.config.requests, 100);
    drop(&a);
    drop(&b);
    end();
}

static void many(void)
{
    enum {
        MANY = 300
    };
    static struct koine__policies policies[MANY], again;
    char name[16];
    int wrong = 0;
    begin();
    for (int i = 0; i < MANY; i++) { /* not in order */
        snprintf(name, sizeof(name), "i%d", i * 7 % MANY);
        policies[i] = hold((struct koine__states_key){name, "openai", name, (uint64_t)i % 3});
    }
    for (int i = MANY; i-- > 0;) {
        snprintf(name, sizeof(name), "i%d", i * 7 % MANY);
        again = hold((struct koine__states_key){name, "openai", name, (uint64_t)i % 3});
        wrong += strcmp(shared(&policies[i], &again), "lbra") != 0;
        drop(&again);
        if (i % 2)
            drop(&policies[i]);
    }
    for (int i = 0; i < MANY; i += 2)
        drop(&policies[i]);
    ASSERT_INT(wrong, 0);
    end();
}

/* Each allocation fails once, and what was there before is there as it was. */
static void without_memory(void)
{
    struct koine__states_key other = {"other", "together", "https://b.example", 7};
    for (long n = 0;; n++) {
        struct koine__policies a = {0}, b = {0};
        struct koine__limiter_config changed = limits;
        struct koine__limiter_view view;
        changed.requests = 1;
        failalloc_begin(n + 1);
        states = koine__states_new();
        int rc = states ? koine__states_hold(states, &together, &limits, &a) : KOINE_EMEMORY;
        if (rc == KOINE_OK)
            rc = koine__states_hold(states, &other, &changed, &b);
        CU_ASSERT(b.held[0] || !(b.limiter || b.breaker || b.retry_budget || b.latches));
        if (a.limiter) {
            koine__limiter_look(a.limiter, 0, 0, &view);
            ASSERT_INT(view.config.requests, 100);
            koine__states_drop(states, &b);
            koine__states_drop(states, &a);
        }
        koine__states_unref(states);
        ASSERT_INT(failalloc_held(), 0);
        bool failed = failalloc_end();
        ASSERT_INT(rc, failed ? KOINE_EMEMORY : KOINE_OK);
        if (!failed) {
            CU_ASSERT(n > 20);
            break;
        }
    }
    koine__states_unref(NULL);
}

enum {
    THREADS = 4,
    ROUNDS = 1000
};

static void *use_it(void *arg)
{
    char own[16];
    long wrong = 0;
    snprintf(own, sizeof(own), "own%d", (int)(uintptr_t)arg);
    for (int64_t i = 0; i < ROUNDS; i++) {
        struct koine__policies a = {0}, b = {0};
        struct koine__states_key key = {own, "together", "https://a.example/v1", 1};
        wrong += koine__states_hold(states, &together, &limits, &a) != KOINE_OK;
        wrong += koine__states_hold(states, &key, &limits, &b) != KOINE_OK;
        wrong += a.breaker != b.breaker || a.limiter == b.limiter;
        koine__retry_budget_give(a.retry_budget, 1);
        koine__states_drop(states, &a);
        koine__latch_set(b.latches, 1, "m", KOINE_CLASS_AUTH, i, 1);
        wrong += !koine__latch_clear(b.latches, 1, "m");
        koine__states_drop(states, &b);
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

/* What holds a reference outlives the hub that made it; and in a child of fork nobody waits for a lock. */
static void counted(void)
{
    begin();
    struct koine__states *again = koine__states_ref(states);
    struct koine__policies a = hold(together);
    koine__states_orphan(states);
    koine__states_unref(states);
    drop(&a);
    koine__states_unref(again);
}

SUITE_MAIN("policies", {"what is shared", what_is_shared}, {"texts are copied", texts_are_copied},
           {"outlives a configuration", outlives_a_configuration},
           {"another address is free", another_address_is_free}, {"limits stay", limits_stay}, {"many", many},
           {"without memory", without_memory}, {"of many threads", of_many_threads}, {"counted", counted})
