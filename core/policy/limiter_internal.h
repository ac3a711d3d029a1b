/* limiter_internal: what limiter.c (the stage) and limiter_queue.c (who waits) share.
 *
 * Two levels, so that nothing depends on how many wait: each client that has tickets here has a line of them,
 * and the next is the one with the lowest number among the firsts of the lines that are awake. The first of
 * each line is on duty: no thread of ours watches the clock, so its wake_at is when somebody must look. A
 * line's duty is told (by the inbox) whenever its first changes, or must look earlier than it knows.
 *
 * All of it under limiter->mutex. Locks are taken in this order: limiter, inbox.
 */
#ifndef KOINE_CORE_POLICY_LIMITER_INTERNAL_H
#define KOINE_CORE_POLICY_LIMITER_INTERNAL_H

#include "core/policy/inbox.h"
#include "core/policy/limiter.h"
#include "core/policy/limiter_log.h"

struct koine__tickets { /* linked by ticket->limiter.next, prev; in order of number */
    struct koine__ticket *first, *last;
};
struct koine__line {
    struct koine__inbox *inbox; /* whose it is */
    struct koine__line *next, *prev;
    struct koine__tickets waiting, granted; /* all of these have lower numbers than those that wait */
    int64_t count, tokens;                  /* of those that wait */
    const struct koine__ticket *duty;       /* who was told, or knows, to look at looks_at; compared only */
    int64_t looks_at;
    bool asleep; /* it let a grant go by: passed over until its owner comes */
};
struct koine__limiter {
    pthread_mutex_t mutex;
    struct koine__limiter_config config;
    struct koine__sliding log;
    int64_t now; /* the latest that anybody came with */
    int64_t paused_until;
    int64_t pause_told;             /* its end as it was last told */
    int64_t under_way;              /* granted or through */
    int64_t waiting;                /* in all lines */
    int64_t order;                  /* the last number given */
    struct koine__line *lines;      /* those with tickets */
    struct koine__line *spare;      /* for the next that needs one */
    struct koine__inbox for_nobody; /* of tickets without one */
};

/* Whom to wake when the lock has been let go. */
#define KOINE__NEWS_MOST 16
struct koine__news {
    struct koine__waker *wakers[KOINE__NEWS_MOST];
    size_t count;
    bool for_nobody;
};
void koine__news_deliver(struct koine__limiter *limiter, struct koine__news *news);

int64_t koine__limiter_reserved(const struct koine__ticket *ticket); /* tokens, as they are counted */
int64_t koine__limiter_waits_until(const struct koine__ticket *ticket);
/* Takes a place of everything for it. KOINE_EMEMORY: nothing is taken. */
int koine__limiter_take(struct koine__limiter *limiter, struct koine__ticket *ticket);
void koine__limiter_give_back(struct koine__limiter *limiter, const struct koine__ticket *ticket);
bool koine__limiter_fits(const struct koine__limiter *limiter, const struct koine__ticket *ticket);
/* When a ticket of `tokens` might pass with `count` of `ahead` tokens before it; ≤ now: but for those under
 * way, now. */
int64_t koine__limiter_earliest(const struct koine__limiter *limiter, int64_t count, int64_t ahead,
                                int64_t tokens);

int koine__queue_join(struct koine__limiter *limiter, struct koine__ticket *ticket); /* KOINE_EMEMORY */
/* Out of its line, whatever its turn, and out of the inbox. */
void koine__queue_quit(struct koine__limiter *limiter, struct koine__ticket *ticket);
bool koine__queue_awake(const struct koine__limiter *limiter); /* somebody waits in a line that is */
/* Tickets, and their tokens, that a newcomer would have before it. */
void koine__queue_ahead(const struct koine__limiter *limiter, int64_t *ret_count, int64_t *ret_tokens);
void koine__queue_owner_came(struct koine__limiter *limiter, const struct koine__ticket *ticket);
void koine__queue_revoke_late(struct koine__limiter *limiter);
void koine__queue_revoke_all(struct koine__limiter *limiter); /* without a reproach */
/* Grants to those whose turn it is; `self`, who is the caller, need not be told. */
void koine__queue_grant(struct koine__limiter *limiter, const struct koine__ticket *self,
                        struct koine__news *news);
void koine__queue_tell_all(struct koine__limiter *limiter, struct koine__news *news);
/* Recycles lines that nobody is in, and sees to it that in each other somebody looks in time; `self` asks for
 * its wake_at next. */
void koine__queue_settle(struct koine__limiter *limiter, const struct koine__ticket *self,
                         struct koine__news *news);
/* When a waiting ticket is to ask again, which knows it from now on. */
int64_t koine__queue_wake_at(struct koine__limiter *limiter, const struct koine__ticket *ticket);

#endif
