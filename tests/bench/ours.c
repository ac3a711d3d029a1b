/* ours: the calls of a comparison through Koine's public header. */
#include "tests/bench/bench.h"

#include <koine/koine.h>
#include <stdio.h>
#include <string.h>

static const struct work *work;
static koine_hub *hub;
static koine_client *client;

static int complain(koine_error *error)
{
    fprintf(stderr, "koine: %s\n", error ? koine_error_message(error) : "no memory");
    koine_error_free(error);
    return -1;
}

static int open_ours(const struct work *given)
{
    char text[4096];
    koine_error *error = NULL;
    work = given;
    if (koine_hub_new(&hub, &error) != KOINE_OK)
        return complain(error);
    snprintf(text, sizeof(text), "[%s]", work->plugins);
    koine_hub_set(hub, "plugin_path", text);
    koine_hub_set(hub, "providers.openai.base_url", work->url);
    koine_hub_set(hub, "providers.openai.api_key", "not-a-real-key");
    koine_hub_set(hub, "pool.connections", "2000");
    if (koine_hub_apply(hub, &error) != KOINE_OK || koine_client_new(hub, &client, &error) != KOINE_OK)
        return complain(error);
    return 0;
}

static void close_ours(void)
{
    koine_client_free(client);
    koine_hub_free(hub);
}

/* An application that asks anew each time: a request for each call. */
static int build(koine_request **ret)
{
    if (koine_request_new(ret) != KOINE_OK)
        return -1;
    koine_request_set_target(*ret, "openai/gpt-4o-mini");
    if (work->measure == TEXT)
        return koine_request_set_document(*ret, work->document, strlen(work->document));
    for (size_t i = 0; i < work->count; i++)
        koine_request_message(*ret, work->messages[i].role, work->messages[i].text);
    return koine_request_set_integer(*ret, "max_tokens", 400);
}

static long generate(const koine_request *request)
{
    koine_response *answer = NULL;
    koine_error *error = NULL;
    koine_usage usage = KOINE_USAGE_INIT;
    size_t len = 0;
    if (koine_generate(client, request, &answer, &error) != KOINE_OK)
        return complain(error);
    koine_response_text(answer, &len);
    koine_response_usage(answer, &usage);
    koine_response_free(answer);
    return usage.input > 0 ? (long)len : -1;
}

/* Takes what waits; how it ended: 1 with an answer, -1 without, 0 not yet. `len` counts the text. */
static int take(long *len)
{
    koine_call *call;
    const koine_event *event;
    while (koine_next(client, &call, &event) == 1) {
        size_t more = 0;
        switch (koine_event_kind(event)) {
        case KOINE_EVENT_TEXT:
            koine_event_text(event, &more);
            *len += (long)more;
            break;
        case KOINE_EVENT_STOP:
            koine_call_free(call);
            return 1;
        case KOINE_EVENT_FAULT:
            fprintf(stderr, "koine: %s\n", koine_error_message(koine_event_error(event)));
            koine_call_free(call);
            return -1;
        default:
            break;
        }
    }
    return 0;
}

static long stream(const koine_request *request)
{
    koine_call *call;
    koine_error *error = NULL;
    long len = 0;
    int ended = 0;
    if (koine_start(client, request, &call, &error) != KOINE_OK)
        return complain(error);
    while (ended == 0 && koine_wait(client, -1) == KOINE_OK)
        ended = take(&len);
    return ended > 0 ? len : -1;
}

static long call_ours(void)
{
    koine_request *request = NULL;
    long len = -1;
    if (build(&request) == KOINE_OK)
        len = work->measure == EVENTS || work->measure == COALESCED ? stream(request) : generate(request);
    koine_request_free(request);
    return len;
}

static int idle_ours(int count)
{
    koine_request *request = NULL;
    koine_call *call;
    koine_error *error = NULL;
    long len = 0;
    if (build(&request) != KOINE_OK)
        return -1;
    for (int i = 0; i < count; i++)
        if (koine_start(client, request, &call, &error) != KOINE_OK)
            return complain(error);
    while (len < 4L * count) {
        if (koine_wait(client, 10000) != KOINE_OK || take(&len) != 0)
            return -1;
    }
    koine_request_free(request);
    return 0;
}

const struct side ours = {"koine", open_ours, call_ours, idle_ours, close_ours};
