/* harness: see harness.h. */
#include "tests/store/harness.h"

#include <dlfcn.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 120000 /* this machine may stand still */

static void give_up(const char *what)
{
    printf("Bail out! %s\n", what);
    fflush(stdout);
    _exit(EXIT_FAILURE);
}

const koine_store_plugin *harness_plugin(void)
{
    char path[PATH_MAX];
    const char *told = getenv("KOINE_TEST_STORE"), *build = getenv("KOINE_TEST_BUILD");
    const koine_store_plugin *(*entry)(void);
    if (told)
        snprintf(path, sizeof(path), "%s", told);
    else
        snprintf(path, sizeof(path), "%s/plugins/sqlite/.libs/sqlite.so", build ? build : ".");
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = handle ? dlsym(handle, KOINE_STORE_ENTRY_NAME) : NULL;
    if (!symbol) {
        printf("1..1\nok 1 - store # SKIP no store is built: %s\n", dlerror());
        return NULL;
    }
    memcpy(&entry, &symbol, sizeof(entry));
    return entry();
}

/* ---- The host ---------------------------------------------------------------------------------------- */

static struct harness *of(const koine_store_host *host)
{
    return (struct harness *)((char *)(uintptr_t)host - offsetof(struct harness, host));
}

static void *host_alloc(const koine_store_host *host, size_t size)
{
    struct harness *harness = of(host);
    if (atomic_load(&harness->until) >= 0 && atomic_fetch_sub(&harness->until, 1) == 0) {
        atomic_store(&harness->has_failed, 1);
        return NULL;
    }
    void *ptr = calloc(1, size ? size : 1);
    if (ptr)
        atomic_fetch_add(&harness->held, 1);
    return ptr;
}

static void host_free(const koine_store_host *host, void *ptr)
{
    if (ptr)
        atomic_fetch_sub(&of(host)->held, 1);
    free(ptr);
}

static void host_log(const koine_store_host *host, int32_t level, koine_str line)
{
    (void)host;
    printf("# log %d: %.*s\n", (int)level, (int)line.len, line.ptr);
}

/* ---- Its life ---------------------------------------------------------------------------------------- */

void harness_prepare(struct harness *harness)
{
    const char *where = getenv("KOINE_TEST_STORE_WHERE");
    memset(harness, 0, sizeof(*harness));
    harness->plugin = harness_plugin();
    if (!harness->plugin)
        exit(EXIT_SUCCESS);
    harness->host = (koine_store_host){(uint32_t)sizeof(harness->host), host_log, host_alloc, host_free};
    atomic_store(&harness->until, -1);
    if (access("/dev/shm", W_OK | X_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    scratch_make(&harness->scratch);
    snprintf(harness->where, sizeof(harness->where), "%s",
             where ? where : scratch_path(&harness->scratch, "store"));
}

int32_t harness_open(struct harness *harness, bool threadless, int32_t busy_ms)
{
    koine_store_options options = {.size = (uint32_t)sizeof(options)};
    options.threadless = threadless;
    options.busy_ms = busy_ms;
    options.where = text(harness->where);
    harness->why[0] = '\0';
    return harness->plugin->open(&harness->host, &options, &harness->store, harness->why,
                                 sizeof(harness->why));
}

void harness_close(struct harness *harness)
{
    harness->plugin->close(harness->store);
    harness->store = NULL;
}

void harness_end(struct harness *harness)
{
    if (harness->store)
        harness_close(harness);
    scratch_remove(&harness->scratch);
}

int32_t harness_submit(struct harness *harness, int32_t kind, const void *body)
{
    koine_store_op op = {(uint32_t)sizeof(op), kind, ++harness->tag, body};
    return harness->plugin->submit(harness->store, &op);
}

const koine_store_done *harness_reap(struct harness *harness)
{
    const koine_store_done *done;
    int32_t rc;
    while ((rc = harness->plugin->reap(harness->store, &done)) == 0) {
        struct pollfd ready = {.fd = harness->plugin->descriptor(harness->store), .events = POLLIN};
        if (poll(&ready, 1, PATIENCE_MS) == 0)
            give_up("no completion comes");
    }
    if (rc < 0)
        give_up("nothing can be reaped");
    return done;
}

const koine_store_done *harness_do(struct harness *harness, int32_t kind, const void *body)
{
    if (harness_submit(harness, kind, body) < 0)
        give_up("an op is not taken");
    const koine_store_done *done = harness_reap(harness);
    if (done->tag != harness->tag || done->kind != kind)
        give_up("the completion of another op came");
    return done;
}

/* ---- Short ways -------------------------------------------------------------------------------------- */

koine_str text(const char *text)
{
    return (koine_str){text, strlen(text)};
}

koine_store_row row_of(const char *tenant, const char *target, int64_t cost)
{
    koine_store_row row = {.size = (uint32_t)sizeof(row), .attempt = 1, .day = 20000};
    row.at = INT64_C(1728000000000);
    row.billing = KOINE_STORE_BILLING_BILLED;
    row.tenant = text(tenant);
    row.run = text("run-1");
    row.call = text("call-1");
    row.target = text(target);
    row.price = KOINE_STORE_PRICED;
    row.cost = cost;
    for (int i = 0; i < KOINE_STORE_BUCKETS; i++)
        row.tokens[i] = -1;
    row.first_token_us = row.duration_us = -1;
    return row;
}

koine_store_scope scope_of(int32_t kind, const char *key, int64_t limit)
{
    return (koine_store_scope){.size = (uint32_t)sizeof(koine_store_scope),
                               .kind = kind,
                               .hard = 1,
                               .key = text(key),
                               .limit = limit};
}

void id_of(uint8_t id[KOINE_STORE_ID], uint64_t high, uint64_t low)
{
    for (int i = 0; i < 8; i++) {
        id[i] = (uint8_t)(high >> (56 - 8 * i));
        id[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
}

const koine_store_done *reserve(struct harness *harness, uint64_t id, int64_t amount, int64_t lease_ms,
                                const koine_store_scope *const *scopes, uint32_t count)
{
    koine_store_reserve body = {.size = (uint32_t)sizeof(body), .count = count};
    koine_store_row row = row_of("acme", "together/large", 0);
    id_of(body.id, 0, id);
    id_of(body.owner, 7, 7);
    body.amount = amount;
    body.lease_ms = lease_ms;
    body.scopes = scopes;
    body.row = &row;
    return harness_do(harness, KOINE_STORE_RESERVE, &body);
}

const koine_store_done *settle(struct harness *harness, uint64_t id, int64_t actual,
                               const koine_store_row *row)
{
    koine_store_settle body = {.size = (uint32_t)sizeof(body), .count = row ? 1 : 0};
    id_of(body.id, 0, id);
    body.actual = actual;
    body.rows = &row;
    return harness_do(harness, KOINE_STORE_SETTLE, &body);
}

const koine_store_done *spent(struct harness *harness, const koine_store_scope *scope)
{
    koine_store_spent body = {(uint32_t)sizeof(body), 1, &scope};
    return harness_do(harness, KOINE_STORE_SPENT, &body);
}

const koine_store_done *report(struct harness *harness, uint32_t by)
{
    koine_store_query body = {.size = (uint32_t)sizeof(body), .by = by, .until = INT32_MAX};
    return harness_do(harness, KOINE_STORE_REPORT, &body);
}

const koine_store_done *put(struct harness *harness, const char *key, const char *value, int64_t expected)
{
    koine_store_put body = {.size = (uint32_t)sizeof(body), .expected = expected};
    body.space = text("tenant");
    body.key = text(key);
    body.value = text(value);
    return harness_do(harness, KOINE_STORE_PUT, &body);
}
