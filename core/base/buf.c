/* buf: see the header for what a buffer promises. Growth is by a factor, so adding is linear in what is
 * added.
 */
#include "core/base/buf.h"

#include "core/base/mem.h"
#include <koine/koine.h>
#include <stdio.h>
#include <string.h>

#define FIRST_SIZE    ((size_t)64)
#define WORTH_SPARING ((size_t)16 << 10)
#define WORTH_FITTING ((size_t)64 << 10)

void koine__buf_init(struct koine__buf *buf, size_t max)
{
    *buf = (struct koine__buf){.max = max < PTRDIFF_MAX ? max : PTRDIFF_MAX - 1};
}

void koine__buf_init_sparing(struct koine__buf *buf, size_t max)
{
    koine__buf_init(buf, max);
    buf->sparing = true;
}

void koine__buf_release(struct koine__buf *buf)
{
    bool sparing = buf->sparing;
    koine__dealloc(buf->ptr);
    koine__buf_init(buf, buf->max);
    buf->sparing = sparing;
}

void koine__buf_reset(struct koine__buf *buf)
{
    buf->len = 0;
    buf->error = KOINE_OK;
    if (buf->ptr)
        buf->ptr[0] = '\0';
}

static int fail(struct koine__buf *buf, int error)
{
    buf->error = error;
    return error;
}

/* The next capacity, NUL included, that holds `needed` bytes; never more than the ceiling wants. */
static size_t capacity_for(const struct koine__buf *buf, size_t needed)
{
    size_t cap = buf->cap > FIRST_SIZE / 2 ? buf->cap : FIRST_SIZE / 2;
    while (cap < needed) {
        size_t more = buf->sparing && cap >= WORTH_SPARING ? cap / 16 : cap;
        cap = more > buf->max - cap ? buf->max + 1 : cap + more;
    }
    return cap > buf->max + 1 ? buf->max + 1 : cap;
}

int koine__buf_reserve(struct koine__buf *buf, size_t more)
{
    if (buf->error)
        return buf->error;
    if (more > buf->max - buf->len)
        return fail(buf, KOINE_EARGUMENT);
    size_t needed = buf->len + more + 1;
    if (needed <= buf->cap)
        return KOINE_OK;
    size_t cap = capacity_for(buf, needed);
    char *ptr = koine__realloc(buf->ptr, cap);
    if (!ptr)
        return fail(buf, KOINE_EMEMORY);
    buf->ptr = ptr;
    buf->cap = cap;
    buf->ptr[buf->len] = '\0';
    return KOINE_OK;
}

void koine__buf_fit(struct koine__buf *buf)
{
    if (buf->cap < WORTH_FITTING || buf->cap - buf->len < buf->cap / 8)
        return;
    char *ptr = koine__realloc(buf->ptr, buf->len + 1);
    if (!ptr)
        return;
    buf->ptr = ptr;
    buf->cap = buf->len + 1;
}

void koine__buf_add(struct koine__buf *buf, const void *ptr, size_t len)
{
    if (koine__buf_reserve(buf, len))
        return;
    if (len)
        memcpy(buf->ptr + buf->len, ptr, len);
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

void koine__buf_adds(struct koine__buf *buf, const char *text)
{
    koine__buf_add(buf, text, strlen(text));
}

void koine__buf_addc(struct koine__buf *buf, char c)
{
    if (buf->error || buf->cap - buf->len < 2) {
        koine__buf_add(buf, &c, 1);
        return;
    }
    buf->ptr[buf->len++] = c;
    buf->ptr[buf->len] = '\0';
}

void koine__buf_addf(struct koine__buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    koine__buf_addv(buf, format, args);
    va_end(args);
}

void koine__buf_addv(struct koine__buf *buf, const char *format, va_list args)
{
    if (buf->error)
        return;
    va_list again;
    va_copy(again, args);
    size_t room = buf->ptr ? buf->cap - buf->len : 0;
    int len = vsnprintf(buf->ptr ? buf->ptr + buf->len : NULL, room, format, args);
    if (len < 0)
        fail(buf, KOINE_EARGUMENT);
    else if ((size_t)len < room)
        buf->len += (size_t)len;
    else if (koine__buf_reserve(buf, (size_t)len) == KOINE_OK)
        buf->len += (size_t)vsnprintf(buf->ptr + buf->len, buf->cap - buf->len, format, again);
    if (buf->error && buf->ptr)
        buf->ptr[buf->len] = '\0'; /* take back what the first try wrote */
    va_end(again);
}

void koine__buf_add_int(struct koine__buf *buf, int64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        digits[--at] = '-';
    koine__buf_add(buf, digits + at, sizeof(digits) - at);
}

void koine__buf_drop(struct koine__buf *buf, size_t n)
{
    if (!buf->ptr || !n)
        return;
    if (n > buf->len)
        n = buf->len;
    buf->len -= n;
    memmove(buf->ptr, buf->ptr + n, buf->len + 1);
}

const char *koine__buf_str(const struct koine__buf *buf)
{
    return buf->ptr ? buf->ptr : "";
}

char *koine__buf_take(struct koine__buf *buf)
{
    int error = koine__buf_reserve(buf, 0); /* an empty buffer gives an empty text */
    char *text = NULL;
    if (!error) {
        text = buf->ptr;
        buf->ptr = NULL;
    }
    koine__buf_release(buf);
    buf->error = error; /* so that the caller can still ask why */
    return text;
}
