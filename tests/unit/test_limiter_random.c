/* Random traces on a virtual clock, against an oracle that knows nothing but a list of what was sent. A seed
 * that fails is printed; test_limiter_random with KOINE_SEED=… plays it alone.
 */
#include "core/policy/limiter_internal.h"
#include "tests/unit/clients.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRACES = 500,
    STEPS = 250,
    ENTRIES = 4096
};
#define START (1000 * KOINE__SEC)

static struct koine__random dice;
static struct koine__limiter_config config;
static struct entry { /* what was sent, and what was taken later than it counts */
    int64_t stamp, tokens;
    bool excess;
} sent_list[ENTRIES];
static size_t sent_count;
static size_t entry_of[CUSTOMERS]; /* index + 1; 0: it is not sent */
static bool was_in[CUSTOMERS];     /* admitted: granted or through, at the look before */
static unsigned number_of[CUSTOMERS];
static int64_t paused_until;
static const char *wrong; /* the first thing that was */

static int64_t upto(int64_t most)
{
    return koine__random_below(&dice, most + 1);
}

static bool chance(int percent)
{
    return koine__random_below(&dice, 100) < percent;
}

static void expect(bool holds, const char *what)
{
    if (!holds && !wrong)
        wrong = what;
}

static int64_t span(void)
{
    return config.window + config.slack;
}

static bool is_logged(void)
{
    return config.requests >= 0 || config.tokens >= 0;
}

/* ---- The oracle ---- */

static bool is_in(const struct customer *it)
{
    enum koine__turn turn = it->ticket.limiter.turn;
    return it->stand != STAND_AWAY && (turn == KOINE__TURN_GRANTED || turn == KOINE__TURN_HELD);
}

static bool is_in_line(const struct customer *it)
{
    return it->stand == STAND_WAITS && it->ticket.limiter.turn == KOINE__TURN_WAITS;
}

struct load {
    int64_t requests, tokens, most_tokens, places;
};

/* Excess may be counted a sixtieth too long. */
static struct load load_now(void)
{
    struct load load = {0};
    for (size_t i = 0; i < sent_count; i++) {
        const struct entry *entry = &sent_list[i];
        bool counts = entry->stamp + span() > clients.now;
        load.requests += counts && !entry->excess;
        load.tokens += counts ? entry->tokens : 0;
        if (counts || (entry->excess && entry->stamp + span() + span() / 60 > clients.now))
            load.most_tokens += entry->tokens;
    }
    for (int i = 0; i < clients.used; i++) {
        if (!is_in(&clients.customers[i]))
            continue;
        load.places++;
        if (entry_of[i])
            continue;
        load.requests++;
        load.tokens += clients.customers[i].ticket.tokens;
        load.most_tokens += clients.customers[i].ticket.tokens;
    }
    return load;
}

static bool within(int64_t value, int64_t limit)
{
    return limit < 0 || value <= limit;
}

static void nobody_was_overtaken(const struct customer *passed)
{
    for (int i = 0; i < clients.used; i++) {
        const struct customer *it = &clients.customers[i];
        if (is_in_line(it) && it->number < passed->number)
            expect(it->ticket.limiter.line->asleep, "overtaken by one that came later");
    }
}

/* After each single call. */
static void check_admissions(void)
{
    bool any = false;
    for (int i = 0; i < clients.used; i++) {
        const struct customer *it = &clients.customers[i];
        bool before = was_in[i] && number_of[i] == it->number;
        was_in[i] = is_in(it);
        number_of[i] = it->number;
        if (!was_in[i] || before)
            continue;
        any = true;
        nobody_was_overtaken(it);
    }
    struct load load = load_now();
    expect(within(load.places, config.concurrent), "more under way than there are places");
    expect(within(load.requests, config.requests), "more requests than a window may have");
    if (!any)
        return;
    expect(within(load.tokens, config.tokens), "let through with more tokens than a window may have");
    expect(clients.now >= paused_until, "let through while it is paused");
}

static const struct customer *head(bool *ret_attended)
{
    const struct customer *first = NULL;
    *ret_attended = false;
    for (int i = 0; i < clients.used; i++) {
        const struct customer *it = &clients.customers[i];
        if (!is_in_line(it) || it->ticket.limiter.line->asleep)
            continue;
        *ret_attended |= !clients.asleep[it->client];
        if (!first || it->number < first->number)
            first = it;
    }
    return first;
}

/* When nothing moves any more until time does. */
static void check_rest(void)
{
    bool attended;
    struct load load = load_now();
    const struct customer *first = head(&attended);
    bool fits = first && clients.now >= paused_until && within(load.places + 1, config.concurrent) &&
                within(load.requests + 1, config.requests) &&
                within(load.most_tokens + first->ticket.tokens, config.tokens);
    expect(!attended || !fits, "a wake-up was lost: the first in line could pass");
    for (int i = 0; i < clients.used; i++) {
        const struct customer *it = &clients.customers[i];
        if (it->stand != STAND_WAITS)
            continue;
        if (!clients.asleep[it->client])
            expect(it->ticket.limiter.turn == KOINE__TURN_WAITS && it->ticket.patience > clients.now,
                   "waits though its turn has come, or its patience is over");
        else if (it->ticket.limiter.turn == KOINE__TURN_GRANTED && attended)
            expect(it->ticket.limiter.granted_at + config.unused_grant > clients.now,
                   "a grant that nobody uses was not revoked");
    }
}

static void check_view(void)
{
    struct load load = load_now();
    struct koine__limiter_view view;
    koine__limiter_look(clients.limiter, clients.now, 0, &view);
    check_admissions();
    load = load_now();
    expect(view.under_way == load.places, "it miscounts those under way");
    expect(!is_logged() || view.requests == load.requests, "it miscounts requests");
    expect(!is_logged() || (view.tokens >= load.tokens && view.tokens <= load.most_tokens),
           "it miscounts tokens");
}

/* ---- The trace ---- */

static void note_sent(struct customer *it, int64_t tokens, bool excess)
{
    if (sent_count == ENTRIES) {
        expect(false, "the list is full");
        return;
    }
    sent_list[sent_count++] = (struct entry){clients.now, tokens, excess};
    if (!excess)
        entry_of[it - clients.customers] = sent_count;
}

static void send_one(struct customer *it)
{
    if (entry_of[it - clients.customers])
        return;
    note_sent(it, it->ticket.tokens, false);
    clients_send(it);
}

static void leave_one(struct customer *it)
{
    size_t *mine = &entry_of[it - clients.customers];
    int64_t tokens = chance(30) ? -1 : upto(it->ticket.tokens * 3 / 2);
    bool sent = *mine || chance(10);
    if (it->stand == STAND_THROUGH && sent) {
        if (!*mine)
            note_sent(it, it->ticket.tokens, false);
        struct entry *entry = &sent_list[*mine - 1];
        if (tokens >= 0 && entry->stamp + span() > clients.now)
            entry->tokens = tokens;
        else if (tokens > it->ticket.tokens && is_logged())
            note_sent(it, tokens - it->ticket.tokens, true);
    }
    *mine = 0;
    it->stand = it->stand == STAND_THROUGH ? STAND_REFUSED : it->stand; /* out, for the oracle */
    clients_leave(it, sent, tokens);
}

static void come_one(void)
{
    int client = (int)upto(CLIENTS - 1);
    if (clients.asleep[client])
        return;
    int64_t most = config.tokens > 0 ? config.tokens : 50;
    int64_t deadline = chance(50) ? KOINE__NEVER : clients.now + upto(40) * KOINE__SEC;
    int64_t tokens = chance(15) ? 0 : upto(chance(80) ? most / 4 : most + 3);
    struct customer *it = clients_prepare(client, deadline, tokens);
    if (!it)
        return;
    entry_of[it - clients.customers] = 0;
    it->ticket.may_not_wait = chance(5);
    if (chance(30))
        it->ticket.patience = clients.now + upto(20 * KOINE__SEC);
    clients_enter(it);
}

static struct customer *pick(enum stand stand)
{
    int from = clients.used ? (int)upto(clients.used - 1) : 0;
    for (int i = 0; i < clients.used; i++) {
        struct customer *it = &clients.customers[(from + i) % clients.used];
        if (it->stand == stand && !clients.asleep[it->client])
            return it;
    }
    return NULL;
}

static void sweep(void)
{
    for (int i = 0; i < clients.used; i++) {
        struct customer *it = &clients.customers[i];
        bool late = it->stand == STAND_WAITS && it->ticket.deadline <= clients.now;
        if ((it->stand == STAND_REFUSED || late) && !clients.asleep[it->client])
            clients_leave(it, false, -1);
    }
}

static void act(void)
{
    struct customer *it = NULL;
    int64_t what = upto(99);
    if (what < 45)
        come_one();
    else if (what < 65 && (it = pick(STAND_THROUGH)))
        send_one(it);
    else if (what < 85 && (it = pick(STAND_THROUGH)))
        leave_one(it);
    else if (what < 90 && (it = pick(STAND_WAITS)))
        leave_one(it);
    else if (what < 98)
        clients.asleep[upto(CLIENTS - 1)] = chance(40);
    else if (chance(50)) {
        int64_t until = clients.now + upto(5 * KOINE__SEC);
        paused_until = until > paused_until ? until : paused_until;
        koine__limiter_pause(clients.limiter, clients.now, until);
        check_admissions();
    }
}

/* Whoever is there is served, when all are awake and nobody comes any more. */
static void everybody_ends(void)
{
    memset(clients.asleep, 0, sizeof(clients.asleep));
    clients_deliver();
    for (int round = 0; round < 200; round++) {
        struct customer *it;
        sweep();
        while ((it = pick(STAND_THROUGH))) {
            send_one(it);
            leave_one(it);
            clients_deliver();
        }
        if (!pick(STAND_WAITS))
            return;
        clients_run(clients.now + span());
        check_rest();
    }
    expect(false, "somebody waits for ever");
}

static void roll_config(void)
{
    config = (struct koine__limiter_config){.requests = chance(70) ? 1 + upto(7) : -1,
                                            .tokens = chance(60) ? 40 + upto(200) : -1,
                                            .concurrent = chance(60) ? 1 + upto(4) : -1,
                                            .queue = chance(20) ? upto(3) : 60,
                                            .window = 10 * KOINE__SEC,
                                            .slack = 500 * KOINE__MS,
                                            .unused_grant = 250 * KOINE__MS};
}

static void play(uint64_t seed)
{
    koine__random_seed(&dice, seed);
    roll_config();
    sent_count = 0;
    paused_until = 0;
    wrong = NULL;
    memset(entry_of, 0, sizeof(entry_of));
    memset(was_in, 0, sizeof(was_in));
    CU_ASSERT_FATAL(clients_begin(&config));
    clients.sends_at_once = false;
    clients.looked = check_admissions;
    for (int i = 0; i < STEPS && !wrong; i++) {
        act();
        if (chance(40)) {
            clients_run(clients.now + upto(chance(20) ? 12 * KOINE__SEC : KOINE__SEC));
            sweep();
            clients_deliver();
            check_rest();
            check_view();
        }
    }
    if (!wrong)
        everybody_ends();
    clients.looked = NULL;
    clients_end();
}

static void random_traces(void)
{
    const char *one = getenv("KOINE_SEED");
    uint64_t first = one ? strtoull(one, NULL, 0) : 1;
    for (uint64_t seed = first; seed < first + (one ? 1 : TRACES); seed++) {
        char text[160];
        play(seed);
        if (!wrong)
            continue;
        snprintf(text, sizeof(text), "seed %llu: %s (%lld ns after its start)", (unsigned long long)seed,
                 wrong, (long long)(clients.now - START));
        CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
        return;
    }
}

SUITE_MAIN("limiter at random", {"random traces", random_traces})
