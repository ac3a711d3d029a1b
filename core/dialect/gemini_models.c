/* gemini_models: the list of models, which comes in pages. Their names begin with a folder; ids do not. */
#include "core/dialect/gemini_internal.h"

#define PAGE "1000" /* as many as the API gives at once */

static int32_t request(const koine_ask *ask, koine_out *out)
{
    const struct koine__dialect_page *state = ask->state;
    koine_gemini_traits traits;
    koine__gemini_traits(ask->self, &traits);
    out->path(out, traits.models_path);
    koine__gemini_head(ask, &traits, out);
    out->query(out, "pageSize", koine__dialect_str(PAGE));
    if (ask->step > 0)
        out->query(out, "pageToken", koine__dialect_str(state->next));
    return KOINE_DONE;
}

static void emit_model(const koine_host *host, const koine_node *entry, koine_sink *sink)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_MODEL);
    koine_model_info info = {.size = sizeof(info),
                             .id = koine__gemini_id(koine__dialect_text(host, entry, "name")),
                             .name = koine__dialect_text(host, entry, "displayName"),
                             .created = -1,
                             .context = host->num(host->get(entry, "inputTokenLimit"), -1),
                             .max_output = host->num(host->get(entry, "outputTokenLimit"), -1)};
    if (info.id.len == 0)
        return;
    event.model = &info;
    sink->emit(sink, &event);
}

/* Empty members are left out there. */
static const koine_node *entries(const koine_host *host, const koine_node *root, bool *ret_any)
{
    const koine_node *list = host->get(root, "models");
    *ret_any = host->kind(list) == KOINE_NODE_ARRAY || (!list && host->kind(root) == KOINE_NODE_OBJECT);
    return list;
}

static bool next(const koine_host *host, const koine_node *root, koine_str *ret)
{
    *ret = koine__dialect_text(host, root, "nextPageToken");
    return true;
}

static int32_t frame(const koine_read *read, koine_sink *sink)
{
    static const struct koine__dialect_list list = {
        .entries = entries, .model = emit_model, .next = next, .tell = koine__gemini_tell};
    return koine__dialect_list_frame(read, sink, &list);
}

const koine_exchange koine__gemini_models = {.size = sizeof(koine_exchange),
                                             .state_size = sizeof(struct koine__dialect_page),
                                             .request = request,
                                             .frame = frame};
