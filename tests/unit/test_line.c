/* line: what a line of the log looks like, in both formats, whatever its values hold. */
#include "core/base/line.h"

#include "core/wire/json.h"
#include "tests/unit/suite.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static char text[8192];

static const char *write_line(bool json, size_t size, const struct koine__hidden *hidden,
                              const struct koine__field *fields)
{
    struct koine__line line;
    memset(text, '#', sizeof(text));
    koine__line_begin(&line, text, size, json, hidden);
    for (; fields->name; fields++)
        koine__line_add(&line, fields);
    koine__line_end(&line);
    CU_ASSERT_TRUE(line.len < size);
    ASSERT_INT((long long)strlen(text), (long long)line.len);
    CU_ASSERT_TRUE(size == sizeof(text) || text[size] == '#');
    CU_ASSERT_TRUE(koine__utf8_valid(text, line.len));
    return text;
}
#define FIELDS(...)    ((const struct koine__field[]){__VA_ARGS__, {.name = NULL}})
#define LOGFMT(...)    write_line(false, sizeof(text), NULL, FIELDS(__VA_ARGS__))
#define JSON(...)      write_line(true, sizeof(text), NULL, FIELDS(__VA_ARGS__))
#define TEXT(value)    koine__log_text("a", value)
#define BYTES(literal) koine__log_str("a", KOINE__STR(literal))

static void kinds(void)
{
    ASSERT_STR(LOGFMT(TEXT("x"), koine__log_int("n", -7), koine__log_bool("yes", true),
                      koine__log_bool("no", false), koine__log_ms("ms", 1999999),
                      koine__log_decimal("usd", 1770000, 12)),
               "a=x n=-7 yes=true no=false ms=1 usd=0.00000177");
    ASSERT_STR(JSON(TEXT("x"), koine__log_int("n", -7), koine__log_bool("yes", true),
                    koine__log_bool("no", false), koine__log_ms("ms", 1999999),
                    koine__log_decimal("usd", 1770000, 12)),
               "{\"a\":\"x\",\"n\":-7,\"yes\":true,\"no\":false,\"ms\":1,\"usd\":0.00000177}");
}

static void what_is_not_known_is_left_out(void)
{
    ASSERT_STR(LOGFMT(TEXT(NULL), TEXT(""), koine__log_count("n", -1), koine__log_ms("ms", -1),
                      koine__log_count("zero", 0)),
               "zero=0");
    ASSERT_STR(JSON(TEXT(NULL), TEXT(""), koine__log_count("n", -1), koine__log_ms("ms", -1)), "{}");
}

static void decimals(void)
{
    ASSERT_STR(LOGFMT(koine__log_decimal("a", 0, 12), koine__log_decimal("b", 1, 12),
                      koine__log_decimal("c", -5, 2), koine__log_decimal("d", 1500, 3),
                      koine__log_decimal("e", 3000, 3), koine__log_int("f", INT64_MIN),
                      koine__log_decimal("g", INT64_MAX, 12)),
               "a=0 b=0.000000000001 c=-0.05 d=1.5 e=3 f=-9223372036854775808 g=9223372.036854775807");
}

static void quotes_where_they_are_needed(void)
{
    ASSERT_STR(LOGFMT(TEXT("openai/gpt-4o:free,{x}'[1]")), "a=openai/gpt-4o:free,{x}'[1]");
    ASSERT_STR(LOGFMT(TEXT("two words")), "a=\"two words\"");
    ASSERT_STR(LOGFMT(TEXT("x=1")), "a=\"x=1\"");
    ASSERT_STR(LOGFMT(TEXT("\"")), "a=\"\\\"\"");
    ASSERT_STR(LOGFMT(TEXT("C:\\x")), "a=\"C:\\\\x\"");
    ASSERT_STR(LOGFMT(TEXT("gr\xC3\xBC\xC3\x9F")), "a=\"gr\xC3\xBC\xC3\x9F\"");
    ASSERT_STR(JSON(TEXT("two \"words\"")), "{\"a\":\"two \\\"words\\\"\"}");
}

/* A line stays one line, and drives no terminal. */
static void escapes(void)
{
    ASSERT_STR(LOGFMT(BYTES("a\nb\r\tc\0d\x1b[31m\x7f")), "a=\"a\\nb\\r\\tc\\u0000d\\u001b[31m\\u007f\"");
    ASSERT_STR(JSON(BYTES("\xC2\x9B\xC2\xA0\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA")),
               "{\"a\":\"\\u009b\xC2\xA0\\u2028\\u2029\xE2\x80\xAA\"}");
    ASSERT_STR(LOGFMT(BYTES("x\xFFy\xE2\x82")), "a=\"x\xEF\xBF\xBDy\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

/* What our own scanner reads back is what was told. */
static void reads_back(void)
{
    static const char all[] =
        "\x01\x02\b\t\n\v\f\r\x1f !\"#/\\\x7f{},:='\xC2\x85\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
    struct koine__arena arena;
    const koine_node *root = NULL;
    koine__arena_init(&arena, 0);
    JSON(TEXT(all), koine__log_text("b", "\"},{\""), koine__log_decimal("c", 25, 1));
    ASSERT_INT(koine__json_read(koine__str(text), &arena, &root, NULL), 0);
    koine_str read = koine__node_str(koine__node_get(root, "a"));
    ASSERT_MEM(read.ptr, read.len,
               "\x01\x02\b\t\n\v\f\r\x1f !\"#/\\\x7f{},:='\xC2\x85\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    read = koine__node_str(koine__node_get(root, "b"));
    ASSERT_MEM(read.ptr, read.len, "\"},{\"");
    read = koine__node_source(koine__node_get(root, "c"));
    ASSERT_MEM(read.ptr, read.len, "2.5");
    koine__arena_release(&arena);
}

/* A value has its own limit, so that none pushes the others out. */
static void a_long_value(void)
{
    static char large[6000], wanted[6100];
    memset(large, 'x', sizeof(large) - 1);
    snprintf(wanted, sizeof(wanted), "a=%.*s b=1 cut=true", KOINE__LINE_TEXT, large);
    ASSERT_STR(LOGFMT(TEXT(large), koine__log_int("b", 1)), wanted);
    snprintf(wanted, sizeof(wanted), "{\"a\":\"%.*s\",\"b\":1,\"cut\":true}", KOINE__LINE_CONTENT, large);
    ASSERT_STR(JSON(koine__log_content("a", koine__str(large)), koine__log_int("b", 1)), wanted);
    large[KOINE__LINE_TEXT] = '\0';
    CU_ASSERT_PTR_NULL(strstr(LOGFMT(TEXT(large)), "cut"));
}

/* Wherever the limit falls, the value ends with a character. */
static void cut_at_a_character(void)
{
    char value[KOINE__LINE_TEXT + 16], wanted[KOINE__LINE_TEXT + 64];
    for (int before = KOINE__LINE_TEXT - 4; before < KOINE__LINE_TEXT; before++) {
        snprintf(value, sizeof(value), "%0*d\xF0\x9F\x98\x80..", before, 0);
        snprintf(wanted, sizeof(wanted), "a=\"%0*d%s\" cut=true", before, 0,
                 before == KOINE__LINE_TEXT - 4 ? "\xF0\x9F\x98\x80" : "");
        ASSERT_STR(LOGFMT(TEXT(value)), wanted);
    }
}

/* However little room there is, the line is whole: JSON that can be read, quotes that are closed. */
static void little_room(void)
{
    static const struct koine__field fields[] = {
        {.name = "text", .kind = KOINE__FIELD_TEXT, .text = {"a \"\xE2\x82\xAC\" \x01 b", 11}, .limit = 100},
        {.name = "n", .kind = KOINE__FIELD_DECIMAL, .number = 123456},
        {.name = "more", .kind = KOINE__FIELD_TEXT, .text = {"x y", 3}, .limit = 100},
        {.name = "yes", .kind = KOINE__FIELD_BOOL, .number = 1},
        {.name = NULL},
    };
    for (size_t size = 32; size < 120; size++) {
        const char *line = write_line(true, size, NULL, fields);
        ASSERT_INT(koine__json_check(koine__str(line), 2, NULL), 0);
        line = write_line(false, size, NULL, fields);
        bool quoted = false;
        for (const char *at = line; *at; at++) {
            at += *at == '\\';
            quoted ^= *at == '"' && at[-1] != '\\';
        }
        CU_ASSERT_FALSE(quoted);
    }
    ASSERT_STR(write_line(false, 32, NULL, fields), "text=\"a \\\"\xE2\x82\xAC\\\" \" cut=true");
    ASSERT_STR(write_line(true, 32, NULL, fields), "{\"text\":\"a \\\"\xE2\x82\xAC\",\"cut\":true}");
    ASSERT_STR(write_line(false, 100, NULL, fields),
               "text=\"a \\\"\xE2\x82\xAC\\\" \\u0001 b\" n=123456 more=\"x y\" yes=true");
}

/* Whatever bytes come, of whatever size the line is. */
static void any_bytes(void)
{
    static const char interesting[] = "\"\\ =,{}\n\xC2\xE2\x80\xA8\xF0\x9F\x98\xED\xA0\x1b\x7f";
    struct koine__random random;
    char value[96];
    koine__random_seed(&random, 7);
    for (int round = 0; round < 5000; round++) {
        size_t len = (size_t)koine__random_below(&random, sizeof(value));
        for (size_t i = 0; i < len; i++)
            value[i] = koine__random_below(&random, 3)
                           ? interesting[koine__random_below(&random, sizeof(interesting) - 1)]
                           : (char)koine__random_below(&random, 256);
        struct koine__field fields[] = {
            koine__log_str("a", (koine_str){value, len}), koine__log_int("n", round), {.name = NULL}};
        fields[0].limit = (size_t)koine__random_below(&random, 120);
        size_t size = 32 + (size_t)koine__random_below(&random, 300);
        const char *line = write_line(true, size, NULL, fields);
        CU_ASSERT_EQUAL_FATAL(koine__json_check(koine__str(line), 2, NULL), 0);
        line = write_line(false, size, NULL, fields);
        for (const char *c = line; *c; c++)
            CU_ASSERT_TRUE_FATAL((unsigned char)*c >= 0x20 && *c != 0x7F);
    }
}

/* ---- Keys ---- */

static struct koine__hidden hidden;

static void hide(const char *text_of_key)
{
    static struct koine__secret *keys[4];
    struct koine__secret *key = koine__secret_new(text_of_key, strlen(text_of_key));
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    hidden.keys = keys;
    koine__hidden_add(&hidden, key);
}

static void keys_are_hidden(void)
{
    char value[KOINE__LINE_TEXT + 64];
    hidden = (struct koine__hidden){0};
    hide("sk-12345678");
    hide("sk-12345678-longer");
    hide("say\"so\\12");
#define HIDDEN(json, value) write_line((json), sizeof(text), &hidden, FIELDS(TEXT(value)))
    ASSERT_STR(HIDDEN(false, "sk-12345678"), "a=***");
    ASSERT_STR(HIDDEN(false, "xsk-12345678sk-12345678y"), "a=x******y");
    ASSERT_STR(HIDDEN(false, "sk-12345678-longer,sk-12345678-long"), "a=***,***-long");
    ASSERT_STR(HIDDEN(false, "sk-1234567"), "a=sk-1234567");
    ASSERT_STR(HIDDEN(true, "my key: say\"so\\12!"), "{\"a\":\"my key: ***!\"}");
    /* Where the limit falls into a key, no piece of it stays. */
    for (int before = KOINE__LINE_TEXT - 12; before <= KOINE__LINE_TEXT; before++) {
        snprintf(value, sizeof(value), "%0*dsk-12345678", before, 0);
        CU_ASSERT_PTR_NULL(strstr(HIDDEN(false, value), "s"));
        CU_ASSERT_PTR_NULL(strchr(HIDDEN(false, value), 'k'));
    }
    for (size_t i = 0; i < hidden.count; i++)
        koine__secret_unref(hidden.keys[i]);
}

SUITE_MAIN("line", {"kinds", kinds}, {"what is not known is left out", what_is_not_known_is_left_out},
           {"decimals", decimals}, {"quotes where they are needed", quotes_where_they_are_needed},
           {"escapes", escapes}, {"reads back", reads_back}, {"a long value", a_long_value},
           {"cut at a character", cut_at_a_character}, {"little room", little_room}, {"any bytes", any_bytes},
           {"keys are hidden", keys_are_hidden})
