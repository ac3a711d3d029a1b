/* chat_request: a document as a chat completions request.
 *
 * Every member travels in the source's own bytes, in its order, those nobody has heard of too. Only what the
 * vendor wants otherwise is rewritten or dropped, and each time a notice says so. `koine` never travels.
 */
#include "core/dialect/chat_internal.h"

static bool is_kind(const struct koine__chat_writing *w, const koine_node *node, int32_t kind)
{
    return w->host->kind(node) == kind;
}

static const koine_node *sibling(const struct koine__chat_writing *w, const char *name)
{
    return w->host->get(w->ask->doc, name);
}

void koine__chat_fail(struct koine__chat_writing *w, int32_t result)
{
    if (w->result == KOINE_DONE)
        w->result = result;
}

const char *koine__chat_name(struct koine__chat_writing *w, koine_str name)
{
    const char *copy = koine__dialect_join(w->host, name, (koine_str){NULL, 0});
    if (!copy)
        koine__chat_fail(w, KOINE_NO_MEMORY);
    return copy;
}

void koine__chat_notice(struct koine__chat_writing *w, int32_t what, const char *member, const char *why)
{
    w->out->notice(w->out, what, koine__dialect_str(member), koine__dialect_str(why));
}

static void notice_of(struct koine__chat_writing *w, int32_t what, const char *member, const char *start,
                      const char *end)
{
    const char *why = koine__dialect_join(w->host, koine__dialect_str(start), koine__dialect_str(end));
    if (why)
        koine__chat_notice(w, what, member, why);
    else
        koine__chat_fail(w, KOINE_NO_MEMORY);
}

/* ---- Members that vendors want otherwise ---- */

static void write_nothing(struct koine__chat_writing *w, const char *name, const koine_node *value)
{
    (void)w, (void)name, (void)value;
}

static void write_limit(struct koine__chat_writing *w, const char *name, const koine_node *value)
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

static void write_stop(struct koine__chat_writing *w, const char *name, const koine_node *value)
{
    if (!(w->traits.flags & KOINE_CHAT_STOP_LIST) || !is_kind(w, value, KOINE_NODE_STRING)) {
        w->out->node(w->out, name, value);
        return;
    }
    w->out->open(w->out, name, '[');
    w->out->node(w->out, NULL, value);
    w->out->close(w->out);
    koine__chat_notice(w, KOINE_NOTICE_MAPPED, name, "sent as a list");
}

/* true with top_logprobs N, for a vendor that counts: N; at least 1, for 0 asks it for none. */
static void write_logprobs_count(struct koine__chat_writing *w, const char *name, const koine_node *value)
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
    koine__chat_notice(w, KOINE_NOTICE_MAPPED, name, "sent as a count");
}

static void write_logprobs(struct koine__chat_writing *w, const char *name, const koine_node *value)
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
    koine__chat_notice(w, KOINE_NOTICE_MAPPED, name, "sent as true with top_logprobs");
}

static void write_top_logprobs(struct koine__chat_writing *w, const char *name, const koine_node *value)
{
    if (!(w->traits.flags & KOINE_CHAT_LOGPROBS_COUNT)) {
        w->out->node(w->out, name, value);
        return;
    }
    int32_t truth = w->host->truth(sibling(w, "logprobs"));
    if (truth != 1)
        koine__chat_notice(w, KOINE_NOTICE_DROPPED, name, "logprobs alone says how many");
}

/* The schema itself, for a vendor that wants no object around it; its name and `strict` have no place there.
 */
static void write_format(struct koine__chat_writing *w, const char *name, const koine_node *value)
{
    const koine_node *schema = w->host->get(w->host->get(value, "json_schema"), "schema");
    if (!(w->traits.flags & KOINE_CHAT_SCHEMA_FLAT) || !schema) {
        w->out->node(w->out, name, value);
        return;
    }
    w->out->open(w->out, name, '{');
    w->out->str(w->out, "type", koine__dialect_str("json_schema"));
    w->out->node(w->out, "schema", schema);
    w->out->close(w->out);
    koine__chat_notice(w, KOINE_NOTICE_MAPPED, name, "the schema is sent alone");
}

/* ---- The document ---- */

static const struct special {
    const char *name;
    void (*write)(struct koine__chat_writing *w, const char *name, const koine_node *value);
} specials[] = {
    {"messages", koine__chat_messages},
    {"model", write_nothing},  /* the core knows which one is meant, */
    {"stream", write_nothing}, /* and how it wants the answer */
    {"stream_options", write_nothing},
    {"koine", write_nothing},
    {"max_tokens", write_limit},
    {"max_completion_tokens", write_limit},
    {"stop", write_stop},
    {"logprobs", write_logprobs},
    {"top_logprobs", write_top_logprobs},
    {"response_format", write_format},
};

static const struct special *special_of(koine_str key)
{
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
        if (koine__dialect_is(key, specials[i].name))
            return &specials[i];
    return NULL;
}

static const char *foreign_of(const struct koine__chat_writing *w, koine_str key)
{
    for (const char *const *at = w->traits.foreign; at && *at; at++)
        if (koine__dialect_is(key, *at))
            return *at;
    return NULL;
}

static void write_member(struct koine__chat_writing *w, koine_str key, const koine_node *value)
{
    const char *foreign = foreign_of(w, key);
    const struct special *special = special_of(key);
    if (foreign)
        notice_of(w, KOINE_NOTICE_DROPPED, foreign, w->ask->self->id, " has no such parameter");
    else if (special)
        special->write(w, special->name, value);
    else
        w->out->member(w->out, value);
}

static void write_defaults(struct koine__chat_writing *w)
{
    const koine_chat_member *const *at = w->traits.defaults;
    for (; at && *at; at++)
        if (!sibling(w, (*at)->name))
            w->out->raw(w->out, (*at)->name, koine__dialect_str((*at)->json));
}

static void write_framing(struct koine__chat_writing *w)
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
static void read_compatible(struct koine__chat_writing *w)
{
    const char *option = w->traits.compatible;
    if (!option || !koine__dialect_is(w->host->option(w->host, w->ask->self, option), "true"))
        return;
    w->traits.foreign = NULL;
    w->traits.max_tokens = "max_tokens";
    w->traits.flags &= ~(uint32_t)KOINE_CHAT_NO_OBFUSCATION;
    w->traits.flags |= KOINE_CHAT_EXTRA_BACK;
}

int32_t koine__chat_request(const koine_ask *ask, koine_out *out)
{
    struct koine__chat_writing w = {.ask = ask, .host = ask->host, .out = out};
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
    write_defaults(&w);
    write_framing(&w);
    out->close(out);
    return w.result;
}
