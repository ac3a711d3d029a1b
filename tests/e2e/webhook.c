/* Notices to a receiver on loopback, through real sockets: what comes is checked by the documentation's own
 * example. */
#include "core/hub/client.h"

#include "tests/unit/suite.h"
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRET "whsec_a29pbmUga29pbmUga29pbmUga29pbmU="
#define MOST   8

static struct receiver {
    int listener, port;
    pthread_t thread;
    const int *statuses; /* in turn, the last one again and again; 0: no answer */
    int status_count;
    pthread_mutex_t mutex;
    int count, silent[MOST];
    char requests[MOST][8192];
    bool stops;
} receiver;

/* ---- the receiver ---- */

static bool is_whole(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n"), *length = strstr(request, "Content-Length: ");
    return end && length && strlen(end + 4) >= strtoul(length + 16, NULL, 10);
}

static void read_request(int fd, char *ret, size_t size)
{
    size_t len = 0;
    ssize_t got = 1;
    ret[0] = '\0';
    while (got > 0 && len + 1 < size && !is_whole(ret)) {
        got = read(fd, ret + len, size - len - 1);
        len += got > 0 ? (size_t)got : 0;
        ret[len] = '\0';
    }
}

/* The descriptor to be kept open without an answer, or -1. */
static int answer(int fd, int number)
{
    char text[256];
    int last = receiver.status_count - 1, status = receiver.statuses[number < last ? number : last];
    if (status == 0)
        return fd;
    int len = snprintf(text, sizeof(text),
                       "HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:%d/elsewhere\r\nContent-Length: 2\r\n"
                       "Connection: close\r\n\r\nok",
                       status, receiver.port);
    if (write(fd, text, (size_t)len) != len)
        perror("# receiver");
    shutdown(fd, SHUT_WR);
    while (read(fd, text, sizeof(text)) > 0) /* until it has seen the end: no reset overtakes it */
        ;
    close(fd);
    return -1;
}

static void *serve(void *arg)
{
    static char request[8192];
    (void)arg;
    for (;;) {
        int fd = accept(receiver.listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        read_request(fd, request, sizeof(request));
        pthread_mutex_lock(&receiver.mutex);
        bool stops = receiver.stops;
        int number = receiver.count;
        if (!stops && number < MOST)
            memcpy(receiver.requests[receiver.count++], request, sizeof(request));
        pthread_mutex_unlock(&receiver.mutex);
        if (stops || number >= MOST) {
            close(fd);
            return NULL;
        }
        receiver.silent[number] = answer(fd, number);
    }
}

static void receive(const int *statuses, int count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    memset(&receiver, 0, sizeof(receiver));
    memset(receiver.silent, -1, sizeof(receiver.silent));
    pthread_mutex_init(&receiver.mutex, NULL);
    receiver.statuses = statuses;
    receiver.status_count = count;
    receiver.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(bind(receiver.listener, (struct sockaddr *)&address, size) == 0);
    CU_ASSERT_FATAL(listen(receiver.listener, 16) == 0);
    CU_ASSERT_FATAL(getsockname(receiver.listener, (struct sockaddr *)&address, &size) == 0);
    receiver.port = ntohs(address.sin_port);
    CU_ASSERT_FATAL(pthread_create(&receiver.thread, NULL, serve, NULL) == 0);
}

static int received(void)
{
    pthread_mutex_lock(&receiver.mutex);
    int count = receiver.count;
    pthread_mutex_unlock(&receiver.mutex);
    return count;
}

static void stop_receiving(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)receiver.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pthread_mutex_lock(&receiver.mutex);
    receiver.stops = true;
    pthread_mutex_unlock(&receiver.mutex);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        shutdown(fd, SHUT_WR);
    pthread_join(receiver.thread, NULL);
    close(fd);
    close(receiver.listener);
    for (int i = 0; i < MOST; i++) {
        if (receiver.silent[i] >= 0)
            close(receiver.silent[i]);
    }
    pthread_mutex_destroy(&receiver.mutex);
}

/* ---- what came ---- */

static const char *header(int i, const char *name, char ret[128])
{
    char start[64];
    snprintf(start, sizeof(start), "\r\n%s: ", name);
    const char *at = strstr(receiver.requests[i], start);
    snprintf(ret, 128, "%.*s", at ? (int)strcspn(at + strlen(start), "\r") : 0, at ? at + strlen(start) : "");
    return ret;
}

static const char *body(int i)
{
    const char *end = strstr(receiver.requests[i], "\r\n\r\n");
    return end ? end + 4 : "";
}

/* What docs/examples/webhook.c says of it: 0 is genuine. */
static int verify(int i, const char *secret, const char *text)
{
    char command[2048], id[128], timestamp[128], signature[128];
    snprintf(command, sizeof(command), "'%s/tests/e2e/verify' '%s' '%s' '%s' '%s'",
             getenv("KOINE_TEST_BUILD"), secret, header(i, "webhook-id", id),
             header(i, "webhook-timestamp", timestamp), header(i, "webhook-signature", signature));
    FILE *pipe = popen(command, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(pipe);
    fputs(text, pipe);
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the sender ---- */

static koine_hub *hub;
static koine_client *client;

static void begin(const int *statuses, int count, const char *timeout)
{
    char url[64];
    koine_error *error = NULL;
    receive(statuses, count);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/koine", receiver.port);
    CU_ASSERT_FATAL(koine_hub_new(&hub, NULL) == KOINE_OK);
    koine_hub_set(hub, "webhook.url", url);
    koine_hub_set(hub, "webhook.secret", SECRET);
    koine_hub_set(hub, "webhook.timeout", timeout);
    koine_hub_set(hub, "webhook.base_delay", "10ms");
    koine_hub_set(hub, "webhook.max_retries", "2");
    CU_ASSERT_FATAL(koine_hub_apply(hub, &error) == KOINE_OK);
    CU_ASSERT_FATAL(koine_client_new(hub, &client, &error) == KOINE_OK);
}

static void finish(void)
{
    koine_client_free(client);
    koine_hub_free(hub);
    stop_receiving();
}

static void happen(void)
{
    int64_t now = koine__now(&koine__system_clock);
    hub->notices.witness.saw(&hub->notices.witness, &(struct koine__happening){
                                                        .kind = KOINE__HAPPENED_BREAKER_OPENED,
                                                        .instance = "together",
                                                        .model = "",
                                                        .class_number = KOINE_CLASS_SERVER,
                                                        .now = now,
                                                        .until = now + 30 * KOINE__SEC,
                                                        .why = "5 failures in 60s, \"quoted\"",
                                                    });
}

/* By koine_fd, poll and koine_process alone, as an application with a loop has it. */
static void arrives(void)
{
    static const int statuses[] = {500, 200};
    char first[128], second[128];
    begin(statuses, 2, "30s");
    happen();
    for (int i = 0; i < 1000 && hub->metrics->delivered == 0; i++) {
        CU_ASSERT_FATAL(koine_process(client) == KOINE_OK);
        poll(&(struct pollfd){.fd = koine_fd(client), .events = POLLIN}, 1, 1000);
    }
    ASSERT_INT(received(), 2);
    CU_ASSERT_TRUE(strncmp(receiver.requests[0], "POST /koine HTTP/1.1\r\n", 22) == 0);
    ASSERT_STR(header(0, "webhook-id", first), header(1, "webhook-id", second));
    ASSERT_STR(body(0), body(1));
    CU_ASSERT_PTR_NOT_NULL(strstr(body(0), "\"message\":\"5 failures in 60s, \\\"quoted\\\"\""));
    ASSERT_INT(verify(0, SECRET, body(0)), 0);
    ASSERT_INT(verify(1, SECRET, body(1)), 0);
    ASSERT_INT(verify(1, "whsec_b3RoZXI=", body(1)), 1);
    ASSERT_INT(verify(1, SECRET, "{}"), 1);
    finish();
}

static void follows_no_redirect(void)
{
    static const int statuses[] = {307, 200};
    begin(statuses, 2, "30s");
    happen();
    ASSERT_INT(koine_deliver_notices(client, 60000), 1);
    ASSERT_INT(received(), 1);
    ASSERT_INT((long long)hub->metrics->undelivered, 1);
    finish();
}

static void keep_line(void *user, int level, const char *line)
{
    (void)level;
    if (strstr(line, "event=webhook_failed"))
        snprintf(user, 512, "%s", line);
}

/* Three attempts of 50 ms, and nothing more; the client that goes in the middle waits for none of them. (How
 * many of them the receiver saw depends on how busy the machine is.) */
static void never_answers(void)
{
    char line[512] = "";
    static const int statuses[] = {0};
    begin(statuses, 1, "50ms");
    koine_hub_set_log(hub, 1, keep_line, line);
    happen();
    ASSERT_INT(koine_deliver_notices(client, 60000), 1);
    CU_ASSERT_TRUE(received() <= 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, " class=timeout status=0 retries=2 "));
    ASSERT_INT((long long)hub->metrics->undelivered, 1);
    koine_hub_set(hub, "webhook.timeout", "1h");
    ASSERT_INT(koine_hub_apply(hub, NULL), KOINE_OK);
    happen();
    ASSERT_INT(koine_deliver_notices(client, 20), 0);
    int64_t before = koine__now(&koine__system_clock);
    finish();
    CU_ASSERT_TRUE(koine__now(&koine__system_clock) - before < 30 * KOINE__SEC);
}

SUITE_MAIN("webhook end to end", {"arrives", arrives}, {"follows no redirect", follows_no_redirect},
           {"never answers", never_answers})
