/* servers: providers as stochastic models: how fast they are, in which ways and how often they fail, and when
 * they are out altogether. What they say is drawn from a seed, and holds whose answer to whom it is: the
 * pieces of the answer to call 17 are "together.17.0 ", "together.17.1 " and so on.
 */
#ifndef KOINE_TESTS_SIM_SERVERS_H
#define KOINE_TESTS_SIM_SERVERS_H

#include "core/base/clock.h"
#include "core/wire/transport_replay.h"

enum server_way { /* how a request ends */
    SERVER_WELL,
    SERVER_REFUSES,       /* the connection */
    SERVER_RESETS,        /* before any byte of an answer */
    SERVER_IS_SILENT,     /* for ever */
    SERVER_CUTS,          /* in the midst of the answer */
    SERVER_STALLS,        /* likewise, and says no more */
    SERVER_BABBLES,       /* broken JSON in the midst */
    SERVER_LIMITS,        /* 429, bare */
    SERVER_LIMITS_FOR,    /* 429 with Retry-After */
    SERVER_IS_UNPAID,     /* 429 insufficient_quota */
    SERVER_FAILS,         /* 500 */
    SERVER_IS_OVERLOADED, /* 503 with Retry-After */
    SERVER_FORBIDS,       /* 401 */
    SERVER_OBJECTS,       /* 400 */
    SERVER_WAYS
};
#define SERVER_OUTAGES 4
#define SERVER_PIECES  12

struct server {
    const char *name, *host;         /* "together", "//api.together.ai/" */
    unsigned per_mille[SERVER_WAYS]; /* what is left goes well */
    int64_t connect, head, piece;    /* typical times, ns; each is drawn from half of it to one and a half */
    unsigned pieces;                 /* of an answer, at most SERVER_PIECES */
    int64_t retry_after;             /* seconds */
    unsigned dear;                   /* per mille of answers that bill more tokens than anybody asked for */
    struct {
        int64_t begin, end;
        enum server_way way; /* of every request meanwhile */
    } outages[SERVER_OUTAGES];
};

struct served { /* one answer */
    struct koine__replay_answer answer;
    struct koine__replay_chunk chunks[SERVER_PIECES + 4];
    struct koine__header header;
    char retry_after[24], body[8192], text[512]; /* text: what a whole answer says */
    size_t body_len;
    enum server_way way;
    int64_t advice;  /* ns; -1: none */
    unsigned billed; /* tokens of the answer */
    unsigned call;
};
/* Free it with free(). */
struct served *server_answer(const struct server *server, struct koine__random *random, int64_t now,
                             unsigned call, bool stream);
const char *server_way_name(enum server_way way);

#endif
