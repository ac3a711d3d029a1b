/* limiter_log: see limiter_log.h. */
#include "core/policy/limiter_log.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <koine/koine.h>
#include <string.h>

enum {
    FIRST_NUMBER = 2, /* after NONE and PENDING */
    FIRST_CAPACITY = 16,
    LONGEST_WALK = 4096
};

static size_t length(const struct koine__sliding *log)
{
    return (size_t)(log->next - log->first);
}

/* i from 0, the oldest. */
static struct koine__sliding_entry *entry_at(const struct koine__sliding *log, size_t i)
{
    size_t at = log->head + i;
    return &log->ring[at < log->capacity ? at : at - log->capacity];
}

static const struct koine__sliding_entry *excess_at(const struct koine__sliding *log, size_t i)
{
    return &log->excess[(log->excess_head + i) % KOINE__SLIDING_EXCESS];
}

void koine__sliding_init(struct koine__sliding *log, int64_t span)
{
    *log = (struct koine__sliding){
        .span = span, .first = FIRST_NUMBER, .next = FIRST_NUMBER, .newest = INT64_MIN};
}

void koine__sliding_release(struct koine__sliding *log)
{
    koine__dealloc(log->ring);
    log->ring = NULL;
}

void koine__sliding_forget(struct koine__sliding *log)
{
    log->first = log->next;
    log->tokens = 0;
    log->excess_count = 0;
}

void koine__sliding_expire(struct koine__sliding *log, int64_t now)
{
    while (log->first < log->next && koine__time_add(log->ring[log->head].stamp, log->span) <= now) {
        log->tokens -= log->ring[log->head].tokens;
        log->first++;
        log->head = log->head + 1 < log->capacity ? log->head + 1 : 0;
    }
    while (log->excess_count > 0 && koine__time_add(excess_at(log, 0)->stamp, log->span) <= now) {
        log->tokens -= excess_at(log, 0)->tokens;
        log->excess_head = (log->excess_head + 1) % KOINE__SLIDING_EXCESS;
        log->excess_count--;
    }
}

static int grow(struct koine__sliding *log, size_t capacity)
{
    size_t count = length(log);
    struct koine__sliding_entry *ring = koine__alloc_array(capacity, sizeof(*ring));
    if (!ring)
        return KOINE_EMEMORY;
    for (size_t i = 0; i < count; i++)
        ring[i] = *entry_at(log, i);
    koine__dealloc(log->ring);
    log->ring = ring;
    log->capacity = capacity;
    log->head = 0;
    return KOINE_OK;
}

int koine__sliding_reserve(struct koine__sliding *log, int64_t most)
{
    size_t needed = (size_t)koine__sliding_requests(log) + 1;
    if (needed <= log->capacity)
        return KOINE_OK;
    size_t capacity = log->capacity ? 2 * log->capacity : FIRST_CAPACITY;
    if (most >= 0 && capacity > (size_t)most)
        capacity = (size_t)most;
    return grow(log, capacity > needed ? capacity : needed);
}

void koine__sliding_admit(struct koine__sliding *log, int64_t tokens)
{
    log->pending++;
    log->pending_tokens += tokens;
}

void koine__sliding_retract(struct koine__sliding *log, int64_t tokens)
{
    log->pending--;
    log->pending_tokens -= tokens;
}

/* Threads may come in another order than the times they read. */
static int64_t in_order(struct koine__sliding *log, int64_t now)
{
    if (now > log->newest)
        log->newest = now;
    return log->newest;
}

uint64_t koine__sliding_stamp(struct koine__sliding *log, int64_t now, int64_t tokens)
{
    koine__sliding_retract(log, tokens);
    *entry_at(log, length(log)) = (struct koine__sliding_entry){in_order(log, now), tokens};
    log->tokens += tokens;
    return log->next++;
}

static void add_excess(struct koine__sliding *log, int64_t now, int64_t tokens)
{
    int64_t stamp = in_order(log, now);
    struct koine__sliding_entry *last =
        &log->excess[(log->excess_head + log->excess_count + KOINE__SLIDING_EXCESS - 1) %
                     KOINE__SLIDING_EXCESS];
    bool together = log->excess_count > 0 && stamp - log->excess_began < log->span / 60;
    if (together || log->excess_count == KOINE__SLIDING_EXCESS) {
        last->stamp = stamp; /* later than it was for some of them: that errs to the safe side */
        last->tokens += tokens;
    } else {
        log->excess[(log->excess_head + log->excess_count++) % KOINE__SLIDING_EXCESS] =
            (struct koine__sliding_entry){stamp, tokens};
        log->excess_began = stamp;
    }
    log->tokens += tokens;
}

void koine__sliding_settle(struct koine__sliding *log, int64_t now, uint64_t entry, int64_t reserved,
                           int64_t tokens)
{
    if (entry >= log->first) {
        struct koine__sliding_entry *it = entry_at(log, (size_t)(entry - log->first));
        log->tokens += tokens - it->tokens;
        it->tokens = tokens;
    } else if (tokens > reserved) {
        add_excess(log, now, tokens - reserved);
    }
}

/* ---- When ------------------------------------------------------------------------------------------- */

static int64_t rounds_later(const struct koine__sliding *log, int64_t at, int64_t rounds)
{
    int64_t more;
    return __builtin_mul_overflow(rounds, log->span, &more) ? KOINE__NEVER : koine__time_add(at, more);
}

int64_t koine__sliding_nth_request(const struct koine__sliding *log, int64_t now, int64_t most, int64_t n)
{
    if (most <= 0)
        return KOINE__NEVER;
    /* Each that is let through takes the place of the one that came `most` before it, a span later. */
    int64_t must_leave = (n - 1) % most + 1 - (most - koine__sliding_requests(log));
    int64_t at = now;
    if (must_leave > (int64_t)length(log))
        at = koine__time_add(now, log->span); /* one that is pending */
    else if (must_leave > 0)
        at = koine__time_add(entry_at(log, (size_t)must_leave - 1)->stamp, log->span);
    return rounds_later(log, at, (n - 1) / most);
}

/* The stamp of the entry with which `tokens` have left the log, oldest first. Of a very long log an earlier
 * one: whoever looks then will look again. */
static int64_t walk(const struct koine__sliding *log, int64_t now, int64_t tokens)
{
    size_t i = 0, j = 0;
    int64_t stamp = now;
    while (tokens > 0 && i + j < LONGEST_WALK) {
        const struct koine__sliding_entry *a = i < length(log) ? entry_at(log, i) : NULL;
        const struct koine__sliding_entry *b = j < log->excess_count ? excess_at(log, j) : NULL;
        if (!a && !b)
            return now; /* the rest is pending */
        bool from_ring = a && (!b || a->stamp <= b->stamp);
        i += from_ring;
        j += !from_ring;
        stamp = from_ring ? a->stamp : b->stamp;
        tokens -= from_ring ? a->tokens : b->tokens;
    }
    return stamp;
}

int64_t koine__sliding_nth_token(const struct koine__sliding *log, int64_t now, int64_t most, int64_t tokens)
{
    if (tokens > 0 && most <= 0)
        return KOINE__NEVER;
    /* Who wants none has to wait all the same where more were taken than there are. */
    int64_t wanted = tokens > 0 ? (tokens - 1) % most + 1 : 0;
    int64_t must_leave = wanted - (most - koine__sliding_tokens(log));
    int64_t at = must_leave <= 0 ? now : koine__time_add(walk(log, now, must_leave), log->span);
    return tokens > 0 ? rounds_later(log, at, (tokens - 1) / most) : at;
}
