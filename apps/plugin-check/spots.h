/* spots: the values in a JSON text, or in all JSON of an answer's body, and texts with one of them replaced.
 */
#ifndef KOINE_APPS_PLUGIN_CHECK_SPOTS_H
#define KOINE_APPS_PLUGIN_CHECK_SPOTS_H

#include "core/base/buf.h"
#include "core/base/str.h"

struct spot {
    size_t at, len; /* in the text */
    int32_t kind;   /* KOINE_NODE_* */
};
struct spots {
    struct spot *items; /* owned */
    size_t count;
    size_t roots[64]; /* indexes of outermost values */
    size_t root_count;
};

void spots_in_document(struct spots *self, koine_str json);
/* Of a stream: what stands in its data lines; else of the whole. What is not JSON has none. */
void spots_in_answer(struct spots *self, koine_str body, bool stream);
void spots_release(struct spots *self);
/* *ret becomes the text with len bytes at `at` replaced. */
void spots_replace(struct koine__buf *ret, koine_str text, size_t at, size_t len, koine_str by);

#endif
