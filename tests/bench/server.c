/* server: canned answers from a process of its own, so that what a provider does costs its clients nothing.
 *
 * The path says which: /whole/, /events/ (100 events, one write each, 60 µs apart, so that a client meets
 * them one by one), /coalesced/ (all in one write), /idle/ (one event, then silence).
 */
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PIECES = 100,
    MOST_CLIENTS = 4096,
    REQUEST_SIZE = 65536,
    GAP_NS = 60000
};

const char *const measure_paths[MEASURES] = {"whole", "events", "coalesced", "whole", "whole", "idle"};

static const char whole_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req-1\r\n"
    "Content-Length: %zu\r\n\r\n";
static const char stream_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                  "x-request-id: req-1\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char whole_body[] =
    "{\"id\":\"chatcmpl-9f0c2b7e51aa4d\",\"object\":\"chat.completion\",\"created\":1764547200,"
    "\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
    "\"content\":\"The sky is blue because air scatters short waves of light more than long ones.\\nAt noon "
    "the sun's light takes a short way through the air; in the evening a long one, and what is left of it is "
    "\\\"red\\\".\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":23,\"completion_tokens\":51,\"total_tokens\":74,\"prompt_tokens_details\":"
    "{\"cached_tokens\":0,\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0}},"
    "\"system_fingerprint\":\"fp_06737a9306\"}";
static const char chunk[] = "data: {\"id\":\"chatcmpl-9f0c2b7e51aa4d\",\"object\":\"chat.completion.chunk\","
                            "\"created\":1764547200,\"model\":\"gpt-4o-mini-2024-07-18\","
                            "\"system_fingerprint\":\"fp_06737a9306\",\"choices\":[{\"index\":0,\"delta\":"
                            "{%s},\"logprobs\":null,\"finish_reason\":%s}]}\n\n";
static const char last[] =
    "data: {\"id\":\"chatcmpl-9f0c2b7e51aa4d\",\"object\":\"chat.completion.chunk\","
    "\"created\":1764547200,\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[],"
    "\"usage\":{\"prompt_tokens\":23,\"completion_tokens\":98,\"total_tokens\":121}}\n\n";

struct answer { /* its writes, one behind the other */
    char text[65536];
    size_t len, ends[PIECES + 4], count;
};
static struct answer answers[MEASURES];

static struct client {
    int fd;
    size_t len;
    char text[REQUEST_SIZE];
} * clients[MOST_CLIENTS];

/* ---- The answers ---- */

static void end_write(struct answer *answer)
{
    answer->ends[answer->count++] = answer->len;
}

static void add(struct answer *answer, const char *text)
{
    size_t len = strlen(text);
    memcpy(answer->text + answer->len, text, len);
    answer->len += len;
}

static void add_event(struct answer *answer, const char *event)
{
    char head[24];
    snprintf(head, sizeof(head), "%zx\r\n", strlen(event));
    add(answer, head);
    add(answer, event);
    add(answer, "\r\n");
    end_write(answer);
}

static void add_chunk(struct answer *answer, const char *delta, const char *finish)
{
    char event[512];
    snprintf(event, sizeof(event), chunk, delta, finish);
    add_event(answer, event);
}

/* 100 events: the role, the tokens, the finish, the usage and [DONE]. */
static void write_stream(struct answer *answer)
{
    add(answer, stream_head);
    add_chunk(answer, "\"role\":\"assistant\",\"content\":\"\"", "null");
    for (int i = 0; i < PIECES - 4; i++)
        add_chunk(answer, "\"content\":\" token\"", "null");
    add_chunk(answer, "", "\"stop\"");
    add_event(answer, last);
    add_event(answer, "data: [DONE]\n\n");
    add(answer, "0\r\n\r\n");
    answer->ends[answer->count - 1] = answer->len;
}

static void write_answers(void)
{
    struct answer *whole = &answers[WHOLE];
    whole->len = (size_t)snprintf(whole->text, sizeof(whole->text), whole_head, sizeof(whole_body) - 1);
    add(whole, whole_body);
    end_write(whole);
    write_stream(&answers[EVENTS]);
    answers[COALESCED] = answers[EVENTS];
    answers[COALESCED].ends[0] = answers[COALESCED].len;
    answers[COALESCED].count = 1;
    add(&answers[IDLE], stream_head);
    add_chunk(&answers[IDLE], "\"role\":\"assistant\",\"content\":\"Well\"", "null");
}

/* ---- Serving ---- */

static void wait_a_moment(struct timespec *at)
{
    at->tv_nsec += GAP_NS;
    if (at->tv_nsec >= 1000000000) {
        at->tv_sec++;
        at->tv_nsec -= 1000000000;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, at, NULL);
}

static void send_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return;
        text += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
    }
}

static void answer_with(int fd, const struct answer *answer)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    for (size_t i = 0, from = 0; i < answer->count; from = answer->ends[i++]) {
        if (i > 0)
            wait_a_moment(&at);
        send_all(fd, answer->text + from, answer->ends[i] - from);
    }
}

static const struct answer *chosen(const char *request)
{
    for (int i = 0; i < MEASURES; i++) {
        const char *path = strchr(request, '/');
        if (path && strncmp(path + 1, measure_paths[i], strlen(measure_paths[i])) == 0)
            return &answers[i];
    }
    return &answers[WHOLE];
}

/* The length of the request that stands at the beginning of the text; 0: it is not all there. */
static size_t whole_request(const char *text, size_t len)
{
    const char *end = memmem(text, len, "\r\n\r\n", 4);
    const char *length = end ? strcasestr(text, "\r\nContent-Length:") : NULL;
    if (!end)
        return 0;
    size_t size = (size_t)(end - text) + 4;
    if (length && length < end)
        size += strtoul(length + 17, NULL, 10);
    return len >= size ? size : 0;
}

static void drop(struct client *client)
{
    close(client->fd);
    clients[client->fd] = NULL;
    free(client);
}

static void serve(struct client *client)
{
    ssize_t got = recv(client->fd, client->text + client->len, REQUEST_SIZE - 1 - client->len, 0);
    if (got <= 0) {
        drop(client);
        return;
    }
    client->len += (size_t)got;
    client->text[client->len] = '\0';
    if (whole_request(client->text, client->len) == 0)
        return;
    client->len = 0; /* nobody pipelines */
    answer_with(client->fd, chosen(client->text));
}

static void welcome(int epoll, int listener)
{
    int on = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (fd >= MOST_CLIENTS || !(clients[fd] = calloc(1, sizeof(struct client)))) {
        close(fd);
        return;
    }
    clients[fd]->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

int server_listen(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return -1;
    *ret_port = ntohs(address.sin_port);
    return fd;
}

void server_run(int listener, int leash)
{
    struct epoll_event events[64];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    write_answers();
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    epoll_ctl(epoll, EPOLL_CTL_ADD, leash, &(struct epoll_event){.events = EPOLLIN, .data.fd = leash});
    for (;;) {
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == leash)
                return;
            if (fd == listener)
                welcome(epoll, listener);
            else if (clients[fd])
                serve(clients[fd]);
        }
    }
}
