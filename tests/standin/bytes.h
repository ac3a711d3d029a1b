/* bytes: a growable buffer whose failure sticks, so writers check once, at the end.
 *
 * The data always has a NUL behind it once anything was added. No memory, or more than BYTES_CEILING, sets
 * `failed` and drops everything added from then on.
 */
#ifndef STANDIN_BYTES_H
#define STANDIN_BYTES_H

#include <stdbool.h>
#include <stddef.h>

#define BYTES_CEILING ((size_t)256 * 1024 * 1024)

struct bytes {
    char *data;
    size_t length, capacity;
    bool failed;
};

/* Borrowed bytes, not NUL-ended. */
struct span {
    const char *text;
    size_t length;
};

void bytes_free(struct bytes *bytes);  /* back to all zero */
void bytes_clear(struct bytes *bytes); /* empty; keeps the memory unless there is much of it */
void bytes_add(struct bytes *bytes, const char *text, size_t length);
void bytes_text(struct bytes *bytes, const char *text);
void bytes_printf(struct bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void bytes_json(struct bytes *bytes, const char *text, size_t length);

/* Length (1 to 4) of the well-formed UTF-8 sequence at `text`, 0 if there is none. */
size_t utf8_length(const char *text, size_t length);

#endif
