/* happening: what policies do that somebody outside wants to know: a breaker opened, a key was latched. They
 * say it to a witness, who counts, logs and keeps it as a notice. */
#ifndef KOINE_CORE_POLICY_HAPPENING_H
#define KOINE_CORE_POLICY_HAPPENING_H

#include <stddef.h>
#include <stdint.h>

enum koine__happening_kind {
    KOINE__HAPPENED_BREAKER_OPENED = 1,
    KOINE__HAPPENED_BREAKER_HALF_OPENED,
    KOINE__HAPPENED_BREAKER_CLOSED,
    KOINE__HAPPENED_PAUSED,      /* the instance, after 429 */
    KOINE__HAPPENED_LATCHED,     /* a key, or a model */
    KOINE__HAPPENED_UNLATCHED,   /* it answered again */
    KOINE__HAPPENED_REFUSED,     /* an attempt, by one of our own layers */
    KOINE__HAPPENED_NOT_RETRIED, /* the retry budget was empty */
    KOINE__HAPPENED_STORE_DOWN = 10,
    KOINE__HAPPENED_STORE_UP,
    KOINE__HAPPENED_STORE_LOST /* rows that it should have */
};
struct koine__happening { /* texts are borrowed for the length of the call */
    enum koine__happening_kind kind;
    const char *instance, *model; /* "" where it is about neither */
    int class_number;             /* of the fault that led to it, or KOINE_CLASS_NONE */
    int64_t now, until;           /* loop time; until: how long it holds, KOINE__NEVER: nobody knows */
    const char *why;              /* one line */
};
/* [any thread] Called without a policy's lock being held. */
struct koine__witness {
    void (*saw)(const struct koine__witness *witness, const struct koine__happening *happening);
};
static inline void koine__witness_tell(const struct koine__witness *witness, /* NULL: nobody looks */
                                       const struct koine__happening *happening)
{
    if (witness)
        witness->saw(witness, happening);
}

#endif
