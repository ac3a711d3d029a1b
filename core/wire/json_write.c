/* json_write: writes JSON into a buffer, value by value. It cannot write what is not JSON: what does not fit
 * where it stands fails the writer, and text that is not UTF-8 is mended. */
#include "core/wire/json.h"
#include "core/wire/json_text.h"

#include <koine/koine.h>
#include <string.h>

void koine__writer_init(struct koine__writer *writer, struct koine__buf *buf)
{
    *writer = (struct koine__writer){.buf = buf};
}

/* As koine__buf_add, without a call where there is room: prose has an escape every few words. */
static inline void add(struct koine__buf *buf, const char *ptr, size_t len)
{
    if (buf->error || buf->cap - buf->len <= len) {
        koine__buf_add(buf, ptr, len);
        return;
    }
    memcpy(buf->ptr + buf->len, ptr, len);
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

static void write_escape(struct koine__buf *buf, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char shorts[] = "btn?fr"; /* from \b on; a vertical tab has none */
    if (c == '"' || c == '\\')
        add(buf, (const char[]){'\\', (char)c}, 2);
    else if (c >= '\b' && c <= '\r' && c != '\v')
        add(buf, (const char[]){'\\', shorts[c - '\b']}, 2);
    else
        add(buf, (const char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
}

/* The end of what can be copied as it is. */
static const char *copyable(const char *ptr, const char *end)
{
    for (;;) {
        ptr = koine__json_plain(ptr, end);
        if (ptr == end || !(*ptr & 0x80))
            return ptr;
        int length = koine__utf8_step(ptr, end);
        if (length < 0)
            return ptr;
        ptr += length;
    }
}

static void write_string(struct koine__buf *buf, koine_str text)
{
    const char *ptr = text.len ? text.ptr : "", *end = ptr + text.len;
    koine__buf_addc(buf, '"');
    while (ptr < end) {
        const char *stop = copyable(ptr, end);
        add(buf, ptr, (size_t)(stop - ptr));
        ptr = stop;
        if (ptr == end)
            break;
        if (*ptr & 0x80) {
            koine__buf_adds(buf, "\xef\xbf\xbd");
            ptr -= koine__utf8_step(ptr, end);
        } else {
            write_escape(buf, (unsigned char)*ptr++);
        }
    }
    koine__buf_addc(buf, '"');
}

/* What stands before a value. False: no value can stand here. */
static bool begin(struct koine__writer *writer, koine_str key)
{
    bool in_object = writer->depth > 0 && writer->stack[writer->depth - 1] == '{';
    if (writer->failed || in_object != (key.ptr != NULL) || (writer->depth == 0 && writer->comma)) {
        writer->failed = true;
        return false;
    }
    if (writer->comma)
        koine__buf_addc(writer->buf, ',');
    writer->comma = true;
    if (in_object) {
        write_string(writer->buf, key);
        koine__buf_addc(writer->buf, ':');
    }
    return true;
}

void koine__write_open(struct koine__writer *writer, koine_str key, char bracket)
{
    if (writer->depth == KOINE__JSON_DEPTH || (bracket != '{' && bracket != '[')) {
        writer->failed = true;
        return;
    }
    if (!begin(writer, key))
        return;
    koine__buf_addc(writer->buf, bracket);
    writer->stack[writer->depth++] = (uint8_t)bracket;
    writer->comma = false;
}

void koine__write_close(struct koine__writer *writer)
{
    if (writer->failed || writer->depth == 0) {
        writer->failed = true;
        return;
    }
    koine__buf_addc(writer->buf, writer->stack[--writer->depth] == '{' ? '}' : ']');
    writer->comma = true;
}

void koine__write_str(struct koine__writer *writer, koine_str key, koine_str value)
{
    if (begin(writer, key))
        write_string(writer->buf, value);
}

void koine__write_int(struct koine__writer *writer, koine_str key, int64_t value)
{
    if (begin(writer, key))
        koine__buf_add_int(writer->buf, value);
}

void koine__write_raw(struct koine__writer *writer, koine_str key, koine_str json)
{
    if (json.len == 0)
        writer->failed = true;
    else if (begin(writer, key))
        koine__buf_add(writer->buf, json.ptr, json.len);
}

bool koine__writer_done(const struct koine__writer *writer)
{
    return !writer->failed && !writer->buf->error && writer->depth == 0 && writer->comma;
}
