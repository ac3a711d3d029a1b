/* limiter: see limiter.h. This file is what is counted, and the stage; limiter_queue.c is who waits. */
#include "core/policy/limiter_internal.h"

#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/policy/policies.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- What is counted -------------------------------------------------------------------------------- */

static int64_t at_least(int64_t value, int64_t least)
{
    return value > least ? value : least;
}

static bool keeps_log(const struct koine__limiter *limiter)
{
    return limiter->config.requests >= 0 || limiter->config.tokens >= 0;
}

static int64_t countable(int64_t tokens)
{
    tokens = at_least(tokens, 0);
    return tokens < KOINE__SLIDING_MOST ? tokens : KOINE__SLIDING_MOST;
}

int64_t koine__limiter_reserved(const struct koine__ticket *ticket)
{
    return countable(ticket->tokens);
}

bool koine__limiter_fits(const struct koine__limiter *limiter, const struct koine__ticket *ticket)
{
    const struct koine__limiter_config *config = &limiter->config;
    if (limiter->now < limiter->paused_until)
        return false;
    if (config->concurrent >= 0 && limiter->under_way >= config->concurrent)
        return false;
    if (config->requests >= 0 && koine__sliding_requests(&limiter->log) >= config->requests)
        return false;
    return config->tokens < 0 ||
           koine__sliding_tokens(&limiter->log) + koine__limiter_reserved(ticket) <= config->tokens;
}

int koine__limiter_take(struct koine__limiter *limiter, struct koine__ticket *ticket)
{
    struct koine__limiter_turn *turn = &ticket->limiter;
    turn->entry = KOINE__SLIDING_NONE;
    turn->reserved = koine__limiter_reserved(ticket);
    if (keeps_log(limiter)) {
        if (koine__sliding_reserve(&limiter->log, limiter->config.requests) != KOINE_OK)
            return KOINE_EMEMORY;
        koine__sliding_admit(&limiter->log, turn->reserved);
        turn->entry = KOINE__SLIDING_PENDING;
    }
    limiter->under_way++;
    return KOINE_OK;
}

void koine__limiter_give_back(struct koine__limiter *limiter, const struct koine__ticket *ticket)
{
    if (ticket->limiter.entry == KOINE__SLIDING_PENDING)
        koine__sliding_retract(&limiter->log, ticket->limiter.reserved);
    limiter->under_way--;
}

int64_t koine__limiter_earliest(const struct koine__limiter *limiter, int64_t count, int64_t ahead,
                                int64_t tokens)
{
    const struct koine__limiter_config *config = &limiter->config;
    int64_t now = limiter->now;
    int64_t at = at_least(now, limiter->paused_until);
    if (config->concurrent == 0)
        return KOINE__NEVER;
    if (config->requests >= 0)
        at = at_least(at, koine__sliding_nth_request(&limiter->log, now, config->requests, count + 1));
    if (config->tokens >= 0)
        at = at_least(at, koine__sliding_nth_token(&limiter->log, now, config->tokens, ahead + tokens));
    return at;
}

/* Its first byte is sent, at `now` at the latest. */
static void stamp(struct koine__limiter *limiter, struct koine__ticket *ticket)
{
    struct koine__limiter_turn *turn = &ticket->limiter;
    if (turn->entry != KOINE__SLIDING_PENDING)
        return;
    if (keeps_log(limiter)) {
        turn->entry = koine__sliding_stamp(&limiter->log, limiter->now, turn->reserved);
        return;
    }
    koine__sliding_retract(&limiter->log, turn->reserved);
    turn->entry = KOINE__SLIDING_NONE;
}

static void settle(struct koine__limiter *limiter, struct koine__ticket *ticket,
                   const struct koine__outcome *outcome)
{
    struct koine__limiter_turn *turn = &ticket->limiter;
    if (outcome->sent)
        stamp(limiter, ticket);
    if (turn->entry > KOINE__SLIDING_PENDING && outcome->tokens >= 0 && keeps_log(limiter))
        koine__sliding_settle(&limiter->log, limiter->now, turn->entry, turn->reserved,
                              countable(outcome->tokens));
    koine__limiter_give_back(limiter, ticket);
    turn->turn = KOINE__TURN_NONE;
}

/* ---- Life ------------------------------------------------------------------------------------------- */

static void set_config(struct koine__limiter *limiter, const struct koine__limiter_config *config)
{
    limiter->config = (struct koine__limiter_config){
        .requests = at_least(config->requests, -1),
        .tokens = at_least(config->tokens, -1),
        .concurrent = at_least(config->concurrent, -1),
        .queue = at_least(config->queue, 0),
        .window = at_least(config->window, 1),
        .slack = at_least(config->slack, 0),
        .unused_grant = at_least(config->unused_grant, KOINE__MS), /* looking more often helps nobody */
    };
    atomic_store_explicit(&limiter->crowded, limiter->config.queue == 0, memory_order_relaxed);
    limiter->log.span = koine__time_add(limiter->config.window, limiter->config.slack);
    if (!keeps_log(limiter))
        koine__sliding_forget(&limiter->log);
}

int koine__limiter_new(const struct koine__limiter_config *config, struct koine__limiter **ret)
{
    struct koine__limiter *limiter = koine__alloc(sizeof(*limiter));
    if (!limiter)
        return KOINE_EMEMORY;
    pthread_mutex_init(&limiter->mutex, NULL);
    koine__inbox_init(&limiter->for_nobody, NULL);
    koine__sliding_init(&limiter->log, 0);
    limiter->now = limiter->paused_until = limiter->pause_told = INT64_MIN;
    set_config(limiter, config);
    *ret = limiter;
    return KOINE_OK;
}

void koine__limiter_free(struct koine__limiter *limiter)
{
    if (!limiter)
        return;
    koine__lines_release(limiter);
    koine__sliding_release(&limiter->log);
    koine__inbox_release(&limiter->for_nobody);
    pthread_mutex_destroy(&limiter->mutex);
    koine__dealloc(limiter);
}

/* Whoever comes begins so: threads bring times in any order, and the latest of them is over. */
static void begin(struct koine__limiter *limiter, int64_t now)
{
    pthread_mutex_lock(&limiter->mutex);
    limiter->now = at_least(limiter->now, now);
    koine__sliding_expire(&limiter->log, limiter->now);
    if (limiter->lines)
        koine__queue_revoke_late(limiter);
}

/* And before it goes, somebody else's turn may have come. */
static void look_around(struct koine__limiter *limiter, const struct koine__ticket *self,
                        struct koine__news *news)
{
    if (!limiter->lines)
        return;
    koine__queue_grant(limiter, NULL, news);
    koine__queue_settle(limiter, self, news);
}

static void end(struct koine__limiter *limiter, struct koine__news *news)
{
    bool crowded = limiter->waiting >= limiter->config.queue;
    if (crowded != atomic_load_explicit(&limiter->crowded, memory_order_relaxed))
        atomic_store_explicit(&limiter->crowded, crowded, memory_order_relaxed);
    pthread_mutex_unlock(&limiter->mutex);
    koine__news_deliver(limiter, news);
}

void koine__limiter_configure(struct koine__limiter *limiter, const struct koine__limiter_config *config,
                              int64_t now)
{
    struct koine__news news = {.count = 0};
    begin(limiter, now);
    set_config(limiter, config);
    koine__queue_tell_all(limiter, &news);
    look_around(limiter, NULL, &news);
    end(limiter, &news);
}

/* The answers of one burst each ask for much the same. */
static bool is_news_of_pause(const struct koine__limiter *limiter, int64_t until)
{
    return limiter->paused_until <= limiter->now || until - limiter->pause_told > KOINE__PAUSE_NEWS;
}

bool koine__limiter_pause(struct koine__limiter *limiter, int64_t now, int64_t until)
{
    struct koine__news news = {.count = 0};
    begin(limiter, now);
    int64_t most = koine__time_add(limiter->now, KOINE__PAUSE_MOST);
    until = until < most ? until : most;
    bool lasts_longer = until > limiter->now && until > limiter->paused_until;
    bool is_news = lasts_longer && is_news_of_pause(limiter, until);
    if (lasts_longer) {
        limiter->paused_until = until;
        koine__queue_revoke_all(limiter);
    }
    if (is_news) {
        limiter->pause_told = until;
        koine__queue_tell_all(limiter, &news);
    }
    look_around(limiter, NULL, &news);
    end(limiter, &news);
    return is_news;
}

void koine__limiter_stir(struct koine__limiter *limiter, int64_t now)
{
    struct koine__news news = {.count = 0};
    begin(limiter, now);
    koine__queue_tell_all(limiter, &news);
    look_around(limiter, NULL, &news);
    end(limiter, &news);
}

bool koine__limiter_is_paused(struct koine__limiter *limiter, int64_t now)
{
    pthread_mutex_lock(&limiter->mutex);
    bool paused = at_least(limiter->now, now) < limiter->paused_until; /* the time its stage goes by */
    pthread_mutex_unlock(&limiter->mutex);
    return paused;
}

void koine__limiter_look(struct koine__limiter *limiter, int64_t now, int64_t tokens,
                         struct koine__limiter_view *ret)
{
    struct koine__news news = {.count = 0};
    int64_t count, ahead;
    begin(limiter, now);
    look_around(limiter, NULL, &news);
    koine__queue_ahead(limiter, &count, &ahead);
    int64_t next = koine__limiter_earliest(limiter, count, ahead, countable(tokens));
    bool too_large = limiter->config.tokens >= 0 && tokens > limiter->config.tokens;
    *ret = (struct koine__limiter_view){
        .config = limiter->config,
        .requests = koine__sliding_requests(&limiter->log),
        .tokens = koine__sliding_tokens(&limiter->log),
        .under_way = limiter->under_way,
        .waiting = limiter->waiting,
        .paused_until = limiter->paused_until,
        .next = too_large ? KOINE__NEVER : next,
    };
    end(limiter, &news);
}

/* ---- The stage -------------------------------------------------------------------------------------- */

enum reason {
    REASON_NONE,
    REASON_MEMORY,
    REASON_TOO_LARGE,
    REASON_BUSY,
    REASON_PAUSED,
    REASON_HOPELESS,
    REASON_QUEUE_FULL,
    REASON_IMPATIENT
};
struct answer { /* put into words when the lock has been let go */
    enum koine__pass pass;
    enum reason reason;
    int64_t now, earliest, most_tokens;
};

static struct koine__limiter *limiter_of(const struct koine__ticket *ticket)
{
    return ticket->policies ? ticket->policies->limiter : NULL;
}

int64_t koine__limiter_waits_until(const struct koine__ticket *ticket)
{
    return ticket->deadline < ticket->patience ? ticket->deadline : ticket->patience;
}

static enum reason judge(const struct koine__limiter *limiter, const struct koine__ticket *ticket,
                         int64_t earliest)
{
    if (limiter->config.tokens >= 0 && ticket->tokens > limiter->config.tokens)
        return REASON_TOO_LARGE;
    if (limiter->paused_until > limiter->now && limiter->paused_until > koine__limiter_waits_until(ticket))
        return REASON_PAUSED;
    if (earliest > koine__limiter_waits_until(ticket) || earliest == KOINE__NEVER)
        return REASON_HOPELESS;
    return REASON_NONE;
}

static bool passes(const struct koine__limiter *limiter, const struct koine__ticket *ticket)
{
    return !koine__queue_awake(limiter) && koine__limiter_fits(limiter, ticket);
}

/* Why one that does not pass may not stand in line. */
static enum reason turn_away(const struct koine__limiter *limiter, const struct koine__ticket *ticket,
                             int64_t *ret_earliest)
{
    int64_t count, ahead;
    koine__queue_ahead(limiter, &count, &ahead);
    *ret_earliest = koine__limiter_earliest(limiter, count, ahead, koine__limiter_reserved(ticket));
    enum reason reason = judge(limiter, ticket, *ret_earliest);
    if (reason == REASON_TOO_LARGE)
        return reason;
    if (ticket->may_not_wait)
        return REASON_BUSY;
    if (reason == REASON_NONE && limiter->waiting >= limiter->config.queue && !ticket->was_sent_back)
        return REASON_QUEUE_FULL;
    return reason;
}

/* One that is not in line. */
static enum reason arrive(struct koine__limiter *limiter, struct koine__ticket *ticket, int64_t *ret_earliest)
{
    if (passes(limiter, ticket)) {
        if (koine__limiter_take(limiter, ticket) != KOINE_OK)
            return REASON_MEMORY;
        ticket->limiter.turn = KOINE__TURN_HELD;
        return REASON_NONE;
    }
    enum reason reason = turn_away(limiter, ticket, ret_earliest);
    if (reason != REASON_NONE)
        return reason;
    return koine__queue_join(limiter, ticket) == KOINE_OK ? REASON_NONE : REASON_MEMORY;
}

/* One that still waits; who else is before it is not asked any more. */
static enum reason wait_on(struct koine__limiter *limiter, struct koine__ticket *ticket,
                           int64_t *ret_earliest)
{
    *ret_earliest = koine__limiter_earliest(limiter, 0, 0, koine__limiter_reserved(ticket));
    enum reason reason = judge(limiter, ticket, *ret_earliest);
    if (reason == REASON_NONE && limiter->now >= koine__limiter_waits_until(ticket))
        reason = ticket->deadline <= ticket->patience ? REASON_HOPELESS : REASON_IMPATIENT;
    if (reason != REASON_NONE)
        koine__queue_quit(limiter, ticket);
    return reason;
}

static enum reason decide(struct koine__limiter *limiter, struct koine__ticket *ticket, int64_t *ret_earliest,
                          struct koine__news *news)
{
    koine__queue_grant(limiter, ticket, news);
    if (ticket->limiter.turn == KOINE__TURN_LOST)
        koine__queue_quit(limiter, ticket);
    if (ticket->limiter.turn == KOINE__TURN_WAITS)
        return wait_on(limiter, ticket, ret_earliest);
    if (ticket->limiter.turn == KOINE__TURN_NONE)
        return arrive(limiter, ticket, ret_earliest);
    koine__queue_quit(limiter, ticket);
    ticket->limiter.turn = KOINE__TURN_HELD;
    return REASON_NONE;
}

static struct answer ask(struct koine__limiter *limiter, struct koine__ticket *ticket, int64_t now)
{
    struct koine__news news = {.count = 0};
    struct answer answer = {.pass = KOINE__PASS_GO};
    begin(limiter, now);
    koine__queue_owner_came(limiter, ticket);
    answer.reason = decide(limiter, ticket, &answer.earliest, &news);
    look_around(limiter, ticket, &news);
    if (answer.reason != REASON_NONE) {
        answer.pass = KOINE__PASS_REFUSE;
        answer.now = limiter->now;
        answer.most_tokens = limiter->config.tokens;
    } else if (ticket->limiter.turn != KOINE__TURN_HELD) {
        answer.pass = KOINE__PASS_WAIT;
        ticket->wake_at = koine__queue_wake_at(limiter, ticket);
    }
    end(limiter, &news);
    return answer;
}

static void put_into_words(const struct answer *answer, const struct koine__ticket *ticket,
                           struct koine__fault *ret_fault)
{
    static const struct {
        const char *code, *text;
    } words[] = {
        [REASON_TOO_LARGE] = {"too_large",
                              "asks for more tokens, max_tokens among them, than a window of the limit has"},
        [REASON_BUSY] = {"busy", "would have to wait in line, and may not"},
        [REASON_PAUSED] = {"paused", "was told to wait by the provider, for longer than the call can"},
        [REASON_HOPELESS] = {"hopeless", "cannot be let through by the limits in the time that is left"},
        [REASON_QUEUE_FULL] = {"queue_full", "finds as many in line as may be"},
        [REASON_IMPATIENT] = {"impatient", "was not let through by the limits as long as it may wait"},
    };
    char wait[32], more[64] = "";
    int64_t left = answer->earliest - answer->now;
    bool known = answer->earliest != KOINE__NEVER && answer->earliest > answer->now;
    if (answer->reason == REASON_MEMORY) {
        koine__fault_set(ret_fault, KOINE_CLASS_MEMORY, "", "no memory to count a request");
        return;
    }
    if (answer->reason == REASON_TOO_LARGE) {
        known = false;
        snprintf(more, sizeof(more), " (%" PRId64 " of %" PRId64 ")", ticket->tokens, answer->most_tokens);
    } else if (known) {
        koine__write_duration((left + KOINE__MS - 1) / KOINE__MS * KOINE__MS, wait, sizeof(wait));
        snprintf(more, sizeof(more), " (%s at least)", wait);
    }
    koine__fault_set(ret_fault, KOINE_CLASS_REFUSED, "", "an attempt at %s %s%s",
                     ticket->instance ? ticket->instance : "the provider", words[answer->reason].text, more);
    stpncpy(ret_fault->code, words[answer->reason].code, sizeof(ret_fault->code) - 1);
    ret_fault->retry_after_ns = known ? left : -1;
}

enum koine__pass koine__limiter_foresee(const struct koine__ticket *ticket, int64_t now,
                                        int64_t *ret_earliest, struct koine__fault *ret_fault)
{
    struct koine__limiter *limiter = limiter_of(ticket);
    struct koine__news news = {.count = 0};
    struct answer answer = {.pass = KOINE__PASS_GO, .earliest = now};
    if (limiter) {
        begin(limiter, now);
        look_around(limiter, NULL, &news);
        if (!passes(limiter, ticket)) {
            answer.reason = turn_away(limiter, ticket, &answer.earliest);
            answer.pass = answer.reason == REASON_NONE ? KOINE__PASS_WAIT : KOINE__PASS_REFUSE;
        }
        answer.now = limiter->now;
        answer.most_tokens = limiter->config.tokens;
        end(limiter, &news);
    }
    if (answer.pass == KOINE__PASS_REFUSE)
        put_into_words(&answer, ticket, ret_fault);
    *ret_earliest = answer.earliest;
    return answer.pass;
}

/* Only of a full line it is told beforehand, so that who is not refused takes the lock once. How many tokens
 * it will take nobody knows yet. */
static enum koine__pass foresee(void *self, struct koine__ticket *ticket, int64_t now,
                                struct koine__fault *ret_fault)
{
    struct koine__limiter *limiter = limiter_of(ticket);
    struct koine__news news = {.count = 0};
    struct answer answer = {.pass = KOINE__PASS_GO};
    (void)self;
    if (!limiter || !atomic_load_explicit(&limiter->crowded, memory_order_relaxed))
        return KOINE__PASS_GO;
    begin(limiter, now);
    koine__queue_owner_came(limiter, ticket);
    look_around(limiter, NULL, &news);
    if (limiter->config.tokens >= 0)
        answer.pass = KOINE__PASS_WAIT;
    else if (!passes(limiter, ticket))
        answer.reason = turn_away(limiter, ticket, &answer.earliest);
    answer.now = limiter->now;
    end(limiter, &news);
    if (answer.reason != REASON_NONE) {
        put_into_words(&answer, ticket, ret_fault);
        return KOINE__PASS_REFUSE;
    }
    return answer.pass;
}

static void forget(void *self, struct koine__ticket *ticket, int64_t now)
{
    struct koine__limiter *limiter = limiter_of(ticket);
    struct koine__news news = {.count = 0};
    (void)self;
    if (!limiter)
        return;
    begin(limiter, now);
    koine__queue_owner_came(limiter, ticket);
    if (ticket->limiter.turn == KOINE__TURN_GRANTED)
        koine__limiter_give_back(limiter, ticket);
    koine__queue_quit(limiter, ticket);
    look_around(limiter, NULL, &news);
    end(limiter, &news);
}

static enum koine__pass enter(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault)
{
    struct koine__limiter *limiter = limiter_of(ticket);
    if (!limiter)
        return KOINE__PASS_GO;
    if (ticket->waits && koine__breaker_keeps_out(ticket, now)) {
        forget(self, ticket, now);
        ticket->back_to = KOINE__STAGE_BREAKER_PEEK; /* which knows what to say */
        return KOINE__PASS_BACK;
    }
    struct answer answer = ask(limiter, ticket, now);
    if (answer.pass == KOINE__PASS_REFUSE)
        put_into_words(&answer, ticket, ret_fault);
    return answer.pass;
}

static void sent(void *self, struct koine__ticket *ticket, int64_t now)
{
    struct koine__limiter *limiter = limiter_of(ticket);
    struct koine__news news = {.count = 0};
    (void)self;
    if (!limiter || ticket->limiter.turn != KOINE__TURN_HELD ||
        ticket->limiter.entry != KOINE__SLIDING_PENDING)
        return;
    begin(limiter, now);
    stamp(limiter, ticket);
    look_around(limiter, NULL, &news);
    end(limiter, &news);
}

static void leave(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome, int64_t now)
{
    struct koine__limiter *limiter = limiter_of(ticket);
    struct koine__news news = {.count = 0};
    (void)self;
    if (!limiter || ticket->limiter.turn != KOINE__TURN_HELD)
        return;
    begin(limiter, now);
    koine__queue_owner_came(limiter, ticket);
    settle(limiter, ticket, outcome);
    look_around(limiter, NULL, &news);
    end(limiter, &news);
}

const struct koine__gate_stage koine__limiter_stage = {
    .foresee = foresee, .enter = enter, .sent = sent, .leave = leave, .forget = forget};
