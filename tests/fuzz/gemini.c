/* gemini: the Gemini API's dialect, as dialect.h says; for Google, for a stranger whose traits say nothing,
 * for one who has none, and for one whose models all think on a budget and cannot leave it. */
#include "tests/fuzz/dialect.h"

#include <koine/gemini.h>

const koine_provider *vendor_gemini(const koine_host *host, uint32_t index);

static const void *silent_extension(const char *id)
{
    static const koine_gemini_traits traits = {.size = sizeof(traits)};
    return koine_gemini_extension(id, &traits);
}

static const koine_provider *silent(const koine_host *host, uint32_t index)
{
    static koine_provider provider = {
        .size = sizeof(provider), .id = "silent", .base_url = "http://h", .extension = silent_extension};
    return koine_gemini_entry(&provider, host, index);
}

static const koine_provider *plain(const koine_host *host, uint32_t index)
{
    static koine_provider provider = {.size = sizeof(provider), .id = "plain", .base_url = "http://h"};
    return koine_gemini_entry(&provider, host, index);
}

static const void *thinking_extension(const char *id)
{
    static const char *const all[] = {"", NULL};
    static const koine_gemini_header region = {sizeof(koine_gemini_header), "region", "x-region"};
    static const koine_gemini_header *const headers[] = {&region, NULL};
    static const koine_gemini_traits traits = {
        .size = sizeof(traits), .budget_models = all, .always_models = all, .headers = headers};
    return koine_gemini_extension(id, &traits);
}

static const koine_provider *thinking(const koine_host *host, uint32_t index)
{
    static koine_provider provider = {
        .size = sizeof(provider), .id = "thinking", .base_url = "http://h", .extension = thinking_extension};
    return koine_gemini_entry(&provider, host, index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const fuzz_vendor vendors[] = {vendor_gemini, silent, plain, thinking, NULL};
    fuzz_dialect((koine_str){(const char *)data, size}, vendors);
    return 0;
}
