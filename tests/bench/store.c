/* store: what the store of SQLite costs: rows in batches, reservations that wait together and one at a time,
 * and reports over a million rows. In a folder below the current one, so on a disk, with all that durable
 * means.
 *
 *     store [PLUGIN]
 */
#include "tests/bench/stopwatch.h"

#include <dlfcn.h>
#include <ftw.h>
#include <koine/store.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROWS = 1000000,
    BATCH = 512,
    PAIRS = 50000,
    IN_FLIGHT = 1024,
    ALONE = 200,
    ROUNDS = 5
};

static const koine_store_plugin *plugin;
static koine_store *store;
static char folder[] = "./bench-store-XXXXXX";

static void *host_alloc(const koine_store_host *host, size_t size)
{
    (void)host;
    return calloc(1, size);
}

static void host_free(const koine_store_host *host, void *ptr)
{
    (void)host;
    free(ptr);
}

static const koine_store_host host = {.size = (uint32_t)sizeof(host), .alloc = host_alloc, .free = host_free};

static void must(int done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "bench store: %s\n", what);
    exit(EXIT_FAILURE);
}

static koine_str text(const char *ptr)
{
    return (koine_str){ptr, strlen(ptr)};
}

static void open_store(const char *path)
{
    char why[512];
    const koine_store_plugin *(*entry)(void);
    koine_store_options options = {.size = (uint32_t)sizeof(options), .where = text(folder)};
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    must(handle != NULL, "no plugin");
    void *symbol = dlsym(handle, KOINE_STORE_ENTRY_NAME);
    must(symbol != NULL, "it is no store");
    memcpy(&entry, &symbol, sizeof(entry));
    plugin = entry();
    must(mkdtemp(folder) != NULL, "no folder");
    must(plugin->open(&host, &options, &store, why, sizeof(why)) == KOINE_STORE_OK, why);
}

static void submit(int32_t kind, const void *body)
{
    koine_store_op op = {(uint32_t)sizeof(op), kind, 0, body};
    must(plugin->submit(store, &op) == KOINE_STORE_OK, "an op is not taken");
}

static const koine_store_done *reap(void)
{
    const koine_store_done *done;
    while (plugin->reap(store, &done) == 0) {
        struct pollfd ready = {.fd = plugin->descriptor(store), .events = POLLIN};
        poll(&ready, 1, -1);
    }
    must(done->status == KOINE_STORE_OK, done->message.len ? done->message.ptr : "an op failed");
    return done;
}

static void print(const char *title, double value, const char *unit, const char *note, double target,
                  int less)
{
    printf("%-58s %9.2f %-8s %s", title, value, unit, note);
    if (target > 0)
        printf(" (%s %g: %s)", less ? "at most" : "at least", target,
               (less ? value <= target : value >= target) ? "ok" : "MISSED");
    printf("\n");
    fflush(stdout);
}

/* ---- Rows -------------------------------------------------------------------------------------------- */

static char tenants[20][16], calls[BATCH][40], requests[BATCH][40];
static const char *const targets[] = {"together/meta-llama/Llama-3.3-70B-Instruct-Turbo",
                                      "openai/gpt-4o-mini", "anthropic/claude-sonnet"};

static void fill(koine_store_row *row, int64_t n)
{
    *row = (koine_store_row){
        .size = (uint32_t)sizeof(*row), .attempt = 1, .billing = KOINE_STORE_BILLING_BILLED};
    row->at = INT64_C(1796000000000) + n;
    row->day = (int32_t)(20700 + n * 30 / ROWS);
    row->status = 200;
    row->tenant = text(tenants[n % 20]);
    row->run = text("01931f6a-run");
    row->call = text(calls[n % BATCH]);
    row->target = text(targets[n % 3]);
    row->model = text(strchr(targets[n % 3], '/') + 1);
    for (int i = 0; i < KOINE_STORE_BUCKETS; i++)
        row->tokens[i] = -1;
    row->tokens[KOINE_STORE_INPUT] = 100 + n % 1000;
    row->tokens[KOINE_STORE_OUTPUT] = 50 + n % 500;
    row->price = KOINE_STORE_PRICED;
    row->cost = 123456789 + n;
    row->price_id = text("together/llama-3.3-70b@2026-01-01");
    row->request_id = text(requests[n % BATCH]);
    row->first_token_us = 150000 + n * 7919 % 900000;
    row->duration_us = 900000 + n * 104729 % 9000000;
}

static void append_rows(void)
{
    static koine_store_row rows[BATCH];
    static const koine_store_row *list[BATCH];
    struct stopwatch watch;
    double start = wall_ns();
    int under_way = 0;
    stopwatch_open(&watch);
    stopwatch_start(&watch);
    for (int64_t n = 0; n < ROWS;) {
        koine_store_append append = {.size = (uint32_t)sizeof(append), .rows = list};
        for (; append.count < BATCH && n < ROWS; append.count++, n++) {
            fill(&rows[append.count], n);
            list[append.count] = &rows[append.count];
        }
        submit(KOINE_STORE_APPEND, &append);
        if (++under_way == 64) {
            reap();
            under_way--;
        }
    }
    while (under_way-- > 0)
        reap();
    stopwatch_stop(&watch);
    double wall = wall_ns() - start;
    print("a row of the ledger, 1,000,000 in batches of 512: CPU", watch.ns / ROWS / 1000, "us", "", 5, 1);
    print("rows for each second of CPU", ROWS / (watch.ns / 1e9), "rows/s", "", 150000, 0);
    print("rows for each second on the wall, with its disk", ROWS / (wall / 1e9), "rows/s", "", 0, 0);
}

static void report(const char *title, uint32_t by)
{
    double times[ROUNDS];
    uint32_t lines = 0;
    int64_t rows = 0;
    for (int i = 0; i < ROUNDS; i++) {
        koine_store_query query = {.size = (uint32_t)sizeof(query), .by = by, .until = INT32_MAX};
        double start = wall_ns();
        submit(KOINE_STORE_REPORT, &query);
        const koine_store_done *done = reap();
        times[i] = (wall_ns() - start) / 1e6;
        lines = done->sum_count;
        for (uint32_t line = rows = 0; line < lines; line++)
            rows += done->sums[line]->attempts;
    }
    char note[40];
    must(rows == ROWS, "a report lacks rows");
    snprintf(note, sizeof(note), "%u lines", lines);
    print(title, median(times, ROUNDS), "ms", note, 1000, 1);
}

/* ---- Reservations ------------------------------------------------------------------------------------ */

static void reserve(int64_t n)
{
    koine_store_scope scopes[3] = {{.kind = KOINE_STORE_TENANT, .key = text(tenants[n % 20])},
                                   {.kind = KOINE_STORE_DAY, .period = text("2026-11-28")},
                                   {.kind = KOINE_STORE_MONTH, .period = text("2026-11")}};
    const koine_store_scope *list[3];
    koine_store_row row;
    koine_store_reserve body = {
        .size = (uint32_t)sizeof(body), .count = 3, .amount = 1000, .lease_ms = 600000};
    for (int i = 0; i < 3; i++) {
        scopes[i].size = (uint32_t)sizeof(scopes[i]);
        scopes[i].hard = 1;
        scopes[i].limit = INT64_MAX;
        list[i] = &scopes[i];
    }
    fill(&row, n % ROWS);
    memcpy(body.id + 8, &n, sizeof(n));
    for (int i = 0; i < 8; i++)
        body.id[i] = (uint8_t)(n >> (56 - 8 * i));
    body.scopes = list;
    body.row = &row;
    submit(KOINE_STORE_RESERVE, &body);
}

static void settle(int64_t n)
{
    koine_store_row row;
    const koine_store_row *list = &row;
    koine_store_settle body = {.size = (uint32_t)sizeof(body), .count = 1, .actual = 900, .rows = &list};
    fill(&row, n % ROWS);
    memcpy(body.id + 8, &n, sizeof(n));
    for (int i = 0; i < 8; i++)
        body.id[i] = (uint8_t)(n >> (56 - 8 * i));
    submit(KOINE_STORE_SETTLE, &body);
}

/* So many calls are under way at once: each is settled when it was reserved, and the next begins. */
static void reserve_and_settle(int pairs, int in_flight, const char *title)
{
    struct stopwatch watch;
    char line[80];
    static int64_t first = 0;
    int64_t reserved = first, settled = first, ended = 0, end = first + pairs;
    double start = wall_ns();
    stopwatch_open(&watch);
    stopwatch_start(&watch);
    while (reserved < first + in_flight)
        reserve(reserved++);
    while (ended < pairs) {
        if (reap()->kind == KOINE_STORE_RESERVE) {
            settle(settled++);
        } else {
            ended++;
            if (reserved < end)
                reserve(reserved++);
        }
    }
    stopwatch_stop(&watch);
    double wall = wall_ns() - start;
    first = end;
    snprintf(line, sizeof(line), "reserve and settle, 3 budgets, %s: CPU", title);
    print(line, watch.ns / pairs / 1000, "us", "", in_flight > 1 ? 20 : 0, 1);
    snprintf(line, sizeof(line), "reserve and settle, 3 budgets, %s: wall", title);
    print(line, wall / pairs / 1000, "us", "", in_flight > 1 ? 20 : 0, 1);
}

static int remove_one(const char *path, const struct stat *state, int type, struct FTW *ftw)
{
    (void)state;
    (void)type;
    (void)ftw;
    return remove(path);
}

int main(int argc, char **argv)
{
    for (int i = 0; i < 20; i++)
        snprintf(tenants[i], sizeof(tenants[i]), "tenant-%d", i);
    for (int i = 0; i < BATCH; i++) {
        snprintf(calls[i], sizeof(calls[i]), "01931f6a-5a11-7000-8000-%012d", i);
        snprintf(requests[i], sizeof(requests[i]), "req-9f8e7d6c5b4a-%012d", i);
    }
    open_store(argc > 1 ? argv[1] : "plugins/sqlite/.libs/sqlite.so");
    append_rows();
    report("a report over 1,000,000 rows, by model", KOINE_STORE_BY_MODEL);
    report("a report over 1,000,000 rows, by tenant and day", KOINE_STORE_BY_TENANT | KOINE_STORE_BY_DAY);
    report("a report over 1,000,000 rows, by all", 15);
    reserve_and_settle(PAIRS, IN_FLIGHT, "1024 at once");
    reserve_and_settle(ALONE, 1, "one at a time");
    plugin->close(store);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return EXIT_SUCCESS;
}
