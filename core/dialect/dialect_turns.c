/* dialect_turns: a document's messages for an API that has the system apart, and what it wants back of an
 * answer in the assistant's message.
 */
#include "core/dialect/dialect.h"

static bool is_system(const koine_host *host, const koine_node *message)
{
    koine_str role = koine__dialect_text(host, message, "role");
    return koine__dialect_is(role, "system") || koine__dialect_is(role, "developer");
}

bool koine__dialect_is_blank(koine_str text)
{
    return koine__dialect_trim(text).len == 0;
}

static bool says_something(const koine_host *host, const koine_node *content)
{
    return host->str(content).len > 0 ||
           (host->kind(content) == KOINE_NODE_ARRAY && host->count(content) > 0);
}

const koine_node *koine__dialect_next_system(const struct koine__dialect_writing *w, const koine_node *own,
                                             size_t *at)
{
    const koine_node *messages = koine__dialect_member(w, "messages");
    if (*at == 0) {
        ++*at;
        if (says_something(w->host, own))
            return own;
    }
    while (*at - 1 < w->host->count(messages)) {
        const koine_node *message = w->host->at(messages, *at - 1);
        const koine_node *content = w->host->get(message, "content");
        ++*at;
        if (is_system(w->host, message) && says_something(w->host, content))
            return content;
    }
    return NULL;
}

/* A notice, once, where a message has a member that is not known there. */
static void check_members(struct koine__dialect_writing *w, const koine_node *message,
                          const struct koine__dialect_roles *roles)
{
    bool tool = koine__dialect_is(koine__dialect_text(w->host, message, "role"), "tool");
    for (size_t i = 0; i < w->host->count(message) && !(w->told & roles->member_bit); i++) {
        koine_str name = w->host->key(message, i);
        bool lost =
            !koine__dialect_is_one_of(name, roles->members) && !(tool && koine__dialect_is(name, "name"));
        if (!lost || w->host->kind(w->host->at(message, i)) == KOINE_NODE_NULL)
            continue;
        koine__dialect_notice_of(w, KOINE_NOTICE_DROPPED, "messages", name,
                                 ": a message has no such member there");
        w->told |= roles->member_bit;
    }
}

/* Results that follow each other stand in one turn of the user's. */
static size_t write_results(struct koine__dialect_writing *w, const koine_node *messages, size_t at,
                            const struct koine__dialect_roles *roles)
{
    roles->open_results(w);
    for (; at < w->host->count(messages); at++) {
        const koine_node *message = w->host->at(messages, at);
        if (!koine__dialect_is(koine__dialect_text(w->host, message, "role"), "tool"))
            break;
        check_members(w, message, roles);
        roles->result(w, messages, at);
    }
    w->out->close(w->out);
    w->out->close(w->out);
    return at;
}

/* The message at that place, and those that go with it; where the next one stands. */
static size_t write_turn(struct koine__dialect_writing *w, const koine_node *messages, size_t at,
                         const struct koine__dialect_roles *roles)
{
    const koine_node *message = w->host->at(messages, at);
    koine_str role = koine__dialect_text(w->host, message, "role");
    if (koine__dialect_is(role, "tool"))
        return write_results(w, messages, at, roles);
    if (is_system(w->host, message))
        return at + 1;
    check_members(w, message, roles);
    if (koine__dialect_is(role, "user"))
        roles->user(w, message);
    else if (!koine__dialect_is(role, "assistant"))
        koine__dialect_fail(w, KOINE_INVALID,
                            "a message is of none of the roles system, developer, user, assistant and tool");
    else if (w->host->kind(w->host->get(message, "function_call")) > KOINE_NODE_NULL)
        koine__dialect_fail(w, KOINE_UNSUPPORTED, "function_call: tool_calls is what can travel");
    else
        roles->assistant(w, message);
    return at + 1;
}

void koine__dialect_turns(struct koine__dialect_writing *w, const struct koine__dialect_roles *roles)
{
    const koine_node *messages = koine__dialect_member(w, "messages");
    bool begun = false;
    for (size_t at = 0; at < w->host->count(messages) && w->result == KOINE_DONE;) {
        bool system = is_system(w->host, w->host->at(messages, at));
        if (system && begun)
            koine__dialect_notice_once(w, roles->system_bit, KOINE_NOTICE_MAPPED,
                                       "a system message in the middle joins those at the top");
        begun |= !system;
        at = write_turn(w, messages, at, roles);
    }
}

/* ---- What is kept ---- */

const koine_node *koine__dialect_kept(const koine_host *host, const koine_node *message, const char *name)
{
    const koine_node *list = host->get(host->get(message, "koine"), name);
    return host->count(list) > 0 && host->kind(list) == KOINE_NODE_ARRAY ? list : NULL;
}

koine_str koine__dialect_take_text(struct koine__dialect_turn *turn, size_t len)
{
    koine_str piece = {turn->text.ptr, len};
    if (len == 0)
        return (koine_str){NULL, 0};
    turn->text.ptr += len;
    turn->text.len -= len;
    return piece;
}

const koine_node *koine__dialect_take_call(const koine_host *host, struct koine__dialect_turn *turn)
{
    return turn->called < host->count(turn->calls) ? host->at(turn->calls, turn->called++) : NULL;
}

/* As many bytes of the text as a mark says; none, where the message was changed meanwhile. */
static size_t marked_text(const struct koine__dialect_turn *turn, int64_t bytes)
{
    size_t len = bytes > 0 && (uint64_t)bytes <= turn->text.len ? (size_t)bytes : 0;
    bool inside = len < turn->text.len && ((unsigned char)turn->text.ptr[len] & 0xC0) == 0x80;
    return inside ? 0 : len;
}

bool koine__dialect_mark(const koine_host *host, const koine_node *value, const char *call,
                         const struct koine__dialect_turn *turn, struct koine__dialect_mark *ret)
{
    koine_str type = koine__dialect_text(host, value, "type");
    int64_t bytes = host->num(host->get(value, "bytes"), -1);
    int64_t count = host->num(host->get(value, "count"), -1);
    *ret = (struct koine__dialect_mark){0, 0};
    if (bytes >= 0 && koine__dialect_is(type, "text"))
        ret->text = marked_text(turn, bytes);
    else if (count >= 0 && koine__dialect_is(type, call))
        ret->calls = (size_t)count;
    else
        return false;
    return true;
}
