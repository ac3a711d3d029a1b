/* dialect: asks and reads through a dialect of the core, for its tests. */
#ifndef KOINE_TESTS_UNIT_DIALECT_H
#define KOINE_TESTS_UNIT_DIALECT_H

#include "core/engine/assemble.h"
#include "core/plugin/host.h"
#include "core/plugin/out.h"
#include <koine/dialect.h>

/* ---- A request ---- */

struct dialect_asking {
    struct koine__arena arena;
    struct koine__host host;
    struct koine__out out;
    struct koine__http_request request;
};

/* `limit`: the value of the option of that name; NULL: none. The model is "m" where `model` is NULL. */
int32_t dialect_ask(struct dialect_asking *a, const koine_dialect *dialect, const koine_provider *self,
                    const char *model, const char *limit, const char *document);
void dialect_ask_end(struct dialect_asking *a);
/* The same where the host has no memory left; releases all. */
int32_t dialect_ask_without_memory(const koine_dialect *dialect, const koine_provider *self,
                                   const char *document);
/* Makes every allocation fail once: the result must be KOINE_NO_MEMORY, else this body and so many notices.
 */
void dialect_ask_whole_or_not(const koine_dialect *dialect, const koine_provider *self, const char *document,
                              const char *body, size_t notices);

/* ---- An answer ---- */

struct dialect_reading {
    const koine_dialect *dialect;
    const koine_provider *self;
    struct koine__assembly assembly;
    struct koine__random random;
    _Alignas(max_align_t) char state[512];
    int32_t result;
};

void dialect_read_begin(struct dialect_reading *r, const koine_dialect *dialect, const koine_provider *self);
/* Nothing, once `result` is not KOINE_DONE. */
void dialect_read_frame(struct dialect_reading *r, int32_t kind, const char *text);
void dialect_read_end(struct dialect_reading *r); /* makes the message */
void dialect_read_release(struct dialect_reading *r);
/* Makes every allocation fail once: the result must be KOINE_NO_MEMORY, or the message must hold the words.
 */
void dialect_read_whole_or_not(const koine_dialect *dialect, const koine_provider *self,
                               const char *const *stream, size_t count, const char *words);
/* The core keeps the state as bytes and puts it back: nothing in it may point anywhere. Reads `count` frames
 * and the end; the answer must have stopped. */
void dialect_read_as_bytes(struct dialect_reading *r, const char *const *stream, size_t count);

#endif
