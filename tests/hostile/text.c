/* text: see text.h. */
#include "tests/hostile/text.h"

#include <stdio.h>
#include <string.h>

static size_t write_json(const char *holder, const char *text, char *ret, size_t size)
{
    size_t len = 0;
    for (; *text && len + 16 < size; text++)
        if (*text == '@')
            len += (size_t)snprintf(ret + len, size - len, "%s", holder);
        else
            ret[len++] = *text == '^' ? '\0' : *text;
    return len;
}

size_t compose_event(const char *text, char *ret, size_t size)
{
    size_t len = (size_t)snprintf(ret, size, "data: ");
    len += write_json("delta", text, ret + len, size - len);
    return len + (size_t)snprintf(ret + len, size - len, "\n\n");
}

size_t compose(bool stream, const char *text, char *ret, size_t size)
{
    if (!stream)
        return write_json("message", text, ret, size);
    size_t len = compose_event(text, ret, size);
    return len + (size_t)snprintf(ret + len, size - len, "data: [DONE]\n\n");
}

const char *type_of(bool stream)
{
    return stream ? "text/event-stream" : "application/json";
}

size_t fill(char *ret, size_t size, const char *piece)
{
    size_t len = 0, each = strlen(piece);
    for (; len + each <= size; len += each)
        memcpy(ret + len, piece, each);
    return len;
}

static void put_bits(unsigned char *ret, size_t *at, unsigned bits, unsigned count)
{
    for (; count-- > 0; ++*at)
        ret[*at / 8] |= (unsigned char)((bits >> count & 1) << *at % 8);
}

static const unsigned char gzip_head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

/* One literal, then runs of 258 of it in 13 bits each, with the fixed codes of RFC 1951. So 13 bytes become
 * 2,064, and the bytes after the first two repeat. */
void bomb_make(struct bomb *ret)
{
    unsigned char stream[sizeof(ret->start) + sizeof(ret->round)] = {0};
    size_t at = 0;
    put_bits(stream, &at, 2, 3);    /* not the last block, fixed codes: 0, then 1 0 */
    put_bits(stream, &at, 0x30, 8); /* a NUL */
    while (at + 13 <= 8 * sizeof(stream))
        put_bits(stream, &at, 0xC5 << 5, 13); /* 285: 258 bytes; from one byte back */
    memcpy(ret->head, gzip_head, sizeof(gzip_head));
    memcpy(ret->start, stream, sizeof(ret->start));
    memcpy(ret->round, stream + sizeof(ret->start), sizeof(ret->round));
}

static void make_event(char ret[EVENT_LENGTH])
{
    static const char before[] = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
                      after[] = "\"}}]}\n\n";
    memset(ret, 'a', EVENT_LENGTH);
    memcpy(ret, before, sizeof(before) - 1);
    memcpy(ret + EVENT_LENGTH - (sizeof(after) - 1), after, sizeof(after) - 1);
}

/* The event in literals, then copies of 258 bytes from 257 back, in 20 bits each: the bytes repeat after
 * five. */
void event_bomb_make(struct event_bomb *ret)
{
    unsigned char stream[sizeof(ret->start) + sizeof(ret->round) + 3] = {0};
    char event[EVENT_LENGTH];
    size_t at = 0;
    make_event(event);
    put_bits(stream, &at, 2, 3);
    for (size_t i = 0; i < EVENT_LENGTH; i++)
        put_bits(stream, &at, 0x30 + (unsigned char)event[i], 8);
    while (at + 20 <= 8 * sizeof(stream)) {
        put_bits(stream, &at, 0xC5, 8);     /* 285: 258 bytes */
        put_bits(stream, &at, 16 << 7, 12); /* 16, and 0 of 127: 257 bytes back */
    }
    memcpy(ret->head, gzip_head, sizeof(gzip_head));
    memcpy(ret->start, stream, sizeof(ret->start));
    memcpy(ret->round, stream + sizeof(ret->start), sizeof(ret->round));
}

bool asked_act(const char *request, char *ret, size_t size)
{
    static const char before[] = "\"model\":\"";
    const char *model = strstr(request, before);
    if (!model)
        return false;
    model += strlen(before);
    snprintf(ret, size, "%.*s", (int)strcspn(model, "\""), model);
    return true;
}

bool asked_stream(const char *request)
{
    return strstr(request, "\"stream\":true") != NULL;
}
