/* gemini_tools: tools, and which of them may be called. */
#include "core/dialect/gemini_internal.h"

/* ---- Tools ---- */

static bool is_function(const koine_host *host, const koine_node *tool)
{
    return host->kind(host->get(tool, "function")) == KOINE_NODE_OBJECT;
}

/* A function without parameters has no schema: an empty one is refused by some models. */
static void write_function(struct koine__dialect_writing *w, const koine_node *function)
{
    static const char *const inner[] = {"parameters", "strict", NULL};
    const koine_node *schema = w->host->get(function, "parameters");
    bool empty = w->host->count(schema) == 0 ||
                 (w->host->kind(w->host->get(schema, "properties")) == KOINE_NODE_OBJECT &&
                  w->host->count(w->host->get(schema, "properties")) == 0);
    w->out->open(w->out, NULL, '{');
    koine__dialect_others(w, function, inner);
    if (!empty)
        w->out->node(w->out, "parametersJsonSchema", schema);
    w->out->close(w->out);
    if (w->host->truth(w->host->get(function, "strict")) == 1 && !(w->told & KOINE__TOLD_STRICT)) {
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, "tools", "functions have no `strict` there");
        w->told |= KOINE__TOLD_STRICT;
    }
}

static void write_functions(struct koine__dialect_writing *w, const koine_node *tools)
{
    size_t functions = 0;
    for (size_t i = 0; i < w->host->count(tools); i++)
        functions += is_function(w->host, w->host->at(tools, i));
    if (functions == 0)
        return;
    w->out->open(w->out, NULL, '{');
    w->out->open(w->out, "functionDeclarations", '[');
    for (size_t i = 0; i < w->host->count(tools); i++)
        if (is_function(w->host, w->host->at(tools, i)))
            write_function(w, w->host->get(w->host->at(tools, i), "function"));
    w->out->close(w->out);
    w->out->close(w->out);
}

/* Functions stand in one tool; those in the API's own shape travel as they are. */
void koine__gemini_tools(struct koine__dialect_writing *w, const koine_node *tools)
{
    if (w->host->count(tools) == 0)
        return;
    w->out->open(w->out, "tools", '[');
    write_functions(w, tools);
    for (size_t i = 0; i < w->host->count(tools); i++) {
        const koine_node *tool = w->host->at(tools, i);
        if (w->host->kind(w->host->get(tool, "custom")) == KOINE_NODE_OBJECT)
            koine__dialect_fail(w, KOINE_UNSUPPORTED, "the Gemini API has no tools of free text");
        else if (!is_function(w->host, tool))
            w->out->node(w->out, NULL, tool);
    }
    w->out->close(w->out);
}

/* ---- Which may be called ---- */

static const char *mode_of(koine_str word)
{
    static const struct {
        const char *word, *mode;
    } words[] = {{"auto", "AUTO"}, {"none", "NONE"}, {"required", "ANY"}, {"any", "ANY"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (koine__dialect_is(word, words[i].word))
            return words[i].mode;
    return NULL;
}

static void write_mode(struct koine__dialect_writing *w, const char *mode)
{
    w->out->str(w->out, "mode", koine__dialect_str(mode));
}

/* Names may be allowed only where the arguments are checked: VALIDATED is the AUTO that does. */
static void write_allowed(struct koine__dialect_writing *w, const koine_node *choice)
{
    const koine_node *inner = w->host->get(choice, "allowed_tools"), *allowed = inner ? inner : choice;
    const koine_node *tools = w->host->get(allowed, "tools");
    bool required = koine__dialect_is(koine__dialect_text(w->host, allowed, "mode"), "required");
    write_mode(w, required ? "ANY" : "VALIDATED");
    w->out->open(w->out, "allowedFunctionNames", '[');
    for (size_t i = 0; i < w->host->count(tools); i++) {
        const koine_node *tool = w->host->at(tools, i), *function = w->host->get(tool, "function");
        w->out->node(w->out, NULL, w->host->get(function ? function : tool, "name"));
    }
    w->out->close(w->out);
}

static void write_choice(struct koine__dialect_writing *w, const koine_node *choice)
{
    static const char *const nothing[] = {NULL};
    const koine_node *function = w->host->get(choice, "function");
    const char *mode = mode_of(w->host->str(choice));
    if (mode) {
        write_mode(w, mode);
    } else if (w->host->kind(function) == KOINE_NODE_OBJECT) {
        write_mode(w, "ANY");
        w->out->open(w->out, "allowedFunctionNames", '[');
        w->out->node(w->out, NULL, w->host->get(function, "name"));
        w->out->close(w->out);
    } else if (koine__dialect_is(koine__dialect_text(w->host, choice, "type"), "allowed_tools")) {
        write_allowed(w, choice);
    } else if (w->host->kind(choice) == KOINE_NODE_OBJECT) {
        koine__dialect_others(w, choice, nothing); /* in the API's own shape */
    } else {
        koine__dialect_fail(w, KOINE_UNSUPPORTED, "a tool_choice that the Gemini API does not have");
    }
}

/* What the document says there itself is not overruled; of no tools, nothing need be said. */
void koine__gemini_tool_config(struct koine__dialect_writing *w)
{
    static const char *const nothing[] = {NULL};
    const koine_node *own = koine__dialect_given(w, "toolConfig");
    const koine_node *choice = koine__dialect_given(w, "tool_choice");
    bool told = w->host->kind(w->host->get(own, "functionCallingConfig")) > KOINE_NODE_NULL;
    if (choice && told)
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, "tool_choice", "toolConfig says it already");
    if (told || w->host->count(koine__dialect_member(w, "tools")) == 0)
        choice = NULL;
    if (!own && !choice)
        return;
    w->out->open(w->out, "toolConfig", '{');
    if (w->host->kind(own) == KOINE_NODE_OBJECT)
        koine__dialect_others(w, own, nothing);
    if (choice) {
        w->out->open(w->out, "functionCallingConfig", '{');
        write_choice(w, choice);
        w->out->close(w->out);
    }
    w->out->close(w->out);
}
