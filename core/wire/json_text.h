/* json_text: what strings and numbers look like inside JSON text. For the json files of this folder, and for
 * whoever counts bytes of checked text.
 *
 * The inline part is the hot path of scanner and writer: sixteen bytes at a time where the processor can,
 * else eight, then one UTF-8 sequence at a time.
 */
#ifndef KOINE_CORE_WIRE_JSON_TEXT_H
#define KOINE_CORE_WIRE_JSON_TEXT_H

#include "core/base/str.h"
#include "core/wire/word.h"

#include <stdbool.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifdef __SSE2__
/* Sixteen bytes, and a bit for each of a mask. */
static inline __m128i koine__block(const char *ptr)
{
    return _mm_loadu_si128((const __m128i *)(const void *)ptr);
}

static inline unsigned koine__block_stops(__m128i block)
{
    return (unsigned)_mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))));
}

/* As signed numbers, all that is not ASCII is below the space too. */
static inline unsigned koine__block_below_space(__m128i block)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(block, _mm_set1_epi8(0x20)));
}
#endif

/* The first byte that is no plain one inside a string: a quote, a backslash, a control character, not ASCII;
 * or end. */
static inline const char *koine__json_plain(const char *ptr, const char *end)
{
#ifdef __SSE2__
    for (; end - ptr >= 16; ptr += 16) {
        __m128i block = koine__block(ptr);
        unsigned hits = koine__block_stops(block) | koine__block_below_space(block);
        if (hits)
            return ptr + __builtin_ctz(hits);
    }
#endif
    for (; end - ptr >= 8; ptr += 8) {
        uint64_t word = koine__word(ptr);
        uint64_t hits = (word & KOINE__HIGHS) | koine__word_below(word, 0x20) | koine__word_has(word, '"') |
                        koine__word_has(word, '\\');
        if (hits)
            return ptr + koine__word_first(hits);
    }
    while (ptr < end && (unsigned char)(*ptr - 0x20) < 0x60 && *ptr != '"' && *ptr != '\\')
        ptr++;
    return ptr;
}

/* A quote or a backslash, or end: all that matters in a string that was checked before. */
static inline const char *koine__json_stop(const char *ptr, const char *end)
{
#ifdef __SSE2__
    for (; end - ptr >= 16; ptr += 16) {
        unsigned hits = koine__block_stops(koine__block(ptr));
        if (hits)
            return ptr + __builtin_ctz(hits);
    }
#endif
    for (; end - ptr >= 8; ptr += 8) {
        uint64_t word = koine__word(ptr);
        uint64_t hits = koine__word_has(word, '"') | koine__word_has(word, '\\');
        if (hits)
            return ptr + koine__word_first(hits);
    }
    while (ptr < end && *ptr != '"' && *ptr != '\\')
        ptr++;
    return ptr;
}

static inline const char *koine__json_space(const char *ptr, const char *end)
{
    while (ptr < end && (*ptr == ' ' || *ptr == '\n' || *ptr == '\r' || *ptr == '\t'))
        ptr++;
    return ptr;
}

/* How many bytes the UTF-8 sequence at ptr has, or minus the bytes of its beginning if it is none (RFC 3629).
 */
int koine__utf8_step(const char *ptr, const char *end);

/* What stands between the quotes of a checked string, decoded into `ret`, which has room for raw.len bytes.
 * The length. A surrogate escape without its other half gives U+FFFD: vendors cut text at token borders. */
size_t koine__json_decode(koine_str raw, char *ret);
/* Over and by the decoded bytes. */
uint32_t koine__json_hash(koine_str raw);
int koine__json_compare(koine_str a, koine_str b);

/* A checked number as an integer, if it is whole and in range: 3.0 and 1e2 are. */
bool koine__json_whole(koine_str number, int64_t *ret);
/* A checked number, NUL-terminated, as a double; false: out of range. */
bool koine__json_real(const char *number, double *ret);
/* The shortest of 15, 16 and 17 digits that reads back the same; false: no finite number. */
bool koine__json_print_real(double value, char ret[32]);

#endif
