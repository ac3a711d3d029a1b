/* compare: an answer as it was assembled, beside what is expected of it. */
#ifndef KOINE_TESTS_CORPUS_COMPARE_H
#define KOINE_TESTS_CORPUS_COMPARE_H

#include "core/engine/assemble.h"
#include "core/wire/json.h"

struct corpus_outcome { /* what came of an exchange */
    struct koine__assembly assembly;
    int32_t result; /* of the provider */
    int status;
};

/* What differs ("text", "usage.input", …), or NULL; `class_name`: the one committed for an exchange that is
 * an error. Where and how is printed as a diagnostic. */
const char *corpus_compare(const struct corpus_outcome *outcome, const koine_node *expected,
                           const char *class_name);

#endif
