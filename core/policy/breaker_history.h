/* breaker_history: how the calls of the last window ended, which the breaker judges by. It has no lock: the
 * breaker's holds while it is used. Times given to it never go back.
 *
 * Of failures the times are kept, KOINE__BREAKER_MOST of them, so they are counted exactly for any window.
 * Calls that succeeded are counted in slots of a sixtieth of the window; those of the slot in which the
 * window begins are counted whole, and so are failures where there are more than are kept. Since settings
 * that share a breaker may differ, there are slots for KOINE__BREAKER_WINDOWS windows at once. A window that
 * is new starts with what the longest of the others knows, and takes the place of the one that was used last
 * the longest time ago.
 */
#ifndef KOINE_CORE_POLICY_BREAKER_HISTORY_H
#define KOINE_CORE_POLICY_BREAKER_HISTORY_H

#include "core/policy/breaker.h"

#define KOINE__BREAKER_SLOTS   60
#define KOINE__BREAKER_WINDOWS 4

struct koine__breaker_slot {
    int64_t index; /* time / width */
    uint32_t succeeded, failed;
};
struct koine__breaker_tally {
    int64_t window; /* ns; 0: not in use */
    int64_t width;  /* of a slot, ns */
    int64_t used;   /* when last */
    int64_t turn;   /* from then on another slot is the current one */
    size_t current;
    struct koine__breaker_slot slots[KOINE__BREAKER_SLOTS + 1]; /* a window may begin and end within one */
};
struct koine__breaker_history { /* zeroed: empty */
    size_t failures, newest;
    int64_t failed_at[KOINE__BREAKER_MOST]; /* a ring, in order of time */
    struct koine__breaker_tally tallies[KOINE__BREAKER_WINDOWS];
};
struct koine__breaker_count {
    int64_t failures, successes;
};
void koine__breaker_history_add(struct koine__breaker_history *history, int64_t window, int64_t now,
                                bool failed);
/* Of the window that ends now, its first and last moment included. */
struct koine__breaker_count koine__breaker_history_count(struct koine__breaker_history *history,
                                                         int64_t window, int64_t now);
/* When the n-th failure before now was, the last being the first; -1: there were not as many. */
int64_t koine__breaker_history_failure(const struct koine__breaker_history *history, int64_t n);
void koine__breaker_history_forget(struct koine__breaker_history *history);

#endif
