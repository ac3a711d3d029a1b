/* limiter_queue: who waits, whose turn it is, and who looks after it; see limiter_internal.h. */
#include "core/policy/limiter_internal.h"

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

static void count_waiter(struct koine__limiter *limiter, struct koine__line *line,
                         const struct koine__ticket *ticket, int sign)
{
    limiter->waiting += sign;
    line->count += sign;
    line->tokens += sign * koine__limiter_reserved(ticket);
    if (line->asleep)
        return;
    limiter->awake_count += sign;
    limiter->awake_tokens += sign * koine__limiter_reserved(ticket);
}

static void set_asleep(struct koine__limiter *limiter, struct koine__line *line, bool asleep)
{
    if (line->asleep == asleep)
        return;
    int sign = asleep ? -1 : 1;
    limiter->awake_count += sign * line->count;
    limiter->awake_tokens += sign * line->tokens;
    line->asleep = asleep;
    koine__lines_changed(limiter, line);
}

int koine__queue_join(struct koine__limiter *limiter, struct koine__ticket *ticket)
{
    struct koine__line *line = koine__lines_find(limiter, inbox_of(limiter, ticket));
    if (!line)
        line = koine__lines_new(limiter, inbox_of(limiter, ticket));
    if (!line)
        return KOINE_EMEMORY;
    ticket->limiter.turn = KOINE__TURN_WAITS;
    ticket->limiter.line = line;
    ticket->limiter.order = (uint64_t)++limiter->order;
    link_last(&line->waiting, ticket);
    count_waiter(limiter, line, ticket, 1);
    koine__lines_changed(limiter, line);
    return KOINE_OK;
}

static void stop_waiting(struct koine__limiter *limiter, struct koine__ticket *ticket)
{
    struct koine__line *line = ticket->limiter.line;
    unlink_from(&line->waiting, ticket);
    count_waiter(limiter, line, ticket, -1);
    if (line->duty == ticket)
        line->duty = NULL; /* another may come to lie where it was */
    koine__lines_changed(limiter, line);
}

static void take_up(struct koine__limiter *limiter, struct koine__ticket *ticket)
{
    unlink_from(&ticket->limiter.line->granted, ticket);
    koine__lines_changed(limiter, ticket->limiter.line);
}

void koine__queue_quit(struct koine__limiter *limiter, struct koine__ticket *ticket)
{
    if (ticket->limiter.turn == KOINE__TURN_WAITS)
        stop_waiting(limiter, ticket);
    else if (ticket->limiter.turn == KOINE__TURN_GRANTED)
        take_up(limiter, ticket);
    ticket->limiter.turn = KOINE__TURN_NONE;
    ticket->limiter.line = NULL;
    koine__inbox_drop(inbox_of(limiter, ticket), ticket);
}

static struct koine__line *next_line(const struct koine__limiter *limiter)
{
    return koine__lines_first(limiter, KOINE__BY_TURN);
}

bool koine__queue_awake(const struct koine__limiter *limiter)
{
    return next_line(limiter);
}

void koine__queue_ahead(const struct koine__limiter *limiter, int64_t *ret_count, int64_t *ret_tokens)
{
    *ret_count = limiter->awake_count;
    *ret_tokens = limiter->awake_tokens;
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
    koine__lines_changed(limiter, line);
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
    koine__lines_changed(limiter, line);
}

/* When the oldest grant does. */
static int64_t expires(const struct koine__limiter *limiter)
{
    const struct koine__line *line = koine__lines_first(limiter, KOINE__BY_GRANT);
    if (!line)
        return KOINE__NEVER;
    return koine__time_add(line->granted.first->limiter.granted_at, limiter->config.unused_grant);
}

void koine__queue_revoke_late(struct koine__limiter *limiter)
{
    while (expires(limiter) <= limiter->now) {
        struct koine__line *line = koine__lines_first(limiter, KOINE__BY_GRANT);
        revoke(limiter, line);
        set_asleep(limiter, line, true);
    }
}

void koine__queue_revoke_all(struct koine__limiter *limiter)
{
    struct koine__line *line;
    while ((line = koine__lines_first(limiter, KOINE__BY_GRANT)))
        revoke(limiter, line);
}

void koine__queue_owner_came(struct koine__limiter *limiter, const struct koine__ticket *ticket)
{
    struct koine__line *line = koine__lines_find(limiter, inbox_of(limiter, ticket));
    if (line)
        set_asleep(limiter, line, false);
}

/* ---- Duty ------------------------------------------------------------------------------------------- */

struct outlook {    /* what those on duty have to look for */
    int64_t next;   /* when time alone lets the next one pass; KOINE__NEVER: it does not */
    int64_t grant;  /* when somebody's grant, or one made now, is to be revoked */
    int64_t lively; /* lines that may be granted something */
};

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct outlook look_out(const struct koine__limiter *limiter)
{
    int64_t revoked = koine__time_add(limiter->now, limiter->config.unused_grant);
    struct outlook outlook = {KOINE__NEVER, earlier(expires(limiter), revoked), limiter->lively};
    const struct koine__line *first = next_line(limiter);
    if (!first)
        return outlook;
    int64_t at = koine__limiter_earliest(limiter, 0, 0, koine__limiter_reserved(first->waiting.first));
    outlook.next = at > limiter->now ? at : KOINE__NEVER; /* now: it waits for one under way to leave */
    return outlook;
}

static int64_t must_look(const struct outlook *outlook, const struct koine__line *line)
{
    bool others = outlook->lively > (line->lively ? 1 : 0);
    return others ? earlier(outlook->grant, outlook->next) : outlook->next;
}

/* Its first is told, so it will come; `self` is here. */
static void put_on_duty(struct koine__limiter *limiter, struct koine__line *line,
                        const struct koine__ticket *self, struct koine__news *news)
{
    line->duty = line->waiting.first;
    line->looks_at = limiter->now;
    koine__lines_put_right(limiter, line);
    if (line->waiting.first != self)
        tell(limiter, line->waiting.first, news);
}

static void settle_changed(struct koine__limiter *limiter, const struct outlook *outlook,
                           const struct koine__ticket *self, struct koine__news *news)
{
    struct koine__line *line;
    while ((line = koine__lines_take_changed(limiter))) {
        const struct koine__ticket *first = line->waiting.first;
        if (!first && !line->granted.first)
            koine__lines_recycle(limiter, line);
        else if (first && (line->duty != first || line->looks_at > must_look(outlook, line)))
            put_on_duty(limiter, line, self, news);
    }
}

void koine__queue_settle(struct koine__limiter *limiter, const struct koine__ticket *self,
                         struct koine__news *news)
{
    struct outlook outlook = look_out(limiter);
    struct koine__line *line;
    settle_changed(limiter, &outlook, self, news);
    /* The only lively line may look later than those asleep, so their order says nothing; each of them let a
     * grant go by before it came to that, which is rare. */
    for (line = outlook.lively == 1 ? limiter->lines : NULL; line; line = line->next)
        if (line->waiting.first && line->looks_at > must_look(&outlook, line))
            put_on_duty(limiter, line, self, news);
    while (outlook.lively != 1 && (line = koine__lines_first(limiter, KOINE__BY_LOOK)) &&
           line->looks_at > must_look(&outlook, line))
        put_on_duty(limiter, line, self, news);
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
    koine__lines_put_right(limiter, line);
    return earlier(line->looks_at, gives_up);
}
