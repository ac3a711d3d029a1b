/* breaker: what the breaker costs a call that it lets through: peek, enter and leave, at the gate as the
 * engine meets them. Alone, and with eight threads on one breaker; one call in fifty fails, so that failures
 * are paid for too. With a number: that many calls in one thread and nothing else, for valgrind to count.
 */
#include "tests/bench/stopwatch.h"

#include "core/policy/breaker.h"
#include "core/policy/policies.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ROUNDS = 21,
    CALLS = 200000,
    THREADS = 8
};

static struct koine__policies policies = {.breaking = {.failures = 5,
                                                       .window = 60 * KOINE__SEC,
                                                       .min_calls = 5,
                                                       .ratio = 500000,
                                                       .open_for = 30 * KOINE__SEC,
                                                       .probes = 1,
                                                       .successes_to_close = 2}};
static struct koine__gate gate = {{[KOINE__STAGE_BREAKER_PEEK] = &koine__breaker_peek_stage,
                                   [KOINE__STAGE_BREAKER_ENTER] = &koine__breaker_enter_stage}};

/* A call each 10 µs: 100,000 in a second, so that the slots turn as they do under load. */
static void make_calls(long count)
{
    static _Atomic int64_t clock_now;
    int64_t start = atomic_fetch_add(&clock_now, count * 10000);
    static const struct koine__outcome answered = {.class_number = KOINE_CLASS_NONE, .sent = true},
                                       failed = {.class_number = KOINE_CLASS_SERVER, .sent = true};
    struct koine__fault fault;
    for (long i = 0; i < count; i++) {
        int64_t now = start + i * 10000;
        struct koine__ticket ticket = {
            .instance = "bench", .model = "m", .policies = &policies, .ends_by = now + 60 * KOINE__SEC};
        if (koine__gate_enter(&gate, &ticket, now, &fault) != KOINE__PASS_GO)
            abort();
        koine__gate_leave(&gate, &ticket, i % 50 == 49 ? &failed : &answered, now);
    }
}

static void *one_thread(void *arg)
{
    (void)arg;
    make_calls(CALLS / THREADS);
    return NULL;
}

static void make_calls_in_threads(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, one_thread, NULL) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void say(const char *what, const double *values, double target)
{
    double ns = median(values, ROUNDS);
    printf("%-44s %7.0f ns %10s %7s %7.0f %s\n", what, ns, "", "", target, ns <= target ? "ok" : "MISSED");
}

int main(int argc, char **argv)
{
    double alone[ROUNDS], together[ROUNDS];
    struct stopwatch watch;
    policies.breaker = koine__breaker_new();
    if (!policies.breaker)
        abort();
    if (argc > 1) {
        make_calls(strtol(argv[1], NULL, 10));
        koine__breaker_free(policies.breaker);
        return 0;
    }
    stopwatch_open(&watch);
    make_calls(CALLS);
    for (int i = 0; i < ROUNDS; i++) {
        stopwatch_start(&watch);
        make_calls(CALLS);
        stopwatch_stop(&watch);
        alone[i] = watch.ns / CALLS;
        stopwatch_start(&watch);
        make_calls_in_threads();
        stopwatch_stop(&watch);
        together[i] = watch.ns / CALLS;
    }
    say("breaker: peek, enter, leave", alone, 200);
    say("the same, CPU time with 8 threads", together, 1000);
    koine__breaker_free(policies.breaker);
    return 0;
}
