/* gemini_usage: what the vendor counts, as disjoint buckets. Its prompt holds what a cache had, but not what
 * its own tools read; its candidates do not hold the thoughts. */
#include "core/dialect/gemini_internal.h"

/* A list of {"modality", "tokenCount"}. */
static void count_modality(const koine_host *host, const koine_node *details, const char *modality,
                           int64_t *ret)
{
    for (size_t i = 0; i < host->count(details); i++) {
        const koine_node *entry = host->at(details, i);
        if (koine__dialect_is(koine__dialect_text(host, entry, "modality"), modality))
            koine__dialect_count(host, entry, "tokenCount", ret);
    }
}

static void read_counts(const koine_host *host, const koine_node *usage, struct koine__gemini_counts *counts)
{
    const koine_node *prompt = host->get(usage, "promptTokensDetails");
    const koine_node *cache = host->get(usage, "cacheTokensDetails");
    koine__dialect_count(host, usage, "promptTokenCount", &counts->prompt);
    koine__dialect_count(host, usage, "toolUsePromptTokenCount", &counts->tool_prompt);
    koine__dialect_count(host, usage, "cachedContentTokenCount", &counts->cached);
    koine__dialect_count(host, usage, "candidatesTokenCount", &counts->candidates);
    koine__dialect_count(host, usage, "thoughtsTokenCount", &counts->thoughts);
    count_modality(host, prompt, "AUDIO", &counts->audio_prompt);
    count_modality(host, prompt, "IMAGE", &counts->image_prompt);
    count_modality(host, cache, "AUDIO", &counts->audio_cached);
    count_modality(host, cache, "IMAGE", &counts->image_cached);
    count_modality(host, host->get(usage, "candidatesTokensDetails"), "AUDIO", &counts->audio_candidates);
}

static int64_t without(int64_t whole, int64_t part)
{
    if (whole < 0 || part <= 0)
        return whole;
    return part < whole ? whole - part : 0;
}

/* A prompt that is told and no candidates: an answer without any. */
static koine_provider_usage buckets(const struct koine__gemini_counts *counts)
{
    koine_provider_usage usage = KOINE_PROVIDER_USAGE_INIT;
    usage.input = counts->prompt;
    koine__dialect_part(&usage.input, &usage.cache_read, counts->cached);
    koine__dialect_part(&usage.input, &usage.audio_input,
                        without(counts->audio_prompt, counts->audio_cached));
    koine__dialect_part(&usage.input, &usage.image_input,
                        without(counts->image_prompt, counts->image_cached));
    if (usage.input >= 0 && counts->tool_prompt > 0 && usage.input <= INT64_MAX - counts->tool_prompt)
        usage.input += counts->tool_prompt;
    usage.reasoning = counts->thoughts;
    usage.output = counts->candidates;
    if (usage.output < 0 && usage.reasoning >= 0)
        usage.output = 0;
    koine__dialect_part(&usage.output, &usage.audio_output, counts->audio_candidates);
    return usage;
}

void koine__gemini_usage(struct koine__gemini_answer *a, const koine_node *node)
{
    struct koine__gemini_counts *counts = &a->state->counts;
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_USAGE);
    if (a->host->kind(node) != KOINE_NODE_OBJECT)
        return;
    if (!a->state->counted)
        *counts = (struct koine__gemini_counts){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    a->state->counted = 1;
    read_counts(a->host, node, counts);
    koine_provider_usage usage = buckets(counts);
    event.usage = &usage;
    if (usage.input >= 0 || usage.output >= 0)
        a->sink->emit(a->sink, &event);
}
