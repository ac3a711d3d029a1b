/* bytes: see bytes.h. */
#include "tests/standin/bytes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_AT_MOST = 64 * 1024
};

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

void bytes_clear(struct bytes *bytes)
{
    if (bytes->capacity > KEEP_AT_MOST)
        bytes_free(bytes);
    bytes->length = 0;
    bytes->failed = false;
}

/* Room for `more` bytes and the NUL behind them. */
static bool reserve(struct bytes *bytes, size_t more)
{
    if (bytes->failed || more >= BYTES_CEILING - bytes->length) {
        bytes->failed = true;
        return false;
    }
    size_t need = bytes->length + more + 1;
    if (need <= bytes->capacity)
        return true;
    size_t capacity = bytes->capacity * 2 > need ? bytes->capacity * 2 : need + 64;
    char *data = realloc(bytes->data, capacity);
    if (!data) {
        bytes->failed = true;
        return false;
    }
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

void bytes_add(struct bytes *bytes, const char *text, size_t length)
{
    if (!reserve(bytes, length))
        return;
    if (length)
        memcpy(bytes->data + bytes->length, text, length);
    bytes->length += length;
    bytes->data[bytes->length] = '\0';
}

void bytes_text(struct bytes *bytes, const char *text)
{
    bytes_add(bytes, text, strlen(text));
}

void bytes_printf(struct bytes *bytes, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, list);
    if (length < 0) {
        bytes->failed = true;
    } else if (reserve(bytes, (size_t)length)) {
        vsnprintf(bytes->data + bytes->length, (size_t)length + 1, format, again);
        bytes->length += (size_t)length;
    }
    va_end(again);
    va_end(list);
}

static bool continues(const char *text, size_t length, size_t count)
{
    if (count > length)
        return false;
    for (size_t i = 1; i < count; i++)
        if (((unsigned char)text[i] & 0xC0) != 0x80)
            return false;
    return true;
}

size_t utf8_length(const char *text, size_t length)
{
    if (length == 0)
        return 0;
    unsigned char first = (unsigned char)text[0], second = length > 1 ? (unsigned char)text[1] : 0;
    size_t count = first < 0x80   ? 1
                   : first < 0xC2 ? 0
                   : first < 0xE0 ? 2
                   : first < 0xF0 ? 3
                   : first < 0xF5 ? 4
                                  : 0;
    if (count < 2)
        return count;
    /* overlong forms, surrogates, and what lies past U+10FFFF */
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
        return 0;
    return continues(text, length, count) ? count : 0;
}

static void escape(struct bytes *bytes, unsigned char byte)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *found = byte ? strchr(from, byte) : NULL;
    if (found)
        bytes_add(bytes, (const char[]){'\\', to[found - from]}, 2);
    else
        bytes_printf(bytes, "\\u%04x", (unsigned)byte);
}

void bytes_json(struct bytes *bytes, const char *text, size_t length)
{
    bytes_add(bytes, "\"", 1);
    size_t plain = 0; /* start of the stretch that needs no escape */
    for (size_t at = 0; at < length;) {
        unsigned char byte = (unsigned char)text[at];
        size_t count = utf8_length(text + at, length - at);
        if (count && byte >= 0x20 && byte != '"' && byte != '\\') {
            at += count;
            continue;
        }
        bytes_add(bytes, text + plain, at - plain);
        if (count)
            escape(bytes, byte);
        else
            bytes_text(bytes, "\xEF\xBF\xBD");
        plain = ++at;
    }
    bytes_add(bytes, text + plain, length - plain);
    bytes_add(bytes, "\"", 1);
}
