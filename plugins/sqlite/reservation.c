/* reservation: an attempt's worst case, set aside in each of its budgets until the truth is known.
 *
 * What has ended is remembered for a day at least, in generations: a new one begins with each day that the
 * clock shows, and all but the last two are forgotten. So a clock that jumps costs memory of them, no money.
 */
#include "plugins/sqlite/act.h"

#include <string.h>
#include <time.h>

#define SCOPES_MOST     16
#define RECOVER_AT_ONCE 256U
#define DAY_SECONDS     86400

enum {
    OUTCOME_SETTLED = 1,
    OUTCOME_RELEASED = 2,
    OUTCOME_RECOVERED = 3
};

struct reservation {
    int64_t amount;
    uint32_t count;
    struct budget *budgets[SCOPES_MOST];
    koine_str ids; /* of the budgets, as they are kept */
    /* Of one that has ended: */
    int64_t generation, row;
    int outcome;
};

/* ---- Time -------------------------------------------------------------------------------------------- */

/* Since the machine was started, asleep or not; nobody can set it. All who share the file share the machine.
 */
static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static koine_str boot(const struct act *act)
{
    return (koine_str){act->boot, strlen(act->boot)};
}

static int64_t generation(struct act *act)
{
    int64_t today = time(NULL) / DAY_SECONDS;
    if (act->generation)
        return act->generation;
    act->generation = act_counter(act, "generation");
    if (act->generation && act_counter(act, "generation_day") == today)
        return act->generation;
    act->generation++;
    act_set_counter(act, "generation", act->generation);
    act_set_counter(act, "generation_day", today);
    return act->generation;
}

/* ---- Looking up -------------------------------------------------------------------------------------- */

static int32_t load_budgets(struct act *act, koine_str ids, struct reservation *ret)
{
    int64_t id;
    ret->count = (uint32_t)(ids.len / sizeof(id));
    if (ids.len % sizeof(id) != 0 || ret->count > SCOPES_MOST)
        return db_fail(act->db, KOINE_STORE_DAMAGED, "is damaged: a reservation has no budgets");
    for (uint32_t i = 0; i < ret->count; i++) {
        memcpy(&id, ids.ptr + i * sizeof(id), sizeof(id));
        if (budget_get(act, id, &ret->budgets[i]) < 0)
            return db_status(act->db);
    }
    return db_status(act->db);
}

/* Whether it is there and has not ended. `row`: also what recovery is to write; NULL: not asked. */
static bool find_live(struct act *act, const uint8_t *id, struct reservation *ret, koine_store_row *row)
{
    struct db_row *select = db_take(act->db, RESERVATION_SELECT);
    db_bytes(select, id, KOINE_STORE_ID);
    if (!db_next(select))
        return false;
    *ret = (struct reservation){.amount = db_get_int(select, 0)};
    bool copied = arena_text(&act->arena, db_get_text(select, 1), &ret->ids);
    if (row)
        copied = ledger_read(act, select, 2, row) && copied;
    db_end(select);
    if (!copied)
        act_no_memory(act);
    else
        load_budgets(act, ret->ids, ret);
    return true;
}

static bool find_ended(struct act *act, const uint8_t *id, struct reservation *ret)
{
    struct db_row *select = db_take(act->db, SETTLED_SELECT);
    db_int(select, generation(act));
    select = db_status(act->db) < 0 ? NULL : select;
    db_bytes(select, id, KOINE_STORE_ID);
    if (!db_next(select))
        return false;
    *ret = (struct reservation){.generation = db_get_int(select, 0),
                                .outcome = (int)db_get_int(select, 1),
                                .amount = db_get_int(select, 2),
                                .row = db_get_int(select, 3)};
    bool copied = arena_text(&act->arena, db_get_text(select, 4), &ret->ids);
    db_end(select);
    if (!copied)
        act_no_memory(act);
    else
        load_budgets(act, ret->ids, ret);
    return true;
}

/* One statement for what is nearly always asked in vain: whether an id was used before. */
static bool is_known(struct act *act, const uint8_t *id)
{
    int64_t now = generation(act);
    struct db_row *select = db_take(act->db, RESERVATION_KNOWN);
    db_bytes(select, id, KOINE_STORE_ID);
    db_int(select, now);
    bool known = db_next(select);
    db_end(select);
    return known;
}

/* ---- Reserving --------------------------------------------------------------------------------------- */

static bool fits(const struct budget *budget, int64_t amount)
{
    int64_t sum;
    return !__builtin_add_overflow(budget->spent, budget->reserved, &sum) &&
           !__builtin_add_overflow(sum, amount, &sum) && sum <= budget->limit;
}

static bool is_twice(const struct reservation *reservation)
{
    for (uint32_t i = 1; i < reservation->count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (reservation->budgets[i] == reservation->budgets[j])
                return true;
    return false;
}

static void insert(struct act *act, const koine_store_reserve *reserve, const struct reservation *reservation)
{
    static const koine_store_row none = {.size = (uint32_t)sizeof(none)};
    int64_t ids[SCOPES_MOST];
    for (uint32_t i = 0; i < reservation->count; i++)
        ids[i] = reservation->budgets[i]->id;
    struct db_row *row = db_take(act->db, RESERVATION_INSERT);
    db_bytes(row, reserve->id, KOINE_STORE_ID);
    db_bytes(row, reserve->owner, KOINE_STORE_ID);
    db_int(row, reserve->amount);
    db_text(row, boot(act));
    db_int(row, act_add(now_ms(), reserve->lease_ms));
    db_bytes(row, ids, reservation->count * sizeof(ids[0]));
    ledger_bind(row, reserve->row ? reserve->row : &none);
    db_do(row);
}

static int32_t find_budgets(struct act *act, const koine_store_reserve *reserve, struct reservation *ret)
{
    *ret = (struct reservation){.amount = reserve->amount, .count = reserve->count};
    for (uint32_t i = 0; i < reserve->count; i++) {
        if (budget_find(act, reserve->scopes[i], true, &ret->budgets[i]) < 0)
            return db_status(act->db);
        ret->budgets[i]->changed |= ret->budgets[i]->limit != reserve->scopes[i]->limit;
        ret->budgets[i]->limit = reserve->scopes[i]->limit;
    }
    return db_status(act->db);
}

static int32_t reserve_new(struct act *act, struct job *job)
{
    const koine_store_reserve *reserve = &job->body.reserve;
    struct reservation reservation;
    if (find_budgets(act, reserve, &reservation) < 0)
        return db_status(act->db);
    if (is_twice(&reservation)) {
        job_say(job, KOINE_STORE_INVALID, "a budget is named twice in one reservation");
        return KOINE_STORE_OK;
    }
    for (uint32_t i = 0; i < reservation.count; i++) {
        if (!reserve->scopes[i]->hard || fits(reservation.budgets[i], reserve->amount))
            continue;
        job_say(job, KOINE_STORE_REFUSED, "a budget has not enough left");
        job->done.refused = (int32_t)i;
        return budget_views(act, job, reservation.budgets, reservation.count);
    }
    for (uint32_t i = 0; i < reservation.count; i++) {
        reservation.budgets[i]->reserved = act_add(reservation.budgets[i]->reserved, reserve->amount);
        reservation.budgets[i]->changed = true;
    }
    insert(act, reserve, &reservation);
    return budget_views(act, job, reservation.budgets, reservation.count);
}

int32_t reservation_reserve(struct act *act, struct job *job)
{
    struct reservation reservation;
    bool known = is_known(act, job->body.reserve.id);
    if (db_status(act->db) < 0)
        return db_status(act->db);
    if (!known)
        return reserve_new(act, job);
    if (find_live(act, job->body.reserve.id, &reservation, NULL)) {
        job->done.repeated = 1;
        return db_status(act->db) < 0 ? db_status(act->db)
                                      : budget_views(act, job, reservation.budgets, reservation.count);
    }
    job_say(job, KOINE_STORE_CONFLICT, "this reservation has ended");
    return db_status(act->db);
}

/* ---- Settling ---------------------------------------------------------------------------------------- */

static void spend(const struct reservation *reservation, int64_t held, int64_t actual)
{
    for (uint32_t i = 0; i < reservation->count; i++) {
        struct budget *budget = reservation->budgets[i];
        budget->reserved = act_add(budget->reserved, -held);
        budget->spent = act_add(budget->spent, actual);
        budget->changed = true;
    }
}

static void overshoot(const struct reservation *reservation, int64_t actual)
{
    for (uint32_t i = 0; i < reservation->count && actual > reservation->amount; i++)
        reservation->budgets[i]->overshot =
            act_add(reservation->budgets[i]->overshot, actual - reservation->amount);
}

static void end_live(struct act *act, const uint8_t *id, const struct reservation *reservation, int outcome,
                     int64_t row_id)
{
    struct db_row *row = db_take(act->db, RESERVATION_DELETE);
    db_bytes(row, id, KOINE_STORE_ID);
    db_do(row);
    int64_t now = generation(act);
    row = db_take(act->db, SETTLED_INSERT);
    db_int(row, now);
    db_bytes(row, id, KOINE_STORE_ID);
    db_int(row, outcome);
    db_int(row, reservation->amount);
    db_int(row, row_id);
    db_text(row, reservation->ids);
    db_do(row);
}

static void write_rows(struct act *act, const koine_store_settle *settle)
{
    int64_t id;
    for (uint32_t i = 0; i < settle->count && db_status(act->db) == KOINE_STORE_OK; i++)
        ledger_add(act, settle->rows[i], &id);
}

/* Recovery was first: the truth takes the place of its estimate. */
static void correct(struct act *act, const koine_store_settle *settle, const struct reservation *reservation,
                    int64_t actual, int outcome)
{
    spend(reservation, 0, actual - reservation->amount);
    overshoot(reservation, actual);
    if (reservation->row)
        ledger_remove(act, reservation->row);
    struct db_row *row = db_take(act->db, SETTLED_UPDATE);
    db_int(row, outcome);
    db_int(row, reservation->generation);
    db_bytes(row, settle->id, KOINE_STORE_ID);
    db_do(row);
    write_rows(act, settle);
}

int32_t reservation_settle(struct act *act, struct job *job)
{
    const koine_store_settle *settle = &job->body.settle;
    int outcome = job->kind == KOINE_STORE_RELEASE ? OUTCOME_RELEASED : OUTCOME_SETTLED;
    struct reservation reservation;
    bool live = find_live(act, settle->id, &reservation, NULL);
    if (!live && !find_ended(act, settle->id, &reservation)) {
        job_say(job, KOINE_STORE_NOT_FOUND, "there is no such reservation");
        return db_status(act->db);
    }
    if (db_status(act->db) < 0)
        return db_status(act->db);
    int64_t actual = settle->actual < 0 ? reservation.amount : settle->actual;
    if (live) {
        spend(&reservation, reservation.amount, actual);
        overshoot(&reservation, actual);
        end_live(act, settle->id, &reservation, outcome, 0);
        write_rows(act, settle);
    } else if (reservation.outcome == OUTCOME_RECOVERED) {
        correct(act, settle, &reservation, actual, outcome);
    } else {
        job->done.repeated = 1;
    }
    return db_status(act->db) < 0 ? db_status(act->db)
                                  : budget_views(act, job, reservation.budgets, reservation.count);
}

/* ---- Leases ------------------------------------------------------------------------------------------ */

static int64_t renew_one(struct act *act, const koine_store_renew *renew, int64_t lease, const uint8_t *id)
{
    struct db_row *row = db_take(act->db, id ? RESERVATION_RENEW : RESERVATION_RENEW_ALL);
    db_text(row, boot(act));
    db_int(row, lease);
    if (id)
        db_bytes(row, id, KOINE_STORE_ID);
    db_bytes(row, renew->owner, KOINE_STORE_ID);
    db_do(row);
    return db_changes(act->db);
}

int32_t reservation_renew(struct act *act, struct job *job)
{
    const koine_store_renew *renew = &job->body.renew;
    int64_t lease = act_add(now_ms(), renew->lease_ms);
    if (renew->count == 0)
        job->done.count = renew_one(act, renew, lease, NULL);
    for (uint32_t i = 0; i < renew->count; i++)
        job->done.count += renew_one(act, renew, lease, renew->ids + (size_t)i * KOINE_STORE_ID);
    return db_status(act->db);
}

static void recover_one(struct act *act, const uint8_t *id)
{
    struct reservation reservation;
    int64_t row_id = 0;
    koine_store_row *row = arena_alloc(&act->arena, sizeof(*row));
    if (!row) {
        act_no_memory(act);
        return;
    }
    if (!find_live(act, id, &reservation, row) || db_status(act->db) < 0)
        return;
    if (row->attempt > 0) {
        row->billing = KOINE_STORE_BILLING_ESTIMATED;
        row->price = KOINE_STORE_PRICED;
        row->cost = reservation.amount;
        ledger_add(act, row, &row_id);
    }
    spend(&reservation, reservation.amount, reservation.amount);
    end_live(act, id, &reservation, OUTCOME_RECOVERED, row_id);
}

/* Ids of those whose lease has run out: found first, for they are changed afterwards. */
static uint8_t *run_out(struct act *act, uint32_t most, uint32_t *ret_count)
{
    uint8_t *ids = arena_array(&act->arena, most, KOINE_STORE_ID);
    struct db_row *row = db_take(act->db, RESERVATION_RUN_OUT);
    *ret_count = 0;
    if (!ids) {
        act_no_memory(act);
        return NULL;
    }
    db_text(row, boot(act));
    db_int(row, now_ms());
    db_int(row, most);
    while (db_next(row)) {
        koine_str id = db_get_text(row, 0);
        if (id.len != KOINE_STORE_ID)
            db_fail(act->db, KOINE_STORE_DAMAGED, "is damaged: a reservation has no id");
        else
            memcpy(ids + (size_t)(*ret_count)++ * KOINE_STORE_ID, id.ptr, KOINE_STORE_ID);
    }
    db_end(row);
    return ids;
}

static void purge(struct act *act)
{
    int64_t now = generation(act);
    struct db_row *row = db_take(act->db, SETTLED_PURGE);
    db_int(row, now - 1);
    db_do(row);
}

int32_t reservation_recover(struct act *act, struct job *job)
{
    uint32_t count, most = job->body.recover.most;
    if (most == 0 || most > RECOVER_AT_ONCE)
        most = RECOVER_AT_ONCE;
    const uint8_t *ids = run_out(act, most, &count);
    for (uint32_t i = 0; i < count && db_status(act->db) == KOINE_STORE_OK; i++)
        recover_one(act, ids + (size_t)i * KOINE_STORE_ID);
    job->done.count = count;
    purge(act);
    return db_status(act->db);
}
