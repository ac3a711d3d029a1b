/* messages_blocks: the content blocks of an answer, whole and in pieces.
 *
 * Text, thinking and calls become events. What must go back as it came is kept besides: signed thinking and
 * what the vendor's own tools did; in pieces its JSON is written piece by piece, in the vendor's own bytes.
 */
#include "core/dialect/messages_internal.h"

static koine_str text_of(const struct koine__messages_answer *a, const koine_node *object, const char *name)
{
    return a->host->str(a->host->get(object, name));
}

/* A string's source without its quotes: text that stands inside JSON already. */
static koine_str inside(const struct koine__messages_answer *a, const koine_node *object, const char *name)
{
    const koine_node *node = a->host->get(object, name);
    koine_str source = a->host->dump(node);
    if (a->host->kind(node) != KOINE_NODE_STRING || source.len < 2)
        return (koine_str){NULL, 0};
    return (koine_str){source.ptr + 1, source.len - 2};
}

/* ---- What is kept ---- */

static struct koine__dialect_keeping keeping(const struct koine__messages_answer *a)
{
    return (struct koine__dialect_keeping){a->sink, KOINE__MESSAGES_KEPT, KOINE__MESSAGES_CALL,
                                           &a->state->place};
}

static void keep(struct koine__messages_answer *a, koine_str text)
{
    struct koine__dialect_keeping k = keeping(a);
    koine__dialect_keep(&k, text);
}

static void keep_whole(struct koine__messages_answer *a, const koine_node *block)
{
    struct koine__dialect_keeping k = keeping(a);
    koine__dialect_keep_whole(&k, a->host->dump(block));
}

/* The start of a block of which members (their names end with NULL) are still to come: then `open`. */
static void keep_start(struct koine__messages_answer *a, const koine_node *block, const char *const *coming,
                       const char *open)
{
    struct koine__dialect_keeping k = keeping(a);
    koine__dialect_keep_place(&k);
    keep(a, koine__dialect_str("{"));
    for (size_t i = 0; i < a->host->count(block); i++) {
        if (koine__dialect_is_one_of(a->host->key(block, i), coming))
            continue;
        keep(a, a->host->pair(a->host->at(block, i)));
        keep(a, koine__dialect_str(","));
    }
    keep(a, koine__dialect_str(open));
}

static void keep_end(struct koine__messages_answer *a, const char *close)
{
    struct koine__dialect_keeping k = keeping(a);
    koine__dialect_keep_end(&k, close);
}

/* ---- What is given ---- */

static void give_text(struct koine__messages_answer *a, koine_str text)
{
    koine__messages_piece(a, KOINE_EMIT_TEXT, text);
    a->state->place.text += text.len;
}

static void give_citations(struct koine__messages_answer *a, const koine_node *citations)
{
    for (size_t i = 0; i < a->host->count(citations); i++)
        koine__messages_extra(a, "citations", a->host->at(citations, i));
}

static void give_call(struct koine__messages_answer *a, const koine_node *block, int32_t index,
                      koine_str input)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_TOOL);
    event.index = index;
    event.id = text_of(a, block, "id");
    event.name = text_of(a, block, "name");
    event.text = input;
    a->sink->emit(a->sink, &event);
    a->state->content = 1;
    a->state->place.calls++;
}

/* ---- Whole blocks ---- */

int32_t koine__messages_whole_block(struct koine__messages_answer *a, const koine_node *block, int32_t index)
{
    koine_str type = text_of(a, block, "type");
    if (type.len == 0)
        return KOINE_PROTOCOL;
    if (koine__dialect_is(type, "text")) {
        give_text(a, text_of(a, block, "text"));
        give_citations(a, a->host->get(block, "citations"));
    } else if (koine__dialect_is(type, "tool_use")) {
        give_call(a, block, index, a->host->dump(a->host->get(block, "input")));
    } else if (koine__dialect_is(type, "thinking")) {
        koine__messages_piece(a, KOINE_EMIT_REASONING, text_of(a, block, "thinking"));
        if (text_of(a, block, "signature").len > 0)
            keep_whole(a, block);
    } else {
        keep_whole(a, block);
    }
    return KOINE_DONE;
}

/* ---- Blocks in pieces ---- */

/* A block may be told whole at its start. */
static bool is_whole(const struct koine__messages_answer *a, const koine_node *block, koine_str type)
{
    const koine_node *input = a->host->get(block, "input");
    bool empty = a->host->kind(input) == KOINE_NODE_OBJECT && a->host->count(input) == 0;
    if (koine__dialect_is(type, "thinking"))
        return text_of(a, block, "signature").len > 0;
    if (koine__dialect_is(type, "tool_use"))
        return a->host->count(input) > 0;
    return !empty;
}

static void start_thinking(struct koine__messages_answer *a, const koine_node *block)
{
    static const char *const coming[] = {"thinking", "signature", NULL};
    koine__messages_piece(a, KOINE_EMIT_REASONING, text_of(a, block, "thinking"));
    keep_start(a, block, coming, "\"thinking\":\"");
    keep(a, inside(a, block, "thinking"));
    a->state->block = KOINE__BLOCK_SIGNED;
}

static void start_server_call(struct koine__messages_answer *a, const koine_node *block)
{
    static const char *const coming[] = {"input", NULL};
    keep_start(a, block, coming, "\"input\":");
    a->state->block = KOINE__BLOCK_SERVER;
}

static void end_block(struct koine__messages_answer *a)
{
    if (a->state->block == KOINE__BLOCK_SIGNED || a->state->block == KOINE__BLOCK_SIGNING)
        keep_end(a, "\"}");
    else if (a->state->block == KOINE__BLOCK_SERVER)
        keep_end(a, a->state->pieces ? "}" : "{}}");
    a->state->block = KOINE__BLOCK_NONE;
    a->state->pieces = 0;
}

static int32_t index_of(const struct koine__messages_answer *a, const koine_node *event)
{
    int64_t index = a->host->num(a->host->get(event, "index"), -1);
    return index >= 0 && index <= INT32_MAX ? (int32_t)index : -1;
}

int32_t koine__messages_block_start(struct koine__messages_answer *a, const koine_node *event)
{
    const koine_node *block = a->host->get(event, "content_block");
    koine_str type = text_of(a, block, "type");
    end_block(a);
    a->state->index = index_of(a, event);
    a->state->block = KOINE__BLOCK_OPEN;
    if (koine__dialect_is(type, "text") || is_whole(a, block, type))
        return koine__messages_whole_block(a, block, a->state->index);
    if (koine__dialect_is(type, "thinking")) {
        start_thinking(a, block);
    } else if (koine__dialect_is(type, "tool_use")) {
        give_call(a, block, a->state->index, (koine_str){NULL, 0});
        a->state->block = KOINE__BLOCK_TOOL;
    } else {
        start_server_call(a, block);
    }
    return KOINE_DONE;
}

static void add_signature(struct koine__messages_answer *a, const koine_node *delta)
{
    if (a->state->block == KOINE__BLOCK_SIGNED) {
        keep(a, koine__dialect_str("\",\"signature\":\""));
        a->state->block = KOINE__BLOCK_SIGNING;
    }
    if (a->state->block == KOINE__BLOCK_SIGNING)
        keep(a, inside(a, delta, "signature"));
}

/* Arguments of which nobody knows whose they are cannot be dropped. */
static int32_t add_input(struct koine__messages_answer *a, koine_str text)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_TOOL);
    if (a->state->block == KOINE__BLOCK_SERVER) {
        keep(a, text);
        a->state->pieces |= text.len > 0;
    }
    if (a->state->block != KOINE__BLOCK_TOOL || text.len == 0)
        return a->state->block == KOINE__BLOCK_NONE ? KOINE_PROTOCOL : KOINE_DONE;
    event.index = a->state->index;
    event.text = text;
    a->sink->emit(a->sink, &event);
    return KOINE_DONE;
}

int32_t koine__messages_block_delta(struct koine__messages_answer *a, const koine_node *event)
{
    const koine_node *delta = a->host->get(event, "delta");
    koine_str type = text_of(a, delta, "type");
    if (koine__dialect_is(type, "text_delta")) {
        give_text(a, text_of(a, delta, "text"));
    } else if (koine__dialect_is(type, "thinking_delta")) {
        koine__messages_piece(a, KOINE_EMIT_REASONING, text_of(a, delta, "thinking"));
        if (a->state->block == KOINE__BLOCK_SIGNED)
            keep(a, inside(a, delta, "thinking"));
    } else if (koine__dialect_is(type, "signature_delta")) {
        add_signature(a, delta);
    } else if (koine__dialect_is(type, "input_json_delta")) {
        return add_input(a, text_of(a, delta, "partial_json"));
    } else if (koine__dialect_is(type, "citations_delta")) {
        koine__messages_extra(a, "citations", a->host->get(delta, "citation"));
    }
    return KOINE_DONE;
}

int32_t koine__messages_block_stop(struct koine__messages_answer *a, const koine_node *event)
{
    (void)event;
    end_block(a);
    return KOINE_DONE;
}
