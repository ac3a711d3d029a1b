/* server: the listener and the loop of the stand-in; see standin.h for what it promises.
 *
 * One epoll set holds the listener, the connections and one timerfd for the nearest step of any of them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/standin/standin.h"
#include "tests/standin/behave.h"
#include "tests/standin/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    EVENTS = 256,
    BACKLOG = 4096
};

static void listen_again(struct standin *standin, bool listens)
{
    struct epoll_event event = {.events = listens ? EPOLLIN : 0, .data.ptr = &standin->listener};
    standin->deaf = !listens;
    epoll_ctl(standin->epoll, EPOLL_CTL_MOD, standin->listener, &event);
}

static void on_listener(struct standin *standin)
{
    for (;;) {
        int fd = accept4(standin->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            connection_add(standin, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            listen_again(standin, false);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

static void run_timers(struct standin *standin)
{
    int64_t now = standin_now();
    struct timer *timer;
    while ((timer = timers_first(&standin->timers)) && timer->due <= now) {
        timers_drop(&standin->timers, timer);
        connection_on_time(timer);
    }
}

static void arm(struct standin *standin)
{
    const struct timer *timer = timers_first(&standin->timers);
    int64_t due = timer ? timer->due : 0;
    if (due == standin->armed)
        return;
    standin->armed = due;
    struct itimerspec time = {.it_value = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000}};
    timerfd_settime(standin->clock, TFD_TIMER_ABSTIME, &time, NULL);
}

int standin_process(struct standin *standin)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(standin->epoll, events, EVENTS, 0);
    if (count < 0 && errno != EINTR)
        return -errno;
    for (int i = 0; i < count; i++) {
        void *source = events[i].data.ptr;
        if (source == &standin->listener) {
            on_listener(standin);
        } else if (source == &standin->clock) {
            uint64_t expired;
            ssize_t ignored = read(standin->clock, &expired, sizeof(expired));
            (void)ignored; /* run_timers looks at the time itself */
            standin->armed = 0;
        } else {
            connection_on_socket(source, events[i].events);
        }
    }
    run_timers(standin);
    if (standin->ended && standin->deaf)
        listen_again(standin, true);
    connection_free_ended(standin);
    arm(standin);
    return 0;
}

/* ---- life ---- */

static int open_listener(struct standin *standin, int port)
{
    int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    standin->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (standin->listener < 0)
        return -errno;
    setsockopt(standin->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(standin->listener, (struct sockaddr *)&address, size) < 0 ||
        listen(standin->listener, BACKLOG) < 0 ||
        getsockname(standin->listener, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    standin->port = ntohs(address.sin_port);
    return 0;
}

static int open_loop(struct standin *standin)
{
    standin->epoll = epoll_create1(EPOLL_CLOEXEC);
    standin->clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (standin->epoll < 0 || standin->clock < 0)
        return -errno;
    struct epoll_event listener = {.events = EPOLLIN, .data.ptr = &standin->listener};
    struct epoll_event clock = {.events = EPOLLIN, .data.ptr = &standin->clock};
    if (epoll_ctl(standin->epoll, EPOLL_CTL_ADD, standin->listener, &listener) < 0 ||
        epoll_ctl(standin->epoll, EPOLL_CTL_ADD, standin->clock, &clock) < 0)
        return -errno;
    return 0;
}

int standin_new(const struct standin_options *options, struct standin **ret)
{
    for (const char *const *item = options->behave; item && *item; item++)
        if (standin_behave_check(*item) < 0)
            return -EINVAL;
    struct standin *standin = calloc(1, sizeof(*standin));
    if (!standin)
        return -ENOMEM;
    standin->epoll = standin->listener = standin->clock = -1;
    standin->scale = options->scale > 0 ? options->scale : 1;
    standin->said = options->said;
    standin->user = options->user;
    standin->start = standin_now();
    standin->route = (struct route){.behave = options->behave,
                                    .tokens = options->tokens ? options->tokens : 60,
                                    .scale = standin->scale,
                                    .scale_advice = options->scale_advice};
    int error = open_listener(standin, options->port);
    if (!error)
        error = open_loop(standin);
    if (error) {
        standin_free(standin);
        return error;
    }
    *ret = standin;
    return 0;
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void standin_free(struct standin *standin)
{
    if (!standin)
        return;
    while (standin->first)
        connection_end(standin->first);
    connection_free_ended(standin);
    close_if_open(standin->listener);
    close_if_open(standin->clock);
    close_if_open(standin->epoll);
    timers_free(&standin->timers);
    route_free(&standin->route);
    free(standin);
}

int standin_port(const struct standin *standin)
{
    return standin->port;
}

int standin_fd(const struct standin *standin)
{
    return standin->epoll;
}

char *standin_log(const struct standin *standin)
{
    struct bytes text = {0};
    journal_print(&standin->route.journal, &text);
    if (text.failed)
        bytes_free(&text);
    return text.data;
}

const char *standin_behaviour(size_t index, const char **ret_help)
{
    if (index >= behave_count)
        return NULL;
    *ret_help = behave_table[index].help;
    return behave_table[index].name;
}

int standin_behave_check(const char *text)
{
    return route_behave_is_valid(text) ? 0 : -EINVAL;
}
