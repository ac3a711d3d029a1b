/* When a server is left alone, and when it is asked again. */
#include "core/policy/breaker_history.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEC KOINE__SEC

static const struct koine__breaker_config seed = {.failures = 5,
                                                  .window = 60 * SEC,
                                                  .min_calls = 5,
                                                  .ratio = 500000,
                                                  .open_for = 30 * SEC,
                                                  .probes = 1,
                                                  .successes_to_close = 2};
static struct koine__breaker_config config;
static struct koine__breaker *breaker;
static struct koine__breaker_change change; /* the last one's */
static int64_t until;

static void begin(void)
{
    config = seed;
    breaker = koine__breaker_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(breaker);
}

static void end(void)
{
    koine__breaker_free(breaker);
}

static bool enter(int64_t now, struct koine__breaker_pass *ret)
{
    return koine__breaker_enter(breaker, &config, now, 0, ret, &until, &change);
}

static void record(int64_t now, struct koine__breaker_pass *pass, enum koine__verdict verdict)
{
    koine__breaker_record(breaker, &config, now, pass, verdict, &change);
}

/* One call that begins and ends now; false: it was refused. */
static bool call(int64_t now, enum koine__verdict verdict)
{
    struct koine__breaker_pass pass;
    if (!enter(now, &pass))
        return false;
    record(now, &pass, verdict);
    return true;
}

static bool fails(int64_t now)
{
    return call(now, KOINE__VERDICT_FAILURE);
}

static bool answers(int64_t now)
{
    return call(now, KOINE__VERDICT_SUCCESS);
}

static const char *state(int64_t now)
{
    return koine__breaker_state_name(koine__breaker_look(breaker, &config, now, &until));
}

static void open_at(int64_t now)
{
    for (int i = 0; i < 5; i++)
        CU_ASSERT(fails(now));
    ASSERT_STR(state(now), "open");
}

/* Part D, scenario 2. */
static void five_in_sixty_seconds(void)
{
    begin();
    for (int i = 0; i < 4; i++)
        fails(100 * SEC + i * 14 * SEC);
    ASSERT_STR(state(158 * SEC), "closed");
    fails(159 * SEC);
    ASSERT_STR(state(159 * SEC), "open");
    ASSERT_INT(until, 189 * SEC);
    ASSERT_INT(change.from, KOINE__BREAKER_CLOSED);
    ASSERT_INT(change.to, KOINE__BREAKER_OPEN);
    ASSERT_INT(change.until, 189 * SEC);
    CU_ASSERT_FALSE(koine__breaker_failed_again(breaker));
    end();

    begin();
    for (int i = 0; i < 4; i++)
        fails(100 * SEC + i * 14 * SEC);
    fails(161 * SEC);
    ASSERT_STR(state(161 * SEC), "closed");
    ASSERT_INT(change.from, change.to);
    fails(162 * SEC); /* the last five within 48 s */
    ASSERT_STR(state(162 * SEC), "open");
    end();
}

static void to_the_nanosecond(void)
{
    begin();
    for (int i = 0; i < 4; i++)
        fails(7);
    fails(60 * SEC + 8);
    ASSERT_STR(state(60 * SEC + 8), "closed");
    end();
    begin();
    for (int i = 0; i < 4; i++)
        fails(7);
    fails(60 * SEC + 7);
    ASSERT_STR(state(60 * SEC + 7), "open");
    end();
}

static void successes_forgive_nothing(void)
{
    begin();
    for (int i = 0; i < 4; i++) {
        fails(i * SEC);
        answers(i * SEC);
    }
    ASSERT_STR(state(4 * SEC), "closed");
    fails(4 * SEC);
    ASSERT_STR(state(4 * SEC), "open");
    end();
}

static void ratio_guard(void)
{
    begin();
    for (int i = 0; i < 6; i++)
        answers(SEC);
    for (int i = 0; i < 5; i++)
        fails(2 * SEC);
    ASSERT_STR(state(2 * SEC), "closed"); /* 5 of 11 */
    fails(2 * SEC);
    ASSERT_STR(state(2 * SEC), "open"); /* 6 of 12 */
    end();

    begin(); /* slots of 1 s: the successes of second 1 count while the window begins in it */
    for (int i = 0; i < 6; i++)
        answers(SEC);
    for (int i = 0; i < 4; i++)
        fails(50 * SEC);
    fails(62 * SEC - 1);
    ASSERT_STR(state(62 * SEC), "closed");
    fails(62 * SEC);
    ASSERT_STR(state(62 * SEC), "open");
    end();

    begin();
    config.ratio = 0;
    for (int i = 0; i < 1000; i++)
        answers(SEC);
    open_at(2 * SEC);
    end();
}

static void min_calls(void)
{
    begin();
    config.failures = 1;
    config.min_calls = 4;
    config.ratio = 250000;
    fails(SEC);
    answers(SEC);
    answers(SEC);
    answers(SEC);
    ASSERT_STR(state(SEC), "closed"); /* only a failure opens */
    fails(SEC);
    ASSERT_STR(state(SEC), "open");
    end();
}

static void no_verdict_is_no_call(void)
{
    begin();
    for (int i = 0; i < 100; i++)
        call(SEC, KOINE__VERDICT_NONE);
    open_at(SEC);
    end();
}

/* Part D, scenario 3. */
static void open_exactly_so_long(void)
{
    struct koine__breaker_pass pass;
    begin();
    open_at(0);
    CU_ASSERT_FALSE(enter(29900 * KOINE__MS, &pass));
    ASSERT_INT(until, 30 * SEC);
    CU_ASSERT_FALSE(enter(30 * SEC - 1, &pass));
    ASSERT_STR(state(30 * SEC - 1), "open");
    ASSERT_STR(state(30 * SEC), "half_open"); /* though nobody has come yet */
    ASSERT_INT(until, 30 * SEC);
    CU_ASSERT(enter(30 * SEC, &pass));
    CU_ASSERT(pass.probe != 0);
    ASSERT_INT(change.from, KOINE__BREAKER_OPEN);
    ASSERT_INT(change.to, KOINE__BREAKER_HALF_OPEN);
    record(31 * SEC, &pass, KOINE__VERDICT_NONE); /* cancelled: the next call probes */
    ASSERT_INT(change.from, change.to);
    CU_ASSERT(enter(31 * SEC, &pass));
    CU_ASSERT(pass.probe != 0);
    end();
}

static void one_probe_at_a_time(void)
{
    struct koine__breaker_pass probe, other;
    begin();
    open_at(0);
    CU_ASSERT(enter(30 * SEC, &probe));
    CU_ASSERT_FALSE(enter(31 * SEC, &other));
    ASSERT_INT(until, 60 * SEC); /* at the latest */
    ASSERT_STR(state(31 * SEC), "half_open");
    ASSERT_INT(until, 60 * SEC);
    record(32 * SEC, &probe, KOINE__VERDICT_SUCCESS);
    ASSERT_STR(state(32 * SEC), "half_open");
    ASSERT_INT(until, 32 * SEC);
    CU_ASSERT(enter(32 * SEC, &probe));
    record(33 * SEC, &probe, KOINE__VERDICT_SUCCESS);
    ASSERT_STR(state(33 * SEC), "closed");
    ASSERT_INT(change.from, KOINE__BREAKER_HALF_OPEN);
    ASSERT_INT(change.to, KOINE__BREAKER_CLOSED);
    for (int i = 0; i < 4; i++)
        fails(34 * SEC); /* what was before is forgotten */
    ASSERT_STR(state(34 * SEC), "closed");
    fails(34 * SEC);
    ASSERT_STR(state(34 * SEC), "open");
    end();
}

static void a_failed_probe(void)
{
    begin();
    open_at(0);
    CU_ASSERT(answers(30 * SEC));
    CU_ASSERT(fails(31 * SEC));
    ASSERT_INT(change.from, KOINE__BREAKER_HALF_OPEN);
    ASSERT_INT(change.to, KOINE__BREAKER_OPEN);
    ASSERT_INT(change.until, 61 * SEC);
    CU_ASSERT(koine__breaker_failed_again(breaker));
    ASSERT_STR(state(61 * SEC - 1), "open");
    CU_ASSERT(answers(61 * SEC)); /* counted anew */
    ASSERT_STR(state(61 * SEC), "half_open");
    CU_ASSERT(answers(62 * SEC));
    ASSERT_STR(state(62 * SEC), "closed");
    end();
}

static void late_results_change_nothing(void)
{
    struct koine__breaker_pass old[6], probe;
    begin();
    for (int i = 0; i < 6; i++)
        enter(0, &old[i]);
    open_at(0);
    record(1, &old[0], KOINE__VERDICT_SUCCESS);
    ASSERT_STR(state(1), "open");
    ASSERT_INT(until, 30 * SEC);
    CU_ASSERT(enter(30 * SEC, &probe));
    record(30 * SEC, &old[1], KOINE__VERDICT_FAILURE);
    record(30 * SEC, &old[2], KOINE__VERDICT_SUCCESS);
    record(30 * SEC, &old[3], KOINE__VERDICT_SUCCESS);
    ASSERT_STR(state(30 * SEC), "half_open");
    record(31 * SEC, &probe, KOINE__VERDICT_SUCCESS);
    CU_ASSERT(answers(31 * SEC));
    ASSERT_STR(state(31 * SEC), "closed");
    record(31 * SEC, &old[4], KOINE__VERDICT_FAILURE);
    for (int i = 0; i < 4; i++)
        fails(31 * SEC);
    record(31 * SEC, &old[5], KOINE__VERDICT_FAILURE);
    ASSERT_STR(state(31 * SEC), "closed");
    end();
}

static void a_probe_that_never_returns(void)
{
    struct koine__breaker_pass lost, probe;
    begin();
    open_at(0);
    CU_ASSERT(koine__breaker_enter(breaker, &config, 30 * SEC, 90 * SEC, &lost, &until, &change));
    CU_ASSERT_FALSE(enter(90 * SEC - 1, &probe));
    ASSERT_INT(until, 90 * SEC);
    CU_ASSERT(enter(90 * SEC, &probe)); /* another has its lease */
    CU_ASSERT(probe.probe != lost.probe);
    ASSERT_INT((long long)probe.generation, (long long)lost.generation);
    record(91 * SEC, &lost, KOINE__VERDICT_FAILURE);
    ASSERT_STR(state(91 * SEC), "half_open");
    record(91 * SEC, &probe, KOINE__VERDICT_SUCCESS);
    CU_ASSERT(answers(92 * SEC));
    ASSERT_STR(state(92 * SEC), "closed");
    end();

    begin(); /* late, but nobody came meanwhile: what it says is worth hearing */
    open_at(0);
    CU_ASSERT(enter(30 * SEC, &lost));
    record(300 * SEC, &lost, KOINE__VERDICT_FAILURE);
    ASSERT_STR(state(300 * SEC), "open");
    ASSERT_INT(until, 330 * SEC);
    end();
}

static void several_probes(void)
{
    struct koine__breaker_pass probes[3], one_more;
    begin();
    config.probes = 3;
    config.successes_to_close = 4;
    open_at(0);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(koine__breaker_enter(breaker, &config, (30 + i) * SEC, (70 + 10 * i) * SEC, &probes[i],
                                       &until, &change));
    CU_ASSERT_FALSE(enter(33 * SEC, &one_more));
    ASSERT_INT(until, 70 * SEC);
    record(34 * SEC, &probes[1], KOINE__VERDICT_SUCCESS);
    CU_ASSERT(enter(34 * SEC, &one_more));
    CU_ASSERT_FALSE(enter(34 * SEC, &probes[1]));
    record(35 * SEC, &probes[0], KOINE__VERDICT_SUCCESS);
    record(35 * SEC, &probes[2], KOINE__VERDICT_SUCCESS);
    ASSERT_STR(state(35 * SEC), "half_open");
    record(35 * SEC, &one_more, KOINE__VERDICT_SUCCESS);
    ASSERT_STR(state(35 * SEC), "closed");
    end();

    begin();
    config.probes = 100000; /* there is a most */
    open_at(0);
    int let_through = 0;
    for (int i = 0; i < 3000; i++)
        let_through += enter(30 * SEC, &one_more);
    ASSERT_INT(let_through, 1000);
    CU_ASSERT(enter(60 * SEC, &one_more)); /* all of those are over */
    end();
}

static void a_stream_that_ends_badly(void)
{
    struct koine__breaker_pass probe, other;
    begin();
    open_at(0);
    CU_ASSERT(enter(30 * SEC, &probe));
    record(31 * SEC, &probe, KOINE__VERDICT_SUCCESS); /* its first event */
    ASSERT_INT(probe.probe, 0);
    record(31 * SEC, &probe, KOINE__VERDICT_SUCCESS); /* said twice is not two probes */
    ASSERT_STR(state(31 * SEC), "half_open");
    CU_ASSERT(enter(31 * SEC, &other));
    record(32 * SEC, &probe, KOINE__VERDICT_FAILURE);
    ASSERT_STR(state(32 * SEC), "open");
    ASSERT_INT(until, 62 * SEC);
    record(33 * SEC, &other, KOINE__VERDICT_SUCCESS);
    ASSERT_STR(state(33 * SEC), "open");
    end();

    begin(); /* the one that closed it fails in the state that it led to, and counts there once */
    config.successes_to_close = 1;
    open_at(0);
    CU_ASSERT(enter(30 * SEC, &probe));
    record(31 * SEC, &probe, KOINE__VERDICT_SUCCESS);
    ASSERT_STR(state(31 * SEC), "closed");
    for (int i = 0; i < 4; i++)
        fails(32 * SEC);
    record(32 * SEC, &probe, KOINE__VERDICT_FAILURE);
    record(32 * SEC, &probe, KOINE__VERDICT_FAILURE);
    ASSERT_STR(state(32 * SEC), "open");
    end();
}

static void without_one(void)
{
    struct koine__breaker_pass pass;
    begin();
    open_at(0);
    config.failures = -1;
    CU_ASSERT(enter(1, &pass));
    record(1, &pass, KOINE__VERDICT_SUCCESS);
    ASSERT_STR(state(1), "closed"); /* to those without one */
    ASSERT_INT(until, 1);
    config.failures = 5;
    ASSERT_STR(state(1), "open");
    end();
}

/* Instances that share a server may differ in their settings. */
static void settings_that_differ(void)
{
    struct koine__breaker_config strict = seed, patient = seed;
    strict.failures = 3;
    strict.window = SEC;
    strict.min_calls = 3;
    patient.failures = 8;
    patient.window = 600 * SEC;
    begin();
    config = patient;
    for (int i = 0; i < 5; i++)
        CU_ASSERT(fails(i * 60 * SEC));
    config = strict;
    fails(300 * SEC);
    fails(300 * SEC);
    ASSERT_STR(state(300 * SEC), "closed"); /* two within a second, seven within ten minutes */
    config = patient;
    fails(302 * SEC);
    ASSERT_STR(state(302 * SEC), "open");
    config = strict;
    ASSERT_STR(state(302 * SEC), "open");
    end();

    begin(); /* successes are remembered for each window */
    config = patient;
    for (int i = 0; i < 20; i++)
        answers(0);
    config = strict;
    for (int i = 0; i < 2; i++)
        fails(100 * SEC);
    config = patient;
    for (int i = 0; i < 8; i++)
        fails(102 * SEC + i * SEC);
    ASSERT_STR(state(110 * SEC), "closed"); /* 10 of 30 */
    config = strict;
    fails(109 * SEC + SEC / 2);
    fails(109 * SEC + SEC / 2);
    ASSERT_STR(state(110 * SEC), "open"); /* 3 of 3 */
    end();
}

static void a_window_that_is_new(void)
{
    begin();
    for (int i = 0; i < 50; i++)
        answers(i * SEC);
    config.window = 45 * SEC; /* the configuration was changed: the successes are not forgotten */
    for (int i = 0; i < 20; i++)
        fails(50 * SEC);
    ASSERT_STR(state(50 * SEC), "closed"); /* 20 of 65 or a few more */
    for (int i = 0; i < 30; i++)
        fails(50 * SEC);
    ASSERT_STR(state(50 * SEC), "open");
    end();

    begin(); /* one that is in use keeps its place: it goes on to be exact to a second */
    for (int i = 0; i < 24; i++) {
        config.window = (int64_t[]){60, 600, 300, 1200}[i % 4] * SEC;
        answers(SEC);
    }
    config.window = 60 * SEC;
    call(50 * SEC, KOINE__VERDICT_SUCCESS);
    config.window = 120 * SEC;
    call(51 * SEC, KOINE__VERDICT_SUCCESS);
    config.window = 60 * SEC;
    for (int i = 0; i < 5; i++)
        fails(62 * SEC);
    ASSERT_STR(state(62 * SEC), "open"); /* 5 of 7 */
    end();

    begin(); /* more of them than there are places for */
    for (int64_t window = 1; window <= 50; window++) {
        config.window = window * SEC;
        for (int i = 0; i < 10; i++)
            answers(100 * SEC);
        fails(100 * SEC);
        ASSERT_STR(state(100 * SEC), "closed");
    }
    end();
}

static void odd_settings(void)
{
    begin();
    config.window = 0;
    config.probes = 0;
    config.successes_to_close = 0;
    open_at(5);
    CU_ASSERT(answers(5 + 30 * SEC));
    ASSERT_STR(state(5 + 30 * SEC), "closed");
    end();
    begin();
    config.window = INT64_MAX;
    config.open_for = INT64_MAX;
    open_at(5);
    ASSERT_INT(until, KOINE__NEVER);
    end();
    begin();
    config.failures = 5000; /* there is a most */
    for (int i = 0; i < 999; i++)
        fails(i);
    ASSERT_STR(state(999), "closed");
    fails(1000);
    ASSERT_STR(state(1000), "open");
    end();
}

static void more_failures_than_are_kept(void)
{
    begin();
    for (int i = 0; i < 1600; i++)
        answers(SEC);
    for (int i = 0; i < 1599; i++)
        fails(2 * SEC);
    ASSERT_STR(state(2 * SEC), "closed");
    fails(2 * SEC);
    ASSERT_STR(state(2 * SEC), "open"); /* 1600 of 3200 */
    end();
}

/* What is forgotten is forgotten, and what comes after it is not, also within one slot. */
static void forgets_within_a_slot(void)
{
    begin();
    config.window = 3600 * SEC; /* slots of a minute */
    config.open_for = SEC;
    for (int i = 0; i < 4; i++)
        answers(36060 * SEC);
    open_at(36061 * SEC);
    answers(36062 * SEC);
    answers(36062 * SEC);
    ASSERT_STR(state(36062 * SEC), "closed");
    for (int i = 0; i < 6; i++)
        answers(36062 * SEC);
    for (int i = 0; i < 5; i++)
        fails(36063 * SEC);
    ASSERT_STR(state(36063 * SEC), "closed"); /* 5 of 11 */
    fails(36063 * SEC);
    ASSERT_STR(state(36063 * SEC), "open"); /* 6 of 12 */
    end();
}

/* Another thread's time may be a little behind. */
static void times_that_go_back(void)
{
    begin();
    for (int i = 0; i < 4; i++)
        fails(100 * SEC + i);
    fails(90 * SEC);
    ASSERT_STR(state(101 * SEC), "open");
    ASSERT_INT(until, 130 * SEC + 3);
    CU_ASSERT(fails(130 * SEC + 3));
    CU_ASSERT_FALSE(fails(130 * SEC));
    ASSERT_INT(until, 160 * SEC + 3);
    end();
}

static void classes(void)
{
    ASSERT_INT(koine__verdict_of(KOINE_CLASS_NONE), KOINE__VERDICT_SUCCESS);
    ASSERT_INT(koine__verdict_of(KOINE_CLASS_CONNECT), KOINE__VERDICT_FAILURE);
    ASSERT_INT(koine__verdict_of(KOINE_CLASS_RESET), KOINE__VERDICT_FAILURE);
    ASSERT_INT(koine__verdict_of(KOINE_CLASS_TIMEOUT), KOINE__VERDICT_FAILURE);
    ASSERT_INT(koine__verdict_of(KOINE_CLASS_OVERLOADED), KOINE__VERDICT_FAILURE);
    ASSERT_INT(koine__verdict_of(KOINE_CLASS_SERVER), KOINE__VERDICT_FAILURE);
    ASSERT_INT(koine__verdict_of(KOINE_CLASS_PROTOCOL), KOINE__VERDICT_FAILURE);
    for (int class_number = KOINE_CLASS_RATE_LIMIT; class_number <= KOINE_CLASS_MEMORY; class_number++)
        ASSERT_INT(koine__verdict_of(class_number), KOINE__VERDICT_NONE);
}

static void without_memory(void)
{
    failalloc_begin(1);
    CU_ASSERT_PTR_NULL(koine__breaker_new());
    CU_ASSERT(failalloc_end());
    koine__breaker_free(NULL);
    failalloc_begin(2); /* there is no other allocation: nothing of it can fail later */
    breaker = koine__breaker_new();
    config = seed;
    open_at(0);
    answers(30 * SEC);
    end();
    CU_ASSERT_FALSE(failalloc_end());
}

SUITE_MAIN("breaker", {"five in sixty seconds", five_in_sixty_seconds},
           {"to the nanosecond", to_the_nanosecond}, {"successes forgive nothing", successes_forgive_nothing},
           {"ratio guard", ratio_guard}, {"min_calls", min_calls},
           {"no verdict is no call", no_verdict_is_no_call}, {"open exactly so long", open_exactly_so_long},
           {"one probe at a time", one_probe_at_a_time}, {"a failed probe", a_failed_probe},
           {"late results change nothing", late_results_change_nothing},
           {"a probe that never returns", a_probe_that_never_returns}, {"several probes", several_probes},
           {"a stream that ends badly", a_stream_that_ends_badly}, {"without one", without_one},
           {"settings that differ", settings_that_differ}, {"a window that is new", a_window_that_is_new},
           {"odd settings", odd_settings}, {"more failures than are kept", more_failures_than_are_kept},
           {"forgets within a slot", forgets_within_a_slot}, {"times that go back", times_that_go_back},
           {"classes", classes}, {"without memory", without_memory})
