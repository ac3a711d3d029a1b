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

/* A mark for what the part is, with the part's signature. */
static void keep_signed(struct koine__gemini_answer *a, const char *type, const char *count, uint64_t number,
                        const koine_node *signature)
{
    struct koine__dialect_keeping k = keeping(a);
    koine__dialect_keep_place(&k);
    koine__dialect_keep_mark(&k, type, count, number);
    koine__dialect_keep(&k, koine__dialect_str(",\"thoughtSignature\":"));
    koine__dialect_keep(&k, a->host->dump(signature));
    koine__dialect_keep_end(&k, "}");
}

/* NULL: the part has none. */
static const koine_node *signature_of(const struct koine__gemini_answer *a, const koine_node *part)
{
    const koine_node *signature = a->host->get(part, "thoughtSignature");
    return a->host->str(signature).len > 0 ? signature : NULL;
}

static void read_text(struct koine__gemini_answer *a, const koine_node *part, koine_str text)
{
    const koine_node *signature = signature_of(a, part);
    give(a, KOINE_EMIT_TEXT, text);
    if (signature)
        keep_signed(a, "text", "bytes", text.len, signature);
    else
        a->state->place.text += text.len;
}

/* Thoughts are a summary, of which the vendor wants no more back than what it signed. */
static void read_thought(struct koine__gemini_answer *a, const koine_node *part, koine_str text)
{
    give(a, KOINE_EMIT_REASONING, text);
    if (signature_of(a, part))
        keep_whole(a, part);
}

/* Calls come whole, each in a part of its own; some models give them no ids. */
static void read_call(struct koine__gemini_answer *a, const koine_node *part, const koine_node *call)
{
    const koine_node *args = a->host->get(call, "args"), *signature = signature_of(a, part);
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_TOOL);
    event.index = a->state->calls++;
    event.id = koine__dialect_text(a->host, call, "id");
    event.name = koine__dialect_text(a->host, call, "name");
    bool object = a->host->kind(args) == KOINE_NODE_OBJECT;
    event.text = object ? a->host->dump(args) : koine__dialect_str("{}");
    a->sink->emit(a->sink, &event);
    a->state->content = 1;
    if (signature)
        keep_signed(a, KOINE__GEMINI_CALL, "count", 1, signature);
    else
        a->state->place.calls++;
}

/* What the vendor's own tools did, images it made, and what a later version brings. */
static void read_other(struct koine__gemini_answer *a, const koine_node *part)
{
    static const char *const beside[] = {"thought", "thoughtSignature", NULL};
    keep_whole(a, part);
    a->state->content = 1;
    for (size_t i = 0; i < a->host->count(part); i++) {
        koine_str name = a->host->key(part, i);
        if (!koine__dialect_is_one_of(name, beside))
            koine__dialect_extra(a->sink, name, a->host->dump(a->host->at(part, i)));
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
