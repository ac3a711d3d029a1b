#include "core/hub/client.h"

#include "core/plugin/loader.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

#define LLAMA_405B "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo"
#define QWEN_32B   "Qwen/Qwen2.5-32B-Instruct"
#define DAY_2024   INT64_C(1721692800) /* 2024-07-23 */
#define DAY_2025   INT64_C(1735689600) /* 2025-01-01 */

static struct rig rig;

static size_t index_of(const koine_models *models, const char *instance, const char *id)
{
    for (size_t i = 0; i < koine_models_count(models); i++)
        if (strcmp(koine_models_instance(models, i), instance) == 0 &&
            strcmp(koine_models_id(models, i), id) == 0)
            return i;
    CU_FAIL("a model is not in the list");
    return koine_models_count(models);
}

/* "context max_output [capabilities] retired input output" */
static const char *described(const koine_models *models, size_t index)
{
    static char text[1024];
    snprintf(text, sizeof(text), "%lld %lld [%s] %s %s %s", (long long)koine_models_context(models, index),
             (long long)koine_models_max_output(models, index), koine_models_capabilities(models, index),
             koine_models_retired(models, index), koine_models_input_price(models, index),
             koine_models_output_price(models, index));
    return text;
}

static koine_models *known(const char *instance)
{
    koine_models *models = NULL;
    koine_error *error = NULL;
    int rc = koine_hub_models(rig.hub, instance, &models, &error);
    ASSERT_STR(rig_message(error), "");
    ASSERT_INT(rc, KOINE_OK);
    return models;
}

/* ---- the catalogue ---- */

static void of_an_instance(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    koine_models *models = known("together");
    ASSERT_STR(described(models, index_of(models, "together", LLAMA)),
               "131072 -1 [chat instruct] 2026-10-07 0.18 0.18");
    /* The price of the virtual day. */
    ASSERT_STR(described(models, index_of(models, "together", LLAMA_405B)),
               "130815 -1 [chat instruct reasoning complex_tasks] 2026-10-07 3.50 3.50");
    for (size_t i = 0; i < koine_models_count(models); i++)
        ASSERT_STR(koine_models_instance(models, i), "together");
    koine_models_free(models);
    models = known("openai");
    ASSERT_STR(described(models, index_of(models, "openai", "gpt-4o-mini")),
               "128000 16384 [chat tools json_schema vision]  0.15 0.60");
    koine_models_free(models);
    rig_close(&rig);
}

static void of_all_instances(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    APPLY(&rig, "providers.lab", "{plugin: openai, base_url: \"http://127.0.0.1:1/v1\"}");
    koine_models *all = known(NULL), *together = known("together"), *openai = known("openai");
    size_t count = koine_models_count(together), more = koine_models_count(openai);
    CU_ASSERT_TRUE(koine_models_count(all) >= count + 2 * more);
    ASSERT_STR(koine_models_instance(all, 0), "together");
    ASSERT_STR(koine_models_instance(all, count), "openai");
    ASSERT_STR(koine_models_instance(all, count + more), "lab");
    ASSERT_STR(described(all, index_of(all, "lab", "gpt-4o-mini")),
               "128000 16384 [chat tools json_schema vision]  0.15 0.60");
    koine_models_free(all);
    koine_models_free(together);
    koine_models_free(openai);
    rig_close(&rig);
}

static void of_a_users_file(void)
{
    static const char catalogue[] =
        "{\"provider\":\"together\",\"models\":[{\"id\":\"mine\"},{\"id\":\"" LLAMA "\",\"context\":9,"
        "\"prices\":[{\"valid_from\":\"2024-07-23\",\"input\":0.000001,\"output\":1000}]}]}";
    char list[PATH_MAX + 8];
    struct scratch scratch;
    if (!rig_open(&rig, NULL, 0))
        return;
    scratch_make(&scratch);
    scratch_write(&scratch, "mine.json", catalogue, sizeof(catalogue) - 1);
    snprintf(list, sizeof(list), "[\"%s\"]", scratch_path(&scratch, "mine.json"));
    APPLY(&rig, "catalogue", list);
    koine_models *models = known("together");
    ASSERT_STR(described(models, index_of(models, "together", "mine")), "-1 -1 []   ");
    ASSERT_STR(described(models, index_of(models, "together", LLAMA)),
               "9 -1 [chat instruct] 2026-10-07 0.000001 1000.00");
    koine_models_free(models);
    rig_close(&rig);
    scratch_remove(&scratch);
}

static void of_nobody(void)
{
    koine_models *models = NULL;
    koine_error *error = NULL;
    ASSERT_INT(koine_hub_models(NULL, NULL, &models, &error), KOINE_EARGUMENT);
    koine_error_free(error);
    ASSERT_INT(koine_hub_models(NULL, NULL, NULL, NULL), KOINE_EARGUMENT);
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_INT(koine_hub_models(rig.hub, "togther", &models, &error), KOINE_ENOTFOUND);
    ASSERT_STR(rig_message(error), "no provider named \"togther\"; did you mean together?");
    ASSERT_INT(koine_hub_models(rig.hub, "togther", &models, NULL), KOINE_ENOTFOUND);
    CU_ASSERT_PTR_NULL(models);
    rig_close(&rig);
}

static void getters_of_nothing(void)
{
    ASSERT_INT((long long)koine_models_count(NULL), 0);
    ASSERT_STR(koine_models_instance(NULL, 0), "");
    ASSERT_STR(koine_models_id(NULL, 0), "");
    ASSERT_STR(described(NULL, 0), "-1 -1 []   ");
    koine_models_free(NULL);
    if (!rig_open(&rig, NULL, 0))
        return;
    koine_models *models = known("together");
    ASSERT_STR(koine_models_id(models, koine_models_count(models)), "");
    ASSERT_STR(described(models, SIZE_MAX), "-1 -1 []   ");
    koine_models_free(models);
    rig_close(&rig);
}

/* ---- what the vendor says ---- */

#define LISTED                                                                                               \
    "{\"object\":\"list\",\"data\":[{\"id\":\"" LLAMA "\",\"context_length\":8192},{\"id\":\"new/model\"},"  \
    "{\"id\":\"" QWEN_32B "\"},{\"id\":\"qwen/qwen2.5-32b-instruct-turbo\",\"context_length\":5}]}"

static void listed_live(void)
{
    const struct koine__replay_answer script[] = {
        {ANSWER(TOGETHER_HOST, 503, ERROR("busy"))},
        {ANSWER(TOGETHER_HOST "v1/models", 200, LISTED)},
    };
    if (!RIG(&rig, script))
        return;
    koine_client *client = rig_client(&rig);
    koine_models *models = NULL;
    ASSERT_INT(koine_list_models(client, "together", &models, NULL), KOINE_OK);
    ASSERT_INT(rig.now, INT64_C(1000000000)); /* a call like any other: it was tried again */
    ASSERT_STR(koine__replay_seen(rig.transport, 1)->method, "GET");
    ASSERT_STR(koine__replay_seen(rig.transport, 1)->headers, "Authorization: Bearer KEY-T\n");
    ASSERT_INT((long long)koine_models_count(models), 4);
    ASSERT_STR(koine_models_instance(models, 0), "together");
    ASSERT_STR(koine_models_id(models, 0), LLAMA);
    ASSERT_STR(described(models, 0),
               "8192 -1 [chat instruct] 2026-10-07 0.18 0.18"); /* the vendor's context */
    ASSERT_STR(koine_models_id(models, 1), "new/model");
    ASSERT_STR(described(models, 1), "-1 -1 []   ");
    ASSERT_STR(described(models, 2), "32768 -1 [chat instruct] 2026-10-07 0.80 0.80");
    ASSERT_STR(koine_models_id(models, 3), "qwen/qwen2.5-32b-instruct-turbo"); /* an alias stays what it is */
    ASSERT_STR(described(models, 3), "5 -1 [chat instruct] 2026-10-07 0.80 0.80");
    koine_models_free(models);
    koine_client_free(client);
    rig_close(&rig);
}

static void listed_nothing(void)
{
    const struct koine__replay_answer script[] = {{ANSWER(OPENAI_HOST, 200, "{\"data\":[]}")}};
    if (!RIG(&rig, script))
        return;
    koine_client *client = rig_client(&rig);
    koine_models *models = NULL;
    ASSERT_INT(koine_list_models(client, "openai", &models, NULL), KOINE_OK);
    ASSERT_INT((long long)koine_models_count(models), 0);
    koine_models_free(models);
    koine_client_free(client);
    rig_close(&rig);
}

/* A script is no server: of the way there is nothing to see. */
static void probed(void)
{
    const struct koine__replay_answer script[] = {
        {ANSWER(TOGETHER_HOST "v1/models", 200, LISTED)},
        {ANSWER(TOGETHER_HOST "v1/models", 503, ERROR("busy"))},
    };
    if (!RIG(&rig, script))
        return;
    koine_client *client = rig_client(&rig);
    koine_probe *probe = NULL;
    koine_error *error = NULL;
    ASSERT_INT(koine_probe_run(client, "together", 0, &probe, NULL), KOINE_OK);
    CU_ASSERT_PTR_NULL(koine_probe_error(probe));
    ASSERT_INT(koine_probe_status(probe), 200);
    ASSERT_INT((long long)koine_models_count(koine_probe_models(probe)), 4);
    ASSERT_STR(koine_probe_step(probe), "");
    ASSERT_INT(koine_probe_dns_ms(probe), -1);
    ASSERT_INT(koine_probe_certificate_end(probe), -1);
    ASSERT_INT(koine_probe_server_date(probe), -1);
    koine_probe_free(probe);
    ASSERT_INT(koine_probe_run(client, "together", 0, &probe, NULL), KOINE_OK);
    ASSERT_INT(koine_error_class(koine_probe_error(probe)), KOINE_CLASS_OVERLOADED); /* asked once */
    ASSERT_INT(rig.now, 0);
    ASSERT_INT(koine_probe_status(probe), 503);
    CU_ASSERT_PTR_NULL(koine_probe_models(probe));
    koine_probe_free(probe);
    ASSERT_INT(koine_probe_run(client, "opnai", 0, &probe, &error), KOINE_ENOTFOUND);
    ASSERT_STR(rig_message(error), "no provider named \"opnai\"; did you mean openai?");
    koine_client_free(client);
    rig_close(&rig);
}

static void probes_of_nothing(void)
{
    koine_probe *probe = NULL;
    if (!rig_open(&rig, NULL, 0))
        return;
    koine_client *client = rig_client(&rig);
    ASSERT_INT(koine_probe_run(NULL, "together", 0, &probe, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_probe_run(client, NULL, 0, &probe, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_probe_run(client, "together", 0, NULL, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_probe_run(client, "together", -1, &probe, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_probe_run(client, "together", INT64_MAX, &probe, NULL), KOINE_EARGUMENT);
    CU_ASSERT_PTR_NULL(koine_probe_error(NULL));
    CU_ASSERT_PTR_NULL(koine_probe_models(NULL));
    CU_ASSERT_PTR_NULL(koine_probe_address(NULL, 0));
    ASSERT_INT(koine_probe_status(NULL) + koine_probe_port(NULL) + koine_probe_uses_tls(NULL), 0);
    ASSERT_INT(koine_probe_ms(NULL) + koine_probe_clock_ahead_ms(NULL), 0);
    ASSERT_INT(koine_probe_connect_ms(NULL), -1);
    ASSERT_INT(koine_probe_tls_ms(NULL), -1);
    ASSERT_STR(koine_probe_host(NULL), "");
    ASSERT_STR(koine_probe_proxy(NULL), "");
    ASSERT_STR(koine_probe_proxy_variable(NULL), "");
    ASSERT_STR(koine_probe_tls_version(NULL), "");
    ASSERT_STR(koine_probe_http_version(NULL), "");
    koine_probe_free(NULL);
    koine_client_free(client);
    rig_close(&rig);
}

static void listing_fails(void)
{
    const struct koine__replay_answer script[] = {{ANSWER(TOGETHER_HOST, 401, ERROR("no such key"))}};
    koine_models *models = NULL;
    koine_error *error = NULL;
    if (!RIG(&rig, script))
        return;
    koine_client *client = rig_client(&rig);
    ASSERT_INT(koine_list_models(client, "together", &models, &error), KOINE_EFAULT);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_AUTH);
    ASSERT_STR(rig_message(error), "no such key");
    ASSERT_INT(koine_list_models(client, "opnai", &models, &error), KOINE_ENOTFOUND);
    ASSERT_STR(rig_message(error), "no provider named \"opnai\"; did you mean openai?");
    ASSERT_INT(koine_list_models(client, NULL, &models, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_list_models(client, "together", NULL, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_list_models(NULL, "together", &models, &error), KOINE_EARGUMENT);
    koine_error_free(error);
    CU_ASSERT_PTR_NULL(models);
    koine_client_free(client);
    rig_close(&rig);
}

/* ---- costs ---- */

/* "priced 270000000000 together/…@2024-07-23", "~priced" where estimated, "free", "unpriced", or the number.
 */
static const char *cost_at(const char *target, const koine_usage *usage, int64_t at)
{
    static char text[256];
    static const char *const states[] = {"unpriced", "priced", "free"};
    koine_cost cost = KOINE_COST_INIT;
    cost.state = 77;
    int rc = koine_calculate_cost(rig.hub, target, usage, at, &cost);
    if (rc == KOINE_OK && cost.state == KOINE_PRICED)
        snprintf(text, sizeof(text), "%spriced %lld %s", cost.estimated ? "~" : "",
                 (long long)cost.picodollars, cost.price_id);
    else if (rc == KOINE_OK)
        snprintf(text, sizeof(text), "%s%s %lld%s", cost.estimated ? "~" : "", states[cost.state],
                 (long long)cost.picodollars, cost.price_id);
    else
        snprintf(text, sizeof(text), "%d", rc);
    if (rc != KOINE_OK)
        ASSERT_INT(cost.state, 77); /* nothing was set */
    ASSERT_INT(cost.size, sizeof(koine_cost));
    return text;
}

static const char *cost_of(const char *target, int64_t input, int64_t output)
{
    koine_usage usage = KOINE_USAGE_INIT;
    usage.input = input;
    usage.output = output;
    return cost_at(target, &usage, DAY_2025);
}

static void costs(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_STR(cost_of("together/" LLAMA, 1000000, 500000),
               "priced 270000000000 together/" LLAMA "@2024-07-23");
    ASSERT_STR(cost_of("together/" LLAMA, 1, 0), "priced 180000 together/" LLAMA "@2024-07-23");
    ASSERT_STR(cost_of("together/" LLAMA, 0, 0), "priced 0 together/" LLAMA "@2024-07-23");
    ASSERT_STR(cost_of("together/" LLAMA, -1, 7), "priced 1260000 together/" LLAMA "@2024-07-23");
    ASSERT_STR(cost_of("openai/gpt-4o-mini", 3, 2), "priced 1650000 openai/gpt-4o-mini@1970-01-01");
    /* A price that is an estimate makes the cost one; an alias is found without case. */
    ASSERT_STR(cost_of("together/" QWEN_32B, 10, 10), "~priced 16000000 together/" QWEN_32B "@2024-07-23");
    ASSERT_STR(cost_of("together/QWEN/qwen2.5-32b-instruct-TURBO", 10, 10),
               "~priced 16000000 together/" QWEN_32B "@2024-07-23");
    rig_close(&rig);
}

static void cost_by_the_day(void)
{
    koine_usage usage = KOINE_USAGE_INIT;
    usage.input = usage.output = 1000;
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_STR(cost_at("together/" LLAMA_405B, &usage, DAY_2024),
               "priced 10000000000 together/" LLAMA_405B "@2024-07-23");
    ASSERT_STR(cost_at("together/" LLAMA_405B, &usage, DAY_2025 - 1),
               "priced 10000000000 together/" LLAMA_405B "@2024-07-23");
    ASSERT_STR(cost_at("together/" LLAMA_405B, &usage, DAY_2025),
               "priced 7000000000 together/" LLAMA_405B "@2025-01-01");
    ASSERT_STR(cost_at("together/" LLAMA_405B, &usage, -1),
               "priced 7000000000 together/" LLAMA_405B "@2025-01-01"); /* now, on the virtual clock */
    ASSERT_STR(cost_at("together/" LLAMA_405B, &usage, DAY_2024 - 1), "unpriced 0");
    ASSERT_STR(cost_at("together/" LLAMA_405B, &usage, 0), "unpriced 0");
    rig_close(&rig);
}

static void cost_of_buckets(void)
{
    koine_usage usage = KOINE_USAGE_INIT;
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_STR(cost_at("openai/gpt-4o-mini", &usage, -1), "unpriced 0"); /* nothing is told */
    usage.cache_read = 10;                                               /* 0.075 */
    usage.reasoning = 10;                                                /* like output: 0.60 */
    ASSERT_STR(cost_at("openai/gpt-4o-mini", &usage, -1), "priced 6750000 openai/gpt-4o-mini@1970-01-01");
    usage.estimated = KOINE_BUCKET_REASONING;
    ASSERT_STR(cost_at("openai/gpt-4o-mini", &usage, -1), "~priced 6750000 openai/gpt-4o-mini@1970-01-01");
    ASSERT_STR(cost_at("openai/unknown", &usage, -1), "unpriced 0");
    usage.audio_input = 1;
    ASSERT_STR(cost_at("openai/gpt-4o-mini", &usage, -1), "unpriced 0"); /* no rate for it */
    rig_close(&rig);
}

static void cost_of_the_unknown(void)
{
    char longest[128];
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT;
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_STR(cost_of("together/my/fine-tune", 1000, 1000), "unpriced 0");
    ASSERT_STR(cost_of("openai/" LLAMA, 1000, 1000), "unpriced 0");
    ASSERT_STR(cost_of("mistral/x", 1, 1), "-7");
    ASSERT_STR(cost_of("/x", 1, 1), "-7");
    ASSERT_STR(cost_of("together", 1, 1), "-2");
    ASSERT_STR(cost_of("together/", 1, 1), "-2");
    ASSERT_STR(cost_of("", 1, 1), "-2");
    memset(longest, 'x', sizeof(longest));
    longest[70] = '/';
    longest[sizeof(longest) - 1] = '\0';
    ASSERT_STR(cost_of(longest, 1, 1), "-7");
    ASSERT_INT(koine_calculate_cost(rig.hub, NULL, &usage, -1, &cost), KOINE_EARGUMENT);
    ASSERT_INT(koine_calculate_cost(rig.hub, "together/x", NULL, -1, &cost), KOINE_EARGUMENT);
    ASSERT_INT(koine_calculate_cost(rig.hub, "together/x", &usage, -1, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_calculate_cost(NULL, "together/x", &usage, -1, &cost), KOINE_EARGUMENT);
    rig_close(&rig);
}

static void cost_beyond_reason(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_STR(cost_of("together/" LLAMA, INT64_C(51240955760304), 0),
               "priced 9223372036854720000 together/" LLAMA "@2024-07-23");
    ASSERT_STR(cost_of("together/" LLAMA, INT64_C(51240955760305), 0), "-2");
    ASSERT_STR(cost_of("together/" LLAMA, INT64_C(51240955760304), 1), "-2");
    ASSERT_STR(cost_of("together/" LLAMA, INT64_MAX, INT64_MAX), "-2");
    ASSERT_STR(cost_of("together/" LLAMA, -2, 1), "-2");
    ASSERT_STR(cost_of("together/" LLAMA, 1, INT64_MIN), "-2");
    ASSERT_STR(cost_of("together/unknown", -2, 1), "-2");
    rig_close(&rig);
}

static void cost_of_nothing_at_all(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    APPLY(&rig, "providers.lab", "{plugin: openai, base_url: \"http://127.0.0.1:1/v1\", price: free}");
    ASSERT_STR(cost_of("lab/gpt-4o-mini", 1000, 1000), "free 0");
    ASSERT_STR(cost_of("lab/whatever", 1000, 1000), "free 0");
    rig_close(&rig);
}

/* What an application compiled for an older library does not know is neither read nor written. */
static void older_applications(void)
{
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost;
    if (!rig_open(&rig, NULL, 0))
        return;
    usage.size = (uint32_t)offsetof(koine_usage, reasoning);
    usage.input = 10;
    usage.output = 10;
    usage.reasoning = 1000000;
    usage.audio_input = 1000000;
    memset(&cost, 0x55, sizeof(cost));
    cost.size = (uint32_t)offsetof(koine_cost, estimated);
    ASSERT_INT(koine_calculate_cost(rig.hub, "together/" QWEN_32B, &usage, -1, &cost), KOINE_OK);
    ASSERT_INT(cost.size, offsetof(koine_cost, estimated));
    ASSERT_INT(cost.state, KOINE_PRICED);
    ASSERT_INT(cost.picodollars, 16000000);
    ASSERT_INT(cost.estimated, 0x55555555);
    ASSERT_INT(cost.price_id[0], 0x55);
    usage.size = (uint32_t)offsetof(koine_usage, estimated); /* knows no buckets, so nothing is told */
    ASSERT_INT(koine_calculate_cost(rig.hub, "together/" QWEN_32B, &usage, -1, &cost), KOINE_OK);
    ASSERT_INT(cost.state, KOINE_UNPRICED);
    ASSERT_INT(cost.picodollars, 0);
    rig_close(&rig);
}

/* And one compiled for a newer library has more, which this one does not know. */
static void newer_applications(void)
{
    struct {
        koine_usage usage;
        int64_t more;
    } usage = {.usage = KOINE_USAGE_INIT, .more = 5};
    struct {
        koine_cost cost;
        int64_t more;
    } cost = {.cost = KOINE_COST_INIT, .more = 77};
    if (!rig_open(&rig, NULL, 0))
        return;
    usage.usage.size = sizeof(usage);
    cost.cost.size = sizeof(cost);
    usage.usage.input = 10;
    ASSERT_INT(koine_calculate_cost(rig.hub, "together/" LLAMA, &usage.usage, -1, &cost.cost), KOINE_OK);
    ASSERT_INT(cost.cost.picodollars, 1800000);
    ASSERT_INT(cost.cost.size, sizeof(cost));
    ASSERT_INT(cost.more, 77);
    rig_close(&rig);
}

/* ---- failing allocations ---- */

static int list_known(void)
{
    koine_models *models = NULL;
    koine_error *error = NULL;
    int rc = koine_hub_models(rig.hub, "together", &models, &error);
    if (rc == KOINE_OK)
        ASSERT_STR(described(models, index_of(models, "together", LLAMA)),
                   "131072 -1 [chat instruct] 2026-10-07 0.18 0.18");
    ASSERT_INT(koine_error_number(error), rc);
    koine_error_free(error);
    koine_models_free(models);
    return rc;
}

static int calculate(void)
{
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT;
    usage.input = usage.output = 10;
    int rc = koine_calculate_cost(rig.hub, "together/" LLAMA, &usage, -1, &cost);
    if (rc == KOINE_OK)
        ASSERT_INT(cost.picodollars, 3600000);
    return rc;
}

/* What is counted stays with the hub. */
static int new_unseen(koine_client **ret, koine_error **ret_error)
{
    int rc = koine_client_new(rig.hub, ret, ret_error);
    if (rc == KOINE_OK)
        (*ret)->engine.observer = NULL;
    return rc;
}

static int list_live(void)
{
    koine_client *client = NULL;
    koine_models *models = NULL;
    koine_error *error = NULL;
    int rc = new_unseen(&client, &error);
    if (rc == KOINE_OK)
        rc = koine_list_models(client, "together", &models, &error);
    if (rc == KOINE_OK)
        ASSERT_INT((long long)koine_models_count(models), 4);
    if (rc == KOINE_OK)
        ASSERT_STR(described(models, 0), "8192 -1 [chat instruct] 2026-10-07 0.18 0.18");
    ASSERT_INT(koine_error_number(error), rc);
    koine_error_free(error);
    koine_models_free(models);
    koine_client_free(client);
    return rc;
}

static int probe(void)
{
    koine_client *client = NULL;
    koine_probe *probe = NULL;
    koine_error *error = NULL;
    int rc = new_unseen(&client, &error);
    if (rc == KOINE_OK)
        rc = koine_probe_run(client, "together", 1000, &probe, &error);
    ASSERT_INT(koine_error_number(error), rc);
    koine_error_free(error);
    koine_probe_free(probe);
    koine_client_free(client);
    return rc;
}

static void fail_each(int (*work)(void))
{
    for (long n = 1;; n++) {
        failalloc_begin(n);
        int rc = work();
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

static void failing_allocations(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, ANSWER("v1/models", 200, LISTED)}};
    if (!RIG(&rig, script))
        return;
    rig_apply(&rig, NULL);
    fail_each(list_known);
    fail_each(calculate);
    fail_each(list_live);
    fail_each(probe);
    rig_close(&rig);
}

SUITE_MAIN("models", {"of an instance", of_an_instance}, {"of all instances", of_all_instances},
           {"of a user's file", of_a_users_file}, {"of nobody", of_nobody},
           {"getters of nothing", getters_of_nothing}, {"listed live", listed_live},
           {"listed nothing", listed_nothing}, {"listing fails", listing_fails}, {"probed", probed},
           {"probes of nothing", probes_of_nothing}, {"costs", costs}, {"cost by the day", cost_by_the_day},
           {"cost of buckets", cost_of_buckets}, {"cost of the unknown", cost_of_the_unknown},
           {"cost beyond reason", cost_beyond_reason}, {"cost of nothing at all", cost_of_nothing_at_all},
           {"older applications", older_applications}, {"newer applications", newer_applications},
           {"failing allocations", failing_allocations})
