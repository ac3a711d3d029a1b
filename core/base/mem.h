/* mem: every allocation of the library goes through here, so that a test can count them and make any one
 * fail. */
#ifndef KOINE_CORE_BASE_MEM_H
#define KOINE_CORE_BASE_MEM_H

#include <stddef.h>

struct koine__mem {
    void *(*alloc)(void *arg, size_t size); /* not zeroed */
    void *(*realloc)(void *arg, void *ptr, size_t size);
    void (*free)(void *arg, void *ptr);
    void *arg;
};

/* Replaces the allocator (NULL: libc's again). Only while nothing of ours is allocated; not thread-safe. */
void koine__mem_use(const struct koine__mem *mem);

void *koine__alloc(size_t size); /* zeroed; NULL on failure; size 0 gives a pointer that can be freed */
void *koine__alloc_array(size_t count, size_t size); /* zeroed, overflow checked */
void *koine__realloc(void *ptr, size_t size); /* new bytes are not zeroed; old block stays on failure */
void koine__dealloc(void *ptr);               /* NULL is fine */
char *koine__strdup(const char *text);        /* NULL gives NULL */
char *koine__strndup(const char *text, size_t len);

/* Makes room for one more element in a growing array: doubles, zeroes what is new. 0, or KOINE_EMEMORY. */
int koine__array_reserve(void **items, size_t *capacity, size_t wanted, size_t item_size);

/* An arena: many small allocations with one end. Its first block is kept for reuse by reset. */
struct koine__arena_block;
struct koine__arena {
    struct koine__arena_block *first, *current;
    size_t used;        /* bytes handed out since the last reset */
    size_t limit;       /* 0: none; beyond it allocations fail */
    size_t first_block; /* size of the first block, for its owner to set; 0: 512 bytes */
};
void koine__arena_init(struct koine__arena *arena, size_t limit);
void *koine__arena_alloc(struct koine__arena *arena, size_t size); /* zeroed, aligned for any type */
/* A larger piece (size >= old_size, which is what it was asked for with): where it is, if it was handed out
 * last and there is room; else elsewhere, and the old one stays as it was. NULL ptr: a new piece. */
void *koine__arena_grow(struct koine__arena *arena, void *ptr, size_t old_size, size_t size);
char *koine__arena_strndup(struct koine__arena *arena, const char *text, size_t len); /* NUL-terminated */
void koine__arena_reset(
    struct koine__arena *arena); /* everything handed out ends; a first block of up to 64 kB is kept */
void koine__arena_release(struct koine__arena *arena); /* frees it all; may be used again */

#endif
