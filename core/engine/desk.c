/* desk: see desk.h. */
#include "core/engine/desk.h"

#define FIRST_BLOCK ((size_t)4096) /* holds the index of most frames */

static void free_desk(struct koine__desk *desk)
{
    if (!desk)
        return;
    koine__out_release(&desk->out);
    koine__arena_release(&desk->arena);
    koine__dealloc(desk);
}

static struct koine__desk *new_desk(void)
{
    struct koine__desk *desk = koine__alloc(sizeof(*desk));
    if (!desk)
        return NULL;
    koine__arena_init(&desk->arena, 0);
    desk->arena.first_block = FIRST_BLOCK;
    return desk;
}

struct koine__desk *koine__desk_take(struct koine__desks *desks, const struct koine__host_env *env,
                                     void *owner)
{
    struct koine__host_env own = *env;
    struct koine__desk *desk = desks->spare ? desks->spare : new_desk();
    desks->spare = NULL;
    if (!desk)
        return NULL;
    own.arena = &desk->arena;
    koine__host_init(&desk->host, &own);
    desk->job = (struct koine__job){0};
    desk->owner = owner;
    return desk;
}

void koine__desk_put_back(struct koine__desks *desks, struct koine__desk *desk)
{
    if (!desk)
        return;
    if (desks->spare) {
        free_desk(desk);
        return;
    }
    koine__out_release(&desk->out);
    koine__arena_reset(&desk->arena);
    desks->spare = desk;
}

void koine__desks_release(struct koine__desks *desks)
{
    free_desk(desks->spare);
    desks->spare = NULL;
}
