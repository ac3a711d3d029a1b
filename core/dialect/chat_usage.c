/* chat_usage: what vendors count inside each other, as disjoint buckets. */
#include "core/dialect/chat_internal.h"

/* A count; null, negative and broken ones are not told. */
static int64_t count_of(const koine_host *host, const koine_node *object, const char *name)
{
    int64_t count = host->num(host->get(object, name), -1);
    return count >= 0 ? count : -1;
}

static int64_t cached(const koine_host *host, const koine_node *usage, const koine_node *details)
{
    int64_t count = count_of(host, details, "cached_tokens");
    if (count < 0)
        count = count_of(host, usage, "prompt_cache_hit_tokens");
    return count < 0 ? count_of(host, usage, "cached_tokens") : count;
}

static void read_prompt(const koine_host *host, const koine_node *usage, koine_provider_usage *ret)
{
    const koine_node *details = host->get(usage, "prompt_tokens_details");
    ret->input = count_of(host, usage, "prompt_tokens");
    koine__dialect_part(&ret->input, &ret->cache_read, cached(host, usage, details));
    koine__dialect_part(&ret->input, &ret->cache_write, count_of(host, details, "cache_write_tokens"));
    koine__dialect_part(&ret->input, &ret->audio_input, count_of(host, details, "audio_tokens"));
    koine__dialect_part(&ret->input, &ret->image_input, count_of(host, details, "image_tokens"));
}

static void read_completion(const koine_host *host, const koine_node *usage, koine_provider_usage *ret)
{
    const koine_node *details = host->get(usage, "completion_tokens_details");
    ret->output = count_of(host, usage, "completion_tokens");
    koine__dialect_part(&ret->output, &ret->reasoning, count_of(host, details, "reasoning_tokens"));
    koine__dialect_part(&ret->output, &ret->audio_output, count_of(host, details, "audio_tokens"));
}

static int64_t read_cost(const koine_host *host, const koine_node *usage)
{
    const koine_node *cost = host->get(usage, "cost");
    return host->kind(cost) == KOINE_NODE_NUMBER ? koine__dialect_pico(host->dump(cost)) : -1;
}

void koine__chat_usage(struct koine__chat_answer *answer, const koine_node *root)
{
    const koine_host *host = answer->host;
    const koine_node *usage = host->get(root, "usage");
    if (host->kind(usage) != KOINE_NODE_OBJECT)
        usage = host->get(host->get(root, "x_groq"), "usage");
    if (host->kind(usage) != KOINE_NODE_OBJECT)
        return;
    koine_provider_usage counts = KOINE_PROVIDER_USAGE_INIT;
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_USAGE);
    read_prompt(host, usage, &counts);
    read_completion(host, usage, &counts);
    counts.picodollars = read_cost(host, usage);
    counts.charged = counts.picodollars >= 0;
    if (counts.input < 0 && counts.output < 0 && !counts.charged)
        return;
    event.usage = &counts;
    answer->sink->emit(answer->sink, &event);
}
