/* report: sums of sums. A report reads a row for each day, tenant, provider and model, never the attempts. */
#include "plugins/sqlite/act.h"

#include <stdlib.h>
#include <string.h>

struct group {
    struct group *next, *next_of_name;
    koine_store_sum sum;
    int64_t counts[SUM_COUNT];
    int64_t latency[LATENCY_KINDS][KOINE_STORE_LATENCY];
};

struct report {
    struct act *act;
    struct job *job;
    struct group *groups, *by_name[ACT_SLOTS];
    uint32_t count;
    bool is_too_large;
};

static void name_of(const koine_store_query *query, struct db_row *row, koine_store_sum *ret)
{
    koine_str empty = {"", 0};
    *ret = (koine_store_sum){.size = (uint32_t)sizeof(*ret)};
    ret->day = query->by & KOINE_STORE_BY_DAY ? (int32_t)db_get_int(row, 1) : 0;
    ret->tenant = query->by & KOINE_STORE_BY_TENANT ? db_get_text(row, 2) : empty;
    ret->provider = query->by & KOINE_STORE_BY_PROVIDER ? db_get_text(row, 3) : empty;
    ret->model = query->by & KOINE_STORE_BY_MODEL ? db_get_text(row, 4) : empty;
}

static struct group *find_group(struct report *report, struct db_row *row)
{
    koine_store_sum name;
    name_of(&report->job->body.query, row, &name);
    uint32_t hash = act_hash((uint32_t)name.day * 2654435761U, name.model);
    hash = act_hash(act_hash(hash, name.provider), name.tenant) % ACT_SLOTS;
    for (struct group *group = report->by_name[hash]; group; group = group->next_of_name)
        if (group->sum.day == name.day && act_same(group->sum.model, name.model) &&
            act_same(group->sum.provider, name.provider) && act_same(group->sum.tenant, name.tenant))
            return group;
    struct arena *arena = &report->job->arena;
    struct group *group = arena_alloc(arena, sizeof(*group));
    if (!group || !arena_text(arena, name.tenant, &name.tenant) ||
        !arena_text(arena, name.provider, &name.provider) || !arena_text(arena, name.model, &name.model))
        return NULL;
    group->sum = name;
    group->next_of_name = report->by_name[hash];
    group->next = report->groups;
    report->by_name[hash] = report->groups = group;
    report->count++;
    return group;
}

static void add_latencies(struct group *group, struct db_row *row)
{
    uint32_t counts[KOINE_STORE_LATENCY];
    for (int kind = 0; kind < LATENCY_KINDS; kind++) {
        ledger_unpack_latency(db_get_text(row, 5 + SUM_COUNT + kind), counts);
        for (int i = 0; i < KOINE_STORE_LATENCY; i++)
            group->latency[kind][i] += counts[i];
    }
}

static void add_row(struct report *report, struct db_row *row)
{
    struct group *group = find_group(report, row);
    if (!group) {
        act_no_memory(report->act);
        return;
    }
    for (int i = 0; i < SUM_COUNT; i++)
        report->is_too_large =
            __builtin_add_overflow(group->counts[i], db_get_int(row, 5 + i), &group->counts[i]) ||
            report->is_too_large;
    add_latencies(group, row);
}

static int compare_texts(koine_str a, koine_str b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.ptr, b.ptr, least) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare(const void *a, const void *b)
{
    const koine_store_sum *const *one = a, *const *other = b;
    int order = ((*one)->day > (*other)->day) - ((*one)->day < (*other)->day);
    if (order == 0)
        order = compare_texts((*one)->tenant, (*other)->tenant);
    if (order == 0)
        order = compare_texts((*one)->provider, (*other)->provider);
    return order ? order : compare_texts((*one)->model, (*other)->model);
}

static void finish_group(struct group *group)
{
    koine_store_sum *sum = &group->sum;
    sum->attempts = group->counts[COUNT_ATTEMPTS];
    sum->failed = group->counts[COUNT_FAILED];
    memcpy(sum->tokens, group->counts + COUNT_TOKENS, sizeof(sum->tokens));
    sum->cost = group->counts[COUNT_COST];
    sum->unpriced = group->counts[COUNT_UNPRICED];
    sum->estimated = group->counts[COUNT_ESTIMATED];
    sum->first_token = group->latency[LATENCY_FIRST_TOKEN];
    sum->duration = group->latency[LATENCY_DURATION];
}

static int32_t finish(struct report *report)
{
    struct job *job = report->job;
    const koine_store_sum **sums = arena_array(&job->arena, report->count, sizeof(*sums));
    uint32_t count = 0;
    if (!sums)
        return act_no_memory(report->act);
    for (struct group *group = report->groups; group; group = group->next) {
        finish_group(group);
        sums[count++] = &group->sum;
    }
    if (count)
        qsort(sums, count, sizeof(*sums), compare);
    job->done.sums = sums;
    job->done.sum_count = count;
    return db_status(report->act->db);
}

static void bind_filter(struct db_row *row, const koine_str *filter)
{
    if (filter)
        db_text(row, *filter);
    else
        db_null(row);
}

int32_t report_query(struct act *act, struct job *job)
{
    struct report report = {.act = act, .job = job};
    const koine_store_query *query = &job->body.query;
    struct db_row *row = db_take(act->db, REPORT);
    db_int(row, query->since);
    db_int(row, query->until);
    bind_filter(row, query->tenant);
    bind_filter(row, query->provider);
    bind_filter(row, query->model);
    while (db_next(row))
        add_row(&report, row);
    db_end(row);
    if (db_status(act->db) < 0)
        return db_status(act->db);
    if (!report.is_too_large)
        return finish(&report);
    job_say(job, KOINE_STORE_INVALID, "a sum of the report is too large for its number");
    return KOINE_STORE_OK;
}
