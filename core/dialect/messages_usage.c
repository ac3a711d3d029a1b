/* messages_usage: what the vendor counts. Its input is what no cache was asked for, so those buckets are
 * disjoint as they are; its output holds the thinking. */
#include "core/dialect/messages_internal.h"

/* What a later report does not tell (null, or not there) stays as it was. */
static void count(const koine_host *host, const koine_node *object, const char *name, int64_t *ret)
{
    int64_t told = host->num(host->get(object, name), -1);
    if (told >= 0)
        *ret = told;
}

static void read_counts(const koine_host *host, const koine_node *usage, struct koine__messages_state *state)
{
    if (!state->counted)
        state->input = state->cache_read = state->cache_write = state->output = state->reasoning = -1;
    state->counted = 1;
    count(host, usage, "input_tokens", &state->input);
    count(host, usage, "cache_read_input_tokens", &state->cache_read);
    count(host, usage, "cache_creation_input_tokens", &state->cache_write);
    count(host, usage, "output_tokens", &state->output);
    count(host, host->get(usage, "output_tokens_details"), "thinking_tokens", &state->reasoning);
}

void koine__messages_usage(struct koine__messages_answer *a, const koine_node *usage, bool ended)
{
    struct koine__messages_state *state = a->state;
    if (a->host->kind(usage) != KOINE_NODE_OBJECT)
        return;
    read_counts(a->host, usage, state);
    koine_provider_usage counts = {.size = sizeof(counts),
                                   .input = state->input,
                                   .cache_read = state->cache_read,
                                   .cache_write = state->cache_write,
                                   .output = -1,
                                   .reasoning = -1,
                                   .audio_input = -1,
                                   .audio_output = -1,
                                   .image_input = -1,
                                   .picodollars = -1};
    if (ended && state->output >= 0) { /* a first report counts the output's first token or two: no total */
        counts.reasoning = state->reasoning < state->output ? state->reasoning : state->output;
        counts.output = state->output - (counts.reasoning > 0 ? counts.reasoning : 0);
    }
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_USAGE);
    event.usage = &counts;
    if (counts.input >= 0 || counts.output >= 0)
        a->sink->emit(a->sink, &event);
}
