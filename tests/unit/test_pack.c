#include "core/plugin/pack.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <stdlib.h>
#include <string.h>

#define LIMIT ((size_t)1000)

static koine_str all_of(const struct koine__buf *buf)
{
    return (koine_str){buf->ptr, buf->len};
}

static struct koine__unpack unpack_of(const struct koine__buf *buf)
{
    return (struct koine__unpack){buf->ptr, buf->ptr + buf->len, false};
}

static void fields(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, LIMIT);
    koine__pack_u8(&buf, 0xFE);
    koine__pack_u32(&buf, 0x01020304);
    koine__pack_i32(&buf, -2);
    koine__pack_i64(&buf, INT64_MIN);
    koine__pack_str(&buf, (koine_str){"a\0b", 3});
    koine__pack_text(&buf, "words");
    koine__pack_text(&buf, "");
    koine__pack_text(&buf, NULL);
    ASSERT_MEM(buf.ptr, buf.len,
               "\xFE\x04\x03\x02\x01\xFE\xFF\xFF\xFF\x00\x00\x00\x00\x00\x00\x00\x80"
               "\x03\x00\x00\x00"
               "a\0b\0\x05\x00\x00\x00words\0\x00\x00\x00\x00\0\xFF\xFF\xFF\xFF");
    struct koine__unpack unpack = unpack_of(&buf);
    ASSERT_INT(koine__unpack_u8(&unpack), 0xFE);
    ASSERT_INT(koine__unpack_u32(&unpack), 0x01020304);
    ASSERT_INT(koine__unpack_i32(&unpack), -2);
    CU_ASSERT_TRUE(koine__unpack_i64(&unpack) == INT64_MIN);
    koine_str text = koine__unpack_str(&unpack);
    ASSERT_MEM(text.ptr, text.len, "a\0b");
    ASSERT_STR(koine__unpack_text(&unpack), "words");
    ASSERT_STR(koine__unpack_text(&unpack), "");
    CU_ASSERT_FALSE(koine__unpack_done(&unpack));
    ASSERT_STR(koine__unpack_text(&unpack), NULL);
    CU_ASSERT_TRUE(koine__unpack_done(&unpack));
    koine__unpack_u8(&unpack);
    CU_ASSERT_TRUE(unpack.bad);
    koine__buf_release(&buf);
}

/* Whatever is cut off: what is missing reads as nothing, and is never read past. */
static void truncated(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, LIMIT);
    koine__pack_u32(&buf, 7);
    koine__pack_text(&buf, "some words");
    koine__pack_i64(&buf, 9);
    for (size_t len = 0; len < buf.len; len++) {
        char *copy = malloc(len + 1); /* of just that size, for the sanitizers */
        CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
        memcpy(copy, buf.ptr, len);
        struct koine__unpack unpack = {copy, copy + len, false};
        uint32_t number = koine__unpack_u32(&unpack);
        ASSERT_INT(number, len < 4 ? 0 : 7);
        const char *text = koine__unpack_text(&unpack);
        ASSERT_STR(text, len < 4 + 4 + 11 ? NULL : "some words");
        ASSERT_INT(koine__unpack_i64(&unpack), 0);
        CU_ASSERT_FALSE(koine__unpack_done(&unpack));
        free(copy);
    }
    koine__buf_release(&buf);
}

static void hostile_texts(void)
{
    static const struct {
        const char *bytes;
        size_t len;
    } table[] = {
        {"\xFE\xFF\xFF\xFF"
         "abc",
         7}, /* longer than what is there */
        {"\x03\x00\x00\x00"
         "abc",
         7}, /* no NUL, for want of a byte */
        {"\x03\x00\x00\x00"
         "abcd",
         8}, /* no NUL, but another byte */
        {"\x03\x00\x00\x00"
         "a\0c\0",
         8}, /* one inside a text */
        {"\x00\x00\x00\x80", 4},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct koine__unpack unpack = {table[i].bytes, table[i].bytes + table[i].len, false};
        ASSERT_STR(koine__unpack_text(&unpack), NULL);
        CU_ASSERT_TRUE(unpack.bad);
        ASSERT_INT(koine__unpack_u8(&unpack), 0);
    }
}

/* ---- Messages -------------------------------------------------------------------------------------- */

static void two_messages(struct koine__buf *buf)
{
    koine__buf_init(buf, LIMIT);
    size_t start = koine__pack_begin(buf, 3);
    koine__pack_text(buf, "one");
    koine__pack_end(buf, start);
    start = koine__pack_begin(buf, 200);
    koine__pack_end(buf, start);
}

static void messages(void)
{
    struct koine__buf buf;
    struct koine__unpack unpack;
    uint8_t kind = 0;
    size_t size;
    two_messages(&buf);
    ASSERT_MEM(buf.ptr, buf.len, "\x09\x00\x00\x00\x03\x03\x00\x00\x00one\0\x01\x00\x00\x00\xC8");
    ASSERT_INT(koine__pack_next(buf.ptr, buf.len, LIMIT, &kind, &unpack, &size), 1);
    ASSERT_INT(kind, 3);
    ASSERT_INT(size, 13);
    ASSERT_STR(koine__unpack_text(&unpack), "one");
    CU_ASSERT_TRUE(koine__unpack_done(&unpack));
    koine__buf_drop(&buf, size);
    ASSERT_INT(koine__pack_next(buf.ptr, buf.len, LIMIT, &kind, &unpack, &size), 1);
    ASSERT_INT(kind, 200);
    CU_ASSERT_TRUE(koine__unpack_done(&unpack));
    koine__buf_release(&buf);
}

static void byte_by_byte(void)
{
    struct koine__buf buf;
    struct koine__unpack unpack;
    uint8_t kind = 0;
    size_t size;
    two_messages(&buf);
    for (size_t len = 0; len < 13; len++) {
        ASSERT_INT(koine__pack_next(buf.ptr, len, LIMIT, &kind, &unpack, &size), 0);
        ASSERT_INT(size, len < 4 ? 0 : 13);
    }
    ASSERT_INT(koine__pack_next(buf.ptr, 13, LIMIT, &kind, &unpack, &size), 1);
    koine__buf_release(&buf);
}

static void hostile_lengths(void)
{
    struct koine__unpack unpack;
    uint8_t kind;
    size_t size;
    ASSERT_INT(koine__pack_next("\0\0\0\0", 4, LIMIT, &kind, &unpack, &size), -1);
    ASSERT_INT(koine__pack_next("\xE9\x03\0\0", 4, LIMIT, &kind, &unpack, &size), -1);
    ASSERT_INT(koine__pack_next("\xE8\x03\0\0", 4, LIMIT, &kind, &unpack, &size), 0);
    ASSERT_INT(size, 1004);
    ASSERT_INT(koine__pack_next("\xFF\xFF\xFF\xFF\x01", 5, LIMIT, &kind, &unpack, &size), -1);
}

static void ceilings(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 12);
    size_t start = koine__pack_begin(&buf, 1);
    koine__pack_text(&buf, "abc");
    CU_ASSERT_TRUE(buf.error != 0);
    koine__pack_end(&buf, start);
    koine__buf_reset(&buf);
    koine__pack_str(&buf, (koine_str){NULL, 3}); /* what cannot be told fails */
    CU_ASSERT_TRUE(buf.error != 0);
    koine__buf_release(&buf);
    koine__buf_init(&buf, LIMIT);
    failalloc_begin(1);
    start = koine__pack_begin(&buf, 1);
    koine__pack_end(&buf, start);
    CU_ASSERT_TRUE(buf.error != 0);
    koine__buf_release(&buf);
    CU_ASSERT_TRUE(failalloc_end());
    ASSERT_INT(all_of(&buf).len, 0);
}

SUITE_MAIN("pack", {"fields", fields}, {"truncated", truncated}, {"hostile texts", hostile_texts},
           {"messages", messages}, {"byte by byte", byte_by_byte}, {"hostile lengths", hostile_lengths},
           {"ceilings", ceilings})
