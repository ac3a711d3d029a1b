/* prepare: see prepare.h. */
#include "core/hub/prepare.h"

#include "core/hub/resolve.h"

static bool wants_stream(const struct koine_request *request, const struct koine__document *document,
                         bool otherwise)
{
    int32_t told = koine__node_truth(koine__node_get(document->root, "stream"));
    if (request->stream >= 0)
        return request->stream != 0;
    return told >= 0 ? told != 0 : otherwise;
}

static struct koine__budget_config money_of(const struct koine__snapshot *snapshot,
                                            const struct koine_request *request)
{
    struct koine__budget_config money = snapshot->budgets;
    if (request->budget >= 0 && (money.call < 0 || request->budget < money.call))
        money.call = request->budget;
    return money;
}

static int fill(const struct koine_hub *hub, const struct koine_request *request,
                const struct koine__manner *how, struct koine__prepared *prepared, koine_error **ret_error)
{
    struct koine__route *route = &prepared->route;
    int rc = koine__resolve(prepared->snapshot, request, prepared->document, route, ret_error);
    if (rc == KOINE_OK)
        rc = koine__document_check(prepared->document, ret_error);
    if (rc != KOINE_OK)
        return rc;
    if (how->complete)
        route->commit = KOINE_COMMIT_COMPLETE;
    else if (request->commit != KOINE_COMMIT_ROUTE)
        route->commit = request->commit;
    prepared->money = money_of(prepared->snapshot, request);
    prepared->run = request->run ? request->run : hub->run;
    prepared->stream = wants_stream(request, prepared->document, how->stream_otherwise);
    prepared->deadline = request->deadline_ms > 0 ? request->deadline_ms * KOINE__MS : route->deadline;
    return KOINE_OK;
}

int koine__prepare(struct koine_hub *hub, const void *user, const struct koine_request *request,
                   const struct koine__manner *how, struct koine__prepared *ret, koine_error **ret_error)
{
    *ret = (struct koine__prepared){.snapshot = NULL};
    int rc = koine__request_document(request, user, &ret->document, ret_error);
    if (rc == KOINE_OK)
        rc = koine__hub_snapshot(hub, &ret->snapshot, ret_error);
    if (rc == KOINE_OK)
        rc = fill(hub, request, how, ret, ret_error);
    if (rc != KOINE_OK)
        koine__prepared_release(ret);
    return rc;
}

void koine__prepared_release(struct koine__prepared *prepared)
{
    koine__document_free(prepared->document);
    koine__snapshot_unref(prepared->snapshot);
    *prepared = (struct koine__prepared){.snapshot = NULL};
}
