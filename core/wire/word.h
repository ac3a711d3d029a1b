/* word: looks at eight bytes at a time. What scans bytes on the hot path is built on it. */
#ifndef KOINE_CORE_WIRE_WORD_H
#define KOINE_CORE_WIRE_WORD_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define KOINE__ONES  UINT64_C(0x0101010101010101)
#define KOINE__HIGHS UINT64_C(0x8080808080808080)

/* Eight bytes, the first one lowest. */
static inline uint64_t koine__word(const char *ptr)
{
    uint64_t word;
    memcpy(&word, ptr, sizeof(word));
    return le64toh(word);
}

/* The high bit of each byte below n (at most 128) is set; bytes after the first such one may be set in error.
 */
static inline uint64_t koine__word_below(uint64_t word, uint64_t n)
{
    return (word - KOINE__ONES * n) & ~word & KOINE__HIGHS;
}

static inline uint64_t koine__word_has(uint64_t word, unsigned char c)
{
    return koine__word_below(word ^ (KOINE__ONES * c), 1);
}

/* The index of the first byte whose high bit is set; hits is not 0. */
static inline unsigned koine__word_first(uint64_t hits)
{
    return (unsigned)__builtin_ctzll(hits) / 8;
}

#endif
