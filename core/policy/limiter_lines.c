/* limiter_lines: the lines of a limiter, found by whose they are, whose turn it is, who looks last, and whose
 * grant is the oldest; see limiter_internal.h. */
#include "core/policy/limiter_internal.h"

#include "core/base/mem.h"

#define BUCKETS_LEAST 16

/* ---- By inbox --------------------------------------------------------------------------------------- */

static struct koine__line **bucket_of(const struct koine__limiter *limiter, const struct koine__inbox *inbox)
{
    uint64_t hash = (uint64_t)(uintptr_t)inbox * UINT64_C(0x9e3779b97f4a7c15);
    return &limiter->buckets[(hash >> 32) % limiter->bucket_count];
}

struct koine__line *koine__lines_find(const struct koine__limiter *limiter, const struct koine__inbox *inbox)
{
    struct koine__line *line = limiter->lines ? *bucket_of(limiter, inbox) : NULL;
    while (line && line->inbox != inbox)
        line = line->bucket_next;
    return line;
}

static void put_in_bucket(struct koine__limiter *limiter, struct koine__line *line)
{
    struct koine__line **bucket = bucket_of(limiter, line->inbox);
    line->bucket_next = *bucket;
    *bucket = line;
}

static void take_from_bucket(struct koine__limiter *limiter, const struct koine__line *line)
{
    struct koine__line **at = bucket_of(limiter, line->inbox);
    while (*at != line)
        at = &(*at)->bucket_next;
    *at = line->bucket_next;
}

static int grow_buckets(struct koine__limiter *limiter)
{
    size_t count = limiter->bucket_count ? limiter->bucket_count * 2 : BUCKETS_LEAST;
    struct koine__line **buckets = koine__alloc(count * sizeof(*buckets));
    if (!buckets)
        return KOINE_EMEMORY;
    koine__dealloc(limiter->buckets);
    limiter->buckets = buckets;
    limiter->bucket_count = count;
    for (struct koine__line *line = limiter->lines; line; line = line->next)
        put_in_bucket(limiter, line);
    return KOINE_OK;
}

/* ---- In order --------------------------------------------------------------------------------------- */

static bool belongs(const struct koine__line *line, enum koine__line_order order)
{
    switch (order) {
    case KOINE__BY_TURN:
        return line->waiting.first && !line->asleep;
    case KOINE__BY_LOOK:
        return line->waiting.first;
    default:
        return line->granted.first;
    }
}

static int64_t key_of(const struct koine__line *line, enum koine__line_order order)
{
    switch (order) {
    case KOINE__BY_TURN:
        return (int64_t)line->waiting.first->limiter.order;
    case KOINE__BY_LOOK:
        return -line->looks_at; /* the last one first */
    default:
        return line->granted.first->limiter.granted_at;
    }
}

static void place(struct koine__line_heap *heap, enum koine__line_order order, size_t at,
                  struct koine__line *line)
{
    heap->items[at] = line;
    line->places[order] = at + 1;
}

/* The one at `at` goes where it belongs. */
static void sift(struct koine__line_heap *heap, enum koine__line_order order, size_t at)
{
    struct koine__line *line = heap->items[at];
    int64_t key = key_of(line, order);
    for (size_t up = (at - 1) / 2; at > 0 && key_of(heap->items[up], order) > key; up = (at - 1) / 2) {
        place(heap, order, at, heap->items[up]);
        at = up;
    }
    for (size_t down = 2 * at + 1; down < heap->count; down = 2 * at + 1) {
        if (down + 1 < heap->count && key_of(heap->items[down + 1], order) < key_of(heap->items[down], order))
            down++;
        if (key_of(heap->items[down], order) >= key)
            break;
        place(heap, order, at, heap->items[down]);
        at = down;
    }
    place(heap, order, at, line);
}

static void take_out(struct koine__line_heap *heap, enum koine__line_order order, struct koine__line *line)
{
    size_t at = line->places[order] - 1;
    struct koine__line *last = heap->items[--heap->count];
    line->places[order] = 0;
    if (last == line)
        return;
    place(heap, order, at, last);
    sift(heap, order, at);
}

static void put_right(struct koine__limiter *limiter, struct koine__line *line, enum koine__line_order order)
{
    struct koine__line_heap *heap = &limiter->heaps[order];
    bool is_in = line->places[order] > 0;
    if (!belongs(line, order)) {
        if (is_in)
            take_out(heap, order, line);
        return;
    }
    if (!is_in)
        place(heap, order, heap->count++, line);
    sift(heap, order, line->places[order] - 1);
}

struct koine__line *koine__lines_first(const struct koine__limiter *limiter, enum koine__line_order order)
{
    const struct koine__line_heap *heap = &limiter->heaps[order];
    return heap->count > 0 ? heap->items[0] : NULL;
}

static int reserve_places(struct koine__limiter *limiter, size_t count)
{
    for (size_t i = 0; i < KOINE__LINE_ORDERS; i++) {
        struct koine__line_heap *heap = &limiter->heaps[i];
        void *items = heap->items;
        if (koine__array_reserve(&items, &heap->capacity, count, sizeof(*heap->items)) != KOINE_OK)
            return KOINE_EMEMORY;
        heap->items = items;
    }
    return KOINE_OK;
}

void koine__lines_put_right(struct koine__limiter *limiter, struct koine__line *line)
{
    bool lively = line->granted.first || (line->waiting.first && !line->asleep);
    if (lively != line->lively)
        limiter->lively += lively ? 1 : -1;
    line->lively = lively;
    for (enum koine__line_order order = 0; order < KOINE__LINE_ORDERS; order++)
        put_right(limiter, line, order);
}

/* ---- Those that changed ----------------------------------------------------------------------------- */

void koine__lines_changed(struct koine__limiter *limiter, struct koine__line *line)
{
    koine__lines_put_right(limiter, line);
    if (line->changed)
        return;
    line->changed = true;
    line->changed_next = limiter->changed;
    limiter->changed = line;
}

struct koine__line *koine__lines_take_changed(struct koine__limiter *limiter)
{
    struct koine__line *line = limiter->changed;
    if (!line)
        return NULL;
    limiter->changed = line->changed_next;
    line->changed = false;
    return line;
}

/* ---- Life ------------------------------------------------------------------------------------------- */

struct koine__line *koine__lines_new(struct koine__limiter *limiter, struct koine__inbox *inbox)
{
    struct koine__line *line = limiter->spare;
    if (reserve_places(limiter, limiter->line_count + 1) != KOINE_OK)
        return NULL;
    if (limiter->line_count >= limiter->bucket_count && grow_buckets(limiter) != KOINE_OK)
        return NULL;
    if (line)
        limiter->spare = line->next;
    else
        line = koine__alloc(sizeof(*line));
    if (!line)
        return NULL;
    *line = (struct koine__line){.inbox = inbox, .next = limiter->lines};
    if (limiter->lines)
        limiter->lines->prev = line;
    limiter->lines = line;
    limiter->line_count++;
    put_in_bucket(limiter, line);
    return line;
}

void koine__lines_recycle(struct koine__limiter *limiter, struct koine__line *line)
{
    take_from_bucket(limiter, line);
    limiter->line_count--;
    if (line->prev)
        line->prev->next = line->next;
    else
        limiter->lines = line->next;
    if (line->next)
        line->next->prev = line->prev;
    line->next = limiter->spare;
    limiter->spare = line;
}

static void free_lines(struct koine__line *line)
{
    while (line) {
        struct koine__line *next = line->next;
        koine__dealloc(line);
        line = next;
    }
}

void koine__lines_release(struct koine__limiter *limiter)
{
    free_lines(limiter->lines);
    free_lines(limiter->spare);
    koine__dealloc(limiter->buckets);
    for (size_t i = 0; i < KOINE__LINE_ORDERS; i++)
        koine__dealloc(limiter->heaps[i].items);
}
