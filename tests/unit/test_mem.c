/* mem: zeroing, overflow checks, growing arrays, the arena and its limit, and an allocator of one's own. */
#include "core/base/mem.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <koine/koine.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void test_alloc_is_zeroed(void)
{
    unsigned char *ptr = koine__alloc(1000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ptr);
    for (size_t i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL_FATAL(ptr[i], 0);
    koine__dealloc(ptr);
}

static void test_alloc_of_nothing(void)
{
    void *ptr = koine__alloc(0);
    CU_ASSERT_PTR_NOT_NULL(ptr);
    koine__dealloc(ptr);
    ptr = koine__realloc(NULL, 0);
    CU_ASSERT_PTR_NOT_NULL(ptr);
    koine__dealloc(ptr);
    koine__dealloc(NULL);
}

static void test_sizes_that_overflow(void)
{
    CU_ASSERT_PTR_NULL(koine__alloc(SIZE_MAX));
    CU_ASSERT_PTR_NULL(koine__realloc(NULL, SIZE_MAX));
    CU_ASSERT_PTR_NULL(koine__alloc_array(SIZE_MAX / 2, 3));
    CU_ASSERT_PTR_NULL(koine__strndup("x", SIZE_MAX));
    void *ptr = koine__alloc_array(3, 4);
    CU_ASSERT_PTR_NOT_NULL(ptr);
    koine__dealloc(ptr);
}

static void test_copies_of_text(void)
{
    char *copy = koine__strdup("abc");
    ASSERT_STR(copy, "abc");
    koine__dealloc(copy);
    copy = koine__strndup("abcdef", 2);
    ASSERT_STR(copy, "ab");
    koine__dealloc(copy);
    copy = koine__strndup(NULL, 0);
    ASSERT_STR(copy, "");
    koine__dealloc(copy);
    CU_ASSERT_PTR_NULL(koine__strdup(NULL));
}

static void test_array_doubles_and_zeroes(void)
{
    void *items = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < 100; i++) {
        ASSERT_INT(koine__array_reserve(&items, &capacity, i + 1, sizeof(int)), 0);
        ASSERT_INT(((int *)items)[i], 0);
        ((int *)items)[i] = (int)i;
    }
    ASSERT_INT(capacity, 128);
    ASSERT_INT(((int *)items)[63], 63);
    ASSERT_INT(koine__array_reserve(&items, &capacity, 5, sizeof(int)), 0);
    ASSERT_INT(capacity, 128);
    koine__dealloc(items);
}

static void test_array_refuses_overflow(void)
{
    void *items = NULL;
    size_t capacity = 0;
    ASSERT_INT(koine__array_reserve(&items, &capacity, SIZE_MAX, 1), KOINE_EMEMORY);
    ASSERT_INT(koine__array_reserve(&items, &capacity, SIZE_MAX / 4, 16), KOINE_EMEMORY);
    CU_ASSERT_PTR_NULL(items);
    ASSERT_INT(capacity, 0);
}

static void test_array_survives_failure(void)
{
    void *items = NULL;
    size_t capacity = 0;
    failalloc_begin(2);
    ASSERT_INT(koine__array_reserve(&items, &capacity, 1, 8), 0);
    *(uint64_t *)items = 7;
    size_t before = capacity;
    ASSERT_INT(koine__array_reserve(&items, &capacity, 1000, 8), KOINE_EMEMORY);
    ASSERT_INT(capacity, before);
    ASSERT_INT(*(uint64_t *)items, 7);
    ASSERT_INT(failalloc_held(), 1);
    koine__dealloc(items);
    CU_ASSERT_TRUE(failalloc_end());
}

static void test_arena_aligns_and_zeroes(void)
{
    struct koine__arena arena;
    koine__arena_init(&arena, 0);
    for (size_t size = 0; size < 300; size++) {
        char *ptr = koine__arena_alloc(&arena, size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(ptr);
        ASSERT_INT((uintptr_t)ptr % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            CU_ASSERT_EQUAL_FATAL(ptr[i], 0);
        memset(ptr, 0xAA, size);
    }
    koine__arena_release(&arena);
}

static void test_arena_large_piece(void)
{
    struct koine__arena arena;
    koine__arena_init(&arena, 0);
    char *large = koine__arena_alloc(&arena, 1000000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    large[999999] = 'x';
    ASSERT_STR(koine__arena_strndup(&arena, "abcdef", 3), "abc");
    ASSERT_STR(koine__arena_strndup(&arena, NULL, 0), "");
    CU_ASSERT_PTR_NULL(koine__arena_alloc(&arena, SIZE_MAX));
    CU_ASSERT_PTR_NULL(koine__arena_strndup(&arena, "x", SIZE_MAX));
    koine__arena_release(&arena);
}

static void test_arena_limit(void)
{
    struct koine__arena arena;
    koine__arena_init(&arena, 100);
    CU_ASSERT_PTR_NOT_NULL(koine__arena_alloc(&arena, 64));
    CU_ASSERT_PTR_NULL(koine__arena_alloc(&arena, 64));
    CU_ASSERT_PTR_NOT_NULL(koine__arena_alloc(&arena, 32));
    CU_ASSERT_PTR_NULL(koine__arena_alloc(&arena, 1000));
    ASSERT_INT(arena.used, 96);
    koine__arena_reset(&arena);
    ASSERT_INT(arena.used, 0);
    CU_ASSERT_PTR_NOT_NULL(koine__arena_alloc(&arena, 64));
    koine__arena_release(&arena);
    ASSERT_INT(arena.limit, 100);
}

static void test_arena_reset_keeps_one_block(void)
{
    struct koine__arena arena;
    koine__arena_init(&arena, 0);
    failalloc_begin(0);
    koine__arena_reset(&arena);
    char *first = koine__arena_alloc(&arena, 10);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(koine__arena_alloc(&arena, 500));
    CU_ASSERT_TRUE(failalloc_held() > 3);
    koine__arena_reset(&arena);
    ASSERT_INT(failalloc_held(), 1);
    CU_ASSERT_PTR_EQUAL(koine__arena_alloc(&arena, 10), first);
    koine__arena_release(&arena);
    ASSERT_INT(failalloc_held(), 0);
    CU_ASSERT_FALSE(failalloc_end());
}

static void test_arena_grows_in_place(void)
{
    struct koine__arena arena;
    koine__arena_init(&arena, 0);
    failalloc_begin(0);
    char *ptr = koine__arena_grow(&arena, NULL, 0, 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ptr);
    memset(ptr, 0xAA, 5);
    CU_ASSERT_PTR_EQUAL(koine__arena_grow(&arena, ptr, 5, 400), ptr);
    ASSERT_INT((unsigned char)ptr[4], 0xAA);
    for (size_t i = 5; i < 400; i++)
        CU_ASSERT_EQUAL_FATAL(ptr[i], 0);
    ASSERT_INT(failalloc_held(), 1); /* of 512 bytes */
    char *other = koine__arena_alloc(&arena, 1);
    char *moved = koine__arena_grow(&arena, ptr, 400, 410); /* no longer the last */
    CU_ASSERT_TRUE(moved && moved != ptr && moved != other);
    ASSERT_INT((unsigned char)moved[4], 0xAA);
    ASSERT_INT(moved[409], 0);
    CU_ASSERT_PTR_NULL(koine__arena_grow(&arena, moved, 410, SIZE_MAX));
    koine__arena_release(&arena);
    CU_ASSERT_FALSE(failalloc_end());
}

static void test_arena_grows_within_its_limit(void)
{
    struct koine__arena arena;
    koine__arena_init(&arena, 100);
    char *ptr = koine__arena_grow(&arena, NULL, 0, 64);
    CU_ASSERT_PTR_NULL(koine__arena_grow(&arena, ptr, 64, 112));
    CU_ASSERT_PTR_EQUAL(koine__arena_grow(&arena, ptr, 64, 96), ptr);
    ASSERT_INT(arena.used, 96);
    koine__arena_release(&arena);
}

/* The first block has the size that its owner wants, and a huge one is not kept. */
static void test_arena_first_block(void)
{
    struct koine__arena arena;
    koine__arena_init(&arena, 0);
    arena.first_block = 4096;
    failalloc_begin(0);
    for (int i = 0; i < 4096 / 16; i++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(koine__arena_alloc(&arena, 16));
    ASSERT_INT(failalloc_held(), 1);
    koine__arena_release(&arena);
    ASSERT_INT(arena.first_block, 4096);
    CU_ASSERT_PTR_NOT_NULL(koine__arena_alloc(&arena, 100000));
    koine__arena_reset(&arena);
    ASSERT_INT(failalloc_held(), 0);
    ASSERT_INT(arena.used, 0);
    CU_ASSERT_FALSE(failalloc_end());
}

static void test_every_failure_is_null(void)
{
    struct koine__arena arena;
    koine__arena_init(&arena, 0);
    failalloc_begin(1);
    CU_ASSERT_PTR_NULL(koine__alloc(1));
    CU_ASSERT_TRUE(failalloc_end());
    failalloc_begin(1);
    CU_ASSERT_PTR_NULL(koine__strdup("a"));
    CU_ASSERT_TRUE(failalloc_end());
    failalloc_begin(1);
    CU_ASSERT_PTR_NULL(koine__arena_alloc(&arena, 1));
    CU_ASSERT_TRUE(failalloc_end());
    failalloc_begin(1);
    CU_ASSERT_PTR_NULL(koine__arena_strndup(&arena, "a", 1));
    CU_ASSERT_TRUE(failalloc_end());
}

SUITE_MAIN("mem", {"alloc is zeroed", test_alloc_is_zeroed}, {"alloc of nothing", test_alloc_of_nothing},
           {"sizes that overflow", test_sizes_that_overflow}, {"copies of text", test_copies_of_text},
           {"array doubles and zeroes", test_array_doubles_and_zeroes},
           {"array refuses overflow", test_array_refuses_overflow},
           {"array survives failure", test_array_survives_failure},
           {"arena aligns and zeroes", test_arena_aligns_and_zeroes},
           {"arena large piece", test_arena_large_piece}, {"arena limit", test_arena_limit},
           {"arena reset keeps one block", test_arena_reset_keeps_one_block},
           {"arena grows in place", test_arena_grows_in_place},
           {"arena grows within its limit", test_arena_grows_within_its_limit},
           {"arena first block", test_arena_first_block},
           {"every failure is NULL", test_every_failure_is_null})
