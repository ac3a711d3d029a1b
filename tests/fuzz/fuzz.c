/* fuzz: see fuzz.h. */
#include "tests/fuzz/fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

uint8_t fuzz_byte(koine_str *input, uint8_t otherwise)
{
    if (input->len == 0)
        return otherwise;
    input->len--;
    return (uint8_t)*input->ptr++;
}

char *fuzz_copy(koine_str text)
{
    char *copy = malloc(text.len + 1);
    if (!copy)
        fuzz_fail("no memory");
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}
