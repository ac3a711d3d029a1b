/* threads: eight of them, each with a client of its own, on one hub. Whatever the providers do, every call
 * ends once with a whole answer, and what was sent is what was counted. A thread that sits in application
 * code while it is its turn keeps the others waiting for no more than the grant's time.
 */
#include "tests/e2e/stage.h"
#include "tests/unit/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    THREADS = 8,
    CALLS = 24, /* of each thread */
    AT_ONCE = 3,
    TRIES = 5
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static koine_request *request_for(const char *route, int stream)
{
    koine_request *request = NULL;
    if (koine_request_new(&request) != KOINE_OK)
        return NULL;
    koine_request_message(request, "user", "Say it.");
    koine_request_set_route(request, route);
    koine_request_set_stream(request, stream);
    return request;
}

/* ---- Mixed faults ---- */

static const char *const routes[] = {"well", "late", "cut", "limited", "reset", "flapping"};
#define ROUTES (sizeof(routes) / sizeof(routes[0]))

/* Waits are short, as the stand-in's are. The first provider does what its model says, the second is well. */
static const char *const mixed[] = {"routes.well.targets",
                                    "[together/a, openai/b]",
                                    "routes.late.targets",
                                    "[together/a!503, openai/b]",
                                    "routes.cut.targets",
                                    "[together/a!cut, openai/b]",
                                    "routes.cut.commit",
                                    "complete",
                                    "routes.limited.targets",
                                    "[together/a!429-bare, openai/b]",
                                    "routes.reset.targets",
                                    "[together/a!reset, openai/b]",
                                    "routes.flapping.targets",
                                    "[together/a!flapping, openai/b]",
                                    "providers.together.retry.base_delay",
                                    "5ms",
                                    "providers.together.retry.max_retries",
                                    "2",
                                    "providers.together.limits.concurrent",
                                    "6",
                                    "providers.together.limits.requests_per_minute",
                                    "100",
                                    "providers.together.limits.window",
                                    "300ms",
                                    "providers.together.limits.slack",
                                    "10ms",
                                    "providers.together.breaker.window",
                                    "500ms",
                                    "providers.together.breaker.open_for",
                                    "50ms",
                                    "providers.openai.limits.concurrent",
                                    "12",
                                    NULL};

struct worker {
    pthread_t thread;
    koine_hub *hub;
    unsigned number;
    size_t started, ended, answered, attempts, late_events;
};

struct talk {
    struct worker *worker;
    bool over;
};

static bool start_one(struct worker *worker, koine_client *client, struct talk *talk)
{
    koine_call *call = NULL;
    size_t n = worker->started++;
    koine_request *request = request_for(routes[(n + worker->number) % ROUTES], n % 2 == 0);
    *talk = (struct talk){.worker = worker};
    koine_request_set_user(request, talk);
    int rc = koine_start(client, request, &call, NULL);
    koine_request_free(request);
    return rc == KOINE_OK;
}

static size_t take(koine_call *call, const koine_event *event)
{
    struct talk *talk = koine_call_user(call);
    struct worker *worker = talk->worker;
    int kind = koine_event_kind(event);
    worker->late_events += talk->over;
    if (kind != KOINE_EVENT_STOP && kind != KOINE_EVENT_FAULT)
        return 0;
    const koine_response *response = koine_call_response(call);
    talk->over = true;
    worker->ended++;
    worker->attempts += koine_response_attempt_count(response);
    worker->answered += kind == KOINE_EVENT_STOP && koine_response_finish(response) == KOINE_FINISH_STOP;
    return 1;
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct talk talks[CALLS];
    koine_client *client = NULL;
    koine_call *call = NULL;
    const koine_event *event = NULL;
    size_t under_way = 0;
    if (koine_client_new(worker->hub, &client, NULL) != KOINE_OK)
        return NULL;
    while (worker->ended < CALLS) {
        while (under_way < AT_ONCE && worker->started < CALLS)
            under_way += start_one(worker, client, &talks[worker->started]);
        if (koine_wait(client, 30000) != KOINE_OK)
            break;
        while (koine_next(client, &call, &event) == 1)
            under_way -= take(call, event);
    }
    koine_client_free(client);
    return NULL;
}

static void mixed_faults(void)
{
    struct worker workers[THREADS] = {{0}};
    size_t ended = 0, answered = 0, attempts = 0, late = 0;
    koine_hub *hub = stage_hub(mixed);
    stage_posts(NULL, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.hub = hub, .number = i};
        ASSERT_INT(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        ended += workers[i].ended;
        answered += workers[i].answered;
        attempts += workers[i].attempts;
        late += workers[i].late_events;
    }
    koine_hub_free(hub);
    ASSERT_INT(ended, THREADS * CALLS);
    ASSERT_INT(answered, THREADS * CALLS);
    ASSERT_INT(late, 0);
    ASSERT_INT(stage_posts(NULL, 0), attempts);
}

/* ---- One who sleeps ---- */

static const char *const one_at_a_time[] = {"routes.slow.targets",
                                            "[together/a!slow-first-token]",
                                            "routes.well.targets",
                                            "[together/a]",
                                            "providers.together.limits.concurrent",
                                            "1",
                                            NULL};

/* One call holds the only place; `sleeper` is first in line behind it, the others after it. */
struct line {
    koine_hub *hub;
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    int standing;        /* in line */
    int done;            /* of the others */
    bool sleeps;         /* the sleeper does, for two seconds or until the others are done */
    int64_t began, last; /* the holder's start, the last end of the others */
};
struct stander {
    pthread_t thread;
    struct line *line;
    int place; /* 0: it holds the place; 1: the sleeper */
    bool answered;
};

static void step_forward(struct line *line)
{
    pthread_mutex_lock(&line->mutex);
    line->standing++;
    pthread_cond_broadcast(&line->moved);
    pthread_mutex_unlock(&line->mutex);
}

static void wait_for_place(struct line *line, int place)
{
    pthread_mutex_lock(&line->mutex);
    while (line->standing < place)
        pthread_cond_wait(&line->moved, &line->mutex);
    pthread_mutex_unlock(&line->mutex);
}

static void sleep_two_seconds(struct line *line)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2;
    pthread_mutex_lock(&line->mutex);
    while (line->done < THREADS - 2 && pthread_cond_timedwait(&line->moved, &line->mutex, &until) == 0)
        ;
    pthread_mutex_unlock(&line->mutex);
}

static void be_done(struct line *line)
{
    pthread_mutex_lock(&line->mutex);
    line->done++;
    line->last = now_ms();
    pthread_cond_broadcast(&line->moved);
    pthread_mutex_unlock(&line->mutex);
}

static bool run_to_end(koine_client *client)
{
    koine_call *call = NULL;
    const koine_event *event = NULL;
    for (;;) {
        while (koine_next(client, &call, &event) == 1) {
            int kind = koine_event_kind(event);
            if (kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT)
                return kind == KOINE_EVENT_STOP;
        }
        if (koine_wait(client, 30000) != KOINE_OK)
            return false;
    }
}

static void *stand(void *arg)
{
    struct stander *stander = arg;
    struct line *line = stander->line;
    koine_client *client = NULL;
    koine_call *call = NULL;
    koine_request *request = request_for(stander->place == 0 ? "slow" : "well", 1);
    if (koine_client_new(line->hub, &client, NULL) != KOINE_OK)
        return NULL;
    wait_for_place(line, stander->place);
    if (stander->place == 0)
        line->began = now_ms();
    koine_start(client, request, &call, NULL);
    koine_process(client);
    step_forward(line);
    if (stander->place == 1 && line->sleeps)
        sleep_two_seconds(line);
    stander->answered = run_to_end(client);
    if (stander->place > 1)
        be_done(line);
    koine_request_free(request);
    koine_client_free(client);
    return NULL;
}

/* Until the last of the others was answered, in milliseconds from the holder's start. */
static int64_t time_line(koine_hub *hub, bool sleeps)
{
    struct line line = {.hub = hub, .sleeps = sleeps};
    struct stander standers[THREADS] = {{0}};
    pthread_mutex_init(&line.mutex, NULL);
    pthread_cond_init(&line.moved, NULL);
    for (int i = 0; i < THREADS; i++) {
        standers[i] = (struct stander){.line = &line, .place = i};
        ASSERT_INT(pthread_create(&standers[i].thread, NULL, stand, &standers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(standers[i].thread, NULL);
        CU_ASSERT(standers[i].answered);
    }
    pthread_cond_destroy(&line.moved);
    pthread_mutex_destroy(&line.mutex);
    return line.last - line.began;
}

/* Other programs that run meanwhile can only make it look slower, so the best of some tries counts. */
static void a_sleeper_holds_up_nobody(void)
{
    koine_hub *hub = stage_hub(one_at_a_time);
    int64_t best = INT64_MAX;
    for (int i = 0; i < TRIES && best >= 300; i++) {
        int64_t awake = time_line(hub, false), asleep = time_line(hub, true);
        best = asleep - awake < best ? asleep - awake : best;
    }
    printf("# with a sleeper at the head of the line the others waited %lld ms longer\n", (long long)best);
    CU_ASSERT(best < 300);
    koine_hub_free(hub);
    stage_posts(NULL, 0);
}

SUITE_MAIN("threads", {"mixed faults", mixed_faults},
           {"a sleeper holds up nobody", a_sleeper_holds_up_nobody})
