#include "core/hub/client.h"

#include "core/plugin/loader.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS        INT64_C(1000000)
#define MANY      1000
#define MOST_TEXT (1 << 14)

#define TEN_TIMES(text) text text text text text text text text text text

static struct rig rig;
static koine_client *client;

/* A client of a hub with these settings (NULL: none more); false: skipped. */
static bool begin(const struct koine__replay_answer *answers, size_t count, const char *const *settings)
{
    if (!rig_open(&rig, answers, count))
        return false;
    rig_apply(&rig, settings);
    client = rig_client(&rig);
    return true;
}
#define BEGIN(script) begin((script), sizeof(script) / sizeof((script)[0]), NULL)
#define BEGIN_WITH(script, ...)                                                                              \
    begin((script), sizeof(script) / sizeof((script)[0]), (const char *const[]){__VA_ARGS__, NULL})

static void end(void)
{
    koine_client_free(client);
    client = NULL;
    rig_close(&rig);
}

static koine_call *start(const koine_request *request)
{
    koine_call *call = NULL;
    koine_error *error = NULL;
    int rc = koine_start(client, request, &call, &error);
    ASSERT_STR(rig_message(error), "");
    ASSERT_INT(rc, KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(call);
    return call;
}

static koine_response *generate(const koine_request *request)
{
    koine_response *response = NULL;
    koine_error *error = NULL;
    int rc = koine_generate(client, request, &response, &error);
    ASSERT_STR(rig_message(error), "");
    ASSERT_INT(rc, KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(response);
    return response;
}

/* "number class: message" of a call that must fail. */
static const char *fault_of(const koine_request *request)
{
    static char text[1024];
    koine_response *response = NULL;
    koine_error *error = NULL;
    int rc = koine_generate(client, request, &response, &error);
    CU_ASSERT_PTR_NULL(response);
    ASSERT_INT(koine_error_number(error), rc);
    const char *class_name = koine_error_class_name(error);
    snprintf(text, sizeof(text), "%d%s%s: %s", rc, *class_name ? " " : "", class_name,
             koine_error_message(error));
    koine_error_free(error);
    return text;
}

static const struct koine__replay_seen *sent(size_t index)
{
    static const struct koine__replay_seen nothing = {.url = (char *)(uintptr_t) "",
                                                      .body = (char *)(uintptr_t) ""};
    const struct koine__replay_seen *seen = koine__replay_seen(rig.transport, index);
    return seen ? seen : &nothing;
}

static bool sent_holds(size_t index, const char *part)
{
    return strstr(sent(index)->body, part) != NULL;
}

static bool is_readable(void)
{
    struct pollfd waited = {.fd = koine_fd(client), .events = POLLIN};
    return poll(&waited, 1, 0) == 1;
}

/* Reads what waits, as "target text" for each text and "stop" or "fault" for each end, with the user pointer
 * (a string) before it. */
static size_t read_all(char *text)
{
    koine_call *call = NULL;
    const koine_event *event = NULL;
    size_t count = 0;
    for (; koine_next(client, &call, &event) == 1; count++) {
        size_t used = strlen(text);
        const char *user = koine_call_user(call);
        int kind = koine_event_kind(event);
        if (kind == KOINE_EVENT_TEXT)
            snprintf(text + used, MOST_TEXT - used, "%s:%s ", user, koine_event_text(event, NULL));
        else if (kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT)
            snprintf(text + used, MOST_TEXT - used, "%s:%s ", user,
                     kind == KOINE_EVENT_STOP ? "stop" : koine_error_class_name(koine_event_error(event)));
    }
    return count;
}

/* Until nothing is left to happen within an hour. */
static const char *read_until_quiet(void)
{
    static char text[MOST_TEXT];
    text[0] = '\0';
    for (int idle = 0; idle < 2;) {
        int64_t before = rig.now;
        idle = read_all(text) == 0 && koine_wait(client, 3600 * 1000) == KOINE_OK &&
                       rig.now - before >= 3600 * 1000 * MS
                   ? idle + 1
                   : 0;
    }
    return text;
}

/* ---- wrong arguments ---- */

static void without_a_client(void)
{
    koine_call *call = NULL;
    koine_response *response = NULL;
    const koine_event *event = NULL;
    koine_error *error = NULL;
    koine_request *request = rig_request("together/m", "Hi");
    ASSERT_INT(koine_client_new(NULL, &client, &error), KOINE_EARGUMENT);
    ASSERT_STR(rig_message(error), "koine_client_new: no usable hub, or ret is NULL");
    ASSERT_INT(koine_generate(NULL, request, &response, &error), KOINE_EARGUMENT);
    ASSERT_STR(rig_message(error), "no usable client, or the request is NULL");
    ASSERT_INT(koine_start(NULL, request, &call, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_next(NULL, &call, &event), KOINE_EARGUMENT);
    ASSERT_INT(koine_fd(NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_process(NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_wait(NULL, 0), KOINE_EARGUMENT);
    koine_client_free(NULL);
    koine_call_free(NULL);
    koine_call_cancel(NULL);
    ASSERT_INT(koine_call_approve(NULL, 1), KOINE_EARGUMENT);
    ASSERT_INT(koine_call_awaits_approval(NULL), 0);
    koine_request_free(request);
}

static void wrong_arguments(void)
{
    const struct koine__replay_answer script[] = {{ANSWER(TOGETHER_HOST, 200, WHOLE("m"))}};
    koine_call *call = NULL;
    koine_response *response = NULL;
    const koine_event *event = NULL;
    koine_error *error = NULL;
    if (!BEGIN(script))
        return;
    koine_request *request = rig_request("together/m", "Hi");
    ASSERT_INT(koine_client_new(rig.hub, NULL, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_generate(client, NULL, &response, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_generate(client, request, NULL, &error), KOINE_EARGUMENT);
    ASSERT_STR(rig_message(error), "koine_generate: ret is NULL");
    ASSERT_INT(koine_start(client, NULL, &call, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_start(client, request, NULL, &error), KOINE_EARGUMENT);
    ASSERT_STR(rig_message(error), "koine_start: ret is NULL");
    ASSERT_INT(koine_next(client, NULL, &event), KOINE_EARGUMENT);
    ASSERT_INT(koine_next(client, &call, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_next(client, &call, &event), 0);
    CU_ASSERT_PTR_NULL(call);
    CU_ASSERT_PTR_NULL(event);
    ASSERT_INT((long long)koine__replay_count(rig.transport), 0);
    koine_request_free(request);
    end();
}

/* What is wrong with a request is said before there is a call. */
static void wrong_requests(void)
{
    const struct koine__replay_answer script[] = {{ANSWER(TOGETHER_HOST, 200, WHOLE("m"))}};
    if (!BEGIN(script))
        return;
    koine_request *request = rig_request("together/m", "Hi");
    koine_request_set_document(request, "{\n \"a\": }", 9);
    CU_ASSERT_EQUAL(strncmp(fault_of(request), "-2: document:2:7: ", 18), 0);
    koine_request_set_document(request, "[]", 2);
    ASSERT_STR(fault_of(request), "-2: document:1:1: is not a JSON object; write {\"messages\": [...]}");
    koine_request_set_document(request, "{}", 2);
    koine_request_set_target(request, "togther/m");
    ASSERT_STR(fault_of(request), "-7: no provider named \"togther\"; did you mean together?");
    koine_request_set(request, "a", "}");
    CU_ASSERT_EQUAL(strncmp(fault_of(request), "-2: the request was not built: ", 31), 0);
    koine_request_free(request);
    ASSERT_INT((long long)koine__replay_count(rig.transport), 0);
    end();
}

static int no_transport(void *arg, struct koine__loop *loop, struct koine__transport **ret)
{
    (void)loop;
    (void)ret;
    return *(int *)arg;
}

static void clients_that_cannot_be(void)
{
    koine_error *error = NULL;
    int rc = KOINE_ESYSTEM;
    if (!rig_open(&rig, NULL, 0))
        return;
    koine__hub_set_world(rig.hub, &(struct koine__world){.transport = no_transport, .transport_arg = &rc});
    ASSERT_INT(koine_client_new(rig.hub, &client, &error), KOINE_ESYSTEM);
    CU_ASSERT_EQUAL(strncmp(rig_message(error), "a client cannot be made: ", 25), 0);
    ASSERT_INT(koine_hub_set(rig.hub, "parameters", "loud"), KOINE_OK);
    CU_ASSERT_PTR_NULL(client);
    rig_close(&rig);
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_INT(koine_hub_set(rig.hub, "parameters", "loud"), KOINE_OK);
    ASSERT_INT(koine_client_new(rig.hub, &client, &error), KOINE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_message(error), "parameters"));
    rig_close(&rig);
}

/* Nothing is replaced: the system's clock, a seed of its own, curl. */
static void the_real_world(void)
{
    koine_hub *hub = NULL;
    koine_client *other = NULL;
    ASSERT_INT(koine_hub_new(&hub, NULL), KOINE_OK);
    ASSERT_INT(koine_client_new(hub, &client, NULL), KOINE_OK);
    ASSERT_INT(koine_client_new(hub, &other, NULL), KOINE_OK);
    CU_ASSERT_TRUE(koine_fd(client) >= 0);
    CU_ASSERT_NOT_EQUAL(koine_fd(client), koine_fd(other));
    ASSERT_INT(koine_process(client), KOINE_OK);
    ASSERT_INT(koine_wait(client, 0), KOINE_OK);
    CU_ASSERT_FALSE(is_readable());
    koine_hub_free(hub);
    koine_client_free(client);
    koine_client_free(other);
    client = NULL;
}

/* ---- one call ---- */

static void generates(void)
{
    const struct koine__replay_answer script[] = {{ANSWER(TOGETHER_HOST, 200, WHOLE(LLAMA))}};
    koine_cost cost = KOINE_COST_INIT;
    if (!BEGIN(script))
        return;
    koine_request *request = rig_request("together/" LLAMA, "Hi");
    koine_response *response = generate(request);
    ASSERT_STR(koine_response_text(response, NULL), "Hello");
    ASSERT_STR(koine_response_target(response), "together/" LLAMA);
    koine_response_cost(response, &cost);
    ASSERT_INT(cost.state, KOINE_PRICED);
    ASSERT_INT(cost.picodollars, 900000); /* (3 + 2) × 0.18 $/M */
    ASSERT_STR(sent(0)->url, "https://api.together.ai/v1/chat/completions");
    ASSERT_STR(sent(0)->headers, "Content-Type: application/json\nAuthorization: Bearer KEY-T\n");
    CU_ASSERT_FALSE(sent_holds(0, "\"stream\""));
    ASSERT_INT(koine_next(client, &(koine_call *){NULL}, &(const koine_event *){NULL}), 0);
    koine_response_free(response);
    koine_request_free(request);
    end();
}

/* How the provider is asked: the request says, else its document, else generate is whole and start streams.
 */
static void streams_or_not(void)
{
    static const struct {
        const char *document;
        int told;
        bool generated, streamed;
    } cases[] = {{"{\"messages\":[]}", -1, true, false},
                 {"{\"messages\":[]}", -1, false, true},
                 {"{\"messages\":[],\"stream\":true}", -1, true, true},
                 {"{\"messages\":[],\"stream\":false}", -1, false, false},
                 {"{\"messages\":[],\"stream\":true}", 0, true, false},
                 {"{\"messages\":[],\"stream\":false}", 1, false, true},
                 {"{\"messages\":[],\"stream\":null}", -1, false, true},
                 {"{\"messages\":[]}", 1, true, true}};
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER("\"stream\":true", 200, STREAM("m"))},
        {.repeat = true, ANSWER(NULL, 200, WHOLE("m"))}};
    if (!BEGIN(script))
        return;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        koine_request *request = rig_request("together/m", "Hi");
        koine_request_set_document(request, cases[i].document, strlen(cases[i].document));
        if (cases[i].told >= 0)
            ASSERT_INT(koine_request_set_stream(request, cases[i].told), KOINE_OK);
        if (cases[i].generated) {
            koine_response_free(generate(request));
        } else {
            koine_call *call = start(request);
            ASSERT_INT(rig_run(client, call), KOINE_EVENT_STOP);
            koine_call_free(call);
        }
        CU_ASSERT_EQUAL(sent_holds(i, "\"stream\":true"), cases[i].streamed);
        koine_request_free(request);
    }
    end();
}

static void ends_in_a_fault(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, .match = OPENAI_HOST, .status = 400, BODY(PIECE(250, ERROR("no such thing")))}};
    koine_response *response = NULL;
    koine_error *error = NULL;
    if (!BEGIN(script))
        return;
    koine_request *request = rig_request("openai/m", "Hi");
    ASSERT_INT(koine_generate(client, request, &response, NULL), KOINE_EFAULT);
    ASSERT_INT(koine_generate(client, request, &response, &error), KOINE_EFAULT);
    CU_ASSERT_PTR_NULL(response);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_INVALID);
    ASSERT_INT(koine_error_status(error), 400);
    ASSERT_STR(koine_error_target(error), "openai/m");
    ASSERT_INT((long long)koine_response_attempt_count(koine_error_partial(error)), 1);
    ASSERT_INT(koine_response_ms(koine_error_partial(error)), 250);
    ASSERT_STR(rig_message(error), "no such thing");
    koine_request_free(request);
    end();
}

static void falls_through(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER(TOGETHER_HOST, 503, ERROR("busy"))},
        {.repeat = true, ANSWER(OPENAI_HOST, 200, WHOLE("gpt-4o-mini"))}};
    koine_cost cost = KOINE_COST_INIT;
    if (!BEGIN_WITH(script, "routes.default", "{targets: [together/m, openai/gpt-4o-mini]}",
                    "providers.together.retry.max_retries", "2"))
        return;
    koine_request *request = rig_request(NULL, "Hi");
    koine_response *response = generate(request);
    ASSERT_STR(koine_response_target(response), "openai/gpt-4o-mini");
    ASSERT_INT((long long)koine_response_attempt_count(response), 4);
    ASSERT_INT(koine_response_attempt_status(response, 2), 503);
    ASSERT_INT(koine_response_attempt_start_ms(response, 2), 3000); /* 1 s and 2 s */
    ASSERT_INT(koine_response_attempt_start_ms(response, 3), 3000);
    koine_response_cost(response, &cost);
    ASSERT_INT(cost.picodollars, 1650000); /* 3 × 0.15 + 2 × 0.60 $/M */
    koine_response_free(response);
    koine_request_free(request);
    end();
}

static void waits_no_longer_than_said(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, .match = TOGETHER_HOST, .hang = true}};
    if (!BEGIN_WITH(script, "routes.default", "{targets: [together/m], deadline: 9s}"))
        return;
    koine_request *request = rig_request(NULL, "Hi");
    ASSERT_STR(fault_of(request), "-4 deadline: the call's deadline of 9s passed");
    ASSERT_INT(rig.now, 9000 * MS);
    ASSERT_INT(koine_request_set_deadline(request, 500), KOINE_OK);
    ASSERT_STR(fault_of(request), "-4 deadline: the call's deadline of 500ms passed");
    ASSERT_INT(rig.now, 9500 * MS);
    koine_request_free(request);
    end();
}

/* An answer that breaks after its first words: it may still move if it is held back until it is whole. */
static void commits_as_told(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true,
                                                   ANSWER(TOGETHER_HOST, 200, ROLE("m") TEXT("m", "Hal")),
                                                   .fault_class = KOINE_CLASS_RESET},
                                                  {.repeat = true, ANSWER(OPENAI_HOST, 200, STREAM("n"))}};
    if (!BEGIN_WITH(script, "routes.default", "{targets: [together/m, openai/n], commit: complete}",
                    "providers.together.retry.max_retries", "0"))
        return;
    koine_request *request = rig_request(NULL, "Hi");
    koine_request_set_user(request, (char *)(uintptr_t) "a");
    koine_call *calls[3];
    calls[0] = start(request);
    ASSERT_STR(read_until_quiet(), "a:Hel a:lo a:stop ");
    koine_request_set_commit(request, KOINE_COMMIT_FIRST_CONTENT);
    calls[1] = start(request);
    ASSERT_STR(read_until_quiet(), "a:Hal a:reset ");
    koine_request_set_commit(request, KOINE_COMMIT_ROUTE);
    calls[2] = start(request);
    ASSERT_STR(read_until_quiet(), "a:Hel a:lo a:stop ");
    /* koine_generate always holds it back. */
    koine_request_set_commit(request, KOINE_COMMIT_FIRST_CONTENT);
    koine_request_set_stream(request, 1);
    koine_response *response = generate(request);
    ASSERT_STR(koine_response_target(response), "openai/n");
    koine_response_free(response);
    for (size_t i = 0; i < 3; i++)
        koine_call_free(calls[i]);
    koine_request_free(request);
    end();
}

/* ---- large answers ---- */

#define CEILING ((size_t)4 << 20)
#define WORDS   "\"choices\":[{\"index\":0,\"finish_reason\":\"stop\","
#define CALL                                                                                                 \
    WORDS "\"message\":{\"tool_calls\":[{\"id\":\"x\",\"type\":\"function\",\"function\":{\"name\":\"f\","

/* Answers of almost CEILING: the piece as often as it fits between the two ends. */
struct large {
    const char *before, *piece, *after;
    size_t each, more; /* bytes of text that a piece stands for, and the ends */
    size_t count;
    char *body;
    struct koine__replay_chunk chunk;
};

static struct koine__replay_answer fill_up(struct large *large)
{
    size_t len = strlen(large->piece), at = strlen(large->before);
    large->count = (CEILING - at - strlen(large->after)) / len;
    large->body = malloc(CEILING + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large->body);
    memcpy(large->body, large->before, at);
    for (size_t i = 0; i < large->count; i++, at += len)
        memcpy(large->body + at, large->piece, len);
    strcpy(large->body + at, large->after);
    large->chunk = (struct koine__replay_chunk){0, {large->body, strlen(large->body)}};
    return (struct koine__replay_answer){
        .repeat = true, .status = 200, .chunks = &large->chunk, .chunk_count = 1};
}

/* How much the answer says, if it is one. */
static size_t said(const koine_response *response)
{
    size_t len = 0;
    koine_response_text(response, &len);
    return len + strlen(koine_response_tool_arguments(response, 0));
}

/* Through koine_generate, or by its events. */
static void is_answered(struct large *large, bool generated, bool streamed, int commit)
{
    const struct koine__replay_answer script[] = {fill_up(large)};
    if (BEGIN_WITH(script, "providers.openai.body_limit", "4MiB", "providers.openai.retry.max_retries",
                   "0")) {
        koine_request *request = rig_request("openai/m", "Hi");
        koine_request_set_commit(request, commit);
        koine_request_set_stream(request, streamed);
        koine_call *call = generated ? NULL : start(request);
        koine_response *response = generated ? generate(request) : NULL;
        if (call)
            ASSERT_INT(rig_run(client, call), KOINE_EVENT_STOP);
        ASSERT_INT(said(call ? koine_call_response(call) : response),
                   large->count * large->each + large->more);
        koine_call_free(call);
        koine_response_free(response);
        koine_request_free(request);
        end();
    }
    free(large->body);
}

/* What the ceiling of the body lets in is an answer, however the memory it takes is counted. */
static void answers_what_fits(void)
{
    struct large text = {"{" WORDS "\"message\":{\"content\":\"", "x", "\"}}]}", .each = 1};
    struct large escapes = {"{" WORDS "\"message\":{\"content\":\"", "x\\n", "\"}}]}", .each = 2};
    struct large call = {"{" CALL "\"arguments\":\"[", "1,1,", "1]\"}}]}}]}", .each = 4, .more = 3};
    struct large events = {"", "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n",
                           "data: {" WORDS "\"delta\":{}}]}\n\ndata: [DONE]\n\n", .each = 1};
    struct large pieces = {
        "", "data: {\"choices\":[{\"delta\":{\"content\":\"" TEN_TIMES(TEN_TIMES("1234567890")) "\"}}]}\n\n",
        "data: {" WORDS "\"delta\":{}}]}\n\ndata: [DONE]\n\n", .each = 1000};
    is_answered(&text, true, false, KOINE_COMMIT_COMPLETE);
    is_answered(&escapes, true, false, KOINE_COMMIT_COMPLETE);
    is_answered(&events, true, true, KOINE_COMMIT_COMPLETE);
    is_answered(&pieces, true, true, KOINE_COMMIT_COMPLETE);
    is_answered(&text, false, false, KOINE_COMMIT_COMPLETE);
    is_answered(&escapes, false, false, KOINE_COMMIT_COMPLETE);
    is_answered(&pieces, false, true, KOINE_COMMIT_COMPLETE);
    is_answered(&call, true, false, KOINE_COMMIT_COMPLETE);
    is_answered(&call, false, false, KOINE_COMMIT_COMPLETE);
    /* Nobody could read it before it was there. */
    is_answered(&text, false, false, KOINE_COMMIT_FIRST_CONTENT);
    is_answered(&call, false, false, KOINE_COMMIT_FIRST_CONTENT);
}

/* A call keeps the configuration it was started with. */
static void keeps_its_configuration(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, ANSWER(NULL, 200, WHOLE("m"))}};
    if (!BEGIN_WITH(script, "providers.lab", "{plugin: openai, base_url: \"http://127.0.0.1:1/v1\"}"))
        return;
    koine_request *request = rig_request("lab/m", "Hi");
    koine_call *call = start(request);
    APPLY(&rig, "providers.lab", "{plugin: openai, base_url: \"http://127.0.0.1:2/v1\"}");
    ASSERT_INT(rig_run(client, call), KOINE_EVENT_STOP);
    koine_response_free(generate(request));
    ASSERT_STR(sent(0)->url, "http://127.0.0.1:1/v1/chat/completions");
    ASSERT_STR(sent(1)->url, "http://127.0.0.1:2/v1/chat/completions");
    koine_call_free(call);
    koine_request_free(request);
    end();
}

/* ---- the world's seams ---- */

static enum koine__pass refuse(void *self, struct koine__ticket *ticket, int64_t now,
                               struct koine__fault *ret_fault)
{
    (void)now;
    *(int *)self += 1;
    ASSERT_STR(ticket->instance, "together");
    koine__fault_set(ret_fault, KOINE_CLASS_REFUSED, "", "not today");
    return KOINE__PASS_REFUSE;
}

static int count_jobs(struct koine__bridge *bridge, struct koine__job *job);
static struct counting_bridge {
    struct koine__bridge bridge;
    int jobs;
} counting = {.bridge = {.call = count_jobs}};

static int count_jobs(struct koine__bridge *bridge, struct koine__job *job)
{
    ((struct counting_bridge *)bridge)->jobs++;
    return koine__direct_bridge.call(&koine__direct_bridge, job);
}

static void seams(void)
{
    int asked = 0;
    const struct koine__gate_stage stage = {.enter = refuse, .self = &asked};
    const struct koine__replay_answer script[] = {{ANSWER(TOGETHER_HOST, 200, WHOLE("m"))}};
    if (!BEGIN(script))
        return;
    koine_client_free(client);
    rig.hub->world.stages[KOINE__STAGE_BUDGET] = &stage;
    rig.hub->world.bridge = &counting.bridge;
    client = rig_client(&rig);
    koine_request *request = rig_request("together/m", "Hi");
    ASSERT_STR(fault_of(request), "-4 refused: not today");
    ASSERT_INT(asked, 1);
    ASSERT_INT(counting.jobs, 0);
    koine_client_free(client);
    rig.hub->world.stages[KOINE__STAGE_BUDGET] = NULL;
    client = rig_client(&rig);
    koine_response_free(generate(request));
    ASSERT_INT(asked, 1);
    CU_ASSERT_TRUE(counting.jobs >= 3); /* request, frame, cost */
    koine_request_free(request);
    end();
}

/* ---- many calls ---- */

#define SAYS(who, ...)                                                                                       \
    {                                                                                                        \
        .match = who, .status = 200, BODY(__VA_ARGS__)                                                       \
    }

/* Three answers, whose pieces come in turns. */
static void interleaves(void)
{
    const struct koine__replay_answer script[] = {
        SAYS("\"ask a\"", PIECE(10, ROLE("m") TEXT("m", "a1")), PIECE(30, TEXT("m", "a2")),
             PIECE(30, FINISH("m", "stop") DONE)),
        SAYS("\"ask b\"", PIECE(20, ROLE("m") TEXT("m", "b1")), PIECE(5, TEXT("m", "b2")),
             PIECE(100, FINISH("m", "stop") DONE)),
        SAYS("\"ask c\"", PIECE(20, ROLE("m") TEXT("m", "c1")), PIECE(25, TEXT("m", "c2")),
             PIECE(0, FINISH("m", "stop") DONE))};
    static const char *const users[] = {"a", "b", "c"};
    koine_call *calls[3];
    if (!BEGIN(script))
        return;
    for (size_t i = 0; i < 3; i++) {
        char words[16];
        snprintf(words, sizeof(words), "ask %s", users[i]);
        koine_request *request = rig_request("together/m", words);
        koine_request_set_user(request, (char *)(uintptr_t)users[i]);
        calls[i] = start(request);
        koine_request_free(request); /* a call does not need it any more */
    }
    ASSERT_STR(read_until_quiet(), "a:a1 b:b1 c:c1 b:b2 a:a2 c:c2 c:stop a:stop b:stop ");
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_PTR_NULL(koine_call_error(calls[i]));
        ASSERT_INT(koine_response_finish(koine_call_response(calls[i])), KOINE_FINISH_STOP);
        CU_ASSERT_PTR_EQUAL(koine_call_user(calls[i]), users[i]);
        ASSERT_INT(koine_call_id(calls[i])[0], 'c');
        koine_call_free(calls[i]);
    }
    CU_ASSERT_FALSE(is_readable());
    end();
}

static koine_request *numbered(int number)
{
    char words[32];
    snprintf(words, sizeof(words), "number %d.", number);
    koine_request *request = rig_request("together/m", words);
    koine_request_set_user(request, (void *)(uintptr_t)number);
    return request;
}

/* A thousand at once, of which the pool lets 64 through at a time; each gets its own answer, in full. */
static void a_thousand(void)
{
    static struct koine__replay_answer script[MANY];
    static struct koine__replay_chunk chunks[MANY];
    static char matches[MANY][32], bodies[MANY][512];
    static koine_call *calls[MANY];
    static int ended[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(matches[i], sizeof(matches[i]), "number %d.", i);
        int len =
            snprintf(bodies[i], sizeof(bodies[i]),
                     "data: {\"id\":\"r\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                     "\"answer %d\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
                     i);
        chunks[i] = (struct koine__replay_chunk){.after = 1000 * MS, .bytes = {bodies[i], (size_t)len}};
        script[i] = (struct koine__replay_answer){
            .match = matches[i], .status = 200, .chunks = &chunks[i], .chunk_count = 1, .split = 40};
        ended[i] = 0;
    }
    if (!BEGIN(script))
        return;
    for (int i = 0; i < MANY; i++) {
        koine_request *request = numbered(i);
        calls[i] = start(request);
        koine_request_free(request);
    }
    for (int left = MANY, steps = 0; left > 0 && steps < 100000; steps++) {
        koine_call *call = NULL;
        const koine_event *event = NULL;
        int rc = koine_next(client, &call, &event);
        if (rc == 0)
            ASSERT_INT(koine_wait(client, -1), KOINE_OK);
        if (rc == 1 && koine_event_kind(event) == KOINE_EVENT_STOP) {
            ended[(uintptr_t)koine_call_user(call)]++;
            left--;
        }
    }
    long wrong = 0;
    for (int i = 0; i < MANY; i++) {
        char text[32];
        snprintf(text, sizeof(text), "answer %d", i);
        wrong += ended[i] != 1 || strcmp(koine_response_text(koine_call_response(calls[i]), NULL), text) != 0;
        koine_call_free(calls[i]);
    }
    ASSERT_INT(wrong, 0);
    ASSERT_INT(rig.now, 16000 * MS); /* sixteen rounds of 64 */
    ASSERT_INT((long long)koine__replay_count(rig.transport), MANY);
    end();
}

static void one_connection(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, .match = NULL, .status = 200, BODY(PIECE(100, WHOLE("m")))}};
    if (!BEGIN_WITH(script, "pool.connections", "1"))
        return;
    koine_call *calls[3];
    for (int i = 0; i < 3; i++) {
        koine_request *request = rig_request("together/m", "Hi");
        koine_request_set_stream(request, 0);
        calls[i] = start(request);
        koine_request_free(request);
    }
    for (size_t i = 0; i < 3; i++)
        ASSERT_INT(rig_run(client, calls[i]), KOINE_EVENT_STOP);
    ASSERT_INT(rig.now, 300 * MS);
    for (size_t i = 0; i < 3; i++) {
        ASSERT_INT(sent(i)->at, (long long)i * 100 * MS);
        koine_call_free(calls[i]);
    }
    end();
}

/* ---- a whole answer while others wait ---- */

#define A_STREAM                                                                                             \
    SAYS("\"ask a\"", PIECE(10, ROLE("m") TEXT("m", "a1")), PIECE(10, TEXT("m", "a2")),                      \
         PIECE(1000, TEXT("m", "a3")), PIECE(10, FINISH("m", "stop") DONE))

/* Events of another call that nobody has read neither keep it awake nor get lost. */
static void generates_among_unread_events(void)
{
    const struct koine__replay_answer script[] = {
        A_STREAM, {.match = "\"ask b\"", .status = 200, BODY(PIECE(500, WHOLE("m")))}};
    if (!BEGIN(script))
        return;
    koine_request *a = rig_request("together/m", "ask a"), *b = rig_request("together/m", "ask b");
    koine_request_set_user(a, (char *)(uintptr_t) "a");
    koine_call *call = start(a);
    ASSERT_INT(koine_wait(client, 15), KOINE_OK);
    ASSERT_INT(koine_wait(client, 15), KOINE_OK);
    CU_ASSERT_TRUE(is_readable());
    long looks = rig.looks;
    koine_response *response = generate(b);
    CU_ASSERT_TRUE(rig.looks - looks < 300);
    ASSERT_STR(koine_response_text(response, NULL), "Hello");
    ASSERT_INT(rig.now, 510 * MS);
    CU_ASSERT_TRUE(is_readable()); /* they wait as before */
    ASSERT_INT(koine_wait(client, -1), KOINE_OK);
    ASSERT_INT(rig.now, 510 * MS);
    ASSERT_STR(read_until_quiet(), "a:a1 a:a2 a:a3 a:stop ");
    koine_response_free(response);
    koine_call_free(call);
    koine_request_free(a);
    koine_request_free(b);
    end();
}

/* An event that was lent stays good: the description of koine_next does not name koine_generate. */
static void keeps_what_it_lent(void)
{
    const struct koine__replay_answer script[] = {A_STREAM, {ANSWER("\"ask b\"", 200, WHOLE("m"))}};
    koine_call *call = NULL;
    const koine_event *event = NULL;
    if (!BEGIN(script))
        return;
    koine_request *a = rig_request("together/m", "ask a"), *b = rig_request("together/m", "ask b");
    koine_call *first = start(a);
    while (!event || koine_event_kind(event) != KOINE_EVENT_TEXT)
        if (koine_next(client, &call, &event) == 0)
            koine_wait(client, -1);
    koine_response_free(generate(b));
    ASSERT_STR(koine_event_text(event, NULL), "a1");
    ASSERT_INT(koine_process(client), KOINE_OK); /* ends it */
    koine_call_free(first);
    koine_request_free(a);
    koine_request_free(b);
    end();
}

/* More than the client buffers: that call stands still until it is read, and the other one is not held up. */
static void generates_beside_a_paused_call(void)
{
    static char piece[1200];
    static struct koine__replay_chunk chunks[401];
    char words[1000];
    memset(words, 'x', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    int len = snprintf(
        piece, sizeof(piece),
        "data: {\"id\":\"r\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},"
        "\"finish_reason\":null}]}\n\n",
        words);
    for (size_t i = 0; i < 400; i++)
        chunks[i] = (struct koine__replay_chunk){.after = MS, .bytes = {piece, (size_t)len}};
    chunks[400] = (struct koine__replay_chunk){
        .bytes = {FINISH("m", "stop") DONE, sizeof(FINISH("m", "stop") DONE) - 1}};
    const struct koine__replay_answer script[] = {
        {.match = "\"ask a\"", .status = 200, .chunks = chunks, .chunk_count = 401},
        {.match = "\"ask b\"", .status = 200, BODY(PIECE(2000, WHOLE("m")))}};
    if (!BEGIN(script))
        return;
    koine_request *a = rig_request("together/m", "ask a"), *b = rig_request("together/m", "ask b");
    koine_call *call = start(a);
    long looks = rig.looks;
    koine_response *response = generate(b);
    CU_ASSERT_TRUE(rig.looks - looks < 20000);
    ASSERT_STR(koine_response_text(response, NULL), "Hello");
    CU_ASSERT_TRUE(sent(0)->paused);
    CU_ASSERT_TRUE(is_readable());
    ASSERT_INT(rig_run(client, call), KOINE_EVENT_STOP);
    size_t length = 0;
    koine_response_text(koine_call_response(call), &length);
    ASSERT_INT((long long)length, 400 * 999);
    koine_response_free(response);
    koine_call_free(call);
    koine_request_free(a);
    koine_request_free(b);
    end();
}

/* ---- waiting ---- */

static void waits(void)
{
    const struct koine__replay_answer script[] = {
        {.match = NULL, .status = 200, BODY(PIECE(500, WHOLE("m")))}};
    if (!BEGIN(script))
        return;
    int fd = koine_fd(client);
    CU_ASSERT_TRUE(fd >= 0);
    CU_ASSERT_FALSE(is_readable());
    ASSERT_INT(koine_wait(client, 0), KOINE_OK);
    ASSERT_INT(rig.now, 0);
    ASSERT_INT(koine_wait(client, 250), KOINE_OK);
    ASSERT_INT(rig.now, 250 * MS);
    koine_request *request = rig_request("together/m", "Hi");
    koine_request_set_stream(request, 0);
    koine_call *call = start(request);
    CU_ASSERT_TRUE(is_readable()); /* there is something to process */
    ASSERT_INT(koine_process(client), KOINE_OK);
    ASSERT_INT((long long)koine__replay_count(rig.transport), 1);
    ASSERT_INT(koine_wait(client, 100), KOINE_OK);
    ASSERT_INT(rig.now, 350 * MS);
    CU_ASSERT_PTR_NULL(koine_call_response(call));
    ASSERT_INT(koine_wait(client, INT32_MAX), KOINE_OK);
    ASSERT_INT(rig.now, 750 * MS);
    CU_ASSERT_PTR_NOT_NULL(koine_call_response(call));
    CU_ASSERT_TRUE(is_readable());
    ASSERT_INT(koine_fd(client), fd);
    ASSERT_INT(rig_run(client, call), KOINE_EVENT_STOP);
    koine_call_free(call);
    ASSERT_INT(koine_process(client), KOINE_OK);
    CU_ASSERT_FALSE(is_readable());
    koine_request_free(request);
    end();
}

static void loop_that_broke(void)
{
    const struct koine__replay_answer script[] = {{ANSWER(NULL, 200, WHOLE("m"))}};
    if (!BEGIN(script))
        return;
    koine_request *request = rig_request("together/m", "Hi");
    close(koine_fd(client)); /* what nobody may do */
    CU_ASSERT_EQUAL(strncmp(fault_of(request), "-6: the loop cannot wait: ", 26), 0);
    ASSERT_INT(koine_process(client), KOINE_ESYSTEM);
    CU_ASSERT_PTR_NULL(client->calls.first);
    koine_request_free(request);
    int fd = dup(0); /* takes the number, so that what is freed closes nothing else */
    CU_ASSERT_EQUAL(fd, koine_fd(client));
    end();
}

/* ---- freeing ---- */

static void freed_in_the_middle(void)
{
    const struct koine__replay_answer script[] = {A_STREAM};
    koine_call *call = NULL;
    const koine_event *event = NULL;
    if (!BEGIN(script))
        return;
    koine_request *request = rig_request("together/m", "ask a");
    koine_call *first = start(request);
    while (!event || koine_event_kind(event) != KOINE_EVENT_TEXT)
        if (koine_next(client, &call, &event) == 0)
            koine_wait(client, -1);
    CU_ASSERT_PTR_EQUAL(call, first);
    CU_ASSERT_PTR_NULL(koine_call_response(first));
    CU_ASSERT_PTR_NULL(koine_call_error(first));
    koine_call_free(first);
    CU_ASSERT_TRUE(sent(0)->cancelled);
    ASSERT_STR(read_until_quiet(), "");
    /* One that never began, and one whose events nobody read. */
    koine_call_free(start(request));
    ASSERT_INT((long long)koine__replay_count(rig.transport), 1);
    first = start(request);
    koine_wait(client, 15);
    CU_ASSERT_TRUE(is_readable());
    koine_call_free(first);
    ASSERT_INT(koine_next(client, &call, &event), 0); /* and so it is known that nothing waits */
    CU_ASSERT_FALSE(is_readable());
    koine_request_free(request);
    end();
}

static void client_freed_with_its_calls(void)
{
    const struct koine__replay_answer script[] = {A_STREAM, {.match = NULL, .hang = true, .repeat = true}};
    koine_call *call = NULL;
    const koine_event *event = NULL;
    if (!BEGIN(script))
        return;
    koine_request *a = rig_request("together/m", "ask a"), *b = rig_request("together/m", "ask b");
    start(a);
    start(b);
    koine_wait(client, 12);
    koine_wait(client, 12);
    start(b); /* has not begun */
    ASSERT_INT(koine_next(client, &call, &event), 1);
    koine_request_free(a);
    koine_request_free(b);
    end(); /* with a lent event, unread ones, one call silent, one not begun */
}

/* ---- cancelling ---- */

static void cancelled_by_the_call(void)
{
    const struct koine__replay_answer script[] = {A_STREAM};
    if (!BEGIN(script))
        return;
    koine_request *request = rig_request("together/m", "ask a");
    koine_request_set_user(request, (char *)(uintptr_t) "a");
    koine_call *call = start(request);
    koine_wait(client, 15);
    koine_wait(client, 15);
    koine_call_cancel(call);
    koine_call_cancel(call);
    ASSERT_STR(read_until_quiet(), "a:a1 a:cancelled ");
    ASSERT_INT(koine_error_class(koine_call_error(call)), KOINE_CLASS_CANCELLED);
    ASSERT_STR(koine_response_text(koine_call_response(call), NULL), "a1");
    koine_call_cancel(call);
    koine_call_free(call);
    koine_request_free(request);
    end();
}

static void cancelled_before(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, ANSWER(NULL, 200, WHOLE("m"))}};
    koine_canceller *canceller = NULL;
    if (!BEGIN(script))
        return;
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_OK);
    koine_request *request = rig_request("together/m", "Hi");
    koine_request_set_canceller(request, canceller);
    koine_cancel(canceller);
    ASSERT_STR(fault_of(request), "-4 cancelled: the call was cancelled");
    koine_call *call = start(request);
    ASSERT_INT(rig_run(client, call), KOINE_EVENT_FAULT);
    ASSERT_INT(koine_error_class(koine_call_error(call)), KOINE_CLASS_CANCELLED);
    koine_call_free(call);
    ASSERT_INT((long long)koine__replay_count(rig.transport), 0);
    koine_canceller_free(canceller);
    koine_request_free(request);
    end();
}

static void cancelled_together(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, .match = NULL, .hang = true}};
    koine_canceller *canceller = NULL;
    koine_call *calls[100];
    if (!BEGIN(script))
        return;
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_OK);
    koine_request *request = rig_request("together/m", "Hi");
    koine_request_set_canceller(request, canceller);
    for (size_t i = 0; i < 100; i++)
        calls[i] = start(request);
    koine_request_set_canceller(request, NULL);
    koine_call *other = start(request);
    koine_request_free(request);
    koine_wait(client, 10);
    koine_canceller *borrowed = canceller;
    koine_cancel(borrowed);
    koine_canceller_free(canceller); /* before the calls have ended: they have references of their own */
    for (size_t i = 0; i < 100; i++) {
        ASSERT_INT(koine_process(client), KOINE_OK);
        ASSERT_INT(koine_error_class(koine_call_error(calls[i])), KOINE_CLASS_CANCELLED);
    }
    CU_ASSERT_PTR_NULL(koine_call_error(other));
    for (size_t i = 0; i < 100; i++)
        koine_call_free(calls[i]);
    koine_call_free(other);
    end();
}

/* ---- failing allocations ---- */

/* What is counted, and told in notices, stays with the hub; test_metrics and test_notice see to that. */
static int new_unseen(koine_hub *hub, koine_client **ret, koine_error **ret_error)
{
    int rc = koine_client_new(hub, ret, ret_error);
    if (rc == KOINE_OK) {
        (*ret)->engine.observers[0] = NULL;
        (*ret)->engine.witness = NULL;
    }
    return rc;
}

static int generate_once(koine_hub *hub)
{
    koine_client *own = NULL;
    koine_request *request = NULL;
    koine_response *response = NULL;
    koine_error *error = NULL;
    koine_cost cost = KOINE_COST_INIT;
    int rc = new_unseen(hub, &own, &error);
    if (rc == KOINE_OK)
        rc = koine_request_new(&request);
    if (rc == KOINE_OK)
        rc = koine_request_message(request, "user", "Hi");
    if (rc == KOINE_OK)
        rc = koine_generate(own, request, &response, &error);
    if (rc == KOINE_OK) {
        ASSERT_STR(koine_response_text(response, NULL), "Hello");
        ASSERT_STR(koine_response_target(response), "openai/gpt-4o-mini");
        ASSERT_INT((long long)koine_response_attempt_count(response), 2);
        koine_response_cost(response, &cost);
        ASSERT_INT(cost.picodollars, 1650000);
    }
    CU_ASSERT_TRUE(rc == KOINE_OK || !response);
    koine_error_free(error);
    koine_response_free(response);
    koine_request_free(request);
    koine_client_free(own);
    return rc;
}

/* 0, KOINE_EMEMORY, or what is wrong. */
static int end_of(koine_client *own, koine_call *call)
{
    int kind = rig_run(own, call);
    if (kind == KOINE_EVENT_FAULT)
        return koine_error_number(koine_call_error(call));
    ASSERT_INT(kind, KOINE_EVENT_STOP);
    ASSERT_STR(koine_response_text(koine_call_response(call), NULL), "Hello");
    return KOINE_OK;
}

static int stream_once(koine_hub *hub)
{
    koine_client *own = NULL;
    koine_request *request = NULL;
    koine_call *call = NULL;
    koine_canceller *canceller = NULL;
    koine_error *error = NULL;
    int rc = new_unseen(hub, &own, &error);
    if (rc == KOINE_OK)
        rc = koine_canceller_new(&canceller);
    if (rc == KOINE_OK)
        rc = koine_request_new(&request);
    if (rc == KOINE_OK)
        rc = koine_request_message(request, "user", "Hi");
    if (rc == KOINE_OK)
        rc = koine_request_set_canceller(request, canceller);
    if (rc == KOINE_OK)
        rc = koine_start(own, request, &call, &error);
    if (rc == KOINE_OK)
        rc = end_of(own, call);
    koine_error_free(error);
    koine_call_free(call);
    koine_canceller_free(canceller);
    koine_request_free(request);
    koine_client_free(own);
    return rc;
}

static void fail_each(int (*work)(koine_hub *hub))
{
    for (long n = 1;; n++) {
        failalloc_begin(n);
        int rc = work(rig.hub);
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            break;
        }
        CU_ASSERT_TRUE(rc == KOINE_EMEMORY || rc == KOINE_OK);
    }
}

/* ---- budgets ---- */

/* Of this request gpt-4o-mini could cost (62 + 256) × 0.15 + 100 × 0.60 $/M, and does cost 0.00000165. */
static koine_request *priced_request(const char *budget, const char *run)
{
    koine_request *request = rig_request("openai/gpt-4o-mini", "Hi");
    koine_request_set_integer(request, "max_tokens", 100);
    koine_request_set_run(request, run);
    ASSERT_INT(koine_request_set_budget(request, budget), KOINE_OK);
    return request;
}

static void answers_within(const char *budget, const char *run)
{
    koine_request *request = priced_request(budget, run);
    koine_response_free(generate(request));
    koine_request_free(request);
}

static void refused_by(const char *budget, const char *run, const char *words)
{
    koine_request *request = priced_request(budget, run);
    const char *fault = fault_of(request);
    if (!strstr(fault, words))
        ASSERT_STR(fault, words);
    koine_request_free(request);
}

static void budgets(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER(OPENAI_HOST, 200, WHOLE("gpt-4o-mini"))}};
    if (!BEGIN_WITH(script, "budgets.call", "0.0001077"))
        return;
    answers_within(NULL, NULL);
    answers_within("5", NULL);
    refused_by(
        "0.0001076", NULL,
        "budget: the call's budget of $0.0001076 would be overspent: $0.00 is spent, $0.00 reserved, "
        "$0.0001076 left, and openai/gpt-4o-mini could cost $0.0001077; with max_tokens of 99 it would fit");
    APPLY(&rig, "budgets.call", "0.0001");
    refused_by(NULL, NULL, "the call's budget of $0.0001 ");
    refused_by("5", NULL, "the call's budget of $0.0001 ");               /* the lower one holds */
    APPLY(&rig, "budgets.call", "0.0001", "budgets.estimate", "typical"); /* 16 × 0.15 + 100 × 0.60 */
    answers_within(NULL, NULL);
    end();
}

/* All clients of a hub share it, each run has its own, and the one of calls that name none is the hub's. */
static void budgets_of_runs(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER(OPENAI_HOST, 200, WHOLE("gpt-4o-mini"))}};
    if (!BEGIN_WITH(script, "budgets.run", "0.00011"))
        return;
    koine_client *first = client;
    answers_within(NULL, "a");
    client = rig_client(&rig);
    answers_within(NULL, "a");
    refused_by(
        NULL, "a",
        "the run's budget of $0.00011 would be overspent: $0.0000033 is spent, $0.00 reserved, $0.0001067 "
        "left, and openai/gpt-4o-mini could cost $0.0001077; with max_tokens of 98 it would fit");
    answers_within(NULL, "b");
    answers_within(NULL, NULL);
    koine_client_free(client);
    client = first;
    answers_within(NULL, NULL);
    refused_by(NULL, NULL, "the run's budget of $0.00011 ");
    refused_by("0.00000001", NULL, "the call's budget of $0.00000001 "); /* the narrower one is told */
    APPLY(&rig, "budgets.run", "0.5");
    answers_within(NULL, "a"); /* and what was spent stays so: 0.00000495 */
    APPLY(&rig, "budgets.run", "0.000005");
    refused_by(NULL, "a", "$0.00000495 is spent");
    ASSERT_INT((long long)koine__runs_count(rig.hub->runs), 3);
    end();
}

/* What the call of koine_start was refused with, of which nobody but koine_start had to know. */
static const char *refused_at_once(const koine_request *request)
{
    static char text[1024];
    koine_call *call = start(request), *whose = NULL;
    const koine_event *event = NULL;
    size_t asked = koine__replay_count(rig.transport);
    CU_ASSERT_TRUE(is_readable());
    do
        ASSERT_INT(koine_next(client, &whose, &event), 1);
    while (koine_event_kind(event) == KOINE_EVENT_SWITCH);
    CU_ASSERT_PTR_EQUAL(whose, call);
    ASSERT_INT(koine_event_kind(event), KOINE_EVENT_FAULT);
    const koine_error *error = koine_event_error(event);
    snprintf(text, sizeof(text), "%s %s: %s; %s", koine_error_class_name(error), koine_error_code(error),
             koine_error_message(error), koine_response_message(koine_call_response(call)));
    koine_call_free(call);
    ASSERT_INT((long long)koine__replay_count(rig.transport), (long long)asked);
    ASSERT_INT(koine_next(client, &whose, &event), 0);
    CU_ASSERT_FALSE(is_readable());
    return text;
}

static void refused_by_a_breaker(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, ANSWER(NULL, 503, ERROR("busy"))}};
    if (!BEGIN(script))
        return;
    APPLY(&rig, "providers.together.retry.max_retries", "0", "providers.openai.retry.max_retries", "0",
          "routes.default.targets", "[together/m, openai/m]");
    koine_request *one = rig_request("together/m", "Hi"), *both = rig_request(NULL, "Hi");
    for (int i = 0; i < 5; i++)
        ASSERT_STR(fault_of(one), "-4 overloaded: busy");
    ASSERT_STR(refused_at_once(one), "refused breaker_open: together: the breaker is open for another 30s "
                                     "after 5 failures in 1m; {\"role\":\"assistant\",\"content\":\"\"}");
    ASSERT_STR(fault_of(one),
               "-4 refused: together: the breaker is open for another 30s after 5 failures in 1m");
    for (int i = 0; i < 5; i++)
        ASSERT_STR(fault_of(both), "-4 refused: together: the breaker is open for another 30s after 5 "
                                   "failures in 1m");
    ASSERT_INT((long long)koine__replay_count(rig.transport), 10);
    CU_ASSERT_PTR_NOT_NULL(strstr(refused_at_once(both), "together: the breaker is open"));
    rig.now += 30 * KOINE__SEC; /* a probe */
    ASSERT_STR(fault_of(one), "-4 overloaded: busy");
    koine_request_free(one);
    koine_request_free(both);
    end();
}

static void refused_by_a_full_queue(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, .hang = true}};
    if (!BEGIN(script))
        return;
    APPLY(&rig, "providers.together.limits.concurrent", "1", "providers.together.limits.queue", "1");
    koine_request *request = rig_request("together/m", "Hi");
    koine_call *first = start(request), *second = start(request);
    ASSERT_INT(koine_process(client), KOINE_OK);
    ASSERT_INT((long long)koine__replay_count(rig.transport), 1);
    ASSERT_STR(refused_at_once(request),
               "refused queue_full: an attempt at together finds as many in line as may be; "
               "{\"role\":\"assistant\",\"content\":\"\"}");
    koine_call_free(second);
    koine_call *third = start(request); /* there is room again */
    ASSERT_INT(koine_process(client), KOINE_OK);
    CU_ASSERT_PTR_NULL(koine_call_error(third));
    koine_call_free(first);
    ASSERT_INT(koine_process(client), KOINE_OK);
    ASSERT_INT((long long)koine__replay_count(rig.transport), 2); /* whose turn it was */
    koine_request_free(request);
    end();
}

/* ---- approvals ---- */

/* Of priced_request and its three retries: 4 × 0.0001077. */
#define WORST "0.0004308"

static void generate_never_waits(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER(OPENAI_HOST, 200, WHOLE("gpt-4o-mini"))}};
    koine_response *response = NULL;
    koine_error *error = NULL;
    koine_cost cost = KOINE_COST_INIT;
    if (!BEGIN_WITH(script, "approval.call", "0.0004307"))
        return;
    koine_request *request = priced_request(NULL, NULL);
    ASSERT_STR(fault_of(request), "-4 declined: the call needs an approval, and nobody was asked: This call "
                                  "may cost up to $0.0005");
    ASSERT_INT(koine_request_set_approved_cost(request, "0.0004307"), KOINE_OK);
    ASSERT_INT(koine_generate(client, request, &response, &error), KOINE_EFAULT);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_DECLINED);
    ASSERT_INT(koine_error_estimate(error, &cost), 1);
    ASSERT_INT(cost.state, KOINE_PRICED);
    ASSERT_INT(cost.picodollars, 430800000);
    ASSERT_INT(koine_error_estimate(error, NULL), 0);
    koine_error_free(error);
    ASSERT_INT((long long)koine__replay_count(rig.transport), 0);
    ASSERT_INT(koine_request_set_approved_cost(request, WORST), KOINE_OK);
    koine_response_free(generate(request));
    ASSERT_INT(koine_request_set_approved_cost(request, NULL), KOINE_OK);
    refused_by("0.00001", NULL, "budget: the call's budget of $0.00001 "); /* it could not cost more */
    APPLY(&rig, "approval.call", WORST);
    koine_response_free(generate(request));
    APPLY(&rig, "approval.call", "1");
    koine_request_set_target(request, "openai/nobody-knows-it");
    ASSERT_STR(fault_of(request),
               "-4 declined: the call needs an approval, and nobody was asked: Nobody knows "
               "what openai/nobody-knows-it could cost: its price is not known");
    koine_request_free(request);
    end();
}

/* One request in two clients at once: each reads a document of its own. */
static void one_request_in_two_clients(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, ANSWER(NULL, 200, WHOLE("m"))}};
    if (!BEGIN(script))
        return;
    koine_client *first = client, *second = rig_client(&rig);
    koine_request *request = rig_request("together/m", "Hi");
    koine_call *a = start(request), *b = start(request);
    client = second;
    koine_call *c = start(request);
    CU_ASSERT_PTR_EQUAL(a->document->source, b->document->source);
    CU_ASSERT_PTR_NOT_EQUAL(a->document->source, c->document->source);
    koine_request_set_integer(request, "max_tokens", 7);
    koine_call *d = start(request);
    CU_ASSERT_PTR_NOT_EQUAL(c->document->source, d->document->source);
    koine_request_free(request); /* the calls go on with what they have */
    ASSERT_INT(rig_run(second, c), KOINE_EVENT_STOP);
    ASSERT_INT(rig_run(second, d), KOINE_EVENT_STOP);
    koine_client_free(second);
    client = first;
    ASSERT_INT(rig_run(first, a), KOINE_EVENT_STOP);
    ASSERT_INT(rig_run(first, b), KOINE_EVENT_STOP);
    end();
}

static const koine_event *question_of(koine_call *asked)
{
    koine_call *call = NULL;
    const koine_event *event = NULL;
    ASSERT_INT(koine_process(client), KOINE_OK);
    ASSERT_INT(koine_next(client, &call, &event), 1);
    CU_ASSERT_PTR_EQUAL(call, asked);
    ASSERT_INT(koine_event_kind(event), KOINE_EVENT_APPROVAL);
    ASSERT_INT(koine_call_awaits_approval(asked), 1);
    return event;
}

static void start_asks(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER(OPENAI_HOST, 200, STREAM("gpt-4o-mini"))}};
    koine_cost cost = KOINE_COST_INIT;
    if (!BEGIN_WITH(script, "approval.call", "0"))
        return;
    koine_request *request = priced_request(NULL, NULL);
    koine_call *call = start(request);
    ASSERT_INT(koine_call_awaits_approval(call), 0);
    ASSERT_INT(koine_call_approve(call, 1), KOINE_EARGUMENT); /* nobody was asked yet */
    const koine_event *event = question_of(call);
    ASSERT_STR(koine_event_text(event, NULL), "This call may cost up to $0.0005");
    ASSERT_STR(koine_event_target(event), "openai/gpt-4o-mini");
    ASSERT_INT(koine_event_estimate(event, &cost), 1);
    ASSERT_INT(cost.picodollars, 430800000);
    ASSERT_INT(koine_event_estimate(event, NULL), 0);
    koine_wait(client, 3600 * 1000); /* longer than the call's deadline */
    ASSERT_INT(koine_call_awaits_approval(call), 1);
    ASSERT_INT(koine_call_approve(call, 1), KOINE_OK);
    ASSERT_INT(koine_call_approve(call, 1), KOINE_EARGUMENT);
    ASSERT_INT(rig_run(client, call), KOINE_EVENT_STOP);
    ASSERT_INT(koine_call_approve(call, 0), KOINE_EARGUMENT);
    koine_call_free(call);
    call = start(request);
    question_of(call);
    ASSERT_INT(koine_call_approve(call, 0), KOINE_OK);
    ASSERT_INT(rig_run(client, call), KOINE_EVENT_FAULT);
    ASSERT_INT(koine_error_class(koine_call_error(call)), KOINE_CLASS_DECLINED);
    koine_call_free(call);
    call = start(request); /* freed and cancelled while they wait */
    question_of(call);
    koine_call_free(call);
    call = start(request);
    question_of(call);
    koine_call_cancel(call);
    ASSERT_INT(koine_call_approve(call, 1), KOINE_EARGUMENT);
    ASSERT_INT(rig_run(client, call), KOINE_EVENT_FAULT);
    ASSERT_INT(koine_error_class(koine_call_error(call)), KOINE_CLASS_CANCELLED);
    koine_call_free(call);
    start(request); /* and one that goes with its client */
    koine_process(client);
    koine_request_free(request);
    ASSERT_INT((long long)koine__replay_count(rig.transport), 1);
    end();
}

/* A call that waits keeps none that comes later from its answer. */
static void others_go_on(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER(OPENAI_HOST, 200, WHOLE("gpt-4o-mini"))}};
    if (!BEGIN_WITH(script, "approval.call", "0.0004", "providers.openai.limits.concurrent", "1"))
        return;
    koine_request *request = priced_request(NULL, NULL);
    koine_call *call = start(request);
    question_of(call);
    ASSERT_INT(koine_request_set_approved_cost(request, "1"), KOINE_OK);
    koine_response_free(generate(request));
    koine_request_free(request);
    koine_call_free(call);
    end();
}

static void approvals_of_runs(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER(OPENAI_HOST, 200, WHOLE("gpt-4o-mini"))}};
    if (!BEGIN_WITH(script, "approval.run", "0.000432"))
        return;
    answers_within(NULL, "a"); /* spends 0.00000165 */
    koine_request *request = priced_request(NULL, "a");
    ASSERT_STR(fault_of(request), "-4 declined: the call needs an approval, and nobody was asked: This run "
                                  "may cost up to $0.0005, of which $0.0001 is spent or reserved");
    ASSERT_INT(koine_request_set_approved_cost(request, WORST), KOINE_OK);
    koine_response_free(generate(request));
    koine_request_free(request);
    answers_within(NULL, "b");
    APPLY(&rig, "approval.run", "0.000432", "budgets.run", "0.0002");
    answers_within(NULL, "b"); /* it cannot cost more than its budget has left */
    APPLY(&rig, "approval.run", "0.0001", "budgets.run", "0.0002");
    refused_by(NULL, "b", "declined: ");
    APPLY(&rig, "approval.run", "1", "budgets.run", "0.0001");
    refused_by(NULL, "a", "budget: ");
    end();
}

static int approve_once(koine_hub *hub)
{
    koine_client *own = NULL;
    koine_request *request = NULL;
    koine_call *call = NULL;
    const koine_event *event = NULL;
    int rc = new_unseen(hub, &own, NULL);
    if (rc == KOINE_OK)
        rc = koine_request_new(&request);
    if (rc == KOINE_OK)
        rc = koine_request_message(request, "user", "Hi");
    if (rc == KOINE_OK)
        rc = koine_start(own, request, &call, NULL);
    if (rc == KOINE_OK) {
        koine_process(own);
        koine_next(own, &call, &event);
        if (koine_call_awaits_approval(call))
            ASSERT_INT(koine_call_approve(call, 1), KOINE_OK);
        rc = koine_call_error(call) ? koine_error_number(koine_call_error(call)) : end_of(own, call);
    }
    koine_call_free(call);
    koine_request_free(request);
    koine_client_free(own);
    return rc;
}

static void failing_allocations(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER(TOGETHER_HOST, 503, ERROR("busy"))},
        {.repeat = true, ANSWER("\"stream\":true", 200, STREAM("gpt-4o-mini"))},
        {.repeat = true, ANSWER(OPENAI_HOST, 200, WHOLE("gpt-4o-mini"))}};
    if (!rig_open(&rig, script, 3))
        return;
    APPLY(&rig, "routes.default", "{targets: [together/m, openai/gpt-4o-mini]}",
          "providers.together.retry.max_retries", "0", "providers.together.breaker.failures", "off");
    fail_each(generate_once);
    fail_each(stream_once);
    APPLY(&rig, "budgets.call", "1", "budgets.run", "1000000", "budgets.unpriced", "allow");
    CU_ASSERT_PTR_NOT_NULL(koine__runs_budget(rig.hub->runs, rig.hub->run, 1)); /* stays with the hub */
    fail_each(generate_once);
    APPLY(&rig, "approval.call", "0.1", "approval.run", "0.1");
    fail_each(approve_once);
    rig_close(&rig);
}

SUITE_MAIN("client", {"without a client", without_a_client}, {"wrong arguments", wrong_arguments},
           {"wrong requests", wrong_requests}, {"clients that cannot be", clients_that_cannot_be},
           {"the real world", the_real_world}, {"generates", generates}, {"streams or not", streams_or_not},
           {"ends in a fault", ends_in_a_fault}, {"falls through", falls_through},
           {"waits no longer than said", waits_no_longer_than_said}, {"commits as told", commits_as_told},
           {"answers what fits", answers_what_fits}, {"keeps its configuration", keeps_its_configuration},
           {"seams", seams}, {"interleaves", interleaves}, {"a thousand", a_thousand},
           {"one connection", one_connection},
           {"generates among unread events", generates_among_unread_events},
           {"keeps what it lent", keeps_what_it_lent},
           {"generates beside a paused call", generates_beside_a_paused_call}, {"waits", waits},
           {"loop that broke", loop_that_broke}, {"freed in the middle", freed_in_the_middle},
           {"client freed with its calls", client_freed_with_its_calls},
           {"cancelled by the call", cancelled_by_the_call}, {"cancelled before", cancelled_before},
           {"cancelled together", cancelled_together}, {"budgets", budgets},
           {"budgets of runs", budgets_of_runs}, {"generate never waits", generate_never_waits},
           {"start asks", start_asks}, {"others go on", others_go_on},
           {"approvals of runs", approvals_of_runs}, {"failing allocations", failing_allocations},
           {"refused by a breaker", refused_by_a_breaker},
           {"refused by a full queue", refused_by_a_full_queue},
           {"one request in two clients", one_request_in_two_clients})
