/* arena: many small pieces of the host's memory with one end. */
#ifndef KOINE_SQLITE_ARENA_H
#define KOINE_SQLITE_ARENA_H

#include <koine/store.h>
#include <stdbool.h>

struct arena_block;
struct arena {
    const koine_store_host *host;
    struct arena_block *first;
    size_t held; /* bytes taken of the host */
};
void arena_init(struct arena *arena, const koine_store_host *host);
void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for any type; NULL: no memory */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* *ret is a copy of the text, never NULL. False: no memory. */
bool arena_text(struct arena *arena, koine_str text, koine_str *ret);
void arena_release(struct arena *arena); /* frees it all; may be used again */

#endif
