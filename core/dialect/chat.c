/* chat: the tables of the chat completions dialect, its list of models and its costs. */
#include "core/dialect/chat.h"
#include "core/dialect/chat_internal.h"

void koine__chat_traits(const koine_provider *self, koine_chat_traits *ret)
{
    static const koine_chat_traits common = {.size = sizeof(koine_chat_traits),
                                             .path = "/chat/completions",
                                             .models_path = "/models",
                                             .max_tokens = "max_tokens",
                                             .key_header = "Authorization",
                                             .key_prefix = "Bearer "};
    *ret = common;
    koine__dialect_traits(self, KOINE_CHAT_TRAITS, ret, sizeof(*ret));
    ret->path = ret->path ? ret->path : common.path;
    ret->models_path = ret->models_path ? ret->models_path : common.models_path;
    ret->max_tokens = ret->max_tokens ? ret->max_tokens : common.max_tokens;
    ret->key_header = ret->key_header ? ret->key_header : common.key_header;
    ret->key_prefix = ret->key_prefix ? ret->key_prefix : common.key_prefix;
}

static int32_t write_path(const koine_ask *ask, const char *path, koine_out *out)
{
    static const char model[] = "{model}";
    const char *at = strstr(path, model);
    if (at) {
        const char *before =
            koine__dialect_join(ask->host, (koine_str){path, (size_t)(at - path)}, (koine_str){NULL, 0});
        if (!before)
            return KOINE_NO_MEMORY;
        out->path(out, before);
        out->segment(out, ask->model);
        path = at + sizeof(model) - 1;
    }
    if (*path)
        out->path(out, path);
    return KOINE_DONE;
}

int32_t koine__chat_head(const koine_ask *ask, const koine_chat_traits *traits, const char *path,
                         koine_out *out)
{
    int32_t rc = write_path(ask, path, out);
    koine__dialect_queries(ask, traits->queries, out);
    out->secret(out, traits->key_header, traits->key_prefix);
    koine__dialect_headers(ask, traits->headers, out);
    return rc;
}

void koine__chat_tell(const koine_read *read, const koine_node *told, koine_sink *sink)
{
    koine_chat_traits traits;
    koine__chat_traits(read->self, &traits);
    koine__dialect_tell(read, told, traits.faults, sink);
}

static int32_t fault(const koine_read *read, koine_sink *sink)
{
    koine__chat_tell(read, koine__dialect_error(read->host, read->frame->json), sink);
    return KOINE_DONE;
}

/* ---- The list of models ---- */

static int32_t models_request(const koine_ask *ask, koine_out *out)
{
    koine_chat_traits traits;
    koine__chat_traits(ask->self, &traits);
    return koine__chat_head(ask, &traits, traits.models_path, out);
}

/* The first of the members that is there. */
static const koine_node *any_of(const koine_host *host, const koine_node *object, const char *const *names)
{
    for (; *names; names++) {
        const koine_node *node = host->get(object, *names);
        if (host->kind(node) > KOINE_NODE_NULL)
            return node;
    }
    return NULL;
}

static void emit_model(const koine_host *host, const koine_node *entry, koine_sink *sink)
{
    static const char *const names[] = {"display_name", "name", NULL};
    static const char *const owners[] = {"organization", "owned_by", NULL};
    static const char *const windows[] = {"context_length", "context_window", "max_model_len", NULL};
    static const char *const times[] = {"created", "created_at", NULL};
    static const char *const outputs[] = {"max_completion_tokens", "max_output_tokens", NULL};
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_MODEL);
    koine_model_info info = {.size = sizeof(info),
                             .id = host->str(host->get(entry, "id")),
                             .name = host->str(any_of(host, entry, names)),
                             .owner = host->str(any_of(host, entry, owners)),
                             .created = host->num(any_of(host, entry, times), -1),
                             .context = host->num(any_of(host, entry, windows), -1),
                             .max_output = host->num(any_of(host, entry, outputs), -1)};
    if (info.id.len == 0)
        return;
    event.model = &info;
    sink->emit(sink, &event);
}

/* The entries: a bare array, or `data` of an object, where null is a list of none. NULL and 0: no list at
 * all. */
static const koine_node *entries(const koine_host *host, const koine_node *root, bool *ret_any)
{
    const koine_node *list = host->kind(root) == KOINE_NODE_OBJECT ? host->get(root, "data") : root;
    int32_t kind = host->kind(list);
    *ret_any = kind == KOINE_NODE_ARRAY || (kind == KOINE_NODE_NULL && list != root);
    return list;
}

static int32_t models_frame(const koine_read *read, koine_sink *sink)
{
    static const struct koine__dialect_list list = {
        .entries = entries, .model = emit_model, .tell = koine__chat_tell};
    return koine__dialect_list_frame(read, sink, &list);
}

/* ---- What it cost ---- */

/* A name of the user's own may be any model's: it prices nothing. */
static int32_t price(const koine_cost_query *query, koine_provider_cost *ret)
{
    koine_chat_traits traits;
    koine__chat_traits(query->self, &traits);
    koine_cost_query answered = *query;
    if (traits.flags & KOINE_CHAT_OWN_NAMES)
        answered.asked = answered.model;
    return query->host->price(&answered, ret);
}

/* The vendor's own figure, where it tells one; else the catalogue's. */
static int32_t calculate_cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    const koine_provider_usage *usage = query->usage;
    if (!usage || !KOINE_HAS(koine_provider_usage, usage, picodollars) || !usage->charged)
        return price(query, ret);
    ret->state = KOINE_PRICE_KNOWN;
    ret->picodollars = usage->picodollars;
    ret->price_id = koine__dialect_str("vendor");
    if (KOINE_HAS(koine_provider_cost, ret, estimated))
        ret->estimated = 0;
    return KOINE_DONE;
}

static const koine_exchange generate = {.size = sizeof(koine_exchange),
                                        .state_size = sizeof(struct koine__chat_state),
                                        .request = koine__chat_request,
                                        .frame = koine__chat_frame};
static const koine_exchange list_models = {.size = sizeof(koine_exchange),
                                           .state_size = sizeof(struct koine__dialect_page),
                                           .request = models_request,
                                           .frame = models_frame};

const koine_chat koine__dialect_chat = {.size = sizeof(koine_chat),
                                        .generate = &generate,
                                        .list_models = &list_models,
                                        .calculate_cost = calculate_cost,
                                        .fault = fault};
