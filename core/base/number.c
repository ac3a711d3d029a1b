/* number: the strict readers of integers, decimals, durations and sizes. Integer arithmetic only; what does
 * not fit exactly is refused. */
#include "core/base/str.h"

#include <inttypes.h>
#include <koine/koine.h>
#include <stdio.h>
#include <string.h>

#define PICODOLLARS    UINT64_C(1000000000000) /* in a dollar */
#define DOLLAR_DIGITS  12
#define LEAST_DECIMALS 2

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit time_units[] = {
    {"ms", INT64_C(1000000)},      {"s", INT64_C(1000000000)},     {"m", INT64_C(60000000000)},
    {"h", INT64_C(3600000000000)}, {"d", INT64_C(86400000000000)},
};
static const struct unit size_units[] = {
    {"B", 1},         {"kB", 1000},     {"MB", 1000000},  {"GB", 1000000000},
    {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
};
#define SECOND     INT64_C(1000000000)
#define TIME_UNITS (sizeof(time_units) / sizeof(time_units[0]))
#define SIZE_UNITS (sizeof(size_units) / sizeof(size_units[0]))

/* Cuts the digits from the front of *rest. */
static koine_str cut_digits(koine_str *rest)
{
    koine_str digits = {rest->ptr, 0};
    while (digits.len < rest->len && rest->ptr[digits.len] >= '0' && rest->ptr[digits.len] <= '9')
        digits.len++;
    rest->ptr += digits.len;
    rest->len -= digits.len;
    return digits;
}

/* Digits times factor, signed: -1 or 1, so that INT64_MIN can be read. False: none, or it does not fit. */
static bool times(koine_str digits, int64_t factor, int sign, int64_t *ret)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
        if (__builtin_add_overflow(value, sign * (digits.ptr[i] - '0'), &value))
            return false;
    }
    return digits.len && !__builtin_mul_overflow(value, factor, ret);
}

/* Adds the fraction's digits, each worth a tenth of the place before; digits that have no exact place are
 * refused. */
static bool add_fraction(koine_str digits, int64_t place, int sign, int64_t *value)
{
    for (size_t i = 0; i < digits.len; i++) {
        int digit = digits.ptr[i] - '0';
        if (digit && place % 10)
            return false;
        place = place % 10 ? 1 : place / 10;
        if (__builtin_add_overflow(*value, sign * digit * place, value))
            return false;
    }
    return true;
}

/* Cuts `.digits` from the front of *rest; false: a point with nothing behind it. */
static bool cut_fraction(koine_str *rest, koine_str *ret)
{
    *ret = (koine_str){rest->ptr, 0};
    if (!rest->len || rest->ptr[0] != '.')
        return true;
    rest->ptr++;
    rest->len--;
    *ret = cut_digits(rest);
    return ret->len > 0;
}

static int cut_sign(koine_str *text)
{
    if (!text->len || text->ptr[0] != '-')
        return 1;
    text->ptr++;
    text->len--;
    return -1;
}

static int64_t factor_of(koine_str name, const struct unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (koine__str_is(name, units[i].name))
            return units[i].factor;
    return 0;
}

int koine__read_int(koine_str text, int64_t min, int64_t max, int64_t *ret)
{
    int64_t value;
    int sign = cut_sign(&text);
    koine_str digits = cut_digits(&text);
    if (text.len || !times(digits, 1, sign, &value) || value < min || value > max)
        return KOINE_EARGUMENT;
    *ret = value;
    return KOINE_OK;
}

int koine__read_duration(koine_str text, int64_t *ret_ns)
{
    if (koine__str_is(text, "off") || koine__str_is(text, "0")) {
        *ret_ns = koine__str_is(text, "off") ? -1 : 0;
        return KOINE_OK;
    }
    int64_t value;
    koine_str fraction, digits = cut_digits(&text);
    if (!cut_fraction(&text, &fraction) || fraction.len > 9)
        return KOINE_EARGUMENT;
    int64_t factor = factor_of(text, time_units, TIME_UNITS);
    if (!factor || !times(digits, factor, 1, &value) || !add_fraction(fraction, factor, 1, &value))
        return KOINE_EARGUMENT;
    *ret_ns = value;
    return KOINE_OK;
}

int koine__read_size(koine_str text, int64_t *ret_bytes)
{
    int64_t value = 0;
    if (!koine__str_is(text, "0")) {
        koine_str digits = cut_digits(&text);
        int64_t factor = factor_of(text, size_units, SIZE_UNITS);
        if (!factor || !times(digits, factor, 1, &value))
            return KOINE_EARGUMENT;
    }
    *ret_bytes = value;
    return KOINE_OK;
}

int koine__read_bool(koine_str text, bool *ret)
{
    static const char *const yes[] = {"true", "True", "TRUE"};
    static const char *const no[] = {"false", "False", "FALSE"};
    for (size_t i = 0; i < 3; i++) {
        if (!koine__str_is(text, yes[i]) && !koine__str_is(text, no[i]))
            continue;
        *ret = koine__str_is(text, yes[i]);
        return KOINE_OK;
    }
    return KOINE_EARGUMENT;
}

int koine__read_decimal(koine_str text, unsigned scale, int64_t *ret)
{
    int64_t factor = 1, value;
    for (unsigned i = 0; i < scale; i++)
        if (__builtin_mul_overflow(factor, 10, &factor))
            return KOINE_EARGUMENT;
    int sign = cut_sign(&text);
    koine_str fraction, digits = cut_digits(&text);
    if (!cut_fraction(&text, &fraction) || text.len)
        return KOINE_EARGUMENT;
    if (!times(digits, factor, sign, &value) || !add_fraction(fraction, factor, sign, &value))
        return KOINE_EARGUMENT;
    *ret = value;
    return KOINE_OK;
}

int koine__read_usd(koine_str text, int64_t *ret)
{
    int64_t value;
    if (koine__read_decimal(text, DOLLAR_DIGITS, &value) || value < 0)
        return KOINE_EARGUMENT;
    *ret = value;
    return KOINE_OK;
}

size_t koine__write_digits(uint64_t value, char *ret)
{
    char digits[20];
    size_t len = 0;
    do {
        digits[len++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < len; i++)
        ret[i] = digits[len - 1 - i];
    return len;
}

/* "1.5s" into ret[48]; its length, or 0 if the unit cannot say it in nine digits behind the point. Written
 * without printf, since every refusal says how long it will hold. */
static size_t write_in(int64_t ns, const struct unit *unit, char *ret)
{
    int64_t rest = ns % unit->factor;
    int64_t place = unit->factor;
    size_t len = koine__write_digits((uint64_t)(ns / unit->factor), ret);
    if (rest)
        ret[len++] = '.';
    for (int i = 0; rest && i < 9 && place % 10 == 0; i++) {
        place /= 10;
        ret[len++] = (char)('0' + rest / place);
        rest %= place;
    }
    if (rest)
        return 0;
    return (size_t)(stpcpy(ret + len, unit->name) - ret);
}

void koine__write_duration(int64_t ns, char *ret, size_t size)
{
    char best[48] = "", text[48];
    size_t shortest = 0;
    /* Ties go to the smaller unit: 250ms, not 0.25s; and 90s, not 1.5m. */
    for (size_t i = 0; ns > 0 && i < TIME_UNITS && (i == 0 || ns >= time_units[i].factor); i++) {
        if (i == 0 && ns % SECOND == 0) /* then seconds say it shorter */
            continue;
        size_t len = write_in(ns, &time_units[i], text);
        if (len == 0 || (shortest > 0 && len >= shortest))
            continue;
        memcpy(best, text, len + 1);
        shortest = len;
    }
    if (ns <= 0)
        memcpy(best, ns ? "off" : "0", ns ? sizeof("off") : sizeof("0"));
    if (size == 0)
        return;
    shortest = strlen(best) < size ? strlen(best) : size - 1;
    memcpy(ret, best, shortest);
    ret[shortest] = '\0';
}

void koine__write_usd(int64_t picodollars, char *ret, size_t size)
{
    uint64_t amount = picodollars < 0 ? 0 - (uint64_t)picodollars : (uint64_t)picodollars;
    char decimals[DOLLAR_DIGITS + 1];
    snprintf(decimals, sizeof(decimals), "%0*" PRIu64, DOLLAR_DIGITS, amount % PICODOLLARS);
    int len = DOLLAR_DIGITS;
    while (len > LEAST_DECIMALS && decimals[len - 1] == '0')
        len--;
    snprintf(ret, size, "%s%" PRIu64 ".%.*s", picodollars < 0 ? "-" : "", amount / PICODOLLARS, len,
             decimals);
}
