/* calls: what whole calls cost where no network is: refused ones, from a request made beforehand to the fault
 * that was read; those that stand in line and give up; and what the policies add to a call that is answered.
 * The engine is the real one, on a transport that answers from a script, on the system's clock.
 *
 *   calls FOLDER                (of plugins)
 *   calls FOLDER WHAT COUNT     (one of them alone, for valgrind to count: breaker, queue, latch,
 *                                bare, default, limited, waiters: so many together)
 */
#include "tests/bench/stopwatch.h"

#include "core/hub/client.h"
#include "core/wire/transport_replay.h"

#include <koine/koine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 21,
    CALLS = 2000, /* of a round */
    MOST_WAITERS = 10000
};
#define TARGET "openai/gpt-4o-mini"
#define SECOND "together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"
#define TEXT(s)                                                                                              \
    {                                                                                                        \
        s, sizeof(s) - 1                                                                                     \
    }

/* ---- What servers say ---- */

static const struct koine__header json_head[] = {{TEXT("content-type"), TEXT("application/json")}};
static const struct koine__replay_chunk whole[] = {
    {0, TEXT("{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"gpt-4o-mini\","
             "\"choices\":[{"
             "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Because of scattering.\"},"
             "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":15,\"completion_tokens\":4,"
             "\"total_tokens\":19}}")}};
static const struct koine__replay_chunk refusal[] = {{0, TEXT("{\"error\":{\"message\":\"no\"}}")}};

static const struct koine__replay_answer answering = {.repeat = true,
                                                      .status = 200,
                                                      .headers = json_head,
                                                      .header_count = 1,
                                                      .chunks = whole,
                                                      .chunk_count = 1};
static const struct koine__replay_answer hanging = {.repeat = true, .hang = true};
static const struct koine__replay_answer failing = {.repeat = true,
                                                    .status = 503,
                                                    .headers = json_head,
                                                    .header_count = 1,
                                                    .chunks = refusal,
                                                    .chunk_count = 1};
static const struct koine__replay_answer mixed[] = {
    {.match = "openai",
     .repeat = true,
     .status = 401,
     .headers = json_head,
     .header_count = 1,
     .chunks = refusal,
     .chunk_count = 1},
    {.repeat = true,
     .status = 503,
     .headers = json_head,
     .header_count = 1,
     .chunks = refusal,
     .chunk_count = 1},
};

/* ---- A hub ---- */

struct scene {
    const char *plugins;
    const struct koine__replay_answer *answers;
    size_t answer_count;
    struct koine__world world;
    koine_hub *hub;
    koine_client *client;
    koine_request *request;
    struct koine__transport *transport;
};

__attribute__((noreturn)) static void give_up(const char *what, koine_error *error)
{
    fprintf(stderr, "calls: %s: %s\n", what, error ? koine_error_message(error) : "no memory");
    exit(1);
}

static int open_transport(void *arg, struct koine__loop *loop, struct koine__transport **ret)
{
    struct scene *scene = arg;
    int rc = koine__transport_replay_new(loop, scene->answers, scene->answer_count, ret);
    scene->transport = *ret;
    return rc;
}

static void open_scene(struct scene *scene, const char *const *settings)
{
    koine_error *error = NULL;
    char list[4200];
    scene->world.transport = open_transport;
    scene->world.transport_arg = scene;
    if (koine_hub_new(&scene->hub, &error) != KOINE_OK)
        give_up("no hub", error);
    koine__hub_set_world(scene->hub, &scene->world);
    snprintf(list, sizeof(list), "[\"%s\"]", scene->plugins);
    koine_hub_set(scene->hub, "plugin_path", list);
    koine_hub_set(scene->hub, "providers.openai.api_key", "not-a-real-key");
    koine_hub_set(scene->hub, "providers.together.api_key", "neither-a-real-key");
    for (; settings && settings[0]; settings += 2)
        koine_hub_set(scene->hub, settings[0], settings[1]);
    if (koine_hub_apply(scene->hub, &error) != KOINE_OK ||
        koine_client_new(scene->hub, &scene->client, &error) != KOINE_OK)
        give_up("no client", error);
    if (koine_request_new(&scene->request) != KOINE_OK)
        give_up("no request", NULL);
    koine_request_message(scene->request, "user", "In two sentences: why is the sky blue?");
    koine_request_set_integer(scene->request, "max_tokens", 400);
}

static void close_scene(struct scene *scene)
{
    koine_request_free(scene->request);
    koine_client_free(scene->client);
    koine_hub_free(scene->hub);
}

/* ---- Calls ---- */

/* As an application with a loop of its own: reads what there is, and lets the client work where there is
 * nothing. Returns the class of the fault; 0: an answer. */
static int start_and_read(const struct scene *scene)
{
    koine_call *call, *whose;
    koine_error *error = NULL;
    const koine_event *event;
    int kind = 0, class_number;
    if (koine_start(scene->client, scene->request, &call, &error) != KOINE_OK)
        give_up("koine_start", error);
    while (kind != KOINE_EVENT_FAULT && kind != KOINE_EVENT_STOP) {
        if (koine_next(scene->client, &whose, &event) == 1)
            kind = koine_event_kind(event);
        else if (koine_wait(scene->client, -1) != KOINE_OK)
            give_up("koine_wait", NULL);
    }
    class_number = koine_error_class(koine_event_error(event));
    koine_call_free(call);
    return class_number;
}

static int generate(const struct scene *scene)
{
    koine_response *answer = NULL;
    koine_error *error = NULL;
    koine_generate(scene->client, scene->request, &answer, &error);
    int class_number = koine_error_class(error);
    koine_error_free(error);
    koine_response_free(answer);
    return class_number;
}

static void make_calls(const struct scene *scene, int (*make)(const struct scene *), int class_number,
                       int count)
{
    size_t asked = koine__replay_count(scene->transport);
    for (int i = 0; i < count; i++)
        if (make(scene) != class_number)
            give_up("a call ended otherwise than it should", NULL);
    if (class_number == KOINE_CLASS_REFUSED && koine__replay_count(scene->transport) != asked)
        give_up("a refused call reached its server", NULL);
}

static double cost_of(struct stopwatch *watch, const struct scene *scene, int (*make)(const struct scene *),
                      int class_number)
{
    double ns[ROUNDS];
    make_calls(scene, make, class_number, CALLS);
    for (int i = 0; i < ROUNDS; i++) {
        stopwatch_start(watch);
        make_calls(scene, make, class_number, CALLS);
        stopwatch_stop(watch);
        ns[i] = watch->ns / CALLS;
    }
    return median(ns, ROUNDS);
}

static void print(const char *title, double ns, double target)
{
    char wanted[16] = "-";
    if (target > 0)
        snprintf(wanted, sizeof(wanted), "%.0f ns", target);
    printf("%-44s %7.0f ns %10s %7s %7s%s\n", title, ns, "", "", wanted,
           target > 0 ? (ns <= target ? " ok" : " MISSED") : "");
    fflush(stdout);
}

/* ---- Refused ---- */

static void open_breaker(struct scene *scene)
{
    static const char *const settings[] = {"providers.openai.retry.max_retries", "0",
                                           "providers.openai.breaker.open_for", "1h", NULL};
    scene->answers = &failing;
    scene->answer_count = 1;
    open_scene(scene, settings);
    koine_request_set_target(scene->request, TARGET);
    while (generate(scene) != KOINE_CLASS_REFUSED)
        ;
}

static void fill_queue(struct scene *scene)
{
    static const char *const settings[] = {"providers.openai.limits.concurrent", "1",
                                           "providers.openai.limits.queue", "0", NULL};
    koine_call *call;
    scene->answers = &hanging;
    scene->answer_count = 1;
    open_scene(scene, settings);
    koine_request_set_target(scene->request, TARGET);
    if (koine_start(scene->client, scene->request, &call, NULL) != KOINE_OK ||
        koine_process(scene->client) != KOINE_OK)
        give_up("koine_start", NULL);
}

/* Where every target is latched one is tried all the same, so the second is one whose breaker is open. */
static void latch_first(struct scene *scene)
{
    static const char *const settings[] = {"providers.together.retry.max_retries",
                                           "0",
                                           "providers.together.breaker.open_for",
                                           "1h",
                                           "providers.openai.latch",
                                           "1h",
                                           "routes.default.targets",
                                           "[" TARGET ", " SECOND "]",
                                           NULL};
    scene->answers = mixed;
    scene->answer_count = 2;
    open_scene(scene, settings);
    koine_request_set_route(scene->request, "default");
    for (size_t asked = SIZE_MAX; asked != koine__replay_count(scene->transport);) {
        asked = koine__replay_count(scene->transport);
        generate(scene);
    }
}

static const struct refusal {
    const char *name, *title;
    void (*open)(struct scene *scene);
} refusals[] = {
    {"breaker", "its only target's breaker is open", open_breaker},
    {"queue", "the queue is full", fill_queue},
    {"latch", "latched, and the next one's breaker open", latch_first},
};
enum {
    REFUSALS = sizeof(refusals) / sizeof(refusals[0])
};

static void measure_refused(struct stopwatch *watch, const char *plugins)
{
    for (size_t i = 0; i < REFUSALS; i++) {
        struct scene scene = {.plugins = plugins};
        char title[80];
        refusals[i].open(&scene);
        snprintf(title, sizeof(title), "refused: %s", refusals[i].title);
        print(title, cost_of(watch, &scene, start_and_read, KOINE_CLASS_REFUSED), 3000);
        print("  by koine_generate", cost_of(watch, &scene, generate, KOINE_CLASS_REFUSED), 3000);
        close_scene(&scene);
    }
}

/* ---- Waiting ---- */

static void shuffle(koine_call **calls, int count)
{
    struct koine__random dice;
    koine__random_seed(&dice, 1);
    for (int i = count - 1; i > 0; i--) {
        int64_t j = koine__random_below(&dice, i + 1);
        koine_call *swapped = calls[i];
        calls[i] = calls[j];
        calls[j] = swapped;
    }
}

/* All start and come to stand in line; then they give up, in another order, at random. */
static void wait_and_give_up(struct scene *scene, koine_call **calls, int count)
{
    for (int i = 0; i < count; i++)
        if (koine_start(scene->client, scene->request, &calls[i], NULL) != KOINE_OK)
            give_up("koine_start", NULL);
    koine_process(scene->client);
    shuffle(calls, count);
    for (int i = 0; i < count; i++) {
        koine_call_cancel(calls[i]);
        koine_call_free(calls[i]);
    }
}

static double waiters(struct stopwatch *watch, const char *plugins, int count, int rounds)
{
    static const char *const settings[] = {"providers.openai.limits.concurrent", "1",
                                           "providers.openai.limits.queue", "20000", NULL};
    static koine_call *calls[MOST_WAITERS];
    struct scene scene = {.plugins = plugins, .answers = &hanging, .answer_count = 1};
    double ns[ROUNDS];
    koine_call *holder;
    open_scene(&scene, settings);
    koine_request_set_target(scene.request, TARGET);
    koine_start(scene.client, scene.request, &holder, NULL);
    koine_process(scene.client);
    for (int i = 0; i < rounds; i++) {
        int done = 0;
        stopwatch_start(watch);
        for (; done < MOST_WAITERS; done += count)
            wait_and_give_up(&scene, calls, count);
        stopwatch_stop(watch);
        ns[i] = watch->ns / done;
    }
    close_scene(&scene);
    return median(ns, rounds);
}

/* ---- Answered ---- */

static enum koine__pass let_pass(void *self, struct koine__ticket *ticket, int64_t now,
                                 struct koine__fault *ret_fault)
{
    (void)self;
    (void)ticket;
    (void)now;
    (void)ret_fault;
    return KOINE__PASS_GO;
}

/* Bare: the same engine with stages that say nothing but go, and with all that can be off, off. */
static void open_answered(struct scene *scene, const char *const *settings, bool bare)
{
    static const struct koine__gate_stage none = {.enter = let_pass};
    static const char *const nothing[] = {"providers.openai.breaker.failures",
                                          "off",
                                          "providers.openai.latch",
                                          "off",
                                          "providers.openai.retry.budget",
                                          "off",
                                          NULL};
    scene->answers = &answering;
    scene->answer_count = 1;
    for (size_t i = 0; bare && i < KOINE__STAGES; i++)
        scene->world.stages[i] = &none;
    open_scene(scene, bare ? nothing : settings);
    koine_request_set_target(scene->request, TARGET);
}

/* In turn, so that both see the same machine. */
static void measure_difference(struct stopwatch *watch, const char *plugins, const char *title,
                               const char *const *settings)
{
    struct scene scenes[2] = {{.plugins = plugins}, {.plugins = plugins}};
    double ns[2][ROUNDS], more[ROUNDS];
    for (int side = 0; side < 2; side++) {
        open_answered(&scenes[side], side ? settings : NULL, side == 0);
        make_calls(&scenes[side], generate, KOINE_CLASS_NONE, CALLS);
    }
    for (int i = 0; i < ROUNDS; i++) {
        for (int j = 0; j < 2; j++) {
            int side = (i + j) % 2;
            stopwatch_start(watch);
            make_calls(&scenes[side], generate, KOINE_CLASS_NONE, CALLS);
            stopwatch_stop(watch);
            ns[side][i] = watch->ns / CALLS;
        }
        more[i] = ns[1][i] - ns[0][i];
    }
    printf("%-44s %7.1f us %7.1f us %+6.0f ns\n", title, median(ns[1], ROUNDS) / 1e3,
           median(ns[0], ROUNDS) / 1e3, median(more, ROUNDS));
    for (int side = 0; side < 2; side++)
        close_scene(&scenes[side]);
}

static const char *const limited[] = {"providers.openai.limits.requests_per_minute", "1000000",
                                      "providers.openai.limits.concurrent", "64", NULL};

static int run_only(const char *plugins, const char *what, int count)
{
    for (size_t i = 0; i < REFUSALS; i++) {
        struct scene scene = {.plugins = plugins};
        if (strcmp(refusals[i].name, what) != 0)
            continue;
        refusals[i].open(&scene);
        make_calls(&scene, start_and_read, KOINE_CLASS_REFUSED, count);
        close_scene(&scene);
        return 0;
    }
    if (strcmp(what, "waiters") == 0) {
        struct stopwatch watch;
        stopwatch_open(&watch);
        print("waits in line and gives up", waiters(&watch, plugins, count, 1), 0);
        return 0;
    }
    struct scene scene = {.plugins = plugins};
    open_answered(&scene, strcmp(what, "limited") == 0 ? limited : NULL, strcmp(what, "bare") == 0);
    make_calls(&scene, generate, KOINE_CLASS_NONE, count);
    close_scene(&scene);
    return 0;
}

int main(int argc, char **argv)
{
    struct stopwatch watch;
    if (argc == 4)
        return run_only(argv[1], argv[2], atoi(argv[3]));
    if (argc != 2)
        give_up("usage: calls FOLDER [WHAT COUNT]", NULL);
    stopwatch_open(&watch);
    measure_refused(&watch, argv[1]);
    print("waits in line and gives up, 1,000 together", waiters(&watch, argv[1], 1000, 5), 0);
    print("  10,000", waiters(&watch, argv[1], 10000, 5), 0);
    measure_difference(&watch, argv[1], "a call, beside one without policies", NULL);
    measure_difference(&watch, argv[1], "  with limits", limited);
    return 0;
}
