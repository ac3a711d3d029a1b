/* messages_request: a document as a request of the Messages API.
 *
 * What stands in the same place there travels in the source's own bytes, members that nobody has heard of
 * too. What stands elsewhere is put there, what the API lacks is dropped, and each time something could be
 * missed a notice says so. `koine` never travels.
 */
#include "core/dialect/messages_internal.h"

#define ONE 1000000000000 /* as koine__dialect_pico writes it */

/* ---- Members that stand elsewhere, or are something else ---- */

static void write_messages(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    (void)name, (void)value;
    koine__messages_turns(w);
}

static void write_stop(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    koine__dialect_notice(w, KOINE_NOTICE_MAPPED, name, "sent as stop_sequences");
    if (w->host->kind(value) == KOINE_NODE_ARRAY) {
        w->out->node(w->out, "stop_sequences", value);
        return;
    }
    w->out->open(w->out, "stop_sequences", '[');
    w->out->node(w->out, NULL, value);
    w->out->close(w->out);
}

/* How likely what is, the API does not let itself be told while it thinks. */
static void write_sampling(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    if (koine__messages_of(w)->think != KOINE__THINK_NO)
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "not beside thinking");
    else
        w->out->node(w->out, name, value);
}

/* The API's end at 1. */
static void write_temperature(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    const char *nearest =
        koine__messages_of(w)->think == KOINE__THINK_NO ? koine__dialect_nearest(w, value, "1", ONE) : NULL;
    if (!nearest) {
        write_sampling(w, name, value);
        return;
    }
    w->out->raw(w->out, name, koine__dialect_str(nearest));
    koine__dialect_notice(w, KOINE_NOTICE_CLAMPED, name, "sent as the nearest from 0 to 1");
}

static void write_tools(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    (void)name;
    koine__messages_tools(w, value);
}

static void write_choice(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    (void)name;
    koine__messages_choice(w, value);
}

static void write_parallel(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    const koine_node *choice = koine__dialect_member(w, "tool_choice");
    (void)name, (void)value;
    if (w->host->kind(choice) <= KOINE_NODE_NULL)
        koine__messages_choice(w, NULL);
}

static void write_user(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    const koine_node *metadata = koine__dialect_member(w, "metadata");
    bool other = strcmp(name, "user") != 0 && w->host->str(koine__dialect_member(w, "user")).len > 0;
    if (other || w->host->get(metadata, "user_id")) {
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "another member says who the user is");
        return;
    }
    w->out->open(w->out, "metadata", '{');
    w->out->node(w->out, "user_id", value);
    w->out->close(w->out);
    koine__dialect_notice(w, KOINE_NOTICE_MAPPED, name, "sent as metadata.user_id");
}

/* Who the user is is all that the API takes there. */
static void write_metadata(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    const koine_node *user = w->host->get(value, "user_id");
    if (w->host->count(value) > (user ? 1u : 0u))
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "the Messages API takes only user_id there");
    if (!user)
        return;
    w->out->open(w->out, name, '{');
    w->out->node(w->out, "user_id", user);
    w->out->close(w->out);
}

static void write_tier(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    koine_str tier = w->host->str(value);
    if (koine__dialect_is(tier, "auto") || koine__dialect_is(tier, "standard_only")) {
        w->out->node(w->out, name, value);
    } else if (koine__dialect_is(tier, "default")) {
        w->out->str(w->out, name, koine__dialect_str("standard_only"));
        koine__dialect_notice(w, KOINE_NOTICE_MAPPED, name, "sent as standard_only");
    } else {
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "the Messages API has auto and standard_only");
    }
}

/* ---- The document ---- */

/* Some are written before: messages_limits.c and messages_turns.c ask for them. */
static const struct koine__dialect_known specials[] = {
    {"messages", write_messages},
    {"system", koine__dialect_nothing},
    {"max_tokens", koine__dialect_nothing},
    {"max_completion_tokens", koine__dialect_nothing},
    {"reasoning_effort", koine__dialect_nothing},
    {"response_format", koine__dialect_nothing},
    {"output_config", koine__dialect_nothing},
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
    {"functions", koine__dialect_no_functions},
    {"function_call", koine__dialect_no_functions},
    {NULL, NULL},
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

int32_t koine__messages_request(const koine_ask *ask, koine_out *out)
{
    struct koine__messages_writing writing = {.w = {.ask = ask, .host = ask->host, .out = out}};
    struct koine__dialect_writing *w = &writing.w;
    const char *why = koine__dialect_wrong(ask);
    if (why) {
        out->fail(out, koine__dialect_str(why));
        return KOINE_INVALID;
    }
    koine__messages_traits(ask->self, &writing.traits);
    const char *const *lists[] = {lacking, writing.traits.foreign, NULL};
    koine__messages_head(ask, &writing.traits, writing.traits.path, out);
    out->open(out, NULL, '{');
    out->str(out, "model", ask->model);
    koine__messages_limits(w);
    koine__dialect_document(w, specials, lists);
    if (ask->framing == KOINE_FRAME_SSE)
        out->raw(out, "stream", koine__dialect_str("true"));
    out->close(out);
    return w->result;
}
