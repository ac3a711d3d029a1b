/* answer: the bodies that a chat completions provider sends, whole and streamed, in the two dialects we
 * know: Together's (usage in the finish chunk, `reasoning`) and OpenAI's (everybody else).
 */
#ifndef STANDIN_ANSWER_H
#define STANDIN_ANSWER_H

#include "tests/standin/script.h"

/* One request, as a behaviour sees it. All pointers are borrowed. */
struct ask {
    const char *provider, *model; /* model: without "!behaviour" */
    struct span user;             /* text of the last user message */
    struct span body;             /* of the request, as it came */
    bool stream, include_usage, ends_with_assistant, closes;
    unsigned tokens;        /* of a healthy answer */
    unsigned nth;           /* this is the nth request for provider and model, from 1 */
    int64_t now;            /* ns of a clock that goes on */
    int64_t since_ms;       /* this is so long after the first of them, in the behaviours' own time */
    unsigned on_connection; /* and the nth of its connection, from 1 */
    int64_t input;          /* tokens of the prompt */
    uint64_t number;        /* of the request in the log */
    int64_t date;           /* seconds since 1970 */
    double advice_scale;    /* of the number in Retry-After; 0 means 1 */
};

enum answer_kind {
    ANSWER_TEXT,
    ANSWER_ECHO,
    ANSWER_REASONING,
    ANSWER_REFUSAL,
    ANSWER_TOOLS
};

enum answer_end {
    END_DONE,    /* as it should be */
    END_NO_DONE, /* no [DONE] */
    END_CUT,     /* after two thirds the connection closes; the framing shows that something is missing */
    END_CLEAN,   /* after two thirds the body ends, and the framing is in order */
    END_STALLED, /* after two thirds nothing more comes */
    END_ERROR    /* after 5 tokens an error, then [DONE] */
};

/* How an answer differs from a healthy one, which is all zero. */
struct answer_shape {
    enum answer_kind kind;
    enum answer_end end;
    unsigned whole_ms, first_ms, gap_ms; /* until a whole answer, a stream's first token, between tokens */
    const char *finish;                  /* finish_reason, if it is not the usual one */
    bool malformed, no_usage, cached, drip;
};

/* An answer that is no answer. */
struct answer_failure {
    int status;
    unsigned retry_after; /* seconds; 0: no header */
    const char *type, *param, *code, *message;
};

bool answer_is_together(const struct ask *ask);
void answer_head(struct script *script, const struct ask *ask, int status, const char *type, int64_t length,
                 const char *extra);
void answer_play(struct script *script, const struct ask *ask, const struct answer_shape *shape);
void answer_fail(struct script *script, const struct ask *ask, const struct answer_failure *failure);
/* A whole body of some type, with its length. */
void answer_body(struct script *script, const struct ask *ask, int status, const char *type,
                 const char *body);
/* Adds "data: {" up to where a chunk's delta begins, and words up to `length`. */
void answer_chunk_open(struct bytes *out, const struct ask *ask);
void answer_words(struct bytes *out, size_t length);

#endif
