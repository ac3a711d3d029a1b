/* http: reads one HTTP/1.1 request from bytes as they come; pure, so every split can be tested.
 *
 * Strict on purpose: what a client of ours sends wrong is refused with the status that says so, never
 * guessed at. Heads up to 64 kB, bodies up to 16 MiB, with Content-Length or chunked. A key is noticed,
 * never kept: the head's bytes are wiped as soon as they are read.
 */
#ifndef STANDIN_HTTP_H
#define STANDIN_HTTP_H

#include "tests/standin/bytes.h"

#define HTTP_HEAD_LIMIT ((size_t)64 * 1024)
#define HTTP_BODY_LIMIT ((size_t)16 * 1024 * 1024)

enum http_event {
    HTTP_MORE, /* all bytes used, more are needed */
    HTTP_HEAD, /* the head is complete; said once; go on feeding, if only with nothing */
    HTTP_DONE, /* the request is complete */
    HTTP_BAD   /* `status` says why; after this the connection is of no more use */
};

enum http_state {
    HTTP_IN_HEAD,
    HTTP_IN_BODY,
    HTTP_IN_CHUNK_SIZE,
    HTTP_IN_CHUNK,
    HTTP_IN_CHUNK_END,
    HTTP_IN_TRAILER,
    HTTP_IN_END,
    HTTP_IN_ERROR
};

struct http_request {
    enum http_state state;
    int status; /* of HTTP_BAD */
    char method[16];
    struct bytes path, query; /* without the '?'; set once the head is complete */
    struct bytes body;
    bool has_key; /* some header carried a credential */
    bool closes;  /* Connection: close */
    bool expects_continue;

    struct bytes line; /* the head, or the line of a chunk, while it is incomplete */
    size_t left;       /* bytes of body or chunk still to come */
    bool has_host, has_length, chunked;
};

void http_clear(struct http_request *request); /* ready for the next request; all zero is ready too */
void http_free(struct http_request *request);
/* Reads from data until something happened; `ret_used` is how far it came. */
enum http_event http_feed(struct http_request *request, const char *data, size_t length, size_t *ret_used);
/* Is NAME=VALUE in the query? */
bool http_query_has(const struct http_request *request, const char *name, const char *value);

#endif
