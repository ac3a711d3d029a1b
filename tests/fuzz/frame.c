/* frame: the same body, whole and in pieces, gives the same frames; and a stream of events the very ones that
 * the slow decoder finds. In front of the body stand how it was asked for, and the sizes of the first and the
 * other pieces. */
#include "core/wire/frame.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/slow_sse.h"

#include <koine/koine.h>
#include <stdlib.h>

#define LIMIT ((size_t)1 << 16)

static const char *const types[] = {"text/event-stream",
                                    "",
                                    "application/json",
                                    "application/x-ndjson",
                                    "text/event-stream; charset=utf-8",
                                    "text/plain",
                                    "application/problem+json",
                                    "text/html"};

struct asked {
    int wanted, status;
    const char *type;
    bool clean;
    size_t first, step;
};

static void write_frame(void *arg, const char *kind, koine_str event, koine_str text)
{
    koine__buf_adds(arg, kind);
    koine__buf_addf(arg, "(%zu:", event.len);
    koine__buf_add(arg, event.ptr, event.len);
    koine__buf_addf(arg, "|%zu:", text.len);
    koine__buf_add(arg, text.ptr, text.len);
    koine__buf_adds(arg, ") ");
}

static int drain(struct koine__framer *framer, struct koine__buf *trace)
{
    static const char *const names[] = {"whole", "sse", "line"};
    struct koine__cut cut;
    int rc;
    while ((rc = koine__framer_next(framer, &cut)) > 0) {
        if (cut.kind == KOINE_FRAME_END)
            koine__buf_adds(trace, cut.clean ? "end" : "cut");
        else
            write_frame(trace, names[cut.kind], cut.event, cut.text);
    }
    return rc;
}

/* What the framer gives; "over" where it refuses. */
static void trace_body(struct koine__framer *framer, const struct asked *asked, koine_str body, size_t first,
                       size_t step, struct koine__buf *trace)
{
    int rc = 0;
    koine__framer_reset(framer, asked->wanted);
    koine__framer_head(framer, asked->status, koine__str(asked->type));
    for (size_t at = 0, piece = first; at < body.len && rc == 0; at += piece, piece = step) {
        piece = piece && piece < body.len - at ? piece : body.len - at;
        char *copy = fuzz_copy((koine_str){body.ptr + at, piece});
        rc = koine__framer_push(framer, copy, piece);
        free(copy);
        if (rc == 0)
            rc = drain(framer, trace);
    }
    koine__framer_finish(framer, asked->clean);
    FUZZ_CHECK(rc == 0 ? drain(framer, trace) == 0 : drain(framer, trace) == rc);
    if (rc != 0)
        koine__buf_adds(trace, "over");
    FUZZ_CHECK(koine__framer_push(framer, "x", 1) != 0); /* nothing more after the end */
}

static bool same(const struct koine__buf *a, const struct koine__buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->ptr, b->ptr, a->len) == 0);
}

static void compare_with_slow(const struct asked *asked, koine_str body, const struct koine__buf *trace)
{
    struct koine__buf slow;
    koine__buf_init(&slow, 16 * LIMIT);
    slow_decode(&(struct slow_sse){.frame = write_frame, .arg = &slow}, body, asked->clean);
    koine__buf_adds(&slow, asked->clean ? "end" : "cut");
    if (!same(trace, &slow))
        fuzz_fail("the framer says  %s\nthe standard says %s", koine__buf_str(trace), koine__buf_str(&slow));
    koine__buf_release(&slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int wanted[] = {KOINE_FRAME_SSE, KOINE_FRAME_WHOLE, KOINE_FRAME_LINE, KOINE_FRAME_SSE};
    koine_str input = {(const char *)data, size};
    unsigned how = fuzz_byte(&input, 0);
    struct asked asked = {.wanted = wanted[how & 3],
                          .clean = !(how & 4),
                          .type = types[how >> 3 & 7],
                          .status = how & 64 ? 500 : 200,
                          .first = fuzz_byte(&input, 0),
                          .step = fuzz_byte(&input, 0) & 63};
    struct koine__buf whole, split;
    struct koine__framer framer;
    size_t limit = how & 128 ? 64 : LIMIT;
    bool fits = input.len <= limit;
    koine__framer_init(&framer, asked.wanted, limit);
    koine__buf_init(&whole, 16 * LIMIT);
    koine__buf_init(&split, 16 * LIMIT);
    trace_body(&framer, &asked, input, 0, 0, &whole);
    trace_body(&framer, &asked, input, asked.first, asked.step, &split);
    if (fits && !same(&whole, &split))
        fuzz_fail("whole:     %s\nin pieces: %s", koine__buf_str(&whole), koine__buf_str(&split));
    FUZZ_CHECK(fits || (split.len >= 4 && memcmp(split.ptr + split.len - 4, "over", 4) == 0));
    if (fits && asked.status == 200 && koine__str_starts(koine__str(asked.type), "text/event-stream"))
        compare_with_slow(&asked, input, &whole);
    koine__framer_release(&framer);
    koine__buf_release(&whole);
    koine__buf_release(&split);
    return 0;
}
