/* messages_turns: the document's messages as `system` and turns of user and assistant.
 *
 * System messages stand at the top there, results of tools in the user's turn, calls among the assistant's
 * content. What a vendor wanted back of an answer goes to where it stood.
 */
#include "core/dialect/messages_internal.h"

static koine_str text_of(const struct koine__messages_writing *w, const koine_node *object, const char *name)
{
    return w->host->str(w->host->get(object, name));
}

static bool is_system(const struct koine__messages_writing *w, const koine_node *message)
{
    koine_str role = text_of(w, message, "role");
    return koine__dialect_is(role, "system") || koine__dialect_is(role, "developer");
}

static bool is_blank(koine_str text)
{
    return koine__dialect_trim(text).len == 0;
}

static void notice_once(struct koine__messages_writing *w, uint32_t bit, int32_t what, const char *why)
{
    if (!(w->told & bit))
        koine__messages_notice(w, what, "messages", why);
    w->told |= bit;
}

/* A message has no members there but its role and its content. */
static void check_members(struct koine__messages_writing *w, const koine_node *message)
{
    static const char *const known[] = {"role",    "content",       "koine",    "tool_calls", "tool_call_id",
                                        "refusal", "cache_control", "is_error", NULL};
    bool tool = koine__dialect_is(text_of(w, message, "role"), "tool");
    for (size_t i = 0; i < w->host->count(message) && !(w->told & KOINE__TOLD_MEMBER); i++) {
        koine_str name = w->host->key(message, i);
        bool lost = !koine__dialect_is_one_of(name, known) && !(tool && koine__dialect_is(name, "name"));
        if (!lost || w->host->kind(w->host->at(message, i)) == KOINE_NODE_NULL)
            continue;
        const char *why =
            koine__dialect_join(w->host, name, koine__dialect_str(": a message has no such member there"));
        if (why)
            notice_once(w, KOINE__TOLD_MEMBER, KOINE_NOTICE_DROPPED, why);
        else
            koine__messages_fail(w, KOINE_NO_MEMORY, NULL);
    }
}

/* ---- System ---- */

static bool says_something(const struct koine__messages_writing *w, const koine_node *content)
{
    return w->host->str(content).len > 0 ||
           (w->host->kind(content) == KOINE_NODE_ARRAY && w->host->count(content) > 0);
}

static void write_parts(struct koine__messages_writing *w, const koine_node *content)
{
    if (w->host->str(content).len > 0)
        koine__messages_text(w, w->host->str(content));
    for (size_t i = 0; w->host->kind(content) == KOINE_NODE_ARRAY && i < w->host->count(content); i++)
        koine__messages_part(w, w->host->at(content, i));
}

/* The next content that belongs to the system, from *at on: first the document's own member, then messages.
 * NULL: no more. */
static const koine_node *next_system(const struct koine__messages_writing *w, size_t *at)
{
    const koine_node *messages = koine__messages_member(w, "messages");
    const koine_node *own = koine__messages_member(w, "system");
    if (*at == 0) {
        ++*at;
        if (says_something(w, own))
            return own;
    }
    while (*at - 1 < w->host->count(messages)) {
        const koine_node *message = w->host->at(messages, *at - 1);
        ++*at;
        if (is_system(w, message) && says_something(w, w->host->get(message, "content")))
            return w->host->get(message, "content");
    }
    return NULL;
}

static void write_system(struct koine__messages_writing *w)
{
    size_t at = 0;
    const koine_node *content = next_system(w, &at), *more = content ? next_system(w, &at) : NULL;
    if (!content)
        return;
    if (!more && w->host->kind(content) == KOINE_NODE_STRING) {
        w->out->node(w->out, "system", content);
        return;
    }
    w->out->open(w->out, "system", '[');
    for (at = 0; (content = next_system(w, &at));)
        write_parts(w, content);
    w->out->close(w->out);
}

/* ---- The assistant ---- */

struct turn { /* what of an assistant's message is not yet written */
    koine_str text;
    const koine_node *calls;
    size_t called;
};

static void write_text(struct koine__messages_writing *w, struct turn *turn, size_t len)
{
    koine_str piece = {turn->text.ptr, len};
    if (len == 0)
        return;
    turn->text.ptr += len;
    turn->text.len -= len;
    if (!is_blank(piece)) /* which the API refuses */
        koine__messages_text(w, piece);
}

static void write_calls(struct koine__messages_writing *w, struct turn *turn, size_t count)
{
    for (; count > 0 && turn->called < w->host->count(turn->calls); count--)
        koine__messages_call(w, w->host->at(turn->calls, turn->called++));
}

/* As many bytes of the text as a mark says; none, where the message was changed meanwhile. */
static size_t marked_text(const struct turn *turn, int64_t bytes)
{
    size_t len = bytes > 0 && (uint64_t)bytes <= turn->text.len ? (size_t)bytes : 0;
    bool inside = len < turn->text.len && ((unsigned char)turn->text.ptr[len] & 0xC0) == 0x80;
    return inside ? 0 : len;
}

static void write_kept(struct koine__messages_writing *w, struct turn *turn, const koine_node *block)
{
    koine_str type = text_of(w, block, "type");
    int64_t bytes = w->host->num(w->host->get(block, "bytes"), -1);
    int64_t count = w->host->num(w->host->get(block, "count"), -1);
    if (bytes >= 0 && koine__dialect_is(type, "text"))
        write_text(w, turn, marked_text(turn, bytes));
    else if (count >= 0 && koine__dialect_is(type, "tool_use"))
        write_calls(w, turn, (size_t)count);
    else
        koine__messages_block(w, block);
}

static bool is_empty(const struct koine__messages_writing *w, const koine_node *message)
{
    return is_blank(text_of(w, message, "content")) && is_blank(text_of(w, message, "refusal")) &&
           w->host->count(w->host->get(message, "content")) == 0 &&
           w->host->count(w->host->get(message, "tool_calls")) == 0 && !koine__messages_kept(w, message);
}

static void write_blocks(struct koine__messages_writing *w, const koine_node *message)
{
    const koine_node *content = w->host->get(message, "content"), *kept = koine__messages_kept(w, message);
    struct turn turn = {.text = w->host->str(content), .calls = w->host->get(message, "tool_calls")};
    w->out->open(w->out, "content", '[');
    for (size_t i = 0; i < w->host->count(kept); i++)
        write_kept(w, &turn, w->host->at(kept, i));
    write_text(w, &turn, turn.text.len);
    if (w->host->kind(content) == KOINE_NODE_ARRAY)
        write_parts(w, content);
    if (!is_blank(text_of(w, message, "refusal")))
        koine__messages_text(w, text_of(w, message, "refusal"));
    write_calls(w, &turn, SIZE_MAX);
    w->out->close(w->out);
}

static void write_assistant(struct koine__messages_writing *w, const koine_node *message)
{
    const koine_node *content = w->host->get(message, "content");
    bool plain = w->host->kind(content) == KOINE_NODE_STRING && !koine__messages_kept(w, message) &&
                 w->host->count(w->host->get(message, "tool_calls")) == 0 &&
                 is_blank(text_of(w, message, "refusal"));
    if (w->host->kind(w->host->get(message, "function_call")) > KOINE_NODE_NULL) {
        koine__messages_fail(w, KOINE_UNSUPPORTED, "function_call: tool_calls is what can travel");
        return;
    }
    if (is_empty(w, message)) { /* which the API refuses */
        notice_once(w, KOINE__TOLD_EMPTY, KOINE_NOTICE_DROPPED, "an empty message of the assistant's");
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

static void write_user(struct koine__messages_writing *w, const koine_node *message)
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
        koine__messages_fail(w, KOINE_INVALID, "a message of role user has no `content`");
    }
    w->out->close(w->out);
}

/* Results that follow each other stand in one turn of the user's. */
static size_t write_results(struct koine__messages_writing *w, const koine_node *messages, size_t at)
{
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "role", koine__dialect_str("user"));
    w->out->open(w->out, "content", '[');
    for (; at < w->host->count(messages); at++) {
        const koine_node *message = w->host->at(messages, at);
        if (!koine__dialect_is(text_of(w, message, "role"), "tool"))
            break;
        check_members(w, message);
        koine__messages_result(w, message);
    }
    w->out->close(w->out);
    w->out->close(w->out);
    return at;
}

/* The message at that place, and those that go with it; where the next one stands. */
static size_t write_turn(struct koine__messages_writing *w, const koine_node *messages, size_t at)
{
    const koine_node *message = w->host->at(messages, at);
    koine_str role = text_of(w, message, "role");
    if (koine__dialect_is(role, "tool"))
        return write_results(w, messages, at);
    if (!is_system(w, message))
        check_members(w, message);
    if (koine__dialect_is(role, "user"))
        write_user(w, message);
    else if (koine__dialect_is(role, "assistant"))
        write_assistant(w, message);
    else if (!is_system(w, message))
        koine__messages_fail(w, KOINE_INVALID,
                             "a message is of none of the roles system, developer, user, assistant and tool");
    return at + 1;
}

void koine__messages_turns(struct koine__messages_writing *w)
{
    const koine_node *messages = koine__messages_member(w, "messages");
    bool begun = false;
    write_system(w);
    w->out->open(w->out, "messages", '[');
    for (size_t at = 0; at < w->host->count(messages) && w->result == KOINE_DONE;) {
        bool system = is_system(w, w->host->at(messages, at));
        if (system && begun)
            notice_once(w, KOINE__TOLD_SYSTEM, KOINE_NOTICE_MAPPED,
                        "a system message in the middle joins those at the top");
        begun |= !system;
        at = write_turn(w, messages, at);
    }
    w->out->close(w->out);
}
