/* library: the C API as an application uses it: the factory, the builder, calls and their events, cancelling,
 * threads, fork, and what it says to wrong arguments. */
#include "tests/e2e/stage.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <koine/json.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LLAMA "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"

static koine_response *answer_of(koine_client *client, const koine_request *request)
{
    koine_response *response = NULL;
    koine_error *error = NULL;
    ASSERT_INT(koine_generate(client, request, &response, &error), KOINE_OK);
    if (error)
        ASSERT_STR(koine_error_message(error), "");
    koine_error_free(error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(response);
    return response;
}

/* The next event of any call, waited for. */
static const koine_event *next_event(koine_client *client, koine_call **ret_call)
{
    const koine_event *event = NULL;
    for (;;) {
        int rc = koine_next(client, ret_call, &event);
        CU_ASSERT_TRUE_FATAL(rc >= 0);
        if (rc == 1)
            return event;
        CU_ASSERT_EQUAL_FATAL(koine_wait(client, 30000), KOINE_OK);
    }
}

static bool is_terminal(const koine_event *event)
{
    return koine_event_kind(event) == KOINE_EVENT_STOP || koine_event_kind(event) == KOINE_EVENT_FAULT;
}

/* Reads events of all calls until so many have ended. */
static void run_until(koine_client *client, size_t ends)
{
    koine_call *call = NULL;
    while (ends > 0)
        ends -= is_terminal(next_event(client, &call));
}

static const koine_event *run_to(koine_client *client, int kind)
{
    koine_call *call = NULL;
    const koine_event *event = NULL;
    do
        event = next_event(client, &call);
    while (koine_event_kind(event) != kind && !is_terminal(event));
    ASSERT_INT(koine_event_kind(event), kind);
    return event;
}

/* ---- the factory ---- */

static void by_name(void)
{
    char folder[PATH_MAX + 8], url[64];
    koine_hub *hub = NULL;
    koine_client *client = NULL;
    snprintf(folder, sizeof(folder), "[\"%s\"]", stage_plugins());
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/together/v1", stage_port());
    ASSERT_INT(koine_hub_new(&hub, NULL), KOINE_OK);
    ASSERT_INT(koine_hub_set(hub, "plugin_path", folder), KOINE_OK);
    ASSERT_INT(koine_hub_set(hub, "providers.together.api_key", STAGE_KEY), KOINE_OK);
    ASSERT_INT(koine_hub_set(hub, "providers.together.base_url", url), KOINE_OK);
    ASSERT_INT(koine_hub_set(hub, "providers.together.timeouts.total", "20s"), KOINE_OK);
    ASSERT_INT(koine_hub_set(hub, "providers.together.retry.max_retries", "1"), KOINE_OK);
    const koine_provider_handle *together = koine_hub_provider(hub, "together");
    CU_ASSERT_PTR_NOT_NULL_FATAL(together);
    ASSERT_STR(koine_provider_name(together), "together");
    ASSERT_STR(koine_provider_id(together), "together");
    ASSERT_STR(koine_provider_base_url(together), url);
    ASSERT_STR(koine_provider_key_variable(together), "TOGETHER_API_KEY");
    ASSERT_INT(koine_provider_has_key(together), 1);
    CU_ASSERT_TRUE(strncmp(koine_provider_file(together), stage_plugins(), strlen(stage_plugins())) == 0);
    CU_ASSERT_STRING_NOT_EQUAL(koine_provider_version(together), "");
    CU_ASSERT_PTR_EQUAL(koine_hub_provider(hub, "together"), together);
    CU_ASSERT_PTR_NULL(koine_hub_provider(hub, "nobody"));

    ASSERT_INT(koine_client_new(hub, &client, NULL), KOINE_OK);
    koine_request *request = stage_request(NULL, 0);
    koine_request_set_provider(request, together);
    koine_request_set_string(request, "model", LLAMA);
    koine_response *response = answer_of(client, request);
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT;
    koine_response_usage(response, &usage);
    koine_response_cost(response, &cost);
    ASSERT_STR(koine_response_target(response), "together/" LLAMA);
    ASSERT_STR(koine_response_model(response), LLAMA);
    ASSERT_STR(koine_response_finish_name(response), "stop");
    ASSERT_INT(usage.output, 60);
    ASSERT_INT(cost.state, KOINE_PRICED);
    ASSERT_INT(cost.picodollars, (usage.input + 60) * 180000); /* $0.18 per million tokens, both ways */
    ASSERT_STR(cost.price_id, "together/" LLAMA "@2024-07-23");
    koine_response_free(response);
    koine_request_free(request);
    koine_client_free(client);
    koine_hub_free(hub);
    stage_posts(NULL, 0);
}

static void settings_hold(void)
{
    static const char *const settings[] = {"providers.together.retry.max_retries",
                                           "1",
                                           "providers.together.retry.base_delay",
                                           "1ms",
                                           "providers.together.timeouts.total",
                                           "700ms",
                                           "parameters",
                                           "strict",
                                           NULL};
    struct scene scene = scene_open(settings);
    koine_error *error = NULL;
    koine_response *response = NULL;
    koine_request *request = stage_request("together/a!503", 0);
    ASSERT_INT(koine_generate(scene.client, request, &response, &error), KOINE_EFAULT);
    ASSERT_INT(stage_posts(NULL, 0), 2);
    koine_error_free(error);
    koine_request_set_target(request, "together/a!silence");
    ASSERT_INT(koine_generate(scene.client, request, &response, &error), KOINE_EFAULT);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_TIMEOUT);
    koine_error_free(error);
    stage_posts(NULL, 0);
    koine_request_set_target(request, "openai/a");
    koine_request_set(request, "top_k", "5");
    ASSERT_INT(koine_generate(scene.client, request, &response, &error), KOINE_EFAULT);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_UNSUPPORTED);
    ASSERT_INT(koine_error_origin(error), KOINE_ORIGIN_POLICY);
    ASSERT_INT(koine_response_attempt_count(koine_error_partial(error)), 0);
    ASSERT_INT(stage_posts(NULL, 0), 0);
    koine_error_free(error);
    koine_request_free(request);
    scene_close(&scene);
}

static void wrong_settings(void)
{
    static const struct {
        const char *path, *value, *says;
    } wrong[] = {
        {"providers.together.timeouts.total", "30",
         "providers.together.timeouts.total: \"30\" has no unit; write 30s, 250ms or 2m"},
        {"providers.together.retry.max_retries", "many", "providers.together.retry.max_retries: \"many\""},
        {"providers.together.retry.base_dely", "3s", "did you mean providers.together.retry.base_delay?"},
        {"providers.together.limits.requests_per_minute", "0",
         "providers.together.limits.requests_per_minute: \"0\" is out of range"},
        {"providers.together.limit.concurrent", "1", "did you mean providers.together.limits?"},
        {"providers.tohether.base_url", "http://127.0.0.1/v1",
         "providers.tohether: no plugin named \"tohether\""},
        {"routes.default.targets", "[together]", "write instance/model"},
        {"routes.default.targets", "[togethr/model]",
         "no provider named \"togethr\"; did you mean together?"},
        {"plugin_path", "not a list", "plugin_path: expected a list"},
    };
    struct scene scene = scene_open(NULL);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        koine_error *error = NULL;
        koine_hub *hub = stage_hub(NULL);
        ASSERT_INT(koine_hub_set(hub, wrong[i].path, wrong[i].value), KOINE_OK);
        ASSERT_INT(koine_hub_apply(hub, &error), KOINE_ECONFIG);
        ASSERT_INT(koine_error_number(error), KOINE_ECONFIG);
        ASSERT_INT(koine_error_class(error), KOINE_CLASS_NONE);
        if (!strstr(koine_error_message(error), wrong[i].says))
            ASSERT_STR(koine_error_message(error), wrong[i].says);
        /* The snapshot before stays. */
        CU_ASSERT_PTR_NOT_NULL(koine_hub_provider(hub, "together"));
        koine_error_free(error);
        koine_hub_free(hub);
    }
    scene_close(&scene);
}

static void models_and_costs(void)
{
    struct scene scene = scene_open(NULL);
    koine_models *known = NULL, *live = NULL;
    koine_cost cost = KOINE_COST_INIT;
    koine_usage usage = KOINE_USAGE_INIT;
    usage.input = usage.output = 1000000;
    ASSERT_INT(koine_hub_models(scene.hub, "together", &known, NULL), KOINE_OK);
    ASSERT_STR(koine_models_id(known, 0), LLAMA);
    ASSERT_INT(koine_models_context(known, 0), 131072);
    ASSERT_STR(koine_models_input_price(known, 0), "0.18");
    ASSERT_STR(koine_models_capabilities(known, 0), "chat instruct");
    ASSERT_INT(koine_list_models(scene.client, "together", &live, NULL), KOINE_OK);
    ASSERT_STR(koine_models_id(live, 0), "meta-llama/Llama-3.3-70B-Instruct-Turbo");
    ASSERT_STR(koine_models_instance(live, 1), "together");
    ASSERT_STR(koine_models_id(live, 1), "standin/healthy");
    koine_models_free(live);
    ASSERT_INT(koine_list_models(scene.client, "openai", &live, NULL), KOINE_OK);
    ASSERT_STR(koine_models_id(live, 0), "gpt-4o-mini");
    ASSERT_INT(koine_list_models(scene.client, "nobody", &live, NULL), KOINE_ENOTFOUND);
    ASSERT_INT(koine_calculate_cost(scene.hub, "openai/gpt-4o-mini", &usage, -1, &cost), KOINE_OK);
    ASSERT_INT(cost.picodollars, 750000000000);
    ASSERT_INT(koine_calculate_cost(scene.hub, "openai/unheard-of", &usage, -1, &cost), KOINE_OK);
    ASSERT_INT(cost.state, KOINE_UNPRICED);
    ASSERT_INT(koine_calculate_cost(scene.hub, "nobody/model", &usage, -1, &cost), KOINE_ENOTFOUND);
    usage.input = INT64_MAX;
    ASSERT_INT(koine_calculate_cost(scene.hub, "openai/gpt-4o-mini", &usage, -1, &cost), KOINE_EARGUMENT);
    usage.input = -2;
    ASSERT_INT(koine_calculate_cost(scene.hub, "openai/gpt-4o-mini", &usage, -1, &cost), KOINE_EARGUMENT);
    koine_models_free(live);
    koine_models_free(known);
    scene_close(&scene);
}

/* ---- the builder ---- */

/* What the stand-in was sent; the model `mirror` answers with it. */
static koine_json *sent_by(koine_client *client, koine_request *request, const char *target)
{
    size_t length = 0;
    koine_json *root = NULL;
    koine_request_set_target(request, target);
    koine_response *response = answer_of(client, request);
    const char *text = koine_response_text(response, &length);
    ASSERT_INT(koine_json_parse(text, length, &root, NULL), KOINE_OK);
    koine_response_free(response);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    return root;
}

static const koine_json *at_path(const koine_json *node, const char *path)
{
    char copy[128], *rest = copy;
    snprintf(copy, sizeof(copy), "%s", path);
    for (const char *name; (name = strsep(&rest, "."));)
        node = koine_json_kind(node) == KOINE_JSON_ARRAY ? koine_json_at(node, (size_t)atoi(name))
                                                         : koine_json_get(node, name);
    return node;
}

static void expect_json(const koine_json *root, const char *path, const char *wanted)
{
    char *text = at_path(root, path) ? koine_json_text(at_path(root, path)) : NULL;
    suite_assert_str(text, wanted, path, __FILE__, __LINE__);
    koine_free(text);
}

#define SCHEMA "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}"

static void tools(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *request = stage_request("openai/a!tool", 0);
    ASSERT_INT(koine_request_tool(request, "get_weather", "Tells the weather.", SCHEMA), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "tool_choice", "\"auto\""), KOINE_OK);
    koine_response *response = answer_of(scene.client, request);
    ASSERT_INT(koine_response_finish(response), KOINE_FINISH_TOOL);
    ASSERT_INT(koine_response_tool_count(response), 2);
    ASSERT_STR(koine_response_tool_name(response, 1), "get_weather");
    ASSERT_STR(koine_response_tool_arguments(response, 0), "{\"city\": \"Paris\", \"unit\": \"celsius\"}");
    ASSERT_STR(koine_response_tool_arguments(response, 1), "{\"city\": \"Oslo\", \"unit\": \"celsius\"}");
    ASSERT_INT(koine_response_tool_complete(response, 1), 1);
    char *id = strdup(koine_response_tool_id(response, 0));
    ASSERT_INT(koine_request_append(request, koine_response_message(response)), KOINE_OK);
    ASSERT_INT(koine_request_tool_result(request, id, "17 degrees"), KOINE_OK);
    ASSERT_INT(koine_request_tool_result(request, koine_response_tool_id(response, 1), "3 degrees"),
               KOINE_OK);

    koine_json *sent = sent_by(scene.client, request, "openai/mirror");
    ASSERT_INT(koine_json_count(koine_json_get(sent, "messages")), 4);
    expect_json(sent, "tools.0.function.name", "\"get_weather\"");
    expect_json(sent, "tools.0.function.parameters", SCHEMA);
    expect_json(sent, "tool_choice", "\"auto\"");
    expect_json(sent, "messages.1.role", "\"assistant\"");
    expect_json(sent, "messages.1.tool_calls.1.function.arguments",
                "\"{\\\"city\\\": \\\"Oslo\\\", \\\"unit\\\": \\\"celsius\\\"}\"");
    expect_json(sent, "messages.2.role", "\"tool\"");
    expect_json(sent, "messages.2.content", "\"17 degrees\"");
    ASSERT_STR(koine_json_string(at_path(sent, "messages.2.tool_call_id"), NULL), id);
    ASSERT_STR(koine_json_string(at_path(sent, "messages.1.tool_calls.0.id"), NULL), id);
    koine_json_free(sent);
    free(id);
    koine_response_free(response);
    koine_request_free(request);
    scene_close(&scene);
}

static void parts_and_members(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *request = NULL;
    ASSERT_INT(koine_request_new(&request), KOINE_OK);
    ASSERT_INT(koine_request_message(request, "system", "Be \"brief\".\n"), KOINE_OK);
    ASSERT_INT(koine_request_message_parts(request, "user"), KOINE_OK);
    ASSERT_INT(koine_request_part_text(request, "What is this? \xC3\xA4\xF0\x9F\x98\x80"), KOINE_OK);
    ASSERT_INT(koine_request_part_image(request, "data:image/png;base64,iVBORw0KGgo="), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "temperature", "0.70"), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "stop", "[\"###\"]"), KOINE_OK);
    ASSERT_INT(koine_request_set_integer(request, "seed", 9007199254740993), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "x_unheard_of", "{\"deep\": [1e400, -0.0]}"), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "koine", "{\"ours\": true}"), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "user", "\"somebody\""), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "user", NULL), KOINE_OK);
    koine_json *sent = sent_by(scene.client, request, "openai/mirror");
    expect_json(sent, "model", "\"mirror\"");
    expect_json(sent, "messages.0.content", "\"Be \\\"brief\\\".\\n\"");
    expect_json(sent, "messages.1.content.0.text", "\"What is this? \xC3\xA4\xF0\x9F\x98\x80\"");
    expect_json(sent, "messages.1.content.1.type", "\"image_url\"");
    expect_json(sent, "messages.1.content.1.image_url.url", "\"data:image/png;base64,iVBORw0KGgo=\"");
    expect_json(sent, "temperature", "0.70"); /* every digit as it was given */
    expect_json(sent, "stop", "[\"###\"]");
    expect_json(sent, "seed", "9007199254740993");
    expect_json(sent, "x_unheard_of", "{\"deep\":[1e400,-0.0]}");
    expect_json(sent, "koine", NULL);
    expect_json(sent, "user", NULL);
    koine_json_free(sent);
    koine_request_free(request);
    scene_close(&scene);
}

static void document_with_changes(void)
{
    static const char document[] = "{\"model\": \"openai/mirror\", \"messages\": [{\"role\": \"user\", "
                                   "\"content\": \"Hi\"}], \"top_p\": 0.10, \"n\": 1}";
    struct scene scene = scene_open(NULL);
    koine_request *request = NULL;
    ASSERT_INT(koine_request_new(&request), KOINE_OK);
    ASSERT_INT(koine_request_set_document(request, document, strlen(document)), KOINE_OK);
    koine_json *sent = sent_by(scene.client, request, NULL);
    expect_json(sent, "model", "\"mirror\"");
    expect_json(sent, "top_p", "0.10");
    koine_json_free(sent);
    ASSERT_INT(koine_request_message(request, "user", "And more"), KOINE_OK);
    ASSERT_INT(koine_request_set_integer(request, "max_tokens", 7), KOINE_OK);
    sent = sent_by(scene.client, request, NULL);
    expect_json(sent, "messages.0.content", "\"Hi\"");
    expect_json(sent, "messages.1.content", "\"And more\"");
    koine_json_free(sent);
    koine_request_free(request);
    scene_close(&scene);
}

static void route_members(void)
{
    static const char *const settings[] = {
        "routes.default.targets",
        "[{target: together/a!503, max_retries: 0}, {target: openai/mirror, unset: [top_k], set: {seed: 5}}]",
        NULL};
    struct scene scene = scene_open(settings);
    koine_request *request = stage_request(NULL, 0);
    koine_request_set(request, "top_k", "40");
    ASSERT_STR(koine_hub_route(scene.hub, 0), "default");
    CU_ASSERT_PTR_NULL(koine_hub_route(scene.hub, 1));
    koine_json *sent = sent_by(scene.client, request, NULL);
    expect_json(sent, "top_k", NULL);
    expect_json(sent, "seed", "5");
    ASSERT_INT(stage_posts(NULL, 0), 2);
    koine_json_free(sent);
    koine_request_free(request);
    scene_close(&scene);
}

static void foreign_members_are_told(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *request = stage_request("openai/a", 0);
    koine_request_set(request, "top_k", "40");
    koine_response *response = answer_of(scene.client, request);
    ASSERT_INT(koine_response_parameter_count(response), 1);
    ASSERT_STR(koine_response_parameter_name(response, 0), "top_k");
    ASSERT_STR(koine_response_parameter_action(response, 0), "dropped");
    CU_ASSERT_STRING_NOT_EQUAL(koine_response_parameter_reason(response, 0), "");
    koine_response_free(response);
    koine_request_free(request);
    scene_close(&scene);
}

static void builder_failures_stick(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *request = stage_request("openai/a", 0);
    koine_response *response = NULL;
    koine_error *error = NULL;
    ASSERT_INT(koine_request_set(request, "temperature", "nought"), KOINE_EARGUMENT);
    ASSERT_INT(koine_request_message(request, "user", "still"), KOINE_EARGUMENT);
    ASSERT_INT(koine_generate(scene.client, request, &response, &error), KOINE_EARGUMENT);
    ASSERT_INT(koine_error_number(error), KOINE_EARGUMENT);
    koine_error_free(error);
    koine_request_free(request);
    ASSERT_INT(stage_posts(NULL, 0), 0);
    scene_close(&scene);
}

/* ---- events ---- */

struct heard { /* the texts of one call's events, by kind */
    char *text, *reasoning, *refusal, *arguments[2];
    size_t tools, tool_ends, starts, usages, stops;
    int first, last; /* kinds */
};

static void append(char **text, const char *piece)
{
    char *longer = NULL;
    if (asprintf(&longer, "%s%s", *text ? *text : "", piece) >= 0) {
        free(*text);
        *text = longer;
    }
}

static void hear(struct heard *heard, const koine_event *event)
{
    int kind = koine_event_kind(event), tool = koine_event_tool(event);
    const char *text = koine_event_text(event, NULL);
    heard->first = heard->first ? heard->first : kind;
    heard->last = kind;
    heard->starts += kind == KOINE_EVENT_START;
    heard->tools += kind == KOINE_EVENT_TOOL;
    heard->tool_ends += kind == KOINE_EVENT_TOOL_END;
    heard->usages += kind == KOINE_EVENT_USAGE;
    heard->stops += kind == KOINE_EVENT_STOP;
    if (kind == KOINE_EVENT_TEXT)
        append(&heard->text, text);
    if (kind == KOINE_EVENT_REASONING)
        append(&heard->reasoning, text);
    if (kind == KOINE_EVENT_REFUSAL)
        append(&heard->refusal, text);
    if (kind == KOINE_EVENT_ARGUMENTS && tool >= 0 && tool < 2)
        append(&heard->arguments[tool], text);
    if (kind == KOINE_EVENT_TOOL_END && tool >= 0 && tool < 2)
        ASSERT_STR(text, heard->arguments[tool]);
}

static void forget(struct heard *heard)
{
    free(heard->text);
    free(heard->reasoning);
    free(heard->refusal);
    free(heard->arguments[0]);
    free(heard->arguments[1]);
}

/* The whole loop of an application that has one already: poll one descriptor, process, read. */
static void poll_to_the_end(koine_client *client, const koine_call *call, struct heard *heard)
{
    struct pollfd waited = {.fd = koine_fd(client), .events = POLLIN};
    while (!koine_call_response(call) || heard->last != KOINE_EVENT_STOP) {
        koine_call *of = NULL;
        const koine_event *event = NULL;
        CU_ASSERT_TRUE_FATAL(poll(&waited, 1, 120000) > 0); /* however busy the machine is */
        ASSERT_INT(koine_process(client), KOINE_OK);
        while (koine_next(client, &of, &event) == 1) {
            CU_ASSERT_PTR_EQUAL(of, call);
            hear(heard, event);
        }
        ASSERT_INT(koine_fd(client), waited.fd);
    }
}

static void compare_answers(const koine_response *one, const koine_response *other)
{
    koine_usage a = KOINE_USAGE_INIT, b = KOINE_USAGE_INIT;
    koine_response_usage(one, &a);
    koine_response_usage(other, &b);
    ASSERT_STR(koine_response_text(one, NULL), koine_response_text(other, NULL));
    ASSERT_STR(koine_response_reasoning(one, NULL), koine_response_reasoning(other, NULL));
    ASSERT_STR(koine_response_refusal(one, NULL), koine_response_refusal(other, NULL));
    ASSERT_STR(koine_response_finish_name(one), koine_response_finish_name(other));
    ASSERT_STR(koine_response_finish_raw(one), koine_response_finish_raw(other));
    ASSERT_STR(koine_response_model(one), koine_response_model(other));
    ASSERT_INT(koine_response_tool_count(one), koine_response_tool_count(other));
    for (size_t i = 0; i < koine_response_tool_count(one); i++) {
        ASSERT_STR(koine_response_tool_name(one, i), koine_response_tool_name(other, i));
        ASSERT_STR(koine_response_tool_arguments(one, i), koine_response_tool_arguments(other, i));
    }
    ASSERT_INT(a.output, b.output);
    ASSERT_INT(a.reasoning, b.reasoning);
}

static void check_heard(const struct heard *heard, const koine_response *response)
{
    const char *none = "";
    ASSERT_STR(heard->text ? heard->text : none, koine_response_text(response, NULL));
    ASSERT_STR(heard->reasoning ? heard->reasoning : none, koine_response_reasoning(response, NULL));
    ASSERT_STR(heard->refusal ? heard->refusal : none, koine_response_refusal(response, NULL));
    ASSERT_INT(heard->tools, koine_response_tool_count(response));
    ASSERT_INT(heard->tool_ends, koine_response_tool_count(response));
    for (size_t i = 0; i < koine_response_tool_count(response); i++)
        ASSERT_STR(heard->arguments[i], koine_response_tool_arguments(response, i));
    ASSERT_INT(heard->first, KOINE_EVENT_START);
    ASSERT_INT(heard->starts, 1);
    ASSERT_INT(heard->stops, 1);
    CU_ASSERT_TRUE(heard->usages >= 1);
}

static void streamed_and_whole_agree(void)
{
    static const char *const targets[] = {"openai/a!healthy",   "openai/a!tool",   "openai/a!reasoning",
                                          "openai/a!refusal",   "openai/a!length", "openai/a!filtered",
                                          "together/a!healthy", "together/a!tool", "together/a!reasoning",
                                          "openai/a!no-done",   "openai/a!echo"};
    struct scene scene = scene_open(NULL);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        koine_request *whole = stage_request(targets[i], 0), *streamed = stage_request(targets[i], 1);
        koine_call *call = NULL;
        struct heard heard = {0};
        koine_response *answer = answer_of(scene.client, whole);
        ASSERT_INT(koine_start(scene.client, streamed, &call, NULL), KOINE_OK);
        koine_request_free(streamed); /* the call has what it needs */
        poll_to_the_end(scene.client, call, &heard);
        check_heard(&heard, koine_call_response(call));
        compare_answers(koine_call_response(call), answer);
        CU_ASSERT_TRUE(koine_response_first_token_ms(koine_call_response(call)) >= 0);
        forget(&heard);
        koine_call_free(call);
        koine_response_free(answer);
        koine_request_free(whole);
    }
    scene_close(&scene);
}

static void readable_while_something_waits(void)
{
    struct scene scene = scene_open(NULL);
    struct pollfd waited = {.fd = koine_fd(scene.client), .events = POLLIN};
    koine_request *request = stage_request("openai/a!healthy", 1);
    koine_call *call = NULL, *of = NULL;
    const koine_event *event = NULL;
    ASSERT_INT(poll(&waited, 1, 0), 0); /* nothing is to be done */
    ASSERT_INT(koine_start(scene.client, request, &call, NULL), KOINE_OK);
    run_to(scene.client, KOINE_EVENT_TEXT);
    while (!koine_call_response(call)) { /* to the end, without reading */
        ASSERT_INT(poll(&waited, 1, 30000), 1);
        ASSERT_INT(koine_process(scene.client), KOINE_OK);
    }
    ASSERT_INT(poll(&waited, 1, 0), 1);
    while (koine_next(scene.client, &of, &event) == 1)
        continue;
    koine_call_free(call);
    while (poll(&waited, 1, 0) == 1) /* curl may still have something to tidy up, but not for ever */
        ASSERT_INT(koine_process(scene.client), KOINE_OK);
    koine_request_free(request);
    scene_close(&scene);
}

enum {
    MANY = 50
};

static void many_at_once(void)
{
    static const char *const targets[] = {"openai/a!healthy", "together/b!healthy", "openai/a!echo"};
    struct scene scene = scene_open(NULL);
    int ends[MANY] = {0}, texts[MANY] = {0};
    koine_call *calls[MANY];
    size_t left = MANY, out_of_turn = 0;
    const koine_call *before = NULL;
    for (size_t i = 0; i < MANY; i++) {
        koine_request *request = stage_request(targets[i % 3], 1);
        koine_request_set_user(request, &ends[i]);
        ASSERT_INT(koine_start(scene.client, request, &calls[i], NULL), KOINE_OK);
        koine_request_free(request);
    }
    while (left > 0) {
        koine_call *call = NULL;
        const koine_event *event = next_event(scene.client, &call);
        int *mine = koine_call_user(call);
        texts[mine - ends] += koine_event_kind(event) == KOINE_EVENT_TEXT;
        CU_ASSERT_NOT_EQUAL(koine_event_kind(event), KOINE_EVENT_FAULT);
        if (koine_event_kind(event) == KOINE_EVENT_STOP) {
            (*mine)++;
            left--;
        }
        out_of_turn += before && before != call;
        before = call;
    }
    for (size_t i = 0; i < MANY; i++) {
        ASSERT_INT(ends[i], 1);
        ASSERT_INT(texts[i], i % 3 == 2 ? 7 : 60);
        CU_ASSERT_TRUE(i == 0 || strcmp(koine_call_id(calls[i]), koine_call_id(calls[i - 1])) != 0);
    }
    for (size_t i = 0; i < MANY; i++)
        koine_call_free(calls[i]);
    CU_ASSERT_TRUE(out_of_turn > MANY); /* they ran at once, not one after another */
    ASSERT_INT(stage_posts(NULL, 0), MANY);
    scene_close(&scene);
}

static void small_pool(void)
{
    static const char *const settings[] = {"pool.connections", "2", NULL};
    struct scene scene = scene_open(settings);
    struct stage_post post[12];
    koine_call *calls[12];
    koine_request *request = stage_request("openai/a!healthy", 0);
    for (size_t i = 0; i < 12; i++)
        ASSERT_INT(koine_start(scene.client, request, &calls[i], NULL), KOINE_OK);
    run_until(scene.client, 12);
    ASSERT_INT(stage_posts(post, 12), 12);
    for (size_t i = 0; i < 12; i++) {
        CU_ASSERT_TRUE(post[i].connection == post[0].connection || post[i].connection == post[1].connection);
        CU_ASSERT_PTR_NULL(koine_call_error(calls[i]));
        koine_call_free(calls[i]);
    }
    koine_request_free(request);
    scene_close(&scene);
}

/* What nobody reads is not taken off the connection for ever, and comes whole when it is read. */
static void nobody_reads(void)
{
    enum {
        SIZE = 2 << 20
    };
    struct scene scene = scene_open(NULL);
    struct pollfd waited = {.fd = koine_fd(scene.client), .events = POLLIN};
    char *prompt = malloc(SIZE + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(prompt);
    for (size_t i = 0; i < SIZE; i++)
        prompt[i] = (char)('a' + i % 26);
    prompt[SIZE] = '\0';
    koine_request *request = NULL;
    koine_call *call = NULL;
    struct heard heard = {0};
    CU_ASSERT_EQUAL_FATAL(koine_request_new(&request), KOINE_OK);
    koine_request_message(request, "user", prompt);
    koine_request_set_target(request, "openai/echo");
    ASSERT_INT(koine_start(scene.client, request, &call, NULL), KOINE_OK);
    while (poll(&waited, 1, 1) == 0) /* until something can be read */
        continue;
    for (int i = 0; i < 300; i++)
        ASSERT_INT(koine_process(scene.client), KOINE_OK);
    CU_ASSERT_PTR_NULL(koine_call_response(call)); /* the answer is not read to its end */
    poll_to_the_end(scene.client, call, &heard);
    CU_ASSERT_TRUE(heard.text && strcmp(heard.text, prompt) == 0);
    CU_ASSERT_STRING_EQUAL(koine_response_text(koine_call_response(call), NULL), prompt);
    forget(&heard);
    free(prompt);
    koine_call_free(call);
    koine_request_free(request);
    scene_close(&scene);
}

/* Another call's events wait until it is asked for them. */
static void generate_beside_a_stream(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *streamed = stage_request("openai/a!healthy", 1),
                  *whole = stage_request("together/a!echo", 0);
    koine_call *call = NULL;
    struct heard heard = {0};
    ASSERT_INT(koine_start(scene.client, streamed, &call, NULL), KOINE_OK);
    for (int i = 0; i < 20; i++) {
        koine_response *response = answer_of(scene.client, whole);
        ASSERT_STR(koine_response_text(response, NULL), "Say it.");
        koine_response_free(response);
    }
    poll_to_the_end(scene.client, call, &heard);
    check_heard(&heard, koine_call_response(call));
    forget(&heard);
    koine_call_free(call);
    koine_request_free(streamed);
    koine_request_free(whole);
    scene_close(&scene);
}

/* ---- cancelling ---- */

struct canceller_thread {
    koine_canceller *canceller;
    pthread_t main;
    bool by_signal;
};

/* Waits until the stand-in has the request, then cancels. */
static void *cancel_soon(void *arg)
{
    static const struct timespec pause = {.tv_nsec = 2000000};
    const struct canceller_thread *thread = arg;
    while (stage_posts(NULL, 0) == 0)
        nanosleep(&pause, NULL);
    if (thread->by_signal)
        pthread_kill(thread->main, SIGUSR1);
    else
        koine_cancel(thread->canceller);
    return NULL;
}

static koine_canceller *for_handler;

static void on_signal(int number)
{
    (void)number;
    koine_cancel(for_handler);
}

static void cancel_a_blocked_call(bool by_signal)
{
    struct scene scene = scene_open(NULL);
    struct canceller_thread thread = {.main = pthread_self(), .by_signal = by_signal};
    struct sigaction action = {.sa_handler = on_signal}, before;
    koine_request *request = stage_request("openai/a!silence", 0);
    koine_response *response = NULL;
    koine_error *error = NULL;
    pthread_t id;
    ASSERT_INT(koine_canceller_new(&thread.canceller), KOINE_OK);
    for_handler = thread.canceller;
    sigaction(SIGUSR1, &action, &before);
    ASSERT_INT(koine_request_set_canceller(request, thread.canceller), KOINE_OK);
    ASSERT_INT(koine_canceller_is_cancelled(thread.canceller), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&id, NULL, cancel_soon, &thread), 0);
    ASSERT_INT(koine_generate(scene.client, request, &response, &error), KOINE_EFAULT);
    pthread_join(id, NULL);
    sigaction(SIGUSR1, &before, NULL);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_CANCELLED);
    ASSERT_INT(koine_error_origin(error), KOINE_ORIGIN_CALLER);
    ASSERT_INT(koine_response_attempt_count(koine_error_partial(error)), 1);
    ASSERT_INT(koine_canceller_is_cancelled(thread.canceller), 1);
    koine_error_free(error);

    /* It stays cancelled: no further request is sent. */
    ASSERT_INT(koine_generate(scene.client, request, &response, &error), KOINE_EFAULT);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_CANCELLED);
    ASSERT_INT(stage_posts(NULL, 0), 0);
    koine_error_free(error);
    koine_request_free(request);
    scene_close(&scene);
    koine_cancel(thread.canceller); /* long after everything is gone */
    koine_canceller_free(thread.canceller);
}

static void cancel_from_a_thread(void)
{
    cancel_a_blocked_call(false);
}

static void cancel_from_a_signal_handler(void)
{
    cancel_a_blocked_call(true);
}

static void cancel_in_the_middle(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *request = stage_request("openai/a!slow", 1);
    koine_call *call = NULL;
    ASSERT_INT(koine_start(scene.client, request, &call, NULL), KOINE_OK);
    run_to(scene.client, KOINE_EVENT_TEXT);
    koine_call_cancel(call);
    run_until(scene.client, 1);
    ASSERT_INT(koine_error_class(koine_call_error(call)), KOINE_CLASS_CANCELLED);
    CU_ASSERT_STRING_NOT_EQUAL(koine_response_text(koine_call_response(call), NULL), "");
    koine_usage usage = KOINE_USAGE_INIT;
    koine_response_usage(koine_call_response(call), &usage);
    CU_ASSERT_TRUE(usage.estimated &
                   KOINE_BUCKET_OUTPUT); /* what was generated is paid for, and nobody told */
    koine_call *of = NULL;
    const koine_event *event = NULL;
    koine_call_cancel(call); /* once more changes nothing */
    ASSERT_INT(koine_process(scene.client), KOINE_OK);
    ASSERT_INT(koine_next(scene.client, &of, &event), 0);
    koine_call_free(call);
    koine_request_free(request);
    scene_close(&scene);
}

static void cancel_during_the_wait(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *request = stage_request("openai/a!503", 1);
    koine_call *call = NULL;
    ASSERT_INT(koine_start(scene.client, request, &call, NULL), KOINE_OK);
    const koine_event *event = run_to(scene.client, KOINE_EVENT_RETRY);
    CU_ASSERT_TRUE(koine_event_wait_ms(event) >= 500 && koine_event_wait_ms(event) <= 1000);
    ASSERT_STR(koine_event_target(event), "openai/a!503");
    koine_call_cancel(call);
    run_until(scene.client, 1);
    ASSERT_INT(koine_error_class(koine_call_error(call)), KOINE_CLASS_CANCELLED);
    ASSERT_INT(stage_posts(NULL, 0), 1);
    koine_call_free(call);
    koine_request_free(request);
    scene_close(&scene);
}

/* One canceller, many calls; the application gives up its own reference at once. */
static void cancel_all(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *request = stage_request("openai/a!slow", 1);
    koine_canceller *canceller = NULL;
    koine_call *calls[5];
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_OK);
    koine_request_set_canceller(request, canceller);
    for (size_t i = 0; i < 5; i++)
        ASSERT_INT(koine_start(scene.client, request, &calls[i], NULL), KOINE_OK);
    koine_request_free(request);
    run_to(scene.client, KOINE_EVENT_TEXT);
    koine_cancel(canceller);
    koine_canceller_free(canceller);
    run_until(scene.client, 5);
    for (size_t i = 0; i < 5; i++) {
        ASSERT_INT(koine_error_class(koine_call_error(calls[i])), KOINE_CLASS_CANCELLED);
        koine_call_free(calls[i]);
    }
    scene_close(&scene);
}

static void free_in_the_middle(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *slow = stage_request("openai/a!slow", 1), *quick = stage_request("openai/a!healthy", 1);
    koine_call *gone = NULL, *stays = NULL, *of = NULL;
    const koine_event *event = NULL;
    ASSERT_INT(koine_start(scene.client, slow, &gone, NULL), KOINE_OK);
    run_to(scene.client, KOINE_EVENT_TEXT);
    ASSERT_INT(koine_start(scene.client, quick, &stays, NULL), KOINE_OK);
    koine_call_free(gone);
    while (!koine_call_response(stays)) {
        ASSERT_INT(koine_wait(scene.client, 30000), KOINE_OK);
        while (koine_next(scene.client, &of, &event) == 1)
            CU_ASSERT_PTR_EQUAL(of, stays); /* no event of the other comes any more */
    }
    ASSERT_INT(koine_start(scene.client, slow, &gone, NULL), KOINE_OK); /* never processed */
    koine_request_free(slow);
    koine_request_free(quick);
    scene_close(&scene); /* frees both calls */
}

/* ---- lifetimes, threads, fork ---- */

static void hub_goes_first(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *request = stage_request("openai/a!healthy", 0);
    koine_hub_free(scene.hub);
    koine_response *response = answer_of(scene.client, request);
    ASSERT_STR(koine_response_target(response), "openai/a!healthy");
    koine_client_free(scene.client);
    CU_ASSERT_STRING_NOT_EQUAL(koine_response_text(response, NULL), "");
    koine_response_free(response);
    koine_request_free(request);
    stage_posts(NULL, 0);
}

static void use_everything(void)
{
    static const char *const targets[] = {"openai/a!healthy", "openai/a!503",   "openai/a!silence",
                                          "openai/a!reset",   "openai/a!cut",   "openai/a!endless",
                                          "openai/a!stalled", "together/a!tool"};
    static const char *const settings[] = {"providers.openai.retry.base_delay",
                                           "1ms",
                                           "providers.openai.retry.max_retries",
                                           "1",
                                           "providers.openai.timeouts.total",
                                           "100ms",
                                           "providers.openai.body_limit",
                                           "1MiB",
                                           NULL};
    struct scene scene = scene_open(settings);
    koine_canceller *canceller = NULL;
    koine_models *models = NULL;
    koine_canceller_new(&canceller);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        koine_response *response = NULL;
        koine_request *request = stage_request(targets[i], (int)i % 2);
        koine_call *call = NULL;
        koine_request_set_canceller(request, canceller);
        koine_generate(scene.client, request, &response, NULL);
        koine_start(scene.client, request, &call, NULL);
        if (i % 2)
            run_until(scene.client, 1);
        else
            koine_process(scene.client);
        koine_call_free(call);
        koine_response_free(response);
        koine_request_free(request);
    }
    koine_list_models(scene.client, "openai", &models, NULL);
    koine_models_free(models);
    koine_canceller_free(canceller);
    scene_close(&scene);
}

static void descriptors(void)
{
    use_everything(); /* what is opened once and for ever */
    size_t before = stage_descriptors();
    use_everything();
    ASSERT_INT(stage_descriptors(), before);
}

struct worker {
    koine_hub *hub;
    int good;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    koine_client *client = NULL;
    koine_request *request = NULL;
    if (koine_client_new(worker->hub, &client, NULL) != KOINE_OK || koine_request_new(&request) != KOINE_OK)
        return NULL;
    koine_request_message(request, "user", "Hello");
    koine_request_set_target(request, "together/a!echo");
    for (int i = 0; i < 25; i++) {
        koine_response *response = NULL;
        koine_request_set_stream(request, i % 2);
        if (koine_generate(client, request, &response, NULL) == KOINE_OK &&
            strcmp(koine_response_text(response, NULL), "Hello") == 0)
            worker->good++;
        koine_response_free(response);
    }
    koine_request_free(request);
    koine_client_free(client);
    return NULL;
}

/* And the hub is given new settings all the while. */
static void two_threads(void)
{
    koine_hub *hub = stage_hub(NULL);
    struct worker workers[2] = {{.hub = hub}, {.hub = hub}};
    pthread_t ids[2];
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&ids[i], NULL, work, &workers[i]), 0);
    for (int i = 0; i < 5; i++) {
        koine_hub_set(hub, "providers.together.retry.max_retries", i % 2 ? "1" : "2");
        ASSERT_INT(koine_hub_apply(hub, NULL), KOINE_OK);
        CU_ASSERT_PTR_NOT_NULL(koine_hub_provider(hub, "openai"));
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(ids[i], NULL);
        ASSERT_INT(workers[i].good, 25);
    }
    koine_hub_free(hub);
    ASSERT_INT(stage_posts(NULL, 0), 50);
}

static void apply_while_a_call_runs(void)
{
    char url[64];
    struct stage_post post[2];
    struct scene scene = scene_open(NULL);
    koine_request *slow = stage_request("openai/a!slow", 1), *next = stage_request("openai/b!echo", 0);
    koine_call *call = NULL;
    ASSERT_INT(koine_start(scene.client, slow, &call, NULL), KOINE_OK);
    run_to(scene.client, KOINE_EVENT_TEXT);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/another/v1", stage_port());
    koine_hub_set(scene.hub, "providers.openai.base_url", url);
    koine_hub_set(scene.hub, "providers.openai.timeouts.total", "1s"); /* less than the answer takes */
    koine_hub_set(scene.hub, "routes.new.targets", "[openai/b]");
    ASSERT_INT(koine_hub_apply(scene.hub, NULL), KOINE_OK);
    ASSERT_STR(koine_provider_base_url(koine_hub_provider(scene.hub, "openai")), url);
    koine_response *response = answer_of(scene.client, next);
    run_until(scene.client, 1);
    CU_ASSERT_PTR_NULL(koine_call_error(call)); /* it kept its own settings */
    ASSERT_INT(stage_posts(post, 2), 2);
    ASSERT_STR(post[0].target, "openai/a!slow");
    ASSERT_STR(post[1].target, "another/b!echo");
    koine_response_free(response);
    koine_call_free(call);
    koine_request_free(slow);
    koine_request_free(next);
    scene_close(&scene);
}

/* In the child: everything refuses, and freeing harms nobody. Its exit status is how many did not. */
static int live_as_a_child(const struct scene *scene, koine_request *request, koine_call *call)
{
    koine_response *response = NULL;
    koine_call *other = NULL;
    const koine_event *event = NULL;
    koine_models *models = NULL;
    koine_error *error = NULL;
    koine_cost cost = KOINE_COST_INIT;
    koine_usage usage = KOINE_USAGE_INIT;
    koine_providers *list = NULL;
    koine_notice *notice = NULL;
    char *text = NULL;
    int wrong = 0;
    wrong += koine_generate(scene->client, request, &response, &error) != KOINE_EFORK;
    wrong += koine_error_number(error) != KOINE_EFORK;
    wrong += koine_start(scene->client, request, &other, NULL) != KOINE_EFORK;
    wrong += koine_next(scene->client, &other, &event) != KOINE_EFORK;
    wrong += koine_process(scene->client) != KOINE_EFORK;
    wrong += koine_wait(scene->client, 0) != KOINE_EFORK;
    wrong += koine_fd(scene->client) != KOINE_EFORK;
    wrong += koine_list_models(scene->client, "openai", &models, NULL) != KOINE_EFORK;
    wrong += koine_hub_models(scene->hub, NULL, &models, NULL) != KOINE_EFORK;
    wrong += koine_hub_list_providers(scene->hub, &list, NULL) != KOINE_EFORK;
    wrong += koine_hub_next_notice(scene->hub, &notice) != KOINE_EFORK;
    wrong += koine_metrics_write(scene->hub, &text) != KOINE_EFORK;
    wrong += koine_deliver_notices(scene->client, 0) != KOINE_EFORK;
    wrong += koine_hub_set(scene->hub, "default_route", "a") != KOINE_EFORK;
    wrong += koine_hub_load(scene->hub, "/dev/null", NULL) != KOINE_EFORK;
    wrong += koine_hub_load_environment(scene->hub, NULL) != KOINE_EFORK;
    wrong += koine_hub_apply(scene->hub, NULL) != KOINE_EFORK;
    wrong += koine_hub_show(scene->hub, &text) != KOINE_EFORK;
    wrong += koine_hub_provider(scene->hub, "openai") != NULL;
    wrong += koine_calculate_cost(scene->hub, "openai/a", &usage, -1, &cost) != KOINE_EFORK;
    koine_call_cancel(call);
    koine_error_free(error);
    koine_call_free(call);
    koine_request_free(request);
    koine_client_free(scene->client);
    koine_hub_free(scene->hub);
    return wrong;
}

static void forked(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *request = stage_request("openai/a!slow", 1);
    koine_call *call = NULL;
    int status = -1;
    ASSERT_INT(koine_start(scene.client, request, &call, NULL), KOINE_OK);
    run_to(scene.client, KOINE_EVENT_TEXT);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(live_as_a_child(&scene, request, call));
    CU_ASSERT_TRUE_FATAL(pid > 0);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    ASSERT_INT(status, 0);
    run_until(scene.client, 1); /* the parent's stream goes on to its end */
    CU_ASSERT_PTR_NULL(koine_call_error(call));
    ASSERT_INT(koine_response_finish(koine_call_response(call)), KOINE_FINISH_STOP);
    koine_call_free(call);
    koine_response *response = answer_of(scene.client, request); /* and the next one on the same connection */
    koine_response_free(response);
    struct stage_post post[2];
    ASSERT_INT(stage_posts(post, 2), 2);
    ASSERT_INT(post[1].connection, post[0].connection);
    koine_request_free(request);
    scene_close(&scene);
}

/* A child may have hubs of its own. */
static void child_of_its_own(void)
{
    int status = -1;
    use_everything();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        koine_hub *hub = stage_hub(NULL);
        struct worker worker = {.hub = hub};
        work(&worker);
        koine_hub_free(hub);
        _exit(worker.good == 25 ? 0 : 1);
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    ASSERT_INT(status, 0);
    stage_posts(NULL, 0);
}

SUITE_MAIN("library", {"a provider by name, without any file", by_name}, {"settings hold", settings_hold},
           {"wrong settings", wrong_settings}, {"models and costs", models_and_costs}, {"tools", tools},
           {"parts and members", parts_and_members}, {"a document with changes", document_with_changes},
           {"members of a route", route_members}, {"foreign members are told", foreign_members_are_told},
           {"failures of the builder stick", builder_failures_stick},
           {"streamed and whole agree", streamed_and_whole_agree},
           {"readable while something waits", readable_while_something_waits}, {"many at once", many_at_once},
           {"a small pool", small_pool}, {"nobody reads", nobody_reads},
           {"generate beside a stream", generate_beside_a_stream},
           {"cancel from a thread", cancel_from_a_thread},
           {"cancel from a signal handler", cancel_from_a_signal_handler},
           {"cancel in the middle", cancel_in_the_middle}, {"cancel during the wait", cancel_during_the_wait},
           {"cancel all", cancel_all}, {"free in the middle", free_in_the_middle},
           {"the hub goes first", hub_goes_first}, {"descriptors", descriptors}, {"two threads", two_threads},
           {"apply while a call runs", apply_while_a_call_runs}, {"fork", forked},
           {"a child of its own", child_of_its_own})
