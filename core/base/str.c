/* str: borrowed strings. Numbers and units are in number.c, dates in date.c. */
#include "core/base/str.h"

#include <string.h>

#define LONGEST_NAME     ((size_t)64)
#define LONGEST_COMPARED ((size_t)128)

koine_str koine__str(const char *text)
{
    return (koine_str){text, text ? strlen(text) : 0};
}

bool koine__str_eq(koine_str a, koine_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool koine__str_is(koine_str a, const char *text)
{
    return koine__str_eq(a, koine__str(text));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_nocase(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool koine__str_is_nocase(koine_str a, const char *text)
{
    koine_str b = koine__str(text);
    return a.len == b.len && same_nocase(a.ptr, b.ptr, a.len);
}

bool koine__str_has_nocase(koine_str hay, const char *needle)
{
    koine_str b = koine__str(needle);
    for (size_t at = 0; at + b.len <= hay.len; at++)
        if (same_nocase(hay.ptr + at, b.ptr, b.len))
            return true;
    return false;
}

bool koine__str_starts(koine_str a, const char *prefix)
{
    koine_str b = koine__str(prefix);
    return a.len >= b.len && (b.len == 0 || memcmp(a.ptr, b.ptr, b.len) == 0);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

koine_str koine__str_trim(koine_str a)
{
    while (a.len && is_space(a.ptr[0])) {
        a.ptr++;
        a.len--;
    }
    while (a.len && is_space(a.ptr[a.len - 1]))
        a.len--;
    return a;
}

koine_str koine__str_cut(koine_str *rest, char separator)
{
    koine_str piece = *rest;
    const char *at = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    *rest = (koine_str){NULL, 0};
    if (at) {
        size_t len = (size_t)(at - piece.ptr);
        *rest = (koine_str){at + 1, piece.len - len - 1};
        piece.len = len;
    }
    return piece;
}

bool koine__is_name(koine_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = lower(text.ptr[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return text.len >= 1 && text.len <= LONGEST_NAME;
}

/* Levenshtein's distance with one row; both texts are at most LONGEST_COMPARED long. */
static size_t distance(koine_str a, koine_str b)
{
    size_t row[LONGEST_COMPARED + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b.len];
}

const char *koine__nearest(const char *text, const char *const *candidates, size_t count)
{
    koine_str wanted = koine__str(text);
    const char *nearest = NULL;
    if (wanted.len > LONGEST_COMPARED)
        return NULL;
    size_t limit = (wanted.len + 2) / 3 > 2 ? (wanted.len + 2) / 3 : 2;
    for (size_t i = 0; i < count; i++) {
        koine_str candidate = koine__str(candidates[i]);
        if (candidate.len > LONGEST_COMPARED)
            continue;
        size_t d = distance(wanted, candidate);
        /* Nothing in common is no likeness, however short both are. */
        if (d > limit || (d && d >= wanted.len) || (d && d >= candidate.len))
            continue;
        nearest = candidates[i];
        if (d == 0)
            break;
        limit = d - 1;
    }
    return nearest;
}

/* The range of the second byte is what keeps overlong forms, surrogates and U+110000 out. */
size_t koine__utf8_length(const char *ptr, size_t len)
{
    const unsigned char *p = (const unsigned char *)ptr;
    size_t size = 0;
    unsigned char low = 0x80, high = 0xBF;
    if (len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        size = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        size = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        size = 4;
    if (size == 0 || size > len)
        return 0;
    if (p[0] == 0xE0 || p[0] == 0xF0)
        low = p[0] == 0xE0 ? 0xA0 : 0x90;
    if (p[0] == 0xED || p[0] == 0xF4)
        high = p[0] == 0xED ? 0x9F : 0x8F;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return size;
}

bool koine__utf8_valid(const char *ptr, size_t len)
{
    while (len) {
        size_t size = koine__utf8_length(ptr, len);
        if (size == 0)
            return false;
        ptr += size;
        len -= size;
    }
    return true;
}
