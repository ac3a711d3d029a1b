/* fuzz: what the fuzz targets share. A target is a file with the function below, as libFuzzer wants it. Each
 * also is a plain program over its committed corpus (driver.c), and part of `make check`. */
#ifndef KOINE_TESTS_FUZZ_FUZZ_H
#define KOINE_TESTS_FUZZ_FUZZ_H

#include "core/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what is wrong and aborts: that is how a fuzzer is told. */
__attribute__((format(printf, 1, 2), noreturn)) void fuzz_fail(const char *format, ...);
#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fuzz_fail("%s:%d: %s", __FILE__, __LINE__, #condition);                                          \
    } while (0)

/* The first byte of the input, which is then cut off; `otherwise` if there is none. So an input carries its
 * own choices in front. */
uint8_t fuzz_byte(koine_str *input, uint8_t otherwise);
/* A copy with a NUL behind it, in a block of its own, so that a byte read beyond it is noticed. free() it. */
char *fuzz_copy(koine_str text);

#endif
