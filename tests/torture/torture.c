/* torture: every allocation of the library and of curl fails once, in lives of a program from its first call
 * to its last, over a real loopback: a whole answer, a stream, a fallback, a configuration that is loaded,
 * and plugins that are. Each life gives the same answer, or says `memory`; it leaves no block and no
 * descriptor. json-c's own allocations are the exception.
 *
 * torture takes every one, and under AddressSanitizer, where it costs ten times as much, every seventh;
 * torture --all takes every one there too.
 */
#include "tests/standin/standin.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <koine/koine.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY "memory"

static struct {
    struct scratch scratch;
    pid_t pid;
    int leash, port; /* the stand-in ends when the other end of the leash is closed */
    char file[4096];
} stage;
#ifdef __SANITIZE_ADDRESS__ /* an allocation costs ten times as much there */
#define STRIDE 7
#else
#define STRIDE 1
#endif
static long stride = STRIDE, total;

/* ---- The stage ---- */

/* A process of its own: its descriptors and blocks are not ours. */
static void serve(int port_to, int leash)
{
    struct standin_thread *thread = NULL;
    struct standin_options options = {.scale = 0.0001, .tokens = 5};
    char byte;
    if (standin_thread_start(&options, &thread) != 0)
        _exit(1);
    int port = standin_thread_port(thread);
    if (write(port_to, &port, sizeof(port)) != (ssize_t)sizeof(port))
        _exit(1);
    while (read(leash, &byte, 1) > 0)
        continue;
    _exit(0);
}

static void start_server(void)
{
    int port[2], leash[2];
    CU_ASSERT_EQUAL_FATAL(pipe2(port, O_CLOEXEC), 0);
    CU_ASSERT_EQUAL_FATAL(pipe2(leash, O_CLOEXEC), 0);
    stage.pid = fork();
    if (stage.pid == 0) {
        close(leash[1]);
        serve(port[1], leash[0]);
    }
    close(port[1]);
    close(leash[0]);
    stage.leash = leash[1];
    CU_ASSERT_TRUE_FATAL(read(port[0], &stage.port, sizeof(stage.port)) == (ssize_t)sizeof(stage.port));
    close(port[0]);
}

static void strike(void)
{
    close(stage.leash);
    waitpid(stage.pid, NULL, 0);
    scratch_remove(&stage.scratch);
}

static void put(const char *name, const char *folder)
{
    char path[4096];
    const char *root = getenv(strstr(name, ".so") ? "KOINE_TEST_BUILD" : "KOINE_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/%s/%s", root ? root : ".", folder, name);
    CU_ASSERT_TRUE_FATAL(scratch_copy(&stage.scratch, name, path));
}

static void write_configuration(void)
{
    char text[8192];
    int len = snprintf(text, sizeof(text),
                       "plugin_path: [\"%s\"]\n"
                       "providers:\n"
                       "  together: {base_url: \"http://127.0.0.1:%d/together/v1\", api_key: \"${KEY:-a}\"}\n"
                       "  openai: {base_url: \"http://127.0.0.1:%d/openai/v1\", api_key: b,\n"
                       "           retry: {max_retries: 0}}\n"
                       "  lab: {plugin: openai, base_url: \"http://127.0.0.1:%d/lab/v1\", api_key: c,\n"
                       "        options: {compatible: true}, price: free}\n"
                       "routes:\n"
                       "  default:\n"
                       "    targets: [openai/a!503, {target: lab/b!healthy, unset: [top_k], set: {n: 1}}]\n",
                       stage.scratch.path, stage.port, stage.port, stage.port);
    scratch_write(&stage.scratch, "koine.yaml", text, (size_t)len);
    snprintf(stage.file, sizeof(stage.file), "%s", scratch_path(&stage.scratch, "koine.yaml"));
}

static void build_stage(void)
{
    if (stage.pid)
        return;
    signal(SIGPIPE, SIG_IGN);
    start_server();
    scratch_make(&stage.scratch);
    put("openai.so", "providers/.libs");
    put("together.so", "providers/.libs");
    put("openai.json", "providers/catalogue");
    put("together.json", "providers/catalogue");
    write_configuration();
    atexit(strike);
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* ---- A life ---- */

struct life {
    koine_hub *hub;
    koine_client *client;
    koine_request *request;
    koine_error *error;
    char told[4096]; /* how it ended */
};

__attribute__((format(printf, 2, 3))) static void tell(struct life *life, const char *format, ...)
{
    size_t used = strlen(life->told);
    va_list args;
    va_start(args, format);
    vsnprintf(life->told + used, sizeof(life->told) - used, format, args);
    va_end(args);
}

/* True: it went well. */
static bool went(struct life *life, int rc, const char *what)
{
    if (rc == KOINE_OK)
        return true;
    if (rc == KOINE_EMEMORY || koine_error_class(life->error) == KOINE_CLASS_MEMORY)
        snprintf(life->told, sizeof(life->told), MEMORY);
    else
        tell(life, "%s: %s: %s", what, koine_strerror(rc),
             life->error ? koine_error_message(life->error) : "");
    return false;
}

static bool open_life(struct life *life)
{
    return went(life, koine_hub_new(&life->hub, &life->error), "hub") &&
           went(life, koine_hub_load(life->hub, stage.file, &life->error), "load") &&
           went(life, koine_hub_set(life->hub, "providers.lab.retry.max_retries", "0"), "set") &&
           went(life, koine_hub_apply(life->hub, &life->error), "apply") &&
           went(life, koine_client_new(life->hub, &life->client, &life->error), "client");
}

static void close_life(struct life *life)
{
    koine_request_free(life->request);
    koine_client_free(life->client);
    koine_hub_free(life->hub);
    koine_error_free(life->error);
}

static bool build_request(struct life *life, const char *target)
{
    return went(life, koine_request_new(&life->request), "request") &&
           went(life, koine_request_message(life->request, "user", "Say it."), "message") &&
           went(life, koine_request_tool(life->request, "f", "does", "{\"type\":\"object\"}"), "tool") &&
           went(life, koine_request_set_integer(life->request, "top_k", 3), "member") &&
           (!target || went(life, koine_request_set_target(life->request, target), "target"));
}

/* What must not change: the text, how it finished, who answered, and what it cost where it was not tried in
 * vain before. */
static void tell_answer(struct life *life, const koine_response *response)
{
    koine_usage usage = KOINE_USAGE_INIT;
    koine_response_usage(response, &usage);
    tell(life, "%s | %s | %s | %s | %lld | %s", koine_response_target(response),
         koine_response_model(response), koine_response_finish_name(response),
         koine_response_text(response, NULL), (long long)usage.output,
         koine_response_tool_count(response) ? koine_response_tool_arguments(response, 0) : "");
}

static void generate(struct life *life, const char *target, int stream)
{
    koine_response *response = NULL;
    if (!open_life(life) || !build_request(life, target))
        return;
    koine_request_set_stream(life->request, stream);
    if (!went(life, koine_generate(life->client, life->request, &response, &life->error), "generate"))
        return;
    tell_answer(life, response);
    koine_response_free(response);
}

static void whole(struct life *life)
{
    generate(life, "together/a!healthy", 0);
}

static void fallback(struct life *life)
{
    generate(life, NULL, 1);
}

static void tool(struct life *life)
{
    generate(life, "openai/a!tool", 1);
}

/* Reads all events; each text must be the next piece of the answer. */
static void stream(struct life *life)
{
    koine_call *call = NULL;
    char text[1024] = "";
    int ends = 0;
    if (!open_life(life) || !build_request(life, "openai/a!healthy") ||
        !went(life, koine_start(life->client, life->request, &call, &life->error), "start"))
        return;
    while (!ends) {
        koine_call *of = NULL;
        const koine_event *event = NULL;
        int rc = koine_next(life->client, &of, &event);
        if (rc == 0)
            rc = koine_wait(life->client, 10000);
        else if (rc > 0 && koine_event_kind(event) == KOINE_EVENT_TEXT)
            strncat(text, koine_event_text(event, NULL), sizeof(text) - strlen(text) - 1);
        else if (rc > 0)
            ends +=
                koine_event_kind(event) == KOINE_EVENT_STOP || koine_event_kind(event) == KOINE_EVENT_FAULT;
        if (rc < 0 && !went(life, rc, "next"))
            break;
    }
    const koine_error *error = koine_call_error(call);
    if (error && koine_error_class(error) == KOINE_CLASS_MEMORY)
        snprintf(life->told, sizeof(life->told), MEMORY);
    else if (error)
        tell(life, "stream: %s: %s", koine_error_class_name(error), koine_error_message(error));
    else if (ends) {
        tell(life, "%s | ", text);
        tell_answer(life, koine_call_response(call));
    }
    koine_call_free(call);
}

/* What is loaded can be shown, and changed. */
static void configuration(struct life *life)
{
    char *text = NULL;
    if (!open_life(life) ||
        !went(life, koine_hub_set(life->hub, "routes.other", "{targets: [lab/x], deadline: 5s}"), "set") ||
        !went(life, koine_hub_apply(life->hub, &life->error), "apply") ||
        !went(life, koine_hub_show(life->hub, &text), "show"))
        return;
    tell(life, "%.3000s", text);
    koine_free(text);
    text = NULL;
    if (!went(life, koine_metrics_write(life->hub, &text), "metrics"))
        return;
    tell(life, "%.300s", text);
    koine_free(text);
}

/* Which plugins there are, and what models they know. */
static void loading(struct life *life)
{
    koine_models *models = NULL;
    if (!open_life(life))
        return;
    if (!koine_hub_provider(life->hub, "together")) {
        tell(life, MEMORY); /* it has no other way to say so */
        return;
    }
    if (!went(life, koine_list_models(life->client, "lab", &models, &life->error), "models"))
        return;
    tell(life, "%zu models", koine_models_count(models));
    koine_models_free(models);
}

/* ---- One allocation after the other ---- */

static void live(void (*scenario)(struct life *life), char *ret, size_t size)
{
    struct life life = {0};
    scenario(&life);
    close_life(&life);
    snprintf(ret, size, "%s", life.told);
}

static void judge(const char *name, long n, const char *told, const char *expected)
{
    char text[9000];
    if (strcmp(told, expected) == 0 || strcmp(told, MEMORY) == 0)
        return;
    snprintf(text, sizeof(text), "%s, allocation %ld: \"%s\", not \"%s\"", name, n, told, expected);
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

static void torture(const char *name, void (*scenario)(struct life *life))
{
    char expected[4096], told[4096];
    long n = 1, memory = 0, tried = 0;
    build_stage();
    live(scenario, expected, sizeof(expected)); /* what is made once for a process is there */
    live(scenario, expected, sizeof(expected));
    size_t before = count_descriptors();
    for (bool reached = true; reached; n += stride) {
        failalloc_begin(n);
        live(scenario, told, sizeof(told));
        reached = failalloc_end();
        tried += reached;
        memory += strcmp(told, MEMORY) == 0;
        judge(name, n, told, expected);
        ASSERT_INT((long long)count_descriptors(), (long long)before);
    }
    total += tried;
    printf("# %s: %ld of about %ld allocations failed in turn; %ld ended in memory. Without: %.100s\n", name,
           tried, n, memory, expected);
}

static void in_whole(void)
{
    torture("whole", whole);
}
static void in_a_stream(void)
{
    torture("stream", stream);
}
static void in_a_fallback(void)
{
    torture("fallback", fallback);
}
static void in_tools(void)
{
    torture("tools", tool);
}
static void in_a_configuration(void)
{
    torture("configuration", configuration);
}
static void in_loading(void)
{
    torture("loading", loading);
}

static void enough_of_them(void)
{
    printf("# N = %ld\n", total);
    CU_ASSERT_TRUE(total >= 500);
}

int main(int argc, char **argv)
{
    static const struct suite_test tests[] = {{"a whole answer", in_whole},
                                              {"a stream", in_a_stream},
                                              {"a fallback", in_a_fallback},
                                              {"tools", in_tools},
                                              {"a configuration", in_a_configuration},
                                              {"loading", in_loading},
                                              {"enough of them", enough_of_them}};
    if (argc > 1 && strcmp(argv[1], "--all") == 0) {
        stride = 1;
        argc--;
        argv++;
    }
    return suite_run("torture", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
