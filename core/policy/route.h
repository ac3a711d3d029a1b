/* route: which target of a fallback chain comes next. Pure.
 *
 * Each target is tried at most once per call, in order. Of max_attempts one attempt is kept for each target
 * still untried.
 */
#ifndef KOINE_CORE_POLICY_ROUTE_H
#define KOINE_CORE_POLICY_ROUTE_H

#include "core/base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct koine__typed_fallback { /* what a route says otherwise than the table of faults; a bit for each class
                                */
    uint32_t moves, stays;
};
struct koine__route_state {
    size_t count;      /* targets of the route */
    size_t current;    /* index; count: none left */
    unsigned attempts; /* started in this call */
    unsigned max_attempts;
    size_t asked_early; /* 1 + the index of one that was asked out of its turn (a hedge), and is not again; 0:
                           none */
    struct koine__typed_fallback typed;
};
void koine__route_start(struct koine__route_state *state, size_t count, unsigned max_attempts);
unsigned koine__route_untried(const struct koine__route_state *state); /* targets after the current one */
/* Attempts that the current target may still start. */
unsigned koine__route_attempts_left(const struct koine__route_state *state);
/* Whether a fault of that class goes to the next target at all. */
bool koine__route_moves(const struct koine__typed_fallback *typed, int class_number);
/* After a fault of the current target: the index of the next one to try, or count. `window(arg, i)` tells the
 * context window of target i (-1: unknown): context_length goes only to a larger one. Does not move. */
size_t koine__route_next(const struct koine__route_state *state, const struct koine__fault *fault,
                         int64_t (*window)(const void *arg, size_t index), const void *arg);
void koine__route_move(struct koine__route_state *state, size_t index);
/* What a whole or held attempt may take of the time that is left, so that the untried targets can still
 * start. */
int64_t koine__route_share(unsigned untried, int64_t now, int64_t deadline);

#endif
