/* limiter_log: the limiter's sliding log: when requests were sent and what tokens they took, for as long as
 * that counts; arithmetic without clock or lock.
 *
 * An entry is pending from its admission until its first byte is sent, and counts as if sent just now. Then
 * it is stamped, and counts until `span` later. Room for it is made before it is admitted, so nothing that
 * follows can fail.
 */
#ifndef KOINE_CORE_POLICY_LIMITER_LOG_H
#define KOINE_CORE_POLICY_LIMITER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KOINE__SLIDING_EXCESS 64
#define KOINE__SLIDING_MOST   INT64_C(100000000000) /* tokens of an entry; so that no sum overflows */

struct koine__sliding_entry {
    int64_t stamp, tokens;
};
struct koine__sliding {
    int64_t span;                      /* ns that an entry counts */
    struct koine__sliding_entry *ring; /* in order of stamp, from `head` on */
    size_t capacity, head;
    uint64_t first, next; /* numbers of the oldest entry in the ring, and of the one to come */
    int64_t tokens;       /* of the ring and of excess */
    int64_t pending, pending_tokens;
    int64_t newest; /* stamp: none after it is earlier */
    /* Tokens that were taken by entries that had left: no requests. Those of a sixtieth of the span are one.
     */
    struct koine__sliding_entry excess[KOINE__SLIDING_EXCESS];
    size_t excess_head, excess_count;
    int64_t excess_began; /* the newest one */
};
/* What a ticket keeps of its entry: one of these, or the number of an entry in the ring. */
#define KOINE__SLIDING_NONE    UINT64_C(0)
#define KOINE__SLIDING_PENDING UINT64_C(1)

void koine__sliding_init(struct koine__sliding *log, int64_t span);
void koine__sliding_release(struct koine__sliding *log);
void koine__sliding_forget(struct koine__sliding *log); /* what was sent; not what is pending */
void koine__sliding_expire(struct koine__sliding *log, int64_t now);
static inline int64_t koine__sliding_requests(const struct koine__sliding *log)
{
    return (int64_t)(log->next - log->first) + log->pending;
}
static inline int64_t koine__sliding_tokens(const struct koine__sliding *log)
{
    return log->tokens + log->pending_tokens;
}
/* Room for one more; never for more than `most` entries, -1: any number. KOINE_EMEMORY. */
int koine__sliding_reserve(struct koine__sliding *log, int64_t most);
void koine__sliding_admit(struct koine__sliding *log, int64_t tokens); /* a pending one; room was made */
void koine__sliding_retract(struct koine__sliding *log, int64_t tokens);
uint64_t koine__sliding_stamp(struct koine__sliding *log, int64_t now, int64_t tokens); /* its number */
/* It took `tokens`, of which `reserved` were counted: what is in the log becomes the truth. */
void koine__sliding_settle(struct koine__sliding *log, int64_t now, uint64_t entry, int64_t reserved,
                           int64_t tokens);

/* When the n-th (from 1) of those that wait could be let through at the earliest, where `most` may be in the
 * log: all those before it pass as soon as they can, and none is given back. KOINE__NEVER: never. */
int64_t koine__sliding_nth_request(const struct koine__sliding *log, int64_t now, int64_t most, int64_t n);
/* The same for the last of `tokens` that all of them want together. */
int64_t koine__sliding_nth_token(const struct koine__sliding *log, int64_t now, int64_t most, int64_t tokens);

#endif
