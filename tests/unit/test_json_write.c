/* The writer inside the core, and that of koine/json.h, which is the same with a buffer of its own. */
#include "core/wire/json.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <float.h>
#include <koine/json.h>
#include <locale.h>
#include <math.h>
#include <string.h>

static struct koine__buf buf;
static struct koine__writer writer;
static const koine_str none = {NULL, 0};

static void begin(void)
{
    koine__buf_init(&buf, 1 << 20);
    koine__writer_init(&writer, &buf);
}

/* What was written is the expected text; NULL: it failed or is not whole. */
static void end(const char *expected, unsigned line)
{
    bool done = koine__writer_done(&writer);
    suite_assert_str(done ? koine__buf_str(&buf) : NULL, expected, "written", __FILE__, line);
    if (done) {
        int rc = koine__json_check((koine_str){buf.ptr, buf.len}, KOINE__JSON_DEPTH, NULL);
        suite_assert_int(rc, 0, "is JSON", __FILE__, line);
    }
    koine__buf_release(&buf);
}
#define END(expected) end((expected), __LINE__)

static void writes_nested_values(void)
{
    begin();
    koine__write_open(&writer, none, '{');
    koine__write_str(&writer, koine__str("model"), koine__str("m"));
    koine__write_open(&writer, koine__str("list"), '[');
    koine__write_int(&writer, none, -1);
    koine__write_open(&writer, none, '{');
    koine__write_close(&writer);
    koine__write_open(&writer, none, '[');
    koine__write_close(&writer);
    koine__write_int(&writer, none, INT64_MIN);
    koine__write_close(&writer);
    koine__write_raw(&writer, koine__str(""), koine__str("1.50e+400"));
    koine__write_str(&writer, koine__str("\"\n"), none);
    CU_ASSERT_FALSE(koine__writer_done(&writer));
    koine__write_close(&writer);
    END("{\"model\":\"m\",\"list\":[-1,{},[],-9223372036854775808],\"\":1.50e+400,\"\\\"\\n\":\"\"}");
}

static void writes_one_scalar(void)
{
    begin();
    koine__write_int(&writer, none, 0);
    END("0");
    begin();
    koine__write_str(&writer, none, koine__str("x"));
    END("\"x\"");
    begin();
    koine__write_raw(&writer, none, koine__str("null"));
    END("null");
}

static void write_text(const char *ptr, size_t len, const char *expected, unsigned line)
{
    begin();
    koine__write_str(&writer, none, (koine_str){ptr, len});
    end(expected, line);
}
#define TEXT(literal, expected) write_text((literal), sizeof(literal) - 1, (expected), __LINE__)

static void escapes_strings(void)
{
    TEXT("a\"b\\c/d\b\f\n\r\t", "\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\"");
    TEXT("\0\x01\x1f\x7f", "\"\\u0000\\u0001\\u001f\x7f\"");
    TEXT("more than eight plain bytes\nand more", "\"more than eight plain bytes\\nand more\"");
    TEXT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

static void mends_what_is_not_utf8(void)
{
#define MENDED "\xef\xbf\xbd"
    TEXT("\xff", "\"" MENDED "\"");
    TEXT("a\x80z", "\"a" MENDED "z\"");
    TEXT("\xf0\x9f\x98", "\"" MENDED "\""); /* one character was cut: one mark */
    TEXT("\xe2\x82\x41", "\"" MENDED "A\"");
    TEXT("\xc3", "\"" MENDED "\"");
    TEXT("\xc0\x80", "\"" MENDED MENDED "\"");
    TEXT("\xed\xa0\xbd", "\"" MENDED MENDED MENDED "\""); /* a surrogate */
    TEXT("\xc3\xa9\xc3\xe9", "\"\xc3\xa9" MENDED MENDED "\"");
}

static void fails_on_wrong_nesting(void)
{
    begin();
    END(NULL); /* nothing */
    begin();
    koine__write_int(&writer, koine__str("a"), 1); /* a name outside */
    END(NULL);
    begin();
    koine__write_int(&writer, none, 1);
    koine__write_int(&writer, none, 1); /* a second value */
    END(NULL);
    begin();
    koine__write_close(&writer);
    END(NULL);
    begin();
    koine__write_open(&writer, none, '{');
    koine__write_str(&writer, none, koine__str("x")); /* no name */
    koine__write_close(&writer);
    END(NULL);
    begin();
    koine__write_open(&writer, none, '[');
    koine__write_raw(&writer, koine__str("a"), koine__str("1"));
    koine__write_close(&writer);
    END(NULL);
    begin();
    koine__write_open(&writer, none, '(');
    END(NULL);
    begin();
    koine__write_raw(&writer, none, none);
    END(NULL);
    begin();
    koine__write_open(&writer, none, '[');
    koine__write_close(&writer);
    koine__write_open(&writer, none, '[');
    koine__write_close(&writer);
    END(NULL);
}

static void limits_the_depth(void)
{
    for (unsigned levels = KOINE__JSON_DEPTH; levels <= KOINE__JSON_DEPTH + 1; levels++) {
        begin();
        for (unsigned i = 0; i < levels; i++)
            koine__write_open(&writer, none, '[');
        for (unsigned i = 0; i < levels; i++)
            koine__write_close(&writer);
        CU_ASSERT_EQUAL(koine__writer_done(&writer), levels == KOINE__JSON_DEPTH);
        koine__buf_release(&buf);
    }
}

static void fails_with_its_buffer(void)
{
    koine__buf_init(&buf, 8);
    koine__writer_init(&writer, &buf);
    koine__write_str(&writer, none, koine__str("too long a text"));
    ASSERT_INT(buf.error, KOINE_EARGUMENT);
    END(NULL);
}

/* ---- koine/json.h
 * -------------------------------------------------------------------------------------------- */

static void build(koine_json_writer *json)
{
    koine_json_open(json, NULL, '{');
    koine_json_add_string(json, "s", "caf\xc3\xa9");
    koine_json_add_string(json, "none", NULL);
    koine_json_add_text(json, "t", "a\0b", 3);
    koine_json_add_text(json, "no", NULL, 3);
    koine_json_open(json, "l", '[');
    koine_json_add_integer(json, NULL, -7);
    koine_json_add_real(json, NULL, 0.7);
    koine_json_add_bool(json, NULL, 1);
    koine_json_add_bool(json, NULL, 0);
    koine_json_add_null(json, NULL);
    koine_json_close(json);
    koine_json_add_json(json, "j", " {\"x\": 1.10} \n");
    koine_json_close(json);
}

static void public_writer_writes(void)
{
    size_t length = 0;
    koine_json_writer *json = koine_json_writer_new();
    build(json);
    char *text = koine_json_writer_take(json, &length);
    ASSERT_STR(text, "{\"s\":\"caf\xc3\xa9\",\"none\":null,\"t\":\"a\\u0000b\",\"no\":null,"
                     "\"l\":[-7,0.7,true,false,null],\"j\":{\"x\": 1.10}}");
    CU_ASSERT_EQUAL(length, text ? strlen(text) : 0);
    koine_free(text);
    json = koine_json_writer_new();
    koine_json_add_integer(json, NULL, 1);
    text = koine_json_writer_take(json, NULL);
    ASSERT_STR(text, "1");
    koine_free(text);
}

static void real(double value, const char *expected, unsigned line)
{
    koine_json_writer *json = koine_json_writer_new();
    koine_json_add_real(json, NULL, value);
    char *text = koine_json_writer_take(json, NULL);
    suite_assert_str(text, expected, "real", __FILE__, line);
    if (!text)
        koine_json_writer_free(json);
    koine_free(text);
}

static void writes_reals(void)
{
    real(0.7, "0.7", __LINE__);
    real(0.1 + 0.2, "0.30000000000000004", __LINE__);
    real(1.0 / 3, "0.3333333333333333", __LINE__);
    real(3.0, "3", __LINE__);
    real(-0.0, "-0", __LINE__);
    real(1e22, "1e+22", __LINE__);
    real(DBL_MIN, "2.2250738585072014e-308", __LINE__);
    real(DBL_MAX, "1.7976931348623157e+308", __LINE__);
    real(5e-324, "4.94065645841247e-324", __LINE__);
    real(NAN, NULL, __LINE__);
    real(INFINITY, NULL, __LINE__);
    real(-INFINITY, NULL, __LINE__);
}

static void ignores_the_locale(void)
{
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8", "cs_CZ.UTF-8"};
    bool found = false;
    for (size_t i = 0; !found && i < sizeof(commas) / sizeof(commas[0]); i++)
        found = setlocale(LC_ALL, commas[i]) != NULL;
    if (!found) {
        suite_skip("no locale with a decimal comma is installed");
        return;
    }
    real(0.25, "0.25", __LINE__);
    real(1.5e-300, "1.5e-300", __LINE__);
    setlocale(LC_ALL, "C");
}

static void take_fails_on(void (*wrong)(koine_json_writer *), unsigned line)
{
    koine_json_writer *json = koine_json_writer_new();
    size_t length = 99;
    wrong(json);
    suite_assert_str(koine_json_writer_take(json, &length), NULL, "taken", __FILE__, line);
    suite_assert_int((long long)length, 99, "length", __FILE__, line);
    koine_json_writer_free(json);
}

static void still_open(koine_json_writer *json)
{
    koine_json_open(json, NULL, '{');
}

static void not_json(koine_json_writer *json)
{
    koine_json_add_json(json, NULL, "{\"a\":}");
}

static void two_values_as_json(koine_json_writer *json)
{
    koine_json_add_json(json, NULL, "1,2");
}

static void no_json(koine_json_writer *json)
{
    koine_json_add_json(json, NULL, NULL);
}

static void too_deep_json(koine_json_writer *json)
{
    for (int i = 0; i < 127; i++)
        koine_json_open(json, NULL, '[');
    koine_json_add_json(json, NULL, "[[]]");
    for (int i = 0; i < 127; i++)
        koine_json_close(json);
}

static void too_many_closed(koine_json_writer *json)
{
    koine_json_add_null(json, NULL);
    koine_json_close(json);
}

static void public_writer_fails(void)
{
    take_fails_on(still_open, __LINE__);
    take_fails_on(not_json, __LINE__);
    take_fails_on(two_values_as_json, __LINE__);
    take_fails_on(no_json, __LINE__);
    take_fails_on(too_deep_json, __LINE__);
    take_fails_on(too_many_closed, __LINE__);
}

static void an_open_writer_goes_on(void)
{
    koine_json_writer *json = koine_json_writer_new();
    koine_json_open(json, NULL, '[');
    CU_ASSERT_PTR_NULL(koine_json_writer_take(json, NULL));
    koine_json_close(json);
    char *text = koine_json_writer_take(json, NULL);
    ASSERT_STR(text, "[]");
    koine_free(text);
}

static void takes_null(void)
{
    build(NULL);
    CU_ASSERT_PTR_NULL(koine_json_writer_take(NULL, NULL));
    koine_json_writer_free(NULL);
}

static void survives_failed_allocations(void)
{
    for (long n = 1;; n++) {
        failalloc_begin(n);
        koine_json_writer *json = koine_json_writer_new();
        build(json);
        char *text = koine_json_writer_take(json, NULL);
        if (!text)
            koine_json_writer_free(json);
        bool complete = text != NULL;
        koine_free(text);
        if (!failalloc_end()) {
            CU_ASSERT(complete && n > 2);
            break;
        }
        CU_ASSERT_FALSE(complete);
    }
}

SUITE_MAIN("json_write", {"writes nested values", writes_nested_values},
           {"writes one scalar", writes_one_scalar}, {"escapes strings", escapes_strings},
           {"mends what is not UTF-8", mends_what_is_not_utf8},
           {"fails on wrong nesting", fails_on_wrong_nesting}, {"limits the depth", limits_the_depth},
           {"fails with its buffer", fails_with_its_buffer}, {"public writer writes", public_writer_writes},
           {"writes reals", writes_reals}, {"ignores the locale", ignores_the_locale},
           {"public writer fails", public_writer_fails}, {"an open writer goes on", an_open_writer_goes_on},
           {"takes NULL", takes_null}, {"survives failed allocations", survives_failed_allocations})
