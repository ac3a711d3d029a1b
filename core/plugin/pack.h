/* pack: how the core and the process of an isolated plugin write to each other. Each distrusts the other: no
 * length is believed before it is compared with what is there and with a ceiling.
 *
 * A message is four bytes of length, one byte that says its kind (both counted by the length), and fields.
 * Numbers are in the machine's own order, since both ends are on one machine. A text is its length, its bytes
 * and a NUL that is not counted; a length of 2^32 - 1 alone says that there is no text (NULL).
 */
#ifndef KOINE_CORE_PLUGIN_PACK_H
#define KOINE_CORE_PLUGIN_PACK_H

#include "core/base/buf.h"

#include <koine/provider.h>
#include <stdbool.h>

#define KOINE__PACK_HEAD 5 /* bytes: the length and the kind */

/* Writing: failures stick in the buffer, whose ceiling is the message's. */
size_t koine__pack_begin(struct koine__buf *buf, uint8_t kind); /* where it starts, for end */
void koine__pack_end(struct koine__buf *buf, size_t start);
void koine__pack_u8(struct koine__buf *buf, uint8_t value);
void koine__pack_u32(struct koine__buf *buf, uint32_t value);
void koine__pack_i32(struct koine__buf *buf, int32_t value);
void koine__pack_i64(struct koine__buf *buf, int64_t value);
void koine__pack_str(struct koine__buf *buf, koine_str text);
void koine__pack_text(struct koine__buf *buf, const char *text);
void koine__pack_braced(struct koine__buf *buf, koine_str text); /* "[{", the text, "}]" as one */

/* Reading: what is not there reads as 0 and NULL, and `bad` sticks. Texts point into what is read. */
struct koine__unpack {
    const char *at, *end;
    bool bad;
};
uint8_t koine__unpack_u8(struct koine__unpack *unpack);
uint32_t koine__unpack_u32(struct koine__unpack *unpack);
int32_t koine__unpack_i32(struct koine__unpack *unpack);
int64_t koine__unpack_i64(struct koine__unpack *unpack);
koine_str koine__unpack_str(struct koine__unpack *unpack);
const char *koine__unpack_text(struct koine__unpack *unpack); /* NUL-terminated, with no NUL inside */
bool koine__unpack_done(const struct koine__unpack *unpack);  /* all was read and nothing was wrong */

/* The first message of what arrived: 1 and the whole of it (*ret_size bytes, to be dropped when it was read),
 * 0: not all of it is there yet (*ret_size: how many bytes it will have, 0: not known), -1: it is longer than
 * the limit, or too short to be one. */
int koine__pack_next(const char *ptr, size_t len, size_t limit, uint8_t *ret_kind, struct koine__unpack *ret,
                     size_t *ret_size);

#endif
