/* limiter_internal: what limiter.c (the stage), limiter_queue.c (who waits) and limiter_lines.c (in
 * which order) share.
 *
 * Two levels, so that nothing depends on how many wait: each client that has tickets here has a line of them,
 * and the next is the one with the lowest number among the firsts of the lines that are awake. Nor does it on
 * how many clients wait, but for a logarithm: lines are kept in heaps, and only those that changed are looked
 * at. The first of
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

#include <stdatomic.h>

struct koine__tickets { /* linked by ticket->limiter.next, prev; in order of number */
    struct koine__ticket *first, *last;
};
enum koine__line_order {
    KOINE__BY_TURN,  /* those awake, in which somebody waits: the one who came first */
    KOINE__BY_LOOK,  /* those in which somebody waits: the one that looks last */
    KOINE__BY_GRANT, /* those with a grant that is not taken up: the oldest */
    KOINE__LINE_ORDERS
};
struct koine__line {
    struct koine__inbox *inbox; /* whose it is */
    struct koine__line *next, *prev;
    struct koine__line *bucket_next, *changed_next;
    struct koine__tickets waiting, granted; /* all of these have lower numbers than those that wait */
    int64_t count, tokens;                  /* of those that wait */
    const struct koine__ticket *duty;       /* who was told, or knows, to look at looks_at; compared only */
    int64_t looks_at;
    size_t places[KOINE__LINE_ORDERS]; /* in the heaps, from 1; 0: not in it */
    bool asleep;                       /* it let a grant go by: passed over until its owner comes */
    bool lively;                       /* it has a grant, or may get one */
    bool changed;                      /* since it was last settled */
};
struct koine__line_heap {
    struct koine__line **items;
    size_t count, capacity;
};
struct koine__limiter {
    pthread_mutex_t mutex;
    struct koine__limiter_config config;
    struct koine__sliding log;
    int64_t now; /* the latest that anybody came with */
    int64_t paused_until;
    int64_t pause_told;        /* its end as it was last told */
    int64_t under_way;         /* granted or through */
    int64_t waiting;           /* in all lines */
    atomic_bool crowded;       /* they are as many as may be; read without the lock */
    int64_t order;             /* the last number given */
    struct koine__line *lines; /* those with tickets */
    struct koine__line *spare; /* for the next that needs one */
    struct koine__line *changed;
    size_t line_count, bucket_count;
    struct koine__line **buckets; /* by inbox */
    struct koine__line_heap heaps[KOINE__LINE_ORDERS];
    int64_t lively;                    /* lines */
    int64_t awake_count, awake_tokens; /* of those that wait in lines that are awake */
    struct koine__inbox for_nobody;    /* of tickets without one */
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

struct koine__line *koine__lines_find(const struct koine__limiter *limiter, const struct koine__inbox *inbox);
struct koine__line *koine__lines_new(struct koine__limiter *limiter,
                                     struct koine__inbox *inbox); /* or NULL */
/* Nobody is in it, and it is not among the changed. Its inbox may end before we do. */
void koine__lines_recycle(struct koine__limiter *limiter, struct koine__line *line);
struct koine__line *koine__lines_first(const struct koine__limiter *limiter, enum koine__line_order order);
/* After each change of what it is ordered by. */
void koine__lines_put_right(struct koine__limiter *limiter, struct koine__line *line);
void koine__lines_changed(struct koine__limiter *limiter, struct koine__line *line); /* likewise, and noted */
struct koine__line *koine__lines_take_changed(struct koine__limiter *limiter);       /* NULL: no more */
void koine__lines_release(struct koine__limiter *limiter);

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
