/* limiter_queue: who waits, whose turn it is, and who looks after it; see limiter_internal.h. */
#include "core/policy/limiter_internal.h"

#include "core/base/mem.h"

/* ---- Lists ------------------------------------------------------------------------------------------ */

static void link_last(struct koine__tickets *list, struct koine__ticket *ticket)
{
    ticket->limiter.next = NULL;
    ticket->limiter.prev = list->last;
    if (list->last)
        list->last->limiter.next = ticket;
    else
        list->first = ticket;
    list->last = ticket;
}

static void link_first(struct koine__tickets *list, struct koine__ticket *ticket)
{
    ticket->limiter.prev = NULL;
    ticket->limiter.next = list->first;
    if (list->first)
        list->first->limiter.prev = ticket;
    else
        list->last = ticket;
    list->first = ticket;
}

static void unlink_from(struct koine__tickets *list, struct koine__ticket *ticket)
{
    struct koine__limiter_turn *turn = &ticket->limiter;
    if (turn->prev)
        turn->prev->limiter.next = turn->next;
    else
        list->first = turn->next;
    if (turn->next)
        turn->next->limiter.prev = turn->prev;
    else
        list->last = turn->prev;
    turn->next = turn->prev = NULL;
}

/* ---- Lines ------------------------------------------------------------------------------------------ */

static struct koine__inbox *inbox_of(struct koine__limiter *limiter, const struct koine__ticket *ticket)
{
    return ticket->inbox ? ticket->inbox : &limiter->for_nobody;
}

static struct koine__line *find_line(struct koine__limiter *limiter, const struct koine__ticket *ticket)
{
    const struct koine__inbox *inbox = inbox_of(limiter, ticket);
    struct koine__line *line = limiter->lines;
    while (line && line->inbox != inbox)
        line = line->next;
    return line;
}

static struct koine__line *new_line(struct koine__limiter *limiter, const struct koine__ticket *ticket)
{
    struct koine__line *line = limiter->spare;
    if (line)
        limiter->spare = line->next;
    else
        line = koine__alloc(sizeof(*line));
    if (!line)
        return NULL;
    *line = (struct koine__line){.inbox = inbox_of(limiter, ticket), .next = limiter->lines};
    if (limiter->lines)
        limiter->lines->prev = line;
    limiter->lines = line;
    return line;
}

/* Its inbox may end before we do. */
static void recycle_line(struct koine__limiter *limiter, struct koine__line *line)
{
    if (line->prev)
        line->prev->next = line->next;
    else
        limiter->lines = line->next;
    if (line->next)
        line->next->prev = line->prev;
    line->next = limiter->spare;
    limiter->spare = line;
}

static void count_waiter(struct koine__limiter *limiter, struct koine__line *line,
                         const struct koine__ticket *ticket, int sign)
{
    limiter->waiting += sign;
    line->count += sign;
    line->tokens += sign * koine__limiter_reserved(ticket);
}

int koine__queue_join(struct koine__limiter *limiter, struct koine__ticket *ticket)
{
    struct koine__line *line = find_line(limiter, ticket);
    if (!line)
        line = new_line(limiter, ticket);
    if (!line)
        return KOINE_EMEMORY;
    ticket->limiter.turn = KOINE__TURN_WAITS;
    ticket->limiter.line = line;
    ticket->limiter.order = (uint64_t)++limiter->order;
    link_last(&line->waiting, ticket);
    count_waiter(limiter, line, ticket, 1);
    return KOINE_OK;
}

static void stop_waiting(struct koine__limiter *limiter, struct koine__ticket *ticket)
{
    struct koine__line *line = ticket->limiter.line;
    unlink_from(&line->waiting, ticket);
    count_waiter(limiter, line, ticket, -1);
    if (line->duty == ticket)
        line->duty = NULL; /* another may come to lie where it was */
}

void koine__queue_quit(struct koine__limiter *limiter, struct koine__ticket *ticket)
{
    if (ticket->limiter.turn == KOINE__TURN_WAITS)
        stop_waiting(limiter, ticket);
    else if (ticket->limiter.turn == KOINE__TURN_GRANTED)
        unlink_from(&ticket->limiter.line->granted, ticket);
    ticket->limiter.turn = KOINE__TURN_NONE;
    ticket->limiter.line = NULL;
    koine__inbox_drop(inbox_of(limiter, ticket), ticket);
}

static struct koine__line *next_line(const struct koine__limiter *limiter)
{
    struct koine__line *next = NULL;
    for (struct koine__line *line = limiter->lines; line; line = line->next) {
        if (line->asleep || !line->waiting.first)
            continue;
        if (!next || line->waiting.first->limiter.order < next->waiting.first->limiter.order)
            next = line;
    }
    return next;
}

bool koine__queue_awake(const struct koine__limiter *limiter)
{
    return limiter->waiting > 0 && next_line(limiter);
}

void koine__queue_ahead(const struct koine__limiter *limiter, int64_t *ret_count, int64_t *ret_tokens)
{
    *ret_count = *ret_tokens = 0;
    for (const struct koine__line *line = limiter->lines; line; line = line->next) {
        if (line->asleep)
            continue;
        *ret_count += line->count;
        *ret_tokens += line->tokens;
    }
}

/* ---- Grants ----------------------------------------------------------------------------------------- */

static void add_waker(struct koine__news *news, struct koine__waker *waker)
{
    if (news->count < KOINE__NEWS_MOST) {
        news->wakers[news->count++] = waker;
        return;
    }
    koine__waker_wake(waker);
    koine__waker_unref(waker);
}

static void tell(struct koine__limiter *limiter, struct koine__ticket *ticket, struct koine__news *news)
{
    struct koine__waker *waker = koine__inbox_add(inbox_of(limiter, ticket), ticket);
    if (!ticket->inbox)
        news->for_nobody = true;
    if (waker)
        add_waker(news, waker);
}

void koine__news_deliver(struct koine__limiter *limiter, struct koine__news *news)
{
    for (size_t i = 0; i < news->count; i++) {
        koine__waker_wake(news->wakers[i]);
        koine__waker_unref(news->wakers[i]);
    }
    if (news->for_nobody)
        koine__inbox_deliver(&limiter->for_nobody);
}

/* More than there ever is would let it stand at the head of all for ever. */
static bool is_lost(const struct koine__limiter *limiter, const struct koine__ticket *ticket)
{
    return limiter->config.tokens >= 0 && ticket->tokens > limiter->config.tokens;
}

static void leave_line(struct koine__limiter *limiter, struct koine__line *line, enum koine__turn turn)
{
    struct koine__ticket *ticket = line->waiting.first;
    stop_waiting(limiter, ticket);
    ticket->limiter.turn = turn;
    if (turn != KOINE__TURN_GRANTED)
        return;
    ticket->limiter.granted_at = limiter->now;
    link_last(&line->granted, ticket);
}

void koine__queue_grant(struct koine__limiter *limiter, const struct koine__ticket *self,
                        struct koine__news *news)
{
    struct koine__line *line;
    while ((line = next_line(limiter))) {
        struct koine__ticket *ticket = line->waiting.first;
        bool lost = is_lost(limiter, ticket);
        if (!lost && !koine__limiter_fits(limiter, ticket))
            return;
        lost = lost || koine__limiter_take(limiter, ticket) != KOINE_OK;
        leave_line(limiter, line, lost ? KOINE__TURN_LOST : KOINE__TURN_GRANTED);
        if (ticket != self)
            tell(limiter, ticket, news);
    }
}

/* Back to the head of its line, in their order: all that wait came later. */
static void revoke(struct koine__limiter *limiter, struct koine__line *line)
{
    struct koine__ticket *ticket;
    while ((ticket = line->granted.last)) {
        unlink_from(&line->granted, ticket);
        koine__limiter_give_back(limiter, ticket);
        ticket->limiter.turn = KOINE__TURN_WAITS;
        link_first(&line->waiting, ticket);
        count_waiter(limiter, line, ticket, 1);
    }
}

static int64_t expires(const struct koine__limiter *limiter, const struct koine__line *line)
{
    if (!line->granted.first)
        return KOINE__NEVER;
    return koine__time_add(line->granted.first->limiter.granted_at, limiter->config.unused_grant);
}

void koine__queue_revoke_late(struct koine__limiter *limiter)
{
    for (struct koine__line *line = limiter->lines; line; line = line->next) {
        if (expires(limiter, line) > limiter->now)
            continue;
        revoke(limiter, line);
        line->asleep = true;
    }
}

void koine__queue_revoke_all(struct koine__limiter *limiter)
{
    for (struct koine__line *line = limiter->lines; line; line = line->next)
        revoke(limiter, line);
}

void koine__queue_owner_came(struct koine__limiter *limiter, const struct koine__ticket *ticket)
{
    struct koine__line *line = limiter->lines ? find_line(limiter, ticket) : NULL;
    if (line)
        line->asleep = false;
}

/* ---- Duty ------------------------------------------------------------------------------------------- */

struct outlook {   /* what those on duty have to look for */
    int64_t next;  /* when time alone lets the next one pass; KOINE__NEVER: it does not */
    int64_t grant; /* when somebody's grant, or one made now, is to be revoked */
    size_t lively; /* lines that may be granted something */
};

static bool is_lively(const struct koine__line *line)
{
    return line->granted.first || (line->waiting.first && !line->asleep);
}

static struct outlook look_out(const struct koine__limiter *limiter)
{
    struct outlook outlook = {KOINE__NEVER, koine__time_add(limiter->now, limiter->config.unused_grant), 0};
    for (const struct koine__line *line = limiter->lines; line; line = line->next) {
        int64_t end = expires(limiter, line);
        if (end < outlook.grant)
            outlook.grant = end;
        outlook.lively += is_lively(line);
    }
    const struct koine__line *first = next_line(limiter);
    if (!first)
        return outlook;
    int64_t at = koine__limiter_earliest(limiter, 0, 0, koine__limiter_reserved(first->waiting.first));
    outlook.next = at > limiter->now ? at : KOINE__NEVER; /* now: it waits for one under way to leave */
    return outlook;
}

static int64_t must_look(const struct outlook *outlook, const struct koine__line *line)
{
    bool others = outlook->lively > (is_lively(line) ? 1 : 0);
    return others && outlook->grant < outlook->next ? outlook->grant : outlook->next;
}

void koine__queue_settle(struct koine__limiter *limiter, const struct koine__ticket *self,
                         struct koine__news *news)
{
    if (!limiter->lines)
        return;
    struct outlook outlook = look_out(limiter);
    struct koine__line *line, *next;
    for (line = limiter->lines; line; line = next) {
        next = line->next;
        struct koine__ticket *first = line->waiting.first;
        if (!first && !line->granted.first)
            recycle_line(limiter, line);
        if (!first || first == self)
            continue;
        if (line->duty == first && line->looks_at <= must_look(&outlook, line))
            continue;
        line->duty = first;
        line->looks_at = limiter->now; /* it was told, so it will come */
        tell(limiter, first, news);
    }
}

void koine__queue_tell_all(struct koine__limiter *limiter, struct koine__news *news)
{
    for (struct koine__line *line = limiter->lines; line; line = line->next)
        for (struct koine__ticket *ticket = line->waiting.first; ticket; ticket = ticket->limiter.next)
            tell(limiter, ticket, news);
}

int64_t koine__queue_wake_at(struct koine__limiter *limiter, const struct koine__ticket *ticket)
{
    struct koine__line *line = ticket->limiter.line;
    int64_t gives_up = koine__limiter_waits_until(ticket);
    if (!line || line->waiting.first != ticket)
        return gives_up;
    struct outlook outlook = look_out(limiter);
    line->duty = ticket;
    line->looks_at = must_look(&outlook, line);
    return line->looks_at < gives_up ? line->looks_at : gives_up;
}
