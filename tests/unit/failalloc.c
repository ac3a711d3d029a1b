/* failalloc: counts and fails allocations; a program of several threads may run under it. */
#include "tests/unit/failalloc.h"

#include "core/base/mem.h"
#include <CUnit/CUnit.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_long left, held;
static atomic_bool failed;

/* Whether this allocation is the one. */
static bool is_the_one(void)
{
    if (atomic_fetch_sub(&left, 1) != 1)
        return false;
    atomic_store(&failed, true);
    return true;
}

static void *count_alloc(void *arg, size_t size)
{
    (void)arg;
    void *ptr = is_the_one() ? NULL : malloc(size);
    if (ptr)
        atomic_fetch_add(&held, 1);
    return ptr;
}

static void *count_realloc(void *arg, void *old, size_t size)
{
    (void)arg;
    void *ptr = is_the_one() ? NULL : realloc(old, size);
    if (ptr && !old)
        atomic_fetch_add(&held, 1);
    return ptr;
}

static void count_free(void *arg, void *ptr)
{
    (void)arg;
    free(ptr);
    atomic_fetch_sub(&held, 1);
}

void failalloc_begin(long n)
{
    static const struct koine__mem counting = {
        .alloc = count_alloc, .realloc = count_realloc, .free = count_free};
    atomic_store(&left, n);
    atomic_store(&held, 0);
    atomic_store(&failed, false);
    koine__mem_use(&counting);
}

bool failalloc_end(void)
{
    char text[96];
    koine__mem_use(NULL);
    snprintf(text, sizeof(text), "%ld blocks are still held", atomic_load(&held));
    CU_assertImplementation(atomic_load(&held) <= 0, __LINE__, text, __FILE__, "", CU_FALSE);
    return atomic_load(&failed);
}

long failalloc_held(void)
{
    return atomic_load(&held);
}
