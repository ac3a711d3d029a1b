/* document: what to generate, and as each target of a call's route wants it.
 *
 * Its source, the text as it was checked and indexed, is parsed once: a request keeps it, and the calls that
 * were made of it share it as long as none of them is of another thread. */
#ifndef KOINE_CORE_ENGINE_DOCUMENT_H
#define KOINE_CORE_ENGINE_DOCUMENT_H

#include "core/base/error.h"
#include "core/engine/plan.h"
#include "core/money/estimate.h"
#include "core/wire/json.h"

struct koine__source;
/* Copies the text. KOINE_EARGUMENT: not a JSON object (the error says where); KOINE_EMEMORY. */
int koine__source_read(koine_str text, struct koine__source **ret, koine_error **ret_error);
void koine__source_unref(struct koine__source *source); /* [any thread]; NULL is fine */
/* Whether its holder may lend it to a document of `user` (a client, for one), and from now on it does: nobody
 * else's has it, for whoever looks into it writes its index. */
bool koine__source_lend(struct koine__source *source, const void *user);

struct koine__version { /* of the document: as a target gets it */
    const koine_node *root;
    struct koine__count count; /* of it, once somebody asked */
};
struct koine__document {
    struct koine__arena arena; /* what follows; also for what else lives as long as the call */
    struct koine__source *source;
    const koine_node *root;
    struct koine__version **changed; /* by index of the target: with its set and unset applied */
    size_t changed_count;
};
int koine__document_new(struct koine__source *source, struct koine__document **ret); /* KOINE_EMEMORY */
/* Of a source of its own; as koine__source_read. */
int koine__document_read(koine_str text, struct koine__document **ret, koine_error **ret_error);
/* Whether it is a request for an answer at all, before anybody is asked: messages that are a list of objects
 * with a role, `n` of one. KOINE_EARGUMENT; the error says where
 * and what would be right. What was right once is not looked at again. */
int koine__document_check(const struct koine__document *document, koine_error **ret_error);
void koine__document_free(struct koine__document *document); /* NULL is fine */
/* The document for the target of that index of the route, made when first asked for; lent as long as the
 * document lives. NULL document gives NULL. */
int koine__document_for(struct koine__document *document, const struct koine__target *target, size_t index,
                        struct koine__version **ret);

#endif
