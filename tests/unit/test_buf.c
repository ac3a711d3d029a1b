/* buf: what is added, the ceiling, sticky failures, and taking the text. */
#include "core/base/buf.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <koine/koine.h>
#include <string.h>
#include <wchar.h>

static void test_adds_of_all_kinds(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 1000);
    ASSERT_STR(koine__buf_str(&buf), "");
    koine__buf_adds(&buf, "ab");
    koine__buf_addc(&buf, 'c');
    koine__buf_add(&buf, "d\0e", 3);
    koine__buf_addf(&buf, "%d-%s", 7, "x");
    koine__buf_add_int(&buf, -12);
    ASSERT_MEM(buf.ptr, buf.len, "abcd\0e7-x-12");
    ASSERT_INT(buf.ptr[buf.len], 0);
    koine__buf_release(&buf);
    ASSERT_STR(koine__buf_str(&buf), "");
    ASSERT_INT(buf.max, 1000);
}

static void test_integers(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 1000);
    koine__buf_add_int(&buf, 0);
    koine__buf_addc(&buf, ' ');
    koine__buf_add_int(&buf, INT64_MAX);
    koine__buf_addc(&buf, ' ');
    koine__buf_add_int(&buf, INT64_MIN);
    ASSERT_STR(koine__buf_str(&buf), "0 9223372036854775807 -9223372036854775808");
    koine__buf_release(&buf);
}

static void test_long_format(void)
{
    char text[301];
    struct koine__buf buf;
    memset(text, 'x', 300);
    text[300] = '\0';
    koine__buf_init(&buf, 1000);
    koine__buf_addf(&buf, "<%s>", text);
    ASSERT_INT(buf.len, 302);
    koine__buf_addf(&buf, "<%s>", text);
    ASSERT_INT(buf.len, 604);
    ASSERT_INT(buf.ptr[603], '>');
    ASSERT_INT(buf.ptr[302], '<');
    koine__buf_release(&buf);
}

static void test_ceiling_is_exact(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 100);
    for (int i = 0; i < 100; i++)
        koine__buf_addc(&buf, 'x');
    ASSERT_INT(buf.error, 0);
    ASSERT_INT(buf.len, 100);
    CU_ASSERT_TRUE(buf.cap <= 101);
    koine__buf_addc(&buf, 'x');
    ASSERT_INT(buf.error, KOINE_EARGUMENT);
    ASSERT_INT(buf.len, 100);
    koine__buf_release(&buf);
}

static void test_ceiling_of_nothing(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 0);
    koine__buf_add(&buf, NULL, 0);
    ASSERT_INT(buf.error, 0);
    koine__buf_addc(&buf, 'x');
    ASSERT_INT(buf.error, KOINE_EARGUMENT);
    koine__buf_release(&buf);
    koine__buf_init(&buf, SIZE_MAX);
    ASSERT_INT(koine__buf_reserve(&buf, SIZE_MAX), KOINE_EARGUMENT);
    koine__buf_release(&buf);
}

static void test_failure_sticks(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 4);
    koine__buf_adds(&buf, "ab");
    koine__buf_addf(&buf, "%s", "cdefg");
    ASSERT_INT(buf.error, KOINE_EARGUMENT);
    ASSERT_STR(koine__buf_str(&buf), "ab");
    koine__buf_adds(&buf, "c");
    koine__buf_addf(&buf, "c");
    koine__buf_add_int(&buf, 1);
    ASSERT_STR(koine__buf_str(&buf), "ab");
    ASSERT_INT(koine__buf_reserve(&buf, 0), KOINE_EARGUMENT);
    koine__buf_reset(&buf);
    ASSERT_STR(koine__buf_str(&buf), "");
    koine__buf_adds(&buf, "wxyz");
    ASSERT_INT(buf.error, 0);
    ASSERT_STR(koine__buf_str(&buf), "wxyz");
    koine__buf_release(&buf);
    koine__buf_reset(&buf);
}

static void test_format_that_cannot_be(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 100);
    koine__buf_addf(&buf, "%lc", (wint_t)0x7FFFFFF0);
    ASSERT_INT(buf.error, KOINE_EARGUMENT);
    koine__buf_release(&buf);
}

static void test_drop(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 100);
    koine__buf_drop(&buf, 5);
    koine__buf_adds(&buf, "abcdef");
    koine__buf_drop(&buf, 0);
    koine__buf_drop(&buf, 2);
    ASSERT_STR(koine__buf_str(&buf), "cdef");
    koine__buf_drop(&buf, 10);
    ASSERT_STR(koine__buf_str(&buf), "");
    koine__buf_adds(&buf, "x");
    ASSERT_STR(koine__buf_str(&buf), "x");
    koine__buf_release(&buf);
}

static void test_take(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 3);
    char *text = koine__buf_take(&buf);
    ASSERT_STR(text, "");
    koine__dealloc(text);
    koine__buf_adds(&buf, "abc");
    text = koine__buf_take(&buf);
    ASSERT_STR(text, "abc");
    koine__dealloc(text);
    ASSERT_INT(buf.len, 0);
    koine__buf_adds(&buf, "abcd");
    CU_ASSERT_PTR_NULL(koine__buf_take(&buf));
    ASSERT_INT(buf.error, KOINE_EARGUMENT);
    koine__buf_release(&buf);
}

static char *build(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 10000);
    koine__buf_addf(&buf, "%s", "begin ");
    for (int i = 0; i < 200; i++)
        koine__buf_adds(&buf, "0123456789");
    koine__buf_addf(&buf, "%0500d", 1);
    return koine__buf_take(&buf);
}

static void fill(struct koine__buf *buf, size_t len)
{
    koine__buf_init(buf, 1000000);
    for (size_t i = 0; i < len; i++)
        koine__buf_addc(buf, 'x');
}

static void test_sparing(void)
{
    struct koine__buf buf;
    koine__buf_init_sparing(&buf, 1 << 20);
    for (int i = 1; i <= 1 << 20; i++) {
        koine__buf_addc(&buf, 'x');
        if (buf.cap > 16384)
            CU_ASSERT_FATAL(buf.cap <= (size_t)i + (size_t)i / 16 + 1);
    }
    ASSERT_INT(buf.error, 0);
    ASSERT_INT(buf.cap, (1 << 20) + 1);
    koine__buf_addc(&buf, 'x');
    ASSERT_INT(buf.error, KOINE_EARGUMENT);
    koine__buf_release(&buf);
    koine__buf_reserve(&buf, 20000); /* it stays so */
    ASSERT_INT(buf.cap, 20880);
    koine__buf_release(&buf);
}

static void test_fit(void)
{
    struct koine__buf buf;
    fill(&buf, 1000);
    size_t cap = buf.cap;
    koine__buf_fit(&buf);
    CU_ASSERT_EQUAL(buf.cap, cap); /* not worth it */
    koine__buf_release(&buf);
    fill(&buf, 70000);
    CU_ASSERT(buf.cap > 100000);
    failalloc_begin(1);
    koine__buf_fit(&buf);
    CU_ASSERT(failalloc_end());
    CU_ASSERT(buf.cap > 100000 && buf.error == 0);
    koine__buf_fit(&buf);
    CU_ASSERT_EQUAL(buf.cap, 70001);
    koine__buf_addc(&buf, 'y');
    ASSERT_INT((long long)buf.len, 70001);
    ASSERT_INT(buf.ptr[70000], 'y');
    koine__buf_release(&buf);
}

static void test_failing_memory(void)
{
    long n = 1;
    for (;; n++) {
        failalloc_begin(n);
        char *text = build();
        bool complete = text && strlen(text) == 2506;
        koine__dealloc(text);
        if (!failalloc_end()) {
            CU_ASSERT_TRUE(complete);
            break;
        }
        CU_ASSERT_PTR_NULL(text);
    }
    CU_ASSERT_TRUE(n > 5);
    struct koine__buf buf;
    koine__buf_init(&buf, 10);
    failalloc_begin(1);
    CU_ASSERT_PTR_NULL(koine__buf_take(&buf));
    CU_ASSERT_TRUE(failalloc_end());
    ASSERT_INT(buf.error, KOINE_EMEMORY);
}

SUITE_MAIN("buf", {"adds of all kinds", test_adds_of_all_kinds}, {"integers", test_integers},
           {"long format", test_long_format}, {"ceiling is exact", test_ceiling_is_exact},
           {"ceiling of nothing", test_ceiling_of_nothing}, {"failure sticks", test_failure_sticks},
           {"format that cannot be", test_format_that_cannot_be}, {"drop", test_drop}, {"take", test_take},
           {"sparing", test_sparing}, {"fit", test_fit}, {"failing memory", test_failing_memory})
