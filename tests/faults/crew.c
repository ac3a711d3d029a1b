/* crew: see crew.h. */
#include "tests/faults/crew.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char whole_text[] = "The common speech of many peoples is learned"; /* eight tokens */

/* What may be met, and at which instance: `timid` waits for 200 ms at most, `locked` forgets at once that a
 * key was wrong or a model gone. */
static const struct {
    const char *instance, *behaviour;
} faults[] = {
    {"together", "429"},       {"together", "429-bare"},
    {"together", "500"},       {"together", "503"},
    {"together", "529"},       {"together", "html"},
    {"together", "html-200"},  {"together", "redirect"},
    {"together", "reset"},     {"together", "cut"},
    {"together", "cut-clean"}, {"together", "malformed"},
    {"together", "no-done"},   {"together", "error-in-stream"},
    {"together", "no-usage"},  {"together", "content-filter"},
    {"together", "flapping"},  {"together", "context-length"},
    {"timid", "silence"},      {"timid", "stalled"},
    {"timid", "keepalive"},    {"timid", "slow"},
    {"locked", "401"},         {"locked", "quota"},
    {"locked", "404"},
};
enum {
    FAULTS = sizeof(faults) / sizeof(faults[0]),
    HELD = 1, /* bits of what a call is */
    ALONE = 2 /* no fallback */
};

struct flight { /* one call under way */
    struct worker *worker;
    koine_call *call; /* NULL: the place is free */
    int terminals;
    size_t heard; /* bytes of text */
};

struct worker {
    struct crew *crew;
    pthread_t thread;
    koine_client *client;
    struct flight flights[CREW_FLIGHT];
    size_t in_flight;
};

struct crew {
    uint64_t seed;
    struct tally tally;
    struct worker workers[CREW_FLYERS + CREW_WAITERS];
    size_t count;
    _Atomic int64_t next, until;
    atomic_bool ends;
    pthread_barrier_t starts, rests;
};

/* ---- what a call is ---- */

struct errand {
    bool is_streamed, is_faulty;
    char route[48];
};

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static const char *route_name(char ret[48], const char *what, unsigned how)
{
    snprintf(ret, 48, "%s-%s%s", what, how & HELD ? "held" : "live", how & ALONE ? "-alone" : "");
    return ret;
}

static struct errand errand_of(const struct crew *crew, int64_t number)
{
    uint64_t bits = mix(crew->seed ^ mix((uint64_t)number));
    struct errand errand = {.is_faulty = bits % 1000 < CREW_PER_MILLE, .is_streamed = bits >> 20 & 1};
    route_name(errand.route, errand.is_faulty ? faults[(bits >> 32) % FAULTS].behaviour : "healthy",
               bits >> 21 & (HELD | ALONE));
    return errand;
}

static koine_request *request_of(const struct errand *errand)
{
    koine_request *request = NULL;
    if (koine_request_new(&request) != KOINE_OK)
        return NULL;
    koine_request_message(request, "user", "Say it.");
    koine_request_set_route(request, errand->route);
    koine_request_set_stream(request, errand->is_streamed);
    return request;
}

/* ---- the settings ---- */

static int set_instance(koine_hub *hub, const char *name, int port, const char *timeout)
{
    static const char *const timers[] = {"connect", "first_byte", "first_token", "idle", "progress", "total"};
    char path[96], url[96];
    const char *provider = strcmp(name, "openai") == 0 ? "openai" : "together";
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/%s/v1", port, provider);
    const char *const values[][2] = {
        {"plugin", provider},       {"base_url", url},           {"api_key", "a-key"},
        {"retry.max_retries", "1"}, {"retry.base_delay", "1ms"}, {"limits.concurrent", "32"},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(path, sizeof(path), "providers.%s.%s", name, values[i][0]);
        failed |= koine_hub_set(hub, path, values[i][1]);
    }
    for (size_t i = 1; timeout && i < sizeof(timers) / sizeof(timers[0]); i++) {
        snprintf(path, sizeof(path), "providers.%s.timeouts.%s", name, timers[i]);
        failed |= koine_hub_set(hub, path, timeout);
    }
    return failed;
}

static int set_routes(koine_hub *hub, const char *what, const char *target)
{
    char name[48], path[96], targets[160];
    int failed = 0;
    for (unsigned how = 0; how <= (HELD | ALONE); how++) {
        snprintf(path, sizeof(path), "routes.%s.targets", route_name(name, what, how));
        snprintf(targets, sizeof(targets), how & ALONE ? "[\"%s\"]" : "[\"%s\", openai/rescue]", target);
        failed |= koine_hub_set(hub, path, targets);
        snprintf(path, sizeof(path), "routes.%s.commit", name);
        failed |= koine_hub_set(hub, path, how & HELD ? "complete" : "first_content");
    }
    return failed;
}

int crew_set_up(koine_hub *hub, const char *plugins, int port)
{
    char text[160];
    snprintf(text, sizeof(text), "[\"%s\"]", plugins);
    int failed = koine_hub_set(hub, "plugin_path", text);
    failed |= koine_hub_set(hub, "min_attempt", "10ms");
    failed |= set_instance(hub, "together", port, NULL);
    failed |= set_instance(hub, "openai", port, NULL);
    failed |= set_instance(hub, "timid", port, "200ms");
    failed |= set_instance(hub, "locked", port, NULL);
    failed |= koine_hub_set(hub, "providers.locked.latch", "1ms");
    failed |= set_routes(hub, "healthy", "together/a!healthy");
    for (size_t i = 0; i < FAULTS; i++) {
        snprintf(text, sizeof(text), "%s/a!%s", faults[i].instance, faults[i].behaviour);
        failed |= set_routes(hub, faults[i].behaviour, text);
    }
    return failed;
}

/* ---- what came of it ---- */

static void count_attempts(struct tally *tally, const koine_response *response)
{
    size_t count = response ? koine_response_attempt_count(response) : 0;
    tally->attempts += (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        int class_number = koine_response_attempt_class(response, i);
        tally->unsure += koine_response_attempt_status(response, i) == 0 &&
                         (class_number == KOINE_CLASS_CONNECT || class_number == KOINE_CLASS_TIMEOUT);
    }
}

static void count_end(struct tally *tally, const koine_response *response, const koine_error *error)
{
    size_t length = 0;
    const char *text = response ? koine_response_text(response, &length) : "";
    int class_number = error ? koine_error_class(error) : KOINE_CLASS_NONE;
    bool is_right = error ? strncmp(text, whole_text, length) == 0 : strcmp(text, whole_text) == 0;
    count_attempts(tally, response);
    tally->wrong += !is_right || (error && (class_number <= 0 || class_number >= CREW_CLASSES));
    if (error && class_number > 0 && class_number < CREW_CLASSES)
        tally->classes[class_number]++;
    tally->answered += !error;
    tally->ended++;
}

static void count_errand(struct tally *tally, const struct errand *errand)
{
    tally->streamed += errand->is_streamed;
    tally->faulty += errand->is_faulty;
}

/* The next call's number; -1: none is left for now. */
static int64_t take_number(struct crew *crew)
{
    int64_t number = crew->next;
    while (number < crew->until)
        if (atomic_compare_exchange_weak(&crew->next, &number, number + 1))
            return number;
    return -1;
}

/* ---- those who wait ---- */

static void ask_and_wait(struct worker *worker, int64_t number)
{
    struct errand errand = errand_of(worker->crew, number);
    struct tally *tally = &worker->crew->tally;
    koine_request *request = request_of(&errand);
    koine_response *response = NULL;
    koine_error *error = NULL;
    int rc = koine_generate(worker->client, request, &response, &error);
    tally->wrong += (rc == KOINE_OK) != (response != NULL) || (rc == KOINE_EFAULT) != (error != NULL);
    count_errand(tally, &errand);
    count_end(tally, error ? koine_error_partial(error) : response, error);
    koine_response_free(response);
    koine_error_free(error);
    koine_request_free(request);
}

static void wait_for_each(struct worker *worker)
{
    for (int64_t number; (number = take_number(worker->crew)) >= 0;)
        ask_and_wait(worker, number);
}

/* ---- those with many in flight ---- */

static bool take_off(struct worker *worker, struct flight *flight)
{
    int64_t number = take_number(worker->crew);
    if (number < 0)
        return false;
    struct errand errand = errand_of(worker->crew, number);
    koine_request *request = request_of(&errand);
    *flight = (struct flight){.worker = worker};
    koine_request_set_user(request, flight);
    count_errand(&worker->crew->tally, &errand);
    if (koine_start(worker->client, request, &flight->call, NULL) != KOINE_OK) {
        worker->crew->tally.wrong++;
        worker->crew->tally.ended++;
    }
    worker->in_flight += flight->call != NULL;
    koine_request_free(request);
    return flight->call != NULL;
}

static void hear(struct worker *worker, const koine_call *call, const koine_event *event)
{
    struct flight *flight = koine_call_user(call);
    size_t length = 0;
    int kind = koine_event_kind(event);
    if (flight->call != call || flight->terminals > 0)
        worker->crew->tally.wrong++;
    if (kind == KOINE_EVENT_TEXT) {
        koine_event_text(event, &length);
        flight->heard += length;
    }
    flight->terminals += kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT;
}

static void land(struct worker *worker, struct flight *flight)
{
    const koine_response *response = koine_call_response(flight->call);
    size_t length = 0;
    if (response)
        koine_response_text(response, &length);
    /* What a fault left behind unseen, because it was held, is told afterwards all the same. */
    bool is_held_part = koine_call_error(flight->call) && flight->heard == 0;
    if (flight->terminals != 1 || (flight->heard != length && !is_held_part))
        worker->crew->tally.wrong++;
    count_end(&worker->crew->tally, response, koine_call_error(flight->call));
    koine_call_free(flight->call);
    *flight = (struct flight){0};
    worker->in_flight--;
}

/* Nothing waits to be read: what has ended has said all it will, and its place is free. */
static void change_crews(struct worker *worker)
{
    for (size_t i = 0; i < CREW_FLIGHT; i++) {
        struct flight *flight = &worker->flights[i];
        if (flight->call && flight->terminals > 0)
            land(worker, flight);
        if (!flight->call)
            take_off(worker, flight);
    }
}

static void fly(struct worker *worker)
{
    koine_call *call = NULL;
    const koine_event *event = NULL;
    for (change_crews(worker); worker->in_flight > 0; change_crews(worker)) {
        if (koine_wait(worker->client, -1) != KOINE_OK)
            worker->crew->tally.wrong++;
        while (koine_next(worker->client, &call, &event) == 1)
            hear(worker, call, event);
    }
}

/* ---- life ---- */

static void *work(void *data)
{
    struct worker *worker = data;
    struct crew *crew = worker->crew;
    bool flies = worker < crew->workers + CREW_FLYERS;
    for (;;) {
        pthread_barrier_wait(&crew->starts);
        if (crew->ends)
            return NULL;
        if (flies)
            fly(worker);
        else
            wait_for_each(worker);
        pthread_barrier_wait(&crew->rests);
    }
}

void crew_go(struct crew *crew, int64_t until)
{
    crew->until = until;
    pthread_barrier_wait(&crew->starts);
}

void crew_rest(struct crew *crew)
{
    pthread_barrier_wait(&crew->rests);
}

const struct tally *crew_tally(const struct crew *crew)
{
    return &crew->tally;
}

struct crew *crew_new(koine_hub *hub, uint64_t seed)
{
    enum {
        ALL = CREW_FLYERS + CREW_WAITERS
    };
    struct crew *crew = calloc(1, sizeof(*crew));
    if (!crew)
        return NULL;
    crew->seed = seed;
    pthread_barrier_init(&crew->starts, NULL, ALL + 1);
    pthread_barrier_init(&crew->rests, NULL, ALL + 1);
    for (; crew->count < ALL; crew->count++) {
        struct worker *worker = &crew->workers[crew->count];
        worker->crew = crew;
        if (koine_client_new(hub, &worker->client, NULL) != KOINE_OK ||
            pthread_create(&worker->thread, NULL, work, worker) != 0)
            return NULL; /* the program ends for it */
    }
    return crew;
}

void crew_free(struct crew *crew)
{
    crew->ends = true;
    pthread_barrier_wait(&crew->starts);
    for (size_t i = 0; i < crew->count; i++) {
        pthread_join(crew->workers[i].thread, NULL);
        koine_client_free(crew->workers[i].client);
    }
    pthread_barrier_destroy(&crew->starts);
    pthread_barrier_destroy(&crew->rests);
    free(crew);
}
