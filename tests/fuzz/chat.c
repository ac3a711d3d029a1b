/* chat: the chat completions dialect, as dialect.h says, for vendors who differ in all that its traits can
 * say. */
#include "tests/fuzz/dialect.h"

#include <koine/chat.h>

const koine_provider *vendor_together(const koine_host *host, uint32_t index);
const koine_provider *vendor_openai(const koine_host *host, uint32_t index);
const koine_provider *vendor_azure(const koine_host *host, uint32_t index);
const koine_provider *vendor_fireworks(const koine_host *host, uint32_t index);
const koine_provider *vendor_llamacpp(const koine_host *host, uint32_t index);
const koine_provider *vendor_mistral(const koine_host *host, uint32_t index);
const koine_provider *vendor_ollama(const koine_host *host, uint32_t index);

/* What goes back as it came, and rules of its own for errors. */
static const void *strange_extension(const char *id)
{
    static const koine_chat_fault any = {sizeof(koine_chat_fault), 418, KOINE_FAULT_OVERLOADED, NULL},
                                  worded = {sizeof(koine_chat_fault), 0, KOINE_FAULT_BILLING, "teapot"};
    static const koine_chat_fault *const faults[] = {&any, &worded, NULL};
    static const koine_chat_traits traits = {
        .size = sizeof(traits), .flags = KOINE_CHAT_EXTRA_BACK, .faults = faults};
    return koine_chat_extension(id, &traits);
}

static const koine_provider *strange(const koine_host *host, uint32_t index)
{
    static koine_provider provider = {
        .size = sizeof(provider), .id = "strange", .base_url = "http://h", .extension = strange_extension};
    return koine_chat_entry(&provider, host, index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const fuzz_vendor vendors[] = {vendor_openai,    vendor_together, vendor_azure,
                                          vendor_fireworks, vendor_llamacpp, vendor_mistral,
                                          vendor_ollama,    strange,         NULL};
    fuzz_dialect((koine_str){(const char *)data, size}, vendors);
    return 0;
}
