/* run: what strangers' bytes may cost. Each act of the server is asked for once as a whole and once as a
 * stream, over a real socket: it ends in the class that the row says, with exactly one terminal event, within
 * the ceiling of memory; one attempt is one request at the server; and the same client can be used after it.
 */
#include "tests/hostile/ledger.h"
#include "tests/hostile/server.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#include <koine/koine.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KB    ((size_t)1 << 10)
#define MB    ((size_t)1 << 20)
#define SPARE (2 * MB) /* what a call may need beside the body's ceiling */

/* ---- The stage ---- */

static struct {
    struct scratch scratch;
    int port;
} stage;

static struct scene {
    koine_hub *hub;
    koine_client *client;
    size_t ceiling; /* of the body */
} scene;

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
    stage.port = server_start();
    CU_ASSERT_TRUE_FATAL(stage.port > 0);
    atexit(strike);
}

static void set(const char *path, const char *value)
{
    CU_ASSERT_EQUAL_FATAL(koine_hub_set(scene.hub, path, value), KOINE_OK);
}

static void ask(const char *act, bool stream, const char *expected);

/* Pairs of a setting of the provider and its value. */
static void open_scene(size_t ceiling, const char *const *settings)
{
    char text[4200], path[128];
    koine_error *error = NULL;
    build_stage();
    scene.ceiling = ceiling;
    CU_ASSERT_EQUAL_FATAL(koine_hub_new(&scene.hub, NULL), KOINE_OK);
    snprintf(text, sizeof(text), "[\"%s\"]", stage.scratch.path);
    set("plugin_path", text);
    set("providers.lab.plugin", "openai");
    set("providers.lab.api_key", "key-of-nobody");
    set("providers.lab.price", "free");
    set("providers.lab.retry.max_retries", "0");
    snprintf(text, sizeof(text), "http://127.0.0.1:%d/v1", stage.port);
    set("providers.lab.base_url", text);
    snprintf(text, sizeof(text), "%zuB", ceiling);
    set("providers.lab.body_limit", text);
    for (; settings && *settings; settings += 2) {
        snprintf(path, sizeof(path), "providers.lab.%s", settings[0]);
        set(path, settings[1]);
    }
    CU_ASSERT_EQUAL_FATAL(koine_hub_apply(scene.hub, &error), KOINE_OK);
    CU_ASSERT_EQUAL_FATAL(koine_client_new(scene.hub, &scene.client, NULL), KOINE_OK);
    ask("good", false, "ok hi"); /* what is made once is there */
    ask("good", true, "ok hi");
}

static size_t kept; /* blocks that live as long as the process: plugins stay loaded, curl stays set up */

static void close_scene(void)
{
    koine_client_free(scene.client);
    koine_hub_free(scene.hub);
    if (kept == 0)
        kept = ledger_blocks();
    memset(&scene, 0, sizeof(scene));
}

/* ---- One call ---- */

static koine_request *request_for(const char *act, bool stream)
{
    char target[80];
    koine_request *request = NULL;
    snprintf(target, sizeof(target), "lab/%s", act);
    CU_ASSERT_EQUAL_FATAL(koine_request_new(&request), KOINE_OK);
    koine_request_message(request, "user", "Say it.");
    koine_request_set_target(request, target);
    koine_request_set_stream(request, stream);
    return request;
}

static void describe(char *ret, size_t size, const koine_response *response, const koine_error *error)
{
    size_t length = 0;
    if (error) {
        snprintf(ret, size, "%s", koine_error_class_name(error));
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

static void send_one(const koine_request *request, bool streamed, char *ret, size_t size)
{
    if (streamed)
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

static void ask(const char *act, bool streamed, const char *expected)
{
    char outcome[128], is[256], wanted[256];
    koine_request *request = request_for(act, streamed);
    long before = server_requests();
    size_t base = ledger_begin();
    send_one(request, streamed, outcome, sizeof(outcome));
    if (met_a_closing_connection(outcome, before))
        send_one(request, streamed, outcome, sizeof(outcome));
    size_t used = ledger_peak() - base;
    koine_request_free(request);
    const char *way = streamed ? "stream" : "whole";
    snprintf(is, sizeof(is), "%s, %s: %s; requests %ld", act, way, outcome, server_requests() - before);
    snprintf(wanted, sizeof(wanted), "%s, %s: %s; requests 1", act, way, expected);
    ASSERT_STR(is, wanted);
    if (used > scene.ceiling + SPARE) {
        snprintf(is, sizeof(is), "%s, %s: %zu bytes of memory", act, way, used);
        ASSERT_STR(is, "no more than the ceiling and 2 MB");
    }
    if (getenv("KOINE_HOSTILE_SAY"))
        fprintf(stderr, "# %s, %s: %s, %zu kB\n", act, way, outcome, used / KB);
}

struct row {
    const char *act;
    const char *whole, *streamed; /* NULL: not asked for */
};

static void play(const struct row *rows, size_t count)
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
#define PLAY(...)                                                                                            \
    do {                                                                                                     \
        static const struct row rows[] = {__VA_ARGS__};                                                      \
        play(rows, sizeof(rows) / sizeof(rows[0]));                                                          \
    } while (0)
#define BOTH(act, class)                                                                                     \
    {                                                                                                        \
        (act), (class), (class)                                                                              \
    }
#define MALFORMED(act) BOTH(act, "protocol")

/* ---- The tests ---- */

static void without_end(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("endless"), MALFORMED("endless-escapes"), MALFORMED("endless-space"),
         MALFORMED("endless-lines"), MALFORMED("endless-comments"), MALFORMED("endless-empty-data"),
         MALFORMED("endless-names"), MALFORMED("endless-stray"), MALFORMED("endless-members"),
         MALFORMED("endless-events"), {"endless-trailer", "protocol", "ok hi"}, MALFORMED("endless-chunks"),
         {"endless-after-done", "protocol", "ok hi"}, MALFORMED("hundred-megabytes"));
    close_scene();
}

static void heads_without_end(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("endless-header"), MALFORMED("endless-header-line"), MALFORMED("endless-folded-header"),
         MALFORMED("endless-interim"));
    close_scene();
}

static void the_default_ceiling(void)
{
    open_scene(16 * MB, NULL);
    PLAY(MALFORMED("hundred-megabytes"), MALFORMED("endless"), MALFORMED("endless-events"),
         MALFORMED("endless-stray"), MALFORMED("bomb"));
    close_scene();
}

static void no_json(void)
{
    open_scene(512 * KB, NULL);
    PLAY(MALFORMED("deep"), MALFORMED("deep-member"), MALFORMED("utf8-alone"), MALFORMED("utf8-overlong"),
         MALFORMED("utf8-surrogate"), MALFORMED("utf8-beyond"), MALFORMED("utf8-five"), MALFORMED("utf8-cut"),
         MALFORMED("utf8-name"), MALFORMED("nul-in-text"), MALFORMED("nul-between"), MALFORMED("nul-in-name"),
         MALFORMED("nul-escape-in-name"), MALFORMED("control"), MALFORMED("nan"), MALFORMED("infinity"),
         MALFORMED("hexadecimal"), MALFORMED("plus"), MALFORMED("leading-zero"), MALFORMED("single-quotes"),
         MALFORMED("comment"), MALFORMED("trailing-comma"), MALFORMED("duplicate"),
         MALFORMED("duplicate-escaped"), MALFORMED("two-values"), MALFORMED("wrong-types"),
         MALFORMED("wrong-text"));
    close_scene();
}

static void odd_json(void)
{
    open_scene(256 * KB, NULL);
    PLAY(BOTH("nul-escape", "ok a^b"), BOTH("half-pair", "ok a\xef\xbf\xbd"),
         BOTH("duplicate-below", "ok hi"), BOTH("digits-unread", "ok hi"), BOTH("digits-created", "ok hi"),
         BOTH("digits-index", "ok hi"), BOTH("digits-usage", "ok hi"), BOTH("digits-exponent", "ok hi"),
         BOTH("digits-small", "ok hi"), BOTH("digits-negative", "ok hi"), {"byte-order-mark", "ok hi", NULL});
    close_scene();
}

static void encodings(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("bomb"), MALFORMED("bomb-deflate"), MALFORMED("gzip-that-is-none"),
         MALFORMED("encoding-unknown"), MALFORMED("encodings-many"));
    close_scene();
}

static void lengths(void)
{
    open_scene(256 * KB, NULL);
    PLAY({"too-long", "protocol", "ok hi"}, MALFORMED("too-short"), BOTH("two-answers", "ok hi"),
         MALFORMED("two-lengths"), MALFORMED("length-negative"), BOTH("length-huge", "ok hi"),
         MALFORMED("length-words"), MALFORMED("length-none"));
    close_scene();
}

static void chunks(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("chunk-size-words"), MALFORMED("chunk-size-huge"), MALFORMED("chunk-size-large"),
         MALFORMED("chunk-size-negative"), MALFORMED("chunk-without-end"), MALFORMED("chunk-cut"),
         MALFORMED("chunk-no-last"), MALFORMED("chunk-size-cut"));
    close_scene();
}

/* Short, for each of these waits until one of them rings, and long enough for the honest answers between. */
static void slow_ones(void)
{
    static const char *const settings[] = {"timeouts.total",
                                           "1500ms",
                                           "timeouts.first_byte",
                                           "700ms",
                                           "timeouts.progress",
                                           "1s",
                                           "timeouts.idle",
                                           "700ms",
                                           NULL};
    open_scene(256 * KB, settings);
    PLAY(BOTH("drip", "timeout"), BOTH("drip-comments", "timeout"), BOTH("drip-head", "timeout"),
         BOTH("silence", "timeout"), BOTH("silence-in-head", "timeout"), BOTH("silence-in-chunk", "timeout"),
         BOTH("endless-extension", "timeout"), BOTH("too-long-and-open", "timeout"));
    close_scene();
}

static void odd_heads(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("no-http"), MALFORMED("no-head"), MALFORMED("version"), MALFORMED("status-words"),
         MALFORMED("status-large"), BOTH("status-999", "server"), BOTH("upgrade", "reset"),
         MALFORMED("no-content"), MALFORMED("not-modified"), MALFORMED("nul-in-head"),
         MALFORMED("line-without-colon"), BOTH("retry-after-digits", "overloaded"));
    close_scene();
}

static void nothing_is_left(void)
{
    ASSERT_INT((long long)ledger_blocks(), (long long)kept);
}

SUITE_MAIN("hostile", {"without end", without_end}, {"heads without end", heads_without_end},
           {"the default ceiling", the_default_ceiling}, {"what is no JSON", no_json},
           {"JSON that is odd", odd_json}, {"encodings", encodings}, {"lengths", lengths}, {"chunks", chunks},
           {"slow ones", slow_ones}, {"odd heads", odd_heads}, {"nothing is left", nothing_is_left})
