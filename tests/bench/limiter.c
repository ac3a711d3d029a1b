/* limiter: what a call costs at the limiter: alone, with eight threads that do nothing else, refused, and in
 * a line that is short or long.
 */
#include "tests/bench/stopwatch.h"

#include "core/policy/policies.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ROUNDS = 11,
    CALLS = 50000, /* of a round */
    THREADS = 8,
    MOST_WAITERS = 100000
};
static struct koine__policies policies;
static const struct koine__gate_stage *const stage = &koine__limiter_stage;
static const struct koine__outcome answered = {KOINE_CLASS_NONE, true, 700, -1, false};

static void ignore(struct koine__ticket *ticket)
{
    (void)ticket;
}

static struct koine__ticket new_ticket(void)
{
    return (struct koine__ticket){.instance = "together",
                                  .policies = &policies,
                                  .deadline = KOINE__NEVER,
                                  .patience = KOINE__NEVER,
                                  .tokens = 1000,
                                  .wake = ignore};
}

static void new_limiter(int64_t requests, int64_t concurrent)
{
    struct koine__limiter_config config = {requests,       INT64_C(1000000000000), concurrent,
                                           MOST_WAITERS,   60 * KOINE__SEC,        500 * KOINE__MS,
                                           250 * KOINE__MS};
    if (koine__limiter_new(&config, &policies.limiter) != KOINE_OK)
        abort();
}

static void print(const char *title, double ns, double target)
{
    char wanted[16] = "-";
    if (target > 0)
        snprintf(wanted, sizeof(wanted), "%.0f ns", target);
    printf("%-44s %7.0f ns %10s %7s %7s%s\n", title, ns, "", "", wanted,
           target > 0 ? (ns <= target ? " ok" : " MISSED") : "");
    fflush(stdout);
}

/* ---- Calls ---- */

/* One every 2 ms of its own time, so that the log holds what a window has: 30,000. */
static void make_calls(int64_t *now, int count)
{
    struct koine__ticket ticket = new_ticket();
    struct koine__fault fault;
    for (int i = 0; i < count; i++) {
        *now += 2 * KOINE__MS;
        if (stage->enter(NULL, &ticket, *now, &fault) != KOINE__PASS_GO)
            abort();
        stage->sent(NULL, &ticket, *now);
        stage->leave(NULL, &ticket, &answered, *now);
    }
}

static void alone(struct stopwatch *watch)
{
    double ns[ROUNDS];
    int64_t now = 0;
    new_limiter(1000000, 64);
    make_calls(&now, CALLS);
    for (int i = 0; i < ROUNDS; i++) {
        stopwatch_start(watch);
        make_calls(&now, CALLS);
        stopwatch_stop(watch);
        ns[i] = watch->ns / CALLS;
    }
    print("limiter: a call (enter, sent, leave)", median(ns, ROUNDS), 300);
    koine__limiter_free(policies.limiter);
}

static void *make_some(void *arg)
{
    int64_t now = 0;
    (void)arg;
    make_calls(&now, CALLS / THREADS);
    return NULL;
}

/* CPU time of all of them for a call of one, waiting for the lock and waking included. */
static void eight_threads(struct stopwatch *watch)
{
    double ns[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t threads[THREADS];
        new_limiter(1000000, 64);
        stopwatch_start(watch);
        for (int j = 0; j < THREADS; j++)
            if (pthread_create(&threads[j], NULL, make_some, NULL) != 0)
                abort();
        for (int j = 0; j < THREADS; j++)
            pthread_join(threads[j], NULL);
        stopwatch_stop(watch);
        ns[i] = watch->ns / CALLS;
        koine__limiter_free(policies.limiter);
    }
    print("limiter: the same, eight threads at it", median(ns, ROUNDS), 3000);
}

static void refused(struct stopwatch *watch)
{
    double ns[ROUNDS];
    struct koine__fault fault;
    struct koine__ticket ticket = new_ticket();
    new_limiter(1, 64);
    if (stage->enter(NULL, &ticket, 0, &fault) != KOINE__PASS_GO)
        abort();
    stage->sent(NULL, &ticket, 0);
    stage->leave(NULL, &ticket, &answered, 0);
    ticket.deadline = 30 * KOINE__SEC;
    for (int i = 0; i < ROUNDS; i++) {
        stopwatch_start(watch);
        for (int j = 0; j < CALLS; j++)
            if (stage->enter(NULL, &ticket, 1, &fault) != KOINE__PASS_REFUSE)
                abort();
        stopwatch_stop(watch);
        ns[i] = watch->ns / CALLS;
    }
    print("limiter: a call that is refused", median(ns, ROUNDS), 3000);
    koine__limiter_free(policies.limiter);
}

/* ---- Waiters ---- */

static void shuffle(struct koine__ticket **tickets, int count)
{
    struct koine__random dice;
    koine__random_seed(&dice, 1);
    for (int i = count - 1; i > 0; i--) {
        int64_t j = koine__random_below(&dice, i + 1);
        struct koine__ticket *swapped = tickets[i];
        tickets[i] = tickets[j];
        tickets[j] = swapped;
    }
}

/* All join, and give up in another order, at random. */
static double join_and_give_up(struct stopwatch *watch, struct koine__ticket **in, struct koine__ticket **out,
                               int count)
{
    struct koine__fault fault;
    stopwatch_start(watch);
    for (int i = 0; i < count; i++)
        if (stage->enter(NULL, in[i], 0, &fault) != KOINE__PASS_WAIT)
            abort();
    for (int i = 0; i < count; i++)
        stage->forget(NULL, out[i], 0);
    stopwatch_stop(watch);
    return watch->ns / count;
}

static double waiters(struct stopwatch *watch, int count)
{
    double ns[ROUNDS];
    struct koine__fault fault;
    struct koine__ticket holder = new_ticket();
    struct koine__ticket *tickets = calloc((size_t)count, sizeof(*tickets));
    struct koine__ticket **in = calloc((size_t)count, sizeof(struct koine__ticket *));
    struct koine__ticket **out = calloc((size_t)count, sizeof(struct koine__ticket *));
    if (!tickets || !in || !out)
        abort();
    new_limiter(1000000, 1);
    if (stage->enter(NULL, &holder, 0, &fault) != KOINE__PASS_GO)
        abort();
    for (int i = 0; i < count; i++) {
        tickets[i] = new_ticket();
        in[i] = out[i] = &tickets[i];
    }
    shuffle(out, count);
    for (int i = 0; i < ROUNDS; i++) {
        double sum = 0;
        for (int done = 0; done < MOST_WAITERS; done += count)
            sum += join_and_give_up(watch, in, out, count) * count;
        ns[i] = sum / MOST_WAITERS;
    }
    stage->leave(NULL, &holder, &answered, 0);
    koine__limiter_free(policies.limiter);
    free(tickets);
    free(in);
    free(out);
    return median(ns, ROUNDS);
}

int main(int argc, char **argv)
{
    struct stopwatch watch;
    stopwatch_open(&watch);
    if (argc == 3) {
        print("limiter: joins a line and gives up", waiters(&watch, atoi(argv[2])), 0);
        return 0;
    }
    alone(&watch);
    eight_threads(&watch);
    refused(&watch);
    print("limiter: joins a line of 1,000 and gives up", waiters(&watch, 1000), 0);
    print("  of 10,000", waiters(&watch, 10000), 0);
    print("  of 100,000", waiters(&watch, 100000), 0);
    return 0;
}
