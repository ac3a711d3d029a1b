/* standing: how the targets of a route stand before anybody asks them: which are left alone, how long one may
 * wait in line, which may be asked beside another. Only looks: call.c acts on it, koine_explain tells it, and
 * so both say the same. [any thread] */
#ifndef KOINE_CORE_ENGINE_STANDING_H
#define KOINE_CORE_ENGINE_STANDING_H

#include "core/engine/plan.h"

uint64_t koine__instance_key(const struct koine__instance *instance); /* what latches know its key by */
/* Its retry settings, with the target's own. */
struct koine__retry_config koine__target_retry(const struct koine__target *target);
/* The context window of that target of a struct koine__route, in tokens; -1: unknown. For koine__route_next.
 */
int64_t koine__route_window(const void *route, size_t index);

/* The latch that holds there, whether it is heeded or not. */
struct koine__latch koine__target_latch(const struct koine__target *target, int64_t now);
/* Whether that target is to be left alone; *ret says why. Where all are latched, the one that was left alone
 * for the longest is not. */
bool koine__route_is_latched(const struct koine__route *route, size_t index, int64_t now,
                             struct koine__fault *ret);
/* Whether one of the targets from `from` on can be asked: it has a provider, is not left alone, and its
 * breaker is not open. What cannot is no reason to give up waiting for one that can. */
bool koine__route_has_other(const struct koine__route *route, size_t from, int64_t now);
/* Until when an attempt at the current target waits in line: as long as it may take before the others would
 * be short of time, and no longer than it says, where there are others; else KOINE__NEVER. */
int64_t koine__route_patience(const struct koine__route *route, const struct koine__route_state *state,
                              int64_t now, int64_t deadline);

/* When an attempt must have started. A deadline shorter than min_attempt itself is what somebody wants; a
 * hedge is not. */
int64_t koine__latest_start(int64_t deadline, int64_t min_attempt, int64_t now, bool is_hedge);

/* Why the target after the current one may not be asked beside it, in a few static words; NULL: it may. */
const char *koine__route_hedge_obstacle(const struct koine__route *route,
                                        const struct koine__route_state *state, int64_t now);
/* How long an answer of that instance may take to begin until it is hedged. */
int64_t koine__route_hedge_delay(const struct koine__route *route, const struct koine__instance *instance,
                                 bool stream);

#endif
