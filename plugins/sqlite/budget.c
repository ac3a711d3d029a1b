/* budget: what of each is spent and reserved. */
#include "plugins/sqlite/act.h"

static uint32_t name_slot(int32_t kind, koine_str key, koine_str period)
{
    return act_hash(act_hash((uint32_t)kind, key), period) % ACT_SLOTS;
}

static void keep(struct act *act, struct budget *budget)
{
    budget->slot = name_slot(budget->kind, budget->key, budget->period);
    struct budget **name = &act->budgets_by_name[budget->slot];
    struct budget **id = &act->budgets_by_id[(uint64_t)budget->id % ACT_SLOTS];
    budget->next_of_name = *name;
    budget->next_of_id = *id;
    budget->next = act->budgets;
    *name = *id = act->budgets = budget;
}

/* What the statement found, kept for the transaction. NULL: nothing, or it failed. */
static struct budget *load(struct act *act, struct db_row *row)
{
    if (!db_next(row))
        return NULL;
    struct budget *budget = arena_alloc(&act->arena, sizeof(*budget));
    if (!budget || !arena_text(&act->arena, db_get_text(row, 2), &budget->key) ||
        !arena_text(&act->arena, db_get_text(row, 3), &budget->period)) {
        db_end(row);
        act_no_memory(act);
        return NULL;
    }
    budget->id = db_get_int(row, 0);
    budget->kind = (int32_t)db_get_int(row, 1);
    budget->limit = db_get_int(row, 4);
    budget->spent = db_get_int(row, 5);
    budget->reserved = db_get_int(row, 6);
    budget->overshot = db_get_int(row, 7);
    db_end(row);
    keep(act, budget);
    return budget;
}

static void bind_name(struct db_row *row, const koine_store_scope *scope)
{
    db_int(row, scope->kind);
    db_text(row, scope->key);
    db_text(row, scope->period);
}

static struct budget *select_by_name(struct act *act, const koine_store_scope *scope)
{
    struct db_row *row = db_take(act->db, BUDGET_BY_NAME);
    bind_name(row, scope);
    return load(act, row);
}

int32_t budget_find(struct act *act, const koine_store_scope *scope, bool make, struct budget **ret)
{
    struct budget *budget = act->budgets_by_name[name_slot(scope->kind, scope->key, scope->period)];
    while (budget && !(budget->kind == scope->kind && act_same(budget->key, scope->key) &&
                       act_same(budget->period, scope->period)))
        budget = budget->next_of_name;
    if (!budget)
        budget = select_by_name(act, scope);
    if (!budget && make) {
        struct db_row *row = db_take(act->db, BUDGET_INSERT);
        bind_name(row, scope);
        db_int(row, scope->limit);
        db_do(row);
        budget = select_by_name(act, scope);
    }
    *ret = budget;
    return db_status(act->db);
}

int32_t budget_get(struct act *act, int64_t id, struct budget **ret)
{
    struct budget *budget = act->budgets_by_id[(uint64_t)id % ACT_SLOTS];
    while (budget && budget->id != id)
        budget = budget->next_of_id;
    if (!budget) {
        struct db_row *row = db_take(act->db, BUDGET_BY_ID);
        db_int(row, id);
        budget = load(act, row);
    }
    if (!budget)
        db_fail(act->db, KOINE_STORE_DAMAGED, "is damaged: a reservation's budget is missing");
    *ret = budget;
    return db_status(act->db);
}

int32_t budget_flush(struct act *act)
{
    for (struct budget *budget = act->budgets; budget && db_status(act->db) == KOINE_STORE_OK;
         budget = budget->next) {
        if (!budget->changed)
            continue;
        struct db_row *row = db_take(act->db, BUDGET_UPDATE);
        db_int(row, budget->limit);
        db_int(row, budget->spent);
        db_int(row, budget->reserved);
        db_int(row, budget->overshot);
        db_int(row, budget->id);
        db_do(row);
    }
    return db_status(act->db);
}

static bool view(struct job *job, const struct budget *budget, koine_store_view *ret)
{
    *ret = (koine_store_view){.size = (uint32_t)sizeof(*ret),
                              .kind = budget->kind,
                              .limit = budget->limit,
                              .spent = budget->spent,
                              .reserved = budget->reserved,
                              .overshot = budget->overshot};
    return arena_text(&job->arena, budget->key, &ret->key) &&
           arena_text(&job->arena, budget->period, &ret->period);
}

int32_t budget_views(struct act *act, struct job *job, struct budget *const *budgets, uint32_t count)
{
    koine_store_view *views = arena_array(&job->arena, count, sizeof(*views));
    const koine_store_view **list = arena_array(&job->arena, count, sizeof(*list));
    if (!views || !list)
        return act_no_memory(act);
    for (uint32_t i = 0; i < count; i++) {
        if (!view(job, budgets[i], &views[i]))
            return act_no_memory(act);
        list[i] = &views[i];
    }
    job->done.views = list;
    job->done.view_count = count;
    return db_status(act->db);
}

int32_t budget_spent(struct act *act, struct job *job)
{
    const koine_store_spent *spent = &job->body.spent;
    struct budget **budgets = arena_array(&job->arena, spent->count, sizeof(*budgets));
    struct budget *unused = arena_array(&job->arena, spent->count, sizeof(*unused));
    if (!budgets || !unused)
        return act_no_memory(act);
    for (uint32_t i = 0; i < spent->count; i++) {
        if (budget_find(act, spent->scopes[i], false, &budgets[i]) < 0)
            return db_status(act->db);
        unused[i] = (struct budget){
            .kind = spent->scopes[i]->kind, .key = spent->scopes[i]->key, .period = spent->scopes[i]->period};
        if (!budgets[i])
            budgets[i] = &unused[i];
    }
    return budget_views(act, job, budgets, spent->count);
}
