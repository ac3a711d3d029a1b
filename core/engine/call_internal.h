/* call_internal: what call.c (its way through the route), call_end.c (its end and its getters) and call_log.c
 * share. */
#ifndef KOINE_CORE_ENGINE_CALL_INTERNAL_H
#define KOINE_CORE_ENGINE_CALL_INTERNAL_H

#include "core/engine/attempt_internal.h"
#include "core/engine/call.h"

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
