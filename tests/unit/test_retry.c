/* Whether and when the same target is asked again. */
#include "core/policy/retry.h"

#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

#define MS(n) ((n)*KOINE__MS)
#define S(n)  ((n)*KOINE__SEC)
#define HOUR  (3600 * KOINE__SEC)
#define DRAWS 1000000
#define FAR   S(INT64_C(1000000))

static const struct koine__retry_config usual = {
    .max_retries = 3,
    .base_delay = S(1),
    .max_delay = S(60),
    .multiplier = 2000000,
    .jitter = KOINE__JITTER_NONE,
    .retry_after_cap = S(60),
    .move_on_after = S(5),
};

static struct koine__random random_of(uint64_t seed)
{
    struct koine__random random;
    koine__random_seed(&random, seed);
    return random;
}

/* ---- How delays grow ---- */

static void doubles_up_to_the_most(void)
{
    static const int64_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60};
    for (unsigned i = 0; i < 8; i++)
        ASSERT_INT(koine__retry_delay(&usual, i), S(seconds[i]));
    ASSERT_INT(koine__retry_delay(&usual, 4000000000U), S(60));
}

static void other_multipliers(void)
{
    struct koine__retry_config config = usual;
    config.multiplier = 1500000;
    ASSERT_INT(koine__retry_delay(&config, 1), MS(1500));
    ASSERT_INT(koine__retry_delay(&config, 2), MS(2250));
    ASSERT_INT(koine__retry_delay(&config, 3), MS(3375));
    config.multiplier = 1000000;
    ASSERT_INT(koine__retry_delay(&config, 4000000000U), S(1));
    config.base_delay = 0;
    config.multiplier = 2000000;
    ASSERT_INT(koine__retry_delay(&config, 4000000000U), 0);
    config.base_delay = S(90);
    ASSERT_INT(koine__retry_delay(&config, 0), S(60));
}

static void long_delays_do_not_overflow(void)
{
    struct koine__retry_config config = usual;
    config.base_delay = HOUR;
    config.max_delay = 24 * HOUR;
    config.multiplier = 10000000;
    ASSERT_INT(koine__retry_delay(&config, 1), 10 * HOUR);
    ASSERT_INT(koine__retry_delay(&config, 2), 24 * HOUR);
    config.base_delay = INT64_MAX / 3;
    config.max_delay = INT64_MAX;
    config.multiplier = 2000000;
    CU_ASSERT(koine__retry_delay(&config, 1) > INT64_MAX / 3 * 2 - 10);
    ASSERT_INT(koine__retry_delay(&config, 2), INT64_MAX);
    ASSERT_INT(koine__retry_delay(&config, 100), INT64_MAX);
}

/* ---- Jitter ---- */

static struct koine__fault fault_of(int class_number)
{
    return (struct koine__fault){.class_number = class_number, .retry_after_ns = -1, .stage = ""};
}

/* One wait after so many retries. */
static int64_t draw(const struct koine__retry_config *config, struct koine__retry_state *state,
                    int64_t advice, struct koine__random *random)
{
    struct koine__fault fault = fault_of(KOINE_CLASS_OVERLOADED);
    fault.retry_after_ns = advice;
    struct koine__retry_ask ask = {
        .fault = &fault, .now = 1000, .deadline = KOINE__NEVER, .attempts_left = 1};
    struct koine__retry_verdict verdict = koine__retry_decide(config, state, &ask, random);
    CU_ASSERT(verdict.again);
    return verdict.at - 1000;
}

struct span {
    int64_t least, most;
};

static struct span spread(int64_t jitter, unsigned retries, int64_t advice)
{
    struct koine__retry_config config = usual;
    struct koine__random random = random_of(42);
    struct span span = {INT64_MAX, INT64_MIN};
    config.jitter = jitter;
    for (int i = 0; i < DRAWS; i++) {
        struct koine__retry_state state = {.retries = retries};
        int64_t wait = draw(&config, &state, advice, &random);
        span.least = wait < span.least ? wait : span.least;
        span.most = wait > span.most ? wait : span.most;
    }
    return span;
}

/* All draws lie within the bounds, and come near to both of them. */
static void lies_within(struct span span, int64_t least, int64_t most)
{
    int64_t near = (most - least) / 1000;
    char text[160];
    snprintf(text, sizeof(text), "%lld..%lld, not %lld..%lld", (long long)span.least, (long long)span.most,
             (long long)least, (long long)most);
    bool fits =
        span.least >= least && span.most <= most && span.least - least <= near && most - span.most <= near;
    CU_assertImplementation(fits, __LINE__, text, __FILE__, "", CU_FALSE);
}

static void jitter_stays_in_its_bounds(void)
{
    lies_within(spread(KOINE__JITTER_NONE, 2, -1), S(4), S(4));
    lies_within(spread(KOINE__JITTER_EQUAL, 2, -1), S(2), S(4));
    lies_within(spread(KOINE__JITTER_FULL, 2, -1), 0, S(4));
    lies_within(spread(KOINE__JITTER_PROPORTIONAL, 2, -1), S(3), S(4));
    lies_within(spread(KOINE__JITTER_DECORRELATED, 0, -1), S(1), S(3));
}

static void advice_is_a_floor(void)
{
    lies_within(spread(KOINE__JITTER_NONE, 0, S(7)), S(7), MS(7700));
    lies_within(spread(KOINE__JITTER_FULL, 0, S(7)), S(7), MS(7700));
    lies_within(spread(KOINE__JITTER_NONE, 0, S(50)), S(50), S(51)); /* at most a second more */
    lies_within(spread(KOINE__JITTER_NONE, 2, MS(100)), S(4), MS(4010));
    lies_within(spread(KOINE__JITTER_NONE, 0, 0), S(1), S(1));
}

static void decorrelated_grows_from_the_last(void)
{
    struct koine__retry_config config = usual;
    struct koine__random random = random_of(7);
    config.jitter = KOINE__JITTER_DECORRELATED;
    config.max_retries = DRAWS;
    struct koine__retry_state state = {0};
    for (int i = 0; i < DRAWS; i++) {
        int64_t last = state.delay > S(1) ? state.delay : S(1);
        int64_t top = last * 3 < S(60) ? last * 3 : S(60);
        int64_t wait = draw(&config, &state, -1, &random);
        CU_ASSERT(wait >= S(1) && wait <= top && wait == state.delay);
    }
    config.base_delay = S(100); /* more than the most */
    state = (struct koine__retry_state){0};
    ASSERT_INT(draw(&config, &state, -1, &random), S(60));
}

static void extreme_settings(void)
{
    struct koine__random random = random_of(1);
    for (int64_t jitter = KOINE__JITTER_NONE; jitter <= KOINE__JITTER_PROPORTIONAL; jitter++) {
        struct koine__retry_config config = usual;
        struct koine__retry_state state = {0};
        struct koine__fault fault = fault_of(KOINE_CLASS_SERVER);
        struct koine__retry_ask ask = {
            .fault = &fault, .now = INT64_MAX / 2, .deadline = KOINE__NEVER, .attempts_left = 1};
        config.base_delay = config.max_delay = INT64_MAX;
        config.jitter = jitter;
        config.retry_after_cap = INT64_MAX;
        fault.retry_after_ns = INT64_MAX;
        struct koine__retry_verdict verdict = koine__retry_decide(&config, &state, &ask, &random);
        CU_ASSERT(verdict.again && verdict.at >= ask.now);
    }
}

/* ---- Whether ---- */

static bool again(const struct koine__retry_ask *ask, unsigned retries)
{
    struct koine__random random = random_of(1);
    struct koine__retry_state state = {.retries = retries};
    struct koine__retry_verdict verdict = koine__retry_decide(&usual, &state, ask, &random);
    ASSERT_INT(state.retries, retries + verdict.again);
    return verdict.again;
}

static void by_class(void)
{
    static const bool retried[KOINE_CLASS_MEMORY + 1] = {
        [KOINE_CLASS_CONNECT] = true,    [KOINE_CLASS_RESET] = true,  [KOINE_CLASS_TIMEOUT] = true,
        [KOINE_CLASS_OVERLOADED] = true, [KOINE_CLASS_SERVER] = true, [KOINE_CLASS_PROTOCOL] = true,
        [KOINE_CLASS_RATE_LIMIT] = true,
    };
    for (int number = 1; number <= KOINE_CLASS_MEMORY; number++) {
        struct koine__fault fault = fault_of(number);
        struct koine__retry_ask ask = {.fault = &fault, .deadline = FAR, .attempts_left = 1};
        ASSERT_INT(again(&ask, 0), retried[number]);
        fault.never_retry = true;
        CU_ASSERT_FALSE(again(&ask, 0));
    }
}

static void as_often_as_allowed(void)
{
    struct koine__fault fault = fault_of(KOINE_CLASS_SERVER);
    struct koine__retry_ask ask = {.fault = &fault, .deadline = FAR, .attempts_left = 1};
    CU_ASSERT(again(&ask, 2));
    CU_ASSERT_FALSE(again(&ask, 3));
    ask.attempts_left = 0;
    CU_ASSERT_FALSE(again(&ask, 0));
}

static void silence_moves_on(void)
{
    struct koine__fault fault = fault_of(KOINE_CLASS_TIMEOUT);
    struct koine__retry_ask ask = {
        .fault = &fault, .deadline = FAR, .attempts_left = 1, .another_target = true};
    fault.stage = "first_byte";
    CU_ASSERT_FALSE(again(&ask, 0));
    ask.another_target = false;
    CU_ASSERT(again(&ask, 0));
    ask.another_target = true;
    fault.stage = "first_token";
    CU_ASSERT_FALSE(again(&ask, 0));
    ask.another_target = false;
    CU_ASSERT(again(&ask, 0));
    ask.another_target = true;
    fault.stage = "idle";
    CU_ASSERT(again(&ask, 0));
    fault = fault_of(KOINE_CLASS_RESET); /* reset before the first byte is no silence */
    fault.stage = "first_byte";
    CU_ASSERT(again(&ask, 0));
}

static void long_advice(void)
{
    struct koine__fault fault = fault_of(KOINE_CLASS_RATE_LIMIT);
    struct koine__retry_ask ask = {.fault = &fault, .deadline = FAR, .attempts_left = 1};
    fault.retry_after_ns = S(60);
    CU_ASSERT(again(&ask, 0));
    fault.retry_after_ns++;
    CU_ASSERT_FALSE(again(&ask, 0));
    ask.another_target = true;
    fault.retry_after_ns = S(5);
    CU_ASSERT(again(&ask, 0));
    fault.retry_after_ns++;
    CU_ASSERT_FALSE(again(&ask, 0));
}

static void in_time(void)
{
    struct koine__random random = random_of(1);
    struct koine__retry_state state = {0};
    struct koine__fault fault = fault_of(KOINE_CLASS_SERVER);
    struct koine__retry_ask ask = {
        .fault = &fault, .now = S(10), .deadline = S(12), .min_attempt = S(1), .attempts_left = 1};
    struct koine__retry_verdict verdict = koine__retry_decide(&usual, &state, &ask, &random);
    CU_ASSERT(verdict.again && !verdict.deadline_limited);
    ASSERT_INT(verdict.at, S(11));
    state = (struct koine__retry_state){0};
    ask.deadline--;
    verdict = koine__retry_decide(&usual, &state, &ask, &random);
    CU_ASSERT(!verdict.again && verdict.deadline_limited);
    ASSERT_INT(state.retries, 0);
    fault.never_retry = true; /* then time was not what was wanting */
    verdict = koine__retry_decide(&usual, &state, &ask, &random);
    CU_ASSERT(!verdict.again && !verdict.deadline_limited);
}

/* ---- What headers advise ---- */

static koine_str find(const void *arg, const char *name)
{
    for (const char *const *at = arg; *at; at += 2)
        if (strcmp(*at, name) == 0)
            return koine__str(at[1]);
    return (koine_str){NULL, 0};
}

static void headers(void)
{
    static const struct {
        const char *headers[7];
        int64_t ns;
    } table[] = {
        {{NULL}, -1},
        {{"retry-after", "7", NULL}, S(7)},
        {{"retry-after", " 7.25 ", NULL}, MS(7250)},
        {{"retry-after", "0", NULL}, -1},
        {{"retry-after", "-1", NULL}, -1},
        {{"retry-after", "nan", NULL}, -1},
        {{"retry-after", "inf", NULL}, -1},
        {{"retry-after", "soon", NULL}, -1},
        {{"retry-after", "99999999999999999999", NULL}, -1},
        {{"retry-after-ms", "1500", "retry-after", "9", NULL}, MS(1500)},
        {{"retry-after-ms", "1500.5", NULL}, 1500500000},
        {{"retry-after-ms", "0", "retry-after", "9", NULL}, S(9)},
        {{"x-ms-retry-after-ms", "20", "retry-after", "9", NULL}, MS(20)},
        {{"retry-after-ms", "10", "x-ms-retry-after-ms", "20", NULL}, MS(10)},
        {{"retry-after", "Wed, 21 Oct 2015 07:28:07 GMT", "date", "Wed, 21 Oct 2015 07:28:00 GMT", NULL},
         S(7)},
        {{"retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", "date", "Wed, 21 Oct 2015 07:28:00 GMT", NULL}, -1},
        {{"retry-after", "Wed, 21 Oct 2015 07:28:09 GMT", "date", "nonsense", NULL},
         S(9)}, /* then our clock */
        {{"retry-after", "Wed, 21 Oct 2015 07:28:09 GMT", NULL}, S(9)},
        {{"retry-after", "Wed, 21 Oct 2015 07:27:59 GMT", NULL}, -1},
        {{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT", "date", "Thu, 01 Jan 1970 00:00:00 GMT", NULL}, -1},
    };
    int64_t wall = S(INT64_C(1445412480)); /* Wed, 21 Oct 2015 07:28:00 GMT */
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        ASSERT_INT(koine__retry_after(find, table[i].headers, wall), table[i].ns);
}

SUITE_MAIN("retry", {"doubles up to the most", doubles_up_to_the_most},
           {"other multipliers", other_multipliers},
           {"long delays do not overflow", long_delays_do_not_overflow},
           {"jitter stays in its bounds", jitter_stays_in_its_bounds},
           {"advice is a floor", advice_is_a_floor},
           {"decorrelated grows from the last", decorrelated_grows_from_the_last},
           {"extreme settings", extreme_settings}, {"by class", by_class},
           {"as often as allowed", as_often_as_allowed}, {"silence moves on", silence_moves_on},
           {"long advice", long_advice}, {"in time", in_time}, {"what headers advise", headers})
