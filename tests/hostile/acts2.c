/* acts2: what a hostile server sends over HTTP/2, one row of the table for each kind of malice. */
#include "tests/hostile/http2.h"
#include "tests/hostile/reader.h"
#include "tests/hostile/text.h"

#include <stdio.h>
#include <string.h>

#define GIVE_UP_MS 20000 /* no timer of a test is that long */
#define CHUNK      16384
#define LARGE      ((size_t)1 << 20)

static const char good[] = CONTENT("hi");

/* ---- Honest answers ---- */

static void begin_head(const struct turn *turn, struct block *block)
{
    block->len = 0;
    block_add(block, ":status", "200");
    block_add(block, "content-type", type_of(turn->is_stream));
}

static bool send_block(const struct turn *turn, const struct block *block, int flags)
{
    return http2_frame(turn, HEADERS, flags, turn->stream, block->bytes, block->len);
}

/* With one more field, "name: value"; "": without. */
static bool send_head(const struct turn *turn, const char *more)
{
    struct block block;
    char name[64];
    begin_head(turn, &block);
    const char *colon = strchr(more, ':');
    if (colon) {
        snprintf(name, sizeof(name), "%.*s", (int)(colon - more), more);
        block_add(&block, name, colon + 2);
    }
    return send_block(turn, &block, END_HEADERS);
}

static size_t compose_for(const struct turn *turn, const char *text, char *ret, size_t size)
{
    return compose(turn->is_stream, text, ret, size);
}

/* A head with that field, and the good answer. */
static bool play_good(const struct turn *turn, const struct act2 *act)
{
    char text[1024];
    size_t len = compose_for(turn, good, text, sizeof(text));
    return send_head(turn, act->text) && http2_data(turn, text, len, END_STREAM);
}

static bool play_trailers(const struct turn *turn, const struct act2 *act)
{
    char text[1024];
    size_t len = compose_for(turn, good, text, sizeof(text));
    struct block block = {.len = 0};
    block_add(&block, act->text, "x");
    return send_head(turn, "") && http2_data(turn, text, len, 0) &&
           send_block(turn, &block, END_HEADERS | END_STREAM);
}

static bool play_long(const struct turn *turn, const struct act2 *act)
{
    char event[2048], last[1024];
    bool ok = send_head(turn, "");
    (void)act;
    for (int i = 0; ok && i < LONG_HTTP2; i++)
        ok = http2_data(turn, event, long_event(i, event, sizeof(event)), 0);
    return ok && http2_data(turn, last, compose(true, ANSWER("", ""), last, sizeof(last)), END_STREAM);
}

/* Two of those events, and a second between them. */
static bool play_two(const struct turn *turn, const struct act2 *act)
{
    char event[2048], last[1024];
    (void)act;
    return send_head(turn, "") && http2_data(turn, event, long_event(0, event, sizeof(event)), 0) &&
           http2_wait(turn, 1000) && http2_data(turn, event, long_event(1, event, sizeof(event)), 0) &&
           http2_data(turn, last, compose(true, ANSWER("", ""), last, sizeof(last)), END_STREAM);
}

/* ---- Streams that are reset ---- */

static bool send_half(const struct turn *turn)
{
    char text[1024];
    size_t len = compose_for(turn, good, text, sizeof(text));
    return send_head(turn, "") && http2_data(turn, text, len / 2, 0);
}

static bool play_reset(const struct turn *turn, const struct act2 *act)
{
    return http2_reset(turn, act->number);
}

static bool play_reset_after_head(const struct turn *turn, const struct act2 *act)
{
    return send_head(turn, "") && http2_reset(turn, act->number);
}

static bool play_reset_in_body(const struct turn *turn, const struct act2 *act)
{
    return send_half(turn) && http2_reset(turn, act->number);
}

static bool play_reset_after_answer(const struct turn *turn, const struct act2 *act)
{
    return play_good(turn, act) && http2_reset(turn, act->number);
}

/* The answer is whole, but only its end says so. */
static bool play_reset_for_an_end(const struct turn *turn, const struct act2 *act)
{
    char text[1024];
    size_t len = compose_for(turn, good, text, sizeof(text));
    return send_head(turn, "") && http2_data(turn, text, len, 0) && http2_reset(turn, act->number);
}

/* ---- Connections that go away ---- */

static bool play_goaway(const struct turn *turn, const struct act2 *act)
{
    return http2_goaway(turn, 0, act->number) && act->text && http2_wait(turn, GIVE_UP_MS);
}

static bool play_goaway_in_body(const struct turn *turn, const struct act2 *act)
{
    char text[1024];
    size_t len = compose_for(turn, good, text, sizeof(text));
    return send_half(turn) && http2_goaway(turn, turn->stream, act->number) &&
           http2_data(turn, text + len / 2, len - len / 2, END_STREAM) && http2_wait(turn, GIVE_UP_MS);
}

static bool play_goaway_and_cut(const struct turn *turn, const struct act2 *act)
{
    return send_half(turn) && http2_goaway(turn, turn->stream, act->number) && false;
}

static bool play_goaway_after(const struct turn *turn, const struct act2 *act)
{
    return play_good(turn, act) && http2_goaway(turn, turn->stream, act->number);
}

static bool play_cut(const struct turn *turn, const struct act2 *act)
{
    (void)turn, (void)act;
    return false;
}

static bool play_cut_after_head(const struct turn *turn, const struct act2 *act)
{
    (void)act;
    return send_head(turn, "") && false;
}

static bool play_cut_in_body(const struct turn *turn, const struct act2 *act)
{
    (void)act;
    return send_half(turn) && false;
}

/* Waits until that many ask on this connection. */
static bool gather(const struct turn *turn, size_t count)
{
    for (int i = 0; i < GIVE_UP_MS / 10 && http2_waiting(turn) < count; i++)
        if (!http2_wait(turn, 10))
            return false;
    return true;
}

static bool play_crowd_cut(const struct turn *turn, const struct act2 *act)
{
    return gather(turn, act->number) && false;
}

static bool play_crowd_goaway(const struct turn *turn, const struct act2 *act)
{
    return gather(turn, act->number) && http2_goaway(turn, 0, NO_ERROR) && http2_wait(turn, GIVE_UP_MS);
}

/* ---- Without end ---- */

static bool send_for_ever(const struct turn *turn, int type, uint32_t stream, const void *ptr, size_t len)
{
    while (http2_frame(turn, type, 0, stream, ptr, len))
        continue;
    return false;
}

/* In bursts, so that curl comes to the end of what there is: as long as there is more it stays in one call,
 * and frames that carry nothing are worth no callback. */
static bool send_in_bursts(const struct turn *turn, int type, uint32_t stream, const void *ptr, size_t len)
{
    bool ok = true;
    for (int i = 1; ok; i++)
        ok = http2_frame(turn, type, 0, stream, ptr, len) && (i % 100 != 0 || http2_wait(turn, 5));
    return false;
}

static bool play_endless_continuation(const struct turn *turn, const struct act2 *act)
{
    struct block block;
    begin_head(turn, &block);
    if (!send_block(turn, &block, 0))
        return false;
    block.len = 0;
    while (*act->text && block.len + 64 < sizeof(block.bytes))
        block_add(&block, act->text, "and more and more and more");
    return send_for_ever(turn, CONTINUATION, turn->stream, block.bytes, block.len);
}

static bool play_endless_interim(const struct turn *turn, const struct act2 *act)
{
    struct block block = {.len = 0};
    (void)act;
    block_add(&block, ":status", "103");
    block_add(&block, "x-a", "b");
    while (send_block(turn, &block, END_HEADERS))
        continue;
    return false;
}

/* One field of a megabyte. */
static bool play_large_field(const struct turn *turn, const struct act2 *act)
{
    static const unsigned char name[] = {0, 1, 'x', 127, 0x81, 0xFF, 0x3F}; /* 127 + 1 + 127·2⁷ + 63·2¹⁴ */
    char text[CHUNK];
    struct block block;
    (void)act;
    begin_head(turn, &block);
    memcpy(block.bytes + block.len, name, sizeof(name));
    block.len += sizeof(name);
    memset(text, 'x', sizeof(text));
    if (!send_block(turn, &block, 0))
        return false;
    for (size_t sent = 0; sent < LARGE; sent += sizeof(text))
        if (!http2_frame(turn, CONTINUATION, 0, turn->stream, text, sizeof(text)))
            return false;
    return http2_wait(turn, GIVE_UP_MS);
}

/* One field of 3 kB goes into the table, and then a byte stands for it, ten thousand times. */
static bool play_large_table(const struct turn *turn, const struct act2 *act)
{
    struct block block, field = {.len = 0};
    char value[3072];
    (void)act;
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    begin_head(turn, &block);
    block_add(&field, "x-large", value);
    field.bytes[0] = 0x40; /* with indexing */
    memcpy(block.bytes + block.len, field.bytes, field.len);
    block.len += field.len;
    memset(block.bytes + block.len, 0x80 | 62, 10000);
    block.len += 10000;
    return send_block(turn, &block, END_HEADERS) && http2_wait(turn, GIVE_UP_MS);
}

static bool send_data_for_ever(const struct turn *turn, const char *piece)
{
    char block[CHUNK];
    size_t len = fill(block, sizeof(block), piece);
    while (http2_data(turn, block, len, 0))
        continue;
    return true;
}

static bool play_endless_data(const struct turn *turn, const struct act2 *act)
{
    static const char whole[] = "{\"choices\":[{\"message\":{\"content\":\"";
    static const char event[] = "data: {\"choices\":[{\"delta\":{\"content\":\"";
    const char *start = turn->is_stream ? event : whole;
    return send_head(turn, "") && http2_data(turn, start, strlen(start), 0) &&
           send_data_for_ever(turn, act->text);
}

static bool play_endless_pieces(const struct turn *turn, const struct act2 *act)
{
    char event[2048];
    if (turn->is_stream)
        compose_event(act->text, event, sizeof(event));
    else
        event[compose(false, act->text, event, sizeof(event))] = '\0';
    return send_head(turn, "") && send_data_for_ever(turn, event);
}

static bool play_endless_empty_data(const struct turn *turn, const struct act2 *act)
{
    (void)act;
    return send_head(turn, "") && send_in_bursts(turn, DATA, turn->stream, "", 0);
}

static bool play_endless_trailers(const struct turn *turn, const struct act2 *act)
{
    char text[1024];
    size_t len = compose_for(turn, good, text, sizeof(text));
    struct block block = {.len = 0};
    (void)act;
    while (block.len + 64 < sizeof(block.bytes))
        block_add(&block, "x-a", "and more and more and more");
    return send_head(turn, "") && http2_data(turn, text, len, 0) && send_block(turn, &block, END_STREAM) &&
           send_for_ever(turn, CONTINUATION, turn->stream, block.bytes, block.len);
}

static bool play_bomb(const struct turn *turn, const struct act2 *act)
{
    struct bomb bomb;
    bomb_make(&bomb);
    if (!send_head(turn, act->text) || !http2_data(turn, bomb.head, sizeof(bomb.head), 0) ||
        !http2_data(turn, bomb.start, sizeof(bomb.start), 0))
        return false;
    while (http2_data(turn, bomb.round, BOMB_ROUND, 0))
        continue;
    return true;
}

/* ---- Floods, and no answer; the client's own answers are not read ---- */

static bool play_bursts(const struct turn *turn, const struct act2 *act)
{
    return send_in_bursts(turn, (int)act->number, 0, act->text, strlen(act->text));
}

static bool play_flood(const struct turn *turn, const struct act2 *act)
{
    unsigned char block[CHUNK] = {0};
    size_t len = strlen(act->text), used = 0;
    for (; used + 9 + len <= sizeof(block); used += 9 + len) {
        block[used + 2] = (unsigned char)len;
        block[used + 3] = (unsigned char)act->number;
    }
    while (http2_bytes(turn, block, used))
        continue;
    return false;
}

/* Now and then, and read: as a connection that is merely kept alive looks. */
static bool play_ping(const struct turn *turn, const struct act2 *act)
{
    static const unsigned char zeros[8];
    (void)act;
    for (int i = 0; i < GIVE_UP_MS / 20; i++)
        if (!http2_frame(turn, PING, 0, 0, zeros, sizeof(zeros)) || !http2_wait(turn, 20))
            return false;
    return true;
}

static bool play_silence(const struct turn *turn, const struct act2 *act)
{
    if (*act->text && !send_head(turn, ""))
        return false;
    return http2_wait(turn, GIVE_UP_MS);
}

static bool play_drip(const struct turn *turn, const struct act2 *act)
{
    bool ok = send_head(turn, "");
    for (const char *at = act->text; ok && at; at += at[1] ? 1 : 0)
        ok = http2_data(turn, at, 1, 0) && http2_wait(turn, 20);
    return true;
}

/* ---- What breaks the protocol ---- */

static bool play_bytes(const struct turn *turn, const struct act2 *act)
{
    return http2_bytes(turn, act->text, strlen(act->text)) && false;
}

/* A frame of that kind on the request's stream, and nothing more. */
static bool play_frame(const struct turn *turn, const struct act2 *act)
{
    return http2_frame(turn, (int)act->number, 0, turn->stream, act->text, strlen(act->text)) &&
           http2_wait(turn, GIVE_UP_MS);
}

static bool play_frame_too_large(const struct turn *turn, const struct act2 *act)
{
    static const char large[CHUNK + 1];
    (void)act;
    return send_head(turn, "") && http2_frame(turn, DATA, 0, turn->stream, large, sizeof(large)) &&
           http2_wait(turn, GIVE_UP_MS);
}

/* A head of these fields, "name value name value"; status 200 is not said by itself. */
static bool play_head(const struct turn *turn, const struct act2 *act)
{
    struct block block = {.len = 0};
    char text[256], *rest = text, *name;
    snprintf(text, sizeof(text), "%s", act->text);
    while ((name = strsep(&rest, " ")))
        block_add(&block, name, strsep(&rest, " "));
    return send_block(turn, &block, END_HEADERS) && http2_wait(turn, GIVE_UP_MS);
}

static bool play_after_the_end(const struct turn *turn, const struct act2 *act)
{
    return play_good(turn, act) && http2_frame(turn, DATA, 0, turn->stream, "more", 4);
}

/* Much more than the windows allow. */
static bool play_beyond_the_window(const struct turn *turn, const struct act2 *act)
{
    char block[CHUNK];
    memset(block, ' ', sizeof(block));
    (void)act;
    return send_head(turn, "") && send_for_ever(turn, DATA, turn->stream, block, sizeof(block));
}

static const struct act2 acts[] = {
    {"good", play_good, "", 0},
    {"trailers", play_trailers, "x-trailer", 0},
    {"long", play_long, NULL, 0},
    {"two", play_two, NULL, 0},
    /* streams that are reset */
    {"refused", play_reset, NULL, REFUSED_STREAM},
    {"internal", play_reset, NULL, INTERNAL_ERROR},
    {"calm", play_reset, NULL, ENHANCE_YOUR_CALM},
    {"cancel", play_reset, NULL, CANCEL},
    {"no-error", play_reset, NULL, NO_ERROR},
    {"refused-after-head", play_reset_after_head, NULL, REFUSED_STREAM},
    {"internal-after-head", play_reset_after_head, NULL, INTERNAL_ERROR},
    {"calm-after-head", play_reset_after_head, NULL, ENHANCE_YOUR_CALM},
    {"cancel-after-head", play_reset_after_head, NULL, CANCEL},
    {"no-error-after-head", play_reset_after_head, NULL, NO_ERROR},
    {"refused-in-body", play_reset_in_body, NULL, REFUSED_STREAM},
    {"internal-in-body", play_reset_in_body, NULL, INTERNAL_ERROR},
    {"calm-in-body", play_reset_in_body, NULL, ENHANCE_YOUR_CALM},
    {"cancel-in-body", play_reset_in_body, NULL, CANCEL},
    {"no-error-in-body", play_reset_in_body, NULL, NO_ERROR},
    {"no-error-after-answer", play_reset_after_answer, "", NO_ERROR},
    {"no-error-for-an-end", play_reset_for_an_end, "", NO_ERROR},
    {"internal-for-an-end", play_reset_for_an_end, "", INTERNAL_ERROR},
    /* connections that go away */
    {"goaway", play_goaway, NULL, NO_ERROR},
    {"goaway-open", play_goaway, "open", NO_ERROR},
    {"goaway-calm", play_goaway, NULL, ENHANCE_YOUR_CALM},
    {"goaway-in-body", play_goaway_in_body, NULL, NO_ERROR},
    {"goaway-and-cut", play_goaway_and_cut, NULL, INTERNAL_ERROR},
    {"goaway-after", play_goaway_after, "", NO_ERROR},
    {"cut", play_cut, NULL, 0},
    {"cut-after-head", play_cut_after_head, NULL, 0},
    {"cut-in-body", play_cut_in_body, NULL, 0},
    {"crowd-cut", play_crowd_cut, NULL, CROWD},
    {"crowd-goaway", play_crowd_goaway, NULL, CROWD},
    /* without end */
    {"endless-continuation", play_endless_continuation, "x-a", 0},
    {"endless-empty-continuation", play_endless_continuation, "", 0},
    {"endless-interim", play_endless_interim, NULL, 0},
    {"large-field", play_large_field, NULL, 0},
    {"large-table", play_large_table, NULL, 0},
    {"endless-data", play_endless_data, "x", 0},
    {"endless-space", play_endless_pieces, " ", 0},
    {"endless-events", play_endless_pieces, PIECE("x"), 0},
    {"endless-large-events", play_endless_pieces, PIECE(TEXT_1K), 0},
    {"endless-empty-data", play_endless_empty_data, NULL, 0},
    {"endless-trailers", play_endless_trailers, NULL, 0},
    {"bomb", play_bomb, "content-encoding: gzip", 0},
    /* floods */
    {"ping-flood", play_flood, "12345678", PING},
    {"settings-flood", play_flood, "", SETTINGS},
    {"unknown-frames", play_bursts, "12345678", 99},
    {"ping", play_ping, NULL, 0},
    {"silence", play_silence, "", 0},
    {"silence-in-body", play_silence, "head", 0},
    {"drip", play_drip, "{\"choices\":[        ", 0},
    /* what breaks the protocol */
    {"no-http2", play_bytes, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0},
    {"length-more", play_good, "content-length: 100000", 0},
    {"length-less", play_good, "content-length: 3", 0},
    {"length-words", play_good, "content-length: three", 0},
    {"connection-field", play_good, "connection: close", 0},
    {"upper-case-field", play_good, "X-Upper: x", 0},
    {"status-trailer", play_trailers, ":status", 0},
    {"no-status", play_head, "x-a b", 0},
    {"two-statuses", play_head, ":status 200 :status 200", 0},
    {"status-words", play_head, ":status good", 0},
    {"status-late", play_head, "x-a b :status 200", 0},
    {"data-first", play_frame, "hi", DATA},
    {"push", play_frame, "1234x", PUSH_PROMISE},
    {"continuation-alone", play_frame, "x", CONTINUATION},
    {"window-of-nothing", play_frame, "", WINDOW_UPDATE},
    {"head-that-is-none", play_frame, "\xff\xff\xff\xff\xff\xff\xff\xff", HEADERS},
    {"frame-too-large", play_frame_too_large, NULL, 0},
    {"after-the-end", play_after_the_end, "", 0},
    {"beyond-the-window", play_beyond_the_window, NULL, 0},
};

const struct act2 *act2_find(const char *name)
{
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        if (strcmp(acts[i].name, name) == 0)
            return &acts[i];
    return NULL;
}
