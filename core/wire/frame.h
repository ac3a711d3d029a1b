/* frame: cuts a response body into frames: server-sent events (WHATWG HTML, section 9.2), lines, or the whole.
 *
 * Bytes in, frames out; no I/O. The answer's Content-Type decides how it is cut, and where that says nothing, its first
 * bytes. Every split of the same bytes gives the same frames. Text in a stream that is no event at all (a JSON error
 * printed without framing) comes as one whole frame at the end. A field `error:` counts as an event named error.
 */
#ifndef KOINE_CORE_WIRE_FRAME_H
#define KOINE_CORE_WIRE_FRAME_H

#include "core/base/buf.h"
#include "core/base/str.h"

struct koine__cut { /* one frame */
    int kind;        /* KOINE_FRAME_WHOLE, _SSE, _LINE, _END */
    koine_str event; /* SSE event name, or empty */
    koine_str text;  /* borrowed until the next push or next */
    bool clean;      /* of an end */
};

struct koine__framer {
    int wanted;  /* how the answer was asked for: KOINE_FRAME_* */
    int cutting; /* how it is cut, -1: not yet known */
    struct koine__buf in;   /* bytes not yet cut */
    size_t scanned;         /* of `in`: already looked at, so that no byte is read twice */
    size_t start;           /* of `in`: consumed up to here */
    struct koine__buf data; /* an event's data when it has several lines */
    struct koine__buf name;
    struct koine__buf stray; /* lines of a stream that are no event */
    size_t total, limit;     /* bytes seen, and the ceiling */
    uint64_t comments;       /* liveness without progress */
    int state;
    int end; /* 0 open, 1 the body ended clean, 2 cut; 3 the end was given out */
    bool bom_checked;
};

void koine__framer_init(struct koine__framer *framer, int wanted, size_t limit);
void koine__framer_release(struct koine__framer *framer);
void koine__framer_reset(struct koine__framer *framer, int wanted); /* for the next attempt; keeps memory */
/* The answer's head. `content_type` may be empty. A status of 400 or more is always cut whole. */
void koine__framer_head(struct koine__framer *framer, int status, koine_str content_type);
/* 0, KOINE_EMEMORY, or KOINE_EARGUMENT: over the ceiling. */
int koine__framer_push(struct koine__framer *framer, const char *ptr, size_t len);
void koine__framer_finish(struct koine__framer *framer, bool clean);
/* 1 and *ret: a frame; 0: needs more bytes (or the end was given); negative: KOINE_EMEMORY. */
int koine__framer_next(struct koine__framer *framer, struct koine__cut *ret);

#endif
