#include "core/hub/handle.h"

#include "core/plugin/loader.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

static struct rig rig;

/* ---- the factory ---- */

static void by_name(void)
{
    char file[PATH_MAX];
    if (!rig_open(&rig, NULL, 0))
        return;
    snprintf(file, sizeof(file), "%s/together.so", rig_plugins());
    /* Nothing was applied: asking applies. */
    const koine_provider_handle *handle = koine_hub_provider(rig.hub, "together");
    CU_ASSERT_PTR_NOT_NULL_FATAL(handle);
    ASSERT_STR(koine_provider_name(handle), "together");
    ASSERT_STR(koine_provider_id(handle), "together");
    ASSERT_STR(koine_provider_version(handle), "1.0.0");
    ASSERT_STR(koine_provider_file(handle), file);
    ASSERT_STR(koine_provider_base_url(handle), "https://api.together.ai/v1");
    ASSERT_STR(koine_provider_key_variable(handle), "TOGETHER_API_KEY");
    ASSERT_INT(koine_provider_has_key(handle), 1);
    ASSERT_INT(koine_provider_needs_key(handle), 1);
    ASSERT_STR(koine_provider_key_source(handle), "providers.together.api_key");
    CU_ASSERT_PTR_EQUAL(koine_hub_provider(rig.hub, "together"), handle);
    CU_ASSERT_PTR_NOT_EQUAL(koine_hub_provider(rig.hub, "openai"), handle);
    rig_close(&rig);
}

static void instance_of_another_plugin(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    APPLY(&rig, "providers.lab", "{plugin: openai, base_url: \"http://127.0.0.1:8000/v1\"}");
    const koine_provider_handle *handle = koine_hub_provider(rig.hub, "lab");
    ASSERT_STR(koine_provider_name(handle), "lab");
    ASSERT_STR(koine_provider_id(handle), "openai");
    ASSERT_STR(koine_provider_base_url(handle), "http://127.0.0.1:8000/v1");
    ASSERT_INT(koine_provider_has_key(handle), 0);
    ASSERT_INT(koine_provider_needs_key(handle), 0); /* a server of one's own */
    ASSERT_STR(koine_provider_key_source(handle), "");
    rig_close(&rig);
}

static void nobody_of_that_name(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    CU_ASSERT_PTR_NULL(koine_hub_provider(NULL, "together"));
    CU_ASSERT_PTR_NULL(koine_hub_provider(rig.hub, NULL));
    CU_ASSERT_PTR_NULL(koine_hub_provider(rig.hub, ""));
    CU_ASSERT_PTR_NULL(koine_hub_provider(rig.hub, "Together"));
    CU_ASSERT_PTR_NULL(koine_hub_provider(rig.hub, "mistral"));
    rig_close(&rig);
}

/* What cannot be applied gives no provider, and the reason is still there for whoever asks for it. */
static void reason_is_kept(void)
{
    koine_providers *list = NULL;
    koine_error *error = NULL;
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_INT(koine_hub_set(rig.hub, "routes.default", "{target: x}"), KOINE_OK);
    CU_ASSERT_PTR_NULL(koine_hub_provider(rig.hub, "together"));
    CU_ASSERT_PTR_NULL(koine_hub_provider(rig.hub, "together"));
    ASSERT_INT(koine_hub_list_providers(rig.hub, &list, &error), KOINE_ECONFIG);
    CU_ASSERT_PTR_NULL(list);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_message(error), "routes.default.target: unknown key"));
    CU_ASSERT_PTR_NOT_NULL(koine_hub_provider(rig.hub, "together")); /* told, and so given up */
    rig_close(&rig);
}

static void getters_without_a_handle(void)
{
    ASSERT_STR(koine_provider_name(NULL), "");
    ASSERT_STR(koine_provider_id(NULL), "");
    ASSERT_STR(koine_provider_version(NULL), "");
    ASSERT_STR(koine_provider_file(NULL), "");
    ASSERT_STR(koine_provider_base_url(NULL), "");
    ASSERT_STR(koine_provider_key_variable(NULL), "");
    ASSERT_INT(koine_provider_has_key(NULL), 0);
    ASSERT_INT(koine_provider_needs_key(NULL), 0);
    ASSERT_STR(koine_provider_key_source(NULL), "");
    ASSERT_INT(koine_providers_configured(NULL, 0), 0);
}

/* Handles do not change: another base URL or key is another handle, and the old one stays what it was. */
static void handles_over_snapshots(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    APPLY(&rig, "providers.lab", "{plugin: openai, base_url: \"http://127.0.0.1:1/v1\"}");
    const koine_provider_handle *first = koine_hub_provider(rig.hub, "lab");
    APPLY(&rig, "providers.lab.timeouts.total", "5s");
    CU_ASSERT_PTR_EQUAL(koine_hub_provider(rig.hub, "lab"), first);
    APPLY(&rig, "providers.lab.base_url", "http://127.0.0.1:2/v1");
    const koine_provider_handle *second = koine_hub_provider(rig.hub, "lab");
    CU_ASSERT_PTR_NOT_EQUAL(second, first);
    ASSERT_STR(koine_provider_base_url(first), "http://127.0.0.1:1/v1");
    ASSERT_STR(koine_provider_base_url(second), "http://127.0.0.1:2/v1");
    APPLY(&rig, "providers.lab.api_key", "k");
    const koine_provider_handle *third = koine_hub_provider(rig.hub, "lab");
    ASSERT_INT(koine_provider_has_key(second), 0);
    ASSERT_INT(koine_provider_has_key(third), 1);
    APPLY(&rig, "providers.lab.plugin", "together");
    ASSERT_STR(koine_provider_id(koine_hub_provider(rig.hub, "lab")), "together");
    ASSERT_STR(koine_provider_id(third), "openai");
    rig_close(&rig);
}

/* A handle names its instance, as it is when the call starts. */
static void request_of_a_handle(void)
{
    const struct koine__replay_answer script[] = {{ANSWER("127.0.0.1:2", 200, WHOLE("m"))}};
    if (!RIG(&rig, script))
        return;
    APPLY(&rig, "providers.lab", "{plugin: openai, base_url: \"http://127.0.0.1:1/v1\"}");
    koine_request *request = rig_request(NULL, "Hi");
    ASSERT_INT(koine_request_set_provider(request, koine_hub_provider(rig.hub, "lab")), KOINE_OK);
    ASSERT_INT(koine_request_set_string(request, "model", "m"), KOINE_OK);
    APPLY(&rig, "providers.lab.base_url", "http://127.0.0.1:2/v1");
    koine_client *client = rig_client(&rig);
    koine_response *response = NULL;
    koine_error *error = NULL;
    ASSERT_INT(koine_generate(client, request, &response, &error), KOINE_OK);
    ASSERT_STR(rig_message(error), "");
    ASSERT_STR(koine_response_target(response), "lab/m");
    koine_response_free(response);
    koine_request_free(request);
    koine_client_free(client);
    rig_close(&rig);
}

/* ---- lists ---- */

static size_t index_of(const koine_providers *list, const char *file)
{
    for (size_t i = 0; i < koine_providers_count(list); i++)
        if (strcmp(koine_providers_file(list, i), file) == 0)
            return i;
    CU_FAIL("a file is not in the list");
    return koine_providers_count(list);
}

static void lists_refused_files(void)
{
    struct scratch scratch;
    char folder[PATH_MAX + 8], file[PATH_MAX];
    koine_providers *list = NULL;
    if (!rig_open(&rig, NULL, 0))
        return;
    scratch_make(&scratch);
    scratch_write(&scratch, "broken.so", "no ELF", 6);
    snprintf(folder, sizeof(folder), "[\"%s\", \"%s\"]", rig_plugins(), scratch.path);
    APPLY(&rig, "plugin_path", folder, "providers.lab", "{plugin: openai}");
    ASSERT_INT(koine_hub_list_providers(rig.hub, &list, NULL), KOINE_OK);
    /* Configured ones first, in order. */
    ASSERT_STR(koine_providers_name(list, 0), "together");
    ASSERT_STR(koine_providers_name(list, 1), "openai");
    ASSERT_STR(koine_providers_name(list, 2), "lab");
    CU_ASSERT_PTR_EQUAL(koine_providers_handle(list, 2), koine_hub_provider(rig.hub, "lab"));
    ASSERT_STR(koine_providers_reason(list, 2), "");
    ASSERT_INT(koine_providers_configured(list, 2), 1);
    ASSERT_STR(koine_providers_file(list, 2), koine_provider_file(koine_providers_handle(list, 2)));
    snprintf(file, sizeof(file), "%s/broken.so", scratch.path);
    size_t broken = index_of(list, file);
    ASSERT_STR(koine_providers_name(list, broken), "broken");
    CU_ASSERT_PTR_NULL(koine_providers_handle(list, broken));
    ASSERT_INT(koine_providers_configured(list, broken), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(koine_providers_reason(list, broken), "shared object"));
    koine_providers_free(list);
    rig_close(&rig);
    scratch_remove(&scratch);
}

/* A list keeps its texts when the hub has moved on. */
static void lists_outlive_snapshots(void)
{
    koine_providers *list = NULL;
    if (!rig_open(&rig, NULL, 0))
        return;
    APPLY(&rig, "providers.lab", "{plugin: openai}");
    ASSERT_INT(koine_hub_list_providers(rig.hub, &list, NULL), KOINE_OK);
    APPLY(&rig, "providers.lab", "{plugin: together}");
    ASSERT_STR(koine_provider_id(koine_providers_handle(list, 2)), "openai");
    rig_close(&rig);
    ASSERT_STR(koine_providers_name(list, 2), "lab");
    koine_providers_free(list);
}

static void lists_of_nothing(void)
{
    koine_providers *list = NULL;
    koine_error *error = NULL;
    ASSERT_INT(koine_hub_list_providers(NULL, &list, &error), KOINE_EARGUMENT);
    ASSERT_INT(koine_error_number(error), KOINE_EARGUMENT);
    koine_error_free(error);
    CU_ASSERT_PTR_NULL(list);
    ASSERT_INT(koine_hub_list_providers(NULL, NULL, NULL), KOINE_EARGUMENT);
    ASSERT_INT((long long)koine_providers_count(NULL), 0);
    CU_ASSERT_PTR_NULL(koine_providers_handle(NULL, 0));
    ASSERT_STR(koine_providers_name(NULL, 0), "");
    ASSERT_STR(koine_providers_file(NULL, 0), "");
    ASSERT_STR(koine_providers_reason(NULL, 0), "");
    koine_providers_free(NULL);
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_INT(koine_hub_list_providers(rig.hub, &list, NULL), KOINE_OK);
    ASSERT_STR(koine_providers_name(list, koine_providers_count(list)), "");
    koine_providers_free(list);
    rig_close(&rig);
}

/* ---- failing allocations ---- */

static int list_them(koine_hub *hub)
{
    koine_providers *list = NULL;
    koine_error *error = NULL;
    int rc = koine_hub_list_providers(hub, &list, &error);
    if (rc == KOINE_OK)
        ASSERT_STR(koine_providers_name(list, 0), "together");
    ASSERT_INT(koine_error_number(error), rc);
    koine_error_free(error);
    koine_providers_free(list);
    return rc;
}

/* The hub is made before: what fails is the list and its handles. */
static void failing_allocations(void)
{
    bool failed = true;
    for (long n = 1; failed; n++) {
        if (!rig_open(&rig, NULL, 0))
            return;
        APPLY(&rig, "parameters", "warn");
        failalloc_begin(n);
        int rc = list_them(rig.hub);
        const koine_provider_handle *handle = koine_hub_provider(rig.hub, "together");
        rig_close(&rig);
        failed = failalloc_end();
        CU_ASSERT_TRUE(rc == KOINE_OK || (failed && rc == KOINE_EMEMORY));
        CU_ASSERT_TRUE(handle || failed);
    }
    koine__plugins_forget();
}

SUITE_MAIN("handle", {"by name", by_name}, {"instance of another plugin", instance_of_another_plugin},
           {"nobody of that name", nobody_of_that_name}, {"reason is kept", reason_is_kept},
           {"getters without a handle", getters_without_a_handle},
           {"handles over snapshots", handles_over_snapshots}, {"request of a handle", request_of_a_handle},
           {"lists refused files", lists_refused_files}, {"lists outlive snapshots", lists_outlive_snapshots},
           {"lists of nothing", lists_of_nothing}, {"failing allocations", failing_allocations})
