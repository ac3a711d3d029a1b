/* dialect_document: a document's members on their way into a request of another shape. */
#include "core/dialect/dialect.h"

const char *koine__dialect_wrong(const koine_ask *ask)
{
    const koine_host *host = ask->host;
    if (host->kind(ask->doc) != KOINE_NODE_OBJECT)
        return "the document is not a JSON object";
    if (host->kind(host->get(ask->doc, "messages")) != KOINE_NODE_ARRAY)
        return "the document has no list `messages`: one of {\"role\", \"content\"} is needed";
    if (host->num(host->get(ask->doc, "n"), 1) > 1)
        return "`n` is above 1: a call gives one answer, so make one call for each";
    return NULL;
}

koine_str koine__dialect_text(const koine_host *host, const koine_node *object, const char *name)
{
    return host->str(host->get(object, name));
}

const koine_node *koine__dialect_member(const struct koine__dialect_writing *w, const char *name)
{
    return w->host->get(w->ask->doc, name);
}

const koine_node *koine__dialect_given(const struct koine__dialect_writing *w, const char *name)
{
    const koine_node *node = koine__dialect_member(w, name);
    return w->host->kind(node) > KOINE_NODE_NULL ? node : NULL;
}

/* ---- What is told ---- */

void koine__dialect_fail(struct koine__dialect_writing *w, int32_t result, const char *why)
{
    if (w->result == KOINE_DONE)
        w->result = result;
    if (why)
        w->out->fail(w->out, koine__dialect_str(why));
}

void koine__dialect_notice(struct koine__dialect_writing *w, int32_t what, const char *member,
                           const char *why)
{
    w->out->notice(w->out, what, koine__dialect_str(member), koine__dialect_str(why));
}

void koine__dialect_notice_once(struct koine__dialect_writing *w, uint32_t bit, int32_t what, const char *why)
{
    if (!(w->told & bit))
        koine__dialect_notice(w, what, "messages", why);
    w->told |= bit;
}

void koine__dialect_notice_of(struct koine__dialect_writing *w, int32_t what, const char *member,
                              koine_str start, const char *end)
{
    const char *why = koine__dialect_join(w->host, start, koine__dialect_str(end));
    if (why)
        koine__dialect_notice(w, what, member, why);
    else
        koine__dialect_fail(w, KOINE_NO_MEMORY, NULL);
}

/* ---- Values ---- */

void koine__dialect_others(struct koine__dialect_writing *w, const koine_node *object, const char *const *but)
{
    if (w->host->kind(object) != KOINE_NODE_OBJECT) /* elements of a list are no members */
        return;
    for (size_t i = 0; i < w->host->count(object); i++) {
        const koine_node *value = w->host->at(object, i);
        if (w->host->kind(value) != KOINE_NODE_NULL &&
            !koine__dialect_is_one_of(w->host->key(object, i), but))
            w->out->member(w->out, value);
    }
}

const char *koine__dialect_nearest(const struct koine__dialect_writing *w, const koine_node *value,
                                   const char *most, int64_t pico)
{
    koine_str number = w->host->dump(value);
    if (w->host->kind(value) != KOINE_NODE_NUMBER)
        return NULL;
    if (number.ptr[0] == '-')
        return "0";
    int64_t told = koine__dialect_pico(number);
    return told < 0 || told > pico ? most : NULL;
}

/* The arguments of a call are a text in the document. */
static int32_t parse_arguments(const koine_host *host, const koine_node *arguments, const koine_node **ret)
{
    koine_str text = koine__dialect_trim(host->str(arguments));
    *ret = arguments;
    if (text.len == 0 && host->kind(arguments) < KOINE_NODE_ARRAY) {
        *ret = NULL;
        return KOINE_DONE;
    }
    int32_t rc = text.len > 0 ? host->parse(host, text, ret) : KOINE_DONE;
    return rc == KOINE_DONE && host->kind(*ret) != KOINE_NODE_OBJECT ? KOINE_INVALID : rc;
}

void koine__dialect_arguments(struct koine__dialect_writing *w, const char *key, const koine_node *arguments)
{
    const koine_node *root = NULL;
    int32_t rc = parse_arguments(w->host, arguments, &root);
    if (rc != KOINE_DONE)
        koine__dialect_fail(w, rc, "the arguments of a tool call in `messages` are no JSON object");
    else if (root)
        w->out->node(w->out, key, root);
    else
        w->out->raw(w->out, key, koine__dialect_str("{}"));
}

const koine_node *koine__dialect_schema(const koine_host *host, const koine_node *format)
{
    const koine_node *schema = host->get(host->get(format, "json_schema"), "schema");
    return schema ? schema : host->get(format, "schema");
}

/* ---- The document ---- */

void koine__dialect_nothing(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    (void)w, (void)name, (void)value;
}

void koine__dialect_no_functions(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    (void)name, (void)value;
    koine__dialect_fail(w, KOINE_UNSUPPORTED,
                        "functions and function_call: tools and tool_choice can travel");
}

static const char *lacking_of(koine_str key, const char *const *const *lists)
{
    for (; *lists; lists++)
        for (const char *const *at = *lists; *at; at++)
            if (koine__dialect_is(key, *at))
                return *at;
    return NULL;
}

/* What is null or false was not asked for. */
static void drop(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    if (w->host->kind(value) == KOINE_NODE_NULL || w->host->truth(value) == 0)
        return;
    koine__dialect_notice_of(w, KOINE_NOTICE_DROPPED, name, koine__dialect_str(w->ask->self->id),
                             " has no such parameter");
}

/* What the core knows better (which model is meant, how the answer is wanted), what never travels, and the
 * one answer that is all there is. */
static const char *const aside[] = {"model", "stream", "stream_options", "koine", "n", NULL};

static void write_member(struct koine__dialect_writing *w, koine_str key, const koine_node *value,
                         const struct koine__dialect_known *known, const char *const *const *lacking)
{
    const char *name = lacking_of(key, lacking);
    if (name) {
        drop(w, name, value);
        return;
    }
    if (koine__dialect_is_one_of(key, aside))
        return;
    while (known->name && !koine__dialect_is(key, known->name))
        known++;
    if (!known->name)
        w->out->member(w->out, value);
    else if (w->host->kind(value) != KOINE_NODE_NULL)
        known->write(w, known->name, value);
}

void koine__dialect_document(struct koine__dialect_writing *w, const struct koine__dialect_known *known,
                             const char *const *const *lacking)
{
    for (size_t i = 0; i < w->host->count(w->ask->doc) && w->result == KOINE_DONE; i++)
        write_member(w, w->host->key(w->ask->doc, i), w->host->at(w->ask->doc, i), known, lacking);
}
