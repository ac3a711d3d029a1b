/* bench: what the two sides of a comparison share: Koine, and a bare program on libcurl and json-c.
 *
 * Each side runs in a process of its own, against a server in a third. A side makes one call at a time and
 * says how many bytes of text it was answered; a negative number is a failure and ends the run.
 */
#ifndef KOINE_TESTS_BENCH_H
#define KOINE_TESTS_BENCH_H

#include <stddef.h>

enum measure {
    WHOLE,     /* a whole answer of 700 bytes */
    EVENTS,    /* a stream of 100 events, one write each */
    COALESCED, /* the same in one write */
    BUILT,     /* a request of 21 kB: 40 messages, put together for each call; the answer is WHOLE's */
    TEXT,      /* the same, where the application holds it as JSON text */
    IDLE,      /* a stream that begins and never goes on */
    MEASURES
};

struct message {
    const char *role, *text;
};

struct work { /* what a side is to do */
    enum measure measure;
    const char *url; /* base URL of the server, "http://127.0.0.1:1234/whole/v1" */
    const struct message *messages;
    size_t count;
    const char *document; /* of TEXT: {"model":…,"messages":[…]} */
    const char *plugins;  /* folder of the providers and their catalogues */
};

struct side {
    const char *name;
    int (*open)(const struct work *work); /* 0, or negative */
    long (*call)(void);                   /* bytes of the answer's text */
    int (*idle)(int count);               /* starts so many streams and waits until each has begun */
    void (*close)(void);
};
extern const struct side ours, bare;

extern const char *const measure_paths[MEASURES];

/* server.c: a listener on loopback, and the process that serves it until the other end of `leash` is closed.
 */
int server_listen(int *ret_port);
void server_run(int listener, int leash);

#endif
