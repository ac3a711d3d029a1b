/* dialect_data: data: URIs (RFC 2397), in base64. */
#include "core/dialect/dialect.h"

bool koine__dialect_is_data(koine_str uri)
{
    return uri.len >= 5 && memcmp(uri.ptr, "data:", 5) == 0;
}

/* "data:image/png;base64,…"; parameters between are passed over. */
bool koine__dialect_read_data(koine_str uri, struct koine__dialect_data *ret)
{
    static const char encoding[] = ";base64";
    size_t mark = sizeof(encoding) - 1;
    const char *comma = koine__dialect_is_data(uri) ? memchr(uri.ptr, ',', uri.len) : NULL;
    if (!comma)
        return false;
    koine_str head = {uri.ptr + 5, (size_t)(comma - uri.ptr) - 5};
    if (head.len <= mark || memcmp(head.ptr + head.len - mark, encoding, mark) != 0)
        return false;
    const char *end = memchr(head.ptr, ';', head.len);
    ret->type = (koine_str){head.ptr, (size_t)(end - head.ptr)};
    ret->base64 = (koine_str){comma + 1, uri.len - (size_t)(comma + 1 - uri.ptr)};
    return ret->type.len > 0;
}

koine_str koine__dialect_media_url(const koine_host *host, const koine_node *part, const char *name)
{
    const koine_node *media = host->get(part, name);
    return host->kind(media) == KOINE_NODE_STRING ? host->str(media)
                                                  : koine__dialect_text(host, media, "url");
}
