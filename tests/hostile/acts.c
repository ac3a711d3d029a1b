/* acts: what a hostile server sends over HTTP/1.1, one row of the table for each kind of malice. */
#include "tests/hostile/http1.h"
#include "tests/hostile/reader.h"
#include "tests/hostile/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define GIVE_UP_MS 20000 /* no timer of a test is that long */
#define CHUNK      16384
#define HUNDRED_MB ((size_t)100 << 20)
#define TEN        "1234567890"
#define FORTY      TEN TEN TEN TEN
#define DIGITS     FORTY FORTY FORTY FORTY FORTY FORTY FORTY FORTY FORTY FORTY

static const char good[] = CONTENT("hi");

/* ---- Honest answers ---- */

static bool send_head(const struct peer *peer, const char *more)
{
    return peer_sayf(peer, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n", type_of(peer->stream), more);
}

static bool send_with_length(const struct peer *peer, const char *text, size_t len, long told)
{
    char more[64];
    snprintf(more, sizeof(more), "Content-Length: %ld\r\n", told);
    return send_head(peer, more) && peer_send(peer, text, len);
}

/* Head and text in one piece: what is more than the head says must not come so late that the next request on
 * this connection meets it as its answer. */
static bool send_at_once(const struct peer *peer, const char *more, const char *text, size_t len)
{
    char all[4096];
    int head = snprintf(all, sizeof(all), "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n",
                        type_of(peer->stream), more);
    if (head < 0 || (size_t)head + len > sizeof(all))
        return false;
    memcpy(all + head, text, len);
    return peer_send(peer, all, (size_t)head + len);
}

static bool play_good(const struct peer *peer)
{
    char text[1024];
    size_t len = compose(peer->stream, good, text, sizeof(text));
    return send_with_length(peer, text, len, (long)len);
}

static bool play_json(const struct peer *peer, const struct act *act)
{
    static _Thread_local char text[65536];
    size_t len = compose(peer->stream, act->text, text, sizeof(text));
    return send_with_length(peer, text, len, (long)len);
}

/* ---- Without end ---- */

static bool send_forever(const struct peer *peer, const char *text)
{
    char block[CHUNK];
    size_t len = fill(block, sizeof(block), text);
    while (peer_send(peer, block, len))
        continue;
    return false;
}

static bool play_endless_body(const struct peer *peer, const struct act *act)
{
    static const char whole[] = "{\"choices\":[{\"message\":{\"content\":\"";
    static const char event[] = "data: {\"choices\":[{\"delta\":{\"content\":\"";
    return send_head(peer, "") && peer_say(peer, peer->stream ? event : whole) &&
           send_forever(peer, act->text);
}

static bool play_endless_pieces(const struct peer *peer, const struct act *act)
{
    return send_head(peer, "") && send_forever(peer, act->text);
}

static bool play_endless_events(const struct peer *peer, const struct act *act)
{
    char event[2048];
    if (peer->stream)
        compose_event(act->text, event, sizeof(event));
    else
        event[compose(false, act->text, event, sizeof(event))] = '\0';
    return send_head(peer, "") && send_forever(peer, event);
}

/* A thousand calls, just below the ceiling together, with long names, or long arguments. */
static bool play_large_calls(const struct peer *peer, const struct act *act)
{
    enum {
        CALLS = 1000,
        EACH = 16500
    };
    static _Thread_local char filler[EACH + 1], text[2 * EACH + 512], event[2 * EACH + 600];
    bool names = strcmp(act->text, "name") == 0, ok = send_head(peer, "");
    memset(filler, names ? 'n' : '1', EACH);
    for (int i = 0; ok && i < CALLS; i++) {
        snprintf(text, sizeof(text),
                 "{\"choices\":[{\"@\":{\"tool_calls\":[{\"index\":%d,\"id\":\"c%d\",\"function\":{"
                 "\"name\":\"f%s\",\"arguments\":\"[%s]\"}}]}}]}",
                 i, i, names ? filler : "", names ? "" : filler);
        size_t len = peer->stream ? compose_event(text, event, sizeof(event))
                                  : compose(false, text, event, sizeof(event));
        ok = peer_send(peer, event, len);
    }
    return false;
}

static bool play_after_the_end(const struct peer *peer, const struct act *act)
{
    char text[1024];
    size_t len = compose(peer->stream, act->text, text, sizeof(text));
    return send_head(peer, "") && peer_send(peer, text, len) && send_forever(peer, "data: {\"a\":1}\n\n");
}

static bool play_endless_header(const struct peer *peer, const struct act *act)
{
    return peer_say(peer, "HTTP/1.1 200 OK\r\n") && send_forever(peer, act->text);
}

static bool play_endless_interim(const struct peer *peer, const struct act *act)
{
    (void)act;
    return send_forever(peer, "HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n");
}

static bool play_endless_trailer(const struct peer *peer, const struct act *act)
{
    char text[1024];
    size_t len = compose(peer->stream, act->text, text, sizeof(text));
    return send_head(peer, "Transfer-Encoding: chunked\r\n") && peer_sayf(peer, "%zx\r\n", len) &&
           peer_send(peer, text, len) && peer_say(peer, "\r\n0\r\n") && send_forever(peer, "X-A: b\r\n");
}

static bool play_endless_extension(const struct peer *peer, const struct act *act)
{
    (void)act;
    return send_head(peer, "Transfer-Encoding: chunked\r\n") && peer_say(peer, "5;") &&
           send_forever(peer, "a=b;");
}

/* One event, or one answer, of a hundred megabytes that is right but for its size. */
static bool play_hundred_megabytes(const struct peer *peer, const struct act *act)
{
    char text[1024], block[CHUNK];
    size_t len = compose(peer->stream, act->text, text, sizeof(text));
    const char *middle = strstr(text, "hi");
    size_t before = (size_t)(middle - text), filled = HUNDRED_MB;
    memset(block, 'x', sizeof(block));
    if (!send_with_length(peer, text, before, (long)(len + filled)))
        return false;
    for (; filled > 0; filled -= sizeof(block))
        if (!peer_send(peer, block, sizeof(block)))
            return false;
    return peer_send(peer, middle, len - before);
}

/* ---- JSON ---- */

static bool send_nested(const struct peer *peer, const char *before, const char *after)
{
    enum {
        DEEP = 100000
    };
    char *text = malloc(2 * DEEP + 4096);
    size_t len = 0;
    if (!text)
        return false;
    len += (size_t)sprintf(text, "%s%s", peer->stream ? "data: " : "", before);
    memset(text + len, '[', DEEP);
    memset(text + len + DEEP, ']', DEEP);
    len += 2 * DEEP;
    len += (size_t)sprintf(text + len, "%s%s", after, peer->stream ? "\n\ndata: [DONE]\n\n" : "");
    bool sent = send_with_length(peer, text, len, (long)len);
    free(text);
    return sent;
}

static bool play_deep(const struct peer *peer, const struct act *act)
{
    (void)act;
    return send_nested(peer, "", "");
}

static bool play_deep_member(const struct peer *peer, const struct act *act)
{
    (void)act;
    return send_nested(peer, "{\"choices\":[],\"x\":", "}");
}

/* ---- Encodings ---- */

static bool play_bomb(const struct peer *peer, const struct act *act)
{
    struct bomb bomb;
    bomb_make(&bomb);
    size_t head = strstr(act->text, "gzip") ? sizeof(bomb.head) : 0; /* deflate has none */
    if (!send_head(peer, act->text) || !peer_send(peer, bomb.head, head) ||
        !peer_send(peer, bomb.start, sizeof(bomb.start)))
        return false;
    while (peer_send(peer, bomb.round, BOMB_ROUND))
        continue;
    return false;
}

static bool play_event_bomb(const struct peer *peer, const struct act *act)
{
    struct event_bomb bomb;
    event_bomb_make(&bomb);
    if (!send_head(peer, act->text) || !peer_send(peer, bomb.head, sizeof(bomb.head)) ||
        !peer_send(peer, bomb.start, sizeof(bomb.start)))
        return false;
    while (peer_send(peer, bomb.round, sizeof(bomb.round)))
        continue;
    return false;
}

static bool play_head_and_good(const struct peer *peer, const struct act *act)
{
    char text[1024];
    size_t len = compose(peer->stream, good, text, sizeof(text));
    return send_at_once(peer, act->text, text, len) && false;
}

/* ---- Lengths ---- */

static bool play_too_long(const struct peer *peer, const struct act *act)
{
    char text[1024];
    size_t len = compose(peer->stream, good, text, sizeof(text));
    (void)act;
    return send_with_length(peer, text, len - 1, (long)len + 100) && false;
}

static bool play_too_long_and_open(const struct peer *peer, const struct act *act)
{
    char text[1024];
    size_t len = compose(peer->stream, good, text, sizeof(text));
    (void)act;
    return send_with_length(peer, text, peer->stream ? len / 2 : len, (long)len + 100) &&
           peer_wait(peer, GIVE_UP_MS);
}

static bool play_too_short(const struct peer *peer, const struct act *act)
{
    char text[1024];
    size_t len = compose(peer->stream, good, text, sizeof(text));
    char more[64];
    (void)act;
    snprintf(more, sizeof(more), "Content-Length: %zu\r\n", len / 3);
    return send_at_once(peer, more, text, len);
}

/* Behind a right answer there stands another, for the next one who asks on this connection. */
static bool play_two_answers(const struct peer *peer, const struct act *act)
{
    char text[1024], other[1024];
    size_t len = compose(peer->stream, good, text, sizeof(text));
    size_t other_len = compose(peer->stream, act->text, other, sizeof(other));
    char both[4096];
    int n = snprintf(both, sizeof(both),
                     "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s"
                     "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                     type_of(peer->stream), len, text, type_of(peer->stream), other_len, other);
    return peer_send(peer, both, (size_t)n);
}

/* ---- Chunks ---- */

static bool play_chunks(const struct peer *peer, const struct act *act)
{
    return send_head(peer, "Transfer-Encoding: chunked\r\n") && peer_say(peer, act->text) && false;
}

static bool play_endless_chunks(const struct peer *peer, const struct act *act)
{
    return send_head(peer, "Transfer-Encoding: chunked\r\n") && send_forever(peer, act->text);
}

/* ---- Time ---- */

static bool drip(const struct peer *peer, const char *text)
{
    while (peer_wait(peer, 20) && peer_send(peer, text, 1))
        text += text[1] ? 1 : 0;
    return false;
}

static bool play_drip(const struct peer *peer, const struct act *act)
{
    return send_head(peer, "") && drip(peer, act->text);
}

static bool play_drip_head(const struct peer *peer, const struct act *act)
{
    return drip(peer, act->text);
}

static bool play_silence(const struct peer *peer, const struct act *act)
{
    return peer_say(peer, act->text) && peer_wait(peer, GIVE_UP_MS) && false;
}

/* The request was read, and the connection is gone: curl would send it again if it had served before. */
static bool play_reset(const struct peer *peer, const struct act *act)
{
    struct linger now = {.l_onoff = 1};
    (void)act;
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    return false;
}

static bool play_close(const struct peer *peer, const struct act *act)
{
    (void)peer, (void)act;
    return false;
}

/* Answers, but not at once. */
static bool play_slow(const struct peer *peer, const struct act *act)
{
    return peer_wait(peer, atoi(act->text)) && play_good(peer);
}

/* All that was asked for is there, but not the body's end. */
static bool play_late_end(const struct peer *peer, const struct act *act)
{
    char text[1024];
    size_t len = compose(peer->stream, good, text, sizeof(text));
    return send_head(peer, "Transfer-Encoding: chunked\r\n") && peer_sayf(peer, "%zx\r\n", len) &&
           peer_send(peer, text, len) && peer_say(peer, "\r\n") && peer_wait(peer, atoi(act->text)) &&
           peer_say(peer, "0\r\n\r\n");
}

/* ---- Much ---- */

static bool play_long(const struct peer *peer, const struct act *act)
{
    char event[2048], last[1024];
    bool ok = send_head(peer, "Connection: close\r\n");
    (void)act;
    for (int i = 0; ok && i < LONG_HTTP1; i++)
        ok = peer_send(peer, event, long_event(i, event, sizeof(event)));
    return ok && peer_send(peer, last, compose(true, ANSWER("", ""), last, sizeof(last))) && false;
}

/* ---- Heads ---- */

static bool play_raw(const struct peer *peer, const struct act *act)
{
    return peer_say(peer, act->text) && false;
}

static bool play_raw_with_nul(const struct peer *peer, const struct act *act)
{
    const char *nul = strchr(act->text, '^');
    return peer_send(peer, act->text, (size_t)(nul - act->text)) && peer_send(peer, "", 1) &&
           peer_say(peer, nul + 1) && false;
}

#define TOP(member) "{\"id\":\"x\",\"choices\":[]," member "}"
#define USAGE(number)                                                                                        \
    ANSWER("\"content\":\"hi\"",                                                                             \
           ",\"usage\":{\"prompt_tokens\":" number ",\"completion_tokens\":2,\"total_tokens\":3}")
#define GOOD_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static const struct act acts[] = {
    {"good", play_json, CONTENT("hi")},
    /* without end */
    {"endless", play_endless_body, "x"},
    {"endless-escapes", play_endless_body, "\\u0041"},
    {"endless-space", play_endless_pieces, " "},
    {"endless-lines", play_endless_pieces, "\r\n"},
    {"endless-comments", play_endless_pieces, ": ping\n\n"},
    {"endless-empty-data", play_endless_pieces, "data:\n"},
    {"endless-names", play_endless_pieces, "event: a\nid: b\nretry: 1\nx-y: z\n\n"},
    {"endless-stray", play_endless_pieces, "{\"a\":1}\n"},
    {"endless-members", play_endless_pieces, "data: {\"a\":1}\n\n"},
    {"endless-events", play_endless_events, PIECE("x")},
    {"endless-tools", play_endless_events,
     "{\"choices\":[{\"index\":0,\"@\":{\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]"
     "}}]}"},
    {"endless-large-events", play_endless_events, PIECE(TEXT_1K)},
    {"endless-kinds", play_endless_events,
     "{\"choices\":[{\"@\":{\"content\":\"" TEXT_512 "\",\"reasoning_content\":\"" TEXT_512
     "\",\"refusal\":\"" TEXT_512 "\"}}]}"},
    {"large-names", play_large_calls, "name"},
    {"large-arguments", play_large_calls, "arguments"},
    {"endless-header", play_endless_header, "X-A: b\r\n"},
    {"endless-header-line", play_endless_header, "X-A:aaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    {"endless-folded-header", play_endless_header, " folded\r\n"},
    {"endless-interim", play_endless_interim, NULL},
    {"endless-trailer", play_endless_trailer, CONTENT("hi")},
    {"endless-extension", play_endless_extension, NULL},
    {"endless-chunks", play_endless_chunks, "1\r\nx\r\n"},
    {"long", play_long, NULL},
    {"slow", play_slow, "1000"},
    {"reset", play_reset, NULL},
    {"close", play_close, NULL},
    {"endless-after-done", play_after_the_end, CONTENT("hi")},
    {"hundred-megabytes", play_hundred_megabytes, CONTENT("hi")},
    /* JSON that is none */
    {"deep", play_deep, NULL},
    {"deep-member", play_deep_member, NULL},
    {"utf8-alone", play_json, CONTENT("a\x80z")},
    {"utf8-overlong", play_json, CONTENT("a\xc0\xafz")},
    {"utf8-surrogate", play_json, CONTENT("a\xed\xa0\x80z")},
    {"utf8-beyond", play_json, CONTENT("a\xf4\x90\x80\x80z")},
    {"utf8-five", play_json, CONTENT("a\xf8\x88\x80\x80\x80z")},
    {"utf8-cut", play_json, CONTENT("a\xe2\x82")},
    {"utf8-name", play_json, TOP("\"a\xff\":1")},
    {"nul-in-text", play_json, CONTENT("a^b")},
    {"nul-between", play_json, TOP("^\"a\":1")},
    {"nul-in-name", play_json, TOP("\"a^\":1")},
    {"nul-escape-in-name", play_json, TOP("\"a\\u0000\":1")},
    {"control", play_json, CONTENT("a\x01z")},
    {"nan", play_json, USAGE("NaN")},
    {"infinity", play_json, USAGE("-Infinity")},
    {"hexadecimal", play_json, USAGE("0x10")},
    {"plus", play_json, USAGE("+1")},
    {"leading-zero", play_json, USAGE("01")},
    {"single-quotes", play_json, TOP("'a':1")},
    {"comment", play_json, TOP("/* a */\"a\":1")},
    {"trailing-comma", play_json, TOP("\"a\":1,")},
    {"duplicate", play_json, ANSWER("\"content\":\"hi\"", ",\"id\":\"y\"")},
    {"duplicate-escaped", play_json, ANSWER("\"content\":\"hi\"", ",\"i\\u0064\":\"y\"")},
    {"two-values", play_json, CONTENT("hi") CONTENT("ho")},
    {"byte-order-mark", play_json, "\xef\xbb\xbf" CONTENT("hi")},
    {"wrong-types", play_json, "{\"choices\":{\"0\":[]},\"usage\":[],\"id\":{},\"model\":7}"},
    {"wrong-text", play_json, ANSWER("\"content\":{\"a\":1},\"tool_calls\":{}", "")},
    /* JSON that is right, and odd */
    {"nul-escape", play_json, CONTENT("a\\u0000b")},
    {"half-pair", play_json, CONTENT("a\\ud83d")},
    {"duplicate-below", play_json, ANSWER("\"content\":\"ho\",\"content\":\"hi\"", "")},
    {"digits-unread", play_json, ANSWER("\"content\":\"hi\",\"x\":" DIGITS, ",\"y\":-" DIGITS "." DIGITS)},
    {"digits-created", play_json, ANSWER("\"content\":\"hi\"", ",\"created\":" DIGITS)},
    {"digits-index", play_json,
     "{\"choices\":[{\"index\":" DIGITS ",\"@\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}"},
    {"digits-usage", play_json, USAGE(DIGITS)},
    {"digits-exponent", play_json, USAGE("1e" DIGITS)},
    {"digits-small", play_json, USAGE("1e-" DIGITS)},
    {"digits-negative", play_json, USAGE("-9223372036854775808")},
    /* encodings */
    {"bomb", play_bomb, "Content-Encoding: gzip\r\n"},
    {"bomb-deflate", play_bomb, "Content-Encoding: deflate\r\n"},
    {"endless-events-in-gzip", play_event_bomb, "Content-Encoding: gzip\r\n"},
    {"gzip-that-is-none", play_head_and_good, "Content-Encoding: gzip\r\n"},
    {"encoding-unknown", play_head_and_good, "Content-Encoding: rot13\r\n"},
    {"encodings-many", play_head_and_good,
     "Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip, gzip, gzip, gzip, gzip, gzip\r\n"},
    /* lengths */
    {"too-long", play_too_long, NULL},
    {"too-long-and-open", play_too_long_and_open, NULL},
    {"too-short", play_too_short, NULL},
    {"two-answers", play_two_answers, CONTENT("not yours")},
    {"two-lengths", play_head_and_good, "Content-Length: 5\r\nContent-Length: 9\r\n"},
    {"length-negative", play_head_and_good, "Content-Length: -1\r\n"},
    {"length-huge", play_head_and_good, "Content-Length: " DIGITS "\r\n"},
    {"length-words", play_head_and_good, "Content-Length: many\r\n"},
    {"length-none", play_head_and_good, "Content-Length: 0\r\n"},
    /* chunks */
    {"chunk-size-words", play_chunks, "zz\r\nhello\r\n0\r\n\r\n"},
    {"chunk-size-huge", play_chunks, "FFFFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"},
    {"chunk-size-large", play_chunks, "7FFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"},
    {"chunk-size-negative", play_chunks, "-5\r\nhello\r\n0\r\n\r\n"},
    {"chunk-without-end", play_chunks, "5\r\nhelloworld\r\n0\r\n\r\n"},
    {"chunk-cut", play_chunks, "50\r\nhello"},
    {"chunk-no-last", play_chunks, "5\r\nhello\r\n"},
    {"chunk-size-cut", play_chunks, "5"},
    /* time */
    {"drip", play_drip, CONTENT("hi")},
    {"drip-comments", play_drip, ": a comment that says nothing\n\n"},
    {"drip-head", play_drip_head, GOOD_HEAD "Content-Length: 5\r\n\r\nhello"},
    {"late-end", play_late_end, "100"},
    {"silence", play_silence, ""},
    {"silence-in-head", play_silence, "HTTP/1.1 200 OK\r\nContent-"},
    {"silence-in-chunk", play_silence, GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n50\r\nhello"},
    /* heads */
    {"no-http", play_raw, "hello, world\r\n\r\n"},
    {"no-head", play_raw, "{\"choices\":[]}"},
    {"version", play_raw, "HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}"},
    {"status-words", play_raw, "HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}"},
    {"status-large", play_raw, "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}"},
    {"status-999", play_raw, "HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\n{}"},
    {"upgrade", play_raw, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello"},
    {"no-content", play_raw, "HTTP/1.1 204 No Content\r\n\r\n"},
    {"not-modified", play_raw, "HTTP/1.1 304 Not Modified\r\n\r\n"},
    {"nul-in-head", play_raw_with_nul, "HTTP/1.1 200 OK\r\nX-A: a^b\r\nContent-Length: 2\r\n\r\n{}"},
    {"line-without-colon", play_raw, "HTTP/1.1 200 OK\r\nhello\r\nContent-Length: 2\r\n\r\n{}"},
    {"retry-after-digits", play_raw,
     "HTTP/1.1 503 Busy\r\nRetry-After: " DIGITS "\r\nContent-Length: 0\r\n\r\n"},
};

const struct act *act_find(const char *name)
{
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        if (strcmp(acts[i].name, name) == 0)
            return &acts[i];
    return NULL;
}
