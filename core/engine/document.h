/* document: what to generate, parsed once for a call, and as each target of its route wants it. */
#ifndef KOINE_CORE_ENGINE_DOCUMENT_H
#define KOINE_CORE_ENGINE_DOCUMENT_H

#include "core/base/error.h"
#include "core/engine/plan.h"
#include "core/wire/json.h"

struct koine__document {
    struct koine__arena arena; /* everything below; also for what else lives as long as the call */
    koine_str text;
    const koine_node *root;
    const koine_node **changed; /* by index of the target: with its set and unset applied */
    size_t changed_count;
};
/* Copies the text. KOINE_EARGUMENT: not a JSON object (the error says where); KOINE_EMEMORY. */
int koine__document_read(koine_str text, struct koine__document **ret, koine_error **ret_error);
/* Whether it is a request for an answer at all, before anybody is asked: messages that are a list of objects
 * with a role, `n` of one. KOINE_EARGUMENT; the error says where
 * and what would be right. */
int koine__document_check(const struct koine__document *document, koine_error **ret_error);
void koine__document_free(struct koine__document *document); /* NULL is fine */
/* The document for the target of that index of the route, made when first asked for. NULL document gives
 * NULL. */
int koine__document_for(struct koine__document *document, const struct koine__target *target, size_t index,
                        const koine_node **ret);

#endif
