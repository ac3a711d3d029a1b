/* messages_usage: what the vendor counts. Its input is what no cache was asked for, so those buckets are
 * disjoint as they are; its output holds the thinking. */
#include "core/dialect/messages_internal.h"

static void read_counts(const koine_host *host, const koine_node *usage, struct koine__messages_state *state)
{
    if (!state->counted)
        state->input = state->cache_read = state->cache_write = state->output = state->reasoning = -1;
    state->counted = 1;
    koine__dialect_count(host, usage, "input_tokens", &state->input);
    koine__dialect_count(host, usage, "cache_read_input_tokens", &state->cache_read);
    koine__dialect_count(host, usage, "cache_creation_input_tokens", &state->cache_write);
    koine__dialect_count(host, usage, "output_tokens", &state->output);
    koine__dialect_count(host, host->get(usage, "output_tokens_details"), "thinking_tokens",
                         &state->reasoning);
}

void koine__messages_usage(struct koine__messages_answer *a, const koine_node *usage, bool ended)
{
    struct koine__messages_state *state = a->state;
    if (a->host->kind(usage) != KOINE_NODE_OBJECT)
        return;
    read_counts(a->host, usage, state);
    koine_provider_usage counts = KOINE_PROVIDER_USAGE_INIT;
    counts.input = state->input;
    counts.cache_read = state->cache_read;
    counts.cache_write = state->cache_write;
    if (ended && state->output >= 0) { /* a first report counts the output's first token or two: no total */
        counts.reasoning = state->reasoning < state->output ? state->reasoning : state->output;
        counts.output = state->output - (counts.reasoning > 0 ? counts.reasoning : 0);
    }
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_USAGE);
    event.usage = &counts;
    if (counts.input >= 0 || counts.output >= 0)
        a->sink->emit(a->sink, &event);
}
