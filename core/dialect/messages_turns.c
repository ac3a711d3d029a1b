/* messages_turns: the document's messages as `system` and turns of user and assistant.
 *
 * System messages stand at the top there, results of tools in the user's turn, calls among the assistant's
 * content. What a vendor wanted back of an answer goes to where it stood.
 */
#include "core/dialect/messages_internal.h"

/* ---- System ---- */

static void write_parts(struct koine__dialect_writing *w, const koine_node *content)
{
    if (w->host->str(content).len > 0)
        koine__messages_text(w, w->host->str(content));
    for (size_t i = 0; w->host->kind(content) == KOINE_NODE_ARRAY && i < w->host->count(content); i++)
        koine__messages_part(w, w->host->at(content, i));
}

static void write_system(struct koine__dialect_writing *w)
{
    const koine_node *own = koine__dialect_member(w, "system");
    size_t at = 0;
    const koine_node *content = koine__dialect_next_system(w, own, &at);
    const koine_node *more = content ? koine__dialect_next_system(w, own, &at) : NULL;
    if (!content)
        return;
    if (!more && w->host->kind(content) == KOINE_NODE_STRING) {
        w->out->node(w->out, "system", content);
        return;
    }
    w->out->open(w->out, "system", '[');
    for (at = 0; (content = koine__dialect_next_system(w, own, &at));)
        write_parts(w, content);
    w->out->close(w->out);
}

/* ---- The assistant ---- */

static void write_text(struct koine__dialect_writing *w, koine_str piece)
{
    if (!koine__dialect_is_blank(piece)) /* which the API refuses */
        koine__messages_text(w, piece);
}

static void write_calls(struct koine__dialect_writing *w, struct koine__dialect_turn *turn, size_t count)
{
    for (const koine_node *call; count > 0 && (call = koine__dialect_take_call(w->host, turn)); count--)
        koine__messages_call(w, call);
}

static void write_kept(struct koine__dialect_writing *w, struct koine__dialect_turn *turn,
                       const koine_node *block)
{
    struct koine__dialect_mark mark;
    if (!koine__dialect_mark(w->host, block, KOINE__MESSAGES_CALL, turn, &mark)) {
        koine__messages_block(w, block);
        return;
    }
    write_text(w, koine__dialect_take_text(turn, mark.text));
    write_calls(w, turn, mark.calls);
}

static bool is_empty(const struct koine__dialect_writing *w, const koine_node *message)
{
    return koine__dialect_is_blank(koine__dialect_text(w->host, message, "content")) &&
           koine__dialect_is_blank(koine__dialect_text(w->host, message, "refusal")) &&
           w->host->count(w->host->get(message, "content")) == 0 &&
           w->host->count(w->host->get(message, "tool_calls")) == 0 &&
           !koine__dialect_kept(w->host, message, KOINE__MESSAGES_KEPT);
}

static void write_blocks(struct koine__dialect_writing *w, const koine_node *message)
{
    const koine_node *content = w->host->get(message, "content"),
                     *kept = koine__dialect_kept(w->host, message, KOINE__MESSAGES_KEPT);
    struct koine__dialect_turn turn = {.text = w->host->str(content),
                                       .calls = w->host->get(message, "tool_calls")};
    w->out->open(w->out, "content", '[');
    for (size_t i = 0; i < w->host->count(kept); i++)
        write_kept(w, &turn, w->host->at(kept, i));
    write_text(w, koine__dialect_take_text(&turn, turn.text.len));
    if (w->host->kind(content) == KOINE_NODE_ARRAY)
        write_parts(w, content);
    if (!koine__dialect_is_blank(koine__dialect_text(w->host, message, "refusal")))
        koine__messages_text(w, koine__dialect_text(w->host, message, "refusal"));
    write_calls(w, &turn, SIZE_MAX);
    w->out->close(w->out);
}

static void write_assistant(struct koine__dialect_writing *w, const koine_node *message)
{
    const koine_node *content = w->host->get(message, "content");
    bool plain = w->host->kind(content) == KOINE_NODE_STRING &&
                 !koine__dialect_kept(w->host, message, KOINE__MESSAGES_KEPT) &&
                 w->host->count(w->host->get(message, "tool_calls")) == 0 &&
                 koine__dialect_is_blank(koine__dialect_text(w->host, message, "refusal"));
    if (is_empty(w, message)) { /* which the API refuses */
        koine__dialect_notice_once(w, KOINE__TOLD_EMPTY, KOINE_NOTICE_DROPPED,
                                   "an empty message of the assistant's");
        return;
    }
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "role", koine__dialect_str("assistant"));
    if (plain)
        w->out->node(w->out, "content", content);
    else
        write_blocks(w, message);
    w->out->close(w->out);
}

/* ---- Turns ---- */

static void write_user(struct koine__dialect_writing *w, const koine_node *message)
{
    const koine_node *content = w->host->get(message, "content");
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "role", koine__dialect_str("user"));
    if (w->host->kind(content) == KOINE_NODE_ARRAY) {
        w->out->open(w->out, "content", '[');
        write_parts(w, content);
        w->out->close(w->out);
    } else if (w->host->kind(content) == KOINE_NODE_STRING) {
        w->out->node(w->out, "content", content);
    } else {
        koine__dialect_fail(w, KOINE_INVALID, "a message of role user has no `content`");
    }
    w->out->close(w->out);
}

static void open_results(struct koine__dialect_writing *w)
{
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "role", koine__dialect_str("user"));
    w->out->open(w->out, "content", '[');
}

static void write_result(struct koine__dialect_writing *w, const koine_node *messages, size_t at)
{
    koine__messages_result(w, w->host->at(messages, at));
}

static const char *const members[] = {"role",    "content",       "koine",    "tool_calls", "tool_call_id",
                                      "refusal", "cache_control", "is_error", NULL};
static const struct koine__dialect_roles roles = {.members = members,
                                                  .member_bit = KOINE__TOLD_MEMBER,
                                                  .system_bit = KOINE__TOLD_SYSTEM,
                                                  .user = write_user,
                                                  .assistant = write_assistant,
                                                  .open_results = open_results,
                                                  .result = write_result};

void koine__messages_turns(struct koine__dialect_writing *w)
{
    write_system(w);
    w->out->open(w->out, "messages", '[');
    koine__dialect_turns(w, &roles);
    w->out->close(w->out);
}
