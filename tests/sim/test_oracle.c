/* The oracles themselves: each says nothing to what is right, and says what is wrong. A judge that cannot
 * find anybody guilty proves nothing. */
#include "tests/sim/oracle.h"
#include "tests/unit/suite.h"

#define SEC(n) ((n)*KOINE__SEC)
#define MS(n)  ((n)*KOINE__MS)

/* Ids. */
static const int a, b, c, d;

/* ---- the log ---- */

static void log_finds_one_too_many(void)
{
    struct oracle_log log;
    oracle_log_init(&log, 2, SEC(60));
    ASSERT_STR(oracle_log_add(&log, SEC(0), 1), NULL);
    ASSERT_STR(oracle_log_add(&log, SEC(59), 1), NULL);
    ASSERT_STR(oracle_log_add(&log, SEC(60), 1), NULL); /* the first one is a whole window old */
    ASSERT_STR(oracle_log_add(&log, SEC(118), 1), "more than the limit in one window");
    oracle_log_release(&log);
}

static void log_finds_it_late(void)
{
    struct oracle_log log;
    oracle_log_init(&log, 2, SEC(60));
    ASSERT_STR(oracle_log_add(&log, SEC(100), 1), NULL);
    ASSERT_STR(oracle_log_add(&log, SEC(20), 1), NULL);
    ASSERT_STR(oracle_log_add(&log, SEC(110), 1), NULL);
    ASSERT_STR(oracle_log_add(&log, SEC(50), 1), NULL); /* 20, 50 and 50, 100 and 100, 110 */
    ASSERT_STR(oracle_log_add(&log, SEC(79), 1), "more than the limit in one window");
    oracle_log_release(&log);
}

static void log_weighs(void)
{
    struct oracle_log log;
    oracle_log_init(&log, 1000, SEC(60));
    ASSERT_STR(oracle_log_add(&log, SEC(0), 600), NULL);
    ASSERT_STR(oracle_log_add(&log, SEC(1), 400), NULL);
    ASSERT_STR(oracle_log_add(&log, SEC(2), 1), "more than the limit in one window");
    oracle_log_release(&log);
    oracle_log_init(&log, -1, SEC(60));
    ASSERT_STR(oracle_log_add(&log, SEC(2), INT64_MAX / 2), NULL);
    oracle_log_release(&log);
}

/* ---- the limiter ---- */

static struct oracle_limiter limiter_of(int64_t requests, int64_t tokens, int64_t concurrent)
{
    struct oracle_limiter limiter;
    oracle_limiter_init(&limiter, &(struct koine__limiter_config){.requests = requests,
                                                                  .tokens = tokens,
                                                                  .concurrent = concurrent,
                                                                  .window = SEC(60),
                                                                  .slack = MS(500)});
    return limiter;
}

static void limiter_finds_too_many_at_once(void)
{
    struct oracle_limiter limiter = limiter_of(-1, -1, 1);
    ASSERT_STR(oracle_limiter_passes(&limiter, &a, 0, 0, 0, 1), NULL);
    ASSERT_STR(oracle_limiter_left(&limiter, &a, true, -1, 0), NULL);
    ASSERT_STR(oracle_limiter_passes(&limiter, &b, 0, 0, 1, 1), NULL);
    ASSERT_STR(oracle_limiter_passes(&limiter, &c, 0, 0, 2, 1), "more under way than may be at once");
    oracle_limiter_release(&limiter);
}

static void limiter_counts_what_is_not_sent_yet(void)
{
    struct oracle_limiter limiter = limiter_of(1, -1, -1);
    ASSERT_STR(oracle_limiter_passes(&limiter, &a, 0, 0, SEC(0), 1), NULL);
    ASSERT_STR(oracle_limiter_sent(&limiter, &a, SEC(50)), NULL);
    ASSERT_STR(oracle_limiter_left(&limiter, &a, true, -1, 0), NULL);
    ASSERT_STR(oracle_limiter_passes(&limiter, &b, 0, 0, SEC(109), 1),
               "more requests than a window may hold");
    oracle_limiter_release(&limiter);
    limiter = limiter_of(1, -1, -1);
    ASSERT_STR(oracle_limiter_passes(&limiter, &a, 0, 0, SEC(0), 1), NULL);
    ASSERT_STR(oracle_limiter_left(&limiter, &a, false, -1, 0), NULL); /* gives its entry back */
    ASSERT_STR(oracle_limiter_passes(&limiter, &b, 0, 0, SEC(1), 1), NULL);
    oracle_limiter_release(&limiter);
}

static void limiter_finds_who_is_passed_over(void)
{
    struct oracle_limiter limiter = limiter_of(-1, -1, 1);
    oracle_limiter_waits(&limiter, &a, 0, 0);
    oracle_limiter_waits(&limiter, &b, 1, 0);
    ASSERT_STR(oracle_limiter_passes(&limiter, &b, 1, 0, 0, 2), NULL); /* the other one sleeps */
    ASSERT_STR(oracle_limiter_left(&limiter, &b, true, -1, 0), NULL);
    ASSERT_STR(oracle_limiter_quiet(&limiter, 0, SEC(9), 2, 0), NULL);
    ASSERT_STR(oracle_limiter_passes(&limiter, &c, 1, 0, 0, 3), NULL);
    ASSERT_STR(oracle_limiter_quiet(&limiter, 0, SEC(9), 3, 0), "somebody who came before still waits");
    ASSERT_STR(oracle_limiter_left(&limiter, &c, true, -1, 0), NULL);
    ASSERT_STR(oracle_limiter_passes(&limiter, &a, 0, 0, 0, 3), NULL);
    ASSERT_STR(oracle_limiter_quiet(&limiter, 0, SEC(9), 3, 0), NULL);
    oracle_limiter_release(&limiter);
}

static void limiter_finds_who_is_left_behind(void)
{
    struct oracle_limiter limiter = limiter_of(-1, -1, 1);
    ASSERT_STR(oracle_limiter_passes(&limiter, &a, 0, 0, 0, 3), NULL);
    oracle_limiter_waits(&limiter, &b, 1, 0);
    ASSERT_STR(oracle_limiter_quiet(&limiter, SEC(1), 0, 3, 0), NULL); /* nothing is free */
    ASSERT_STR(oracle_limiter_left(&limiter, &a, true, -1, 0), NULL);
    ASSERT_STR(oracle_limiter_quiet(&limiter, SEC(2), SEC(9), 3, 0), NULL);  /* but it is paused */
    ASSERT_STR(oracle_limiter_quiet(&limiter, SEC(2), 0, 1, 0), NULL);       /* or he sleeps */
    ASSERT_STR(oracle_limiter_quiet(&limiter, SEC(2), 0, 3, MS(300)), NULL); /* for so long it may be */
    ASSERT_STR(oracle_limiter_quiet(&limiter, SEC(2) + MS(300), 0, 3, MS(300)),
               "somebody waits for what is free");
    ASSERT_STR(oracle_limiter_quiet(&limiter, SEC(2), 0, 3, 0), "somebody waits for what is free");
    oracle_limiter_release(&limiter);
}

static void limiter_waits_for_the_window(void)
{
    struct oracle_limiter limiter = limiter_of(1, 100, -1);
    ASSERT_STR(oracle_limiter_passes(&limiter, &a, 0, 60, 0, 1), NULL);
    ASSERT_STR(oracle_limiter_sent(&limiter, &a, 0), NULL);
    ASSERT_STR(oracle_limiter_left(&limiter, &a, true, 60, 0), NULL);
    oracle_limiter_waits(&limiter, &b, 0, 40);
    ASSERT_STR(oracle_limiter_quiet(&limiter, SEC(60) + MS(499), 0, 1, 0), NULL);
    ASSERT_STR(oracle_limiter_quiet(&limiter, SEC(60) + MS(500), 0, 1, 0), "somebody waits for what is free");
    oracle_limiter_release(&limiter);
}

static void limiter_adds_tokens_up(void)
{
    struct oracle_limiter limiter = limiter_of(-1, 100, -1);
    ASSERT_STR(oracle_limiter_passes(&limiter, &a, 0, 60, SEC(0), 1), NULL);
    ASSERT_STR(oracle_limiter_sent(&limiter, &a, SEC(0)), NULL);
    ASSERT_STR(oracle_limiter_left(&limiter, &a, true, 500, SEC(1)), NULL); /* it was estimated too low */
    ASSERT_STR(oracle_limiter_passes(&limiter, &b, 0, 60, SEC(2), 1), NULL);
    ASSERT_STR(oracle_limiter_left(&limiter, &b, true, 40, SEC(2)), NULL);
    ASSERT_STR(oracle_limiter_passes(&limiter, &c, 0, 60, SEC(3), 1), NULL);
    ASSERT_STR(oracle_limiter_left(&limiter, &c, false, 60, SEC(3)), NULL);
    ASSERT_STR(oracle_limiter_passes(&limiter, &d, 0, 60, SEC(59), 1), NULL);
    ASSERT_STR(oracle_limiter_left(&limiter, &d, true, 1, SEC(59)), "more tokens than a window may hold");
    oracle_limiter_release(&limiter);
}

static void limiter_finds_what_is_kept(void)
{
    struct oracle_limiter limiter = limiter_of(-1, -1, -1);
    ASSERT_STR(oracle_limiter_sent(&limiter, &a, 0), "sent without having been let through");
    ASSERT_STR(oracle_limiter_left(&limiter, &a, true, -1, 0),
               "left without having been let through, or twice");
    ASSERT_STR(oracle_limiter_over(&limiter), NULL);
    ASSERT_STR(oracle_limiter_passes(&limiter, &a, 0, 0, 0, 1), NULL);
    ASSERT_STR(oracle_limiter_over(&limiter), "a place was not given back");
    ASSERT_STR(oracle_limiter_left(&limiter, &a, true, -1, 0), NULL);
    oracle_limiter_waits(&limiter, &b, 0, 0);
    ASSERT_STR(oracle_limiter_over(&limiter), "somebody still waits in line");
    oracle_limiter_forgets(&limiter, &b);
    ASSERT_STR(oracle_limiter_over(&limiter), NULL);
    oracle_limiter_release(&limiter);
}

/* ---- the breaker ---- */

static struct oracle_breaker breaker;
static const struct koine__breaker_config seed_rule = {
    .failures = 5, .window = SEC(60), .open_for = SEC(30), .probes = 1, .successes_to_close = 2};

static const char *fails_at(int64_t at, enum koine__breaker_state actual)
{
    const char *wrong = oracle_breaker_enter(&breaker, &a, at, at + SEC(10), false, false);
    return wrong ? wrong : oracle_breaker_leaves(&breaker, &a, at, KOINE_CLASS_SERVER, actual);
}

static void open_it(void) /* at 4 s */
{
    oracle_breaker_init(&breaker, &seed_rule);
    for (int i = 0; i < 4; i++)
        ASSERT_STR(fails_at(SEC(i), KOINE__BREAKER_CLOSED), NULL);
    ASSERT_STR(fails_at(SEC(4), KOINE__BREAKER_OPEN), NULL);
}

static void breaker_knows_the_fifth_failure(void)
{
    open_it();
    oracle_breaker_release(&breaker);
    oracle_breaker_init(&breaker, &seed_rule);
    for (int i = 0; i < 4; i++)
        ASSERT_STR(fails_at(SEC(i), KOINE__BREAKER_CLOSED), NULL);
    ASSERT_STR(fails_at(SEC(60), KOINE__BREAKER_CLOSED), "the breaker should have opened");
    oracle_breaker_release(&breaker);
    oracle_breaker_init(&breaker, &seed_rule);
    for (int i = 0; i < 4; i++)
        ASSERT_STR(fails_at(SEC(i), KOINE__BREAKER_CLOSED), NULL);
    ASSERT_STR(fails_at(SEC(61), KOINE__BREAKER_OPEN), "the breaker opened, and should not have");
    oracle_breaker_release(&breaker);
}

static void breaker_knows_the_ratio(void)
{
    struct koine__breaker_config config = seed_rule;
    config.failures = 2;
    config.min_calls = 4;
    config.ratio = 500000;
    oracle_breaker_init(&breaker, &config);
    ASSERT_STR(fails_at(SEC(1), KOINE__BREAKER_CLOSED), NULL);
    ASSERT_STR(fails_at(SEC(2), KOINE__BREAKER_CLOSED), NULL); /* of two calls */
    for (int i = 3; i < 6; i++) {
        ASSERT_STR(oracle_breaker_enter(&breaker, &b, SEC(i), SEC(i), false, false), NULL);
        ASSERT_STR(oracle_breaker_leaves(&breaker, &b, SEC(i), KOINE_CLASS_NONE, KOINE__BREAKER_CLOSED),
                   NULL);
    }
    ASSERT_STR(fails_at(SEC(7), KOINE__BREAKER_CLOSED), "the breaker should have opened"); /* 3 of 6 */
    oracle_breaker_release(&breaker);
}

static void breaker_counts_failures_alone(void)
{
    static const int innocent[] = {KOINE_CLASS_RATE_LIMIT, KOINE_CLASS_AUTH, KOINE_CLASS_CANCELLED,
                                   KOINE_CLASS_INVALID, KOINE_CLASS_REFUSED};
    oracle_breaker_init(&breaker, &seed_rule);
    for (size_t i = 0; i < 5; i++) {
        ASSERT_STR(oracle_breaker_enter(&breaker, &a, 0, 0, false, false), NULL);
        ASSERT_STR(oracle_breaker_leaves(&breaker, &a, 0, innocent[i], KOINE__BREAKER_CLOSED), NULL);
    }
    ASSERT_STR(oracle_breaker_enter(&breaker, &a, 0, 0, false, false), NULL);
    ASSERT_STR(oracle_breaker_leaves(&breaker, &a, 0, KOINE_CLASS_RATE_LIMIT, KOINE__BREAKER_OPEN),
               "the breaker should be closed");
    ASSERT_STR(oracle_breaker_leaves(&breaker, &a, 0, 0, KOINE__BREAKER_OPEN),
               "it left without having been let through, or twice");
    oracle_breaker_release(&breaker);
}

static void breaker_knows_when_it_is_open(void)
{
    open_it();
    ASSERT_STR(oracle_breaker_peek(&breaker, SEC(34) - 1, false, true), NULL);
    ASSERT_STR(oracle_breaker_peek(&breaker, SEC(34) - 1, false, false),
               "an open breaker let somebody go into the line");
    ASSERT_STR(oracle_breaker_enter(&breaker, &b, SEC(34) - 1, 0, false, false),
               "an open breaker let somebody through");
    ASSERT_STR(oracle_breaker_enter(&breaker, &c, SEC(34), 0, false, true),
               "the breaker refused whom it should let through");
    ASSERT_STR(oracle_breaker_peek(&breaker, SEC(34), false, true),
               "a half-open breaker refused a probe, before the line");
    ASSERT_STR(oracle_breaker_peek(&breaker, SEC(34), true, false),
               "a hedge was let through where the breaker is not closed");
    oracle_breaker_release(&breaker);
}

static void breaker_knows_probes(void)
{
    open_it();
    ASSERT_STR(oracle_breaker_enter(&breaker, &b, SEC(34), SEC(40), false, false), NULL);
    ASSERT_STR(oracle_breaker_enter(&breaker, &c, SEC(35), SEC(40), false, false),
               "more probes at once than are allowed");
    ASSERT_STR(oracle_breaker_leaves(&breaker, &c, SEC(36), KOINE_CLASS_CANCELLED, KOINE__BREAKER_HALF_OPEN),
               NULL);
    ASSERT_STR(oracle_breaker_enter(&breaker, &c, SEC(63), SEC(40), false, true), NULL); /* its lease runs */
    ASSERT_STR(oracle_breaker_enter(&breaker, &c, SEC(64), SEC(40), false, false), NULL);
    ASSERT_STR(oracle_breaker_leaves(&breaker, &b, SEC(65), KOINE_CLASS_SERVER, KOINE__BREAKER_HALF_OPEN),
               NULL); /* too late to say anything */
    ASSERT_STR(oracle_breaker_answers(&breaker, &c, SEC(66), KOINE__BREAKER_HALF_OPEN), NULL);
    ASSERT_STR(oracle_breaker_enter(&breaker, &d, SEC(66), SEC(70), false, false), NULL);
    ASSERT_STR(oracle_breaker_leaves(&breaker, &d, SEC(67), KOINE_CLASS_NONE, KOINE__BREAKER_HALF_OPEN),
               "the breaker should be closed");
    oracle_breaker_release(&breaker);
}

static void breaker_knows_a_failed_probe(void)
{
    open_it();
    ASSERT_STR(oracle_breaker_enter(&breaker, &b, SEC(34), SEC(40), false, false), NULL);
    ASSERT_STR(oracle_breaker_leaves(&breaker, &b, SEC(35), KOINE_CLASS_SERVER, KOINE__BREAKER_CLOSED),
               "the breaker should be open");
    oracle_breaker_release(&breaker);
}

/* ---- a call ---- */

static struct oracle_call call_of(void)
{
    return (struct oracle_call){
        .deadline = SEC(10), .min_attempt = SEC(1), .max_attempts = 2, .most_at_once = 1};
}

static void call_knows_its_attempts(void)
{
    struct oracle_call call = call_of();
    ASSERT_STR(oracle_call_starts(&call, SEC(1)), NULL);
    ASSERT_STR(oracle_call_starts(&call, SEC(1)), "more attempts at once than allowed");
    call = call_of();
    ASSERT_STR(oracle_call_starts(&call, SEC(1)), NULL);
    ASSERT_STR(oracle_call_ends(&call), NULL);
    ASSERT_STR(oracle_call_ends(&call), "a request ended twice");
    ASSERT_STR(oracle_call_starts(&call, SEC(9) + 1), "a further attempt with less time than one needs");
    ASSERT_STR(oracle_call_starts(&call, SEC(2)), "more attempts than max_attempts");
    call = call_of();
    ASSERT_STR(oracle_call_starts(&call, SEC(10)), "a request after the deadline");
    call = call_of();
    oracle_call_cancels(&call);
    ASSERT_STR(oracle_call_starts(&call, SEC(1)), "a request after the call was cancelled");
}

static void call_knows_its_events(void)
{
    struct oracle_call call = call_of();
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_TEXT, ""), "content before the start of an answer");
    call = call_of();
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_RETRY, "together"), NULL);
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_START, "together"), NULL);
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_TEXT, ""), NULL);
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_SWITCH, "openai"), "a move after content was delivered");
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_START, "openai"), "two answers in one");
    ASSERT_STR(oracle_call_starts(&call, SEC(1)), "a request after content was delivered");
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_STOP, ""), NULL);
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_TEXT, ""), "an event after the terminal one");
    ASSERT_STR(oracle_call_starts(&call, SEC(1)), "a request after the end");
    call = call_of();
    call.complete = true;
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_START, "openai"), NULL);
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_TEXT, ""), NULL);
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_FAULT, ""), "a part of an answer that was to come whole");
}

static void call_knows_its_end(void)
{
    struct oracle_call call = call_of();
    ASSERT_STR(oracle_call_over(&call, SEC(1), 0, 0), "not one terminal event");
    ASSERT_STR(oracle_call_starts(&call, SEC(1)), NULL);
    ASSERT_STR(oracle_call_event(&call, KOINE_EVENT_STOP, ""), NULL);
    ASSERT_STR(oracle_call_over(&call, SEC(1), 2, 0),
               "the ledger's rows are not the requests that were made");
    ASSERT_STR(oracle_call_over(&call, SEC(1), 1, 0), "a request goes on after the end");
    ASSERT_STR(oracle_call_ends(&call), NULL);
    ASSERT_STR(oracle_call_over(&call, SEC(10), 1, 0), NULL);
    ASSERT_STR(oracle_call_over(&call, SEC(11), 1, 0), "it ended after its deadline");
    ASSERT_STR(oracle_call_over(&call, SEC(11), 1, SEC(1)), NULL);
}

/* ---- waits ---- */

static void waits_have_bounds(void)
{
    static const struct {
        int64_t jitter, low, high; /* of the third retry: 4 s without jitter */
    } rows[] = {
        {KOINE__JITTER_NONE, 4000, 4000},
        {KOINE__JITTER_EQUAL, 2000, 4000},
        {KOINE__JITTER_FULL, 0, 4000},
        {KOINE__JITTER_PROPORTIONAL, 3000, 4000},
        {KOINE__JITTER_DECORRELATED, 1000, 27000},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct koine__retry_config config = {
            .base_delay = SEC(1), .max_delay = SEC(60), .multiplier = 2000000, .jitter = rows[i].jitter};
        ASSERT_STR(oracle_delay(&config, 2, -1, MS(rows[i].low)), NULL);
        ASSERT_STR(oracle_delay(&config, 2, -1, MS(rows[i].high)), NULL);
        ASSERT_STR(oracle_delay(&config, 2, -1, MS(rows[i].low) - MS(2)), "a wait outside its bounds");
        ASSERT_STR(oracle_delay(&config, 2, -1, MS(rows[i].high) + MS(2)), "a wait outside its bounds");
        config.max_delay = MS(500);
        ASSERT_STR(oracle_delay(&config, 2, -1, MS(502)), "a wait outside its bounds");
        ASSERT_STR(oracle_delay(&config, 2, SEC(7), MS(7700)), NULL);
        ASSERT_STR(oracle_delay(&config, 2, SEC(7), MS(6998)), "a wait outside its bounds");
        ASSERT_STR(oracle_delay(&config, 2, SEC(7), MS(7702)), "a wait outside its bounds");
    }
}

static void bucket_knows_what_was_paid(void)
{
    struct oracle_bucket bucket = {.capacity = 20};
    ASSERT_STR(oracle_bucket_pays(&bucket, 10), NULL);
    ASSERT_STR(oracle_bucket_pays(&bucket, 10), NULL);
    oracle_bucket_earns(&bucket, 9);
    ASSERT_STR(oracle_bucket_pays(&bucket, 10), "more retries than the budget can have paid for");
    bucket = (struct oracle_bucket){.capacity = -1};
    ASSERT_STR(oracle_bucket_pays(&bucket, 1000), NULL);
}

/* ---- money ---- */

static void money_knows_what_fits(void)
{
    struct oracle_money money;
    oracle_money_init(&money, 100);
    ASSERT_STR(oracle_money_reserves(&money, &a, 60, false), NULL);
    ASSERT_STR(oracle_money_reserves(&money, &b, 40, true), "a budget refused what it could bear");
    ASSERT_STR(oracle_money_reserves(&money, &b, 41, true), NULL);
    ASSERT_STR(oracle_money_reserves(&money, &b, 41, false), "a budget let through what it could not bear");
    oracle_money_release(&money);
}

static void money_knows_what_was_spent(void)
{
    struct oracle_money money;
    oracle_money_init(&money, 100);
    ASSERT_STR(oracle_money_reserves(&money, &a, 60, false), NULL);
    ASSERT_STR(oracle_money_reserves(&money, &b, 40, false), NULL);
    ASSERT_STR(oracle_money_over(&money), "money is still reserved");
    ASSERT_STR(oracle_money_settles(&money, &a, true, 90), NULL); /* 30 more than was thought */
    ASSERT_STR(oracle_money_agrees(&money, 90, 40), NULL);
    ASSERT_STR(oracle_money_agrees(&money, 60, 40), "a budget has spent another sum than its attempts");
    ASSERT_STR(oracle_money_agrees(&money, 90, 0), "a budget holds another sum than its attempts reserved");
    ASSERT_STR(oracle_money_settles(&money, &a, true, 90), "settled without having been reserved, or twice");
    ASSERT_STR(oracle_money_settles(&money, &b, false, 40), NULL);
    ASSERT_STR(oracle_money_agrees(&money, 90, 0), NULL);
    ASSERT_STR(oracle_money_reserves(&money, &c, 5, false), NULL);
    ASSERT_STR(oracle_money_settles(&money, &c, true, -1), NULL); /* nobody knows: what was reserved */
    ASSERT_STR(oracle_money_agrees(&money, 95, 0), NULL);
    ASSERT_STR(oracle_money_over(&money), NULL);
    oracle_money_release(&money);
}

SUITE_MAIN("oracle", {"log finds one too many", log_finds_one_too_many},
           {"log finds it late", log_finds_it_late}, {"log weighs", log_weighs},
           {"limiter finds too many at once", limiter_finds_too_many_at_once},
           {"limiter counts what is not sent yet", limiter_counts_what_is_not_sent_yet},
           {"limiter finds who is passed over", limiter_finds_who_is_passed_over},
           {"limiter finds who is left behind", limiter_finds_who_is_left_behind},
           {"limiter waits for the window", limiter_waits_for_the_window},
           {"limiter adds tokens up", limiter_adds_tokens_up},
           {"limiter finds what is kept", limiter_finds_what_is_kept},
           {"breaker knows the fifth failure", breaker_knows_the_fifth_failure},
           {"breaker knows the ratio", breaker_knows_the_ratio},
           {"breaker counts failures alone", breaker_counts_failures_alone},
           {"breaker knows when it is open", breaker_knows_when_it_is_open},
           {"breaker knows probes", breaker_knows_probes},
           {"breaker knows a failed probe", breaker_knows_a_failed_probe},
           {"call knows its attempts", call_knows_its_attempts},
           {"call knows its events", call_knows_its_events}, {"call knows its end", call_knows_its_end},
           {"waits have bounds", waits_have_bounds},
           {"bucket knows what was paid", bucket_knows_what_was_paid},
           {"money knows what fits", money_knows_what_fits},
           {"money knows what was spent", money_knows_what_was_spent})
