/* date: calendar dates without libc's, which would read the time zone and the locale. All are UTC, Gregorian.
 */
#include "core/base/str.h"

#include <koine/koine.h>
#include <stdio.h>
#include <string.h>

#define DAY        INT64_C(86400)
#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_SEC INT64_C(1000000000)

struct parts {
    int year, month, day, hour, minute, second;
};

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                       "Friday", "Saturday", "Sunday"};

/* Days since 1970-01-01 (Howard Hinnant's days_from_civil): the year begins in March, so leap days come last.
 */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static struct parts civil_from_days(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    struct parts parts = {0};
    parts.day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    parts.month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    parts.year = (int)(year_of_era + era * 400 + (parts.month <= 2));
    return parts;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool cut_number(koine_str *text, size_t digits, int *ret)
{
    if (text->len < digits)
        return false;
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        value = value * 10 + (text->ptr[i] - '0');
    }
    text->ptr += digits;
    text->len -= digits;
    *ret = value;
    return true;
}

static bool cut_text(koine_str *text, const char *wanted, size_t len)
{
    if (text->len < len || memcmp(text->ptr, wanted, len) != 0)
        return false;
    text->ptr += len;
    text->len -= len;
    return true;
}

/* The name need not fit the date: a vendor's slip there must not cost us its advice. */
static bool cut_weekday(koine_str *text, bool whole)
{
    for (size_t i = 0; i < 7; i++)
        if (cut_text(text, weekdays[i], whole ? strlen(weekdays[i]) : 3))
            return true;
    return false;
}

static bool cut_month(koine_str *text, int *ret)
{
    for (int i = 0; i < 12; i++)
        if (cut_text(text, months + (size_t)i * 3, 3)) {
            *ret = i + 1;
            return true;
        }
    return false;
}

static bool cut_time(koine_str *text, struct parts *parts)
{
    return cut_number(text, 2, &parts->hour) && cut_text(text, ":", 1) &&
           cut_number(text, 2, &parts->minute) && cut_text(text, ":", 1) &&
           cut_number(text, 2, &parts->second);
}

/* Two digits stand for 1970 to 2069: there is no clock here to ask. */
static bool cut_short_year(koine_str *text, int *ret)
{
    int year;
    if (!cut_number(text, 2, &year))
        return false;
    *ret = year < 70 ? 2000 + year : 1900 + year;
    return true;
}

static bool cut_field(koine_str *text, char field, struct parts *parts)
{
    switch (field) {
    case 'a':
        return cut_weekday(text, false);
    case 'A':
        return cut_weekday(text, true);
    case 'b':
        return cut_month(text, &parts->month);
    case 'd':
        return cut_number(text, 2, &parts->day);
    case 'e':
        return cut_text(text, " ", 1) ? cut_number(text, 1, &parts->day) : cut_number(text, 2, &parts->day);
    case 'm':
        return cut_number(text, 2, &parts->month);
    case 'T':
        return cut_time(text, parts);
    case 'y':
        return cut_short_year(text, &parts->year);
    default:
        return cut_number(text, 4, &parts->year);
    }
}

/* Reads the whole text after a pattern of fields (%Y) and literal characters. */
static bool read_pattern(koine_str text, const char *pattern, struct parts *ret)
{
    *ret = (struct parts){0};
    for (; *pattern; pattern++) {
        bool field = *pattern == '%';
        if (field ? !cut_field(&text, *++pattern, ret) : !cut_text(&text, pattern, 1))
            return false;
    }
    return text.len == 0;
}

/* A leap second is read as the second after it. */
static int seconds_of(const struct parts *parts, int64_t *ret)
{
    if (parts->month < 1 || parts->month > 12 || parts->day < 1)
        return KOINE_EARGUMENT;
    if (parts->day > days_in_month(parts->year, parts->month))
        return KOINE_EARGUMENT;
    if (parts->hour > 23 || parts->minute > 59 || parts->second > 60)
        return KOINE_EARGUMENT;
    *ret = days_from_civil(parts->year, parts->month, parts->day) * DAY + parts->hour * 3600 +
           parts->minute * 60 + parts->second;
    return KOINE_OK;
}

static int read_any(koine_str text, const char *const *patterns, size_t count, int64_t *ret)
{
    struct parts parts;
    for (size_t i = 0; i < count; i++)
        if (read_pattern(text, patterns[i], &parts))
            return seconds_of(&parts, ret);
    return KOINE_EARGUMENT;
}

int koine__read_date(koine_str text, int64_t *ret_seconds)
{
    static const char *const patterns[] = {"%Y-%m-%d", "%Y-%m-%dT%TZ"};
    return read_any(text, patterns, 2, ret_seconds);
}

int koine__read_http_date(koine_str text, int64_t *ret_seconds)
{
    static const char *const patterns[] = {"%a, %d %b %Y %T GMT", "%A, %d-%b-%y %T GMT", "%a %b %e %T %Y"};
    return read_any(text, patterns, 3, ret_seconds);
}

void koine__write_date(int64_t seconds, char ret[11])
{
    int64_t days = seconds / DAY - (seconds % DAY < 0);
    struct parts parts = civil_from_days(days);
    unsigned year = parts.year < 0 ? 0 : parts.year > 9999 ? 9999 : (unsigned)parts.year;
    snprintf(ret, 11, "%04u-%02u-%02u", year % 10000, (unsigned)parts.month % 100, (unsigned)parts.day % 100);
}

void koine__write_moment(int64_t ns, char ret[KOINE__MOMENT])
{
    int64_t seconds = ns / NS_PER_SEC - (ns % NS_PER_SEC < 0);
    unsigned ms = (unsigned)((ns % NS_PER_SEC + NS_PER_SEC) % NS_PER_SEC / NS_PER_MS);
    unsigned second = (unsigned)((seconds % DAY + DAY) % DAY);
    koine__write_date(seconds, ret);
    snprintf(ret + 10, KOINE__MOMENT - 10, "T%02u:%02u:%02u.%03uZ", second / 3600 % 24, second / 60 % 60,
             second % 60, ms % 1000);
}
