/* chat_tools: calls of tools, as fragments. What belongs together is the core's to find out. */
#include "core/dialect/chat_internal.h"

static void emit_call(struct koine__chat_answer *a, koine_provider_event event, koine_str name,
                      const koine_node *arguments)
{
    event.name = name;
    event.text =
        a->host->kind(arguments) == KOINE_NODE_STRING ? a->host->str(arguments) : (koine_str){NULL, 0};
    if (a->host->kind(arguments) >= KOINE_NODE_ARRAY) /* not the text of JSON but JSON */
        event.text = a->host->dump(arguments);
    a->sink->emit(a->sink, &event);
    a->state->content = 1;
}

static void keep_piece(struct koine__chat_answer *a, koine_str text)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_KEEP);
    event.name = koine__dialect_str("chat");
    event.index = a->state->kept;
    event.text = text;
    a->sink->emit(a->sink, &event);
}

void koine__chat_keep(struct koine__chat_answer *a, const koine_node *object)
{
    const koine_host *host = a->host;
    const koine_node *extra = host->get(object, "extra_content"), *id = host->get(object, "id");
    if (host->kind(extra) <= KOINE_NODE_NULL)
        return;
    keep_piece(a, koine__dialect_str("{"));
    if (host->kind(id) == KOINE_NODE_STRING) {
        keep_piece(a, koine__dialect_str("\"id\":"));
        keep_piece(a, host->dump(id));
        keep_piece(a, koine__dialect_str(","));
    }
    keep_piece(a, koine__dialect_str("\"extra_content\":"));
    keep_piece(a, host->dump(extra));
    keep_piece(a, koine__dialect_str("}"));
    a->state->kept++;
}

/* `index` is Together's to write as 0.0. In a whole answer each element is a call of its own, whatever it
 * says. */
static void read_call(struct koine__chat_answer *a, const koine_node *call, size_t position)
{
    const koine_host *host = a->host;
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_TOOL);
    const koine_node *function = host->get(call, "function"), *custom = host->get(call, "custom");
    int64_t index = a->whole ? (int64_t)position : host->num(host->get(call, "index"), -1);
    event.index = index >= 0 && index <= INT32_MAX ? (int32_t)index : -1;
    event.id = host->str(host->get(call, "id"));
    if (host->kind(custom) == KOINE_NODE_OBJECT)
        emit_call(a, event, host->str(host->get(custom, "name")), host->get(custom, "input"));
    else
        emit_call(a, event, host->str(host->get(function, "name")), host->get(function, "arguments"));
    koine__chat_keep(a, call);
}

void koine__chat_tools(struct koine__chat_answer *answer, const koine_node *message)
{
    const koine_host *host = answer->host;
    const koine_node *calls = host->get(message, "tool_calls"), *legacy = host->get(message, "function_call");
    if (host->kind(calls) == KOINE_NODE_ARRAY)
        for (size_t i = 0; i < host->count(calls); i++)
            read_call(answer, host->at(calls, i), i);
    if (host->kind(legacy) != KOINE_NODE_OBJECT)
        return;
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_TOOL);
    event.index = 0; /* there is never a second */
    emit_call(answer, event, host->str(host->get(legacy, "name")), host->get(legacy, "arguments"));
}
