/* loop: one epoll set, one timer descriptor for the nearest deadline of anything, one event descriptor for
 * wake-ups from other threads and signal handlers. To the outside it is a single pollable descriptor.
 *
 * [one thread] but for koine__waker_wake. With a virtual clock the same loop waits by moving the clock.
 */
#ifndef KOINE_CORE_WIRE_LOOP_H
#define KOINE_CORE_WIRE_LOOP_H

#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct koine__loop;

/* A timer lives inside its owner; setting it allocates nothing. A pairing heap (Fredman et al., 1986). */
struct koine__timer {
    int64_t due; /* KOINE__NEVER: not set */
    void (*fire)(struct koine__timer
                     *timer); /* not set any more when it fires; may set itself again, or free its owner */
    uint64_t order;           /* equal times fire in the order they were set */
    struct koine__timer *child, *next, *prev; /* the heap's */
};
#define KOINE__TIMER_INIT(function)                                                                          \
    {                                                                                                        \
        KOINE__NEVER, (function), 0, NULL, NULL, NULL                                                        \
    }

/* Something that watches a descriptor. */
struct koine__watch {
    int fd;
    void (*ready)(struct koine__watch *watch, bool readable, bool writable);
    uint32_t slot; /* the loop's; 0: not set */
};

/* A reference-counted way to wake a loop from anywhere, which outlives it. */
struct koine__waker;
struct koine__waker *koine__waker_ref(struct koine__waker *waker);
void koine__waker_unref(struct koine__waker *waker);
void koine__waker_wake(struct koine__waker *waker); /* [any thread, signal handlers] */

int koine__loop_new(const struct koine__clock *clock,
                    struct koine__loop **ret);   /* KOINE_EMEMORY, KOINE_ESYSTEM */
void koine__loop_free(struct koine__loop *loop); /* timers still set are forgotten, never fired */
/* In a child after fork: closes descriptors without touching the shared epoll set. After detach the loop's
 * memory is still there, so that what is set on it can be freed, and nothing done to it reaches the parent.
 */
void koine__loop_detach(struct koine__loop *loop);
void koine__loop_abandon(struct koine__loop *loop);
int koine__loop_fd(const struct koine__loop *loop);
const struct koine__clock *koine__loop_clock(const struct koine__loop *loop);
int64_t koine__loop_now(
    struct koine__loop *loop); /* cached for one round of process; refreshed before timers fire */
struct koine__waker *koine__loop_waker(struct koine__loop *loop); /* borrowed */

void koine__timer_init(struct koine__timer *timer, void (*fire)(struct koine__timer *));
void koine__timer_set(struct koine__loop *loop, struct koine__timer *timer, int64_t due);
void koine__timer_stop(struct koine__loop *loop, struct koine__timer *timer); /* fine if it is not set */

/* Adds, changes (readable/writable) or, with both false, removes a watch. Never fails on a descriptor that is
 * gone. KOINE_EMEMORY, KOINE_ESYSTEM: it is not watched. */
int koine__loop_watch(struct koine__loop *loop, struct koine__watch *watch, bool readable, bool writable);
void koine__loop_unwatch(struct koine__loop *loop,
                         struct koine__watch *watch); /* its ready is not called any more */

/* Called on each wake-up, in the loop's thread. */
void koine__loop_on_wake(struct koine__loop *loop, void (*woken)(void *arg), void *arg);
/* What is called at the end of every round: keeps the descriptor readable while `busy` says that something
 * waits, and until koine__loop_rest, wait or the end of process after it. */
void koine__loop_set_busy(struct koine__loop *loop, bool busy);
void koine__loop_rest(struct koine__loop *loop); /* nobody has anything to do: the descriptor says so */

/* While it is held, nobody but koine__loop_wait waits, and the descriptor need not be readable for timers and
 * `busy`: that saves setting and clearing what nobody looks at. It tells the truth again when it is let go.
 */
void koine__loop_hold(struct koine__loop *loop, bool held);

/* Fires due timers and ready watches until nothing moves; never waits. Returns how much was done, or
 * KOINE_ESYSTEM, or KOINE_EARGUMENT from inside itself. What keeps itself busy for ever is stopped after 100
 * rounds: the descriptor is readable then. A timer set for now by a timer fires in the next round. */
int koine__loop_process(struct koine__loop *loop);
/* Waits for something to do, at most until `until` (KOINE__NEVER: no limit); does not process. 1 ready, or a
 * signal came; 0 time is up. A virtual clock moves instead, unless nothing at all is set on it. */
int koine__loop_wait(struct koine__loop *loop, int64_t until);

#endif
