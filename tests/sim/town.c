/* town: see town.h. Its own memory is libc's. */
#include "tests/sim/town_internal.h"

#include "core/policy/last_look.h"
#include "tests/unit/suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 400000
#define LONG_SLEEP WORLD_MS(200)
#define GRANT      WORLD_MS(300) /* how long one may be out, and a little more, for who takes it may be late */
#define FAR        (1000 * 24 * 3600 * KOINE__SEC)

/* ---- The clock ---- */

static int64_t now(void *arg)
{
    return ((const struct town *)arg)->rig.now;
}

static int64_t wall(void *arg)
{
    return RIG_WALL * KOINE__SEC + ((const struct town *)arg)->rig.now;
}

/* A loop that would wait says until when; time goes on when nobody has anything to do. */
static void peek(void *arg, int64_t until)
{
    ((struct town *)arg)->peeked = until;
}

/* ---- The trace ---- */

void town_note(struct town *town, const char *format, ...)
{
    if (town->wrong[0]) /* what led to it is what matters */
        return;
    char *line = town->lines[town->line_count++ % TOWN_LINES];
    va_list args;
    int used = snprintf(line, TOWN_LINE, "%9lld.%03lld ", (long long)(town->rig.now / KOINE__MS),
                        (long long)(town->rig.now / 1000 % 1000));
    va_start(args, format);
    vsnprintf(line + used, TOWN_LINE - (size_t)used, format, args);
    va_end(args);
    for (const char *at = line; *at; at++) /* FNV-1a */
        town->trace = (town->trace ^ (unsigned char)*at) * UINT64_C(1099511628211);
}

void town_hear(struct town *town, const char *wrong)
{
    if (!wrong || town->wrong[0])
        return;
    town_note(town, "WRONG: %s", wrong);
    snprintf(town->wrong, sizeof(town->wrong), "%s", wrong);
}

void town_report(const struct town *town, const char *program)
{
    if (!town->wrong[0])
        return;
    size_t from = town->line_count > 40 ? town->line_count - 40 : 0;
    char text[400];
    for (size_t i = from; i < town->line_count; i++)
        printf("# %s\n", town->lines[i % TOWN_LINES]);
    printf("# once more: KOINE_SIM_SEED=%llu %s\n", (unsigned long long)town->seed, program);
    snprintf(text, sizeof(text), "seed %llu: %s", (unsigned long long)town->seed, town->wrong);
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

/* ---- Birth and death ---- */

static const struct server typical[TOWN_SERVERS] = {
    {.name = "together", .host = TOGETHER_HOST},
    {.name = "openai", .host = OPENAI_HOST},
};

static void init_servers(struct town *town)
{
    for (int i = 0; i < TOWN_SERVERS; i++) {
        struct server *server = &town->servers[i];
        *server = typical[i];
        server->connect = WORLD_MS(20);
        server->head = WORLD_MS(200);
        server->piece = WORLD_MS(60);
        server->pieces = 5;
        server->retry_after = 2;
    }
}

static void init_spies(struct town *town)
{
    static const struct koine__gate_stage *const real[KOINE__STAGES] = {
        [KOINE__STAGE_BUDGET] = &koine__budget_stage,
        [KOINE__STAGE_BREAKER_PEEK] = &koine__breaker_peek_stage,
        [KOINE__STAGE_LIMITER] = &koine__limiter_stage,
        [KOINE__STAGE_LAST_LOOK] = &koine__last_look_stage,
        [KOINE__STAGE_BREAKER_ENTER] = &koine__breaker_enter_stage,
    };
    for (size_t i = 0; i < KOINE__STAGES; i++)
        town_spy_init(&town->spies[i], town, (enum koine__stage)i, real[i]);
}

/* The pool's stage is each client's own. */
static void set_world(struct town *town)
{
    struct koine__world world = {.clock = &town->clock,
                                 .seed = town->seed + 1,
                                 .transport = town_open_transport,
                                 .transport_arg = town};
    for (size_t i = 0; i < KOINE__STAGES; i++) {
        if (i != KOINE__STAGE_POOL)
            world.stages[i] = &town->spies[i].stage;
    }
    koine__hub_set_world(town->rig.hub, &world);
}

/* The oracles know the settings, and nothing else of the library. */
static void init_seen(struct town *town)
{
    for (int i = 0; i < TOWN_SERVERS; i++) {
        struct town_server *seen = &town->seen[i];
        const struct koine__instance *instance =
            koine__snapshot_instance(town->snapshot, town->servers[i].name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(instance);
        seen->instance = instance;
        oracle_log_init(&seen->sends, instance->limits.requests, instance->limits.window);
        oracle_limiter_init(&seen->limiter, &instance->limits);
        oracle_breaker_init(&seen->breaker, &instance->policies.breaking);
        seen->bucket.capacity = instance->policies.retry_capacity;
    }
}

static void open_clients(struct town *town, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct town_client *client = &town->clients[i];
        *client = (struct town_client){.town = town,
                                       .number = (unsigned)i,
                                       .asleep_from = KOINE__NEVER,
                                       .asleep_until = -1,
                                       .missed_until = -FAR};
        town->opening = client;
        client->client = rig_client(&town->rig);
        town->client_count++;
    }
}

bool town_open(struct town *town, uint64_t seed, size_t clients, const char *const *settings)
{
    *town = (struct town){.seed = seed};
    if (!rig_open(&town->rig, NULL, 0))
        return false;
    koine__random_seed(&town->random, seed);
    town->clock = (struct koine__clock){.now = now, .wall = wall, .advance = peek, .arg = town};
    init_servers(town);
    init_spies(town);
    set_world(town);
    rig_apply(&town->rig, settings);
    if (koine__hub_snapshot(town->rig.hub, &town->snapshot, NULL) != KOINE_OK)
        CU_FAIL_FATAL("no snapshot");
    init_seen(town);
    oracle_money_init(&town->money, town->snapshot->budgets.run);
    open_clients(town, clients);
    return true;
}

static void close_server(struct town_server *seen)
{
    oracle_log_release(&seen->sends);
    oracle_limiter_release(&seen->limiter);
    oracle_breaker_release(&seen->breaker);
    for (size_t i = 0; i < seen->served_count; i++)
        free(seen->served[i]);
    free(seen->served);
}

void town_close(struct town *town)
{
    for (size_t i = 0; i < town->call_count; i++) {
        town_drop(town->calls[i]);
        koine_canceller_free(town->calls[i]->canceller);
        oracle_money_release(&town->calls[i]->money);
    }
    for (size_t i = 0; i < town->client_count; i++)
        koine_client_free(town->clients[i].client);
    for (size_t i = 0; i < town->call_count; i++)
        free(town->calls[i]);
    koine__snapshot_unref(town->snapshot);
    rig_close(&town->rig);
    for (int i = 0; i < TOWN_SERVERS; i++)
        close_server(&town->seen[i]);
    oracle_money_release(&town->money);
    free(town->calls);
    free(town->agenda);
}

/* ---- The agenda ---- */

void town_add(struct town *town, int64_t at, enum town_kind kind, unsigned which, int64_t lasts)
{
    town->agenda =
        oracle_grown(town->agenda, town->agenda_count, &town->agenda_capacity, sizeof(*town->agenda));
    size_t i = town->agenda_count++;
    for (; i > town->next && town->agenda[i - 1].at > at; i--)
        town->agenda[i] = town->agenda[i - 1];
    town->agenda[i] = (struct town_event){at, kind, which, lasts};
}

static int64_t below(struct town *town, int64_t bound)
{
    return koine__random_below(&town->random, bound);
}

struct town_call *town_call_at(struct town *town, int64_t at)
{
    struct town_call *call = calloc(1, sizeof(*call));
    const struct koine__route *route = town->snapshot->default_route;
    if (!call || !route)
        abort();
    *call = (struct town_call){
        .town = town,
        .number = (unsigned)town->call_count,
        .of = &town->clients[below(town, (int64_t)town->client_count)],
        .timeout = 60 * KOINE__SEC,
        .advice = -1,
        .at = -1,
        .end = -1,
        .oracle = {.deadline = KOINE__NEVER,
                   .min_attempt = town->snapshot->min_attempt,
                   .max_attempts = (unsigned)route->max_attempts,
                   .most_at_once = route->hedge_after > 0 ? 2 : 1},
    };
    oracle_money_init(&call->money, town->snapshot->budgets.call);
    town->calls =
        oracle_grown(town->calls, town->call_count, &town->call_capacity, sizeof(struct town_call *));
    town->calls[town->call_count++] = call;
    town_add(town, at, TOWN_CALL, call->number, 0);
    return call;
}

void town_visit(struct town *town, unsigned calls, int64_t within)
{
    for (int64_t from = town->rig.now; calls > 0; calls--) {
        int64_t at = from + below(town, within);
        struct town_call *call = town_call_at(town, at);
        call->whole = below(town, 3) == 0;
        call->oracle.complete = below(town, 3) == 0;
        call->single = below(town, 6) == 0;
        call->timeout = WORLD_MS(200) + below(town, 40 * KOINE__SEC);
        if (below(town, 8) != 0)
            continue;
        call->drops = below(town, 4) == 0;
        if (!call->drops && below(town, 2) == 0)
            koine_canceller_new(&call->canceller);
        town_add(town, at + below(town, 8 * KOINE__SEC), TOWN_CANCEL, call->number, 0);
    }
}

void town_raise_at(struct town *town, int64_t at)
{
    town_add(town, at, TOWN_RAISE, 0, 0);
}

void town_sleeps(struct town *town, unsigned sleeps, int64_t within, int64_t most)
{
    for (int64_t from = town->rig.now; sleeps > 0; sleeps--)
        town_add(town, from + below(town, within), TOWN_SLEEP,
                 (unsigned)below(town, (int64_t)town->client_count), below(town, most));
}

uint64_t town_awake(const struct town *town)
{
    uint64_t awake = 0;
    for (size_t i = 0; i < TOWN_CLIENTS && i < town->client_count; i++)
        awake |= (uint64_t)(town->clients[i].asleep_until <= town->rig.now) << i;
    return awake;
}

uint64_t town_attentive(const struct town *town)
{
    uint64_t attentive = town_awake(town);
    for (size_t i = 0; i < town->client_count; i++) {
        if (town->clients[i].missed_until > town->rig.now)
            attentive &= ~((uint64_t)1 << i);
    }
    return attentive;
}

static void sleep_for(struct town *town, struct town_client *client, int64_t lasts)
{
    if (client->asleep_until < town->rig.now) /* else it sleeps on */
        client->asleep_from = town->rig.now;
    client->asleep_until = town->rig.now + lasts;
    if (client->asleep_until - client->asleep_from >= LONG_SLEEP)
        client->missed_until = client->asleep_until + GRANT;
}

static int64_t raise_one(struct town *town, const char *path, int64_t limit, int64_t by)
{
    char number[24];
    if (limit < 0)
        return limit;
    snprintf(number, sizeof(number), "%lld", (long long)(limit + by));
    if (koine_hub_set(town->rig.hub, path, number) != KOINE_OK)
        town_hear(town, "a limit could not be set");
    return limit + by;
}

/* For who waits already, too. */
static void raise_limits(struct town *town)
{
    struct town_server *seen = &town->seen[0];
    struct koine__limiter_config *limits = &seen->limiter.config;
    limits->requests = raise_one(town, "providers.together.limits.requests_per_minute", limits->requests, 10);
    limits->concurrent = raise_one(town, "providers.together.limits.concurrent", limits->concurrent, 2);
    seen->sends.limit = limits->requests;
    town_note(town, "together's limits are raised");
    if (koine_hub_apply(town->rig.hub, NULL) != KOINE_OK)
        town_hear(town, "a configuration could not be applied");
}

/* What an application does can wait until its thread is awake. */
static const struct town_client *whose(const struct town *town, const struct town_event *event)
{
    static const struct town_client nobody = {.asleep_until = -1};
    if (event->kind == TOWN_RAISE)
        return &nobody;
    return event->kind == TOWN_SLEEP ? &town->clients[event->which] : town->calls[event->which]->of;
}

static void do_event(struct town *town)
{
    struct town_event event = town->agenda[town->next++];
    const struct town_client *client = whose(town, &event);
    bool elsewhere = event.kind == TOWN_CANCEL && town->calls[event.which]->canceller;
    if (client->asleep_until > town->rig.now && !elsewhere) {
        town_add(town, client->asleep_until, event.kind, event.which, event.lasts);
        return;
    }
    switch (event.kind) {
    case TOWN_CALL:
        town_start(town->calls[event.which]);
        break;
    case TOWN_CANCEL:
        town_cancel(town->calls[event.which]);
        break;
    case TOWN_SLEEP:
        town_note(town, "client %u is busy for %lld ms", event.which, (long long)(event.lasts / KOINE__MS));
        sleep_for(town, &town->clients[event.which], event.lasts);
        break;
    case TOWN_RAISE:
        raise_limits(town);
        break;
    }
}

/* ---- Time ---- */

/* When the client has something to do; KOINE__NEVER: only if somebody wakes it. */
static int64_t due_of(struct town *town, const struct town_client *client)
{
    town->peeked = -1;
    int rc = koine__loop_wait(client->client->loop, town->rig.now + FAR);
    int64_t due = town->peeked >= 0 ? town->peeked : rc == 1 ? town->rig.now : KOINE__NEVER;
    return due >= town->rig.now + FAR ? KOINE__NEVER : due;
}

static void process(struct town *town, struct town_client *client)
{
    town->running = client;
    if (koine_process(client->client) != KOINE_OK)
        town_hear(town, "a client could not be processed");
    town_read(client);
    town->running = NULL;
}

static bool is_late(struct town *town, struct town_client *client)
{
    if (!town->late || below(town, 1000) >= town->late)
        return false;
    sleep_for(town, client, below(town, WORLD_MS(30)) + 1);
    return true;
}

struct moment { /* the next thing to do */
    int64_t at;
    struct town_client *clients[TOWN_CLIENTS]; /* due then */
    size_t client_count;
    bool agenda; /* and the agenda */
};

static void consider(struct moment *moment, int64_t due, struct town_client *client)
{
    if (due > moment->at)
        return;
    if (due < moment->at) {
        moment->at = due;
        moment->client_count = 0;
        moment->agenda = false;
    }
    if (client)
        moment->clients[moment->client_count++] = client;
    else
        moment->agenda = true;
}

static struct moment find_moment(struct town *town)
{
    struct moment moment = {.at = KOINE__NEVER};
    for (size_t i = 0; i < town->client_count; i++) {
        struct town_client *client = &town->clients[i];
        int64_t due = due_of(town, client), awake = client->asleep_until;
        if (due != KOINE__NEVER)
            due = due > awake ? due : awake;
        if (due != KOINE__NEVER)
            consider(&moment, due > town->rig.now ? due : town->rig.now, client);
    }
    if (town->next < town->agenda_count)
        consider(&moment,
                 town->agenda[town->next].at > town->rig.now ? town->agenda[town->next].at : town->rig.now,
                 NULL);
    return moment;
}

/* Each that sleeps may keep the others from a place for as long as a grant is out. */
static int64_t patience_of(const struct town *town)
{
    uint64_t attentive = town_attentive(town);
    return GRANT * ((int64_t)town->client_count - __builtin_popcountll(attentive));
}

static void check_quiet(struct town *town)
{
    int64_t at = town->rig.now;
    for (int i = 0; i < TOWN_SERVERS; i++) {
        struct town_server *seen = &town->seen[i];
        struct koine__limiter_view view = {.paused_until = at};
        if (seen->instance->policies.limiter)
            koine__limiter_look(seen->instance->policies.limiter, at, 0, &view);
        town_hear(town, oracle_limiter_quiet(&seen->limiter, at, view.paused_until, town_awake(town),
                                             patience_of(town)));
    }
}

static void check_step(struct town *town)
{
    for (int i = 0; i < TOWN_SERVERS; i++) {
        const struct koine__policies *policies = &town->seen[i].instance->policies;
        if (!policies->retry_budget || policies->retry_capacity < 0)
            continue;
        int64_t left = koine__retry_budget_left(policies->retry_budget, policies->retry_capacity);
        if (left < 0 || left > policies->retry_capacity)
            town_hear(town, "a retry budget beyond its bounds");
    }
}

/* What an operator would read. */
static void read_notices(struct town *town)
{
    koine_notice *notice = NULL;
    while (koine_hub_next_notice(town->rig.hub, &notice) == 1) {
        int kind = koine_notice_kind(notice), server = town_server_of(koine_notice_instance(notice));
        if (server >= 0 && kind == KOINE_NOTICE_BREAKER_OPENED)
            town->seen[server].told_opened++;
        if (server >= 0 && kind == KOINE_NOTICE_BREAKER_CLOSED)
            town->seen[server].told_closed++;
        if (kind != KOINE_NOTICE_REFUSED)
            town_note(town, "notice: %s %s", koine_notice_kind_name(notice), koine_notice_instance(notice));
        if (kind == KOINE_NOTICE_LOST)
            town_hear(town, "notices are lost, though they are read");
        koine_notice_free(notice);
        notice = NULL;
    }
}

static bool step(struct town *town)
{
    struct moment moment = find_moment(town);
    if (moment.at == KOINE__NEVER)
        return false;
    if (moment.at > town->rig.now)
        check_quiet(town);
    town->rig.now = moment.at;
    size_t choice = (size_t)below(town, (int64_t)(moment.client_count + moment.agenda));
    if (choice == moment.client_count)
        do_event(town);
    else if (!is_late(town, moment.clients[choice]))
        process(town, moment.clients[choice]);
    check_step(town);
    read_notices(town);
    return true;
}

void town_run(struct town *town)
{
    for (int i = 0; !town->wrong[0] && step(town); i++) {
        if (i == MOST_STEPS)
            town_hear(town, "the run never ends");
    }
}

/* ---- The end ---- */

static const char *judge_server(const struct town *town, const struct town_server *seen)
{
    struct koine__limiter *limiter = seen->instance->policies.limiter;
    struct koine__limiter_view view = {.waiting = 0};
    if (limiter)
        koine__limiter_look(limiter, town->rig.now, 0, &view);
    if (seen->under_way > 0)
        return "a request goes on when all calls have ended";
    if (seen->told_opened != seen->breaker.opened || seen->told_closed != seen->breaker.closed)
        return "a breaker changed otherwise than its notices say";
    if (view.under_way > 0 || view.waiting > 0)
        return "a limiter counts somebody when all calls have ended";
    return oracle_limiter_over(&seen->limiter);
}

void town_judge(struct town *town)
{
    size_t starts = 0, requests = 0;
    for (size_t i = 0; i < town->call_count; i++) {
        starts += town->calls[i]->oracle.starts;
        if (town->calls[i]->end < 0)
            town_hear(town, "a call never ends");
        town_hear(town, oracle_money_over(&town->calls[i]->money));
    }
    town_hear(town, oracle_money_over(&town->money));
    for (int i = 0; i < TOWN_SERVERS; i++) {
        requests += town->seen[i].requests;
        town_hear(town, judge_server(town, &town->seen[i]));
    }
    for (size_t i = 0; i < town->client_count; i++) {
        const struct koine__pool *pool = &town->clients[i].client->pool;
        if (pool->used || pool->waiting)
            town_hear(town, "a place in the pool was not given back");
    }
    if (starts != requests)
        town_hear(town, "attempts and requests differ");
}

void town_tally_add(struct town_tally *sum, const struct town *town)
{
    const struct town_tally *tally = &town->tally;
    sum->answered += town_count(town, KOINE_CLASS_NONE);
    sum->retries += tally->retries;
    sum->moves += tally->moves;
    sum->waited += tally->waited;
    sum->refused += tally->refused;
    sum->unpaid += tally->unpaid;
    for (size_t i = 0; i < town->call_count; i++)
        sum->hedged += town->calls[i]->hedged;
    for (int i = 0; i < TOWN_SERVERS; i++) {
        sum->requests += town->seen[i].requests;
        sum->opened += town->seen[i].breaker.opened;
    }
}

size_t town_count(const struct town *town, int class_number)
{
    size_t count = 0;
    for (size_t i = 0; i < town->call_count; i++)
        count += town->calls[i]->end == class_number;
    return count;
}

/* ---- Afterwards ---- */

#define VISITS 12

static void be_well(struct town *town)
{
    for (int i = 0; i < TOWN_SERVERS; i++) {
        memset(town->servers[i].per_mille, 0, sizeof(town->servers[i].per_mille));
        memset(town->servers[i].outages, 0, sizeof(town->servers[i].outages));
    }
}

static void judge_recovery(struct town *town)
{
    const struct koine__policies *policies = &town->seen[0].instance->policies;
    int64_t until;
    for (size_t i = town->call_count - 2; i < town->call_count; i++) {
        if (town->calls[i]->end != KOINE_CLASS_NONE || town->calls[i]->at != 0)
            town_hear(town, "a provider is well, and is not asked again");
    }
    if (policies->breaker && koine__breaker_look(policies->breaker, &policies->breaking, town->rig.now,
                                                 &until) != KOINE__BREAKER_CLOSED)
        town_hear(town, "a provider is well, and its breaker does not close");
}

static void be_rich(struct town *town)
{
    if (town->money.limit < 0)
        return;
    town->money.limit = INT64_C(1000) * 1000000000000;
    if (koine_hub_set(town->rig.hub, "budgets.run", "1000") != KOINE_OK ||
        koine_hub_apply(town->rig.hub, NULL) != KOINE_OK)
        town_hear(town, "a budget could not be raised");
}

/* Beyond every pause and latch, and slow enough for every limit of requests. */
void town_recover(struct town *town)
{
    int64_t from = town->rig.now + 660 * KOINE__SEC;
    if (town->wrong[0])
        return;
    be_well(town);
    be_rich(town);
    for (int i = 0; i < VISITS; i++) {
        struct town_call *call = town_call_at(town, from + i * 15 * KOINE__SEC);
        call->single = true;
    }
    town_run(town);
    town_judge(town);
    judge_recovery(town);
}
