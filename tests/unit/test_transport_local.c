/* The transport without a server: what was asked is the answer, in its steps, and it obeys. */
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include "core/wire/transport_local.h"
#include <koine/koine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOURNAL 512

static struct koine__loop *loop;
static struct koine__transport *transport;

static void begin(void)
{
    CU_ASSERT_FATAL(koine__loop_new(&koine__system_clock, &loop) == KOINE_OK);
    CU_ASSERT_FATAL(koine__transport_local_new(loop, &transport) == KOINE_OK);
}

static void end(void)
{
    transport->ops->free(transport);
    koine__loop_free(loop);
}

/* Writes down what it hears, and acts once in the middle of it. */
struct listener {
    struct koine__transfer *transfer;
    char heard[JOURNAL];
    size_t bytes;
    const char *act_on;
    void (*act)(struct koine__transfer *transfer);
};

static void hear(struct listener *self, const char *word)
{
    size_t used = strlen(self->heard);
    snprintf(self->heard + used, sizeof(self->heard) - used, "%s ", word);
    if (self->act_on && strcmp(self->act_on, word) == 0) {
        self->act_on = NULL;
        self->act(self->transfer);
    }
}

static void on_sent(void *arg)
{
    hear(arg, "sent");
}

static void on_head(void *arg, const struct koine__head *head)
{
    char text[128];
    koine_str type = koine__head_find(head, "content-type");
    snprintf(text, sizeof(text), "%d:%.*s", head->status, (int)type.len, type.ptr ? type.ptr : "");
    hear(arg, text);
}

static void on_body(void *arg, const char *ptr, size_t len)
{
    char text[64];
    ((struct listener *)arg)->bytes += len;
    snprintf(text, sizeof(text), "%zu%c", len, ptr[0]);
    hear(arg, text);
}

static void on_done(void *arg, const struct koine__fault *fault)
{
    hear(arg, fault ? "fault" : "done");
}

static const struct koine__handler handler = {on_sent, on_head, on_body, on_done};
static const struct koine__header json = {{"content-TYPE", 12}, {"application/json", 16}};
static char long_body[40000]; /* two pieces of 16 kB, and what is left */

static const struct koine__http_request small = {
    .method = "POST", .url = "local:/x", .headers = &json, .header_count = 1, .body = {"{}", 2}};
static const struct koine__http_request large = {
    .method = "POST", .url = "local:/x", .body = {long_body, sizeof(long_body)}};
static const struct koine__http_request none = {.method = "GET", .url = "local:/x"};

static void start(struct listener *listener, const struct koine__http_request *request)
{
    memset(long_body, 'a', sizeof(long_body));
    ASSERT_INT(transport->ops->start(transport, request, &handler, listener, &listener->transfer), KOINE_OK);
    ASSERT_STR(listener->heard, ""); /* never from inside start */
}

static void expect(const struct koine__http_request *request, const char *heard)
{
    struct listener listener = {0};
    begin();
    start(&listener, request);
    koine__loop_process(loop);
    ASSERT_STR(listener.heard, heard);
    ASSERT_INT((long long)listener.bytes, (long long)request->body.len);
    end();
}

static void gives_back(void)
{
    expect(&small, "sent 200:application/json 2{ done ");
    expect(&large, "sent 200: 16384a 16384a 7232a done ");
    expect(&none, "sent 200: done ");
}

static void cancel(struct koine__transfer *transfer)
{
    transport->ops->cancel(transfer);
}

static void drain(struct koine__transfer *transfer)
{
    transport->ops->drain(transfer);
}

static void obeys(void (*act)(struct koine__transfer *transfer), const char *on, const char *heard)
{
    struct listener listener = {.act = act, .act_on = on};
    begin();
    start(&listener, &large);
    if (!on)
        act(listener.transfer);
    koine__loop_process(loop);
    ASSERT_STR(listener.heard, heard);
    end();
}

static void stops_when_told(void)
{
    static void (*const acts[])(struct koine__transfer *) = {cancel, drain};
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        obeys(acts[i], NULL, "");
        obeys(acts[i], "sent", "sent ");
        obeys(acts[i], "200:", "sent 200: ");
        obeys(acts[i], "16384a", "sent 200: 16384a ");
        obeys(acts[i], "done", "sent 200: 16384a 16384a 7232a done ");
    }
}

static void hold(struct koine__transfer *transfer)
{
    transport->ops->pause(transfer);
}

static void hold_and_go_on(struct koine__transfer *transfer)
{
    transport->ops->pause(transfer);
    transport->ops->resume(transfer);
}

static void pauses(void)
{
    struct listener listener = {.act = hold, .act_on = "16384a"};
    begin();
    start(&listener, &large);
    koine__loop_process(loop);
    ASSERT_STR(listener.heard, "sent 200: 16384a ");
    transport->ops->resume(listener.transfer);
    ASSERT_STR(listener.heard, "sent 200: 16384a "); /* never from inside resume */
    koine__loop_process(loop);
    ASSERT_STR(listener.heard, "sent 200: 16384a 16384a 7232a done ");
    end();
    obeys(hold_and_go_on, "16384a", "sent 200: 16384a 16384a 7232a done ");
    obeys(hold_and_go_on, NULL, "sent 200: 16384a 16384a 7232a done ");
    obeys(hold, NULL, ""); /* freed while it waits */
}

static void many_at_once(void)
{
    struct listener listeners[3] = {{0}, {.act = cancel, .act_on = "200:"}, {0}};
    begin();
    for (size_t i = 0; i < 3; i++)
        start(&listeners[i], i == 1 ? &none : &small);
    koine__loop_process(loop);
    ASSERT_STR(listeners[0].heard, "sent 200:application/json 2{ done ");
    ASSERT_STR(listeners[1].heard, "sent 200: ");
    ASSERT_STR(listeners[2].heard, "sent 200:application/json 2{ done ");
    end();
}

static void ends_with_transfers(void)
{
    struct listener listener = {0};
    begin();
    start(&listener, &small);
    start(&(struct listener){0}, &small);
    transport->ops->free(transport);
    koine__loop_process(loop);
    ASSERT_STR(listener.heard, "");
    CU_ASSERT_FATAL(koine__transport_local_new(loop, &transport) == KOINE_OK);
    start(&listener, &small);
    koine__loop_detach(loop); /* as in a child */
    transport->ops->abandon(transport);
    koine__loop_abandon(loop);
    ASSERT_STR(listener.heard, "");
}

static void refuses(void)
{
    const struct koine__http_request wrong = {.method = "P OST", .url = "local:/x"};
    struct koine__transfer *transfer = NULL;
    struct listener listener = {0};
    begin();
    ASSERT_INT(transport->ops->start(transport, &wrong, &handler, &listener, &transfer), KOINE_EARGUMENT);
    CU_ASSERT_PTR_NULL(transfer);
    end();
    for (long n = 1;; n++) {
        struct koine__transport *other = NULL;
        begin();
        failalloc_begin(n);
        int rc = koine__transport_local_new(loop, &other);
        if (rc == KOINE_OK)
            rc = other->ops->start(other, &small, &handler, &listener, &transfer);
        if (other)
            other->ops->free(other);
        bool failed = failalloc_end();
        ASSERT_INT(rc, failed ? KOINE_EMEMORY : KOINE_OK);
        end();
        if (!failed)
            break;
    }
}

SUITE_MAIN("transport_local", {"gives back what it was given", gives_back},
           {"stops when told", stops_when_told}, {"pauses", pauses}, {"many at once", many_at_once},
           {"ends with transfers under way", ends_with_transfers}, {"refuses", refuses})
