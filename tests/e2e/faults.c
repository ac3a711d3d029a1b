/* faults: every way in which the stand-in misbehaves, through the library: what the application is told, how
 * often the server was asked, and who was asked instead. After every call the trail of attempts is the
 * server's own log.
 */
#include "tests/e2e/stage.h"
#include "tests/unit/suite.h"

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
    PATIENT,      /* waits long, tries three times */
    QUICK,        /* waits as long as a test may, tries twice */
    QUICK_TOKEN,  /* the same for a stream's first token */
    QUICK_STREAM, /* the same for a whole stream */
    HUBS
};
static const char *const hub_settings[HUBS][24] = {
    [PATIENT] = {"providers.openai.retry.base_delay", "1ms", "providers.openai.retry.max_retries", "2",
                 "providers.openai.retry.retry_after_cap", "1500ms", "providers.openai.body_limit", "1MiB",
                 "providers.together.retry.base_delay", "1ms", "providers.together.retry.max_retries", "2",
                 "providers.together.retry.retry_after_cap", "1500ms", NULL},
    [QUICK] = {"providers.openai.retry.base_delay", "1ms", "providers.openai.retry.max_retries", "1",
               "providers.openai.timeouts.first_byte", "200ms", "providers.openai.timeouts.idle", "200ms",
               "providers.openai.timeouts.progress", "300ms", NULL},
    [QUICK_TOKEN] = {"providers.openai.retry.max_retries", "0", "providers.openai.timeouts.first_token",
                     "150ms", NULL},
    [QUICK_STREAM] = {"providers.openai.retry.max_retries", "0", "providers.openai.timeouts.total", "250ms",
                      NULL},
};

/* ---- one call ---- */

struct outcome {
    int class_number, status, finish, terminals;
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
    koine_call_free(call);
    free(delivered);
}

struct asked { /* one of both */
    const char *target, *route;
};

static struct outcome run(koine_client *client, const struct asked *asked, enum mode mode)
{
    struct outcome out = {.finish = KOINE_FINISH_NONE, .retry_after_ms = -1, .output = -1};
    koine_request *request = NULL;
    CU_ASSERT_EQUAL_FATAL(koine_request_new(&request), KOINE_OK);
    koine_request_message(request, "user", "Say it.");
    koine_request_set_target(request, asked->target);
    koine_request_set_route(request, asked->route);
    koine_request_set_stream(request, mode != WHOLE);
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
#define OK                     KOINE_CLASS_NONE, ""
#define FAILS(name)            KOINE_CLASS_##name, ""
#define FAILS_IN(name, stage_) KOINE_CLASS_##name, stage_

struct row {
    const char *behaviour;
    enum hub hub;
    int status; /* that the fault tells; 0: none */
    struct end ends[MODES];
};

static const char *healthy_text(void)
{
    return "The common speech of many peoples is learned in markets and in harbours, where nobody waits for a "
           "grammar. Traders took a word from one coast and a tune from the next, until every sailor could ask "
           "for water, bread and a fair price. What it lost in beauty it won in reach, and it is spoken there "
           "still today.";
}

static enum text judge_text(const char *text)
{
    const char *whole = healthy_text();
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
    if (out->class_number)
        CU_ASSERT_EQUAL(out->finish == KOINE_FINISH_NONE, true);
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

static void explore(void)
{
    const char *names[]={"healthy","slow","slow-first-token","429","429-bare","429-once","quota","401","402","404","500","500-once","503","529","flapping","html","html-200","reset","reset-reused","endless","endless-header","redirect","cut","cut-clean","malformed","no-done","no-usage","error-in-stream","context-length","content-filter","filtered","length","tool","reasoning","refusal","echo","cached"};
    const char *quick[]={"slow-first-token","slow-drip","silence","keepalive","stalled","slow"};
    struct row rows[64]; size_t n=0;
    for (size_t i=0;i<sizeof(names)/sizeof(*names);i++) rows[n++]=(struct row){.behaviour=names[i],.hub=PATIENT,.ends={{OK,77,ALL},{OK,77,ALL},{OK,77,ALL}}};
    for (size_t i=0;i<6;i++) rows[n++]=(struct row){.behaviour=quick[i],.hub=QUICK,.ends={{OK,0,ALL},{OK,77,ALL},{OK,77,ALL}}};
    rows[n++]=(struct row){.behaviour="slow-first-token",.hub=QUICK_TOKEN,.ends={{OK,0,ALL},{OK,77,ALL},{OK,77,ALL}}};
    rows[n++]=(struct row){.behaviour="slow",.hub=QUICK_STREAM,.ends={{OK,0,ALL},{OK,77,ALL},{OK,77,ALL}}};
    run_rows(rows,n);
}
SUITE_MAIN("faults", {"explore", explore})
