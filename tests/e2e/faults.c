/* faults: every way in which the stand-in misbehaves, through the library: what the application is told, how
 * often the server was asked, and who was asked instead. After every call the trail of attempts is the
 * server's own log.
 */
#include "tests/e2e/backdrop.h"
#include "tests/e2e/stage.h"
#include "tests/unit/suite.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum mode {
    WHOLE, /* koine_generate, asked whole */
    HELD,  /* koine_generate, streamed: nothing is delivered before the end */
    LIVE,  /* koine_start, streamed: delivered from the first content on */
    MODES
};
static const char *const mode_names[MODES] = {"whole", "held", "live"};

enum hub {
    PATIENT,     /* waits long, tries three times */
    QUICK,       /* waits as long as a test may, tries twice */
    QUICK_FIRST, /* the same for one stage only: on a busy machine no other comes before it */
    QUICK_IDLE,
    QUICK_PROGRESS,
    QUICK_TOKEN, /* the same for a stream's first token */
    QUICK_TOTAL, /* the same for a whole attempt */
    LATER_TOTAL, /* longer: the head must have come */
    HUBS
};
static const char *const hub_settings[HUBS][24] = {
    [PATIENT] = {"providers.openai.retry.base_delay", "1ms", "providers.openai.retry.max_retries", "2",
                 "providers.openai.retry.retry_after_cap", "30ms", "providers.openai.body_limit", "1MiB",
                 "providers.together.retry.base_delay", "1ms", "providers.together.retry.max_retries", "2",
                 "providers.together.retry.retry_after_cap", "30ms", NULL},
    [QUICK] = {"providers.openai.retry.base_delay", "1ms", "providers.openai.retry.max_retries", "1",
               "providers.openai.timeouts.first_byte", "200ms", "providers.openai.timeouts.idle", "200ms",
               "providers.openai.timeouts.progress", "300ms", NULL},
    [QUICK_FIRST] = {"providers.openai.retry.base_delay", "1ms", "providers.openai.retry.max_retries", "1",
                     "providers.openai.timeouts.first_byte", "200ms", NULL},
    [QUICK_IDLE] = {"providers.openai.retry.base_delay", "1ms", "providers.openai.retry.max_retries", "1",
                    "providers.openai.timeouts.idle", "200ms", NULL},
    [QUICK_PROGRESS] = {"providers.openai.retry.base_delay", "1ms", "providers.openai.retry.max_retries", "1",
                        "providers.openai.timeouts.progress", "300ms", NULL},
    [QUICK_TOKEN] = {"providers.openai.retry.max_retries", "0", "providers.openai.timeouts.first_token",
                     "150ms", NULL},
    [QUICK_TOTAL] = {"providers.openai.retry.max_retries", "0", "providers.openai.timeouts.total", "250ms",
                     NULL},
    [LATER_TOTAL] = {"providers.openai.retry.max_retries", "0", "providers.openai.timeouts.total", "600ms",
                     NULL},
};

/* ---- one call ---- */

struct outcome {
    int class_number, status, finish;
    int terminals, retries, switches; /* events */
    char stage[24];
    char *text;
    int64_t retry_after_ms, ms, output, cache_read;
    uint32_t estimated;
    size_t attempts, tools;
    size_t posts; /* at the server */
    struct stage_post post[16];
};

static void keep_text(struct outcome *out, const koine_response *response)
{
    const char *text = koine_response_text(response, NULL);
    free(out->text);
    out->text = strdup(text ? text : "");
}

static void keep_answer(struct outcome *out, const koine_response *response)
{
    koine_usage usage = KOINE_USAGE_INIT;
    koine_response_usage(response, &usage);
    keep_text(out, response);
    out->finish = koine_response_finish(response);
    out->attempts = koine_response_attempt_count(response);
    out->tools = koine_response_tool_count(response);
    out->ms = koine_response_ms(response);
    out->output = usage.output;
    out->cache_read = usage.cache_read;
    out->estimated = usage.estimated;
}

static void keep_fault(struct outcome *out, const koine_error *error)
{
    out->class_number = koine_error_class(error);
    out->status = koine_error_status(error);
    out->retry_after_ms = koine_error_retry_after_ms(error);
    snprintf(out->stage, sizeof(out->stage), "%s", koine_error_stage(error));
    CU_ASSERT_STRING_NOT_EQUAL(koine_error_message(error), "");
    CU_ASSERT_PTR_NULL(strchr(koine_error_message(error), '\n'));
    CU_ASSERT_PTR_NULL(strstr(koine_error_message(error), STAGE_KEY));
}

/* The trail names exactly what the server saw: as often, in that order, with those answers. */
static void compare_trail(const struct outcome *out, const koine_response *trail)
{
    ASSERT_INT(koine_response_attempt_count(trail), out->posts);
    for (size_t i = 0; i < out->posts && i < koine_response_attempt_count(trail); i++) {
        const struct stage_post *post = &out->post[i];
        ASSERT_STR(koine_response_attempt_target(trail, i), post->target);
        CU_ASSERT_TRUE(post->has_key);
        int status = koine_response_attempt_status(trail, i);
        if (status > 0) {
            ASSERT_INT(status, post->status);
            ASSERT_STR(koine_response_attempt_request_id(trail, i), post->request_id);
        }
        CU_ASSERT_TRUE(koine_response_attempt_start_ms(trail, i) <= koine_response_ms(trail));
        CU_ASSERT_TRUE(i == 0 || koine_response_attempt_start_ms(trail, i) >=
                                     koine_response_attempt_start_ms(trail, i - 1));
    }
}

static void take_log(struct outcome *out, const koine_response *trail)
{
    out->posts = stage_posts(out->post, 16);
    CU_ASSERT_TRUE(out->posts <= 16);
    CU_ASSERT_PTR_NOT_NULL(trail);
    compare_trail(out, trail);
}

static void generate(koine_client *client, const koine_request *request, struct outcome *out)
{
    koine_response *response = NULL;
    koine_error *error = NULL;
    int rc = koine_generate(client, request, &response, &error);
    ASSERT_INT(rc, response ? KOINE_OK : KOINE_EFAULT);
    CU_ASSERT_TRUE((response == NULL) == (error != NULL));
    const koine_response *trail = response ? response : koine_error_partial(error);
    if (error)
        keep_fault(out, error);
    if (trail)
        keep_answer(out, trail);
    take_log(out, trail);
    koine_response_free(response);
    koine_error_free(error);
}

/* Reads everything until nothing can come any more, and counts how often it ended. */
static void follow(koine_client *client, const koine_call *call, struct outcome *out, char **ret_text)
{
    size_t length = 0;
    FILE *to = open_memstream(ret_text, &length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    for (;;) {
        koine_call *of = NULL;
        const koine_event *event = NULL;
        int rc = koine_next(client, &of, &event);
        CU_ASSERT_TRUE_FATAL(rc >= 0);
        if (rc == 0 && out->terminals > 0)
            break;
        if (rc == 0) {
            CU_ASSERT_EQUAL_FATAL(koine_wait(client, 30000), KOINE_OK);
            continue;
        }
        CU_ASSERT_PTR_EQUAL(of, call);
        CU_ASSERT_EQUAL(out->terminals, 0); /* nothing follows the end */
        int kind = koine_event_kind(event);
        out->terminals += kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT;
        out->retries += kind == KOINE_EVENT_RETRY;
        out->switches += kind == KOINE_EVENT_SWITCH;
        if (kind == KOINE_EVENT_TEXT)
            fputs(koine_event_text(event, NULL), to);
        if (kind == KOINE_EVENT_FAULT)
            CU_ASSERT_PTR_EQUAL(koine_event_error(event), koine_call_error(call));
    }
    koine_process(client);
    fclose(to);
}

static void stream(koine_client *client, const koine_request *request, struct outcome *out)
{
    koine_call *call = NULL;
    char *delivered = NULL;
    CU_ASSERT_EQUAL_FATAL(koine_start(client, request, &call, NULL), KOINE_OK);
    follow(client, call, out, &delivered);
    ASSERT_INT(out->terminals, 1);
    const koine_response *response = koine_call_response(call);
    if (koine_call_error(call))
        keep_fault(out, koine_call_error(call));
    if (response)
        keep_answer(out, response);
    ASSERT_STR(out->text, delivered); /* what was delivered is what is there at the end */
    take_log(out, response);
    ASSERT_INT(out->retries + out->switches + 1, out->posts); /* each further request was announced */
    koine_call_free(call);
    free(delivered);
}

struct asked { /* one of both */
    const char *target, *route;
};

static struct outcome run(koine_client *client, const struct asked *asked, enum mode mode)
{
    struct outcome out = {.finish = KOINE_FINISH_NONE, .retry_after_ms = -1, .output = -1};
    koine_request *request = stage_request(asked->target, mode != WHOLE);
    koine_request_set_route(request, asked->route);
    if (mode == LIVE)
        stream(client, request, &out);
    else
        generate(client, request, &out);
    koine_request_free(request);
    return out;
}

/* ---- what is expected ---- */

enum text {
    NOTHING,
    PART,  /* a beginning, and not all */
    ALL,   /* of a healthy answer */
    OTHER, /* something else */
};

struct end {
    int class_number;
    const char *stage;
    size_t posts;
    enum text text;
};
#define OK(posts, text)                                                                                      \
    {                                                                                                        \
        KOINE_CLASS_NONE, "", posts, text                                                                    \
    }
#define FAILS(name, posts, text)                                                                             \
    {                                                                                                        \
        KOINE_CLASS_##name, "", posts, text                                                                  \
    }
#define FAILS_IN(name, stage, posts, text)                                                                   \
    {                                                                                                        \
        KOINE_CLASS_##name, stage, posts, text                                                               \
    }
#define ALIKE(...)                                                                                           \
    {                                                                                                        \
        __VA_ARGS__, __VA_ARGS__, __VA_ARGS__                                                                \
    } /* in every mode */

struct row {
    const char *behaviour;
    enum hub hub;
    int status; /* that the fault tells; 0: none */
    struct end ends[MODES];
};

static enum text judge_text(const char *text)
{
    const char *whole = backdrop_answer();
    if (!text || !*text)
        return NOTHING;
    if (strncmp(text, whole, strlen(text)) != 0)
        return OTHER;
    return strlen(text) == strlen(whole) ? ALL : PART;
}

static void expect(const struct outcome *out, const struct end *end, int status, const char *what)
{
    char is[160], wanted[160];
    snprintf(is, sizeof(is), "%s: %s, stage \"%s\", %zu requests, text %d", what,
             out->class_number ? koine_class_name(out->class_number) : "ok", out->stage, out->posts,
             judge_text(out->text));
    snprintf(wanted, sizeof(wanted), "%s: %s, stage \"%s\", %zu requests, text %d", what,
             end->class_number ? koine_class_name(end->class_number) : "ok", end->stage, end->posts,
             end->text);
    ASSERT_STR(is, wanted);
    if (end->class_number)
        ASSERT_INT(out->status, status);
    CU_ASSERT_TRUE((out->class_number == KOINE_CLASS_NONE) == (out->finish != KOINE_FINISH_NONE));
}

static void run_row(koine_hub *hub, const struct row *row)
{
    char target[64], what[64];
    for (enum mode mode = 0; mode < MODES; mode++) {
        koine_client *client = NULL;
        if (row->ends[mode].posts == 0) /* the row says nothing of this mode */
            continue;
        CU_ASSERT_EQUAL_FATAL(koine_client_new(hub, &client, NULL), KOINE_OK);
        snprintf(target, sizeof(target), "openai/%s!%s", mode_names[mode], row->behaviour);
        snprintf(what, sizeof(what), "%s %s", row->behaviour, mode_names[mode]);
        struct outcome out = run(client, &(struct asked){.target = target}, mode);
        expect(&out, &row->ends[mode], row->status, what);
        free(out.text);
        koine_client_free(client);
    }
}

static void run_rows(const struct row *rows, size_t count)
{
    koine_hub *hubs[HUBS] = {NULL};
    for (size_t i = 0; i < count; i++) {
        if (!hubs[rows[i].hub])
            hubs[rows[i].hub] = stage_hub(hub_settings[rows[i].hub]);
        run_row(hubs[rows[i].hub], &rows[i]);
    }
    for (size_t i = 0; i < HUBS; i++)
        koine_hub_free(hubs[i]);
}
#define RUN_ROWS(rows) run_rows(rows, sizeof(rows) / sizeof(rows[0]))

/* ---- one target ---- */

static void answers(void)
{
    static const struct row rows[] = {
        {"healthy", PATIENT, 0, ALIKE(OK(1, ALL))},
        {"slow", PATIENT, 0, {[WHOLE] = OK(1, ALL)}},
        {"slow-first-token", PATIENT, 0, ALIKE(OK(1, ALL))},
        {"no-done", PATIENT, 0, ALIKE(OK(1, ALL))},
        {"no-usage", PATIENT, 0, ALIKE(OK(1, ALL))},
        {"filtered", PATIENT, 0, ALIKE(OK(1, ALL))},
        {"length", PATIENT, 0, ALIKE(OK(1, ALL))},
        {"prefill-refused", PATIENT, 0, ALIKE(OK(1, ALL))},
        {"cached", PATIENT, 0, ALIKE(OK(1, ALL))},
        {"tool", PATIENT, 0, ALIKE(OK(1, NOTHING))},
        {"refusal", PATIENT, 0, ALIKE(OK(1, NOTHING))},
        {"reasoning", PATIENT, 0, ALIKE(OK(1, PART))},
        {"echo", PATIENT, 0, ALIKE(OK(1, OTHER))},
    };
    RUN_ROWS(rows);
}

static void statuses(void)
{
    static const struct row rows[] = {
        {"401", PATIENT, 401, ALIKE(FAILS(AUTH, 1, NOTHING))},
        {"402", PATIENT, 402, ALIKE(FAILS(BILLING, 1, NOTHING))},
        {"404", PATIENT, 404, ALIKE(FAILS(MODEL_GONE, 1, NOTHING))},
        {"429", PATIENT, 429, ALIKE(FAILS(RATE_LIMIT, 1, NOTHING))},
        {"429-bare", PATIENT, 429, ALIKE(FAILS(RATE_LIMIT, 3, NOTHING))},
        {"quota", PATIENT, 429, ALIKE(FAILS(BILLING, 1, NOTHING))},
        {"500", PATIENT, 500, ALIKE(FAILS(SERVER, 3, NOTHING))},
        {"500-once", PATIENT, 0, ALIKE(OK(2, ALL))},
        {"503", PATIENT, 503, ALIKE(FAILS(OVERLOADED, 3, NOTHING))},
        {"529", PATIENT, 529, ALIKE(FAILS(OVERLOADED, 3, NOTHING))},
        {"html", PATIENT, 502, ALIKE(FAILS(SERVER, 3, NOTHING))},
        {"html-200", PATIENT, 200, ALIKE(FAILS(SERVER, 3, NOTHING))},
        {"redirect", PATIENT, 307, ALIKE(FAILS(PROTOCOL, 1, NOTHING))},
        {"context-length", PATIENT, 400, ALIKE(FAILS(CONTEXT_LENGTH, 1, NOTHING))},
        {"content-filter", PATIENT, 400, ALIKE(FAILS(CONTENT_POLICY, 1, NOTHING))},
    };
    RUN_ROWS(rows);
}

/* What breaks on its way. After something was delivered nothing is asked again. */
static void breaks(void)
{
    static const struct row rows[] = {
        {"reset", PATIENT, 0, ALIKE(FAILS_IN(RESET, "first_byte", 3, NOTHING))},
        {"cut",
         PATIENT,
         200,
         {FAILS_IN(PROTOCOL, "body", 3, NOTHING), FAILS_IN(PROTOCOL, "body", 3, PART),
          FAILS_IN(PROTOCOL, "body", 1, PART)}},
        {"cut-clean",
         PATIENT,
         200,
         {FAILS(PROTOCOL, 3, NOTHING), FAILS(PROTOCOL, 3, PART), FAILS(PROTOCOL, 1, PART)}},
        {"malformed",
         PATIENT,
         200,
         {FAILS(PROTOCOL, 3, NOTHING), FAILS(PROTOCOL, 3, PART), FAILS(PROTOCOL, 1, PART)}},
        {"error-in-stream",
         PATIENT,
         200,
         {FAILS(SERVER, 3, NOTHING), FAILS(SERVER, 3, PART), FAILS(SERVER, 1, PART)}},
        {"endless", PATIENT, 200, ALIKE(FAILS(PROTOCOL, 3, NOTHING))},
        {"endless-header", PATIENT, 0, ALIKE(FAILS_IN(PROTOCOL, "first_byte", 3, NOTHING))},
    };
    RUN_ROWS(rows);
}

static void silences(void)
{
    static const struct row rows[] = {
        {"silence",
         QUICK_FIRST,
         0,
         {[HELD] = FAILS_IN(TIMEOUT, "first_byte", 2, NOTHING),
          [LIVE] = FAILS_IN(TIMEOUT, "first_byte", 2, NOTHING)}},
        {"silence", QUICK_TOTAL, 0, {[WHOLE] = FAILS_IN(TIMEOUT, "first_byte", 1, NOTHING)}},
        {"slow-first-token", QUICK_TOTAL, 0, {[WHOLE] = FAILS_IN(TIMEOUT, "first_byte", 1, NOTHING)}},
        {"slow-first-token", QUICK_IDLE, 200, {[LIVE] = FAILS_IN(TIMEOUT, "idle", 2, NOTHING)}},
        {"slow-first-token",
         QUICK_TOKEN,
         200,
         {[HELD] = FAILS_IN(TIMEOUT, "first_token", 1, NOTHING),
          [LIVE] = FAILS_IN(TIMEOUT, "first_token", 1, NOTHING)}},
        {"slow",
         QUICK_TOTAL,
         200,
         {[HELD] = FAILS_IN(TIMEOUT, "total", 1, PART), [LIVE] = FAILS_IN(TIMEOUT, "total", 1, PART)}},
        {"slow", QUICK, 0, {[LIVE] = OK(1, ALL)}},
        {"slow-drip", LATER_TOTAL, 200, {[WHOLE] = FAILS_IN(TIMEOUT, "total", 1, NOTHING)}},
        {"slow-drip",
         QUICK_PROGRESS,
         200,
         {[HELD] = FAILS_IN(TIMEOUT, "progress", 2, NOTHING),
          [LIVE] = FAILS_IN(TIMEOUT, "progress", 2, NOTHING)}},
        {"keepalive", LATER_TOTAL, 200, {[WHOLE] = FAILS_IN(TIMEOUT, "total", 1, NOTHING)}},
        {"keepalive",
         QUICK_PROGRESS,
         200,
         {[HELD] = FAILS_IN(TIMEOUT, "progress", 2, NOTHING),
          [LIVE] = FAILS_IN(TIMEOUT, "progress", 2, NOTHING)}},
        {"stalled", LATER_TOTAL, 200, {[WHOLE] = FAILS_IN(TIMEOUT, "total", 1, NOTHING)}},
        {"stalled",
         QUICK_IDLE,
         200,
         {[HELD] = FAILS_IN(TIMEOUT, "idle", 2, PART), [LIVE] = FAILS_IN(TIMEOUT, "idle", 1, PART)}},
    };
    RUN_ROWS(rows);
}

/* ---- what one row cannot say ---- */

static struct outcome ask(const struct scene *scene, const char *target, enum mode mode)
{
    return run(scene->client, &(struct asked){.target = target}, mode);
}

static struct outcome ask_route(const struct scene *scene, const char *route, enum mode mode)
{
    return run(scene->client, &(struct asked){.route = route}, mode);
}

static void advice_is_obeyed(void)
{
    struct scene scene = scene_open(hub_settings[PATIENT]);
    struct outcome out = ask(&scene, "openai/advice!429-once", LIVE);
    expect(&out, &(struct end)OK(2, ALL), 0, "429-once live");
    CU_ASSERT_TRUE(out.ms >= 20); /* Retry-After: 1, to scale, is a floor */
    free(out.text);
    out = ask(&scene, "openai/advice!429", WHOLE);
    ASSERT_INT(out.retry_after_ms, 40);
    free(out.text);
    scene_close(&scene);
}

static void flapping(void)
{
    struct scene scene = scene_open(hub_settings[PATIENT]);
    struct outcome first = ask(&scene, "openai/a!flapping", HELD);
    expect(&first, &(struct end)FAILS(OVERLOADED, 3, NOTHING), 503, "flapping, the first call");
    struct outcome second = ask(&scene, "openai/a!flapping", HELD);
    expect(&second, &(struct end)OK(1, ALL), 0, "flapping, the second call");
    free(first.text);
    free(second.text);
    scene_close(&scene);
}

/* curl would send the request again by itself, unseen: then the server had one more than the trail. */
static void reset_of_a_reused_connection(void)
{
    for (enum mode mode = 0; mode < MODES; mode++) {
        struct scene scene = scene_open(hub_settings[PATIENT]);
        struct outcome first = ask(&scene, "openai/a!reset-reused", mode);
        expect(&first, &(struct end)OK(1, ALL), 0, "reset-reused, the first call");
        struct outcome second = ask(&scene, "openai/a!reset-reused", mode);
        expect(&second, &(struct end)OK(2, ALL), 0, "reset-reused, the second call");
        ASSERT_INT(second.post[0].status, 0);
        ASSERT_INT(second.post[0].connection, first.post[0].connection);
        CU_ASSERT_NOT_EQUAL(second.post[1].connection, first.post[0].connection);
        free(first.text);
        free(second.text);
        scene_close(&scene);
    }
}

static void connections_are_used_again(void)
{
    struct scene scene = scene_open(hub_settings[PATIENT]);
    struct outcome first = ask(&scene, "openai/a!healthy", WHOLE);
    struct outcome second = ask(&scene, "openai/a!healthy", LIVE), third = ask(&scene, "openai/a!503", HELD);
    ASSERT_INT(second.post[0].connection, first.post[0].connection);
    ASSERT_INT(third.post[0].connection, first.post[0].connection);
    ASSERT_INT(third.post[2].connection, first.post[0].connection);
    free(first.text);
    free(second.text);
    free(third.text);
    scene_close(&scene);
}

static void prefill_is_the_callers_mistake(void)
{
    struct scene scene = scene_open(hub_settings[PATIENT]);
    koine_request *request = stage_request("openai/a!prefill-refused", 0);
    koine_error *error = NULL;
    koine_response *response = NULL;
    struct stage_post post[4];
    koine_request_message(request, "assistant", "The common");
    ASSERT_INT(koine_generate(scene.client, request, &response, &error), KOINE_EFAULT);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_INVALID);
    ASSERT_INT(koine_error_origin(error), KOINE_ORIGIN_CALLER);
    ASSERT_INT(stage_posts(post, 4), 1);
    koine_error_free(error);
    koine_request_free(request);
    scene_close(&scene);
}

/* Usage that nobody told is estimated and marked; what was told is not. */
static void usage(void)
{
    struct scene scene = scene_open(hub_settings[PATIENT]);
    for (enum mode mode = 0; mode < MODES; mode++) {
        struct outcome told = ask(&scene, "openai/a!healthy", mode);
        ASSERT_INT(told.output, 60);
        ASSERT_INT(told.estimated, 0);
        ASSERT_INT(told.output, told.post[0].output);
        struct outcome guessed = ask(&scene, "openai/a!no-usage", mode);
        ASSERT_INT(guessed.output, 77); /* 307 bytes of text, four a token */
        ASSERT_INT(guessed.estimated, KOINE_BUCKET_INPUT | KOINE_BUCKET_OUTPUT);
        struct outcome cached = ask(&scene, "openai/a!cached", mode);
        CU_ASSERT_TRUE(cached.cache_read > 0);
        struct outcome unable = ask(&scene, "together/a!cached", mode);
        CU_ASSERT_TRUE(unable.cache_read <= 0);
        free(told.text);
        free(guessed.text);
        free(cached.text);
        free(unable.text);
    }
    scene_close(&scene);
}

static void nobody_listens(void)
{
    static const char *const settings[] = {"providers.nobody.plugin",
                                           "openai",
                                           "providers.nobody.base_url",
                                           "http://127.0.0.1:1/v1",
                                           "providers.nobody.retry.base_delay",
                                           "1ms",
                                           "providers.nobody.retry.max_retries",
                                           "2",
                                           "providers.nobody.breaker.failures",
                                           "off",
                                           "routes.rescued.targets",
                                           "[nobody/a, openai/b]",
                                           NULL};
    struct scene scene = scene_open(settings);
    koine_request *request = stage_request("nobody/a", 0);
    koine_error *error = NULL;
    koine_response *response = NULL;
    struct stage_post post[4];
    ASSERT_INT(koine_generate(scene.client, request, &response, &error), KOINE_EFAULT);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_CONNECT);
    ASSERT_STR(koine_error_stage(error), "connect");
    ASSERT_INT(koine_error_status(error), 0);
    ASSERT_INT(koine_response_attempt_count(koine_error_partial(error)), 3);
    koine_error_free(error);
    koine_request_set_target(request, NULL);
    koine_request_set_route(request, "rescued");
    ASSERT_INT(koine_generate(scene.client, request, &response, NULL), KOINE_OK);
    ASSERT_INT(koine_response_attempt_count(response), 4);
    ASSERT_STR(koine_response_target(response), "openai/b");
    ASSERT_INT(stage_posts(post, 4), 1);
    koine_response_free(response);
    koine_request_free(request);
    scene_close(&scene);
}

/* The stand-in speaks no TLS: nothing was sent, so this is the connection's failure. */
static void no_tls(void)
{
    char url[64];
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/openai/v1", stage_port());
    const char *settings[] = {"providers.openai.base_url", url, "providers.openai.retry.max_retries", "0",
                              NULL};
    struct scene scene = scene_open(settings);
    koine_request *request = stage_request("openai/a", 0);
    koine_error *error = NULL;
    koine_response *response = NULL;
    ASSERT_INT(koine_generate(scene.client, request, &response, &error), KOINE_EFAULT);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_CONNECT);
    koine_error_free(error);
    koine_request_free(request);
    scene_close(&scene);
    stage_posts(NULL, 0);
}

/* ---- routes ---- */

#define TRIES "1"
static const char *const route_settings[] = {
    "min_attempt",
    "10ms",
    "providers.together.retry.base_delay",
    "1ms",
    "providers.together.retry.max_retries",
    TRIES,
    "providers.together.retry.move_on_after",
    "20ms",
    "providers.together.body_limit",
    "1MiB",
    "providers.together.timeouts.first_byte", /* these three for the silent ones alone */
    "200ms",
    "providers.together.timeouts.idle",
    "200ms",
    "providers.together.timeouts.progress",
    "300ms",
};
#define TIMERS 6 /* of them */

struct rescue {
    const char *behaviour;
    int first[MODES]; /* requests at the first target; 0: the row says nothing of this mode */
    bool held_only;   /* where something was delivered before, nobody takes over */
    bool silent;      /* only a timer ends it */
};

static const struct rescue rescues[] = {
    {"401", {1, 1, 1}, false, false},
    {"402", {1, 1, 1}, false, false},
    {"404", {1, 1, 1}, false, false},
    {"429", {1, 1, 1}, false, false}, /* its advice is longer than move_on_after */
    {"429-bare", {2, 2, 2}, false, false},
    {"quota", {1, 1, 1}, false, false},
    {"500", {2, 2, 2}, false, false},
    {"503", {2, 2, 2}, false, false},
    {"529", {2, 2, 2}, false, false},
    {"html", {2, 2, 2}, false, false},
    {"html-200", {2, 2, 2}, false, false},
    {"redirect", {1, 1, 1}, false, false},
    {"reset", {2, 2, 2}, false, false},
    {"silence", {0, 1, 1}, false, true}, /* who says nothing at all is not asked again */
    {"keepalive", {0, 2, 2}, false, true},
    {"endless", {2, 2, 2}, false, false},
    {"cut", {2, 2, 1}, true, false},
    {"cut-clean", {2, 2, 1}, true, false},
    {"stalled", {0, 2, 1}, true, true},
    {"malformed", {2, 2, 1}, true, false},
    {"error-in-stream", {2, 2, 1}, true, false},
};
enum {
    RESCUES = sizeof(rescues) / sizeof(rescues[0]),
    SETTINGS = sizeof(route_settings) / sizeof(route_settings[0])
};

/* On a hub of its own: after a 429 an instance is left alone for a while, whoever calls. */
static void check_rescue(const char *const *settings, const struct rescue *row, enum mode mode)
{
    bool rescued = mode != LIVE || !row->held_only;
    char what[64];
    struct scene scene = scene_open(settings);
    struct outcome out = ask_route(&scene, row->behaviour, mode);
    snprintf(what, sizeof(what), "%s %s", row->behaviour, mode_names[mode]);
    bool as_wanted = (out.class_number == KOINE_CLASS_NONE) == rescued &&
                     out.posts == (size_t)row->first[mode] + rescued &&
                     judge_text(out.text) == (rescued ? ALL : PART);
    ASSERT_STR(as_wanted ? "" : what, "");
    const char *last = out.posts > 0 && out.posts <= 16 ? out.post[out.posts - 1].target : "";
    CU_ASSERT_TRUE(strncmp(last, rescued ? "openai/" : "together/", 7) == 0);
    if (mode == LIVE)
        ASSERT_INT(out.switches, rescued);
    free(out.text);
    scene_close(&scene);
}

static void rescue(bool silent)
{
    static char routes[RESCUES][2][96];
    const char *settings[SETTINGS + 2 * RESCUES + 1] = {NULL};
    size_t count = silent ? SETTINGS : SETTINGS - TIMERS;
    memcpy(settings, route_settings, count * sizeof(*settings));
    for (size_t i = 0; i < RESCUES; i++) {
        snprintf(routes[i][0], sizeof(routes[i][0]), "routes.%s.targets", rescues[i].behaviour);
        snprintf(routes[i][1], sizeof(routes[i][1]), "[together/a!%s, openai/b]", rescues[i].behaviour);
        settings[count + 2 * i] = routes[i][0];
        settings[count + 2 * i + 1] = routes[i][1];
    }
    for (size_t i = 0; i < RESCUES; i++)
        for (enum mode mode = 0; mode < MODES; mode++)
            if (rescues[i].first[mode] && rescues[i].silent == silent)
                check_rescue(settings, &rescues[i], mode);
}

static void rescued(void)
{
    rescue(false);
    rescue(true);
}

/* What no other target can better, and what needs none. */
static void not_moved(void)
{
    static const char *const settings[] = {"routes.filter.targets",
                                           "[together/a!content-filter, openai/b]",
                                           "routes.length.targets",
                                           "[together/a!context-length, openai/b]",
                                           "routes.done.targets",
                                           "[together/a!no-done, openai/b]",
                                           "routes.once.targets",
                                           "[together/a!500-once, openai/b]",
                                           "providers.together.retry.base_delay",
                                           "1ms",
                                           NULL};
    struct scene scene = scene_open(settings);
    for (enum mode mode = 0; mode < MODES; mode++) {
        struct outcome filter = ask_route(&scene, "filter", mode), length = ask_route(&scene, "length", mode);
        struct outcome done = ask_route(&scene, "done", mode), once = ask_route(&scene, "once", mode);
        expect(&filter, &(struct end)FAILS(CONTENT_POLICY, 1, NOTHING), 400, "content-filter on a route");
        expect(&length, &(struct end)FAILS(CONTEXT_LENGTH, 1, NOTHING), 403, "context-length on a route");
        expect(&done, &(struct end)OK(1, ALL), 0, "no-done on a route");
        expect(&once, &(struct end)OK(mode == WHOLE ? 2 : 1, ALL), 0, "500-once on a route");
        free(filter.text);
        free(length.text);
        free(done.text);
        free(once.text);
    }
    scene_close(&scene);
}

static void larger_window(void)
{
    static const char together[] = "{\"provider\": \"together\", \"models\": [{\"id\": \"a!context-length\", "
                                   "\"context\": 8192}]}";
    static const char openai[] =
        "{\"provider\": \"openai\", \"models\": [{\"id\": \"equal\", \"context\": 8192}, "
        "{\"id\": \"larger\", \"context\": 131072}]}";
    char files[2 * PATH_MAX];
    char *one = strdup(stage_file("windows-together.json", together)),
         *other = strdup(stage_file("windows-openai.json", openai));
    snprintf(files, sizeof(files), "[\"%s\", \"%s\"]", one, other);
    const char *settings[] = {"catalogue", files, "routes.wider.targets",
                              "[together/a!context-length, openai/unknown, openai/equal, openai/larger]",
                              NULL};
    struct scene scene = scene_open(settings);
    struct outcome out = ask_route(&scene, "wider", LIVE);
    expect(&out, &(struct end)OK(2, ALL), 0, "a larger window");
    ASSERT_STR(out.post[1].target, "openai/larger");
    free(out.text);
    scene_close(&scene);
    free(one);
    free(other);
}

/* A whole answer gets its share of the deadline only, so that the next target can still be asked. */
static void share_of_the_deadline(void)
{
    static const char *const settings[] = {"min_attempt",
                                           "10ms",
                                           "routes.half.targets",
                                           "[together/a!silence, openai/b]",
                                           "routes.half.deadline",
                                           "4s",
                                           NULL};
    struct scene scene = scene_open(settings);
    struct outcome out = ask_route(&scene, "half", WHOLE);
    expect(&out, &(struct end)OK(2, ALL), 0, "silence under a deadline");
    CU_ASSERT_TRUE(out.ms >= 2000 && out.ms < 4000);
    free(out.text);
    scene_close(&scene);
}

static void deadline(void)
{
    static const char *const settings[] = {"min_attempt",
                                           "10ms",
                                           "routes.silent.targets",
                                           "[together/a!silence]",
                                           "providers.together.retry.base_delay",
                                           "20s",
                                           "routes.silent.deadline",
                                           "1s",
                                           "routes.busy.targets",
                                           "[together/a!503]",
                                           "routes.busy.deadline",
                                           "8s",
                                           NULL};
    struct scene scene = scene_open(settings);
    struct outcome silent = ask_route(&scene, "silent", LIVE);
    expect(&silent, &(struct end)FAILS_IN(DEADLINE, "total", 1, NOTHING), 0, "the deadline passes");
    struct outcome busy = ask_route(&scene, "busy", LIVE); /* the first wait would not fit */
    ASSERT_INT(busy.class_number, KOINE_CLASS_OVERLOADED);
    CU_ASSERT_TRUE(busy.ms < 8000);
    free(silent.text);
    free(busy.text);
    scene_close(&scene);
}

/* Where nobody answers, the first target's fault is told. */
static void nobody_answers(void)
{
    static const char *const settings[] = {"routes.lost.targets",
                                           "[together/a!503, openai/b!401]",
                                           "providers.together.retry.base_delay",
                                           "1ms",
                                           "providers.together.retry.max_retries",
                                           "1",
                                           NULL};
    struct scene scene = scene_open(settings);
    for (enum mode mode = 0; mode < MODES; mode++) {
        struct outcome out = ask_route(&scene, "lost", mode);
        expect(&out, &(struct end)FAILS(OVERLOADED, 3, NOTHING), 503, "both fail");
        ASSERT_STR(out.post[2].target, "openai/b!401");
        free(out.text);
    }
    scene_close(&scene);
}

SUITE_MAIN("faults", {"answers", answers}, {"statuses", statuses}, {"breaks", breaks}, {"silences", silences},
           {"advice is obeyed", advice_is_obeyed}, {"flapping", flapping},
           {"reset of a reused connection", reset_of_a_reused_connection},
           {"connections are used again", connections_are_used_again},
           {"a prefill is the caller's mistake", prefill_is_the_callers_mistake}, {"usage", usage},
           {"nobody listens", nobody_listens}, {"no TLS", no_tls}, {"rescued", rescued},
           {"not moved", not_moved}, {"a larger window", larger_window},
           {"a share of the deadline", share_of_the_deadline}, {"the deadline", deadline},
           {"nobody answers", nobody_answers})
