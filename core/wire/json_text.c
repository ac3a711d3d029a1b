/* json_text: strings and numbers inside JSON text, exactly and without the locale. */
#include "core/wire/json_text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- UTF-8 ------------------------------------------------------------------------------------------------
 */

static bool in_range(const char *ptr, const char *end, unsigned char low, unsigned char high)
{
    return ptr < end && (unsigned char)*ptr >= low && (unsigned char)*ptr <= high;
}

int koine__utf8_step(const char *ptr, const char *end)
{
    unsigned char lead = (unsigned char)*ptr;
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return -1;
    int length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    /* The second byte is what rules out overlong forms, surrogates, and what lies past U+10FFFF. */
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (!in_range(ptr + 1, end, low, high))
        return -1;
    for (int i = 2; i < length; i++)
        if (!in_range(ptr + i, end, 0x80, 0xbf))
            return -i;
    return length;
}

static size_t put_utf8(uint32_t code, char *ret)
{
    if (code < 0x80) {
        ret[0] = (char)code;
        return 1;
    }
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    ret[0] = (char)(leads[more] | code >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        ret[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

/* ---- Strings ----------------------------------------------------------------------------------------------
 */

static uint32_t read_hex4(const char *ptr)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t c = (unsigned char)ptr[i];
        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* The code point of an escape "\uXXXX" or of a pair of them; *ptr moves behind it. */
static uint32_t read_unicode(const char **ptr, const char *end)
{
    uint32_t code = read_hex4(*ptr + 2);
    *ptr += 6;
    if (code < 0xd800 || code > 0xdfff)
        return code;
    if (code > 0xdbff || end - *ptr < 6 || (*ptr)[0] != '\\' || (*ptr)[1] != 'u')
        return 0xfffd;
    uint32_t low = read_hex4(*ptr + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return 0xfffd;
    *ptr += 6;
    return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

static char unescape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

/* Decodes the escape at *ptr, moves behind it, and returns how many bytes it gave. */
static size_t read_escape(const char **ptr, const char *end, char ret[4])
{
    if ((*ptr)[1] == 'u')
        return put_utf8(read_unicode(ptr, end), ret);
    ret[0] = unescape((*ptr)[1]);
    *ptr += 2;
    return 1;
}

size_t koine__json_decode(koine_str raw, char *ret)
{
    const char *ptr = raw.ptr, *end = raw.ptr + raw.len;
    size_t len = 0;
    while (ptr < end) {
        const char *stop = koine__json_stop(ptr, end);
        memcpy(ret + len, ptr, (size_t)(stop - ptr));
        len += (size_t)(stop - ptr);
        ptr = stop;
        if (ptr < end)
            len += read_escape(&ptr, end, ret + len);
    }
    return len;
}

struct cursor { /* over the decoded bytes of a string */
    const char *ptr, *end;
    char escape[4];
    size_t at, count; /* of the escape's bytes */
};

/* The next decoded byte, or -1. */
static int next_byte(struct cursor *cursor)
{
    if (cursor->at < cursor->count)
        return (unsigned char)cursor->escape[cursor->at++];
    if (cursor->ptr == cursor->end)
        return -1;
    if (*cursor->ptr != '\\')
        return (unsigned char)*cursor->ptr++;
    cursor->count = read_escape(&cursor->ptr, cursor->end, cursor->escape);
    cursor->at = 1;
    return (unsigned char)cursor->escape[0];
}

uint32_t koine__json_hash(koine_str raw)
{
    struct cursor cursor = {.ptr = raw.ptr, .end = raw.ptr + raw.len};
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (int c; (c = next_byte(&cursor)) >= 0;)
        hash = (hash ^ (uint32_t)c) * 16777619u;
    return hash;
}

int koine__json_compare(koine_str a, koine_str b)
{
    struct cursor left = {.ptr = a.ptr, .end = a.ptr + a.len};
    struct cursor right = {.ptr = b.ptr, .end = b.ptr + b.len};
    int l, r;
    do {
        l = next_byte(&left);
        r = next_byte(&right);
    } while (l == r && l >= 0);
    return l - r;
}

/* ---- Numbers ----------------------------------------------------------------------------------------------
 */

struct decimal { /* digits × 10^exponent; the digits have no zeros around them and maybe a point inside */
    const char *first, *last; /* NULL: the number is zero */
    int64_t count;            /* digits from first to last */
    int64_t exponent;
    bool negative;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int64_t read_exponent(const char *ptr, const char *end)
{
    bool negative = *ptr == '-';
    int64_t value = 0;
    for (ptr += !is_digit(*ptr); ptr < end; ptr++)
        if (value < INT64_MAX / 100) /* beyond any text's length: no more digits can bring it back */
            value = value * 10 + (*ptr - '0');
    return negative ? -value : value;
}

static struct decimal split(koine_str number)
{
    const char *ptr = number.ptr, *end = ptr + number.len;
    struct decimal dec = {.negative = *ptr == '-'};
    int64_t after_point = 0, zeros = 0; /* zeros since the last other digit */
    bool point = false;
    for (ptr += dec.negative; ptr < end && *ptr != 'e' && *ptr != 'E'; ptr++) {
        if (*ptr == '.') {
            point = true;
            continue;
        }
        after_point += point;
        zeros++;
        if (*ptr == '0')
            continue;
        dec.count += dec.first ? zeros : 1;
        dec.first = dec.first ? dec.first : ptr;
        dec.last = ptr;
        zeros = 0;
    }
    dec.exponent = zeros - after_point + (ptr < end ? read_exponent(ptr + 1, end) : 0);
    return dec;
}

bool koine__json_whole(koine_str number, int64_t *ret)
{
    struct decimal dec = split(number);
    uint64_t value = 0, max = dec.negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    if (dec.first && (dec.exponent < 0 || dec.exponent > 19 || dec.count + dec.exponent > 19))
        return false;
    for (const char *ptr = dec.first; dec.first && ptr <= dec.last; ptr++)
        if (*ptr != '.')
            value = value * 10 + (uint64_t)(*ptr - '0'); /* 19 digits fit */
    for (int64_t i = 0; dec.first && i < dec.exponent; i++)
        value *= 10;
    if (value > max)
        return false;
    *ret = dec.negative ? (int64_t)-value : (int64_t)value;
    return true;
}

/* strtod in the C locale, whatever the process or the thread has set. */
static double read_real(const char *text)
{
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        return (double)NAN;
    double value = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    return value;
}

bool koine__json_real(const char *number, double *ret)
{
    double value = read_real(number);
    if (!isfinite(value))
        return false;
    *ret = value;
    return true;
}

/* Whatever the locale writes between the digits becomes one point. */
static void replace_point(char *text)
{
    char *first = text + strspn(text, "-0123456789e+");
    if (!*first)
        return;
    char *after = first + strcspn(first, "-0123456789e+");
    *first = '.';
    memmove(first + 1, after, strlen(after) + 1);
}

bool koine__json_print_real(double value, char ret[32])
{
    if (!isfinite(value))
        return false;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(ret, 32, "%.*g", digits, value);
        replace_point(ret);
        if (read_real(ret) == value)
            break;
    }
    return true;
}
