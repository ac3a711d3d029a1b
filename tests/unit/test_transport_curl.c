/* The curl transport against a server on loopback that misbehaves by path, and counts what reaches it.
 *
 * The program brings its own getaddrinfo: names are answered from a table, so that no name leaves this
 * machine.
 */
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include "core/base/mem.h"
#include "core/wire/transport_curl.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <koine/koine.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Names ------------------------------------------------------------------------------------------ */

static sem_t resolver_waits;
static sem_t slow_may_go, late_may_go; /* two: a thread of the test before may not have left yet */

__attribute__((visibility("default"))) /* so that curl calls it */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    static _Thread_local struct sockaddr_in far; /* curl copies it before it ends the thread that asks */
    static _Thread_local struct addrinfo answer;
    (void)hints;
    bool is_late = strcmp(name, "late.invalid") == 0; /* found after a while, and it is this machine */
    if (is_late || strcmp(name, "slow.invalid") == 0) {
        sem_post(&resolver_waits);
        while (sem_wait(is_late ? &late_may_go : &slow_may_go) < 0)
            continue;
    }
    if (!is_late && strcmp(name, "localhost.") != 0)
        return EAI_NONAME;
    far.sin_family = AF_INET;
    far.sin_addr.s_addr = htonl(is_late ? INADDR_LOOPBACK : 0xC0000201); /* 192.0.2.1, for documentation */
    far.sin_port = htons((uint16_t)(is_late && service ? atoi(service) : 0));
    answer = (struct addrinfo){.ai_family = AF_INET,
                               .ai_socktype = SOCK_STREAM,
                               .ai_addr = (struct sockaddr *)&far,
                               .ai_addrlen = sizeof(far)};
    *ret = &answer;
    return 0;
}

__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *list)
{
    (void)list;
}

/* ---- The server --------------------------------------------------------------------------------------- */

#define MOST_CONNECTIONS 512
#define BIG              ((size_t)8 << 20)

static struct {
    int listener, port;
    pthread_t thread, threads[MOST_CONNECTIONS];
    int sockets[MOST_CONNECTIONS]; /* -1: closed */
    pthread_mutex_t mutex;         /* of sockets */
    atomic_int connections, requests, closed;
    sem_t go;   /* what /lost and /excess-later wait for */
    sem_t gone; /* the excess was sent */
} server = {.mutex = PTHREAD_MUTEX_INITIALIZER};

struct request {
    int fd, number; /* from 1, on its connection */
    char text[65536];
    size_t len, head_len;
};

static bool write_all(int fd, const char *ptr, size_t len)
{
    while (len) {
        ssize_t sent = send(fd, ptr, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        ptr += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool say(int fd, const char *text)
{
    return write_all(fd, text, strlen(text));
}

/* The next request with its body, as far as it fits. */
static bool read_request(struct request *request)
{
    size_t wanted = SIZE_MAX;
    request->len = 0;
    while (request->len < wanted && request->len < sizeof(request->text) - 1) {
        ssize_t got =
            recv(request->fd, request->text + request->len, sizeof(request->text) - 1 - request->len, 0);
        if (got <= 0)
            return false;
        request->len += (size_t)got;
        request->text[request->len] = '\0';
        if (request->text[0] == 0x16)
            return true; /* a TLS handshake */
        const char *end = strstr(request->text, "\r\n\r\n");
        if (!end || wanted != SIZE_MAX)
            continue;
        const char *length = strcasestr(request->text, "\r\nContent-Length:");
        request->head_len = (size_t)(end - request->text) + 4;
        wanted = request->head_len + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
    }
    return true;
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Until the client goes away. */
static void wait_for_end(int fd)
{
    char byte[4096];
    while (recv(fd, byte, sizeof(byte), 0) > 0)
        continue;
}

static bool answer_echo(const struct request *request)
{
    char head[128];
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", request->len);
    return say(request->fd, head) && write_all(request->fd, request->text, request->len);
}

static bool answer_big(const struct request *request)
{
    static const char block[65536];
    bool ok = say(request->fd, "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n");
    for (size_t sent = 0; ok && sent < BIG; sent += sizeof(block))
        ok = write_all(request->fd, block, sizeof(block));
    return ok;
}

static bool answer_endless(const struct request *request, const char *start, const char *more)
{
    bool ok = say(request->fd, start);
    while (ok)
        ok = say(request->fd, more);
    return false;
}

static bool answer_hang(const struct request *request, const char *text)
{
    say(request->fd, text);
    wait_for_end(request->fd);
    return false;
}

static bool answer_gzip(const struct request *request)
{
    static const char hello[] =
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05"
        "\x00\x00\x00";
    say(request->fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n");
    return write_all(request->fd, hello, 25);
}

#define PATH(name) (strncmp(request->text + skip, name " ", sizeof(name)) == 0)

/* What needs more than one text. -1: not its path. */
static int answer_odd(const struct request *request, size_t skip)
{
    int fd = request->fd;
    if (PATH("/echo") || PATH("http://far.invalid/echo"))
        return answer_echo(request);
    if (PATH("/big"))
        return answer_big(request);
    if (PATH("/gzip"))
        return answer_gzip(request);
    if (PATH("/reset") || (PATH("/once") && request->number > 1)) {
        reset(fd);
        return false;
    }
    if (PATH("/lost")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        sem_wait(&server.go); /* or the reset would overtake what was sent */
        reset(fd);
        return false;
    }
    if (PATH("/endless-head"))
        return answer_endless(request, "HTTP/1.1 200 OK\r\n", "X-More: and more and more and more\r\n");
    if (PATH("/endless-line"))
        return answer_endless(request, "HTTP/1.1 200 OK\r\nX-More: ", "and more and more and more ");
    if (PATH("/endless-interim"))
        return answer_endless(request, "", "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n");
    if (PATH("/endless-body"))
        return answer_endless(request, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                              "5\r\nhello\r\n");
    if (PATH("/excess-later")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        sem_wait(&server.go); /* or curl would see at once that it is too much */
        bool said = say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad");
        sem_post(&server.gone);
        return said;
    }
    if (PATH("/silence"))
        return answer_hang(request, "");
    if (PATH("/hang"))
        return answer_hang(request, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    if (PATH("/early"))
        return answer_hang(request, "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nhello");
    return -1;
}

static const struct {
    const char *path, *text;
    bool closes;
} texts[] = {
    {"/whole ", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", false},
    {"/excess ",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad",
     false},
    {"/once ", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false},
    {"/chunked ",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: t\r\n\r\n",
     false},
    {"/interim ",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\n"
     "Content-Length: 5\r\n\r\nhello",
     false},
    {"/dated ", "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2015 00:00:07 GMT\r\nContent-Length: 5\r\n\r\nhello",
     false},
    {"/redirect ", "HTTP/1.1 302 Found\r\nLocation: /whole\r\nContent-Length: 2\r\n\r\ngo", false},
    {"/empty ", "HTTP/1.1 204 No Content\r\n\r\n", false},
    {"/until-close ", "HTTP/1.0 200 OK\r\n\r\nhello", true},
    {"/close ", "", true},
    {"/short ", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", true},
    {"/cut ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true},
    {"/bad-chunk ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", true},
    {"/bad-gzip ", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", false},
    {"/no-http ", "hello, this is no HTTP at all\r\n\r\n", true},
    {"/half-head ", "HTTP/1.1 200 OK\r\nContent-Le", true},
};

/* Whether the connection goes on. */
static bool answer(const struct request *request)
{
    size_t skip = strcspn(request->text, " ") + 1;
    if (request->text[0] == 0x16)
        return say(request->fd, "this is no TLS at all\r\n") && false;
    int odd = answer_odd(request, skip);
    if (odd >= 0)
        return odd > 0;
    if (strncmp(request->text, "CONNECT ", 8) == 0)
        return say(request->fd, "HTTP/1.1 200 Connected\r\nX-Proxy: yes\r\n\r\nthis is no TLS at all\r\n");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strncmp(request->text + skip, texts[i].path, strlen(texts[i].path)) == 0)
            return say(request->fd, texts[i].text) && !texts[i].closes;
    return false;
}

static void *serve_connection(void *arg)
{
    int *slot = arg;
    struct request *request = malloc(sizeof(*request));
    request->fd = *slot;
    request->number = 0;
    while (read_request(request)) {
        request->number++;
        atomic_fetch_add(&server.requests, 1);
        if (!answer(request))
            break;
    }
    free(request);
    pthread_mutex_lock(&server.mutex);
    close(*slot);
    *slot = -1;
    pthread_mutex_unlock(&server.mutex);
    atomic_fetch_add(&server.closed, 1);
    return NULL;
}

static void *serve(void *arg)
{
    (void)arg;
    for (;;) {
        int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
        int number = atomic_load(&server.connections);
        if (fd < 0 || number == MOST_CONNECTIONS)
            return NULL;
        server.sockets[number] = fd;
        atomic_fetch_add(&server.connections, 1); /* first: what it answers may be looked at at once */
        if (pthread_create(&server.threads[number], NULL, serve_connection, &server.sockets[number]) != 0)
            abort();
    }
}

static int listen_on_loopback(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                    listen(fd, 128) == 0);
    getsockname(fd, (struct sockaddr *)&address, &len);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void start_server(void)
{
    atomic_store(&server.connections, 0);
    atomic_store(&server.requests, 0);
    atomic_store(&server.closed, 0);
    sem_init(&server.go, 0, 0);
    sem_init(&server.gone, 0, 0);
    server.listener = listen_on_loopback(&server.port);
    CU_ASSERT_FATAL(pthread_create(&server.thread, NULL, serve, NULL) == 0);
}

static void stop_server(void)
{
    shutdown(server.listener, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.listener);
    for (int i = 0; i < atomic_load(&server.connections); i++) {
        pthread_mutex_lock(&server.mutex);
        if (server.sockets[i] >= 0)
            shutdown(server.sockets[i], SHUT_RDWR);
        pthread_mutex_unlock(&server.mutex);
        pthread_join(server.threads[i], NULL);
    }
}

/* ---- The client --------------------------------------------------------------------------------------- */

static struct koine__curl_share *share;
static struct koine__loop *loop;
static struct koine__transport *transport;

static void begin_bounded(size_t idle, const int64_t *limit)
{
    struct koine__curl_options options = {.idle = idle, .limit = limit};
    CU_ASSERT_FATAL(koine__curl_share_new(&share) == KOINE_OK);
    options.share = share;
    CU_ASSERT_FATAL(koine__loop_new(&koine__system_clock, &loop) == KOINE_OK);
    CU_ASSERT_FATAL(koine__transport_curl_new(loop, &options, &transport) == KOINE_OK);
}

static void begin_client(size_t idle)
{
    begin_bounded(idle, NULL);
}

static void end_client(void)
{
    transport->ops->free(transport);
    koine__loop_free(loop);
    koine__curl_share_free(share);
}

static void begin(void)
{
    start_server();
    begin_client(16);
}

static void end(void)
{
    end_client();
    stop_server();
}

enum moment {
    NEVER,
    AT_SENT,
    AT_HEAD,
    AT_BODY,
    AT_DONE
};

struct call {
    struct koine__transfer *transfer;
    struct call *target; /* whom `act` concerns; NULL: itself */
    enum moment moment;  /* when `act` is called, once */
    void (*act)(struct call *call);
    int sents, heads, bodies, dones;
    int status, class_number;
    size_t len;
    char body[4096], type[64], message[512], stage[16];
    bool starting; /* inside an operation: no handler may be called */
};

static void happen(struct call *call, enum moment moment)
{
    CU_ASSERT(!call->starting);
    CU_ASSERT(call->dones == (moment == AT_DONE ? 1 : 0));
    if (call->moment != moment)
        return;
    call->moment = NEVER;
    call->act(call->target ? call->target : call);
}

static void on_sent(void *arg)
{
    struct call *call = arg;
    call->sents++;
    happen(call, AT_SENT);
}

static void on_head(void *arg, const struct koine__head *head)
{
    struct call *call = arg;
    koine_str type = koine__head_find(head, "content-type");
    call->heads++;
    call->status = head->status;
    snprintf(call->type, sizeof(call->type), "%.*s", (int)type.len, type.len ? type.ptr : "");
    happen(call, AT_HEAD);
}

static void on_body(void *arg, const char *ptr, size_t len)
{
    struct call *call = arg;
    size_t room = call->len < sizeof(call->body) - 1 ? sizeof(call->body) - 1 - call->len : 0;
    memcpy(call->body + (room ? call->len : 0), ptr, len < room ? len : room);
    call->len += len;
    call->bodies++;
    happen(call, AT_BODY);
}

static void on_done(void *arg, const struct koine__fault *fault)
{
    struct call *call = arg;
    call->dones++;
    call->class_number = fault ? fault->class_number : KOINE_CLASS_NONE;
    snprintf(call->message, sizeof(call->message), "%s", fault ? fault->message : "");
    snprintf(call->stage, sizeof(call->stage), "%s", fault ? fault->stage : "");
    happen(call, AT_DONE);
}

static const struct koine__handler handler = {on_sent, on_head, on_body, on_done};

static const char *url_of(const char *path)
{
    static char url[256];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
    return url;
}

static void start_request(struct call *call, const struct koine__http_request *request)
{
    call->starting = true;
    ASSERT_INT(transport->ops->start(transport, request, &handler, call, &call->transfer), KOINE_OK);
    call->starting = false;
}

static void get(struct call *call, const char *path)
{
    struct koine__http_request request = {.method = "GET", .url = url_of(path)};
    start_request(call, &request);
}

/* Until the counter reaches `wanted`. */
static void run(const int *counter, int wanted)
{
    int64_t until = koine__loop_now(loop) + 30 * KOINE__SEC;
    while (*counter < wanted && koine__loop_now(loop) < until) {
        koine__loop_wait(loop, until);
        CU_ASSERT(koine__loop_process(loop) >= 0);
    }
    ASSERT_INT(*counter, wanted);
}

/* For so long, or until nothing moves; gives how many rounds it took. */
static int run_for(int64_t time)
{
    int rounds = 0;
    int64_t until = koine__loop_now(loop) + time;
    while (koine__loop_wait(loop, until) == 1) {
        koine__loop_process(loop);
        rounds++;
    }
    return rounds;
}

/* Until the server has seen so many connections end. */
static void await_closed(int wanted)
{
    int64_t until = koine__loop_now(loop) + 30 * KOINE__SEC;
    while (atomic_load(&server.closed) < wanted && koine__loop_now(loop) < until)
        run_for(KOINE__MS);
    ASSERT_INT(atomic_load(&server.closed), wanted);
}

static void finish(struct call *call)
{
    run(&call->dones, 1);
}

static void assert_call(const struct call *call, int class_number, int status, const char *body)
{
    ASSERT_INT(call->dones, 1);
    ASSERT_INT(call->class_number, class_number);
    ASSERT_INT(call->status, status);
    suite_assert_mem(call->body, call->len, body, strlen(body), "the body", __FILE__, __LINE__);
}

static void assert_has(const char *text, const char *part, bool wanted)
{
    if ((strcasestr(text, part) != NULL) != wanted) {
        fprintf(stderr, "# %s: %s in <<%s>>\n", part, wanted ? "missing" : "found", text);
        CU_FAIL("the request is not as expected");
    }
}

/* ---- Answers ------------------------------------------------------------------------------------------- */

static void reads_good_answers(void)
{
    static const struct {
        const char *path;
        int status;
        const char *body;
    } cases[] = {{"/whole", 200, "hello"}, {"/chunked", 200, "hello"}, {"/interim", 200, "hello"},
                 {"/redirect", 302, "go"}, {"/empty", 204, ""},        {"/until-close", 200, "hello"},
                 {"/gzip", 200, "hello"}};
    begin();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call call = {0};
        get(&call, cases[i].path);
        finish(&call);
        assert_call(&call, KOINE_CLASS_NONE, cases[i].status, cases[i].body);
        ASSERT_STR(call.message, "");
        ASSERT_INT(call.sents, 1);
        ASSERT_INT(call.heads, 1);
    }
    ASSERT_INT(atomic_load(&server.requests), 7); /* the redirect was not followed */
    ASSERT_INT(atomic_load(&server.connections), 2);
    end();
}

static void classifies_bad_answers(void)
{
    static const struct {
        const char *path;
        int class_number, status;
        const char *body, *stage, *message;
    } cases[] = {
        {"/reset", KOINE_CLASS_RESET, 0, "", "first_byte", "the connection was lost: "},
        {"/close", KOINE_CLASS_RESET, 0, "", "first_byte", "the connection was closed without an answer"},
        {"/short", KOINE_CLASS_PROTOCOL, 200, "hello", "body", "the body ended 5 bytes early"},
        {"/cut", KOINE_CLASS_PROTOCOL, 200, "hello", "body", "the body ended before its last chunk"},
        {"/bad-chunk", KOINE_CLASS_PROTOCOL, 200, "", "body", "the body's chunks are malformed"},
        {"/bad-gzip", KOINE_CLASS_PROTOCOL, 200, "", "body", "the answer cannot be read: "},
        {"/no-http", KOINE_CLASS_PROTOCOL, 0, "", "first_byte", "the answer cannot be read: "},
        {"/half-head", KOINE_CLASS_RESET, 0, "", "first_byte", "the connection was "},
        {"/endless-head", KOINE_CLASS_PROTOCOL, 0, "", "first_byte",
         "the answer's head is larger than 262144 bytes"},
        {"/endless-interim", KOINE_CLASS_PROTOCOL, 0, "", "first_byte",
         "the answer's head has more than 8192 lines"},
        {"/endless-line", KOINE_CLASS_PROTOCOL, 0, "", "first_byte", "the answer"},
    };
    begin();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call call = {0};
        get(&call, cases[i].path);
        finish(&call);
        assert_call(&call, cases[i].class_number, cases[i].status, cases[i].body);
        ASSERT_STR(call.stage, cases[i].stage);
        if (strncmp(call.message, cases[i].message, strlen(cases[i].message)) != 0)
            ASSERT_STR(call.message, cases[i].message);
        ASSERT_INT(call.sents, 1);
    }
    ASSERT_INT(atomic_load(&server.requests), 11); /* none was sent twice */
    end();
}

static void let_it_reset(struct call *call)
{
    (void)call;
    sem_post(&server.go);
}

/* Lost in the middle of a body, which is not the same as ended too early. */
static void tells_a_lost_connection(void)
{
    struct call call = {.moment = AT_BODY, .act = let_it_reset};
    begin();
    get(&call, "/lost");
    finish(&call);
    assert_call(&call, KOINE_CLASS_RESET, 200, "hello");
    ASSERT_STR(call.stage, "body");
    assert_has(call.message, "the connection was lost: ", true);
    end();
}

static void holds_a_small_head_limit(void)
{
    struct call call = {0};
    struct koine__http_request request = {.method = "GET", .header_limit = 40};
    begin();
    request.url = url_of("/whole");
    start_request(&call, &request);
    finish(&call);
    ASSERT_INT(call.class_number, KOINE_CLASS_PROTOCOL);
    ASSERT_STR(call.message, "the answer's head is larger than 40 bytes");
    ASSERT_INT(call.heads, 0);
    end();
}

/* ---- Requests --------------------------------------------------------------------------------------------
 */

static void sends_what_is_asked(void)
{
    static const struct koine__header headers[] = {{{"Content-Type", 12}, {"application/json", 16}},
                                                   {{"X-Empty", 7}, {"", 0}},
                                                   {{"X-B", 3}, {"c: d", 4}}};
    struct koine__secret *secret = koine__secret_new("sk-1", 4);
    struct call call = {0};
    struct koine__http_request request = {.method = "POST",
                                          .headers = headers,
                                          .header_count = 3,
                                          .secret_name = "Authorization",
                                          .secret_prefix = "Bearer ",
                                          .secret = secret,
                                          .body = {"{\"a\":\0}", 7}};
    begin();
    request.url = url_of("/echo");
    start_request(&call, &request);
    finish(&call);
    assert_has(call.body, "POST /echo HTTP/1.1\r\n", true);
    assert_has(call.body, "\r\nContent-Type: application/json\r\n", true);
    assert_has(call.body, "\r\nX-Empty:\r\n", true);
    assert_has(call.body, "\r\nX-B: c: d\r\n", true);
    assert_has(call.body, "\r\nAuthorization: Bearer sk-1\r\n", true);
    assert_has(call.body, "\r\nContent-Length: 7\r\n", true);
    assert_has(call.body, "\r\nAccept-Encoding: deflate, gzip", true);
    assert_has(call.body, "Expect", false);
    assert_has(call.body, "Cookie", false);
    CU_ASSERT(call.len > 7 && memcmp(call.body + call.len - 7, "{\"a\":\0}", 7) == 0);
    koine__secret_unref(secret);
    end();
}

/* One handle after another kind of request keeps nothing of it. */
static void forgets_the_request_before(void)
{
    static const struct {
        const char *method, *body;
        bool stream;
        const char *line, *length, *encoding;
    } cases[] = {
        {"POST", "{}", false, "POST /echo ", "\r\nContent-Length: 2\r\n", "gzip"},
        {"GET", NULL, true, "GET /echo ", NULL, "identity"},
        {"DELETE", NULL, false, "DELETE /echo ", NULL, "gzip"},
        {"POST", NULL, false, "POST /echo ", "\r\nContent-Length: 0\r\n", "gzip"},
        {"PUT", "{}!", true, "PUT /echo ", "\r\nContent-Length: 3\r\n", "identity"},
        {"GET", "?", true, "GET /echo ", "\r\nContent-Length: 1\r\n", "identity"},
        {"GET", NULL, false, "GET /echo ", NULL, "gzip"},
    };
    begin();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call call = {0};
        struct koine__http_request request = {.method = cases[i].method,
                                              .url = url_of("/echo"),
                                              .body = koine__str(cases[i].body),
                                              .stream = cases[i].stream};
        start_request(&call, &request);
        finish(&call);
        CU_ASSERT(strncmp(call.body, cases[i].line, strlen(cases[i].line)) == 0);
        assert_has(call.body, cases[i].length ? cases[i].length : "Content-Length", cases[i].length != NULL);
        assert_has(call.body, cases[i].encoding, true);
        assert_has(call.body, cases[i].stream ? "gzip" : "identity", false);
        assert_has(call.body, "Content-Type", false);
        assert_has(call.body, "Authorization", false);
    }
    struct call head = {0};
    struct koine__http_request request = {.method = "HEAD", .url = url_of("/whole")};
    start_request(&head, &request);
    finish(&head);
    assert_call(&head, KOINE_CLASS_NONE, 200, "");
    end();
}

static void refuses_bad_requests(void)
{
    struct koine__header header = {{"X-A", 3}, {"b\r\nX-C: d", 9}};
    struct koine__http_request request = {.method = "GET", .headers = &header, .header_count = 1};
    struct call call = {0};
    begin();
    request.url = url_of("/whole");
    ASSERT_INT(transport->ops->start(transport, &request, &handler, &call, &call.transfer), KOINE_EARGUMENT);
    ASSERT_INT(run_for(0), 0);
    ASSERT_INT(atomic_load(&server.requests), 0);
    end();
}

/* ---- Connections
 * ------------------------------------------------------------------------------------------- */

static void assert_unreachable(const char *url, const char *message)
{
    struct call call = {0};
    struct koine__http_request request = {.method = "POST", .url = url, .body = {"{}", 2}};
    start_request(&call, &request);
    finish(&call);
    assert_call(&call, KOINE_CLASS_CONNECT, 0, "");
    ASSERT_STR(call.stage, "connect");
    ASSERT_INT(call.sents, 0);
    if (strncmp(call.message, message, strlen(message)) != 0)
        ASSERT_STR(call.message, message);
}

static void tells_why_nothing_was_sent(void)
{
    char url[64], refused[128];
    int port;
    begin();
    close(listen_on_loopback(&port));
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    snprintf(refused, sizeof(refused), "connection to 127.0.0.1:%d refused", port);
    assert_unreachable(url, refused);
    snprintf(url, sizeof(url), "http://[::1]:%d/", port);
    assert_unreachable(url, ""); /* refused, or there is no IPv6 at all */
    assert_unreachable("http://host.invalid/x", "cannot resolve host host.invalid");
    assert_unreachable("http://localhost./x", "localhost. does not lead to this machine");
    assert_unreachable("http://255.255.255.255/x", "cannot connect to 255.255.255.255:80: ");
    assert_unreachable("ftp://127.0.0.1/x", "cannot reach 127.0.0.1:21: ");
    assert_unreachable("http://user:word@127.0.0.1/x", "cannot reach 127.0.0.1:80: ");
    assert_unreachable("http://", "the URL cannot be used: ");
    assert_unreachable("nonsense://x", "the URL cannot be used: ");
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/whole", server.port);
    assert_unreachable(url, "TLS: ");
    end();
}

static void needs_the_bundle_it_was_given(void)
{
    char url[64];
    struct call call = {0};
    struct koine__http_request request = {.method = "GET", .url = url, .ca_file = "/nonexistent/bundle.pem"};
    begin();
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/whole", server.port);
    start_request(&call, &request);
    finish(&call);
    ASSERT_INT(call.class_number, KOINE_CLASS_CONNECT);
    assert_has(call.message, "TLS: ", true);
    assert_has(call.message, "/nonexistent/bundle.pem", true);
    end();
}

static void reuses_connections(void)
{
    begin();
    for (int i = 0; i < 10; i++) {
        struct call call = {0};
        get(&call, "/whole");
        finish(&call);
        assert_call(&call, KOINE_CLASS_NONE, 200, "hello");
    }
    ASSERT_INT(atomic_load(&server.connections), 1);
    ASSERT_INT(atomic_load(&server.requests), 10);
    end();
}

/* What a server sends beyond an answer is nobody's answer. */
static void trusts_no_excess(void)
{
    static const char *const paths[] = {"/excess", "/excess-later"};
    for (size_t i = 0; i < 2; i++) {
        begin();
        struct call first = {0}, second = {0};
        get(&first, paths[i]);
        finish(&first);
        assert_call(&first, KOINE_CLASS_NONE, 200, "hello");
        if (i == 1) {
            sem_post(&server.go);
            while (sem_wait(&server.gone) < 0)
                continue;
        }
        run_for(20 * KOINE__MS);
        get(&second, "/whole");
        finish(&second);
        assert_call(&second, KOINE_CLASS_NONE, 200, "hello");
        ASSERT_INT(second.sents, 1);
        ASSERT_INT(atomic_load(&server.connections), 2);
        ASSERT_INT(atomic_load(&server.requests), 2);
        end();
    }
}

static void keeps_none_when_told(void)
{
    start_server();
    begin_client(0);
    for (int i = 0; i < 3; i++) {
        struct call call = {0};
        get(&call, "/whole");
        finish(&call);
    }
    ASSERT_INT(atomic_load(&server.connections), 3);
    end();
}

/* The trap: on a reused connection that is reset, curl would send the request again by itself. */
static void never_sends_twice(void)
{
    static const char *const methods[] = {"POST", "GET"};
    for (size_t i = 0; i < 2; i++) {
        struct call first = {0}, second = {0};
        struct koine__http_request request = {.method = methods[i]};
        begin();
        request.url = url_of("/once");
        request.body = koine__str(i == 0 ? "{}" : NULL);
        start_request(&first, &request);
        finish(&first);
        assert_call(&first, KOINE_CLASS_NONE, 200, "hello");
        start_request(&second, &request);
        finish(&second);
        assert_call(&second, KOINE_CLASS_RESET, 0, "");
        ASSERT_STR(second.message, "the connection was reset before an answer; not sent again");
        ASSERT_INT(second.sents, 1);
        run_for(20 * KOINE__MS);
        ASSERT_INT(atomic_load(&server.requests), 2);
        end();
    }
}

static void carries_many_at_once(void)
{
    static struct call calls[50];
    memset(calls, 0, sizeof(calls));
    begin();
    for (size_t i = 0; i < 50; i++)
        get(&calls[i], i % 2 ? "/chunked" : "/whole");
    for (size_t i = 0; i < 50; i++) {
        finish(&calls[i]);
        assert_call(&calls[i], KOINE_CLASS_NONE, 200, "hello");
    }
    ASSERT_INT(atomic_load(&server.requests), 50);
    int connections = atomic_load(&server.connections);
    memset(calls, 0, sizeof(calls));
    for (size_t i = 0; i < 10; i++) {
        get(&calls[i], "/whole");
        finish(&calls[i]);
    }
    /* Idle ones were kept; or, where all of them ended in one stroke, none, and one serves the ten. */
    CU_ASSERT(atomic_load(&server.connections) <= connections + 1);
    end();
}

/* One that does not answer keeps nobody from starting. */
static void does_not_wait_for_others(void)
{
    struct call silent = {0}, call = {0};
    begin();
    get(&silent, "/silence");
    run(&silent.sents, 1);
    get(&call, "/whole");
    finish(&call);
    assert_call(&call, KOINE_CLASS_NONE, 200, "hello");
    ASSERT_INT(silent.dones, 0);
    end();
}

static void ignores_proxies_for_loopback(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"};
    struct call call = {0}, far = {0};
    char proxy[64], local[64];
    begin();
    for (size_t i = 0; i < 4; i++)
        setenv(names[i], "http://127.0.0.1:1", 1);
    get(&call, "/whole");
    finish(&call);
    assert_call(&call, KOINE_CLASS_NONE, 200, "hello");
    call = (struct call){0};
    snprintf(local, sizeof(local), "http://localhost:%d/whole", server.port);
    struct koine__http_request request = {.method = "GET", .url = local, .proxy = "http://127.0.0.1:1"};
    start_request(&call, &request);
    finish(&call);
    assert_call(&call, KOINE_CLASS_NONE, 200, "hello");
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server.port);
    setenv("http_proxy", proxy, 1);
    request = (struct koine__http_request){.method = "GET", .url = "http://far.invalid/echo"};
    start_request(&far, &request);
    finish(&far);
    assert_has(far.body, "GET http://far.invalid/echo HTTP/1.1\r\nHost: far.invalid\r\n", true);
    ASSERT_INT(atomic_load(&server.requests), 3); /* each once */
    for (size_t i = 0; i < 4; i++)
        unsetenv(names[i]);
    end();
}

/* The proxy's own answer to CONNECT is neither a head nor a reason to say `sent`. */
static void hides_the_tunnel(void)
{
    struct call call = {0};
    char proxy[64];
    begin();
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server.port);
    struct koine__http_request request = {.method = "GET", .url = "https://far.invalid/", .proxy = proxy};
    start_request(&call, &request);
    finish(&call);
    assert_call(&call, KOINE_CLASS_CONNECT, 0, "");
    assert_has(call.message, "TLS: ", true);
    ASSERT_INT(call.sents, 0);
    ASSERT_INT(call.heads, 0);
    end();
}

static void cancel(struct call *call)
{
    transport->ops->cancel(call->transfer);
}

static void drain(struct call *call)
{
    transport->ops->drain(call->transfer);
}

/* Until somebody asks for the name that is looked up slowly. */
static void run_to_the_lookup(const struct call *call)
{
    int rounds = 0;
    while (sem_trywait(&resolver_waits) < 0 && call->dones == 0 && rounds++ < 5000) {
        koine__loop_wait(loop, koine__loop_now(loop) + KOINE__MS);
        koine__loop_process(loop);
    }
    ASSERT_INT(call->dones, 0);
}

/* ---- The way ---- */

static struct koine__way way_to(const char *url, const char *proxy)
{
    struct koine__way way = {0};
    struct call call = {0};
    struct koine__http_request request = {.method = "GET", .url = url, .proxy = proxy, .way = &way};
    start_request(&call, &request);
    finish(&call);
    return way;
}

static void sees_the_way(void)
{
    begin();
    struct koine__way way = way_to(url_of("/dated"), NULL);
    ASSERT_INT(way.step, KOINE__STEP_ANSWER);
    ASSERT_STR(way.host, "127.0.0.1");
    ASSERT_INT(way.port, server.port);
    ASSERT_INT((long long)way.address_count, 1);
    ASSERT_STR(way.addresses[0], "127.0.0.1");
    CU_ASSERT(!way.tls && way.connected >= way.resolved && way.connected > 0);
    ASSERT_INT(way.secured, 0);
    ASSERT_INT(way.certificate_end, 0);
    ASSERT_STR(way.http_version, "1.1");
    ASSERT_STR(way.tls_version, "");
    ASSERT_STR(way.proxy, "");
    ASSERT_INT(way.date, INT64_C(1420070407));
    CU_ASSERT(way.date_seen > INT64_C(1420070407) * KOINE__SEC);
    struct koine__way first = way;
    struct call call = {0};
    struct koine__http_request request = {.method = "GET", .url = url_of("/whole"), .way = &way};
    start_request(&call, &request);
    finish(&call);
    ASSERT_INT(memcmp(&way, &first, sizeof(way)), 0); /* the first one counts */
    end();
}

static void sees_where_it_ended(void)
{
    char url[64];
    int port;
    begin();
    close(listen_on_loopback(&port));
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    ASSERT_INT(way_to(url, NULL).step, KOINE__STEP_CONNECT);
    ASSERT_INT(way_to("http://host.invalid/x", NULL).step, KOINE__STEP_DNS);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/whole", server.port);
    struct koine__way way = way_to(url, NULL);
    ASSERT_INT(way.step, KOINE__STEP_TLS);
    CU_ASSERT(way.tls);
    ASSERT_INT(way_to(url_of("/reset"), NULL).step, KOINE__STEP_ANSWER);
    CU_ASSERT_PTR_NULL(way_to(url_of("/reset"), NULL).http_version);
    end();
}

static void sees_the_proxy(void)
{
    char proxy[80];
    struct koine__way way;
    begin();
    snprintf(proxy, sizeof(proxy), "http://user:word@127.0.0.1:%d", server.port);
    setenv("http_proxy", proxy, 1);
    way = way_to("http://far.invalid/echo", NULL);
    unsetenv("http_proxy");
    ASSERT_INT(way.step, KOINE__STEP_ANSWER);
    ASSERT_STR(way.host, "far.invalid");
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server.port);
    ASSERT_STR(way.proxy, proxy); /* without the password */
    ASSERT_STR(way.proxy_variable, "http_proxy");
    way = way_to("https://far.invalid/", proxy); /* which lets us through to what is no TLS */
    ASSERT_INT(way.step, KOINE__STEP_TLS);
    ASSERT_STR(way.proxy, proxy);
    ASSERT_STR(way.proxy_variable, "");
    ASSERT_STR(way_to(url_of("/whole"), proxy).proxy, ""); /* never for loopback */
    end();
}

/* What hangs is cancelled by a timer of the engine's; the way says where. */
static void sees_where_it_hangs(void)
{
    char url[64], hello;
    int port, fd = -1;
    struct koine__way way = {0}, lookup = {0};
    struct call call = {0}, slow = {0};
    struct koine__http_request request = {.method = "GET", .url = url, .way = &way};
    begin();
    int listener = listen_on_loopback(&port);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", port);
    start_request(&call, &request);
    for (int i = 0; i < 5000 && (fd < 0 || recv(fd, &hello, 1, MSG_DONTWAIT) != 1); i++) {
        run_for(KOINE__MS);
        if (fd < 0)
            fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }
    cancel(&call);
    ASSERT_INT(way.step, KOINE__STEP_TLS);
    request = (struct koine__http_request){.method = "GET", .url = "http://slow.invalid/", .way = &lookup};
    start_request(&slow, &request);
    run_to_the_lookup(&slow);
    cancel(&slow);
    ASSERT_INT(lookup.step, KOINE__STEP_DNS);
    ASSERT_STR(lookup.host, "slow.invalid");
    close(fd);
    close(listener);
    end();
    sem_post(&slow_may_go);
}

/* Whoever asked may be gone as soon as he has cancelled, or wants no more. */
static void tells_the_way_in_time(void)
{
    static void (*const acts[])(struct call *) = {cancel, drain};
    for (size_t i = 0; i < 2; i++) {
        struct koine__way way = {0};
        struct call call = {.moment = AT_BODY, .act = acts[i]};
        struct koine__http_request request = {.method = "GET", .url = url_of("/hang"), .way = &way};
        begin();
        request.url = url_of("/hang");
        start_request(&call, &request);
        run(&call.bodies, 1);
        ASSERT_INT(way.step, KOINE__STEP_ANSWER);
        memset(&way, 0xEE, sizeof(way));
        struct koine__way gone = way;
        run_for(20 * KOINE__MS);
        end();
        ASSERT_INT(memcmp(&way, &gone, sizeof(way)), 0);
    }
}

/* Cancelling never waits for the resolver's thread. */
static void does_not_wait_for_the_resolver(void)
{
    struct call call = {0};
    struct koine__http_request request = {.method = "GET", .url = "http://slow.invalid/"};
    begin();
    start_request(&call, &request);
    run_to_the_lookup(&call);
    if (call.dones == 0)
        transport->ops->cancel(call.transfer);
    end();
    sem_post(&slow_may_go);
}

/* Who was cancelled while its name was looked up does not go to the server when the name is found. */
static void sends_nothing_after_a_late_lookup(void)
{
    struct call late = {0}, next = {0};
    struct koine__http_request request = {.method = "POST", .body = koine__str("{}")};
    char url[64];
    begin();
    snprintf(url, sizeof(url), "http://late.invalid:%d/whole", server.port);
    request.url = url;
    start_request(&late, &request);
    run_to_the_lookup(&late);
    if (late.dones == 0)
        transport->ops->cancel(late.transfer);
    sem_post(&late_may_go);
    run_for(30 * KOINE__MS);
    ASSERT_INT(late.sents + late.dones, 0);
    get(&next, "/whole");
    finish(&next);
    assert_call(&next, KOINE_CLASS_NONE, 200, "hello");
    ASSERT_INT(atomic_load(&server.connections), 1);
    ASSERT_INT(atomic_load(&server.requests), 1);
    sem_post(&late_may_go); /* and if it is not cancelled it arrives, once */
    start_request(&late, &request);
    finish(&late);
    assert_call(&late, KOINE_CLASS_NONE, 200, "hello");
    ASSERT_INT(atomic_load(&server.requests), 2);
    while (sem_trywait(&resolver_waits) == 0)
        continue;
    end();
}

/* curl would look it up in a thread for each. The last of them are cancelled meanwhile. */
static void looks_a_name_up_once(void)
{
    enum {
        MANY = 20,
        GONE = 4
    };
    struct call calls[MANY] = {0};
    struct koine__http_request request = {.method = "GET"};
    char url[64];
    int waits = 0;
    begin();
    snprintf(url, sizeof(url), "https://late.invalid:%d/whole", server.port); /* where nobody speaks TLS */
    request.url = url;
    for (int i = 0; i < MANY; i++)
        start_request(&calls[i], &request);
    run_to_the_lookup(&calls[0]);
    run_for(30 * KOINE__MS);
    for (int i = MANY - GONE; i < MANY; i++)
        transport->ops->cancel(calls[i].transfer);
    for (int i = 0; i < MANY; i++)
        sem_post(&late_may_go);
    for (int i = 0; i < MANY - GONE; i++) {
        finish(&calls[i]);
        assert_call(&calls[i], KOINE_CLASS_CONNECT, 0, "");
        assert_has(calls[i].message, "TLS: ", true);
    }
    while (sem_trywait(&resolver_waits) == 0)
        waits++;
    ASSERT_INT(waits, 0); /* but for the first */
    ASSERT_INT(atomic_load(&server.connections), MANY - GONE);
    while (sem_trywait(&late_may_go) == 0)
        continue;
    end();
}

/* ---- Cancel, pause, drain
 * ---------------------------------------------------------------------------------- */

static void cancels_in_every_handler(void)
{
    static const enum moment moments[] = {AT_SENT, AT_HEAD, AT_BODY};
    for (size_t i = 0; i < 3; i++) {
        struct call call = {.moment = moments[i], .act = cancel}, next = {0};
        begin();
        get(&call, "/hang");
        run(i == 0 ? &call.sents : i == 1 ? &call.heads : &call.bodies, 1);
        run_for(20 * KOINE__MS); /* nothing more */
        ASSERT_INT(call.moment, NEVER);
        ASSERT_INT(call.sents, 1);
        ASSERT_INT(call.heads, i >= 1);
        ASSERT_INT(call.bodies, i >= 2);
        ASSERT_INT(call.dones, 0);
        get(&next, "/whole");
        finish(&next);
        assert_call(&next, KOINE_CLASS_NONE, 200, "hello");
        end();
    }
    struct call call = {.moment = AT_DONE, .act = cancel};
    begin();
    get(&call, "/whole");
    finish(&call);
    end();
}

static void cancels_from_outside(void)
{
    struct call at_once = {0}, waiting = {0}, reading = {0};
    begin();
    get(&at_once, "/whole");
    cancel(&at_once);
    get(&waiting, "/silence");
    run(&waiting.sents, 1);
    cancel(&waiting);
    get(&reading, "/hang");
    run(&reading.bodies, 1);
    cancel(&reading);
    run_for(20 * KOINE__MS);
    ASSERT_INT(at_once.sents + at_once.dones, 0);
    ASSERT_INT(waiting.heads + waiting.dones, 0);
    ASSERT_INT(reading.dones, 0);
    end();
}

/* One transfer's handler cancels another, in whatever state that is. */
static void cancels_another(void)
{
    static const enum moment moments[] = {AT_SENT, AT_HEAD, AT_BODY, AT_DONE};
    for (size_t i = 0; i < 4; i++) {
        struct call other = {0}, call = {.moment = moments[i], .act = cancel, .target = &other};
        begin();
        get(&other, "/hang");
        run(&other.bodies, 1);
        get(&call, "/whole");
        finish(&call);
        run_for(20 * KOINE__MS);
        ASSERT_INT(other.dones, 0);
        ASSERT_INT(other.bodies, 1);
        end();
    }
}

static struct call crowd[80];

static void cancel_crowd(struct call *call)
{
    for (size_t i = 0; i < 80; i++)
        if (&crowd[i] != call && crowd[i].dones == 0)
            cancel(&crowd[i]);
}

/* From inside one handler, all others: of which some have not begun, and more than are kept for reuse. */
static void cancels_a_crowd(void)
{
    struct call next = {0};
    memset(crowd, 0, sizeof(crowd));
    begin();
    get(&crowd[0], "/whole");
    crowd[0].moment = AT_BODY;
    crowd[0].act = cancel_crowd;
    for (size_t i = 1; i < 80; i++)
        get(&crowd[i], "/hang");
    finish(&crowd[0]);
    run_for(20 * KOINE__MS);
    for (size_t i = 1; i < 80; i++)
        ASSERT_INT(crowd[i].dones, 0);
    get(&next, "/whole");
    finish(&next);
    assert_call(&next, KOINE_CLASS_NONE, 200, "hello");
    end();
}

static void start_another(struct call *call)
{
    get(call, "/whole");
}

static void start_and_cancel_another(struct call *call)
{
    get(call, "/whole");
    cancel(call);
}

static void start_and_drain_another(struct call *call)
{
    get(call, "/whole");
    drain(call);
}

static void starts_another(void)
{
    static const enum moment moments[] = {AT_SENT, AT_HEAD, AT_BODY, AT_DONE};
    static void (*const acts[])(struct call *) = {start_another, start_and_cancel_another,
                                                  start_and_drain_another};
    for (size_t i = 0; i < 4 * 3; i++) {
        struct call other = {0}, call = {.moment = moments[i % 4], .act = acts[i / 4], .target = &other};
        begin();
        get(&call, "/whole");
        finish(&call);
        assert_call(&call, KOINE_CLASS_NONE, 200, "hello");
        if (i / 4 == 0)
            finish(&other);
        else
            run_for(10 * KOINE__MS);
        ASSERT_INT(other.dones, i / 4 == 0);
        end();
    }
}

static void pause_it(struct call *call)
{
    transport->ops->pause(call->transfer);
}

static void resume(struct call *call)
{
    call->starting = true;
    transport->ops->resume(call->transfer);
    call->starting = false;
}

static void pauses_and_resumes(void)
{
    static const enum moment moments[] = {AT_SENT, AT_HEAD, AT_BODY};
    for (size_t i = 0; i < 3; i++) {
        struct call call = {.moment = moments[i], .act = pause_it};
        begin();
        get(&call, "/big");
        run(i == 2 ? &call.bodies : &call.heads, 1);
        run_for(50 * KOINE__MS);
        size_t len = call.len;
        CU_ASSERT(call.len < BIG);
        ASSERT_INT(call.bodies, i == 2);
        CU_ASSERT(run_for(50 * KOINE__MS) <= 2); /* it does not spin */
        ASSERT_INT(call.len, len);
        resume(&call);
        pause_it(&call);
        run_for(10 * KOINE__MS);
        ASSERT_INT(call.len, len);
        call.moment = AT_BODY; /* again, from inside curl's resuming */
        resume(&call);
        run_for(20 * KOINE__MS);
        ASSERT_INT(call.moment, NEVER);
        CU_ASSERT(call.len > len && call.len < BIG);
        resume(&call);
        resume(&call);
        finish(&call);
        ASSERT_INT(call.class_number, KOINE_CLASS_NONE);
        ASSERT_INT(call.len, BIG);
        end();
    }
}

static void cancels_while_paused(void)
{
    struct call call = {.moment = AT_BODY, .act = pause_it};
    begin();
    get(&call, "/big");
    run(&call.bodies, 1);
    run_for(20 * KOINE__MS);
    cancel(&call);
    call = (struct call){.moment = AT_BODY, .act = pause_it};
    get(&call, "/big");
    run(&call.bodies, 1);
    run_for(20 * KOINE__MS);
    call.moment = AT_BODY; /* what curl kept is delivered into a handler that cancels */
    call.act = cancel;
    resume(&call);
    run_for(20 * KOINE__MS);
    ASSERT_INT(call.moment, NEVER);
    ASSERT_INT(call.dones, 0);
    end();
}

static void drains_and_reuses(void)
{
    static const enum moment moments[] = {AT_HEAD, AT_BODY};
    for (size_t i = 0; i < 2; i++) {
        struct call call = {.moment = moments[i], .act = drain}, next = {0};
        begin();
        get(&call, "/chunked");
        run(i == 0 ? &call.heads : &call.bodies, 1);
        run_for(20 * KOINE__MS);
        ASSERT_INT(call.dones, 0);
        ASSERT_INT(call.bodies, i == 1);
        get(&next, "/whole");
        finish(&next);
        assert_call(&next, KOINE_CLASS_NONE, 200, "hello");
        ASSERT_INT(atomic_load(&server.connections), 1);
        end();
    }
}

/* Neither a body that goes on, nor one that has stopped, is waited for; nor an answer that did not begin. */
/* An idle connection to one host, or one whose answer has no end yet, goes before another is opened. */
static void opens_no_more_than_told(void)
{
    static const int64_t limit = 1;
    struct call here = {0}, there = {0}, hanging = {.moment = AT_BODY, .act = drain}, last = {0};
    char local[64];
    start_server();
    begin_bounded(16, &limit);
    get(&here, "/whole");
    finish(&here);
    snprintf(local, sizeof(local), "http://localhost:%d/whole", server.port);
    struct koine__http_request request = {.method = "GET", .url = local};
    start_request(&there, &request);
    finish(&there);
    assert_call(&there, KOINE_CLASS_NONE, 200, "hello");
    await_closed(1);
    ASSERT_INT(atomic_load(&server.connections), 2);
    get(&hanging, "/hang");
    run(&hanging.bodies, 1);
    get(&last, "/whole");
    finish(&last);
    assert_call(&last, KOINE_CLASS_NONE, 200, "hello");
    await_closed(3);
    ASSERT_INT(atomic_load(&server.connections), 4);
    end();
}

static void drains_no_further(void)
{
    struct call endless = {.moment = AT_BODY, .act = drain}, stalled = {.moment = AT_BODY, .act = drain},
                mute = {0};
    begin();
    get(&endless, "/endless-body");
    run(&endless.bodies, 1);
    await_closed(1);
    get(&stalled, "/hang");
    get(&mute, "/silence");
    run(&stalled.bodies, 1);
    run(&mute.sents, 1);
    drain(&mute);
    await_closed(2);
    int64_t start = koine__loop_now(loop);
    await_closed(3);
    CU_ASSERT(koine__loop_now(loop) - start >= 400 * KOINE__MS);
    ASSERT_INT(endless.dones + stalled.dones + mute.dones, 0);
    end();
}

static void drains_a_paused_one(void)
{
    struct call call = {.moment = AT_BODY, .act = pause_it}, next = {0};
    begin();
    get(&call, "/big");
    run(&call.bodies, 1);
    run_for(20 * KOINE__MS);
    drain(&call); /* more than is read and dropped: it ends */
    run_for(20 * KOINE__MS);
    ASSERT_INT(call.dones, 0);
    get(&next, "/whole");
    finish(&next);
    ASSERT_INT(atomic_load(&server.connections), 2);
    end();
}

/* curl still reads the request's body: after drain nobody keeps that. */
static void drains_before_all_is_sent(void)
{
    char *body = malloc(BIG);
    struct call call = {.moment = AT_HEAD, .act = drain};
    struct koine__http_request request = {.method = "POST", .body = {body, BIG}};
    CU_ASSERT_FATAL(body != NULL);
    memset(body, 'x', BIG);
    begin();
    request.url = url_of("/early");
    start_request(&call, &request);
    run(&call.heads, 1);
    free(body);
    run_for(20 * KOINE__MS);
    ASSERT_INT(call.dones, 0);
    end();
}

static void uploads_much(void)
{
    char *body = malloc(60000);
    struct call call = {0};
    struct koine__http_request request = {.method = "POST", .body = {body, 60000}};
    CU_ASSERT_FATAL(body != NULL);
    memset(body, 'x', 60000);
    begin();
    request.url = url_of("/echo");
    start_request(&call, &request);
    finish(&call);
    ASSERT_INT(call.class_number, KOINE_CLASS_NONE);
    CU_ASSERT(call.len > 60000);
    assert_has(call.body, "Expect", false);
    free(body);
    end();
}

static char *upload;

/* What has left is not read again, whatever follows. */
static void free_what_was_sent(struct call *call)
{
    if (!upload || !transport->ops->has_sent(call->transfer))
        return;
    free(upload);
    upload = NULL;
}

static void needs_no_body_that_was_sent(void)
{
    struct call call = {.moment = AT_BODY, .act = free_what_was_sent}, next = {0};
    struct koine__http_request request = {.method = "POST"};
    upload = malloc(60000);
    CU_ASSERT_FATAL(upload != NULL);
    memset(upload, 'x', 60000);
    request.body = (koine_str){upload, 60000};
    begin();
    request.url = url_of("/echo");
    start_request(&call, &request);
    finish(&call);
    ASSERT_INT(call.class_number, KOINE_CLASS_NONE);
    CU_ASSERT(call.len > 60000);
    CU_ASSERT_PTR_NULL(upload);
    free(upload);
    get(&next, "/whole");
    finish(&next);
    assert_call(&next, KOINE_CLASS_NONE, 200, "hello");
    end();
}

/* ---- Threads, forks, descriptors, memory
 * ---------------------------------------------------------------------- */

static void *run_client(void *arg)
{
    struct koine__curl_options options = {.idle = 4, .share = arg};
    struct koine__loop *own_loop = NULL;
    struct koine__transport *own = NULL;
    char url[64];
    long good = 0;
    snprintf(url, sizeof(url), "http://localhost:%d/whole", server.port);
    if (koine__loop_new(&koine__system_clock, &own_loop) != KOINE_OK ||
        koine__transport_curl_new(own_loop, &options, &own) != KOINE_OK)
        return NULL;
    for (int i = 0; i < 20; i++) {
        struct call call = {0};
        struct koine__http_request request = {.method = "GET", .url = url};
        own->ops->start(own, &request, &handler, &call, &call.transfer);
        while (call.dones == 0 &&
               koine__loop_wait(own_loop, koine__loop_now(own_loop) + 30 * KOINE__SEC) == 1)
            koine__loop_process(own_loop);
        good += call.status == 200 && call.len == 5;
    }
    own->ops->free(own);
    koine__loop_free(own_loop);
    return (void *)good; // NOLINT: a count
}

static void shares_between_threads(void)
{
    pthread_t threads[4];
    begin();
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, run_client, share) == 0);
    for (size_t i = 0; i < 4; i++) {
        void *good = NULL;
        pthread_join(threads[i], &good);
        ASSERT_INT((long)good, 20);
    }
    end();
}

static int count_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return -1;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void leaves_no_descriptors(void)
{
    static const char *const paths[] = {"/whole", "/reset", "/short", "/hang", "/once", "/once"};
    int before = count_descriptors();
    begin();
    for (size_t i = 0; i < 6; i++) {
        struct call call = {0};
        get(&call, paths[i]);
        if (i == 3)
            run(&call.bodies, 1);
        else
            finish(&call);
    }
    end(); /* one was never finished */
    ASSERT_INT(count_descriptors(), before);
}

static void closes_on_exec(void)
{
    struct call call = {0};
    char text[64];
    begin();
    get(&call, "/hang");
    run(&call.bodies, 1);
    int before = count_descriptors();
    snprintf(text, sizeof(text), "test $(ls /proc/self/fd | wc -l) -lt %d", before);
    CU_ASSERT(system(text) == 0); // NOLINT: a literal command
    end();
}

extern void __gcov_dump(void) __attribute__((weak)); /* there in a build that measures coverage */

/* A child gives its copies up; the parent's stream goes on. And when the parent cancels, the server is told,
 * though a child still holds a copy. */
static void survives_a_fork(void)
{
    struct call call = {.moment = AT_BODY, .act = pause_it}, hung = {0};
    int status = -1;
    begin();
    get(&call, "/big");
    run(&call.bodies, 1);
    pid_t child = fork();
    if (child == 0) {
        int before = count_descriptors();
        transport->ops->abandon(transport);
        koine__loop_abandon(loop);
        koine__curl_share_free(share);
        if (count_descriptors() >= before - 4)
            _exit(1);
        if (__gcov_dump)
            __gcov_dump();
        raise(SIGKILL); /* no leak check here: curl's own memory is left behind on purpose */
    }
    waitpid(child, &status, 0);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    resume(&call);
    finish(&call);
    ASSERT_INT(call.len, BIG);
    get(&hung, "/hang");
    run(&hung.bodies, 1);
    child = fork();
    if (child == 0)
        for (;;)
            pause(); /* holds all copies until it is killed */
    cancel(&hung);
    await_closed(1);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    end();
}

/* Broken pipes of others are left alone; ours do not kill the process (TLS writes without MSG_NOSIGNAL). */
static void keeps_sigpipe_as_it_was(void)
{
    sigset_t mask, pending;
    begin();
    char url[64];
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/whole", server.port);
    assert_unreachable(url, "TLS: ");
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CU_ASSERT(sigismember(&mask, SIGPIPE) == 0);
    sigemptyset(&mask);
    sigaddset(&mask, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    raise(SIGPIPE);
    assert_unreachable(url, "TLS: ");
    sigpending(&pending);
    CU_ASSERT(sigismember(&pending, SIGPIPE) == 1);
    pthread_sigmask(SIG_SETMASK, NULL, &pending);
    CU_ASSERT(sigismember(&pending, SIGPIPE) == 1);
    int number;
    sigwait(&mask, &number);
    pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
    end();
}

/* Asks twice over one connection; what fails is told, by start or by `done`. */
static bool ask_under_pressure(void)
{
    static const struct koine__header header = {{"X-A", 3}, {"1", 1}};
    struct koine__curl_options options = {.idle = 2};
    bool good = true;
    share = NULL;
    loop = NULL;
    transport = NULL;
    if (koine__curl_share_new(&share) != KOINE_OK || koine__loop_new(&koine__system_clock, &loop) != KOINE_OK)
        good = false;
    options.share = share;
    if (good && koine__transport_curl_new(loop, &options, &transport) != KOINE_OK)
        good = false;
    for (int i = 0; transport && i < 2; i++) {
        struct call call = {0};
        struct koine__way way = {0};
        struct koine__http_request request = {.method = "POST",
                                              .way = i == 1 ? &way : NULL,
                                              .url = url_of("/chunked"),
                                              .headers = &header,
                                              .header_count = 1,
                                              .body = {"{}", 2}};
        int rc = transport->ops->start(transport, &request, &handler, &call, &call.transfer);
        good = good && rc == KOINE_OK;
        if (rc == KOINE_OK) {
            finish(&call);
            CU_ASSERT(call.class_number != KOINE_CLASS_NONE || call.len == 5);
            good = good && call.class_number == KOINE_CLASS_NONE;
        }
    }
    if (transport)
        transport->ops->free(transport);
    koine__loop_free(loop);
    koine__curl_share_free(share);
    return good;
}

static void survives_failing_allocations(void)
{
    long n = 1;
    start_server();
    CU_ASSERT(ask_under_pressure()); /* what is allocated once per process */
    for (;; n++) {
        failalloc_begin(n);
        ask_under_pressure();
        if (!failalloc_end())
            break;
        if (atomic_load(&server.connections) > MOST_CONNECTIONS / 2) {
            stop_server();
            start_server();
        }
    }
    CU_ASSERT(n > 50);
    stop_server();
}

SUITE_MAIN(
    "transport_curl", {"reads_good_answers", reads_good_answers},
    {"classifies_bad_answers", classifies_bad_answers}, {"tells_a_lost_connection", tells_a_lost_connection},
    {"holds_a_small_head_limit", holds_a_small_head_limit}, {"sends_what_is_asked", sends_what_is_asked},
    {"forgets_the_request_before", forgets_the_request_before},
    {"refuses_bad_requests", refuses_bad_requests},
    {"tells_why_nothing_was_sent", tells_why_nothing_was_sent},
    {"needs_the_bundle_it_was_given", needs_the_bundle_it_was_given},
    {"reuses_connections", reuses_connections}, {"opens_no_more_than_told", opens_no_more_than_told},
    {"trusts_no_excess", trusts_no_excess}, {"keeps_none_when_told", keeps_none_when_told},
    {"never_sends_twice", never_sends_twice}, {"carries_many_at_once", carries_many_at_once},
    {"does_not_wait_for_others", does_not_wait_for_others},
    {"ignores_proxies_for_loopback", ignores_proxies_for_loopback}, {"hides_the_tunnel", hides_the_tunnel},
    {"sees_the_way", sees_the_way}, {"sees_where_it_ended", sees_where_it_ended},
    {"sees_the_proxy", sees_the_proxy}, {"sees_where_it_hangs", sees_where_it_hangs},
    {"tells_the_way_in_time", tells_the_way_in_time},
    {"does_not_wait_for_the_resolver", does_not_wait_for_the_resolver},
    {"sends_nothing_after_a_late_lookup", sends_nothing_after_a_late_lookup},
    {"looks_a_name_up_once", looks_a_name_up_once}, {"cancels_in_every_handler", cancels_in_every_handler},
    {"cancels_from_outside", cancels_from_outside}, {"cancels_another", cancels_another},
    {"cancels_a_crowd", cancels_a_crowd}, {"starts_another", starts_another},
    {"pauses_and_resumes", pauses_and_resumes}, {"cancels_while_paused", cancels_while_paused},
    {"drains_and_reuses", drains_and_reuses}, {"drains_no_further", drains_no_further},
    {"drains_a_paused_one", drains_a_paused_one}, {"drains_before_all_is_sent", drains_before_all_is_sent},
    {"uploads_much", uploads_much}, {"needs_no_body_that_was_sent", needs_no_body_that_was_sent},
    {"shares_between_threads", shares_between_threads}, {"leaves_no_descriptors", leaves_no_descriptors},
    {"closes_on_exec", closes_on_exec}, {"survives_a_fork", survives_a_fork},
    {"keeps_sigpipe_as_it_was", keeps_sigpipe_as_it_was},
    {"survives_failing_allocations", survives_failing_allocations})
