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

void koine__dialect_queries(const koine_ask *ask, const koine_dialect_query *const *queries, koine_out *out)
{
    for (; queries && *queries; queries++) {
        koine_str value = ask->host->option(ask, (*queries)->option);
        if (value.len > 0)
            out->query(out, (*queries)->name, value);
    }
}

static bool stands_at(const char *at, const char *end, const char *word)
{
    size_t len = strlen(word);
    return (size_t)(end - at) >= len && memcmp(at, word, len) == 0;
}

/* By its rarest letter: documents are long, and this looks at all of one. */
static bool has_plain_name(const char *at, const char *end)
{
    while ((at = memchr(at, 'k', (size_t)(end - at)))) {
        if (at[-1] == '"' && stands_at(at, end, "koine\""))
            return true;
        at++;
    }
    return false;
}

/* A letter from a to z in an escape of six bytes. What stands behind a backslash is no backslash of its own.
 */
static bool has_escaped_letter(const char *at, const char *end)
{
    while ((at = memchr(at, '\\', (size_t)(end - at)))) {
        if (stands_at(at, end, "\\u006") || stands_at(at, end, "\\u007"))
            return true;
        at = end - at > 2 ? at + 2 : end;
    }
    return false;
}

bool koine__dialect_may_name_koine(koine_str source)
{
    const char *end = source.ptr + source.len;
    /* What begins with a k is no JSON. */
    return source.len > 1 && (has_plain_name(source.ptr + 1, end) || has_escaped_letter(source.ptr, end));
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
