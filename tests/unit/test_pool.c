/* The line before a client's connections. */
#include "core/policy/pool.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <string.h>

#define TICKETS 8

static struct koine__pool pool;
static struct koine__gate gate;
static struct koine__ticket tickets[TICKETS];
static char woken[64]; /* whom, in order */
static const struct koine__outcome outcome = {KOINE_CLASS_NONE, true, -1, -1, false};

static void wake(struct koine__ticket *ticket)
{
    woken[strlen(woken)] = (char)('0' + (ticket - tickets));
}

static void begin(int64_t limit)
{
    memset(woken, 0, sizeof(woken));
    koine__pool_init(&pool, limit);
    gate = (struct koine__gate){{NULL}};
    gate.stages[KOINE__STAGE_POOL] = &pool.stage;
    for (size_t i = 0; i < TICKETS; i++)
        tickets[i] = (struct koine__ticket){.wake_at = KOINE__NEVER, .wake = wake};
}

static enum koine__pass enter(size_t i)
{
    struct koine__fault fault;
    return koine__gate_enter(&gate, &tickets[i], 0, &fault);
}

static void leave(size_t i)
{
    koine__gate_leave(&gate, &tickets[i], &outcome, 0);
}

static void first_come_first_served(void)
{
    begin(2);
    ASSERT_INT(enter(0), KOINE__PASS_GO);
    ASSERT_INT(enter(1), KOINE__PASS_GO);
    for (size_t i = 2; i < 5; i++)
        ASSERT_INT(enter(i), KOINE__PASS_WAIT);
    ASSERT_INT(enter(2), KOINE__PASS_WAIT); /* asking again is not queueing again */
    ASSERT_INT((long long)pool.waiting, 3);
    leave(1);
    ASSERT_STR(woken, "2");
    ASSERT_INT(enter(5), KOINE__PASS_WAIT); /* nobody overtakes, though 2 has not come yet */
    ASSERT_INT((long long)pool.waiting, 4);
    ASSERT_INT(enter(2), KOINE__PASS_GO);
    leave(0);
    leave(2);
    ASSERT_STR(woken, "234");
    ASSERT_INT(enter(4), KOINE__PASS_GO);
    ASSERT_INT(enter(3), KOINE__PASS_GO);
    leave(3);
    ASSERT_STR(woken, "2345");
    ASSERT_INT(enter(5), KOINE__PASS_GO);
    leave(4);
    leave(5);
    ASSERT_INT(pool.used, 0);
    ASSERT_INT((long long)pool.waiting, 0);
}

static void waiters_give_up(void)
{
    begin(1);
    enter(0);
    for (size_t i = 1; i < 5; i++)
        enter(i);
    leave(4); /* the last of the line */
    leave(2); /* in its midst */
    enter(5);
    leave(1); /* its head */
    leave(0);
    ASSERT_STR(woken, "3");
    leave(3); /* it has its place, and never took it */
    ASSERT_STR(woken, "35");
    leave(5);
    ASSERT_INT(pool.used, 0);
    CU_ASSERT_PTR_NULL(pool.first);
    ASSERT_INT((long long)pool.waiting, 0);
    ASSERT_INT(enter(6), KOINE__PASS_GO);
    leave(6);
}

static void limits_change(void)
{
    begin(1);
    for (size_t i = 0; i < 4; i++)
        enter(i);
    koine__pool_set_limit(&pool, 3);
    ASSERT_STR(woken, "12");
    koine__pool_set_limit(&pool, 1);
    enter(1);
    enter(2);
    leave(0);
    leave(1);
    ASSERT_STR(woken, "12"); /* one is still under way */
    leave(2);
    ASSERT_STR(woken, "123");
    leave(3);
    ASSERT_INT(pool.used, 0);
}

static void no_memory_to_wait(void)
{
    struct koine__fault fault = {0};
    begin(1);
    enter(0);
    failalloc_begin(1);
    ASSERT_INT(koine__gate_enter(&gate, &tickets[1], 0, &fault), KOINE__PASS_REFUSE);
    CU_ASSERT(failalloc_end());
    ASSERT_INT(fault.class_number, KOINE_CLASS_MEMORY);
    leave(1);
    leave(0);
    ASSERT_INT(pool.used, 0);
}

SUITE_MAIN("pool", {"first come, first served", first_come_first_served},
           {"waiters give up", waiters_give_up}, {"limits change", limits_change},
           {"no memory to wait", no_memory_to_wait})
