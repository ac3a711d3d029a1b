/* dialect_write: members of a document on their way into a request. */
#include "core/dialect/dialect.h"

koine_provider_event koine__dialect_event(int32_t kind)
{
    return (koine_provider_event){
        .size = sizeof(koine_provider_event), .kind = kind, .index = -1, .retry_ms = -1};
}

const char *koine__dialect_join(const koine_host *host, koine_str first, koine_str second)
{
    char *ret = host->alloc(host, first.len + second.len + 1);
    if (!ret)
        return NULL;
    if (first.len > 0)
        memcpy(ret, first.ptr, first.len);
    if (second.len > 0)
        memcpy(ret + first.len, second.ptr, second.len);
    return ret;
}

void koine__dialect_headers(const koine_ask *ask, const koine_dialect_header *const *headers, koine_out *out)
{
    for (; headers && *headers; headers++) {
        koine_str value = ask->host->option(ask->host, ask->self, (*headers)->option);
        if (value.len > 0)
            out->header(out, (*headers)->header, value);
    }
}

void koine__dialect_queries(const koine_ask *ask, const koine_dialect_query *const *queries, koine_out *out)
{
    for (; queries && *queries; queries++) {
        koine_str value = ask->host->option(ask->host, ask->self, (*queries)->option);
        if (value.len > 0)
            out->query(out, (*queries)->name, value);
    }
}

static bool has_ours(const koine_host *host, const koine_node *object)
{
    for (size_t i = 0; i < host->count(object); i++)
        if (koine__dialect_is(host->key(object, i), "koine"))
            return true;
    return false;
}

void koine__dialect_splice(const koine_host *host, koine_out *out, const char *key, const koine_node *value)
{
    if (host->kind(value) != KOINE_NODE_OBJECT || !has_ours(host, value)) {
        out->node(out, key, value);
        return;
    }
    out->open(out, key, '{');
    for (size_t i = 0; i < host->count(value); i++)
        if (!koine__dialect_is(host->key(value, i), "koine"))
            out->member(out, host->at(value, i));
    out->close(out);
}
