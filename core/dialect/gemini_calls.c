/* gemini_calls: calls and their results, which the API knows by the function's name and not by an id alone.
 */
#include "core/dialect/gemini_internal.h"

/* What Google has documented for calls that no model of its own has made. */
#define NO_SIGNATURE "skip_thought_signature_validator"

static void write_id(struct koine__dialect_writing *w, const koine_node *id)
{
    if (w->host->str(id).len > 0)
        w->out->node(w->out, "id", id);
}

void koine__gemini_call(struct koine__dialect_writing *w, const koine_node *call, const koine_node *signature,
                        bool placeholder)
{
    const koine_node *function = w->host->get(call, "function");
    if (w->host->kind(function) != KOINE_NODE_OBJECT) {
        koine__dialect_fail(w, KOINE_UNSUPPORTED, "the Gemini API has only calls of functions");
        return;
    }
    w->out->open(w->out, NULL, '{');
    w->out->open(w->out, "functionCall", '{');
    write_id(w, w->host->get(call, "id"));
    w->out->node(w->out, "name", w->host->get(function, "name"));
    koine__dialect_arguments(w, "args", w->host->get(function, "arguments"));
    w->out->close(w->out);
    w->out->node(w->out, "thoughtSignature", signature);
    if (placeholder)
        w->out->str(w->out, "thoughtSignature", koine__dialect_str(NO_SIGNATURE));
    w->out->close(w->out);
}

/* ---- Results ---- */

/* The function that the result at that place is of; where no call before it has its id, as it says itself. */
static const koine_node *name_of(struct koine__dialect_writing *w, const koine_node *messages, size_t at)
{
    const koine_node *message = w->host->at(messages, at), *name = NULL;
    koine_str id = koine__dialect_text(w->host, message, "tool_call_id");
    int32_t rc = koine__dialect_call_name(w->host, messages, at, id, &w->calls, &name);
    if (rc != KOINE_DONE)
        koine__dialect_fail(w, rc, NULL);
    return name ? name : w->host->get(message, "name");
}

/* What a part says in words; NULL: it is something else. */
static koine_str words_of(const koine_host *host, const koine_node *part)
{
    koine_str type = koine__dialect_text(host, part, "type");
    if (host->kind(part) == KOINE_NODE_STRING)
        return host->str(part);
    bool words = type.len == 0 || koine__dialect_is(type, "text");
    return words ? koine__dialect_text(host, part, "text") : (koine_str){NULL, 0};
}

/* The words of a list of parts as one text. */
static int32_t join_words(const koine_host *host, const koine_node *content, koine_str *ret)
{
    size_t size = 0;
    for (size_t i = 0; i < host->count(content); i++)
        size += words_of(host, host->at(content, i)).len;
    char *text = host->alloc(host, size + 1);
    if (!text)
        return KOINE_NO_MEMORY;
    *ret = (koine_str){text, 0};
    for (size_t i = 0; i < host->count(content); i++) {
        koine_str piece = words_of(host, host->at(content, i));
        if (piece.len > 0)
            memcpy(text + ret->len, piece.ptr, piece.len);
        ret->len += piece.len;
    }
    return KOINE_DONE;
}

/* The API wants an object: a text that is one travels as one, any other under the name of what it is. */
static void write_response(struct koine__dialect_writing *w, koine_str text, bool failed)
{
    const koine_node *root = NULL;
    int32_t rc = w->host->parse(w->host, text, &root);
    if (rc == KOINE_NO_MEMORY) {
        koine__dialect_fail(w, rc, NULL);
        return;
    }
    bool object = rc == KOINE_DONE && w->host->kind(root) == KOINE_NODE_OBJECT;
    if (object && !failed) {
        w->out->node(w->out, "response", root);
        return;
    }
    w->out->open(w->out, "response", '{');
    if (object)
        w->out->node(w->out, "error", root);
    else
        w->out->str(w->out, failed ? "error" : "output", text);
    w->out->close(w->out);
}

/* What a tool shows beside its words. */
static void write_media(struct koine__dialect_writing *w, const koine_node *content)
{
    size_t count = w->host->kind(content) == KOINE_NODE_ARRAY ? w->host->count(content) : 0, media = 0;
    for (size_t i = 0; i < count; i++)
        media += !words_of(w->host, w->host->at(content, i)).ptr;
    if (media == 0)
        return;
    w->out->open(w->out, "parts", '[');
    for (size_t i = 0; i < count; i++)
        if (!words_of(w->host, w->host->at(content, i)).ptr)
            koine__gemini_part(w, w->host->at(content, i));
    w->out->close(w->out);
}

void koine__gemini_result(struct koine__dialect_writing *w, const koine_node *messages, size_t at)
{
    const koine_node *message = w->host->at(messages, at), *content = w->host->get(message, "content");
    const koine_node *name = name_of(w, messages, at);
    koine_str text = w->host->str(content);
    if (w->host->str(name).len == 0) {
        koine__dialect_fail(w, KOINE_INVALID,
                            "a message of role tool has a `tool_call_id` that no call before it has");
        return;
    }
    int32_t rc =
        w->host->kind(content) == KOINE_NODE_ARRAY ? join_words(w->host, content, &text) : KOINE_DONE;
    if (rc != KOINE_DONE) {
        koine__dialect_fail(w, rc, NULL);
        return;
    }
    w->out->open(w->out, NULL, '{');
    w->out->open(w->out, "functionResponse", '{');
    write_id(w, w->host->get(message, "tool_call_id"));
    w->out->node(w->out, "name", name);
    write_response(w, text, w->host->truth(w->host->get(message, "is_error")) == 1);
    write_media(w, content);
    w->out->close(w->out);
    w->out->close(w->out);
}
