/* act: see act.h. Here is what all ops share: the transaction. */
#include "plugins/sqlite/act.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH_ROWS 8192U
#define BATCH_NS   INT64_C(20000000) /* others wait for the lock meanwhile */

static const struct {
    int32_t kind;
    bool reads; /* writes nothing */
    int32_t (*run)(struct act *act, struct job *job);
} ops[] = {
    {KOINE_STORE_APPEND, false, ledger_append},
    {KOINE_STORE_RESERVE, false, reservation_reserve},
    {KOINE_STORE_SETTLE, false, reservation_settle},
    {KOINE_STORE_RELEASE, false, reservation_settle},
    {KOINE_STORE_RENEW, false, reservation_renew},
    {KOINE_STORE_RECOVER, false, reservation_recover},
    {KOINE_STORE_GET, true, record_get},
    {KOINE_STORE_PUT, false, record_put},
    {KOINE_STORE_DELETE, false, record_delete},
    {KOINE_STORE_LIST, true, record_list},
    {KOINE_STORE_REPORT, true, report_query},
    {KOINE_STORE_SPENT, true, budget_spent},
};

static size_t op_of(const struct job *job)
{
    size_t i = 0;
    while (ops[i].kind != job->kind) /* job_new lets no other pass */
        i++;
    return i;
}

/* ---- Small things ------------------------------------------------------------------------------------ */

int32_t act_no_memory(struct act *act)
{
    return db_fail(act->db, KOINE_STORE_NO_MEMORY, "no memory");
}

int64_t act_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

uint32_t act_hash(uint32_t hash, koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * 16777619U;
    return (hash ^ 0xFFU) * 16777619U; /* where one text ends */
}

bool act_same(koine_str a, koine_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int64_t act_counter(struct act *act, const char *name)
{
    struct db_row *row = db_take(act->db, COUNTER_GET);
    db_text(row, (koine_str){name, strlen(name)});
    int64_t value = db_next(row) ? db_get_int(row, 0) : 0;
    db_end(row);
    return value;
}

int32_t act_set_counter(struct act *act, const char *name, int64_t value)
{
    struct db_row *row = db_take(act->db, COUNTER_SET);
    db_text(row, (koine_str){name, strlen(name)});
    db_int(row, value);
    db_do(row);
    return db_status(act->db);
}

/* ---- Its life ---------------------------------------------------------------------------------------- */

void act_init(struct act *act, const koine_store_host *host, struct db *db)
{
    *act = (struct act){.db = db};
    arena_init(&act->arena, host);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, act->boot, sizeof(act->boot) - 1) : 0;
    if (fd >= 0)
        close(fd);
    if (len > 0 && act->boot[len - 1] == '\n')
        act->boot[len - 1] = '\0';
}

/* Only what was used is cleared: most transactions touch few of each. */
static void forget(struct act *act)
{
    for (struct budget *budget = act->budgets; budget; budget = budget->next) {
        act->budgets_by_name[budget->slot] = NULL;
        act->budgets_by_id[(uint64_t)budget->id % ACT_SLOTS] = NULL;
    }
    for (struct sum *sum = act->sums; sum; sum = sum->next)
        act->sums_by_name[sum->slot] = NULL;
    act->budgets = NULL;
    act->sums = NULL;
    act->generation = 0;
    arena_release(&act->arena);
}

void act_release(struct act *act)
{
    forget(act);
}

/* ---- The transaction --------------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The first job that is not to be in one transaction with the first: a report has one of its own, which
 * locks nothing. */
static struct job *batch_end(struct job *first, bool *ret_writes)
{
    uint32_t rows = 0;
    *ret_writes = false;
    for (struct job *job = first; job; job = job->next) {
        uint32_t more = job_rows(job);
        if (job != first && (job->kind == KOINE_STORE_REPORT || rows + more > BATCH_ROWS))
            return job;
        rows += more;
        *ret_writes = *ret_writes || !ops[op_of(job)].reads;
        if (job->kind == KOINE_STORE_REPORT)
            return job->next;
    }
    return NULL;
}

static struct job *run_until(struct act *act, struct job *first, struct job *end)
{
    int64_t stop = now_ns() + BATCH_NS;
    struct job *job = first;
    while (job != end && (job == first || now_ns() < stop)) {
        if (ops[op_of(job)].run(act, job) < 0)
            return end;
        job = job->next;
    }
    return job;
}

static void look_for_others(struct act *act)
{
    struct db_row *row = db_take(act->db, DATA_VERSION);
    int64_t version = db_next(row) ? db_get_int(row, 0) : 0;
    db_end(row);
    act->is_contended = act->data_version && version != act->data_version;
    act->data_version = version;
}

static void all_failed(struct act *act, struct job *first, struct job *end)
{
    db_roll_back(act->db);
    for (struct job *job = first; job != end; job = job->next) {
        job_reset(job);
        job_say(job, db_status(act->db), db_why(act->db));
    }
    db_clear(act->db);
}

void act_run(struct act *act, struct job *first, struct job **ret_rest)
{
    bool writes;
    struct job *end = batch_end(first, &writes), *tried = end;
    db_do(db_take(act->db, writes ? BEGIN_WRITE : BEGIN_READ));
    if (db_status(act->db) == KOINE_STORE_OK)
        end = run_until(act, first, tried);
    budget_flush(act);
    ledger_flush(act);
    if (writes)
        look_for_others(act);
    db_do(db_take(act->db, COMMIT));
    if (db_status(act->db) < 0)
        all_failed(act, first, end);
    forget(act);
    *ret_rest = end;
}
