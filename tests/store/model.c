/* model: random ops against an oracle in memory, which is a few arrays and additions. After each op what the
 * store says of its budgets must be what the oracle has; at the end its report, too; now and then the store
 * is closed and opened. Through koine/store.h alone.
 *
 *     model [SEED [OPS]]
 */
#include "tests/store/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUDGETS = 6,
    IDS = 40,
    OPS = 6000,
    MOST_SCOPES = 3
};
enum state {
    UNUSED,
    LIVE,
    RUN_OUT,
    RECOVERED,
    ENDED
};

static struct {
    int64_t limit, spent, reserved, overshot;
    bool hard;
} budgets[BUDGETS];
static struct {
    enum state state;
    int64_t amount;
    int count, scopes[MOST_SCOPES];
} reservations[IDS];
static int64_t attempts, estimated, cost; /* of the ledger */
static long refusals, exact;              /* what was met: a limit, and the limit to the last */
static uint64_t random_state;
static uint64_t round_number; /* ids are used again, as others, after a round */
static struct harness harness;
static char names[BUDGETS][16];

static uint32_t roll(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

static void expect(bool truth, const char *what, long op)
{
    if (truth)
        return;
    printf("not ok 1 - store: op %ld: %s\n", op, what);
    harness_end(&harness);
    exit(EXIT_FAILURE);
}

static koine_store_scope scope(int budget)
{
    koine_store_scope scope = scope_of(KOINE_STORE_TENANT, names[budget], budgets[budget].limit);
    scope.hard = budgets[budget].hard;
    return scope;
}

static bool same_view(const koine_store_view *view, int budget)
{
    return view->spent == budgets[budget].spent && view->reserved == budgets[budget].reserved &&
           view->overshot == budgets[budget].overshot;
}

static void compare_budgets(long op)
{
    koine_store_scope scopes[BUDGETS];
    const koine_store_scope *list[BUDGETS];
    koine_store_spent body = {(uint32_t)sizeof(body), BUDGETS, list};
    for (int i = 0; i < BUDGETS; i++) {
        scopes[i] = scope(i);
        list[i] = &scopes[i];
    }
    const koine_store_done *done = harness_do(&harness, KOINE_STORE_SPENT, &body);
    for (int i = 0; i < BUDGETS; i++)
        expect(same_view(done->views[i], i), "a budget differs", op);
}

static int refuses(int id, int64_t amount) /* an index of its scopes; -1 */
{
    for (int i = 0; i < reservations[id].count; i++) {
        int budget = reservations[id].scopes[i];
        if (budgets[budget].hard &&
            budgets[budget].spent + budgets[budget].reserved + amount > budgets[budget].limit)
            return i;
    }
    return -1;
}

static void choose_scopes(int id)
{
    int first = (int)roll(BUDGETS);
    reservations[id].count = 1 + (int)roll(MOST_SCOPES);
    for (int i = 0; i < reservations[id].count; i++)
        reservations[id].scopes[i] = (first + i) % BUDGETS;
}

static void meet(int budget, int64_t amount)
{
    budgets[budget].reserved += amount;
    exact +=
        budgets[budget].hard && budgets[budget].spent + budgets[budget].reserved == budgets[budget].limit;
}

static int64_t left_of(int budget)
{
    int64_t left = budgets[budget].limit - budgets[budget].spent - budgets[budget].reserved;
    return left > 0 ? left : 0;
}

static void play_reserve(int id, long op)
{
    koine_store_scope scopes[MOST_SCOPES];
    const koine_store_scope *list[MOST_SCOPES];
    int64_t amount = roll(300);
    bool runs_out = roll(3) == 0;
    enum state before = reservations[id].state;
    if (before == UNUSED)
        choose_scopes(id);
    if (roll(10) == 0) /* what is left, or a little more */
        amount = left_of(reservations[id].scopes[0]) + roll(2);
    for (int i = 0; i < reservations[id].count; i++) {
        scopes[i] = scope(reservations[id].scopes[i]);
        list[i] = &scopes[i];
    }
    const koine_store_done *done = reserve(&harness, round_number * IDS + (uint64_t)id, amount,
                                           runs_out ? 0 : 3600000, list, (uint32_t)reservations[id].count);
    int refused = refuses(id, amount);
    if (before == LIVE || before == RUN_OUT) {
        expect(done->status == KOINE_STORE_OK && done->repeated, "reserved twice", op);
    } else if (before != UNUSED) {
        expect(done->status == KOINE_STORE_CONFLICT, "reserved after its end", op);
    } else if (refused >= 0) {
        expect(done->status == KOINE_STORE_REFUSED && done->refused == refused, "not refused", op);
        refusals++;
    } else {
        expect(done->status == KOINE_STORE_OK && !done->repeated, "not reserved", op);
        reservations[id].state = runs_out ? RUN_OUT : LIVE;
        reservations[id].amount = amount;
        for (int i = 0; i < reservations[id].count; i++)
            meet(reservations[id].scopes[i], amount);
    }
}

static void end_reservation(int id, int64_t actual, bool recovered)
{
    bool was_recovered = reservations[id].state == RECOVERED;
    int64_t amount = reservations[id].amount, had = was_recovered ? amount : 0;
    for (int i = 0; i < reservations[id].count; i++) {
        int budget = reservations[id].scopes[i];
        budgets[budget].reserved -= was_recovered ? 0 : amount;
        budgets[budget].spent += actual - had;
        budgets[budget].overshot += actual > amount ? actual - amount : 0;
    }
    if (was_recovered) {
        attempts--;
        estimated--;
        cost -= amount;
    }
    attempts++;
    cost += actual;
    estimated += recovered;
    reservations[id].state = recovered ? RECOVERED : ENDED;
}

static void play_settle(int id, long op)
{
    int64_t actual = roll(4) == 0 ? -1 : (int64_t)roll(400);
    int64_t wanted = actual < 0 ? reservations[id].amount : actual;
    koine_store_row row = row_of("acme", "together/large", wanted);
    const koine_store_done *done = settle(&harness, round_number * IDS + (uint64_t)id, actual, &row);
    if (reservations[id].state == UNUSED) {
        expect(done->status == KOINE_STORE_NOT_FOUND, "settled what is not there", op);
        return;
    }
    expect(done->status == KOINE_STORE_OK, "not settled", op);
    expect(done->repeated == (reservations[id].state == ENDED), "settled twice, or not once", op);
    if (reservations[id].state != ENDED)
        end_reservation(id, wanted, false);
    for (int i = 0; i < reservations[id].count; i++)
        expect(same_view(done->views[i], reservations[id].scopes[i]), "a view differs", op);
}

static void play_recover(long op)
{
    koine_store_recover body = {(uint32_t)sizeof(body), 0};
    int64_t wanted = 0;
    for (int id = 0; id < IDS; id++) {
        if (reservations[id].state != RUN_OUT)
            continue;
        end_reservation(id, reservations[id].amount, true);
        wanted++;
    }
    expect(harness_do(&harness, KOINE_STORE_RECOVER, &body)->count == wanted, "recovery differs", op);
}

/* All of this round that is still open is settled, and its ids are others from here on. */
static void next_round(long op)
{
    for (int id = 0; id < IDS; id++)
        if (reservations[id].state != UNUSED)
            play_settle(id, op);
    memset(reservations, 0, sizeof(reservations));
    round_number++;
    for (int i = 0; i < BUDGETS; i++)
        budgets[i].limit += 1000;
}

static void play(long op)
{
    uint32_t what = roll(100);
    int id = (int)roll(IDS);
    if (what < 50)
        play_reserve(id, op);
    else if (what < 90)
        play_settle(id, op);
    else if (what < 97)
        play_recover(op);
    else if (what < 98)
        next_round(op);
    else if (what < 99)
        budgets[roll(BUDGETS)].hard ^= true;
    if (what == 99 && roll(5) == 0) {
        harness_close(&harness);
        expect(harness_open(&harness, roll(2) == 0, 0) == KOINE_STORE_OK, "it does not open again", op);
    }
    if (what % 8 == 0)
        compare_budgets(op);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 20261128;
    long ops = argc > 2 ? strtol(argv[2], NULL, 10) : OPS;
    random_state = seed * 2654435769U + 1;
    harness_prepare(&harness);
    printf("1..1\n# seed %llu, %ld ops\n", (unsigned long long)seed, ops);
    expect(harness_open(&harness, false, 0) == KOINE_STORE_OK, harness.why, 0);
    for (int i = 0; i < BUDGETS; i++) {
        snprintf(names[i], sizeof(names[i]), "t%d", i);
        budgets[i].limit = 1500;
        budgets[i].hard = i % 3 != 0;
    }
    for (long op = 1; op <= ops; op++)
        play(op);
    compare_budgets(ops);
    const koine_store_sum *sum = report(&harness, 0)->sums[0];
    expect(sum->attempts == attempts && sum->cost == cost && sum->estimated == estimated,
           "the report differs", ops);
    printf("# %ld refusals, %ld limits met exactly\n", refusals, exact);
    expect(ops < OPS || (refusals > 100 && exact > 5), "limits were hardly met", ops);
    printf("ok 1 - store: %ld random ops are what the oracle says: %lld attempts\n", ops,
           (long long)attempts);
    harness_end(&harness);
    return EXIT_SUCCESS;
}
