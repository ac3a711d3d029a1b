/* chat_messages: the messages of a document: spliced whole, unless something in them must not travel as it
 * is. */
#include "core/dialect/chat_internal.h"

static bool is_kind(const struct koine__chat_writing *w, const koine_node *node, int32_t kind)
{
    return w->host->kind(node) == kind;
}

/* Whether a message may hold what this vendor wants otherwise. */
static bool is_particular(const struct koine__chat_writing *w)
{
    return w->traits.images || w->traits.tool_id_length > 0 ||
           (w->traits.flags & (KOINE_CHAT_TOOLS_ALONE | KOINE_CHAT_RESULT_NAME));
}

static bool is_ours(koine_str name)
{
    return koine__dialect_is(name, "koine");
}

/* Whether one of the list's objects has a member of ours. */
static bool has_ours(const struct koine__chat_writing *w, const koine_node *parts)
{
    for (size_t i = 0; i < w->host->count(parts); i++) {
        const koine_node *part = w->host->at(parts, i);
        bool is_object = is_kind(w, part, KOINE_NODE_OBJECT);
        for (size_t j = 0; is_object && j < w->host->count(part); j++)
            if (is_ours(w->host->key(part, j)))
                return true;
    }
    return false;
}

static bool is_renamed(const struct koine__chat_writing *w, koine_str key, const koine_node *value)
{
    return (w->traits.flags & KOINE_CHAT_NO_DEVELOPER) && koine__dialect_is(key, "role") &&
           koine__dialect_is(w->host->str(value), "developer");
}

/* Whether something in the message must not travel as it is: a `koine` in it or in a part, its role, or what
 * this vendor wants otherwise. */
static bool must_change(const struct koine__chat_writing *w, const koine_node *message)
{
    if (!is_kind(w, message, KOINE_NODE_OBJECT))
        return false;
    for (size_t i = 0; i < w->host->count(message); i++) {
        koine_str key = w->host->key(message, i);
        const koine_node *value = w->host->at(message, i);
        if (is_ours(key) || is_renamed(w, key, value) ||
            (is_kind(w, value, KOINE_NODE_ARRAY) && has_ours(w, value)))
            return true;
    }
    return is_particular(w);
}

/* ---- Parts ---- */

/* "data:image/png;base64,…" */
static bool is_data_of(koine_str url, const char *type)
{
    static const char start[] = "data:", end[] = ";base64,";
    size_t len = strlen(type), from = sizeof(start) - 1, to = sizeof(end) - 1;
    return url.len > from + len + to && memcmp(url.ptr, start, from) == 0 &&
           memcmp(url.ptr + from, type, len) == 0 && memcmp(url.ptr + from + len, end, to) == 0;
}

static bool takes_image(const struct koine__chat_writing *w, const koine_node *part)
{
    const koine_host *host = w->host;
    const koine_node *image = host->get(part, "image_url");
    const char *const *at = w->traits.images;
    if (!at || !koine__dialect_is(host->str(host->get(part, "type")), "image_url"))
        return true;
    koine_str url = host->str(is_kind(w, image, KOINE_NODE_STRING) ? image : host->get(image, "url"));
    while (*at && !is_data_of(url, *at))
        at++;
    return *at != NULL;
}

static void refuse_image(struct koine__chat_writing *w)
{
    koine_str why = koine__dialect_str("images travel only as base64 data of");
    for (const char *const *at = w->traits.images; why.ptr && *at; at++) {
        why = koine__dialect_str(koine__dialect_join(w->host, why, koine__dialect_str(" ")));
        why = koine__dialect_str(koine__dialect_join(w->host, why, koine__dialect_str(*at)));
    }
    if (w->result == KOINE_DONE && why.ptr)
        w->out->fail(w->out, why);
    koine__chat_fail(w, why.ptr ? KOINE_UNSUPPORTED : KOINE_NO_MEMORY);
}

static void write_part(struct koine__chat_writing *w, const koine_node *part)
{
    if (!takes_image(w, part))
        refuse_image(w);
    koine__dialect_splice(w->host, w->out, NULL, part);
}

static void write_parts(struct koine__chat_writing *w, koine_str key, const koine_node *parts)
{
    const char *name = koine__chat_name(w, key);
    if (!name)
        return;
    w->out->open(w->out, name, '[');
    for (size_t i = 0; i < w->host->count(parts); i++)
        write_part(w, w->host->at(parts, i));
    w->out->close(w->out);
}

/* ---- Tool calls ---- */

/* What came with that tool call, or with the message itself where the id is empty; NULL: nothing, or nothing
 * that this vendor wants back. */
static const koine_node *kept_of(const struct koine__chat_writing *w, const koine_node *message, koine_str id)
{
    const koine_host *host = w->host;
    const koine_node *kept = host->get(host->get(message, "koine"), "chat");
    if (!(w->traits.flags & KOINE_CHAT_EXTRA_BACK))
        return NULL;
    for (size_t i = host->count(kept); i-- > 0;) {
        koine_str of = host->str(host->get(host->at(kept, i), "id"));
        if (of.len == id.len && (id.len == 0 || memcmp(of.ptr, id.ptr, id.len) == 0))
            return host->get(host->at(kept, i), "extra_content");
    }
    return NULL;
}

static void write_kept(struct koine__chat_writing *w, const koine_node *message, const koine_node *object,
                       koine_str id)
{
    if (!w->host->get(object, "extra_content"))
        w->out->node(w->out, "extra_content", kept_of(w, message, id));
}

/* In its own bytes, unless it is sent as another. */
static void write_id(struct koine__chat_writing *w, const char *name, const koine_node *value)
{
    koine_str told = w->host->str(value), sent = koine__chat_id(w, told);
    if (sent.ptr == told.ptr)
        w->out->node(w->out, name, value);
    else
        w->out->str(w->out, name, sent);
}

static void write_tool_call(struct koine__chat_writing *w, const koine_node *message, const koine_node *call)
{
    koine_str id = w->host->str(w->host->get(call, "id"));
    if (!is_kind(w, call, KOINE_NODE_OBJECT)) {
        w->out->node(w->out, NULL, call);
        return;
    }
    w->out->open(w->out, NULL, '{');
    for (size_t i = 0; i < w->host->count(call); i++) {
        koine_str key = w->host->key(call, i);
        if (koine__dialect_is(key, "id"))
            write_id(w, "id", w->host->at(call, i));
        else if (!is_ours(key))
            w->out->member(w->out, w->host->at(call, i));
    }
    if (id.len > 0)
        write_kept(w, message, call, id);
    w->out->close(w->out);
}

static void write_tool_calls(struct koine__chat_writing *w, const koine_node *message,
                             const koine_node *calls)
{
    w->out->open(w->out, "tool_calls", '[');
    for (size_t i = 0; i < w->host->count(calls); i++)
        write_tool_call(w, message, w->host->at(calls, i));
    w->out->close(w->out);
}

/* The tool whose result this is, for a vendor that wants it named: the latest of its id, should one come
 * twice. */
static void write_tool_name(struct koine__chat_writing *w, const koine_node *message)
{
    const koine_host *host = w->host;
    const koine_node *messages = host->get(w->ask->doc, "messages"), *name = NULL;
    if (host->get(message, "name"))
        return;
    int32_t rc = koine__dialect_call_name(host, messages, SIZE_MAX,
                                          host->str(host->get(message, "tool_call_id")), &w->calls, &name);
    if (rc != KOINE_DONE)
        koine__chat_fail(w, rc);
    w->out->node(w->out, "name", name);
}

/* ---- Messages ---- */

/* Content that must not stand beside tool calls. Only words that are lost are worth a notice. */
static bool must_be_silent(struct koine__chat_writing *w, const koine_node *message, koine_str key)
{
    const koine_node *content = w->host->get(message, "content");
    if (!(w->traits.flags & KOINE_CHAT_TOOLS_ALONE) || !koine__dialect_is(key, "content") ||
        w->host->count(w->host->get(message, "tool_calls")) == 0)
        return false;
    w->silenced |= w->host->str(content).len > 0 || w->host->count(content) > 0;
    return true;
}

static void write_message_member(struct koine__chat_writing *w, const koine_node *message, koine_str key,
                                 const koine_node *value)
{
    bool is_list = is_kind(w, value, KOINE_NODE_ARRAY);
    if (is_ours(key) || must_be_silent(w, message, key))
        return;
    if (is_renamed(w, key, value)) {
        w->out->str(w->out, "role", koine__dialect_str("system"));
        w->renamed = true;
    } else if (koine__dialect_is(key, "tool_call_id"))
        write_id(w, "tool_call_id", value);
    else if (is_list && koine__dialect_is(key, "tool_calls"))
        write_tool_calls(w, message, value);
    else if (is_list && (w->traits.images || has_ours(w, value)))
        write_parts(w, key, value);
    else
        w->out->member(w->out, value);
}

static void write_message(struct koine__chat_writing *w, const koine_node *message)
{
    static const koine_str none = {NULL, 0};
    if (!must_change(w, message)) {
        w->out->node(w->out, NULL, message);
        return;
    }
    w->out->open(w->out, NULL, '{');
    for (size_t i = 0; i < w->host->count(message); i++)
        write_message_member(w, message, w->host->key(message, i), w->host->at(message, i));
    write_kept(w, message, message, none);
    if (w->traits.flags & KOINE_CHAT_RESULT_NAME)
        write_tool_name(w, message);
    w->out->close(w->out);
}

static void tell(struct koine__chat_writing *w, const char *name)
{
    if (w->renamed)
        koine__chat_notice(w, KOINE_NOTICE_MAPPED, name, "role developer sent as system");
    if (w->readdressed)
        koine__chat_notice(w, KOINE_NOTICE_MAPPED, name, "ids of tool calls sent as numbers");
    if (w->silenced)
        koine__chat_notice(w, KOINE_NOTICE_DROPPED, name, "content beside tool calls");
}

static bool must_change_any(const struct koine__chat_writing *w, const koine_node *messages)
{
    for (size_t i = 0; i < w->host->count(messages); i++)
        if (must_change(w, w->host->at(messages, i)))
            return true;
    return false;
}

void koine__chat_messages(struct koine__chat_writing *w, const char *name, const koine_node *messages)
{
    if (!must_change_any(w, messages)) {
        w->out->node(w->out, name, messages);
        return;
    }
    koine__chat_ids(w, messages);
    w->out->open(w->out, name, '[');
    for (size_t i = 0; i < w->host->count(messages); i++)
        write_message(w, w->host->at(messages, i));
    w->out->close(w->out);
    tell(w, name);
}
