/* request: the body behind koine_request: a document being built, and the options of a call. */
#ifndef KOINE_CORE_HUB_REQUEST_H
#define KOINE_CORE_HUB_REQUEST_H

#include "core/engine/document.h"

#include <koine/koine.h>
#include <stdbool.h>

struct koine__request_member {
    char *name, *json;
};
struct koine_request {
    int error; /* of the builder; sticks */
    /* The document: as it was given, or built of members, messages and tools; `text` is what was made of them
     * last. */
    struct koine__buf text;
    bool given;                   /* text is the application's own, and nothing was changed since */
    bool fresh;                   /* text holds what is built */
    struct koine__source *source; /* what was read of it for the last call; NULL: of none since it changed */
    struct koine__request_member *members;
    size_t member_count, member_capacity;
    struct koine__buf messages, tools; /* elements, joined by commas */
    struct koine__buf parts;           /* of the message under way */
    char *parts_role;                  /* NULL: none is under way */

    char *route, *target, *provider, *run;
    int64_t deadline_ms;
    int64_t budget;     /* picodollars; -1: not said */
    int64_t approved;   /* likewise */
    int commit, stream; /* stream -1: not said */
    koine_canceller *canceller;
    void *user;
};
/* The document's text, made if it is not fresh. The request is const to its user and caches here. */
int koine__request_text(const struct koine_request *request, const char **ret, size_t *ret_len);
/* The document for a call of that user (koine__source_lend); read again only where that must be. As
 * koine__source_read, and what koine__request_text says. */
int koine__request_document(const struct koine_request *request, const void *user,
                            struct koine__document **ret, koine_error **ret_error);

#endif
