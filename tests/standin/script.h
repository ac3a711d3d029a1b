/* script: what a connection is going to do, as a list of steps that the server just plays.
 *
 * Behaviours write scripts and know no sockets; the server plays them and knows no behaviours. Delays are
 * as the behaviours' table says them; the server scales them.
 */
#ifndef STANDIN_SCRIPT_H
#define STANDIN_SCRIPT_H

#include "tests/standin/bytes.h"

#include <stdint.h>

enum step_action {
    STEP_BYTES, /* send bytes, `piece` at a time with the delay before each, or all together */
    STEP_END,   /* the answer is complete: the connection serves the next request */
    STEP_CLOSE, /* close in order (FIN), though the answer may not be complete */
    STEP_RESET, /* close with RST */
    STEP_NEVER, /* nothing more, ever; the connection stays open until the client leaves */
    STEP_BACK   /* play the step before this one again, for ever */
};

struct step {
    enum step_action action;
    unsigned delay_ms; /* before the step */
    unsigned piece;    /* 0: all the bytes together */
    unsigned tokens;   /* a provider would bill these from the first byte on */
    size_t offset, length;
};

struct script {
    struct bytes data;
    struct step *steps;
    size_t count, capacity;
    bool failed;
    int status;            /* what the log shows once the first byte is sent */
    bool bills;            /* the first byte bills the prompt */
    int64_t input, cached; /* tokens of the prompt, and how many of them came from a cache */

    /* while it is written */
    unsigned wait_ms; /* before the next step that is added */
    bool apart;       /* the next bytes do not join the step before */
    bool drip;        /* chunks are cut to one byte each, 100 ms apart */
};

/* What a response head says besides its status. */
struct script_head {
    int status;
    const char *type;  /* NULL: no Content-Type */
    int64_t length;    /* -1: chunked */
    const char *extra; /* whole header lines, each with its CRLF; NULL: none */
    uint64_t number;   /* of the request; 0: it is not logged and has no id */
    int64_t date;      /* seconds since 1970 */
    bool closes;
};

void script_clear(struct script *script); /* empty, memory kept */
void script_free(struct script *script);
void script_wait(struct script *script, unsigned ms);
void script_apart(struct script *script); /* the next bytes are a step of their own, for STEP_BACK */
void script_head(struct script *script, const struct script_head *head);
void script_bytes(struct script *script, const char *data, size_t length, unsigned piece, unsigned tokens);
void script_chunk(struct script *script, const char *data, size_t length, unsigned tokens);
void script_last_chunk(struct script *script);
void script_act(struct script *script, enum step_action action);

#endif
