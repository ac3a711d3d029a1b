/* limiter: how much of an instance may be used with one key (part C5 of the specification): requests a
 * minute, tokens a minute, attempts under way; acquired together or not at all, first come first served, by
 * all clients of a hub. A stage of the gate. [any thread]
 *
 * Requests and tokens are counted in a sliding log: an entry for each attempt, stamped when its first byte
 * was sent (until then it counts as if sent just now), with the tokens it may take, later those it took. So
 * in no interval of `window` more than `requests` are sent, nor more than `tokens` taken beyond what was
 * estimated too low. An attempt that sent nothing gives its entry back; one that took more than was reserved
 * for it leaves the difference in the log. Those under way hold their place to their end.
 *
 * First come, first served, strictly: one that wants many tokens holds up all behind it until there are as
 * many. Whoever comes here (enters, leaves, …) grants places to those whose turn it is, and tells their
 * inboxes. A grant that is not taken up within `unused_grant` is revoked by whoever comes next, and the
 * client that slept is passed over until it comes again; its tickets keep their turn. There is no thread that
 * watches the clock, so the first ticket of each client in line has a wake_at, and looks for all.
 *
 * No lock is held over anything but arithmetic, nor is the time it is held a matter of how many wait; but to
 * configure and to pause tells each of them.
 */
#ifndef KOINE_CORE_POLICY_LIMITER_H
#define KOINE_CORE_POLICY_LIMITER_H

#include "core/policy/gate.h"

#define KOINE__PAUSE_MOST (300 * KOINE__SEC) /* part C3: no advice stops an instance for longer */
#define KOINE__PAUSE_NEWS KOINE__SEC

struct koine__limiter_config {
    int64_t requests, tokens; /* in a window; -1: as many as you like */
    int64_t concurrent;       /* -1 likewise */
    int64_t queue;            /* most that wait; 0: nobody does */
    int64_t window,
        slack;            /* ns; an entry counts for window + slack, for sends arrive later than they leave */
    int64_t unused_grant; /* ns */
};
struct koine__limiter;
int koine__limiter_new(const struct koine__limiter_config *config,
                       struct koine__limiter **ret);      /* KOINE_EMEMORY */
void koine__limiter_free(struct koine__limiter *limiter); /* NULL is fine; nobody waits or holds any more */
/* What holds from now on; those who wait are looked at anew. What was sent while neither requests nor tokens
 * were limited is not known, and does not count later. */
void koine__limiter_configure(struct koine__limiter *limiter, const struct koine__limiter_config *config,
                              int64_t now);
/* Nobody is let through before `until` (at most KOINE__PAUSE_MOST from now), and those who wait and cannot
 * wait as long are told. True: that is news, for it was not paused, or only until KOINE__PAUSE_NEWS or more
 * before; what is less than that is told to nobody. */
bool koine__limiter_pause(struct koine__limiter *limiter, int64_t now, int64_t until);
/* Those in line come and look again, for something else has changed: the breaker has opened. */
void koine__limiter_stir(struct koine__limiter *limiter, int64_t now);
bool koine__limiter_is_paused(struct koine__limiter *limiter, int64_t now);

struct koine__limiter_view { /* for explain and metrics */
    struct koine__limiter_config config;
    int64_t requests, tokens; /* of the window that ends now */
    int64_t under_way, waiting;
    int64_t paused_until; /* ≤ now: it is not */
    int64_t next; /* when a ticket of `tokens` that came now might pass at the earliest; KOINE__NEVER: never.
                     For places of those under way there is no telling: they are taken to be free. */
};
void koine__limiter_look(struct koine__limiter *limiter, int64_t now, int64_t tokens,
                         struct koine__limiter_view *ret);

/* Uses ticket->policies->limiter; a ticket without one passes. What is refused has class refused and one of
 * these codes, and retry_after_ns where it is known when it might pass:
 *
 *   too_large   it wants more tokens than there are in a window
 *   busy        it may not wait, and would have to
 *   paused      the pause lasts beyond its deadline or its patience
 *   hopeless    likewise what is in the log, and those that are in line before it
 *   queue_full  but not one that was sent back, for it was let through before
 *   impatient   it waited as long as it may
 *
 * All but the last are said at once, the middle ones also of one that waits when that becomes known. What is
 * reserved in the log is taken at its word for that: it may turn out to be less. Class memory: there is none
 * to count or to wait. One that waits also hears of its deadline here, so that there is time for another
 * target. */
extern const struct koine__gate_stage koine__limiter_stage;
/* What the stage would say to that ticket if it came now: it takes nothing and stands in no line. Whoever
 * would wait hears when it might pass at the earliest, as in a view. */
enum koine__pass koine__limiter_foresee(const struct koine__ticket *ticket, int64_t now,
                                        int64_t *ret_earliest, struct koine__fault *ret_fault);

#endif
