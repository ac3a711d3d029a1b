/* arena: see arena.h. */
#include "plugins/sqlite/arena.h"

#include <stdalign.h>
#include <string.h>

#define LEAST_BLOCK ((size_t)2048)

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, const koine_store_host *host)
{
    *arena = (struct arena){.host = host};
}

static struct arena_block *add_block(struct arena *arena, size_t wanted)
{
    size_t size = arena->held < ((size_t)1 << 16) ? arena->held : (size_t)1 << 16;
    if (size < LEAST_BLOCK)
        size = LEAST_BLOCK;
    if (size < wanted)
        size = wanted;
    struct arena_block *block = arena->host->alloc(arena->host, sizeof(*block) + size);
    if (!block)
        return NULL;
    block->size = size;
    block->next = arena->first;
    arena->first = block;
    arena->held += sizeof(*block) + size;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > PTRDIFF_MAX / 2)
        return NULL;
    size = size ? (size + align - 1) / align * align : align;
    struct arena_block *block = arena->first;
    if (!block || block->size - block->used < size)
        block = add_block(arena, size);
    if (!block)
        return NULL;
    void *ptr = block->bytes + block->used;
    block->used += size;
    return ptr;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : arena_alloc(arena, bytes);
}

bool arena_text(struct arena *arena, koine_str text, koine_str *ret)
{
    *ret = (koine_str){"", 0};
    if (text.len == 0)
        return true;
    char *copy = arena_alloc(arena, text.len);
    if (!copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    *ret = (koine_str){copy, text.len};
    return true;
}

void arena_release(struct arena *arena)
{
    struct arena_block *block = arena->first;
    while (block) {
        struct arena_block *next = block->next;
        arena->host->free(arena->host, block);
        block = next;
    }
    arena_init(arena, arena->host);
}
