/* slow_sse: what the standard says of event streams (WHATWG HTML, section 9.2), written down a second time,
 * line by line and slowly, with the three things that frame.h adds: stray text, the field error, and the last
 * event. For tests that compare. */
#ifndef KOINE_TESTS_FUZZ_SLOW_SSE_H
#define KOINE_TESTS_FUZZ_SLOW_SSE_H

#include "core/base/buf.h"
#include "core/base/str.h"

#include <string.h>

struct slow_sse {
    void (*frame)(void *arg, const char *kind, koine_str event, koine_str text); /* "sse", "whole" */
    void *arg;
    struct koine__buf name, data, stray;
    bool has_stray;
};

static inline koine_str slow_text(const struct koine__buf *buf)
{
    return (koine_str){koine__buf_str(buf), buf->len};
}

static inline void slow_dispatch(struct slow_sse *slow)
{
    if (slow->data.len > 1) { /* each line of data ends in a line feed; the last one goes */
        slow->data.len--;
        slow->frame(slow->arg, "sse", slow_text(&slow->name), slow_text(&slow->data));
    }
    koine__buf_reset(&slow->data);
    koine__buf_reset(&slow->name);
}

static inline bool slow_is_word(koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", text.ptr[i], 64))
            return false;
    return text.len > 0;
}

static inline void slow_other(struct slow_sse *slow, koine_str line, bool unknown_field)
{
    if ((unknown_field && !slow->has_stray) || koine__str_trim(line).len == 0)
        return;
    if (slow->has_stray)
        koine__buf_addc(&slow->stray, '\n');
    koine__buf_add(&slow->stray, line.ptr, line.len);
    slow->has_stray = true;
}

static inline void slow_field(struct slow_sse *slow, koine_str line, koine_str name, koine_str value,
                              bool colon)
{
    if (koine__str_is(name, "event")) {
        koine__buf_reset(&slow->name);
        koine__buf_add(&slow->name, value.ptr, value.len);
    } else if (koine__str_is(name, "data")) {
        koine__buf_add(&slow->data, value.ptr, value.len);
        koine__buf_addc(&slow->data, '\n');
    } else if (colon && koine__str_is(name, "error")) {
        if (value.len)
            slow->frame(slow->arg, "sse", name, value);
    } else if (!koine__str_is(name, "id") && !koine__str_is(name, "retry")) {
        slow_other(slow, line, colon && slow_is_word(name));
    }
}

static inline void slow_line(struct slow_sse *slow, koine_str line)
{
    koine_str name = line, value = {line.ptr + line.len, 0};
    const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
    if (line.len == 0)
        slow_dispatch(slow);
    if (line.len == 0 || colon == line.ptr)
        return;
    if (colon) {
        name.len = (size_t)(colon - line.ptr);
        value = (koine_str){colon + 1, line.len - name.len - 1};
        if (value.len && *value.ptr == ' ')
            value = (koine_str){value.ptr + 1, value.len - 1};
    }
    slow_field(slow, line, name, value, colon != NULL);
}

/* Goes through a whole stream. `clean`: it ended as HTTP says. */
static inline void slow_decode(struct slow_sse *slow, koine_str text, bool clean)
{
    size_t start = 0, max = (size_t)1 << 24;
    koine__buf_init(&slow->name, max);
    koine__buf_init(&slow->data, max);
    koine__buf_init(&slow->stray, max);
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
        start = 3;
    for (size_t at = start; at < text.len; at++) {
        if (text.ptr[at] != '\n' && text.ptr[at] != '\r')
            continue;
        slow_line(slow, (koine_str){text.ptr + start, at - start});
        at += text.ptr[at] == '\r' && at + 1 < text.len && text.ptr[at + 1] == '\n';
        start = at + 1;
    }
    if (clean && start < text.len)
        slow_line(slow, (koine_str){text.ptr + start, text.len - start});
    if (clean || start >= text.len)
        slow_dispatch(slow);
    if (clean && slow->has_stray)
        slow->frame(slow->arg, "whole", (koine_str){NULL, 0}, slow_text(&slow->stray));
    koine__buf_release(&slow->name);
    koine__buf_release(&slow->data);
    koine__buf_release(&slow->stray);
}

#endif
