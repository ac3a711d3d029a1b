/* inbox: how one thread tells tickets of another that their turn has come. Each client has one; whoever
 * grants a place puts the ticket in and wakes the client's loop, which takes them out and calls ticket->wake
 * in its own thread.
 *
 * add, put, drop: [any thread]; the rest: [the owner's thread]. Its mutex is the innermost: nothing is called
 * with it held, and a limiter adds while it holds its own.
 */
#ifndef KOINE_CORE_POLICY_INBOX_H
#define KOINE_CORE_POLICY_INBOX_H

#include "core/wire/loop.h"

#include <pthread.h>

struct koine__ticket;
struct koine__inbox {
    pthread_mutex_t mutex;
    struct koine__ticket *first, *last; /* linked by ticket->inbox_next, _prev */
    size_t count;
    struct koine__waker *waker; /* a reference; NULL: nobody has to be woken (one thread, in tests) */
};
/* Takes a reference of its own to the waker. */
void koine__inbox_init(struct koine__inbox *inbox, struct koine__waker *waker);
void koine__inbox_release(struct koine__inbox *inbox); /* empty by then */
/* Once until it is taken out; a second time does nothing. Wakes the owner. */
void koine__inbox_put(struct koine__inbox *inbox, struct koine__ticket *ticket);
/* The same, but waking is left to the caller, who may hold a lock now: a reference to wake and let go, or
 * NULL where the owner is awake, or will be. */
struct koine__waker *koine__inbox_add(struct koine__inbox *inbox, struct koine__ticket *ticket);
/* A ticket that ends; fine if it is not in. */
void koine__inbox_drop(struct koine__inbox *inbox, struct koine__ticket *ticket);
/* Calls wake of all that are in, in order. A wake may put and drop any ticket; what is put meanwhile may have
 * to wait for the next time, and its owner is woken for it. */
void koine__inbox_deliver(struct koine__inbox *inbox);

#endif
