/* http1: speaks HTTP/1.1, or what may be taken for it: whatever bytes it is told to, right or wrong. The
 * model's name says which act is played. */
#ifndef KOINE_TESTS_HOSTILE_HTTP1_H
#define KOINE_TESTS_HOSTILE_HTTP1_H

#include <stdbool.h>
#include <stddef.h>

struct peer { /* who asked */
    int fd;
    bool stream;
};

struct act {
    const char *name;
    bool (*play)(const struct peer *peer, const struct act *act); /* false: the connection ends */
    const char *text;                                             /* what the act needs */
};
/* acts.c: NULL: there is none of that name. */
const struct act *act_find(const char *name);

void http1_serve(int fd); /* for server_start */

/* False: the peer is gone. */
bool peer_send(const struct peer *peer, const void *ptr, size_t len);
bool peer_say(const struct peer *peer, const char *text);
bool peer_sayf(const struct peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Waits until the peer closes, or that long. True: it is still there. */
bool peer_wait(const struct peer *peer, int ms);

#endif
