/* Which target of a route comes next. */
#include "core/policy/route.h"

#include "core/base/clock.h"
#include "tests/unit/suite.h"

static const int64_t windows[] = {1000, 1000, -1, 4000};

static int64_t window(const void *arg, size_t index)
{
    return ((const int64_t *)arg)[index];
}

static size_t next(const struct koine__route_state *state, int class_number)
{
    struct koine__fault fault = {.class_number = class_number};
    return koine__route_next(state, &fault, window, windows);
}

static void by_class(void)
{
    static const int moves[] = {KOINE_CLASS_CONNECT,     KOINE_CLASS_RESET,
                                KOINE_CLASS_TIMEOUT,     KOINE_CLASS_OVERLOADED,
                                KOINE_CLASS_SERVER,      KOINE_CLASS_PROTOCOL,
                                KOINE_CLASS_RATE_LIMIT,  KOINE_CLASS_BILLING,
                                KOINE_CLASS_AUTH,        KOINE_CLASS_MODEL_GONE,
                                KOINE_CLASS_UNSUPPORTED, KOINE_CLASS_REFUSED,
                                KOINE_CLASS_PLUGIN,      999};
    static const int stays[] = {KOINE_CLASS_CONTENT_POLICY, KOINE_CLASS_INVALID,   KOINE_CLASS_BUDGET,
                                KOINE_CLASS_DECLINED,       KOINE_CLASS_CANCELLED, KOINE_CLASS_DEADLINE,
                                KOINE_CLASS_MEMORY};
    struct koine__route_state state;
    koine__route_start(&state, 4, 6);
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
        ASSERT_INT(next(&state, moves[i]), 1);
    for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++)
        ASSERT_INT(next(&state, stays[i]), 4);
}

static void context_length(void)
{
    struct koine__route_state state;
    koine__route_start(&state, 4, 6);
    ASSERT_INT(next(&state, KOINE_CLASS_CONTEXT_LENGTH), 3);
    koine__route_move(&state, 2); /* of whose window nobody knows */
    ASSERT_INT(next(&state, KOINE_CLASS_CONTEXT_LENGTH), 4);
    koine__route_move(&state, 3);
    ASSERT_INT(next(&state, KOINE_CLASS_CONTEXT_LENGTH), 4);
}

static void each_once_in_order(void)
{
    struct koine__route_state state;
    koine__route_start(&state, 3, 6);
    for (size_t i = 0; i < 3; i++) {
        ASSERT_INT(koine__route_untried(&state), 2 - i);
        ASSERT_INT(next(&state, KOINE_CLASS_SERVER), i + 1);
        koine__route_move(&state, i + 1);
    }
    ASSERT_INT(koine__route_untried(&state), 0);
    ASSERT_INT(next(&state, KOINE_CLASS_SERVER), 3);
}

static void attempts(void)
{
    struct koine__route_state state;
    koine__route_start(&state, 3, 6);
    ASSERT_INT(koine__route_attempts_left(&state), 4);
    state.attempts = 4;
    ASSERT_INT(koine__route_attempts_left(&state), 0);
    koine__route_move(&state, 1);
    ASSERT_INT(koine__route_attempts_left(&state), 1);
    state.attempts = 6;
    ASSERT_INT(koine__route_attempts_left(&state), 0);
    ASSERT_INT(next(&state, KOINE_CLASS_SERVER), 3); /* none may be started there either */
    koine__route_start(&state, 5, 2);
    ASSERT_INT(koine__route_attempts_left(&state), 0);
}

static void shares(void)
{
    ASSERT_INT(koine__route_share(0, 100, 700), 600);
    ASSERT_INT(koine__route_share(1, 100, 700), 300);
    ASSERT_INT(koine__route_share(2, 100, 700), 200);
    ASSERT_INT(koine__route_share(2, 800, 700), 0);
    ASSERT_INT(koine__route_share(2, 100, KOINE__NEVER), KOINE__NEVER);
}

SUITE_MAIN("route", {"by class", by_class}, {"context length", context_length},
           {"each once, in order", each_once_in_order}, {"attempts", attempts}, {"shares", shares})
