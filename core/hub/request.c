/* request: see request.h; and the builder. */
#include "core/hub/request.h"

#include "core/base/mem.h"
#include "core/engine/cancel.h"
#include "core/wire/json.h"

#include <string.h>

#define DOCUMENT_LIMIT ((size_t)64 << 20)

static const koine_str NO_KEY = {NULL, 0};

int koine_request_new(koine_request **ret)
{
    if (!ret)
        return KOINE_EARGUMENT;
    struct koine_request *request = koine__alloc(sizeof(*request));
    if (!request)
        return KOINE_EMEMORY;
    koine__buf_init(&request->text, DOCUMENT_LIMIT);
    koine__buf_init(&request->messages, DOCUMENT_LIMIT);
    koine__buf_init(&request->tools, DOCUMENT_LIMIT);
    koine__buf_init(&request->parts, DOCUMENT_LIMIT);
    request->stream = -1;
    request->budget = request->approved = -1;
    *ret = request;
    return KOINE_OK;
}

static void forget_source(struct koine_request *request)
{
    koine__source_unref(request->source);
    request->source = NULL;
}

static void clear_built(struct koine_request *request)
{
    for (size_t i = 0; i < request->member_count; i++) {
        koine__dealloc(request->members[i].name);
        koine__dealloc(request->members[i].json);
    }
    request->member_count = 0;
    koine__buf_reset(&request->messages);
    koine__buf_reset(&request->tools);
    koine__buf_reset(&request->parts);
    koine__dealloc(request->parts_role);
    request->parts_role = NULL;
}

void koine_request_free(koine_request *request)
{
    if (!request)
        return;
    clear_built(request);
    forget_source(request);
    koine__dealloc(request->members);
    koine__buf_release(&request->text);
    koine__buf_release(&request->messages);
    koine__buf_release(&request->tools);
    koine__buf_release(&request->parts);
    koine__dealloc(request->route);
    koine__dealloc(request->target);
    koine__dealloc(request->provider);
    koine__dealloc(request->run);
    koine_canceller_free(request->canceller);
    koine__dealloc(request);
}

static int stick(struct koine_request *request, int rc)
{
    if (rc != KOINE_OK && request->error == KOINE_OK)
        request->error = rc;
    return request->error;
}

/* ---- members ---- */

static struct koine__request_member *find_member(const struct koine_request *request, const char *name)
{
    for (size_t i = 0; i < request->member_count; i++) {
        if (strcmp(request->members[i].name, name) == 0)
            return &request->members[i];
    }
    return NULL;
}

static void remove_member(struct koine_request *request, struct koine__request_member *member)
{
    size_t index = (size_t)(member - request->members);
    koine__dealloc(member->name);
    koine__dealloc(member->json);
    memmove(member, member + 1, (request->member_count - index - 1) * sizeof(*member));
    request->member_count--;
}

static int put_member(struct koine_request *request, koine_str name, koine_str json)
{
    if (name.len > 0 && memchr(name.ptr, '\0', name.len)) /* kept as C strings, it would be another name */
        return KOINE_EARGUMENT;
    void *items = request->members;
    char *key = koine__strndup(name.ptr, name.len), *value = koine__strndup(json.ptr, json.len);
    struct koine__request_member *old = key ? find_member(request, key) : NULL;
    int rc = key && value ? KOINE_OK : KOINE_EMEMORY;
    if (rc == KOINE_OK && !old)
        rc = koine__array_reserve(&items, &request->member_capacity, request->member_count + 1,
                                  sizeof(*request->members));
    if (rc != KOINE_OK) {
        koine__dealloc(key);
        koine__dealloc(value);
        return rc;
    }
    if (old) {
        koine__dealloc(old->json);
        koine__dealloc(key);
        old->json = value;
        return KOINE_OK;
    }
    request->members = items;
    request->members[request->member_count++] = (struct koine__request_member){key, value};
    return KOINE_OK;
}

/* The elements of an array, without its brackets. */
static int put_elements(struct koine__buf *list, const koine_node *array)
{
    koine__buf_reset(list);
    if (koine__node_kind(array) != KOINE_NODE_ARRAY)
        return KOINE_EARGUMENT;
    for (size_t i = 0; i < koine__node_count(array); i++) {
        koine_str source = koine__node_source(koine__node_at(array, i));
        if (i > 0)
            koine__buf_addc(list, ',');
        koine__buf_add(list, source.ptr, source.len);
    }
    return list->error;
}

static int put_any(struct koine_request *request, koine_str name, const koine_node *value)
{
    if (koine__str_is(name, "messages"))
        return put_elements(&request->messages, value);
    if (koine__str_is(name, "tools"))
        return put_elements(&request->tools, value);
    return put_member(request, name, koine__node_source(value));
}

/* Takes a document that was given apart, so that it can be changed. */
static int take_apart(struct koine_request *request)
{
    struct koine__arena arena;
    const koine_node *root = NULL;
    koine__arena_init(&arena, 0);
    int rc =
        koine__json_read((koine_str){koine__buf_str(&request->text), request->text.len}, &arena, &root, NULL);
    if (rc == KOINE_OK && koine__node_kind(root) != KOINE_NODE_OBJECT)
        rc = KOINE_EARGUMENT;
    for (size_t i = 0; rc == KOINE_OK && i < koine__node_count(root); i++)
        rc = put_any(request, koine__node_key(root, i), koine__node_at(root, i));
    if (rc == KOINE_OK && koine__node_failed(root))
        rc = KOINE_EMEMORY;
    koine__arena_release(&arena);
    return rc;
}

/* What became of a whole value: KOINE_EARGUMENT is one beyond DOCUMENT_LIMIT. */
static int outcome(const struct koine__writer *writer)
{
    if (koine__writer_done(writer))
        return KOINE_OK;
    return writer->buf->error != KOINE_OK ? writer->buf->error : KOINE_EARGUMENT;
}

/* The message under way. */
static void write_parts(struct koine__writer *writer, const struct koine_request *request)
{
    koine__write_open(writer, NO_KEY, '{');
    koine__write_str(writer, KOINE__STR("role"), koine__str(request->parts_role));
    koine__write_open(writer, KOINE__STR("content"), '[');
    if (request->parts.len > 0)
        koine__write_raw(writer, NO_KEY, (koine_str){koine__buf_str(&request->parts), request->parts.len});
    koine__write_close(writer);
    koine__write_close(writer);
}

static int end_parts(struct koine_request *request)
{
    struct koine__writer writer;
    if (!request->parts_role)
        return KOINE_OK;
    if (request->messages.len > 0)
        koine__buf_addc(&request->messages, ',');
    koine__writer_init(&writer, &request->messages);
    write_parts(&writer, request);
    koine__dealloc(request->parts_role);
    request->parts_role = NULL;
    koine__buf_reset(&request->parts);
    return outcome(&writer);
}

/* Before every change: sticky errors, and a document of one's own. Parts stay open only for part functions.
 */
static int begin_change(struct koine_request *request, bool is_part)
{
    if (!request)
        return KOINE_EARGUMENT;
    if (request->error == KOINE_OK && request->given) {
        request->given = false;
        stick(request, take_apart(request));
    }
    request->fresh = false;
    forget_source(request);
    if (request->error == KOINE_OK && !is_part)
        stick(request, end_parts(request));
    return request->error;
}

int koine_request_set_document(koine_request *request, const char *json, size_t length)
{
    if (!request || !json)
        return request ? stick(request, KOINE_EARGUMENT) : KOINE_EARGUMENT;
    clear_built(request);
    forget_source(request);
    koine__buf_reset(&request->text);
    koine__buf_add(&request->text, json, length);
    request->given = request->fresh = true;
    return stick(request, request->text.error);
}

int koine_request_set(koine_request *request, const char *member, const char *json)
{
    struct koine__arena arena;
    const koine_node *root = NULL;
    int rc = begin_change(request, false);
    if (rc != KOINE_OK || !member)
        return rc != KOINE_OK ? rc : stick(request, KOINE_EARGUMENT);
    if (!json) {
        struct koine__request_member *old = find_member(request, member);
        if (old)
            remove_member(request, old);
        else if (strcmp(member, "messages") == 0)
            koine__buf_reset(&request->messages);
        else if (strcmp(member, "tools") == 0)
            koine__buf_reset(&request->tools);
        return KOINE_OK;
    }
    koine__arena_init(&arena, 0);
    rc = koine__json_read(koine__str(json), &arena, &root, NULL);
    if (rc == KOINE_OK)
        rc = put_any(request, koine__str(member), root);
    if (rc == KOINE_OK && koine__node_failed(root))
        rc = KOINE_EMEMORY;
    koine__arena_release(&arena);
    return stick(request, rc);
}

/* Members that are kept apart, and can only be lists. */
static bool is_list(const char *member)
{
    return strcmp(member, "messages") == 0 || strcmp(member, "tools") == 0;
}

int koine_request_set_string(koine_request *request, const char *member, const char *text)
{
    struct koine__buf buf;
    struct koine__writer writer;
    int rc = begin_change(request, false);
    if (rc != KOINE_OK || !member || !text || is_list(member))
        return rc != KOINE_OK ? rc : stick(request, KOINE_EARGUMENT);
    koine__buf_init(&buf, DOCUMENT_LIMIT);
    koine__writer_init(&writer, &buf);
    koine__write_str(&writer, NO_KEY, koine__str(text));
    rc = outcome(&writer);
    if (rc == KOINE_OK)
        rc = put_member(request, koine__str(member), (koine_str){buf.ptr, buf.len});
    koine__buf_release(&buf);
    return stick(request, rc);
}

int koine_request_set_integer(koine_request *request, const char *member, int64_t value)
{
    struct koine__buf buf;
    int rc = begin_change(request, false);
    if (rc != KOINE_OK || !member || is_list(member))
        return rc != KOINE_OK ? rc : stick(request, KOINE_EARGUMENT);
    koine__buf_init(&buf, 32);
    koine__buf_add_int(&buf, value);
    rc = buf.error ? buf.error : put_member(request, koine__str(member), (koine_str){buf.ptr, buf.len});
    koine__buf_release(&buf);
    return stick(request, rc);
}

/* ---- messages ---- */

static void begin_element(struct koine__buf *list, struct koine__writer *writer)
{
    if (list->len > 0)
        koine__buf_addc(list, ',');
    koine__writer_init(writer, list);
    koine__write_open(writer, NO_KEY, '{');
}

static int end_element(struct koine_request *request, struct koine__writer *writer)
{
    koine__write_close(writer);
    return stick(request, outcome(writer));
}

int koine_request_message(koine_request *request, const char *role, const char *text)
{
    struct koine__writer writer;
    int rc = begin_change(request, false);
    if (rc != KOINE_OK || !role || !text)
        return rc != KOINE_OK ? rc : stick(request, KOINE_EARGUMENT);
    begin_element(&request->messages, &writer);
    koine__write_str(&writer, KOINE__STR("role"), koine__str(role));
    koine__write_str(&writer, KOINE__STR("content"), koine__str(text));
    return end_element(request, &writer);
}

int koine_request_message_parts(koine_request *request, const char *role)
{
    int rc = begin_change(request, false);
    if (rc != KOINE_OK || !role)
        return rc != KOINE_OK ? rc : stick(request, KOINE_EARGUMENT);
    request->parts_role = koine__strdup(role);
    return stick(request, request->parts_role ? KOINE_OK : KOINE_EMEMORY);
}

static int begin_part(koine_request *request, const char *text, struct koine__writer *writer,
                      const char *type)
{
    int rc = begin_change(request, true);
    if (rc != KOINE_OK || !text || !request->parts_role)
        return rc != KOINE_OK ? rc : stick(request, KOINE_EARGUMENT);
    begin_element(&request->parts, writer);
    koine__write_str(writer, KOINE__STR("type"), koine__str(type));
    return KOINE_OK;
}

int koine_request_part_text(koine_request *request, const char *text)
{
    struct koine__writer writer;
    int rc = begin_part(request, text, &writer, "text");
    if (rc != KOINE_OK)
        return rc;
    koine__write_str(&writer, KOINE__STR("text"), koine__str(text));
    return end_element(request, &writer);
}

int koine_request_part_image(koine_request *request, const char *url)
{
    struct koine__writer writer;
    int rc = begin_part(request, url, &writer, "image_url");
    if (rc != KOINE_OK)
        return rc;
    koine__write_open(&writer, KOINE__STR("image_url"), '{');
    koine__write_str(&writer, KOINE__STR("url"), koine__str(url));
    koine__write_close(&writer);
    return end_element(request, &writer);
}

int koine_request_append(koine_request *request, const char *message_json)
{
    int rc = begin_change(request, false);
    if (rc != KOINE_OK || !message_json)
        return rc != KOINE_OK ? rc : stick(request, KOINE_EARGUMENT);
    koine_str text = koine__str_trim(koine__str(message_json));
    rc = koine__json_check(text, KOINE__JSON_DEPTH, NULL);
    if (rc != KOINE_OK || text.ptr[0] != '{')
        return stick(request, rc == KOINE_EMEMORY ? rc : KOINE_EARGUMENT);
    if (request->messages.len > 0)
        koine__buf_addc(&request->messages, ',');
    koine__buf_add(&request->messages, text.ptr, text.len);
    return stick(request, request->messages.error);
}

int koine_request_tool(koine_request *request, const char *name, const char *description,
                       const char *schema_json)
{
    struct koine__writer writer;
    int rc = begin_change(request, false);
    if (rc != KOINE_OK || !name)
        return rc != KOINE_OK ? rc : stick(request, KOINE_EARGUMENT);
    if (schema_json)
        rc = koine__json_check(koine__str(schema_json), KOINE__JSON_DEPTH, NULL);
    if (rc != KOINE_OK)
        return stick(request, rc);
    begin_element(&request->tools, &writer);
    koine__write_str(&writer, KOINE__STR("type"), KOINE__STR("function"));
    koine__write_open(&writer, KOINE__STR("function"), '{');
    koine__write_str(&writer, KOINE__STR("name"), koine__str(name));
    if (description)
        koine__write_str(&writer, KOINE__STR("description"), koine__str(description));
    if (schema_json)
        koine__write_raw(&writer, KOINE__STR("parameters"), koine__str_trim(koine__str(schema_json)));
    koine__write_close(&writer);
    return end_element(request, &writer);
}

int koine_request_tool_result(koine_request *request, const char *tool_call_id, const char *text)
{
    struct koine__writer writer;
    int rc = begin_change(request, false);
    if (rc != KOINE_OK || !tool_call_id || !text)
        return rc != KOINE_OK ? rc : stick(request, KOINE_EARGUMENT);
    begin_element(&request->messages, &writer);
    koine__write_str(&writer, KOINE__STR("role"), KOINE__STR("tool"));
    koine__write_str(&writer, KOINE__STR("tool_call_id"), koine__str(tool_call_id));
    koine__write_str(&writer, KOINE__STR("content"), koine__str(text));
    return end_element(request, &writer);
}

/* ---- the document's text ---- */

/* `more` is a message under way, or NULL. An empty list is as good as none. */
static void write_list(struct koine__writer *writer, koine_str name, const struct koine__buf *list,
                       const struct koine_request *more)
{
    if (list->len == 0 && !more)
        return;
    koine__write_open(writer, name, '[');
    if (list->len > 0)
        koine__write_raw(writer, NO_KEY, (koine_str){koine__buf_str(list), list->len});
    if (more)
        write_parts(writer, more);
    koine__write_close(writer);
}

static int build(struct koine_request *request)
{
    struct koine__writer writer;
    koine__buf_reset(&request->text);
    koine__writer_init(&writer, &request->text);
    koine__write_open(&writer, NO_KEY, '{');
    for (size_t i = 0; i < request->member_count; i++)
        koine__write_raw(&writer, koine__str(request->members[i].name), koine__str(request->members[i].json));
    write_list(&writer, KOINE__STR("messages"), &request->messages, request->parts_role ? request : NULL);
    write_list(&writer, KOINE__STR("tools"), &request->tools, NULL);
    koine__write_close(&writer);
    int rc = outcome(&writer);
    request->fresh = rc == KOINE_OK;
    return rc;
}

int koine__request_text(const struct koine_request *request, const char **ret, size_t *ret_len)
{
    struct koine_request *cache = (struct koine_request *)(uintptr_t)request;
    if (request->error != KOINE_OK)
        return request->error;
    if (!request->fresh) {
        int rc = build(cache);
        if (rc != KOINE_OK)
            return rc;
    }
    *ret = koine__buf_str(&request->text);
    *ret_len = request->text.len;
    return KOINE_OK;
}

int koine__request_document(const struct koine_request *request, const void *user,
                            struct koine__document **ret, koine_error **ret_error)
{
    struct koine_request *cache = (struct koine_request *)(uintptr_t)request;
    koine_str text;
    int rc = koine__request_text(request, &text.ptr, &text.len);
    if (rc != KOINE_OK)
        return koine__error(ret_error, rc, "the request was not built: %s", koine_strerror(rc));
    if (cache->source && !koine__source_lend(cache->source, user))
        forget_source(cache);
    if (!cache->source) {
        rc = koine__source_read(text, &cache->source, ret_error);
        if (rc != KOINE_OK)
            return rc;
        koine__source_lend(cache->source, user);
    }
    return koine__document_new(cache->source, ret) == KOINE_OK ? KOINE_OK : koine__error_memory(ret_error);
}

/* ---- options ---- */

static int keep_text(struct koine_request *request, char **at, const char *text)
{
    char *copy = koine__strdup(text);
    if (text && !copy)
        return stick(request, KOINE_EMEMORY);
    koine__dealloc(*at);
    *at = copy;
    return KOINE_OK;
}

int koine_request_set_route(koine_request *request, const char *route)
{
    return request ? keep_text(request, &request->route, route) : KOINE_EARGUMENT;
}

int koine_request_set_target(koine_request *request, const char *target)
{
    return request ? keep_text(request, &request->target, target) : KOINE_EARGUMENT;
}

int koine_request_set_provider(koine_request *request, const koine_provider_handle *handle)
{
    return request ? keep_text(request, &request->provider, handle ? koine_provider_name(handle) : NULL)
                   : KOINE_EARGUMENT;
}

int koine_request_set_run(koine_request *request, const char *run_id)
{
    return request ? keep_text(request, &request->run, run_id) : KOINE_EARGUMENT;
}

int koine_request_set_deadline(koine_request *request, int64_t ms)
{
    if (!request || ms < 0 || ms > INT64_MAX / 1000000)
        return request ? stick(request, KOINE_EARGUMENT) : KOINE_EARGUMENT;
    request->deadline_ms = ms;
    return KOINE_OK;
}

static int keep_amount(struct koine_request *request, int64_t *at, const char *usd)
{
    int64_t amount = -1;
    if (usd && koine__read_usd(koine__str(usd), &amount) != KOINE_OK)
        return stick(request, KOINE_EARGUMENT);
    *at = amount;
    return KOINE_OK;
}

int koine_request_set_budget(koine_request *request, const char *usd)
{
    return request ? keep_amount(request, &request->budget, usd) : KOINE_EARGUMENT;
}

int koine_request_set_approved_cost(koine_request *request, const char *usd)
{
    return request ? keep_amount(request, &request->approved, usd) : KOINE_EARGUMENT;
}

int koine_request_set_commit(koine_request *request, int commit)
{
    if (!request || commit < KOINE_COMMIT_ROUTE || commit > KOINE_COMMIT_COMPLETE)
        return request ? stick(request, KOINE_EARGUMENT) : KOINE_EARGUMENT;
    request->commit = commit;
    return KOINE_OK;
}

int koine_request_set_stream(koine_request *request, int stream)
{
    if (!request || stream < 0 || stream > 1)
        return request ? stick(request, KOINE_EARGUMENT) : KOINE_EARGUMENT;
    request->stream = stream;
    return KOINE_OK;
}

int koine_request_set_canceller(koine_request *request, koine_canceller *canceller)
{
    if (!request)
        return KOINE_EARGUMENT;
    koine__canceller_ref(canceller); /* first: it may be the one that is there */
    koine_canceller_free(request->canceller);
    request->canceller = canceller;
    return KOINE_OK;
}

void koine_request_set_user(koine_request *request, void *user)
{
    if (request)
        request->user = user;
}
