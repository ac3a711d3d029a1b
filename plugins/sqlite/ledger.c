/* ledger: rows of attempts, and their sums by day, tenant, provider and model, which reports read. */
#include "plugins/sqlite/act.h"

#include <endian.h>
#include <string.h>

/* ---- Rows -------------------------------------------------------------------------------------------- */

static void bind_some(struct db_row *to, int64_t value, bool there)
{
    if (there)
        db_int(to, value);
    else
        db_null(to);
}

void ledger_bind(struct db_row *to, const koine_store_row *row)
{
    const int64_t numbers[] = {row->at, row->day, row->attempt, row->fault, row->status, row->billing};
    const koine_str texts[] = {row->tenant, row->run, row->call, row->target, row->model};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        db_int(to, numbers[i]);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        db_text(to, texts[i]);
    for (size_t i = 0; i < KOINE_STORE_BUCKETS; i++)
        bind_some(to, row->tokens[i], row->tokens[i] >= 0);
    db_int(to, row->estimated);
    db_int(to, row->price);
    bind_some(to, row->cost, row->price != KOINE_STORE_UNPRICED);
    db_text(to, row->price_id);
    db_text(to, row->request_id);
    bind_some(to, row->first_token_us, row->first_token_us >= 0);
    bind_some(to, row->duration_us, row->duration_us >= 0);
}

static int64_t read_some(struct db_row *from, int column)
{
    return db_is_null(from, column) ? -1 : db_get_int(from, column);
}

bool ledger_read(struct act *act, struct db_row *from, int column, koine_store_row *ret)
{
    koine_str *texts[] = {&ret->tenant, &ret->run, &ret->call, &ret->target, &ret->model};
    bool ok = true;
    *ret = (koine_store_row){.size = (uint32_t)sizeof(*ret)};
    ret->at = db_get_int(from, column++);
    int32_t *numbers[] = {&ret->day, &ret->attempt, &ret->fault, &ret->status, &ret->billing};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        *numbers[i] = (int32_t)db_get_int(from, column++);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        ok = arena_text(&act->arena, db_get_text(from, column++), texts[i]) && ok;
    for (size_t i = 0; i < KOINE_STORE_BUCKETS; i++)
        ret->tokens[i] = read_some(from, column++);
    ret->estimated = (uint32_t)db_get_int(from, column++);
    ret->price = (int32_t)db_get_int(from, column++);
    ret->cost = db_get_int(from, column++);
    ok = arena_text(&act->arena, db_get_text(from, column++), &ret->price_id) && ok;
    ok = arena_text(&act->arena, db_get_text(from, column++), &ret->request_id) && ok;
    ret->first_token_us = read_some(from, column++);
    ret->duration_us = read_some(from, column);
    return ok;
}

/* ---- Sums -------------------------------------------------------------------------------------------- */

size_t ledger_pack_latency(const uint32_t counts[KOINE_STORE_LATENCY], uint8_t ret[4 * KOINE_STORE_LATENCY])
{
    size_t len = KOINE_STORE_LATENCY;
    while (len > 0 && counts[len - 1] == 0)
        len--;
    for (size_t i = 0; i < len; i++) {
        uint32_t little = htole32(counts[i]);
        memcpy(ret + 4 * i, &little, 4);
    }
    return 4 * len;
}

void ledger_unpack_latency(koine_str bytes, uint32_t ret[KOINE_STORE_LATENCY])
{
    size_t len = bytes.len / 4 < KOINE_STORE_LATENCY ? bytes.len / 4 : KOINE_STORE_LATENCY;
    memset(ret, 0, KOINE_STORE_LATENCY * sizeof(*ret));
    for (size_t i = 0; i < len; i++) {
        uint32_t little;
        memcpy(&little, bytes.ptr + 4 * i, 4);
        ret[i] = le32toh(little);
    }
}

static void name_sum(const koine_store_row *row, struct sum *ret)
{
    const char *slash = row->target.len ? memchr(row->target.ptr, '/', row->target.len) : NULL;
    size_t len = slash ? (size_t)(slash - row->target.ptr) : row->target.len;
    *ret = (struct sum){.day = row->day, .tenant = row->tenant, .model = row->model};
    ret->provider = (koine_str){row->target.ptr, len};
    if (ret->model.len == 0 && slash)
        ret->model = (koine_str){slash + 1, row->target.len - len - 1};
}

static void bind_name(struct db_row *to, const struct sum *sum)
{
    db_int(to, sum->day);
    db_text(to, sum->tenant);
    db_text(to, sum->provider);
    db_text(to, sum->model);
}

static void load_sum(struct act *act, struct sum *sum)
{
    struct db_row *row = db_take(act->db, SUM_SELECT);
    bind_name(row, sum);
    if (db_next(row)) {
        sum->id = db_get_int(row, 0);
        for (int i = 0; i < SUM_COUNT; i++)
            sum->counts[i] = db_get_int(row, i + 1);
        for (int kind = 0; kind < LATENCY_KINDS; kind++)
            ledger_unpack_latency(db_get_text(row, SUM_COUNT + 1 + kind), sum->latency[kind]);
        db_end(row);
        return;
    }
    row = db_take(act->db, SUM_INSERT);
    bind_name(row, sum);
    db_do(row);
    sum->id = db_last_id(act->db);
}

/* Its texts are the job's, which lives longer than the transaction. NULL: it failed. */
static struct sum *find_sum(struct act *act, const koine_store_row *of)
{
    struct sum name;
    name_sum(of, &name);
    uint32_t hash = act_hash((uint32_t)name.day * 2654435761U, name.model);
    hash = act_hash(act_hash(hash, name.provider), name.tenant) % ACT_SLOTS;
    struct sum **slot = &act->sums_by_name[hash];
    for (struct sum *sum = *slot; sum; sum = sum->next_of_name)
        if (sum->day == name.day && act_same(sum->model, name.model) &&
            act_same(sum->provider, name.provider) && act_same(sum->tenant, name.tenant))
            return sum;
    struct sum *sum = arena_alloc(&act->arena, sizeof(*sum));
    if (!sum) {
        act_no_memory(act);
        return NULL;
    }
    *sum = name;
    sum->slot = hash;
    load_sum(act, sum);
    sum->next_of_name = *slot;
    sum->next = act->sums;
    *slot = act->sums = sum;
    return sum;
}

static uint32_t latency_bucket(int64_t us)
{
    if (us < 4)
        return (uint32_t)us;
    uint32_t e = 63U - (uint32_t)__builtin_clzll((unsigned long long)us);
    uint32_t bucket = 4 * (e - 1) + (uint32_t)(us >> (e - 2)) - 4;
    return bucket < KOINE_STORE_LATENCY ? bucket : KOINE_STORE_LATENCY - 1;
}

static void count_latency(struct sum *sum, int kind, int64_t us, int32_t sign)
{
    if (us < 0)
        return;
    uint32_t *count = &sum->latency[kind][latency_bucket(us)];
    if (sign > 0 ? *count < UINT32_MAX : *count > 0)
        *count += (uint32_t)sign;
}

static void count_row(struct act *act, const koine_store_row *row, int32_t sign)
{
    struct sum *sum = find_sum(act, row);
    if (!sum)
        return;
    int64_t *counts = sum->counts;
    counts[COUNT_ATTEMPTS] += sign;
    counts[COUNT_FAILED] += row->fault != 0 ? sign : 0;
    for (size_t i = 0; i < KOINE_STORE_BUCKETS; i++)
        if (row->tokens[i] > 0)
            counts[COUNT_TOKENS + i] = act_add(counts[COUNT_TOKENS + i], sign * row->tokens[i]);
    if (row->price == KOINE_STORE_PRICED)
        counts[COUNT_COST] = act_add(counts[COUNT_COST], sign * row->cost);
    counts[COUNT_UNPRICED] += row->price == KOINE_STORE_UNPRICED ? sign : 0;
    counts[COUNT_ESTIMATED] += row->billing == KOINE_STORE_BILLING_ESTIMATED ? sign : 0;
    count_latency(sum, LATENCY_FIRST_TOKEN, row->first_token_us, sign);
    count_latency(sum, LATENCY_DURATION, row->duration_us, sign);
}

int32_t ledger_flush(struct act *act)
{
    for (struct sum *sum = act->sums; sum && db_status(act->db) == KOINE_STORE_OK; sum = sum->next) {
        uint8_t packed[LATENCY_KINDS][4 * KOINE_STORE_LATENCY];
        struct db_row *row = db_take(act->db, SUM_UPDATE);
        for (int i = 0; i < SUM_COUNT; i++)
            db_int(row, sum->counts[i]);
        for (int kind = 0; kind < LATENCY_KINDS; kind++)
            db_bytes(row, packed[kind], ledger_pack_latency(sum->latency[kind], packed[kind]));
        db_int(row, sum->id);
        db_do(row);
    }
    return db_status(act->db);
}

/* ---- Ops --------------------------------------------------------------------------------------------- */

int32_t ledger_add(struct act *act, const koine_store_row *row, int64_t *ret_id)
{
    struct db_row *insert = db_take(act->db, ROW_INSERT);
    ledger_bind(insert, row);
    db_do(insert);
    *ret_id = db_last_id(act->db);
    count_row(act, row, 1);
    return db_status(act->db);
}

int32_t ledger_remove(struct act *act, int64_t id)
{
    koine_store_row *old = arena_alloc(&act->arena, sizeof(*old));
    struct db_row *row = db_take(act->db, ROW_SELECT);
    db_int(row, id);
    bool found = db_next(row);
    if (!old || (found && !ledger_read(act, row, 0, old)))
        act_no_memory(act);
    db_end(row);
    if (!found || db_status(act->db) < 0)
        return db_status(act->db);
    count_row(act, old, -1);
    row = db_take(act->db, ROW_DELETE);
    db_int(row, id);
    db_do(row);
    return db_status(act->db);
}

int32_t ledger_append(struct act *act, struct job *job)
{
    const koine_store_append *append = &job->body.append;
    int64_t id;
    for (uint32_t i = 0; i < append->count && db_status(act->db) == KOINE_STORE_OK; i++)
        ledger_add(act, append->rows[i], &id);
    job->done.count = append->count;
    return db_status(act->db);
}
