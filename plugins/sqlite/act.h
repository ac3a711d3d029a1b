/* act: does jobs, several in one transaction. One thread at a time.
 *
 * A job returns the connection's status: below 0 ends the transaction, and every job of it has then failed.
 * An outcome (refused, not found) stands in its completion and ends nothing. Budgets and sums that a
 * transaction touches are read once, changed here and written at its end: a batch on one budget costs one
 * update of it.
 */
#ifndef KOINE_SQLITE_ACT_H
#define KOINE_SQLITE_ACT_H

#include "plugins/sqlite/db.h"
#include "plugins/sqlite/job.h"

#define ACT_SLOTS 1024
#define BOOT_ID   40

struct budget { /* a row of budgets, as this transaction leaves it */
    struct budget *next, *next_of_name, *next_of_id;
    int64_t id;
    int32_t kind;
    koine_str key, period;
    int64_t limit, spent, reserved, overshot;
    uint32_t slot; /* of its name */
    bool changed;
};

enum {
    COUNT_ATTEMPTS,
    COUNT_FAILED,
    COUNT_TOKENS,
    COUNT_COST = COUNT_TOKENS + KOINE_STORE_BUCKETS,
    COUNT_UNPRICED,
    COUNT_ESTIMATED
};
_Static_assert(COUNT_ESTIMATED + 1 == SUM_COUNT, "the columns of sums");
enum {
    LATENCY_FIRST_TOKEN,
    LATENCY_DURATION,
    LATENCY_KINDS
};

struct sum { /* a row of sums, as this transaction leaves it */
    struct sum *next, *next_of_name;
    uint32_t slot; /* of its name */
    int64_t id;
    int32_t day;
    koine_str tenant, provider, model;
    int64_t counts[SUM_COUNT];
    uint32_t latency[LATENCY_KINDS][KOINE_STORE_LATENCY];
};

struct act {
    struct db *db;
    struct arena arena; /* of the transaction */
    struct budget *budgets, *budgets_by_name[ACT_SLOTS], *budgets_by_id[ACT_SLOTS];
    struct sum *sums, *sums_by_name[ACT_SLOTS];
    char boot[BOOT_ID];   /* which start of this machine: leases of another have run out */
    int64_t generation;   /* of what is kept of settled reservations; 0: not read in this transaction */
    int64_t data_version; /* of the connection: another one writes, where it changes */
    bool is_contended;
};

void act_init(struct act *act, const koine_store_host *host, struct db *db);
void act_release(struct act *act); /* not its connection */
/* Does jobs from the list's start, as many as fit one transaction, and sets their completions. *ret_rest: the
 * first that is not done. */
void act_run(struct act *act, struct job *first, struct job **ret_rest);

/* For the files of the ops. */
int32_t act_no_memory(struct act *act);
int64_t act_add(int64_t a, int64_t b); /* stops at the largest and the smallest number */
uint32_t act_hash(uint32_t hash, koine_str text);
bool act_same(koine_str a, koine_str b);

int32_t ledger_add(struct act *act, const koine_store_row *row, int64_t *ret_id);
int32_t ledger_remove(struct act *act, int64_t id);
void ledger_bind(struct db_row *to, const koine_store_row *row);
bool ledger_read(struct act *act, struct db_row *from, int column, koine_store_row *ret); /* copied */
int32_t ledger_flush(struct act *act);
int32_t ledger_append(struct act *act, struct job *job);
/* A histogram as it is kept: counts of 32 bits, the low byte first, without the zeros at the end. */
size_t ledger_pack_latency(const uint32_t counts[KOINE_STORE_LATENCY], uint8_t ret[4 * KOINE_STORE_LATENCY]);
void ledger_unpack_latency(koine_str bytes, uint32_t ret[KOINE_STORE_LATENCY]);

int32_t budget_flush(struct act *act);
/* *ret is NULL where there is none and none is to be made. */
int32_t budget_find(struct act *act, const koine_store_scope *scope, bool make, struct budget **ret);
int32_t budget_get(struct act *act, int64_t id, struct budget **ret);
int32_t budget_views(struct act *act, struct job *job, struct budget *const *budgets, uint32_t count);
int32_t budget_spent(struct act *act, struct job *job);

int32_t reservation_reserve(struct act *act, struct job *job);
int32_t reservation_settle(struct act *act, struct job *job);
int32_t reservation_renew(struct act *act, struct job *job);
int32_t reservation_recover(struct act *act, struct job *job);

int32_t record_get(struct act *act, struct job *job);
int32_t record_put(struct act *act, struct job *job);
int32_t record_delete(struct act *act, struct job *job);
int32_t record_list(struct act *act, struct job *job);

int32_t report_query(struct act *act, struct job *job);

/* A counter of the table; 0 where it was never set. */
int64_t act_counter(struct act *act, const char *name);
int32_t act_set_counter(struct act *act, const char *name, int64_t value);

#endif
