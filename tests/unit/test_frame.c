/* Frames: each body is cut whole, at every split in two, and byte by byte, with one and the same result; and
 * what the standard says of event streams is written down a second time, slowly, and compared on random
 * streams. */
#include "core/wire/frame.h"
#include "core/wire/json.h"
#include "tests/fuzz/slow_sse.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <koine/koine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT ((size_t)1 << 22)

enum asked {
    ASKED_SSE,
    ASKED_WHOLE,
    ASKED_LINE
};
static const int wanted_of[] = {KOINE_FRAME_SSE, KOINE_FRAME_WHOLE, KOINE_FRAME_LINE};

struct body {
    const char *type;
    const char *ptr;
    size_t len;
    int status; /* 0: 200 */
    enum asked asked;
    bool cut; /* does not end clean */
};

static void write_text(struct koine__buf *trace, koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        koine__buf_addc(trace, text.ptr[i] ? text.ptr[i] : '^');
}

static void write_cut(struct koine__buf *trace, const struct koine__cut *cut)
{
    static const char *const names[] = {"whole", "sse", "line"};
    if (cut->kind == KOINE_FRAME_END) {
        koine__buf_adds(trace, cut->clean ? "end" : "cut");
        return;
    }
    koine__buf_adds(trace, names[cut->kind]);
    koine__buf_addc(trace, '(');
    write_text(trace, cut->event);
    koine__buf_addc(trace, '|');
    write_text(trace, cut->text);
    koine__buf_adds(trace, ") ");
}

/* Takes all frames that are ready. */
static int drain(struct koine__framer *framer, struct koine__buf *trace)
{
    struct koine__cut cut;
    int rc;
    while ((rc = koine__framer_next(framer, &cut)) > 0)
        write_cut(trace, &cut);
    return rc;
}

/* Pushes a piece from a block of its own, so that nothing can be read beside it or after it. */
static int push(struct koine__framer *framer, const char *ptr, size_t len)
{
    char *copy = malloc(len ? len : 1);
    memcpy(copy, ptr, len);
    int rc = koine__framer_push(framer, copy, len);
    free(copy);
    return rc;
}

/* Feeds the body in pieces of `first`, then `step` bytes (0: all the rest). */
static void feed(const struct body *body, size_t first, size_t step, struct koine__framer *framer,
                 struct koine__buf *trace)
{
    koine__framer_head(framer, body->status ? body->status : 200, koine__str(body->type));
    for (size_t at = 0, piece = first; at < body->len; at += piece, piece = step ? step : body->len) {
        piece = piece < body->len - at ? piece : body->len - at;
        ASSERT_INT(push(framer, body->ptr + at, piece), 0);
        ASSERT_INT(drain(framer, trace), 0);
    }
    koine__framer_finish(framer, !body->cut);
    ASSERT_INT(drain(framer, trace), 0);
    ASSERT_INT(drain(framer, trace), 0); /* the end comes once */
}

static void trace_body(const struct body *body, size_t first, size_t step, struct koine__buf *trace)
{
    struct koine__framer framer;
    koine__framer_init(&framer, wanted_of[body->asked], LIMIT);
    koine__buf_reset(trace);
    feed(body, first, step, &framer, trace);
    koine__framer_release(&framer);
}

static void assert_body(const struct body *body, const char *expected, unsigned line)
{
    struct koine__buf trace;
    koine__buf_init(&trace, LIMIT);
    trace_body(body, body->len, 0, &trace);
    suite_assert_str(koine__buf_str(&trace), expected, "at once", __FILE__, line);
    for (size_t split = 0; split <= body->len; split++) {
        trace_body(body, split, 0, &trace);
        if (strcmp(koine__buf_str(&trace), expected) != 0)
            suite_assert_str(koine__buf_str(&trace), expected, "in two pieces", __FILE__, line);
    }
    for (size_t step = 1; step <= 3; step++) {
        trace_body(body, step, step, &trace);
        suite_assert_str(koine__buf_str(&trace), expected, "byte by byte", __FILE__, line);
    }
    koine__buf_release(&trace);
}

#define BODY(content_type, literal)   .type = (content_type), .ptr = (literal), .len = sizeof(literal) - 1
#define CHECK(expected, ...)          assert_body(&(struct body){__VA_ARGS__}, (expected), __LINE__)
#define EVENTS(literal, expected)     CHECK(expected, BODY("text/event-stream", literal))
#define EVENTS_CUT(literal, expected) CHECK(expected, BODY("text/event-stream", literal), .cut = true)

/* ---- The table of what servers do
 * ----------------------------------------------------------------------------- */

static uint64_t count_comments(const char *text)
{
    struct koine__framer framer;
    struct koine__cut cut;
    koine__framer_init(&framer, KOINE_FRAME_SSE, LIMIT);
    koine__framer_head(&framer, 200, koine__str("text/event-stream"));
    CU_ASSERT_EQUAL(koine__framer_push(&framer, text, strlen(text)), 0);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 0);
    uint64_t comments = framer.comments;
    koine__framer_release(&framer);
    return comments;
}

static void f01_comment_lines(void)
{
    EVENTS(": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\ndata: {\"a\":1}\n\n",
           "sse(|{\"a\":1}) end");
    ASSERT_INT((long long)count_comments(": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n"), 2);
}

static void f02_keep_alive_before_the_answer(void)
{
    struct koine__framer framer;
    struct koine__cut cut;
    koine__framer_init(&framer, KOINE_FRAME_SSE, LIMIT);
    koine__framer_head(&framer, 200, koine__str("text/event-stream; charset=utf-8"));
    for (uint64_t i = 0; i < 600; i++) {
        CU_ASSERT_EQUAL(framer.comments, i);
        CU_ASSERT_EQUAL(push(&framer, ": keep-alive\n\n", 14), 0);
        CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 0);
    }
    CU_ASSERT(framer.in.cap < 256); /* what was read is not kept */
    koine__framer_release(&framer);
}

static void f03_empty_lines_before_a_whole_answer(void)
{
    CHECK("whole(|\n\n\r\n \n{\"a\":1}) end", BODY("application/json", "\n\n\r\n \n{\"a\":1}"));
    CHECK("whole(|\n\n\n{}) end", BODY("", "\n\n\n{}"), .asked = ASKED_WHOLE);
    CU_ASSERT_EQUAL(koine__json_check(koine__str("\n\n\r\n \n{\"a\":1}"), 8, NULL), 0);
}

static void f04_comment_pings(void)
{
    EVENTS(":\n\ndata: a\n:\n: ping\ndata: b\n\n:\n", "sse(|a\nb) end");
    ASSERT_INT((long long)count_comments(":\n\n:\r\r: ping\r\n"), 3);
}

static void f05_all_line_ends(void)
{
    EVENTS("data: a\r\n\r\ndata: b\r\rdata: c\n\ndata: d\r\ndata: e\rdata: f\n\r\n",
           "sse(|a) sse(|b) sse(|c) sse(|d\ne\nf) end");
    EVENTS("event: x\rdata: a\r\r\n\r\ndata: b\n\r", "sse(x|a) sse(|b) end");
}

static void f06_fields(void)
{
    EVENTS("\xef\xbb\xbf"
           "data:a\ndata: b\ndata:  c\nevent: n\nid: 7\nretry: 10\n\n",
           "sse(n|a\nb\n c) end");
    EVENTS("data\ndata\n\ndata:x\n\n", "sse(|\n) sse(|x) end");
    EVENTS("event: a\nevent: b\ndata: 1\n\ndata: 2\n\n", "sse(b|1) sse(|2) end");
    EVENTS("event: lost\n\ndata: 1\n\n", "sse(|1) end");
    EVENTS("data: 1\nevent:late\n\n", "sse(late|1) end");
    EVENTS("event\ndata: a: b\nx-trace: 7\nunknown:\n\n", "sse(|a: b) end");
    EVENTS("\xef\xbb\xbf\xef\xbb\xbf"
           "data: a\n\n",
           "whole(|\xef\xbb\xbf"
           "data: a) end"); /* only one mark is one */
}

static void f07_events_and_pieces_of_events(void)
{
    EVENTS("data: {\"t\":\"caf\xc3\xa9 \xf0\x9f\x98\x80\"}\n\ndata: {\"t\":\"\\uD83D\\uDE00\"}\n\n",
           "sse(|{\"t\":\"caf\xc3\xa9 \xf0\x9f\x98\x80\"}) sse(|{\"t\":\"\\uD83D\\uDE00\"}) end");
}

static void f08_done_without_its_blank_line(void)
{
    EVENTS("data: 1\n\ndata: [DONE]", "sse(|1) sse(|[DONE]) end");
    EVENTS("data: 1\n\ndata: [DONE]\n", "sse(|1) sse(|[DONE]) end");
    EVENTS("data: 1\n\ndata: [DONE]\r", "sse(|1) sse(|[DONE]) end");
    EVENTS_CUT("data: 1\n\ndata: [DONE]\n", "sse(|1) sse(|[DONE]) cut");
    EVENTS_CUT("data: 1\n\ndata: [DONE]", "sse(|1) cut");
    EVENTS_CUT("data: 1\n\ndata: {\"a\":\nda", "sse(|1) cut");
    EVENTS("data: 1\n\ndata: {\"a\":\ndata: 2}", "sse(|1) sse(|{\"a\":\n2}) end");
}

static void f09_bytes_after_done(void)
{
    EVENTS("data: [DONE]\n\ndata: [DONE]\n\n\n\n", "sse(|[DONE]) sse(|[DONE]) end");
    EVENTS("data: [DONE]\n\n\r\n \n: bye\n", "sse(|[DONE]) end");
}

static void f10_empty_data(void)
{
    EVENTS("data:\n\ndata: \n\ndata\n\nevent: x\ndata:\n\ndata: 1\n\n", "sse(|1) end");
}

static void f11_names_of_events(void)
{
    EVENTS("event: ping\ndata: {\"type\": \"ping\"}\n\nevent: brand.new\ndata: 1\n\nevent: ping\n\n",
           "sse(ping|{\"type\": \"ping\"}) sse(brand.new|1) end");
}

static void f12_padding_members(void)
{
    EVENTS("data: {\"a\":1,\"obfuscation\":\"q3FvL\"}\n\n", "sse(|{\"a\":1,\"obfuscation\":\"q3FvL\"}) end");
}

#define PRETTY "{\n  \"error\": {\n    \"code\": 429,\n    \"message\": \"{ not } a \\\"brace\"\n  }\n}"

static void f13_an_error_outside_of_events(void)
{
    EVENTS(PRETTY, "whole(|" PRETTY ") end");
    EVENTS(PRETTY "\n", "whole(|" PRETTY ") end");
    EVENTS("\n\n" PRETTY "\n\n", "whole(|" PRETTY ") end");
    EVENTS("data: 1\n\n" PRETTY "\ndata: [DONE]\n\n", "sse(|1) sse(|[DONE]) whole(|" PRETTY ") end");
    EVENTS("[{\"error\":{}}]", "whole(|[{\"error\":{}}]) end");
    EVENTS("Internal Server Error", "whole(|Internal Server Error) end");
    EVENTS("<html>\nError: x\n</html>\n", "whole(|<html>\nError: x\n</html>) end");
    EVENTS_CUT("data: 1\n\n{\"error\":{}}\n", "sse(|1) cut");
}

static void f14_another_type_than_asked_for(void)
{
    CHECK("whole(|{\"a\":1}) end", BODY("application/json", "{\"a\":1}"));
    CHECK("sse(|1) end", BODY("text/event-stream", "data: 1\n\n"), .asked = ASKED_WHOLE);
    CHECK("sse(|1) end", BODY("application/json", "data: 1\n\n"));
    CHECK("sse(x|1) end", BODY("application/json; charset=utf-8", "\n\nevent: x\ndata: 1\n\n"));
    CHECK("sse(|1) end", BODY("application/json", ": hello\n\ndata: 1\n\n"));
    CHECK("whole(|{\"a\":1}) end", BODY("text/event-stream", "{\"a\":1}"));
}

/* ---- How a body is cut
 * ----------------------------------------------------------------------------------------- */

static void the_type_decides(void)
{
    CHECK("whole(|id: 1\n) end", BODY("Application/Problem+JSON", "id: 1\n"));
    CHECK("whole(|<p>data: 1) end", BODY("text/html; charset=utf-8", "<p>data: 1"));
    CHECK("whole(|data: 1\n\n) end", BODY("text/html", "data: 1\n\n"));
    CHECK("whole(|+json) end", BODY("+json", "+json"));
    CHECK("sse(|1) end", BODY(" TEXT/Event-Stream ;x=y", "data: 1\n\n"));
    CHECK("whole(|data: 1\n\n) end", BODY("text/event-stream", "data: 1\n\n"), .status = 400);
    CHECK("whole(|[1]\n[2]\n) end", BODY("application/x-ndjson", "[1]\n[2]\n"), .status = 503);
    CHECK("sse(|1) end", BODY("text/event-stream", "data: 1\n\n"), .status = 399);
}

static void the_first_bytes_decide(void)
{
    static const char *const types[] = {"", "text/plain", "application/octet-stream", NULL};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        CHECK("whole(| \n {\"data\":1}) end", BODY(types[i], " \n {\"data\":1}"));
        CHECK("whole(|[1]) end", BODY(types[i], "[1]"));
        CHECK("whole(|<html>) end", BODY(types[i], "<html>"));
        CHECK("sse(|1) end", BODY(types[i], "data:1\n\n"));
        CHECK("sse(|1) end", BODY(types[i], "\xef\xbb\xbf\r\n\ndata: 1\n\n"));
        CHECK("sse(e|1) end", BODY(types[i], "event:e\ndata:1\n\n"));
        CHECK("sse(|1) end", BODY(types[i], "id: 4\ndata:1\n\n"));
        CHECK("sse(|1) end", BODY(types[i], "retry: 4\ndata:1\n\n"));
        CHECK("sse(error|1) end", BODY(types[i], "error:1\n\n"));
        CHECK("sse(|1) end", BODY(types[i], ":\ndata:1\n\n"));
        CHECK("whole(|dat) end", BODY(types[i], "dat"));
        CHECK("whole(|data) end", BODY(types[i], "data"));
        CHECK("whole(|datum: 1) end", BODY(types[i], "datum: 1"));
        CHECK("whole(| data: 1) end", BODY(types[i], " data: 1"));
        CHECK("whole(|Bad gateway) end", BODY(types[i], "Bad gateway"));
        CHECK("whole(|\xef\xbb) end", BODY(types[i], "\xef\xbb"));
        CHECK("whole(|{}) end", BODY(types[i], "\xef\xbb\xbf{}"));
    }
}

static void no_head_is_no_type(void)
{
    struct koine__framer framer;
    struct koine__cut cut;
    koine__framer_init(&framer, KOINE_FRAME_SSE, LIMIT);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 0);
    CU_ASSERT_EQUAL(push(&framer, "data: 1\n\n", 9), 0);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 1);
    ASSERT_MEM(cut.text.ptr, cut.text.len, "1");
    CU_ASSERT_EQUAL(framer.cutting, KOINE_FRAME_SSE);
    koine__framer_release(&framer);
}

static void cuts_lines(void)
{
    static const char *const types[] = {"application/x-ndjson", "application/ndjson", "application/jsonl",
                                        "application/jsonlines", "application/x-jsonlines"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        CHECK("line(|{\"a\":1}) line(| {\"data\": 2}) line(|3) line(|4) end",
              BODY(types[i], "\n{\"a\":1}\r\n\r\n {\"data\": 2}\n \n3\r4"));
    CHECK("line(|1) line(|2) cut", BODY("application/jsonl", "1\n2\n3"), .cut = true);
    CHECK("line(|1) cut", BODY("application/jsonl", "1\r\n"), .cut = true);
    CHECK("line(|{\"a\":1}) line(|{}) end", BODY("", "{\"a\":1}\n{}\n"), .asked = ASKED_LINE);
    CHECK("whole(|[{}\n,{}]) end", BODY("", "[{}\n,{}]"), .asked = ASKED_LINE);
    CHECK("whole(|{}\n{}) end", BODY("application/json", "{}\n{}"), .asked = ASKED_LINE);
    CHECK("sse(|1) end", BODY("text/plain", "data: 1\n\n"), .asked = ASKED_LINE);
}

static void whole_bodies(void)
{
    CHECK("end", BODY("application/json", ""));
    CHECK("end", BODY("", " \r\n\t\n"));
    CHECK("end", BODY("text/event-stream", ""));
    CHECK("end", BODY("text/event-stream", " \n\t\n"));
    CHECK("end", BODY("application/jsonl", "\n"));
    CHECK("cut", BODY("application/json", ""), .cut = true);
    CHECK("cut", BODY("application/json", "{\"a\":1}"), .cut = true);
    CHECK("cut", BODY("", "dat"), .cut = true);
    CHECK("whole(|a^b) end", BODY("text/html", "a\0b"));
}

static void the_field_error_is_an_event(void)
{
    EVENTS("error: {\"code\":500}\n\ndata: [DONE]\n\n", "sse(error|{\"code\":500}) sse(|[DONE]) end");
    EVENTS("error: {\"code\":500}\ndata: [DONE]\n\n", "sse(error|{\"code\":500}) sse(|[DONE]) end");
    EVENTS("data: 1\nerror:2\ndata: 3\n\n", "sse(error|2) sse(|1\n3) end");
    EVENTS("error:\n\nerror\n\n", "whole(|error) end");
    EVENTS_CUT("error: {\"code\":500}", "cut");
}

static void bytes_that_mean_nothing(void)
{
    EVENTS("data: a\0b\n\n\xff\xfe: x\n\ndata:\xff\n\n", "sse(|a^b) sse(|\xff) whole(|\xff\xfe: x) end");
}

/* ---- Where the bytes are
 * --------------------------------------------------------------------------------------- */

static void hands_out_bytes_in_place(void)
{
    struct koine__framer framer;
    struct koine__cut cut;
    koine__framer_init(&framer, KOINE_FRAME_SSE, LIMIT);
    koine__framer_head(&framer, 200, koine__str("text/event-stream"));
    CU_ASSERT_EQUAL(push(&framer, "event: e\ndata: 1\n", 17), 0);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 0);
    CU_ASSERT_EQUAL(push(&framer, "\ndata: 2\n\n", 10), 0);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 1);
    CU_ASSERT(cut.text.ptr >= framer.in.ptr && cut.text.ptr < framer.in.ptr + framer.in.len);
    CU_ASSERT(cut.event.ptr >= framer.in.ptr && cut.event.ptr < framer.in.ptr + framer.in.len);
    ASSERT_MEM(cut.event.ptr, cut.event.len, "e");
    CU_ASSERT_PTR_NULL(framer.data.ptr);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 1);
    ASSERT_MEM(cut.text.ptr, cut.text.len, "2");
    koine__framer_release(&framer);
}

/* A stream that waits holds no memory, but what is begun stays. */
static void rests(void)
{
    struct koine__framer framer;
    struct koine__cut cut;
    koine__framer_init(&framer, KOINE_FRAME_SSE, LIMIT);
    koine__framer_head(&framer, 200, koine__str("text/event-stream"));
    koine__framer_rest(&framer);
    CU_ASSERT_EQUAL(push(&framer, "data: 1\r\ndata: 2\r\n\r", 19), 0);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 1);
    ASSERT_MEM(cut.text.ptr, cut.text.len, "1\n2");
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 0);
    koine__framer_rest(&framer);
    CU_ASSERT_PTR_NULL(framer.in.ptr);
    CU_ASSERT_PTR_NULL(framer.data.ptr);
    CU_ASSERT_EQUAL(push(&framer, "\nevent: e\n", 10), 0);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 0);
    koine__framer_rest(&framer);
    CU_ASSERT_EQUAL(push(&framer, "data: 3\n", 8), 0);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 0);
    koine__framer_rest(&framer);
    CU_ASSERT_EQUAL(push(&framer, "\nda", 3), 0);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 1);
    ASSERT_MEM(cut.event.ptr, cut.event.len, "e");
    ASSERT_MEM(cut.text.ptr, cut.text.len, "3");
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 0);
    koine__framer_rest(&framer);
    CU_ASSERT_EQUAL(push(&framer, "ta: 4", 5), 0);
    koine__framer_finish(&framer, true);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 1);
    ASSERT_MEM(cut.text.ptr, cut.text.len, "4");
    koine__framer_rest(&framer);
    CU_ASSERT_EQUAL(koine__framer_next(&framer, &cut), 1);
    CU_ASSERT_EQUAL(cut.kind, KOINE_FRAME_END);
    koine__framer_release(&framer);
}

/* A long stream in small pieces takes no more memory than its longest event, and is not moved about. */
static void keeps_only_what_it_needs(void)
{
    static const char event[] = "event: name\ndata: 0123456789012345678901234567890123456789\n\n";
    struct koine__framer framer;
    struct koine__cut cut;
    size_t frames = 0, len = sizeof(event) - 1;
    koine__framer_init(&framer, KOINE_FRAME_SSE, LIMIT);
    koine__framer_head(&framer, 200, koine__str("text/event-stream"));
    for (size_t i = 0; i < 20000 * len; i += 7) {
        char piece[7];
        for (size_t k = 0; k < 7; k++)
            piece[k] = event[(i + k) % len];
        CU_ASSERT_EQUAL_FATAL(koine__framer_push(&framer, piece, 7), 0);
        while (koine__framer_next(&framer, &cut) == 1) {
            CU_ASSERT_FATAL(cut.event.len == 4 && cut.text.len == 40);
            frames++;
        }
    }
    ASSERT_INT((long long)frames, 20000);
    CU_ASSERT(framer.in.cap <= 256);
    koine__framer_release(&framer);
}

/* What would take minutes if any byte were read twice for each that comes. */
static void is_linear(void)
{
    struct koine__framer framer;
    struct koine__cut cut;
    static const char *const starts[] = {"data: ", "", "\n", "data: 1\r"};
    static const char fillers[] = {'x', ' ', '\n', '\r'};
    for (size_t i = 0; i < 4; i++) {
        koine__framer_init(&framer, KOINE_FRAME_SSE, LIMIT);
        koine__framer_head(&framer, 200, koine__str(i % 2 ? "" : "text/event-stream"));
        CU_ASSERT_EQUAL(push(&framer, starts[i], strlen(starts[i])), 0);
        for (size_t k = 0; k < 1000000; k++)
            if (koine__framer_push(&framer, &fillers[i], 1) || koine__framer_next(&framer, &cut) < 0)
                CU_FAIL_FATAL("push");
        koine__framer_finish(&framer, true);
        while (koine__framer_next(&framer, &cut) == 1 && cut.kind != KOINE_FRAME_END)
            ;
        CU_ASSERT_EQUAL(cut.kind, KOINE_FRAME_END);
        koine__framer_release(&framer);
    }
}

static void many_line_ends_at_once(void)
{
    struct koine__framer framer;
    struct koine__cut cut;
    size_t frames = 0;
    char *text = malloc(LIMIT);
    for (size_t i = 0; i < LIMIT; i += 8)
        memcpy(text + i, "data:1\r\r", 8);
    koine__framer_init(&framer, KOINE_FRAME_SSE, LIMIT);
    koine__framer_head(&framer, 200, koine__str("text/event-stream"));
    CU_ASSERT_EQUAL(koine__framer_push(&framer, text, LIMIT), 0);
    while (koine__framer_next(&framer, &cut) == 1)
        frames++;
    ASSERT_INT((long long)frames, (long long)LIMIT / 8);
    koine__framer_release(&framer);
    free(text);
}

static void has_a_ceiling(void)
{
    struct koine__framer framer;
    struct koine__cut cut;
    koine__framer_init(&framer, KOINE_FRAME_SSE, 18);
    koine__framer_head(&framer, 200, koine__str("text/event-stream"));
    ASSERT_INT(push(&framer, "data: 1\n\n", 9), 0);
    ASSERT_INT(koine__framer_next(&framer, &cut), 1);
    ASSERT_INT(push(&framer, "data: 2\n\n", 9), 0);
    ASSERT_INT(koine__framer_next(&framer, &cut), 1);
    ASSERT_INT(push(&framer, "", 0), 0);
    ASSERT_INT(push(&framer, ":", 1), KOINE_EARGUMENT);
    ASSERT_INT(push(&framer, "", 0), KOINE_EARGUMENT); /* sticks */
    ASSERT_INT(koine__framer_next(&framer, &cut), KOINE_EARGUMENT);
    ASSERT_INT((long long)framer.total, 18);
    koine__framer_release(&framer);
}

static void takes_nothing_after_the_end(void)
{
    struct koine__framer framer;
    struct koine__cut cut;
    koine__framer_init(&framer, KOINE_FRAME_SSE, LIMIT);
    koine__framer_head(&framer, 200, koine__str("text/event-stream"));
    koine__framer_finish(&framer, false);
    koine__framer_finish(&framer, true); /* the first word holds */
    ASSERT_INT(push(&framer, "data: 1\n\n", 9), KOINE_EARGUMENT);
    ASSERT_INT(koine__framer_next(&framer, &cut), 1);
    CU_ASSERT(cut.kind == KOINE_FRAME_END && !cut.clean && !cut.text.ptr && !cut.event.ptr);
    ASSERT_INT(koine__framer_next(&framer, &cut), 0);
    koine__framer_release(&framer);
}

static void serves_again_after_reset(void)
{
    static const struct body first = {BODY("text/event-stream", "event: x\ndata: 1\ndata: 2\n\n{}\r"),
                                      .cut = true};
    static const struct body second = {BODY("", "\ndata: 1\n\n")};
    struct koine__framer framer;
    struct koine__buf trace;
    koine__buf_init(&trace, LIMIT);
    koine__framer_init(&framer, KOINE_FRAME_WHOLE, LIMIT);
    feed(&first, 5, 0, &framer, &trace);
    ASSERT_STR(koine__buf_str(&trace), "sse(x|1\n2) cut");
    const char *memory = framer.in.ptr;
    koine__framer_reset(&framer, KOINE_FRAME_SSE);
    CU_ASSERT_PTR_EQUAL(framer.in.ptr, memory);
    ASSERT_INT((long long)framer.total, 0);
    ASSERT_INT(framer.wanted, KOINE_FRAME_SSE);
    koine__buf_reset(&trace);
    feed(&second, 1, 0, &framer, &trace);
    ASSERT_STR(koine__buf_str(&trace), "sse(|1) end");
    koine__framer_release(&framer);
    koine__framer_release(&framer);
    koine__buf_release(&trace);
}

static int feed_until_failure(struct koine__framer *framer, const char *text, struct koine__cut *cut)
{
    int rc = 0;
    koine__framer_head(framer, 200, koine__str("text/event-stream"));
    for (; *text && !rc; text++) {
        rc = koine__framer_push(framer, text, 1);
        while (!rc && (rc = koine__framer_next(framer, cut)) == 1)
            rc = 0;
    }
    if (rc)
        ASSERT_INT(koine__framer_next(framer, cut), rc); /* sticks */
    return rc;
}

static void survives_failed_allocations(void)
{
    for (long n = 1;; n++) {
        struct koine__framer framer;
        struct koine__cut cut;
        failalloc_begin(n);
        koine__framer_init(&framer, KOINE_FRAME_SSE, LIMIT);
        int rc = feed_until_failure(&framer, "data: 1\ndata: 2\ndata: 3\n\n{}\n{}\n", &cut);
        koine__framer_release(&framer);
        if (!failalloc_end()) {
            CU_ASSERT(rc == 0 && n > 3);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

/* ---- The standard, slowly
 * -------------------------------------------------------------------------------------- */

static void write_slow(void *arg, const char *kind, koine_str event, koine_str text)
{
    koine__buf_adds(arg, kind);
    koine__buf_addc(arg, '(');
    write_text(arg, event);
    koine__buf_addc(arg, '|');
    write_text(arg, text);
    koine__buf_adds(arg, ") ");
}

static uint32_t pick(uint64_t *state, uint32_t bound)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % bound;
}

static size_t random_stream(uint64_t *state, char *ret)
{
    static const char *const lines[] = {
        "data: x",
        "data:",
        "data",
        "data:  two",
        "data: {\"a\":1}",
        "event: e",
        "event",
        "id: 3",
        "retry: 1",
        "retry",
        ": c",
        ":",
        "error: e",
        "error:",
        "error",
        "x-trace: 7",
        "foo",
        "  data: x",
        "{\"a\": 1}",
        "}",
        " ",
        "data : x",
        "dat\xc3\xa9: \xf0\x9f\x98\x80",
        "data:\xf0\x9f\x98\x80",
        "event: \xc3\xa9",
        "Data: y",
        "long: 0123456789abcdef",
        "data: a longer line, one that has more than a word or two in it",
    };
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    uint32_t style = pick(state, 4), count = pick(state, 30);
    ret[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        if (pick(state, 3))
            strcat(ret, lines[pick(state, sizeof(lines) / sizeof(lines[0]))]);
        strcat(ret, ends[style < 3 ? style : pick(state, 3)]);
    }
    size_t len = strlen(ret);
    if (len && pick(state, 2))
        ret[len -= pick(state, len < 12 ? (uint32_t)len : 12)] = '\0';
    return len;
}

static void agrees_with_the_standard(void)
{
    static char text[8192];
    struct koine__buf fast, slow;
    uint64_t state = 20240723;
    koine__buf_init(&fast, LIMIT);
    koine__buf_init(&slow, LIMIT);
    for (int i = 0; i < 2000; i++) {
        struct body body = {.type = "text/event-stream", .ptr = text};
        body.len = random_stream(&state, text);
        body.cut = pick(&state, 2);
        koine__buf_reset(&slow);
        slow_decode(&(struct slow_sse){.frame = write_slow, .arg = &slow}, (koine_str){text, body.len},
                    !body.cut);
        koine__buf_adds(&slow, body.cut ? "cut" : "end");
        trace_body(&body, pick(&state, 40), pick(&state, 9), &fast);
        if (strcmp(koine__buf_str(&fast), koine__buf_str(&slow)) != 0)
            suite_assert_str(koine__buf_str(&fast), koine__buf_str(&slow), text, __FILE__, __LINE__);
    }
    koine__buf_release(&fast);
    koine__buf_release(&slow);
}

SUITE_MAIN("frame", {"F01 comment lines", f01_comment_lines},
           {"F02 keep-alive before the answer", f02_keep_alive_before_the_answer},
           {"F03 empty lines before a whole answer", f03_empty_lines_before_a_whole_answer},
           {"F04 comment pings", f04_comment_pings}, {"F05 all line ends", f05_all_line_ends},
           {"F06 fields", f06_fields}, {"F07 events and pieces of events", f07_events_and_pieces_of_events},
           {"F08 done without its blank line", f08_done_without_its_blank_line},
           {"F09 bytes after done", f09_bytes_after_done}, {"F10 empty data", f10_empty_data},
           {"F11 names of events", f11_names_of_events}, {"F12 padding members", f12_padding_members},
           {"F13 an error outside of events", f13_an_error_outside_of_events},
           {"F14 another type than asked for", f14_another_type_than_asked_for},
           {"the type decides", the_type_decides}, {"the first bytes decide", the_first_bytes_decide},
           {"no head is no type", no_head_is_no_type}, {"cuts lines", cuts_lines},
           {"whole bodies", whole_bodies}, {"the field error is an event", the_field_error_is_an_event},
           {"bytes that mean nothing", bytes_that_mean_nothing},
           {"hands out bytes in place", hands_out_bytes_in_place}, {"rests", rests},
           {"keeps only what it needs", keeps_only_what_it_needs}, {"is linear", is_linear},
           {"many line ends at once", many_line_ends_at_once}, {"has a ceiling", has_a_ceiling},
           {"takes nothing after the end", takes_nothing_after_the_end},
           {"serves again after reset", serves_again_after_reset},
           {"survives failed allocations", survives_failed_allocations},
           {"agrees with the standard", agrees_with_the_standard})
