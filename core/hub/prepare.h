/* prepare: from a request to what its call is made of, by the snapshot in force: its document, its route as
 * the request wants it, its options and its budgets. koine_start makes a call of it, koine_explain looks at
 * it. */
#ifndef KOINE_CORE_HUB_PREPARE_H
#define KOINE_CORE_HUB_PREPARE_H

#include "core/engine/document.h"
#include "core/hub/hub.h"
#include "core/hub/request.h"

struct koine__manner { /* how the ways of asking differ */
    bool stream_otherwise;
    bool complete; /* commit, whatever the request and the route say */
};
struct koine__prepared {
    struct koine__snapshot *snapshot;  /* a reference */
    struct koine__document *document;  /* its own; the route may borrow from it */
    struct koine__route route;         /* with the commit that holds */
    struct koine__budget_config money; /* with the request's own limit */
    const char *run;                   /* borrowed of request or hub */
    bool stream;
    int64_t deadline; /* ns from the call's start */
};
/* `user`: for whom the document is read (koine__request_document). KOINE_EARGUMENT: no document, or none that
 * can be asked with; KOINE_ENOTFOUND; KOINE_EMEMORY, and what the hub says that cannot apply what is staged.
 */
int koine__prepare(struct koine_hub *hub, const void *user, const struct koine_request *request,
                   const struct koine__manner *how, struct koine__prepared *ret, koine_error **ret_error);
void koine__prepared_release(struct koine__prepared *prepared);

#endif
