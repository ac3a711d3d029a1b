/* The nine scenarios with numbers of the specification, part D: the whole library with its real
 * configuration, on a virtual clock. Every expected time is a literal. */
#include "core/hub/client.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CALLS 256
#define BOTH       "[together/" LLAMA ", openai/gpt-4o-mini]"
#define FIRST      "[together/" LLAMA "]"
#define FAILS(host, code)                                                                                    \
    {                                                                                                        \
        ANSWER(host, code, ERROR("sorry")), .repeat = true                                                   \
    }
#define WELL(host)                                                                                           \
    {                                                                                                        \
        ANSWER(host, 200, STREAM("m")), .repeat = true                                                       \
    }

#define QUOTA                                                                                                \
    "{\"error\":{\"message\":\"You exceeded your current quota\",\"type\":\"insufficient_quota\","           \
    "\"code\":\"insufficient_quota\"}}"

struct scene {
    struct rig rig;
    koine_client *client;
    koine_call *calls[MOST_CALLS];
    size_t call_count;
    char text[8192];
};

static bool open_scene(struct scene *scene, const struct koine__replay_answer *answers, size_t count,
                       const char *targets, const char *const *settings)
{
    *scene = (struct scene){.client = NULL};
    if (!rig_open(&scene->rig, answers, count))
        return false;
    ASSERT_INT(koine_hub_set(scene->rig.hub, "routes.default.targets", targets), KOINE_OK);
    rig_apply(&scene->rig, settings);
    scene->client = rig_client(&scene->rig);
    return true;
}
#define SCENE(scene, script, targets, ...)                                                                   \
    open_scene((scene), (script), sizeof(script) / sizeof((script)[0]), (targets),                           \
               (const char *const[]){__VA_ARGS__, NULL})

static void close_scene(struct scene *scene)
{
    koine_client_free(scene->client);
    rig_close(&scene->rig);
}

static void read_all(struct scene *scene)
{
    koine_call *of;
    const koine_event *event;
    while (koine_next(scene->client, &of, &event) == 1)
        ;
}

static void move(struct scene *scene)
{
    koine_process(scene->client);
    read_all(scene);
}

/* All that happens up to that moment, and at it. */
static void until(struct scene *scene, int64_t ms)
{
    move(scene);
    while (koine__loop_wait(scene->client->loop, WORLD_MS(ms)) == 1)
        move(scene);
    ASSERT_INT(scene->rig.now, WORLD_MS(ms));
}

static koine_call *ask(struct scene *scene, int64_t deadline_ms)
{
    koine_request *request = rig_request(NULL, "Hi");
    koine_call *call = NULL;
    koine_request_set_deadline(request, deadline_ms);
    ASSERT_INT(koine_start(scene->client, request, &call, NULL), KOINE_OK);
    koine_request_free(request);
    scene->calls[scene->call_count++] = call;
    return call;
}

static void ask_at(struct scene *scene, int64_t ms)
{
    until(scene, ms);
    ask(scene, 0);
    move(scene);
}

static const char *where(const char *url)
{
    return strstr(url, TOGETHER_HOST) ? "together" : "openai";
}

/* What was sent since the last time it was asked: "0 together | 1000 openai". */
static const char *sends_from(struct scene *scene, size_t from)
{
    size_t used = 0;
    scene->text[0] = '\0';
    for (size_t i = from; i < koine__replay_count(scene->rig.transport); i++) {
        const struct koine__replay_seen *seen = koine__replay_seen(scene->rig.transport, i);
        used += (size_t)snprintf(scene->text + used, sizeof(scene->text) - used, "%s%lld %s",
                                 i > from ? " | " : "", (long long)(seen->at / KOINE__MS), where(seen->url));
    }
    return scene->text;
}

static const char *sends(struct scene *scene)
{
    return sends_from(scene, 0);
}

/* The same where many are sent at once: "100 at 0 | 50 at 121000". */
static const char *crowds(struct scene *scene)
{
    size_t used = 0, count = koine__replay_count(scene->rig.transport);
    scene->text[0] = '\0';
    for (size_t i = 0, n; i < count; i += n) {
        int64_t at = koine__replay_seen(scene->rig.transport, i)->at;
        for (n = 1; i + n < count && koine__replay_seen(scene->rig.transport, i + n)->at == at; n++)
            ;
        used += (size_t)snprintf(scene->text + used, sizeof(scene->text) - used, "%s%zu at %lld",
                                 i ? " | " : "", n, (long long)(at / KOINE__MS));
    }
    return scene->text;
}

static size_t count_class(const struct scene *scene, int class_number)
{
    size_t count = 0;
    for (size_t i = 0; i < scene->call_count; i++) {
        const koine_error *error = koine_call_error(scene->calls[i]);
        bool ended = koine_call_response(scene->calls[i]) || error;
        count += ended && (error ? koine_error_class(error) : KOINE_CLASS_NONE) == class_number;
    }
    return count;
}

/* ---- 1 ---- */

static const struct koine__replay_answer two_failures_script[] = {
    {ANSWER(TOGETHER_HOST, 503, ERROR("sorry"))},
    {ANSWER(TOGETHER_HOST, 503, ERROR("sorry"))},
    WELL(TOGETHER_HOST)};

static void two_failures_then_an_answer(void)
{
    struct scene scene;
    if (!SCENE(&scene, two_failures_script, BOTH, NULL))
        return;
    ask_at(&scene, 0);
    until(&scene, 60000);
    ASSERT_STR(sends(&scene), "0 together | 1000 together | 3000 together");
    ASSERT_INT(count_class(&scene, KOINE_CLASS_NONE), 1);
    close_scene(&scene);
}

/* ---- 2 ---- */

static const struct koine__replay_answer five_failures_script[] = {FAILS(TOGETHER_HOST, 500),
                                                                   WELL(OPENAI_HOST)};

static const char *after_five(const int64_t *times, int64_t then)
{
    static char told[64];
    struct scene scene;
    if (!SCENE(&scene, five_failures_script, BOTH, "providers.together.retry.max_retries", "0"))
        return NULL;
    for (size_t i = 0; i < 5; i++)
        ask_at(&scene, times[i]);
    size_t before = koine__replay_count(scene.rig.transport);
    ask_at(&scene, then);
    until(&scene, then + 100);
    snprintf(told, sizeof(told), "%s", sends_from(&scene, before));
    close_scene(&scene);
    return told;
}

static void five_failures_open_within_a_minute(void)
{
    static const int64_t within[] = {0, 15000, 30000, 45000, 59000};
    static const int64_t beyond[] = {0, 15000, 30000, 45000, 61000};
    const char *told = after_five(within, 59001);
    if (!told)
        return;
    ASSERT_STR(told, "59001 openai");
    ASSERT_STR(after_five(beyond, 61001), "61001 together | 61001 openai");
}

/* ---- 3 ---- */

static const struct koine__replay_answer probe_script[] = {{ANSWER(TOGETHER_HOST, 500, ERROR("sorry"))},
                                                           {ANSWER(TOGETHER_HOST, 500, ERROR("sorry"))},
                                                           {ANSWER(TOGETHER_HOST, 500, ERROR("sorry"))},
                                                           {ANSWER(TOGETHER_HOST, 500, ERROR("sorry"))},
                                                           {ANSWER(TOGETHER_HOST, 500, ERROR("sorry"))},
                                                           {.match = TOGETHER_HOST, .hang = true},
                                                           WELL(TOGETHER_HOST),
                                                           WELL(OPENAI_HOST)};

static void an_open_breaker_and_its_probe(void)
{
    struct scene scene;
    if (!SCENE(&scene, probe_script, BOTH, "providers.together.retry.max_retries", "0"))
        return;
    for (int i = 0; i < 5; i++)
        ask_at(&scene, 0);
    ASSERT_INT(koine__replay_count(scene.rig.transport), 10);
    ask_at(&scene, 29900);
    ASSERT_STR(sends_from(&scene, 10), "29900 openai");
    ask_at(&scene, 30000);
    ASSERT_STR(sends_from(&scene, 11), "30000 together"); /* the probe, which hangs */
    ask_at(&scene, 31000);
    ASSERT_STR(sends_from(&scene, 12), "31000 openai"); /* one probe at a time */
    koine_call_cancel(scene.calls[6]);
    move(&scene);
    ask_at(&scene, 32000);
    ask_at(&scene, 33000);
    ask_at(&scene, 34000);
    ASSERT_STR(sends_from(&scene, 13), "32000 together | 33000 together | 34000 together");
    close_scene(&scene);
}

/* ---- 4 ---- */

static const struct koine__replay_answer patient_script[] = {WELL(TOGETHER_HOST)};

static void a_hundred_a_minute(void)
{
    struct scene scene;
    if (!SCENE(&scene, patient_script, FIRST, "providers.together.limits.requests_per_minute", "100",
               "providers.together.limits.concurrent", "250", "pool.connections", "250"))
        return;
    for (int i = 0; i < 250; i++)
        ask(&scene, 0);
    until(&scene, 600000);
    ASSERT_STR(crowds(&scene), "100 at 0 | 100 at 60500 | 50 at 121000");
    ASSERT_INT(count_class(&scene, KOINE_CLASS_NONE), 250);
    close_scene(&scene);
}

static const struct koine__replay_answer hopeless_script[] = {WELL(TOGETHER_HOST)};

static void who_cannot_make_it_is_told_at_once(void)
{
    struct scene scene;
    if (!SCENE(&scene, hopeless_script, FIRST, "providers.together.limits.requests_per_minute", "100",
               "providers.together.limits.concurrent", "250", "pool.connections", "250"))
        return;
    for (int i = 0; i < 250; i++)
        ask(&scene, 30000);
    until(&scene, 0);
    ASSERT_INT(count_class(&scene, KOINE_CLASS_NONE), 100);
    ASSERT_INT(count_class(&scene, KOINE_CLASS_REFUSED), 150);
    until(&scene, 600000);
    ASSERT_STR(crowds(&scene), "100 at 0");
    close_scene(&scene);
}

/* ---- 5 ---- */

static const struct koine__replay_answer dies_late_script[] = {
    {.match = TOGETHER_HOST,
     .status = 200,
     BODY(PIECE(0, ROLE("m")), PIECE(10, TEXT("m", "Hel"))),
     .fault_class = KOINE_CLASS_RESET},
    WELL(OPENAI_HOST)};

static void a_stream_dies_after_text(void)
{
    struct scene scene;
    if (!SCENE(&scene, dies_late_script, BOTH, NULL))
        return;
    ask_at(&scene, 0);
    until(&scene, 60000);
    ASSERT_STR(sends(&scene), "0 together");
    const koine_error *error = koine_call_error(scene.calls[0]);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_RESET);
    ASSERT_STR(koine_response_text(koine_error_partial(error), NULL), "Hel");
    close_scene(&scene);
}

static const struct koine__replay_answer dies_early_script[] = {
    {.match = TOGETHER_HOST, .status = 200, BODY(PIECE(0, ROLE("m"))), .fault_class = KOINE_CLASS_RESET},
    WELL(OPENAI_HOST)};

static void a_stream_dies_before_text(void)
{
    struct scene scene;
    if (!SCENE(&scene, dies_early_script, BOTH, "providers.together.retry.max_retries", "0"))
        return;
    ask_at(&scene, 0);
    until(&scene, 60000);
    ASSERT_STR(sends(&scene), "0 together | 0 openai");
    ASSERT_STR(koine_response_text(koine_call_response(scene.calls[0]), NULL), "Hello");
    ASSERT_STR(koine_response_target(koine_call_response(scene.calls[0])), "openai/gpt-4o-mini");
    close_scene(&scene);
}

/* ---- 6 ---- */

static const struct koine__replay_answer pause_script[] = {
    {ANSWER(TOGETHER_HOST, 429, ERROR("slow down")), HEADERS(HEADER("retry-after", "86400"))},
    WELL(TOGETHER_HOST),
    WELL(OPENAI_HOST)};

static void a_pause_of_a_day(void)
{
    struct scene scene;
    if (!SCENE(&scene, pause_script, BOTH, NULL))
        return;
    ask_at(&scene, 0);
    ask_at(&scene, 1000);
    ask_at(&scene, 294900);
    ask_at(&scene, 300000);
    until(&scene, 400000);
    ASSERT_STR(sends(&scene), "0 together | 0 openai | 1000 openai | 294900 openai | 300000 together");
    close_scene(&scene);
}

/* ---- 7 ---- */

static const struct koine__replay_answer empty_script[] = {
    {ANSWER(TOGETHER_HOST, 429, QUOTA)}, WELL(TOGETHER_HOST), WELL(OPENAI_HOST)};

static void an_empty_account(void)
{
    struct scene scene;
    if (!SCENE(&scene, empty_script, BOTH, NULL))
        return;
    ask_at(&scene, 0);
    ask_at(&scene, 1000);
    ask_at(&scene, 299999);
    ask_at(&scene, 300000);
    until(&scene, 400000);
    ASSERT_STR(sends(&scene), "0 together | 0 openai | 1000 openai | 299999 openai | 300000 together");
    close_scene(&scene);
}

/* ---- 8 ---- */

/* Of this model ten thousand tokens cost ten cents, and a prompt nothing. */
static const char dear_model[] = "{\"provider\":\"together\",\"models\":[{\"id\":\"dear\",\"context\":100000,"
                                 "\"prices\":[{\"valid_from\":\"2024-01-01\",\"input\":0,\"output\":10}]}]}";
static const struct koine__replay_answer slow_script[] = {
    {ANSWER(TOGETHER_HOST, 200, STREAM("dear")), .head_after = WORLD_MS(1000), .repeat = true}};

static void ask_for_ten_cents(struct scene *scene)
{
    koine_request *request = rig_request(NULL, "Hi");
    koine_request_set_integer(request, "max_tokens", 10000);
    ASSERT_INT(koine_start(scene->client, request, &scene->calls[scene->call_count++], NULL), KOINE_OK);
    koine_request_free(request);
    move(scene);
}

static void a_budget_of_a_dollar(void)
{
    struct scratch scratch;
    struct scene scene;
    char list[PATH_MAX + 8];
    scratch_make(&scratch);
    scratch_write(&scratch, "dear.json", dear_model, sizeof(dear_model) - 1);
    snprintf(list, sizeof(list), "[\"%s\"]", scratch_path(&scratch, "dear.json"));
    if (SCENE(&scene, slow_script, "[together/dear]", "budgets.run", "1.00", "catalogue", list)) {
        for (int i = 0; i < 16; i++)
            ask_for_ten_cents(&scene);
        ASSERT_STR(crowds(&scene), "10 at 0");
        ASSERT_INT(count_class(&scene, KOINE_CLASS_BUDGET), 6);
        until(&scene, 2000); /* they cost next to nothing, in the end */
        ASSERT_INT(count_class(&scene, KOINE_CLASS_NONE), 10);
        ask_for_ten_cents(&scene);
        until(&scene, 4000);
        ASSERT_STR(crowds(&scene), "10 at 0 | 1 at 2000");
        close_scene(&scene);
    }
    scratch_remove(&scratch);
}

/* ---- 9 ---- */

static const struct koine__replay_answer outage_script[] = {FAILS(TOGETHER_HOST, 500)};

static void a_total_outage(void)
{
    struct scene scene;
    if (!SCENE(&scene, outage_script, FIRST, "providers.together.breaker.failures", "off"))
        return;
    for (int i = 0; i < 6; i++)
        ask_at(&scene, i * 20000);
    until(&scene, 200000);
    ASSERT_STR(sends(&scene), "0 together | 1000 together | 3000 together | 7000 together | "
                              "20000 together | 21000 together | 23000 together | 27000 together | "
                              "40000 together | 41000 together | 43000 together | 47000 together | "
                              "60000 together | 61000 together | 80000 together | 100000 together");
    ASSERT_INT(count_class(&scene, KOINE_CLASS_SERVER), 6);
    close_scene(&scene);
}

/* ---- And one more ---- */

static const struct koine__replay_answer late_script[] = {
    FAILS(TOGETHER_HOST, 500),
    {ANSWER(OPENAI_HOST, 200, STREAM("m")), .head_after = WORLD_MS(5000), .repeat = true}};

/* The second call's turn comes at 5 s, when it has half a second left, and an attempt needs one. */
static void too_little_time_is_left(void)
{
    struct scene scene;
    if (!SCENE(&scene, late_script, BOTH, "providers.together.retry.max_retries", "0",
               "providers.openai.limits.concurrent", "1"))
        return;
    ask_at(&scene, 0);
    ask(&scene, 5500);
    until(&scene, 60000);
    ASSERT_STR(sends(&scene), "0 together | 0 openai | 0 together");
    ASSERT_INT(count_class(&scene, KOINE_CLASS_NONE), 1);
    ASSERT_INT(koine_error_class(koine_call_error(scene.calls[1])), KOINE_CLASS_SERVER);
    close_scene(&scene);
}

SUITE_MAIN("numbers", {"1 two failures, then an answer", two_failures_then_an_answer},
           {"2 five failures open within a minute", five_failures_open_within_a_minute},
           {"3 an open breaker and its probe", an_open_breaker_and_its_probe},
           {"4 a hundred a minute", a_hundred_a_minute},
           {"4 who cannot make it is told at once", who_cannot_make_it_is_told_at_once},
           {"5 a stream dies after text", a_stream_dies_after_text},
           {"5 a stream dies before text", a_stream_dies_before_text},
           {"6 a pause of a day", a_pause_of_a_day}, {"7 an empty account", an_empty_account},
           {"8 a budget of a dollar", a_budget_of_a_dollar}, {"9 a total outage", a_total_outage},
           {"too little time is left", too_little_time_is_left})
