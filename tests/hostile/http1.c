/* http1: see http1.h. */
#include "tests/hostile/http1.h"

#include "tests/hostile/server.h"
#include "tests/hostile/text.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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
        server_count_bytes((size_t)sent);
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
    return server_wait(peer->fd, ms);
}

/* ---- Requests ---- */

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

void http1_serve(int fd)
{
    static _Thread_local char text[65536];
    char name[64];
    while (read_request(fd, text, sizeof(text))) {
        struct peer peer = {.fd = fd, .stream = asked_stream(text)};
        const struct act *act = asked_act(text, name, sizeof(name)) ? act_find(name) : NULL;
        server_count_request();
        if (!act || !act->play(&peer, act))
            return;
    }
}
