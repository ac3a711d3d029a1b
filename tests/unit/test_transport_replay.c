/* The script player: what it plays when, what it writes down, and that it obeys. */
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include "core/wire/transport_replay.h"
#include <koine/koine.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int64_t virtual_time;

static int64_t virtual_now(void *arg)
{
    (void)arg;
    return virtual_time;
}

static void virtual_advance(void *arg, int64_t until)
{
    (void)arg;
    virtual_time = until;
}

static const struct koine__clock virtual_clock = {
    .now = virtual_now, .wall = virtual_now, .advance = virtual_advance};

static struct koine__loop *loop;
static struct koine__transport *transport;

static void begin(const struct koine__replay_answer *answers, size_t count)
{
    virtual_time = 0;
    CU_ASSERT_FATAL(koine__loop_new(&virtual_clock, &loop) == KOINE_OK);
    CU_ASSERT_FATAL(koine__transport_replay_new(loop, answers, count, &transport) == KOINE_OK);
}

static void end(void)
{
    transport->ops->free(transport);
    koine__loop_free(loop);
}

/* Until nothing is scripted any more. */
static void run(void)
{
    for (int i = 0; i < 1000 && koine__loop_wait(loop, virtual_time + 3600 * KOINE__SEC) == 1; i++)
        koine__loop_process(loop);
}

/* A listener that writes down what it hears, and may act in the middle of it. */
struct listener {
    struct koine__transfer *transfer;
    char heard[1024];
    const char *act_on; /* a word of the journal after which `act` is called */
    void (*act)(struct koine__transfer *transfer);
};

__attribute__((format(printf, 2, 3))) static void hear(struct listener *self, const char *format, ...)
{
    va_list args;
    size_t used = strlen(self->heard);
    used +=
        (size_t)snprintf(self->heard + used, sizeof(self->heard) - used, "%lld:", (long long)virtual_time);
    va_start(args, format);
    vsnprintf(self->heard + used, sizeof(self->heard) - used, format, args);
    va_end(args);
    strncat(self->heard, " ", sizeof(self->heard) - strlen(self->heard) - 1);
    if (self->act_on && strstr(self->heard, self->act_on)) {
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
    hear(arg, "head=%d", head->status);
}

static void on_body(void *arg, const char *ptr, size_t len)
{
    hear(arg, "%.*s", (int)len, ptr);
}

static void on_done(void *arg, const struct koine__fault *fault)
{
    hear(arg, "done=%d", fault ? fault->class_number : 0);
}

static const struct koine__handler handler = {on_sent, on_head, on_body, on_done};
static const struct koine__handler only_done = {.done = on_done};

static void start(struct listener *listener, const char *url, const char *body)
{
    struct koine__http_request request = {
        .method = body ? "POST" : "GET", .url = url, .body = koine__str(body)};
    ASSERT_INT(transport->ops->start(transport, &request, &handler, listener, &listener->transfer), KOINE_OK);
    ASSERT_STR(listener->heard, ""); /* never from inside start */
}

static const struct koine__replay_chunk chunks[] = {{5, {"abc", 3}}, {0, {"de", 2}}, {7, {"f", 1}}};
static const struct koine__replay_answer plain = {
    .connect_after = 10, .head_after = 20, .status = 200, .chunks = chunks, .chunk_count = 3, .repeat = true};

static void plays_on_time(void)
{
    struct listener listener = {0};
    begin(&plain, 1);
    start(&listener, "http://a/", NULL);
    run();
    ASSERT_STR(listener.heard, "10:sent 30:head=200 35:abc 35:de 42:f 42:done=0 ");
    end();
}

static void splits(void)
{
    struct koine__replay_answer answer = plain;
    struct listener listener = {0};
    answer.split = 2;
    begin(&answer, 1);
    start(&listener, "http://a/", NULL);
    run();
    ASSERT_STR(listener.heard, "10:sent 30:head=200 35:ab 35:c 35:de 42:f 42:done=0 ");
    end();
}

static void ends_as_scripted(void)
{
    static const struct {
        struct koine__replay_answer answer;
        const char *heard;
    } cases[] = {
        {{.connect_after = 3, .fault_class = KOINE_CLASS_CONNECT}, "3:done=1 "},
        {{.connect_after = 3, .head_after = 4, .fault_class = KOINE_CLASS_RESET}, "3:sent 7:done=2 "},
        {{.connect_after = 3, .head_after = 4}, "3:sent "}, /* silence */
        {{.status = 503}, "0:sent 0:head=503 0:done=0 "},
        {{.status = 200, .chunks = chunks, .chunk_count = 1, .fault_class = KOINE_CLASS_PROTOCOL},
         "0:sent 0:head=200 5:abc 5:done=6 "},
        {{.status = 200, .chunks = chunks, .chunk_count = 1, .hang = true}, "0:sent 0:head=200 5:abc "},
        {{.status = 200, .hang = true}, "0:sent 0:head=200 "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct listener listener = {0};
        begin(&cases[i].answer, 1);
        start(&listener, "http://a/", NULL);
        run();
        ASSERT_STR(listener.heard, cases[i].heard);
        end();
    }
}

static void matches(void)
{
    static const struct koine__replay_answer answers[] = {
        {.match = "/one", .status = 201},
        {.match = "needle", .status = 202},
        {.match = "/many", .status = 203, .repeat = true},
        {.status = 204},
    };
    static const struct {
        const char *url, *body, *heard;
    } asked[] = {
        {"http://a/one", NULL, "0:sent 0:head=201 0:done=0 "},
        {"http://a/many", NULL, "0:sent 0:head=203 0:done=0 "},
        {"http://a/x", "a needle", "0:sent 0:head=202 0:done=0 "},
        {"http://a/one", NULL, "0:sent 0:head=204 0:done=0 "},
        {"http://a/many", NULL, "0:sent 0:head=203 0:done=0 "},
        {"http://a/one", "", "0:done=1 "}, /* all used */
    };
    begin(answers, 4);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        struct listener listener = {0};
        virtual_time = 0;
        start(&listener, asked[i].url, asked[i].body);
        run();
        ASSERT_STR(listener.heard, asked[i].heard);
    }
    end();
}

static void writes_down_what_was_asked(void)
{
    static const struct koine__header headers[] = {{{"X-A", 3}, {"1", 1}}, {{"X-B", 3}, {"", 0}}};
    struct listener listener = {0};
    struct koine__secret *secret = koine__secret_new("sk-1", 4);
    struct koine__http_request request = {.method = "POST",
                                          .url = "http://a/b",
                                          .headers = headers,
                                          .header_count = 2,
                                          .secret_name = "Authorization",
                                          .secret_prefix = "Bearer ",
                                          .secret = secret,
                                          .body = {"a\0b", 3}};
    begin(NULL, 0);
    virtual_time = 77;
    ASSERT_INT(transport->ops->start(transport, &request, &only_done, &listener, &listener.transfer),
               KOINE_OK);
    request.secret_prefix = NULL;
    request.secret = NULL;
    request.body = (koine_str){NULL, 0};
    ASSERT_INT(transport->ops->start(transport, &request, &only_done, &listener, &listener.transfer),
               KOINE_OK);
    request.method = "BAD METHOD";
    ASSERT_INT(transport->ops->start(transport, &request, &only_done, &listener, &listener.transfer),
               KOINE_EARGUMENT);
    ASSERT_INT(koine__replay_count(transport), 2);
    const struct koine__replay_seen *seen = koine__replay_seen(transport, 0);
    ASSERT_INT(seen->at, 77);
    ASSERT_STR(seen->method, "POST");
    ASSERT_STR(seen->url, "http://a/b");
    ASSERT_MEM(seen->body, seen->body_len, "a\0b");
    ASSERT_STR(seen->headers, "X-A: 1\nX-B: \nAuthorization: Bearer sk-1\n");
    CU_ASSERT(!seen->cancelled && !seen->paused);
    seen = koine__replay_seen(transport, 1);
    ASSERT_MEM(seen->body, seen->body_len, "");
    ASSERT_STR(seen->headers, "X-A: 1\nX-B: \nAuthorization: \n");
    CU_ASSERT(koine__replay_seen(transport, 2) == NULL);
    run();
    ASSERT_STR(listener.heard, "77:done=1 77:done=1 ");
    koine__secret_unref(secret);
    end();
}

static void cancel(struct koine__transfer *transfer)
{
    transport->ops->cancel(transfer);
}

static void drain(struct koine__transfer *transfer)
{
    transport->ops->drain(transfer);
}

/* From outside, and from inside each handler: nothing is heard after it. */
static void stops_when_told(void)
{
    static void (*const acts[])(struct koine__transfer *) = {cancel, drain};
    static const char *const words[] = {"sent", "head", "abc", "de", "done"};
    static const char *const heard[] = {"10:sent ", "10:sent 30:head=200 ", "10:sent 30:head=200 35:abc ",
                                        "10:sent 30:head=200 35:abc 35:de ",
                                        "10:sent 30:head=200 35:abc 35:de 42:f 42:done=0 "};
    for (size_t i = 0; i < 2 * 5; i++) {
        struct listener listener = {.act = acts[i / 5], .act_on = words[i % 5]};
        begin(&plain, 1);
        start(&listener, "http://a/", NULL);
        run();
        ASSERT_STR(listener.heard, heard[i % 5]);
        CU_ASSERT(koine__replay_seen(transport, 0)->cancelled == (i / 5 == 0 && i % 5 < 4));
        end();
    }
    for (size_t i = 0; i < 2; i++) {
        struct listener listener = {0};
        begin(&plain, 1);
        start(&listener, "http://a/", NULL);
        acts[i](listener.transfer);
        run();
        ASSERT_STR(listener.heard, "");
        end();
    }
}

static void drops_pieces_after_cancel(void)
{
    struct koine__replay_answer answer = plain;
    struct listener listener = {.act = cancel, .act_on = "35:b"};
    answer.split = 1;
    begin(&answer, 1);
    start(&listener, "http://a/", NULL);
    run();
    ASSERT_STR(listener.heard, "10:sent 30:head=200 35:a 35:b ");
    end();
}

static void hold(struct koine__transfer *transfer)
{
    transport->ops->pause(transfer);
}

static void pauses(void)
{
    struct koine__replay_answer answer = plain;
    struct listener listener = {.act = hold, .act_on = "35:b"};
    answer.split = 1;
    begin(&answer, 1);
    start(&listener, "http://a/", NULL);
    run();
    ASSERT_STR(listener.heard, "10:sent 30:head=200 35:a 35:b ");
    CU_ASSERT(koine__replay_seen(transport, 0)->paused);
    virtual_time = 100;
    transport->ops->resume(listener.transfer);
    ASSERT_STR(listener.heard, "10:sent 30:head=200 35:a 35:b "); /* never from inside resume */
    transport->ops->pause(listener.transfer);
    run();
    ASSERT_STR(listener.heard, "10:sent 30:head=200 35:a 35:b ");
    virtual_time = 200;
    transport->ops->resume(listener.transfer);
    transport->ops->resume(listener.transfer);
    run(); /* what was missed comes at once */
    ASSERT_STR(listener.heard, "10:sent 30:head=200 35:a 35:b 200:c 200:d 200:e 200:f 200:done=0 ");
    end();
}

/* Paused between chunks; the end is held too. */
static void pauses_before_the_end(void)
{
    struct listener listener = {.act = hold, .act_on = "42:f"};
    begin(&plain, 1);
    start(&listener, "http://a/", NULL);
    run();
    ASSERT_STR(listener.heard, "10:sent 30:head=200 35:abc 35:de 42:f ");
    virtual_time = 50;
    transport->ops->resume(listener.transfer);
    run();
    ASSERT_STR(listener.heard, "10:sent 30:head=200 35:abc 35:de 42:f 50:done=0 ");
    end();
}

static void pauses_early(void)
{
    struct listener listener = {0};
    begin(&plain, 1);
    start(&listener, "http://a/", NULL);
    transport->ops->pause(listener.transfer); /* head and `sent` come all the same */
    run();
    ASSERT_STR(listener.heard, "10:sent 30:head=200 ");
    transport->ops->cancel(listener.transfer);
    end();
}

static void free_cancels_all(void)
{
    struct listener listeners[3] = {0};
    begin(&plain, 1);
    for (size_t i = 0; i < 3; i++)
        start(&listeners[i], "http://a/", NULL);
    transport->ops->cancel(listeners[1].transfer); /* from the middle of the list */
    koine__loop_wait(loop, KOINE__NEVER);
    koine__loop_process(loop);
    transport->ops->free(transport);
    ASSERT_INT(koine__loop_process(loop), 0);
    ASSERT_STR(listeners[0].heard, "10:sent ");
    ASSERT_STR(listeners[1].heard, "");
    koine__loop_free(loop);
}

static void abandons(void)
{
    struct listener listener = {0};
    begin(&plain, 1);
    start(&listener, "http://a/", NULL);
    transport->ops->abandon(transport);
    koine__loop_abandon(loop);
    ASSERT_STR(listener.heard, "");
}

/* A director that writes down what it is told, and knows one address. */
static char told[256];

static const struct koine__replay_answer *direct(void *arg, const struct koine__replay_seen *seen,
                                                 bool stream)
{
    size_t used = strlen(told);
    snprintf(told + used, sizeof(told) - used, "%lld:%s%s ", (long long)virtual_time, seen->url,
             stream ? "*" : "");
    return strstr(seen->url, "//a/") ? arg : NULL;
}

static void tell(const char *what, const struct koine__replay_seen *seen)
{
    size_t used = strlen(told);
    snprintf(told + used, sizeof(told) - used, "%lld:%s=%lld,%lld ", (long long)virtual_time, what,
             (long long)seen->sent_at, (long long)seen->ended_at);
}

static void direct_sent(void *arg, const struct koine__replay_seen *seen)
{
    (void)arg;
    tell("sent", seen);
}

static void direct_ended(void *arg, const struct koine__replay_seen *seen)
{
    (void)arg;
    tell("ended", seen);
}

static void obeys_a_director(void)
{
    struct listener listeners[3] = {{0}};
    begin(NULL, 0);
    koine__replay_direct(
        transport, &(struct koine__replay_director){
                       .answer = direct, .sent = direct_sent, .ended = direct_ended, .arg = (void *)&plain});
    told[0] = '\0';
    start(&listeners[0], "http://a/", NULL);
    start(&listeners[1], "http://b/", NULL);
    start(&listeners[2], "http://a/2", NULL);
    koine__loop_wait(loop, 30);
    koine__loop_process(loop);
    koine__loop_wait(loop, 30);
    koine__loop_process(loop);
    transport->ops->cancel(listeners[2].transfer);
    run();
    ASSERT_STR(told, "0:http://a/ 0:http://b/ 0:http://a/2 0:ended=-1,0 10:sent=10,-1 10:sent=10,-1 "
                     "10:ended=10,10 42:ended=10,42 ");
    ASSERT_STR(listeners[0].heard, "10:sent 30:head=200 35:abc 35:de 42:f 42:done=0 ");
    ASSERT_STR(listeners[1].heard, "0:done=1 ");
    ASSERT_STR(listeners[2].heard, "10:sent ");
    end();
}

static int ask_once(void)
{
    static const struct koine__header header = {{"X-A", 3}, {"1", 1}};
    struct koine__http_request request = {
        .method = "POST", .url = "http://a/", .headers = &header, .header_count = 1, .body = {"{}", 2}};
    struct listener listener = {0};
    int rc = koine__loop_new(&virtual_clock, &loop);
    if (rc != KOINE_OK)
        return rc;
    rc = koine__transport_replay_new(loop, &plain, 1, &transport);
    if (rc == KOINE_OK) {
        rc = transport->ops->start(transport, &request, &handler, &listener, &listener.transfer);
        run();
        CU_ASSERT((rc == KOINE_OK) == (strstr(listener.heard, "done=0") != NULL));
        transport->ops->free(transport);
    }
    koine__loop_free(loop);
    return rc;
}

static void survives_failing_allocations(void)
{
    for (long n = 1;; n++) {
        virtual_time = 0;
        failalloc_begin(n);
        int rc = ask_once();
        if (!failalloc_end())
            break;
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

SUITE_MAIN("transport_replay", {"plays_on_time", plays_on_time}, {"splits", splits},
           {"ends_as_scripted", ends_as_scripted}, {"matches", matches},
           {"writes_down_what_was_asked", writes_down_what_was_asked}, {"stops_when_told", stops_when_told},
           {"drops_pieces_after_cancel", drops_pieces_after_cancel}, {"pauses", pauses},
           {"pauses_before_the_end", pauses_before_the_end}, {"pauses_early", pauses_early},
           {"obeys_a_director", obeys_a_director}, {"free_cancels_all", free_cancels_all},
           {"abandons", abandons}, {"survives_failing_allocations", survives_failing_allocations})
