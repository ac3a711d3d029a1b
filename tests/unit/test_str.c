/* str: comparing and cutting, and the strict readers of numbers, durations, sizes and dates. */
#include "core/base/str.h"

#include "tests/unit/suite.h"
#include <koine/koine.h>
#include <stdio.h>
#include <string.h>

#define UNTOUCHED INT64_C(-77777)

static void test_compare(void)
{
    CU_ASSERT_TRUE(koine__str_eq(koine__str("ab"), KOINE__STR("ab")));
    CU_ASSERT_FALSE(koine__str_eq(koine__str("ab"), KOINE__STR("abc")));
    CU_ASSERT_TRUE(koine__str_eq(koine__str(NULL), KOINE__STR("")));
    CU_ASSERT_FALSE(koine__str_is(koine__str("ab"), "aB"));
    CU_ASSERT_TRUE(koine__str_is_nocase(koine__str("Retry-After"), "retry-AFTER"));
    CU_ASSERT_FALSE(koine__str_is_nocase(koine__str("Retry-After"), "retry-afterX"));
    CU_ASSERT_FALSE(koine__str_is_nocase(koine__str("[x"), "{x"));
    CU_ASSERT_TRUE(koine__str_starts(koine__str("https://x"), "https://"));
    CU_ASSERT_TRUE(koine__str_starts(koine__str(NULL), ""));
    CU_ASSERT_FALSE(koine__str_starts(koine__str("http"), "https"));
    CU_ASSERT_TRUE(koine__str_has_nocase(koine__str("Insufficient QUOTA left"), "quota"));
    CU_ASSERT_TRUE(koine__str_has_nocase(koine__str(""), ""));
    CU_ASSERT_FALSE(koine__str_has_nocase(koine__str("quot"), "quota"));
}

static void test_trim_and_cut(void)
{
    CU_ASSERT_TRUE(koine__str_is(koine__str_trim(koine__str(" \t\r\nab c\n ")), "ab c"));
    CU_ASSERT_TRUE(koine__str_is(koine__str_trim(koine__str(" \n")), ""));
    koine_str rest = koine__str("a,,b,");
    CU_ASSERT_TRUE(koine__str_is(koine__str_cut(&rest, ','), "a"));
    CU_ASSERT_TRUE(koine__str_is(koine__str_cut(&rest, ','), ""));
    CU_ASSERT_TRUE(koine__str_is(koine__str_cut(&rest, ','), "b"));
    CU_ASSERT_PTR_NOT_NULL(rest.ptr);
    CU_ASSERT_TRUE(koine__str_is(koine__str_cut(&rest, ','), ""));
    CU_ASSERT_PTR_NULL(rest.ptr);
    CU_ASSERT_PTR_NULL(koine__str_cut(&rest, ',').ptr);
}

static void test_names(void)
{
    CU_ASSERT_TRUE(koine__is_name(koine__str("My_lab-2")));
    CU_ASSERT_TRUE(
        koine__is_name(koine__str("0123456789012345678901234567890123456789012345678901234567890123")));
    CU_ASSERT_FALSE(
        koine__is_name(koine__str("01234567890123456789012345678901234567890123456789012345678901234")));
    CU_ASSERT_FALSE(koine__is_name(koine__str("")));
    CU_ASSERT_FALSE(koine__is_name(koine__str("a b")));
    CU_ASSERT_FALSE(koine__is_name(koine__str("a/b")));
    CU_ASSERT_FALSE(koine__is_name(koine__str("\xC3\xA4")));
}

static int64_t read_int(const char *text, int64_t min, int64_t max)
{
    int64_t value = UNTOUCHED;
    int rc = koine__read_int(koine__str(text), min, max, &value);
    CU_ASSERT_TRUE(rc == 0 || (rc == KOINE_EARGUMENT && value == UNTOUCHED));
    return value;
}

static void test_integers(void)
{
    ASSERT_INT(read_int("0", 0, 10), 0);
    ASSERT_INT(read_int("10", 0, 10), 10);
    ASSERT_INT(read_int("-5", -5, 10), -5);
    ASSERT_INT(read_int("9223372036854775807", INT64_MIN, INT64_MAX), INT64_MAX);
    ASSERT_INT(read_int("-9223372036854775808", INT64_MIN, INT64_MAX), INT64_MIN);
    static const char *const bad[] = {"9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999",
                                      "",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "1e3",
                                      "--1",
                                      "one"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ASSERT_INT(read_int(bad[i], INT64_MIN, INT64_MAX), UNTOUCHED);
    ASSERT_INT(read_int("11", 0, 10), UNTOUCHED);
    ASSERT_INT(read_int("-1", 0, 10), UNTOUCHED);
}

static int64_t read_duration(const char *text)
{
    int64_t value = UNTOUCHED;
    int rc = koine__read_duration(koine__str(text), &value);
    CU_ASSERT_TRUE(rc == 0 || (rc == KOINE_EARGUMENT && value == UNTOUCHED));
    return value;
}

static void test_durations(void)
{
    ASSERT_INT(read_duration("250ms"), 250000000);
    ASSERT_INT(read_duration("1.5s"), 1500000000);
    ASSERT_INT(read_duration("2m"), 120000000000);
    ASSERT_INT(read_duration("1h"), 3600000000000);
    ASSERT_INT(read_duration("3d"), 259200000000000);
    ASSERT_INT(read_duration("0"), 0);
    ASSERT_INT(read_duration("0s"), 0);
    ASSERT_INT(read_duration("off"), -1);
    ASSERT_INT(read_duration("0.123456789s"), 123456789);
    ASSERT_INT(read_duration("0.000001ms"), 1);
    ASSERT_INT(read_duration("0.000001000ms"), 1);
    ASSERT_INT(read_duration("0.999999999d"), 86399999913600);
    ASSERT_INT(read_duration("9223372036.854775807s"), INT64_MAX);
    ASSERT_INT(read_duration("106751d"), INT64_C(9223286400000000000));
}

static void test_durations_refused(void)
{
    static const char *const bad[] = {"",
                                      "5",
                                      "1.5",
                                      "s",
                                      ".5s",
                                      "5.s",
                                      "-1s",
                                      "+1s",
                                      "1 s",
                                      " 1s",
                                      "1s ",
                                      "1S",
                                      "1sec",
                                      "1m30s",
                                      "1e3s",
                                      "1us",
                                      "0.0000001ms",
                                      "0.1234567890s",
                                      "9223372036.854775808s",
                                      "106752d",
                                      "99999999999999999999ms",
                                      "Off",
                                      "0.0",
                                      "1..5s",
                                      "0x1s"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ASSERT_INT(read_duration(bad[i]), UNTOUCHED);
}

static void test_durations_written(void)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{-1, "off"},
                 {0, "0"},
                 {1, "0.000001ms"},
                 {250000000, "250ms"},
                 {100000000, "100ms"},
                 {1000000000, "1s"},
                 {1500000000, "1.5s"},
                 {60000000000, "1m"},
                 {90000000000, "90s"},
                 {300000000000, "5m"},
                 {600000000000, "10m"},
                 {3600000000000, "1h"},
                 {86400000000000, "1d"},
                 {129600000000000, "36h"},
                 {123456789, "123.456789ms"},
                 {INT64_MAX, "9223372036.854775807s"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[48];
        koine__write_duration(cases[i].ns, text, sizeof(text));
        ASSERT_STR(text, cases[i].text);
        ASSERT_INT(read_duration(text), cases[i].ns);
    }
    char cut[3];
    koine__write_duration(1500000000, cut, sizeof(cut));
    ASSERT_STR(cut, "1.");
}

static int64_t read_size(const char *text)
{
    int64_t value = UNTOUCHED;
    int rc = koine__read_size(koine__str(text), &value);
    CU_ASSERT_TRUE(rc == 0 || (rc == KOINE_EARGUMENT && value == UNTOUCHED));
    return value;
}

static void test_sizes(void)
{
    ASSERT_INT(read_size("0"), 0);
    ASSERT_INT(read_size("4096B"), 4096);
    ASSERT_INT(read_size("64KiB"), 65536);
    ASSERT_INT(read_size("16MiB"), 16777216);
    ASSERT_INT(read_size("1GiB"), 1073741824);
    ASSERT_INT(read_size("1kB"), 1000);
    ASSERT_INT(read_size("2MB"), 2000000);
    ASSERT_INT(read_size("3GB"), 3000000000);
    static const char *const bad[] = {"",       "5",   "B",     "1KB",           "1kib",
                                      "1.5MiB", "-1B", "1 MiB", "9999999999GiB", "off"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ASSERT_INT(read_size(bad[i]), UNTOUCHED);
}

static void test_booleans(void)
{
    bool value = false;
    ASSERT_INT(koine__read_bool(koine__str("true"), &value), 0);
    CU_ASSERT_TRUE(value);
    ASSERT_INT(koine__read_bool(koine__str("FALSE"), &value), 0);
    CU_ASSERT_FALSE(value);
    ASSERT_INT(koine__read_bool(koine__str("True"), &value), 0);
    CU_ASSERT_TRUE(value);
    static const char *const bad[] = {"", "yes", "no", "on", "1", "tRUE", "true "};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ASSERT_INT(koine__read_bool(koine__str(bad[i]), &value), KOINE_EARGUMENT);
    CU_ASSERT_TRUE(value);
}

static int64_t read_decimal(const char *text, unsigned scale)
{
    int64_t value = UNTOUCHED;
    int rc = koine__read_decimal(koine__str(text), scale, &value);
    CU_ASSERT_TRUE(rc == 0 || (rc == KOINE_EARGUMENT && value == UNTOUCHED));
    return value;
}

static void test_decimals(void)
{
    ASSERT_INT(read_decimal("0.18", 6), 180000);
    ASSERT_INT(read_decimal("5", 6), 5000000);
    ASSERT_INT(read_decimal("-0.5", 1), -5);
    ASSERT_INT(read_decimal("0.180000000000", 6), 180000);
    ASSERT_INT(read_decimal("9223372036854.775807", 6), INT64_MAX);
    ASSERT_INT(read_decimal("-9223372036854.775808", 6), INT64_MIN);
    ASSERT_INT(read_decimal("7", 0), 7);
    ASSERT_INT(read_decimal("7.0", 0), 7);
    ASSERT_INT(read_decimal("1", 18), INT64_C(1000000000000000000));
    static const char *const bad[] = {"",
                                      "-",
                                      ".5",
                                      "5.",
                                      "1e-3",
                                      "+1",
                                      "0.1234567",
                                      "9223372036854.775808",
                                      "1,5",
                                      "1.2.3",
                                      " 1",
                                      "NaN",
                                      "--1",
                                      "-9223372036854.775809",
                                      "99999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ASSERT_INT(read_decimal(bad[i], 6), UNTOUCHED);
    ASSERT_INT(read_decimal("1", 19), UNTOUCHED);
}

static void test_dollars(void)
{
    static const char *const bad[] = {
        "", "-1", "-0.01", "1e3", "1,50", "NaN", "$1", "0.0000000000001", "9223372.036854775808"};
    int64_t value = UNTOUCHED;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ASSERT_INT(koine__read_usd(koine__str(bad[i]), &value), KOINE_EARGUMENT);
    ASSERT_INT(value, UNTOUCHED);
    ASSERT_INT(koine__read_usd(KOINE__STR("9223372.036854775807"), &value), KOINE_OK);
    ASSERT_INT(value, INT64_MAX);
    ASSERT_INT(koine__read_usd(KOINE__STR("0.1"), &value), KOINE_OK);
    ASSERT_INT(value, INT64_C(100000000000));
}

static int64_t read_date(const char *text)
{
    int64_t value = UNTOUCHED;
    int rc = koine__read_date(koine__str(text), &value);
    CU_ASSERT_TRUE(rc == 0 || (rc == KOINE_EARGUMENT && value == UNTOUCHED));
    return value;
}

static void test_dates(void)
{
    ASSERT_INT(read_date("1970-01-01"), 0);
    ASSERT_INT(read_date("2024-07-23"), 1721692800);
    ASSERT_INT(read_date("2024-07-23T10:00:00Z"), 1721728800);
    ASSERT_INT(read_date("2024-02-29"), 1709164800);
    ASSERT_INT(read_date("2000-02-29T23:59:59Z"), 951868799);
    ASSERT_INT(read_date("1969-12-31T23:59:59Z"), -1);
    ASSERT_INT(read_date("0001-01-01"), INT64_C(-62135596800));
    ASSERT_INT(read_date("9999-12-31"), INT64_C(253402214400));
    static const char *const bad[] = {"",
                                      "2024-7-23",
                                      "2023-02-29",
                                      "1900-02-29",
                                      "2024-13-01",
                                      "2024-00-10",
                                      "2024-04-31",
                                      "2024-01-00",
                                      "2024-07-23T24:00:00Z",
                                      "2024-07-23T10:60:00Z",
                                      "2024-07-23T10:00:61Z",
                                      "2024-07-23T10:00:00",
                                      "2024-07-23 10:00:00Z",
                                      "2024-07-23Z",
                                      "24-07-23",
                                      "2024/07/23",
                                      "2024-07-23T10:00:00+00:00"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ASSERT_INT(read_date(bad[i]), UNTOUCHED);
}

static void test_dates_written(void)
{
    static const char *const dates[] = {"1970-01-01", "2024-02-29", "2024-12-31",
                                        "1999-03-01", "0001-01-01", "9999-12-31"};
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        char text[11];
        koine__write_date(read_date(dates[i]) + 86399, text);
        ASSERT_STR(text, dates[i]);
    }
    char text[11];
    koine__write_date(-1, text);
    ASSERT_STR(text, "1969-12-31");
    koine__write_date(INT64_C(253402300800), text);
    ASSERT_STR(text, "9999-01-01");
    koine__write_date(INT64_C(-62198755200), text);
    ASSERT_INT(strlen(text), 10);
}

static void test_moments_written(void)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {INT64_C(1735732800250999999), "2025-01-01T12:00:00.250Z"},
        {INT64_C(1709251199999000000), "2024-02-29T23:59:59.999Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-86400 * INT64_C(1000000000), "1969-12-31T00:00:00.000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[KOINE__MOMENT];
        koine__write_moment(cases[i].ns, text);
        ASSERT_STR(text, cases[i].text);
    }
}

static void test_every_day_reads_back(void)
{
    for (int64_t day = -3000; day < 40000; day++) {
        char text[11];
        koine__write_date(day * 86400, text);
        CU_ASSERT_EQUAL_FATAL(read_date(text), day * 86400);
    }
}

static int64_t read_http_date(const char *text)
{
    int64_t value = UNTOUCHED;
    int rc = koine__read_http_date(koine__str(text), &value);
    CU_ASSERT_TRUE(rc == 0 || (rc == KOINE_EARGUMENT && value == UNTOUCHED));
    return value;
}

static void test_http_dates(void)
{
    ASSERT_INT(read_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    ASSERT_INT(read_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
    ASSERT_INT(read_http_date("Sun Nov  6 08:49:37 1994"), 784111777);
    ASSERT_INT(read_http_date("Wed Nov 16 08:49:37 1994"), 784975777);
    ASSERT_INT(read_http_date("Friday, 01-Jan-27 00:00:00 GMT"), 1798761600);
    ASSERT_INT(read_http_date("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800);
    ASSERT_INT(read_http_date("Mon, 06 Nov 1994 08:49:37 GMT"), 784111777);
    static const char *const bad[] = {"",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "sun, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 nov 1994 08:49:37 GMT",
                                      "Sun, 32 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 25:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      "Xyz, 06 Nov 1994 08:49:37 GMT",
                                      "120",
                                      "Sunday, 06-Nov-x4 08:49:37 GMT"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ASSERT_INT(read_http_date(bad[i]), UNTOUCHED);
}

/* Every beginning of a date is refused, and reads nothing behind its end. */
static void test_truncated_dates(void)
{
    static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (size_t len = 0; len < sizeof(date) - 1; len++) {
        int64_t value;
        ASSERT_INT(koine__read_http_date((koine_str){date, len}, &value), KOINE_EARGUMENT);
    }
}

static void test_nearest(void)
{
    static const char *const keys[] = {"timeouts", "retry", "base_url", "api_key", "api_key_file"};
    ASSERT_STR(koine__nearest("retries", keys, 5), "retry");
    ASSERT_STR(koine__nearest("timeout", keys, 5), "timeouts");
    ASSERT_STR(koine__nearest("apikey", keys, 5), "api_key");
    ASSERT_STR(koine__nearest("api_key_fil", keys, 5), "api_key_file");
    ASSERT_STR(koine__nearest("retry", keys, 5), "retry");
    ASSERT_STR(koine__nearest("zebra", keys, 5), NULL);
    ASSERT_STR(koine__nearest("", keys, 5), NULL);
    ASSERT_STR(koine__nearest("retry", keys, 0), NULL);
    static const char *const short_ones[] = {"ab"};
    ASSERT_STR(koine__nearest("cd", short_ones, 1), NULL);
    char long_one[200];
    memset(long_one, 'x', 199);
    long_one[199] = '\0';
    const char *const both[] = {long_one, "retry"};
    ASSERT_STR(koine__nearest(long_one, both, 2), NULL);
    ASSERT_STR(koine__nearest("rety", both, 2), "retry");
}

static void test_utf8(void)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "a\xC3\xA4z"};
    static const char *const bad[] = {"\x80",
                                      "\xC0\xAF",
                                      "\xC1\xBF",
                                      "\xC3",
                                      "\xC3x",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xE2\x82",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "\xE2\x82x",
                                      "\xF0\x90\x80x",
                                      "a\xC3\xA4\xA4"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CU_ASSERT_TRUE(koine__utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(koine__utf8_valid(bad[i], strlen(bad[i])));
    CU_ASSERT_TRUE(koine__utf8_valid("a\0b", 3));
    ASSERT_INT(koine__utf8_length("\xE2\x82\xAC!", 4), 3);
    ASSERT_INT(koine__utf8_length("\xE2\x82\xAC", 2), 0);
}

SUITE_MAIN("str", {"compare", test_compare}, {"trim and cut", test_trim_and_cut}, {"names", test_names},
           {"integers", test_integers}, {"durations", test_durations},
           {"durations refused", test_durations_refused}, {"durations written", test_durations_written},
           {"sizes", test_sizes}, {"booleans", test_booleans}, {"decimals", test_decimals},
           {"dollars", test_dollars}, {"dates", test_dates}, {"dates written", test_dates_written},
           {"moments written", test_moments_written}, {"every day reads back", test_every_day_reads_back},
           {"HTTP dates", test_http_dates}, {"truncated dates", test_truncated_dates},
           {"nearest", test_nearest}, {"UTF-8", test_utf8})
