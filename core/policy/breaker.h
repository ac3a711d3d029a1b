/* breaker: whether a provider's server is worth asking (part C6 of the specification). One for each plugin
 * and base URL. [any thread]
 *
 * Closed: opens with a failure if it is the config's `failures`-th within `window`, and of at least min_calls
 * calls in it the failures are at least `ratio`. Successes do not make failures forgotten. (The failures are
 * counted exactly; of calls that succeeded, those of the window's first sixtieth are counted whole. See
 * breaker_history.h.)
 * Open: lets nobody through for open_for; then half-open. No timer: it is seen by whoever comes next.
 * Half-open: lets `probes` through at a time, each a lease until its attempt must have ended; one that did
 * not come back by then is given to the next, and then changes nothing any more. successes_to_close in a row
 * close it and forget what was, one failure opens it again.
 * Every change starts a new generation; what was let through in an earlier one changes nothing.
 *
 * Settings come with each call, for instances that share a breaker may differ in them: what is decided is
 * decided by those of the call that leads to it, so how long it stays open by those of the call that opened
 * it. Times of other threads may be a little older than what the breaker has seen; they count as the latest.
 * While it is closed, looking and entering take no lock.
 */
#ifndef KOINE_CORE_POLICY_BREAKER_H
#define KOINE_CORE_POLICY_BREAKER_H

#include "core/policy/gate.h"

struct koine__breaker_config {
    int64_t failures; /* 1 to KOINE__BREAKER_MOST; -1: there is no breaker */
    int64_t window;   /* ns */
    int64_t min_calls;
    int64_t ratio;    /* × 10^6 */
    int64_t open_for; /* ns */
    int64_t probes;   /* in flight at once; 1 to KOINE__BREAKER_PROBES */
    int64_t successes_to_close;
};
#define KOINE__BREAKER_MOST   1000
#define KOINE__BREAKER_PROBES 1000
#define KOINE__BREAKER_LEASE  (30 * KOINE__SEC) /* a probe's lease is at least as long */
#define KOINE__BREAKER_GRACE  KOINE__SEC /* and ends as much later than its attempt must: timers come late */

enum koine__breaker_state {
    KOINE__BREAKER_CLOSED,
    KOINE__BREAKER_OPEN,
    KOINE__BREAKER_HALF_OPEN
};
enum koine__verdict {
    KOINE__VERDICT_NONE, /* it says nothing about the provider: cancelled, refused, the caller's fault, 429 */
    KOINE__VERDICT_SUCCESS,
    KOINE__VERDICT_FAILURE
};
struct koine__breaker_pass { /* of one that was let through; zeroed before */
    uint64_t generation;
    uint32_t probe; /* number of its lease; 0: it is no probe */
};
struct koine__breaker_change { /* from == to: none */
    enum koine__breaker_state from, to;
    int64_t until; /* when open */
};
struct koine__breaker;
struct koine__breaker *koine__breaker_new(void); /* NULL: no memory */
void koine__breaker_free(struct koine__breaker *breaker);

/* The state as it is now (open whose time is over is half-open), and until when somebody who comes must wait
 * at most: `now` where one may pass. Changes nothing. */
enum koine__breaker_state koine__breaker_look(struct koine__breaker *breaker,
                                              const struct koine__breaker_config *config, int64_t now,
                                              int64_t *ret_until);
/* lease_until: when the attempt must have come back; raised to KOINE__BREAKER_LEASE from now. False: not now.
 */
bool koine__breaker_enter(struct koine__breaker *breaker, const struct koine__breaker_config *config,
                          int64_t now, int64_t lease_until, struct koine__breaker_pass *ret,
                          int64_t *ret_until, struct koine__breaker_change *ret_change);
/* What became of it; no verdict gives a probe's lease back. A pass may be judged twice, when a stream that
 * began well ends badly: after a probe's success it is an ordinary pass of the generation that holds then.
 * After anything but a success it is zeroed. */
void koine__breaker_record(struct koine__breaker *breaker, const struct koine__breaker_config *config,
                           int64_t now, struct koine__breaker_pass *pass, enum koine__verdict verdict,
                           struct koine__breaker_change *ret_change);
enum koine__verdict koine__verdict_of(int class_number); /* by the table of faults; NONE is a success */
/* Whether it was opened by a probe, and not by `failures` within `window`. */
bool koine__breaker_failed_again(struct koine__breaker *breaker);
const char *koine__breaker_state_name(enum koine__breaker_state state); /* "closed", "open", "half_open" */

/* Two stages of the gate, with ticket->policies->breaker: peek refuses for an open one before anybody waits
 * in line for it; enter, after the line, takes the pass. Class refused, code "breaker_open", and where it is
 * open the time that is left as advice. A hedge is no probe: it passes a closed one only. A probe has
 * succeeded with its first event. Changes go to ticket->witness. */
bool koine__breaker_keeps_out(const struct koine__ticket *ticket, int64_t now); /* peek would refuse it */
extern const struct koine__gate_stage koine__breaker_peek_stage, koine__breaker_enter_stage;

#endif
