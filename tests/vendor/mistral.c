/* mistral: Mistral, as a stranger would write it down: what its rows of the corpus need, and no more. */
#define KOINE_ENTRY vendor_mistral
#include <koine/chat.h>

static const koine_chat_traits traits = {
    .size = sizeof(traits),
    .flags = KOINE_CHAT_TOOLS_ALONE | KOINE_CHAT_RESULT_NAME,
    .tool_id_length = 9,
};

static const void *extension(const char *id)
{
    return koine_chat_extension(id, &traits);
}

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "mistral",
    .version = "1.0.0",
    .base_url = "https://api.mistral.ai/v1",
    .key_variable = "MISTRAL_API_KEY",
    .extension = extension,
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    return koine_chat_entry(&provider, host, index);
}
