/* dialect_text: words, plain text and decimals, as the wire has them. Bytes in, bytes out. */
#include "core/dialect/dialect.h"

#define PICO_DIGITS  12 /* decimals of a dollar that a picodollar is */
#define EXACT_DIGITS 18 /* digits that any int64 can hold */

koine_str koine__dialect_str(const char *text)
{
    return (koine_str){text, text ? strlen(text) : 0};
}

bool koine__dialect_is(koine_str text, const char *word)
{
    size_t len = strlen(word);
    return text.len == len && (len == 0 || memcmp(text.ptr, word, len) == 0);
}

bool koine__dialect_is_one_of(koine_str text, const char *const *words)
{
    while (*words && !koine__dialect_is(text, *words))
        words++;
    return *words != NULL;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool starts_nocase(const char *text, const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (lower(text[i]) != lower(word[i]))
            return false;
    return true;
}

bool koine__dialect_has(koine_str text, const char *word)
{
    size_t len = strlen(word);
    if (len == 0)
        return true;
    for (size_t i = 0; i + len <= text.len; i++)
        if (starts_nocase(text.ptr + i, word, len))
            return true;
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

koine_str koine__dialect_trim(koine_str text)
{
    while (text.len > 0 && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

bool koine__dialect_is_markup(koine_str text)
{
    text = koine__dialect_trim(text);
    return text.len > 1 && text.ptr[0] == '<';
}

/* Bytes of the UTF-8 sequence at the front, 0: it is none. Overlong forms and surrogates are none either. */
static size_t sequence(koine_str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || text.len < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    bool wrong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
                 (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F);
    return wrong ? 0 : len;
}

/* What ends the markup at the front: scripts, styles and comments have ends of their own. */
static const char *markup_end(koine_str text)
{
    static const struct {
        const char *start, *end;
    } kinds[] = {{"<script", "</script>"}, {"<style", "</style>"}, {"<!--", "-->"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (text.len >= strlen(kinds[i].start) &&
            starts_nocase(text.ptr, kinds[i].start, strlen(kinds[i].start)))
            return kinds[i].end;
    return ">";
}

static size_t markup(koine_str text)
{
    const char *end = markup_end(text);
    size_t len = strlen(end);
    for (size_t i = 1; i + len <= text.len; i++)
        if (starts_nocase(text.ptr + i, end, len))
            return i + len;
    return text.len;
}

size_t koine__dialect_plain(koine_str text, char *ret, size_t size)
{
    bool tags = koine__dialect_is_markup(text), space = false;
    size_t used = 0;
    while (text.len > 0) {
        bool tag = tags && text.ptr[0] == '<';
        size_t len = tag ? markup(text) : sequence(text);
        bool drop = tag || len == 0 || (unsigned char)text.ptr[0] <= ' ' || text.ptr[0] == 0x7F;
        if (!drop) {
            bool apart = space && used > 0;
            if (used + apart + len > size)
                break;
            if (apart)
                ret[used++] = ' ';
            memcpy(ret + used, text.ptr, len);
            used += len;
        }
        space = drop && (space || len > 0);
        text.ptr += len ? len : 1;
        text.len -= len ? len : 1;
    }
    return used;
}

struct decimal { /* digits * 10^exponent */
    int64_t digits;
    int exponent;
};

/* The digits up to a point, an exponent or the end; those past the exact ones only move the exponent. */
static size_t read_digits(koine_str text, size_t pos, bool fraction, struct decimal *number)
{
    static const int64_t full = 99999999999999999; /* one more digit still fits */
    for (; pos < text.len && text.ptr[pos] >= '0' && text.ptr[pos] <= '9'; pos++) {
        bool fits = number->digits <= full;
        if (fits)
            number->digits = number->digits * 10 + (text.ptr[pos] - '0');
        if (fits == fraction)
            number->exponent += fraction ? -1 : 1;
    }
    return pos;
}

static int read_exponent(koine_str text, size_t pos)
{
    bool minus = pos < text.len && text.ptr[pos] == '-';
    int value = 0;
    if (pos < text.len && (text.ptr[pos] == '-' || text.ptr[pos] == '+'))
        pos++;
    for (; pos < text.len && value < 1000; pos++)
        value = value * 10 + (text.ptr[pos] - '0');
    return minus ? -value : value;
}

static int64_t scaled(struct decimal number)
{
    int64_t value = number.digits;
    for (int i = number.exponent; i > 0 && value > 0; i--)
        if (__builtin_mul_overflow(value, (int64_t)10, &value))
            return -1;
    if (number.exponent >= 0)
        return value;
    if (number.exponent < -EXACT_DIGITS - 1)
        return 0;
    for (int i = number.exponent; i < -1; i++)
        value /= 10;
    return value / 10 + (value % 10 >= 5);
}

int64_t koine__dialect_pico(koine_str number)
{
    struct decimal read = {.exponent = PICO_DIGITS};
    if (number.len == 0 || number.ptr[0] == '-')
        return -1;
    size_t pos = read_digits(number, 0, false, &read);
    if (pos < number.len && number.ptr[pos] == '.')
        pos = read_digits(number, pos + 1, true, &read);
    if (pos < number.len)
        read.exponent += read_exponent(number, pos + 1);
    return scaled(read);
}
