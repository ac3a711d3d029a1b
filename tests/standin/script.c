/* script: see script.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/standin/script.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DRIP_MS = 100,
    DRIP_PIECE = 6 /* "1\r\nx\r\n" */
};

void script_clear(struct script *script)
{
    struct bytes data = script->data;
    bytes_clear(&data);
    *script = (struct script){.data = data, .steps = script->steps, .capacity = script->capacity};
}

void script_free(struct script *script)
{
    bytes_free(&script->data);
    free(script->steps);
    *script = (struct script){0};
}

void script_wait(struct script *script, unsigned ms)
{
    script->wait_ms += ms;
}

void script_apart(struct script *script)
{
    script->apart = true;
}

static void add(struct script *script, struct step step)
{
    if (script->count == script->capacity) {
        size_t capacity = script->capacity ? script->capacity * 2 : 8;
        struct step *steps = realloc(script->steps, capacity * sizeof(*steps));
        if (!steps) {
            script->failed = true;
            return;
        }
        script->steps = steps;
        script->capacity = capacity;
    }
    step.delay_ms = script->wait_ms;
    script->wait_ms = 0;
    script->apart = false;
    script->steps[script->count++] = step;
}

/* A step of the bytes from `offset` to the end of data; joins the step before when both go out together. */
static void add_bytes(struct script *script, size_t offset, unsigned piece, unsigned tokens)
{
    size_t length = script->data.length - offset;
    struct step *last = script->count ? &script->steps[script->count - 1] : NULL;
    script->failed |= script->data.failed;
    if (last && last->action == STEP_BYTES && !script->wait_ms && !script->apart && !piece && !last->piece) {
        last->length += length;
        last->tokens += tokens;
        return;
    }
    if (piece)
        script->wait_ms = DRIP_MS;
    add(script,
        (struct step){
            .action = STEP_BYTES, .piece = piece, .tokens = tokens, .offset = offset, .length = length});
}

void script_bytes(struct script *script, const char *data, size_t length, unsigned piece, unsigned tokens)
{
    size_t offset = script->data.length;
    bytes_add(&script->data, data, length);
    add_bytes(script, offset, piece, tokens);
}

void script_chunk(struct script *script, const char *data, size_t length, unsigned tokens)
{
    size_t offset = script->data.length;
    if (!script->drip) {
        bytes_printf(&script->data, "%zx\r\n", length);
        bytes_add(&script->data, data, length);
        bytes_add(&script->data, "\r\n", 2);
        add_bytes(script, offset, 0, tokens);
        return;
    }
    for (size_t i = 0; i < length; i++)
        bytes_add(&script->data, (const char[DRIP_PIECE]){'1', '\r', '\n', data[i], '\r', '\n'}, DRIP_PIECE);
    add_bytes(script, offset, DRIP_PIECE, tokens);
}

void script_last_chunk(struct script *script)
{
    script_bytes(script, "0\r\n\r\n", 5, 0, 0);
}

void script_act(struct script *script, enum step_action action)
{
    add(script, (struct step){.action = action});
}

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {417, "Expectation Failed"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
        {529, "Overloaded"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

/* strftime would follow the locale of the program that holds us. */
static void add_date(struct bytes *out, int64_t date)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)date;
    struct tm tm;
    if (!gmtime_r(&seconds, &tm))
        return;
    bytes_printf(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n", days + (ptrdiff_t)3 * tm.tm_wday,
                 tm.tm_mday, months + (ptrdiff_t)3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                 tm.tm_sec);
}

void script_head(struct script *script, const struct script_head *head)
{
    struct bytes *out = &script->data;
    size_t offset = out->length;
    script->status = head->status;
    bytes_printf(out, "HTTP/1.1 %d %s\r\n", head->status, reason(head->status));
    add_date(out, head->date);
    if (head->type)
        bytes_printf(out, "Content-Type: %s\r\n", head->type);
    if (head->number)
        bytes_printf(out, "x-request-id: req-%" PRIu64 "\r\n", head->number);
    if (head->length >= 0)
        bytes_printf(out, "Content-Length: %" PRId64 "\r\n", head->length);
    else
        bytes_text(out, "Transfer-Encoding: chunked\r\n");
    bytes_text(out, head->extra ? head->extra : "");
    bytes_text(out, head->closes ? "Connection: close\r\n\r\n" : "\r\n");
    add_bytes(script, offset, 0, 0);
}
