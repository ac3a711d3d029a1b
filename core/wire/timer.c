/* timer: the pairing heap. A first child's prev is its parent, another's its left sibling, a root's NULL. */
#include "core/wire/timer.h"

static bool is_before(const struct koine__timer *a, const struct koine__timer *b)
{
    return a->due < b->due || (a->due == b->due && a->order < b->order);
}

struct koine__timer *koine__heap_join(struct koine__timer *a, struct koine__timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (is_before(b, a)) {
        struct koine__timer *earlier = b;
        b = a;
        a = earlier;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child)
        a->child->prev = b;
    a->child = b;
    a->next = a->prev = NULL;
    return a;
}

/* Siblings as one heap, in two passes: pairs from left to right, then the pairs from right to left. */
static struct koine__timer *join_siblings(struct koine__timer *first)
{
    struct koine__timer *pairs = NULL, *heap = NULL;
    while (first) {
        struct koine__timer *a = first, *b = a->next;
        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        struct koine__timer *pair = koine__heap_join(a, b);
        pair->next = pairs;
        pairs = pair;
    }
    while (pairs) {
        struct koine__timer *pair = pairs;
        pairs = pair->next;
        pair->next = NULL;
        heap = koine__heap_join(heap, pair);
    }
    return heap;
}

/* The heap of its children takes its place: nothing among them is earlier than what stands above. */
static void replace(struct koine__timer *timer, struct koine__timer *heir)
{
    struct koine__timer *next = timer->next;
    if (heir) {
        heir->prev = timer->prev;
        heir->next = next;
    }
    if (next)
        next->prev = heir ? heir : timer->prev;
    if (timer->prev->child == timer)
        timer->prev->child = heir ? heir : next;
    else
        timer->prev->next = heir ? heir : next;
}

void koine__heap_remove(struct koine__timer **root, struct koine__timer *timer)
{
    struct koine__timer *heir = join_siblings(timer->child);
    if (timer->prev)
        replace(timer, heir);
    else
        *root = heir;
    timer->child = timer->next = timer->prev = NULL;
}
