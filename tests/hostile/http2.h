/* http2: speaks HTTP/2 over TLS, or what may be taken for it. It frames by hand, so that every frame may be
 * wrong; the model's name says which act is played. The certificate is made when the server starts.
 */
#ifndef KOINE_TESTS_HOSTILE_HTTP2_H
#define KOINE_TESTS_HOSTILE_HTTP2_H

#include "tests/unit/scratch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { /* RFC 9113, sections 6 and 7 */
    DATA = 0,
    HEADERS = 1,
    PRIORITY = 2,
    RST_STREAM = 3,
    SETTINGS = 4,
    PUSH_PROMISE = 5,
    PING = 6,
    GOAWAY = 7,
    WINDOW_UPDATE = 8,
    CONTINUATION = 9,

    END_STREAM = 1,
    ACK = 1,
    END_HEADERS = 4,

    NO_ERROR = 0,
    PROTOCOL_ERROR = 1,
    INTERNAL_ERROR = 2,
    REFUSED_STREAM = 7,
    CANCEL = 8,
    ENHANCE_YOUR_CALM = 11
};

struct http2; /* a connection */

struct turn { /* a request that waits for its answer */
    struct http2 *connection;
    uint32_t stream;
    bool is_stream;
};

struct act2 {
    const char *name;
    bool (*play)(const struct turn *turn, const struct act2 *act); /* false: the connection ends */
    const char *text;                                              /* what the act needs */
    uint32_t number;
};
/* acts2.c: NULL: there is none of that name. */
const struct act2 *act2_find(const char *name);

#define CROWD 5 /* so many requests on one connection the acts `crowd-…` wait for */

#define HTTP2_CA_FILE "ca.pem"
void http2_hang(int count); /* so many connections that come next are left alone in their handshake */
int http2_start(struct scratch *scratch); /* as server_start; puts the certificate into the folder */

/* All that send give false when the peer is gone. */
bool http2_frame(const struct turn *turn, int type, int flags, uint32_t stream, const void *ptr, size_t len);
bool http2_bytes(const struct turn *turn, const void *ptr, size_t len);           /* no frame at all */
bool http2_data(const struct turn *turn, const void *ptr, size_t len, int flags); /* as the windows allow */
bool http2_reset(const struct turn *turn, uint32_t code);
bool http2_goaway(const struct turn *turn, uint32_t last, uint32_t code);
/* Reads what comes for so long. False: the peer is gone. */
bool http2_wait(const struct turn *turn, int ms);
size_t http2_waiting(const struct turn *turn); /* whole requests on this connection, this one among them */

struct block { /* of headers, without compression */
    unsigned char bytes[16384];
    size_t len;
};
void block_add(struct block *block, const char *name, const char *value);

#endif
