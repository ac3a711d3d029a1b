/* connection: one client of the stand-in, from accept to close.
 *
 * It reads a request, plays the script that the router wrote for it, and reads the next one. It knows three
 * waits: for the client's bytes, for room in the socket, and for a step's time. A connection that ended is
 * freed at the end of the turn only, because the same turn may hold another event for it. A client that
 * closes its sending half has left.
 */
#ifndef STANDIN_CONNECTION_H
#define STANDIN_CONNECTION_H

#include "tests/standin/http.h"
#include "tests/standin/route.h"
#include "tests/standin/timers.h"

enum {
    READ_SIZE = 64 * 1024
};

struct connection;

struct standin {
    int epoll, listener, clock;
    int port;
    double scale;
    bool deaf; /* no descriptors left: accepting waits until a connection ends */
    int64_t start, armed;
    uint64_t connections; /* ever */
    size_t open;
    struct connection *first, *ended;
    struct timers timers;
    struct route route;
    void (*said)(void *user, const char *line);
    void *user;
    char buffer[READ_SIZE];
};

int64_t standin_now(void);
void connection_add(struct standin *standin, int fd); /* takes the descriptor */
void connection_on_socket(struct connection *connection, uint32_t events);
void connection_on_time(struct timer *timer);
void connection_end(struct connection *connection);
void connection_free_ended(struct standin *standin);

#endif
