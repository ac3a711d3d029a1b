/* breaker_history: see breaker_history.h. */
#include "core/policy/breaker_history.h"

#include <string.h>

#define SLOTS (KOINE__BREAKER_SLOTS + 1)

static struct koine__breaker_slot *slot_of(struct koine__breaker_tally *tally, int64_t index)
{
    struct koine__breaker_slot *slot = &tally->slots[index % SLOTS];
    if (slot->index != index)
        *slot = (struct koine__breaker_slot){.index = index};
    return slot;
}

/* Most calls fall into the same slot as the one before, and are spared the division. */
static struct koine__breaker_slot *slot_now(struct koine__breaker_tally *tally, int64_t now)
{
    if (now >= tally->turn) {
        int64_t index = now / tally->width;
        tally->turn = koine__time_add(index * tally->width, tally->width);
        tally->current = (size_t)(slot_of(tally, index) - tally->slots);
    }
    return &tally->slots[tally->current];
}

static int64_t start_of(int64_t window, int64_t now)
{
    return now > window ? now - window : 0;
}

/* What is known in slots of another width counts from the end of its slot: rather too long than not at all.
 */
static void take_over(struct koine__breaker_tally *tally, const struct koine__breaker_tally *from,
                      int64_t now)
{
    for (size_t i = 0; i < SLOTS; i++) {
        const struct koine__breaker_slot *slot = &from->slots[i];
        int64_t end = koine__time_add(slot->index * from->width, from->width - 1);
        int64_t at = end < now ? end : now;
        if (at < start_of(tally->window, now) || (slot->succeeded == 0 && slot->failed == 0))
            continue;
        struct koine__breaker_slot *to = slot_of(tally, at / tally->width);
        to->succeeded += slot->succeeded;
        to->failed += slot->failed;
    }
}

static struct koine__breaker_tally *new_tally(struct koine__breaker_history *history, int64_t window,
                                              int64_t now)
{
    struct koine__breaker_tally *place = &history->tallies[0], *longest = place;
    for (size_t i = 1; i < KOINE__BREAKER_WINDOWS; i++) {
        struct koine__breaker_tally *tally = &history->tallies[i];
        if (place->window && (!tally->window || tally->used < place->used))
            place = tally;
        if (tally->window > longest->window)
            longest = tally;
    }
    struct koine__breaker_tally tally = {.window = window};
    tally.width = (window - 1) / KOINE__BREAKER_SLOTS + 1;
    if (longest->window)
        take_over(&tally, longest, now);
    *place = tally;
    return place;
}

static struct koine__breaker_tally *tally_of(struct koine__breaker_history *history, int64_t window,
                                             int64_t now)
{
    struct koine__breaker_tally *tally = NULL;
    window = window > 0 ? window : 1;
    for (size_t i = 0; i < KOINE__BREAKER_WINDOWS && !tally; i++)
        if (history->tallies[i].window == window)
            tally = &history->tallies[i];
    if (!tally)
        tally = new_tally(history, window, now);
    tally->used = now;
    return tally;
}

void koine__breaker_history_add(struct koine__breaker_history *history, int64_t window, int64_t now,
                                bool failed)
{
    tally_of(history, window, now);
    for (size_t i = 0; i < KOINE__BREAKER_WINDOWS && history->tallies[i].window; i++) {
        struct koine__breaker_slot *slot = slot_now(&history->tallies[i], now);
        slot->succeeded += !failed;
        slot->failed += failed;
    }
    if (!failed)
        return;
    history->newest = (history->newest + 1) % KOINE__BREAKER_MOST;
    history->failed_at[history->newest] = now;
    history->failures += history->failures < KOINE__BREAKER_MOST;
}

int64_t koine__breaker_history_failure(const struct koine__breaker_history *history, int64_t n)
{
    if (n < 1 || n > (int64_t)history->failures)
        return -1;
    return history
        ->failed_at[(history->newest + KOINE__BREAKER_MOST - (size_t)(n - 1)) % KOINE__BREAKER_MOST];
}

/* How many of those kept are no older. */
static int64_t failures_since(const struct koine__breaker_history *history, int64_t start)
{
    int64_t low = 0, high = (int64_t)history->failures;
    while (low < high) {
        int64_t middle = (low + high + 1) / 2;
        if (koine__breaker_history_failure(history, middle) >= start)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

struct koine__breaker_count koine__breaker_history_count(struct koine__breaker_history *history,
                                                         int64_t window, int64_t now)
{
    const struct koine__breaker_tally *tally = tally_of(history, window, now);
    int64_t start = start_of(tally->window, now), failed = 0;
    struct koine__breaker_count count = {failures_since(history, start), 0};
    for (size_t i = 0; i < SLOTS; i++) {
        if (tally->slots[i].index < start / tally->width)
            continue;
        count.successes += tally->slots[i].succeeded;
        failed += tally->slots[i].failed;
    }
    if (count.failures == KOINE__BREAKER_MOST && failed > count.failures)
        count.failures = failed;
    return count;
}

void koine__breaker_history_forget(struct koine__breaker_history *history)
{
    history->failures = 0;
    for (size_t i = 0; i < KOINE__BREAKER_WINDOWS; i++) {
        memset(history->tallies[i].slots, 0, sizeof(history->tallies[i].slots));
        history->tallies[i].turn = 0;
    }
}
