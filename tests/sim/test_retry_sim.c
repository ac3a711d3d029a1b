/* Retries, and moves along a route, on the virtual clock. */
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

#define BUSY(where)                                                                                          \
    {                                                                                                        \
        ANSWER(where, 503, ERROR("busy"))                                                                    \
    }
#define BUSY_FOREVER .repeat = true, ANSWER(TOGETHER, 503, ERROR("busy"))
#define OPENAI_ANSWERS                                                                                       \
    {                                                                                                        \
        ANSWER(OPENAI, 200, STREAM("b"))                                                                     \
    }
#define MOVES_AT_ONCE "switch openai/b | " READ_STREAM("openai/b", "b")
#define BOTH_AT_ONCE  "0 together | 0 openai"

/* ---- The same target again ---- */

static void second_retry_answers(void)
{
    struct world *world = WORLD(BUSY(TOGETHER), BUSY(TOGETHER), {ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace,
               "retry together/a 1000 | retry together/a 2000 | " READ_STREAM("together/a", "a"));
    ASSERT_STR(world_sends(world), "0 together | 1000 together | 3000 together");
    ASSERT_STR(world_rows(call),
               "together/a 503 overloaded 0 | together/a 503 overloaded 0 | together/a 200 ok 700000");
    ASSERT_STR(world_cost(call), "700000"); /* 3 × 100000 + 2 × 200000 */
    ASSERT_INT(call->ended_ms, 3000);
    world_free(world);
}

static void whole_answers_too(void)
{
    struct world *world = WORLD(BUSY(TOGETHER), BUSY(TOGETHER), {ANSWER(TOGETHER, 200, WHOLE("a"))});
    struct world_call *call = ASK(world, .whole = true);
    world_run(world);
    ASSERT_STR(call->trace, "retry together/a 1000 | retry together/a 2000 | " READ_WHOLE("together/a", "a"));
    ASSERT_STR(world_sends(world), "0 together | 1000 together | 3000 together");
    ASSERT_STR(world_text(call), "Hello");
    world_free(world);
}

static void every_retry_is_the_same_request(void)
{
    struct world *world = WORLD(BUSY(TOGETHER), {ANSWER(TOGETHER, 200, STREAM("a"))});
    ASK(world, .document = "{\"model\":\"x\",\"messages\":[],\"temperature\":0.70}");
    world_run(world);
    for (size_t i = 0; i < 2; i++) {
        const struct koine__replay_seen *seen = world_sent(world, i);
        ASSERT_STR(seen->url, "https://together.test/v1/chat/completions");
        ASSERT_STR(seen->method, "POST");
        ASSERT_STR(seen->body, "{\"model\":\"a\",\"messages\":[],\"temperature\":0.70,\"stream\":true,"
                               "\"stream_options\":{\"include_usage\":true}}");
        CU_ASSERT_PTR_NOT_NULL(strstr(seen->headers, "Authorization: Bearer KEY-T\n"));
    }
    world_free(world);
}

static void base_delay(void)
{
    struct world *world = WORLD({BUSY_FOREVER}, OPENAI_ANSWERS);
    world->together.retry.base_delay = WORLD_MS(2000);
    ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(world_sends(world),
               "0 together | 2000 together | 6000 together | 14000 together | 14000 openai");
    world_free(world);
}

static void jitter_keeps_half(void)
{
    static const int64_t least[] = {0, 500, 1000, 2000}, most[] = {0, 1000, 2000, 4000};
    struct world *world = WORLD({BUSY_FOREVER});
    world->together.retry.jitter = KOINE__JITTER_EQUAL;
    ASK(world, .targets = 1);
    world_run(world);
    ASSERT_INT(world_send_count(world), 4);
    for (size_t i = 1; i < 4; i++) {
        int64_t wait = world_sent(world, i)->at - world_sent(world, i - 1)->at;
        CU_ASSERT(wait >= WORLD_MS(least[i]) && wait <= WORLD_MS(most[i]));
    }
    world_free(world);
}

static void max_retries_of_the_target(void)
{
    struct world *world = WORLD({BUSY_FOREVER}, OPENAI_ANSWERS);
    world->targets[0].max_retries = 1;
    ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(world_sends(world), "0 together | 1000 together | 1000 openai");
    world_free(world);
}

/* Answers after which the same target is asked again, one second later. */
static void what_is_retried(void)
{
    const struct koine__replay_answer bad[] = {
        {ANSWER(TOGETHER, 500, ERROR("oops"))},
        {ANSWER(TOGETHER, 502, "<html><body>Bad gateway</body></html>")},
        {ANSWER(TOGETHER, 504, "")},
        {ANSWER(TOGETHER, 408, ERROR("slow"))},
        {ANSWER(TOGETHER, 409, ERROR("conflict"))},
        {ANSWER(TOGETHER, 429, ERROR("too fast"))},
        {ANSWER(TOGETHER, 498, ERROR("capacity"))},
        {ANSWER(TOGETHER, 529, ERROR("overloaded"))},
        {.match = TOGETHER, .fault_class = KOINE_CLASS_CONNECT},
        {.match = TOGETHER, .fault_class = KOINE_CLASS_RESET},
        {.match = TOGETHER, .status = 200}, /* and here without a body */
        {ANSWER(TOGETHER, 200, "<html>Welcome to the hotel</html>")},
        {ANSWER(TOGETHER, 200, "data: {\"choices\":[{\n\n")},
        {ANSWER(TOGETHER, 200, "data: " ERROR("overloaded") "\n\n")},
        {ANSWER(TOGETHER, 200, ROLE("a"))},
        {.match = TOGETHER, .status = 200, .fault_class = KOINE_CLASS_RESET, BODY(PIECE(0, ROLE("a")))},
    };
    static const char *const rows[] = {
        "together/a 500 server 0",          "together/a 502 server 0",
        "together/a 504 server 0",          "together/a 408 server 0",
        "together/a 409 server 0",          "together/a 429 rate_limit 0",
        "together/a 498 overloaded 0",      "together/a 529 overloaded 0",
        "together/a 0 connect 0",           "together/a 0 reset ~2800000",
        "together/a 200 protocol ~2800000", "together/a 200 server ~2800000",
        "together/a 200 protocol ~2800000", "together/a 200 server ~2800000",
        "together/a 200 protocol ~2800000", "together/a 200 reset ~2800000",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct koine__replay_answer answers[] = {bad[i], {ANSWER(TOGETHER, 200, STREAM("a"))}};
        struct world *world = world_new(answers, 2);
        struct world_call *call = ASK(world, .targets = 2);
        char expected[256];
        world_run(world);
        ASSERT_STR(call->trace, "retry together/a 1000 | " READ_STREAM("together/a", "a"));
        ASSERT_STR(world_sends(world), "0 together | 1000 together");
        snprintf(expected, sizeof(expected), "%s | together/a 200 ok 700000", rows[i]);
        ASSERT_STR(world_rows(call), expected);
        world_free(world);
    }
}

static void whole_answers_that_are_retried(void)
{
    const struct koine__replay_answer bad[] = {
        {ANSWER(TOGETHER, 200, "{\"choices\":[")},
        {ANSWER(TOGETHER, 200, "{\"choices\":[]}")},
        {ANSWER(TOGETHER, 200, "")},
        {.match = TOGETHER, .status = 200, .fault_class = KOINE_CLASS_RESET, BODY(PIECE(0, WHOLE("a")))},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct koine__replay_answer answers[] = {bad[i], {ANSWER(TOGETHER, 200, WHOLE("a"))}};
        struct world *world = world_new(answers, 2);
        struct world_call *call = ASK(world, .whole = true);
        world_run(world);
        ASSERT_STR(call->trace, "retry together/a 1000 | " READ_WHOLE("together/a", "a"));
        world_free(world);
    }
}

/* ---- Advised waits ---- */

/* What the second request waits for after an answer with these headers, in ms; -1: there is none to that
 * target. */
static int64_t waits(const struct koine__replay_answer *busy, size_t targets)
{
    const struct koine__replay_answer answers[] = {
        *busy, {ANSWER(TOGETHER, 200, STREAM("a"))}, OPENAI_ANSWERS};
    struct world *world = world_new(answers, 3);
    ASK(world, .targets = targets);
    world_run(world);
    const struct koine__replay_seen *second = world_sent(world, 1);
    bool again = second && strstr(second->url, TOGETHER);
    int64_t ms = again ? second->at / KOINE__MS : -1;
    if (second && !again)
        ASSERT_STR(world_sends(world), BOTH_AT_ONCE);
    world_free(world);
    return ms;
}

static void retry_after(void)
{
    const struct {
        struct koine__replay_answer busy;
        int64_t least, most; /* with one target */
        int64_t with_two;    /* the least with two; -1: it moves on at once */
    } table[] = {
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "7"))}, 7000, 7700, -1},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "5"))}, 5000, 5500, 5000},
        {{ANSWER(TOGETHER, 503, ERROR("x")), HEADERS(HEADER("Retry-After", "2.5"))}, 2500, 2750, 2500},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "60"))}, 60000, 61000, -1},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "61"))}, -1, -1, -1},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "86400"))}, -1, -1, -1},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "0"))}, 1000, 1000, 1000},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "-3"))}, 1000, 1000, 1000},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "NaN"))}, 1000, 1000, 1000},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "0.2"))}, 1000, 1020, 1000},
        {{ANSWER(TOGETHER, 429, ERROR("x")),
          HEADERS(HEADER("retry-after-ms", "1500"), HEADER("retry-after", "9"))},
         1500,
         1650,
         1500},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("x-ms-retry-after-ms", "1500"))},
         1500,
         1650,
         1500},
        /* A date counts from the answer's own date; without one from ours, WORLD_WALL. */
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Date", "Wed, 21 Oct 2015 07:28:00 GMT"),
                                                     HEADER("Retry-After", "Wed, 21 Oct 2015 07:28:04 GMT"))},
         4000,
         4400,
         4000},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "Wed, 01 Jan 2025 12:00:03 GMT"))},
         3000,
         3300,
         3000},
        {{ANSWER(TOGETHER, 429, ERROR("x")), HEADERS(HEADER("Retry-After", "Wed, 01 Jan 2025 11:59:00 GMT"))},
         1000,
         1000,
         1000},
        {{ANSWER(TOGETHER, 503, ERROR("x")), HEADERS(HEADER("x-should-retry", "false"))}, -1, -1, -1},
        {{ANSWER(TOGETHER, 503, ERROR("x")), HEADERS(HEADER("x-should-retry", "true"))}, 1000, 1000, 1000},
        /* A stream's body may tell it too. */
        {{ANSWER(TOGETHER, 429, "{\"error\":{\"message\":\"m\",\"retry_after\":3}}")}, 3000, 3300, 3000},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t one = waits(&table[i].busy, 1), two = waits(&table[i].busy, 2);
        char text[64];
        snprintf(text, sizeof(text), "row %zu: %lld, %lld", i, (long long)one, (long long)two);
        bool fits = one >= table[i].least && one <= table[i].most &&
                    (table[i].with_two < 0 ? two == -1 : two >= table[i].with_two && two <= table[i].most);
        CU_assertImplementation(fits, __LINE__, text, __FILE__, "", CU_FALSE);
    }
}

static void advice_reaches_the_caller(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 429, ERROR("slow down")), HEADERS(HEADER("Retry-After", "86400"))});
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, "fault rate_limit 429 together/a");
    ASSERT_STR(world_message(call), "slow down");
    ASSERT_INT(koine_error_retry_after_ms(koine_call_error(call->call)), 86400000);
    world_free(world);
}

/* ---- The next target ---- */

static void retries_used_up(void)
{
    struct world *world = WORLD({BUSY_FOREVER}, OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "retry together/a 1000 | retry together/a 2000 | retry together/a 4000 | "
                            "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_sends(world),
               "0 together | 1000 together | 3000 together | 7000 together | 7000 openai");
    ASSERT_STR(world_rows(call), "together/a 503 overloaded 0 | together/a 503 overloaded 0 | "
                                 "together/a 503 overloaded 0 | together/a 503 overloaded 0 | "
                                 "openai/b 200 ok 1650000");
    ASSERT_STR(world_cost(call), "1650000"); /* 3 × 150000 + 2 × 600000 */
    CU_ASSERT_PTR_NOT_NULL(strstr(world->logged, "event=switch"));
    CU_ASSERT_PTR_NULL(strstr(world->logged, "KEY-"));
    world_free(world);
}

static void costs_of_all_attempts_add_up(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, TEXT("a", "12345678"))}, OPENAI_ANSWERS);
    world->together.retry.max_retries = 0;
    struct world_call *call = ASK(world, .complete = true);
    world_run(world);
    ASSERT_STR(call->trace, MOVES_AT_ONCE);
    /* 111 bytes of request are 28 tokens, 8 of answer are 2: 28 × 100000 + 2 × 200000 */
    ASSERT_STR(world_rows(call), "together/a 200 protocol ~3200000 | openai/b 200 ok 1650000");
    ASSERT_STR(world_cost(call), "~4850000");
    ASSERT_STR(world_text(call), "Hello");
    world_free(world);
}

/* Answers after which the next target is asked at once. */
static void what_moves_on(void)
{
    const struct koine__replay_answer bad[] = {
        {ANSWER(TOGETHER, 401, ERROR("wrong key"))},
        {ANSWER(TOGETHER, 402, ERROR("no money"))},
        {ANSWER(TOGETHER, 404, ERROR("no such model"))},
        {ANSWER(TOGETHER, 429, "{\"error\":{\"message\":\"m\",\"code\":\"insufficient_quota\"}}")},
        {ANSWER(TOGETHER, 400, ERROR("Unable to access non-serverless model a"))},
    };
    static const char *const classes[] = {"auth", "billing", "model_gone", "billing", "model_gone"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct koine__replay_answer answers[] = {bad[i], OPENAI_ANSWERS};
        struct world *world = world_new(answers, 2);
        struct world_call *call = ASK(world, .targets = 2);
        world_run(world);
        ASSERT_STR(call->trace, MOVES_AT_ONCE);
        ASSERT_STR(world_sends(world), BOTH_AT_ONCE);
        ASSERT_STR(koine_class_name(koine_response_attempt_class(world_response(call), 0)), classes[i]);
        world_free(world);
    }
}

static void what_ends_the_call(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 400, ERROR("`messages` is wrong"))}, OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "fault invalid 400 together/a");
    ASSERT_STR(world_sends(world), "0 together");
    ASSERT_STR(world_message(call), "`messages` is wrong");
    ASSERT_STR(world_rows(call), "together/a 400 invalid 0");
    ASSERT_STR(world_cost(call), "0");
    world_free(world);
}

static void content_policy_stays(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 400, "{\"error\":{\"message\":\"m\",\"code\":\"content_filter\"}}")},
              OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "fault content_policy 400 together/a");
    ASSERT_STR(koine_error_code(koine_call_error(call->call)), "content_filter");
    world_free(world);
}

static void context_length_wants_a_larger_window(void)
{
    struct world *world =
        WORLD({.repeat = true, ANSWER(TOGETHER, 403, ERROR("too long"))}, {ANSWER(OPENAI, 200, STREAM("c"))});
    struct world_call *both = ASK(world, .targets = 2), *three = ASK(world, .targets = 3);
    world_run(world);
    ASSERT_STR(both->trace, "fault context_length 403 together/a"); /* b's window is no larger */
    ASSERT_STR(three->trace, "switch openai/c | " READ_STREAM("openai/c", "c"));
    ASSERT_INT(world_send_count(world), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(world_sent(world, 2)->body, "\"model\":\"c\""));
    world_free(world);
}

static void unknown_windows_are_not_larger(void)
{
    struct world *world = WORLD({.repeat = true, ANSWER(TOGETHER, 403, ERROR("too long"))}, OPENAI_ANSWERS);
    world->targets[1].known = NULL;
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "fault context_length 403 together/a");
    world->targets[0].known = NULL;
    call = ASK(world, .targets = 3);
    world_run(world);
    ASSERT_STR(call->trace, "fault context_length 403 together/a");
    world_free(world);
}

static void the_first_target_is_the_one_to_tell_of(void)
{
    struct world *world = WORLD({BUSY_FOREVER}, {ANSWER(OPENAI, 401, ERROR("wrong key"))});
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "retry together/a 1000 | retry together/a 2000 | retry together/a 4000 | "
                            "switch openai/b | fault overloaded 503 together/a");
    ASSERT_STR(world_message(call), "busy");
    ASSERT_INT(koine_response_attempt_count(world_response(call)), 5);
    world_free(world);
}

static void unless_the_last_ends_it(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 401, ERROR("wrong key"))}, {ANSWER(OPENAI, 400, ERROR("bad"))});
    struct world_call *call = ASK(world, .targets = 3);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | fault invalid 400 openai/b");
    world_free(world);
}

static void attempts_are_kept_for_the_untried(void)
{
    struct world *world = WORLD({BUSY_FOREVER}, {.repeat = true, ANSWER(OPENAI, 503, ERROR("busy"))});
    struct world_call *call = ASK(world, .targets = 3, .max_attempts = 4);
    world_run(world);
    /* Two for the first target, as one each is kept for the two behind it. */
    ASSERT_STR(world_sends(world), "0 together | 1000 together | 1000 openai | 1000 openai");
    ASSERT_STR(call->trace, "retry together/a 1000 | switch openai/b | switch openai/c | "
                            "fault overloaded 503 together/a");
    world_free(world);
}

static void fewer_attempts_than_targets(void)
{
    struct world *world = WORLD({BUSY_FOREVER}, OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 3, .max_attempts = 1);
    world_run(world);
    ASSERT_STR(world_sends(world), "0 together");
    ASSERT_STR(call->trace, "fault overloaded 503 together/a");
    world_free(world);
}

static void six_attempts_by_default(void)
{
    struct world *world = WORLD({BUSY_FOREVER}, {.repeat = true, ANSWER(OPENAI, 503, ERROR("busy"))});
    ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(world_sends(world),
               "0 together | 1000 together | 3000 together | 7000 together | 7000 openai | "
               "8000 openai");
    world_free(world);
}

static void refused_plugin(void)
{
    struct world *world = WORLD(OPENAI_ANSWERS, {ANSWER(TOGETHER, 200, STREAM("a"))});
    world->together.provider = NULL;
    world->together.reason = "it is writable by others";
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, MOVES_AT_ONCE);
    ASSERT_STR(world_rows(call), "openai/b 200 ok 1650000");
    call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, "fault plugin together/a");
    ASSERT_STR(world_message(call), "it is writable by others");
    ASSERT_INT(koine_response_attempt_count(world_response(call)), 0);
    CU_ASSERT_PTR_NOT_NULL(world_response(call));
    world_free(world);
}

static void a_key_of_two_lines(void)
{
    struct world *world = WORLD(OPENAI_ANSWERS);
    world->together.secret = koine__secret_new("KEY\nX: y", 8);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, MOVES_AT_ONCE);
    ASSERT_STR(world_sends(world), "0 openai");
    koine__secret_unref(world->together.secret);
    world_free(world);
}

static void no_key(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    world->together.secret = NULL;
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    CU_ASSERT_PTR_NULL(strstr(world_sent(world, 0)->headers, "Authorization"));
    world_free(world);
}

SUITE_MAIN("sim retry", {"the second retry answers", second_retry_answers},
           {"whole answers too", whole_answers_too},
           {"every retry is the same request", every_retry_is_the_same_request},
           {"base_delay 2s: 2, 4, 8", base_delay}, {"equal jitter keeps half", jitter_keeps_half},
           {"max_retries of the target", max_retries_of_the_target}, {"what is retried", what_is_retried},
           {"whole answers that are retried", whole_answers_that_are_retried}, {"advised waits", retry_after},
           {"advice reaches the caller", advice_reaches_the_caller},
           {"all retries used, then the next", retries_used_up},
           {"costs of all attempts add up", costs_of_all_attempts_add_up},
           {"what moves on at once", what_moves_on}, {"what ends the call", what_ends_the_call},
           {"content policy stays", content_policy_stays},
           {"context length wants a larger window", context_length_wants_a_larger_window},
           {"unknown windows are not larger", unknown_windows_are_not_larger},
           {"the first target is the one to tell of", the_first_target_is_the_one_to_tell_of},
           {"unless the last ends it", unless_the_last_ends_it},
           {"attempts are kept for the untried", attempts_are_kept_for_the_untried},
           {"fewer attempts than targets", fewer_attempts_than_targets},
           {"six attempts by default", six_attempts_by_default}, {"a refused plugin", refused_plugin},
           {"no key", no_key}, {"a key of two lines", a_key_of_two_lines})
