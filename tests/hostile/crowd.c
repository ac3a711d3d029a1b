/* crowd: see crowd.h. */
#include "tests/hostile/crowd.h"

#include "tests/hostile/scene.h"
#include "tests/hostile/server.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

static void start(const char *act, int count)
{
    for (int i = 0; i < count; i++) {
        koine_call *call = NULL;
        koine_request *request = request_for(act, true);
        CU_ASSERT_EQUAL_FATAL(koine_start(scene.client, request, &call, NULL), KOINE_OK);
        koine_request_free(request);
    }
}

/* How many come to what is expected; the others to what is bad. Each call is freed at its end, so a second
 * end of one could not go unnoticed. */
static int read_ends(int count, const char *expected, const char *bad)
{
    int right = 0;
    while (count > 0) {
        koine_call *call = NULL;
        const koine_event *event = NULL;
        CU_ASSERT_EQUAL_FATAL(koine_wait(scene.client, 60000), KOINE_OK);
        while (koine_next(scene.client, &call, &event) == 1) {
            char outcome[128];
            int kind = koine_event_kind(event);
            if (kind != KOINE_EVENT_STOP && kind != KOINE_EVENT_FAULT)
                continue;
            describe(outcome, sizeof(outcome), koine_call_response(call), koine_call_error(call));
            if (strcmp(outcome, expected) == 0)
                right++;
            else
                ASSERT_STR(outcome, bad);
            koine_call_free(call);
            count--;
        }
    }
    return right;
}

void crowd_asks(const char *act, int count, const char *expected)
{
    long before = server_requests();
    start(act, count);
    ASSERT_INT(read_ends(count, expected, expected), count);
    ASSERT_INT(server_requests() - before, count);
}

void crowd_loses(const char *act, int count, const char *expected, int lost, const char *class_name)
{
    long before = server_requests();
    start(act, count);
    ASSERT_INT(read_ends(count, expected, class_name), count - lost);
    ASSERT_INT(server_requests() - before, count - lost);
}
