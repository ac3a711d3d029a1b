/* call_internal: what call.c (its way through the route), call_policy.c (what it shares with all calls),
 * call_approval.c, call_log.c and call_end.c (its end and its getters) share. */
#ifndef KOINE_CORE_ENGINE_CALL_INTERNAL_H
#define KOINE_CORE_ENGINE_CALL_INTERNAL_H

#include "core/engine/attempt_internal.h"
#include "core/engine/call.h"

/* call.c */
/* The row of an attempt that has ended, its line in the log, and what observers hear of it. */
void koine__call_record(struct koine_call *call, const struct koine__attempt *attempt);

/* call_policy.c */
/* Whether that target is to be left alone; *ret says why. */
/* Every other target is latched now, or there is none. */
bool koine__call_is_last_resort(const struct koine_call *call, size_t index);
bool koine__call_is_latched(const struct koine_call *call, size_t index, struct koine__fault *ret);
/* Whether the gate would refuse an attempt at that target for certain; *ret says why, and all are told. */
bool koine__call_is_refused(const struct koine_call *call, const struct koine__target *target,
                            struct koine__fault *ret);
/* What an attempt that has ended says to all calls. */
void koine__call_note(const struct koine_call *call, const struct koine__attempt *attempt);
/* Takes a retry after that fault from the budget of the target's server. False: it is empty. */
bool koine__call_take_retry(struct koine_call *call, const struct koine__target *target,
                            const struct koine__fault *fault);
/* What was taken for an attempt that does not come. */
void koine__call_return_retry(struct koine_call *call);
/* The target that may be asked beside the one under way; the count: none. */
size_t koine__call_hedge_target(const struct koine_call *call);
/* How long an answer of that instance may take to begin until it is hedged. */
int64_t koine__call_hedge_delay(const struct koine_call *call, const struct koine__instance *instance);

/* call_approval.c: true: the call must not start an attempt now, for it waits for an answer, or has ended. */
bool koine__call_must_wait(struct koine_call *call);

/* call_end.c */
void koine__call_deliver(struct koine_call *call, struct koine_event *event); /* takes it */
void koine__call_ready(struct koine_call *call);                              /* after events were added */
/* The terminal event. `attempt` holds the answer, or NULL. */
void koine__call_succeed(struct koine_call *call, struct koine__attempt *attempt);
void koine__call_fail(struct koine_call *call, const struct koine__fault *fault,
                      const struct koine__target *target, struct koine__attempt *attempt);

/* call_log.c: what the log hears of a call. */
void koine__call_log_prompt(const struct koine_call *call); /* where content is logged */
void koine__call_log_attempt(const struct koine_call *call, const struct koine__attempt *attempt);
void koine__call_log_end(const struct koine_call *call, const char *class_name); /* and the answer likewise */

#endif
