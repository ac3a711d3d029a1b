/* notice: the hub's witness. What policies say that happened is counted, logged, kept for the application in
 * a bounded ring, and, where there is a webhook, in a second one for it. [any thread]
 *
 * A full ring drops the oldest notice of a refusal, else the oldest of all, and tells how many in a notice of
 * its own. Refusals of one instance for one reason within a second are one notice that counts; they are
 * logged once a second.
 */
#ifndef KOINE_CORE_HUB_NOTICE_H
#define KOINE_CORE_HUB_NOTICE_H

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/policy/happening.h"

#define KOINE__NOTICES_MOST   256 /* in each ring */
#define KOINE__NOTICE_KINDS   10  /* one more than the highest number */
#define KOINE__NOTICE_ID      40
#define KOINE__NOTICE_RECENTS 32

struct koine_notice { /* one block with its texts */
    struct koine_notice *next, *prev;
    int kind, class_number;
    int64_t at, until; /* ns since 1970; until -1: nobody knows */
    int64_t seen;      /* loop time */
    uint64_t reason;   /* equal for what may be one notice */
    int64_t count;
    unsigned claims;           /* how many clients began to send it */
    char id[KOINE__NOTICE_ID]; /* that the webhook knows it by; "" before it was sent first */
    const char *instance, *model, *message;
};
struct koine__notice_ring {
    struct koine_notice *first, *last;
    size_t count;
    int64_t lost; /* since the last notice that told of it */
};
struct koine__delivery { /* the one notice that is on its way to the webhook */
    struct koine_notice *notice;
    uint64_t claim; /* of the client that sends it; another one's when the lease has run out */
    int64_t lease;  /* loop time */
};
struct koine__metrics;
struct koine__notices {
    struct koine__witness witness;
    const struct koine__clock *clock;
    struct koine__log *log;
    struct koine__metrics *metrics;
    pthread_mutex_t mutex; /* what follows */
    struct koine__notice_ring kept, outgoing;
    uint32_t outgoing_kinds; /* bit per kind; 0: there is no webhook */
    struct koine__delivery delivery;
    int64_t look_at; /* when a client may find something to send; also read without the mutex */
    struct {         /* refusals that were logged, by reason */
        uint64_t reason;
        int64_t since, repeated;
    } recent[KOINE__NOTICE_RECENTS];
};
int koine__notices_init(struct koine__notices *notices, const struct koine__clock *clock,
                        struct koine__log *log, struct koine__metrics *metrics); /* KOINE_ESYSTEM */
/* `tells`: how many notices were not sent is logged. */
void koine__notices_release(struct koine__notices *notices, bool tells);
/* Which kinds go to the webhook; those that wait already, and do not any more, are dropped. */
void koine__notices_send(struct koine__notices *notices, uint32_t kinds);
const char *koine__notice_kind_name(int kind); /* "unknown" */

/* For the sender. claim: a copy, yours to koine_notice_free, of the notice to be sent now; NULL: there is
 * none, another client has it, or there is no memory. */
struct koine_notice *koine__notices_claim(struct koine__notices *notices, int64_t now, int64_t lease,
                                          uint64_t *ret_claim);
/* The claim lasts longer. False: somebody else has it now. */
bool koine__notices_extend(struct koine__notices *notices, uint64_t claim, int64_t lease);
enum koine__delivered {
    KOINE__DELIVERED,
    KOINE__UNDELIVERABLE,
    KOINE__GIVEN_BACK /* another client may go on */
};
/* False: somebody else has it now. */
bool koine__notices_settle(struct koine__notices *notices, uint64_t claim, enum koine__delivered how);
bool koine__notices_wait(struct koine__notices *notices); /* whether one waits or is on its way */
static inline int64_t koine__notices_look_at(const struct koine__notices *notices)
{
    return __atomic_load_n(&notices->look_at, __ATOMIC_RELAXED);
}

#endif
