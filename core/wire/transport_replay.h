/* transport_replay: answers from a script, on the loop's clock: what tests and vendor cases run the real
 * engine on. */
#ifndef KOINE_CORE_WIRE_TRANSPORT_REPLAY_H
#define KOINE_CORE_WIRE_TRANSPORT_REPLAY_H

#include "core/wire/loop.h"
#include "core/wire/transport.h"

struct koine__replay_chunk {
    int64_t after; /* nanoseconds after the step before it */
    koine_str bytes;
};
struct koine__replay_answer {
    const char *match; /* the request's URL or body must hold this; NULL: any. The first unused (or repeating)
                          match answers. */
    bool repeat;       /* answers any number of requests */
    int64_t connect_after; /* until `sent` */
    int64_t head_after;    /* from sent to head */
    int status;            /* 0: no head comes: the fault at once after head_after, or silence */
    const struct koine__header *headers;
    size_t header_count;
    const struct koine__replay_chunk *chunks;
    size_t chunk_count;
    size_t split;    /* 0: chunks as given; n: cut into pieces of n bytes */
    int fault_class; /* KOINE_CLASS_NONE: ends clean; else done with this class */
    bool hang;       /* never ends */
};

/* A copy of what was asked, for assertions. */
struct koine__replay_seen {
    int64_t at;       /* when start was called */
    int64_t sent_at;  /* when the first byte left; -1: it has not */
    int64_t ended_at; /* when it came to its end or was hung up; -1: it is under way */
    char *method, *url, *body;
    size_t body_len;
    char *headers; /* "name: value\n" for each, the secret as "name: prefix<secret>\n" */
    bool cancelled, paused;
};

/* `answers` is borrowed for the transport's life. */
int koine__transport_replay_new(struct koine__loop *loop, const struct koine__replay_answer *answers,
                                size_t count, struct koine__transport **ret);
/* Who answers instead of a script, and is told how it goes. `seen` lives as long as the transport. */
struct koine__replay_director {
    /* What it returns must live until `ended`. NULL: nothing listens there. */
    const struct koine__replay_answer *(*answer)(void *arg, const struct koine__replay_seen *seen,
                                                 bool stream);
    void (*sent)(void *arg, const struct koine__replay_seen *seen);
    void (*ended)(void *arg,
                  const struct koine__replay_seen *seen); /* once; not when the transport is freed */
    void *arg;
};
void koine__replay_direct(struct koine__transport *transport, const struct koine__replay_director *director);
size_t koine__replay_count(const struct koine__transport *transport);
const struct koine__replay_seen *koine__replay_seen(const struct koine__transport *transport, size_t index);

#endif
