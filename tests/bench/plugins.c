/* plugins: what plugins cost. How long twelve of them take to load, with their catalogues, each time in a
 * process that has loaded none; and what one event of a stream costs that goes through the bridge: into this
 * process, and into a helper and back.
 *
 *   plugins --twelve FOLDER --providers FOLDER --helper PROGRAM
 */
#include "tests/bench/stopwatch.h"

#include "core/plugin/bridge_isolated.h"
#include "core/plugin/host.h"
#include "core/plugin/loader.h"

#include <koine/koine.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOADS = 25,
    ROUNDS = 21,
    EVENTS = 2000
};

static const char text[] =
    "{\"id\":\"chatcmpl-9f0c2b7e51aa4d\",\"object\":\"chat.completion.chunk\",\"created\":1764547200,"
    "\"model\":\"gpt-4o-mini-2024-07-18\",\"system_fingerprint\":\"fp_06737a9306\",\"choices\":[{\"index\":0,"
    "\"delta\":{\"content\":\" token\"},\"logprobs\":null,\"finish_reason\":null}]}";

static struct {
    const char *twelve, *providers, *helper;
} given;

__attribute__((noreturn)) static void give_up(const char *what)
{
    fprintf(stderr, "plugins: %s\n", what);
    exit(1);
}

/* ---- Loading --------------------------------------------------------------------------------------- */

struct load { /* in ms */
    double wall, cpu;
};

static struct load load_twelve(void)
{
    char folders[4096];
    struct stopwatch watch;
    koine_hub *hub = NULL;
    koine_error *error = NULL;
    koine_providers *list = NULL;
    size_t handles = 0;
    double from = wall_ns();
    stopwatch_open(&watch);
    stopwatch_start(&watch);
    snprintf(folders, sizeof(folders), "[\"%s\"]", given.twelve);
    if (koine_hub_new(&hub, NULL) != KOINE_OK || koine_hub_set(hub, "plugin_path", folders) != KOINE_OK ||
        koine_hub_apply(hub, &error) != KOINE_OK)
        give_up(error ? koine_error_message(error) : "no memory");
    stopwatch_stop(&watch);
    const struct load load = {(wall_ns() - from) / 1e6, watch.ns / 1e6};
    if (koine_hub_list_providers(hub, &list, NULL) != KOINE_OK)
        give_up("no memory");
    for (size_t i = 0; i < koine_providers_count(list); i++)
        handles += koine_providers_handle(list, i) &&
                   strncmp(koine_providers_file(list, i), given.twelve, strlen(given.twelve)) == 0;
    if (handles != 12)
        give_up("there are not twelve providers");
    return load;
}

static struct load in_a_new_process(void)
{
    int said[2];
    struct load load = {0, 0};
    if (pipe(said) < 0)
        give_up("no pipe");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        load = load_twelve();
        _exit(write(said[1], &load, sizeof(load)) == sizeof(load) ? 0 : 1);
    }
    close(said[1]);
    if (read(said[0], &load, sizeof(load)) != sizeof(load))
        give_up("the twelve could not be loaded");
    close(said[0]);
    waitpid(pid, NULL, 0);
    return load;
}

static void time_loads(void)
{
    double wall[LOADS], cpu[LOADS];
    in_a_new_process(); /* the files are in memory then */
    for (int i = 0; i < LOADS; i++) {
        struct load load = in_a_new_process();
        wall[i] = load.wall;
        cpu[i] = load.cpu;
    }
    double is = median(wall, LOADS);
    printf("%-44s %7.2f ms %10s %7s %7s %s\n", "twelve providers and catalogues load (wall)", is, "", "",
           "10.00", is <= 10 ? "ok" : "MISSED");
    printf("%-44s %7.2f ms\n", "  CPU time", median(cpu, LOADS));
    fflush(stdout);
}

/* ---- Events ---------------------------------------------------------------------------------------- */

static size_t emitted;

static void emit(koine_sink *sink, const koine_provider_event *what)
{
    (void)sink;
    emitted += what->kind == KOINE_EMIT_TEXT ? what->text.len : 0;
}

static koine_str no_header(const koine_frame *frame, const char *name)
{
    (void)frame, (void)name;
    return (koine_str){NULL, 0};
}

struct reading {
    struct koine__loop *loop;
    struct koine__isolating isolating;
    struct koine__arena arena;
    struct koine__host host;
    const koine_provider *provider;
    koine_sink sink;
    void *state;
    bool is_done;
};

static void on_done(struct koine__job *job)
{
    *(bool *)job->owner = true;
}

/* As the engine does it: the text is parsed, and the job goes to the bridge. */
static void read_event(struct reading *r)
{
    const koine_node *root = NULL;
    koine__arena_reset(&r->arena);
    koine__json_read((koine_str){text, sizeof(text) - 1}, &r->arena, &root, NULL);
    koine_frame frame = {.size = sizeof(frame),
                         .kind = KOINE_FRAME_SSE,
                         .http_status = 200,
                         .text = {text, sizeof(text) - 1},
                         .json = root,
                         .header = no_header};
    koine_read read = {.size = sizeof(read),
                       .self = r->provider,
                       .host = &r->host.pub,
                       .frame = &frame,
                       .state = r->state,
                       .model = {"gpt-4o-mini", 11}};
    struct koine__job job = {.kind = KOINE__JOB_FRAME,
                             .provider = r->provider,
                             .exchange = r->provider->generate,
                             .read = &read,
                             .sink = &r->sink,
                             .done = on_done,
                             .owner = &r->is_done};
    r->is_done = r->isolating.pub.call(&r->isolating.pub, &job) == KOINE__ANSWERED;
    while (!r->is_done)
        if (koine__loop_wait(r->loop, KOINE__NEVER) < 0 || koine__loop_process(r->loop) < 0)
            give_up("the loop failed");
    if (job.failure || job.answer != KOINE_DONE)
        give_up(job.failure ? job.failure : "an event was not read");
}

static void set_up(struct reading *r, const koine_provider *provider)
{
    *r = (struct reading){.provider = provider, .sink = {sizeof(koine_sink), emit}};
    if (koine__loop_new(&koine__system_clock, &r->loop) != KOINE_OK)
        give_up("no loop");
    koine__isolating_init(&r->isolating, r->loop, NULL);
    koine__arena_init(&r->arena, 0);
    koine__host_init(&r->host, &(struct koine__host_env){.arena = &r->arena});
    r->state = calloc(1, provider->generate->state_size);
    if (!r->state)
        give_up("no memory");
}

static void take_down(struct reading *r)
{
    koine__isolating_release(&r->isolating);
    koine__loop_free(r->loop);
    koine__arena_release(&r->arena);
    free(r->state);
}

struct price { /* of one event, in us */
    double wall, cpu;
};

static struct price time_events(struct stopwatch *watch, struct reading *r)
{
    double from = wall_ns();
    stopwatch_start(watch);
    for (int i = 0; i < EVENTS; i++)
        read_event(r);
    stopwatch_stop(watch);
    return (struct price){(wall_ns() - from) / 1e3 / EVENTS, watch->ns / 1e3 / EVENTS};
}

static void compare_events(const koine_provider *direct, const koine_provider *isolated)
{
    double wall[2][ROUNDS], cpu[2][ROUNDS];
    struct stopwatch watch;
    struct reading r[2];
    set_up(&r[0], direct);
    set_up(&r[1], isolated);
    stopwatch_open(&watch);
    for (int i = -1; i < ROUNDS; i++)
        for (int j = 0; j < 2; j++) {
            struct price price = time_events(&watch, &r[j]);
            wall[j][i < 0 ? 0 : i] = price.wall;
            cpu[j][i < 0 ? 0 : i] = price.cpu;
        }
    take_down(&r[0]);
    take_down(&r[1]);
    if (emitted == 0)
        give_up("no event was read");
    double a = median(wall[1], ROUNDS), b = median(wall[0], ROUNDS);
    printf("%-44s %7.2f us %7.2f us %7.1f %7s\n", "an event, isolated beside direct (wall)", a, b, a / b,
           "-");
    a = median(cpu[1], ROUNDS), b = median(cpu[0], ROUNDS);
    printf("%-44s %7.2f us %7.2f us %7.1f %7s\n", "  CPU time of the application's process", a, b, a / b,
           "-");
}

static void time_a_start(const struct koine__isolated *isolated)
{
    char how[64];
    double ms[LOADS];
    struct koine__helper helper;
    for (int i = 0; i < LOADS; i++) {
        double from = wall_ns();
        koine_str hello = koine__isolated_hello(isolated);
        if (koine__isolated_start(isolated, &helper) != 0 ||
            write(helper.fd, hello.ptr, hello.len) != (ssize_t)hello.len)
            give_up("the helper could not be started");
        poll(&(struct pollfd){.fd = helper.fd, .events = POLLIN}, 1, -1);
        ms[i] = (wall_ns() - from) / 1e6;
        koine__helper_kill(&helper);
        koine__helper_reap(&helper, how, sizeof(how));
    }
    printf("%-44s %7.2f ms\n", "  a helper starts and has loaded its plugin", median(ms, LOADS));
}

static void time_events_of_both(void)
{
    koine_error *error = NULL;
    const struct koine__plugin *plugin = NULL;
    struct koine__isolated *isolated = NULL;
    const struct koine__isolated_spec spec = {.program = given.helper, .timeout = 60 * KOINE__SEC};
    if (koine__plugin_load(given.providers, "openai.so", koine__process_host(), &plugin, &error) !=
            KOINE_OK ||
        koine__isolated_open(given.providers, "openai.so", &spec, &isolated, &error) != KOINE_OK)
        give_up(koine_error_message(error));
    compare_events(plugin->providers[0], koine__isolated_provider(isolated, 0));
    time_a_start(isolated);
    koine__isolated_unref(isolated);
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--twelve") == 0)
            given.twelve = argv[i + 1];
        else if (strcmp(argv[i], "--providers") == 0)
            given.providers = argv[i + 1];
        else if (strcmp(argv[i], "--helper") == 0)
            given.helper = argv[i + 1];
    }
    if (!given.twelve || !given.providers || !given.helper)
        give_up("usage: plugins --twelve FOLDER --providers FOLDER --helper PROGRAM");
    time_loads();
    time_events_of_both();
    return 0;
}
