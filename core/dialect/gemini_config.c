/* gemini_config: `generationConfig`, where the API has most of what a document says at its top.
 *
 * What the document says there itself comes first, and is not overruled. Plain renames need no notice.
 */
#include "core/dialect/gemini_internal.h"

#define MOST_STOPS   5
#define TWO          2000000000000 /* as koine__dialect_pico writes it */
#define LONGEST_WORD 32

struct setting {
    const char *member, *name; /* in the document, and there */
    void (*write)(struct koine__dialect_writing *w, const struct setting *setting, const koine_node *value);
};

static const koine_node *own_config(const struct koine__dialect_writing *w)
{
    const koine_node *own = koine__dialect_given(w, "generationConfig");
    return w->host->kind(own) == KOINE_NODE_OBJECT ? own : NULL;
}

/* Whether the document says it there itself. */
static bool says(const struct koine__dialect_writing *w, const char *name)
{
    return w->host->kind(w->host->get(own_config(w), name)) > KOINE_NODE_NULL;
}

static void write_renamed(struct koine__dialect_writing *w, const struct setting *setting,
                          const koine_node *value)
{
    w->out->node(w->out, setting->name, value);
}

static void write_other_limit(struct koine__dialect_writing *w, const struct setting *setting,
                              const koine_node *value)
{
    if (koine__dialect_given(w, "max_tokens"))
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, setting->member, "max_tokens says it already");
    else
        w->out->node(w->out, setting->name, value);
}

static void write_temperature(struct koine__dialect_writing *w, const struct setting *setting,
                              const koine_node *value)
{
    const char *nearest = koine__dialect_nearest(w, value, "2", TWO);
    if (!nearest) {
        w->out->node(w->out, setting->name, value);
        return;
    }
    w->out->raw(w->out, setting->name, koine__dialect_str(nearest));
    koine__dialect_notice(w, KOINE_NOTICE_CLAMPED, setting->member, "sent as the nearest from 0 to 2");
}

static void write_stop(struct koine__dialect_writing *w, const struct setting *setting,
                       const koine_node *value)
{
    size_t count = w->host->count(value);
    w->out->open(w->out, setting->name, '[');
    if (w->host->kind(value) != KOINE_NODE_ARRAY)
        w->out->node(w->out, NULL, value);
    else
        for (size_t i = 0; i < count && i < MOST_STOPS; i++)
            w->out->node(w->out, NULL, w->host->at(value, i));
    w->out->close(w->out);
    if (w->host->kind(value) == KOINE_NODE_ARRAY && count > MOST_STOPS)
        koine__dialect_notice(w, KOINE_NOTICE_CLAMPED, setting->member,
                              "the Gemini API takes five: the first");
}

/* A count stands for true with top_logprobs. */
static void write_logprobs(struct koine__dialect_writing *w, const struct setting *setting,
                           const koine_node *value)
{
    int64_t count = w->host->num(value, -1);
    if (count < 0) {
        w->out->node(w->out, setting->name, value);
        return;
    }
    w->out->raw(w->out, setting->name, koine__dialect_str("true"));
    if (count > 0 && !koine__dialect_given(w, "top_logprobs") && !says(w, "logprobs"))
        w->out->num(w->out, "logprobs", count);
}

/* "text" is TEXT there. */
static void write_modalities(struct koine__dialect_writing *w, const struct setting *setting,
                             const koine_node *value)
{
    char word[LONGEST_WORD];
    w->out->open(w->out, setting->name, '[');
    for (size_t i = 0; i < w->host->count(value); i++) {
        koine_str told = w->host->str(w->host->at(value, i));
        size_t len = told.len < sizeof(word) ? told.len : sizeof(word);
        for (size_t k = 0; k < len; k++)
            word[k] =
                (char)(told.ptr[k] >= 'a' && told.ptr[k] <= 'z' ? told.ptr[k] - 'a' + 'A' : told.ptr[k]);
        w->out->str(w->out, NULL, (koine_str){word, len});
    }
    w->out->close(w->out);
}

static void write_format(struct koine__dialect_writing *w, const struct setting *setting,
                         const koine_node *value)
{
    koine_str type = koine__dialect_text(w->host, value, "type");
    const koine_node *schema = koine__dialect_schema(w->host, value);
    bool by_schema = koine__dialect_is(type, "json_schema") && schema;
    if (koine__dialect_is(type, "text"))
        return;
    if (!by_schema && !koine__dialect_is(type, "json_object")) {
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, setting->member,
                              "the Gemini API writes JSON, also by a schema");
        return;
    }
    w->out->str(w->out, setting->name, koine__dialect_str("application/json"));
    if (by_schema && !says(w, "responseJsonSchema") && !says(w, "responseSchema"))
        w->out->node(w->out, "responseJsonSchema", schema);
    koine__dialect_notice(w, KOINE_NOTICE_MAPPED, setting->member,
                          by_schema ? "sent as responseJsonSchema" : "sent as responseMimeType");
}

static void write_effort(struct koine__dialect_writing *w, const struct setting *setting,
                         const koine_node *value)
{
    (void)setting;
    koine__gemini_thinking(w, value);
}

static const struct setting settings[] = {
    {"max_tokens", "maxOutputTokens", write_renamed},
    {"max_completion_tokens", "maxOutputTokens", write_other_limit},
    {"temperature", "temperature", write_temperature},
    {"top_p", "topP", write_renamed},
    {"top_k", "topK", write_renamed},
    {"seed", "seed", write_renamed},
    {"presence_penalty", "presencePenalty", write_renamed},
    {"frequency_penalty", "frequencyPenalty", write_renamed},
    {"stop", "stopSequences", write_stop},
    {"logprobs", "responseLogprobs", write_logprobs},
    {"top_logprobs", "logprobs", write_renamed},
    {"modalities", "responseModalities", write_modalities},
    {"response_format", "responseMimeType", write_format},
    {"reasoning_effort", "thinkingConfig", write_effort},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static void write_setting(struct koine__dialect_writing *w, const struct setting *setting)
{
    const koine_node *value = koine__dialect_given(w, setting->member);
    if (!value)
        return;
    if (says(w, setting->name))
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, setting->member, "generationConfig says it already");
    else
        setting->write(w, setting, value);
}

void koine__gemini_config(struct koine__dialect_writing *w)
{
    static const char *const nothing[] = {NULL};
    const koine_node *own = own_config(w);
    bool any = own != NULL;
    for (size_t i = 0; i < SETTINGS && !any; i++)
        any = koine__dialect_given(w, settings[i].member) != NULL;
    if (!any)
        return;
    w->out->open(w->out, "generationConfig", '{');
    koine__dialect_others(w, own, nothing);
    for (size_t i = 0; i < SETTINGS; i++)
        write_setting(w, &settings[i]);
    w->out->close(w->out);
}
