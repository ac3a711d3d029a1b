/* Random towns: whatever providers, networks and applications do, every promise holds. KOINE_SIM_SEED runs
 * one seed alone, KOINE_SIM_RUNS more or fewer of them from KOINE_SIM_FROM on; KOINE_SIM_TRACE=1 prints the
 * trace of each. */
#include "tests/sim/town.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS         24
#define CALLS        160
#define MINUTES(n)   ((n)*60 * KOINE__SEC)
#define MOST_SETTING 64

/* ---- What is drawn ---- */

struct draw { /* settings, path and value in turn */
    struct koine__random random;
    const char *list[2 * MOST_SETTING + 1];
    char texts[MOST_SETTING][128];
    size_t count;
};

static int64_t below(struct draw *draw, int64_t bound)
{
    return koine__random_below(&draw->random, bound);
}

static bool once_in(struct draw *draw, int64_t n)
{
    return below(draw, n) == 0;
}

static void set(struct draw *draw, const char *path, const char *value)
{
    if (draw->count == MOST_SETTING)
        CU_FAIL_FATAL("too many settings");
    draw->list[2 * draw->count] = path;
    draw->list[2 * draw->count + 1] = value;
    draw->list[2 * ++draw->count] = NULL;
}

static void set_number(struct draw *draw, const char *path, int64_t number, const char *unit)
{
    char *text = draw->texts[draw->count];
    snprintf(text, sizeof(draw->texts[0]), "%lld%s", (long long)number, unit);
    set(draw, path, text);
}

static const char *one_of(struct draw *draw, const char *const *texts, size_t count)
{
    return texts[below(draw, (int64_t)count)];
}
#define ONE_OF(draw, ...)                                                                                    \
    one_of((draw), (const char *const[]){__VA_ARGS__},                                                       \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void draw_retry(struct draw *draw)
{
    set_number(draw, "providers.together.retry.max_retries", below(draw, 5), "");
    set_number(draw, "providers.openai.retry.max_retries", below(draw, 3), "");
    set_number(draw, "providers.together.retry.base_delay", below(draw, 2000), "ms");
    set(draw, "providers.together.retry.jitter",
        ONE_OF(draw, "none", "equal", "full", "decorrelated", "proportional"));
    set(draw, "providers.together.retry.budget", ONE_OF(draw, "off", "10", "40", "100"));
    set(draw, "providers.together.retry.max_delay", ONE_OF(draw, "2s", "8s", "60s"));
}

static void draw_limits(struct draw *draw)
{
    if (!once_in(draw, 3))
        set_number(draw, "providers.together.limits.requests_per_minute", 5 + below(draw, 90), "");
    if (!once_in(draw, 3))
        set_number(draw, "providers.together.limits.concurrent", 1 + below(draw, 8), "");
    if (once_in(draw, 4))
        set_number(draw, "providers.together.limits.tokens_per_minute", 2000 + below(draw, 20000), "");
    if (once_in(draw, 2))
        set_number(draw, "providers.openai.limits.concurrent", 1 + below(draw, 8), "");
    set_number(draw, "providers.together.limits.queue", below(draw, 40), "");
    set_number(draw, "pool.connections", 3 + below(draw, 60), "");
}

static void draw_breaker(struct draw *draw)
{
    set(draw, "providers.together.breaker.failures", ONE_OF(draw, "off", "1", "2", "3", "5", "10"));
    set(draw, "providers.together.breaker.window", ONE_OF(draw, "5s", "30s", "60s"));
    set(draw, "providers.together.breaker.open_for", ONE_OF(draw, "1s", "10s", "30s"));
    set(draw, "providers.together.breaker.ratio", ONE_OF(draw, "0", "0.25", "0.5", "1"));
    set_number(draw, "providers.together.breaker.min_calls", 1 + below(draw, 8), "");
    set_number(draw, "providers.together.breaker.probes_in_flight", 1 + below(draw, 3), "");
    set_number(draw, "providers.together.breaker.successes_to_close", 1 + below(draw, 3), "");
}

static void draw_budgets(struct draw *draw)
{
    if (once_in(draw, 4))
        set(draw, "budgets.run", ONE_OF(draw, "0.0005", "0.001", "0.004", "0.02"));
    if (once_in(draw, 4))
        set(draw, "budgets.call", ONE_OF(draw, "0.0001", "0.0002", "0.0003"));
    if (once_in(draw, 2))
        set(draw, "budgets.estimate", "typical");
}

static void draw_settings(struct draw *draw)
{
    set(draw, "routes.default.targets", "[together/" LLAMA ", openai/gpt-4o-mini]");
    set_number(draw, "routes.default.max_attempts", 1 + below(draw, 7), "");
    set(draw, "routes.default.hedge_after", ONE_OF(draw, "off", "off", "off", "300ms", "2s"));
    set(draw, "providers.together.timeouts.first_byte", ONE_OF(draw, "2s", "60s"));
    set(draw, "providers.together.timeouts.idle", ONE_OF(draw, "2s", "60s"));
    draw_retry(draw);
    draw_limits(draw);
    draw_breaker(draw);
    draw_budgets(draw);
}

static void draw_servers(struct draw *draw, struct town *town)
{
    for (int i = 0; i < TOWN_SERVERS; i++) {
        struct server *server = &town->servers[i];
        for (int kind = SERVER_REFUSES; kind < SERVER_WAYS; kind++) {
            bool caller = kind == SERVER_OBJECTS || kind == SERVER_FORBIDS || kind == SERVER_IS_UNPAID;
            server->per_mille[kind] = once_in(draw, 3) ? (unsigned)below(draw, caller ? 8 : 80) : 0;
        }
        server->head = WORLD_MS(20 + below(draw, 1000));
        server->piece = WORLD_MS(5 + below(draw, 200));
        server->dear = once_in(draw, 3) ? (unsigned)below(draw, 200) : 0;
        server->retry_after = 1 + below(draw, once_in(draw, 8) ? 90 : 4);
        for (int64_t n = below(draw, 3); n > 0; n--) {
            int64_t begin = below(draw, MINUTES(2));
            server->outages[n].begin = begin;
            server->outages[n].end = begin + below(draw, 40 * KOINE__SEC);
            server->outages[n].way = (enum server_way)(SERVER_REFUSES + below(draw, SERVER_OBJECTS));
        }
    }
}

/* ---- A run ---- */

static void print_trace(const struct town *town)
{
    size_t from = town->line_count > TOWN_LINES ? town->line_count - TOWN_LINES : 0;
    for (size_t i = from; getenv("KOINE_SIM_TRACE") && i < town->line_count; i++)
        printf("# %s\n", town->lines[i % TOWN_LINES]);
}

static struct town_tally sum;

static bool one_run(uint64_t seed)
{
    static struct town town;
    static struct draw draw;
    draw = (struct draw){.count = 0};
    koine__random_seed(&draw.random, seed);
    draw_settings(&draw);
    if (!town_open(&town, seed, (size_t)below(&draw, 4) + 1, draw.list))
        return false;
    draw_servers(&draw, &town);
    town.late = (unsigned)below(&draw, 200);
    town_visit(&town, CALLS, MINUTES(2));
    town_sleeps(&town, (unsigned)below(&draw, 20), MINUTES(2), 3 * KOINE__SEC);
    if (once_in(&draw, 3))
        town_raise_at(&town, below(&draw, MINUTES(2)));
    town_run(&town);
    town_judge(&town);
    town_recover(&town);
    print_trace(&town);
    town_report(&town, "make simulate");
    town_tally_add(&sum, &town);
    town_close(&town);
    return true;
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void random_towns(void)
{
    uint64_t seed = number_of("KOINE_SIM_SEED", number_of("KOINE_SIM_FROM", 1));
    uint64_t runs = getenv("KOINE_SIM_SEED") ? 1 : number_of("KOINE_SIM_RUNS", RUNS);
    for (uint64_t i = 0; i < runs; i++) {
        if (!one_run(seed + i))
            return;
        if (runs > RUNS && (i + 1) * 20 / runs != i * 20 / runs)
            fprintf(stderr, "# %llu of %llu runs\n", (unsigned long long)(i + 1), (unsigned long long)runs);
    }
    printf(
        "# %llu runs of %d calls and more: %zu answered, %zu requests, %zu retries, %zu moves, %zu hedged, "
        "%zu waited, %zu refused, %zu of them by a budget; breakers opened %zu times\n",
        (unsigned long long)runs, CALLS, sum.answered, sum.requests, sum.retries, sum.moves, sum.hedged,
        sum.waited, sum.refused, sum.unpaid, sum.opened);
    if (runs >= RUNS) /* a town in which nothing happens proves nothing */
        CU_ASSERT(sum.retries > 100 && sum.moves > 100 && sum.hedged > 10 && sum.waited > 100 &&
                  sum.refused > 100 && sum.unpaid > 10 && sum.opened > 10 && sum.answered > 1000);
}

/* ---- The same again ---- */

static uint64_t trace_of(uint64_t seed)
{
    static struct town town;
    if (!town_open(&town, seed, 3,
                   (const char *const[]){"routes.default.targets", "[together/" LLAMA ", openai/gpt-4o-mini]",
                                         NULL}))
        return 0;
    for (int i = 0; i < TOWN_SERVERS; i++)
        town.servers[i].per_mille[SERVER_FAILS] = 100;
    town.late = 100;
    town_visit(&town, 60, MINUTES(1));
    town_run(&town);
    uint64_t trace = town.trace;
    town_close(&town);
    return trace;
}

static void same_seed_same_trace(void)
{
    uint64_t seven = trace_of(7);
    CU_ASSERT(trace_of(7) == seven);
    CU_ASSERT(seven == 0 || trace_of(8) != seven);
}

SUITE_MAIN("town", {"random towns", random_towns}, {"same seed, same trace", same_seed_same_trace})
