/* inbox: see inbox.h. */
#include "core/policy/inbox.h"

#include "core/policy/gate.h"

void koine__inbox_init(struct koine__inbox *inbox, struct koine__waker *waker)
{
    *inbox = (struct koine__inbox){.waker = waker ? koine__waker_ref(waker) : NULL};
    pthread_mutex_init(&inbox->mutex, NULL);
}

void koine__inbox_release(struct koine__inbox *inbox)
{
    koine__waker_unref(inbox->waker);
    inbox->waker = NULL;
    pthread_mutex_destroy(&inbox->mutex);
}

static void append(struct koine__inbox *inbox, struct koine__ticket *ticket)
{
    ticket->inbox_next = NULL;
    ticket->inbox_prev = inbox->last;
    if (inbox->last)
        inbox->last->inbox_next = ticket;
    else
        inbox->first = ticket;
    inbox->last = ticket;
    inbox->count++;
    ticket->in_inbox = true;
}

static void take_out(struct koine__inbox *inbox, struct koine__ticket *ticket)
{
    if (ticket->inbox_prev)
        ticket->inbox_prev->inbox_next = ticket->inbox_next;
    else
        inbox->first = ticket->inbox_next;
    if (ticket->inbox_next)
        ticket->inbox_next->inbox_prev = ticket->inbox_prev;
    else
        inbox->last = ticket->inbox_prev;
    ticket->inbox_next = ticket->inbox_prev = NULL;
    inbox->count--;
    ticket->in_inbox = false;
}

struct koine__waker *koine__inbox_add(struct koine__inbox *inbox, struct koine__ticket *ticket)
{
    struct koine__waker *waker = NULL;
    pthread_mutex_lock(&inbox->mutex);
    /* Where something is in, somebody has woken the owner or is about to, and it has not come yet. */
    if (!ticket->in_inbox) {
        if (!inbox->first && inbox->waker)
            waker = koine__waker_ref(inbox->waker);
        append(inbox, ticket);
    }
    pthread_mutex_unlock(&inbox->mutex);
    return waker;
}

void koine__inbox_put(struct koine__inbox *inbox, struct koine__ticket *ticket)
{
    struct koine__waker *waker = koine__inbox_add(inbox, ticket);
    if (!waker)
        return;
    koine__waker_wake(waker);
    koine__waker_unref(waker);
}

void koine__inbox_drop(struct koine__inbox *inbox, struct koine__ticket *ticket)
{
    pthread_mutex_lock(&inbox->mutex);
    if (ticket->in_inbox)
        take_out(inbox, ticket);
    pthread_mutex_unlock(&inbox->mutex);
}

static struct koine__ticket *take_first(struct koine__inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    struct koine__ticket *ticket = inbox->first;
    if (ticket)
        take_out(inbox, ticket);
    pthread_mutex_unlock(&inbox->mutex);
    return ticket;
}

/* One that is put in by a wake may find the inbox not yet empty, and then nobody is woken for it. */
static void wake_for_the_rest(struct koine__inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    if (inbox->first && inbox->waker)
        koine__waker_wake(inbox->waker);
    pthread_mutex_unlock(&inbox->mutex);
}

void koine__inbox_deliver(struct koine__inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    size_t count = inbox->count;
    pthread_mutex_unlock(&inbox->mutex);
    while (count-- > 0) {
        struct koine__ticket *ticket = take_first(inbox);
        if (!ticket)
            return;
        ticket->wake(ticket);
    }
    wake_for_the_rest(inbox);
}
