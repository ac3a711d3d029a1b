/* thousand: 1,000 concurrent streams on one client and one thread. Each is answered with its own question, so
 * that no answer can end up with another call.
 */
#include "tests/e2e/stage.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    CALLS = 1000,
    POOL_IDLE = 16, /* the default */
    SPARE_DESCRIPTORS = 100
};

struct talk {
    char question[32];
    char heard[32]; /* of the text events */
    int starts, ends;
    bool is_right;
};

static bool allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return false;
    if (limit.rlim_cur < CALLS + SPARE_DESCRIPTORS)
        limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= CALLS + SPARE_DESCRIPTORS;
}

static int count_threads(void)
{
    char line[128];
    int count = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof(line), file))
        sscanf(line, "Threads: %d", &count);
    if (file)
        fclose(file);
    return count;
}

static void ask(koine_client *client, struct talk *talk, int number)
{
    koine_request *request = NULL;
    koine_call *call = NULL;
    snprintf(talk->question, sizeof(talk->question), "This is number %d.", number);
    ASSERT_INT(koine_request_new(&request), KOINE_OK);
    koine_request_message(request, "user", talk->question);
    koine_request_set_target(request, "openai/gpt-4o-mini!echo");
    koine_request_set_user(request, talk);
    ASSERT_INT(koine_start(client, request, &call, NULL), KOINE_OK);
    koine_request_free(request);
}

static void hear(struct talk *talk, const koine_event *event)
{
    size_t before = strlen(talk->heard);
    snprintf(talk->heard + before, sizeof(talk->heard) - before, "%s", koine_event_text(event, NULL));
}

/* 1 if the event ended its call. */
static int take(koine_call *call, const koine_event *event)
{
    struct talk *talk = koine_call_user(call);
    switch (koine_event_kind(event)) {
    case KOINE_EVENT_START:
        talk->starts++;
        return 0;
    case KOINE_EVENT_TEXT:
        hear(talk, event);
        return 0;
    case KOINE_EVENT_FAULT:
    case KOINE_EVENT_STOP:
        break;
    default:
        return 0;
    }
    const koine_response *answer = koine_call_response(call);
    talk->ends++;
    talk->is_right = answer && strcmp(koine_response_text(answer, NULL), talk->question) == 0;
    koine_call_free(call);
    return 1;
}

static void run(koine_client *client, size_t *ret_threads)
{
    koine_call *call = NULL;
    const koine_event *event = NULL;
    for (int left = CALLS; left > 0;) {
        ASSERT_INT(koine_wait(client, 30000), KOINE_OK);
        while (koine_next(client, &call, &event) == 1)
            left -= take(call, event);
        if ((size_t)count_threads() > *ret_threads)
            *ret_threads = (size_t)count_threads();
    }
}

static int by_number(const void *a, const void *b)
{
    long x = ((const struct stage_post *)a)->connection, y = ((const struct stage_post *)b)->connection;
    return (x > y) - (x < y);
}

static size_t count_connections(struct stage_post *posts, size_t count)
{
    size_t different = 0;
    qsort(posts, count, sizeof(*posts), by_number);
    for (size_t i = 0; i < count; i++)
        different += i == 0 || posts[i].connection != posts[i - 1].connection;
    return different;
}

/* The connections that nobody needs any more are closed. */
static void wait_for_quiet(koine_client *client, size_t most)
{
    for (int i = 0; i < 1000 && stage_descriptors() > most; i++)
        koine_wait(client, 10);
    CU_ASSERT(stage_descriptors() <= most);
}

static void check(const struct talk *talks)
{
    int wrong = 0;
    for (int i = 0; i < CALLS; i++)
        wrong += talks[i].starts != 1 || talks[i].ends != 1 || !talks[i].is_right ||
                 strcmp(talks[i].heard, talks[i].question) != 0;
    ASSERT_INT(wrong, 0);
}

static void all_at_once(void)
{
    if (!allow_descriptors()) {
        suite_skip("this user may not open 1,100 descriptors");
        return;
    }
    static const char *const settings[] = {"pool.connections", "1000", NULL};
    struct talk *talks = calloc(CALLS, sizeof(*talks));
    struct stage_post *posts = calloc(CALLS + 1, sizeof(*posts));
    size_t threads = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(talks);
    CU_ASSERT_PTR_NOT_NULL_FATAL(posts);
    stage_port();
    size_t before = stage_descriptors();
    struct scene scene = scene_open(settings);
    size_t quiet = stage_descriptors();
    for (int i = 0; i < CALLS; i++)
        ask(scene.client, &talks[i], i);
    run(scene.client, &threads);
    wait_for_quiet(scene.client, quiet + POOL_IDLE);
    check(talks);
    ASSERT_INT((int)threads, 1);
    ASSERT_INT((int)stage_posts(posts, CALLS + 1), CALLS);
    ASSERT_INT((int)count_connections(posts, CALLS), CALLS);
    scene_close(&scene);
    ASSERT_INT((int)stage_descriptors(), (int)before);
    free(talks);
    free(posts);
}

SUITE_MAIN("thousand", {"1,000 streams on one client and one thread", all_at_once})
