/* frame: cuts a response body into frames: server-sent events (WHATWG HTML, section 9.2), lines, or the
 * whole.
 *
 * Bytes in, frames out; no I/O. The answer's Content-Type decides how it is cut, and where that says nothing,
 * its first bytes. Every split of the same bytes gives the same frames. Text in a stream that is no event at
 * all (a JSON error printed without framing) comes as one whole frame at the end. A field `error:` counts as
 * an event named error.
 */
#ifndef KOINE_CORE_WIRE_FRAME_H
#define KOINE_CORE_WIRE_FRAME_H

#include "core/base/buf.h"
#include "core/base/str.h"

struct koine__cut {  /* one frame */
    int kind;        /* KOINE_FRAME_WHOLE, _SSE, _LINE, _END */
    koine_str event; /* SSE event name, or empty */
    koine_str text;  /* borrowed until the next push or next */
    bool clean;      /* of an end */
};

struct koine__framer {
    int wanted;           /* how the answer was asked for: KOINE_FRAME_* */
    int cutting;          /* how it is cut: KOINE_FRAME_*, -1: not yet known */
    bool is_json;         /* while it is not known: Content-Type says so */
    struct koine__buf in; /* bytes not yet cut */
    size_t line;          /* of `in`: where the line starts that is being read */
    size_t scanned;       /* of `in`: already looked at, so that no byte is read twice */
    bool skip_lf;         /* the line before ended in CR: a LF belongs to it */
    bool bom_checked;
    /* The event that is being read: its name and its first data line stay in `in`; with a second line it
     * moves to `data`. */
    bool has_name;
    size_t name_at, name_len;
    size_t data_lines, data_at, data_len;
    struct koine__buf data;
    struct koine__buf stray; /* lines of a stream that are no event */
    size_t total, limit;     /* bytes seen, and the ceiling */
    uint64_t comments;       /* liveness without progress */
    int error;               /* what push or next failed with; sticks */
    bool ended, clean;
    int given; /* of what comes after the end: 0 nothing yet … 3 the end itself */
};

void koine__framer_init(struct koine__framer *framer, int wanted, size_t limit);
void koine__framer_release(struct koine__framer *framer);
void koine__framer_reset(struct koine__framer *framer, int wanted); /* for the next attempt; keeps memory */
/* The answer's head. `content_type` may be empty. A status of 400 or more is always cut whole. */
void koine__framer_head(struct koine__framer *framer, int status, koine_str content_type);
/* 0, KOINE_EMEMORY, or KOINE_EARGUMENT: over the ceiling, or after the end. */
int koine__framer_push(struct koine__framer *framer, const char *ptr, size_t len);
void koine__framer_finish(struct koine__framer *framer, bool clean);
/* 1 and *ret: a frame; 0: needs more bytes (or the end was given); negative: KOINE_EMEMORY, or what push
 * failed with. A body that ends clean need not end its last line or event; of one that was cut, an unfinished
 * line is dropped with the event it belongs to, and so is a whole body. Space alone is no whole body. */
int koine__framer_next(struct koine__framer *framer, struct koine__cut *ret);
/* Gives back the memory of what was cut, if nothing is begun: a stream that waits holds none. The last cut
 * ends. */
void koine__framer_rest(struct koine__framer *framer);

#endif
