/* clean: text from elsewhere made harmless for a terminal, and a look at UTF-8. */
#ifndef KOINE_APPS_CLEAN_H
#define KOINE_APPS_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clean { /* zeroed: a fresh text; carries a character that was cut between two pieces */
    unsigned char pending[4];
    size_t pending_length;
};

/* The piece with every control character but newline and tab written out (^[, <U+009B>), and what is no UTF-8
 * as
 * '?'. The caller frees it; NULL: no memory. */
char *clean_text(struct clean *clean, const char *text, size_t length, size_t *ret_length);

/* Length of the character that begins at `text`; 0: cut short; -1: no UTF-8. */
int utf8_next(const char *text, size_t length, uint32_t *ret_character);
bool utf8_is_valid(const char *text, size_t length);
size_t utf8_count(const char *text); /* characters, that is columns for all we print */

#endif
