/* messages: the tables of the messages dialect. */
#include "core/dialect/messages.h"
#include "core/dialect/messages_internal.h"

#define LIMIT 4096

void koine__messages_traits(const koine_provider *self, koine_messages_traits *ret)
{
    static const koine_messages_traits common = {.size = sizeof(koine_messages_traits),
                                                 .path = "/messages",
                                                 .models_path = "/models",
                                                 .key_header = "x-api-key",
                                                 .key_prefix = "",
                                                 .max_tokens = LIMIT};
    *ret = common;
    koine__dialect_traits(self, KOINE_MESSAGES_TRAITS, ret, sizeof(*ret));
    ret->path = ret->path ? ret->path : common.path;
    ret->models_path = ret->models_path ? ret->models_path : common.models_path;
    ret->key_header = ret->key_header ? ret->key_header : common.key_header;
    ret->key_prefix = ret->key_prefix ? ret->key_prefix : common.key_prefix;
    ret->max_tokens = ret->max_tokens > 0 ? ret->max_tokens : common.max_tokens;
}

void koine__messages_head(const koine_ask *ask, const koine_messages_traits *traits, const char *path,
                          koine_out *out)
{
    out->path(out, path);
    out->secret(out, traits->key_header, traits->key_prefix);
    koine__dialect_headers(ask, traits->headers, out);
}

void koine__messages_tell(const koine_read *read, const koine_node *told, koine_sink *sink)
{
    koine_messages_traits traits;
    koine__messages_traits(read->self, &traits);
    koine__dialect_tell(read, told, traits.faults, sink);
}

static int32_t fault(const koine_read *read, koine_sink *sink)
{
    koine__messages_tell(read, koine__dialect_error(read->host, read->frame->json), sink);
    return KOINE_DONE;
}

static const koine_exchange generate = {.size = sizeof(koine_exchange),
                                        .state_size = sizeof(struct koine__messages_state),
                                        .request = koine__messages_request,
                                        .frame = koine__messages_frame};

const koine_messages koine__dialect_messages = {.size = sizeof(koine_messages),
                                                .generate = &generate,
                                                .list_models = &koine__messages_models,
                                                .calculate_cost = koine__dialect_cost,
                                                .fault = fault};
