/* loopback: see loopback.h. */
#include "tests/e2e/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CHUNK = 65536
};

static int dial(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return -1;
}

static int send_request(int fd, const char *method, const char *path)
{
    char request[1024];
    int length = snprintf(request, sizeof(request),
                          "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", method, path);
    if (length < 0 || length >= (int)sizeof(request)) {
        errno = EINVAL;
        return -1;
    }
    return send(fd, request, (size_t)length, MSG_NOSIGNAL) == length ? 0 : -1;
}

/* All there is, with a NUL behind it. */
static char *read_all(int fd)
{
    char *text = NULL;
    size_t length = 0;
    for (;;) {
        char *larger = realloc(text, length + CHUNK + 1);
        if (!larger)
            break;
        text = larger;
        ssize_t got = read(fd, text + length, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        length += (size_t)got;
        text[length] = '\0';
        if (got == 0)
            return text;
    }
    free(text);
    return NULL;
}

char *loopback_ask(int port, const char *method, const char *path)
{
    int fd = dial(port);
    if (fd < 0)
        return NULL;
    char *text = send_request(fd, method, path) == 0 ? read_all(fd) : NULL;
    close(fd);
    char *body = text ? strstr(text, "\r\n\r\n") : NULL;
    if (body)
        memmove(text, body + 4, strlen(body + 4) + 1);
    return text;
}
