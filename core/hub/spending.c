/* spending: what the store has of attempts, summed up, for koine_spending_read. */
#include "core/hub/hub.h"

#include "core/base/str.h"
#include "core/money/ledger.h"

#include <poll.h>
#include <string.h>

#define POLL_MS     50 /* another thread may have taken the completion */
#define DAY_SECONDS 86400

struct line {
    const char *tenant, *provider, *model;
    char day[11];
    int64_t attempts, failed, unpriced, estimated, cost;
    koine_usage usage;
};
struct koine_spending {
    struct koine__arena arena;
    struct line *lines;
    size_t count;
};

struct question { /* on its way to the store; whoever asks waits until `has_ended` */
    struct koine__errand errand;
    koine_spending *ret;
    uint32_t by; /* the answer does not say it again */
    bool is_out_of_memory;
    int32_t status;
    char message[256];
    bool has_ended; /* set last */
};

/* ---- the answer ---- */

static int copy_line(koine_spending *spending, const koine_store_sum *sum, uint32_t by)
{
    struct line *line = &spending->lines[spending->count++];
    struct koine__arena *arena = &spending->arena;
    line->tenant = koine__arena_strndup(arena, sum->tenant.ptr, sum->tenant.len);
    line->provider = koine__arena_strndup(arena, sum->provider.ptr, sum->provider.len);
    line->model = koine__arena_strndup(arena, sum->model.ptr, sum->model.len);
    if (by & KOINE_BY_DAY)
        koine__write_date((int64_t)sum->day * DAY_SECONDS, line->day);
    line->attempts = sum->attempts;
    line->failed = sum->failed;
    line->unpriced = sum->unpriced;
    line->estimated = sum->estimated;
    line->cost = sum->cost;
    line->usage = (koine_usage)KOINE_USAGE_INIT;
    line->usage.input = sum->tokens[KOINE_STORE_INPUT];
    line->usage.cache_read = sum->tokens[KOINE_STORE_CACHE_READ];
    line->usage.cache_write = sum->tokens[KOINE_STORE_CACHE_WRITE];
    line->usage.output = sum->tokens[KOINE_STORE_OUTPUT];
    line->usage.reasoning = sum->tokens[KOINE_STORE_REASONING];
    line->usage.audio_input = sum->tokens[KOINE_STORE_AUDIO_INPUT];
    line->usage.audio_output = sum->tokens[KOINE_STORE_AUDIO_OUTPUT];
    line->usage.image_input = sum->tokens[KOINE_STORE_IMAGE_INPUT];
    return line->tenant && line->provider && line->model ? KOINE_OK : KOINE_EMEMORY;
}

static int copy_sums(koine_spending *spending, const koine_store_done *done, uint32_t by)
{
    int rc = KOINE_OK;
    spending->lines = koine__alloc_array(done->sum_count, sizeof(*spending->lines));
    if (!spending->lines)
        return KOINE_EMEMORY;
    for (uint32_t i = 0; i < done->sum_count && rc == KOINE_OK; i++)
        rc = copy_line(spending, done->sums[i], by);
    return rc;
}

static void on_answer(struct koine__errand *errand, const koine_store_done *done)
{
    struct question *question = (struct question *)errand; /* its first member */
    size_t len =
        done->message.len < sizeof(question->message) ? done->message.len : sizeof(question->message) - 1;
    question->status = done->status;
    if (len > 0)
        memcpy(question->message, done->message.ptr, len);
    question->message[len] = '\0';
    if (done->status == KOINE_STORE_OK)
        question->is_out_of_memory = copy_sums(question->ret, done, question->by) != KOINE_OK;
    __atomic_store_n(&question->has_ended, true, __ATOMIC_RELEASE);
}

/* ---- the question ---- */

static int32_t day_of(int64_t seconds)
{
    int64_t day = seconds / DAY_SECONDS;
    return day > INT32_MAX - 1 ? INT32_MAX - 1 : (int32_t)day;
}

static void wait_for(struct koine__books *books, const struct question *question)
{
    struct pollfd poll_fd = {.fd = books->plugin->descriptor(koine__books_store(books)), .events = POLLIN};
    koine__books_take(books, true);
    while (!__atomic_load_n(&question->has_ended, __ATOMIC_ACQUIRE)) {
        poll(&poll_fd, 1, POLL_MS);
        koine__books_take(books, true);
    }
}

static int ask(struct koine__books *books, const koine_spending_query *query, koine_spending *ret,
               koine_error **ret_error)
{
    struct question question = {.errand = {on_answer}, .ret = ret, .by = query->by};
    koine_str tenant = koine__str(query->tenant), provider = koine__str(query->provider),
              model = koine__str(query->model);
    const koine_store_query body = {
        .size = (uint32_t)sizeof(body),
        .by = query->by,
        .since = query->since < 0 ? INT32_MIN : day_of(query->since),
        .until = query->until < 0 ? INT32_MAX : day_of(query->until) + 1,
        .tenant = query->tenant ? &tenant : NULL,
        .provider = query->provider ? &provider : NULL,
        .model = query->model ? &model : NULL,
    };
    int32_t status = koine__books_submit(books, KOINE_STORE_REPORT, &body, &question.errand);
    if (status == KOINE_STORE_OK) {
        wait_for(books, &question);
        status = question.status;
    }
    if (question.is_out_of_memory || status == KOINE_STORE_NO_MEMORY)
        return koine__error_memory(ret_error);
    if (status == KOINE_STORE_OK)
        return KOINE_OK;
    return koine__error(ret_error, KOINE_ESYSTEM, "the store cannot be read: %s",
                        question.message[0] ? question.message : koine__store_status_name(status));
}

/* What both sides know; the rest is as if nothing had been said. */
static koine_spending_query known(const koine_spending_query *query)
{
    koine_spending_query copy = KOINE_SPENDING_QUERY_INIT;
    memcpy(&copy, query, query->size < sizeof(copy) ? query->size : sizeof(copy));
    return copy;
}

/* A query that no client was made for opens the store itself. */
static int open_books(koine_hub *hub, koine_error **ret_error)
{
    struct koine__snapshot *snapshot;
    int rc = koine__hub_snapshot(hub, &snapshot, ret_error);
    if (rc != KOINE_OK)
        return rc;
    rc = koine__books_open(&hub->books, snapshot, ret_error);
    koine__snapshot_unref(snapshot);
    if (rc == KOINE_OK && !koine__books_store(&hub->books))
        rc = koine__error(
            ret_error, KOINE_ECONFIG,
            "there is no store, so nothing was kept; \"store: {}\" in the configuration makes one");
    return rc;
}

int koine_spending_read(koine_hub *hub, const koine_spending_query *query, koine_spending **ret,
                        koine_error **ret_error)
{
    if (!query || !ret)
        return koine__error(ret_error, KOINE_EARGUMENT, "koine_spending_read: query or ret is NULL");
    koine_spending_query asked = known(query);
    int rc = open_books(hub, ret_error);
    if (rc != KOINE_OK)
        return rc;
    koine_spending *spending = koine__alloc(sizeof(*spending));
    if (!spending)
        return koine__error_memory(ret_error);
    koine__arena_init(&spending->arena, 0);
    rc = ask(&hub->books, &asked, spending, ret_error);
    if (rc == KOINE_OK)
        *ret = spending;
    else
        koine_spending_free(spending);
    return rc;
}

void koine_spending_free(koine_spending *spending)
{
    if (!spending)
        return;
    koine__arena_release(&spending->arena);
    koine__dealloc(spending->lines);
    koine__dealloc(spending);
}

/* ---- getters ---- */

static const struct line *line_of(const koine_spending *spending, size_t index)
{
    static const struct line nothing = {.tenant = "", .provider = "", .model = "", .usage = KOINE_USAGE_INIT};
    return spending && index < spending->count ? &spending->lines[index] : &nothing;
}

size_t koine_spending_count(const koine_spending *spending)
{
    return spending ? spending->count : 0;
}

const char *koine_spending_tenant(const koine_spending *spending, size_t index)
{
    return line_of(spending, index)->tenant;
}

const char *koine_spending_provider(const koine_spending *spending, size_t index)
{
    return line_of(spending, index)->provider;
}

const char *koine_spending_model(const koine_spending *spending, size_t index)
{
    return line_of(spending, index)->model;
}

const char *koine_spending_day(const koine_spending *spending, size_t index)
{
    return line_of(spending, index)->day;
}

int64_t koine_spending_attempts(const koine_spending *spending, size_t index)
{
    return line_of(spending, index)->attempts;
}

int64_t koine_spending_failed(const koine_spending *spending, size_t index)
{
    return line_of(spending, index)->failed;
}

int64_t koine_spending_unpriced(const koine_spending *spending, size_t index)
{
    return line_of(spending, index)->unpriced;
}

int64_t koine_spending_estimated(const koine_spending *spending, size_t index)
{
    return line_of(spending, index)->estimated;
}

int64_t koine_spending_picodollars(const koine_spending *spending, size_t index)
{
    return line_of(spending, index)->cost;
}

void koine_spending_usage(const koine_spending *spending, size_t index, koine_usage *ret)
{
    if (ret)
        koine__usage_copy(&line_of(spending, index)->usage, ret);
}
