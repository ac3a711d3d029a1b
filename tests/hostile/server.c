/* server: see server.h. */
#include "tests/hostile/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 1024

static struct {
    int listener;
    pthread_t thread, threads[MOST];
    int sockets[MOST]; /* -1: closed */
    int count;
    pthread_mutex_t mutex; /* of sockets and count */
    atomic_long requests;
} server = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* ---- Sending ---- */

bool peer_send(const struct peer *peer, const void *ptr, size_t len)
{
    const char *at = ptr;
    while (len) {
        ssize_t sent = send(peer->fd, at, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

bool peer_say(const struct peer *peer, const char *text)
{
    return peer_send(peer, text, strlen(text));
}

bool peer_sayf(const struct peer *peer, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return len >= 0 && (size_t)len < sizeof(text) && peer_send(peer, text, (size_t)len);
}

bool peer_wait(const struct peer *peer, int ms)
{
    struct pollfd fd = {.fd = peer->fd, .events = POLLRDHUP};
    return poll(&fd, 1, ms) == 0;
}

/* ---- Connections ---- */

/* A request with its body, which must fit. */
static bool read_request(int fd, char *text, size_t size)
{
    size_t len = 0, wanted = size;
    while (len < wanted) {
        ssize_t got = recv(fd, text + len, size - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = '\0';
        const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length:");
        if (end)
            wanted = (size_t)(end - text) + 4 + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
        if (wanted >= size && end)
            return false;
    }
    return true;
}

static const struct act *act_of(const char *request)
{
    char name[64];
    const char *model = strstr(request, "\"model\":\"");
    if (!model || sscanf(model + 9, "%63[^\"]", name) != 1)
        return NULL;
    return act_find(name);
}

static void serve(int fd)
{
    static _Thread_local char text[65536];
    while (read_request(fd, text, sizeof(text))) {
        struct peer peer = {.fd = fd, .stream = strstr(text, "\"stream\":true") != NULL};
        const struct act *act = act_of(text);
        atomic_fetch_add(&server.requests, 1);
        if (!act || !act->play(&peer, act))
            return;
    }
}

static void *connection(void *arg)
{
    int *own = arg;
    serve(*own);
    pthread_mutex_lock(&server.mutex);
    close(*own);
    *own = -1;
    pthread_mutex_unlock(&server.mutex);
    return NULL;
}

static void *accept_all(void *arg)
{
    int one = 1;
    (void)arg;
    for (;;) {
        int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0 || server.count == MOST)
            break;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        pthread_mutex_lock(&server.mutex);
        int *own = &server.sockets[server.count];
        *own = fd;
        if (pthread_create(&server.threads[server.count], NULL, connection, own) == 0) {
            server.count++;
        } else {
            close(fd);
            *own = -1;
        }
        pthread_mutex_unlock(&server.mutex);
    }
    return NULL;
}

/* ---- Life ---- */

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server.listener < 0)
        return 0;
    if (bind(server.listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(server.listener, 64) == 0 &&
        getsockname(server.listener, (struct sockaddr *)&address, &size) == 0)
        return ntohs(address.sin_port);
    close(server.listener);
    return 0;
}

int server_start(void)
{
    sigset_t all, before;
    int port = listen_on_loopback();
    if (!port)
        return 0;
    sigfillset(&all); /* signals are for the program's own thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&server.thread, NULL, accept_all, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error ? 0 : port;
}

void server_stop(void)
{
    shutdown(server.listener, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.listener);
    pthread_mutex_lock(&server.mutex);
    for (int i = 0; i < server.count; i++)
        if (server.sockets[i] >= 0)
            shutdown(server.sockets[i], SHUT_RDWR);
    pthread_mutex_unlock(&server.mutex);
    for (int i = 0; i < server.count; i++)
        pthread_join(server.threads[i], NULL);
}

long server_requests(void)
{
    return atomic_load(&server.requests);
}
