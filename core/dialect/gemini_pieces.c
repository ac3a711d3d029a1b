/* gemini_pieces: the parts of an answer's content.
 *
 * Text, thoughts and calls become events. What must go back as it came is kept besides: signatures with the
 * place of the text or the call they belong to, and whole parts of any other kind, which are given as an
 * extra of their own name too.
 */
#include "core/dialect/gemini_internal.h"

static struct koine__dialect_keeping keeping(const struct koine__gemini_answer *a)
{
    return (struct koine__dialect_keeping){a->sink, KOINE__GEMINI_KEPT, KOINE__GEMINI_CALL, &a->state->place};
}

static void give(struct koine__gemini_answer *a, int32_t kind, koine_str text)
{
    a->state->content |= koine__dialect_piece(a->sink, kind, text);
}

static void keep_whole(struct koine__gemini_answer *a, const koine_node *part)
{
    struct koine__dialect_keeping k = keeping(a);
    koine__dialect_keep_whole(&k, a->host->dump(part));
}

/* `,"thoughtSignature":"…"`; empty: the part has none, or there was no memory for it. */
static koine_str signature_of(const struct koine__gemini_answer *a, const koine_node *part)
{
    const koine_node *node = a->host->get(part, "thoughtSignature");
    koine_str nothing = {NULL, 0};
    if (a->host->str(node).len == 0)
        return nothing;
    const char *more =
        koine__dialect_join(a->host, koine__dialect_str(",\"thoughtSignature\":"), a->host->dump(node));
    return more ? koine__dialect_str(more) : nothing;
}

static void read_text(struct koine__gemini_answer *a, const koine_node *part, koine_str text)
{
    struct koine__dialect_keeping k = keeping(a);
    koine_str signature = signature_of(a, part);
    give(a, KOINE_EMIT_TEXT, text);
    if (signature.len == 0) {
        a->state->place.text += text.len;
        return;
    }
    koine__dialect_keep_place(&k);
    koine__dialect_keep_mark(&k, "text", "bytes", text.len, signature);
}

/* Thoughts are a summary, of which the vendor wants no more back than what it signed. */
static void read_thought(struct koine__gemini_answer *a, const koine_node *part, koine_str text)
{
    give(a, KOINE_EMIT_REASONING, text);
    if (koine__dialect_text(a->host, part, "thoughtSignature").len > 0)
        keep_whole(a, part);
}

/* Calls come whole, each in a part of its own; some models give them no ids. */
static void read_call(struct koine__gemini_answer *a, const koine_node *part, const koine_node *call)
{
    struct koine__dialect_keeping k = keeping(a);
    const koine_node *args = a->host->get(call, "args");
    koine_str signature = signature_of(a, part);
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_TOOL);
    event.index = a->state->calls++;
    event.id = koine__dialect_text(a->host, call, "id");
    event.name = koine__dialect_text(a->host, call, "name");
    bool object = a->host->kind(args) == KOINE_NODE_OBJECT;
    event.text = object ? a->host->dump(args) : koine__dialect_str("{}");
    a->sink->emit(a->sink, &event);
    a->state->content = 1;
    if (signature.len == 0) {
        a->state->place.calls++;
        return;
    }
    koine__dialect_keep_place(&k);
    koine__dialect_keep_mark(&k, KOINE__GEMINI_CALL, "count", 1, signature);
}

/* What the vendor's own tools did, images it made, and what a later version brings. */
static void read_other(struct koine__gemini_answer *a, const koine_node *part)
{
    static const char *const beside[] = {"thought", "thoughtSignature", NULL};
    keep_whole(a, part);
    a->state->content = 1;
    for (size_t i = 0; i < a->host->count(part); i++) {
        koine_str name = a->host->key(part, i);
        const char *copy = koine__dialect_join(a->host, name, (koine_str){NULL, 0});
        if (copy && !koine__dialect_is_one_of(name, beside))
            koine__dialect_extra(a->sink, copy, a->host->dump(a->host->at(part, i)));
    }
}

void koine__gemini_piece(struct koine__gemini_answer *a, const koine_node *part)
{
    const koine_node *text = a->host->get(part, "text"), *call = a->host->get(part, "functionCall");
    if (a->host->kind(call) == KOINE_NODE_OBJECT)
        read_call(a, part, call);
    else if (a->host->kind(text) != KOINE_NODE_STRING)
        read_other(a, part);
    else if (a->host->truth(a->host->get(part, "thought")) == 1)
        read_thought(a, part, a->host->str(text));
    else
        read_text(a, part, a->host->str(text));
}
