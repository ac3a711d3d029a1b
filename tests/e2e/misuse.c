/* misuse: what the library says to wrong arguments: never a crash, never a request sent. */
#include "tests/e2e/stage.h"
#include "tests/unit/suite.h"

#include <koine/json.h>
#include <stdint.h>
#include <string.h>

struct reentry {
    koine_hub *hub;
    koine_client *client;
    koine_request *request;
    koine_call *call;
    int lines, wrong;
};

static void call_back(void *user, int level, const char *line)
{
    struct reentry *at = user;
    koine_response *response = NULL;
    koine_client *client = NULL;
    koine_call *call = NULL;
    const koine_event *event = NULL;
    koine_models *models = NULL;
    koine_providers *list = NULL;
    koine_cost cost = KOINE_COST_INIT;
    koine_usage usage = KOINE_USAGE_INIT;
    koine_notice *notice = NULL;
    char *text = NULL;
    at->lines++;
    at->wrong +=
        level < 0 || level > 3 || !*line || strchr(line, '\n') != NULL || strstr(line, STAGE_KEY) != NULL;
    at->wrong += koine_hub_set(at->hub, "default_route", "a") != KOINE_EARGUMENT;
    at->wrong += koine_hub_load(at->hub, "/dev/null", NULL) != KOINE_EARGUMENT;
    at->wrong += koine_hub_load_environment(at->hub, NULL) != KOINE_EARGUMENT;
    at->wrong += koine_hub_apply(at->hub, NULL) != KOINE_EARGUMENT;
    at->wrong += koine_hub_show(at->hub, &text) != KOINE_EARGUMENT;
    at->wrong += koine_hub_set_log(at->hub, 0, NULL, NULL) != KOINE_EARGUMENT;
    at->wrong += koine_hub_next_notice(at->hub, &notice) != KOINE_EARGUMENT;
    at->wrong += koine_metrics_write(at->hub, &text) != KOINE_EARGUMENT;
    at->wrong += koine_hub_models(at->hub, NULL, &models, NULL) != KOINE_EARGUMENT;
    at->wrong += koine_hub_list_providers(at->hub, &list, NULL) != KOINE_EARGUMENT;
    at->wrong += koine_hub_provider(at->hub, "openai") != NULL;
    at->wrong += koine_calculate_cost(at->hub, "openai/a", &usage, -1, &cost) != KOINE_EARGUMENT;
    at->wrong += koine_client_new(at->hub, &client, NULL) != KOINE_EARGUMENT;
    if (at->client) {
        at->wrong += koine_deliver_notices(at->client, 0) != KOINE_EARGUMENT;
        at->wrong += koine_generate(at->client, at->request, &response, NULL) != KOINE_EARGUMENT;
        at->wrong += koine_start(at->client, at->request, &call, NULL) != KOINE_EARGUMENT;
        at->wrong += koine_next(at->client, &call, &event) != KOINE_EARGUMENT;
        at->wrong += koine_process(at->client) != KOINE_EARGUMENT;
        at->wrong += koine_wait(at->client, 0) != KOINE_EARGUMENT;
        at->wrong += koine_fd(at->client) != KOINE_EARGUMENT;
        at->wrong += koine_list_models(at->client, "openai", &models, NULL) != KOINE_EARGUMENT;
        koine_call_cancel(at->call);
        at->wrong += koine_call_approve(at->call, 1) != KOINE_EARGUMENT;
    }
}

static void log_may_not_come_back(void)
{
    static const char *const settings[] = {"routes.default.targets", "[together/a!503, openai/b!healthy]",
                                           "providers.together.retry.base_delay", "1ms", NULL};
    struct reentry at = {.hub = stage_hub(settings)};
    ASSERT_INT(koine_hub_set_log(at.hub, 3, call_back, &at), KOINE_OK);
    koine_hub_set(at.hub, "providers.together.retry.max_retries", "1");
    ASSERT_INT(koine_hub_apply(at.hub, NULL), KOINE_OK);
    ASSERT_INT(koine_client_new(at.hub, &at.client, NULL), KOINE_OK);
    at.request = stage_request(NULL, 1);
    ASSERT_INT(koine_start(at.client, at.request, &at.call, NULL), KOINE_OK);
    while (!koine_call_response(at.call))
        CU_ASSERT_EQUAL_FATAL(koine_wait(at.client, 30000), KOINE_OK);
    CU_ASSERT_TRUE(at.lines >= 5); /* three attempts, a move, the call */
    ASSERT_INT(at.wrong, 0);
    koine_call_free(at.call);
    koine_client_free(at.client);
    koine_request_free(at.request);
    koine_hub_set_log(at.hub, 0, NULL, NULL);
    koine_hub_free(at.hub);
    stage_posts(NULL, 0);
}

#define REFUSES(expression) ASSERT_INT((expression), KOINE_EARGUMENT)

static void null_hub(void)
{
    koine_hub *hub = NULL;
    koine_error *error = NULL;
    koine_models *models = NULL;
    koine_providers *list = NULL;
    koine_cost cost = KOINE_COST_INIT;
    koine_usage usage = KOINE_USAGE_INIT;
    char *text = NULL;
    REFUSES(koine_hub_new(NULL, NULL));
    REFUSES(koine_hub_set(NULL, "a", "b"));
    REFUSES(koine_hub_load(NULL, NULL, &error));
    ASSERT_INT(koine_error_number(error), KOINE_EARGUMENT);
    koine_error_free(error);
    REFUSES(koine_hub_load_environment(NULL, NULL));
    REFUSES(koine_hub_apply(NULL, NULL));
    REFUSES(koine_hub_show(NULL, &text));
    REFUSES(koine_metrics_write(NULL, &text));
    REFUSES(koine_hub_next_notice(NULL, NULL));
    REFUSES(koine_deliver_notices(NULL, 0));
    koine_notice_free(NULL);
    REFUSES(koine_hub_set_log(NULL, 0, NULL, NULL));
    REFUSES(koine_hub_list_providers(NULL, &list, NULL));
    REFUSES(koine_hub_models(NULL, NULL, &models, NULL));
    REFUSES(koine_calculate_cost(NULL, "a/b", &usage, -1, &cost));
    REFUSES(koine_settings_document(NULL));
    CU_ASSERT_PTR_NULL(koine_hub_provider(NULL, "a"));
    CU_ASSERT_PTR_NULL(koine_hub_route(NULL, 0));
    CU_ASSERT_PTR_NULL(koine_hub_plugin_folder(NULL, 0));
    ASSERT_STR(koine_hub_file(NULL), "");
    koine_hub_free(NULL);
    CU_ASSERT_EQUAL_FATAL(koine_hub_new(&hub, NULL), KOINE_OK);
    REFUSES(koine_hub_set(hub, NULL, "b"));
    REFUSES(koine_hub_set(hub, "a", NULL));
    REFUSES(koine_hub_show(hub, NULL));
    REFUSES(koine_metrics_write(hub, NULL));
    REFUSES(koine_hub_next_notice(hub, NULL));
    REFUSES(koine_hub_list_providers(hub, NULL, NULL));
    REFUSES(koine_hub_models(hub, NULL, NULL, NULL));
    REFUSES(koine_calculate_cost(hub, NULL, &usage, -1, &cost));
    REFUSES(koine_calculate_cost(hub, "a/b", NULL, -1, &cost));
    REFUSES(koine_calculate_cost(hub, "a/b", &usage, -1, NULL));
    CU_ASSERT_PTR_NULL(koine_hub_provider(hub, NULL));
    koine_hub_free(hub);
}

static void null_request(void)
{
    koine_request *request = NULL;
    REFUSES(koine_request_new(NULL));
    REFUSES(koine_request_set_document(NULL, "{}", 2));
    REFUSES(koine_request_message(NULL, "user", "a"));
    REFUSES(koine_request_message_parts(NULL, "user"));
    REFUSES(koine_request_part_text(NULL, "a"));
    REFUSES(koine_request_part_image(NULL, "a"));
    REFUSES(koine_request_append(NULL, "{}"));
    REFUSES(koine_request_tool(NULL, "a", "b", "{}"));
    REFUSES(koine_request_tool_result(NULL, "a", "b"));
    REFUSES(koine_request_set(NULL, "a", "1"));
    REFUSES(koine_request_set_string(NULL, "a", "b"));
    REFUSES(koine_request_set_integer(NULL, "a", 1));
    REFUSES(koine_request_set_route(NULL, "a"));
    REFUSES(koine_request_set_target(NULL, "a/b"));
    REFUSES(koine_request_set_provider(NULL, NULL));
    REFUSES(koine_request_set_deadline(NULL, 1));
    REFUSES(koine_request_set_commit(NULL, 0));
    REFUSES(koine_request_set_stream(NULL, 0));
    REFUSES(koine_request_set_run(NULL, "a"));
    REFUSES(koine_request_set_approved_cost(NULL, "1"));
    REFUSES(koine_request_set_canceller(NULL, NULL));
    koine_request_set_user(NULL, NULL);
    koine_request_free(NULL);
#define REFUSES_ONE(call)                                                                                    \
    do {                                                                                                     \
        CU_ASSERT_EQUAL_FATAL(koine_request_new(&request), KOINE_OK);                                        \
        REFUSES(call);                                                                                       \
        koine_request_free(request);                                                                         \
    } while (0)
    REFUSES_ONE(koine_request_set_document(request, NULL, 2));
    REFUSES_ONE(koine_request_message(request, NULL, "a"));
    REFUSES_ONE(koine_request_message(request, "user", NULL));
    REFUSES_ONE(koine_request_message_parts(request, NULL));
    REFUSES_ONE(koine_request_part_text(request, "no message was begun"));
    REFUSES_ONE(koine_request_append(request, NULL));
    REFUSES_ONE(koine_request_append(request, "[]"));
    REFUSES_ONE(koine_request_append(request, ""));
    REFUSES_ONE(koine_request_tool(request, NULL, "b", "{}"));
    REFUSES_ONE(koine_request_tool(request, "a", "b", "{"));
    REFUSES_ONE(koine_request_tool_result(request, NULL, "b"));
    REFUSES_ONE(koine_request_tool_result(request, "a", NULL));
    REFUSES_ONE(koine_request_set(request, NULL, "1"));
    REFUSES_ONE(koine_request_set(request, "a", ""));
    REFUSES_ONE(koine_request_set_string(request, "a", NULL));
    REFUSES_ONE(koine_request_set_integer(request, NULL, 1));
    REFUSES_ONE(koine_request_set_deadline(request, -1));
    REFUSES_ONE(koine_request_set_commit(request, 9));
}

static void null_client(void)
{
    struct scene scene = scene_open(NULL);
    koine_request *request = stage_request("openai/a", 0);
    koine_response *response = NULL;
    koine_client *client = NULL;
    koine_call *call = NULL;
    const koine_event *event = NULL;
    koine_models *models = NULL;
    koine_canceller *canceller = NULL;
    REFUSES(koine_client_new(NULL, &client, NULL));
    REFUSES(koine_client_new(scene.hub, NULL, NULL));
    REFUSES(koine_generate(NULL, request, &response, NULL));
    REFUSES(koine_generate(scene.client, NULL, &response, NULL));
    REFUSES(koine_generate(scene.client, request, NULL, NULL));
    REFUSES(koine_start(NULL, request, &call, NULL));
    REFUSES(koine_start(scene.client, NULL, &call, NULL));
    REFUSES(koine_start(scene.client, request, NULL, NULL));
    REFUSES(koine_next(NULL, &call, &event));
    REFUSES(koine_next(scene.client, NULL, &event));
    REFUSES(koine_next(scene.client, &call, NULL));
    REFUSES(koine_fd(NULL));
    REFUSES(koine_process(NULL));
    REFUSES(koine_wait(NULL, 0));
    REFUSES(koine_list_models(NULL, "openai", &models, NULL));
    REFUSES(koine_list_models(scene.client, NULL, &models, NULL));
    REFUSES(koine_list_models(scene.client, "openai", NULL, NULL));
    REFUSES(koine_canceller_new(NULL));
    koine_client_free(NULL);
    koine_call_cancel(NULL);
    REFUSES(koine_call_approve(NULL, 1));
    koine_call_free(NULL);
    koine_cancel(NULL);
    koine_canceller_free(NULL);
    koine_free(NULL);
    ASSERT_INT(koine_canceller_is_cancelled(NULL), 0);
    CU_ASSERT_EQUAL(koine_canceller_new(&canceller), KOINE_OK);
    koine_canceller_free(canceller);
    koine_request_free(request);
    scene_close(&scene);
}

static void null_getters(void)
{
    size_t length = 7;
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT;
    char usd[32];
    koine_error_free(NULL);
    koine_response_free(NULL);
    koine_models_free(NULL);
    koine_providers_free(NULL);
    ASSERT_INT(koine_error_number(NULL), KOINE_OK);
    ASSERT_INT(koine_error_class(NULL), KOINE_CLASS_NONE);
    ASSERT_INT(koine_error_origin(NULL), 0);
    ASSERT_INT(koine_error_status(NULL), 0);
    ASSERT_INT(koine_error_retry_after_ms(NULL), -1);
    CU_ASSERT_PTR_NOT_NULL(koine_error_message(NULL));
    CU_ASSERT_PTR_NOT_NULL(koine_error_stage(NULL));
    CU_ASSERT_PTR_NOT_NULL(koine_error_code(NULL));
    CU_ASSERT_PTR_NOT_NULL(koine_error_target(NULL));
    CU_ASSERT_PTR_NOT_NULL(koine_error_class_name(NULL));
    CU_ASSERT_PTR_NOT_NULL(koine_error_origin_name(NULL));
    CU_ASSERT_PTR_NULL(koine_error_partial(NULL));
    CU_ASSERT_PTR_NULL(koine_call_response(NULL));
    CU_ASSERT_PTR_NULL(koine_call_error(NULL));
    CU_ASSERT_PTR_NULL(koine_call_user(NULL));
    ASSERT_INT(koine_call_awaits_approval(NULL), 0);
    ASSERT_INT(koine_event_estimate(NULL, &cost), 0);
    ASSERT_INT(koine_error_estimate(NULL, &cost), 0);
    ASSERT_STR(koine_call_id(NULL), "");
    ASSERT_INT(koine_event_kind(NULL), 0);
    ASSERT_STR(koine_event_text(NULL, &length), "");
    ASSERT_INT(length, 0);
    ASSERT_STR(koine_event_name(NULL), "");
    ASSERT_INT(koine_event_tool(NULL), -1);
    ASSERT_INT(koine_event_usage(NULL, &usage), 0);
    CU_ASSERT_PTR_NULL(koine_event_error(NULL));
    ASSERT_STR(koine_response_text(NULL, &length), "");
    ASSERT_STR(koine_response_target(NULL), "");
    ASSERT_STR(koine_response_message(NULL), "");
    ASSERT_INT(koine_response_finish(NULL), KOINE_FINISH_NONE);
    ASSERT_INT(koine_response_attempt_count(NULL), 0);
    ASSERT_STR(koine_response_attempt_target(NULL, 0), "");
    ASSERT_INT(koine_response_attempt_status(NULL, 3), 0);
    CU_ASSERT_PTR_NULL(koine_response_extra(NULL, "logprobs"));
    koine_response_usage(NULL, &usage);
    koine_response_cost(NULL, &cost);
    koine_response_attempt_cost(NULL, 0, &cost);
    ASSERT_INT(koine_models_count(NULL), 0);
    ASSERT_STR(koine_models_id(NULL, 0), "");
    ASSERT_INT(koine_models_context(NULL, 0), -1);
    ASSERT_INT(koine_providers_count(NULL), 0);
    CU_ASSERT_PTR_NULL(koine_providers_handle(NULL, 0));
    ASSERT_STR(koine_providers_reason(NULL, 0), "");
    ASSERT_STR(koine_provider_name(NULL), "");
    ASSERT_INT(koine_provider_has_key(NULL), 0);
    ASSERT_INT(koine_usage_input_total(NULL), -1);
    ASSERT_INT(koine_usage_output_total(NULL), -1);
    ASSERT_STR(koine_cost_usd(750000000000, usd, sizeof(usd)), "0.75");
    CU_ASSERT_PTR_NOT_NULL(koine_strerror(-99));
    ASSERT_STR(koine_class_name(99), "unknown");
}

static void null_json(void)
{
    koine_json *root = NULL;
    REFUSES(koine_json_parse(NULL, 0, &root, NULL));
    REFUSES(koine_json_parse("{}", 2, NULL, NULL));
    koine_json_free(NULL);
    ASSERT_INT(koine_json_kind(NULL), KOINE_JSON_NONE);
    CU_ASSERT_PTR_NULL(koine_json_get(NULL, "a"));
    CU_ASSERT_PTR_NULL(koine_json_at(NULL, 0));
    CU_ASSERT_PTR_NULL(koine_json_name_at(NULL, 0));
    CU_ASSERT_PTR_NULL(koine_json_string(NULL, NULL));
    ASSERT_INT(koine_json_count(NULL), 0);
    ASSERT_INT(koine_json_integer(NULL, 5), 5);
    ASSERT_INT(koine_json_true(NULL), 0);
    CU_ASSERT_PTR_NULL(koine_json_text(NULL));
    koine_json_open(NULL, NULL, '{');
    koine_json_add_string(NULL, "a", "b");
    koine_json_add_json(NULL, "a", NULL);
    koine_json_close(NULL);
    CU_ASSERT_PTR_NULL(koine_json_writer_take(NULL, NULL));
    koine_json_writer_free(NULL);
}

/* Documents that start no call. */
static void wrong_documents(void)
{
    static const char *const documents[] = {"",
                                            "{",
                                            "[]",
                                            "null",
                                            "{\"messages\": [}",
                                            "{\"messages\": []} x",
                                            "{\"model\": \"openai/a\", \"model\": \"openai/b\"}",
                                            "{'messages': []}"};
    struct scene scene = scene_open(NULL);
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        koine_request *request = NULL;
        koine_response *response = NULL;
        koine_error *error = NULL;
        koine_call *call = NULL;
        CU_ASSERT_EQUAL_FATAL(koine_request_new(&request), KOINE_OK);
        koine_request_set_document(request, documents[i], strlen(documents[i]));
        koine_request_set_target(request, "openai/a");
        ASSERT_INT(koine_generate(scene.client, request, &response, &error), KOINE_EARGUMENT);
        CU_ASSERT_STRING_NOT_EQUAL(koine_error_message(error), "");
        REFUSES(koine_start(scene.client, request, &call, NULL));
        koine_error_free(error);
        koine_request_free(request);
    }
    ASSERT_INT(stage_posts(NULL, 0), 0);
    scene_close(&scene);
}

SUITE_MAIN("misuse", {"the log may not come back", log_may_not_come_back}, {"NULL: hub", null_hub},
           {"NULL: request", null_request}, {"NULL: client", null_client}, {"NULL: getters", null_getters},
           {"NULL: JSON", null_json}, {"wrong documents", wrong_documents})
