/* Budgets: reserved before, settled after, together or not at all, by any number of threads. */
#include "core/money/budget.h"

#include "core/base/str.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CENT    INT64_C(10000000000)
#define THREADS 8
#define ROUNDS  20000
#define STEPS   20000
#define OPEN    64 /* reservations that the property test holds at most */

static struct koine__purse *purse_of(int64_t call, struct koine__budget *run)
{
    struct koine__budget_config config = {.call = call, .run = run ? run->limit : -1};
    struct koine__purse *purse = koine__purse_new(&config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(purse);
    if (run)
        koine__purse_add(purse, run);
    return purse;
}

static void is(struct koine__budget *budget, int64_t spent, int64_t reserved)
{
    struct koine__budget_view view;
    koine__budget_look(budget, &view);
    ASSERT_INT(view.spent, spent);
    ASSERT_INT(view.reserved, reserved);
}

static void to_the_picodollar(void)
{
    struct koine__budget run;
    struct koine__budget_view refused;
    koine__budget_init(&run, "run", 100);
    struct koine__purse *purse = purse_of(-1, &run);
    CU_ASSERT(koine__purse_reserve(purse, 60, &refused));
    CU_ASSERT_FALSE(koine__purse_reserve(purse, 41, &refused));
    ASSERT_STR(refused.scope, "run");
    ASSERT_INT(refused.limit, 100);
    ASSERT_INT(refused.reserved, 60);
    ASSERT_INT(koine__budget_left(&refused), 40);
    CU_ASSERT(koine__purse_reserve(purse, 40, &refused));
    CU_ASSERT(koine__purse_reserve(purse, 0, &refused)); /* what costs nothing always may */
    is(&run, 0, 100);
    koine__purse_settle(purse, 60, 10);
    is(&run, 10, 40);
    koine__purse_cancel(purse, 40);
    is(&run, 10, 0);
    CU_ASSERT(koine__purse_reserve(purse, 90, &refused));
    koine__purse_settle(purse, 90, 95);
    struct koine__budget_view view;
    koine__budget_look(&run, &view);
    ASSERT_INT(view.spent, 105);
    ASSERT_INT(view.overshot, 5);
    ASSERT_INT(koine__budget_left(&view), 0);
    CU_ASSERT_FALSE(koine__purse_reserve(purse, 0, &refused)); /* it is overspent already */
    koine__budget_set_limit(&run, 110);
    CU_ASSERT(koine__purse_reserve(purse, 5, &refused));
    koine__purse_cancel(purse, 5);
    koine__purse_free(purse);
    koine__budget_release(&run);
}

static void nothing_overflows(void)
{
    struct koine__budget run;
    struct koine__budget_view view;
    koine__budget_init(&run, "run", INT64_MAX);
    struct koine__purse *purse = purse_of(-1, &run);
    CU_ASSERT(koine__purse_reserve(purse, INT64_MAX - 1, &view));
    CU_ASSERT_FALSE(koine__purse_reserve(purse, 2, &view));
    CU_ASSERT_FALSE(koine__purse_reserve(purse, INT64_MAX, &view));
    ASSERT_INT(koine__budget_left(&view), 1);
    koine__purse_settle(purse, INT64_MAX - 1, INT64_MAX);
    CU_ASSERT(koine__purse_reserve(purse, 0, &view));
    koine__purse_settle(purse, 0, INT64_MAX);
    koine__budget_look(&run, &view);
    ASSERT_INT(view.spent, INT64_MAX);
    ASSERT_INT(view.overshot, INT64_MAX);
    ASSERT_INT(koine__budget_left(&view), 0);
    koine__purse_free(purse);
    koine__budget_release(&run);
}

static void all_or_none(void)
{
    struct koine__budget run;
    struct koine__budget_view refused;
    koine__budget_init(&run, "run", 50);
    struct koine__purse *purse = purse_of(80, &run);
    ASSERT_INT((long long)purse->count, 2);
    CU_ASSERT_FALSE(koine__purse_reserve(purse, 60, &refused));
    ASSERT_STR(refused.scope, "run");
    is(&purse->call, 0, 0);
    is(&run, 0, 0);
    CU_ASSERT_FALSE(koine__purse_reserve(purse, 90, &refused)); /* the narrower one is told */
    ASSERT_STR(refused.scope, "call");
    CU_ASSERT(koine__purse_reserve(purse, 50, &refused));
    is(&purse->call, 0, 50);
    is(&run, 0, 50);
    koine__purse_settle(purse, 50, 7);
    is(&purse->call, 7, 0);
    is(&run, 7, 0);
    koine__purse_free(purse);
    koine__budget_release(&run);
}

/* ---- the stage ---- */

static const struct koine__gate gate = {.stages = {[KOINE__STAGE_BUDGET] = &koine__budget_stage}};

static struct koine__ticket ticket_of(struct koine__purse *purse, int64_t worst)
{
    return (struct koine__ticket){.instance = "lab",
                                  .model = "m",
                                  .worst = worst,
                                  .wake_at = KOINE__NEVER,
                                  .stake = {.purse = purse, .prompt = CENT, .rate = CENT / 100}};
}

static enum koine__pass enter(struct koine__ticket *ticket, struct koine__fault *ret_fault)
{
    *ret_fault = koine__no_fault;
    return koine__gate_enter(&gate, ticket, 0, ret_fault);
}

static void leave(struct koine__ticket *ticket, bool sent, int64_t cost)
{
    const struct koine__outcome outcome = {.class_number = KOINE_CLASS_NONE, .sent = sent, .cost = cost};
    koine__gate_leave(&gate, ticket, &outcome, 0);
}

static void settled_once(void)
{
    static const struct {
        bool sent;
        int64_t cost, spent;
    } table[] = {{true, 3 * CENT, 3 * CENT}, /* the truth */
                 {true, -1, 10 * CENT},      /* nobody knows: all of it */
                 {true, 0, 0},
                 {true, 12 * CENT, 12 * CENT},
                 {false, -1, 0}, /* nothing was sent */
                 {false, 3 * CENT, 0}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct koine__fault fault;
        struct koine__purse *purse = purse_of(10 * CENT, NULL);
        struct koine__ticket ticket = ticket_of(purse, 10 * CENT);
        ASSERT_INT(enter(&ticket, &fault), KOINE__PASS_GO);
        is(&purse->call, 0, 10 * CENT);
        leave(&ticket, table[i].sent, table[i].cost);
        is(&purse->call, table[i].spent, 0);
        leave(&ticket, table[i].sent, table[i].cost);
        koine__budget_stage.leave(NULL, &ticket, &(struct koine__outcome){.sent = true, .cost = 1}, 0);
        is(&purse->call, table[i].spent, 0);
        koine__purse_free(purse);
    }
}

static void says_what_would_fit(void)
{
    struct koine__budget run;
    struct koine__fault fault;
    koine__budget_init(&run, "run", 100 * CENT);
    struct koine__purse *purse = purse_of(50 * CENT, &run);
    struct koine__ticket first = ticket_of(purse, 45 * CENT), second = ticket_of(purse, 10 * CENT);
    ASSERT_INT(enter(&first, &fault), KOINE__PASS_GO);
    ASSERT_INT(enter(&second, &fault), KOINE__PASS_REFUSE);
    ASSERT_INT(fault.class_number, KOINE_CLASS_BUDGET);
    ASSERT_STR(fault.code, "call");
    ASSERT_STR(fault.message,
               "the call's budget of $0.50 would be overspent: $0.00 is spent, $0.45 reserved, "
               "$0.05 left, and lab/m could cost $0.10; with max_tokens of 400 it would fit");
    leave(&first, true, 45 * CENT);
    koine__purse_free(purse);
    purse = purse_of(-1, &run);
    second = ticket_of(purse, 200 * CENT);
    run.spent = 99 * CENT + 1;
    ASSERT_INT(enter(&second, &fault), KOINE__PASS_REFUSE);
    ASSERT_STR(fault.code, "run");
    ASSERT_STR(fault.message, "the run's budget of $1.00 would be overspent: $0.990000000001 is spent, $0.00 "
                              "reserved, $0.009999999999 left, and lab/m could cost $2.00; no max_tokens is "
                              "small enough");
    second.stake.rate = 0; /* the answer costs nothing */
    ASSERT_INT(enter(&second, &fault), KOINE__PASS_REFUSE);
    CU_ASSERT_PTR_NULL(strstr(fault.message, "max_tokens"));
    koine__purse_free(purse);
    koine__budget_release(&run);
}

static void what_nobody_knows(void)
{
    struct koine__fault fault;
    struct koine__purse *purse = purse_of(CENT, NULL);
    struct koine__ticket ticket = ticket_of(purse, -1);
    ticket.stake.unpriced = true;
    ASSERT_INT(enter(&ticket, &fault), KOINE__PASS_REFUSE);
    ASSERT_STR(fault.code, "unpriced");
    ASSERT_STR(fault.message,
               "there is a budget, and nobody knows what lab/m could cost: its price is not known");
    purse->allow_unpriced = true;
    ticket = ticket_of(purse, -1);
    ticket.stake.unpriced = true;
    ASSERT_INT(enter(&ticket, &fault), KOINE__PASS_GO);
    leave(&ticket, true, -1);
    is(&purse->call, 0, 0);
    ticket = ticket_of(purse, -1); /* it has a price, but no end */
    ticket.stake.unknown = "its longest answer is not known; set max_tokens";
    ASSERT_INT(enter(&ticket, &fault), KOINE__PASS_REFUSE);
    ASSERT_STR(fault.code, "unbounded");
    CU_ASSERT_PTR_NOT_NULL(strstr(fault.message, "set max_tokens"));
    ticket = ticket_of(NULL, -1); /* no budget: nobody asks */
    ASSERT_INT(enter(&ticket, &fault), KOINE__PASS_GO);
    leave(&ticket, true, 5);
    is(&purse->call, 0, 0);
    koine__purse_free(purse);
}

/* ---- against an oracle ---- */

static uint64_t state = 7;
static int64_t below(int64_t limit)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((state >> 33) % (uint64_t)limit);
}

struct held { /* a reservation as the oracle knows it */
    size_t purse;
    int64_t amount;
};
struct oracle {
    int64_t limit[4], spent[4], reserved[4], overshot[4]; /* three calls, and the run */
};

/* The first that a purse's call or the run cannot bear; -1: both can. */
static int oracle_refuses(const struct oracle *oracle, size_t purse, int64_t amount)
{
    const size_t both[] = {purse, 3};
    for (size_t i = 0; i < 2; i++)
        if (oracle->spent[both[i]] + oracle->reserved[both[i]] + amount > oracle->limit[both[i]])
            return (int)both[i];
    return -1;
}

static void oracle_add(struct oracle *oracle, size_t purse, int64_t reserved, int64_t spent, int64_t overshot)
{
    const size_t both[] = {purse, 3};
    for (size_t i = 0; i < 2; i++) {
        oracle->reserved[both[i]] += reserved;
        oracle->spent[both[i]] += spent;
        oracle->overshot[both[i]] += overshot;
    }
}

static void compare(struct koine__budget *budget, const struct oracle *oracle, size_t i)
{
    struct koine__budget_view view;
    koine__budget_look(budget, &view);
    if (view.spent != oracle->spent[i] || view.reserved != oracle->reserved[i] ||
        view.overshot != oracle->overshot[i])
        CU_FAIL("the budget is not the sum of what happened");
    if (view.spent + view.reserved > view.limit + view.overshot)
        CU_FAIL("more is taken than the limit and the overshoot");
}

static void is_the_sum(void)
{
    struct oracle oracle = {.limit = {9000, 15000, 30000, 40000}};
    struct koine__budget run;
    struct koine__budget_view refused;
    struct koine__purse *purses[3];
    struct held held[OPEN];
    size_t count = 0, refusals = 0;
    koine__budget_init(&run, "run", oracle.limit[3]);
    for (size_t i = 0; i < 3; i++)
        purses[i] = purse_of(oracle.limit[i], &run);
    for (size_t step = 0; step < STEPS; step++) {
        size_t purse = (size_t)below(3);
        int64_t amount = below(3000);
        if (count < OPEN && below(2)) {
            int refuses = oracle_refuses(&oracle, purse, amount);
            CU_ASSERT(koine__purse_reserve(purses[purse], amount, &refused) == (refuses < 0));
            refusals += refuses >= 0;
            if (refuses >= 0)
                ASSERT_STR(refused.scope, refuses == 3 ? "run" : "call");
            else
                oracle_add(&oracle, purse, amount, 0, 0);
            if (refuses < 0)
                held[count++] = (struct held){purse, amount};
        } else if (count > 0) {
            size_t which = (size_t)below((int64_t)count);
            struct held it = held[which];
            int64_t actual = below(4) ? below(it.amount / 40 + 1) : below(200) ? 0 : it.amount + 5;
            held[which] = held[--count];
            koine__purse_settle(purses[it.purse], it.amount, actual);
            oracle_add(&oracle, it.purse, -it.amount, actual, actual > it.amount ? actual - it.amount : 0);
        }
        compare(&run, &oracle, 3);
        compare(&purses[purse]->call, &oracle, purse);
    }
    CU_ASSERT(refusals > 100);
    while (count-- > 0)
        koine__purse_cancel(purses[held[count].purse], held[count].amount);
    for (size_t i = 0; i < 3; i++) {
        is(&purses[i]->call, oracle.spent[i], 0);
        koine__purse_free(purses[i]);
    }
    is(&run, oracle.spent[3], 0);
    koine__budget_release(&run);
}

/* ---- by many ---- */

static struct koine__budget shared;
static atomic_llong all_spent, admitted;

/* Reserves 100 and spends 1 to 4 of them, until the run is spent. */
static void *hammer(void *arg)
{
    struct koine__purse *purse = purse_of(10000000, &shared);
    struct koine__budget_view view;
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (!koine__purse_reserve(purse, 100, &view))
            continue;
        koine__budget_look(&shared, &view);
        if (view.spent + view.reserved > view.limit)
            abort();
        int64_t actual = 1 + i % 4;
        koine__purse_settle(purse, 100, i % 5 ? actual : 0);
        atomic_fetch_add(&all_spent, i % 5 ? actual : 0);
        atomic_fetch_add(&admitted, 1);
    }
    if (purse->call.reserved != 0)
        abort();
    koine__purse_free(purse);
    return NULL;
}

static void eight_threads(void)
{
    pthread_t threads[THREADS];
    struct koine__budget_view view;
    koine__budget_init(&shared, "run", 100000);
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, hammer, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    koine__budget_look(&shared, &view);
    ASSERT_INT(view.spent, atomic_load(&all_spent));
    ASSERT_INT(view.reserved, 0);
    ASSERT_INT(view.overshot, 0);
    CU_ASSERT(view.spent <= 100000);
    CU_ASSERT(view.spent > 100000 - 100); /* 160,000 wanted more than there was */
    CU_ASSERT(atomic_load(&admitted) > 1000);
    koine__budget_release(&shared);
}

static void without_memory(void)
{
    struct koine__budget_config config = {.call = 5, .run = -1};
    failalloc_begin(1);
    CU_ASSERT_PTR_NULL(koine__purse_new(&config));
    CU_ASSERT(failalloc_end());
    koine__purse_free(NULL);
}

SUITE_MAIN("budget", {"to the picodollar", to_the_picodollar}, {"nothing overflows", nothing_overflows},
           {"all or none", all_or_none}, {"settled once", settled_once},
           {"says what would fit", says_what_would_fit}, {"what nobody knows", what_nobody_knows},
           {"is the sum", is_the_sum}, {"eight threads", eight_threads}, {"without memory", without_memory})
