/* attempt_internal: what the files of an attempt share: attempt.c (its way), attempt_read.c (the answer),
 * attempt_time.c, attempt_stake.c (what it may cost), attempt_settle.c (what it came to). */
#ifndef KOINE_CORE_ENGINE_ATTEMPT_INTERNAL_H
#define KOINE_CORE_ENGINE_ATTEMPT_INTERNAL_H

#include "core/engine/attempt.h"

/* attempt.c */
void koine__attempt_fail(struct koine__attempt *attempt, const struct koine__fault *fault);
void koine__attempt_failf(struct koine__attempt *attempt, int class_number, const char *stage,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The one that its instance's base URL names. */
struct koine__transport *koine__attempt_transport(const struct koine__attempt *attempt);
/* The attempt's desk, taken if it has none. NULL: no memory. */
struct koine__desk *koine__attempt_desk(struct koine__attempt *attempt);
/* Puts it back, unless a job is under way on it. */
void koine__attempt_leave_desk(struct koine__attempt *attempt);
/* Runs the desk's job through the bridge; calls `done` now or later, but not if the attempt ended meanwhile.
 */
void koine__attempt_run_job(struct koine__attempt *attempt, enum koine__job_kind kind,
                            void (*done)(struct koine__job *));
/* Whether the provider could not answer at all (a crash in isolation): the attempt has failed then. */
bool koine__attempt_job_failed(struct koine__attempt *attempt);

/* attempt_read.c */
extern const struct koine__handler koine__attempt_handler; /* of its transfer */
void koine__attempt_pump(struct koine__attempt *attempt);
/* The body ends here, for this reason: the provider may still say that it had all it needs. */
void koine__attempt_cut(struct koine__attempt *attempt, const struct koine__fault *fault);

/* attempt_time.c */
void koine__attempt_arm(
    struct koine__attempt *attempt); /* after anything that may bring the nearest stage nearer */
void koine__attempt_on_timer(struct koine__timer *timer);

/* attempt_stake.c */
/* What became of it, for the gate; after its cost is known. */
struct koine__outcome koine__attempt_outcome(const struct koine__attempt *attempt);

/* attempt_settle.c */
void koine__attempt_settle(struct koine__attempt *attempt);
/* Waits for its provider's price no longer: the catalogue's own stands in. */
void koine__attempt_settle_now(struct koine__attempt *attempt);

#define KOINE__CONTAINER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
