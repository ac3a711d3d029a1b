/* transport_local: each transfer goes its steps on one timer, always due at once: sent, head, the body in
 * pieces, the end. One step for each round of the loop, so that a long body keeps nobody else waiting.
 */
#include "core/wire/transport_local.h"

#include "core/base/mem.h"
#include <stddef.h>

#define PIECE ((size_t)16 << 10) /* what a socket would bring at once */

enum step {
    SENT,
    HEAD,
    BODY,
    END
};

struct local {
    struct koine__transport base;
    struct koine__loop *loop;
    struct koine__transfer *active;
};

struct koine__transfer {
    struct local *owner;
    struct koine__transfer *next, *prev;
    char *type;     /* the request's Content-Type; NULL: it had none */
    koine_str body; /* borrowed, and given back from where it lies */
    struct koine__handler handler;
    void *arg;
    struct koine__timer timer;
    enum step step;
    size_t offset;
    bool paused;
    bool is_inside, is_over; /* a handler is on the stack; no other will be called */
};

static void soon(struct koine__transfer *transfer)
{
    koine__timer_set(transfer->owner->loop, &transfer->timer, koine__loop_now(transfer->owner->loop));
}

static void free_transfer(struct koine__transfer *transfer)
{
    if (transfer->next)
        transfer->next->prev = transfer->prev;
    if (transfer->prev)
        transfer->prev->next = transfer->next;
    else
        transfer->owner->active = transfer->next;
    koine__dealloc(transfer->type);
    koine__dealloc(transfer);
}

/* ---- Steps ---------------------------------------------------------------------------------------- */

static void give_sent(struct koine__transfer *transfer)
{
    transfer->step = HEAD;
    if (transfer->handler.sent)
        transfer->handler.sent(transfer->arg);
}

static void give_head(struct koine__transfer *transfer)
{
    struct koine__header type = {KOINE__STR("Content-Type"), koine__str(transfer->type)};
    struct koine__head head = {.status = 200, .headers = &type, .count = transfer->type ? 1 : 0};
    transfer->step = transfer->body.len ? BODY : END;
    if (transfer->handler.head)
        transfer->handler.head(transfer->arg, &head);
}

static void give_body(struct koine__transfer *transfer)
{
    koine_str body = transfer->body;
    const char *at = body.ptr + transfer->offset;
    size_t len = body.len - transfer->offset < PIECE ? body.len - transfer->offset : PIECE;
    transfer->offset += len;
    transfer->step = transfer->offset < body.len ? BODY : END;
    if (transfer->handler.body)
        transfer->handler.body(transfer->arg, at, len);
}

static void give_end(struct koine__transfer *transfer)
{
    transfer->is_over = true;
    transfer->handler.done(transfer->arg, NULL);
}

static void go_on(struct koine__timer *timer)
{
    static void (*const steps[])(struct koine__transfer *) = {
        [SENT] = give_sent, [HEAD] = give_head, [BODY] = give_body, [END] = give_end};
    struct koine__transfer *transfer =
        (struct koine__transfer *)((char *)timer - offsetof(struct koine__transfer, timer));
    if (transfer->paused)
        return;
    transfer->is_inside = true;
    steps[transfer->step](transfer);
    transfer->is_inside = false;
    if (transfer->is_over)
        free_transfer(transfer);
    else if (!transfer->paused)
        soon(transfer);
}

/* ---- The operations ------------------------------------------------------------------------------- */

static koine_str content_type(const struct koine__http_request *request)
{
    koine_str type = {NULL, 0};
    for (size_t i = 0; i < request->header_count; i++)
        if (koine__str_is_nocase(request->headers[i].name, "content-type"))
            type = request->headers[i].value;
    return type;
}

static struct koine__transfer *new_transfer(const struct koine__http_request *request)
{
    koine_str type = content_type(request);
    struct koine__transfer *transfer = koine__alloc(sizeof(*transfer));
    if (!transfer)
        return NULL;
    *transfer = (struct koine__transfer){.body = request->body};
    transfer->type = type.len ? koine__strndup(type.ptr, type.len) : NULL;
    if (transfer->type || !type.len)
        return transfer;
    koine__dealloc(transfer);
    return NULL;
}

static int local_start(struct koine__transport *self, const struct koine__http_request *request,
                       const struct koine__handler *handler, void *arg, struct koine__transfer **ret)
{
    struct local *local = (struct local *)self;
    if (!koine__http_request_valid(request))
        return KOINE_EARGUMENT;
    struct koine__transfer *transfer = new_transfer(request);
    if (!transfer)
        return KOINE_EMEMORY;
    transfer->owner = local;
    transfer->handler = *handler;
    transfer->arg = arg;
    transfer->next = local->active;
    if (transfer->next)
        transfer->next->prev = transfer;
    local->active = transfer;
    koine__timer_init(&transfer->timer, go_on);
    soon(transfer);
    *ret = transfer;
    return KOINE_OK;
}

static void local_cancel(struct koine__transfer *transfer)
{
    bool was_over = transfer->is_over;
    transfer->is_over = true;
    koine__timer_stop(transfer->owner->loop, &transfer->timer);
    if (!transfer->is_inside && !was_over)
        free_transfer(transfer);
}

/* It is the answer, to the end. */
static bool local_has_sent(const struct koine__transfer *transfer)
{
    (void)transfer;
    return false;
}

static void local_pause(struct koine__transfer *transfer)
{
    transfer->paused = true;
    koine__timer_stop(transfer->owner->loop, &transfer->timer);
}

static void local_resume(struct koine__transfer *transfer)
{
    transfer->paused = false;
    if (!transfer->is_inside && !transfer->is_over)
        soon(transfer);
}

static void local_abandon(struct koine__transport *self)
{
    struct local *local = (struct local *)self;
    while (local->active)
        free_transfer(local->active);
    koine__dealloc(local);
}

static void local_free(struct koine__transport *self)
{
    struct local *local = (struct local *)self;
    for (struct koine__transfer *at = local->active; at; at = at->next)
        koine__timer_stop(local->loop, &at->timer);
    local_abandon(self);
}

static const struct koine__transport_ops local_ops = {
    .start = local_start,
    .cancel = local_cancel,
    .drain = local_cancel, /* there is no connection to be kept for the next one */
    .has_sent = local_has_sent,
    .pause = local_pause,
    .resume = local_resume,
    .free = local_free,
    .abandon = local_abandon,
};

int koine__transport_local_new(struct koine__loop *loop, struct koine__transport **ret)
{
    struct local *local = koine__alloc(sizeof(*local));
    if (!local)
        return KOINE_EMEMORY;
    *local = (struct local){.base = {&local_ops}, .loop = loop};
    *ret = &local->base;
    return KOINE_OK;
}
