/* fault: the table of classes against its page, and the cleaning of a vendor's words. */
#include "core/base/fault.h"

#include "core/base/str.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <koine/provider.h>
#include <stdio.h>
#include <string.h>

/* name, origin, same target again, breaker counts, next target: as the page has them. */
static void test_table(void)
{
    static const char *const expected[] = {
        "connect network 1 1 1",     "reset network 1 1 1",         "timeout network 1 1 1",
        "overloaded provider 1 1 1", "server provider 1 1 1",       "protocol provider 1 1 1",
        "rate_limit provider 1 0 1", "billing provider 0 0 1",      "auth provider 0 0 1",
        "model_gone provider 0 0 1", "context_length caller 0 0 2", "content_policy caller 0 0 3",
        "invalid caller 0 0 0",      "unsupported policy 0 0 1",    "refused policy 0 0 1",
        "budget policy 0 0 0",       "declined policy 0 0 0",       "cancelled caller 0 0 0",
        "deadline caller 0 0 0",     "plugin plugin 0 0 1",         "memory local 0 0 0"};
    size_t count;
    const struct koine__fault_class *rows = koine__fault_classes(&count);
    ASSERT_INT(count, 21);
    for (size_t i = 0; i < count; i++) {
        char text[64];
        snprintf(text, sizeof(text), "%s %s %d %d %d", rows[i].name, koine__origin_name(rows[i].origin),
                 (int)rows[i].again, (int)rows[i].breaker, (int)rows[i].next);
        ASSERT_STR(text, expected[i]);
        ASSERT_INT(rows[i].number, i + 1);
        CU_ASSERT_TRUE(strlen(rows[i].examples) > 3);
        CU_ASSERT_PTR_EQUAL(koine__fault_class((int)i + 1), &rows[i]);
        ASSERT_STR(koine_class_name((int)i + 1), rows[i].name);
    }
}

static void test_unknown_numbers(void)
{
    ASSERT_STR(koine__fault_class(0)->name, "server");
    ASSERT_STR(koine__fault_class(22)->name, "server");
    ASSERT_STR(koine__fault_class(-5)->name, "server");
    ASSERT_STR(koine_class_name(0), "unknown");
    ASSERT_STR(koine_class_name(22), "unknown");
    ASSERT_STR(koine__origin_name(0), "");
    ASSERT_STR(koine__origin_name(7), "");
    ASSERT_STR(koine__origin_name(-1), "");
    ASSERT_STR(koine__fault_class(KOINE_FAULT_MODEL_GONE)->name, "model_gone");
}

static void check_words(const char *text, const char *expected)
{
    char words[64];
    koine__fault_words(words, sizeof(words), text, strlen(text));
    ASSERT_STR(words, expected);
}

static void test_words(void)
{
    check_words("", "");
    check_words("plain words", "plain words");
    check_words("  two \r\n\t lines\x01\x7f ", "two lines");
    check_words("<html><head><title>502 Bad Gateway</title></head>\n<body><h1>nginx</h1></body></html>",
                "502 Bad Gateway nginx");
    check_words("<!DOCTYPE html><style>body { color: red }</style><p>Sorry</p>", "Sorry");
    check_words("<script>var a = 1;", "");
    check_words("a<br/>b", "a b");
    check_words("1 < 2 and 3 > 2", "1 < 2 and 3 > 2");
    check_words("<unfinished", "<unfinished");
    check_words("a<", "a<");
    check_words("caf\xC3\xA9", "caf\xC3\xA9");
    check_words("bad \xFF\xC3 bytes", "bad ?? bytes");
    check_words("c1 \xC2\x85 nbsp\xC2\xA0sep\xE2\x80\xA8line", "c1 nbsp sep line");
    check_words("\xE2\x82\xAC 5 \xF0\x9F\x98\x80", "\xE2\x82\xAC 5 \xF0\x9F\x98\x80");
}

static void test_words_are_cut_at_a_character(void)
{
    char words[8];
    koine__fault_words(words, sizeof(words), "1234567890", 10);
    ASSERT_STR(words, "1234567");
    koine__fault_words(words, sizeof(words), "12345\xE2\x82\xAC", 8);
    ASSERT_STR(words, "12345");
    koine__fault_words(words, sizeof(words), "1234\xE2\x82\xAC", 7);
    ASSERT_STR(words, "1234\xE2\x82\xAC");
    koine__fault_words(words, sizeof(words), "123456 8", 8);
    ASSERT_STR(words, "123456");
    koine__fault_words(words, 1, "abc", 3);
    ASSERT_STR(words, "");
    koine__fault_words(words, sizeof(words), NULL, 0);
    ASSERT_STR(words, "");
    words[0] = 'x';
    koine__fault_words(words, 0, "abc", 3);
    ASSERT_INT(words[0], 'x');
}

/* Whatever the size and the cut, the result is one line of valid text that fits. */
static void test_every_size_and_cut(void)
{
    static const char text[] = "<b>caf\xC3\xA9</b> \xE2\x82\xAC\n<style>x</style>\xF0\x9F\x98\x80\xFF end";
    for (size_t size = 1; size < 40; size++)
        for (size_t len = 0; len < sizeof(text); len++) {
            char words[40];
            memset(words, '#', sizeof(words));
            koine__fault_words(words, size, text, len);
            size_t used = strnlen(words, sizeof(words));
            CU_ASSERT_TRUE_FATAL(used < size);
            CU_ASSERT_TRUE_FATAL(koine__utf8_valid(words, used) && !strpbrk(words, "\n\r"));
        }
}

static void test_set(void)
{
    struct koine__fault fault;
    memset(&fault, 0x55, sizeof(fault));
    koine__fault_set(&fault, KOINE_CLASS_TIMEOUT, "idle", "no byte for %d s\n<b>", 60);
    ASSERT_INT(fault.class_number, KOINE_CLASS_TIMEOUT);
    ASSERT_STR(fault.stage, "idle");
    ASSERT_STR(fault.message, "no byte for 60 s");
    ASSERT_STR(fault.code, "");
    ASSERT_INT(fault.status, 0);
    ASSERT_INT(fault.retry_after_ns, -1);
    CU_ASSERT_FALSE(fault.never_retry || fault.deadline_limited);
    char text[2000];
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    koine__fault_set(&fault, KOINE_CLASS_SERVER, NULL, "%s", text);
    ASSERT_STR(fault.stage, "");
    ASSERT_INT(strlen(fault.message), 511);
}

static void test_keep(void)
{
    struct koine__fault fault;
    const struct koine__fault *kept = &koine__no_fault;
    ASSERT_INT(kept->class_number, KOINE_CLASS_NONE);
    ASSERT_INT(kept->retry_after_ns, -1);
    failalloc_begin(0);
    koine__fault_set(&fault, KOINE_CLASS_SERVER, "idle", "first");
    koine__fault_keep(&kept, &fault);
    koine__fault_keep(&kept, kept); /* in the place of itself */
    ASSERT_INT(kept->class_number, KOINE_CLASS_SERVER);
    ASSERT_STR(kept->message, "first");
    ASSERT_INT(failalloc_held(), 1);
    koine__fault_drop(&kept);
    CU_ASSERT_PTR_EQUAL(kept, &koine__no_fault);
    koine__fault_drop(&kept);
    kept = NULL;
    koine__fault_drop(&kept);
    CU_ASSERT_PTR_EQUAL(kept, &koine__no_fault);
    CU_ASSERT_FALSE(failalloc_end());
}

static void test_keep_without_memory(void)
{
    struct koine__fault fault;
    const struct koine__fault *kept = &koine__no_fault;
    koine__fault_set(&fault, KOINE_CLASS_SERVER, "idle", "first");
    failalloc_begin(2);
    koine__fault_keep(&kept, &fault);
    koine__fault_keep(&kept, &fault);
    ASSERT_INT(kept->class_number, KOINE_CLASS_MEMORY);
    ASSERT_STR(kept->message, "out of memory");
    ASSERT_INT(failalloc_held(), 0);
    koine__fault_drop(&kept);
    CU_ASSERT_PTR_EQUAL(kept, &koine__no_fault);
    CU_ASSERT_TRUE(failalloc_end());
}

SUITE_MAIN("fault", {"table", test_table}, {"unknown numbers", test_unknown_numbers}, {"words", test_words},
           {"words are cut at a character", test_words_are_cut_at_a_character},
           {"every size and cut", test_every_size_and_cut}, {"set", test_set}, {"keep", test_keep},
           {"keep without memory", test_keep_without_memory})
