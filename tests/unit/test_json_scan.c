/* What is JSON, what is not, and where and why not. Texts are scanned in blocks of their exact size, so that
 * a look past the end is seen. */
#include "core/wire/json.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <koine/koine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_bytes(const char *text, size_t len, struct koine__json_fault *fault)
{
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    int rc = koine__json_check((koine_str){copy, len}, KOINE__JSON_DEPTH, fault);
    free(copy);
    return rc;
}

static int check(const char *text)
{
    return check_bytes(text, strlen(text), NULL);
}

static void accepts(void)
{
    static const char *const good[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "\"\"",
        "0",
        "-0",
        " \t\r\n1 \n",
        "[1,2 , 3]",
        "{\"a\":1,\"b\" : [ ] }",
        "1.5",
        "-0.0",
        "1e5",
        "1E+5",
        "1e-05",
        "0e0",
        "123456789012345678901234567890",
        "1e999999",
        "[[[[[[]]]]]]",
        "{\"\":0}",
        "{\" \":\"/\"}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFfFf\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\\ud83d\"",
        "\"\\u0061\"",
        "\"\x7f\"",
        "\"a\\u0000b\"",
        "\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf\"",
        "\"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\"",
        "\"twelve bytes and then \xc3\xa9 and more\"",
        "[{\"a\":1,\"a\":2}]",
        "{\"x\":{\"a\":1,\"a\":2}}",
        "{\"x\":{\"\\u0000\":1}}",
        "{\"\\\\u0000\":1}",
        "{\"a\":1,\"A\":2,\"\\u00e1\":3,\"\\u0061b\":4}",
        "[true,false,null,-1.25e-3,\"s\",{},[]]",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (check(good[i]))
            suite_assert_str("refused", good[i], "good", __FILE__, __LINE__);
}

struct bad {
    const char *text;
    size_t offset;
    const char *reason;
};
static const char too_early[] = "the text ends too early";
static const char no_value[] = "no JSON value starts like this";
static const char missing[] = "a value is missing here";
static const char no_name[] = "a member's name in double quotes is missing here";
static const char not_closed[] = "a string is not closed";
static const char no_escape[] = "an escape that JSON does not have";
static const char four[] = "\\u needs four hexadecimal digits";
static const char not_utf8[] = "bytes that are not UTF-8";
static const char twice[] = "a member of this name is already there";
static const char control[] = "a control character in a string";
static const char digit[] = "a number needs a digit here";
static const char follows[] = "something follows the value";
static const char comma_array[] = "a comma or ] is missing here";
static const char comma_object[] = "a comma or } is missing here";

static void assert_bad(const struct bad *bad, const char *file, unsigned line)
{
    struct koine__json_fault fault = {0};
    int rc = check_bytes(bad->text, strlen(bad->text), &fault);
    suite_assert_int(rc, KOINE_EARGUMENT, bad->text, file, line);
    suite_assert_str(fault.reason, bad->reason, bad->text, file, line);
    suite_assert_int((long long)fault.offset, (long long)bad->offset, bad->text, file, line);
}

static const struct bad bads[] = {
    {"", 0, too_early},
    {"  ", 2, too_early},
    {"[", 1, too_early},
    {"{", 1, too_early},
    {"{\"a\"", 4, too_early},
    {"{\"a\":", 5, too_early},
    {"{\"a\":1,", 7, too_early},
    {"[1,", 3, too_early},
    {"tru", 3, too_early},
    {"nul", 3, too_early},
    {"-", 1, too_early},
    {"1.", 2, too_early},
    {"1e", 2, too_early},
    {"1e+", 3, too_early},
    {"]", 0, missing},
    {"[,1]", 1, missing},
    {"[1,]", 3, missing},
    {"{\"a\":}", 5, missing},
    {"[1,,2]", 3, missing},
    {":", 0, missing},
    {"{\"a\"::1}", 5, missing},
    {"{1:2}", 1, no_name},
    {"{\"a\":1,}", 7, no_name},
    {"{,}", 1, no_name},
    {"{'a':1}", 1, no_name},
    {"{a:1}", 1, no_name},
    {"{\"a\" 1}", 5, "a colon is missing here"},
    {"{\"a\"}", 4, "a colon is missing here"},
    {"'a'", 0, no_value},
    {"NaN", 0, no_value},
    {"Infinity", 0, no_value},
    {"True", 0, no_value},
    {"nulL", 0, no_value},
    {"+1", 0, no_value},
    {".5", 0, no_value},
    {"\xef\xbb\xbf{}", 0, no_value},
    {"[\x0c]", 1, no_value},
    {"\xa0", 0, no_value},
    {"/* */1", 0, no_value},
    {"undefined", 0, no_value},
    {"01", 0, "a number starts with a needless zero"},
    {"[-012]", 2, "a number starts with a needless zero"},
    {"-a", 1, digit},
    {"[-]", 2, digit},
    {"1.e5", 2, digit},
    {"1.a", 2, digit},
    {"1e+a", 3, digit},
    {"--1", 1, digit},
    {"1 2", 2, follows},
    {"{}x", 2, follows},
    {"truex", 4, follows},
    {"1a", 1, follows},
    {"0x1", 1, follows},
    {"\"a\"\"b\"", 3, follows},
    {"[]]", 2, follows},
    {"{} // c", 3, follows},
    {"[1 2]", 3, comma_array},
    {"[1}", 2, comma_array},
    {"[\"a\":1]", 4, comma_array},
    {"{\"a\":1 \"b\":2}", 7, comma_object},
    {"{\"a\":1]", 6, comma_object},
    {"\"", 1, not_closed},
    {"\"abcdefghijkl", 13, not_closed},
    {"\"\\", 2, not_closed},
    {"\"\\u12", 5, not_closed},
    {"\"\\\"", 3, not_closed},
    {"{\"a", 3, not_closed},
    {"\"\\a\"", 1, no_escape},
    {"\"\\'\"", 1, no_escape},
    {"\"ab\\x41\"", 3, no_escape},
    {"\"\\U0041\"", 1, no_escape},
    {"\"\\u00g0\"", 1, four},
    {"\"\\u 123\"", 1, four},
    {"\"\\u12\"", 1, four},
    {"\"a\nb\"", 2, control},
    {"\"\t\"", 1, control},
    {"\"longer than eight\x01\"", 18, control},
    {"\"\x80\"", 1, not_utf8},
    {"\"\xff\"", 1, not_utf8},
    {"\"\xc0\x80\"", 1, not_utf8},
    {"\"\xc1\xbf\"", 1, not_utf8},
    {"\"\xe0\x9f\xbf\"", 1, not_utf8},
    {"\"\xed\xa0\x80\"", 1, not_utf8},
    {"\"\xf0\x8f\xbf\xbf\"", 1, not_utf8},
    {"\"\xf4\x90\x80\x80\"", 1, not_utf8},
    {"\"\xf5\x80\x80\x80\"", 1, not_utf8},
    {"\"\xe2\x82\"", 1, not_utf8},
    {"\"\xf0\x9f\x98", 1, not_utf8},
    {"\"\xc3\xa9\xc3\"", 3, not_utf8},
    {"\"\xe2(\xa1\"", 1, not_utf8},
    {"{\"a\":1,\"a\":2}", 7, twice},
    {"{\"a\":1,\"\\u0061\":2}", 7, twice},
    {"{\"\\n\":1,\"b\":{},\"\\u000A\":2}", 15, twice},
    {"{\"\":1,\"\":2}", 6, twice},
    {"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", 18, twice},
    {"{\"\\ud83d\":1,\"\\ufffd\":2}", 12, twice},
    {"{\"\\u0000\":1}", 1, "a member's name holds \\u0000"},
    {"{\"ab\\n\\u0000c\":1}", 1, "a member's name holds \\u0000"},
};

static void refuses(void)
{
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++)
        assert_bad(&bads[i], __FILE__, __LINE__);
    CU_ASSERT_EQUAL(koine__json_check((koine_str){NULL, 0}, 1, NULL), KOINE_EARGUMENT);
}

static void refuses_nul_bytes(void)
{
    struct koine__json_fault fault = {0};
    ASSERT_INT(check_bytes("\"a\0b\"", 5, &fault), KOINE_EARGUMENT);
    ASSERT_INT((long long)fault.offset, 2);
    ASSERT_INT(check_bytes("\"\\\0\"", 4, NULL), KOINE_EARGUMENT);
    ASSERT_INT(check_bytes("{}\0", 3, NULL), KOINE_EARGUMENT);
    ASSERT_INT(check_bytes("[\0]", 3, NULL), KOINE_EARGUMENT);
}

static const char document[] =
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"caf\xc3\xa9 \\ud83d\\ude00 "
    "\\\"x\\\"\"}],"
    "\"temperature\":-0.7e+1,\"stream\":true,\"stop\":null,\"n\":[1,[2,{\"a\":{}}],[]]}";

static void refuses_every_truncation(void)
{
    ASSERT_INT(check(document), 0);
    for (size_t len = 0; len < strlen(document); len++)
        ASSERT_INT(check_bytes(document, len, NULL), KOINE_EARGUMENT);
}

/* Nothing to assert but what the sanitizers see: every byte replaced by every byte. */
static void survives_every_byte(void)
{
    char text[sizeof(document)];
    long accepted = 0;
    for (size_t i = 0; i + 1 < sizeof(document); i++)
        for (int c = 0; c < 256; c++) {
            memcpy(text, document, sizeof(text));
            text[i] = (char)c;
            accepted += check_bytes(text, sizeof(text) - 1, NULL) == 0;
        }
    CU_ASSERT(accepted > 1000);
}

static void says_line_and_column(void)
{
    struct koine__json_fault fault = {0};
    static const char text[] = "{\n  \"a\": 1,\r\n\n  \"b\": x\n}";
    ASSERT_INT(check_bytes(text, strlen(text), &fault), KOINE_EARGUMENT);
    ASSERT_INT(fault.line, 4);
    ASSERT_INT(fault.column, 8);
    unsigned line, column;
    koine__json_position((koine_str){"a\nbc\n", 5}, 0, &line, &column);
    ASSERT_INT(line * 100 + column, 101);
    koine__json_position((koine_str){"a\nbc\n", 5}, 3, &line, &column);
    ASSERT_INT(line * 100 + column, 202);
    koine__json_position((koine_str){"a\nbc\n", 5}, 5, &line, &column);
    ASSERT_INT(line * 100 + column, 301);
}

static int check_nested(unsigned levels, unsigned limit, const char *open, const char *inner,
                        const char *close)
{
    char text[2048] = "";
    for (unsigned i = 0; i < levels; i++)
        strcat(text, open);
    strcat(text, inner);
    for (unsigned i = 0; i < levels; i++)
        strcat(text, close);
    return koine__json_check((koine_str){text, strlen(text)}, limit, NULL);
}

static void limits_the_depth(void)
{
    ASSERT_INT(check_nested(128, KOINE__JSON_DEPTH, "[", "", "]"), 0);
    ASSERT_INT(check_nested(129, KOINE__JSON_DEPTH, "[", "", "]"), KOINE_EARGUMENT);
    ASSERT_INT(check_nested(128, KOINE__JSON_DEPTH, "{\"a\":", "1", "}"), 0);
    ASSERT_INT(check_nested(129, 1000, "{\"a\":", "1", "}"), KOINE_EARGUMENT);
    ASSERT_INT(check_nested(3, 3, "[", "1", "]"), 0);
    ASSERT_INT(check_nested(4, 3, "[", "1", "]"), KOINE_EARGUMENT);
    ASSERT_INT(check_nested(0, 0, "[", "1", "]"), 0);
    ASSERT_INT(check_nested(1, 0, "[", "1", "]"), KOINE_EARGUMENT);
    char text[400];
    memset(text, '[', sizeof(text));
    struct koine__json_fault fault = {0};
    ASSERT_INT(check_bytes(text, sizeof(text), &fault), KOINE_EARGUMENT);
    ASSERT_STR(fault.reason, "nested too deeply");
    ASSERT_INT((long long)fault.offset, 128);
}

/* An object of `count` members named k0, k1, …; the one at `twin` gets the name of the one at `of`. */
static char *many_members(size_t count, size_t twin, size_t of)
{
    char *text = malloc(count * 24 + 3), *at = text;
    at += sprintf(at, "{");
    for (size_t i = 0; i < count; i++) {
        const char *comma = i ? "," : "";
        if (i == twin)
            at += sprintf(at, "%s\"\\u006b%zu\":1", comma, of);
        else
            at += sprintf(at, "%s\"k%zu\":%zu", comma, i, i);
    }
    sprintf(at, "}");
    return text;
}

static int check_many(size_t count, size_t twin, size_t of, const char **ret_reason, size_t *ret_offset)
{
    struct koine__json_fault fault = {.reason = ""};
    char *text = many_members(count, twin, of);
    int rc = check_bytes(text, strlen(text), &fault);
    *ret_reason = fault.reason;
    *ret_offset = rc ? (size_t)(strstr(text, "\"\\u006b") - text) - fault.offset : 0;
    free(text);
    return rc;
}

static void finds_twins_among_many(void)
{
    static const size_t counts[] = {63, 64, 65, 66, 129, 1000, 100000};
    const char *reason;
    size_t distance; /* of the place told from the twin's */
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        size_t count = counts[i];
        ASSERT_INT(check_many(count, count, 0, &reason, &distance), 0);
        ASSERT_INT(check_many(count, count - 1, 0, &reason, &distance), KOINE_EARGUMENT);
        ASSERT_STR(reason, twice);
        ASSERT_INT((long long)distance, 0);
        ASSERT_INT(check_many(count, count / 2, count / 2 - 1, &reason, &distance), KOINE_EARGUMENT);
        ASSERT_INT((long long)distance, 0);
    }
}

static void tells_the_first_of_several_twins(void)
{
    struct koine__json_fault fault = {.reason = ""};
    char text[4096], *at = text;
    for (int i = 0; i < 100; i++)
        at += sprintf(at, "%s\"k%d\":0", i ? "," : "{", i);
    for (int i = 99; i >= 0; i--)
        at += sprintf(at, ",\"k%d\":0", i);
    strcpy(at, "}");
    ASSERT_INT(check_bytes(text, strlen(text), &fault), KOINE_EARGUMENT);
    ASSERT_STR(fault.reason, twice);
    CU_ASSERT(strncmp(text + fault.offset, "\"k99\":0,\"k98\"", 13) == 0);
}

/* Each pair has the same FNV-1a hash where it stands, so all 4,096 names made of one of each collide. */
static char *colliding_members(unsigned count)
{
    static const char *const pairs[12][2] = {
        {"UUyR56", "pTk0Nu"}, {"NQ0PzR", "P0Ig58"}, {"l69S7h", "gGH0wT"}, {"o8DRmB", "jXRnYG"},
        {"aKq2Fa", "8UwU94"}, {"XbtPOL", "KfVRVv"}, {"eCrBDH", "8xUBgx"}, {"fv711c", "xXdkY8"},
        {"BSxbqT", "kt5w5j"}, {"KpIHGo", "tEwSJ5"}, {"jh8SeS", "s0ZFdt"}, {"uT3Oak", "z7oHns"},
    };
    char *text = malloc((size_t)count * 80 + 3), *at = text;
    for (unsigned i = 0; i < count; i++) {
        at += sprintf(at, i ? ",\"" : "{\"");
        for (unsigned pair = 0; pair < 12; pair++)
            at += sprintf(at, "%s", pairs[pair][i >> pair & 1]);
        at += sprintf(at, "\":0");
    }
    sprintf(at, "}");
    return text;
}

static void compares_colliding_names(void)
{
    static const unsigned counts[] = {64, 65, 4096};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        char *text = colliding_members(counts[i]);
        ASSERT_INT(check(text), 0);
        free(text);
    }
    char *text = colliding_members(4097); /* the last one is the first again */
    ASSERT_INT(check(text), KOINE_EARGUMENT);
    free(text);
}

static void reports_a_failed_allocation(void)
{
    char *text = many_members(300, 300, 0);
    long n = 1;
    for (;; n++) {
        struct koine__json_fault fault = {.reason = "untouched"};
        failalloc_begin(n);
        int rc = koine__json_check((koine_str){text, strlen(text)}, KOINE__JSON_DEPTH, &fault);
        ASSERT_STR(fault.reason, "untouched");
        if (!failalloc_end()) {
            ASSERT_INT(rc, 0);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
    CU_ASSERT(n > 1);
    failalloc_begin(1);
    ASSERT_INT(check(document), 0); /* allocates nothing */
    CU_ASSERT_FALSE(failalloc_end());
    free(text);
}

static void skips_values(void)
{
    static const char text[] = "[ {\"a]\":\"}\\\"]\"} , -1.5e3,true , \"x\\\\\" ,[[],{}],null\n]";
    koine_str whole = {text, strlen(text)};
    ASSERT_INT((long long)koine__json_skip(whole, 0), (long long)strlen(text));
    ASSERT_INT((long long)koine__json_skip(whole, 2), 15);
    ASSERT_INT((long long)koine__json_skip(whole, 18), 24);
    ASSERT_INT((long long)koine__json_skip(whole, 25), 29);
    ASSERT_INT((long long)koine__json_skip(whole, 32), 37);
    ASSERT_INT((long long)koine__json_skip(whole, 39), 46);
    ASSERT_INT((long long)koine__json_skip(whole, 47), 51);
    ASSERT_INT((long long)koine__json_skip((koine_str){"12", 2}, 0), 2);
}

SUITE_MAIN("json_scan", {"accepts", accepts}, {"refuses", refuses}, {"refuses NUL bytes", refuses_nul_bytes},
           {"refuses every truncation", refuses_every_truncation},
           {"survives every byte", survives_every_byte}, {"says line and column", says_line_and_column},
           {"limits the depth", limits_the_depth}, {"finds twins among many", finds_twins_among_many},
           {"tells the first of several twins", tells_the_first_of_several_twins},
           {"compares colliding names", compares_colliding_names},
           {"reports a failed allocation", reports_a_failed_allocation}, {"skips values", skips_values})
