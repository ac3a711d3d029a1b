/* transport: what every transport does the same way with requests and heads. */
#include "core/wire/transport.h"

#include <string.h>

koine_str koine__head_find(const struct koine__head *head, const char *name)
{
    for (size_t i = head->count; i-- > 0;)
        if (koine__str_is_nocase(head->headers[i].name, name))
            return head->headers[i].value;
    return (koine_str){NULL, 0};
}

/* A header's name and a method (RFC 9110, section 5.6.2). */
static bool is_token(koine_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!plain && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return text.len > 0;
}

static bool is_one_line(koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\r' || text.ptr[i] == '\n' || text.ptr[i] == '\0')
            return false;
    return true;
}

static bool is_secret_valid(const struct koine__http_request *request)
{
    koine_str key = {NULL, 0};
    if (!request->secret_name)
        return true;
    if (request->secret)
        key.ptr = koine__secret_text(request->secret, &key.len);
    return is_token(koine__str(request->secret_name)) && is_one_line(koine__str(request->secret_prefix)) &&
           is_one_line(key);
}

bool koine__http_request_valid(const struct koine__http_request *request)
{
    if (!request->url || !request->method || !is_token(koine__str(request->method)) ||
        !is_one_line(koine__str(request->url)))
        return false;
    for (size_t i = 0; i < request->header_count; i++)
        if (!is_token(request->headers[i].name) || !is_one_line(request->headers[i].value))
            return false;
    return is_secret_valid(request);
}
