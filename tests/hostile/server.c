/* server: see server.h. */
#include "tests/hostile/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 4096

static struct {
    int listener;
    void (*serve)(int fd);
    pthread_t thread, threads[MOST];
    int sockets[MOST]; /* -1: closed */
    int count;
    long most;
    pthread_mutex_t mutex; /* of sockets and count */
    atomic_long requests, bytes;
} server = {.mutex = PTHREAD_MUTEX_INITIALIZER};

bool server_wait(int fd, int ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLRDHUP};
    return poll(&polled, 1, ms) == 0;
}

/* ---- Connections ---- */

static void *connection(void *arg)
{
    int *own = arg;
    server.serve(*own);
    pthread_mutex_lock(&server.mutex);
    close(*own);
    *own = -1;
    pthread_mutex_unlock(&server.mutex);
    return NULL;
}

/* Those that the client has not closed: the thread of one that it has may not know yet. */
static void note_most(void)
{
    long open = 0;
    for (int i = 0; i < server.count; i++)
        open += server.sockets[i] >= 0 && server_wait(server.sockets[i], 0);
    if (open > server.most)
        server.most = open;
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
        note_most();
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
        listen(server.listener, 1024) == 0 &&
        getsockname(server.listener, (struct sockaddr *)&address, &size) == 0)
        return ntohs(address.sin_port);
    close(server.listener);
    return 0;
}

int server_start(void (*serve)(int fd))
{
    sigset_t all, before;
    int port = listen_on_loopback();
    if (!port)
        return 0;
    server.serve = serve;
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

void server_count_request(void)
{
    atomic_fetch_add(&server.requests, 1);
}

long server_requests(void)
{
    return atomic_load(&server.requests);
}

void server_count_bytes(size_t len)
{
    atomic_fetch_add(&server.bytes, (long)len);
}

long server_bytes(void)
{
    return atomic_load(&server.bytes);
}

void server_forget_bytes(void)
{
    atomic_store(&server.bytes, 0);
}

long server_connections(void)
{
    pthread_mutex_lock(&server.mutex);
    long count = server.count;
    pthread_mutex_unlock(&server.mutex);
    return count;
}

long server_open(void)
{
    long count = 0;
    pthread_mutex_lock(&server.mutex);
    for (int i = 0; i < server.count; i++)
        count += server.sockets[i] >= 0;
    pthread_mutex_unlock(&server.mutex);
    return count;
}

long server_most(void)
{
    pthread_mutex_lock(&server.mutex);
    long most = server.most;
    pthread_mutex_unlock(&server.mutex);
    return most;
}

void server_forget_most(void)
{
    pthread_mutex_lock(&server.mutex);
    server.most = 0;
    pthread_mutex_unlock(&server.mutex);
}
