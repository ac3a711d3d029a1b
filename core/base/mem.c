/* mem: the library's only way to libc's allocator, and the arena built on it. */
#include "core/base/mem.h"

#include <koine/koine.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK   ((size_t)512) /* most arenas of a call hold little, and there are many calls */
#define LARGEST_BLOCK ((size_t)65536)
#define FIRST_ITEMS   ((size_t)8)

static void *libc_alloc(void *arg, size_t size)
{
    (void)arg;
    return malloc(size);
}

static void *libc_realloc(void *arg, void *ptr, size_t size)
{
    (void)arg;
    return realloc(ptr, size);
}

static void libc_free(void *arg, void *ptr)
{
    (void)arg;
    free(ptr);
}

static const struct koine__mem libc_mem = {.alloc = libc_alloc, .realloc = libc_realloc, .free = libc_free};
static struct koine__mem in_use = {.alloc = libc_alloc, .realloc = libc_realloc, .free = libc_free};

void koine__mem_use(const struct koine__mem *mem)
{
    in_use = mem ? *mem : libc_mem;
}

/* Larger than any object may be: pointer differences inside it would overflow. */
static bool too_large(size_t size)
{
    return size > PTRDIFF_MAX;
}

void *koine__alloc(size_t size)
{
    if (too_large(size))
        return NULL;
    void *ptr = in_use.alloc(in_use.arg, size ? size : 1);
    if (ptr)
        memset(ptr, 0, size ? size : 1);
    return ptr;
}

void *koine__alloc_array(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return koine__alloc(bytes);
}

void *koine__realloc(void *ptr, size_t size)
{
    if (too_large(size))
        return NULL;
    return in_use.realloc(in_use.arg, ptr, size ? size : 1);
}

void koine__dealloc(void *ptr)
{
    if (ptr)
        in_use.free(in_use.arg, ptr);
}

char *koine__strdup(const char *text)
{
    return text ? koine__strndup(text, strlen(text)) : NULL;
}

char *koine__strndup(const char *text, size_t len)
{
    if (too_large(len))
        return NULL;
    char *copy = in_use.alloc(in_use.arg, len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

int koine__array_reserve(void **items, size_t *capacity, size_t wanted, size_t item_size)
{
    if (wanted <= *capacity)
        return KOINE_OK;
    size_t count = *capacity > FIRST_ITEMS / 2 ? *capacity : FIRST_ITEMS / 2;
    size_t bytes;
    while (count < wanted)
        if (__builtin_mul_overflow(count, (size_t)2, &count))
            return KOINE_EMEMORY;
    if (__builtin_mul_overflow(count, item_size, &bytes))
        return KOINE_EMEMORY;
    char *grown = koine__realloc(*items, bytes);
    if (!grown)
        return KOINE_EMEMORY;
    memset(grown + *capacity * item_size, 0, (count - *capacity) * item_size);
    *items = grown;
    *capacity = count;
    return KOINE_OK;
}

struct koine__arena_block {
    struct koine__arena_block *next;
    size_t size, used;
    _Alignas(max_align_t) char bytes[];
};

void koine__arena_init(struct koine__arena *arena, size_t limit)
{
    *arena = (struct koine__arena){.limit = limit};
}

static struct koine__arena_block *add_block(struct koine__arena *arena, size_t wanted)
{
    /* As much again as is in use, so that at most half of it is slack. */
    size_t first = arena->first_block ? arena->first_block : FIRST_BLOCK;
    size_t size = arena->used < LARGEST_BLOCK ? arena->used : LARGEST_BLOCK;
    if (size < first)
        size = first;
    if (size < wanted)
        size = wanted;
    /* Not koine__alloc: each piece is zeroed when it is handed out. */
    struct koine__arena_block *block = koine__realloc(NULL, sizeof(*block) + size);
    if (!block)
        return NULL;
    block->next = NULL;
    block->size = size;
    block->used = 0;
    if (arena->current)
        arena->current->next = block;
    else
        arena->first = block;
    arena->current = block;
    return block;
}

/* What an allocation takes of its block: whole units of alignment. */
static size_t rounded(size_t size)
{
    size_t align = _Alignof(max_align_t);
    return size ? (size + align - 1) / align * align : align;
}

/* Not zeroed. */
static void *take(struct koine__arena *arena, size_t size)
{
    if (size > PTRDIFF_MAX / 2)
        return NULL;
    size_t wanted = rounded(size);
    if (arena->limit && (wanted > arena->limit || arena->used > arena->limit - wanted))
        return NULL;
    struct koine__arena_block *block = arena->current;
    if (!block || block->size - block->used < wanted)
        block = add_block(arena, wanted);
    if (!block)
        return NULL;
    void *ptr = block->bytes + block->used;
    block->used += wanted;
    arena->used += wanted;
    return ptr;
}

void *koine__arena_alloc(struct koine__arena *arena, size_t size)
{
    void *ptr = take(arena, size);
    if (ptr)
        memset(ptr, 0, rounded(size)); /* grow counts on it */
    return ptr;
}

char *koine__arena_strndup(struct koine__arena *arena, const char *text, size_t len)
{
    if (too_large(len))
        return NULL;
    char *copy = take(arena, len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

/* Whether more bytes fit behind the piece: nothing was handed out after it, and its block has room. */
static bool can_extend(const struct koine__arena *arena, const char *ptr, size_t had, size_t more)
{
    const struct koine__arena_block *block = arena->current;
    return ptr && ptr + had == block->bytes + block->used && more <= block->size - block->used &&
           !(arena->limit && (more > arena->limit || arena->used > arena->limit - more));
}

void *koine__arena_grow(struct koine__arena *arena, void *ptr, size_t old_size, size_t size)
{
    if (size > PTRDIFF_MAX / 2)
        return NULL;
    size_t had = ptr ? rounded(old_size) : 0, wanted = rounded(size);
    if (can_extend(arena, ptr, had, wanted - had)) {
        memset((char *)ptr + had, 0, wanted - had);
        arena->current->used += wanted - had;
        arena->used += wanted - had;
        return ptr;
    }
    void *grown = koine__arena_alloc(arena, size);
    if (grown && ptr)
        memcpy(grown, ptr, old_size);
    return grown;
}

static void free_blocks(struct koine__arena_block *block)
{
    while (block) {
        struct koine__arena_block *next = block->next;
        koine__dealloc(block);
        block = next;
    }
}

void koine__arena_release(struct koine__arena *arena)
{
    size_t first_block = arena->first_block;
    free_blocks(arena->first);
    koine__arena_init(arena, arena->limit);
    arena->first_block = first_block;
}

void koine__arena_reset(struct koine__arena *arena)
{
    if (!arena->first)
        return;
    if (arena->first->size > LARGEST_BLOCK) { /* made for one large piece, which may not come again */
        koine__arena_release(arena);
        return;
    }
    free_blocks(arena->first->next);
    arena->first->next = NULL;
    arena->first->used = 0;
    arena->current = arena->first;
    arena->used = 0;
}
