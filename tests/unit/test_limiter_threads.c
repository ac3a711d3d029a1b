/* One limiter, eight threads with a loop and an inbox each, real time. One of them is busy with something
 * else now and then. What is measured are the bounds, not how long it takes.
 */
#include "core/policy/inbox.h"
#include "core/policy/policies.h"
#include "tests/unit/suite.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    THREADS = 8,
    EACH = 4,   /* calls at a time, of a thread */
    CALLS = 80, /* that each of those makes */
    ALL = THREADS * EACH * CALLS,
    REQUESTS = 400,
    PLACES = 12
};
#define WINDOW (40 * KOINE__MS)

struct thread {
    pthread_t id;
    struct koine__loop *loop;
    struct koine__inbox inbox;
    struct koine__random dice;
    int running; /* of its tickets */
    bool sleepy;
    struct caller {
        struct koine__ticket ticket; /* first */
        struct koine__timer timer;
        struct thread *thread;
        int left;
        bool through, gives_up;
    } callers[EACH];
};
static struct thread threads[THREADS];
static struct koine__policies policies;
static const struct koine__gate gate = {.stages = {[KOINE__STAGE_LIMITER] = &koine__limiter_stage}};
static atomic_int under_way, most_under_way, refused, given_up, sent_count;
static int64_t sent_at[ALL];

static int64_t now(void)
{
    return koine__now(&koine__system_clock);
}

static void come(struct caller *caller);

static void again_at(struct caller *caller, int64_t at)
{
    if (at == KOINE__NEVER)
        koine__timer_stop(caller->thread->loop, &caller->timer);
    else
        koine__timer_set(caller->thread->loop, &caller->timer, at);
}

static void leave(struct caller *caller, bool sent)
{
    struct koine__outcome outcome = {KOINE_CLASS_NONE, sent, -1, -1, false};
    if (caller->through)
        atomic_fetch_sub(&under_way, 1);
    caller->through = false;
    koine__gate_leave(&gate, &caller->ticket, &outcome, now());
    again_at(caller, KOINE__NEVER);
}

static void passed(struct caller *caller)
{
    int count = atomic_fetch_add(&under_way, 1) + 1, most = atomic_load(&most_under_way);
    while (count > most && !atomic_compare_exchange_weak(&most_under_way, &most, count))
        ;
    caller->through = true;
    int64_t sent = now();
    koine__gate_sent(&gate, &caller->ticket, sent);
    sent_at[atomic_fetch_add(&sent_count, 1)] = sent;
    again_at(caller, sent + koine__random_below(&caller->thread->dice, 200000));
}

static void enter(struct caller *caller)
{
    struct koine__fault fault;
    switch (koine__gate_enter(&gate, &caller->ticket, now(), &fault)) {
    case KOINE__PASS_GO:
        passed(caller);
        return;
    case KOINE__PASS_WAIT:
        again_at(caller, caller->gives_up ? now() + koine__random_below(&caller->thread->dice, KOINE__MS)
                                          : caller->ticket.wake_at);
        return;
    default:
        atomic_fetch_add(&refused, 1);
        come(caller);
    }
}

static void come(struct caller *caller)
{
    struct thread *thread = caller->thread;
    caller->ticket.at = 0;
    caller->gives_up = koine__random_below(&thread->dice, 10) == 0;
    again_at(caller, now() + koine__random_below(&thread->dice, 100000));
}

static void next_call(struct caller *caller)
{
    if (--caller->left > 0)
        come(caller);
    else
        caller->thread->running--;
}

static void on_timer(struct koine__timer *timer)
{
    struct caller *caller = (struct caller *)((char *)timer - offsetof(struct caller, timer));
    if (caller->through) {
        leave(caller, true);
        next_call(caller);
    } else if (caller->ticket.waits && caller->gives_up) {
        atomic_fetch_add(&given_up, 1);
        leave(caller, false);
        next_call(caller);
    } else {
        enter(caller);
    }
}

static void on_wake(struct koine__ticket *ticket)
{
    struct caller *caller = (struct caller *)ticket;
    if (!caller->gives_up || koine__random_below(&caller->thread->dice, 2))
        again_at(caller, 0);
}

static void deliver(void *arg)
{
    koine__inbox_deliver(arg);
}

static void *run(void *arg)
{
    struct thread *thread = arg;
    int64_t until = now() + 120 * KOINE__SEC; /* something is wrong then */
    for (int i = 0; i < EACH; i++)
        come(&thread->callers[i]);
    while (thread->running > 0 && koine__loop_wait(thread->loop, until) == 1) {
        if (thread->sleepy && koine__random_below(&thread->dice, 20) == 0)
            nanosleep(&(struct timespec){.tv_nsec = 4000000}, NULL);
        koine__loop_process(thread->loop);
    }
    return NULL;
}

static void set_up(struct thread *thread, int number)
{
    *thread = (struct thread){.running = EACH, .sleepy = number == 0};
    koine__random_seed(&thread->dice, (uint64_t)number);
    CU_ASSERT_FATAL(koine__loop_new(&koine__system_clock, &thread->loop) == KOINE_OK);
    koine__inbox_init(&thread->inbox, koine__loop_waker(thread->loop));
    koine__loop_on_wake(thread->loop, deliver, &thread->inbox);
    for (int i = 0; i < EACH; i++) {
        struct caller *caller = &thread->callers[i];
        *caller = (struct caller){.thread = thread, .left = CALLS};
        koine__timer_init(&caller->timer, on_timer);
        caller->ticket = (struct koine__ticket){.policies = &policies,
                                                .inbox = &thread->inbox,
                                                .deadline = KOINE__NEVER,
                                                .patience = KOINE__NEVER,
                                                .tokens = 10,
                                                .wake = on_wake};
    }
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void check_windows(void)
{
    int count = atomic_load(&sent_count), wrong = 0;
    qsort(sent_at, (size_t)count, sizeof(*sent_at), by_time);
    for (int i = 0; i + REQUESTS < count; i++)
        wrong += sent_at[i + REQUESTS] - sent_at[i] < WINDOW;
    ASSERT_INT(wrong, 0);
}

static void eight_threads(void)
{
    struct koine__limiter_config config = {REQUESTS, 1000000, PLACES, 24, WINDOW, 0, KOINE__MS};
    struct koine__limiter_view view;
    CU_ASSERT_FATAL(koine__limiter_new(&config, &policies.limiter) == KOINE_OK);
    for (int i = 0; i < THREADS; i++)
        set_up(&threads[i], i);
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i].id, NULL, run, &threads[i]) == 0);
    for (int i = 0; i < 20; i++) { /* meanwhile somebody else looks, pauses and configures */
        koine__limiter_look(policies.limiter, now(), 10, &view);
        koine__limiter_pause(policies.limiter, now(), now() + KOINE__MS);
        koine__limiter_configure(policies.limiter, &config, now());
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i].id, NULL);
    for (int i = 0; i < THREADS; i++) {
        ASSERT_INT(threads[i].running, 0); /* every call came to its end */
        koine__inbox_release(&threads[i].inbox);
        koine__loop_free(threads[i].loop);
    }
    koine__limiter_look(policies.limiter, now(), 10, &view);
    ASSERT_INT(view.under_way, 0);
    ASSERT_INT(view.waiting, 0);
    CU_ASSERT(atomic_load(&most_under_way) <= PLACES);
    ASSERT_INT(atomic_load(&sent_count) + atomic_load(&given_up), ALL);
    CU_ASSERT(atomic_load(&given_up) > 0);
    CU_ASSERT(atomic_load(&refused) > 0);
    check_windows();
    koine__limiter_free(policies.limiter);
}

SUITE_MAIN("limiter between threads", {"eight threads", eight_threads})
