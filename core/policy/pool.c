/* pool: see pool.h. */
#include "core/policy/pool.h"

#include "core/base/mem.h"

#include <string.h>

struct koine__pool_waiter {
    struct koine__ticket *ticket;
    struct koine__pool_waiter *next;
    bool granted; /* a place is reserved for it until it takes it or gives up */
};

static struct koine__pool_waiter *waiter_of(const struct koine__ticket *ticket)
{
    return ticket->stage_data[KOINE__STAGE_POOL];
}

static void unlink_waiter(struct koine__pool *pool, struct koine__pool_waiter *waiter)
{
    for (struct koine__pool_waiter **at = &pool->first; *at; at = &(*at)->next) {
        if (*at != waiter)
            continue;
        *at = waiter->next;
        if (pool->last == &waiter->next)
            pool->last = at;
        return;
    }
}

static void free_waiter(struct koine__pool *pool, struct koine__ticket *ticket)
{
    koine__dealloc(waiter_of(ticket));
    ticket->stage_data[KOINE__STAGE_POOL] = NULL;
    pool->waiting--;
}

static void grant(struct koine__pool *pool)
{
    while (pool->first && pool->used < pool->limit) {
        struct koine__pool_waiter *waiter = pool->first;
        unlink_waiter(pool, waiter);
        waiter->granted = true;
        pool->used++;
        waiter->ticket->wake(waiter->ticket);
    }
}

static enum koine__pass wait_in_line(struct koine__pool *pool, struct koine__ticket *ticket,
                                     struct koine__fault *ret_fault)
{
    struct koine__pool_waiter *waiter = koine__alloc(sizeof(*waiter));
    if (!waiter) {
        koine__fault_set(ret_fault, KOINE_CLASS_MEMORY, "", "no memory to wait for a connection");
        return KOINE__PASS_REFUSE;
    }
    waiter->ticket = ticket;
    ticket->stage_data[KOINE__STAGE_POOL] = waiter;
    *pool->last = waiter;
    pool->last = &waiter->next;
    pool->waiting++;
    return KOINE__PASS_WAIT;
}

static enum koine__pass refuse(struct koine__fault *ret_fault)
{
    koine__fault_set(ret_fault, KOINE_CLASS_REFUSED, "", "every connection of this client is in use");
    memcpy(ret_fault->code, "busy", sizeof("busy"));
    return KOINE__PASS_REFUSE;
}

static enum koine__pass enter(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault)
{
    struct koine__pool *pool = self;
    struct koine__pool_waiter *waiter = waiter_of(ticket);
    (void)now;
    if (waiter && !waiter->granted)
        return KOINE__PASS_WAIT;
    if (waiter) {
        free_waiter(pool, ticket);
        return KOINE__PASS_GO;
    }
    if (pool->first || pool->used >= pool->limit)
        return ticket->may_not_wait ? refuse(ret_fault) : wait_in_line(pool, ticket, ret_fault);
    pool->used++;
    return KOINE__PASS_GO;
}

static void leave(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome, int64_t now)
{
    struct koine__pool *pool = self;
    (void)ticket;
    (void)outcome;
    (void)now;
    pool->used--;
    grant(pool);
}

static void forget(void *self, struct koine__ticket *ticket, int64_t now)
{
    struct koine__pool *pool = self;
    (void)now;
    struct koine__pool_waiter *waiter = waiter_of(ticket);
    if (!waiter)
        return;
    if (waiter->granted)
        pool->used--;
    else
        unlink_waiter(pool, waiter);
    free_waiter(pool, ticket);
    grant(pool);
}

void koine__pool_init(struct koine__pool *pool, int64_t limit)
{
    *pool = (struct koine__pool){.limit = limit, .stage = {.enter = enter, .leave = leave, .forget = forget}};
    pool->stage.self = pool;
    pool->last = &pool->first;
}

void koine__pool_set_limit(struct koine__pool *pool, int64_t limit)
{
    pool->limit = limit;
    grant(pool);
}
