/* Tickets that other threads put in, and their owner takes out. */
#include "core/policy/inbox.h"

#include "core/policy/gate.h"
#include "core/wire/loop.h"
#include "tests/unit/suite.h"
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define TICKETS 8

static struct koine__inbox inbox;
static struct koine__ticket tickets[TICKETS];
static char woken[64];
static void (*also)(size_t i); /* what a wake does besides */

static void wake(struct koine__ticket *ticket)
{
    size_t i = (size_t)(ticket - tickets);
    woken[strlen(woken)] = (char)('0' + i);
    if (also)
        also(i);
}

static void begin(struct koine__waker *waker)
{
    memset(woken, 0, sizeof(woken));
    also = NULL;
    koine__inbox_init(&inbox, waker);
    for (size_t i = 0; i < TICKETS; i++)
        tickets[i] = (struct koine__ticket){.wake = wake};
}

static void in_order_and_once(void)
{
    begin(NULL);
    koine__inbox_deliver(&inbox);
    ASSERT_STR(woken, "");
    koine__inbox_put(&inbox, &tickets[2]);
    koine__inbox_put(&inbox, &tickets[0]);
    koine__inbox_put(&inbox, &tickets[2]);
    koine__inbox_put(&inbox, &tickets[1]);
    koine__inbox_deliver(&inbox);
    ASSERT_STR(woken, "201");
    koine__inbox_deliver(&inbox);
    ASSERT_STR(woken, "201");
    koine__inbox_put(&inbox, &tickets[2]);
    koine__inbox_deliver(&inbox);
    ASSERT_STR(woken, "2012");
    koine__inbox_release(&inbox);
}

static void dropped(void)
{
    begin(NULL);
    koine__inbox_drop(&inbox, &tickets[0]);
    for (size_t i = 0; i < 6; i++)
        koine__inbox_put(&inbox, &tickets[i]);
    koine__inbox_drop(&inbox, &tickets[0]); /* the first */
    koine__inbox_drop(&inbox, &tickets[3]);
    koine__inbox_drop(&inbox, &tickets[3]);
    koine__inbox_drop(&inbox, &tickets[5]); /* the last */
    koine__inbox_put(&inbox, &tickets[6]);
    koine__inbox_deliver(&inbox);
    ASSERT_STR(woken, "1246");
    koine__inbox_put(&inbox, &tickets[7]);
    koine__inbox_drop(&inbox, &tickets[7]); /* the only one */
    koine__inbox_deliver(&inbox);
    ASSERT_STR(woken, "1246");
    CU_ASSERT_PTR_NULL(inbox.first);
    CU_ASSERT_PTR_NULL(inbox.last);
    koine__inbox_release(&inbox);
}

static void drop_the_next(size_t i)
{
    koine__inbox_drop(&inbox, &tickets[i + 1]);
}

static void put_itself(size_t i)
{
    koine__inbox_put(&inbox, &tickets[i]);
}

static void wakes_that_put_and_drop(void)
{
    begin(NULL);
    also = drop_the_next;
    for (size_t i = 0; i < 5; i++)
        koine__inbox_put(&inbox, &tickets[i]);
    koine__inbox_deliver(&inbox);
    ASSERT_STR(woken, "024");
    also = put_itself;
    koine__inbox_put(&inbox, &tickets[7]);
    koine__inbox_deliver(&inbox); /* ends, though it is never empty */
    ASSERT_STR(woken, "0247");
    also = NULL;
    koine__inbox_deliver(&inbox);
    ASSERT_STR(woken, "02477");
    koine__inbox_release(&inbox);
}

static int is_readable(struct koine__loop *loop)
{
    struct pollfd polled = {.fd = koine__loop_fd(loop), .events = POLLIN};
    return poll(&polled, 1, 0) == 1;
}

static void deliver(void *arg)
{
    koine__inbox_deliver(arg);
}

static void the_owner_is_woken(void)
{
    struct koine__loop *loop = NULL;
    ASSERT_INT(koine__loop_new(&koine__system_clock, &loop), KOINE_OK);
    begin(koine__loop_waker(loop));
    koine__loop_on_wake(loop, deliver, &inbox);
    koine__loop_process(loop);
    ASSERT_INT(is_readable(loop), 0);
    struct koine__waker *waker = koine__inbox_add(&inbox, &tickets[0]);
    ASSERT_INT(is_readable(loop), 0);                          /* that is the caller's */
    CU_ASSERT_PTR_NULL(koine__inbox_add(&inbox, &tickets[1])); /* nobody is woken twice */
    koine__waker_wake(waker);
    koine__waker_unref(waker);
    ASSERT_INT(is_readable(loop), 1);
    koine__loop_process(loop);
    ASSERT_STR(woken, "01");
    ASSERT_INT(is_readable(loop), 0);
    also = put_itself;
    koine__inbox_put(&inbox, &tickets[2]);
    koine__inbox_deliver(&inbox);
    also = NULL;
    ASSERT_INT(is_readable(loop), 1);
    koine__loop_process(loop);
    ASSERT_STR(woken, "0122");
    koine__loop_free(loop); /* whoever still puts has a waker that is there */
    koine__inbox_put(&inbox, &tickets[3]);
    koine__inbox_drop(&inbox, &tickets[3]);
    koine__inbox_release(&inbox);
}

/* ---- Threads ---- */

enum {
    ROUNDS = 2000,
    SENDERS = 4
};
static atomic_int asked[SENDERS], answered[SENDERS];
static atomic_bool give_up;

static void answer(size_t i)
{
    woken[0] = '\0'; /* nobody reads it here */
    atomic_store(&answered[i], atomic_load(&asked[i]));
}

static void *send(void *arg)
{
    size_t i = (size_t)((struct koine__ticket *)arg - tickets);
    for (int round = 1; round <= ROUNDS; round++) {
        atomic_store(&asked[i], round);
        koine__inbox_put(&inbox, &tickets[i]);
        if (round % 16 == 0) { /* else the ticket is found in the inbox as often as not */
            while (atomic_load(&answered[i]) != round && !atomic_load(&give_up))
                sched_yield();
        }
    }
    return NULL;
}

static int all_answered(void)
{
    int count = 0;
    for (int i = 0; i < SENDERS; i++)
        count += atomic_load(&answered[i]) == ROUNDS;
    return count == SENDERS;
}

static void no_ticket_is_lost(void)
{
    pthread_t threads[SENDERS];
    struct koine__loop *loop = NULL;
    ASSERT_INT(koine__loop_new(&koine__system_clock, &loop), KOINE_OK);
    begin(koine__loop_waker(loop));
    also = answer;
    koine__loop_on_wake(loop, deliver, &inbox);
    for (int i = 0; i < SENDERS; i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, send, &tickets[i]) == 0);
    int64_t until = koine__now(&koine__system_clock) + 60 * KOINE__SEC;
    while (!all_answered() && koine__loop_wait(loop, until) == 1)
        koine__loop_process(loop);
    CU_ASSERT(all_answered());
    atomic_store(&give_up, true);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    koine__inbox_deliver(&inbox);
    koine__inbox_release(&inbox);
    koine__loop_free(loop);
}

SUITE_MAIN("inbox", {"in order, and once", in_order_and_once}, {"dropped", dropped},
           {"wakes that put and drop", wakes_that_put_and_drop}, {"the owner is woken", the_owner_is_woken},
           {"no ticket is lost between threads", no_ticket_is_lost})
