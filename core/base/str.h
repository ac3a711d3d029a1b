/* str: borrowed strings with a length, and the strict readers of numbers, durations, sizes and decimals.
 *
 * Readers take the whole text or nothing: 0, or KOINE_EARGUMENT and *ret untouched. Nothing here touches the
 * locale.
 */
#ifndef KOINE_CORE_BASE_STR_H
#define KOINE_CORE_BASE_STR_H

#include <koine/provider.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

koine_str koine__str(const char *text); /* NULL gives {NULL, 0} */
#define KOINE__STR(literal) ((koine_str){(literal), sizeof(literal) - 1})
bool koine__str_eq(koine_str a, koine_str b);
bool koine__str_is(koine_str a, const char *text);
bool koine__str_is_nocase(koine_str a, const char *text); /* ASCII letters without case */
bool koine__str_has_nocase(koine_str hay, const char *needle);
bool koine__str_starts(koine_str a, const char *prefix);
koine_str koine__str_trim(koine_str a); /* spaces, tabs, CR, LF at both ends */
koine_str koine__str_cut(
    koine_str *rest,
    char separator); /* what stands before it; *rest what is after; rest->ptr NULL at the end */

int koine__read_int(koine_str text, int64_t min, int64_t max, int64_t *ret); /* decimal, optional '-' */
int koine__read_duration(
    koine_str text,
    int64_t *ret_ns); /* a number and a unit: 250ms 1.5s 2m 1h 3d; "0" alone is fine; "off" is -1 */
int koine__read_size(koine_str text,
                     int64_t *ret_bytes);        /* 4096B 64KiB 16MiB 1GiB, kB MB GB by 1000; "0" alone */
int koine__read_bool(koine_str text, bool *ret); /* true false (as YAML 1.2 core has them) */
/* A decimal number ("0.18", "1e-3" is refused) times 10^scale as an integer, exact; more digits than fit are
 * refused. */
int koine__read_decimal(koine_str text, unsigned scale, int64_t *ret);
int koine__read_usd(koine_str text, int64_t *ret); /* the same, US dollars in picodollars, not negative */
int koine__read_date(koine_str text, int64_t *ret_seconds);      /* 2024-07-23 or 2024-07-23T10:00:00Z, UTC */
int koine__read_http_date(koine_str text, int64_t *ret_seconds); /* RFC 9110: IMF-fixdate, RFC 850, asctime */

size_t koine__write_digits(uint64_t value, char *ret); /* decimal, at most 20, no NUL; how many */
void koine__write_duration(int64_t ns, char *ret,
                           size_t size); /* shortest that reads back: "1.5s"; -1 is "off" */
/* Decimal dollars, exact, at least two decimals: 12345 → "0.000000012345". */
void koine__write_usd(int64_t picodollars, char *ret, size_t size);
void koine__write_date(int64_t seconds, char ret[11]); /* "2024-07-23" */
#define KOINE__MOMENT 25
void koine__write_moment(int64_t ns, char ret[KOINE__MOMENT]); /* since 1970: "2024-07-23T10:00:00.250Z" */

bool koine__is_name(koine_str text); /* [A-Za-z0-9_-]{1,64}: instances, routes, plugins */

/* The candidate nearest to `text` (edit distance of at most a third of its length, rounded up, at least 2),
 * or NULL. */
const char *koine__nearest(const char *text, const char *const *candidates, size_t count);

/* Bytes of the first character, 0 if there is none or it is not valid (RFC 3629). */
size_t koine__utf8_length(const char *ptr, size_t len);
bool koine__utf8_valid(const char *ptr,
                       size_t len); /* RFC 3629: no overlong forms, no surrogates, up to U+10FFFF */

#endif
