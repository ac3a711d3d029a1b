/* scene: see scene.h. */
#include "tests/hostile/scene.h"

#include "tests/hostile/ledger.h"
#include "tests/hostile/server.h"
#include "tests/unit/suite.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The stage ---- */

static struct {
    struct scratch scratch;
    int port;
} stage;

struct scene scene;

static void put(const char *name, const char *folder)
{
    char path[4096];
    const char *root = getenv(strstr(name, ".so") ? "KOINE_TEST_BUILD" : "KOINE_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/%s/%s", root ? root : ".", folder, name);
    CU_ASSERT_TRUE_FATAL(scratch_copy(&stage.scratch, name, path));
}

static void strike(void)
{
    server_stop();
    scratch_remove(&stage.scratch);
}

static void build_stage(void)
{
    if (stage.port)
        return;
    signal(SIGPIPE, SIG_IGN);
    ledger_use();
    scratch_make(&stage.scratch);
    put("openai.so", "providers/.libs");
    put("openai.json", "providers/catalogue");
    stage.port = theatre.start(&stage.scratch);
    CU_ASSERT_TRUE_FATAL(stage.port > 0);
    atexit(strike);
}

static void set(const char *path, const char *value)
{
    CU_ASSERT_EQUAL_FATAL(koine_hub_set(scene.hub, path, value), KOINE_OK);
}

static void set_for(const char *instance, const char *name, const char *value)
{
    char path[128];
    snprintf(path, sizeof(path), "providers.%s.%s", instance, name);
    set(path, value);
}

static void add_instance(const char *name)
{
    char text[64];
    set_for(name, "plugin", "openai");
    set_for(name, "api_key", "key-of-nobody");
    set_for(name, "price", "free");
    set_for(name, "retry.max_retries", "0");
    set_for(name, "breaker.failures", "off"); /* every act is for itself */
    set_for(name, "latch", "off");
    snprintf(text, sizeof(text), "%s://127.0.0.1:%d/v1", theatre.scheme, stage.port);
    set_for(name, "base_url", text);
    snprintf(text, sizeof(text), "%zuB", scene.ceiling);
    set_for(name, "body_limit", text);
}

void open_scene(size_t ceiling, const char *const *settings)
{
    char text[4200];
    koine_error *error = NULL;
    build_stage();
    scene.ceiling = ceiling;
    CU_ASSERT_EQUAL_FATAL(koine_hub_new(&scene.hub, NULL), KOINE_OK);
    snprintf(text, sizeof(text), "[\"%s\"]", stage.scratch.path);
    set("plugin_path", text);
    add_instance("lab");
    add_instance("patient");
    if (theatre.ca_file)
        set("network.ca_file", scratch_path(&stage.scratch, theatre.ca_file));
    for (; settings && *settings; settings += 2)
        set(settings[0], settings[1]);
    CU_ASSERT_EQUAL_FATAL(koine_hub_apply(scene.hub, &error), KOINE_OK);
    CU_ASSERT_EQUAL_FATAL(koine_client_new(scene.hub, &scene.client, NULL), KOINE_OK);
    ask("good", false, "ok hi"); /* what is made once is there */
    ask("good", true, "ok hi");
}

static size_t kept;

void close_scene(void)
{
    koine_client_free(scene.client);
    koine_hub_free(scene.hub);
    if (kept == 0)
        kept = ledger_blocks();
    memset(&scene, 0, sizeof(scene));
}

/* ---- One call ---- */

enum way {
    WHOLE,
    STREAM,
    HELD
};

koine_request *request_for(const char *act, bool stream)
{
    char target[80];
    koine_request *request = NULL;
    snprintf(target, sizeof(target), "%s/%s", strcmp(act, "good") == 0 ? "patient" : "lab", act);
    CU_ASSERT_EQUAL_FATAL(koine_request_new(&request), KOINE_OK);
    koine_request_message(request, "user", "Say it.");
    koine_request_set_target(request, target);
    koine_request_set_stream(request, stream);
    return request;
}

void describe(char *ret, size_t size, const koine_response *response, const koine_error *error)
{
    size_t length = 0;
    if (error) {
        snprintf(ret, size, "%s", koine_error_class_name(error));
        if (getenv("KOINE_HOSTILE_SAY"))
            fprintf(stderr, "# %s\n", koine_error_message(error));
        return;
    }
    const char *text = koine_response_text(response, &length);
    int used = snprintf(ret, size, "ok ");
    for (size_t i = 0; i < length && (size_t)used + 1 < size; i++)
        ret[used++] = text[i] ? text[i] : '^';
    ret[used] = '\0';
}

static void generate(const koine_request *request, char *ret, size_t size)
{
    koine_response *response = NULL;
    koine_error *error = NULL;
    int rc = koine_generate(scene.client, request, &response, &error);
    CU_ASSERT_TRUE((rc == KOINE_OK) == (response != NULL));
    CU_ASSERT_TRUE((response == NULL) == (error != NULL));
    if (error)
        CU_ASSERT_PTR_NULL(strstr(koine_error_message(error), "key-of-nobody"));
    const koine_response *trail = response ? response : koine_error_partial(error);
    ASSERT_INT(koine_response_attempt_count(trail), 1);
    describe(ret, size, response, error);
    koine_response_free(response);
    koine_error_free(error);
}

/* Reads events until one ends the call, and looks a moment whether any follows. */
static int count_ends(const koine_call *call)
{
    int ends = 0;
    for (;;) {
        koine_call *of = NULL;
        const koine_event *event = NULL;
        int rc = koine_next(scene.client, &of, &event);
        CU_ASSERT_TRUE_FATAL(rc >= 0);
        if (rc == 0 && ends)
            return ends;
        if (rc == 0) {
            CU_ASSERT_EQUAL_FATAL(koine_wait(scene.client, 30000), KOINE_OK);
            continue;
        }
        CU_ASSERT_PTR_EQUAL(of, call);
        CU_ASSERT_EQUAL(ends, 0);
        int kind = koine_event_kind(event);
        ends += kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT;
        if (ends)
            koine_wait(scene.client, 1);
    }
}

static void stream(const koine_request *request, char *ret, size_t size)
{
    koine_call *call = NULL;
    CU_ASSERT_EQUAL_FATAL(koine_start(scene.client, request, &call, NULL), KOINE_OK);
    ASSERT_INT(count_ends(call), 1);
    ASSERT_INT(koine_response_attempt_count(koine_call_response(call)), 1);
    describe(ret, size, koine_call_response(call), koine_call_error(call));
    koine_call_free(call);
}

static void send_one(const koine_request *request, enum way way, char *ret, size_t size)
{
    if (way == STREAM)
        stream(request, ret, size);
    else
        generate(request, ret, size);
}

/* The server may be about to close a connection that is used once more: then it sees no request, we see a
 * reset, and nobody resends by itself. That is right, and no act of its own. */
static bool met_a_closing_connection(const char *outcome, long before)
{
    return strcmp(outcome, "reset") == 0 && server_requests() == before;
}

/* The outcomes that may be, with a | between them. */
static bool is_one_of(const char *outcome, const char *expected)
{
    size_t len = strlen(outcome);
    for (const char *at = expected; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, outcome, len) == 0 && (at[len] == '|' || at[len] == '\0'))
            return true;
    }
    return false;
}

static void ask_so(const char *act, enum way how, const char *expected)
{
    static const char *const ways[] = {"whole", "stream", "held stream"};
    char outcome[128], is[256], wanted[256];
    koine_request *request = request_for(act, how != WHOLE);
    long before = server_requests();
    size_t base = ledger_begin();
    send_one(request, how, outcome, sizeof(outcome));
    if (met_a_closing_connection(outcome, before))
        send_one(request, how, outcome, sizeof(outcome));
    size_t used = ledger_peak() - base;
    koine_request_free(request);
    const char *way = ways[how];
    snprintf(is, sizeof(is), "%s, %s: %s; requests %ld", act, way, outcome, server_requests() - before);
    snprintf(wanted, sizeof(wanted), "%s, %s: %s; requests 1", act, way,
             is_one_of(outcome, expected) ? outcome : expected);
    ASSERT_STR(is, wanted);
    if (used > scene.ceiling + SPARE) {
        snprintf(is, sizeof(is), "%s, %s: %zu bytes of memory", act, way, used);
        ASSERT_STR(is, "no more than the ceiling and 2 MB");
    }
    if (getenv("KOINE_HOSTILE_SAY"))
        fprintf(stderr, "# %s, %s: %s, %zu kB\n", act, way, outcome, used / KB);
}

void ask(const char *act, bool streamed, const char *expected)
{
    ask_so(act, streamed ? STREAM : WHOLE, expected);
}

void ask_held(const char *act, const char *expected)
{
    ask_so(act, HELD, expected);
}

void play(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].whole)
            ask(rows[i].act, false, rows[i].whole);
        if (rows[i].whole)
            ask("good", false, "ok hi");
        if (rows[i].streamed)
            ask(rows[i].act, true, rows[i].streamed);
        if (rows[i].streamed)
            ask("good", true, "ok hi");
    }
}
size_t scene_kept(void)
{
    return kept;
}
