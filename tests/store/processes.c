/* processes: several on one store, and some of them killed. Through koine/store.h alone.
 *
 * hammer: processes reserve and settle on one budget as fast as they can, each by a store of its own. Never
 * is more settled than the limit; what each was told is there once. kill: a process appends, reserves and
 * settles with many ops under way, and says through a pipe what was acknowledged; it is killed at a random
 * point. What was acknowledged is there, nothing is there twice, what was reserved is found by recovery, and
 * a live neighbour's reservation is not.
 */
#include "tests/store/harness.h"
#include "tests/unit/suite.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PROCESSES = 4,
    TRIES = 300,
    ROUNDS = 12,
    IN_FLIGHT = 200
};

struct shared { /* between the processes of a test */
    atomic_long settled, refused, asked;
    atomic_long acknowledged_rows, submitted_rows, settled_cost;
};
static struct shared *shared;

static void share(void)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        exit(EXIT_FAILURE);
}

/* ---- Hammering --------------------------------------------------------------------------------------- */

static void hammer(struct harness *harness, uint64_t process)
{
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 1000);
    const koine_store_scope *scopes[] = {&tenant};
    koine_store_row row = row_of("acme", "together/large", 2);
    if (harness_open(harness, process % 2 == 1, 30000) < 0)
        _exit(1);
    for (uint64_t n = 0; n < TRIES; n++) {
        uint64_t id = process << 32 | n;
        const koine_store_done *done = reserve(harness, id, 3, 3600000, scopes, 1);
        if (done->status < 0 || done->views[0]->spent + done->views[0]->reserved > 1000)
            _exit(2);
        if (done->status == KOINE_STORE_REFUSED) {
            atomic_fetch_add(&shared->refused, 1);
            continue;
        }
        done = settle(harness, id, 2, &row);
        if (done->status != KOINE_STORE_OK || done->repeated)
            _exit(3);
        atomic_fetch_add(&shared->settled, 2);
    }
    harness_close(harness);
    _exit(0);
}

static void a_budget_is_never_overspent(void)
{
    struct harness harness;
    pid_t children[PROCESSES];
    share();
    harness_prepare(&harness);
    fflush(stdout);
    for (uint64_t i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            hammer(&harness, i + 1);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        ASSERT_INT(status, 0);
    }
    ASSERT_INT(harness_open(&harness, false, 0), KOINE_STORE_OK);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 1000);
    const koine_store_view *view = spent(&harness, &tenant)->views[0];
    ASSERT_INT(view->spent, atomic_load(&shared->settled));
    ASSERT_INT(view->reserved, 0);
    CU_ASSERT(view->spent <= 1000 && view->spent >= 990); /* it was enough for 300, and 1200 were asked */
    CU_ASSERT(atomic_load(&shared->refused) > 0);
    ASSERT_INT(report(&harness, 0)->sums[0]->cost, view->spent);
    harness_end(&harness);
}

/* ---- Killing ----------------------------------------------------------------------------------------- */

static void submit_append(struct harness *harness)
{
    koine_store_row row = row_of("acme", "together/large", 7);
    const koine_store_row *rows[] = {&row, &row, &row};
    koine_store_append append = {(uint32_t)sizeof(append), 3, rows};
    atomic_fetch_add(&shared->submitted_rows, 3);
    harness_submit(harness, KOINE_STORE_APPEND, &append);
}

static void submit_reserve(struct harness *harness, uint64_t id)
{
    koine_store_scope run = scope_of(KOINE_STORE_RUN, "r", INT64_MAX);
    const koine_store_scope *scopes[] = {&run};
    koine_store_row row = row_of("dead", "together/large", 0);
    koine_store_reserve body = {.size = (uint32_t)sizeof(body), .count = 1, .amount = 11, .scopes = scopes};
    id_of(body.id, 1, id);
    body.row = &row; /* its lease has run out at once: nobody renews for the dead */
    atomic_fetch_add(&shared->asked, 1);
    harness_submit(harness, KOINE_STORE_RESERVE, &body);
}

static void submit_settle(struct harness *harness, uint64_t id)
{
    koine_store_row row = row_of("dead", "together/large", 5);
    const koine_store_row *rows[] = {&row};
    koine_store_settle body = {.size = (uint32_t)sizeof(body), .count = 1, .actual = 5, .rows = rows};
    id_of(body.id, 1, id);
    harness_submit(harness, KOINE_STORE_SETTLE, &body);
}

/* Until it is killed. */
static void live(struct harness *harness, uint64_t round)
{
    uint64_t reserved = round << 32, settled = reserved;
    int under_way = 0;
    if (harness_open(harness, false, 30000) < 0)
        _exit(1);
    for (;;) {
        for (; under_way < IN_FLIGHT; under_way += 2) {
            submit_append(harness);
            submit_reserve(harness, reserved++);
        }
        const koine_store_done *done = harness_reap(harness);
        if (done->status < 0)
            _exit(2);
        under_way--;
        if (done->kind == KOINE_STORE_APPEND)
            atomic_fetch_add(&shared->acknowledged_rows, 3);
        else if (done->kind == KOINE_STORE_SETTLE)
            atomic_fetch_add(&shared->settled_cost, 5);
        else if (settled % 3 == 0)
            settled++; /* nobody settles this one */
        else {
            submit_settle(harness, settled++);
            under_way++;
        }
    }
}

static void kill_one(struct harness *harness, uint64_t round)
{
    struct timespec nap = {0, 3000000 + (long)(round * 7919 % 23) * 1000000};
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        live(harness, round);
    while (atomic_load(&shared->acknowledged_rows) < (long)round * 30 &&
           waitpid(child, &status, WNOHANG) == 0)
        nanosleep(&nap, NULL);
    kill(child, SIGKILL);
    if (status == 0)
        waitpid(child, &status, 0);
    CU_ASSERT(WIFSIGNALED(status));
}

static const koine_store_sum *sum_of(struct harness *harness, const char *tenant)
{
    koine_str name = text(tenant);
    koine_store_query query = {.size = (uint32_t)sizeof(query), .until = INT32_MAX, .tenant = &name};
    const koine_store_done *done = harness_do(harness, KOINE_STORE_REPORT, &query);
    return done->sum_count ? done->sums[0] : NULL;
}

static void recover_all(struct harness *harness)
{
    koine_store_recover body = {(uint32_t)sizeof(body), 0};
    while (harness_do(harness, KOINE_STORE_RECOVER, &body)->count > 0)
        ;
}

static void a_kill_loses_nothing_that_was_acknowledged(void)
{
    struct harness harness;
    share();
    harness_prepare(&harness);
    ASSERT_INT(harness_open(&harness, false, 30000), KOINE_STORE_OK); /* the neighbour */
    koine_store_scope run = scope_of(KOINE_STORE_RUN, "r", INT64_MAX);
    const koine_store_scope *scopes[] = {&run};
    reserve(&harness, 1, 1000, 3600000, scopes, 1);
    for (uint64_t round = 1; round <= ROUNDS; round++)
        kill_one(&harness, round);
    const koine_store_sum *rows = sum_of(&harness, "acme");
    CU_ASSERT(rows && rows->attempts >= atomic_load(&shared->acknowledged_rows));
    CU_ASSERT(rows && rows->attempts <= atomic_load(&shared->submitted_rows));
    ASSERT_INT(rows->attempts % 3, 0); /* no half of an op */
    ASSERT_INT(rows->cost, rows->attempts * 7);
    recover_all(&harness);
    const koine_store_sum *dead = sum_of(&harness, "dead");
    int64_t dead_cost = dead->cost, billed = dead->attempts - dead->estimated, left = dead->estimated;
    ASSERT_INT(dead_cost, billed * 5 + left * 11);
    CU_ASSERT(left > 0);
    CU_ASSERT(billed * 5 >= atomic_load(&shared->settled_cost));
    CU_ASSERT(dead->attempts <= atomic_load(&shared->asked));
    const koine_store_view *view = spent(&harness, &run)->views[0];
    ASSERT_INT(view->spent, dead_cost);
    ASSERT_INT(view->reserved, 1000); /* the neighbour's */
    ASSERT_INT(settle(&harness, 1, 1000, NULL)->status, KOINE_STORE_OK);
    harness_end(&harness);
}

SUITE_MAIN("store_processes", {"a budget is never overspent", a_budget_is_never_overspent},
           {"a kill loses nothing that was acknowledged", a_kill_loses_nothing_that_was_acknowledged})
