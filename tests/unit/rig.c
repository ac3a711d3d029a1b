/* rig: see rig.h. Its own memory is libc's, so that failing allocations are the library's alone. */
#include "tests/unit/rig.h"

#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 100000

static struct scratch plugins;

static void remove_plugins(void)
{
    scratch_remove(&plugins);
}

static bool copy_plugin(const char *id)
{
    char from[PATH_MAX], name[64];
    const char *binaries = getenv("KOINE_TEST_PROVIDERS"), *source = getenv("KOINE_TEST_SOURCE");
    snprintf(from, sizeof(from), "%s/%s.so", binaries ? binaries : ".", id);
    snprintf(name, sizeof(name), "%s.so", id);
    if (!scratch_copy(&plugins, name, from))
        return false;
    snprintf(from, sizeof(from), "%s/providers/catalogue/%s.json", source ? source : ".", id);
    snprintf(name, sizeof(name), "%s.json", id);
    return scratch_copy(&plugins, name, from);
}

const char *rig_plugins(void)
{
    static bool asked, there;
    if (!asked) {
        asked = true;
        scratch_make(&plugins);
        atexit(remove_plugins);
        there = copy_plugin("together") && copy_plugin("openai");
    }
    if (!there)
        suite_skip("KOINE_TEST_PROVIDERS and KOINE_TEST_SOURCE name no plugins and catalogues");
    return there ? plugins.path : NULL;
}

/* ---- The world ---- */

static int64_t now(void *arg)
{
    struct rig *rig = arg;
    rig->looks++;
    return rig->now;
}

static int64_t wall(void *arg)
{
    return RIG_WALL * KOINE__SEC + ((const struct rig *)arg)->now;
}

static void advance(void *arg, int64_t until)
{
    ((struct rig *)arg)->now = until;
}

static int open_transport(void *arg, struct koine__loop *loop, struct koine__transport **ret)
{
    struct rig *rig = arg;
    int rc = koine__transport_replay_new(loop, rig->answers, rig->answer_count, ret);
    if (rc == KOINE_OK)
        rig->transport = *ret;
    return rc;
}

int rig_empty(struct rig *rig, const struct koine__replay_answer *answers, size_t count)
{
    *rig = (struct rig){.answers = answers, .answer_count = count};
    rig->clock = (struct koine__clock){.now = now, .wall = wall, .advance = advance, .arg = rig};
    int rc = koine_hub_new(&rig->hub, NULL);
    if (rc == KOINE_OK)
        koine__hub_set_world(rig->hub, &(struct koine__world){.clock = &rig->clock,
                                                              .seed = 1,
                                                              .transport = open_transport,
                                                              .transport_arg = rig});
    return rc;
}

bool rig_open(struct rig *rig, const struct koine__replay_answer *answers, size_t count)
{
    static const char *const settings[][2] = {
        {"providers.together.api_key", "KEY-T"},
        {"providers.together.retry.jitter", "none"},
        {"providers.openai.api_key", "KEY-O"},
        {"providers.openai.retry.jitter", "none"},
    };
    char list[PATH_MAX + 8];
    const char *folder = rig_plugins();
    *rig = (struct rig){.hub = NULL};
    if (!folder)
        return false;
    ASSERT_INT(rig_empty(rig, answers, count), KOINE_OK);
    snprintf(list, sizeof(list), "[\"%s\"]", folder);
    ASSERT_INT(koine_hub_set(rig->hub, "plugin_path", list), KOINE_OK);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        ASSERT_INT(koine_hub_set(rig->hub, settings[i][0], settings[i][1]), KOINE_OK);
    return true;
}

void rig_close(struct rig *rig)
{
    koine_hub_free(rig->hub);
    rig->hub = NULL;
}

void rig_apply(struct rig *rig, const char *const *settings)
{
    koine_error *error = NULL;
    for (; settings && settings[0]; settings += 2)
        ASSERT_INT(koine_hub_set(rig->hub, settings[0], settings[1]), KOINE_OK);
    int rc = koine_hub_apply(rig->hub, &error);
    ASSERT_STR(rig_message(error), "");
    ASSERT_INT(rc, KOINE_OK);
}

koine_client *rig_client(struct rig *rig)
{
    koine_client *client = NULL;
    koine_error *error = NULL;
    int rc = koine_client_new(rig->hub, &client, &error);
    ASSERT_STR(rig_message(error), "");
    ASSERT_INT(rc, KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(client);
    return client;
}

koine_request *rig_request(const char *target, const char *words)
{
    koine_request *request = NULL;
    ASSERT_INT(koine_request_new(&request), KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    ASSERT_INT(koine_request_set_target(request, target), KOINE_OK);
    ASSERT_INT(koine_request_message(request, "user", words), KOINE_OK);
    return request;
}

const char *rig_message(koine_error *error)
{
    static char message[8192];
    snprintf(message, sizeof(message), "%s", koine_error_message(error));
    koine_error_free(error);
    return message;
}

int rig_run(koine_client *client, const koine_call *call)
{
    for (int i = 0; i < MOST_STEPS; i++) {
        koine_call *of = NULL;
        const koine_event *event = NULL;
        while (koine_next(client, &of, &event) == 1) {
            int kind = koine_event_kind(event);
            if (of == call && (kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT))
                return kind;
        }
        if (koine_wait(client, 3600 * 1000) != KOINE_OK)
            return 0;
    }
    return 0;
}
