/* chat_request: a document as a chat completions request.
 *
 * Every member travels in the source's own bytes, in its order, those nobody has heard of too. Only what the
 * vendor wants otherwise is rewritten or dropped, and each time a notice says so. `koine` never travels.
 */
#include "core/dialect/chat_internal.h"

struct writing {
    const koine_ask *ask;
    const koine_host *host;
    koine_out *out;
    koine_chat_traits traits;
    bool renamed;   /* a message's role */
    int32_t result; /* of it all; sticks */
};

static bool is_kind(const struct writing *w, const koine_node *node, int32_t kind)
{
    return w->host->kind(node) == kind;
}

static const koine_node *sibling(const struct writing *w, const char *name)
{
    return w->host->get(w->ask->doc, name);
}

/* A name for koine_out; NULL: no memory. */
static const char *name_of(struct writing *w, koine_str name)
{
    const char *copy = koine__dialect_join(w->host, name, (koine_str){NULL, 0});
    if (!copy)
        w->result = KOINE_NO_MEMORY;
    return copy;
}

static void notice(struct writing *w, int32_t what, const char *member, const char *why)
{
    w->out->notice(w->out, what, koine__dialect_str(member), koine__dialect_str(why));
}

static void notice_of(struct writing *w, int32_t what, const char *member, const char *start, const char *end)
{
    const char *why = koine__dialect_join(w->host, koine__dialect_str(start), koine__dialect_str(end));
    if (why)
        notice(w, what, member, why);
    else
        w->result = KOINE_NO_MEMORY;
}

/* ---- Members that vendors want otherwise ---- */

static void write_nothing(struct writing *w, const char *name, const koine_node *value)
{
    (void)w, (void)name, (void)value;
}

static void write_limit(struct writing *w, const char *name, const koine_node *value)
{
    const char *wanted = w->traits.max_tokens;
    if (is_kind(w, value, KOINE_NODE_NULL)) /* no limit, under either name */
        return;
    if (strcmp(name, wanted) == 0) {
        w->out->node(w->out, name, value);
        return;
    }
    if (w->host->kind(sibling(w, wanted)) > KOINE_NODE_NULL) {
        notice_of(w, KOINE_NOTICE_DROPPED, name, wanted, " says it already");
        return;
    }
    w->out->node(w->out, wanted, value);
    notice_of(w, KOINE_NOTICE_MAPPED, name, "sent as ", wanted);
}

static void write_stop(struct writing *w, const char *name, const koine_node *value)
{
    if (!(w->traits.flags & KOINE_CHAT_STOP_LIST) || !is_kind(w, value, KOINE_NODE_STRING)) {
        w->out->node(w->out, name, value);
        return;
    }
    w->out->open(w->out, name, '[');
    w->out->node(w->out, NULL, value);
    w->out->close(w->out);
    notice(w, KOINE_NOTICE_MAPPED, name, "sent as a list");
}

/* true with top_logprobs N, for a vendor that counts: N; at least 1, for 0 asks it for none. */
static void write_logprobs_count(struct writing *w, const char *name, const koine_node *value)
{
    int32_t truth = w->host->truth(value);
    if (truth < 0) {
        w->out->node(w->out, name, value);
        return;
    }
    if (truth == 0)
        return;
    int64_t top = w->host->num(sibling(w, "top_logprobs"), 1);
    w->out->num(w->out, name, top > 1 ? top : 1);
    notice(w, KOINE_NOTICE_MAPPED, name, "sent as a count");
}

static void write_logprobs(struct writing *w, const char *name, const koine_node *value)
{
    if (w->traits.flags & KOINE_CHAT_LOGPROBS_COUNT) {
        write_logprobs_count(w, name, value);
        return;
    }
    int64_t count = w->host->num(value, -1);
    if (count < 0) {
        w->out->node(w->out, name, value);
        return;
    }
    w->out->raw(w->out, name, koine__dialect_str("true"));
    if (count > 0 && w->host->kind(sibling(w, "top_logprobs")) == KOINE_NODE_NONE)
        w->out->num(w->out, "top_logprobs", count);
    notice(w, KOINE_NOTICE_MAPPED, name, "sent as true with top_logprobs");
}

static void write_top_logprobs(struct writing *w, const char *name, const koine_node *value)
{
    if (!(w->traits.flags & KOINE_CHAT_LOGPROBS_COUNT)) {
        w->out->node(w->out, name, value);
        return;
    }
    int32_t truth = w->host->truth(sibling(w, "logprobs"));
    if (truth != 1)
        notice(w, KOINE_NOTICE_DROPPED, name, "logprobs alone says how many");
}

/* ---- Messages: spliced whole, unless something in them must not travel as it is ---- */

/* Whether the node's source may hold a `koine` to leave out or a role to rename. An escaped name is found
 * too. */
static bool must_look(const struct writing *w, const koine_node *node)
{
    koine_str source = w->host->dump(node);
    if (koine__dialect_may_name_koine(source))
        return true;
    return (w->traits.flags & KOINE_CHAT_NO_DEVELOPER) && koine__dialect_mentions(source, "\"developer\"");
}

static void write_named(struct writing *w, koine_str key, const koine_node *value)
{
    const char *name = name_of(w, key);
    if (name)
        w->out->node(w->out, name, value);
}

static void write_part(struct writing *w, const koine_node *part)
{
    int32_t rc = koine__dialect_splice(w->host, w->out, NULL, part);
    if (rc != KOINE_DONE)
        w->result = rc;
}

static void write_parts(struct writing *w, koine_str key, const koine_node *parts)
{
    const char *name = name_of(w, key);
    if (!name)
        return;
    w->out->open(w->out, name, '[');
    for (size_t i = 0; i < w->host->count(parts); i++)
        write_part(w, w->host->at(parts, i));
    w->out->close(w->out);
}

static void write_message_member(struct writing *w, koine_str key, const koine_node *value)
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
        write_named(w, key, value);
}

static void write_message(struct writing *w, const koine_node *message)
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

static void write_messages(struct writing *w, const char *name, const koine_node *messages)
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
        notice(w, KOINE_NOTICE_MAPPED, name, "role developer sent as system");
}

/* ---- The document ---- */

static const struct special {
    const char *name;
    void (*write)(struct writing *w, const char *name, const koine_node *value);
} specials[] = {
    {"messages", write_messages},
    {"model", write_nothing},  /* the core knows which one is meant, */
    {"stream", write_nothing}, /* and how it wants the answer */
    {"stream_options", write_nothing},
    {"koine", write_nothing},
    {"max_tokens", write_limit},
    {"max_completion_tokens", write_limit},
    {"stop", write_stop},
    {"logprobs", write_logprobs},
    {"top_logprobs", write_top_logprobs},
};

static const struct special *special_of(koine_str key)
{
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
        if (koine__dialect_is(key, specials[i].name))
            return &specials[i];
    return NULL;
}

static const char *foreign_of(const struct writing *w, koine_str key)
{
    for (const char *const *at = w->traits.foreign; at && *at; at++)
        if (koine__dialect_is(key, *at))
            return *at;
    return NULL;
}

static void write_member(struct writing *w, koine_str key, const koine_node *value)
{
    const char *foreign = foreign_of(w, key);
    const struct special *special = special_of(key);
    if (foreign)
        notice_of(w, KOINE_NOTICE_DROPPED, foreign, w->ask->self->id, " has no such parameter");
    else if (special)
        special->write(w, special->name, value);
    else
        write_named(w, key, value);
}

static void write_framing(struct writing *w)
{
    koine_out *out = w->out;
    if (w->ask->framing != KOINE_FRAME_SSE)
        return;
    out->raw(out, "stream", koine__dialect_str("true"));
    if (!(w->traits.flags & KOINE_CHAT_STREAM_USAGE))
        return;
    out->open(out, "stream_options", '{');
    out->raw(out, "include_usage", koine__dialect_str("true"));
    if (w->traits.flags & KOINE_CHAT_NO_OBFUSCATION)
        out->raw(out, "include_obfuscation", koine__dialect_str("false"));
    out->close(out);
}

/* What is wrong with the document, or NULL. */
static const char *wrong(const koine_ask *ask)
{
    const koine_host *host = ask->host;
    if (host->kind(ask->doc) != KOINE_NODE_OBJECT)
        return "the document is not a JSON object";
    const koine_node *messages = host->get(ask->doc, "messages");
    if (!messages)
        return "the document has no `messages`: a list of {\"role\", \"content\"} is needed";
    if (host->kind(messages) != KOINE_NODE_ARRAY)
        return "`messages` is not an array: a list of {\"role\", \"content\"} is needed";
    if (host->num(host->get(ask->doc, "n"), 1) > 1)
        return "`n` is above 1: a call gives one answer, so make one call for each";
    return NULL;
}

/* Servers that only speak like the vendor take what the vendor refuses, and know the older names. */
static void read_compatible(struct writing *w)
{
    const char *option = w->traits.compatible;
    if (!option || !koine__dialect_is(w->host->option(w->ask, option), "true"))
        return;
    w->traits.foreign = NULL;
    w->traits.max_tokens = "max_tokens";
    w->traits.flags &= ~(uint32_t)KOINE_CHAT_NO_OBFUSCATION;
}

int32_t koine__chat_request(const koine_ask *ask, koine_out *out)
{
    struct writing w = {.ask = ask, .host = ask->host, .out = out};
    const char *why = wrong(ask);
    if (why) {
        out->fail(out, koine__dialect_str(why));
        return KOINE_INVALID;
    }
    koine__chat_traits(ask->self, &w.traits);
    read_compatible(&w);
    w.result = koine__chat_head(ask, &w.traits, w.traits.path, out);
    out->open(out, NULL, '{');
    out->str(out, "model", ask->model);
    for (size_t i = 0; i < w.host->count(ask->doc); i++)
        write_member(&w, w.host->key(ask->doc, i), w.host->at(ask->doc, i));
    write_framing(&w);
    out->close(out);
    return w.result;
}
