/* gemini_turns: the document's messages as `systemInstruction` and `contents`.
 *
 * The roles there are user and model; results of tools stand in the user's turn, calls among the model's
 * parts. What the vendor wanted back of an answer goes to where it stood.
 */
#include "core/dialect/gemini_internal.h"

static void write_parts(struct koine__dialect_writing *w, const koine_node *content)
{
    if (w->host->str(content).len > 0)
        koine__gemini_text(w, w->host->str(content), NULL);
    for (size_t i = 0; w->host->kind(content) == KOINE_NODE_ARRAY && i < w->host->count(content); i++)
        koine__gemini_part(w, w->host->at(content, i));
}

static void open_turn(struct koine__dialect_writing *w, const char *role)
{
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "role", koine__dialect_str(role));
    w->out->open(w->out, "parts", '[');
}

static void close_turn(struct koine__dialect_writing *w)
{
    w->out->close(w->out);
    w->out->close(w->out);
}

/* ---- System ---- */

static void write_system(struct koine__dialect_writing *w)
{
    const koine_node *own = koine__dialect_given(w, "systemInstruction");
    size_t at = 0;
    if (w->host->kind(own) == KOINE_NODE_OBJECT)
        own = w->host->get(own, "parts");
    if (!koine__dialect_next_system(w, own, &at))
        return;
    w->out->open(w->out, "systemInstruction", '{');
    w->out->open(w->out, "parts", '[');
    at = 0;
    for (const koine_node *content; (content = koine__dialect_next_system(w, own, &at));)
        write_parts(w, content);
    close_turn(w);
}

/* ---- The model ---- */

struct model_turn {
    struct koine__dialect_turn rest;
    bool called; /* a call was written */
};

static void write_calls(struct koine__dialect_writing *w, struct model_turn *turn, size_t count,
                        const koine_node *signature)
{
    for (const koine_node *call; count > 0 && (call = koine__dialect_take_call(w->host, &turn->rest));
         count--) {
        bool placeholder = !turn->called && !signature && koine__gemini_wants_signatures(w);
        koine__gemini_call(w, call, signature, placeholder);
        if (placeholder)
            koine__dialect_notice_once(w, KOINE__TOLD_UNSIGNED, KOINE_NOTICE_MAPPED,
                                       "calls of other models have no signature of thought: sent with the "
                                       "word that stands for none");
        turn->called = true;
    }
}

/* A signature stands with an empty text too, but not with one that was changed meanwhile. */
static void write_kept(struct koine__dialect_writing *w, struct model_turn *turn, const koine_node *value)
{
    const koine_node *signature = w->host->get(value, "thoughtSignature");
    struct koine__dialect_mark mark;
    if (!koine__dialect_mark(w->host, value, KOINE__GEMINI_CALL, &turn->rest, &mark)) {
        w->out->node(w->out, NULL, value);
        return;
    }
    int64_t bytes = w->host->num(w->host->get(value, "bytes"), -1);
    if (mark.text > 0 || (signature && bytes == 0))
        koine__gemini_text(w, koine__dialect_take_text(&turn->rest, mark.text), signature);
    write_calls(w, turn, mark.calls, signature);
}

static bool is_empty(const struct koine__dialect_writing *w, const koine_node *message)
{
    const koine_node *content = w->host->get(message, "content");
    return w->host->str(content).len == 0 && w->host->count(content) == 0 &&
           koine__dialect_text(w->host, message, "refusal").len == 0 &&
           w->host->count(w->host->get(message, "tool_calls")) == 0 &&
           !koine__dialect_kept(w->host, message, KOINE__GEMINI_KEPT);
}

static void write_model_parts(struct koine__dialect_writing *w, const koine_node *message)
{
    const koine_node *content = w->host->get(message, "content");
    const koine_node *kept = koine__dialect_kept(w->host, message, KOINE__GEMINI_KEPT);
    koine_str refusal = koine__dialect_text(w->host, message, "refusal");
    struct model_turn turn = {
        .rest = {.text = w->host->str(content), .calls = w->host->get(message, "tool_calls")}};
    for (size_t i = 0; i < w->host->count(kept); i++)
        write_kept(w, &turn, w->host->at(kept, i));
    if (turn.rest.text.len > 0)
        koine__gemini_text(w, turn.rest.text, NULL);
    if (w->host->kind(content) == KOINE_NODE_ARRAY)
        write_parts(w, content);
    if (refusal.len > 0)
        koine__gemini_text(w, refusal, NULL);
    write_calls(w, &turn, SIZE_MAX, NULL);
}

static void write_model(struct koine__dialect_writing *w, const koine_node *message)
{
    if (is_empty(w, message)) { /* which the API refuses */
        koine__dialect_notice_once(w, KOINE__TOLD_EMPTY, KOINE_NOTICE_DROPPED,
                                   "an empty message of the assistant's");
        return;
    }
    open_turn(w, "model");
    write_model_parts(w, message);
    close_turn(w);
}

/* ---- Turns ---- */

static void write_user(struct koine__dialect_writing *w, const koine_node *message)
{
    const koine_node *content = w->host->get(message, "content");
    int32_t kind = w->host->kind(content);
    if (kind != KOINE_NODE_STRING && kind != KOINE_NODE_ARRAY) {
        koine__dialect_fail(w, KOINE_INVALID, "a message of role user has no `content`");
        return;
    }
    open_turn(w, "user");
    if (kind == KOINE_NODE_STRING)
        koine__gemini_text(w, w->host->str(content), NULL);
    else
        write_parts(w, content);
    close_turn(w);
}

/* In one turn: the API wants as many results there as there were calls. */
static void open_results(struct koine__dialect_writing *w)
{
    open_turn(w, "user");
}

static const char *const members[] = {"role",         "content", "koine",    "tool_calls",
                                      "tool_call_id", "refusal", "is_error", NULL};
static const struct koine__dialect_roles roles = {.members = members,
                                                  .member_bit = KOINE__TOLD_MEMBER,
                                                  .system_bit = KOINE__TOLD_SYSTEM,
                                                  .user = write_user,
                                                  .assistant = write_model,
                                                  .open_results = open_results,
                                                  .result = koine__gemini_result};

void koine__gemini_turns(struct koine__dialect_writing *w)
{
    write_system(w);
    w->out->open(w->out, "contents", '[');
    koine__dialect_turns(w, &roles);
    w->out->close(w->out);
}
