/* gemini_request: a document as a request of the Gemini API.
 *
 * The model stands in the path. What the API has under another name or elsewhere is put there, what it lacks
 * is dropped with a notice, and members that nobody has heard of travel in the source's own bytes. `koine`
 * never travels.
 */
#include "core/dialect/gemini_internal.h"

static void write_messages(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    (void)name, (void)value;
    koine__gemini_turns(w);
}

static void write_tools(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    (void)name;
    koine__gemini_tools(w, value);
}

static void drop_contents(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    (void)value;
    koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "messages says it already");
}

static void drop_parallel(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    if (w->host->truth(value) == 0 && w->host->count(koine__dialect_member(w, "tools")) > 0)
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name,
                              "the Gemini API cannot be told to make one call only");
}

static void write_tier(struct koine__dialect_writing *w, const char *name, const koine_node *value)
{
    static const char *const usual[] = {"auto", "default", "standard", NULL};
    static const char *const tiers[] = {"flex", "priority", NULL};
    koine_str tier = w->host->str(value);
    if (koine__dialect_given(w, "serviceTier"))
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "serviceTier says it already");
    else if (koine__dialect_is_one_of(tier, tiers))
        w->out->node(w->out, "serviceTier", value);
    else if (!koine__dialect_is_one_of(tier, usual))
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "the Gemini API has flex and priority");
}

/* Some are written elsewhere: gemini_config.c, gemini_tools.c and gemini_turns.c ask for them. */
static const struct koine__dialect_known known[] = {
    {"messages", write_messages},
    {"contents", drop_contents},
    {"systemInstruction", koine__dialect_nothing},
    {"generationConfig", koine__dialect_nothing},
    {"max_tokens", koine__dialect_nothing},
    {"max_completion_tokens", koine__dialect_nothing},
    {"temperature", koine__dialect_nothing},
    {"top_p", koine__dialect_nothing},
    {"top_k", koine__dialect_nothing},
    {"seed", koine__dialect_nothing},
    {"presence_penalty", koine__dialect_nothing},
    {"frequency_penalty", koine__dialect_nothing},
    {"stop", koine__dialect_nothing},
    {"logprobs", koine__dialect_nothing},
    {"top_logprobs", koine__dialect_nothing},
    {"modalities", koine__dialect_nothing},
    {"response_format", koine__dialect_nothing},
    {"reasoning_effort", koine__dialect_nothing},
    {"tools", write_tools},
    {"tool_choice", koine__dialect_nothing},
    {"toolConfig", koine__dialect_nothing},
    {"parallel_tool_calls", drop_parallel},
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
                                      "logit_bias",
                                      "metadata",
                                      "min_p",
                                      "moderation",
                                      "prediction",
                                      "prompt_cache_key",
                                      "prompt_cache_options",
                                      "prompt_cache_retention",
                                      "reasoning",
                                      "repetition_penalty",
                                      "safety_identifier",
                                      "safety_model",
                                      "store",
                                      "thinking",
                                      "user",
                                      "verbosity",
                                      "web_search_options",
                                      NULL};

/* Models of one's own stand beside the vendor's, in a folder that their id names. false: no path can name
 * the model. */
static bool write_path(const koine_ask *ask, const koine_gemini_traits *traits, koine_out *out)
{
    static const char tuned[] = "tunedModels/";
    static const char *const unfit[] = {"", ".", "..", NULL};
    size_t len = sizeof(tuned) - 1;
    koine_str model = koine__gemini_id(ask->model);
    bool own = model.len >= len && memcmp(model.ptr, tuned, len) == 0;
    if (own)
        model = (koine_str){model.ptr + len, model.len - len};
    if (koine__dialect_is_one_of(model, unfit))
        return false;
    out->path(out, own ? "/tunedModels/" : traits->path);
    out->segment(out, model);
    bool stream = ask->framing == KOINE_FRAME_SSE;
    out->path(out, stream ? ":streamGenerateContent" : ":generateContent");
    if (stream)
        out->query(out, "alt", koine__dialect_str("sse"));
    return true;
}

int32_t koine__gemini_request(const koine_ask *ask, koine_out *out)
{
    struct koine__gemini_writing writing = {.w = {.ask = ask, .host = ask->host, .out = out}};
    struct koine__dialect_writing *w = &writing.w;
    const char *why = koine__dialect_wrong(ask);
    if (why) {
        out->fail(out, koine__dialect_str(why));
        return KOINE_INVALID;
    }
    koine__gemini_traits(ask->self, &writing.traits);
    const char *const *lists[] = {lacking, writing.traits.foreign, NULL};
    if (!write_path(ask, &writing.traits, out)) {
        out->fail(out, koine__dialect_str("no model can have such a name"));
        return KOINE_INVALID;
    }
    koine__gemini_head(ask, &writing.traits, out);
    out->open(out, NULL, '{');
    koine__dialect_document(w, known, lists);
    koine__gemini_tool_config(w);
    koine__gemini_config(w);
    out->close(out);
    return w->result;
}
