/* inbox: how one thread tells tickets of another that their turn has come. Each client has one; whoever
 * grants a place puts the ticket in and wakes the client's loop, which takes them out and calls ticket->wake
 * in its own thread.
 *
 * put: [any thread]; the rest: [the owner's thread].
 */
#ifndef KOINE_CORE_POLICY_INBOX_H
#define KOINE_CORE_POLICY_INBOX_H

#include "core/wire/loop.h"

#include <pthread.h>

struct koine__ticket;
struct koine__inbox {
    pthread_mutex_t mutex;
    struct koine__ticket *first, *last; /* linked by ticket->inbox_next, _prev */
    struct koine__waker *waker;         /* a reference; NULL: nobody has to be woken (one thread, in tests) */
};
void koine__inbox_init(struct koine__inbox *inbox, struct koine__waker *waker);
void koine__inbox_release(struct koine__inbox *inbox); /* empty by then */
/* Once until it is taken out; a second time does nothing. Wakes the owner. */
void koine__inbox_put(struct koine__inbox *inbox, struct koine__ticket *ticket);
/* A ticket that ends; fine if it is not in. */
void koine__inbox_drop(struct koine__inbox *inbox, struct koine__ticket *ticket);
/* Calls wake of all that are in, in order. */
void koine__inbox_deliver(struct koine__inbox *inbox);

#endif
