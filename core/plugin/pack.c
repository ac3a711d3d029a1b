/* pack: see pack.h. */
#include "core/plugin/pack.h"

#include <string.h>

#define NO_TEXT UINT32_MAX

/* ---- Writing --------------------------------------------------------------------------------------- */

size_t koine__pack_begin(struct koine__buf *buf, uint8_t kind)
{
    size_t start = buf->len;
    koine__pack_u32(buf, 0);
    koine__pack_u8(buf, kind);
    return start;
}

void koine__pack_end(struct koine__buf *buf, size_t start)
{
    if (buf->error)
        return;
    uint32_t length = (uint32_t)(buf->len - start - sizeof(length));
    memcpy(buf->ptr + start, &length, sizeof(length));
}

void koine__pack_u8(struct koine__buf *buf, uint8_t value)
{
    koine__buf_add(buf, &value, sizeof(value));
}

void koine__pack_u32(struct koine__buf *buf, uint32_t value)
{
    koine__buf_add(buf, &value, sizeof(value));
}

void koine__pack_i32(struct koine__buf *buf, int32_t value)
{
    koine__buf_add(buf, &value, sizeof(value));
}

void koine__pack_i64(struct koine__buf *buf, int64_t value)
{
    koine__buf_add(buf, &value, sizeof(value));
}

void koine__pack_str(struct koine__buf *buf, koine_str text)
{
    if (!text.ptr && text.len == 0) {
        koine__pack_u32(buf, NO_TEXT);
        return;
    }
    /* What cannot be told must not be told wrong: the buffer fails, as it does over its ceiling. */
    if (text.len >= NO_TEXT || !text.ptr) {
        koine__buf_reserve(buf, SIZE_MAX);
        return;
    }
    koine__pack_u32(buf, (uint32_t)text.len);
    koine__buf_add(buf, text.ptr, text.len);
    koine__buf_addc(buf, '\0');
}

void koine__pack_text(struct koine__buf *buf, const char *text)
{
    koine__pack_str(buf, (koine_str){text, text ? strlen(text) : 0});
}

void koine__pack_braced(struct koine__buf *buf, koine_str text)
{
    if (text.len >= NO_TEXT - 4) {
        koine__buf_reserve(buf, SIZE_MAX);
        return;
    }
    koine__pack_u32(buf, (uint32_t)text.len + 4);
    koine__buf_add(buf, "[{", 2);
    koine__buf_add(buf, text.ptr, text.len);
    koine__buf_add(buf, "}]", 3); /* and the NUL */
}

/* ---- Reading --------------------------------------------------------------------------------------- */

static void take(struct koine__unpack *unpack, void *ret, size_t size)
{
    if (unpack->bad || (size_t)(unpack->end - unpack->at) < size) {
        unpack->bad = true;
        memset(ret, 0, size);
        return;
    }
    memcpy(ret, unpack->at, size);
    unpack->at += size;
}

uint8_t koine__unpack_u8(struct koine__unpack *unpack)
{
    uint8_t value;
    take(unpack, &value, sizeof(value));
    return value;
}

uint32_t koine__unpack_u32(struct koine__unpack *unpack)
{
    uint32_t value;
    take(unpack, &value, sizeof(value));
    return value;
}

int32_t koine__unpack_i32(struct koine__unpack *unpack)
{
    int32_t value;
    take(unpack, &value, sizeof(value));
    return value;
}

int64_t koine__unpack_i64(struct koine__unpack *unpack)
{
    int64_t value;
    take(unpack, &value, sizeof(value));
    return value;
}

koine_str koine__unpack_str(struct koine__unpack *unpack)
{
    koine_str text = {NULL, 0};
    uint32_t len = koine__unpack_u32(unpack);
    if (unpack->bad || len == NO_TEXT)
        return text;
    if ((size_t)(unpack->end - unpack->at) <= len || unpack->at[len] != '\0') {
        unpack->bad = true;
        return text;
    }
    text = (koine_str){unpack->at, len};
    unpack->at += (size_t)len + 1;
    return text;
}

const char *koine__unpack_text(struct koine__unpack *unpack)
{
    koine_str text = koine__unpack_str(unpack);
    if (text.ptr && memchr(text.ptr, '\0', text.len)) {
        unpack->bad = true;
        return NULL;
    }
    return text.ptr;
}

bool koine__unpack_done(const struct koine__unpack *unpack)
{
    return !unpack->bad && unpack->at == unpack->end;
}

int koine__pack_next(const char *ptr, size_t len, size_t limit, uint8_t *ret_kind, struct koine__unpack *ret,
                     size_t *ret_size)
{
    uint32_t length;
    *ret_size = 0;
    if (len < sizeof(length))
        return 0;
    memcpy(&length, ptr, sizeof(length));
    if (length < 1 || length > limit)
        return -1;
    *ret_size = sizeof(length) + length;
    if (len < *ret_size)
        return 0;
    *ret_kind = (uint8_t)ptr[sizeof(length)];
    *ret = (struct koine__unpack){ptr + KOINE__PACK_HEAD, ptr + *ret_size, false};
    return 1;
}
