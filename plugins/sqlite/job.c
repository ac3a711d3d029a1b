/* job: see job.h. */
#include "plugins/sqlite/job.h"

#include <string.h>

#define ROWS_MOST   4096U
#define SCOPES_MOST 16U
#define VIEWS_MOST  256U
#define LIST_MOST   1024U
#define TEXT_MOST   ((size_t)1024)
#define KEY_MOST    ((size_t)256)
#define PERIOD_MOST ((size_t)32)
#define SPACE_MOST  ((size_t)64)
#define VALUE_MOST  ((size_t)1 << 20)

/* The caller's struct in our size: what it does not have is 0. */
#define TAKE(to, from) take((to), sizeof(*(to)), (from))
static void take(void *to, size_t size, const void *from)
{
    uint32_t theirs, ours = (uint32_t)size;
    memcpy(&theirs, from, sizeof(theirs));
    memset(to, 0, size);
    memcpy(to, from, theirs < size ? theirs : size);
    memcpy(to, &ours, sizeof(ours));
}

static int32_t copy_text(struct job *job, koine_str *text, size_t most)
{
    koine_str copy;
    if (text->len > most || (text->len && !text->ptr))
        return KOINE_STORE_INVALID;
    if (!arena_text(&job->arena, *text, &copy))
        return KOINE_STORE_NO_MEMORY;
    *text = copy;
    return KOINE_STORE_OK;
}

static int32_t copy_key(struct job *job, koine_str *text, size_t most)
{
    return text->len ? copy_text(job, text, most) : KOINE_STORE_INVALID;
}

static bool is_amount(int64_t amount)
{
    return amount >= 0 && amount <= AMOUNT_MOST;
}

static int32_t copy_row(struct job *job, const koine_store_row *from, const koine_store_row **ret)
{
    koine_store_row *row = arena_alloc(&job->arena, sizeof(*row));
    if (!row)
        return KOINE_STORE_NO_MEMORY;
    TAKE(row, from);
    if (row->attempt < 1 || (row->price == KOINE_STORE_PRICED && !is_amount(row->cost)))
        return KOINE_STORE_INVALID;
    for (size_t i = 0; i < KOINE_STORE_BUCKETS; i++)
        if (row->tokens[i] > AMOUNT_MOST)
            return KOINE_STORE_INVALID;
    koine_str *texts[] = {&row->tenant, &row->run,      &row->call,      &row->target,
                          &row->model,  &row->price_id, &row->request_id};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int32_t status = copy_text(job, texts[i], TEXT_MOST);
        if (status < 0)
            return status;
    }
    *ret = row;
    return KOINE_STORE_OK;
}

static int32_t copy_rows(struct job *job, uint32_t count, const koine_store_row *const **rows)
{
    if (count > ROWS_MOST || (count && !*rows))
        return KOINE_STORE_INVALID;
    const koine_store_row **copy = arena_array(&job->arena, count, sizeof(*copy));
    if (!copy)
        return KOINE_STORE_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        int32_t status = copy_row(job, (*rows)[i], &copy[i]);
        if (status < 0)
            return status;
    }
    *rows = copy;
    return KOINE_STORE_OK;
}

static int32_t copy_scope(struct job *job, const koine_store_scope *from, const koine_store_scope **ret)
{
    koine_store_scope *scope = arena_alloc(&job->arena, sizeof(*scope));
    if (!scope)
        return KOINE_STORE_NO_MEMORY;
    TAKE(scope, from);
    int32_t status = scope->limit < 0 ? KOINE_STORE_INVALID : copy_text(job, &scope->key, KEY_MOST);
    if (status == KOINE_STORE_OK)
        status = copy_text(job, &scope->period, PERIOD_MOST);
    *ret = scope;
    return status;
}

static int32_t copy_scopes(struct job *job, uint32_t count, uint32_t most,
                           const koine_store_scope *const **scopes)
{
    if (count == 0 || count > most || !*scopes)
        return KOINE_STORE_INVALID;
    const koine_store_scope **copy = arena_array(&job->arena, count, sizeof(*copy));
    if (!copy)
        return KOINE_STORE_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        int32_t status = copy_scope(job, (*scopes)[i], &copy[i]);
        if (status < 0)
            return status;
    }
    *scopes = copy;
    return KOINE_STORE_OK;
}

/* ---- Each kind --------------------------------------------------------------------------------------- */

static int32_t copy_append(struct job *job, const void *body)
{
    koine_store_append *append = &job->body.append;
    TAKE(append, (const koine_store_append *)body);
    return copy_rows(job, append->count, &append->rows);
}

static int32_t copy_reserve(struct job *job, const void *body)
{
    koine_store_reserve *reserve = &job->body.reserve;
    TAKE(reserve, (const koine_store_reserve *)body);
    if (!is_amount(reserve->amount) || reserve->lease_ms < 0 || reserve->lease_ms > AMOUNT_MOST)
        return KOINE_STORE_INVALID;
    int32_t status = copy_scopes(job, reserve->count, SCOPES_MOST, &reserve->scopes);
    if (status == KOINE_STORE_OK && reserve->row)
        status = copy_row(job, reserve->row, &reserve->row);
    return status;
}

static int32_t copy_settle(struct job *job, const void *body)
{
    koine_store_settle *settle = &job->body.settle;
    TAKE(settle, (const koine_store_settle *)body);
    if (job->kind == KOINE_STORE_RELEASE)
        settle->actual = 0;
    if (settle->actual != -1 && !is_amount(settle->actual))
        return KOINE_STORE_INVALID;
    return copy_rows(job, settle->count, &settle->rows);
}

static int32_t copy_renew(struct job *job, const void *body)
{
    koine_store_renew *renew = &job->body.renew;
    TAKE(renew, (const koine_store_renew *)body);
    if (renew->lease_ms < 0 || renew->lease_ms > AMOUNT_MOST || renew->count > ROWS_MOST ||
        (renew->count && !renew->ids))
        return KOINE_STORE_INVALID;
    uint8_t *ids = arena_array(&job->arena, renew->count, KOINE_STORE_ID);
    if (!ids)
        return KOINE_STORE_NO_MEMORY;
    if (renew->count)
        memcpy(ids, renew->ids, (size_t)renew->count * KOINE_STORE_ID);
    renew->ids = ids;
    return KOINE_STORE_OK;
}

static int32_t copy_recover(struct job *job, const void *body)
{
    TAKE(&job->body.recover, (const koine_store_recover *)body);
    return KOINE_STORE_OK;
}

static int32_t copy_named(struct job *job, const void *body)
{
    koine_store_named *named = &job->body.named;
    TAKE(named, (const koine_store_named *)body);
    int32_t status = copy_key(job, &named->space, SPACE_MOST);
    return status == KOINE_STORE_OK ? copy_key(job, &named->key, KEY_MOST) : status;
}

static int32_t copy_put(struct job *job, const void *body)
{
    koine_store_put *put = &job->body.put;
    TAKE(put, (const koine_store_put *)body);
    if (job->kind == KOINE_STORE_DELETE)
        put->value = (koine_str){NULL, 0};
    int32_t status = put->expected < -1 ? KOINE_STORE_INVALID : copy_key(job, &put->space, SPACE_MOST);
    if (status == KOINE_STORE_OK)
        status = copy_key(job, &put->key, KEY_MOST);
    return status == KOINE_STORE_OK ? copy_text(job, &put->value, VALUE_MOST) : status;
}

static int32_t copy_list(struct job *job, const void *body)
{
    koine_store_list *list = &job->body.list;
    TAKE(list, (const koine_store_list *)body);
    if (list->most == 0 || list->most > LIST_MOST)
        return KOINE_STORE_INVALID;
    int32_t status = copy_key(job, &list->space, SPACE_MOST);
    return status == KOINE_STORE_OK ? copy_text(job, &list->after, KEY_MOST) : status;
}

static int32_t copy_filter(struct job *job, const koine_str **filter)
{
    if (!*filter)
        return KOINE_STORE_OK;
    koine_str *copy = arena_alloc(&job->arena, sizeof(*copy));
    if (!copy)
        return KOINE_STORE_NO_MEMORY;
    *copy = **filter;
    *filter = copy;
    return copy_text(job, copy, TEXT_MOST);
}

static int32_t copy_query(struct job *job, const void *body)
{
    koine_store_query *query = &job->body.query;
    TAKE(query, (const koine_store_query *)body);
    int32_t status = copy_filter(job, &query->tenant);
    if (status == KOINE_STORE_OK)
        status = copy_filter(job, &query->provider);
    return status == KOINE_STORE_OK ? copy_filter(job, &query->model) : status;
}

static int32_t copy_spent(struct job *job, const void *body)
{
    koine_store_spent *spent = &job->body.spent;
    TAKE(spent, (const koine_store_spent *)body);
    return copy_scopes(job, spent->count, VIEWS_MOST, &spent->scopes);
}

static const struct {
    int32_t kind;
    int32_t (*copy)(struct job *job, const void *body);
} kinds[] = {
    {KOINE_STORE_APPEND, copy_append}, {KOINE_STORE_RESERVE, copy_reserve},
    {KOINE_STORE_SETTLE, copy_settle}, {KOINE_STORE_RELEASE, copy_settle},
    {KOINE_STORE_RENEW, copy_renew},   {KOINE_STORE_RECOVER, copy_recover},
    {KOINE_STORE_GET, copy_named},     {KOINE_STORE_PUT, copy_put},
    {KOINE_STORE_DELETE, copy_put},    {KOINE_STORE_LIST, copy_list},
    {KOINE_STORE_REPORT, copy_query},  {KOINE_STORE_SPENT, copy_spent},
};

static int32_t copy_body(struct job *job, const void *body)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].kind == job->kind)
            return body ? kinds[i].copy(job, body) : KOINE_STORE_INVALID;
    return KOINE_STORE_UNSUPPORTED;
}

/* ---- The job ----------------------------------------------------------------------------------------- */

int32_t job_new(const koine_store_host *host, const koine_store_op *op, struct job **ret)
{
    struct arena arena;
    koine_store_op own;
    arena_init(&arena, host);
    struct job *job = arena_alloc(&arena, sizeof(*job));
    if (!job)
        return KOINE_STORE_NO_MEMORY;
    TAKE(&own, op);
    job->arena = arena;
    job->kind = job->done.kind = own.kind;
    job->done.tag = own.tag;
    int32_t status = copy_body(job, own.body);
    job_reset(job);
    if (status == KOINE_STORE_OK)
        *ret = job;
    else
        job_free(job);
    return status;
}

void job_free(struct job *job)
{
    struct arena arena = job->arena; /* which holds the job, too */
    arena_release(&arena);
}

uint32_t job_rows(const struct job *job)
{
    if (job->kind == KOINE_STORE_APPEND)
        return job->body.append.count;
    return job->kind == KOINE_STORE_SETTLE || job->kind == KOINE_STORE_RELEASE ? job->body.settle.count : 1;
}

void job_reset(struct job *job)
{
    job->done = (koine_store_done){.size = (uint32_t)sizeof(job->done),
                                   .kind = job->kind,
                                   .tag = job->done.tag,
                                   .message = {"", 0},
                                   .refused = -1};
}

void job_say(struct job *job, int32_t status, const char *message)
{
    job->done.status = status;
    arena_text(&job->arena, (koine_str){message, strlen(message)}, &job->done.message);
}
