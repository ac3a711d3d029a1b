/* isolate: plugins in processes of their own, through the library and against the stand-in: the same answers
 * as in this process, what every misbehaviour costs, what such a process can reach, and that nothing is left
 * of it.
 */
#include "tests/e2e/stage.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_SETTINGS 32
#define LARGEST_AREA  ((size_t)64 << 20)
#define PATIENCE      600 /* times 50 ms */

/* ---- A stage with wild in it ----------------------------------------------------------------------- */

struct play {
    struct scratch scratch; /* wild.so */
    struct scene scene;
    char folders[PATH_MAX * 2], helper[PATH_MAX], url[64];
    size_t descriptors;
};

/* The stage's hub; both its plugins and wild are isolated, and then these settings hold. */
static void begin(struct play *play, const char *const *settings)
{
    const char *all[2 * MOST_SETTINGS + 1] = {NULL};
    size_t count = 0;
    scratch_make(&play->scratch);
    if (!scratch_plugin(&play->scratch, "wild.so", "wild"))
        exit(77);
    snprintf(play->folders, sizeof(play->folders), "[\"%s\",\"%s\"]", stage_plugins(), play->scratch.path);
    snprintf(play->helper, sizeof(play->helper), "%s", scratch_helper());
    snprintf(play->url, sizeof(play->url), "http://127.0.0.1:%d/openai/v1", stage_port());
    const char *const usual[] = {"plugin_path",
                                 play->folders,
                                 "isolate_helper",
                                 play->helper,
                                 "providers.openai.isolate",
                                 "true",
                                 "providers.openai.isolate_timeout",
                                 "60s",
                                 "providers.wild.isolate",
                                 "true",
                                 "providers.wild.isolate_timeout",
                                 "60s",
                                 "providers.wild.base_url",
                                 play->url,
                                 "providers.wild.api_key",
                                 STAGE_KEY};
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        all[count++] = usual[i];
    while (settings && *settings && count < 2 * MOST_SETTINGS)
        all[count++] = *settings++;
    play->descriptors = stage_descriptors();
    play->scene = scene_open(all);
}
#define BEGIN(play, ...) begin((play), (const char *const[]){__VA_ARGS__, NULL})

static size_t children_of(pid_t pid, pid_t *ret, size_t most)
{
    char path[64];
    size_t count = 0;
    int child;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while (fscanf(file, "%d", &child) == 1 && count < most)
        ret[count++] = child;
    fclose(file);
    return count;
}

static bool is_helper(pid_t pid)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool is_read = fgets(name, sizeof(name), file) != NULL;
    fclose(file);
    return is_read && strcmp(name, "koine-isolate\n") == 0;
}

/* Helpers of a process; the first in *ret (may be NULL). */
static size_t helpers_of(pid_t parent, pid_t *ret)
{
    pid_t children[64];
    size_t count = children_of(parent, children, 64), helpers = 0;
    for (size_t i = 0; i < count; i++)
        if (is_helper(children[i]) && helpers++ == 0 && ret)
            *ret = children[i];
    return helpers;
}

/* Nothing is left: no process, not even a dead one, and no descriptor. */
static void end(struct play *play)
{
    scene_close(&play->scene);
    ASSERT_INT(helpers_of(getpid(), NULL), 0);
    ASSERT_INT(stage_descriptors(), play->descriptors);
    scratch_remove(&play->scratch);
}

/* ---- Calls ----------------------------------------------------------------------------------------- */

static char words[4096]; /* of the last call: its answer, or its fault */

static int keep(koine_response *response, koine_error *error)
{
    int class_number = error ? koine_error_class(error) : KOINE_CLASS_NONE;
    const char *text = response ? koine_response_text(response, NULL) : koine_error_message(error);
    snprintf(words, sizeof(words), "%s", text ? text : "");
    koine_response_free(response);
    koine_error_free(error);
    return class_number;
}

static int ask(struct play *play, const char *target, int stream)
{
    koine_response *response = NULL;
    koine_error *error = NULL;
    koine_request *request = stage_request(target, stream);
    koine_generate(play->scene.client, request, &response, &error);
    koine_request_free(request);
    return keep(response, error);
}

static int ask_route(struct play *play, const char *route, int stream, char *ret_target, size_t size)
{
    koine_response *response = NULL;
    koine_error *error = NULL;
    koine_request *request = NULL;
    CU_ASSERT_EQUAL_FATAL(koine_request_new(&request), KOINE_OK);
    koine_request_message(request, "user", "Say it.");
    koine_request_set_route(request, route);
    koine_request_set_stream(request, stream);
    koine_generate(play->scene.client, request, &response, &error);
    koine_request_free(request);
    snprintf(ret_target, size, "%s", response ? koine_response_target(response) : "");
    return keep(response, error);
}

/* ---- The same as in this process ------------------------------------------------------------------- */

struct told {
    char text[2048];
    koine_usage usage;
    koine_cost cost;
};

static void tell(koine_client *client, int stream, struct told *ret)
{
    koine_response *response = NULL;
    koine_error *error = NULL;
    koine_request *request = stage_request("openai/gpt-4o-mini", stream);
    ASSERT_INT(koine_generate(client, request, &response, &error), KOINE_OK);
    ret->usage = (koine_usage)KOINE_USAGE_INIT;
    ret->cost = (koine_cost)KOINE_COST_INIT;
    koine_response_usage(response, &ret->usage);
    koine_response_cost(response, &ret->cost);
    snprintf(ret->text, sizeof(ret->text), "%s", koine_response_text(response, NULL));
    koine_request_free(request);
    koine_response_free(response);
    koine_error_free(error);
}

static void same_answers(void)
{
    struct play play;
    struct told here, there;
    begin(&play, NULL);
    struct scene direct = scene_open(NULL);
    for (int stream = 0; stream < 2; stream++) {
        tell(direct.client, stream, &here);
        tell(play.scene.client, stream, &there);
        CU_ASSERT_TRUE(strlen(here.text) > 100);
        ASSERT_STR(there.text, here.text);
        CU_ASSERT_EQUAL(memcmp(&there.usage, &here.usage, sizeof(here.usage)), 0);
        ASSERT_INT(there.cost.state, KOINE_PRICED);
        CU_ASSERT_TRUE(here.cost.picodollars > 0);
        ASSERT_INT(there.cost.picodollars, here.cost.picodollars);
        ASSERT_STR(there.cost.price_id, here.cost.price_id);
    }
    ASSERT_INT(helpers_of(getpid(), NULL), 1); /* for openai; the others had nothing to do */
    scene_close(&direct);
    end(&play);
}

static void models_and_prices(void)
{
    struct play play;
    koine_models *here = NULL, *there = NULL;
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost a = KOINE_COST_INIT, b = KOINE_COST_INIT;
    begin(&play, NULL);
    struct scene direct = scene_open(NULL);
    usage.input = 1000;
    usage.output = 100;
    ASSERT_INT(koine_calculate_cost(direct.hub, "openai/gpt-4o-mini", &usage, 1767225600, &a), KOINE_OK);
    ASSERT_INT(koine_calculate_cost(play.scene.hub, "openai/gpt-4o-mini", &usage, 1767225600, &b), KOINE_OK);
    ASSERT_INT(a.state, KOINE_PRICED);
    ASSERT_INT(b.state, KOINE_PRICED);
    ASSERT_INT(b.picodollars, a.picodollars);
    ASSERT_STR(b.price_id, a.price_id);
    ASSERT_INT(koine_calculate_cost(play.scene.hub, "wild/crash@cost", &usage, 1767225600, &b),
               KOINE_EARGUMENT);
    ASSERT_INT(koine_list_models(direct.client, "openai", &here, NULL), KOINE_OK);
    ASSERT_INT(koine_list_models(play.scene.client, "openai", &there, NULL), KOINE_OK);
    CU_ASSERT_TRUE(koine_models_count(here) > 0);
    ASSERT_INT(koine_models_count(there), koine_models_count(here));
    koine_models_free(here);
    koine_models_free(there);
    scene_close(&direct);
    end(&play);
}

/* ---- Misbehaviour ---------------------------------------------------------------------------------- */

static const struct {
    const char *model, *message;
} misdeeds[] = {
    {"crash@request", "plugin wild was killed by SIGSEGV"},
    {"crash@frame", "plugin wild was killed by SIGSEGV"},
    {"crash@fault!503", "plugin wild was killed by SIGSEGV"},
    {"abort@request", "plugin wild was killed by SIGABRT"},
    {"abort@frame", "plugin wild was killed by SIGABRT"},
    {"exit@request", "plugin wild ended with status 7"},
    {"exit@frame", "plugin wild ended with status 7"},
    {"exit@fault!503", "plugin wild ended with status 7"},
    {"huge@request", "plugin wild wrote more in one answer than an isolated plugin may"},
    {"talk@frame", "plugin wild logged more than 1000 lines of one job"},
    {"forge@request", "plugin wild said what a helper must not"},
    {"forge@frame", "plugin wild said what a helper must not"},
};

/* AddressSanitizer ends the process its own way, by a signal or by exit. */
#ifdef __SANITIZE_ADDRESS__
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

/* Each fails as `plugin`, at once and never again at this target; a healthy call in between has a new helper.
 */
static void misbehaving(void)
{
    struct play play;
    begin(&play, NULL);
    for (size_t i = 0; i < sizeof(misdeeds) / sizeof(misdeeds[0]); i++) {
        char target[96];
        for (int stream = 0; stream < 2; stream++) {
            struct stage_post posts[4];
            snprintf(target, sizeof(target), "wild/%s", misdeeds[i].model);
            ASSERT_INT(ask(&play, target, stream), KOINE_CLASS_PLUGIN);
            if (!IS_SANITIZED)
                ASSERT_STR(words, misdeeds[i].message);
            ASSERT_INT(stage_posts(posts, 4), strstr(target, "@request") ? 0 : 1);
            ASSERT_INT(ask(&play, "wild/healthy", stream), KOINE_CLASS_NONE);
            CU_ASSERT_TRUE(strlen(words) > 100);
            stage_posts(NULL, 0);
        }
    }
    end(&play);
}

static void endless(void)
{
    static const char *const models[] = {"wild/loop@request", "wild/loop@frame", "wild/loop@fault!503"};
    struct play play;
    BEGIN(&play, "providers.wild.isolate_timeout", "300ms");
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        ASSERT_INT(ask(&play, models[i], 0), KOINE_CLASS_PLUGIN);
        /* A busy machine may not even load it in that time. */
        ASSERT_STR(words, "plugin wild took longer than its isolate_timeout");
    }
    end(&play);
}

/* A constructor that crashes costs its own instance: it is listed with the reason, the others load, and a
 * route that begins with it goes on. */
static void crashing_constructor(void)
{
    static const char *const settings[][2] = {
        {"providers.crash_load.isolate", "true"},
        {"providers.crash_load.isolate_timeout", "60s"},
        {"routes.default.targets", "[crash_load/m, together/healthy]"},
    };
    char target[128];
    struct play play;
    koine_providers *list = NULL;
    size_t refused = 0;
    begin(&play, NULL);
    if (scratch_plugin(&play.scratch, "crash_load.so", "crash_load")) {
        for (size_t i = 0; i < 3; i++)
            ASSERT_INT(koine_hub_set(play.scene.hub, settings[i][0], settings[i][1]), KOINE_OK);
        ASSERT_INT(koine_hub_apply(play.scene.hub, NULL), KOINE_OK);
        ASSERT_INT(koine_hub_list_providers(play.scene.hub, &list, NULL), KOINE_OK);
        for (size_t i = 0; i < koine_providers_count(list); i++) {
            if (strcmp(koine_providers_name(list, i), "crash_load") != 0)
                continue;
            refused++;
            CU_ASSERT_PTR_NULL(koine_providers_handle(list, i));
            ASSERT_STR(koine_providers_file(list, i), scratch_path(&play.scratch, "crash_load.so"));
            if (!IS_SANITIZED)
                ASSERT_STR(koine_providers_reason(list, i),
                           "cannot be loaded: its process was killed by SIGILL");
        }
        ASSERT_INT(refused, 1);
        koine_providers_free(list);
        ASSERT_INT(ask_route(&play, "default", 0, target, sizeof(target)), KOINE_CLASS_NONE);
        ASSERT_STR(target, "together/healthy");
        ASSERT_INT(ask(&play, "crash_load/m", 0), KOINE_CLASS_PLUGIN);
        if (!IS_SANITIZED)
            ASSERT_STR(words, "cannot be loaded: its process was killed by SIGILL");
        ASSERT_INT(ask(&play, "wild/healthy", 0), KOINE_CLASS_NONE);
    }
    end(&play);
}

/* A plugin that is another one each time it is loaded. */
static void another_each_time(void)
{
    struct play play;
    begin(&play, NULL);
    if (scratch_plugin(&play.scratch, "fickle.so", "fickle")) {
        ASSERT_INT(koine_hub_set(play.scene.hub, "providers.fickle.isolate", "true"), KOINE_OK);
        ASSERT_INT(koine_hub_set(play.scene.hub, "providers.fickle.isolate_timeout", "60s"), KOINE_OK);
        ASSERT_INT(koine_hub_apply(play.scene.hub, NULL), KOINE_OK);
        ASSERT_INT(ask(&play, "fickle/m", 0), KOINE_CLASS_PLUGIN);
        ASSERT_STR(words, "plugin fickle described itself in another way than before");
    }
    end(&play);
}

/* What was answered is answered, whatever happens while its price is asked. */
static void crashing_price(void)
{
    struct play play;
    begin(&play, NULL);
    ASSERT_INT(ask(&play, "wild/crash@cost", 1), KOINE_CLASS_NONE);
    CU_ASSERT_TRUE(strlen(words) > 100);
    end(&play);
}

static void next_target(void)
{
    char target[128];
    struct play play;
    BEGIN(&play, "routes.a.targets", "[wild/crash@request, together/healthy]", "routes.b.targets",
          "[wild/crash@frame, together/healthy]", "routes.c.targets",
          "[wild/crash@frame, wild/exit@request, openai/gpt-4o-mini]");
    ASSERT_INT(ask_route(&play, "a", 0, target, sizeof(target)), KOINE_CLASS_NONE);
    ASSERT_STR(target, "together/healthy");
    ASSERT_INT(ask_route(&play, "b", 1, target, sizeof(target)), KOINE_CLASS_NONE);
    ASSERT_STR(target, "together/healthy");
    ASSERT_INT(ask_route(&play, "c", 1, target, sizeof(target)), KOINE_CLASS_NONE);
    ASSERT_STR(target, "openai/gpt-4o-mini");
    end(&play);
}

/* Two calls share a helper; the one it had fails, the other goes on with the next. */
static void only_the_call_it_held(void)
{
    struct play play;
    koine_call *calls[2] = {NULL, NULL}, *of;
    const koine_event *event;
    int ends[2] = {0, 0};
    begin(&play, NULL);
    static const char *const targets[] = {"wild/healthy", "wild/crash@frame"};
    for (int i = 0; i < 2; i++) {
        koine_request *request = stage_request(targets[i], 1);
        ASSERT_INT(koine_start(play.scene.client, request, &calls[i], NULL), KOINE_OK);
        koine_request_free(request);
    }
    while (!ends[0] || !ends[1]) {
        while (koine_next(play.scene.client, &of, &event) == 1) {
            int kind = koine_event_kind(event);
            if (kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT)
                ends[of == calls[1]] = kind;
        }
        if ((!ends[0] || !ends[1]) && koine_wait(play.scene.client, 60000) != KOINE_OK)
            break;
    }
    ASSERT_INT(ends[0], KOINE_EVENT_STOP);
    ASSERT_INT(ends[1], KOINE_EVENT_FAULT);
    koine_call_free(calls[0]);
    koine_call_free(calls[1]);
    end(&play);
}

/* After some ends in a row nothing is started for a while; then it is again. */
static void pauses(void)
{
    struct play play;
    int paused = 0, healthy = 0;
    begin(&play, NULL);
    for (int i = 0; i < 40 && !paused; i++) {
        ASSERT_INT(ask(&play, "wild/exit@request", 0), KOINE_CLASS_PLUGIN);
        paused = strcmp(words, "plugin wild ended several times in a row, and is given a pause") == 0;
    }
    CU_ASSERT_TRUE(paused);
    for (int i = 0; i < PATIENCE && !healthy; i++) {
        healthy = ask(&play, "wild/healthy", 0) == KOINE_CLASS_NONE;
        koine_wait(play.scene.client, 50);
    }
    CU_ASSERT_TRUE(healthy);
    end(&play);
}

/* Calls that are freed while a helper has their job, and a client that is freed while one loops. */
static void freed_in_the_middle(void)
{
    struct play play;
    begin(&play, NULL);
    for (int i = 0; i < 3; i++) {
        koine_call *call = NULL;
        koine_request *request = stage_request(i == 2 ? "wild/loop@request" : "wild/healthy", 1);
        ASSERT_INT(koine_start(play.scene.client, request, &call, NULL), KOINE_OK);
        koine_request_free(request);
        for (int round = 0; round <= i; round++)
            koine_wait(play.scene.client, 20);
        if (i < 2)
            koine_call_free(call);
    }
    end(&play);
}

/* ---- What it can reach ----------------------------------------------------------------------------- */

static void locked_in(void)
{
    struct play play;
    begin(&play, NULL);
    ASSERT_INT(ask(&play, "wild/escape@request", 0), KOINE_CLASS_INVALID);
    ASSERT_STR(words,
               "read a file: EACCES, write a file: EACCES, socket: EPERM, fork: EPERM, exec: EPERM, signal: "
               "EPERM, code: EPERM, privileges: EPERM, environment: EPERM");
    CU_ASSERT_NOT_EQUAL(access("/tmp/koine-wild", F_OK), 0);
    end(&play);
}

/* Whether the text stands in memory that the process may write; -1: nobody lets us look. */
static int holds(pid_t pid, const char *text)
{
    char path[64], line[512];
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
    int memory = open(path, O_RDONLY | O_CLOEXEC), found = memory < 0 ? -1 : 0;
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    while (maps && memory >= 0 && fgets(line, sizeof(line), maps)) {
        unsigned long from, to;
        char mode[8];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) != 3 || mode[1] != 'w' || to - from > LARGEST_AREA)
            continue;
        char *area = malloc(to - from);
        ssize_t got = area ? pread(memory, area, to - from, (off_t)from) : -1;
        if (got > 0 && memmem(area, (size_t)got, text, strlen(text)))
            found = 1;
        free(area);
    }
    if (maps)
        fclose(maps);
    if (memory >= 0)
        close(memory);
    return found;
}

/* The document is in its memory, the key is not; nor is there anything else of ours. */
static void no_key(void)
{
    struct play play;
    pid_t helper = 0;
    char path[64], environment[8];
    begin(&play, NULL);
    ASSERT_INT(ask(&play, "openai/gpt-4o-mini", 1), KOINE_CLASS_NONE);
    ASSERT_INT(helpers_of(getpid(), &helper), 1);
    if (holds(helper, "gpt-4o-mini") < 0) {
        suite_skip("the memory of another process cannot be read here");
    } else {
        ASSERT_INT(holds(helper, "gpt-4o-mini"), 1);
        ASSERT_INT(holds(helper, STAGE_KEY), 0);
        snprintf(path, sizeof(path), "/proc/%d/environ", (int)helper);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ASSERT_INT(read(fd, environment, sizeof(environment)), 0);
        close(fd);
    }
    end(&play);
}

/* ---- What the application does with its processes -------------------------------------------------- */

static void children_nobody_waits_for(void)
{
    struct play play;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    begin(&play, NULL);
    sigaction(SIGCHLD, &ignore, &old);
    ASSERT_INT(ask(&play, "wild/crash@request", 0), KOINE_CLASS_PLUGIN);
    ASSERT_STR(words, "plugin wild ended"); /* the system kept no word of how */
    ASSERT_INT(ask(&play, "wild/healthy", 0), KOINE_CLASS_NONE);
    sigaction(SIGCHLD, NULL, &ignore);
    CU_ASSERT_TRUE(ignore.sa_handler == SIG_IGN);
    end(&play);
    sigaction(SIGCHLD, &old, NULL);
}

/* A child after fork frees its copies, and the parent's helper goes on. */
static void after_fork(void)
{
    struct play play;
    int status = -1;
    pid_t before = 0, after = 0;
    begin(&play, NULL);
    ASSERT_INT(ask(&play, "wild/healthy", 0), KOINE_CLASS_NONE);
    helpers_of(getpid(), &before);
    pid_t child = fork();
    if (child == 0) {
        koine_client_free(play.scene.client);
        koine_hub_free(play.scene.hub);
        _exit(helpers_of(getpid(), NULL) == 0 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    ASSERT_INT(status, 0);
    ASSERT_INT(ask(&play, "wild/healthy", 0), KOINE_CLASS_NONE);
    helpers_of(getpid(), &after);
    ASSERT_INT(after, before);
    end(&play);
}

static bool is_gone(pid_t pid)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return true;
    bool is_read = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    const char *state = strrchr(line, ')');
    return !is_read || !state || state[2] == 'Z'; /* somebody else's to bury */
}

/* A process that is killed leaves nobody behind, not even one that computes for ever. */
static void the_end_of_the_parent(void)
{
    struct play play;
    pid_t helper = 0;
    int ready[2];
    struct scratch left = {""};
    CU_ASSERT_EQUAL_FATAL(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        koine_call *call = NULL;
        begin(&play, NULL);
        ask(&play, "wild/healthy", 0);
        koine_request *request = stage_request("wild/loop@request", 0);
        koine_start(play.scene.client, request, &call, NULL);
        koine_wait(play.scene.client, 100);
        if (write(ready[1], &play.scratch, sizeof(play.scratch)) > 0)
            pause();
        _exit(1);
    }
    CU_ASSERT_EQUAL_FATAL(read(ready[0], &left, sizeof(left)), (ssize_t)sizeof(left));
    ASSERT_INT(helpers_of(child, &helper), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (int i = 0; i < PATIENCE && !is_gone(helper); i++)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    CU_ASSERT_TRUE(is_gone(helper));
    scratch_remove(&left);
    close(ready[0]);
    close(ready[1]);
}

static void *ask_often(void *arg)
{
    struct play *play = arg;
    koine_client *client = NULL;
    size_t answers = 0;
    if (koine_client_new(play->scene.hub, &client, NULL) != KOINE_OK)
        return NULL;
    for (int i = 0; i < 5; i++) {
        koine_response *response = NULL;
        koine_request *request = stage_request(i == 2 ? "wild/exit@frame" : "wild/healthy", 1);
        answers += koine_generate(client, request, &response, NULL) == KOINE_OK;
        koine_request_free(request);
        koine_response_free(response);
    }
    koine_client_free(client);
    return answers == 4 ? play : NULL;
}

/* Each client has helpers of its own. */
static void many_clients(void)
{
    struct play play;
    pthread_t threads[4];
    begin(&play, NULL);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, ask_often, &play), 0);
    for (size_t i = 0; i < 4; i++) {
        void *ret = NULL;
        pthread_join(threads[i], &ret);
        CU_ASSERT_PTR_EQUAL(ret, &play);
    }
    end(&play);
}

static void *ask_in_thread(void *arg)
{
    ask(arg, "wild/healthy", 0);
    return NULL;
}

/* A client may go from thread to thread, and the first one may end, and its helpers with it. */
static void the_end_of_a_thread(void)
{
    struct play play;
    pthread_t thread;
    pid_t before = 0, after = 0;
    begin(&play, NULL);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, ask_in_thread, &play), 0);
    pthread_join(thread, NULL);
    helpers_of(getpid(), &before);
    ASSERT_INT(ask(&play, "wild/healthy", 0), KOINE_CLASS_NONE);
    helpers_of(getpid(), &after);
    CU_ASSERT_TRUE(after > 0 && after != before);
    end(&play);
}

SUITE_MAIN("isolate", {"the same answers", same_answers}, {"models and prices", models_and_prices},
           {"misbehaving", misbehaving}, {"endless", endless}, {"a price that crashes", crashing_price},
           {"a constructor that crashes", crashing_constructor}, {"another each time", another_each_time},
           {"many clients", many_clients}, {"the next target", next_target},
           {"only the call it held", only_the_call_it_held}, {"pauses", pauses},
           {"freed in the middle", freed_in_the_middle}, {"locked in", locked_in}, {"no key", no_key},
           {"children nobody waits for", children_nobody_waits_for}, {"after fork", after_fork},
           {"the end of the parent", the_end_of_the_parent}, {"the end of a thread", the_end_of_a_thread})
