/* stage: see stage.h. */
#include "tests/e2e/stage.h"

#include "tests/e2e/loopback.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <koine/json.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static struct {
    struct scratch scratch;
    pid_t pid, owner; /* the stand-in; who may end it: no child of ours */
    int port, leash;  /* the stand-in ends when the other end of this is closed */
} stage;

/* Without a stage no test makes sense. */
static void bail(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    fflush(stdout);
    scratch_remove(&stage.scratch);
    _exit(EXIT_FAILURE);
}

static void put_file(const char *name, const char *from)
{
    char path[4096], chunk[65536];
    const char *root = getenv(strstr(from, ".so") ? "KOINE_TEST_BUILD" : "KOINE_TEST_SOURCE");
    size_t length = 0;
    char *bytes = NULL;
    snprintf(path, sizeof(path), "%s/%s", root ? root : ".", from);
    FILE *in = fopen(path, "re"), *out = in ? open_memstream(&bytes, &length) : NULL;
    if (!out)
        bail(path);
    for (size_t got; (got = fread(chunk, 1, sizeof(chunk), in)) > 0;)
        fwrite(chunk, 1, got, out);
    fclose(in);
    fclose(out);
    scratch_write(&stage.scratch, name, bytes, length);
    free(bytes);
}

/* Waits for the one line that says where it listens. */
static int read_port(int fd)
{
    char line[128];
    size_t length = 0;
    while (length < sizeof(line) - 1) {
        ssize_t got = read(fd, line + length, sizeof(line) - 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
        if (line[length - 1] == '\n')
            break;
    }
    line[length] = '\0';
    const char *colon = strrchr(line, ':');
    return colon ? atoi(colon + 1) : 0;
}

static void start_standin(void)
{
    char program[4096];
    const char *build = getenv("KOINE_TEST_BUILD");
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    snprintf(program, sizeof(program), "%s/apps/koine-standin", build ? build : ".");
    char *arguments[] = {program, (char *)"--scale", (char *)"0.02", (char *)"--until-eof", (char *)"--quiet",
                         NULL};
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        bail("pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    errno = posix_spawn(&stage.pid, program, &actions, NULL, arguments, environ);
    if (errno != 0)
        bail(program);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    stage.leash = in[1];
    stage.port = read_port(out[0]);
    close(out[0]);
    if (stage.port <= 0)
        bail(program);
}

static void strike(void)
{
    if (stage.owner != getpid())
        return;
    close(stage.leash);
    if (stage.pid > 0)
        waitpid(stage.pid, NULL, 0);
    scratch_remove(&stage.scratch);
}

static void build(void)
{
    if (stage.owner)
        return;
    signal(SIGPIPE, SIG_IGN);
    scratch_make(&stage.scratch);
    stage.owner = getpid();
    atexit(strike);
    put_file("together.so", "providers/.libs/together.so");
    put_file("openai.so", "providers/.libs/openai.so");
    put_file("together.json", "providers/catalogue/together.json");
    put_file("openai.json", "providers/catalogue/openai.json");
    start_standin();
}

int stage_port(void)
{
    build();
    return stage.port;
}

const char *stage_plugins(void)
{
    build();
    return stage.scratch.path;
}

const char *stage_file(const char *name, const char *text)
{
    build();
    scratch_write(&stage.scratch, name, text, strlen(text));
    return scratch_path(&stage.scratch, name);
}

static void set(koine_hub *hub, const char *path, const char *value)
{
    CU_ASSERT_EQUAL(koine_hub_set(hub, path, value), KOINE_OK);
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
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}
