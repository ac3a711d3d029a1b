/* http: see http.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/standin/http.h"

#include <string.h>
#include <strings.h>

enum {
    CHUNK_LINE_LIMIT = 4096
};

static const char *const key_headers[] = {"authorization", "x-api-key", "api-key", "x-goog-api-key"};

void http_clear(struct http_request *request)
{
    struct bytes path = request->path, query = request->query, body = request->body, line = request->line;
    bytes_clear(&path);
    bytes_clear(&query);
    bytes_clear(&body);
    bytes_clear(&line);
    *request = (struct http_request){.path = path, .query = query, .body = body, .line = line};
}

void http_free(struct http_request *request)
{
    bytes_free(&request->path);
    bytes_free(&request->query);
    bytes_free(&request->body);
    bytes_free(&request->line);
}

static void refuse(struct http_request *request, int status)
{
    if (request->state != HTTP_IN_ERROR) {
        request->state = HTTP_IN_ERROR;
        request->status = status;
    }
}

static bool is(struct span text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.text, word, text.length) == 0;
}

static bool is_token(struct span text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.text[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && !(c && strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return text.length > 0;
}

static bool is_printable(struct span text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

static struct span trim(struct span text)
{
    while (text.length && (text.text[0] == ' ' || text.text[0] == '\t')) {
        text.text++;
        text.length--;
    }
    while (text.length && (text.text[text.length - 1] == ' ' || text.text[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* Cuts `text` at the first `mark`; what follows it becomes `rest`. False: there is none. */
static bool cut(struct span *text, char mark, struct span *rest)
{
    const char *found = memchr(text->text, mark, text->length);
    if (!found)
        return false;
    size_t before = (size_t)(found - text->text);
    *rest = (struct span){found + 1, text->length - before - 1};
    text->length = before;
    return true;
}

static void read_request_line(struct http_request *request, struct span method)
{
    struct span target, version, query;
    if (!cut(&method, ' ', &target) || !cut(&target, ' ', &version) || !is_token(method) ||
        method.length >= sizeof(request->method) || target.length == 0 || !is_printable(target)) {
        refuse(request, 400);
        return;
    }
    if (!is(version, "HTTP/1.1")) {
        refuse(request, 505);
        return;
    }
    memcpy(request->method, method.text, method.length);
    request->method[method.length] = '\0';
    if (cut(&target, '?', &query))
        bytes_add(&request->query, query.text, query.length);
    bytes_add(&request->path, target.text, target.length);
}

/* A decimal number; more than the body's limit is already too much to go on counting. */
static void read_length(struct http_request *request, struct span value)
{
    size_t length = 0;
    bool digits = value.length > 0;
    for (size_t i = 0; i < value.length; i++) {
        digits = digits && value.text[i] >= '0' && value.text[i] <= '9';
        if (digits && length <= HTTP_BODY_LIMIT)
            length = length * 10 + (size_t)(value.text[i] - '0');
    }
    if (!digits || request->has_length) {
        refuse(request, 400);
        return;
    }
    request->has_length = true;
    request->left = length;
}

static void read_connection(struct http_request *request, struct span value)
{
    struct span rest;
    for (bool more = true; more; value = rest) {
        more = cut(&value, ',', &rest);
        request->closes |= is(trim(value), "close");
        if (!more)
            break;
    }
}

static void read_header(struct http_request *request, struct span name)
{
    struct span value;
    if (!cut(&name, ':', &value) || !is_token(name) || !is_printable(value)) {
        refuse(request, 400);
        return;
    }
    value = trim(value);
    for (size_t i = 0; i < sizeof(key_headers) / sizeof(*key_headers); i++)
        request->has_key |= is(name, key_headers[i]) && value.length > 0;
    if (is(name, "host")) {
        request->has_host = true;
    } else if (is(name, "content-length")) {
        read_length(request, value);
    } else if (is(name, "transfer-encoding")) {
        request->chunked = true;
        if (!is(value, "chunked"))
            refuse(request, 501);
    } else if (is(name, "connection")) {
        read_connection(request, value);
    } else if (is(name, "expect")) {
        request->expects_continue = true;
        if (!is(value, "100-continue"))
            refuse(request, 417);
    }
}

/* What the body will be, once all headers are known. */
static void read_framing(struct http_request *request)
{
    if (!request->has_host || (request->chunked && request->has_length))
        refuse(request, 400);
    else if (request->left > HTTP_BODY_LIMIT)
        refuse(request, 413);
    else if (request->state != HTTP_IN_ERROR)
        request->state = request->chunked ? HTTP_IN_CHUNK_SIZE : HTTP_IN_BODY;
}

static void wipe(struct bytes *line)
{
    explicit_bzero(line->data, line->length);
    bytes_clear(line);
}

/* The whole head is in `line`, with its empty line. A head that makes no sense is HTTP_BAD at once; one
 * that asks for what we do not do is a request all the same, and refused when it is fed on. */
static enum http_event read_head(struct http_request *request)
{
    struct span line = {request->line.data, request->line.length}, rest;
    for (bool first = true; cut(&line, '\n', &rest); first = false, line = rest) {
        if (line.length == 0 || line.text[line.length - 1] != '\r') {
            refuse(request, 400);
            break;
        }
        line.length--;
        if (first)
            read_request_line(request, line);
        else if (line.length)
            read_header(request, line);
    }
    wipe(&request->line);
    read_framing(request);
    return request->state == HTTP_IN_ERROR && (request->status == 400 || request->status == 505) ? HTTP_BAD
                                                                                                 : HTTP_HEAD;
}

/* Adds bytes to `line`, up to and with a line feed. True: it is there. */
static bool gather_line(struct http_request *request, const char *data, size_t length, size_t limit,
                        size_t *used)
{
    const char *found = memchr(data, '\n', length);
    size_t count = found ? (size_t)(found - data) + 1 : length;
    *used += count;
    bytes_add(&request->line, data, count);
    if (request->line.length > limit || request->line.failed) {
        refuse(request, limit == HTTP_HEAD_LIMIT ? 431 : 400);
        return false;
    }
    return found != NULL;
}

static bool head_is_complete(struct http_request *request)
{
    struct bytes *line = &request->line;
    if (line->length == 2 && memcmp(line->data, "\r\n", 2) == 0) {
        bytes_clear(line); /* empty lines before a request are no part of it (RFC 9112, 2.2) */
        return false;
    }
    if (line->length && line->data[line->length - 1] == '\n' &&
        (line->length == 1 || line->data[line->length - 2] != '\r')) {
        refuse(request, 400);
        return false;
    }
    return line->length >= 4 && memcmp(line->data + line->length - 4, "\r\n\r\n", 4) == 0;
}

/* "1a;extension\r\n" */
static void read_chunk_size(struct http_request *request)
{
    size_t size = 0, digits = 0;
    const char *at = request->line.data;
    for (; strchr("0123456789abcdefABCDEF", *at) && *at && size <= HTTP_BODY_LIMIT; at++, digits++)
        size = size * 16 + (size_t)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
    bool ended = *at == '\r' || *at == ';' || *at == ' ' || *at == '\t';
    bytes_clear(&request->line);
    if (size > HTTP_BODY_LIMIT - request->body.length) {
        refuse(request, 413);
    } else if (digits == 0 || !ended) {
        refuse(request, 400);
    } else {
        request->left = size;
        request->state = size ? HTTP_IN_CHUNK : HTTP_IN_TRAILER;
    }
}

static void read_empty_line(struct http_request *request, enum http_state next)
{
    bool empty = request->line.length == 2 && request->line.data[0] == '\r';
    bytes_clear(&request->line);
    if (empty)
        request->state = next;
    else if (next == HTTP_IN_CHUNK_SIZE)
        refuse(request, 400);
}

static void take_body(struct http_request *request, const char *data, size_t length, size_t *used)
{
    size_t count = length < request->left ? length : request->left;
    bytes_add(&request->body, data, count);
    if (request->body.failed)
        refuse(request, 413);
    request->left -= count;
    *used += count;
}

/* One step over the body. */
static void feed_body(struct http_request *request, const char *data, size_t length, size_t *used)
{
    if (request->state == HTTP_IN_BODY || request->state == HTTP_IN_CHUNK) {
        take_body(request, data, length, used);
        if (request->left == 0 && request->state != HTTP_IN_ERROR)
            request->state = request->state == HTTP_IN_BODY ? HTTP_IN_END : HTTP_IN_CHUNK_END;
        return;
    }
    if (!gather_line(request, data, length, CHUNK_LINE_LIMIT, used))
        return;
    if (request->state == HTTP_IN_CHUNK_SIZE)
        read_chunk_size(request);
    else
        read_empty_line(request, request->state == HTTP_IN_TRAILER ? HTTP_IN_END : HTTP_IN_CHUNK_SIZE);
}

enum http_event http_feed(struct http_request *request, const char *data, size_t length, size_t *ret_used)
{
    *ret_used = 0;
    for (;;) {
        if (request->state == HTTP_IN_ERROR)
            return HTTP_BAD;
        if (request->state == HTTP_IN_END || (request->state == HTTP_IN_BODY && request->left == 0)) {
            request->state = HTTP_IN_END;
            return HTTP_DONE;
        }
        if (*ret_used == length)
            return HTTP_MORE;
        const char *rest = data + *ret_used;
        if (request->state != HTTP_IN_HEAD)
            feed_body(request, rest, length - *ret_used, ret_used);
        else if (gather_line(request, rest, length - *ret_used, HTTP_HEAD_LIMIT, ret_used) &&
                 head_is_complete(request))
            return read_head(request);
    }
}

bool http_query_has(const struct http_request *request, const char *name, const char *value)
{
    struct span pair = {request->query.data, request->query.length}, rest = {0};
    size_t length = strlen(name);
    while (pair.length) {
        bool more = cut(&pair, '&', &rest);
        if (pair.length > length && pair.text[length] == '=' && memcmp(pair.text, name, length) == 0 &&
            pair.length - length - 1 == strlen(value) &&
            memcmp(pair.text + length + 1, value, strlen(value)) == 0)
            return true;
        pair = more ? rest : (struct span){0};
    }
    return false;
}
