/* messages_tools: tools, which of them may be called, calls and their results. */
#include "core/dialect/messages_internal.h"

/* ---- Tools ---- */

static void write_schema(struct koine__dialect_writing *w, const koine_node *schema)
{
    if (w->host->kind(schema) > KOINE_NODE_NULL)
        w->out->node(w->out, "input_schema", schema);
    else
        w->out->raw(w->out, "input_schema", koine__dialect_str("{\"type\":\"object\",\"properties\":{}}"));
}

/* Tools in the API's own shape, those of the vendor among them, travel as they are. */
static void write_tool(struct koine__dialect_writing *w, const koine_node *tool)
{
    static const char *const outer[] = {"type", "function", NULL}, *const inner[] = {"parameters", NULL};
    const koine_node *function = w->host->get(tool, "function");
    if (w->host->kind(w->host->get(tool, "custom")) == KOINE_NODE_OBJECT) {
        koine__dialect_fail(w, KOINE_UNSUPPORTED, "the Messages API has no tools of free text");
        return;
    }
    if (w->host->kind(function) != KOINE_NODE_OBJECT) {
        w->out->node(w->out, NULL, tool);
        return;
    }
    w->out->open(w->out, NULL, '{');
    koine__dialect_others(w, function, inner);
    write_schema(w, w->host->get(function, "parameters"));
    koine__dialect_others(w, tool, outer);
    w->out->close(w->out);
}

void koine__messages_tools(struct koine__dialect_writing *w, const koine_node *tools)
{
    if (w->host->kind(tools) == KOINE_NODE_NULL)
        return;
    w->out->open(w->out, "tools", '[');
    for (size_t i = 0; i < w->host->count(tools); i++)
        write_tool(w, w->host->at(tools, i));
    w->out->close(w->out);
}

/* ---- Which may be called ---- */

static const char *choice_of(const struct koine__dialect_writing *w, const koine_node *choice)
{
    static const struct {
        const char *word, *type;
    } words[] = {{"auto", "auto"}, {"none", "none"}, {"required", "any"}, {"any", "any"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (koine__dialect_is(w->host->str(choice), words[i].word))
            return words[i].type;
    return w->host->kind(choice) <= KOINE_NODE_NULL ? "auto" : NULL;
}

/* The members of the choice itself. */
static void write_choice(struct koine__dialect_writing *w, const koine_node *choice)
{
    static const char *const nothing[] = {NULL};
    const koine_node *function = w->host->get(choice, "function");
    const char *type = choice_of(w, choice);
    if (type) {
        w->out->str(w->out, "type", koine__dialect_str(type));
    } else if (w->host->kind(function) == KOINE_NODE_OBJECT) {
        w->out->str(w->out, "type", koine__dialect_str("tool"));
        w->out->node(w->out, "name", w->host->get(function, "name"));
    } else if (w->host->kind(choice) == KOINE_NODE_OBJECT &&
               !koine__dialect_is(koine__dialect_text(w->host, choice, "type"), "allowed_tools")) {
        koine__dialect_others(w, choice, nothing); /* in the API's own shape */
    } else {
        koine__dialect_fail(w, KOINE_UNSUPPORTED, "a tool_choice that the Messages API does not have");
    }
}

/* `choice` NULL: none is told, and parallel_tool_calls says why we are here. */
void koine__messages_choice(struct koine__dialect_writing *w, const koine_node *choice)
{
    const koine_node *parallel = koine__dialect_member(w, "parallel_tool_calls");
    const char *type = choice_of(w, choice);
    bool alone = w->host->truth(parallel) == 0 && !(type && strcmp(type, "none") == 0) &&
                 !w->host->get(choice, "disable_parallel_tool_use");
    bool told = w->host->kind(choice) > KOINE_NODE_NULL;
    if (w->host->count(koine__dialect_member(w, "tools")) == 0 || !(told || alone))
        return; /* of no tools, nothing need be said */
    w->out->open(w->out, "tool_choice", '{');
    write_choice(w, choice);
    if (alone)
        w->out->raw(w->out, "disable_parallel_tool_use", koine__dialect_str("true"));
    w->out->close(w->out);
}

/* ---- Calls and results ---- */

static bool is_id_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Other vendors' ids hold what this one refuses. Calls and results are changed alike, so they still meet. */
static void write_id(struct koine__dialect_writing *w, const char *key, const koine_node *node)
{
    koine_str id = w->host->str(node);
    size_t good = 0;
    while (good < id.len && is_id_letter(id.ptr[good]))
        good++;
    if (good == id.len) {
        w->out->node(w->out, key, node);
        return;
    }
    char *copy = w->host->alloc(w->host, id.len);
    if (!copy) {
        koine__dialect_fail(w, KOINE_NO_MEMORY, NULL);
        return;
    }
    for (size_t i = 0; i < id.len; i++)
        copy[i] = (char)(is_id_letter(id.ptr[i]) ? id.ptr[i] : '_');
    w->out->str(w->out, key, (koine_str){copy, id.len});
}

void koine__messages_call(struct koine__dialect_writing *w, const koine_node *call)
{
    const koine_node *function = w->host->get(call, "function");
    if (w->host->kind(function) != KOINE_NODE_OBJECT) {
        koine__dialect_fail(w, KOINE_UNSUPPORTED, "the Messages API has only calls of functions");
        return;
    }
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "type", koine__dialect_str("tool_use"));
    write_id(w, "id", w->host->get(call, "id"));
    w->out->node(w->out, "name", w->host->get(function, "name"));
    koine__dialect_arguments(w, "input", w->host->get(function, "arguments"));
    w->out->close(w->out);
}

void koine__messages_result(struct koine__dialect_writing *w, const koine_node *message)
{
    const koine_node *content = w->host->get(message, "content");
    if (koine__dialect_text(w->host, message, "tool_call_id").len == 0) {
        koine__dialect_fail(w, KOINE_INVALID, "a message of role tool has no `tool_call_id`");
        return;
    }
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "type", koine__dialect_str("tool_result"));
    write_id(w, "tool_use_id", w->host->get(message, "tool_call_id"));
    if (w->host->kind(content) == KOINE_NODE_ARRAY) {
        w->out->open(w->out, "content", '[');
        for (size_t i = 0; i < w->host->count(content); i++)
            koine__messages_part(w, w->host->at(content, i));
        w->out->close(w->out);
    } else if (w->host->kind(content) > KOINE_NODE_NULL) {
        w->out->node(w->out, "content", content);
    }
    w->out->node(w->out, "is_error", w->host->get(message, "is_error"));
    w->out->node(w->out, "cache_control", w->host->get(message, "cache_control"));
    w->out->close(w->out);
}
