/* koine_explain on a hub whose state was made by calls that failed: what each layer says then, what that
 * makes of the route, what it could cost; and that looking changes nothing. */
#include "tests/unit/failalloc.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"

#include <koine/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINI           "openai/gpt-4o-mini"
#define TOGETHER_LLAMA "together/" LLAMA
#define BOTH           "[" TOGETHER_LLAMA ", " MINI "]"

static const struct koine__replay_answer busy[] = {
    {.repeat = true, ANSWER(TOGETHER_HOST, 503, ERROR("busy"))},
    {.repeat = true, ANSWER(OPENAI_HOST, 200, WHOLE("gpt-4o-mini"))},
};

/* ---- looking ---- */

static koine_json *seen; /* what was told last */
static char *told;

static void forget(void)
{
    koine_json_free(seen);
    koine_free(told);
    seen = NULL;
    told = NULL;
}

static void look(struct rig *rig, const koine_request *request)
{
    koine_error *error = NULL;
    forget();
    int rc = koine_explain(rig->hub, request, &told, &error);
    ASSERT_STR(rig_message(error), "");
    if (rc == KOINE_OK && koine_json_parse(told, strlen(told), &seen, NULL) != KOINE_OK)
        CU_FAIL("it is no JSON");
}

static koine_request *asking(const char *max_tokens)
{
    koine_request *request = rig_request(NULL, "Hi");
    koine_request_set(request, "max_tokens", max_tokens);
    return request;
}

static void look_at_route(struct rig *rig)
{
    koine_request *request = asking("1000");
    look(rig, request);
    koine_request_free(request);
}

static const koine_json *at(const char *path)
{
    const koine_json *node = seen;
    char word[64];
    while (*path) {
        size_t length = strcspn(path, ".");
        snprintf(word, sizeof(word), "%.*s", (int)length, path);
        bool is_index = word[0] >= '0' && word[0] <= '9';
        node = is_index ? koine_json_at(node, (size_t)atoi(word)) : koine_json_get(node, word);
        path += length + (path[length] == '.');
    }
    return node;
}

static const char *text(const char *path)
{
    return koine_json_string(at(path), NULL);
}

static long long number(const char *path)
{
    return koine_json_integer(at(path), -1);
}

/* "go: closed", of that layer at that target. */
static const char *layer(int target, const char *name)
{
    static char words[700];
    char path[32];
    snprintf(path, sizeof(path), "targets.%d.layers", target);
    const koine_json *layers = at(path);
    for (size_t i = 0; i < koine_json_count(layers); i++) {
        const koine_json *one = koine_json_at(layers, i);
        if (strcmp(koine_json_string(koine_json_get(one, "layer"), NULL), name) != 0)
            continue;
        snprintf(words, sizeof(words), "%s: %s", koine_json_string(koine_json_get(one, "state"), NULL),
                 koine_json_string(koine_json_get(one, "says"), NULL));
        return words;
    }
    return NULL;
}

static void generate(koine_client *client, const char *target)
{
    koine_request *request = rig_request(target, "Hi");
    koine_response *response = NULL;
    koine_request_set(request, "max_tokens", "1000");
    koine_generate(client, request, &response, NULL);
    koine_response_free(response);
    koine_request_free(request);
}

static bool open_route(struct rig *rig, const struct koine__replay_answer *answers, size_t count)
{
    if (!rig_open(rig, answers, count))
        return false;
    APPLY(rig, "routes.default.targets", BOTH, "providers.together.retry.max_retries", "0");
    return true;
}
#define OPEN(rig, script) open_route((rig), (script), sizeof(script) / sizeof((script)[0]))

static void close_route(struct rig *rig)
{
    forget();
    rig_close(rig);
}

/* ---- the order, and what it costs ---- */

static void fresh(void)
{
    struct rig rig;
    if (!OPEN(&rig, busy))
        return;
    APPLY(&rig, "providers.together.retry.max_retries", "3", "routes.default.max_attempts", "6");
    look_at_route(&rig);
    ASSERT_STR(text("route"), "default");
    ASSERT_STR(text("now.target"), TOGETHER_LLAMA);
    ASSERT_STR(text("now.class"), NULL);
    ASSERT_STR(text("targets.0.stands"), "asked");
    ASSERT_STR(text("targets.1.stands"), "reserve");
    ASSERT_STR(text("targets.0.why"), "The first of 2 in route default; it would be asked now.");
    ASSERT_STR(text("targets.0.moves_on"),
               "Asked again up to 3 times (after 1s, 2s, 4s) on connect, reset, timeout, overloaded, server, "
               "protocol or rate_limit; then, and at once on billing, auth, model_gone, unsupported or "
               "refused, when it stays silent or a wait of more than 5s is advised, the call moves on "
               "to " MINI "; context_length, content_policy or invalid ends the call.");
    ASSERT_STR(text("targets.1.why"), "Number 2 of 2 in route default; asked if " TOGETHER_LLAMA " fails.");
    ASSERT_STR(layer(0, "latch"), "go: none");
    ASSERT_STR(layer(0, "breaker"), "go: closed");
    ASSERT_STR(layer(0, "budget"), "go: none");
    ASSERT_STR(layer(0, "key"), "go: from providers.together.api_key");
    ASSERT_INT(number("targets.0.retry.waits_ms.2"), 4000);
    ASSERT_INT(number("targets.0.retry.budget_left"), 100);
    ASSERT_INT(number("targets.0.timeouts.first_byte_ms"), 60000);
    /* (319 + 1000) × 0.18 $/M = $0.00023742; the second: 319 × 0.15 + 1000 × 0.60 $/M = $0.00064785. Of six
     * attempts at most four may be there, so two are left for the first. */
    ASSERT_STR(text("targets.0.cost.attempt_most_usd"), "0.00023742");
    ASSERT_INT(number("targets.0.cost.attempts_most"), 4);
    ASSERT_STR(text("targets.0.cost.most_usd"), "0.00094968");
    ASSERT_STR(text("targets.1.cost.attempt_most_usd"), "0.00064785");
    ASSERT_STR(text("targets.1.cost.most_usd"), "0.0025914");
    ASSERT_STR(text("cost.most_usd"), "0.00306624");
    ASSERT_STR(text("cost.says"),
               "It could cost at most $0.00306624, all attempts together; no budget limits it.");
    ASSERT_STR(text("targets.1.parameters.0.name"), "max_tokens");
    ASSERT_STR(text("targets.1.parameters.0.action"), "mapped");
    close_route(&rig);
}

static void of_many_attempts_the_dearest_count(void)
{
    struct rig rig;
    if (!OPEN(&rig, busy))
        return;
    APPLY(&rig, "routes.default.targets", "[" MINI ", " TOGETHER_LLAMA "]", "routes.default.max_attempts",
          "3", "providers.openai.retry.max_retries", "5");
    look_at_route(&rig);
    /* One is kept for the last: two of the dear one, and one of the cheap one. */
    ASSERT_INT(number("targets.0.cost.attempts_most"), 2);
    ASSERT_STR(text("cost.most_usd"), "0.00153312");
    close_route(&rig);
}

static void unpriced_is_said(void)
{
    struct rig rig;
    if (!OPEN(&rig, busy))
        return;
    APPLY(&rig, "routes.default.targets", "[" MINI ", openai/my-own]");
    look_at_route(&rig);
    ASSERT_STR(text("cost.most_usd"), NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(text("cost.says"),
                                  "Nobody knows what it could cost: openai/my-own is unpriced; "
                                  "the other targets at most $0.0025914; no budget"));
    CU_ASSERT_TRUE(koine_json_true(at("targets.1.cost.unpriced")));
    ASSERT_STR(text("targets.1.price"), NULL);
    APPLY(&rig, "budgets.call", "1.00");
    look_at_route(&rig);
    CU_ASSERT_PTR_NOT_NULL(strstr(layer(1, "budget"), "refuse: there is a budget, and nobody knows what "));
    ASSERT_STR(text("targets.1.stands"), "refused");
    close_route(&rig);
}

/* ---- state that calls made ---- */

static void an_open_breaker(void)
{
    struct rig rig;
    if (!OPEN(&rig, busy))
        return;
    koine_client *client = rig_client(&rig);
    for (int i = 0; i < 5; i++)
        generate(client, TOGETHER_LLAMA);
    rig.now += 18 * KOINE__SEC;
    look_at_route(&rig);
    ASSERT_STR(layer(0, "breaker"),
               "refuse: together: the breaker is open for another 12s after 5 failures in 1m");
    ASSERT_STR(text("targets.0.stands"), "refused");
    ASSERT_STR(text("now.target"), MINI);
    ASSERT_STR(text("now.says"),
               "A call that starts now would ask " MINI ", since " TOGETHER_LLAMA " may not be asked now.");
    ASSERT_STR(text("targets.0.why"),
               "The first of 2 in route default; not asked now (refused: together: the breaker is open for "
               "another 12s after 5 failures in 1m).");
    ASSERT_STR(text("targets.1.stands"), "asked");
    rig.now += 12 * KOINE__SEC;
    look_at_route(&rig);
    look_at_route(&rig);
    ASSERT_STR(layer(0, "breaker"), "go: half open: it would be a probe");
    /* The one probe was not taken by looking: a call takes it. */
    size_t sent = koine__replay_count(rig.transport);
    generate(client, NULL);
    ASSERT_INT((long long)(koine__replay_count(rig.transport) - sent), 2);
    koine_client_free(client);
    close_route(&rig);
}

static const struct koine__replay_answer wrong_keys[] = {
    {.repeat = true, ANSWER(TOGETHER_HOST, 401, ERROR("no"))},
    {.repeat = true, ANSWER(OPENAI_HOST, 401, ERROR("no"))},
};

static void latches(void)
{
    struct rig rig;
    if (!OPEN(&rig, wrong_keys))
        return;
    koine_client *client = rig_client(&rig);
    generate(client, MINI);
    look_at_route(&rig);
    ASSERT_STR(layer(0, "latch"), "go: none");
    ASSERT_STR(layer(1, "latch"), "refuse: left alone for another 5m after auth");
    ASSERT_STR(text("targets.1.why"), "Number 2 of 2 in route default; not asked if the call came to it now "
                                      "(refused: left alone for another 5m after auth).");
    rig.now += KOINE__SEC;
    generate(client, TOGETHER_LLAMA);
    look_at_route(&rig);
    ASSERT_STR(layer(1, "latch"),
               "go: latched after auth, as all targets are, and for the longest: so it is tried");
    ASSERT_STR(text("now.target"), MINI);
    koine_client_free(client);
    close_route(&rig);
}

static const struct koine__replay_answer pauses[] = {
    {.match = TOGETHER_HOST,
     .status = 429,
     HEADERS(HEADER("retry-after", "20")),
     BODY(PIECE(0, ERROR("slow down")))},
    {.repeat = true, ANSWER(OPENAI_HOST, 200, WHOLE("gpt-4o-mini"))},
};

static void a_pause(void)
{
    struct rig rig;
    if (!OPEN(&rig, pauses))
        return;
    koine_client *client = rig_client(&rig);
    generate(client, TOGETHER_LLAMA);
    look_at_route(&rig);
    /* Another target is there, and nobody waits for more than five seconds then. */
    ASSERT_STR(layer(0, "limiter"), "refuse: an attempt at together was told to wait by the provider, for "
                                    "longer than the call can (20s at least)");
    ASSERT_STR(text("now.target"), MINI);
    koine_request *alone = rig_request(TOGETHER_LLAMA, "Hi");
    look(&rig, alone);
    koine_request_free(alone);
    ASSERT_STR(layer(0, "limiter"), "wait: would wait 20s at least: paused; 0 under way");
    ASSERT_STR(text("targets.0.stands"), "waits");
    ASSERT_STR(text("now.says"),
               "A call that starts now would ask " TOGETHER_LLAMA ", in 20s at the earliest.");
    ASSERT_STR(text("route"), NULL);
    koine_client_free(client);
    close_route(&rig);
}

static const struct koine__replay_answer slow[] = {
    {.repeat = true, .head_after = WORLD_MS(30000), ANSWER(TOGETHER_HOST, 200, WHOLE("a"))},
};

static void a_full_queue(void)
{
    struct rig rig;
    koine_call *calls[2];
    if (!OPEN(&rig, slow))
        return;
    APPLY(&rig, "providers.together.limits.concurrent", "1", "providers.together.limits.queue", "1",
          "providers.together.limits.requests_per_minute", "100");
    koine_client *client = rig_client(&rig);
    koine_request *request = rig_request(TOGETHER_LLAMA, "Hi");
    ASSERT_INT(koine_start(client, request, &calls[0], NULL), KOINE_OK);
    ASSERT_INT(koine_start(client, request, &calls[1], NULL), KOINE_OK);
    koine_process(client);
    look(&rig, request);
    CU_ASSERT_PTR_NOT_NULL(strstr(layer(0, "limiter"), "finds as many in line as may be"));
    ASSERT_STR(text("now.class"), "refused");
    ASSERT_STR(text("now.target"), NULL);
    /* One goes: the next has the place, and somebody who came would be the only one in line. */
    koine_call_free(calls[1]);
    look(&rig, request);
    ASSERT_STR(layer(0, "limiter"),
               "wait: would wait for a place: 1 of 100 requests in 1m, 1 of 1 under way");
    look(&rig, request);
    ASSERT_INT(koine_start(client, request, &calls[1], NULL), KOINE_OK);
    koine_process(client);
    look(&rig, request);
    CU_ASSERT_PTR_NOT_NULL(strstr(layer(0, "limiter"), "finds as many in line as may be"));
    koine_request_free(request);
    koine_client_free(client);
    close_route(&rig);
}

static void a_budget_that_is_used_up(void)
{
    struct rig rig;
    if (!OPEN(&rig, busy))
        return;
    /* An answer of 3 and 2 tokens costs $0.00000165, and the worst that one may cost is $0.00064785. */
    APPLY(&rig, "budgets.run", "0.00064890");
    koine_client *client = rig_client(&rig);
    look_at_route(&rig);
    ASSERT_STR(layer(1, "budget"), "go: would reserve $0.00064785");
    ASSERT_STR(text("cost.budgets.0.left_usd"), "0.0006489");
    generate(client, MINI);
    look_at_route(&rig);
    look_at_route(&rig);
    ASSERT_STR(text("cost.budgets.0.spent_usd"), "0.00000165");
    ASSERT_STR(text("cost.budgets.0.reserved_usd"), "0.00");
    ASSERT_STR(text("cost.budgets.0.left_usd"), "0.00064725");
    ASSERT_STR(text("cost.budgets.0.scope"), "run");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(layer(1, "budget"), "refuse: the run's budget of $0.0006489 would be overspent"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text("cost.says"), "; the run's budget has $0.00064725 left and refuses"));
    koine_request *request = asking("1000");
    koine_request_set_target(request, MINI);
    look(&rig, request);
    ASSERT_STR(text("now.class"), "budget");
    CU_ASSERT_PTR_NOT_NULL(strstr(text("now.says"), "would ask nobody and end as budget at " MINI));
    koine_request_free(request);
    koine_client_free(client);
    close_route(&rig);
}

/* ---- what lies in configuration and document ---- */

static void what_can_never_be_sent_costs_nothing(void)
{
    struct rig rig;
    if (!OPEN(&rig, busy))
        return;
    APPLY(&rig, "providers.openai.parameters", "strict", "providers.openai.base_url",
          "https://api.openai.com/v1");
    koine_request *request = asking("1000");
    koine_request_set(request, "top_k", "5");
    look(&rig, request);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(layer(1, "request"), "refuse: parameters: strict, and top_k would be dropped"));
    ASSERT_INT(number("targets.1.cost.attempts_most"), 0);
    ASSERT_STR(text("cost.most_usd"), text("targets.0.cost.most_usd"));
    APPLY(&rig, "providers.openai.parameters", "warn");
    look(&rig, request);
    ASSERT_STR(text("targets.1.parameters.1.name"), "top_k");
    ASSERT_STR(text("targets.1.parameters.1.action"), "dropped");
    koine_request_free(request);
    close_route(&rig);
}

static void hedges_and_shares(void)
{
    struct rig rig;
    if (!OPEN(&rig, busy))
        return;
    APPLY(&rig, "routes.default.hedge_after", "2s", "routes.default.commit", "complete",
          "routes.default.deadline", "90s");
    look_at_route(&rig);
    ASSERT_INT(number("targets.0.hedge.after_ms"), 2000);
    ASSERT_STR(text("targets.0.hedge.target"), MINI);
    ASSERT_STR(text("targets.0.hedge.obstacle"), NULL);
    ASSERT_INT(number("targets.0.timeouts.share_ms"), 45000);
    ASSERT_INT(number("targets.1.timeouts.share_ms"), 90000);
    ASSERT_STR(text("commit"), "complete");
    APPLY(&rig, "routes.default.targets", "[openai/gpt-4o, " MINI "]");
    look_at_route(&rig);
    ASSERT_STR(text("targets.0.hedge.obstacle"), "the next target is at the same server");
    close_route(&rig);
}

/* ---- a look is a look ---- */

static void looking_changes_nothing(void)
{
    struct rig rig;
    if (!OPEN(&rig, busy))
        return;
    APPLY(&rig, "providers.together.limits.requests_per_minute", "1", "budgets.run", "1.00");
    koine_client *client = rig_client(&rig);
    look_at_route(&rig);
    char *first = strdup(told);
    for (int i = 0; i < 10; i++)
        look_at_route(&rig);
    ASSERT_STR(told, first);
    free(first);
    ASSERT_STR(layer(0, "limiter"), "go: 0 of 1 requests in 1m, 0 under way");
    ASSERT_INT((long long)koine__runs_count(rig.hub->runs), 0);
    ASSERT_INT((long long)koine__replay_count(rig.transport), 0);
    generate(client, NULL);
    ASSERT_INT((long long)koine__replay_count(rig.transport),
               2); /* the one that is allowed, and the fallback */
    koine_client_free(client);
    close_route(&rig);
}

static void what_is_no_call_is_an_error(void)
{
    struct rig rig;
    char *ret = NULL;
    koine_error *error = NULL;
    if (!OPEN(&rig, busy))
        return;
    koine_request *request = asking("1000");
    ASSERT_INT(koine_explain(NULL, request, &ret, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_explain(rig.hub, NULL, &ret, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_explain(rig.hub, request, NULL, NULL), KOINE_EARGUMENT);
    koine_request_set_route(request, "defualt");
    ASSERT_INT(koine_explain(rig.hub, request, &ret, &error), KOINE_ENOTFOUND);
    ASSERT_STR(rig_message(error), "no route named \"defualt\"; did you mean default?");
    koine_request_free(request);
    CU_ASSERT_PTR_NULL(ret);
    close_route(&rig);
}

static void every_allocation_may_fail(void)
{
    struct rig rig;
    if (!OPEN(&rig, busy))
        return;
    koine_request *request = asking("1000");
    look(&rig, request); /* the document is made now */
    forget();
    bool failed = true;
    for (long n = 1; n < 2000 && failed; n++) {
        char *ret = NULL;
        koine_error *error = NULL;
        failalloc_begin(n);
        int rc = koine_explain(rig.hub, request, &ret, &error);
        bool whole = ret && ret[0] == '{' && ret[strlen(ret) - 1] == '}';
        koine_error_free(error);
        koine_free(ret);
        failed = failalloc_end();
        ASSERT_INT(rc, failed ? KOINE_EMEMORY : KOINE_OK);
        ASSERT_INT(whole, !failed);
    }
    CU_ASSERT_FALSE(failed);
    koine_request_free(request);
    close_route(&rig);
}

SUITE_MAIN("explain", {"fresh", fresh},
           {"of many attempts the dearest count", of_many_attempts_the_dearest_count},
           {"unpriced is said", unpriced_is_said}, {"an open breaker", an_open_breaker}, {"latches", latches},
           {"a pause", a_pause}, {"a full queue", a_full_queue},
           {"a budget that is used up", a_budget_that_is_used_up},
           {"what can never be sent costs nothing", what_can_never_be_sent_costs_nothing},
           {"hedges and shares", hedges_and_shares}, {"looking changes nothing", looking_changes_nothing},
           {"what is no call is an error", what_is_no_call_is_an_error},
           {"every allocation may fail", every_allocation_may_fail})
