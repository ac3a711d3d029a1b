/* stage: see stage.h. */
#include "tests/e2e/stage.h"

#include "tests/e2e/backdrop.h"
#include "tests/e2e/loopback.h"
#include "tests/unit/suite.h"
#include <koine/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct backdrop backdrop;

static void strike(void)
{
    backdrop_strike(&backdrop);
}

static void build(void)
{
    static const char *const arguments[] = {"--scale", "0.02", "--scale-advice", NULL};
    if (backdrop.owner)
        return;
    backdrop_build(&backdrop, arguments);
    atexit(strike);
}

int stage_port(void)
{
    build();
    return backdrop.port;
}

const char *stage_plugins(void)
{
    build();
    return backdrop.scratch.path;
}

const char *stage_file(const char *name, const char *text)
{
    build();
    scratch_write(&backdrop.scratch, name, text, strlen(text));
    return scratch_path(&backdrop.scratch, name);
}

static void set(koine_hub *hub, const char *path, const char *value)
{
    CU_ASSERT_EQUAL(koine_hub_set(hub, path, value), KOINE_OK);
}

/* No breaker, latch or retry budget. */
static void leave_alone(koine_hub *hub, const char *instance)
{
    static const char *const shared[] = {"breaker.failures", "latch", "retry.budget"};
    char path[96];
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        snprintf(path, sizeof(path), "providers.%s.%s", instance, shared[i]);
        set(hub, path, "off");
    }
}

koine_hub *stage_hub(const char *const *settings)
{
    char url[64], folders[PATH_MAX];
    koine_hub *hub = NULL;
    koine_error *error = NULL;
    CU_ASSERT_EQUAL_FATAL(koine_hub_new(&hub, NULL), KOINE_OK);
    snprintf(folders, sizeof(folders), "[\"%s\"]", stage_plugins());
    set(hub, "plugin_path", folders);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/together/v1", stage_port());
    set(hub, "providers.together.base_url", url);
    set(hub, "providers.together.api_key", STAGE_KEY);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/openai/v1", stage_port());
    set(hub, "providers.openai.base_url", url);
    set(hub, "providers.openai.api_key", STAGE_KEY);
    leave_alone(hub, "together");
    leave_alone(hub, "openai");
    for (; settings && settings[0]; settings += 2)
        set(hub, settings[0], settings[1]);
    ASSERT_INT(koine_hub_apply(hub, &error), KOINE_OK);
    if (error)
        ASSERT_STR(koine_error_message(error), "");
    koine_error_free(error);
    return hub;
}

struct scene scene_open(const char *const *settings)
{
    struct scene scene = {.hub = stage_hub(settings)};
    CU_ASSERT_EQUAL_FATAL(koine_client_new(scene.hub, &scene.client, NULL), KOINE_OK);
    return scene;
}

void scene_close(struct scene *scene)
{
    koine_client_free(scene->client);
    koine_hub_free(scene->hub);
    stage_posts(NULL, 0);
}

koine_request *stage_request(const char *target, int stream)
{
    koine_request *request = NULL;
    CU_ASSERT_EQUAL_FATAL(koine_request_new(&request), KOINE_OK);
    koine_request_message(request, "user", "Say it.");
    koine_request_set_target(request, target);
    koine_request_set_stream(request, stream);
    return request;
}

static void copy(char *ret, size_t size, const koine_json *entry, const char *name)
{
    const char *text = koine_json_string(koine_json_get(entry, name), NULL);
    snprintf(ret, size, "%s", text ? text : "");
}

static void read_post(struct stage_post *ret, const koine_json *entry)
{
    char provider[64], model[64], key[16];
    copy(provider, sizeof(provider), entry, "provider");
    copy(model, sizeof(model), entry, "model");
    copy(key, sizeof(key), entry, "key");
    *ret = (struct stage_post){
        .status = (int)koine_json_integer(koine_json_get(entry, "status"), -1),
        .has_key = strcmp(key, "present") == 0,
        .stream = koine_json_true(koine_json_get(entry, "stream")),
        .connection = (long)koine_json_integer(koine_json_get(entry, "connection"), -1),
        .output = (long)koine_json_integer(koine_json_get(koine_json_get(entry, "billed"), "output"), -1),
    };
    snprintf(ret->target, sizeof(ret->target), "%s/%s", provider, model);
    copy(ret->end, sizeof(ret->end), entry, "end");
    copy(ret->request_id, sizeof(ret->request_id), entry, "request_id");
}

size_t stage_posts(struct stage_post *ret, size_t most)
{
    koine_json *log = NULL;
    size_t count = 0;
    char *text = loopback_ask(stage_port(), "GET", "/standin/log?clear=1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL_FATAL(koine_json_parse(text, strlen(text), &log, NULL), KOINE_OK);
    for (size_t i = 0; i < koine_json_count(log); i++) {
        const koine_json *entry = koine_json_at(log, i);
        const char *method = koine_json_string(koine_json_get(entry, "method"), NULL);
        if (!method || strcmp(method, "POST") != 0)
            continue;
        if (count < most)
            read_post(&ret[count], entry);
        count++;
    }
    koine_json_free(log);
    free(text);
    return count;
}

size_t stage_descriptors(void)
{
    size_t count = backdrop_descriptors();
    CU_ASSERT_TRUE_FATAL(count > 0);
    return count;
}
