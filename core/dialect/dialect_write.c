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
        koine_str value = ask->host->option(ask, (*headers)->option);
        if (value.len > 0)
            out->header(out, (*headers)->header, value);
    }
}

bool koine__dialect_may_name_koine(koine_str source)
{
    return koine__dialect_mentions(source, "\"koine\"") || koine__dialect_mentions(source, "\\u006") ||
           koine__dialect_mentions(source, "\\u007");
}

int32_t koine__dialect_splice(const koine_host *host, koine_out *out, const char *key,
                              const koine_node *value)
{
    if (host->kind(value) != KOINE_NODE_OBJECT || !koine__dialect_may_name_koine(host->dump(value))) {
        out->node(out, key, value);
        return KOINE_DONE;
    }
    out->open(out, key, '{');
    for (size_t i = 0; i < host->count(value); i++) {
        koine_str member = host->key(value, i);
        if (koine__dialect_is(member, "koine"))
            continue;
        const char *name = koine__dialect_join(host, member, (koine_str){NULL, 0});
        if (!name)
            return KOINE_NO_MEMORY;
        out->node(out, name, host->at(value, i));
    }
    out->close(out);
    return KOINE_DONE;
}
