/* reader: see reader.h. */
#include "tests/hostile/reader.h"

#include "tests/hostile/ledger.h"
#include "tests/hostile/scene.h"
#include "tests/hostile/server.h"
#include "tests/hostile/text.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CEILING    (16 * MB)
#define PAUSE_MS   5000
#define PATIENCE   60000 /* ms; what is waited for takes much less */
#define SHORT_TIME "2s"  /* of the timers that must not run in the pause */

static const char *const settings[] = {"providers.lab.timeouts.idle", SHORT_TIME,
                                       "providers.lab.timeouts.progress", SHORT_TIME, NULL};

#define PIECE_LENGTH (7 + 1024)

static void long_text(int number, char *ret, size_t size)
{
    snprintf(ret, size, "%06u %s", (unsigned)number % 1000000, TEXT_1K);
}

size_t long_event(int number, char *ret, size_t size)
{
    char text[PIECE_LENGTH + 1];
    long_text(number, text, sizeof(text));
    return (size_t)snprintf(ret, size,
                            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"}}]}\n\n", text);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The next event of the only call; waits for it. */
static const koine_event *read_one(void)
{
    const koine_event *event = NULL;
    koine_call *call = NULL;
    int64_t end = now_ms() + PATIENCE;
    while (koine_next(scene.client, &call, &event) == 0 && now_ms() < end)
        CU_ASSERT_EQUAL_FATAL(koine_wait(scene.client, 1000), KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    return event;
}

static koine_call *begin(const char *act)
{
    koine_call *call = NULL;
    koine_request *request = request_for(act, true);
    CU_ASSERT_EQUAL_FATAL(koine_start(scene.client, request, &call, NULL), KOINE_OK);
    koine_request_free(request);
    while (koine_event_kind(read_one()) != KOINE_EVENT_START)
        continue;
    return call;
}

/* The program goes on with other things: the client is moved, its events are left where they are. */
static void look_away(int ms)
{
    static const struct timespec nap = {.tv_nsec = 20000000};
    for (int64_t end = now_ms() + ms; now_ms() < end; nanosleep(&nap, NULL))
        CU_ASSERT_EQUAL_FATAL(koine_process(scene.client), KOINE_OK);
}

/* What the answer says from its start on, if the text holds the pieces in order. */
static int count_pieces(const char *text, size_t len)
{
    char wanted[PIECE_LENGTH + 1];
    int count = 0;
    for (; len >= PIECE_LENGTH; text += PIECE_LENGTH, len -= PIECE_LENGTH) {
        long_text(count, wanted, sizeof(wanted));
        if (memcmp(text, wanted, PIECE_LENGTH) != 0)
            break;
        count++;
    }
    return len == 0 ? count : -1;
}

/* Everything up to the terminal event, whose kind it gives. */
static int read_on(int *ret_pieces)
{
    char wanted[PIECE_LENGTH + 1];
    for (*ret_pieces = 0;;) {
        const koine_event *event = read_one();
        int kind = koine_event_kind(event);
        if (kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT)
            return kind;
        if (kind != KOINE_EVENT_TEXT)
            continue;
        long_text(*ret_pieces, wanted, sizeof(wanted));
        *ret_pieces += strcmp(koine_event_text(event, NULL), wanted) == 0;
    }
}

static void judge_blocked(size_t used, int events)
{
    long sent = server_bytes();
    look_away(PAUSE_MS / 2);
    ASSERT_INT(server_bytes(), sent);
    CU_ASSERT(sent < (long)events * PIECE_LENGTH);
    ASSERT_INT((long long)(used / KB > SPARE / KB ? used / KB : 0), 0);
}

static void judge_read(size_t used, int events)
{
    look_away(PAUSE_MS / 2);
    CU_ASSERT(server_bytes() >= (long)events * PIECE_LENGTH);
    ASSERT_INT((long long)(used / KB > (CEILING + SPARE) / KB ? used / KB : 0), 0);
}

void reader_pauses(int events, bool blocked)
{
    size_t length = 0, ceiling = blocked ? 64 * MB : CEILING;
    int pieces;
    open_scene(ceiling, settings);
    long requests = server_requests();
    server_forget_bytes();
    size_t base = ledger_begin();
    koine_call *call = begin("long");
    look_away(PAUSE_MS / 2);
    for (int64_t end = now_ms() + PATIENCE;
         !blocked && server_bytes() < (long)events * PIECE_LENGTH && now_ms() < end;)
        look_away(100);
    (blocked ? judge_blocked : judge_read)(ledger_peak() - base, events);
    ASSERT_INT(read_on(&pieces), KOINE_EVENT_STOP);
    ASSERT_INT(pieces, events);
    const char *text = koine_response_text(koine_call_response(call), &length);
    ASSERT_INT(count_pieces(text, length), events);
    ASSERT_INT(server_requests() - requests, 1);
    koine_call_free(call);
    ask("good", true, "ok hi");
    close_scene();
}

void reader_pauses_for_ever(const char *act, size_t ceiling)
{
    int pieces;
    open_scene(ceiling, settings);
    size_t base = ledger_begin();
    koine_call *call = begin(act);
    look_away(PAUSE_MS);
    size_t used = ledger_peak() - base;
    ASSERT_INT((long long)(used > ceiling + SPARE ? used / KB : 0), 0);
    ASSERT_INT(read_on(&pieces), KOINE_EVENT_FAULT);
    ASSERT_STR(koine_error_class_name(koine_call_error(call)), "protocol");
    koine_call_free(call);
    ask("good", true, "ok hi");
    close_scene();
}

static void free_in_a_child(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        koine_client_free(scene.client);
        koine_hub_free(scene.hub);
        _exit(0);
    }
    CU_ASSERT(child > 0 && waitpid(child, &status, 0) == child);
    ASSERT_INT(status, 0);
}

void reader_forks(void)
{
    int pieces;
    open_scene(CEILING, NULL);
    long requests = server_requests(), connections = server_connections();
    koine_call *call = begin("two");
    free_in_a_child();
    ASSERT_INT(read_on(&pieces), KOINE_EVENT_STOP);
    ASSERT_INT(pieces, 2);
    koine_call_free(call);
    ask("good", true, "ok hi");
    ASSERT_INT(server_requests() - requests, 2);
    ASSERT_INT(server_connections(), connections);
    close_scene();
}
