/* transport: carries one HTTP request and hands back its answer as bytes. It knows no JSON and no policy.
 *
 * One transfer is one request at the server: nothing is resent, redirected or retried here. Handlers are
 * called from koine__loop_process only, never from inside start, cancel or resume. `done` comes exactly once
 * unless the transfer is cancelled; after cancel (allowed inside a handler too) or drain no handler is
 * called.
 */
#ifndef KOINE_CORE_WIRE_TRANSPORT_H
#define KOINE_CORE_WIRE_TRANSPORT_H

#include "core/base/buf.h"
#include "core/base/crypto.h"
#include "core/base/fault.h"
#include "core/base/str.h"
#include "core/wire/way.h"

struct koine__transfer;
struct koine__transport;

struct koine__header {
    koine_str name, value;
};

struct koine__http_request { /* copied when the transfer starts, but for the body */
    const char *method;
    const char *url;
    const struct koine__header *headers;
    size_t header_count;
    /* The key travels apart from everything that might be printed: header name, prefix, secret. NULL name:
     * none. */
    const char *secret_name, *secret_prefix;
    struct koine__secret *secret;
    koine_str body;              /* ptr NULL: none; borrowed until the transfer ends, or has_sent says so */
    bool stream;                 /* the answer is a stream: asks for identity encoding */
    size_t header_limit;         /* bytes of the answer's head; 0: 256 kB */
    const char *ca_file, *proxy; /* NULL: the system's / the environment's (never for loopback) */
    struct koine__way *way;      /* filled when the transfer ends; NULL: nobody asks */
};

struct koine__head {
    int status;
    const struct koine__header *headers;
    size_t count;
};
/* Whether names, values, secret, method and URL can travel as they are: no line ends, no NUL, no empty names.
 */
bool koine__http_request_valid(const struct koine__http_request *request);
koine_str koine__head_find(const struct koine__head *head,
                           const char *name); /* without case; the last one; empty: absent */

struct koine__handler {      /* of one transfer; all may be NULL but done */
    void (*sent)(void *arg); /* connected; the request is about to be written */
    void (*head)(void *arg, const struct koine__head *head); /* borrowed */
    void (*body)(void *arg, const char *ptr, size_t len);    /* borrowed */
    /* NULL: ended as HTTP says. Else class connect (nothing was sent), reset, protocol or memory, with a
     * message. */
    void (*done)(void *arg, const struct koine__fault *fault);
};

struct koine__transport_ops {
    /* 0, KOINE_EMEMORY, KOINE_ESYSTEM, or KOINE_EARGUMENT: not koine__http_request_valid. */
    int (*start)(struct koine__transport *self, const struct koine__http_request *request,
                 const struct koine__handler *handler, void *arg, struct koine__transfer **ret);
    void (*cancel)(struct koine__transfer *transfer);
    /* The caller has all it wants: the rest is read and dropped for a moment, so that the connection can
     * serve again, unless another needs its place first. The request is not needed any more. */
    void (*drain)(struct koine__transfer *transfer);
    /* Whether the body has left, so that its memory can go too; may be asked in a handler, after the head. */
    bool (*has_sent)(const struct koine__transfer *transfer);
    /* Stops reading (HTTP/1.1; a multiplexed or compressed stream is read on) and goes on. */
    void (*pause)(struct koine__transfer *transfer);
    void (*resume)(struct koine__transfer *transfer);
    void (*free)(struct koine__transport *self); /* cancels all transfers; not from inside a handler */
    void (*abandon)(
        struct koine__transport *self); /* in a child after fork: frees memory, touches no connection */
};
struct koine__transport { /* the first member of every implementation, also of koine__transfer's owner */
    const struct koine__transport_ops *ops;
};

#endif
