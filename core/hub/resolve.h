/* resolve: which route a request means. */
#ifndef KOINE_CORE_HUB_RESOLVE_H
#define KOINE_CORE_HUB_RESOLVE_H

#include "core/engine/document.h"
#include "core/hub/request.h"
#include "core/hub/snapshot.h"

/* The request's target, else its route, else its provider with the document's model, else the document's
 * model
 * (`instance/…`, a route's name, or a model of the default route's first instance), else the default route.
 * What is made for this call alone lives in the document. KOINE_ENOTFOUND, KOINE_EARGUMENT, KOINE_EMEMORY. */
int koine__resolve(const struct koine__snapshot *snapshot, const struct koine_request *request,
                   struct koine__document *document, struct koine__route *ret, koine_error **ret_error);
/* A route of one target. `model` may be empty (list_models). */
int koine__resolve_single(const struct koine__snapshot *snapshot, const struct koine__instance *instance,
                          koine_str model, struct koine__arena *arena, struct koine__route *ret,
                          koine_error **ret_error);
/* KOINE_ENOTFOUND, with the nearest name. */
int koine__resolve_instance(const struct koine__snapshot *snapshot, const char *name,
                            const struct koine__instance **ret, koine_error **ret_error);

#endif
