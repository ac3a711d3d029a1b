/* gemini: the tables of the gemini dialect. */
#include "core/dialect/gemini.h"
#include "core/dialect/gemini_internal.h"

void koine__gemini_traits(const koine_provider *self, koine_gemini_traits *ret)
{
    static const koine_gemini_traits common = {.size = sizeof(koine_gemini_traits),
                                               .path = "/models/",
                                               .models_path = "/models",
                                               .key_header = "x-goog-api-key",
                                               .key_prefix = ""};
    *ret = common;
    koine__dialect_traits(self, KOINE_GEMINI_TRAITS, ret, sizeof(*ret));
    ret->path = ret->path ? ret->path : common.path;
    ret->models_path = ret->models_path ? ret->models_path : common.models_path;
    ret->key_header = ret->key_header ? ret->key_header : common.key_header;
    ret->key_prefix = ret->key_prefix ? ret->key_prefix : common.key_prefix;
}

void koine__gemini_head(const koine_ask *ask, const koine_gemini_traits *traits, koine_out *out)
{
    out->secret(out, traits->key_header, traits->key_prefix);
    koine__dialect_headers(ask, traits->headers, out);
}

void koine__gemini_tell(const koine_read *read, const koine_node *told, koine_sink *sink)
{
    koine_gemini_traits traits;
    koine__gemini_traits(read->self, &traits);
    koine__dialect_tell(read, told, traits.faults, sink);
}

koine_str koine__gemini_id(koine_str name)
{
    static const char folder[] = "models/";
    size_t len = sizeof(folder) - 1;
    bool inside = name.len > len && memcmp(name.ptr, folder, len) == 0;
    return inside ? (koine_str){name.ptr + len, name.len - len} : name;
}

bool koine__gemini_is_among(const koine_ask *ask, const char *const *prefixes)
{
    koine_str model = koine__gemini_id(ask->model);
    for (; prefixes && *prefixes; prefixes++) {
        size_t len = strlen(*prefixes);
        if (model.len >= len && memcmp(model.ptr, *prefixes, len) == 0)
            return true;
    }
    return false;
}

static int32_t fault(const koine_read *read, koine_sink *sink)
{
    koine__gemini_tell(read, koine__dialect_error(read->host, read->frame->json), sink);
    return KOINE_DONE;
}

static const koine_exchange generate = {.size = sizeof(koine_exchange),
                                        .state_size = sizeof(struct koine__gemini_state),
                                        .request = koine__gemini_request,
                                        .frame = koine__gemini_frame};

const koine_gemini koine__dialect_gemini = {.size = sizeof(koine_gemini),
                                            .generate = &generate,
                                            .list_models = &koine__gemini_models,
                                            .calculate_cost = koine__dialect_cost,
                                            .fault = fault};
