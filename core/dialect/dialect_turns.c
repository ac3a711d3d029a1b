/* dialect_turns: a document's messages for an API that has the system apart, and what it wants back of an
 * answer in the assistant's message.
 */
#include "core/dialect/dialect.h"

bool koine__dialect_is_system(const koine_host *host, const koine_node *message)
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
        if (koine__dialect_is_system(w->host, message) && says_something(w->host, content))
            return content;
    }
    return NULL;
}

void koine__dialect_check_message(struct koine__dialect_writing *w, const koine_node *message,
                                  const char *const *known, uint32_t bit)
{
    bool tool = koine__dialect_is(koine__dialect_text(w->host, message, "role"), "tool");
    for (size_t i = 0; i < w->host->count(message) && !(w->told & bit); i++) {
        koine_str name = w->host->key(message, i);
        bool lost = !koine__dialect_is_one_of(name, known) && !(tool && koine__dialect_is(name, "name"));
        if (!lost || w->host->kind(w->host->at(message, i)) == KOINE_NODE_NULL)
            continue;
        koine__dialect_notice_of(w, KOINE_NOTICE_DROPPED, "messages", name,
                                 ": a message has no such member there");
        w->told |= bit;
    }
}

void koine__dialect_each_message(struct koine__dialect_writing *w, uint32_t bit,
                                 size_t (*write)(struct koine__dialect_writing *w, const koine_node *messages,
                                                 size_t at))
{
    const koine_node *messages = koine__dialect_member(w, "messages");
    bool begun = false;
    for (size_t at = 0; at < w->host->count(messages) && w->result == KOINE_DONE;) {
        bool system = koine__dialect_is_system(w->host, w->host->at(messages, at));
        if (system && begun)
            koine__dialect_notice_once(w, bit, KOINE_NOTICE_MAPPED,
                                       "a system message in the middle joins those at the top");
        begun |= !system;
        at = write(w, messages, at);
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
