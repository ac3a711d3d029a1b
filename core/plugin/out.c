/* out: a provider's request takes shape. What a plugin may not do (a header of two lines, half a JSON value,
 * a secret in the open) breaks a rule; the first broken rule sticks, and nothing is written after it. */
#include "core/plugin/out.h"

#include <stdio.h>
#include <string.h>

#define URL_LIMIT      ((size_t)64 << 10)
#define LONGEST_METHOD 16
#define FIRST_ITEMS    8

static struct koine__out *self(koine_out *out)
{
    return (struct koine__out *)out;
}

static void broken(struct koine__out *out, const char *rule)
{
    if (out->error)
        return;
    out->error = KOINE_EARGUMENT;
    out->broken = rule;
}

static void no_memory(struct koine__out *out)
{
    if (!out->error)
        out->error = KOINE_EMEMORY;
}

static char *copy(struct koine__out *out, koine_str text)
{
    char *ret = koine__arena_strndup(out->arena, text.ptr ? text.ptr : "", text.len);
    if (!ret)
        no_memory(out);
    return ret;
}

/* Room for one more item in an array of the arena; NULL: no memory. */
static void *grow(struct koine__out *out, void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    size_t wanted = *capacity ? *capacity * 2 : FIRST_ITEMS;
    void *ret = koine__arena_alloc(out->arena, wanted * item_size);
    if (!ret) {
        no_memory(out);
        return NULL;
    }
    if (count)
        memcpy(ret, items, count * item_size);
    *capacity = wanted;
    return ret;
}

/* ---- What may stand in HTTP (RFC 9110) and in a URL (RFC 3986) ------------------------------------- */

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_token(koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || (!is_alphanumeric(text.ptr[i]) && !strchr("!#$%&'*+-.^_`|~", text.ptr[i])))
            return false;
    return text.len > 0;
}

static bool is_field_value(koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.ptr[i] < 0x20 && text.ptr[i] != '\t') || text.ptr[i] == 0x7F)
            return false;
    return true;
}

static bool is_url_text(koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7F || text.ptr[i] == '#')
            return false;
    return text.len > 0;
}

/* Headers that say who we are, or where a message ends, are not a plugin's to write. */
static bool is_reserved(koine_str name)
{
    static const char *const reserved[] = {"authorization",  "proxy-authorization", "host",
                                           "content-length", "transfer-encoding",   "connection",
                                           "expect",         "accept-encoding"};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (koine__str_is_nocase(name, reserved[i]))
            return true;
    return false;
}

static void add_encoded(struct koine__buf *url, koine_str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (is_alphanumeric(text.ptr[i]) || (c && strchr("-._~", c))) {
            koine__buf_addc(url, (char)c);
            continue;
        }
        const char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
        koine__buf_add(url, escape, sizeof(escape));
    }
}

/* ---- The request line ----------------------------------------------------------------------------- */

static void out_method(koine_out *pub, const char *method)
{
    struct koine__out *out = self(pub);
    koine_str text = koine__str(method);
    if (out->error)
        return;
    if (!is_token(text) || text.len > LONGEST_METHOD)
        broken(out, "the method is no HTTP token");
    else
        out->method = copy(out, text);
}

static void out_path(koine_out *pub, const char *path)
{
    struct koine__out *out = self(pub);
    koine_str text = koine__str(path);
    if (out->error)
        return;
    if (!is_url_text(text))
        broken(out, "the path is empty or holds what no URL can hold");
    else if (!out->has_path && text.ptr[0] != '/')
        broken(out, "the path does not begin with a slash"); /* or it would change the host */
    else if (out->has_query)
        broken(out, "a path after a query");
    out->has_path = true;
    out->has_query = memchr(text.ptr ? text.ptr : "", '?', text.len) != NULL;
    if (!out->error)
        koine__buf_add(&out->url, text.ptr, text.len);
}

static void out_segment(koine_out *pub, koine_str text)
{
    struct koine__out *out = self(pub);
    if (out->error)
        return;
    if (!out->has_path || out->has_query)
        broken(out, "a segment before the path or after a query");
    else if (text.len == 0 || koine__str_is(text, ".") || koine__str_is(text, ".."))
        broken(out, "a path segment is empty, \".\" or \"..\"");
    else
        add_encoded(&out->url, text);
}

static void out_query(koine_out *pub, const char *name, koine_str value)
{
    struct koine__out *out = self(pub);
    koine_str key = koine__str(name);
    if (out->error)
        return;
    if (key.len == 0) {
        broken(out, "a query without a name");
        return;
    }
    koine__buf_addc(&out->url, out->has_query ? '&' : '?');
    add_encoded(&out->url, key);
    koine__buf_addc(&out->url, '=');
    add_encoded(&out->url, value);
    out->has_query = true;
}

/* ---- Headers -------------------------------------------------------------------------------------- */

static void add_header(struct koine__out *out, koine_str name, koine_str value)
{
    struct koine__header *headers =
        grow(out, out->headers, out->header_count, &out->header_cap, sizeof(*headers));
    char *name_copy = copy(out, name), *value_copy = copy(out, value);
    if (!headers || !name_copy || !value_copy)
        return;
    out->headers = headers;
    headers[out->header_count++] = (struct koine__header){{name_copy, name.len}, {value_copy, value.len}};
}

static bool has_header(const struct koine__out *out, const char *name)
{
    for (size_t i = 0; i < out->header_count; i++)
        if (koine__str_is_nocase(out->headers[i].name, name))
            return true;
    return false;
}

static void out_header(koine_out *pub, const char *name, koine_str value)
{
    struct koine__out *out = self(pub);
    koine_str key = koine__str(name);
    if (out->error)
        return;
    if (!is_token(key))
        broken(out, "a header's name is no HTTP token");
    else if (is_reserved(key))
        broken(out, "a header that is the core's to write (a key goes through secret)");
    else if (!is_field_value(value))
        broken(out, "a header's value holds control characters");
    else
        add_header(out, key, value);
}

static void out_secret(koine_out *pub, const char *name, const char *prefix)
{
    struct koine__out *out = self(pub);
    koine_str key = koine__str(name), before = koine__str(prefix);
    if (out->error)
        return;
    if (!is_token(key) || !is_field_value(before)) {
        broken(out, "the key's header is no HTTP header");
        return;
    }
    if (out->secret_name) {
        broken(out, "the key in two headers");
        return;
    }
    out->secret_name = copy(out, key);
    out->secret_prefix = copy(out, before);
}

/* ---- The body ------------------------------------------------------------------------------------- */

static bool is_json_begun(const struct koine__out *out)
{
    return out->body.len > 0 || out->writer.failed;
}

/* The writer, if JSON may be written now. */
static struct koine__writer *json(struct koine__out *out)
{
    if (out->has_bytes)
        broken(out, "JSON after a body of bytes");
    return out->error ? NULL : &out->writer;
}

static void out_open(koine_out *pub, const char *key, int32_t bracket)
{
    struct koine__writer *writer = json(self(pub));
    if (!writer)
        return;
    if (bracket != '{' && bracket != '[')
        broken(self(pub), "open with something that is no bracket");
    else
        koine__write_open(writer, koine__str(key), (char)bracket);
}

static void out_close(koine_out *pub)
{
    struct koine__writer *writer = json(self(pub));
    if (writer)
        koine__write_close(writer);
}

static void out_str(koine_out *pub, const char *key, koine_str value)
{
    struct koine__writer *writer = json(self(pub));
    if (writer)
        koine__write_str(writer, koine__str(key), value);
}

static void out_num(koine_out *pub, const char *key, int64_t value)
{
    struct koine__writer *writer = json(self(pub));
    if (writer)
        koine__write_int(writer, koine__str(key), value);
}

static void out_raw(koine_out *pub, const char *key, koine_str text)
{
    struct koine__writer *writer = json(self(pub));
    if (!writer)
        return;
    if (text.len == 0)
        broken(self(pub), "raw JSON that is empty");
    else
        koine__write_raw(writer, koine__str(key), text);
}

static void out_node(koine_out *pub, const char *key, const koine_node *value)
{
    struct koine__writer *writer = json(self(pub));
    if (writer && value)
        koine__write_raw(writer, koine__str(key), koine__node_source(value));
}

static void out_member(koine_out *pub, const koine_node *value)
{
    struct koine__writer *writer = json(self(pub));
    koine_str name = koine__node_name(value);
    if (!writer || !value)
        return;
    if (!name.ptr && koine__node_failed(value))
        no_memory(self(pub));
    else if (!name.ptr)
        broken(self(pub), "a value as a member that is none");
    else
        koine__write_raw(writer, name, koine__node_source(value));
}

static void out_bytes(koine_out *pub, const char *content_type, koine_str body)
{
    struct koine__out *out = self(pub);
    koine_str type = koine__str(content_type);
    if (out->error)
        return;
    if (is_json_begun(out) || out->has_bytes) {
        broken(out, "a body of bytes after another body");
        return;
    }
    if (type.len == 0 || !is_field_value(type)) {
        broken(out, "the content type is no header value");
        return;
    }
    out->content_type = copy(out, type);
    out->has_bytes = true;
    koine__buf_add(&out->body, body.ptr ? body.ptr : "", body.len);
}

/* ---- Words ---------------------------------------------------------------------------------------- */

static void out_notice(koine_out *pub, int32_t what, koine_str member, koine_str why)
{
    struct koine__out *out = self(pub);
    if (out->error)
        return;
    struct koine__notice *notices =
        grow(out, out->notices, out->notice_count, &out->notice_cap, sizeof(*notices));
    char *member_copy = copy(out, member), *why_copy = copy(out, why);
    if (!notices || !member_copy || !why_copy)
        return;
    out->notices = notices;
    notices[out->notice_count++] = (struct koine__notice){what, member_copy, why_copy};
}

static void out_fail(koine_out *pub, koine_str why)
{
    struct koine__out *out = self(pub);
    if (!out->why) /* the first cause is the one to tell */
        out->why = copy(out, why);
}

/* ---- The core's side ------------------------------------------------------------------------------ */

void koine__out_init(struct koine__out *out, struct koine__arena *arena, const char *base_url, size_t limit)
{
    *out = (struct koine__out){
        .pub = {.size = sizeof(koine_out),
                .method = out_method,
                .path = out_path,
                .segment = out_segment,
                .query = out_query,
                .header = out_header,
                .secret = out_secret,
                .open = out_open,
                .close = out_close,
                .str = out_str,
                .num = out_num,
                .raw = out_raw,
                .node = out_node,
                .member = out_member,
                .bytes = out_bytes,
                .notice = out_notice,
                .fail = out_fail},
        .arena = arena,
    };
    koine__buf_init(&out->url, URL_LIMIT);
    koine__buf_init(&out->body, limit);
    koine__writer_init(&out->writer, &out->body);
    koine__buf_adds(&out->url, base_url);
}

void koine__out_release(struct koine__out *out)
{
    koine__buf_release(&out->url);
    koine__buf_release(&out->body);
}

static void check_buffer(struct koine__out *out, const struct koine__buf *buf, const char *too_large)
{
    if (buf->error == KOINE_EMEMORY)
        no_memory(out);
    else if (buf->error)
        broken(out, too_large);
}

static void check_request(struct koine__out *out)
{
    check_buffer(out, &out->url, "the URL is longer than 64 kB");
    check_buffer(out, &out->body, "the body is larger than the limit for requests");
    if (!out->has_path)
        broken(out, "a request without a path");
    if (!out->has_bytes && is_json_begun(out) && !koine__writer_done(&out->writer))
        broken(out, "the JSON body is not one whole value");
}

int koine__out_request(struct koine__out *out, struct koine__http_request *ret)
{
    check_request(out);
    bool has_body = out->has_bytes || is_json_begun(out);
    if (!out->error && has_body && !has_header(out, "content-type"))
        add_header(out, KOINE__STR("Content-Type"),
                   out->has_bytes ? koine__str(out->content_type) : KOINE__STR("application/json"));
    if (out->error)
        return out->error;
    *ret = (struct koine__http_request){
        .method = out->method ? out->method
                  : has_body  ? "POST"
                              : "GET",
        .url = koine__buf_str(&out->url),
        .headers = out->headers,
        .header_count = out->header_count,
        .secret_name = out->secret_name,
        .secret_prefix = out->secret_prefix,
    };
    if (has_body)
        ret->body = (koine_str){koine__buf_str(&out->body), out->body.len};
    return KOINE_OK;
}

struct koine__buf koine__out_take_body(struct koine__out *out)
{
    struct koine__buf body = out->body;
    koine__buf_init(&out->body, body.max);
    return body;
}
