/* buf: one growable byte buffer. It states its ceiling at birth, and its failures stick: write many, test
 * once. */
#ifndef KOINE_CORE_BASE_BUF_H
#define KOINE_CORE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct koine__buf {
    char *ptr;  /* always NUL-terminated at ptr[len] once anything was added; NULL before */
    size_t len; /* without the NUL */
    size_t cap;
    size_t max;   /* ceiling of len */
    bool sparing; /* beyond 16 kB it takes at most a sixteenth more than it needs */
    int error;    /* 0, KOINE_EMEMORY, or KOINE_EARGUMENT: over the ceiling or a bad format */
};

void koine__buf_init(struct koine__buf *buf, size_t max);
/* For what waits in memory while it grows, and may be one of many. */
void koine__buf_init_sparing(struct koine__buf *buf, size_t max);
void koine__buf_release(struct koine__buf *buf);             /* frees, clears the error, keeps max */
void koine__buf_reset(struct koine__buf *buf);               /* len 0 and no error; keeps the memory */
int koine__buf_reserve(struct koine__buf *buf, size_t more); /* room for that many more bytes */
void koine__buf_fit(struct koine__buf *buf);                 /* gives back what a large one has too much */
void koine__buf_add(struct koine__buf *buf, const void *ptr, size_t len);
void koine__buf_adds(struct koine__buf *buf, const char *text);
void koine__buf_addc(struct koine__buf *buf, char c);
void koine__buf_addf(struct koine__buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void koine__buf_addv(struct koine__buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
void koine__buf_add_int(struct koine__buf *buf, int64_t value); /* decimal, without printf */
void koine__buf_drop(struct koine__buf *buf, size_t n);         /* removes n bytes from the front */
const char *koine__buf_str(const struct koine__buf *buf);       /* never NULL; "" when empty */
char *koine__buf_take(
    struct koine__buf *buf); /* hands the memory over and empties the buffer; NULL after a failure */

#endif
