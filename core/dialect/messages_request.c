/* messages_request: a document as a request of the Messages API.
 *
 * What stands in the same place there travels in the source's own bytes, members that nobody has heard of
 * too. What stands elsewhere is put there, what the API lacks is dropped, and each time something could be
 * missed a notice says so. `koine` never travels.
 */
#include "core/dialect/messages_internal.h"

#define ONE 1000000000000 /* as koine__dialect_pico writes it */

const koine_node *koine__messages_member(const struct koine__messages_writing *w, const char *name)
{
    return w->host->get(w->ask->doc, name);
}

void koine__messages_fail(struct koine__messages_writing *w, int32_t result, const char *why)
{
    if (w->result == KOINE_DONE)
        w->result = result;
    if (why)
        w->out->fail(w->out, koine__dialect_str(why));
}

void koine__messages_notice(struct koine__messages_writing *w, int32_t what, const char *member,
                            const char *why)
{
    w->out->notice(w->out, what, koine__dialect_str(member), koine__dialect_str(why));
}

static void write_named(struct koine__messages_writing *w, koine_str key, const koine_node *value)
{
    const char *name = koine__dialect_join(w->host, key, (koine_str){NULL, 0});
    if (name)
        w->out->node(w->out, name, value);
    else
        koine__messages_fail(w, KOINE_NO_MEMORY, NULL);
}

void koine__messages_others(struct koine__messages_writing *w, const koine_node *object,
                            const char *const *but)
{
    for (size_t i = 0; i < w->host->count(object); i++) {
        const koine_node *value = w->host->at(object, i);
        if (w->host->kind(value) != KOINE_NODE_NULL &&
            !koine__dialect_is_one_of(w->host->key(object, i), but))
            write_named(w, w->host->key(object, i), value);
    }
}

/* ---- Members that stand elsewhere, or are something else ---- */

/* Written before: messages_limits.c and messages_turns.c ask for them. */
static void write_nothing(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    (void)w, (void)name, (void)value;
}

static void write_messages(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    (void)name, (void)value;
    koine__messages_turns(w);
}

static void write_stop(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    koine__messages_notice(w, KOINE_NOTICE_MAPPED, name, "sent as stop_sequences");
    if (w->host->kind(value) == KOINE_NODE_ARRAY) {
        w->out->node(w->out, "stop_sequences", value);
        return;
    }
    w->out->open(w->out, "stop_sequences", '[');
    w->out->node(w->out, NULL, value);
    w->out->close(w->out);
}

/* How likely what is, the API does not let itself be told while it thinks. */
static void write_sampling(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    if (w->think != KOINE__THINK_NO)
        koine__messages_notice(w, KOINE_NOTICE_DROPPED, name, "not beside thinking");
    else
        w->out->node(w->out, name, value);
}

/* The API's end at 1. */
static void write_temperature(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    koine_str number = w->host->dump(value);
    bool counts = w->host->kind(value) == KOINE_NODE_NUMBER && w->think == KOINE__THINK_NO;
    bool below = counts && number.ptr[0] == '-';
    int64_t pico = counts ? koine__dialect_pico(number) : 0;
    if (!below && pico >= 0 && pico <= ONE) {
        write_sampling(w, name, value);
        return;
    }
    w->out->raw(w->out, name, koine__dialect_str(below ? "0" : "1"));
    koine__messages_notice(w, KOINE_NOTICE_CLAMPED, name, "sent as the nearest from 0 to 1");
}

static void write_tools(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    (void)name;
    koine__messages_tools(w, value);
}

static void write_choice(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    (void)name;
    koine__messages_choice(w, value);
}

static void write_parallel(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    const koine_node *choice = koine__messages_member(w, "tool_choice");
    (void)name, (void)value;
    if (w->host->kind(choice) <= KOINE_NODE_NULL)
        koine__messages_choice(w, NULL);
}

static void write_user(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    const koine_node *metadata = koine__messages_member(w, "metadata");
    bool other = strcmp(name, "user") != 0 && w->host->str(koine__messages_member(w, "user")).len > 0;
    if (other || w->host->get(metadata, "user_id")) {
        koine__messages_notice(w, KOINE_NOTICE_DROPPED, name, "another member says who the user is");
        return;
    }
    w->out->open(w->out, "metadata", '{');
    w->out->node(w->out, "user_id", value);
    w->out->close(w->out);
    koine__messages_notice(w, KOINE_NOTICE_MAPPED, name, "sent as metadata.user_id");
}

/* Who the user is is all that the API takes there. */
static void write_metadata(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    const koine_node *user = w->host->get(value, "user_id");
    if (w->host->count(value) > (user ? 1u : 0u))
        koine__messages_notice(w, KOINE_NOTICE_DROPPED, name, "the Messages API takes only user_id there");
    if (!user)
        return;
    w->out->open(w->out, name, '{');
    w->out->node(w->out, "user_id", user);
    w->out->close(w->out);
}

static void write_tier(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    koine_str tier = w->host->str(value);
    if (koine__dialect_is(tier, "auto") || koine__dialect_is(tier, "standard_only")) {
        w->out->node(w->out, name, value);
    } else if (koine__dialect_is(tier, "default")) {
        w->out->str(w->out, name, koine__dialect_str("standard_only"));
        koine__messages_notice(w, KOINE_NOTICE_MAPPED, name, "sent as standard_only");
    } else {
        koine__messages_notice(w, KOINE_NOTICE_DROPPED, name, "the Messages API has auto and standard_only");
    }
}

static void refuse_functions(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    (void)name, (void)value;
    koine__messages_fail(w, KOINE_UNSUPPORTED,
                         "functions and function_call: tools and tool_choice can travel");
}

/* ---- The document ---- */

static const struct special {
    const char *name;
    void (*write)(struct koine__messages_writing *w, const char *name, const koine_node *value);
} specials[] = {
    {"messages", write_messages},
    {"system", write_nothing},
    {"model", write_nothing},  /* the core knows which one is meant, */
    {"stream", write_nothing}, /* and how it wants the answer */
    {"stream_options", write_nothing},
    {"koine", write_nothing},
    {"n", write_nothing}, /* one is all there is */
    {"max_tokens", write_nothing},
    {"max_completion_tokens", write_nothing},
    {"reasoning_effort", write_nothing},
    {"response_format", write_nothing},
    {"output_config", write_nothing},
    {"stop", write_stop},
    {"temperature", write_temperature},
    {"top_p", write_sampling},
    {"top_k", write_sampling},
    {"tools", write_tools},
    {"tool_choice", write_choice},
    {"parallel_tool_calls", write_parallel},
    {"user", write_user},
    {"safety_identifier", write_user},
    {"metadata", write_metadata},
    {"service_tier", write_tier},
    {"functions", refuse_functions},
    {"function_call", refuse_functions},
};

/* What the API lacks of chat completions, as any vendor has it. */
static const char *const lacking[] = {"audio",
                                      "chat_template_kwargs",
                                      "compliance",
                                      "context_length_exceeded_behavior",
                                      "echo",
                                      "frequency_penalty",
                                      "logit_bias",
                                      "logprobs",
                                      "min_p",
                                      "modalities",
                                      "moderation",
                                      "prediction",
                                      "presence_penalty",
                                      "prompt_cache_key",
                                      "prompt_cache_options",
                                      "prompt_cache_retention",
                                      "reasoning",
                                      "repetition_penalty",
                                      "safety_model",
                                      "seed",
                                      "store",
                                      "top_logprobs",
                                      "verbosity",
                                      "web_search_options",
                                      NULL};

static const char *lacking_of(const struct koine__messages_writing *w, koine_str key)
{
    const char *const *lists[] = {lacking, w->traits.foreign};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        for (const char *const *at = lists[i]; at && *at; at++)
            if (koine__dialect_is(key, *at))
                return *at;
    return NULL;
}

/* What is null or false was not asked for. */
static void drop(struct koine__messages_writing *w, const char *name, const koine_node *value)
{
    if (w->host->kind(value) == KOINE_NODE_NULL || w->host->truth(value) == 0)
        return;
    const char *why = koine__dialect_join(w->host, koine__dialect_str(w->ask->self->id),
                                          koine__dialect_str(" has no such parameter"));
    if (why)
        koine__messages_notice(w, KOINE_NOTICE_DROPPED, name, why);
    else
        koine__messages_fail(w, KOINE_NO_MEMORY, NULL);
}

static void write_member(struct koine__messages_writing *w, koine_str key, const koine_node *value)
{
    const char *name = lacking_of(w, key);
    if (name) {
        drop(w, name, value);
        return;
    }
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
        if (koine__dialect_is(key, specials[i].name)) {
            if (w->host->kind(value) != KOINE_NODE_NULL)
                specials[i].write(w, specials[i].name, value);
            return;
        }
    write_named(w, key, value);
}

/* What is wrong with the document, or NULL. */
static const char *wrong(const koine_ask *ask)
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

int32_t koine__messages_request(const koine_ask *ask, koine_out *out)
{
    struct koine__messages_writing w = {.ask = ask, .host = ask->host, .out = out};
    const char *why = wrong(ask);
    if (why) {
        out->fail(out, koine__dialect_str(why));
        return KOINE_INVALID;
    }
    koine__messages_traits(ask->self, &w.traits);
    koine__messages_head(ask, &w.traits, w.traits.path, out);
    out->open(out, NULL, '{');
    out->str(out, "model", ask->model);
    koine__messages_limits(&w);
    for (size_t i = 0; i < w.host->count(ask->doc) && w.result == KOINE_DONE; i++)
        write_member(&w, w.host->key(ask->doc, i), w.host->at(ask->doc, i));
    if (ask->framing == KOINE_FRAME_SSE)
        out->raw(out, "stream", koine__dialect_str("true"));
    out->close(out);
    return w.result;
}
