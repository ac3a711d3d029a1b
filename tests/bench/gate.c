/* gate: what all policies together cost a call that they let through: latch, foresight, the gate with all its
 * stages (enter, sent, answering, leave), pace, retry budget, in the order in which the engine asks them.
 * With the settings that hold by default, with limits, and with budgets; alone, and with eight threads, each
 * a client, at one instance. One call in fifty fails, so that failures are paid for too. With a number: that
 * many calls with limits and budgets in one thread and nothing else, for valgrind to count.
 */
#include "tests/bench/stopwatch.h"

#include "core/money/budget.h"
#include "core/money/estimate.h"
#include "core/policy/inbox.h"
#include "core/policy/policies.h"
#include "core/policy/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 21,
    CALLS = 80000, /* of a round */
    THREADS = 8
};
#define EVERY (100 * INT64_C(1000)) /* ns of the calls' own time from one to the next */

static const struct koine__breaker_config breaking = {.failures = 5,
                                                      .window = 60 * KOINE__SEC,
                                                      .min_calls = 5,
                                                      .ratio = 500000,
                                                      .open_for = 30 * KOINE__SEC,
                                                      .probes = 1,
                                                      .successes_to_close = 2};
static const struct koine__limiter_config unlimited = {.requests = -1,
                                                       .tokens = -1,
                                                       .concurrent = -1,
                                                       .queue = 256,
                                                       .window = 60 * KOINE__SEC,
                                                       .slack = 500 * KOINE__MS,
                                                       .unused_grant = 250 * KOINE__MS};

static struct instance { /* what all threads share */
    struct koine__policies policies;
    struct koine__states *states;
    struct koine__budget run;
    bool has_budgets;
    _Atomic int64_t clock;
} instance;

static void open_instance(int64_t requests, int64_t concurrent, bool has_budgets)
{
    struct koine__limiter_config limits = unlimited;
    const struct koine__states_key key = {"bench", "openai", "https://bench.test/v1", 1};
    limits.requests = requests;
    limits.concurrent = concurrent;
    instance.states = koine__states_new();
    instance.policies.breaking = breaking;
    instance.policies.latch = 300 * KOINE__SEC;
    instance.policies.retry_capacity = 100;
    if (!instance.states ||
        koine__states_hold(instance.states, &key, &limits, &instance.policies) != KOINE_OK)
        abort();
    koine__budget_init(&instance.run, "run", INT64_MAX / 2);
    instance.has_budgets = has_budgets;
}

static void close_instance(void)
{
    koine__states_drop(instance.states, &instance.policies);
    koine__states_unref(instance.states);
    koine__budget_release(&instance.run);
}

/* ---- One call ---- */

struct client { /* what each thread has for itself */
    struct koine__pool pool;
    struct koine__gate gate;
    struct koine__inbox inbox;
};

static void open_client(struct client *client)
{
    koine__pool_init(&client->pool, 64);
    koine__inbox_init(&client->inbox, NULL);
    client->gate = (struct koine__gate){{[KOINE__STAGE_BUDGET] = &koine__budget_stage,
                                         [KOINE__STAGE_BREAKER_PEEK] = &koine__breaker_peek_stage,
                                         [KOINE__STAGE_LIMITER] = &koine__limiter_stage,
                                         [KOINE__STAGE_POOL] = &client->pool.stage,
                                         [KOINE__STAGE_BREAKER_ENTER] = &koine__breaker_enter_stage}};
}

static void ignore(struct koine__ticket *ticket)
{
    (void)ticket;
}

static struct koine__purse *new_purse(void)
{
    static const struct koine__budget_config config = {.call = INT64_C(1000000000000), .run = -1};
    struct koine__purse *purse = koine__purse_new(&config);
    if (!purse)
        abort();
    koine__purse_add(purse, &instance.run);
    return purse;
}

static void note_answer(const struct koine__policies *policies)
{
    koine__retry_budget_give(policies->retry_budget, 1);
    koine__latch_clear(policies->latches, 1, "m");
}

/* As call_policy.c and attempt*.c do. True: it was let through at once. */
static bool make_call(struct client *client, int64_t now, bool fails)
{
    const struct koine__policies *policies = &instance.policies;
    static const struct koine__outcome answered = {KOINE_CLASS_NONE, true, 700, 1000000, false},
                                       failed = {KOINE_CLASS_SERVER, true, 0, 0};
    struct koine__fault fault;
    struct koine__ticket ticket = {.instance = "bench",
                                   .model = "m",
                                   .policies = policies,
                                   .inbox = &client->inbox,
                                   .deadline = now + 600 * KOINE__SEC,
                                   .ends_by = now + 600 * KOINE__SEC,
                                   .patience = KOINE__NEVER,
                                   .worst = 2000000,
                                   .wake = ignore};
    ticket.stake.purse = instance.has_budgets ? new_purse() : NULL;
    bool passes = koine__latch_find(policies->latches, 1, "m", now).class_number == KOINE_CLASS_NONE &&
                  !koine__gate_foresee(&client->gate, &ticket, now, &fault) &&
                  koine__gate_enter(&client->gate, &ticket, now, &fault) == KOINE__PASS_GO;
    if (passes) {
        koine__gate_sent(&client->gate, &ticket, now);
        koine__pace_add(&policies->pace[0], 1000000);
        koine__gate_answering(&client->gate, &ticket, now);
    }
    koine__gate_leave(&client->gate, &ticket, fails ? &failed : &answered, now);
    if (!fails)
        note_answer(policies);
    koine__purse_free(ticket.stake.purse);
    return passes;
}

static void make_calls(long count)
{
    struct client client;
    open_client(&client);
    for (long i = 0; i < count; i++) {
        int64_t now = atomic_fetch_add_explicit(&instance.clock, EVERY, memory_order_relaxed);
        if (!make_call(&client, now, i % 50 == 49))
            abort();
    }
    koine__inbox_release(&client.inbox);
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

/* ---- The table ---- */

static void say(const char *what, double ns, double target)
{
    char wanted[16] = "-";
    if (target > 0)
        snprintf(wanted, sizeof(wanted), "%.0f ns", target);
    printf("%-44s %7.0f ns %10s %7s %7s%s\n", what, ns, "", "", wanted,
           target > 0 ? (ns <= target ? " ok" : " MISSED") : "");
    fflush(stdout);
}

static void measure(struct stopwatch *watch, const char *what)
{
    double alone[ROUNDS], together[ROUNDS], wall[ROUNDS];
    char title[80];
    make_calls(CALLS);
    for (int i = 0; i < ROUNDS; i++) {
        stopwatch_start(watch);
        make_calls(CALLS);
        stopwatch_stop(watch);
        alone[i] = watch->ns / CALLS;
        double from = wall_ns();
        stopwatch_start(watch);
        make_calls_in_threads();
        stopwatch_stop(watch);
        together[i] = watch->ns / CALLS;
        wall[i] = (wall_ns() - from) / CALLS;
    }
    snprintf(title, sizeof(title), "policies: a call, %s", what);
    say(title, median(alone, ROUNDS), 1000);
    say("  CPU time with 8 threads", median(together, ROUNDS), 3000);
    say("  wall time for each of these calls", median(wall, ROUNDS), 0);
}

/* ---- What an attempt may cost ---- */

/* ns of an estimate; `kept`: not the first of its document. */
static double estimate_of(struct stopwatch *watch, const char *text, int count, bool kept)
{
    static const struct koine__price_row row = {
        .input = 1, .output = 1, .cache_read = -1, .cache_write = -1, .reasoning = -1, .service_tier = ""};
    static const struct koine__model known = {.provider = "p",
                                              .id = "m",
                                              .context = 10000000,
                                              .max_input = -1,
                                              .max_output = 500,
                                              .rows = &row,
                                              .row_count = 1};
    struct koine__arena arena;
    const koine_node *root = NULL;
    struct koine__count counted = {.is_known = false};
    struct koine__estimate_ask ask = {.count = &counted, .known = &known};
    struct koine__estimate estimate;
    double ns[ROUNDS];
    koine__arena_init(&arena, 0);
    if (koine__json_read(koine__str(text), &arena, &root, NULL) != KOINE_OK)
        abort();
    ask.doc = root;
    koine__estimate(&ask, &estimate);
    for (int i = 0; i < ROUNDS; i++) {
        stopwatch_start(watch);
        for (int j = 0; j < count; j++) {
            counted.is_known = kept;
            koine__estimate(&ask, &estimate);
        }
        stopwatch_stop(watch);
        ns[i] = watch->ns / count;
    }
    koine__arena_release(&arena);
    return median(ns, ROUNDS);
}

/* A document of one message, of prose with an escape in every line. */
static char *new_document(size_t bytes)
{
    static const char line[] = "It was said before, and will be said again, at greater length.\\n";
    char *text = malloc(bytes + 256);
    char *end = text ? stpcpy(text, "{\"messages\":[{\"role\":\"user\",\"content\":\"") : NULL;
    if (!end)
        abort();
    while ((size_t)(end - text) < bytes)
        end = stpcpy(end, line);
    stpcpy(end, "\"}]}");
    return text;
}

static void measure_estimates(struct stopwatch *watch)
{
    static const char small[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    char *large = new_document(1000000);
    say("budgets: estimate for a document of 49 bytes", estimate_of(watch, small, 10000, false), 0);
    say("  of 1 MB", estimate_of(watch, large, 10, false), 0);
    say("  of either, for the next attempt", estimate_of(watch, large, 10000, true), 0);
    free(large);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *what;
        int64_t requests, concurrent;
        bool has_budgets;
    } rows[] = {
        {"default settings", -1, -1, false},
        {"rpm and concurrent", 1000000, 64, false},
        {"rpm, concurrent, budgets", 1000000, 64, true},
    };
    struct stopwatch watch;
    if (argc > 1) {
        open_instance(1000000, 64, true);
        make_calls(strtol(argv[1], NULL, 10));
        close_instance();
        return 0;
    }
    stopwatch_open(&watch);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        open_instance(rows[i].requests, rows[i].concurrent, rows[i].has_budgets);
        measure(&watch, rows[i].what);
        close_instance();
    }
    measure_estimates(&watch);
    return 0;
}
