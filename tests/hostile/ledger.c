/* ledger: see ledger.h. */
#include "tests/hostile/ledger.h"

#include "core/base/mem.h"
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

static atomic_size_t held, peak, blocks;

union head { /* before each block */
    size_t size;
    max_align_t align;
};

static void count_more(size_t size)
{
    size_t now = atomic_fetch_add(&held, size) + size, highest = atomic_load(&peak);
    while (now > highest && !atomic_compare_exchange_weak(&peak, &highest, now))
        continue;
}

static void *ledger_realloc(void *arg, void *ptr, size_t size)
{
    union head *old = ptr ? (union head *)ptr - 1 : NULL;
    size_t before = old ? old->size : 0;
    (void)arg;
    if (size > PTRDIFF_MAX - sizeof(*old))
        return NULL;
    union head *head = realloc(old, sizeof(*head) + size);
    if (!head)
        return NULL;
    head->size = size;
    atomic_fetch_sub(&held, before);
    count_more(size);
    if (!ptr)
        atomic_fetch_add(&blocks, 1);
    return head + 1;
}

static void *ledger_alloc(void *arg, size_t size)
{
    return ledger_realloc(arg, NULL, size);
}

static void ledger_free(void *arg, void *ptr)
{
    (void)arg;
    if (!ptr)
        return;
    union head *head = (union head *)ptr - 1;
    atomic_fetch_sub(&held, head->size);
    atomic_fetch_sub(&blocks, 1);
    free(head);
}

void ledger_use(void)
{
    static const struct koine__mem mem = {
        .alloc = ledger_alloc, .realloc = ledger_realloc, .free = ledger_free};
    koine__mem_use(&mem);
}

size_t ledger_begin(void)
{
    size_t now = atomic_load(&held);
    atomic_store(&peak, now);
    return now;
}

size_t ledger_peak(void)
{
    return atomic_load(&peak);
}

size_t ledger_blocks(void)
{
    return atomic_load(&blocks);
}
