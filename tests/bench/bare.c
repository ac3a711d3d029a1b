/* bare: the same calls by hand: libcurl's multi interface driven by epoll through curl_multi_socket_action,
 * handles that are reused, json-c for the body and for the answer. It checks nothing that it can do without.
 */
#include "tests/bench/bench.h"

#include <curl/curl.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct buffer {
    char *ptr;
    size_t len, size;
};

struct exchange { /* one handle and its answer */
    CURL *easy;
    bool streams;
    struct buffer in, text; /* bytes not yet read; the answer's text */
    int64_t tokens;
    bool began, ended;
};

static const struct work *work;
static CURLM *multi;
static int epoll = -1, active;
static long timeout = -1;
static struct curl_slist *headers;
static struct json_tokener *tokener; /* texts are parsed whole, so one serves all */
static struct exchange one;

static void append(struct buffer *buffer, const char *ptr, size_t len)
{
    if (buffer->len + len + 1 > buffer->size) {
        buffer->size = 2 * (buffer->len + len + 1);
        buffer->ptr = realloc(buffer->ptr, buffer->size);
        if (!buffer->ptr)
            abort();
    }
    memcpy(buffer->ptr + buffer->len, ptr, len);
    buffer->len += len;
    buffer->ptr[buffer->len] = '\0';
}

/* ---- The body ---- */

static struct json_object *new_document(void)
{
    if (work->measure == TEXT)
        return json_tokener_parse(work->document);
    struct json_object *document = json_object_new_object(), *messages = json_object_new_array();
    for (size_t i = 0; i < work->count; i++) {
        struct json_object *message = json_object_new_object();
        json_object_object_add(message, "role", json_object_new_string(work->messages[i].role));
        json_object_object_add(message, "content", json_object_new_string(work->messages[i].text));
        json_object_array_add(messages, message);
    }
    json_object_object_add(document, "messages", messages);
    json_object_object_add(document, "max_tokens", json_object_new_int(400));
    return document;
}

static struct json_object *build(bool streams)
{
    struct json_object *document = new_document();
    json_object_object_add(document, "model", json_object_new_string("gpt-4o-mini"));
    if (streams) {
        struct json_object *options = json_object_new_object();
        json_object_object_add(options, "include_usage", json_object_new_boolean(1));
        json_object_object_add(document, "stream", json_object_new_boolean(1));
        json_object_object_add(document, "stream_options", options);
    }
    return document;
}

/* ---- The answer ---- */

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, name, &value);
    return value;
}

static void read_object(struct exchange *exchange, struct json_object *root, const char *name)
{
    struct json_object *choices = member(root, "choices"), *usage = member(root, "usage");
    if (json_object_array_length(choices) > 0) {
        struct json_object *message = member(json_object_array_get_idx(choices, 0), name);
        struct json_object *content = member(message, "content");
        if (content)
            append(&exchange->text, json_object_get_string(content),
                   (size_t)json_object_get_string_len(content));
    }
    if (usage)
        exchange->tokens = json_object_get_int64(member(usage, "prompt_tokens"));
}

static void read_text(struct exchange *exchange, const char *text, size_t len, const char *name)
{
    json_tokener_reset(tokener);
    struct json_object *root = json_tokener_parse_ex(tokener, text, (int)len);
    if (!root)
        return;
    read_object(exchange, root, name);
    json_object_put(root);
}

static void read_line(struct exchange *exchange, const char *line, size_t len)
{
    if (len < 6 || memcmp(line, "data: ", 6) != 0)
        return;
    if (len == 12 && memcmp(line + 6, "[DONE]", 6) == 0)
        return;
    exchange->began = true;
    read_text(exchange, line + 6, len - 6, "delta");
}

static void read_lines(struct exchange *exchange)
{
    struct buffer *in = &exchange->in;
    size_t at = 0;
    char *end;
    while (at < in->len && (end = memchr(in->ptr + at, '\n', in->len - at))) {
        read_line(exchange, in->ptr + at, (size_t)(end - in->ptr) - at);
        at = (size_t)(end - in->ptr) + 1;
    }
    memmove(in->ptr, in->ptr + at, in->len - at);
    in->len -= at;
}

static size_t on_body(char *ptr, size_t size, size_t count, void *arg)
{
    struct exchange *exchange = arg;
    append(&exchange->in, ptr, size * count);
    if (exchange->streams)
        read_lines(exchange);
    return size * count;
}

/* ---- The loop ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct epoll_event event = {.data.fd = fd};
    (void)easy, (void)arg;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (!known)
        curl_multi_assign(multi, fd, &active);
    return 0;
}

static int on_timer(CURLM *handle, long timeout_ms, void *arg)
{
    (void)handle, (void)arg;
    timeout = timeout_ms;
    return 0;
}

static void collect(void)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi, &left))) {
        struct exchange *exchange = NULL;
        CURL *easy = message->easy_handle;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
        exchange->ended = true;
        curl_multi_remove_handle(multi, easy);
    }
}

static int turn(void)
{
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, 64, (int)timeout);
    for (int i = 0; i < count; i++) {
        uint32_t is = events[i].events;
        int what = (is & EPOLLIN ? CURL_CSELECT_IN : 0) | (is & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (is & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(multi, events[i].data.fd, what, &active);
    }
    if (count == 0) {
        timeout = -1; /* a timer fires once; curl sets another if it wants one */
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &active);
    }
    collect();
    return count;
}

/* ---- The calls ---- */

static int set_up(struct exchange *exchange)
{
    char url[512];
    CURL *easy = exchange->easy = curl_easy_init();
    snprintf(url, sizeof(url), "%s/chat/completions", work->url);
    if (!easy)
        return -1;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    return 0;
}

static int open_bare(const struct work *given)
{
    work = given;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    multi = curl_multi_init();
    tokener = json_tokener_new();
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Authorization: Bearer not-a-real-key");
    headers = curl_slist_append(headers, "Expect:");
    if (epoll < 0 || !multi || !headers || !tokener)
        return -1;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    return set_up(&one);
}

static void close_bare(void)
{
    curl_easy_cleanup(one.easy);
    curl_multi_cleanup(multi);
    json_tokener_free(tokener);
    free(one.in.ptr);
    free(one.text.ptr);
    curl_slist_free_all(headers);
}

static void start(struct exchange *exchange, struct json_object *document)
{
    size_t len = 0;
    const char *body = json_object_to_json_string_length(document, JSON_C_TO_STRING_PLAIN, &len);
    exchange->in.len = exchange->text.len = 0;
    exchange->ended = false;
    curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDS, body);
    curl_multi_add_handle(multi, exchange->easy);
}

static long call_bare(void)
{
    one.streams = work->measure == EVENTS || work->measure == COALESCED;
    one.tokens = 0;
    struct json_object *document = build(one.streams);
    start(&one, document);
    while (!one.ended)
        turn();
    json_object_put(document);
    if (!one.streams)
        read_text(&one, one.in.ptr, one.in.len, "message");
    return one.tokens > 0 ? (long)one.text.len : -1;
}

static int count_begun(const struct exchange *all, int count)
{
    int begun = 0;
    for (int i = 0; i < count; i++)
        begun += all[i].began;
    return begun;
}

/* Its exchanges stay until the process ends. */
static int idle_bare(int count)
{
    struct exchange *all = calloc((size_t)count, sizeof(*all));
    struct json_object *document = build(true);
    if (!all)
        return -1;
    for (int i = 0; i < count; i++) {
        all[i].streams = true;
        if (set_up(&all[i]) < 0)
            return -1;
        start(&all[i], document);
    }
    while (count_begun(all, count) < count)
        turn();
    return 0;
}

const struct side bare = {"bare", open_bare, call_bare, idle_bare, close_bare};
