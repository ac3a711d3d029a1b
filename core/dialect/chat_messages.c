/* chat_messages: the messages of a document: spliced whole, unless something in them must not travel as it
 * is. */
#include "core/dialect/chat_internal.h"

static bool is_kind(const struct koine__chat_writing *w, const koine_node *node, int32_t kind)
{
    return w->host->kind(node) == kind;
}

/* Whether the node's source may hold a `koine` to leave out or a role to rename. An escaped name is found
 * too. */
static bool must_look(const struct koine__chat_writing *w, const koine_node *node)
{
    koine_str source = w->host->dump(node);
    if (koine__dialect_may_name_koine(source))
        return true;
    return (w->traits.flags & KOINE_CHAT_NO_DEVELOPER) && koine__dialect_mentions(source, "\"developer\"");
}

static void write_part(struct koine__chat_writing *w, const koine_node *part)
{
    int32_t rc = koine__dialect_splice(w->host, w->out, NULL, part);
    if (rc != KOINE_DONE)
        w->result = rc;
}

static void write_parts(struct koine__chat_writing *w, koine_str key, const koine_node *parts)
{
    const char *name = koine__chat_name(w, key);
    if (!name)
        return;
    w->out->open(w->out, name, '[');
    for (size_t i = 0; i < w->host->count(parts); i++)
        write_part(w, w->host->at(parts, i));
    w->out->close(w->out);
}

static void write_message_member(struct koine__chat_writing *w, koine_str key, const koine_node *value)
{
    if (koine__dialect_is(key, "koine"))
        return;
    bool role = (w->traits.flags & KOINE_CHAT_NO_DEVELOPER) && koine__dialect_is(key, "role");
    if (role && koine__dialect_is(w->host->str(value), "developer")) {
        w->out->str(w->out, "role", koine__dialect_str("system"));
        w->renamed = true;
        return;
    }
    if (is_kind(w, value, KOINE_NODE_ARRAY) && must_look(w, value))
        write_parts(w, key, value);
    else
        koine__chat_named(w, key, value);
}

static void write_message(struct koine__chat_writing *w, const koine_node *message)
{
    if (!is_kind(w, message, KOINE_NODE_OBJECT) || !must_look(w, message)) {
        w->out->node(w->out, NULL, message);
        return;
    }
    w->out->open(w->out, NULL, '{');
    for (size_t i = 0; i < w->host->count(message); i++)
        write_message_member(w, w->host->key(message, i), w->host->at(message, i));
    w->out->close(w->out);
}

void koine__chat_messages(struct koine__chat_writing *w, const char *name, const koine_node *messages)
{
    if (!must_look(w, messages)) {
        w->out->node(w->out, name, messages);
        return;
    }
    w->out->open(w->out, name, '[');
    for (size_t i = 0; i < w->host->count(messages); i++)
        write_message(w, w->host->at(messages, i));
    w->out->close(w->out);
    if (w->renamed)
        koine__chat_notice(w, KOINE_NOTICE_MAPPED, name, "role developer sent as system");
}
