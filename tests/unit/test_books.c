/* What of attempts reaches a store, and what happens while it does not take it: with a store of the test's
 * own, on a virtual clock. */
#include "core/hub/books.h"

#include "core/hub/client.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- The store ---- */

enum {
    MOST = 64
};
static struct store { /* one, as a hub has one */
    char rows[MOST][512];
    int row_count, ops;
    struct {
        uint64_t tag;
        int32_t kind, status;
    } done[MOST];
    int done_count, reaped;
    int32_t status; /* what becomes of the next ops */
    int32_t takes;  /* what submit says; KOINE_STORE_FULL while `done_count - reaped` is 1 or more */
    int event, opened, closed;
    koine_store_options options;
    int32_t open_status;
    char where[128];
    koine_store_query query;
    koine_store_done completion;
} fake;

static void write_down(const koine_store_row *row)
{
    char *text = fake.rows[fake.row_count++ % MOST];
    int len = snprintf(text, sizeof(fake.rows[0]),
                       "at %lld day %d #%d tenant[%.*s] %.*s %.*s class %d status %d", (long long)row->at,
                       row->day, row->attempt, (int)row->tenant.len, row->tenant.ptr, (int)row->target.len,
                       row->target.ptr, (int)row->model.len, row->model.ptr, row->fault, row->status);
    len += snprintf(text + len, sizeof(fake.rows[0]) - (size_t)len,
                    " billing %d price %d cost %lld [%.*s] id[%.*s]", row->billing, row->price,
                    (long long)row->cost, (int)row->price_id.len, row->price_id.ptr, (int)row->request_id.len,
                    row->request_id.ptr);
    snprintf(text + len, sizeof(fake.rows[0]) - (size_t)len, " in %lld out %lld ~%x ttft %lld us %lld",
             (long long)row->tokens[KOINE_STORE_INPUT], (long long)row->tokens[KOINE_STORE_OUTPUT],
             row->estimated, (long long)row->first_token_us, (long long)row->duration_us);
}

static int32_t fake_open(const koine_store_host *host, const koine_store_options *options, koine_store **ret,
                         char *why, size_t why_size)
{
    (void)host;
    fake.opened++;
    fake.options = *options;
    snprintf(fake.where, sizeof(fake.where), "%.*s", (int)options->where.len, options->where.ptr);
    snprintf(why, why_size, "%s", fake.open_status < 0 ? "/there: is damaged" : "");
    if (fake.open_status < 0)
        return fake.open_status;
    fake.event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    *ret = (koine_store *)&fake;
    return KOINE_STORE_OK;
}

static int32_t fake_descriptor(koine_store *store)
{
    (void)store;
    return fake.event;
}

static int32_t fake_submit(koine_store *store, const koine_store_op *op)
{
    const koine_store_append *append = op->body;
    (void)store;
    fake.ops++;
    if (fake.takes < 0)
        return fake.takes;
    if (op->kind == KOINE_STORE_REPORT)
        fake.query = *(const koine_store_query *)op->body;
    for (uint32_t i = 0; op->kind == KOINE_STORE_APPEND && fake.status == KOINE_STORE_OK && i < append->count;
         i++)
        write_down(append->rows[i]);
    fake.done[fake.done_count % MOST].tag = op->tag;
    fake.done[fake.done_count % MOST].kind = op->kind;
    fake.done[fake.done_count++ % MOST].status = fake.status;
    eventfd_write(fake.event, 1);
    return KOINE_STORE_OK;
}

static int32_t fake_reap(koine_store *store, const koine_store_done **ret)
{
    static const koine_store_sum sum = {.size = sizeof(sum),
                                        .day = 20420, /* 2025-11-28 */
                                        .tenant = {"", 0},
                                        .provider = {"lab", 3},
                                        .model = {"m", 1},
                                        .attempts = 3,
                                        .failed = 1,
                                        .tokens = {10, 0, 0, 20, 5, 0, 0, 0},
                                        .cost = 9007199254740993,
                                        .unpriced = 1,
                                        .estimated = 2};
    static const koine_store_sum *const sums[] = {&sum};
    eventfd_t count;
    (void)store;
    eventfd_read(fake.event, &count);
    if (fake.reaped == fake.done_count)
        return 0;
    int i = fake.reaped++ % MOST;
    fake.completion = (koine_store_done){.size = sizeof(fake.completion),
                                         .kind = fake.done[i].kind,
                                         .tag = fake.done[i].tag,
                                         .status = fake.done[i].status,
                                         .message = {"", 0},
                                         .refused = -1};
    if (fake.done[i].kind == KOINE_STORE_REPORT && fake.done[i].status == KOINE_STORE_OK) {
        fake.completion.sum_count = 1;
        fake.completion.sums = sums;
    }
    *ret = &fake.completion;
    return 1;
}

static void fake_close(koine_store *store)
{
    (void)store;
    fake.closed++;
    close(fake.event);
}

static const koine_store_plugin plugin = {.size = sizeof(plugin),
                                          .id = "fake",
                                          .version = "1",
                                          .open = fake_open,
                                          .descriptor = fake_descriptor,
                                          .submit = fake_submit,
                                          .reap = fake_reap,
                                          .close = fake_close};

/* ---- The world ---- */

static struct rig rig;

static koine_client *begin(const struct koine__replay_answer *script, size_t count,
                           const struct koine__store_config *config)
{
    fake = (struct store){.event = -1};
    if (!rig_open(&rig, script, count))
        return NULL;
    APPLY(&rig, "routes.default.targets", "[together/" LLAMA "]");
    ASSERT_INT(koine__books_use(&rig.hub->books, &plugin, config, NULL), KOINE_OK);
    return rig_client(&rig);
}
static const struct koine__store_config usual = {.is_wanted = true, .path = "/there", .queue = 4096};

static void end(koine_client *client)
{
    koine_client_free(client);
    rig_close(&rig);
    ASSERT_INT(fake.closed, 1);
}

static int generate(koine_client *client, koine_error **ret_error)
{
    koine_response *response = NULL;
    koine_request *request = rig_request(NULL, "Hi");
    int rc = koine_generate(client, request, &response, ret_error);
    koine_response_free(response);
    koine_request_free(request);
    return rc;
}

static void notice_is(const char *expected)
{
    koine_notice *notice = NULL;
    char text[512] = "none";
    if (koine_hub_next_notice(rig.hub, &notice) == 1)
        snprintf(text, sizeof(text), "%s: %s", koine_notice_kind_name(notice), koine_notice_message(notice));
    koine_notice_free(notice);
    ASSERT_STR(text, expected);
}

/* Moves the clock and lets the client look. */
static void pass(koine_client *client, int64_t ms)
{
    rig.now += ms * KOINE__MS;
    ASSERT_INT(koine_process(client), KOINE_OK);
}

/* ---- Rows ---- */

static void a_row_is_whole(void)
{
    const struct koine__replay_answer script[] = {
        {.match = TOGETHER_HOST,
         .status = 200,
         HEADERS(HEADER("x-request-id", "req-7"), HEADER("content-type", "application/json")),
         BODY(PIECE(100, WHOLE(LLAMA)))}};
    koine_client *client = begin(script, 1, &usual);
    if (!client)
        return;
    ASSERT_INT(generate(client, NULL), KOINE_OK);
    ASSERT_INT(fake.row_count, 1);
    ASSERT_STR(fake.rows[0], "at 1735732800000 day 20089 #1 tenant[] together/" LLAMA " " LLAMA
                             " class 0 status 200 billing 1 price 1 cost 900000 [together/" LLAMA
                             "@2024-07-23] id[req-7] in 3 out 2 ~0 ttft 100000 us 100000");
    ASSERT_INT((long long)koine__books_kept(&rig.hub->books), 0);
    end(client);
}

static void each_attempt_has_one(void)
{
    const struct koine__replay_answer script[] = {
        {ANSWER(TOGETHER_HOST, 500, ERROR("no"))},
        {ANSWER(TOGETHER_HOST, 200, WHOLE(LLAMA))},
    };
    koine_client *client = begin(script, 2, &usual);
    if (!client)
        return;
    ASSERT_INT(generate(client, NULL), KOINE_OK);
    ASSERT_INT(fake.row_count, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(fake.rows[0], "#1 tenant[] together/" LLAMA
                                                "  class 5 status 500 billing 0 price 1 cost 0 []"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(fake.rows[1], "#2 tenant[] together/" LLAMA " " LLAMA " class 0 status 200 billing 1"));
    end(client);
}

/* One that is under way when its call, or its client, is freed: it may be billed. */
static void freed_calls_have_theirs(void)
{
    const struct koine__replay_answer script[] = {
        {.match = TOGETHER_HOST,
         .status = 200,
         BODY(PIECE(10, TEXT(LLAMA, "Hello you")), PIECE(90000, DONE)),
         .repeat = true}};
    koine_client *client = begin(script, 1, &usual);
    koine_call *calls[2] = {NULL, NULL};
    if (!client)
        return;
    koine_request *request = rig_request(NULL, "Hi");
    for (size_t i = 0; i < 2; i++)
        ASSERT_INT(koine_start(client, request, &calls[i], NULL), KOINE_OK);
    koine_request_free(request);
    for (int i = 0; i < 8; i++)
        ASSERT_INT(koine_wait(client, 20), KOINE_OK);
    ASSERT_INT(fake.row_count, 0);
    koine_call_free(calls[0]);
    ASSERT_INT(fake.row_count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(fake.rows[0], "class 18 status 200 billing 2 price 1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fake.rows[0], "out 3 ~9 "));
    koine_client_free(client);
    ASSERT_INT(fake.row_count, 2);
    ASSERT_STR(strstr(fake.rows[1], " class "), strstr(fake.rows[0], " class "));
    rig_close(&rig);
}

static void nothing_sent_no_row(void)
{
    const struct koine__replay_answer script[] = {{ANSWER(TOGETHER_HOST, 200, WHOLE(LLAMA))}};
    koine_client *client = begin(script, 1, &usual);
    if (!client)
        return;
    APPLY(&rig, "budgets.call", "0.000000000001");
    ASSERT_INT(generate(client, NULL), KOINE_EFAULT);
    ASSERT_INT(fake.ops, 0);
    end(client);
}

/* ---- A store that is down ---- */

static const struct koine__replay_answer always[] = {
    {.match = TOGETHER_HOST, .status = 200, BODY(PIECE(0, WHOLE(LLAMA))), .repeat = true}};

static void rows_wait(void)
{
    koine_client *client = begin(always, 1, &usual);
    if (!client)
        return;
    fake.status = KOINE_STORE_NO_SPACE;
    for (int i = 0; i < 3; i++)
        ASSERT_INT(generate(client, NULL), KOINE_OK);
    ASSERT_INT(fake.row_count, 0);
    notice_is("store_down: the disk is full");
    notice_is("none");
    ASSERT_INT((long long)koine__books_kept(&rig.hub->books), 3);
    ASSERT_INT(fake.ops, 1); /* and is left alone */
    pass(client, 99);
    ASSERT_INT(fake.ops, 1);
    pass(client, 1);
    ASSERT_INT(fake.ops, 2);
    pass(client, 199); /* after 200 ms now */
    ASSERT_INT(fake.ops, 2);
    fake.status = KOINE_STORE_OK;
    pass(client, 1);
    ASSERT_INT(koine_process(client), KOINE_OK);
    ASSERT_INT(fake.row_count, 3);
    ASSERT_INT((long long)koine__books_kept(&rig.hub->books), 0);
    notice_is("store_up: the store is written again");
    notice_is("none");
    end(client);
}

static void a_full_queue_waits(void)
{
    koine_client *client = begin(always, 1, &usual);
    if (!client)
        return;
    fake.takes = KOINE_STORE_BUSY; /* already at submit: as bad as later */
    ASSERT_INT(generate(client, NULL), KOINE_OK);
    notice_is("store_down: others have it locked");
    fake.takes = KOINE_STORE_OK;
    pass(client, 100);
    ASSERT_INT(koine_process(client), KOINE_OK);
    ASSERT_INT(fake.row_count, 1);
    notice_is("store_up: the store is written again");
    end(client);
}

static void too_many_are_lost_loudly(void)
{
    const struct koine__store_config two = {.is_wanted = true, .path = "/there", .queue = 2};
    koine_client *client = begin(always, 1, &two);
    if (!client)
        return;
    fake.status = KOINE_STORE_DOWN;
    for (int i = 0; i < 5; i++)
        ASSERT_INT(generate(client, NULL), KOINE_OK);
    notice_is("store_down: it cannot be reached");
    notice_is("store_lost: 1 rows of attempts are lost: as many as store.queue says wait already");
    notice_is("none");
    rig.now += KOINE__SEC;
    ASSERT_INT(generate(client, NULL), KOINE_OK);
    notice_is("store_lost: 3 rows of attempts are lost: as many as store.queue says wait already");
    fake.status = KOINE_STORE_OK;
    koine_client_free(client);
    rig_close(&rig); /* writes what waits */
    ASSERT_INT(fake.row_count, 2);
    ASSERT_INT(fake.closed, 1);
}

static void a_row_that_is_refused_is_no_end(void)
{
    koine_client *client = begin(always, 1, &usual);
    if (!client)
        return;
    fake.status = KOINE_STORE_INVALID;
    ASSERT_INT(generate(client, NULL), KOINE_OK);
    notice_is("store_lost: 1 rows of attempts are lost: the store refuses them");
    notice_is("none");
    fake.status = KOINE_STORE_OK;
    ASSERT_INT(generate(client, NULL), KOINE_OK);
    ASSERT_INT(fake.row_count, 1);
    end(client);
}

static void refuses_where_that_is_wanted(void)
{
    const struct koine__store_config strict = {
        .is_wanted = true, .path = "/there", .queue = 4096, .refuses = true};
    koine_client *client = begin(always, 1, &strict);
    koine_error *error = NULL;
    if (!client)
        return;
    fake.status = KOINE_STORE_NO_SPACE;
    ASSERT_INT(generate(client, NULL), KOINE_OK); /* nobody knew */
    ASSERT_INT(generate(client, &error), KOINE_EFAULT);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_REFUSED);
    ASSERT_STR(koine_error_code(error), "store");
    ASSERT_STR(rig_message(error), "the store cannot be written, and store.when_down is refuse");
    ASSERT_INT((long long)koine__replay_count(rig.transport), 1);
    fake.status = KOINE_STORE_OK;
    pass(client, 100);
    ASSERT_INT(koine_process(client), KOINE_OK);
    ASSERT_INT(generate(client, NULL), KOINE_OK);
    ASSERT_INT(fake.row_count, 2);
    end(client);
}

/* ---- Clients ---- */

static void one_client_watches(void)
{
    koine_client *client = begin(always, 1, &usual);
    if (!client)
        return;
    koine_client *other = rig_client(&rig);
    ASSERT_INT(koine_process(client), KOINE_OK);
    ASSERT_INT(koine_process(other), KOINE_OK);
    CU_ASSERT_PTR_EQUAL(rig.hub->books.watcher, &client->keeper);
    koine_client_free(client);
    CU_ASSERT_PTR_NULL(rig.hub->books.watcher);
    ASSERT_INT(koine_process(other), KOINE_OK);
    CU_ASSERT_PTR_EQUAL(rig.hub->books.watcher, &other->keeper);
    end(other);
}

static void a_child_writes_nothing(void)
{
    koine_client *client = begin(always, 1, &usual);
    koine_call *call = NULL;
    int status = 1;
    if (!client)
        return;
    koine_request *request = rig_request(NULL, "Hi");
    ASSERT_INT(koine_start(client, request, &call, NULL), KOINE_OK);
    koine_request_free(request);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        koine_client_free(client);
        koine_hub_free(rig.hub);
        _exit(fake.ops == 0 && fake.closed == 1 ? 0 : 1);
    }
    CU_ASSERT_TRUE(pid > 0 && waitpid(pid, &status, 0) == pid);
    ASSERT_INT(status, 0);
    ASSERT_INT(rig_run(client, call), KOINE_EVENT_STOP);
    koine_call_free(call);
    ASSERT_INT(fake.row_count, 1);
    end(client);
}

/* ---- Opening ---- */

static void opening_says_why_not(void)
{
    koine_error *error = NULL;
    fake = (struct store){.event = -1, .open_status = KOINE_STORE_DAMAGED};
    if (!rig_open(&rig, NULL, 0))
        return;
    const struct koine__store_config config = {
        .is_wanted = true, .path = "/there", .queue = 7, .threadless = true, .busy = 50 * KOINE__MS};
    ASSERT_INT(koine__books_use(&rig.hub->books, &plugin, &config, &error), KOINE_ECONFIG);
    ASSERT_STR(rig_message(error), "store fake: /there: is damaged");
    ASSERT_STR(fake.where, "/there");
    ASSERT_INT(fake.options.threadless, 1);
    ASSERT_INT(fake.options.busy_ms, 50);
    ASSERT_INT(fake.options.queue, 7);
    rig_close(&rig);
    ASSERT_INT(fake.closed, 0);
}

static void expect_no_client(const char *path, const char *value, const char *expected)
{
    koine_client *client = NULL;
    koine_error *error = NULL;
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_INT(koine_hub_set(rig.hub, "store.path", "/nowhere/at/all"), KOINE_OK);
    ASSERT_INT(koine_hub_set(rig.hub, path, value), KOINE_OK);
    ASSERT_INT(koine_client_new(rig.hub, &client, &error), KOINE_ECONFIG);
    const char *message = rig_message(error);
    if (!strstr(message, expected))
        ASSERT_STR(message, expected);
    CU_ASSERT_PTR_NULL(client);
    rig_close(&rig);
}

static void wrong_stores_are_told(void)
{
    expect_no_client("store.plugin", "nothing-of-that-name", "nothing-of-that-name.so");
    expect_no_client("store.when_down", "perhaps", "store.when_down: ");
}

static void without_a_place_there_is_none(void)
{
    koine_error *error = NULL;
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_INT(koine_hub_set(rig.hub, "store", "{}"), KOINE_OK);
    ASSERT_INT(koine_hub_apply(rig.hub, &error), KOINE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_message(error), "set store.path"));
    rig_close(&rig);
}

/* ---- Reports ---- */

static void spending_is_read(void)
{
    koine_client *client = begin(always, 1, &usual);
    koine_spending *spending = NULL;
    koine_error *error = NULL;
    koine_spending_query query = KOINE_SPENDING_QUERY_INIT;
    koine_usage usage = KOINE_USAGE_INIT;
    if (!client)
        return;
    query.by = KOINE_BY_DAY | KOINE_BY_MODEL;
    query.since = 1735732800;
    query.until = 1735732800;
    query.tenant = "acme";
    ASSERT_INT(koine_spending_read(rig.hub, &query, &spending, NULL), KOINE_OK);
    ASSERT_INT(fake.query.by, KOINE_STORE_BY_DAY | KOINE_STORE_BY_MODEL);
    ASSERT_INT(fake.query.since, 20089);
    ASSERT_INT(fake.query.until, 20090);
    ASSERT_INT((long long)koine_spending_count(spending), 1);
    ASSERT_STR(koine_spending_day(spending, 0), "2025-11-28");
    ASSERT_STR(koine_spending_provider(spending, 0), "lab");
    ASSERT_STR(koine_spending_model(spending, 0), "m");
    ASSERT_INT(koine_spending_attempts(spending, 0), 3);
    ASSERT_INT(koine_spending_failed(spending, 0), 1);
    ASSERT_INT(koine_spending_unpriced(spending, 0), 1);
    ASSERT_INT(koine_spending_estimated(spending, 0), 2);
    ASSERT_INT(koine_spending_picodollars(spending, 0), 9007199254740993); /* no double holds that */
    koine_spending_usage(spending, 0, &usage);
    ASSERT_INT(usage.input, 10);
    ASSERT_INT(usage.reasoning, 5);
    ASSERT_STR(koine_spending_model(spending, 1), "");
    koine_spending_free(spending);
    fake.status = KOINE_STORE_DAMAGED;
    ASSERT_INT(koine_spending_read(rig.hub, &query, &spending, &error), KOINE_ESYSTEM);
    ASSERT_STR(rig_message(error), "the store cannot be read: it is damaged");
    fake.status = KOINE_STORE_OK;
    end(client);
}

static void without_a_store_nothing_is_read(void)
{
    koine_spending *spending = NULL;
    koine_error *error = NULL;
    koine_spending_query query = KOINE_SPENDING_QUERY_INIT;
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_INT(koine_spending_read(rig.hub, &query, &spending, &error), KOINE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_message(error), "there is no store"));
    ASSERT_INT(koine_spending_read(rig.hub, NULL, &spending, NULL), KOINE_EARGUMENT);
    rig_close(&rig);
}

/* Whatever allocation fails, the row is written or its loss is told. */
static void survives_failing_allocations(void)
{
    koine_client *client = begin(always, 1, &usual);
    koine_spending *spending = NULL;
    koine_spending_query query = KOINE_SPENDING_QUERY_INIT;
    if (!client)
        return;
    ASSERT_INT(koine_spending_read(rig.hub, &query, &spending, NULL), KOINE_OK);
    koine_spending_free(spending);
    for (long n = 1;; n++) {
        failalloc_begin(n);
        int rc = koine_spending_read(rig.hub, &query, &spending, NULL);
        if (rc == KOINE_OK)
            koine_spending_free(spending);
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
    end(client);
}

SUITE_MAIN("books", {"a row has all that is known", a_row_is_whole},
           {"each attempt has a row", each_attempt_has_one},
           {"so have those of calls and clients that are freed", freed_calls_have_theirs},
           {"what was not sent has none", nothing_sent_no_row},
           {"while the store is down rows wait, and it is asked again ever more seldom", rows_wait},
           {"a store that takes nothing is down", a_full_queue_waits},
           {"what finds no room is lost, and that is told", too_many_are_lost_loudly},
           {"a row that the store refuses keeps no other from being written",
            a_row_that_is_refused_is_no_end},
           {"refuse: what could not be recorded is not sent", refuses_where_that_is_wanted},
           {"one client watches, and another takes over", one_client_watches},
           {"a child after fork writes nothing", a_child_writes_nothing},
           {"opening says why not", opening_says_why_not},
           {"wrong stores are told when the first client is made", wrong_stores_are_told},
           {"a store without a place is refused", without_a_place_there_is_none},
           {"spending is read", spending_is_read},
           {"without a store nothing is read", without_a_store_nothing_is_read},
           {"reading survives failing allocations", survives_failing_allocations})
