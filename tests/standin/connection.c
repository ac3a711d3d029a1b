/* connection: see connection.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/standin/connection.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    STEPS_PER_TURN = 64 /* then the others get their turn */
};

#define LINGER_NS ((int64_t)2000000000)

enum connection_state {
    READING,
    PLAYING,
    LINGERING,
    ENDED
};

struct connection {
    struct timer timer; /* first, so that a timer is its connection */
    struct standin *standin;
    struct connection *next, *previous;
    enum connection_state state;
    int fd;
    uint32_t interest;
    uint64_t number;
    unsigned asked; /* chat requests so far */
    struct http_request request;
    uint64_t entry;    /* of the request in the journal; 0: none */
    struct bytes rest; /* read from the socket, belongs to later requests */
    struct script script;
    size_t step, sent; /* where the script is, and how far its bytes are */
    int64_t due;       /* when the step may go on */
};

int64_t standin_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void watch(struct connection *connection, uint32_t interest)
{
    if (connection->interest == interest)
        return;
    connection->interest = interest;
    struct epoll_event event = {.events = interest, .data.ptr = connection};
    epoll_ctl(connection->standin->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

/* ---- ends ---- */

static void tell(struct standin *standin, const struct entry *entry)
{
    struct bytes line = {0};
    bytes_printf(&line, "req-%" PRIu64 " %s %s", entry->n, entry->method ? entry->method : "",
                 entry->path ? entry->path : "");
    if (entry->model) {
        bytes_text(&line, " ");
        bytes_json(&line, entry->model, strlen(entry->model)); /* it may hold what a terminal would obey */
    }
    bytes_printf(&line, ": %s, %d %s", entry->behaviour ? entry->behaviour : "no behaviour", entry->status,
                 entry->end);
    if (!line.failed)
        standin->said(standin->user, line.data);
    bytes_free(&line);
}

/* Says once in the journal how the request ended. */
static void note_end(struct connection *connection, const char *end)
{
    struct standin *standin = connection->standin;
    struct entry *entry = journal_find(&standin->route.journal, connection->entry);
    connection->entry = 0;
    if (!entry)
        return;
    entry->end = end;
    if (standin->said)
        tell(standin, entry);
}

void connection_end(struct connection *connection)
{
    struct standin *standin = connection->standin;
    if (connection->state == ENDED)
        return;
    note_end(connection, "left");
    timers_drop(&standin->timers, &connection->timer);
    close(connection->fd);
    connection->state = ENDED;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        standin->first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    connection->next = standin->ended;
    standin->ended = connection;
    standin->open--;
}

void connection_free_ended(struct standin *standin)
{
    while (standin->ended) {
        struct connection *connection = standin->ended;
        standin->ended = connection->next;
        http_free(&connection->request);
        script_free(&connection->script);
        bytes_free(&connection->rest);
        free(connection);
    }
}

static void reset(struct connection *connection)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    note_end(connection, "reset");
    connection_end(connection);
}

/* Sends FIN and reads on for a while: a close with bytes unread would be a reset, and could take the end of
 * our answer with it. */
static void close_in_order(struct connection *connection)
{
    shutdown(connection->fd, SHUT_WR);
    connection->state = LINGERING;
    watch(connection, EPOLLIN);
    timers_set(&connection->standin->timers, &connection->timer, standin_now() + LINGER_NS);
}

/* ---- playing ---- */

/* The first byte of an answer is what the client can see, and what a provider would bill. */
static void note_bytes(struct connection *connection, const struct step *step)
{
    const struct script *script = &connection->script;
    struct entry *entry = journal_find(&connection->standin->route.journal, connection->entry);
    if (!entry || connection->sent)
        return;
    entry->status = script->status;
    if (script->bills) {
        entry->billed = true;
        entry->input = script->input;
        entry->cached = script->cached;
        entry->output += step->tokens;
    }
}

/* When the step that begins now may act. */
static void schedule(struct connection *connection, int64_t base)
{
    const struct script *script = &connection->script;
    if (connection->step < script->count) {
        double delay = script->steps[connection->step].delay_ms * 1e6 * connection->standin->scale;
        connection->due = base + (int64_t)delay;
    }
}

/* Sends what is due of the step. False: it cannot go on now. */
static bool send_step(struct connection *connection, const struct step *step)
{
    size_t left = step->length - connection->sent;
    size_t count = step->piece && step->piece < left ? step->piece : left;
    const char *data = connection->script.data.data + step->offset + connection->sent;
    ssize_t sent = count ? send(connection->fd, data, count, MSG_NOSIGNAL) : 0;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        watch(connection, EPOLLOUT | EPOLLRDHUP);
        timers_drop(&connection->standin->timers, &connection->timer);
        return false;
    }
    if (sent < 0) {
        connection_end(connection);
        return false;
    }
    note_bytes(connection, step);
    connection->sent += (size_t)sent;
    if (connection->sent == step->length) {
        connection->sent = 0;
        connection->step++;
        schedule(connection, connection->due);
    } else if (step->piece) {
        schedule(connection, connection->due);
    }
    return true;
}

static void finish(struct connection *connection)
{
    bool closes = connection->request.closes || connection->request.state == HTTP_IN_ERROR;
    note_end(connection, "done");
    if (closes) {
        close_in_order(connection);
        return;
    }
    connection->state = READING;
    http_clear(&connection->request);
    watch(connection, EPOLLIN | EPOLLRDHUP);
}

static bool play_step(struct connection *connection, const struct step *step)
{
    switch (step->action) {
    case STEP_BYTES:
        return send_step(connection, step);
    case STEP_BACK:
        connection->step--;
        schedule(connection, connection->due);
        return true;
    case STEP_END:
        finish(connection);
        return false;
    case STEP_CLOSE:
        note_end(connection, "cut");
        close_in_order(connection);
        return false;
    case STEP_RESET:
        reset(connection);
        return false;
    case STEP_NEVER:
        timers_drop(&connection->standin->timers, &connection->timer);
        return false;
    }
    return false;
}

/* Plays until the script has to wait: for its time, for room in the socket, or for the others. */
static void play(struct connection *connection)
{
    struct timers *timers = &connection->standin->timers;
    int64_t now = standin_now();
    for (int i = 0; i < STEPS_PER_TURN; i++) {
        if (connection->due > now) {
            timers_set(timers, &connection->timer, connection->due);
            return;
        }
        if (!play_step(connection, &connection->script.steps[connection->step]))
            return;
    }
    timers_set(timers, &connection->timer, now);
}

/* ---- reading ---- */

static void begin(struct connection *connection, enum http_event event)
{
    struct standin *standin = connection->standin;
    struct script *script = &connection->script;
    struct route_call call = {.n = connection->entry,
                              .asked = &connection->asked,
                              .date = (int64_t)time(NULL),
                              .now = standin_now()};
    script_clear(script);
    if (event == HTTP_BAD)
        route_refuse(&connection->request, &call, script);
    else
        route_request(&standin->route, &connection->request, &call, script);
    if (script->failed || !script->count) {
        reset(connection);
        return;
    }
    connection->state = PLAYING;
    connection->step = connection->sent = 0;
    schedule(connection, standin_now());
    play(connection);
}

static void note_head(struct connection *connection, bool body_waits)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct standin *standin = connection->standin;
    const struct http_request *request = &connection->request;
    connection->entry =
        route_head(&standin->route, request, connection->number, (standin_now() - standin->start) / 1000000);
    if (request->expects_continue && request->state != HTTP_IN_ERROR && body_waits) {
        /* nothing of ours can be under way on this socket, so these few bytes always fit */
        send(connection->fd, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL);
    }
}

/* Feeds bytes to the request; what is left of them when it is complete waits in `rest`. */
static void feed(struct connection *connection, const char *data, size_t length)
{
    while (connection->state == READING) {
        size_t used;
        enum http_event event = http_feed(&connection->request, data, length, &used);
        data += used;
        length -= used;
        if (event == HTTP_MORE)
            return;
        if (event == HTTP_HEAD) {
            note_head(connection, length == 0);
            continue;
        }
        bytes_add(&connection->rest, data, length);
        begin(connection, event);
        return;
    }
}

/* Requests that arrived behind one another. Each round serves one of them, as far as it can be served now. */
static void feed_rest(struct connection *connection)
{
    while (connection->state == READING && connection->rest.length) {
        struct bytes rest = connection->rest;
        connection->rest = (struct bytes){0};
        feed(connection, rest.data, rest.length);
        bytes_free(&rest);
    }
}

/* While an answer is played, bytes of the client stay in its socket; only its leaving is of interest. */
static void look_up(struct connection *connection)
{
    char byte;
    ssize_t count = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0)
        watch(connection, (connection->interest & ~(uint32_t)EPOLLIN) | EPOLLRDHUP);
    else if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        connection_end(connection);
}

static void receive(struct connection *connection)
{
    struct standin *standin = connection->standin;
    ssize_t count = recv(connection->fd, standin->buffer, sizeof(standin->buffer), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (count <= 0) {
        connection_end(connection);
    } else if (connection->state == READING) {
        feed(connection, standin->buffer, (size_t)count);
        feed_rest(connection);
    }
}

/* ---- events ---- */

void connection_on_socket(struct connection *connection, uint32_t events)
{
    bool leaves = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if (connection->state == PLAYING) {
        if (leaves) {
            connection_end(connection);
        } else if (events & EPOLLOUT) {
            watch(connection, EPOLLIN | EPOLLRDHUP);
            connection->due = standin_now(); /* a slow reader shifts the rest of the script */
            play(connection);
            feed_rest(connection);
        } else {
            look_up(connection);
        }
    } else if (connection->state != ENDED) {
        receive(connection);
    }
}

void connection_on_time(struct timer *timer)
{
    struct connection *connection = (struct connection *)timer;
    if (connection->state == LINGERING) {
        connection_end(connection);
        return;
    }
    play(connection);
    feed_rest(connection);
}

void connection_add(struct standin *standin, int fd)
{
    int on = 1;
    struct connection *connection = calloc(1, sizeof(*connection));
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = connection};
    if (!connection || !timers_reserve(&standin->timers, standin->open + 1) ||
        epoll_ctl(standin->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(connection);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *connection = (struct connection){.standin = standin,
                                      .fd = fd,
                                      .interest = event.events,
                                      .number = ++standin->connections,
                                      .next = standin->first};
    if (standin->first)
        standin->first->previous = connection;
    standin->first = connection;
    standin->open++;
}
