/* conformance: what koine/store.h promises, asked of a plugin through that header alone, so that any store
 * can be asked. */
#include "tests/store/harness.h"
#include "tests/unit/suite.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool threadless;
static const int64_t hour = 3600000;

static void set_up(struct harness *harness)
{
    harness_prepare(harness);
    ASSERT_INT(harness_open(harness, threadless, 0), KOINE_STORE_OK);
    if (!harness->store) {
        printf("Bail out! %s\n", harness->why);
        exit(EXIT_FAILURE);
    }
}

static void tear_down(struct harness *harness)
{
    harness_close(harness);
    ASSERT_INT(atomic_load(&harness->held), 0);
    harness_end(harness);
}

static void assert_text(koine_str actual, const char *expected)
{
    suite_assert_mem(actual.ptr, actual.len, expected, strlen(expected), expected, __FILE__, __LINE__);
}

static void assert_budget(struct harness *harness, const koine_store_scope *scope, int64_t spent_wanted,
                          int64_t reserved, int64_t overshot)
{
    const koine_store_done *done = spent(harness, scope);
    ASSERT_INT(done->status, KOINE_STORE_OK);
    ASSERT_INT(done->view_count, 1);
    ASSERT_INT(done->views[0]->spent, spent_wanted);
    ASSERT_INT(done->views[0]->reserved, reserved);
    ASSERT_INT(done->views[0]->overshot, overshot);
}

/* ---- The ledger -------------------------------------------------------------------------------------- */

static void rows_are_summed(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_row one = row_of("acme", "together/large", 1500), two = row_of("", "lab/small", 0);
    koine_store_row three = row_of("acme", "together/large", 2);
    one.tokens[KOINE_STORE_INPUT] = 10;
    one.tokens[KOINE_STORE_OUTPUT] = 0;
    one.first_token_us = 3;
    one.duration_us = 1000;
    two.price = KOINE_STORE_UNPRICED;
    two.cost = 77; /* says nothing */
    two.billing = KOINE_STORE_BILLING_UNKNOWN;
    two.fault = 5;
    two.model = text("small-2026");
    three.tokens[KOINE_STORE_INPUT] = 5;
    three.billing = KOINE_STORE_BILLING_ESTIMATED;
    three.day = 20001;
    three.duration_us = 1023;
    const koine_store_row *rows[] = {&one, &two, &three};
    koine_store_append append = {(uint32_t)sizeof(append), 3, rows};
    const koine_store_done *done = harness_do(&harness, KOINE_STORE_APPEND, &append);
    ASSERT_INT(done->status, KOINE_STORE_OK);
    ASSERT_INT(done->count, 3);

    done = report(&harness, 0);
    ASSERT_INT(done->sum_count, 1);
    const koine_store_sum *sum = done->sums[0];
    ASSERT_INT(sum->attempts, 3);
    ASSERT_INT(sum->failed, 1);
    ASSERT_INT(sum->cost, 1502);
    ASSERT_INT(sum->unpriced, 1);
    ASSERT_INT(sum->estimated, 1);
    ASSERT_INT(sum->tokens[KOINE_STORE_INPUT], 15);
    ASSERT_INT(sum->tokens[KOINE_STORE_OUTPUT], 0);
    ASSERT_INT(sum->first_token[3], 1);
    ASSERT_INT(sum->duration[35], 2); /* 896 to 1023 */
    ASSERT_INT(sum->duration[36], 0);

    done = report(&harness, KOINE_STORE_BY_PROVIDER | KOINE_STORE_BY_MODEL | KOINE_STORE_BY_TENANT |
                                KOINE_STORE_BY_DAY);
    ASSERT_INT(done->sum_count, 3);
    assert_text(done->sums[0]->provider, "lab");
    assert_text(done->sums[0]->model, "small-2026");
    assert_text(done->sums[0]->tenant, "");
    assert_text(done->sums[1]->provider, "together");
    assert_text(done->sums[1]->model, "large");
    assert_text(done->sums[1]->tenant, "acme");
    ASSERT_INT(done->sums[1]->day, 20000);
    ASSERT_INT(done->sums[2]->day, 20001);
    ASSERT_INT(done->sums[2]->cost, 2);
    tear_down(&harness);
}

static void histogram_has_four_buckets_for_each_doubling(void)
{
    static const struct {
        int64_t us;
        int bucket;
    } wanted[] = {
        {0, 0},          {1, 1},   {3, 3},   {4, 4},    {7, 7},    {8, 8},     {9, 8},
        {10, 9},         {15, 11}, {16, 12}, {895, 34}, {896, 35}, {1024, 36}, {INT64_C(1099511627776), 156},
        {INT64_MAX, 159}};
    struct harness harness;
    set_up(&harness);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        koine_store_row row = row_of("", "p/m", 0);
        const koine_store_row *rows[] = {&row};
        koine_store_append append = {(uint32_t)sizeof(append), 1, rows};
        row.day = (int32_t)i;
        row.duration_us = wanted[i].us;
        harness_do(&harness, KOINE_STORE_APPEND, &append);
    }
    const koine_store_done *done = report(&harness, KOINE_STORE_BY_DAY);
    ASSERT_INT(done->sum_count, sizeof(wanted) / sizeof(wanted[0]));
    for (size_t i = 0; i < done->sum_count; i++)
        ASSERT_INT(done->sums[i]->duration[wanted[i].bucket], 1);
    tear_down(&harness);
}

static void reports_are_filtered(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_row one = row_of("acme", "together/large", 5), two = row_of("", "together/large", 7);
    const koine_store_row *rows[] = {&one, &two};
    koine_store_append append = {(uint32_t)sizeof(append), 2, rows};
    harness_do(&harness, KOINE_STORE_APPEND, &append);
    koine_str nobody = {NULL, 0}, together = text("together"), other = text("openai");
    koine_store_query query = {.size = (uint32_t)sizeof(query), .since = 20000, .until = 20001};
    query.tenant = &nobody;
    const koine_store_done *done = harness_do(&harness, KOINE_STORE_REPORT, &query);
    ASSERT_INT(done->sum_count, 1);
    ASSERT_INT(done->sums[0]->cost, 7);
    query.tenant = NULL;
    query.provider = &together;
    done = harness_do(&harness, KOINE_STORE_REPORT, &query);
    ASSERT_INT(done->sums[0]->cost, 12);
    query.provider = &other;
    done = harness_do(&harness, KOINE_STORE_REPORT, &query);
    ASSERT_INT(done->sum_count, 0);
    query.provider = NULL;
    query.until = 20000;
    done = harness_do(&harness, KOINE_STORE_REPORT, &query);
    ASSERT_INT(done->sum_count, 0);
    tear_down(&harness);
}

/* ---- Reservations ------------------------------------------------------------------------------------ */

static void reserved_in_all_or_in_none(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_scope run = scope_of(KOINE_STORE_RUN, "r1", 100),
                      tenant = scope_of(KOINE_STORE_TENANT, "acme", 50);
    const koine_store_scope *scopes[] = {&run, &tenant};
    const koine_store_done *done = reserve(&harness, 1, 40, hour, scopes, 2);
    ASSERT_INT(done->status, KOINE_STORE_OK);
    ASSERT_INT(done->view_count, 2);
    ASSERT_INT(done->views[1]->reserved, 40);
    ASSERT_INT(done->views[1]->limit, 50);
    assert_text(done->views[1]->key, "acme");
    done = reserve(&harness, 2, 11, hour, scopes, 2);
    ASSERT_INT(done->status, KOINE_STORE_REFUSED);
    ASSERT_INT(done->refused, 1);
    ASSERT_INT(done->views[1]->reserved, 40);
    ASSERT_INT(done->views[1]->spent, 0);
    CU_ASSERT(done->message.len > 0);
    assert_budget(&harness, &run, 0, 40, 0);
    ASSERT_INT(reserve(&harness, 3, 10, hour, scopes, 2)->status, KOINE_STORE_OK); /* exactly the limit */
    tenant.hard = 0;
    done = reserve(&harness, 4, 11, hour, scopes, 2);
    ASSERT_INT(done->status, KOINE_STORE_OK);
    ASSERT_INT(done->refused, -1);
    ASSERT_INT(done->views[1]->reserved, 61);
    tear_down(&harness);
}

static void a_period_is_a_budget_of_its_own(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_scope day = scope_of(KOINE_STORE_DAY, "", 10);
    const koine_store_scope *scopes[] = {&day};
    day.period = text("2026-11-28");
    ASSERT_INT(reserve(&harness, 1, 10, hour, scopes, 1)->status, KOINE_STORE_OK);
    ASSERT_INT(reserve(&harness, 2, 1, hour, scopes, 1)->status, KOINE_STORE_REFUSED);
    day.period = text("2026-11-29");
    ASSERT_INT(reserve(&harness, 3, 10, hour, scopes, 1)->status, KOINE_STORE_OK);
    settle(&harness, 1, 4, NULL); /* to the day that it was reserved in */
    assert_budget(&harness, &day, 0, 10, 0);
    day.period = text("2026-11-28");
    assert_budget(&harness, &day, 4, 0, 0);
    tear_down(&harness);
}

static void settled_exactly_once(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    koine_store_row row = row_of("acme", "together/large", 30);
    reserve(&harness, 1, 20, hour, scopes, 1);
    const koine_store_done *done = reserve(&harness, 1, 20, hour, scopes, 1);
    ASSERT_INT(done->repeated, 1);
    ASSERT_INT(done->status, KOINE_STORE_OK);
    ASSERT_INT(done->views[0]->reserved, 20);
    done = settle(&harness, 1, 30, &row);
    ASSERT_INT(done->status, KOINE_STORE_OK);
    ASSERT_INT(done->repeated, 0);
    ASSERT_INT(done->views[0]->spent, 30);
    assert_budget(&harness, &tenant, 30, 0, 10);
    done = settle(&harness, 1, 30, &row);
    ASSERT_INT(done->status, KOINE_STORE_OK);
    ASSERT_INT(done->repeated, 1);
    assert_budget(&harness, &tenant, 30, 0, 10);
    ASSERT_INT(report(&harness, 0)->sums[0]->attempts, 1);
    ASSERT_INT(settle(&harness, 2, 30, &row)->status, KOINE_STORE_NOT_FOUND);
    ASSERT_INT(report(&harness, 0)->sums[0]->attempts, 1);
    ASSERT_INT(reserve(&harness, 1, 20, hour, scopes, 1)->status, KOINE_STORE_CONFLICT);
    reserve(&harness, 3, 20, hour, scopes, 1);
    settle(&harness, 3, -1, NULL); /* nobody knows */
    assert_budget(&harness, &tenant, 50, 0, 10);
    tear_down(&harness);
}

static void released_costs_nothing(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    koine_store_row row = row_of("acme", "together/large", 0);
    const koine_store_row *rows[] = {&row};
    koine_store_settle body = {.size = (uint32_t)sizeof(body), .count = 1, .actual = 5, .rows = rows};
    id_of(body.id, 0, 1);
    row.billing = KOINE_STORE_BILLING_NONE;
    reserve(&harness, 1, 20, hour, scopes, 1);
    ASSERT_INT(harness_do(&harness, KOINE_STORE_RELEASE, &body)->status, KOINE_STORE_OK);
    assert_budget(&harness, &tenant, 0, 0, 0);
    ASSERT_INT(harness_do(&harness, KOINE_STORE_RELEASE, &body)->repeated, 1);
    ASSERT_INT(report(&harness, 0)->sums[0]->attempts, 1);
    tear_down(&harness);
}

static int64_t recover(struct harness *harness)
{
    koine_store_recover body = {(uint32_t)sizeof(body), 0};
    return harness_do(harness, KOINE_STORE_RECOVER, &body)->count;
}

static void recovery_settles_what_ran_out_alone(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    reserve(&harness, 1, 20, 0, scopes, 1);
    reserve(&harness, 2, 30, hour, scopes, 1);
    ASSERT_INT(recover(&harness), 1);
    assert_budget(&harness, &tenant, 20, 30, 0);
    const koine_store_sum *sum = report(&harness, 0)->sums[0];
    ASSERT_INT(sum->attempts, 1);
    ASSERT_INT(sum->estimated, 1);
    ASSERT_INT(sum->cost, 20);
    ASSERT_INT(recover(&harness), 0);
    tear_down(&harness);
}

static void truth_takes_the_place_of_an_estimate(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    koine_store_row row = row_of("acme", "together/large", 25);
    reserve(&harness, 1, 20, 0, scopes, 1);
    reserve(&harness, 2, 20, 0, scopes, 1);
    ASSERT_INT(recover(&harness), 2);
    const koine_store_done *done = settle(&harness, 1, 25, &row);
    ASSERT_INT(done->status, KOINE_STORE_OK);
    ASSERT_INT(done->repeated, 0);
    assert_budget(&harness, &tenant, 45, 0, 5);
    ASSERT_INT(settle(&harness, 1, 25, &row)->repeated, 1);
    const koine_store_sum *sum = report(&harness, 0)->sums[0];
    ASSERT_INT(sum->attempts, 2);
    ASSERT_INT(sum->estimated, 1);
    ASSERT_INT(sum->cost, 45);
    koine_store_settle body = {.size = (uint32_t)sizeof(body)};
    id_of(body.id, 0, 2);
    ASSERT_INT(harness_do(&harness, KOINE_STORE_RELEASE, &body)->status, KOINE_STORE_OK);
    assert_budget(&harness, &tenant, 25, 0, 5);
    tear_down(&harness);
}

static void leases_are_renewed_by_their_owner(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    uint8_t ids[3 * KOINE_STORE_ID];
    koine_store_renew renew = {.size = (uint32_t)sizeof(renew), .lease_ms = hour};
    for (uint64_t id = 1; id <= 3; id++)
        reserve(&harness, id, 10, 0, scopes, 1);
    id_of(renew.owner, 8, 8); /* another's */
    ASSERT_INT(harness_do(&harness, KOINE_STORE_RENEW, &renew)->count, 0);
    id_of(renew.owner, 7, 7);
    for (unsigned i = 0; i < 3; i++)
        id_of(ids + (size_t)i * KOINE_STORE_ID, 0, i ? i + 1 : 99);
    renew.count = 3;
    renew.ids = ids;
    ASSERT_INT(harness_do(&harness, KOINE_STORE_RENEW, &renew)->count, 2);
    ASSERT_INT(recover(&harness), 1);
    renew.count = 0;
    renew.lease_ms = 0;
    ASSERT_INT(harness_do(&harness, KOINE_STORE_RENEW, &renew)->count, 2);
    ASSERT_INT(recover(&harness), 2);
    tear_down(&harness);
}

/* ---- Records ----------------------------------------------------------------------------------------- */

static void records_are_compared_and_swapped(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_named name = {.size = (uint32_t)sizeof(name), .space = text("tenant"), .key = text("acme")};
    ASSERT_INT(harness_do(&harness, KOINE_STORE_GET, &name)->status, KOINE_STORE_NOT_FOUND);
    ASSERT_INT(put(&harness, "acme", "one", 5)->status, KOINE_STORE_CONFLICT);
    const koine_store_done *done = put(&harness, "acme", "one", 0);
    int64_t first = done->version;
    ASSERT_INT(done->status, KOINE_STORE_OK);
    CU_ASSERT(first > 0);
    done = put(&harness, "acme", "two", 0);
    ASSERT_INT(done->status, KOINE_STORE_CONFLICT);
    ASSERT_INT(done->version, first);
    done = put(&harness, "acme", "two", first);
    int64_t second = done->version;
    CU_ASSERT(second > first);
    done = harness_do(&harness, KOINE_STORE_GET, &name);
    ASSERT_INT(done->version, second);
    assert_text(done->records[0]->value, "two");
    koine_store_put gone = {.size = (uint32_t)sizeof(gone), .space = text("tenant"), .key = text("acme")};
    gone.expected = first;
    ASSERT_INT(harness_do(&harness, KOINE_STORE_DELETE, &gone)->status, KOINE_STORE_CONFLICT);
    gone.expected = second;
    ASSERT_INT(harness_do(&harness, KOINE_STORE_DELETE, &gone)->status, KOINE_STORE_OK);
    CU_ASSERT(put(&harness, "acme", "three", 0)->version > second);
    CU_ASSERT(put(&harness, "acme", "four", -1)->version > second + 1);
    tear_down(&harness);
}

static void records_are_listed_in_pages(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_list list = {.size = (uint32_t)sizeof(list), .most = 2, .space = text("tenant")};
    put(&harness, "b", "", 0);
    put(&harness, "c", "3", 0);
    put(&harness, "a", "1", 0);
    const koine_store_done *done = harness_do(&harness, KOINE_STORE_LIST, &list);
    ASSERT_INT(done->record_count, 2);
    assert_text(done->records[0]->key, "a");
    assert_text(done->records[1]->key, "b");
    list.after = text("b");
    done = harness_do(&harness, KOINE_STORE_LIST, &list);
    ASSERT_INT(done->record_count, 1);
    assert_text(done->records[0]->key, "c");
    assert_text(done->records[0]->value, "3");
    list.space = text("other");
    ASSERT_INT(harness_do(&harness, KOINE_STORE_LIST, &list)->record_count, 0);
    tear_down(&harness);
}

/* ---- Ops as such ------------------------------------------------------------------------------------- */

static void wrong_ops_are_not_taken(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant, &tenant};
    koine_store_reserve body = {.size = (uint32_t)sizeof(body), .count = 1, .amount = -1, .scopes = scopes};
    char longer[1100];
    memset(longer, 'x', sizeof(longer));
    ASSERT_INT(harness_submit(&harness, KOINE_STORE_RESERVE, &body), KOINE_STORE_INVALID);
    body.amount = 1;
    body.count = 0;
    ASSERT_INT(harness_submit(&harness, KOINE_STORE_RESERVE, &body), KOINE_STORE_INVALID);
    ASSERT_INT(harness_submit(&harness, KOINE_STORE_RESERVE, NULL), KOINE_STORE_INVALID);
    ASSERT_INT(harness_submit(&harness, 99, &body), KOINE_STORE_UNSUPPORTED);
    koine_store_row row = row_of("acme", "together/large", 0);
    row.call = (koine_str){longer, sizeof(longer)};
    const koine_store_row *rows[] = {&row};
    koine_store_append append = {(uint32_t)sizeof(append), 1, rows};
    ASSERT_INT(harness_submit(&harness, KOINE_STORE_APPEND, &append), KOINE_STORE_INVALID);
    body.count = 2; /* one budget twice */
    ASSERT_INT(harness_do(&harness, KOINE_STORE_RESERVE, &body)->status, KOINE_STORE_INVALID);
    assert_budget(&harness, &tenant, 0, 0, 0);
    tear_down(&harness);
}

static void the_queue_is_bounded(void)
{
    struct harness harness;
    koine_store_options options = {.size = (uint32_t)sizeof(options), .queue = 8};
    harness_prepare(&harness);
    options.threadless = threadless;
    options.where = text(harness.where);
    ASSERT_INT(
        harness.plugin->open(&harness.host, &options, &harness.store, harness.why, sizeof(harness.why)), 0);
    koine_store_recover body = {(uint32_t)sizeof(body), 0};
    for (int i = 0; i < 8; i++)
        ASSERT_INT(harness_submit(&harness, KOINE_STORE_RECOVER, &body), KOINE_STORE_OK);
    ASSERT_INT(harness_submit(&harness, KOINE_STORE_RECOVER, &body), KOINE_STORE_FULL);
    for (uint64_t tag = 1; tag <= 8; tag++)
        ASSERT_INT(harness_reap(&harness)->tag, tag); /* in their order */
    ASSERT_INT(harness_do(&harness, KOINE_STORE_RECOVER, &body)->status, KOINE_STORE_OK);
    tear_down(&harness);
}

static void the_descriptor_says_when(void)
{
    struct harness harness;
    set_up(&harness);
    struct pollfd ready = {.fd = harness.plugin->descriptor(harness.store), .events = POLLIN};
    koine_store_recover body = {(uint32_t)sizeof(body), 0};
    const koine_store_done *done;
    ASSERT_INT(poll(&ready, 1, 0), 0);
    harness_submit(&harness, KOINE_STORE_RECOVER, &body);
    harness_submit(&harness, KOINE_STORE_RECOVER, &body);
    ASSERT_INT(poll(&ready, 1, 60000), 1);
    harness_reap(&harness);
    harness_reap(&harness);
    ASSERT_INT(poll(&ready, 1, 0), 0);
    ASSERT_INT(harness.plugin->reap(harness.store, &done), 0);
    tear_down(&harness);
}

static void all_is_there_when_it_is_opened_again(void)
{
    struct harness harness;
    set_up(&harness);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    koine_store_row row = row_of("acme", "together/large", 3);
    const koine_store_row *rows[] = {&row};
    koine_store_append append = {(uint32_t)sizeof(append), 1, rows};
    reserve(&harness, 1, 20, hour, scopes, 1);
    put(&harness, "acme", "one", 0);
    harness_submit(&harness, KOINE_STORE_APPEND, &append); /* close does what was submitted */
    harness_close(&harness);
    ASSERT_INT(harness_open(&harness, threadless, 0), KOINE_STORE_OK);
    assert_budget(&harness, &tenant, 0, 20, 0);
    ASSERT_INT(report(&harness, 0)->sums[0]->cost, 3);
    ASSERT_INT(put(&harness, "acme", "two", 0)->status, KOINE_STORE_CONFLICT);
    ASSERT_INT(settle(&harness, 1, 20, NULL)->status, KOINE_STORE_OK);
    tear_down(&harness);
}

static int in_child(struct harness *harness)
{
    const koine_store_done *done;
    koine_store_recover body = {(uint32_t)sizeof(body), 0};
    int wrong = 0;
    wrong += harness_submit(harness, KOINE_STORE_RECOVER, &body) != KOINE_STORE_FORKED;
    wrong += harness->plugin->reap(harness->store, &done) != KOINE_STORE_FORKED;
    wrong += harness->plugin->descriptor(harness->store) != -1;
    harness->plugin->close(harness->store);
    return wrong;
}

static void a_child_touches_nothing(void)
{
    struct harness harness;
    int status = -1;
    set_up(&harness);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    reserve(&harness, 1, 20, hour, scopes, 1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child(&harness));
    waitpid(child, &status, 0);
    ASSERT_INT(status, 0);
    settle(&harness, 1, 5, NULL);
    assert_budget(&harness, &tenant, 5, 0, 0);
    tear_down(&harness);
}

/* Every allocation fails once: an op is refused or fails whole, and what follows works. */
static void failing_allocations_are_survived(void)
{
    struct harness harness;
    int64_t wanted = 0;
    set_up(&harness);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", INT64_MAX);
    const koine_store_scope *scopes[] = {&tenant};
    koine_store_reserve body = {.size = (uint32_t)sizeof(body), .count = 1, .amount = 1, .scopes = scopes};
    koine_store_row row = row_of("acme", "together/large", 1);
    body.row = &row;
    body.lease_ms = 0;
    for (uint64_t n = 0;; n++) {
        id_of(body.id, 1, n);
        atomic_store(&harness.has_failed, 0);
        atomic_store(&harness.until, (long)n);
        int32_t status = harness_submit(&harness, KOINE_STORE_RESERVE, &body);
        if (status == KOINE_STORE_OK)
            status = harness_reap(&harness)->status;
        koine_store_recover more = {(uint32_t)sizeof(more), 0};
        int32_t recovered = harness_submit(&harness, KOINE_STORE_RECOVER, &more);
        int64_t count = 0;
        if (recovered == KOINE_STORE_OK) {
            const koine_store_done *done = harness_reap(&harness);
            recovered = done->status;
            count = done->count;
        }
        atomic_store(&harness.until, -1);
        CU_ASSERT(status == KOINE_STORE_OK || status == KOINE_STORE_NO_MEMORY);
        CU_ASSERT(recovered == KOINE_STORE_OK || recovered == KOINE_STORE_NO_MEMORY);
        wanted += status == KOINE_STORE_OK;
        if (recovered == KOINE_STORE_NO_MEMORY)
            count = recover(&harness);
        ASSERT_INT(count, status == KOINE_STORE_OK);
        if (!atomic_load(&harness.has_failed))
            break;
    }
    CU_ASSERT(wanted > 3);
    assert_budget(&harness, &tenant, wanted, 0, 0);
    ASSERT_INT(report(&harness, 0)->sums[0]->cost, wanted);
    for (long n = 0; n < 12; n++) { /* and reports, records, opening */
        koine_store_query query = {.size = (uint32_t)sizeof(query), .by = 15, .until = INT32_MAX};
        atomic_store(&harness.until, n);
        if (harness_submit(&harness, KOINE_STORE_REPORT, &query) == KOINE_STORE_OK) {
            const koine_store_done *done = harness_reap(&harness);
            CU_ASSERT(done->status == KOINE_STORE_NO_MEMORY || done->sums[0]->cost == wanted);
        }
        atomic_store(&harness.until, -1);
        harness_close(&harness);
        atomic_store(&harness.until, n);
        int32_t status = harness_open(&harness, threadless, 0);
        atomic_store(&harness.until, -1);
        CU_ASSERT(status == KOINE_STORE_OK || status == KOINE_STORE_NO_MEMORY);
        if (status < 0)
            ASSERT_INT(harness_open(&harness, threadless, 0), KOINE_STORE_OK);
    }
    tear_down(&harness);
}

static const struct suite_test tests[] = {
    {"rows are summed", rows_are_summed},
    {"a histogram has four buckets for each doubling", histogram_has_four_buckets_for_each_doubling},
    {"reports are filtered", reports_are_filtered},
    {"reserved in all scopes or in none", reserved_in_all_or_in_none},
    {"a period is a budget of its own", a_period_is_a_budget_of_its_own},
    {"settled exactly once", settled_exactly_once},
    {"released costs nothing", released_costs_nothing},
    {"recovery settles only what ran out", recovery_settles_what_ran_out_alone},
    {"the truth takes the place of an estimate", truth_takes_the_place_of_an_estimate},
    {"leases are renewed by their owner", leases_are_renewed_by_their_owner},
    {"records are compared and swapped", records_are_compared_and_swapped},
    {"records are listed in pages", records_are_listed_in_pages},
    {"wrong ops are not taken", wrong_ops_are_not_taken},
    {"the queue is bounded", the_queue_is_bounded},
    {"the descriptor says when", the_descriptor_says_when},
    {"all is there when it is opened again", all_is_there_when_it_is_opened_again},
    {"a child touches nothing of its parent's", a_child_touches_nothing},
    {"failing allocations are survived", failing_allocations_are_survived},
};

/* KOINE_TEST_STORE_THREADLESS: the same without the store's thread. */
int main(int argc, char **argv)
{
    const char *told = getenv("KOINE_TEST_STORE_THREADLESS");
    const char *name = argc > 0 ? strrchr(argv[0], '_') : NULL;
    threadless = told || (name && strncmp(name, "_threadless", 11) == 0);
    return suite_run(threadless ? "store_threadless" : "store", tests, sizeof(tests) / sizeof(tests[0]), argc,
                     argv);
}
